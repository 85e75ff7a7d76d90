"""Inception v3."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ...contrib.nn import HybridConcurrent
from ._common import load_pretrained

__all__ = ["Inception3", "inception_v3"]


def _convolution(channels, kernel_size, strides=1, padding=0):
    out = nn.HybridSequential(prefix="")
    out.add(nn.Conv2D(channels, kernel_size, strides=strides, padding=padding, use_bias=False),
            nn.BatchNorm(epsilon=0.001), nn.Activation("relu"))
    return out


def _path(*convolutions, pool=None):
    """Convolutions one after the other, after pooling by 'avg' or 'max' if asked for."""
    out = nn.HybridSequential(prefix="")
    if pool == "avg":
        out.add(nn.AvgPool2D(3, strides=1, padding=1))
    elif pool == "max":
        out.add(nn.MaxPool2D(3, strides=2))
    for arguments in convolutions:
        out.add(_convolution(*arguments))
    return out


def _split(*convolutions):
    """Convolutions, then a wide and a high one side by side."""
    out = _path()
    out.add(_path(*convolutions), _paths("", lambda: (_path((384, (1, 3), 1, (0, 1))),
                                                      _path((384, (3, 1), 1, (1, 0))))))
    return out


def _paths(prefix, make):
    """Paths side by side whose channels are joined; `make` gives them, within the scope of names."""
    out = HybridConcurrent(axis=1, prefix=prefix)
    with out.name_scope():
        out.add(*make())
    return out


def _block_a(pool_features, prefix):
    return _paths(prefix, lambda: (
        _path((64, 1)), _path((48, 1), (64, 5, 1, 2)), _path((64, 1), (96, 3, 1, 1), (96, 3, 1, 1)),
        _path((pool_features, 1), pool="avg")))


def _block_b(prefix):
    return _paths(prefix, lambda: (
        _path((384, 3, 2)), _path((64, 1), (96, 3, 1, 1), (96, 3, 2)), _path(pool="max")))


def _block_c(channels, prefix):
    wide, high = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
    return _paths(prefix, lambda: (
        _path((192, 1)), _path((channels, 1), (channels, *wide), (192, *high)),
        _path((channels, 1), (channels, *high), (channels, *wide), (channels, *high), (192, *wide)),
        _path((192, 1), pool="avg")))


def _block_d(prefix):
    return _paths(prefix, lambda: (
        _path((192, 1), (320, 3, 2)),
        _path((192, 1), (192, (1, 7), 1, (0, 3)), (192, (7, 1), 1, (3, 0)), (192, 3, 2)), _path(pool="max")))


def _block_e(prefix):
    return _paths(prefix, lambda: (
        _path((320, 1)), _split((384, 1)), _split((448, 1), (384, 3, 1, 1)), _path((192, 1), pool="avg")))


class Inception3(HybridBlock):
    """Paths of different convolutions side by side (Szegedy et al., 2015): ``(N, 3, 299, 299)`` to ``(N, classes)``.

    Parameters
    ----------
    classes : int
        Number of outputs.
    """

    def __init__(self, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(_convolution(32, 3, 2), _convolution(32, 3), _convolution(64, 3, 1, 1),
                              nn.MaxPool2D(3, strides=2), _convolution(80, 1), _convolution(192, 3),
                              nn.MaxPool2D(3, strides=2))
            self.features.add(*(_block_a(n, f"A{i}_") for i, n in enumerate((32, 64, 64), 1)), _block_b("B_"),
                              *(_block_c(n, f"C{i}_") for i, n in enumerate((128, 160, 160, 192), 1)),
                              _block_d("D_"), _block_e("E1_"), _block_e("E2_"))
            self.features.add(nn.AvgPool2D(8), nn.Dropout(0.5))
            self.output = nn.Dense(classes)

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def inception_v3(pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"), **kwargs):  # noqa: B008
    """An `Inception3` network; parameters as for `alexnet`."""
    return load_pretrained(Inception3(**kwargs), "inceptionv3", pretrained, ctx, root)

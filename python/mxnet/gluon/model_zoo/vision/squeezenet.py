"""SqueezeNet."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ...contrib.nn import HybridConcurrent
from ._common import load_pretrained

__all__ = ["SqueezeNet", "squeezenet1_0", "squeezenet1_1"]


def _convolution(channels, kernel_size, padding=0):
    out = nn.HybridSequential(prefix="")
    out.add(nn.Conv2D(channels, kernel_size, padding=padding), nn.Activation("relu"))
    return out


def _fire(squeeze, expand):
    """A narrow 1 x 1 convolution, then two wide ones side by side whose channels are joined."""
    out = nn.HybridSequential(prefix="")
    out.add(_convolution(squeeze, 1))
    paths = HybridConcurrent(axis=1, prefix="")
    paths.add(_convolution(expand, 1), _convolution(expand, 3, 1))
    out.add(paths)
    return out


class SqueezeNet(HybridBlock):
    """Few parameters by "fire" modules (Iandola et al., 2016): images ``(N, 3, 224, 224)`` to ``(N, classes)``.

    Parameters
    ----------
    version : {'1.0', '1.1'}
        1.1 computes 2.4 times less.
    classes : int
        Number of outputs.
    """

    # Channels of the fire modules; 0 stands for pooling.
    _plans = {"1.0": (96, 7, (16, 16, 32, 0, 32, 48, 48, 64, 0, 64)),
              "1.1": (64, 3, (16, 16, 0, 32, 32, 0, 48, 48, 64, 64))}

    def __init__(self, version, classes=1000, **kwargs):
        super().__init__(**kwargs)
        if version not in self._plans:
            raise AssertionError(f"SqueezeNet: version must be '1.0' or '1.1', got {version!r}")
        channels, kernel_size, plan = self._plans[version]
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(nn.Conv2D(channels, kernel_size, strides=2), nn.Activation("relu"),
                              nn.MaxPool2D(3, 2, ceil_mode=True))
            for squeeze in plan:
                self.features.add(_fire(squeeze, 4 * squeeze) if squeeze else nn.MaxPool2D(3, 2, ceil_mode=True))
            self.features.add(nn.Dropout(0.5))
            self.output = nn.HybridSequential(prefix="")
            self.output.add(nn.Conv2D(classes, 1), nn.Activation("relu"), nn.AvgPool2D(13), nn.Flatten())

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def _get_squeezenet(version, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"),  # noqa: B008
                    **kwargs):
    return load_pretrained(SqueezeNet(version, **kwargs), f"squeezenet{version}", pretrained, ctx, root)


def squeezenet1_0(**kwargs):
    """A `SqueezeNet` 1.0; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_squeezenet("1.0", **kwargs)


def squeezenet1_1(**kwargs):
    """A `SqueezeNet` 1.1; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_squeezenet("1.1", **kwargs)

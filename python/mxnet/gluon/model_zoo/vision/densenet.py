"""Densely connected networks."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ...contrib.nn import HybridConcurrent, Identity
from ._common import load_pretrained

__all__ = ["DenseNet", "densenet121", "densenet161", "densenet169", "densenet201"]


def _dense_layer(growth_rate, bn_size, dropout):
    """Adds `growth_rate` channels to those that come in."""
    new = nn.HybridSequential(prefix="")
    new.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(bn_size * growth_rate, 1, use_bias=False),
            nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(growth_rate, 3, padding=1, use_bias=False))
    if dropout:
        new.add(nn.Dropout(dropout))
    out = HybridConcurrent(axis=1, prefix="")
    out.add(Identity(), new)
    return out


def _dense_block(layers, stage, **kwargs):
    out = nn.HybridSequential(prefix=f"stage{stage}_")
    with out.name_scope():
        for _ in range(layers):
            out.add(_dense_layer(**kwargs))
    return out


def _transition(channels):
    out = nn.HybridSequential(prefix="")
    out.add(nn.BatchNorm(), nn.Activation("relu"), nn.Conv2D(channels, 1, use_bias=False), nn.AvgPool2D(2, 2))
    return out


class DenseNet(HybridBlock):
    """Each layer sees the outputs of all before it in its block (Huang et al., 2017).

    Images ``(N, 3, 224, 224)`` give ``(N, classes)``.

    Parameters
    ----------
    num_init_features : int
        Number of channels after the first convolution.
    growth_rate : int
        Number of channels that a layer adds.
    block_config : list of int
        Number of layers in each block.
    bn_size : int
        Width of the bottleneck in a layer, in units of `growth_rate`.
    dropout : float
        Dropout rate after each layer.
    classes : int
        Number of outputs.
    """

    def __init__(self, num_init_features, growth_rate, block_config, bn_size=4, dropout=0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(nn.Conv2D(num_init_features, 7, strides=2, padding=3, use_bias=False), nn.BatchNorm(),
                              nn.Activation("relu"), nn.MaxPool2D(3, 2, padding=1))
            channels = num_init_features
            for i, layers in enumerate(block_config):
                self.features.add(_dense_block(layers, i + 1, growth_rate=growth_rate, bn_size=bn_size,
                                               dropout=dropout))
                channels += layers * growth_rate
                if i + 1 < len(block_config):
                    channels //= 2
                    self.features.add(_transition(channels))
            self.features.add(nn.BatchNorm(), nn.Activation("relu"), nn.AvgPool2D(7), nn.Flatten())
            self.output = nn.Dense(classes)

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


# Depth: first channels, growth rate, layers of the blocks.
densenet_spec = {121: (64, 32, [6, 12, 24, 16]), 161: (96, 48, [6, 12, 36, 24]),
                 169: (64, 32, [6, 12, 32, 32]), 201: (64, 32, [6, 12, 48, 32])}


def _get_densenet(num_layers, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"),  # noqa: B008
                  **kwargs):
    net = DenseNet(*densenet_spec[num_layers], **kwargs)
    return load_pretrained(net, f"densenet{num_layers}", pretrained, ctx, root)


def densenet121(**kwargs):
    """A `DenseNet` of 121 layers; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_densenet(121, **kwargs)


def densenet161(**kwargs):
    """A `DenseNet` of 161 layers; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_densenet(161, **kwargs)


def densenet169(**kwargs):
    """A `DenseNet` of 169 layers; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_densenet(169, **kwargs)


def densenet201(**kwargs):
    """A `DenseNet` of 201 layers; `pretrained`, `ctx` and `root` as for `alexnet`."""
    return _get_densenet(201, **kwargs)


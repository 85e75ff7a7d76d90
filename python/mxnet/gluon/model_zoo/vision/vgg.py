"""VGG networks."""
import os

from .... import initializer
from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ._common import load_pretrained

__all__ = ["VGG", "get_vgg", "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn"]

# Depth: convolutions in each stage, and their channels.
vgg_spec = {depth: (layers, [64, 128, 256, 512, 512]) for depth, layers in (
    (11, [1, 1, 2, 2, 2]), (13, [2, 2, 2, 2, 2]), (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4]))}


class VGG(HybridBlock):
    """Stages of 3 x 3 convolutions, each ended by pooling (Simonyan and Zisserman, 2014).

    Images ``(N, 3, 224, 224)`` give ``(N, classes)``.

    Parameters
    ----------
    layers, filters : list of int
        Number of convolutions in each stage, and of their channels.
    classes : int
        Number of outputs.
    batch_norm : bool
        Whether each convolution is followed by a batch normalization.
    """

    def __init__(self, layers, filters, classes=1000, batch_norm=False, **kwargs):
        super().__init__(**kwargs)
        if len(layers) != len(filters):
            raise AssertionError(f"VGG: layers and filters must be of one length, got {layers} and {filters}")
        with self.name_scope():
            self.features = self._make_features(layers, filters, batch_norm)
            for _ in range(2):
                self.features.add(nn.Dense(4096, activation="relu", weight_initializer="normal"), nn.Dropout(0.5))
            self.output = nn.Dense(classes, weight_initializer="normal")

    def _make_features(self, layers, filters, batch_norm):
        features = nn.HybridSequential(prefix="")
        for count, channels in zip(layers, filters):
            for _ in range(count):
                features.add(nn.Conv2D(channels, 3, padding=1, weight_initializer=initializer.Xavier(
                    rnd_type="gaussian", factor_type="out", magnitude=2)))
                if batch_norm:
                    features.add(nn.BatchNorm())
                features.add(nn.Activation("relu"))
            features.add(nn.MaxPool2D(strides=2))
        return features

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def get_vgg(num_layers, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"), **kwargs):  # noqa: B008
    """A `VGG` network by its depth.

    Parameters
    ----------
    num_layers : {11, 13, 16, 19}
        The depth; KeyError for others.
    pretrained : bool
        Whether to load weights that were trained on ImageNet.
    ctx : Context
        Where to put them.
    root : str
        Folder of their file, see `model_store.get_model_file`.
    **kwargs
        See `VGG`.
    """
    if num_layers not in vgg_spec:
        raise KeyError(f"get_vgg: num_layers must be one of {list(vgg_spec)}, got {num_layers}")
    name = f"vgg{num_layers}{'_bn' if kwargs.get('batch_norm') else ''}"
    return load_pretrained(VGG(*vgg_spec[num_layers], **kwargs), name, pretrained, ctx, root)


def vgg11(**kwargs):
    """A `VGG` network of 11 layers; see `get_vgg`."""
    return get_vgg(11, **kwargs)


def vgg11_bn(**kwargs):
    """A `VGG` network of 11 layers with batch normalization; see `get_vgg`."""
    return get_vgg(11, **{**kwargs, "batch_norm": True})


def vgg13(**kwargs):
    """A `VGG` network of 13 layers; see `get_vgg`."""
    return get_vgg(13, **kwargs)


def vgg13_bn(**kwargs):
    """A `VGG` network of 13 layers with batch normalization; see `get_vgg`."""
    return get_vgg(13, **{**kwargs, "batch_norm": True})


def vgg16(**kwargs):
    """A `VGG` network of 16 layers; see `get_vgg`."""
    return get_vgg(16, **kwargs)


def vgg16_bn(**kwargs):
    """A `VGG` network of 16 layers with batch normalization; see `get_vgg`."""
    return get_vgg(16, **{**kwargs, "batch_norm": True})


def vgg19(**kwargs):
    """A `VGG` network of 19 layers; see `get_vgg`."""
    return get_vgg(19, **kwargs)


def vgg19_bn(**kwargs):
    """A `VGG` network of 19 layers with batch normalization; see `get_vgg`."""
    return get_vgg(19, **{**kwargs, "batch_norm": True})


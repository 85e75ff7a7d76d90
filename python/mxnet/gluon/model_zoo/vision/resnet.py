"""Residual networks, the first and the second version."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ._common import load_pretrained

__all__ = ["BasicBlockV1", "BasicBlockV2", "BottleneckV1", "BottleneckV2", "ResNetV1", "ResNetV2", "get_resnet",
           "resnet18_v1", "resnet18_v2", "resnet34_v1", "resnet34_v2", "resnet50_v1", "resnet50_v2", "resnet101_v1",
           "resnet101_v2", "resnet152_v1", "resnet152_v2"]


def _conv3x3(channels, stride, in_channels):
    return nn.Conv2D(channels, 3, strides=stride, padding=1, use_bias=False, in_channels=in_channels)


class _BlockV1(HybridBlock):
    """Adds its input, through a 1 x 1 convolution if `downsample`, to what the body makes of it.

    Parameters
    ----------
    channels : int
        Number of output channels.
    stride : int
        Stride of the block.
    downsample : bool
        Whether the input has another shape than the output.
    in_channels : int
        Number of input channels; 0 is found out at the first batch.
    """

    def __init__(self, channels, stride, downsample=False, in_channels=0, **kwargs):
        super().__init__(**kwargs)
        self.body = nn.HybridSequential(prefix="")
        self._fill_body(channels, stride, in_channels)
        self.downsample = None
        if downsample:
            self.downsample = nn.HybridSequential(prefix="")
            self.downsample.add(nn.Conv2D(channels, 1, strides=stride, use_bias=False, in_channels=in_channels),
                                nn.BatchNorm())

    def hybrid_forward(self, F, x):
        out = self.body(x)
        past = x if self.downsample is None else self.downsample(x)
        return F.Activation(past + out, act_type="relu")


class BasicBlockV1(_BlockV1):
    """Two 3 x 3 convolutions and a shortcut past them (He et al., 2015), in networks of 18 and 34 layers."""

    __doc__ += _BlockV1.__doc__.partition("\n")[2]

    def _fill_body(self, channels, stride, in_channels):
        self.body.add(_conv3x3(channels, stride, in_channels), nn.BatchNorm(), nn.Activation("relu"),
                      _conv3x3(channels, 1, channels), nn.BatchNorm())


class BottleneckV1(_BlockV1):
    """Narrows, convolves, widens, with a shortcut past it all (He et al., 2015), in networks of 50 and more layers."""

    __doc__ += _BlockV1.__doc__.partition("\n")[2]

    def _fill_body(self, channels, stride, in_channels):
        self.body.add(nn.Conv2D(channels // 4, 1, strides=stride), nn.BatchNorm(), nn.Activation("relu"),
                      _conv3x3(channels // 4, 1, channels // 4), nn.BatchNorm(), nn.Activation("relu"),
                      nn.Conv2D(channels, 1, strides=1), nn.BatchNorm())


class _BlockV2(HybridBlock):
    """As `_BlockV1`, but normalizes and rectifies before each convolution."""

    def _add_downsample(self, channels, stride, downsample, in_channels):
        self.downsample = None
        if downsample:
            self.downsample = nn.Conv2D(channels, 1, stride, use_bias=False, in_channels=in_channels)

    def hybrid_forward(self, F, x):
        past = x
        for i, (norm, convolution) in enumerate(self._steps()):
            x = F.Activation(norm(x), act_type="relu")
            if i == 0 and self.downsample is not None:
                past = self.downsample(x)
            x = convolution(x)
        return x + past


class BasicBlockV2(_BlockV2):
    """`BasicBlockV1` with normalization before each convolution (He et al., 2016)."""

    __doc__ += "\n" + _BlockV1.__doc__.partition("\n")[2]

    def __init__(self, channels, stride, downsample=False, in_channels=0, **kwargs):
        super().__init__(**kwargs)
        self.bn1 = nn.BatchNorm()
        self.conv1 = _conv3x3(channels, stride, in_channels)
        self.bn2 = nn.BatchNorm()
        self.conv2 = _conv3x3(channels, 1, channels)
        self._add_downsample(channels, stride, downsample, in_channels)

    def _steps(self):
        return (self.bn1, self.conv1), (self.bn2, self.conv2)


class BottleneckV2(_BlockV2):
    """`BottleneckV1` with normalization before each convolution (He et al., 2016)."""

    __doc__ += "\n" + _BlockV1.__doc__.partition("\n")[2]

    def __init__(self, channels, stride, downsample=False, in_channels=0, **kwargs):
        super().__init__(**kwargs)
        self.bn1 = nn.BatchNorm()
        self.conv1 = nn.Conv2D(channels // 4, 1, strides=1, use_bias=False)
        self.bn2 = nn.BatchNorm()
        self.conv2 = _conv3x3(channels // 4, stride, channels // 4)
        self.bn3 = nn.BatchNorm()
        self.conv3 = nn.Conv2D(channels, 1, strides=1, use_bias=False)
        self._add_downsample(channels, stride, downsample, in_channels)

    def _steps(self):
        return (self.bn1, self.conv1), (self.bn2, self.conv2), (self.bn3, self.conv3)


class _ResNet(HybridBlock):
    """What the two versions have in common."""

    def _check(self, layers, channels):
        if len(layers) != len(channels) - 1:
            raise AssertionError(f"{type(self).__name__}: channels must be one longer than layers, got {channels} and "
                                 f"{layers}")

    def _add_stages(self, block, layers, channels):
        for i, count in enumerate(layers):
            stage = nn.HybridSequential(prefix=f"stage{i + 1}_")
            with stage.name_scope():
                before, after = channels[i], channels[i + 1]
                stage.add(block(after, 1 if i == 0 else 2, after != before, in_channels=before, prefix=""))
                for _ in range(count - 1):
                    stage.add(block(after, 1, False, in_channels=after, prefix=""))
            self.features.add(stage)

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


class ResNetV1(_ResNet):
    """Blocks with shortcuts past them (He et al., 2015): images ``(N, 3, 224, 224)`` to ``(N, classes)``.

    Parameters
    ----------
    block : type
        `BasicBlockV1` or `BottleneckV1`.
    layers : list of int
        Number of blocks in each stage.
    channels : list of int
        Number of channels before the stages and after each.
    classes : int
        Number of outputs.
    thumbnail : bool
        Whether images are small, e.g. of 32 x 32: the first layers then keep their size.
    """

    def __init__(self, block, layers, channels, classes=1000, thumbnail=False, **kwargs):
        super().__init__(**kwargs)
        self._check(layers, channels)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            if thumbnail:
                self.features.add(_conv3x3(channels[0], 1, 0))
            else:
                self.features.add(nn.Conv2D(channels[0], 7, 2, 3, use_bias=False), nn.BatchNorm(),
                                  nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
            self._add_stages(block, layers, channels)
            self.features.add(nn.GlobalAvgPool2D())
            self.output = nn.Dense(classes, in_units=channels[-1])


class ResNetV2(_ResNet):
    """`ResNetV1` with normalization before each convolution (He et al., 2016).

    Parameters
    ----------
    block : type
        `BasicBlockV2` or `BottleneckV2`.
    layers, channels, classes, thumbnail
        See `ResNetV1`.
    """

    def __init__(self, block, layers, channels, classes=1000, thumbnail=False, **kwargs):
        super().__init__(**kwargs)
        self._check(layers, channels)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            self.features.add(nn.BatchNorm(scale=False, center=False))
            if thumbnail:
                self.features.add(_conv3x3(channels[0], 1, 0))
            else:
                self.features.add(nn.Conv2D(channels[0], 7, 2, 3, use_bias=False), nn.BatchNorm(),
                                  nn.Activation("relu"), nn.MaxPool2D(3, 2, 1))
            self._add_stages(block, layers, channels)
            self.features.add(nn.BatchNorm(), nn.Activation("relu"), nn.GlobalAvgPool2D(), nn.Flatten())
            self.output = nn.Dense(classes, in_units=channels[-1])


# Depth: kind of block, blocks in each stage, channels.
resnet_spec = {18: ("basic_block", [2, 2, 2, 2], [64, 64, 128, 256, 512]),
               34: ("basic_block", [3, 4, 6, 3], [64, 64, 128, 256, 512]),
               50: ("bottle_neck", [3, 4, 6, 3], [64, 256, 512, 1024, 2048]),
               101: ("bottle_neck", [3, 4, 23, 3], [64, 256, 512, 1024, 2048]),
               152: ("bottle_neck", [3, 8, 36, 3], [64, 256, 512, 1024, 2048])}

resnet_net_versions = [ResNetV1, ResNetV2]
resnet_block_versions = [{"basic_block": BasicBlockV1, "bottle_neck": BottleneckV1},
                         {"basic_block": BasicBlockV2, "bottle_neck": BottleneckV2}]


def get_resnet(version, num_layers, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"),  # noqa: B008
               **kwargs):
    """A residual network by its version and depth.

    Parameters
    ----------
    version : {1, 2}
        `ResNetV1` or `ResNetV2`.
    num_layers : {18, 34, 50, 101, 152}
        The depth.
    pretrained : bool
        Whether to load weights that were trained on ImageNet.
    ctx : Context
        Where to put them.
    root : str
        Folder of their file, see `model_store.get_model_file`.
    **kwargs
        See `ResNetV1`.

    Raises
    ------
    AssertionError
        For another version or depth.
    """
    if num_layers not in resnet_spec:
        raise AssertionError(f"get_resnet: num_layers must be one of {list(resnet_spec)}, got {num_layers}")
    if version not in (1, 2):
        raise AssertionError(f"get_resnet: version must be 1 or 2, got {version}")
    kind, layers, channels = resnet_spec[num_layers]
    block = resnet_block_versions[version - 1][kind]
    net = resnet_net_versions[version - 1](block, layers, channels, **kwargs)
    return load_pretrained(net, f"resnet{num_layers}_v{version}", pretrained, ctx, root)


def resnet18_v1(**kwargs):
    """A `ResNetV1` of 18 layers; see `get_resnet`."""
    return get_resnet(1, 18, **kwargs)


def resnet34_v1(**kwargs):
    """A `ResNetV1` of 34 layers; see `get_resnet`."""
    return get_resnet(1, 34, **kwargs)


def resnet50_v1(**kwargs):
    """A `ResNetV1` of 50 layers; see `get_resnet`."""
    return get_resnet(1, 50, **kwargs)


def resnet101_v1(**kwargs):
    """A `ResNetV1` of 101 layers; see `get_resnet`."""
    return get_resnet(1, 101, **kwargs)


def resnet152_v1(**kwargs):
    """A `ResNetV1` of 152 layers; see `get_resnet`."""
    return get_resnet(1, 152, **kwargs)


def resnet18_v2(**kwargs):
    """A `ResNetV2` of 18 layers; see `get_resnet`."""
    return get_resnet(2, 18, **kwargs)


def resnet34_v2(**kwargs):
    """A `ResNetV2` of 34 layers; see `get_resnet`."""
    return get_resnet(2, 34, **kwargs)


def resnet50_v2(**kwargs):
    """A `ResNetV2` of 50 layers; see `get_resnet`."""
    return get_resnet(2, 50, **kwargs)


def resnet101_v2(**kwargs):
    """A `ResNetV2` of 101 layers; see `get_resnet`."""
    return get_resnet(2, 101, **kwargs)


def resnet152_v2(**kwargs):
    """A `ResNetV2` of 152 layers; see `get_resnet`."""
    return get_resnet(2, 152, **kwargs)


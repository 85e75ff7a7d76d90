"""MobileNet, the first and the second version."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ._common import load_pretrained

__all__ = ["MobileNet", "MobileNetV2", "get_mobilenet", "get_mobilenet_v2", "mobilenet0_5", "mobilenet0_25",
           "mobilenet0_75", "mobilenet1_0", "mobilenet_v2_0_5", "mobilenet_v2_0_25", "mobilenet_v2_0_75",
           "mobilenet_v2_1_0"]


class RELU6(HybridBlock):
    """A rectifier that stops at 6."""

    def hybrid_forward(self, F, x):
        return F.clip(x, 0, 6, name="relu6")


def _add_convolution(out, channels, kernel=1, stride=1, padding=0, groups=1, activation=True, relu6=False):
    """Adds a convolution, a batch normalization and a rectifier to a container."""
    out.add(nn.Conv2D(channels, kernel, stride, padding, groups=groups, use_bias=False), nn.BatchNorm())
    if activation:
        out.add(RELU6() if relu6 else nn.Activation("relu"))


class LinearBottleneck(HybridBlock):
    """Widens by `t`, convolves each channel by itself and narrows again, past all of which the input is added.

    Parameters
    ----------
    in_channels, channels : int
        Number of channels that come in and go out.
    t : int
        How many times wider the middle is.
    stride : int
        Stride of the convolution in the middle.
    """

    def __init__(self, in_channels, channels, t, stride, **kwargs):
        super().__init__(**kwargs)
        self.use_shortcut = stride == 1 and in_channels == channels
        with self.name_scope():
            self.out = nn.HybridSequential()
            middle = in_channels * t
            _add_convolution(self.out, middle, relu6=True)
            _add_convolution(self.out, middle, 3, stride, 1, groups=middle, relu6=True)
            _add_convolution(self.out, channels, activation=False)

    def hybrid_forward(self, F, x):
        out = self.out(x)
        return F.elemwise_add(out, x) if self.use_shortcut else out


class MobileNet(HybridBlock):
    """Convolutions in two steps: each channel by itself, then across channels (Howard et al., 2017).

    Images ``(N, 3, 224, 224)`` give ``(N, classes)``.

    Parameters
    ----------
    multiplier : float
        Factor on the number of channels.
    classes : int
        Number of outputs.
    """

    def __init__(self, multiplier=1.0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        widths = [int(c * multiplier) for c in (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)]
        strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            with self.features.name_scope():
                _add_convolution(self.features, widths[0], 3, 2, 1)
                for before, after, stride in zip(widths, widths[1:], strides):
                    _add_convolution(self.features, before, 3, stride, 1, groups=before)
                    _add_convolution(self.features, after)
                self.features.add(nn.GlobalAvgPool2D(), nn.Flatten())
            self.output = nn.Dense(classes)

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


class MobileNetV2(HybridBlock):
    """Narrow layers joined by shortcuts, wide ones between them (Sandler et al., 2018).

    Images ``(N, 3, 224, 224)`` give ``(N, classes)``.

    Parameters
    ----------
    multiplier : float
        Factor on the number of channels.
    classes : int
        Number of outputs.
    """

    # Number of bottlenecks in a stage, their channels and factor, and the stride of the first.
    _stages = ((1, 16, 1, 1), (2, 24, 6, 2), (3, 32, 6, 2), (4, 64, 6, 2), (3, 96, 6, 1), (3, 160, 6, 2),
               (1, 320, 6, 1))

    def __init__(self, multiplier=1.0, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="features_")
            with self.features.name_scope():
                before = int(32 * multiplier)
                _add_convolution(self.features, before, 3, 2, 1, relu6=True)
                for count, channels, t, first_stride in self._stages:
                    after = int(channels * multiplier)
                    for i in range(count):
                        self.features.add(LinearBottleneck(before, after, t, 1 if i else first_stride))
                        before = after
                _add_convolution(self.features, int(1280 * multiplier) if multiplier > 1.0 else 1280, relu6=True)
                self.features.add(nn.GlobalAvgPool2D())
            self.output = nn.HybridSequential(prefix="output_")
            with self.output.name_scope():
                self.output.add(nn.Conv2D(classes, 1, use_bias=False, prefix="pred_"), nn.Flatten())

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def _version(multiplier):
    """The multiplier as it stands in names: 1.0, 0.75, 0.5, 0.25."""
    return f"{multiplier:.2f}".removesuffix("0") if multiplier in (1.0, 0.5) else f"{multiplier:.2f}"


def get_mobilenet(multiplier, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"),  # noqa: B008
                  **kwargs):
    """A `MobileNet` by its `multiplier`; the others as for `alexnet`."""
    return load_pretrained(MobileNet(multiplier, **kwargs), f"mobilenet{_version(multiplier)}", pretrained, ctx, root)


def get_mobilenet_v2(multiplier, pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"),  # noqa: B008
                     **kwargs):
    """A `MobileNetV2` by its `multiplier`; the others as for `alexnet`."""
    return load_pretrained(MobileNetV2(multiplier, **kwargs), f"mobilenetv2_{_version(multiplier)}", pretrained, ctx,
                           root)


def mobilenet1_0(**kwargs):
    """A `MobileNet` with 1.0 times the channels; see `get_mobilenet`."""
    return get_mobilenet(1.0, **kwargs)


def mobilenet_v2_1_0(**kwargs):
    """A `MobileNetV2` with 1.0 times the channels; see `get_mobilenet_v2`."""
    return get_mobilenet_v2(1.0, **kwargs)


def mobilenet0_75(**kwargs):
    """A `MobileNet` with 0.75 times the channels; see `get_mobilenet`."""
    return get_mobilenet(0.75, **kwargs)


def mobilenet_v2_0_75(**kwargs):
    """A `MobileNetV2` with 0.75 times the channels; see `get_mobilenet_v2`."""
    return get_mobilenet_v2(0.75, **kwargs)


def mobilenet0_5(**kwargs):
    """A `MobileNet` with 0.5 times the channels; see `get_mobilenet`."""
    return get_mobilenet(0.5, **kwargs)


def mobilenet_v2_0_5(**kwargs):
    """A `MobileNetV2` with 0.5 times the channels; see `get_mobilenet_v2`."""
    return get_mobilenet_v2(0.5, **kwargs)


def mobilenet0_25(**kwargs):
    """A `MobileNet` with 0.25 times the channels; see `get_mobilenet`."""
    return get_mobilenet(0.25, **kwargs)


def mobilenet_v2_0_25(**kwargs):
    """A `MobileNetV2` with 0.25 times the channels; see `get_mobilenet_v2`."""
    return get_mobilenet_v2(0.25, **kwargs)


"""Convolution, transposed convolution and pooling layers.

Arrays have the batch (N) first; the letter C in a layout is the channels, D, H and W are depth,
height and width. The shapes below are for the channels-first layouts.
"""
import numpy as np

from ..block import HybridBlock
from .activations import Activation

__all__ = [
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalAvgPool3D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPool3D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "ReflectionPad2D",
]

_LAYOUTS = {1: ("NCW", "NWC"), 2: ("NCHW", "NHWC"), 3: ("NCDHW", "NDHWC")}


def _ints(value, ndim, name, layer):
    """`value` as a tuple of `ndim` ints; one number stands for all axes."""
    if isinstance(value, (int, np.integer)):
        return (int(value),) * ndim
    value = tuple(int(i) for i in value)
    if len(value) != ndim:
        raise AssertionError(f"{layer}: {name} must be a number or {ndim} of them, got {value}")
    return value


def _check_layout(layout, ndim, layer):
    if layout not in _LAYOUTS[ndim]:
        raise AssertionError(f"{layer}: layout must be {' or '.join(_LAYOUTS[ndim])}, got {layout!r}")


class _Conv(HybridBlock):
    """What convolutions and transposed convolutions have in common."""

    def __init__(self, channels, kernel_size, strides, padding, dilation, groups, layout, in_channels=0,
                 activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros",
                 op_name="Convolution", adj=None, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        layer = type(self).__name__
        ndim = len(layout) - 2
        with self.name_scope():
            self._channels = channels
            self._in_channels = in_channels
            self._op_name = op_name
            self._transposed = op_name == "Deconvolution"
            self._kwargs = {
                "kernel": kernel_size,
                "stride": _ints(strides, ndim, "strides", layer),
                "dilate": _ints(dilation, ndim, "dilation", layer),
                "pad": _ints(padding, ndim, "padding", layer),
                "num_filter": channels, "num_group": groups, "no_bias": not use_bias, "layout": layout}
            if adj is not None:
                self._kwargs["adj"] = adj
            if (in_channels if self._transposed else channels) % groups or channels % groups:
                raise ValueError(f"{layer}: channels={channels} and in_channels={in_channels} must be multiples of "
                                 f"groups={groups}")
            self.weight = self.params.get("weight", shape=self._weight_shape(in_channels),
                                          init=weight_initializer, allow_deferred_init=True)
            self.bias = None
            if use_bias:
                self.bias = self.params.get("bias", shape=(channels,), init=bias_initializer,
                                            allow_deferred_init=True)
            self.act = None if activation is None else Activation(activation, prefix=activation + "_")

    def _weight_shape(self, in_channels):
        """Shape of the weight; the channel axis sits where the layout has it."""
        groups = self._kwargs["num_group"]
        if self._transposed:
            first, second = in_channels, self._channels // groups
        else:
            first, second = self._channels, in_channels // groups
        kernel = self._kwargs["kernel"]
        if self._kwargs["layout"].endswith("C"):
            return (first, *kernel, second)
        return (first, second, *kernel)

    def infer_shape(self, x, *_):
        self.weight.shape = self._weight_shape(x.shape[self._kwargs["layout"].index("C")])

    def hybrid_forward(self, F, x, weight, bias=None):
        out = getattr(F, self._op_name)(x, weight, bias, name="fwd", **self._kwargs)
        return out if self.act is None else self.act(out)

    def __repr__(self):
        kwargs, ndim = self._kwargs, len(self._kwargs["kernel"])
        outputs, inputs = self.weight.shape[:2]
        inputs = inputs if self._transposed else inputs or None
        parts = [f"{inputs} -> {outputs}", f"kernel_size={kwargs['kernel']}", f"stride={kwargs['stride']}"]
        for key, title, usual in (("pad", "padding", (0,) * ndim), ("dilate", "dilation", (1,) * ndim),
                                  ("num_group", "groups", 1)):
            if kwargs[key] != usual:
                parts.append(f"{title}={kwargs[key]}")
        if self.bias is None:
            parts.append("bias=False")
        if self.act is not None:
            parts.append(str(self.act))
        return f"{type(self).__name__}({', '.join(parts)})"

    def _alias(self):
        return "conv"


class Conv1D(_Conv):
    """Convolution along one axis: ``(N, in_channels, W)`` to ``(N, channels, out_width)``.

    ``out_width = (W + 2 * padding - dilation * (kernel_size - 1) - 1) // strides + 1``

    Parameters
    ----------
    channels : int
        Number of output channels.
    kernel_size, strides, padding, dilation : int or tuple of int
        Window size, step, zeros added at both ends, and distance of the window's taps.
    groups : int
        Number of groups of channels that do not mix.
    layout : {'NCW', 'NWC'}
        Order of the axes.
    activation : str, optional
        Name of an activation function, see `Activation`.
    use_bias : bool
        Whether there is a bias.
    weight_initializer, bias_initializer : Initializer or str
        What they start from.
    in_channels : int
        Number of input channels; 0 is found out at the first batch.
    """

    def __init__(self, channels, kernel_size, strides=1, padding=0, dilation=1, groups=1, layout="NCW",
                 activation=None, use_bias=True, weight_initializer=None, bias_initializer="zeros",
                 in_channels=0, **kwargs):
        _check_layout(layout, 1, "Conv1D")
        super().__init__(channels, _ints(kernel_size, 1, "kernel_size", "Conv1D"), strides, padding, dilation,
                         groups, layout, in_channels, activation, use_bias, weight_initializer,
                         bias_initializer, **kwargs)


class Conv2D(_Conv):
    """Convolution of images: ``(N, in_channels, H, W)`` to ``(N, channels, out_height, out_width)``.

    Parameters are those of `Conv1D` with a number for each of the two axes (or one for both);
    layout is 'NCHW' or 'NHWC'.

    Examples
    --------
    >>> layer = mx.gluon.nn.Conv2D(8, kernel_size=3, padding=1)
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3, 10, 10))).shape
    (2, 8, 10, 10)
    """

    def __init__(self, channels, kernel_size, strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1,
                 layout="NCHW", activation=None, use_bias=True, weight_initializer=None,
                 bias_initializer="zeros", in_channels=0, **kwargs):
        _check_layout(layout, 2, "Conv2D")
        super().__init__(channels, _ints(kernel_size, 2, "kernel_size", "Conv2D"), strides, padding, dilation,
                         groups, layout, in_channels, activation, use_bias, weight_initializer,
                         bias_initializer, **kwargs)


class Conv3D(_Conv):
    """Convolution of volumes: ``(N, in_channels, D, H, W)`` to ``(N, channels, ...)``.

    Parameters are those of `Conv1D` with a number for each of the three axes (or one for all);
    layout is 'NCDHW' or 'NDHWC'.
    """

    def __init__(self, channels, kernel_size, strides=(1, 1, 1), padding=(0, 0, 0), dilation=(1, 1, 1), groups=1,
                 layout="NCDHW", activation=None, use_bias=True, weight_initializer=None,
                 bias_initializer="zeros", in_channels=0, **kwargs):
        _check_layout(layout, 3, "Conv3D")
        super().__init__(channels, _ints(kernel_size, 3, "kernel_size", "Conv3D"), strides, padding, dilation,
                         groups, layout, in_channels, activation, use_bias, weight_initializer,
                         bias_initializer, **kwargs)


class _ConvTranspose(_Conv):
    """A transposed convolution of `ndim` axes."""

    def __init__(self, ndim, channels, kernel_size, strides, padding, output_padding, dilation, groups,
                 layout, *args, **kwargs):
        layer = type(self).__name__
        _check_layout(layout, ndim, layer)
        self.outpad = _ints(output_padding, ndim, "output_padding", layer)
        super().__init__(channels, _ints(kernel_size, ndim, "kernel_size", layer), strides, padding, dilation,
                         groups, layout, *args, op_name="Deconvolution", adj=self.outpad, **kwargs)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution: ``(N, in_channels, W)`` to ``(N, channels, out_width)``.

    ``out_width = (W - 1) * strides - 2 * padding + kernel_size + output_padding``, the width of the
    input that a `Conv1D` with the same numbers maps to `W`.

    Parameters
    ----------
    output_padding : int or tuple of int
        Added to one end of the output, below `strides`.
    others
        See `Conv1D`.
    """

    def __init__(self, channels, kernel_size, strides=1, padding=0, output_padding=0, dilation=1, groups=1,
                 layout="NCW", activation=None, use_bias=True, weight_initializer=None,
                 bias_initializer="zeros", in_channels=0, **kwargs):
        super().__init__(1, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout,
                         in_channels, activation, use_bias, weight_initializer, bias_initializer, **kwargs)


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution of images; see `Conv1DTranspose`.

    Examples
    --------
    >>> layer = mx.gluon.nn.Conv2DTranspose(8, kernel_size=4, strides=2, padding=1)
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3, 5, 5))).shape
    (2, 8, 10, 10)
    """

    def __init__(self, channels, kernel_size, strides=(1, 1), padding=(0, 0), output_padding=(0, 0),
                 dilation=(1, 1), groups=1, layout="NCHW", activation=None, use_bias=True,
                 weight_initializer=None, bias_initializer="zeros", in_channels=0, **kwargs):
        super().__init__(2, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout,
                         in_channels, activation, use_bias, weight_initializer, bias_initializer, **kwargs)


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution of volumes; see `Conv1DTranspose`."""

    def __init__(self, channels, kernel_size, strides=(1, 1, 1), padding=(0, 0, 0), output_padding=(0, 0, 0),
                 dilation=(1, 1, 1), groups=1, layout="NCDHW", activation=None, use_bias=True,
                 weight_initializer=None, bias_initializer="zeros", in_channels=0, **kwargs):
        super().__init__(3, channels, kernel_size, strides, padding, output_padding, dilation, groups, layout,
                         in_channels, activation, use_bias, weight_initializer, bias_initializer, **kwargs)


class _Pooling(HybridBlock):
    """A pooling of ``len(pool_size)`` axes."""

    def __init__(self, pool_size, strides, padding, ceil_mode, global_pool, pool_type, layout,
                 count_include_pad=None, **kwargs):
        super().__init__(**kwargs)
        layer, ndim = type(self).__name__, len(layout) - 2
        self._kwargs = {
            "kernel": pool_size,
            "stride": _ints(pool_size if strides is None else strides, ndim, "strides", layer),
            "pad": _ints(padding, ndim, "padding", layer),
            "global_pool": global_pool, "pool_type": pool_type, "layout": layout,
            "pooling_convention": "full" if ceil_mode else "valid"}
        if count_include_pad is not None:
            self._kwargs["count_include_pad"] = count_include_pad

    def _alias(self):
        return "pool"

    def hybrid_forward(self, F, x):
        return F.Pooling(x, name="fwd", **self._kwargs)

    def __repr__(self):
        kwargs = self._kwargs
        return (f"{type(self).__name__}(size={kwargs['kernel']}, stride={kwargs['stride']}, "
                f"padding={kwargs['pad']}, ceil_mode={kwargs['pooling_convention'] == 'full'}, "
                f"global_pool={kwargs['global_pool']}, pool_type={kwargs['pool_type']}, "
                f"layout={kwargs['layout']})")


def _pool(layer, ndim, pool_size, strides, padding, ceil_mode, pool_type, layout, **kwargs):
    """Starts a pooling layer that has a window."""
    name = type(layer).__name__
    _check_layout(layout, ndim, name)
    _Pooling.__init__(layer, _ints(pool_size, ndim, "pool_size", name), strides, padding, ceil_mode, False,
                      pool_type, layout, **kwargs)


def _global_pool(layer, ndim, pool_type, layout, **kwargs):
    """Starts a pooling layer over all positions."""
    _check_layout(layout, ndim, type(layer).__name__)
    _Pooling.__init__(layer, (1,) * ndim, None, 0, True, True, pool_type, layout, **kwargs)


class MaxPool1D(_Pooling):
    """The largest number of each window: ``(N, C, W)`` to ``(N, C, out_width)``.

    ``out_width = (W + 2 * padding - pool_size) // strides + 1``, rounded up with `ceil_mode`.

    Parameters
    ----------
    pool_size : int or tuple of int
        Size of the window.
    strides : int or tuple of int, optional
        Step of the window; its size by default.
    padding : int or tuple of int
        Positions added at both ends.
    layout : {'NCW', 'NWC'}
        Order of the axes.
    ceil_mode : bool
        Whether a window that only begins inside counts.
    """

    def __init__(self, pool_size=2, strides=None, padding=0, layout="NCW", ceil_mode=False, **kwargs):
        _pool(self, 1, pool_size, strides, padding, ceil_mode, "max", layout, **kwargs)


class MaxPool2D(_Pooling):
    """The largest number of each window: ``(N, C, H, W)`` to ``(N, C, ...)``; see `MaxPool1D`.

    Examples
    --------
    >>> mx.gluon.nn.MaxPool2D(2)(mx.nd.ones((1, 3, 8, 8))).shape
    (1, 3, 4, 4)
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding=0, layout="NCHW", ceil_mode=False, **kwargs):
        _pool(self, 2, pool_size, strides, padding, ceil_mode, "max", layout, **kwargs)


class MaxPool3D(_Pooling):
    """The largest number of each window: ``(N, C, D, H, W)`` to ``(N, C, ...)``; see `MaxPool1D`."""

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding=0, ceil_mode=False, layout="NCDHW", **kwargs):
        _pool(self, 3, pool_size, strides, padding, ceil_mode, "max", layout, **kwargs)


class AvgPool1D(_Pooling):
    """The mean of each window: ``(N, C, W)`` to ``(N, C, out_width)``; see `MaxPool1D`.

    With `count_include_pad` the positions added by `padding` count as zeros in the mean.
    """

    def __init__(self, pool_size=2, strides=None, padding=0, layout="NCW", ceil_mode=False,
                 count_include_pad=True, **kwargs):
        _pool(self, 1, pool_size, strides, padding, ceil_mode, "avg", layout,
              count_include_pad=count_include_pad, **kwargs)


class AvgPool2D(_Pooling):
    """The mean of each window: ``(N, C, H, W)`` to ``(N, C, ...)``; see `AvgPool1D`."""

    def __init__(self, pool_size=(2, 2), strides=None, padding=0, ceil_mode=False, layout="NCHW",
                 count_include_pad=True, **kwargs):
        _pool(self, 2, pool_size, strides, padding, ceil_mode, "avg", layout,
              count_include_pad=count_include_pad, **kwargs)


class AvgPool3D(_Pooling):
    """The mean of each window: ``(N, C, D, H, W)`` to ``(N, C, ...)``; see `AvgPool1D`."""

    def __init__(self, pool_size=(2, 2, 2), strides=None, padding=0, ceil_mode=False, layout="NCDHW",
                 count_include_pad=True, **kwargs):
        _pool(self, 3, pool_size, strides, padding, ceil_mode, "avg", layout,
              count_include_pad=count_include_pad, **kwargs)


class GlobalMaxPool1D(_Pooling):
    """The largest number of each channel: ``(N, C, W)`` to ``(N, C, 1)``."""

    def __init__(self, layout="NCW", **kwargs):
        _global_pool(self, 1, "max", layout, **kwargs)


class GlobalMaxPool2D(_Pooling):
    """The largest number of each channel: ``(N, C, H, W)`` to ``(N, C, 1, 1)``."""

    def __init__(self, layout="NCHW", **kwargs):
        _global_pool(self, 2, "max", layout, **kwargs)


class GlobalMaxPool3D(_Pooling):
    """The largest number of each channel: ``(N, C, D, H, W)`` to ``(N, C, 1, 1, 1)``."""

    def __init__(self, layout="NCDHW", **kwargs):
        _global_pool(self, 3, "max", layout, **kwargs)


class GlobalAvgPool1D(_Pooling):
    """The mean of each channel: ``(N, C, W)`` to ``(N, C, 1)``."""

    def __init__(self, layout="NCW", **kwargs):
        _global_pool(self, 1, "avg", layout, **kwargs)


class GlobalAvgPool2D(_Pooling):
    """The mean of each channel: ``(N, C, H, W)`` to ``(N, C, 1, 1)``."""

    def __init__(self, layout="NCHW", **kwargs):
        _global_pool(self, 2, "avg", layout, **kwargs)


class GlobalAvgPool3D(_Pooling):
    """The mean of each channel: ``(N, C, D, H, W)`` to ``(N, C, 1, 1, 1)``."""

    def __init__(self, layout="NCDHW", **kwargs):
        _global_pool(self, 3, "avg", layout, **kwargs)


class ReflectionPad2D(HybridBlock):
    """Adds a mirror image at the borders: ``(N, C, H, W)`` to ``(N, C, H + top + bottom, W + left + right)``.

    Parameters
    ----------
    padding : int or tuple of 8 int
        Rows and columns on each side, or two numbers for each axis as `nd.pad` takes them.
    """

    def __init__(self, padding=0, **kwargs):
        super().__init__(**kwargs)
        if isinstance(padding, (int, np.integer)):
            padding = (0, 0, 0, 0, padding, padding, padding, padding)
        if len(padding) != 8:
            raise AssertionError(f"ReflectionPad2D: padding must be a number or 8 of them, got {padding}")
        self._padding = padding

    def hybrid_forward(self, F, x):
        return F.pad(x, mode="reflect", pad_width=self._padding)

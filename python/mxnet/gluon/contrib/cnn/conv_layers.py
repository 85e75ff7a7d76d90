"""Convolutions whose taps look at places that another convolution of the same data computes."""
from ...block import HybridBlock
from ...nn.activations import Activation
from ...nn.conv_layers import _ints

__all__ = ["DeformableConvolution", "ModulatedDeformableConvolution"]


class _Deformable(HybridBlock):
    """What both layers have in common."""

    _numbers_per_tap = 2  # that the convolution of the offsets gives
    _order = ("offset", "deformable_conv")  # of the parameters

    def __init__(self, channels, kernel_size=(1, 1), strides=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1,
                 num_deformable_group=1, layout="NCHW", use_bias=True, in_channels=0, activation=None,
                 weight_initializer=None, bias_initializer="zeros", offset_weight_initializer="zeros",
                 offset_bias_initializer="zeros", offset_use_bias=True, op_name=None, adj=None, prefix=None,
                 params=None):
        super().__init__(prefix=prefix, params=params)
        layer = type(self).__name__
        if layout != "NCHW":
            raise ValueError(f"{layer}: layout must be 'NCHW', got {layout!r}")
        if adj is not None:
            raise ValueError(f"{layer}: adj belongs to transposed convolutions, got {adj}")
        self._channels = channels
        self._op_name = op_name or layer
        window = {"kernel": _ints(kernel_size, 2, "kernel_size", layer),
                  "stride": _ints(strides, 2, "strides", layer),
                  "dilate": _ints(dilation, 2, "dilation", layer), "pad": _ints(padding, 2, "padding", layer),
                  "num_group": groups, "layout": layout}
        self._taps = window["kernel"][0] * window["kernel"][1] * num_deformable_group
        self._offset_channels = self._numbers_per_tap * self._taps
        self._kwargs_offset = {**window, "num_filter": self._offset_channels, "no_bias": not offset_use_bias}
        self._kwargs = {**window, "num_filter": channels, "no_bias": not use_bias,
                        "num_deformable_group": num_deformable_group}
        with self.name_scope():
            self._add_parameters(in_channels, {
                "offset": (self._offset_channels, offset_use_bias, offset_weight_initializer,
                           offset_bias_initializer),
                "deformable_conv": (channels, use_bias, weight_initializer, bias_initializer)})
            self.act = None if activation is None else Activation(activation, prefix=activation + "_")

    def _add_parameters(self, in_channels, made):
        for name in self._order:
            filters, use_bias, weight_initializer, bias_initializer = made[name]
            setattr(self, f"{name}_weight", self.params.get(
                f"{name}_weight", shape=self._weight_shape(filters, in_channels), init=weight_initializer,
                allow_deferred_init=True))
            bias = None
            if use_bias:
                bias = self.params.get(f"{name}_bias", shape=(filters,), init=bias_initializer,
                                       allow_deferred_init=True)
            setattr(self, f"{name}_bias", bias)

    def _weight_shape(self, filters, in_channels):
        return (filters, in_channels // self._kwargs["num_group"], *self._kwargs["kernel"])

    def infer_shape(self, x, *_):
        self.offset_weight.shape = self._weight_shape(self._offset_channels, x.shape[1])
        self.deformable_conv_weight.shape = self._weight_shape(self._channels, x.shape[1])

    def _activated(self, out):
        return out if self.act is None else self.act(out)

    def __repr__(self):
        kwargs = self._kwargs
        inputs = self.deformable_conv_weight.shape[1] * kwargs["num_group"] or None
        parts = [f"{inputs} -> {self._channels}", f"kernel_size={kwargs['kernel']}", f"stride={kwargs['stride']}"]
        for key, title, usual in (("pad", "padding", (0, 0)), ("dilate", "dilation", (1, 1)),
                                  ("num_group", "groups", 1)):
            if kwargs[key] != usual:
                parts.append(f"{title}={kwargs[key]}")
        if self.deformable_conv_bias is None:
            parts.append("bias=False")
        if self.act is not None:
            parts.append(str(self.act))
        return f"{type(self).__name__}({', '.join(parts)})"


class DeformableConvolution(_Deformable):
    """Convolution whose taps look at places moved by offsets, which a convolution of the data gives (Dai et al.,
    2017): ``(N, in_channels, H, W)`` to ``(N, channels, out_height, out_width)``.

    Parameters
    ----------
    channels : int
        Number of output channels.
    kernel_size, strides, padding, dilation : int or tuple of int
        The window, of both convolutions.
    groups : int
        Number of groups the channels are split into, by both convolutions.
    num_deformable_group : int
        Number of groups of channels, each with offsets of its own.
    layout : str
        Only ``'NCHW'``.
    use_bias, offset_use_bias : bool
        Whether the convolution, and that of the offsets, has a bias.
    in_channels : int
        Number of input channels; 0 is found out at the first batch.
    activation : str, optional
        What is applied to the result.
    weight_initializer, bias_initializer, offset_weight_initializer, offset_bias_initializer : Initializer or str
        What the parameters start from. Offsets that start from zero make it an ordinary convolution.
    op_name : str, optional
        Operator of `contrib` to use.
    adj : None
        Has no meaning here.

    Examples
    --------
    >>> layer = mx.gluon.contrib.cnn.DeformableConvolution(8, kernel_size=(3, 3), padding=(1, 1))
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3, 6, 6))).shape
    (2, 8, 6, 6)
    """

    def hybrid_forward(self, F, x, offset_weight, deformable_conv_weight, offset_bias=None,
                       deformable_conv_bias=None):
        offset = F.Convolution(x, offset_weight, offset_bias, **self._kwargs_offset)
        op = getattr(F.contrib, self._op_name)
        return self._activated(op(x, offset, deformable_conv_weight, deformable_conv_bias, **self._kwargs))

    def _alias(self):
        return "deformable_conv"


class ModulatedDeformableConvolution(_Deformable):
    """`DeformableConvolution` in which each tap has a weight from 0 to 2 as well, also computed from the data (Zhu et
    al., 2019). The parameters are the same.

    Examples
    --------
    >>> layer = mx.gluon.contrib.cnn.ModulatedDeformableConvolution(8, kernel_size=(3, 3), padding=(1, 1))
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3, 6, 6))).shape
    (2, 8, 6, 6)
    """

    _numbers_per_tap = 3
    _order = ("deformable_conv", "offset")

    def hybrid_forward(self, F, x, deformable_conv_weight, offset_weight, deformable_conv_bias=None,
                       offset_bias=None):
        both = F.Convolution(x, offset_weight, offset_bias, **self._kwargs_offset)
        offset = F.slice_axis(both, axis=1, begin=0, end=2 * self._taps)
        mask = 2 * F.sigmoid(F.slice_axis(both, axis=1, begin=2 * self._taps, end=None))
        op = getattr(F.contrib, self._op_name)
        return self._activated(op(x, offset, mask, deformable_conv_weight, deformable_conv_bias, **self._kwargs))

    def _alias(self):
        return "modulated_deformable_conv"

"""Cells whose gates are convolutions."""
from .. import symbol
from .base_cell import BaseRNNCell, gru_step, lstm_step

__all__ = ["BaseConvRNNCell", "ConvGRUCell", "ConvLSTMCell", "ConvRNNCell"]


class BaseConvRNNCell(BaseRNNCell):
    """A cell whose gates are convolutions.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one input without the batch's size ahead: (0 or N, C, H, W) or as `conv_layout` says.
    num_hidden : int
        Channels of the state.
    h2h_kernel, h2h_dilate : tuple of int
        Kernel (odd) and dilation on the state, whose size stays.
    i2h_kernel, i2h_stride, i2h_pad, i2h_dilate : tuple of int
        Those on the input.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer
        Initializers of the weights.
    activation : str or callable
        The nonlinearity.
    conv_layout : str
        Order of the axes.
    """

    def __init__(self, input_shape, num_hidden, h2h_kernel, h2h_dilate, i2h_kernel, i2h_stride, i2h_pad, i2h_dilate,
                 i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer,
                 activation, prefix="", params=None, conv_layout="NCHW"):
        super().__init__(prefix=prefix, params=params)
        if any(size % 2 == 0 for size in h2h_kernel):
            raise AssertionError(f"Only support odd numbers, got h2h_kernel= {h2h_kernel}")
        self._num_hidden, self._activation = num_hidden, activation
        self._h2h = {"kernel": h2h_kernel, "dilate": h2h_dilate, "stride": (1,) * len(h2h_kernel),
                     "pad": tuple(d * (k - 1) // 2 for k, d in zip(h2h_kernel, h2h_dilate)), "layout": conv_layout}
        self._i2h = {"kernel": i2h_kernel, "dilate": i2h_dilate, "stride": i2h_stride, "pad": i2h_pad,
                     "layout": conv_layout}
        data = symbol.Variable("data")
        conv = symbol.Convolution(data=data, num_filter=num_hidden, **self._i2h)
        self._state_shape = (0, *conv.infer_shape(data=(1, *input_shape[1:]))[1][0][1:])
        self._conv_layout = conv_layout
        self._iW = self.params.get("i2h_weight", init=i2h_weight_initializer)
        self._hW = self.params.get("h2h_weight", init=h2h_weight_initializer)
        self._iB = self.params.get("i2h_bias", init=i2h_bias_initializer)
        self._hB = self.params.get("h2h_bias", init=h2h_bias_initializer)

    _num_states = 1

    @property
    def state_info(self):
        return [{"shape": self._state_shape, "__layout__": self._conv_layout}] * self._num_states

    def _gates(self, inputs, states, name):
        channels = self._num_hidden * len(self._gate_names)
        return (symbol.Convolution(inputs, self._iW, self._iB, num_filter=channels, name=f"{name}i2h", **self._i2h),
                symbol.Convolution(states[0], self._hW, self._hB, num_filter=channels, name=f"{name}h2h", **self._h2h))


def _leaky(inputs, **kwargs):
    return symbol.LeakyReLU(inputs, act_type="leaky", slope=0.2, **kwargs)


class _Conv2DCell(BaseConvRNNCell):
    """The usual defaults for images."""

    def __init__(self, input_shape, num_hidden, h2h_kernel=(3, 3), h2h_dilate=(1, 1), i2h_kernel=(3, 3),
                 i2h_stride=(1, 1), i2h_pad=(1, 1), i2h_dilate=(1, 1), i2h_weight_initializer=None,
                 h2h_weight_initializer=None, i2h_bias_initializer="zeros", h2h_bias_initializer="zeros",
                 activation=_leaky, prefix=None, params=None, conv_layout="NCHW"):
        super().__init__(input_shape, num_hidden, h2h_kernel, h2h_dilate, i2h_kernel, i2h_stride, i2h_pad, i2h_dilate,
                         i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer,
                         activation, self._default_prefix if prefix is None else prefix, params, conv_layout)


class ConvRNNCell(_Conv2DCell):
    """h' = activation(W_i * x + W_h * h), with convolutions; see `BaseConvRNNCell`."""

    _default_prefix = "ConvRNN_"
    _gate_names = ("",)

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states, name)
        output = self._activate(i2h + h2h, self._activation, name=f"{name}out")
        return output, [output]


class ConvLSTMCell(_Conv2DCell):
    """Convolutional LSTM (Shi et al., 2015); see `BaseConvRNNCell`."""

    _default_prefix = "ConvLSTM_"
    _gate_names = ("_i", "_f", "_c", "_o")
    _num_states = 2

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states, name)
        output, cell = lstm_step(i2h + h2h, states[1], self._activation, name, self._activate)
        return output, [output, cell]


class ConvGRUCell(_Conv2DCell):
    """Convolutional GRU (Ballas et al., 2015); see `BaseConvRNNCell`."""

    _default_prefix = "ConvGRU_"
    _gate_names = ("_r", "_z", "_o")

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states, name)
        output = gru_step(i2h, h2h, states[0], self._activation, name, self._activate)
        return output, [output]

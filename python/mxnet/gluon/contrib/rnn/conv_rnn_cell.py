"""Recurrent cells whose products are convolutions (Shi et al., Convolutional LSTM Network, 2015)."""
from ...rnn.rnn_cell import HybridRecurrentCell

__all__ = [
    "Conv1DGRUCell",
    "Conv1DLSTMCell",
    "Conv1DRNNCell",
    "Conv2DGRUCell",
    "Conv2DLSTMCell",
    "Conv2DRNNCell",
    "Conv3DGRUCell",
    "Conv3DLSTMCell",
    "Conv3DRNNCell",
]


def _tuple(value, dims):
    return (value,) * dims if isinstance(value, int) else tuple(value)


class _BaseConvRNNCell(HybridRecurrentCell):
    """One convolution of the inputs and one of the state for all gates.

    The state has the spatial extents that the convolution of the inputs gives; that of the state keeps
    them, so its kernel must be odd.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of an input without the batch, in the order of `conv_layout`.
    hidden_channels : int
        Channels of the state and output.
    i2h_kernel, h2h_kernel : int or tuple of int
        Extents of the kernels.
    i2h_pad, i2h_dilate, h2h_dilate : int or tuple of int
        Border of the inputs, and steps between the elements of the kernels.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.
    conv_layout : str, optional
        Order of the axes, by default channels first: NCW, NCHW or NCDHW.
    activation : str or Block
        The function of new content.
    prefix, params
        See `Block`.
    """

    _dims = None
    _gate_names = ("",)

    def __init__(self, input_shape, hidden_channels, i2h_kernel, h2h_kernel, i2h_pad=0, i2h_dilate=1, h2h_dilate=1,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", conv_layout=None, activation="tanh", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._layout, self._activation = conv_layout or "NC" + "DHW"[-self._dims:], activation
        self._input_shape, self._channel_axis = tuple(input_shape), self._layout.find("C")
        self._i2h, self._h2h = {}, {}
        for options, kernel, dilate in ((self._i2h, i2h_kernel, i2h_dilate), (self._h2h, h2h_kernel, h2h_dilate)):
            options.update(kernel=_tuple(kernel, self._dims), stride=(1,) * self._dims,
                           dilate=_tuple(dilate, self._dims), layout=self._layout,
                           num_filter=hidden_channels * len(self._gate_names))
        if any(k % 2 == 0 for k in self._h2h["kernel"]):
            raise AssertionError(f"{type(self).__name__}: h2h_kernel is {h2h_kernel}, expected odd numbers")
        self._i2h["pad"] = _tuple(i2h_pad, self._dims)
        self._h2h["pad"] = tuple(d * (k - 1) // 2 for d, k in zip(self._h2h["dilate"], self._h2h["kernel"]))
        self._state_shape = self._state_shape_of(hidden_channels)
        for name, options, channels, init in (
                ("i2h_weight", self._i2h, input_shape[self._channel_axis - 1], i2h_weight_initializer),
                ("h2h_weight", self._h2h, hidden_channels, h2h_weight_initializer),
                ("i2h_bias", self._i2h, None, i2h_bias_initializer),
                ("h2h_bias", self._h2h, None, h2h_bias_initializer)):
            shape = [] if channels is None else list(options["kernel"])
            if channels is not None:
                shape.insert(self._channel_axis - 1, channels)
            setattr(self, name, self.params.get(name, shape=(options["num_filter"], *shape), init=init,
                                                allow_deferred_init=True))

    def _state_shape_of(self, channels):
        at = self._channel_axis - 1
        spatial = self._input_shape[:at] + self._input_shape[at + 1:]
        shape = [extent + 2 * pad - dilate * (kernel - 1) for extent, pad, dilate, kernel
                 in zip(spatial, self._i2h["pad"], self._i2h["dilate"], self._i2h["kernel"])]
        shape.insert(at, channels)
        return tuple(shape)

    def __repr__(self):
        rows, *weight = self.i2h_weight.shape
        return (f"{type(self).__name__}({weight[self._channel_axis - 1]} -> {rows}, {self._activation}, "
                f"{self._layout})")

    def _alias(self):
        return f"conv_{self._kind}"

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, *self._state_shape), "__layout__": self._layout}
                for _ in range(2 if self._kind == "lstm" else 1)]

    def _convolve(self, F, inputs, state, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        return (F.Convolution(inputs, i2h_weight, i2h_bias, name=at + "i2h", **self._i2h),
                F.Convolution(state, h2h_weight, h2h_bias, name=at + "h2h", **self._h2h))

    def _gates_of(self, F, x, name):
        return F.SliceChannel(x, num_outputs=len(self._gate_names), axis=self._channel_axis,
                              name=self._step_prefix + name)

    def _activate(self, F, x, name=None):
        named = {"name": self._step_prefix + name} if name and isinstance(self._activation, str) else {}
        return self._get_activation(F, x, self._activation, **named)


class _ConvRNNCell(_BaseConvRNNCell):
    _kind = "rnn"

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        i2h, h2h = self._convolve(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        output = self._activate(F, F.elemwise_add(i2h, h2h), "out")
        return output, [output]


class _ConvLSTMCell(_BaseConvRNNCell):
    _kind = "lstm"
    _gate_names = ("i", "f", "c", "o")

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        i2h, h2h = self._convolve(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        gates = self._gates_of(F, F.elemwise_add(i2h, h2h), "slice")
        i, f, o = (F.Activation(gates[k], act_type="sigmoid", name=at + letter)
                   for k, letter in ((0, "i"), (1, "f"), (3, "o")))
        c = F.elemwise_add(F.elemwise_mul(f, states[1]), F.elemwise_mul(i, self._activate(F, gates[2], "c")),
                           name=at + "state")
        h = F.elemwise_mul(o, self._activate(F, c), name=at + "out")
        return h, [h, c]


class _ConvGRUCell(_BaseConvRNNCell):
    _kind = "gru"
    _gate_names = ("r", "z", "n")

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        i2h, h2h = self._convolve(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        i2h, h2h = self._gates_of(F, i2h, "i2h_slice"), self._gates_of(F, h2h, "h2h_slice")
        r, z = (F.Activation(F.elemwise_add(i2h[k], h2h[k]), act_type="sigmoid", name=at + letter + "_act")
                for k, letter in ((0, "r"), (1, "z")))
        n = self._activate(F, F.elemwise_add(i2h[2], F.elemwise_mul(r, h2h[2])), "h_act")
        h = F.elemwise_add(F.elemwise_mul(1.0 - z, n), F.elemwise_mul(z, states[0]), name=at + "out")
        return h, [h]


class Conv1DRNNCell(_ConvRNNCell):
    """A vanilla recurrent cell that convolves sequences: ``h' = activation(W * x + b + R * h + c)``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv1DRNNCell((3, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8)
    """

    _dims = 1


class Conv1DLSTMCell(_ConvLSTMCell):
    """A long short-term memory cell that convolves sequences: ``c' = f c + i g``, ``h' = o activation(c')``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv1DLSTMCell((3, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8)
    """

    _dims = 1


class Conv1DGRUCell(_ConvGRUCell):
    """A gated recurrent unit that convolves sequences: ``h' = (1 - z) n + z h``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv1DGRUCell((3, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8)
    """

    _dims = 1


class Conv2DRNNCell(_ConvRNNCell):
    """A vanilla recurrent cell that convolves images: ``h' = activation(W * x + b + R * h + c)``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv2DRNNCell((3, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8)
    """

    _dims = 2


class Conv2DLSTMCell(_ConvLSTMCell):
    """A long short-term memory cell that convolves images: ``c' = f c + i g``, ``h' = o activation(c')``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv2DLSTMCell((3, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8)
    """

    _dims = 2


class Conv2DGRUCell(_ConvGRUCell):
    """A gated recurrent unit that convolves images: ``h' = (1 - z) n + z h``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv2DGRUCell((3, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8)
    """

    _dims = 2


class Conv3DRNNCell(_ConvRNNCell):
    """A vanilla recurrent cell that convolves volumes: ``h' = activation(W * x + b + R * h + c)``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv3DRNNCell((3, 8, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8, 8)
    """

    _dims = 3


class Conv3DLSTMCell(_ConvLSTMCell):
    """A long short-term memory cell that convolves volumes: ``c' = f c + i g``, ``h' = o activation(c')``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv3DLSTMCell((3, 8, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8, 8)
    """

    _dims = 3


class Conv3DGRUCell(_ConvGRUCell):
    """A gated recurrent unit that convolves volumes: ``h' = (1 - z) n + z h``.

    Parameters and shapes are described at `_BaseConvRNNCell`.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.Conv3DGRUCell((3, 8, 8, 8), 4, i2h_kernel=3, h2h_kernel=3, i2h_pad=1)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 3, 8, 8, 8)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 4, 8, 8, 8)
    """

    _dims = 3

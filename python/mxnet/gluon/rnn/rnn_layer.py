"""Layers that run recurrent networks over whole sequences in one operator."""
import re

from ... import error, ndarray
from ...autograd import is_recording
from ...ndarray import NDArray
from ..block import HybridBlock
from . import rnn_cell
from .sequence import operators_for

__all__ = ["RNN", "LSTM", "GRU"]


class _RNNLayer(HybridBlock):
    """What the layers have in common: parameters of each layer and direction, states, layouts."""

    def __init__(self, hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
                 h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, mode, projection_size,
                 h2r_weight_initializer, lstm_state_clip_min, lstm_state_clip_max, lstm_state_clip_nan, dtype,
                 use_sequence_length=False, **kwargs):
        super().__init__(**kwargs)
        if layout not in ("TNC", "NTC"):
            raise AssertionError(f"{type(self).__name__}: layout is {layout!r}, expected 'TNC' or 'NTC'")
        self._hidden_size, self._num_layers, self._projection_size = hidden_size, num_layers, projection_size
        self._mode, self._layout, self._dropout, self._dir = mode, layout, dropout, 1 + bool(bidirectional)
        self._input_size, self._dtype, self._use_sequence_length = input_size, dtype, use_sequence_length
        self._gates = {"rnn_relu": 1, "rnn_tanh": 1, "lstm": 4, "gru": 3}[mode]
        self._lstm_state_clip_min, self._lstm_state_clip_max = lstm_state_clip_min, lstm_state_clip_max
        self._lstm_state_clip_nan = lstm_state_clip_nan
        self._initializers = {"i2h_weight": i2h_weight_initializer, "h2h_weight": h2h_weight_initializer,
                              "i2h_bias": i2h_bias_initializer, "h2h_bias": h2h_bias_initializer}
        if projection_size:
            self._initializers["h2r_weight"] = h2r_weight_initializer
        for layer in range(num_layers):
            for direction in "lr"[:self._dir]:
                for kind, init in self._initializers.items():
                    name = f"{direction}{layer}_{kind}"
                    setattr(self, name, self.params.get(name, shape=self._shape_of(layer, kind), init=init,
                                                        allow_deferred_init=True, dtype=dtype))

    def _shape_of(self, layer, kind):
        """Shape of a parameter of a layer, 0 where it waits for the inputs."""
        state = self._projection_size or self._hidden_size
        rows = self._gates * self._hidden_size
        return {"i2h_weight": (rows, self._input_size if layer == 0 else state * self._dir),
                "h2h_weight": (rows, state), "h2r_weight": (self._projection_size, self._hidden_size),
                "i2h_bias": (rows,), "h2h_bias": (rows,)}[kind]

    def __repr__(self):
        details = [f"{self._input_size or None} -> {self._hidden_size}", self._layout]
        if self._num_layers != 1:
            details.append(f"num_layers={self._num_layers}")
        if self._dropout:
            details.append(f"dropout={self._dropout}")
        if self._dir == 2:
            details.append("bidirectional")
        return f"{type(self).__name__}({', '.join(details)})"

    def _collect_params_with_prefix(self, prefix=""):
        """Names in files are those of a stack of cells, so that both can read what the other wrote."""
        if prefix:
            prefix += "."
        found = {}
        for name, param in self._reg_params.items():
            direction, layer, kind = re.fullmatch(r"(l|r)(\d+)_(\w+)", name).groups()
            cell = f"{direction}_cell." if self._dir == 2 else ""
            found[f"{prefix}_unfused.{layer}.{cell}{kind}"] = param
        return found

    def state_info(self, batch_size=0):
        """Shapes and layouts of the states: a list of dicts."""
        raise NotImplementedError(f"{type(self).__name__} must override state_info")

    def cast(self, dtype):
        """Changes the element type of the parameters, and of the states that the layer begins with."""
        super().cast(dtype)
        self._dtype = dtype

    def begin_state(self, batch_size=0, func=ndarray.zeros, **kwargs):
        """The states before the first step.

        Parameters
        ----------
        batch_size : int
            Number of sequences.
        func : function
            Makes each array, from ``shape`` and further keywords.
        **kwargs
            Further arguments of `func`, e.g. ``ctx``.

        Returns
        -------
        list of NDArray
            ``[h]``, for an LSTM ``[h, c]``, each ``(num_layers * directions, batch_size, size)``.
        """
        return [func(name=f"{self.prefix}h0_{i}", **{**info, **kwargs})
                for i, info in enumerate(self.state_info(batch_size))]

    def _unfuse(self):
        """The same network as a stack of cells that share the parameters."""
        if self._projection_size:
            raise AssertionError(f"{type(self).__name__}: a layer with projection_size cannot be unfused")
        cells = {"rnn_relu": lambda **kw: rnn_cell.RNNCell(self._hidden_size, activation="relu", **kw),
                 "rnn_tanh": lambda **kw: rnn_cell.RNNCell(self._hidden_size, activation="tanh", **kw),
                 "lstm": lambda **kw: rnn_cell.LSTMCell(self._hidden_size, **kw),
                 "gru": lambda **kw: rnn_cell.GRUCell(self._hidden_size, **kw)}
        inits = {f"{kind}_initializer": init for kind, init in self._initializers.items()}
        stack = rnn_cell.HybridSequentialRNNCell(prefix=self.prefix, params=self.params)
        with stack.name_scope():
            inputs = self._input_size
            for layer in range(self._num_layers):
                made = [cells[self._mode](prefix=f"{direction}{layer}_", input_size=inputs, **inits)
                        for direction in "lr"[:self._dir]]
                stack.add(made[0] if self._dir == 1 else rnn_cell.BidirectionalCell(*made))
                if self._dropout > 0 and layer < self._num_layers - 1:
                    stack.add(rnn_cell.DropoutCell(self._dropout))
                inputs = self._hidden_size * self._dir
        return stack

    def infer_shape(self, inputs, *args):
        """Sets the shapes of the first layer's weights from inputs ``(.., .., input_size)``."""
        if len(inputs.shape) != 3:
            raise error.ValueError(f"{type(self).__name__}: inputs have shape {inputs.shape}, expected 3 axes, "
                                   f"{self._layout}")
        self._input_size = inputs.shape[2]
        for direction in "lr"[:self._dir]:
            getattr(self, f"{direction}0_i2h_weight").shape = self._shape_of(0, "i2h_weight")

    def __call__(self, inputs, states=None, sequence_length=None, **kwargs):
        """Runs the sequences through the layer.

        Parameters
        ----------
        inputs : NDArray
            ``(time, batch, input_size)``, or ``(batch, time, input_size)`` for layout NTC.
        states : NDArray or list of NDArray, optional
            What to begin with, see `begin_state`; zeros by default.
        sequence_length : NDArray, optional
            With ``use_sequence_length=True``, the length of each sequence ``(batch,)``.

        Returns
        -------
        NDArray, or (NDArray, list of NDArray)
            The outputs in the layout of the inputs, their last axis ``size * directions``; with
            `states` given the last states too.
        """
        without_states = states is None
        if without_states:
            if isinstance(inputs, NDArray):
                states = self.begin_state(inputs.shape[self._layout.find("N")], ctx=inputs.context,
                                          dtype=inputs.dtype)
            else:
                states = self.begin_state(0, func=operators_for(inputs).zeros, dtype=self._dtype)
        elif not isinstance(states, (list, tuple)):
            states = [states]
        if self._input_size == 0 and isinstance(inputs, NDArray):
            self.infer_shape(inputs)
            for param in self._reg_params.values():
                param._finish_deferred_init()
        if isinstance(inputs, NDArray):
            self._check(inputs, states, sequence_length)
        lengths = (sequence_length,) if self._use_sequence_length else ()
        outputs, states = super().__call__(inputs, list(states), *lengths, **kwargs)
        return outputs if without_states else (outputs, states)

    def _eager(self, x, *args):
        # Where no gradient is wanted a program is faster than operators: it packs the parameters when they were
        # written and not at each call.
        own = type(self).hybrid_forward is _RNNLayer.hybrid_forward
        if own and isinstance(x, NDArray) and not is_recording():
            return self._call_cached_op(x, *args)
        return super()._eager(x, *args)

    def hybrid_forward(self, F, inputs, states, sequence_length=None, **params):
        """Outputs and last states."""
        if self._layout == "NTC":
            inputs = F.swapaxes(inputs, dim1=0, dim2=1)
        weights = [F.reshape(params[name], shape=(-1,)) for name in params if name.endswith("weight")]
        biases = [F.reshape(params[name], shape=(-1,)) for name in params if name.endswith("bias")]
        packed = F._internal._rnn_param_concat(*weights, *biases, dim=0)
        arrays = [inputs, packed, *states]
        keywords = {"sequence_length": sequence_length} if self._use_sequence_length else {}
        out = F.RNN(*arrays, **keywords, state_size=self._hidden_size, projection_size=self._projection_size,
                    num_layers=self._num_layers, bidirectional=self._dir == 2, p=self._dropout, state_outputs=True,
                    mode=self._mode, lstm_state_clip_min=self._lstm_state_clip_min,
                    lstm_state_clip_max=self._lstm_state_clip_max, lstm_state_clip_nan=self._lstm_state_clip_nan,
                    use_sequence_length=self._use_sequence_length)
        outputs, states = out[0], list(out[1:1 + len(states)])
        if self._layout == "NTC":
            outputs = F.swapaxes(outputs, dim1=0, dim2=1)
        return outputs, states

    def _check(self, inputs, states, sequence_length):
        if self._use_sequence_length and sequence_length is None:
            raise error.TypeError(f"{type(self).__name__}: use_sequence_length=True needs sequence_length")
        if len(inputs.shape) != 3 or inputs.shape[2] != self._input_size:
            raise error.ValueError(f"{type(self).__name__}: inputs have shape {inputs.shape}, expected {self._layout} "
                                   f"with {self._input_size} numbers at each step, since i2h_weight has shape "
                                   f"{self._shape_of(0, 'i2h_weight')}")
        wanted = self.state_info(inputs.shape[self._layout.find("N")])
        if [state.shape for state in states] != [info["shape"] for info in wanted]:
            raise error.ValueError(f"{type(self).__name__}: states have shapes {[state.shape for state in states]}, "
                                   f"expected {[info['shape'] for info in wanted]}")


class RNN(_RNNLayer):
    """Layers of vanilla recurrent cells, ``h' = f(W x + b + R h + c)`` (Elman, Finding Structure in Time, 1990).

    Parameters
    ----------
    hidden_size : int
        Size of the hidden state.
    num_layers : int
        Number of layers.
    activation : str
        The function f, 'relu' or 'tanh'.
    layout : str
        'TNC' for inputs ``(time, batch, input_size)``, 'NTC' for ``(batch, time, input_size)``.
    dropout : float
        In training, fraction of the outputs of each layer but the last that become zero.
    bidirectional : bool
        Whether each layer also runs from the end to the start; the outputs of both are joined.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.
    input_size : int
        Size of the inputs; 0 is found out at the first batch.
    dtype : str or numpy type
        Element type of the parameters.
    use_sequence_length : bool
        Whether the lengths of the sequences are given at each call; outputs behind them are zero, and
        states are those at the end of each sequence.

    Examples
    --------
    >>> layer = mx.gluon.rnn.RNN(100, num_layers=3)
    >>> layer.initialize()
    >>> x = mx.nd.random.uniform(shape=(5, 3, 10))
    >>> layer(x).shape
    (5, 3, 100)
    >>> out, states = layer(x, layer.begin_state(batch_size=3))
    >>> states[0].shape
    (3, 3, 100)
    """

    def __init__(self, hidden_size, num_layers=1, activation="relu", layout="TNC", dropout=0, bidirectional=False,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", input_size=0, dtype="float32", **kwargs):
        if activation not in ("relu", "tanh"):
            raise KeyError(f"RNN: activation is {activation!r}, expected 'relu' or 'tanh'")
        super().__init__(hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
                         h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, "rnn_" + activation,
                         None, None, None, None, False, dtype, **kwargs)

    def state_info(self, batch_size=0):
        return [{"shape": (self._num_layers * self._dir, batch_size, self._hidden_size), "__layout__": "LNC",
                 "dtype": self._dtype}]


class LSTM(_RNNLayer):
    """Layers of long short-term memory cells (Hochreiter and Schmidhuber, 1997).

    With the input, forget and output gates i, f, o and the new content g, all functions of input and
    hidden state: ``c' = f c + i g``, ``h' = o tanh(c')``.

    Parameters
    ----------
    hidden_size : int
        Size of the cell state, and of the hidden state unless there is a projection.
    num_layers : int
        Number of layers.
    layout, dropout, bidirectional, input_size, dtype, use_sequence_length
        As in `RNN`.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.
    projection_size : int, optional
        Size of the hidden state after a projection ``r = P h`` (Sak et al., 2014).
    h2r_weight_initializer : Initializer or str
        What the projection starts from.
    state_clip_min, state_clip_max : float, optional
        Bounds of the cell state.
    state_clip_nan : bool
        Whether the bounds take the place of NaN too.

    Examples
    --------
    >>> layer = mx.gluon.rnn.LSTM(100, num_layers=3)
    >>> layer.initialize()
    >>> x = mx.nd.random.uniform(shape=(5, 3, 10))
    >>> out, (h, c) = layer(x, layer.begin_state(batch_size=3))
    >>> out.shape, h.shape, c.shape
    ((5, 3, 100), (3, 3, 100), (3, 3, 100))
    """

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0, bidirectional=False, input_size=0,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", projection_size=None, h2r_weight_initializer=None, state_clip_min=None,
                 state_clip_max=None, state_clip_nan=False, dtype="float32", **kwargs):
        super().__init__(hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
                         h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, "lstm", projection_size,
                         h2r_weight_initializer, state_clip_min, state_clip_max, state_clip_nan, dtype, **kwargs)

    def state_info(self, batch_size=0):
        count = self._num_layers * self._dir
        return [{"shape": (count, batch_size, size), "__layout__": "LNC", "dtype": self._dtype}
                for size in (self._projection_size or self._hidden_size, self._hidden_size)]


class GRU(_RNNLayer):
    """Layers of gated recurrent units (Cho et al., 2014).

    With the reset and update gates r, z, functions of input and hidden state:
    ``n = tanh(W x + b + r (R h + c))``, ``h' = (1 - z) n + z h``.

    Parameters
    ----------
    hidden_size : int
        Size of the hidden state.
    num_layers : int
        Number of layers.
    layout, dropout, bidirectional, input_size, dtype, use_sequence_length
        As in `RNN`.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.

    Examples
    --------
    >>> layer = mx.gluon.rnn.GRU(100, bidirectional=True, layout="NTC")
    >>> layer.initialize()
    >>> layer(mx.nd.random.uniform(shape=(3, 5, 10))).shape
    (3, 5, 200)
    """

    def __init__(self, hidden_size, num_layers=1, layout="TNC", dropout=0, bidirectional=False, input_size=0,
                 i2h_weight_initializer=None, h2h_weight_initializer=None, i2h_bias_initializer="zeros",
                 h2h_bias_initializer="zeros", dtype="float32", **kwargs):
        super().__init__(hidden_size, num_layers, layout, dropout, bidirectional, input_size, i2h_weight_initializer,
                         h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer, "gru", None, None, None,
                         None, False, dtype, **kwargs)

    def state_info(self, batch_size=0):
        return [{"shape": (self._num_layers * self._dir, batch_size, self._hidden_size), "__layout__": "LNC",
                 "dtype": self._dtype}]

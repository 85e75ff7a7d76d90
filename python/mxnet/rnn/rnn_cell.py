"""Recurrent cells of symbols: called with the input of one step and the states, or unrolled over many steps."""
from .. import initializer, ndarray, symbol
from .base_cell import BaseRNNCell, RNNParams, as_steps, gru_step, lstm_step
from .conv_cell import BaseConvRNNCell, ConvGRUCell, ConvLSTMCell, ConvRNNCell

__all__ = ["BaseConvRNNCell", "BaseRNNCell", "BidirectionalCell", "ConvGRUCell", "ConvLSTMCell", "ConvRNNCell",
           "DropoutCell", "FusedRNNCell", "GRUCell", "LSTMCell", "ModifierCell", "RNNCell", "RNNParams",
           "ResidualCell", "SequentialRNNCell", "ZoneoutCell"]


class _DenseCell(BaseRNNCell):
    """A cell whose gates are dense layers of the input and of the hidden state."""

    def __init__(self, num_hidden, prefix, params, **bias):
        super().__init__(prefix, params)
        self._num_hidden = num_hidden
        self._iW = self.params.get("i2h_weight")
        self._iB = self.params.get("i2h_bias", **bias)
        self._hW = self.params.get("h2h_weight")
        self._hB = self.params.get("h2h_bias")

    @property
    def state_info(self):
        return [{"shape": (0, self._num_hidden), "__layout__": "NC"}] * self._num_states

    _num_states = 1

    def _gates(self, inputs, state, name):
        """The two dense layers, for all gates at once."""
        units = self._num_hidden * len(self._gate_names)
        return (symbol.FullyConnected(inputs, self._iW, self._iB, num_hidden=units, name=f"{name}i2h"),
                symbol.FullyConnected(state, self._hW, self._hB, num_hidden=units, name=f"{name}h2h"))


class RNNCell(_DenseCell):
    """h' = activation(W_i x + b_i + W_h h + b_h).

    Parameters
    ----------
    num_hidden : int
        Size of the state.
    activation : str or callable
        The nonlinearity.
    """

    def __init__(self, num_hidden, activation="tanh", prefix="rnn_", params=None):
        super().__init__(num_hidden, prefix, params)
        self._activation = activation

    @property
    def _gate_names(self):
        return ("",)

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states[0], name)
        output = self._activate(i2h + h2h, self._activation, name=f"{name}out")
        return output, [output]


class LSTMCell(_DenseCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997); states are ``[h, c]``.

    Parameters
    ----------
    num_hidden : int
        Size of each state.
    forget_bias : float
        Initial bias of the forget gate.
    """

    _num_states = 2

    def __init__(self, num_hidden, prefix="lstm_", params=None, forget_bias=1.0):
        super().__init__(num_hidden, prefix, params, init=initializer.LSTMBias(forget_bias=forget_bias))

    @property
    def _gate_names(self):
        return ("_i", "_f", "_c", "_o")

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states[0], name)
        output, cell = lstm_step(i2h + h2h, states[1], "tanh", name, self._activate)
        return output, [output, cell]


class GRUCell(_DenseCell):
    """Gated recurrent unit (Cho et al., 2014), with the reset gate behind the product as in cuDNN.

    Parameters
    ----------
    num_hidden : int
        Size of the state.
    """

    def __init__(self, num_hidden, prefix="gru_", params=None):
        super().__init__(num_hidden, prefix, params)

    @property
    def _gate_names(self):
        return ("_r", "_z", "_o")

    def __call__(self, inputs, states):
        name = self._step_name()
        i2h, h2h = self._gates(inputs, states[0], name)
        output = gru_step(i2h, h2h, states[0], "tanh", name, self._activate)
        return output, [output]


class FusedRNNCell(BaseRNNCell):
    """All layers and steps in one operator, `RNN`; only for `unroll`.

    Parameters
    ----------
    num_hidden, num_layers : int
        Size of the states and number of layers.
    mode : str
        ``'rnn_relu'``, ``'rnn_tanh'``, ``'lstm'`` or ``'gru'``.
    bidirectional : bool
        Whether each layer also runs backwards.
    dropout : float
        Rate between layers.
    get_next_state : bool
        Whether `unroll` returns the last states.
    forget_bias : float
        Initial bias of the LSTM's forget gates.
    """

    _GATES = {"rnn_relu": ("",), "rnn_tanh": ("",), "lstm": ("_i", "_f", "_c", "_o"), "gru": ("_r", "_z", "_o")}

    def __init__(self, num_hidden, num_layers=1, mode="lstm", bidirectional=False, dropout=0., get_next_state=False,
                 forget_bias=1.0, prefix=None, params=None):
        if mode not in self._GATES:
            raise ValueError(f"FusedRNNCell: mode is '{mode}', expected one of {', '.join(self._GATES)}")
        super().__init__(f"{mode}_" if prefix is None else prefix, params)
        self._num_hidden, self._num_layers, self._mode = num_hidden, num_layers, mode
        self._bidirectional, self._dropout = bidirectional, dropout
        self._get_next_state = get_next_state
        self._directions = ["l", "r"] if bidirectional else ["l"]
        self._parameter = self.params.get("parameters", init=initializer.FusedRNN(
            None, num_hidden, num_layers, mode, bidirectional, forget_bias))

    @property
    def state_info(self):
        shape = (len(self._directions) * self._num_layers, 0, self._num_hidden)
        return [{"shape": shape, "__layout__": "LNC"}] * (2 if self._mode == "lstm" else 1)

    @property
    def _gate_names(self):
        return self._GATES[self._mode]

    def __call__(self, inputs, states):
        raise NotImplementedError("FusedRNNCell cannot be stepped. Please use unroll")

    def _parts(self, input_size):
        """``(name, shape)`` of all parts of the packed vector in order."""
        hidden = self._num_hidden
        for kind in ("weight", "bias"):
            for layer in range(self._num_layers):
                before = input_size if layer == 0 else hidden * len(self._directions)
                for direction in self._directions:
                    for group, columns in (("i2h", before), ("h2h", hidden)):
                        for gate in self._gate_names:
                            shape = (hidden, columns) if kind == "weight" else (hidden,)
                            yield f"{self._prefix}{direction}{layer}_{group}{gate}_{kind}", shape

    def _input_size(self, size):
        """Size of the input from the number of packed parameters."""
        rows = len(self._directions) * self._num_hidden * len(self._gate_names)
        later = (self._num_layers - 1) * (self._num_hidden * (len(self._directions) + 1) + 2)
        return size // rows - later - self._num_hidden - 2

    def unpack_weights(self, args):
        args = dict(args)
        packed = args.pop(self._parameter.name)
        offset = 0
        for name, shape in self._parts(self._input_size(packed.size)):
            size = shape[0] * (shape[1] if len(shape) > 1 else 1)
            args[name] = packed[offset:offset + size].reshape(shape).copy()
            offset += size
        if offset != packed.size:
            raise ValueError(f"unpack_weights: {self._parameter.name} has {packed.size} elements, expected {offset}")
        return args

    def pack_weights(self, args):
        args = dict(args)
        first = args[f"{self._prefix}l0_i2h{self._gate_names[0]}_weight"]
        parts = [args.pop(name).reshape((-1,)) for name, _ in self._parts(first.shape[1])]
        args[self._parameter.name] = ndarray.concatenate([part.as_in_context(first.context) for part in parts])
        return args

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        self.reset()
        inputs, axis = as_steps(length, inputs, layout, True)
        if axis == 1:
            inputs = symbol.swapaxes(inputs, dim1=0, dim2=1)
        states = self.begin_state() if begin_state is None else begin_state
        named = {"state": states[0], **({"state_cell": states[1]} if self._mode == "lstm" else {})}
        results = symbol.RNN(data=inputs, parameters=self._parameter, state_size=self._num_hidden,
                             num_layers=self._num_layers, bidirectional=self._bidirectional, p=self._dropout,
                             state_outputs=self._get_next_state, mode=self._mode, name=f"{self._prefix}rnn", **named)
        outputs = results[0] if self._get_next_state else results
        if axis == 1:
            outputs = symbol.swapaxes(outputs, dim1=0, dim2=1)
        last = list(results[1:3] if self._mode == "lstm" else results[1:2]) if self._get_next_state else []
        return as_steps(length, outputs, layout, merge_outputs)[0], last

    def unfuse(self):
        """A SequentialRNNCell of plain cells that computes the same."""
        def cell(prefix):
            if self._mode == "lstm":
                return LSTMCell(self._num_hidden, prefix=prefix)
            if self._mode == "gru":
                return GRUCell(self._num_hidden, prefix=prefix)
            return RNNCell(self._num_hidden, activation=self._mode[4:], prefix=prefix)

        stack = SequentialRNNCell()
        for i in range(self._num_layers):
            if self._bidirectional:
                stack.add(BidirectionalCell(cell(f"{self._prefix}l{i}_"), cell(f"{self._prefix}r{i}_"),
                                            output_prefix=f"{self._prefix}bi_l{i}_"))
            else:
                stack.add(cell(f"{self._prefix}l{i}_"))
            if self._dropout > 0 and i != self._num_layers - 1:
                stack.add(DropoutCell(self._dropout, prefix=f"{self._prefix}_dropout{i}_"))
        return stack


class _Stack(BaseRNNCell):
    """A cell of cells."""

    def _adopt(self, cell):
        if not self._own_cells:
            if not cell._own_params:
                raise AssertionError("Either specify params for the outer cell or its child cells, not both.")
            cell.params._params.update(self.params._params)
        self.params._params.update(cell.params._params)

    @property
    def state_info(self):
        return [info for cell in self._cells for info in cell.state_info]

    def begin_state(self, **kwargs):
        assert not self._modified, ("After applying modifier cells (e.g. DropoutCell) the base cell cannot be called "
                                    "directly. Call the modifier cell instead.")
        return [state for cell in self._cells for state in cell.begin_state(**kwargs)]

    def unpack_weights(self, args):
        for cell in self._cells:
            args = cell.unpack_weights(args)
        return args

    def pack_weights(self, args):
        for cell in self._cells:
            args = cell.pack_weights(args)
        return args

    def _shares(self, states):
        """Each cell with its part of the states."""
        place = 0
        for cell in self._cells:
            count = len(cell.state_info)
            yield cell, states[place:place + count]
            place += count


class SequentialRNNCell(_Stack):
    """Cells on top of each other."""

    def __init__(self, params=None):
        self._cells = []
        self._own_cells = params is None
        super().__init__("", params)

    def add(self, cell):
        """Puts a cell on top."""
        self._cells.append(cell)
        self._adopt(cell)

    def __call__(self, inputs, states):
        self._counter += 1
        following = []
        for cell, mine in self._shares(states):
            if isinstance(cell, BidirectionalCell):
                raise AssertionError("BidirectionalCell cannot be stepped. Please use unroll")
            inputs, mine = cell(inputs, mine)
            following.extend(mine)
        return inputs, following

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        self.reset()
        states = self.begin_state() if begin_state is None else begin_state
        following = []
        for i, (cell, mine) in enumerate(self._shares(states)):
            last = i == len(self._cells) - 1
            inputs, mine = cell.unroll(length, inputs, mine, layout, merge_outputs if last else None)
            following.extend(mine)
        return inputs, following


class BidirectionalCell(_Stack):
    """A cell over the steps in order and one in reverse order, outputs joined; only for `unroll`.

    Parameters
    ----------
    l_cell, r_cell : BaseRNNCell
        The two cells.
    output_prefix : str
        Start of the outputs' names.
    """

    def __init__(self, l_cell, r_cell, params=None, output_prefix="bi_"):
        self._cells = [l_cell, r_cell]
        self._own_cells = params is None
        super().__init__("", params)
        self._output_prefix = output_prefix
        for cell in self._cells:
            self._adopt(cell)

    def __call__(self, inputs, states):
        raise NotImplementedError("BidirectionalCell cannot be stepped. Please use unroll")

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        self.reset()
        inputs, axis = as_steps(length, inputs, layout, False)
        states = self.begin_state() if begin_state is None else begin_state
        (left, l_states), (right, r_states) = self._shares(states)
        l_outputs, l_states = left.unroll(length, inputs, l_states, layout, merge_outputs)
        r_outputs, r_states = right.unroll(length, list(reversed(inputs)), r_states, layout, merge_outputs)
        if merge_outputs is None:
            merge_outputs = isinstance(l_outputs, symbol.Symbol) and isinstance(r_outputs, symbol.Symbol)
            if not merge_outputs:
                l_outputs = as_steps(length, l_outputs, layout, False)[0]
                r_outputs = as_steps(length, r_outputs, layout, False)[0]
        if merge_outputs:
            outputs = symbol.Concat(l_outputs, symbol.reverse(r_outputs, axis=axis), dim=2,
                                    name=f"{self._output_prefix}out")
        else:
            outputs = [symbol.Concat(a, b, dim=1, name=f"{self._output_prefix}t{i}")
                       for i, (a, b) in enumerate(zip(l_outputs, reversed(r_outputs)))]
        return outputs, [l_states, r_states]


class DropoutCell(BaseRNNCell):
    """Dropout on what goes through; it has no states."""

    def __init__(self, dropout, prefix="dropout_", params=None):
        super().__init__(prefix, params)
        if not isinstance(dropout, (int, float)):
            raise AssertionError("dropout probability must be a number")
        self.dropout = dropout

    @property
    def state_info(self):
        return []

    def __call__(self, inputs, states):
        return (symbol.Dropout(data=inputs, p=self.dropout) if self.dropout > 0 else inputs), states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        self.reset()
        inputs, _ = as_steps(length, inputs, layout, merge_outputs)
        if isinstance(inputs, symbol.Symbol):
            return self(inputs, [])
        return super().unroll(length, inputs, begin_state, layout, merge_outputs)


class ModifierCell(BaseRNNCell):
    """A cell that changes what another one does, with that one's weights."""

    def __init__(self, base_cell):
        base_cell._modified = True
        self.base_cell = base_cell
        super().__init__()

    @property
    def params(self):
        self._own_params = False
        return self.base_cell.params

    @property
    def state_info(self):
        return self.base_cell.state_info

    def begin_state(self, init_sym=symbol.zeros, **kwargs):
        assert not self._modified, ("After applying modifier cells (e.g. DropoutCell) the base cell cannot be called "
                                    "directly. Call the modifier cell instead.")
        self.base_cell._modified = False
        begin = self.base_cell.begin_state(func=init_sym, **kwargs)
        self.base_cell._modified = True
        return begin

    def reset(self):
        super().reset()
        self.base_cell.reset()

    def unpack_weights(self, args):
        return self.base_cell.unpack_weights(args)

    def pack_weights(self, args):
        return self.base_cell.pack_weights(args)


class ZoneoutCell(ModifierCell):
    """Keeps some numbers of the step before (Krueger et al., 2016).

    Parameters
    ----------
    base_cell : BaseRNNCell
        The cell.
    zoneout_outputs, zoneout_states : float
        Shares of outputs and states that stay.
    """

    def __init__(self, base_cell, zoneout_outputs=0., zoneout_states=0.):
        if isinstance(base_cell, FusedRNNCell):
            raise AssertionError("FusedRNNCell doesn't support zoneout. Please unfuse first.")
        if isinstance(base_cell, BidirectionalCell):
            raise AssertionError("BidirectionalCell doesn't support zoneout since it doesn't support step. Please add "
                                 "ZoneoutCell to the cells underneath instead.")
        super().__init__(base_cell)
        self.zoneout_outputs, self.zoneout_states = zoneout_outputs, zoneout_states
        self.prev_output = None

    def reset(self):
        super().reset()
        self.prev_output = None

    def __call__(self, inputs, states):
        def blend(rate, new, old):
            if rate <= 0:
                return new
            return symbol.where(symbol.Dropout(symbol.ones_like(new), p=rate), new, old)
        output, following = self.base_cell(inputs, states)
        previous = self.prev_output if self.prev_output is not None else symbol.zeros_like(output)
        output = blend(self.zoneout_outputs, output, previous)
        following = [blend(self.zoneout_states, new, old) for new, old in zip(following, states)]
        self.prev_output = output
        return output, following


class ResidualCell(ModifierCell):
    """Adds the input to the output."""

    def __call__(self, inputs, states):
        output, states = self.base_cell(inputs, states)
        return self._sum(output, inputs), states

    def _sum(self, output, inputs):
        return symbol.elemwise_add(output, inputs, name=f"{output.name}_plus_residual")

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        self.reset()
        self.base_cell._modified = False
        outputs, states = self.base_cell.unroll(length, inputs, begin_state, layout, merge_outputs)
        self.base_cell._modified = True
        merged = isinstance(outputs, symbol.Symbol) if merge_outputs is None else merge_outputs
        inputs, _ = as_steps(length, inputs, layout, merged)
        if merged:
            return self._sum(outputs, inputs), states
        return [self._sum(o, i) for o, i in zip(outputs, inputs)], states

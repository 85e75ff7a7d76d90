"""Recurrent cells: blocks that compute one step, and stacks and modifications of them."""
from ... import ndarray
from ..nn import LeakyReLU
from ..utils import _indent
from .base_cell import HybridRecurrentCell, RecurrentCell
from .modifier_cell import DropoutCell, ModifierCell, ResidualCell, ZoneoutCell
from .sequence import (  # noqa: F401 - cells of other programs use those with an underscore
    _cells_begin_state,
    _cells_state_info,
    _format_sequence,
    _get_begin_state,
    _mask_sequence_variable_length,
    _reverse_sequences,
    as_steps,
    merged,
    reversed_steps,
    starting_states,
)

__all__ = [
    "BidirectionalCell",
    "DropoutCell",
    "GRUCell",
    "HybridRecurrentCell",
    "HybridSequentialRNNCell",
    "LSTMCell",
    "ModifierCell",
    "RNNCell",
    "RecurrentCell",
    "ResidualCell",
    "SequentialRNNCell",
    "ZoneoutCell",
]


class _GatedCell(HybridRecurrentCell):
    """A cell with one affine map of the inputs and one of the state for all its gates."""

    def __init__(self, hidden_size, gates, input_size, i2h_weight_initializer, h2h_weight_initializer,
                 i2h_bias_initializer, h2h_bias_initializer, prefix, params, projection_size=None,
                 h2r_weight_initializer=None):
        super().__init__(prefix=prefix, params=params)
        self._hidden_size, self._input_size = hidden_size, input_size
        rows = gates * hidden_size

        def param(name, shape, init):
            return self.params.get(name, shape=shape, init=init, allow_deferred_init=True)

        self.i2h_weight = param("i2h_weight", (rows, input_size), i2h_weight_initializer)
        self.h2h_weight = param("h2h_weight", (rows, projection_size or hidden_size), h2h_weight_initializer)
        if projection_size:
            self.h2r_weight = param("h2r_weight", (projection_size, hidden_size), h2r_weight_initializer)
        self.i2h_bias = param("i2h_bias", (rows,), i2h_bias_initializer)
        self.h2h_bias = param("h2h_bias", (rows,), h2h_bias_initializer)

    def __repr__(self):
        rows, inputs = self.i2h_weight.shape
        return f"{type(self).__name__}({inputs or None} -> {rows}{self._details()})"

    def _details(self):
        return ""

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, self._hidden_size), "__layout__": "NC"}]

    def _gates(self, F, inputs, state, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        """The part of the inputs and of the state in all gates."""
        at, rows = self._step_prefix, self.i2h_weight.shape[0]
        i2h = F.FullyConnected(inputs, i2h_weight, i2h_bias, num_hidden=rows, name=at + "i2h")
        h2h = F.FullyConnected(state, h2h_weight, h2h_bias, num_hidden=rows, name=at + "h2h")
        return i2h, h2h


class RNNCell(_GatedCell):
    """A vanilla cell: ``h' = activation(W x + b + R h + c)``.

    Parameters
    ----------
    hidden_size : int
        Size of the state and output.
    activation : str or Block
        The function.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What W, R, b and c start from.
    input_size : int
        Size of the inputs; 0 is found out at the first batch.
    prefix, params
        See `Block`.

    Examples
    --------
    >>> cell = mx.gluon.rnn.RNNCell(20)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 5)), cell.begin_state(batch_size=2))
    >>> out.shape
    (2, 20)
    """

    def __init__(self, hidden_size, activation="tanh", i2h_weight_initializer=None, h2h_weight_initializer=None,
                 i2h_bias_initializer="zeros", h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None):
        super().__init__(hidden_size, 1, input_size, i2h_weight_initializer, h2h_weight_initializer,
                         i2h_bias_initializer, h2h_bias_initializer, prefix, params)
        self._activation = activation

    def _alias(self):
        return "rnn"

    def _details(self):
        return f", {self._activation}"

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        i2h, h2h = self._gates(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        i2h_plus_h2h = F.elemwise_add(i2h, h2h, name=at + "plus0")
        output = self._get_activation(F, i2h_plus_h2h, self._activation, **self._named(at + "out"))
        return output, [output]

    def _named(self, name):
        return {"name": name} if isinstance(self._activation, (str, LeakyReLU)) else {}


class LSTMCell(_GatedCell):
    """A long short-term memory cell (Hochreiter and Schmidhuber, 1997): ``c' = f c + i g``, ``h' = o tanh(c')``.

    The states are ``[h, c]``; the gates i, f, g, o are functions of the inputs and h.

    Parameters
    ----------
    hidden_size : int
        Size of the states and output.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.
    input_size : int
        Size of the inputs; 0 is found out at the first batch.
    prefix, params
        See `Block`.
    activation, recurrent_activation : str or Block
        The function of g and of the output, and that of i, f and o.

    Examples
    --------
    >>> cell = mx.gluon.rnn.LSTMCell(20)
    >>> cell.initialize()
    >>> outputs, (h, c) = cell.unroll(7, mx.nd.ones((2, 7, 5)), merge_outputs=True)
    >>> outputs.shape
    (2, 7, 20)
    """

    def __init__(self, hidden_size, i2h_weight_initializer=None, h2h_weight_initializer=None,
                 i2h_bias_initializer="zeros", h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None,
                 activation="tanh", recurrent_activation="sigmoid"):
        super().__init__(hidden_size, 4, input_size, i2h_weight_initializer, h2h_weight_initializer,
                         i2h_bias_initializer, h2h_bias_initializer, prefix, params)
        self._activation, self._recurrent_activation = activation, recurrent_activation

    def _alias(self):
        return "lstm"

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, self._hidden_size), "__layout__": "NC"} for _ in range(2)]

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        i2h, h2h = self._gates(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        gates = F.SliceChannel(F.elemwise_add(i2h, h2h, name=at + "plus0"), num_outputs=4, name=at + "slice")
        i, f, o = (self._get_activation(F, gates[k], self._recurrent_activation, name=at + letter)
                   for k, letter in ((0, "i"), (1, "f"), (3, "o")))
        g = self._get_activation(F, gates[2], self._activation, name=at + "c")
        c = F.elemwise_add(F.elemwise_mul(f, states[1], name=at + "mul0"), F.elemwise_mul(i, g, name=at + "mul1"),
                           name=at + "state")
        activated = F.Activation(c, act_type=self._activation, name=at + "activation0") \
            if isinstance(self._activation, str) else self._get_activation(F, c, self._activation)
        h = F.elemwise_mul(o, activated, name=at + "out")
        return h, [h, c]


class GRUCell(_GatedCell):
    """A gated recurrent unit (Cho et al., 2014): ``n = tanh(W x + b + r (R h + c))``, ``h' = (1 - z) n + z h``.

    The reset gate is applied after the product with the state, so that the gates r, z, n of all parts
    are computed in one product each.

    Parameters
    ----------
    hidden_size : int
        Size of the state and output.
    i2h_weight_initializer, h2h_weight_initializer, i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the parameters start from.
    input_size : int
        Size of the inputs; 0 is found out at the first batch.
    prefix, params
        See `Block`.

    Examples
    --------
    >>> cell = mx.gluon.rnn.GRUCell(20)
    >>> cell.initialize()
    >>> out, states = cell(mx.nd.ones((2, 5)), cell.begin_state(batch_size=2))
    """

    def __init__(self, hidden_size, i2h_weight_initializer=None, h2h_weight_initializer=None,
                 i2h_bias_initializer="zeros", h2h_bias_initializer="zeros", input_size=0, prefix=None, params=None):
        super().__init__(hidden_size, 3, input_size, i2h_weight_initializer, h2h_weight_initializer,
                         i2h_bias_initializer, h2h_bias_initializer, prefix, params)

    def _alias(self):
        return "gru"

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, i2h_bias, h2h_bias):
        at, before = self._step_prefix, states[0]
        i2h, h2h = self._gates(F, inputs, before, i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        i2h = F.SliceChannel(i2h, num_outputs=3, name=at + "i2h_slice")
        h2h = F.SliceChannel(h2h, num_outputs=3, name=at + "h2h_slice")
        r, z = (F.Activation(F.elemwise_add(i2h[k], h2h[k], name=f"{at}plus{k}"), act_type="sigmoid",
                             name=at + letter + "_act") for k, letter in ((0, "r"), (1, "z")))
        n = F.Activation(F.elemwise_add(i2h[2], F.elemwise_mul(r, h2h[2], name=at + "mul0"), name=at + "plus2"),
                         act_type="tanh", name=at + "h_act")
        new = F.elemwise_mul(F.elemwise_sub(F.ones_like(z, name=at + "ones_like0"), z, name=at + "minus0"), n,
                             name=at + "mul1")
        h = F.elemwise_add(new, F.elemwise_mul(z, before, name=at + "mul20"), name=at + "out")
        return h, [h]


class _StackedCells:
    """What the two stacks have in common."""

    def add(self, cell):
        """Appends a cell, which gets the outputs of the one before it."""
        self.register_child(cell)

    def __repr__(self):
        cells = "\n".join(f"({key}): {_indent(repr(cell), 2)}" for key, cell in self._children.items())
        return f"{type(self).__name__}(\n{cells}\n)"

    def __len__(self):
        return len(self._children)

    def __getitem__(self, i):
        return list(self._children.values())[i]

    def state_info(self, batch_size=0):
        return [info for cell in self._children.values() for info in cell.state_info(batch_size)]

    def begin_state(self, batch_size=0, func=ndarray.zeros, **kwargs):
        """The states of all cells before the first step; see `RecurrentCell.begin_state`."""
        self._check_unmodified()
        return [state for cell in self._children.values() for state in cell.begin_state(batch_size, func, **kwargs)]

    def _with_states(self, states):
        """Cells with their part of the states."""
        at = 0
        for cell in self._children.values():
            count = len(cell.state_info())
            yield cell, states[at:at + count]
            at += count

    def __call__(self, inputs, states):
        """One step of all cells: outputs and new states."""
        return super().__call__(inputs, states)

    def _step(self, inputs, states):
        after = []
        for cell, own in self._with_states(states):
            inputs, own = cell(inputs, own)
            after += own
        return inputs, after

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Runs each cell in turn over the whole sequence; see `RecurrentCell.unroll`."""
        self.reset()
        steps, _, F, batch_size = as_steps(length, inputs, layout)
        begin_state = starting_states(self, F, begin_state, steps, batch_size)
        after = []
        for number, (cell, own) in enumerate(self._with_states(begin_state), 1):
            inputs, own = cell.unroll(length, inputs, own, layout,
                                      merge_outputs if number == len(self) else None, valid_length)
            after += own
        return inputs, after


class SequentialRNNCell(_StackedCells, RecurrentCell):
    """Cells in a row, as one cell.

    Examples
    --------
    >>> stack = mx.gluon.rnn.SequentialRNNCell()
    >>> stack.add(mx.gluon.rnn.LSTMCell(20))
    >>> stack.add(mx.gluon.rnn.LSTMCell(20))
    >>> stack.initialize()
    >>> out, states = stack(mx.nd.ones((2, 5)), stack.begin_state(batch_size=2))
    >>> len(states)
    4
    """

    def forward(self, inputs, states):
        self._counter += 1
        return self._step(inputs, states)

    def hybrid_forward(self, *args, **kwargs):
        raise NotImplementedError("SequentialRNNCell has no hybrid_forward; use HybridSequentialRNNCell")


class HybridSequentialRNNCell(_StackedCells, HybridRecurrentCell):
    """Hybrid cells in a row, as one cell.

    Examples
    --------
    >>> stack = mx.gluon.rnn.HybridSequentialRNNCell()
    >>> stack.add(mx.gluon.rnn.LSTMCell(20))
    >>> stack.add(mx.gluon.rnn.DropoutCell(0.5))
    >>> stack.add(mx.gluon.rnn.LSTMCell(20))
    >>> stack.initialize()
    >>> outputs, states = stack.unroll(7, mx.nd.ones((2, 7, 5)))
    """

    def hybrid_forward(self, F, inputs, states):
        return self._step(inputs, states)


class BidirectionalCell(HybridRecurrentCell):
    """Two cells, one run from the start and one from the end of a sequence; their outputs are joined.

    It needs the whole sequence, so it can be unrolled only.

    Parameters
    ----------
    l_cell, r_cell : RecurrentCell
        The cell that runs forward and the one that runs backward.
    output_prefix : str
        Starts the names of the outputs.

    Examples
    --------
    >>> cell = mx.gluon.rnn.BidirectionalCell(mx.gluon.rnn.LSTMCell(20), mx.gluon.rnn.LSTMCell(20))
    >>> cell.initialize()
    >>> outputs, states = cell.unroll(7, mx.nd.ones((2, 7, 5)), merge_outputs=True)
    >>> outputs.shape
    (2, 7, 40)
    """

    _has_steps = False

    def __init__(self, l_cell, r_cell, output_prefix="bi_"):
        super().__init__(prefix="", params=None)
        self.register_child(l_cell, "l_cell")
        self.register_child(r_cell, "r_cell")
        self._output_prefix = output_prefix

    def __repr__(self):
        l_cell, r_cell = self._children.values()
        return f"BidirectionalCell(forward={l_cell!r}, backward={r_cell!r})"

    def __call__(self, inputs, states):
        raise NotImplementedError("BidirectionalCell needs the whole sequence: use unroll")

    state_info = _StackedCells.state_info
    begin_state = _StackedCells.begin_state
    _with_states = _StackedCells._with_states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Runs both cells over the whole sequence; see `RecurrentCell.unroll`."""
        self.reset()
        steps, axis, F, batch_size = as_steps(length, inputs, layout)
        begin_state = starting_states(self, F, begin_state, steps, batch_size)
        (l_cell, l_states), (r_cell, r_states) = self._with_states(begin_state)
        forward, l_states = l_cell.unroll(length, steps, l_states, layout, False, valid_length)
        backward, r_states = r_cell.unroll(length, reversed_steps(F, steps, valid_length), r_states, layout, False,
                                           valid_length)
        backward = reversed_steps(F, backward, valid_length)
        if merge_outputs is None:
            merge_outputs = valid_length is not None
        if merge_outputs:
            outputs = F.concat(merged(F, forward, axis), merged(F, backward, axis), dim=2,
                               name=self._output_prefix + "out")
        else:
            outputs = [F.concat(one, other, dim=1, name=f"{self._output_prefix}t{t}")
                       for t, (one, other) in enumerate(zip(forward, backward))]
        return outputs, l_states + r_states

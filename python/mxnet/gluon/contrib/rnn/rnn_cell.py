"""Cells with variational dropout and with a projection, and unrolling as a loop."""
from ...rnn.modifier_cell import ModifierCell, _check_steps
from ...rnn.rnn_cell import (  # noqa: F401 - cells of other programs find the helpers here too
    BidirectionalCell,
    HybridRecurrentCell,
    SequentialRNNCell,
    _format_sequence,
    _GatedCell,
    _get_begin_state,
    _mask_sequence_variable_length,
)
from ...rnn.sequence import masked, operators_for

__all__ = ["LSTMPCell", "VariationalDropoutCell", "dynamic_unroll"]


class VariationalDropoutCell(ModifierCell):
    """In training drops the same elements at all steps of a sequence (Gal and Ghahramani, 2016).

    Parameters
    ----------
    base_cell : RecurrentCell
        The cell to modify.
    drop_inputs, drop_states, drop_outputs : float
        Fraction of the elements of the inputs, the first state and the outputs that become zero.

    Examples
    --------
    >>> cell = mx.gluon.contrib.rnn.VariationalDropoutCell(mx.gluon.rnn.LSTMCell(20), drop_states=0.5)
    >>> cell.initialize()
    >>> outputs, states = cell.unroll(7, mx.nd.ones((2, 7, 5)))
    """

    def __init__(self, base_cell, drop_inputs=0.0, drop_states=0.0, drop_outputs=0.0):
        if drop_states:
            _check_steps(base_cell, "VariationalDropoutCell", "dropout of states")
        super().__init__(base_cell)
        self.drop_inputs, self.drop_states, self.drop_outputs = drop_inputs, drop_states, drop_outputs

    def __repr__(self):
        return f"VariationalDropoutCell(p_out = {self.drop_outputs}, p_state = {self.drop_states})"

    def _alias(self):
        return "vardrop"

    def reset(self):
        super().reset()
        self.drop_inputs_mask = self.drop_states_mask = self.drop_outputs_mask = None

    def _drop(self, F, x, kind):
        rate, name = getattr(self, f"drop_{kind}"), f"drop_{kind}_mask"
        if not rate:
            return x
        if getattr(self, name) is None:
            setattr(self, name, F.Dropout(F.ones_like(x), p=rate))
        return F.elemwise_mul(x, getattr(self, name))

    def hybrid_forward(self, F, inputs, states):
        if self.drop_states:
            states = [self._drop(F, states[0], "states"), *states[1:]]
        output, states = self.base_cell(self._drop(F, inputs, "inputs"), states)
        return self._drop(F, output, "outputs"), states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Runs the cell over a sequence; see `RecurrentCell.unroll`.

        Without dropout of states the outputs are one array unless `merge_outputs` is False.
        """
        if merge_outputs is None and not self.drop_states:
            merge_outputs = True
        return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)


class LSTMPCell(_GatedCell):
    """A long short-term memory cell with a projection of its state (Sak et al., 2014): ``r = P (o tanh(c))``.

    The states are ``[r, c]``, of sizes `projection_size` and `hidden_size`.

    Parameters
    ----------
    hidden_size, projection_size : int
        Size of the cell state, and of the output.
    i2h_weight_initializer, h2h_weight_initializer, h2r_weight_initializer : Initializer or str
        What the weights start from.
    i2h_bias_initializer, h2h_bias_initializer : Initializer or str
        What the biases start from.
    input_size : int
        Size of the inputs; 0 is found out at the first batch.
    prefix, params
        See `Block`.
    """

    def __init__(self, hidden_size, projection_size, i2h_weight_initializer=None, h2h_weight_initializer=None,
                 h2r_weight_initializer=None, i2h_bias_initializer="zeros", h2h_bias_initializer="zeros",
                 input_size=0, prefix=None, params=None):
        super().__init__(hidden_size, 4, input_size, i2h_weight_initializer, h2h_weight_initializer,
                         i2h_bias_initializer, h2h_bias_initializer, prefix, params, projection_size,
                         h2r_weight_initializer)
        self._projection_size = projection_size

    def _alias(self):
        return "lstmp"

    def _details(self):
        return f" -> {self._projection_size}"

    def state_info(self, batch_size=0):
        return [{"shape": (batch_size, size), "__layout__": "NC"}
                for size in (self._projection_size, self._hidden_size)]

    def hybrid_forward(self, F, inputs, states, i2h_weight, h2h_weight, h2r_weight, i2h_bias, h2h_bias):
        at = self._step_prefix
        i2h, h2h = self._gates(F, inputs, states[0], i2h_weight, h2h_weight, i2h_bias, h2h_bias)
        gates = F.SliceChannel(F.elemwise_add(i2h, h2h), num_outputs=4, name=at + "slice")
        i, f, o = (F.Activation(gates[k], act_type="sigmoid", name=at + letter)
                   for k, letter in ((0, "i"), (1, "f"), (3, "o")))
        g = F.Activation(gates[2], act_type="tanh", name=at + "c")
        c = F.elemwise_add(F.elemwise_mul(f, states[1]), F.elemwise_mul(i, g), name=at + "state")
        hidden = F.elemwise_mul(o, F.Activation(c, act_type="tanh"), name=at + "hidden")
        r = F.FullyConnected(hidden, h2r_weight, num_hidden=self._projection_size, no_bias=True, name=at + "out")
        return r, [r, c]


def dynamic_unroll(cell, inputs, begin_state, drop_inputs=0, drop_outputs=0, layout="TNC", valid_length=None):
    """Runs a cell over a sequence as a loop of the graph, whose number of steps is that of the inputs.

    Parameters
    ----------
    cell : RecurrentCell
        The cell to run.
    inputs : NDArray or Symbol
        The sequence in `layout`, ``(length, batch, ..)`` or ``(batch, length, ..)``.
    begin_state : list of NDArray or Symbol
        The first states.
    drop_inputs, drop_outputs : float
        Fraction of the elements of the inputs and outputs that become zero in training, the same at all steps.
    layout : {'TNC', 'NTC'}
        Order of the axes of inputs and outputs.
    valid_length : NDArray or Symbol, optional
        Length of each sequence, shape ``(batch,)``: outputs behind it are zero and the states are those at it.

    Returns
    -------
    outputs : NDArray or Symbol
        In `layout`.
    states : list of NDArray or Symbol

    Examples
    --------
    >>> cell = mx.gluon.rnn.LSTMCell(20)
    >>> cell.initialize()
    >>> outputs, states = mx.gluon.contrib.rnn.rnn_cell.dynamic_unroll(
    ...     cell, mx.nd.ones((7, 2, 5)), cell.begin_state(batch_size=2))
    >>> outputs.shape
    (7, 2, 20)
    """
    F = operators_for(inputs)
    axis = layout.find("T")
    if drop_inputs:
        inputs = F.Dropout(inputs, p=drop_inputs, axes=(axis,))
    if axis:
        inputs = F.swapaxes(inputs, 0, axis)
    if valid_length is None:
        outputs, states = F.contrib.foreach(cell, inputs, begin_state)
    else:
        def step(x, states):
            output, states = cell(x, states)
            return [output, *states], states

        (outputs, *all_states), _ = F.contrib.foreach(step, inputs, begin_state)
        states = [F.SequenceLast(kept, sequence_length=valid_length, use_sequence_length=True) for kept in all_states]
        outputs = masked(F, outputs, valid_length, 0)
    if axis:
        outputs = F.swapaxes(outputs, 0, axis)
    if drop_outputs:
        outputs = F.Dropout(outputs, p=drop_outputs, axes=(axis,))
    return outputs, states

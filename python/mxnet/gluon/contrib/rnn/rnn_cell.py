"""Cells with variational dropout and with a projection."""
from ...rnn.modifier_cell import ModifierCell, _check_steps
from ...rnn.rnn_cell import _GatedCell

__all__ = ["LSTMPCell", "VariationalDropoutCell"]


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

"""Cells that change what another cell does, or what reaches it."""
from ... import ndarray
from .base_cell import HybridRecurrentCell
from .sequence import as_steps, masked, merged, tensor_like

__all__ = ["DropoutCell", "ModifierCell", "ResidualCell", "ZoneoutCell"]


class DropoutCell(HybridRecurrentCell):
    """Drops elements of its inputs in training; it has no state.

    Parameters
    ----------
    rate : float
        Fraction of the elements that become zero.
    axes : tuple of int
        Axes along which all elements share one decision.
    prefix, params
        See `Block`.
    """

    def __init__(self, rate, axes=(), prefix=None, params=None):
        super().__init__(prefix, params)
        if isinstance(rate, str) or not hasattr(rate, "__float__"):
            raise AssertionError(f"DropoutCell: rate must be a number, got {rate!r}")
        self._rate, self._axes = rate, axes

    def __repr__(self):
        return f"DropoutCell(rate={self._rate}, axes={self._axes})"

    def _alias(self):
        return "dropout"

    def state_info(self, batch_size=0):
        return []

    def hybrid_forward(self, F, inputs, states):
        if self._rate > 0:
            inputs = F.Dropout(inputs, p=self._rate, axes=self._axes, name=self._step_prefix + "fwd")
        return inputs, states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Drops elements of the whole sequence; see `RecurrentCell.unroll`. The outputs stay as the inputs are."""
        self.reset()
        if not tensor_like(inputs) and not merge_outputs:
            return super().unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        steps, axis, F, _ = as_steps(length, inputs, layout)
        outputs, states = self(inputs if tensor_like(inputs) else merged(F, steps, axis), begin_state or [])
        return (as_steps(length, outputs, layout)[0] if merge_outputs is False else outputs), states


class ModifierCell(HybridRecurrentCell):
    """The base of cells that change what another cell does. The other cell's parameters are theirs.

    Parameters
    ----------
    base_cell : RecurrentCell
        The cell, which cannot be used by itself from then on.
    """

    def __init__(self, base_cell):
        base_cell._check_unmodified()
        base_cell._modified = True
        super().__init__(prefix=base_cell.prefix + self._alias(), params=None)
        self.base_cell = base_cell

    def __repr__(self):
        return f"{type(self).__name__}({self.base_cell!r})"

    @property
    def params(self):
        return self.base_cell.params

    def state_info(self, batch_size=0):
        return self.base_cell.state_info(batch_size)

    def begin_state(self, batch_size=0, func=ndarray.zeros, **kwargs):
        """The states of the modified cell before the first step; see `RecurrentCell.begin_state`."""
        self._check_unmodified()
        self.base_cell._modified = False
        try:
            return self.base_cell.begin_state(batch_size, func, **kwargs)
        finally:
            self.base_cell._modified = True

    def hybrid_forward(self, F, inputs, states):
        raise NotImplementedError(f"{type(self).__name__} must override hybrid_forward")


def _check_steps(cell, kind, thing):
    """Modifiers of single steps cannot be put around a cell that needs the whole sequence."""
    if not all(part._has_steps for part in (cell, *cell._children.values())):
        raise AssertionError(f"{kind}: a cell with a BidirectionalCell takes no {thing}, since it has no single "
                             f"steps; put {kind} around the cells inside it")


class ZoneoutCell(ModifierCell):
    """In training keeps some outputs and states from the step before (Krueger et al., Zoneout, 2017).

    Parameters
    ----------
    base_cell : RecurrentCell
        The cell to modify.
    zoneout_outputs, zoneout_states : float
        Probability that an element of the outputs or of the states stays.
    """

    def __init__(self, base_cell, zoneout_outputs=0.0, zoneout_states=0.0):
        _check_steps(base_cell, "ZoneoutCell", "zoneout")
        super().__init__(base_cell)
        self.zoneout_outputs, self.zoneout_states = zoneout_outputs, zoneout_states

    def __repr__(self):
        return f"ZoneoutCell(p_out={self.zoneout_outputs}, p_state={self.zoneout_states}, {self.base_cell!r})"

    def _alias(self):
        return "zoneout"

    def reset(self):
        super().reset()
        self._prev_output = None

    def hybrid_forward(self, F, inputs, states):
        output, after = self.base_cell(inputs, states)

        def choose(p, new, old):
            return F.where(F.Dropout(F.ones_like(new), p=p), new, old) if p else new

        previous = F.zeros_like(output) if self._prev_output is None else self._prev_output
        output = choose(self.zoneout_outputs, output, previous)
        after = [choose(self.zoneout_states, new, old) for new, old in zip(after, states)]
        self._prev_output = output
        return output, after


class ResidualCell(ModifierCell):
    """Adds the inputs to the outputs (He et al., 2015).

    Parameters
    ----------
    base_cell : RecurrentCell
        The cell to modify, whose outputs have the size of its inputs.
    """

    def hybrid_forward(self, F, inputs, states):
        output, states = self.base_cell(inputs, states)
        return F.elemwise_add(output, inputs, name=self._step_prefix + "fwd"), states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Unrolls the modified cell and adds the inputs; see `RecurrentCell.unroll`."""
        self.reset()
        self.base_cell._modified = False
        try:
            outputs, states = self.base_cell.unroll(length, inputs, begin_state, layout, merge_outputs, valid_length)
        finally:
            self.base_cell._modified = True
        steps, axis, F, _ = as_steps(length, inputs, layout)
        if valid_length is not None:
            whole = masked(F, merged(F, steps, axis), valid_length, axis)
            steps = as_steps(length, whole, layout)[0]
        if tensor_like(outputs):
            return F.elemwise_add(outputs, merged(F, steps, axis)), states
        return [F.elemwise_add(o, i) for o, i in zip(outputs, steps)], states

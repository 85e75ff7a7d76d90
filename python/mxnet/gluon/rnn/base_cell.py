"""The base of recurrent cells."""
from ... import ndarray
from ..block import Block, HybridBlock
from ..nn import LeakyReLU
from .sequence import as_steps, last_states, masked, merged, starting_states

__all__ = ["HybridRecurrentCell", "RecurrentCell"]


class RecurrentCell(Block):
    """The base of recurrent cells.

    A cell is called with the inputs of one step ``(batch, ..)`` and a list of states, and gives outputs
    and new states. `unroll` runs it over a sequence.

    Parameters
    ----------
    prefix : str, optional
        Starts the names of the parameters.
    params : ParameterDict, optional
        Parameters to share.
    """

    _has_steps = True  # one at a time; otherwise only whole sequences

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._modified = False
        self.reset()

    def reset(self):
        """Forgets what was kept from the last sequence, to begin another."""
        self._init_counter = -1
        self._counter = -1
        for cell in self._children.values():
            cell.reset()

    def state_info(self, batch_size=0):
        """Shapes and layouts of the states: a list of dicts."""
        raise NotImplementedError(f"{type(self).__name__} must override state_info")

    def _check_unmodified(self):
        if self._modified:
            raise AssertionError(f"{type(self).__name__}: a cell inside a modifier such as ZoneoutCell cannot be used "
                                 "by itself; use the modifier")

    def begin_state(self, batch_size=0, func=ndarray.zeros, **kwargs):
        """The states before the first step.

        Parameters
        ----------
        batch_size : int
            Number of sequences.
        func : function
            Makes each array, from ``shape`` and further keywords, e.g. ``mx.nd.ones``.
        **kwargs
            Further arguments of `func`, e.g. ``ctx`` and ``dtype``.

        Returns
        -------
        list of NDArray
        """
        self._check_unmodified()
        states = []
        for info in self.state_info(batch_size):
            self._init_counter += 1
            states.append(func(name=f"{self.prefix}begin_state_{self._init_counter}", **{**(info or {}), **kwargs}))
        return states

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None, valid_length=None):
        """Runs the cell over a sequence.

        Parameters
        ----------
        length : int
            Number of steps.
        inputs : NDArray or list of NDArray
            The sequence in the given layout, or one array for each step.
        begin_state : list of NDArray, optional
            What to begin with; zeros by default.
        layout : str
            'NTC' or 'TNC': the order of the axes of merged inputs and outputs.
        merge_outputs : bool, optional
            Whether to give the outputs as one array, or as a list. By default as a list, or with
            `valid_length` as one array.
        valid_length : NDArray, optional
            The length of each sequence ``(batch,)``. Outputs behind it are zero, and states those at it.

        Returns
        -------
        outputs : NDArray or list of NDArray
        states : list of NDArray
            The states after the last step.
        """
        self.reset()
        steps, axis, F, batch_size = as_steps(length, inputs, layout)
        states = starting_states(self, F, begin_state, steps, batch_size)
        outputs, history = [], []
        for step in steps:
            output, states = self(step, states)
            outputs.append(output)
            if valid_length is not None:
                history.append(states)
        if valid_length is None:
            return (merged(F, outputs, axis) if merge_outputs else outputs), states
        outputs = masked(F, merged(F, outputs, axis), valid_length, axis)
        if merge_outputs is False:
            outputs = as_steps(length, outputs, layout)[0]
        return outputs, last_states(F, history, valid_length)

    def _get_activation(self, F, inputs, activation, **kwargs):
        """Applies an activation given by name, as a block or as a function."""
        if isinstance(activation, str):
            if activation in ("tanh", "relu", "sigmoid", "softsign"):
                return getattr(F, activation)(inputs, **kwargs)
            return F.Activation(inputs, act_type=activation, **kwargs)
        if isinstance(activation, LeakyReLU):
            return F.LeakyReLU(inputs, act_type="leaky", slope=activation._alpha, **kwargs)
        return activation(inputs, **kwargs)

    def forward(self, inputs, states):
        """Outputs and new states of one step; counts the steps for the names of the operators."""
        self._counter += 1
        return super().forward(inputs, states)

    @property
    def _step_prefix(self):
        return f"t{self._counter}_"


class HybridRecurrentCell(RecurrentCell, HybridBlock):
    """The base of recurrent cells that override `hybrid_forward` and can be hybridized."""

    _watches_forward = False  # which only counts

    def hybrid_forward(self, F, x, *args, **kwargs):
        """Outputs and new states of one step; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must override hybrid_forward")

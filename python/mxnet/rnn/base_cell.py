"""What all cells share: weights, states, unrolling, and the sums behind the gates."""
from .. import ndarray, symbol

__all__ = ["BaseRNNCell", "RNNParams", "as_cells", "as_steps", "gru_step", "lstm_step"]


def as_cells(cells):
    """A list of cells from a cell or a list."""
    return [cells] if isinstance(cells, BaseRNNCell) else list(cells)


def as_steps(length, inputs, layout, merge, in_layout=None):
    """Inputs as a list of steps (merge False) or as one symbol (True), or as they are (None), with the time axis.

    Returns ``(inputs, axis)``; `layout` is that of the result.
    """
    if inputs is None:
        raise AssertionError("unroll: inputs must be given")
    axis = layout.find("T")
    in_axis = in_layout.find("T") if in_layout is not None else axis
    if isinstance(inputs, symbol.Symbol):
        if merge is False:
            if len(inputs.list_outputs()) != 1:
                raise AssertionError("unroll takes one symbol for all steps, or a list of symbols; a grouped symbol "
                                     "must be made a list")
            inputs = list(symbol.split(inputs, axis=in_axis, num_outputs=length, squeeze_axis=1))
        elif axis != in_axis:
            inputs = symbol.swapaxes(inputs, dim1=axis, dim2=in_axis)
        return inputs, axis
    if length is not None and len(inputs) != length:
        raise AssertionError(f"unroll: got {len(inputs)} inputs for {length} steps")
    if merge is True:
        inputs = symbol.concat(*[symbol.expand_dims(x, axis=axis) for x in inputs], dim=axis)
    return inputs, axis


class RNNParams:
    """Variables of weights that cells share; names start with `prefix`."""

    def __init__(self, prefix=""):
        self._prefix = prefix
        self._params = {}

    def get(self, name, **kwargs):
        """The variable of a weight, made if it is new."""
        name = self._prefix + name
        if name not in self._params:
            self._params[name] = symbol.Variable(name, **kwargs)
        return self._params[name]


class BaseRNNCell:
    """The interface of cells.

    Parameters
    ----------
    prefix : str
        Start of the names of weights and outputs.
    params : RNNParams, optional
        Weights to share; own ones by default.
    """

    def __init__(self, prefix="", params=None):
        self._own_params = params is None
        self._params = RNNParams(prefix) if params is None else params
        self._prefix = prefix
        self._modified = False
        self.reset()

    def reset(self):
        """Forgets how often the cell was called, so that it can be unrolled again."""
        self._init_counter = self._counter = -1
        for cell in getattr(self, "_cells", ()):
            cell.reset()

    def __call__(self, inputs, states):
        """``(output, states)`` of one step, all symbols."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__")

    def _step_name(self):
        self._counter += 1
        return f"{self._prefix}t{self._counter}_"

    @property
    def params(self):
        """The weights of the cell."""
        self._own_params = False
        return self._params

    @property
    def state_info(self):
        """Shape and layout of each state; 0 stands for the batch."""
        raise NotImplementedError(f"{type(self).__name__} must define state_info")

    @property
    def state_shape(self):
        """Shapes of the states."""
        return [info["shape"] for info in self.state_info]

    @property
    def _gate_names(self):
        return ()

    def begin_state(self, func=symbol.zeros, **kwargs):
        """Initial states, made by `func`, which gets ``name`` and the shape."""
        assert not self._modified, ("After applying modifier cells (e.g. DropoutCell) the base cell cannot be called "
                                    "directly. Call the modifier cell instead.")
        states = []
        for info in self.state_info:
            self._init_counter += 1
            states.append(func(name=f"{self._prefix}begin_state_{self._init_counter}", **{**kwargs, **(info or {})}))
        return states

    def unpack_weights(self, args):
        """Parameters with the gates' weights apart, as ``lstm_i2h_i_weight``."""
        args = dict(args)
        if not self._gate_names:
            return args
        hidden = self._num_hidden
        for group in ("i2h", "h2h"):
            for kind in ("weight", "bias"):
                packed = args.pop(f"{self._prefix}{group}_{kind}")
                for j, gate in enumerate(self._gate_names):
                    args[f"{self._prefix}{group}{gate}_{kind}"] = packed[j * hidden:(j + 1) * hidden].copy()
        return args

    def pack_weights(self, args):
        """The reverse of `unpack_weights`."""
        args = dict(args)
        if not self._gate_names:
            return args
        for group in ("i2h", "h2h"):
            for kind in ("weight", "bias"):
                parts = [args.pop(f"{self._prefix}{group}{gate}_{kind}") for gate in self._gate_names]
                args[f"{self._prefix}{group}_{kind}"] = ndarray.concatenate(parts)
        return args

    def unroll(self, length, inputs, begin_state=None, layout="NTC", merge_outputs=None):
        """Runs the cell over `length` steps.

        Parameters
        ----------
        length : int
            Number of steps.
        inputs : Symbol or list of Symbol
            All steps in one symbol of `layout`, or one symbol for each.
        begin_state : list of Symbol, optional
            Initial states; zeros by default.
        layout : str
            ``'NTC'`` or ``'TNC'``.
        merge_outputs : bool, optional
            Whether outputs come in one symbol; by default as is least work.

        Returns
        -------
        outputs : Symbol or list of Symbol
            The outputs.
        states : list of Symbol
            The last states.
        """
        self.reset()
        inputs, _ = as_steps(length, inputs, layout, False)
        states = self.begin_state() if begin_state is None else begin_state
        outputs = []
        for step in inputs:
            output, states = self(step, states)
            outputs.append(output)
        return as_steps(length, outputs, layout, merge_outputs)[0], states

    def _activate(self, inputs, activation, **kwargs):
        if isinstance(activation, str):
            return symbol.Activation(inputs, act_type=activation, **kwargs)
        return activation(inputs, **kwargs)


def lstm_step(gates, cell, activation, name, activate):
    """``(h, c)`` from the sums of the four gates: input, forget, transform, output."""
    i, f, c, o = symbol.SliceChannel(gates, num_outputs=4, name=f"{name}slice")
    i = symbol.Activation(i, act_type="sigmoid", name=f"{name}i")
    f = symbol.Activation(f, act_type="sigmoid", name=f"{name}f")
    c = activate(c, activation, name=f"{name}c")
    o = symbol.Activation(o, act_type="sigmoid", name=f"{name}o")
    new = symbol._internal._plus(f * cell, i * c, name=f"{name}state")
    return symbol._internal._mul(o, activate(new, activation), name=f"{name}out"), new


def gru_step(i2h, h2h, state, activation, name, activate):
    """The new state from the parts of the three gates: reset, update, new."""
    i_r, i_z, i_n = symbol.SliceChannel(i2h, num_outputs=3, name=f"{name}i2h_slice")
    h_r, h_z, h_n = symbol.SliceChannel(h2h, num_outputs=3, name=f"{name}h2h_slice")
    reset = symbol.Activation(i_r + h_r, act_type="sigmoid", name=f"{name}r_act")
    update = symbol.Activation(i_z + h_z, act_type="sigmoid", name=f"{name}z_act")
    new = activate(i_n + reset * h_n, activation, name=f"{name}h_act")
    return symbol._internal._plus((1.0 - update) * new, update * state, name=f"{name}out")

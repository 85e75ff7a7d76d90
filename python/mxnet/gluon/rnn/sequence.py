"""Sequences as one array or as a list of steps, and their ends."""
from ... import ndarray
from ...ndarray import NDArray


def operators_for(x):
    """The module with the operators for an array or symbol."""
    if isinstance(x, NDArray):
        return ndarray
    from ... import symbol
    return symbol


def tensor_like(inputs):
    """Whether a sequence is one array and not a list of steps."""
    return not isinstance(inputs, (list, tuple))


def as_steps(length, inputs, layout):
    """A sequence as a list of steps.

    Returns
    -------
    steps : list
        One array ``(batch, ..)`` for each step.
    axis : int
        The axis of time in the layout.
    F : module
        The operators for the arrays.
    batch_size : int
        Number of sequences, 0 if not known.

    Raises
    ------
    AssertionError
        When there are not `length` steps.
    """
    axis = layout.find("T")
    first = inputs if tensor_like(inputs) else inputs[0]
    F = operators_for(first)
    if tensor_like(inputs):
        shape = inputs.shape if F is ndarray else None
        if shape is not None and shape[axis] != length:
            raise AssertionError(f"unroll: inputs of shape {shape} have {shape[axis]} steps, expected {length}")
        batch_size = shape[layout.find("N")] if shape else 0
        steps = F.split(inputs, axis=axis, num_outputs=length, squeeze_axis=1)
        return (list(steps) if length > 1 else [steps]), axis, F, batch_size
    if len(inputs) != length:
        raise AssertionError(f"unroll: got {len(inputs)} steps, expected {length}")
    return list(inputs), axis, F, first.shape[0] if F is ndarray else 0


def merged(F, steps, axis):
    """Steps as one array with time at `axis`."""
    return F.stack(*steps, axis=axis)


def masked(F, whole, valid_length, axis):
    """One array with zeros behind the end of each sequence."""
    return F.SequenceMask(whole, sequence_length=valid_length, use_sequence_length=True, axis=axis)


def last_states(F, history, valid_length):
    """The states at the end of each sequence, from those after each step."""
    return [F.SequenceLast(F.stack(*states, axis=0), sequence_length=valid_length, use_sequence_length=True, axis=0)
            for states in zip(*history)]


def reversed_steps(F, steps, valid_length):
    """Steps in reverse order; with lengths each sequence by itself, what lies behind its end staying."""
    if valid_length is None:
        return list(reversed(steps))
    whole = F.SequenceReverse(F.stack(*steps, axis=0), sequence_length=valid_length, use_sequence_length=True)
    return as_steps(len(steps), whole, "TNC")[0]


def starting_states(cell, F, begin_state, steps, batch_size):
    """The states given, or zeros where the inputs are."""
    if begin_state is not None:
        return begin_state
    if F is ndarray:
        return cell.begin_state(batch_size=batch_size, func=F.zeros, ctx=steps[0].context, dtype=steps[0].dtype)
    return cell.begin_state(batch_size=0, func=F.zeros)


# ---- Under these names cells of other programs, written after those of MXNet 1.x, look for the helpers. ----

def _format_sequence(length, inputs, layout, merge, in_layout=None):
    """A sequence in `layout` as one array if `merge` is true, as a list of steps if it is False, else as it is given.

    Returns it with the axis of time, the module of the operators and the number of sequences, as `as_steps` does.
    """
    axis = layout.find("T")
    in_axis = (in_layout or layout).find("T")
    steps, _, F, _ = as_steps(length, inputs, in_layout or layout)
    if merge is False or (merge is None and not tensor_like(inputs)):
        result = steps
    elif tensor_like(inputs):
        result = inputs if axis == in_axis else F.swapaxes(inputs, dim1=axis, dim2=in_axis)
    else:
        result = merged(F, steps, axis)
    batch = 0
    if F is ndarray:
        batch = inputs.shape[(in_layout or layout).find("N")] if tensor_like(inputs) else steps[0].shape[0]
    return result, axis, F, batch


def _get_begin_state(cell, F, begin_state, inputs, batch_size):
    return starting_states(cell, F, begin_state, [inputs] if tensor_like(inputs) else inputs, batch_size)


def _mask_sequence_variable_length(F, data, length, valid_length, time_axis, merge):
    whole = masked(F, data if tensor_like(data) else merged(F, data, time_axis), valid_length, time_axis)
    return whole if merge else as_steps(length, whole, "NTC" if time_axis else "TNC")[0]


def _reverse_sequences(sequences, unroll_step, valid_length=None):
    return reversed_steps(operators_for(sequences[0]), sequences, valid_length)


def _cells_state_info(cells, batch_size):
    return [info for cell in cells for info in cell.state_info(batch_size)]


def _cells_begin_state(cells, **kwargs):
    return [state for cell in cells for state in cell.begin_state(**kwargs)]

"""Contributed operators, and loops and branches whose body is a Python function."""
import math

from .. import _core
from ..context import current_context
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import _adaptive_updates, op, random
from . import register as _register
from ._adaptive_updates import *  # noqa: F403

_functions = _register.functions("contrib")
globals().update(_functions)

__all__ = sorted({*_functions, *_adaptive_updates.__all__,
                  "cond", "foreach", "isfinite", "isinf", "isnan", "rand_zipfian", "while_loop"})


def _flatten(value, what):
    """The arrays in a nested list, and the function that nests others in the same way."""
    if isinstance(value, _core.NDArrayBase):
        return [value], lambda arrays: arrays.pop(0)
    if not isinstance(value, (list, tuple)):
        raise MXTypeError(f"{what} must be an NDArray or a nested list of them, got {type(value).__name__}")
    arrays, makers = [], []
    for item in value:
        found, maker = _flatten(item, what)
        arrays += found
        makers.append(maker)
    return arrays, lambda given: [maker(given) for maker in makers]


def _stack(steps, nest, padding=0):
    """The outputs of the steps side by side on a new axis 0, followed by zeros, nested as they were."""
    if not steps:
        return []
    return nest([op.stack(*column, *[op.zeros_like(column[0])] * padding, axis=0) for column in zip(*steps)])


def _collect(steps, output, what):
    """Adds the arrays of an output to `steps`; gives the function that nests others in the same way."""
    found, nest = _flatten(output, what)
    if steps and len(found) != len(steps[0]):
        raise MXValueError(f"{what} must hold as many arrays in every call, got {len(steps[0])}, then {len(found)}")
    steps.append(found)
    return nest


def foreach(body, data, init_states):
    """Calls a function for each slice along axis 0 of `data`, handing states on from call to call.

    Parameters
    ----------
    body : function
        ``body(slice, states) -> (output, new_states)``, both arrays or nested lists of them.
    data : NDArray or nested list of NDArray
        What to iterate over; all have the same extent of axis 0.
    init_states : NDArray or nested list of NDArray
        The first states.

    Returns
    -------
    outputs, states
        The outputs stacked along a new axis 0, nested like those of `body`, and the last states. Without any
        slice the outputs are ``[]``.

    Examples
    --------
    >>> outputs, states = mx.nd.contrib.foreach(lambda x, s: (x + s, x + s), mx.nd.arange(4), mx.nd.zeros((1,)))
    >>> states
    <BLANKLINE>
    [6.]
    <NDArray 1 @cpu(0)>
    """
    arrays, nest_data = _flatten(data, "foreach: data")
    _flatten(init_states, "foreach: init_states")
    lengths = {a.shape[0] for a in arrays}
    if len(lengths) != 1:
        raise MXValueError(f"foreach: data must agree in the extent of axis 0, got {sorted(lengths)}")
    states, steps, nest = init_states, [], None
    for i in range(lengths.pop()):
        output, states = body(nest_data([a[i] for a in arrays]), states)
        nest = _collect(steps, output, "foreach: the output of body")
        _flatten(states, "foreach: the states of body")
    return _stack(steps, nest), states


def while_loop(cond, func, loop_vars, max_iterations=None):
    """Calls a function while a condition holds, at most `max_iterations` times.

    Parameters
    ----------
    cond : function
        ``cond(*loop_vars)``, an array of one element or a number.
    func : function
        ``func(*loop_vars) -> (output, new_loop_vars)``; the output is an array or a nested list.
    loop_vars : NDArray or nested list of NDArray
        The first values.
    max_iterations : int
        Bound on the number of calls, and extent of axis 0 of the outputs.

    Returns
    -------
    outputs, loop_vars
        The outputs stacked along a new axis 0, zeros after the last call, and the last values. Without any
        call the outputs are ``[]``.

    Examples
    --------
    >>> outputs, (i,) = mx.nd.contrib.while_loop(
    ...     lambda i: i < 2, lambda i: (i * 10, [i + 1]), [mx.nd.zeros((1,))], max_iterations=3)
    >>> outputs.asnumpy().tolist(), i.asscalar()
    ([[0.0], [10.0], [0.0]], np.float32(2.0))
    """
    try:
        max_iterations = int(max_iterations)
    except (TypeError, ValueError):
        raise MXValueError(f"while_loop: max_iterations must be given, as an int, got {max_iterations!r}") from None
    single = isinstance(loop_vars, _core.NDArrayBase)
    _flatten(loop_vars, "while_loop: loop_vars")
    variables = [loop_vars] if single else list(loop_vars)
    if not variables:
        raise MXValueError("while_loop: loop_vars must hold at least one array")
    steps, nest = [], None
    while len(steps) < max_iterations and bool(cond(*variables)):
        output, changed = func(*variables)
        changed = [changed] if isinstance(changed, _core.NDArrayBase) else list(changed or [])
        if len(changed) != len(variables):
            raise MXValueError(f"while_loop: func must return {len(variables)} loop variables, got {len(changed)}")
        variables = changed
        nest = _collect(steps, [] if output is None else output, "while_loop: the output of func")
    return _stack(steps, nest, max_iterations - len(steps)), variables[0] if single else variables


def cond(pred, then_func, else_func):
    """``then_func()`` if `pred`, an array of one element or a bool, is not 0, else ``else_func()``.

    Examples
    --------
    >>> mx.nd.contrib.cond(mx.nd.array([1]), lambda: 'yes', lambda: 'no')
    'yes'
    """
    return then_func() if pred else else_func()


def isinf(data):
    """1 where `data` is positive or negative infinity, 0 elsewhere, in its element type.

    Examples
    --------
    >>> mx.nd.contrib.isinf(mx.nd.array([1, float('inf')]))
    <BLANKLINE>
    [0. 1.]
    <NDArray 2 @cpu(0)>
    """
    return op.abs(data) == math.inf


def isfinite(data):
    """1 where `data` is a number other than the infinities, 0 elsewhere, in its element type.

    Examples
    --------
    >>> mx.nd.contrib.isfinite(mx.nd.array([1, float('nan')]))
    <BLANKLINE>
    [1. 0.]
    <NDArray 2 @cpu(0)>
    """
    return (data == data) * (op.abs(data) != math.inf)


def isnan(data):
    """1 where `data` is not a number, 0 elsewhere, in its element type.

    Examples
    --------
    >>> mx.nd.contrib.isnan(mx.nd.array([1, float('nan')]))
    <BLANKLINE>
    [0. 1.]
    <NDArray 2 @cpu(0)>
    """
    return data != data


def rand_zipfian(true_classes, num_sampled, range_max, ctx=None):
    """Classes drawn from an approximately Zipfian distribution, for sampled softmax.

    Class ``k`` has probability ``log((k + 2) / (k + 1)) / log(range_max + 1)``, so that low numbers,
    the frequent classes, are drawn most.

    Parameters
    ----------
    true_classes : NDArray
        Classes whose expected counts are wanted, shape ``(n,)``.
    num_sampled : int
        How many classes to draw, with replacement.
    range_max : int
        Classes are in ``[0, range_max)``.
    ctx : Context, optional
        Default is the current context.

    Returns
    -------
    samples, expected_true, expected_sampled : NDArray
        The draws, int64 of shape ``(num_sampled,)``; how often the true and the drawn classes are to be
        expected among them, float64 of shapes ``(n,)`` and ``(num_sampled,)``.

    Examples
    --------
    >>> samples, _, _ = mx.nd.contrib.rand_zipfian(mx.nd.array([3]), 4, 5)
    >>> samples.shape
    (4,)
    """
    ctx = current_context() if ctx is None else ctx
    log_range = math.log(range_max + 1)

    def expected(classes):
        return op.log((classes + 2.0) / (classes + 1.0)) / log_range * num_sampled

    draws = random.uniform(0, log_range, shape=(num_sampled,), dtype="float64", ctx=ctx)
    samples = (op.exp(draws) - 1).astype("int64") % range_max
    true = true_classes.as_in_context(ctx).astype("float64")
    return samples, expected(true), expected(samples.astype("float64"))

"""The helpers of `mx.test_utils` that work on symbols."""
import time

import numpy as np

from . import autograd, ndarray
from .context import current_context
from .ndarray import NDArray
from .symbol import Symbol  # noqa: F401 - test programs find it in test_utils

__all__ = ["Symbol", "check_consistency", "check_gluon_hybridize_consistency", "check_speed",
           "check_symbolic_backward", "check_symbolic_forward", "numeric_grad", "simple_forward"]


def _compare(*args, **kwargs):
    from .test_utils import assert_almost_equal
    assert_almost_equal(*args, **kwargs)


def _arrays(names, values, ctx, dtype, what):
    """Values given by position or name as a dict of NDArrays, checked against the names of a symbol."""
    if isinstance(values, dict):
        if set(values) != set(names):
            raise ValueError(f"Symbol {what} and keys of the given values do not match: symbol {list(names)}, "
                             f"given {list(values)}")
        values = [values[name] for name in names]
    if len(values) != len(names):
        raise ValueError(f"got {len(values)} values for the {len(names)} {what} {list(names)}")

    def convert(value):
        if isinstance(value, NDArray):
            return value if dtype == "asnumpy" or value.dtype == dtype else value.astype(dtype)
        value = np.asarray(value)
        return ndarray.array(value, ctx=ctx, dtype=value.dtype if dtype == "asnumpy" else dtype)
    return {name: convert(value).as_in_context(ctx) for name, value in zip(names, values)}


def _location(sym, values, ctx, dtype):
    return _arrays(sym.list_arguments(), values, ctx, dtype, "arguments")


def _states(sym, values, ctx, dtype):
    return _arrays(sym.list_auxiliary_states(), values or [], ctx, dtype, "auxiliary states")


def _copied(arrays):
    return {name: array.copy() for name, array in arrays.items()}


def simple_forward(sym, ctx=None, is_train=False, **inputs):
    """The outputs of a symbol for NumPy arrays given by name: a NumPy array, or a list of them.

    Examples
    --------
    >>> mx.test_utils.simple_forward(mx.sym.var("x") + 1, x=np.zeros((2,)))
    array([1., 1.], dtype=float32)
    """
    ctx = ctx or current_context()
    arrays = {name: ndarray.array(value, ctx=ctx) for name, value in inputs.items()}
    executor = sym.bind(ctx, args=arrays)
    outputs = [out.asnumpy() for out in executor.forward(is_train=is_train)]
    return outputs[0] if len(outputs) == 1 else outputs


def check_symbolic_forward(sym, location, expected, rtol=None, atol=None, aux_states=None, ctx=None, equal_nan=False,
                           dtype=np.float32):
    """Raises AssertionError unless a symbol computes what is expected.

    Parameters
    ----------
    sym : Symbol
        What to compute.
    location : list or dict of array_like
        The arguments.
    expected : list or dict of array_like
        The outputs.
    rtol, atol : float, optional
        Tolerances.
    aux_states : list or dict of array_like, optional
        The auxiliary states.
    ctx : Context, optional
        Where to compute.
    equal_nan : bool
        Whether NaNs are equal.
    dtype : numpy type
        Element type of the arguments; 'asnumpy' keeps their own.

    Returns
    -------
    list of NDArray
        The outputs.

    Examples
    --------
    >>> x = mx.sym.var("x")
    >>> _ = mx.test_utils.check_symbolic_forward(x * 2, [np.array([1.0])], [np.array([2.0])])
    """
    ctx = ctx or current_context()
    if isinstance(expected, dict):
        expected = [expected[name] for name in sym.list_outputs()]
    args = _location(sym, location, ctx, dtype)
    gradients = {name: ndarray.empty(array.shape, ctx=ctx, dtype=array.dtype) for name, array in args.items()}
    executor = sym.bind(ctx, args=args, args_grad=gradients, aux_states=_states(sym, aux_states, ctx, dtype))
    outputs = executor.forward(is_train=False)
    for name, want, have in zip(sym.list_outputs(), expected, outputs):
        _compare(want, have.asnumpy(), rtol, atol, (f"EXPECTED_{name}", f"FORWARD_{name}"), equal_nan=equal_nan)
    return outputs


def check_symbolic_backward(sym, location, out_grads, expected, rtol=None, atol=None, aux_states=None,
                            grad_req="write", ctx=None, grad_stypes=None, equal_nan=False, dtype=np.float32):
    """Raises AssertionError unless the gradients of a symbol are what is expected.

    Parameters
    ----------
    out_grads : list or dict of array_like, or None
        Gradients of the outputs.
    expected : list or dict of array_like
        Gradients of the arguments, or (dict) of some.
    grad_req : str, list or dict
        What happens to each gradient; with 'add' it begins at random numbers, with 'null' it must stay.
    sym, location, rtol, atol, aux_states, ctx, equal_nan, dtype
        See `check_symbolic_forward`.

    Returns
    -------
    dict of str to NDArray
        The gradients.

    Examples
    --------
    >>> x = mx.sym.var("x")
    >>> _ = mx.test_utils.check_symbolic_backward(x * 2, [np.array([1.0])], [np.ones(1)], [np.array([2.0])])
    """
    ctx = ctx or current_context()
    names = sym.list_arguments()
    args = _location(sym, location, ctx, dtype)
    if isinstance(expected, (list, tuple)):
        expected = dict(zip(names, expected))
    if isinstance(grad_req, str):
        grad_req = dict.fromkeys(names, grad_req)
    elif isinstance(grad_req, (list, tuple)):
        grad_req = dict(zip(names, grad_req))
    start = {name: np.random.normal(size=args[name].shape).astype(args[name].dtype) for name in expected}
    gradients = {name: ndarray.array(value, ctx=ctx, dtype=value.dtype) for name, value in start.items()}
    executor = sym.bind(ctx, args=args, args_grad=gradients, grad_req=grad_req,
                        aux_states=_states(sym, aux_states, ctx, dtype))
    outputs = executor.forward(is_train=True)
    if isinstance(out_grads, dict):
        out_grads = [out_grads[name] for name in sym.list_outputs()]
    if out_grads is not None:
        out_grads = [g if isinstance(g, NDArray) else
                     ndarray.array(g, ctx=ctx, dtype=out.dtype if dtype == "asnumpy" else dtype)
                     for g, out in zip(out_grads, outputs)]
        out_grads = [g.astype(out.dtype) for g, out in zip(out_grads, outputs)]
    executor.backward(out_grads)
    for name, want in expected.items():
        have = gradients[name].asnumpy()
        want = want.asnumpy() if isinstance(want, NDArray) else np.asarray(want)
        names_ = (f"EXPECTED_{name}", f"BACKWARD_{name}")
        request = grad_req.get(name, "null")
        if request == "add":
            want = want + start[name]
        elif request == "null":
            want = start[name]
        elif request != "write":
            raise ValueError(f"Invalid grad_req {request} for argument {name}")
        _compare(want, have, rtol, atol, names_, equal_nan=equal_nan)
    return gradients


def numeric_grad(executor, location, aux_states=None, eps=1e-4, use_forward_train=True, dtype=np.float32,
                 weights=None):
    """Gradients of the sum of an executor's outputs by finite differences.

    Parameters
    ----------
    executor : Executor
        What computes.
    location : dict of str to array_like
        The arguments.
    aux_states : dict of str to array_like, optional
        Auxiliary states, set anew before each run.
    eps : float
        Step.
    use_forward_train : bool
        Whether to run for training.
    dtype : numpy type
        Element type of the result.
    weights : list of numpy.ndarray, optional
        Factors of the outputs in the sum.

    Returns
    -------
    dict of str to numpy.ndarray
    """
    def set_states():
        for name, value in (aux_states or {}).items():
            executor.aux_dict[name][:] = value

    def total():
        set_states()
        outputs = executor.forward(is_train=use_forward_train)
        return sum(float((out.asnumpy().astype("float64") * (1 if weights is None else w)).sum())
                   for out, w in zip(outputs, weights or [1] * len(outputs)))
    gradients = {}
    for name, value in location.items():
        executor.arg_dict[name][:] = value
    for name, value in location.items():
        array = executor.arg_dict[name]
        if np.dtype(array.dtype).kind != "f":
            continue
        values = np.array(value.asnumpy() if isinstance(value, NDArray) else value, dtype=array.dtype)
        gradient = np.zeros(values.shape, dtype=dtype)
        for i in np.ndindex(values.shape):
            old = values[i]
            values[i] = old + eps / 2
            array[:] = values
            above = total()
            values[i] = old - eps / 2
            array[:] = values
            gradient[i] = (above - total()) / eps
            values[i] = old
        array[:] = values
        gradients[name] = gradient
    return gradients


def symbol_gradient_check(sym, location, aux_states, eps, rtol, atol, grad_nodes, use_forward_train, ctx, dtype):
    """`check_numeric_gradient` for symbols."""
    args, states = _location(sym, location, ctx, dtype), _states(sym, aux_states, ctx, dtype)
    if grad_nodes is None:
        requests = {name: "write" for name, array in args.items() if np.dtype(array.dtype).kind == "f"}
    else:
        requests = dict(grad_nodes) if isinstance(grad_nodes, dict) else dict.fromkeys(grad_nodes, "write")
    gradients = {name: ndarray.zeros(args[name].shape, ctx=ctx, dtype=args[name].dtype) for name in requests}
    before = {name: state.asnumpy() for name, state in states.items()}
    executor = sym.bind(ctx, args=_copied(args), args_grad=gradients, grad_req=requests, aux_states=_copied(states))
    outputs = executor.forward(is_train=True)
    weights = [np.random.uniform(0.5, 1.5, out.shape) for out in outputs]
    executor.backward([ndarray.array(w, ctx=ctx, dtype=out.dtype) for w, out in zip(weights, outputs)])
    have = {name: gradient.asnumpy() for name, gradient in gradients.items()}
    probe = sym.bind(ctx, args=_copied(args), grad_req="null", aux_states=_copied(states))
    wanted = numeric_grad(probe, {name: args[name] for name in requests if requests[name] != "null"}, before, eps,
                          use_forward_train, np.float64, weights)
    for name, want in wanted.items():
        _compare(want, have[name], rtol, atol, (f"NUMERICAL_{name}", f"BACKWARD_{name}"))


def check_consistency(sym, ctx_list, scale=1.0, grad_req="write", arg_params=None, aux_params=None, rtol=None,
                      atol=None, raise_on_err=True, ground_truth=None, equal_nan=False, use_uniform=False,
                      rand_type=np.float64):
    """Compares a symbol on several contexts and in several element types, forward and backward.

    Parameters
    ----------
    sym : Symbol or list of Symbol
        What to compute, one for all or one for each context.
    ctx_list : list of dict
        Arguments of `Symbol.simple_bind` for each: ``ctx``, shapes, and ``type_dict``.
    scale : float
        Size of the random arguments.
    grad_req : str
        What happens to gradients; 'null' leaves backward out.
    arg_params, aux_params : dict, optional
        Values instead of random ones.
    rtol, atol : float or dict of dtype to float, optional
        Tolerances; by element type by default.
    raise_on_err : bool
        Whether to raise; otherwise differences are printed.
    ground_truth : dict of str to NDArray, optional
        What to compare with; the result of the widest element type by default.

    Returns
    -------
    dict of str to NDArray
        Outputs and gradients that the others were compared with.
    """
    widths = {np.dtype("float16"): 1e-1, np.dtype("float32"): 1e-3, np.dtype("float64"): 1e-5}
    symbols = sym if isinstance(sym, (list, tuple)) else [sym] * len(ctx_list)
    executors = [s.simple_bind(grad_req=grad_req, **dict(kwargs)) for s, kwargs in zip(symbols, ctx_list)]
    arg_params, aux_params = dict(arg_params or {}), dict(aux_params or {})
    for name, array in executors[0].arg_dict.items():
        if name not in arg_params:
            draw = np.random.uniform(-0.92, 0.92, array.shape) if use_uniform else np.random.normal(size=array.shape)
            arg_params[name] = (draw * scale).astype(rand_type)
    for name, array in executors[0].aux_dict.items():
        aux_params.setdefault(name, np.zeros(array.shape))
    results = []
    for executor in executors:
        for name, array in executor.arg_dict.items():
            array[:] = np.asarray(arg_params[name]).astype(array.dtype)
        for name, array in executor.aux_dict.items():
            array[:] = np.asarray(aux_params[name]).astype(array.dtype)
        outputs = executor.forward(is_train=grad_req != "null")
        found = dict(zip(symbols[0].list_outputs(), outputs))
        if grad_req != "null":
            executor.backward([out.ones_like() for out in outputs] if outputs else None)
            found.update({f"grad_{k}": v for k, v in executor.grad_dict.items() if v is not None})
        results.append({name: array.copy() for name, array in found.items()})
    kinds = [np.dtype(executor.outputs[0].dtype) for executor in executors]
    best = max(range(len(executors)), key=lambda i: kinds[i].itemsize)
    truth = ground_truth if ground_truth is not None else results[best]
    for i, found in enumerate(results):
        if i == best and ground_truth is None:
            continue

        def tolerance(given, kind):
            given = given.get(kind, given.get(kind.type)) if isinstance(given, dict) else given
            return widths.get(kind, 1e-3) if given is None else given
        for name in found:
            try:
                _compare(found[name].astype("float64").asnumpy(), truth[name].astype("float64").asnumpy(),
                         tolerance(rtol, kinds[i]), tolerance(atol, kinds[i]), (f"ctx {i} {name}", "truth"),
                         equal_nan=equal_nan)
            except AssertionError as error:
                if raise_on_err:
                    raise
                print(f"check_consistency: {error}")
    return truth


def check_speed(sym, location=None, ctx=None, N=20, grad_req=None, typ="whole", **kwargs):
    """Seconds that a symbol takes: forward alone (`typ` 'forward'), or with backward ('whole').

    Parameters
    ----------
    sym : Symbol
        What to compute.
    location : dict of str to numpy.ndarray, optional
        The arguments; random by default, of the shapes in `kwargs`.
    ctx : Context, optional
        Where to compute.
    N : int
        How many runs to average.
    grad_req : str, optional
        What happens to gradients; 'write' by default.
    """
    if typ not in ("whole", "forward"):
        raise ValueError('typ can only be "whole" or "forward".')
    ctx = ctx or current_context()
    shapes = kwargs if location is None else {name: value.shape for name, value in location.items()}
    executor = sym.simple_bind(ctx, grad_req=grad_req or "write", **shapes)
    for name, array in executor.arg_dict.items():
        array[:] = np.random.normal(size=array.shape) if location is None or name not in location else location[name]

    def run():
        outputs = executor.forward(is_train=typ == "whole")
        if typ == "whole":
            executor.backward([out.ones_like() for out in outputs])
    run()
    ndarray.waitall()
    start = time.perf_counter()
    for _ in range(N):
        run()
    ndarray.waitall()
    return (time.perf_counter() - start) / N


def check_gluon_hybridize_consistency(net_builder, data_l, numpy_func=None, test_grad=True, rtol=1e-4, atol=1e-4):
    """Raises AssertionError unless a block gives the same hybridized and not, forward and backward.

    Parameters
    ----------
    net_builder : function
        Makes the block; called twice.
    data_l : list of array_like
        Inputs.
    numpy_func : function, optional
        Gives the expected output from NumPy arrays.
    test_grad : bool
        Whether to compare gradients of the inputs.
    rtol, atol : float
        Tolerances.
    """
    saved, results = None, []
    for hybridize in (False, True):
        net = net_builder()
        net.initialize()
        if hybridize:
            net.hybridize()
        inputs = [ndarray.array(x) if not isinstance(x, NDArray) else x.copy() for x in data_l]
        with autograd.pause():
            net(*inputs)
        params = list(net.collect_params().values())
        if saved is None:
            saved = [param.data().copy() for param in params]
        for param, value in zip(params, saved):
            param.set_data(value)
        for x in inputs if test_grad else ():
            x.attach_grad()
        with autograd.record(train_mode=False):
            out = net(*inputs)
        if test_grad:
            out.backward(out.ones_like())
        results.append([out.asnumpy(), *(x.grad.asnumpy() for x in inputs if test_grad)])
    for have, want in zip(*results):
        _compare(have, want, rtol, atol)
    if numpy_func is not None:
        _compare(results[0][0], numpy_func(*map(np.asarray, data_l)), rtol, atol)

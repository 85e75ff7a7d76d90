"""Checks of symbols: results and gradients of their executors, on one device or several."""
import json
import time

import numpy as np

from .. import autograd, ndarray
from ..error import ValueError as MXValueError
from ..ndarray import NDArray, array
from .comparing import (
    _numpy,
    assert_almost_equal,
    default_context,
    default_dtype,
    get_atol,
    get_rtol,
)


def _named_arrays(given, names, what, ctx, dtype):
    """Values in the order of `names` or by name, as NDArrays by name; `dtype` "asnumpy" leaves each its own."""
    if given is None:
        return {}
    if isinstance(given, dict):
        if set(given) != set(names):
            raise MXValueError(f"the symbol's {what}s are {sorted(names)}, got values for {sorted(given)}")
    else:
        given = dict(zip(names, given))

    def as_array(value):
        if isinstance(value, NDArray):
            return value.as_in_context(ctx)
        value = np.asarray(value)
        return array(value, ctx=ctx, dtype=value.dtype if isinstance(dtype, str) and dtype == "asnumpy" else dtype)
    return {name: as_array(given[name]) for name in names if name in given}


def simple_forward(sym, ctx=None, is_train=False, **inputs):
    """The outputs of a symbol as NumPy arrays: one, or a list of several.

    Parameters
    ----------
    sym : Symbol
        What to compute.
    ctx : Context, optional
        Where.
    is_train : bool
        Whether as in training.
    inputs
        The arguments by name.
    """
    ctx = ctx or default_context()
    inputs = {name: array(_numpy(value)) for name, value in inputs.items()}
    executor = sym.bind(ctx, args=inputs)
    outputs = [out.asnumpy() for out in executor.forward(is_train=is_train)]
    return outputs[0] if len(outputs) == 1 else outputs


def check_symbolic_forward(sym, location, expected, rtol=None, atol=None, aux_states=None, ctx=None, equal_nan=False,
                           dtype=default_dtype()):  # noqa: B008
    """Compares the outputs of a symbol with expected ones.

    Parameters
    ----------
    sym : Symbol
        What to compute.
    location : list or dict of str to array_like
        The arguments, in order or by name.
    expected : list or dict of str to array_like
        The outputs, in order or by name.
    rtol, atol : float, optional
        Tolerances; by default those of the element type.
    aux_states : list or dict of str to array_like, optional
        Auxiliary states.
    ctx : Context, optional
        Where to compute.
    equal_nan : bool
        Whether nan equals nan.
    dtype : numpy type or "asnumpy"
        Element type of the arguments; "asnumpy" leaves each its own.

    Returns
    -------
    list of NDArray
        The outputs.

    Raises
    ------
    AssertionError
        When an output is wrong.
    """
    ctx = ctx or default_context()
    args = _named_arrays(location, sym.list_arguments(), "argument", ctx, dtype)
    aux = _named_arrays(aux_states, sym.list_auxiliary_states(), "auxiliary state", ctx, dtype)
    executor = sym.bind(ctx, args=args, grad_req="null", aux_states=aux)
    outputs = executor.forward(is_train=False)
    names = sym.list_outputs()
    wanted = [expected[name] for name in names] if isinstance(expected, dict) else expected
    for name, have, want in zip(names, outputs, wanted):
        assert_almost_equal(want, have, rtol, atol, (f"EXPECTED_{name}", f"FORWARD_{name}"), equal_nan=equal_nan)
    return executor.outputs


def check_symbolic_backward(sym, location, out_grads, expected, rtol=None, atol=None, aux_states=None,
                            grad_req="write", ctx=None, grad_stypes=None, equal_nan=False,
                            dtype=default_dtype()):  # noqa: B008
    """Compares the gradients of a symbol with expected ones.

    Parameters
    ----------
    sym : Symbol
        What to compute.
    location : list or dict of str to array_like
        The arguments, in order or by name.
    out_grads : list or dict of str to array_like, or None
        Gradients of the outputs, in order or by name; None for those of losses.
    expected : list or dict of str to array_like
        Gradients of the arguments, in order or by name; of those that are left out none is computed.
    grad_req : str, list or dict of str to str
        How gradients are requested: 'write', 'add' (to random numbers that stand there) or 'null' (they must stay).
    grad_stypes : dict of str to str, optional
        Storage types of gradients.
    rtol, atol, aux_states, ctx, equal_nan, dtype
        See `check_symbolic_forward`.

    Returns
    -------
    dict of str to NDArray
        The gradients.

    Raises
    ------
    AssertionError
        When a gradient is wrong.
    """
    ctx = ctx or default_context()
    names = sym.list_arguments()
    args = _named_arrays(location, names, "argument", ctx, dtype)
    aux = _named_arrays(aux_states, sym.list_auxiliary_states(), "auxiliary state", ctx, dtype)
    expected = dict(zip(names, expected)) if isinstance(expected, (list, tuple)) else dict(expected)
    if isinstance(grad_req, str):
        reqs = dict.fromkeys(names, grad_req)
    else:
        reqs = dict(zip(names, grad_req)) if isinstance(grad_req, (list, tuple)) else dict(grad_req)
    before = {name: np.random.normal(size=np.shape(value)) for name, value in expected.items()}
    grads = {name: array(value, ctx=ctx, dtype=args[name].dtype) for name, value in before.items()}
    for name, stype in (grad_stypes or {}).items():
        if name in grads and stype not in (None, "default"):
            grads[name] = grads[name].tostype(stype)
    before = {name: _numpy(value) for name, value in grads.items()}
    executor = sym.bind(ctx, args=args, args_grad=grads, aux_states=aux,
                        grad_req={name: reqs.get(name, "null") if name in grads else "null" for name in names})
    outputs = executor.forward(is_train=True)
    executor.backward(_head_gradients(sym, out_grads, outputs, ctx))
    for name, want in expected.items():
        req, have = reqs.get(name, "null"), grads[name]
        want = {"write": _numpy(want), "add": _numpy(want) + before[name], "null": before[name]}.get(req)
        if want is None:
            raise MXValueError(f"check_symbolic_backward: grad_req must be 'write', 'add' or 'null', got {req!r}")
        assert_almost_equal(want, have, rtol, atol, (f"EXPECTED_{name}", f"BACKWARD_{name}"), equal_nan=equal_nan)
    return grads


def _head_gradients(sym, out_grads, outputs, ctx):
    if out_grads is None:
        return None
    if isinstance(out_grads, dict):
        out_grads = [out_grads[name] for name in sym.list_outputs()]
    if not isinstance(out_grads, (list, tuple)):
        out_grads = [out_grads]
    return [grad if isinstance(grad, NDArray) else array(grad, ctx=ctx, dtype=out.dtype)
            for grad, out in zip(out_grads, outputs)]


def check_speed(sym, location=None, ctx=None, N=20, grad_req=None, typ="whole", **kwargs):
    """The seconds that a run of a symbol takes, on average over `N`.

    Parameters
    ----------
    sym : Symbol
        What to run.
    location : dict of str to numpy.ndarray, optional
        The arguments; random numbers in the shapes given as `kwargs` by default.
    ctx : Context, optional
        Where.
    N : int
        Number of runs.
    grad_req : str or dict, optional
        How gradients are requested; 'write' by default.
    typ : str
        'whole' for forward and backward, 'forward' for forward alone.
    """
    if typ not in ("whole", "forward"):
        raise MXValueError(f"check_speed: typ must be 'whole' or 'forward', got {typ!r}")
    ctx = ctx or default_context()
    shapes = kwargs if location is None else {name: np.shape(value) for name, value in location.items()}
    executor = sym.simple_bind(ctx, grad_req=grad_req or "write", **shapes)
    for name, have in executor.arg_dict.items():
        have[:] = np.random.normal(size=have.shape) if location is None else location[name]

    def run():
        if typ == "forward":
            executor.forward(is_train=False)
            return
        outputs = executor.forward(is_train=True)
        executor.backward([ndarray.ones_like(out) for out in outputs])
    run()
    ndarray.waitall()
    start = time.perf_counter()
    for _ in range(N):
        run()
    ndarray.waitall()
    return (time.perf_counter() - start) / N


def check_consistency(sym, ctx_list, scale=1.0, grad_req="write", arg_params=None, aux_params=None, rtol=None,
                      atol=None, raise_on_err=True, ground_truth=None, equal_nan=False, use_uniform=False,
                      rand_type=np.float64):
    """Compares what symbols give on several devices or in several element types.

    Parameters
    ----------
    sym : Symbol or list of Symbol
        What to run; a list has one for each entry of `ctx_list`.
    ctx_list : list of dict
        For each run 'ctx', the shapes of inputs by name, and 'type_dict' with their element types.
    scale : float
        Size of the random arguments.
    grad_req : str or dict
        How gradients are requested.
    arg_params, aux_params : dict of str to array_like, optional
        Values of arguments and auxiliary states; random numbers and zeros by default.
    rtol, atol : float or dict of numpy.dtype to float, optional
        Tolerances, by default those of the less precise type.
    raise_on_err : bool
        Whether a difference raises; else it is printed.
    ground_truth : dict of str to array_like, optional
        What to compare with; by default the results in the most precise type.
    equal_nan : bool
        Whether nan equals nan.
    use_uniform : bool
        Whether arguments are uniform in ``[-scale, scale)`` and not normally distributed.
    rand_type : numpy type
        Element type in which they are drawn.

    Returns
    -------
    dict of str to NDArray
        Outputs and gradients of the most precise run.
    """
    symbols = list(sym) if isinstance(sym, (list, tuple)) else [sym] * len(ctx_list)
    if len(symbols) != len(ctx_list) or not ctx_list:
        raise MXValueError(f"check_consistency: got {len(symbols)} symbols for {len(ctx_list)} runs")
    executors = [one.simple_bind(grad_req=grad_req, **setting) for one, setting in zip(symbols, ctx_list)]
    arg_params, aux_params = dict(arg_params or {}), dict(aux_params or {})
    for name, have in executors[0].arg_dict.items():
        if name not in arg_params:
            drawn = np.random.uniform(-1, 1, have.shape) if use_uniform else np.random.normal(size=have.shape)
            arg_params[name] = (drawn * scale).astype(rand_type)
    for executor in executors:
        for name, have in executor.arg_dict.items():
            have[:] = arg_params[name]
        for name, have in executor.aux_dict.items():
            have[:] = aux_params.get(name, 0)

    def precision(executor):
        return np.finfo(executor.outputs[0].dtype).precision if executor.outputs[0].dtype != np.bool_ else 0

    def compare(kind):
        best = max(range(len(executors)), key=lambda i: precision(executors[i]))
        results = [kind(executor) for executor in executors]
        truth = {**results[best], **(ground_truth or {})}
        for number, have in enumerate(results):
            if number == best and ground_truth is None:
                continue
            for name, value in have.items():
                _compare_runs(name, value, truth[name], number, (rtol, atol), equal_nan, raise_on_err)
        return truth

    names = symbols[0].list_outputs()

    def forward(executor):
        executor.forward(is_train=False)
        return dict(zip(names, executor.outputs))

    def backward(executor):
        outputs = executor.forward(is_train=True)
        executor.backward([head.astype(out.dtype).as_in_context(out.context) for head, out in zip(heads, outputs)])
        found = dict(zip(names, executor.outputs))
        return {**found, **{name: grad for name, grad in executor.grad_dict.items() if grad is not None}}

    for executor in executors:
        executor.forward(is_train=False)
    truth = compare(forward)
    if grad_req != "null":
        heads = [array(np.random.normal(size=out.shape)) for out in executors[0].outputs]
        truth = compare(backward)
    return truth


def _compare_runs(name, have, want, number, tolerances, equal_nan, raise_on_err):
    types = sorted((np.dtype(x.dtype) for x in (have, want)), key=lambda t: -t.itemsize)
    defaults = get_rtol, get_atol
    rtol, atol = (tol.get(types[-1]) if isinstance(tol, dict) else tol for tol in tolerances)
    rtol = max(defaults[0](None, t) for t in types) if rtol is None else rtol
    atol = max(defaults[1](None, t) for t in types) if atol is None else atol
    try:
        assert_almost_equal(have, want, rtol, atol, (f"{name} of run {number}", "the most precise"), equal_nan)
    except AssertionError as error:
        if raise_on_err:
            raise
        print(error)


def same_symbol_structure(sym1, sym2):
    """True when two symbols apply the same operators, with the same parameters, in the same way; names may differ."""
    def structure(sym):
        graph = json.loads(sym.tojson())
        nodes = [(node["op"], node.get("attrs", {}) if node["op"] != "null" else {}, node["inputs"])
                 for node in graph["nodes"]]
        return nodes, graph["heads"]
    return structure(sym1) == structure(sym2)


def check_gluon_hybridize_consistency(net_builder, data_l, numpy_func=None, test_grad=True, rtol=1e-4, atol=1e-4):
    """Compares a block with itself hybridized: outputs, and gradients of inputs and parameters.

    Parameters
    ----------
    net_builder : function
        ``net_builder(prefix=...)`` makes the block.
    data_l : list of NDArray
        Its inputs.
    numpy_func : function, optional
        Gives the expected output from NumPy inputs.
    test_grad : bool
        Whether to compare gradients.
    rtol, atol : float
        Tolerances.
    """
    saved, results = None, []
    for hybridize in (False, True):
        net = net_builder(prefix="net_")
        net.initialize()
        if hybridize:
            net.hybridize()
        inputs = [x.copy() for x in data_l]
        for x in inputs:
            x.attach_grad()
        with autograd.record():
            net(*inputs)  # parameters get their shapes
        params = net.collect_params()
        if saved is None:
            saved = {name: param.data().asnumpy() for name, param in params.items()}
        for name, param in params.items():
            param.set_data(array(saved[name], dtype=param.dtype))
        with autograd.record(train_mode=test_grad):
            out = net(*inputs)
        found = {"output": out.asnumpy()}
        if test_grad:
            out.backward(ndarray.ones_like(out))
            found.update((f"gradient of input {i}", x.grad.asnumpy()) for i, x in enumerate(inputs))
            found.update((f"gradient of {name}", param.grad().asnumpy()) for name, param in params.items()
                         if param.grad_req != "null")
        results.append(found)
    eager, compiled = results
    for name, want in eager.items():
        assert_almost_equal(compiled[name], want, rtol, atol, (f"hybridized {name}", name))
    if numpy_func is not None:
        assert_almost_equal(eager["output"], numpy_func(*[x.asnumpy() for x in data_l]), rtol, atol)

"""Checks of gradients by finite differences, and of optimizers."""
import numpy as np

from .. import autograd, ndarray
from .. import random as _random
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from ..ndarray import NDArray, array
from .comparing import (
    _numpy,
    assert_almost_equal,
    compare_ndarray_tuple,
    default_context,
    default_dtype,
    default_numeric_eps,
)
from .random_data import rand_ndarray


def _differences(values, evaluate, eps):
    """The gradient of ``evaluate()`` with regard to the elements of the array `values`, by central differences."""
    gradient = np.zeros(values.shape, dtype="float64")
    for i in np.ndindex(values.shape):
        old = values[i]
        values[i] = old + eps / 2
        above = evaluate()
        values[i] = old - eps / 2
        gradient[i] = (above - evaluate()) / eps
        values[i] = old
    evaluate()
    return gradient


class _FunctionProblem:
    """A weighted sum of what a function of NDArrays gives, and its gradients by autograd."""

    def __init__(self, function, location, ctx, dtype):
        self.function = function
        self.by_name = isinstance(location, dict)
        names = list(location) if self.by_name else list(range(len(location)))
        self.inputs = {name: array(_numpy(location[name]), ctx=ctx, dtype=dtype) for name in names}
        self.ctx, self.dtype, self.weights = ctx, dtype, []

    def _objective(self):
        outs = self.function(**self.inputs) if self.by_name else self.function(*self.inputs.values())
        outs = outs if isinstance(outs, (list, tuple)) else [outs]
        if not self.weights:
            self.weights = [array(np.random.uniform(0.5, 1.5, out.shape), ctx=self.ctx, dtype=self.dtype)
                            for out in outs]
        return ndarray.add_n(*((out * w).sum().reshape((1,)) for out, w in zip(outs, self.weights)))

    def value(self, training):
        with autograd.train_mode() if training else autograd.predict_mode():
            return float(self._objective().asscalar())

    def gradients(self, reqs):
        for name, req in reqs.items():
            self.inputs[name].attach_grad(req)
        with autograd.record():
            total = self._objective()
        total.backward()
        return {name: self.inputs[name].grad for name in reqs}


class _SymbolProblem:
    """The same of a symbol, by its executor."""

    def __init__(self, sym, location, aux_states, ctx, dtype):
        from .symbols import _named_arrays
        self.sym, self.ctx, self.dtype = sym, ctx, dtype
        self.inputs = _named_arrays(location, sym.list_arguments(), "argument", ctx, dtype)
        self.aux = _named_arrays(aux_states or {}, sym.list_auxiliary_states(), "auxiliary state", ctx, dtype)
        self.executor = self.weights = None

    def _bind(self, reqs):
        grads = {name: ndarray.zeros(self.inputs[name].shape, ctx=self.ctx, dtype=self.inputs[name].dtype)
                 for name in reqs}
        self.executor = self.sym.bind(self.ctx, args=self.inputs, args_grad=grads, aux_states=self.aux,
                                      grad_req={name: reqs.get(name, "null") for name in self.inputs})

    def value(self, training):
        kept = {name: state.copy() for name, state in self.aux.items()}
        outputs = self.executor.forward(is_train=training)
        for name, state in kept.items():
            self.aux[name][:] = state
        return sum(float((_numpy(out).astype("float64") * w).sum()) for out, w in zip(outputs, self.weights))

    def gradients(self, reqs):
        self._bind(reqs)
        kept = {name: state.copy() for name, state in self.aux.items()}
        outputs = self.executor.forward(is_train=True)
        self.weights = [np.random.uniform(0.5, 1.5, out.shape) for out in outputs]
        self.executor.backward([array(w, ctx=self.ctx, dtype=out.dtype) for w, out in zip(self.weights, outputs)])
        found = {name: self.executor.grad_dict[name].copy() for name in reqs}
        for name, state in kept.items():
            self.aux[name][:] = state
        return found


def _requests(grad_nodes, names):
    """Which gradients to check, and how they are asked for."""
    if grad_nodes is None:
        return dict.fromkeys(names, "write")
    if isinstance(grad_nodes, (list, tuple)):
        reqs = dict.fromkeys(grad_nodes, "write")
    elif isinstance(grad_nodes, dict):
        reqs = {name: req for name, req in grad_nodes.items() if req != "null"}
    else:
        raise MXValueError(f"check_numeric_gradient: grad_nodes must be a list or a dict, got {grad_nodes!r}")
    unknown = [name for name in reqs if name not in names]
    if unknown:
        raise MXValueError(f"check_numeric_gradient: grad_nodes {unknown} are no inputs; those are {list(names)}")
    return reqs


def check_numeric_gradient(sym, location, aux_states=None, numeric_eps=None, rtol=None, atol=None, grad_nodes=None,
                           use_forward_train=True, ctx=None, grad_stype_dict=None, dtype=default_dtype()):  # noqa: B008
    """Compares gradients from backward with finite differences.

    The outputs are multiplied by random numbers and summed, so that each gradient is one array.

    Parameters
    ----------
    sym : Symbol or callable
        A symbol, or a function of NDArrays that gives an NDArray or a list of them.
    location : list or dict of str to array_like
        The inputs, in order or as keywords.
    aux_states : list or dict of str to array_like, optional
        Auxiliary states of a symbol.
    numeric_eps : float, optional
        Step of the differences.
    rtol, atol : float, optional
        Tolerances of the comparison; by default 1e-2 and 1e-3, since differences of float32 sums have few right digits.
    grad_nodes : list or dict of str to str, optional
        The inputs to check, with a dict also how their gradients are requested; all by default.
    use_forward_train : bool
        Whether the differences are those of training.
    ctx : Context, optional
        Where to compute.
    grad_stype_dict : dict of str to str, optional
        Storage types of gradients; checked as dense ones.
    dtype : numpy type
        Element type of the inputs.

    Raises
    ------
    AssertionError
        When a gradient is wrong.
    TypeError
        When `sym` is neither.

    Examples
    --------
    >>> mx.test_utils.check_numeric_gradient(lambda x: x * x, [np.array([1.0, 2.0])])
    """
    ctx = ctx or default_context()
    if hasattr(sym, "list_arguments"):
        problem = _SymbolProblem(sym, location, aux_states, ctx, dtype)
    elif callable(sym):
        problem = _FunctionProblem(sym, location, ctx, dtype)
    else:
        raise MXTypeError(f"check_numeric_gradient: give a Symbol or a function of NDArrays, got {sym!r}")
    eps = default_numeric_eps()[np.dtype(dtype)] if numeric_eps is None else numeric_eps
    reqs = _requests(grad_nodes, problem.inputs)
    gradients = problem.gradients(reqs)
    for name in reqs:
        variable = problem.inputs[name]
        values = variable.asnumpy()

        def evaluate(variable=variable, values=values):
            variable[:] = values
            return problem.value(use_forward_train)
        assert_almost_equal(gradients[name], _differences(values, evaluate, eps), 1e-2 if rtol is None else rtol,
                            1e-3 if atol is None else atol, (f"gradient of input {name}", "finite differences"))


def numeric_grad(executor, location, aux_states=None, eps=1e-4, use_forward_train=True, dtype=default_dtype()):  # noqa: B008
    """The gradients of the sum of an executor's first output by finite differences.

    Parameters
    ----------
    executor : Executor
        A bound symbol.
    location : dict of str to array_like
        Values of the arguments to differentiate by.
    aux_states : dict of str to array_like, optional
        Auxiliary states to set before each run.
    eps : float
        Step of the differences.
    use_forward_train : bool
        Whether to run as in training.
    dtype : numpy type
        Element type of the gradients.

    Returns
    -------
    dict of str to numpy.ndarray
        One for each entry of `location`.
    """
    found = {}
    location = {name: np.array(_numpy(value), dtype=dtype) for name, value in location.items()}
    for name, value in location.items():
        executor.arg_dict[name][:] = value
    for name, values in location.items():
        def evaluate(name=name, values=values):
            executor.arg_dict[name][:] = values
            for state, content in (aux_states or {}).items():
                executor.aux_dict[state][:] = content
            executor.forward(is_train=use_forward_train)
            return float(_numpy(executor.outputs[0]).astype("float64").sum())
        found[name] = _differences(values, evaluate, eps).astype(dtype)
    return found


def compare_optimizer(opt1, opt2, shape, dtype, w_stype="default", g_stype="default", rtol=1e-4, atol=1e-5,
                      compare_states=True, ntensors=1):
    """Raises AssertionError unless two optimizers make the same of random weights and gradients.

    Parameters
    ----------
    opt1, opt2 : Optimizer
        What to compare.
    shape : tuple of int or list of tuple
        Shape of each weight.
    dtype : str or numpy type
        Element type of the weights.
    w_stype, g_stype : str
        Storage types of weights and gradients.
    rtol, atol : float
        Tolerances.
    compare_states : bool
        Whether to compare the optimizers' states as well.
    ntensors : int
        The number of weights.
    """
    shapes = shape if isinstance(shape, list) else [shape] * ntensors

    def make(one, stype):
        if stype == "default":
            return _random.normal(shape=one, dtype=dtype)
        return rand_ndarray(one, stype, density=1, dtype=dtype)

    def updated(opt, weights, gradients):
        states = [opt.create_state_multi_precision(i, w) for i, w in enumerate(weights)]
        if not isinstance(shape, list) and ntensors == 1:
            opt.update_multi_precision(0, weights[0], gradients[0], states[0])
        else:
            opt.update_multi_precision(list(range(len(weights))), weights, gradients, states)
        return states
    weights = [make(one, w_stype) for one in shapes]
    gradients = [make(one, g_stype) for one in shapes]
    copies = [[w.copy() for w in weights] for _ in range(2)]
    states = [updated(opt, mine, [g.copy() for g in gradients]) for opt, mine in zip((opt1, opt2), copies)]
    if compare_states:
        compare_ndarray_tuple(*states, rtol=rtol, atol=atol)
    for w1, w2 in zip(*copies):
        assert_almost_equal(_dense(w1), _dense(w2), rtol=rtol, atol=atol)


def _dense(x):
    return x if not isinstance(x, NDArray) or x.stype == "default" else x.tostype("default")

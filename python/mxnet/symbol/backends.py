"""Backends: named ways of making a graph better, for `Symbol.optimize_for` and ``hybridize(backend=...)``.

There is one for each pass of `mx.sym.passes`, under its name, and there are ``"inference"`` and ``"training"``, which
run all passes that are on. ``"MKLDNN"`` and ``"ONEDNN"``, the names that MXNet 1.x has for its CPU backend, mean
``"inference"``. `register` adds more.
"""
from .. import _core
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from ..util import is_np_shape
from .passes import list_passes

__all__ = ["list_backends", "register"]

_ALL = {"inference": False, "training": True, "MKLDNN": False, "ONEDNN": False}  # name: for training
_registered = {}


def register(name):
    """A decorator that makes a function a backend.

    The function is called as ``function(symbol, args, aux, **options)`` and returns the new symbol. `args` and `aux`
    are dicts of the known parameters and auxiliary states by name; arrays that it adds there become parameters of
    what is optimized. `options` are further keywords of ``optimize_for``.

    Parameters
    ----------
    name : str
        Name of the backend; one of the same name is replaced.

    Examples
    --------
    >>> @mx.sym.backends.register("tanh_only")
    ... def without_relu(symbol, args, aux):
    ...     return mx.sym.load_json(symbol.tojson().replace('"relu"', '"tanh"'))
    >>> mx.sym.relu(mx.sym.var("x"), name="r").optimize_for("tanh_only").eval(x=mx.nd.zeros((1,)))[0].asscalar()
    np.float32(0.0)
    """
    if not isinstance(name, str) or not name:
        raise MXTypeError(f"register: a backend is named by text, got {name!r}")
    if name in _ALL or name in _pass_names():
        raise MXValueError(f"register: '{name}' is a backend already; choose another name")

    def add(function):
        _registered[name] = function
        return function
    return add


def list_backends():
    """Names of all backends.

    Examples
    --------
    >>> "inference" in mx.sym.backends.list_backends()
    True
    """
    return sorted({*_ALL, *_pass_names(), *_registered})


def _pass_names():
    return [p["name"] for p in list_passes()]


def check(name, what):
    """That there is such a backend."""
    if not isinstance(name, str) or not name:
        raise MXTypeError(f"{what}: backend must be a name, got {name!r}")
    if name not in list_backends():
        raise MXValueError(f"{what}: there is no backend '{name}'; there are {', '.join(list_backends())}, and "
                           "mx.sym.backends.register adds one")


def named(arrays, names):
    """Arrays given as list or dict, as a dict; a dict is handed on itself."""
    return arrays if isinstance(arrays, dict) else dict(zip(names, arrays or ()))


def known_specs(symbol, arrays, shapes, dtypes):
    """(shape, dtype) of all variables where they follow from those of some; otherwise an empty dict."""
    given = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    for name in (*shapes, *dtypes):
        shape, dtype = given.get(name, (None, None))
        given[name] = shapes.get(name, shape), dtypes.get(name, dtype)
    if not given:
        return {}
    args, _, aux, unknown = _core.symbol_infer(symbol, given, not is_np_shape(), True)
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    return {} if unknown else {name: spec[:2] for name, spec in zip(names, args + aux)}


def optimized(symbol, name, args, aux, known, options, what="optimize_for"):
    """The symbol made better by a backend.

    `args` and `aux` are dicts of arrays, `known` a dict of (shape, dtype) of variables by name.
    """
    check(name, what)
    if name in _registered:
        result = _registered[name](symbol, args, aux, **options)
        if not isinstance(result, _core.SymbolBase):
            raise MXTypeError(f"{what}: backend '{name}' must return a Symbol, got {type(result).__name__}")
        if len(result) != len(symbol):
            raise MXValueError(f"{what}: backend '{name}' returned {len(result)} outputs for {len(symbol)}")
        return result
    if options:
        raise MXTypeError(f"{what}: backend '{name}' takes no options, got {', '.join(options)}")
    passes = [] if name in _ALL else [name]
    result = _core.optimize_symbol(symbol, _ALL.get(name, False), passes, known)[0]
    # Averages that nothing writes any more are arguments like others.
    for state in set(result.list_arguments()) & set(aux):
        args[state] = aux.pop(state)
    return result

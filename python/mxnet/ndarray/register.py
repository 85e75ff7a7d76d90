"""How the operators of the registry are spread over the modules of ``mx.nd``."""
from .. import _core

# A name that starts so is found in the module of that name, without the prefix.
_MODULES = {"_contrib_": "contrib", "_linalg_": "linalg", "_image_": "image", "_sparse_": "sparse"}
# These belong to mx.np and mx.npx.
_ELSEWHERE = ("_np_", "_npi_", "_npx_", "_backward_np")

_spread = {}


def place_of(name):
    """``(module, name there)`` of an operator, e.g. ``('contrib', 'box_nms')``; None if not in mx.nd.

    Examples
    --------
    >>> mx.nd.register.place_of("_linalg_gemm2")
    ('linalg', 'gemm2')
    """
    if name.startswith(_ELSEWHERE):
        return None
    for prefix, module in _MODULES.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return module, name[len(prefix):]
    if name.startswith("_random_") and name.endswith("_like"):
        return "random", name[len("_random_"):]
    return ("_internal" if name.startswith("_") else "op"), name


def functions(module, space="nd"):
    """The operators of one module of ``mx.nd`` (or, with `space` 'sym', of ``mx.sym``), a dict from name to callable.

    `module` is one of ``op``, ``_internal``, ``contrib``, ``linalg``, ``image``, ``sparse``, ``random``.
    """
    if space not in _spread:
        spread = {name: {} for name in ("op", "_internal", "random", *_MODULES.values())}
        for name, function in _core.op_functions(space).items():
            place = place_of(name)
            if place:
                spread[place[0]][place[1]] = function
        _spread[space] = spread
    return _spread[space][module]


def signature(info):
    """The `inspect.Signature` of an operator from what ``op_info()`` gives.

    A parameter that must be given but follows optional ones has the default `_Null`. A method takes ``*args`` too, as
    in MXNet 1.x; what they would be is an error.
    """
    import inspect

    from ..base import _Null
    variadic = info["variadic"]
    parameters, optional = [], False
    if variadic:
        *fixed, last = (name for name, *_ in info["inputs"])
        parameters += [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in fixed]
        parameters.append(inspect.Parameter(last, inspect.Parameter.VAR_POSITIONAL))
    kind = inspect.Parameter.KEYWORD_ONLY if variadic else inspect.Parameter.POSITIONAL_OR_KEYWORD

    def add(name, required, default):
        nonlocal optional
        optional = optional or not required
        if required:
            default = _Null if optional and not variadic else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=default))

    if not variadic:
        for name, _, is_optional, _ in info["inputs"]:
            add(name, not is_optional, None)
    for name, _, required, default, _ in info["fields"]:
        if name != variadic:
            add(name, required, default)
    taken = {p.name for p in parameters}
    if info["called_as_method"] and not variadic:
        parameters.append(inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL))
        kind = inspect.Parameter.KEYWORD_ONLY
    for name in ("out", "name"):
        if name not in taken:
            parameters.append(inspect.Parameter(name, kind, default=None))
    parameters.append(inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)

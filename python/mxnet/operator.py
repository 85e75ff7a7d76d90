"""The registry of operators, as data."""
import collections

from . import _core

__all__ = ["OperatorArguments", "get_all_registered_operators", "get_operator_arguments"]

OperatorArguments = collections.namedtuple("OperatorArguments", ["narg", "names", "types"])


def get_all_registered_operators():
    """The names of all operators, aliases included, a list of str.

    Examples
    --------
    >>> 'FullyConnected' in mx.operator.get_all_registered_operators()
    True
    """
    return list(_core.op_names())


def get_operator_arguments(op_name):
    """The names and types of an operator's inputs and parameters.

    Parameters
    ----------
    op_name : str
        A name of the registry.

    Returns
    -------
    OperatorArguments
        A tuple ``(narg, names, types)``.

    Raises
    ------
    KeyError
        When there is no such operator.

    Examples
    --------
    >>> mx.operator.get_operator_arguments('relu').names
    ['data']
    """
    from .error import KeyError as MXKeyError
    function = _core.op_functions("nd").get(op_name)
    if function is None:
        raise MXKeyError(f"get_operator_arguments: there is no operator {op_name!r}")
    info = function.op_info()
    names = [name for name, *_ in info["inputs"]] + [name for name, *_ in info["fields"]]
    types = ["NDArray-or-Symbol[]" if info["variadic"] else "NDArray-or-Symbol" for _ in info["inputs"]]
    for _, kind, required, default, _ in info["fields"]:
        types.append(f"{kind}, required" if required else f"{kind}, optional, default={default!r}")
    return OperatorArguments(len(names), names, types)

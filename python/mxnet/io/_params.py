"""Parameters of the iterators over files, which may come as text."""
import ast
import warnings
from types import SimpleNamespace

from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError

__all__ = ["REQUIRED", "parse"]

REQUIRED = object()


def _number_or_text(text):
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _as_kind(value, kind):
    """`value` as a `kind`; ValueError where it is none."""
    if kind is str:
        return str(value)
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), _number_or_text(value))
    if kind is tuple:
        return tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if isinstance(value, (str, list, tuple, dict)) or kind is int and int(value) != value:
        raise ValueError
    return kind(value)


def parse(iterator, given, fields):
    """The parameters of an iterator as attributes.

    Parameters
    ----------
    iterator : str
        Its name, for messages.
    given : dict
        What the caller gave. Names that are not in `fields` are ignored with a warning, as MXNet 1.x ignores them.
    fields : dict
        Type and default of each parameter; REQUIRED where there is no default. None is kept as it is.

    Raises
    ------
    mxnet.error.TypeError
        When a required parameter is missing.
    mxnet.error.ValueError
        For a value that is not of the type.
    """
    values = SimpleNamespace()
    for name, (kind, default) in fields.items():
        value = given.get(name, default)
        if value is REQUIRED:
            raise MXTypeError(f"{iterator}: parameter {name} is required")
        if value is not None:
            try:
                value = _as_kind(value, kind)
            except (TypeError, ValueError):
                raise MXValueError(f"{iterator}: {name} must be of type {kind.__name__}, got {value!r}") from None
        setattr(values, name, value)
    unknown = sorted(given.keys() - fields.keys())
    if unknown:
        warnings.warn(f"{iterator}: unknown parameters are ignored: {', '.join(unknown)}", stacklevel=4)
    return values

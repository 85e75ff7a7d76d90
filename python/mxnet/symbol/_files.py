"""Symbols from files."""
import os

from .. import _core

__all__ = ["load", "load_json"]


def load(fname):
    """The symbol in a ``symbol.json`` file of MXNet 0.8 to 1.9.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        When it holds no graph, or names an unknown operator.
    """
    if not isinstance(fname, (str, os.PathLike)):
        raise TypeError("fname need to be string")
    from ..error import OSError as MXOSError
    try:
        with open(fname, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError as error:
        raise MXOSError(f"load: cannot read {os.fspath(fname)!r}: {error.strerror or error}") from error
    return load_json(text.encode("utf-8", "replace").decode("utf-8"))


def load_json(json_str):
    """The symbol in the text of a ``symbol.json`` file; see `load`."""
    if not isinstance(json_str, str):
        raise TypeError("fname required to be string")
    return _core.symbol_from_json(json_str)

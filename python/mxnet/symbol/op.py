"""Operators on symbols, one function for each public name of the registry."""
from ..ndarray import register as _register

_functions = _register.functions("op", "sym")
globals().update(_functions)

__all__ = sorted(_functions)

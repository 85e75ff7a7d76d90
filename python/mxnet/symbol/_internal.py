"""Operators whose names start with an underscore: the building blocks behind the public functions."""
from ..ndarray import register as _register

_functions = _register.functions("_internal", "sym")
globals().update(_functions)

__all__ = sorted(_functions)

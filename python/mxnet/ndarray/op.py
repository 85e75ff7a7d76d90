"""Operators on dense arrays, one function for each public name of the registry."""
from . import register as _register

_functions = _register.functions("op")
globals().update(_functions)

__all__ = sorted(_functions)

_signature = _register.signature

"""Operators that 1.9.1 has for sparse arrays, here on dense ones: ``mx.nd.sparse.dot`` and others."""
from . import register as _register

_functions = _register.functions("sparse")
globals().update(_functions)

__all__ = sorted(_functions)

"""Operators on images: ``mx.sym.image.to_tensor``, ``normalize``, ``resize`` and others."""
from ..ndarray import register as _register

_functions = _register.functions("image", "sym")
globals().update(_functions)

__all__ = sorted(_functions)

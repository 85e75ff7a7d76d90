"""Operators on images as arrays: ``mx.nd.image.to_tensor``, ``normalize``, ``resize`` and others."""
from . import register as _register

_functions = _register.functions("image")
globals().update(_functions)

__all__ = sorted(_functions)

"""Linear algebra on the last two axes: ``mx.nd.linalg.gemm2``, ``potrf``, ``trsm`` and others."""
from . import register as _register

_functions = _register.functions("linalg")
globals().update(_functions)

__all__ = sorted(_functions)

"""Linear algebra on the last two axes: ``mx.sym.linalg.gemm2``, ``potrf``, ``trsm`` and others."""
from ..ndarray import register as _register

_functions = _register.functions("linalg", "sym")
globals().update(_functions)

__all__ = sorted(_functions)

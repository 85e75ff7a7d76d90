"""Linear algebra on the last two axes: ``mx.nd.linalg.gemm2``, ``potrf``, ``trsm`` and others."""
from . import register as _register

_functions = _register.functions("linalg")
globals().update(_functions)


def dot(lhs, rhs, transpose_a=False, transpose_b=False):
    """The product of matrices, or the sum over the last axis of `lhs` and the first of `rhs`; see ``mx.nd.dot``."""
    from . import op
    return op.dot(lhs, rhs, transpose_a=transpose_a, transpose_b=transpose_b)


__all__ = [*sorted(_functions), "dot"]

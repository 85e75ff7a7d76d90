"""`CachedOp`: a symbol as a function of arrays."""
from .. import _core
from ..context import current_context
from ..error import TypeError as MXTypeError
from ..util import is_np_shape

__all__ = ["CachedOp"]


class CachedOp:
    """A symbol as a function of arrays, one for each of its inputs in the order of `Symbol.list_inputs`.

    It may be called from several threads, and under `autograd.record`.

    Parameters
    ----------
    sym : Symbol
        What to compute.
    flags : sequence of pairs, optional
        Options of MXNet 1.x such as ``("static_alloc", True)``; accepted.
    thread_safe : bool, optional
        Accepted: it always is.

    Examples
    --------
    >>> double = mx.nd.CachedOp(mx.sym.var("x") * 2)
    >>> double(mx.nd.array([3])).asscalar()
    np.float32(6.0)
    """

    def __init__(self, sym, flags=(), thread_safe=False):
        self.is_np_sym = False
        self._program = _core.Program(sym, not is_np_shape())
        self._monitor = None, False

    def __call__(self, *args, **kwargs):
        out = kwargs.pop("out", None)
        ctx = kwargs.pop("default_ctx", None)
        if kwargs:
            raise MXTypeError(f"CachedOp: got unexpected keywords {', '.join(kwargs)}; it takes arrays, out and "
                              "default_ctx")
        ctx = ctx or (args[0].context if args else current_context())
        results = self._program.run(list(args), ctx, *self._monitor)
        if out is not None:
            for target, result in zip(out if isinstance(out, (list, tuple)) else [out], results):
                target[:] = result
            return out
        return results[0] if len(results) == 1 else results

    def _register_op_hook(self, callback, monitor_all=False):
        """Calls ``callback(name, operator, array)`` on what operators compute."""
        self._monitor = callback, monitor_all

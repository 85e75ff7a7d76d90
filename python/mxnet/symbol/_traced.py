"""Shapes of symbols while a block is traced for inputs of known shapes."""
import contextlib
import math
import threading

from .. import _core
from ..util import is_np_shape

__all__ = ["traced_shapes"]

_state = threading.local()


class _Trace:
    """What is known of the inputs, and whether anybody has asked."""

    def __init__(self, inputs, context):
        self.inputs = inputs
        self.context = context
        self.asked = False


@contextlib.contextmanager
def traced_shapes(inputs, context):
    """A ``with`` block in which symbols of this thread have a shape, a dtype and a context, as far as they follow from
    the inputs.

    Parameters
    ----------
    inputs : dict of str to (tuple of int, dtype)
        Shape and dtype of variables by name.
    context : Context or None
        Where the inputs are.
    """
    outer = getattr(_state, "trace", None)
    _state.trace = _Trace(inputs, context)
    try:
        yield _state.trace
    finally:
        _state.trace = outer


def _known(symbol, what):
    trace = getattr(_state, "trace", None)
    if trace is not None and len(symbol) == 1:
        trace.asked = True
        names = set(_core.symbol_inputs(symbol))
        given = {name: spec for name, spec in trace.inputs.items() if name in names}
        shape, dtype, is_known = _core.symbol_infer(symbol, given, not is_np_shape(), True)[1][0]
        if what == "dtype" and dtype is not None:
            return dtype
        if what == "shape" and is_known:
            return shape
        if what == "context" and trace.context is not None:
            return trace.context
    raise AttributeError(f"'Symbol' object has no attribute '{what}': it is known of arrays only")


class TracedShape:
    """The attributes of arrays that symbols have while they are traced; AttributeError at other times."""

    __slots__ = ()

    @property
    def shape(self):
        """The shape for the inputs being traced: tuple of int."""
        return _known(self, "shape")

    @property
    def ndim(self):
        """The number of axes for the inputs being traced."""
        return len(_known(self, "shape"))

    @property
    def size(self):
        """The number of elements for the inputs being traced."""
        return math.prod(_known(self, "shape"))

    @property
    def dtype(self):
        """The element type for the inputs being traced."""
        return _known(self, "dtype")

    @property
    def context(self):
        """The context of the inputs being traced."""
        return _known(self, "context")

    ctx = context

"""What a block computes for inputs of one format, and how nested arguments become a flat list."""
from .. import _core
from ..ndarray import NDArray
from ..symbol import Symbol
from ..util import is_np_shape
from . import parameter

__all__ = ["Graph", "first_of", "shapes_of"]


def _flatten(args, inout_str="input"):
    """The arrays or symbols in nested lists, and the format that `_regroup` nests them by.

    The format of one array is 0, of a symbol of several outputs their number, of None -1.
    """
    if isinstance(args, NDArray):
        return [args], 0
    if isinstance(args, Symbol):
        length = len(args)
        return [args], length if length > 1 else 0
    if args is None:
        return [None], -1
    if not isinstance(args, (list, tuple)):
        raise ValueError(f"HybridBlock: {inout_str} must be (nested) lists of Symbols or NDArrays, got "
                         f"{type(args).__name__}")
    flat, formats = [], []
    for item in args:
        items, fmt = _flatten(item, inout_str)
        flat += items
        formats.append(fmt)
    return flat, formats


def _regroup(args, fmt):
    """Nests a flat list as the format says; the second result is what was left over."""
    if isinstance(fmt, int):
        if fmt == -1:
            if args[0] is not None:
                raise ValueError("HybridBlock: an input that was None before is given now")
            return None, args[1:]
        if fmt == 0:
            return args[0], args[1:]
        return args[:fmt], args[fmt:]
    nested = []
    for item in fmt:
        value, args = _regroup(args, item)
        nested.append(value)
    return nested, args


def shapes_of(arrays):
    """What a graph may depend on of its inputs."""
    return tuple((array.shape, array.dtype, array.context) for array in arrays)


def first_of(args, kind):
    """The first object of a class in nested lists of arguments, or None."""
    for arg in args:
        if isinstance(arg, kind):
            return arg
        if isinstance(arg, (list, tuple)):
            found = first_of(arg, kind)
            if found is not None:
                return found
    return None


class Graph:
    """What a block computes for inputs of one format: a symbol and the program that runs it."""

    def __init__(self, inputs, outputs, out_format, params):
        self.inputs = inputs  # one variable for each input that is not None
        self.symbol = outputs
        self.out_format = out_format
        self.program = _core.Program(outputs, not is_np_shape(), [s.name for s in inputs])
        places = {s.name: i for i, s in enumerate(inputs)}
        # For each input of the program the number of an argument, or a parameter.
        self.sources = [places[name] if name in places else params[name] for name in self.program.input_names]
        self.params = [source for source in self.sources if not isinstance(source, int)]
        self._known = None, None, None

    def arrays(self, args, ctx):
        """The inputs of the program; DeferredInitializationError while a parameter has no array."""
        known_ctx, generation, arrays = self._known
        if generation != parameter._generation or (known_ctx is not ctx and known_ctx != ctx):
            generation = parameter._generation
            arrays = [source if isinstance(source, int) else source.data(ctx) for source in self.sources]
            self._known = ctx, generation, arrays
        return [args[item] if isinstance(item, int) else item for item in arrays]

"""Compiling blocks with a plain `forward`: their calls are watched, and what they did twice alike is compiled.

A plain `forward` may do anything: read contents, draw numbers in Python, look at attributes. So it is first run as it
is, twice for each kind of call, while the operators that it runs are written down. Only if both times gave the same
graph, of the same arrays, is it compiled; setting an attribute of any block starts this anew.
"""
from .. import _core, autograd
from ..ndarray import NDArray
from ..util import is_np_shape

__all__ = ["Watched", "attribute_set"]

_MAX_TRIES = 4  # runs that are watched before a block is left as it is
_MAX_KINDS = 64
_generation = 0  # counts the attributes set


def attribute_set():
    """Tells that an attribute of a block was set: what was compiled may depend on it."""
    global _generation
    _generation += 1


class _Kind:
    """What is known of calls of one kind."""

    def __init__(self):
        self.tries = 0
        self.seen = None     # text, arrays and format of the last graph
        self.program = None
        self.sources = ()    # of the program's inputs: number of an argument, parameter, or array
        self.out_format = None


class Watched:
    """The calls of one block, by kind: shapes, dtypes and contexts of the inputs, and the state of autograd."""

    def __init__(self, block):
        self._block = block
        self._kinds = {}
        self._generation = None
        self._changes_itself = False  # sets attributes at every call

    def __call__(self, args, flatten, regroup):
        """Runs the block."""
        try:
            flat, fmt = flatten(args)
        except ValueError:
            return self._block.forward(*args)
        arrays = flat and all(isinstance(arg, NDArray) for arg in flat)
        if self._changes_itself or not arrays or _core.is_observed():
            return self._block.forward(*args)
        kind = self._kind_of(flat, fmt)
        if kind.program is not None:
            ctx = flat[0].context
            arrays = [flat[source] if isinstance(source, int) else
                      source if isinstance(source, NDArray) else source.data(ctx) for source in kind.sources]
            results = kind.program.run(arrays, ctx)
            return regroup(results, kind.out_format)[0]
        if kind.tries >= _MAX_TRIES:
            return self._block.forward(*args)
        return self._watch(kind, args, flat, flatten)

    def _kind_of(self, flat, fmt):
        if self._generation != _generation:
            self._kinds.clear()
            self._generation = _generation
        key = (repr(fmt), autograd.is_recording(), autograd.is_training(),
               *((type(a), a.shape, a.dtype, a.context) for a in flat))
        if key not in self._kinds and len(self._kinds) >= _MAX_KINDS:
            del self._kinds[next(iter(self._kinds))]
        return self._kinds.setdefault(key, _Kind())

    def _watch(self, kind, args, flat, flatten):
        """Runs the block as it is, and compiles it if it did what it did before."""
        kind.tries += 1
        graph = _core.ObservedGraph()
        names = {f"data{i}": i for i in range(len(flat))}
        for name, i in names.items():
            graph.name(flat[i], name)
        params = {}
        for param in self._block.collect_params().values():
            if param._data is not None and flat[0].context in param.list_ctx():
                graph.name(param.data(flat[0].context), param.name)
                params[param.name] = param
        before = _generation
        with graph:
            out = self._block.forward(*args)
        try:
            flat_out, out_format = flatten(out, "output")
        except ValueError:
            flat_out = []
        self._changes_itself = before != _generation
        known = flat_out and all(isinstance(a, NDArray) for a in flat_out) and not self._changes_itself
        result = graph.result(flat_out) if known else None
        if result is None:
            kind.tries = _MAX_TRIES
            return out
        made, captured = result
        seen = made.tojson(), captured, repr(out_format)
        if kind.seen is not None and _alike(kind.seen, seen):
            kind.program = _core.Program(made, not is_np_shape(), list(names))
            kind.sources = [{**names, **params, **captured}[name] for name in kind.program.input_names]
            kind.out_format = out_format
        kind.seen = seen
        return out


def _alike(first, second):
    """Whether two runs did the same, with the same arrays from outside."""
    (text, arrays, fmt), (other_text, other_arrays, other_fmt) = first, second
    return (text == other_text and fmt == other_fmt and arrays.keys() == other_arrays.keys() and
            all(_core.same_array(arrays[name], other_arrays[name]) for name in arrays))

"""Blocks that can be compiled: traced to a symbol once, then run as one program."""
import contextlib
import warnings

from .. import _core, ndarray, symbol
from ..base import MXNetError, NotImplementedForSymbol
from ..error import ValueError as MXValueError
from ..ndarray import NDArray
from ..symbol import Symbol
from ..symbol._traced import traced_shapes
from ..util import is_np_shape
from . import parameter
from ._graph import Graph, _flatten, _regroup, first_of, shapes_of
from ._place import Place
from ._watched import Watched, attribute_set
from .block import Block
from .parameter import DeferredInitializationError
from .utils import shape_is_known

__all__ = ["HybridBlock"]

# What a trace raises when Python code asks a symbol for what only an array has.
_NOT_TRACEABLE = (AttributeError, TypeError, NotImplementedForSymbol)

_MAX_GRAPHS = 64  # graphs of a block that are kept, for data of ever new shapes


# Attributes that say nothing about what a block computes.
_OWN_STATE = frozenset((
    "_known_arrays", "_flags", "_graphs", "_shaped", "_depends_on_shapes", "_cached_graph", "_cached_op", "_in_format",
    "_out_format", "_watched", "_counter"))


@contextlib.contextmanager
def uncompiled(block):
    """A ``with`` block in which a block and all below it run operator by operator."""
    blocks = []
    block.apply(blocks.append)
    active = [one for one in blocks if getattr(one, "_active", False)]
    try:
        for one in active:
            one._active = False
        yield
    finally:
        for one in active:
            one._active = True


class HybridBlock(Block):
    """A block that can be compiled, since it is written for arrays and symbols alike.

    A subclass overrides `hybrid_forward`, which gets the operators as `F` (``mx.nd`` or ``mx.sym``) and the
    block's own parameters as keywords. After `hybridize` it is called with symbols, once for each format of the
    inputs, and what it makes of them is run as one program. Code that looks at the shape or dtype of these symbols
    is traced once for each. A block with a plain `forward`, which runs operators on arrays, is compiled too when two
    calls have done the same; one that reads contents is run as it is.
    Children must be hybrid blocks too.

    Examples
    --------
    >>> class Scale(mx.gluon.HybridBlock):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.factor = self.params.get("factor", shape=(1,), init="ones")
    ...     def hybrid_forward(self, F, x, factor):
    ...         return F.broadcast_mul(x, factor)
    >>> net = Scale()
    >>> net.initialize()
    >>> float(net(mx.nd.array([2.0])))
    2.0
    >>> net.hybridize()
    >>> float(net(mx.nd.array([3.0])))
    3.0
    """

    _watches_forward = True  # a plain forward is compiled if it can be

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix, params)
        self._known_arrays = None, None, None  # see _own_arrays
        self._active = False
        self._backend, self._backend_options = None, {}
        self._flags = []
        self._callback = None
        self._monitor_all = False
        self._clear_cached_op()

    def register_child(self, block, name=None):
        """Adds a child, which must be a HybridBlock: otherwise ValueError."""
        if not isinstance(block, HybridBlock):
            raise ValueError(f"{type(self).__name__}: children of a HybridBlock must be HybridBlocks too, got "
                             f"{block!r} of {type(block)}; HybridSequential takes the place of Sequential")
        super().register_child(block, name)
        self._clear_cached_op()

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if name not in _OWN_STATE:
            attribute_set()
        if isinstance(value, HybridBlock):
            self._clear_cached_op()

    def __getstate__(self):
        state = self.__dict__.copy()
        state.update(_graphs={}, _shaped=set(), _cached_graph=(), _cached_op=None, _watched=None)
        return state

    def register_op_hook(self, callback, monitor_all=False):
        """Calls ``callback(name, operator, array)`` on outputs of operators when hybridized.

        Under `autograd.record` it is called by `backward` too, on the gradients of the operators' inputs, named
        ``dense0_fwd_backward_0`` and so on. With `monitor_all` it sees what operators read as well.
        """
        self._callback = callback
        self._monitor_all = monitor_all
        super().register_op_hook(callback, monitor_all)

    def hybridize(self, active=True, backend=None, clear=True, static_alloc=False, static_shape=False,
                  inline_limit=2, forward_bulk_size=None, backward_bulk_size=None, **kwargs):
        """Switches compiling on or off for this block and all below it. Results stay the same.

        Parameters
        ----------
        active : bool
            Whether to compile.
        backend : str, optional
            Name of a backend that the graph is given to, see `mx.sym.backends`; ValueError if there is none.
        clear : bool
            Whether to forget what was compiled before.
        static_alloc, static_shape : bool
            Whether memory is planned once, and whether shapes never change.
        inline_limit, forward_bulk_size, backward_bulk_size : int
            Limits for the compiler.
        **kwargs
            Options of the backend, and what 1.x lets pass.
        """
        if backend is not None:
            symbol.backends.check(backend, "hybridize")
        self._backend, self._backend_options = backend, kwargs if backend else {}
        self._active = active
        self._flags = [("static_alloc", static_alloc), ("static_shape", static_shape),
                       ("inline_limit", inline_limit), *kwargs.items()]
        if clear:
            self._clear_cached_op()
        for child in self._children.values():
            child.hybridize(active, backend=backend, clear=clear, static_alloc=static_alloc,
                            static_shape=static_shape, inline_limit=inline_limit,
                            forward_bulk_size=forward_bulk_size, backward_bulk_size=backward_bulk_size, **kwargs)

    def _clear_cached_op(self):
        self._graphs = {}         # by format of the inputs, and shapes or None; None for one that cannot be traced
        self._shaped = set()      # formats whose graph depends on the shapes
        self._depends_on_shapes = False  # of the last trace
        self._cached_graph = ()   # inputs and outputs of the last trace
        self._cached_op = None    # its program
        self._in_format = self._out_format = None
        self._watched = None      # the calls of a plain forward

    def cast(self, dtype):
        """Changes the element type of the parameters of the block and all below it."""
        self._clear_cached_op()
        super().cast(dtype)

    # -- tracing -------------------------------------------------------------------------------

    def _trace(self, args):
        """Calls `hybrid_forward` with symbols: the variables, the outputs and their format."""
        flat, fmt = _flatten(args)
        count = sum(arg is not None for arg in flat)
        inputs = [symbol.var("data" if count == 1 else f"data{i}") for i in range(count)]
        remaining = iter(inputs)
        nested, _ = _regroup([None if arg is None else next(remaining) for arg in flat], fmt)
        arrays = [arg for arg in flat if isinstance(arg, NDArray)]
        known = {s.name: (a.shape, a.dtype) for s, a in zip(inputs, arrays)} if len(arrays) == count else {}
        with traced_shapes(known, arrays[0].context if arrays else None) as trace:
            flat_out, out_format = _flatten(self._symbolic(nested), "output")
        self._depends_on_shapes = trace.asked
        flat_out = [s for s in flat_out if s is not None]
        outputs = flat_out[0] if len(flat_out) == 1 else symbol.Group(flat_out)
        self._cached_graph = inputs, outputs
        self._in_format, self._out_format = fmt, out_format
        return inputs, outputs, out_format

    def _symbolic(self, args):
        """What `hybrid_forward` makes of symbols."""
        params = {name: param.var() for name, param in self._reg_params.items()}
        with self.name_scope(), Place(self):
            return self.hybrid_forward(symbol, *args, **params)

    def _get_graph(self, *args):
        """The variables and outputs of the graph for inputs like these."""
        if not self._cached_graph:
            self._trace(args)
        return self._cached_graph

    def _build(self, args):
        inputs, outputs, out_format = self._trace(args)
        if self._backend:
            outputs = self._optimized(outputs)
            self._cached_graph = inputs, outputs
        params = {param.name: param for param in self.collect_params().values()}
        known = {s.name for s in inputs}
        for name in outputs.list_inputs():
            if name not in known and name not in params:
                raise ValueError(f"Unknown input to HybridBlock: {name}")
        unused = [s.name for s in inputs if s.name not in outputs.list_inputs()]
        if unused:
            warnings.warn(f"The inputs {', '.join(unused)} to HybridBlock are not used by any computation. "
                          "Is this intended?", stacklevel=5)
        return Graph(inputs, outputs, out_format, params)

    def _optimized(self, outputs):
        """What the backend makes of the graph; arrays that it adds become parameters of this block."""
        params = {param.name: param for param in self.collect_params().values()}
        args, aux = ({name: params[name].data() for name in names if name in params and params[name]._data is not None}
                     for names in (outputs.list_arguments(), outputs.list_auxiliary_states()))
        known = {*args, *aux}
        outputs = symbol.backends.optimized(outputs, self._backend, args, aux, {}, self._backend_options, "hybridize")
        for name, array in {**args, **aux}.items():
            if name not in known:
                param = parameter.Parameter(name, shape=array.shape, dtype=array.dtype,
                                            grad_req="null" if name in aux else "write")
                param.initialize("zeros", array.context)
                param.set_data(array)
                self.params.update({name: param})
        return outputs

    def _graph_for(self, args, flat, key):
        """The graph for a format of inputs, and for their shapes where Python code has asked for them; None if it
        cannot be traced."""
        shaped_key = key, shapes_of(flat) if key in self._shaped else None
        graph = self._graphs.get(shaped_key, self)
        if graph is not self:
            return graph
        try:
            graph = self._build(args)
            self._cached_op = graph.program
        except _NOT_TRACEABLE as error:
            self._warn_untraceable(error)
            graph = None
        if graph is not None and self._depends_on_shapes and key not in self._shaped:
            self._shaped.add(key)
            shaped_key = key, shapes_of(flat)
        self._graphs[shaped_key] = graph
        if len(self._graphs) > _MAX_GRAPHS:
            del self._graphs[next(iter(self._graphs))]
        return graph

    def _warn_untraceable(self, error):
        warnings.warn(f"{self.name}: cannot be compiled and runs operator by operator, since its Python code asks "
                      f"of symbols what only arrays have ({error})", stacklevel=6)

    def _ready_graph(self, args):
        """The graph for inputs like these, made first where that was not done, the inputs of its program, and their
        context; None for a block that cannot be traced."""
        for arg in args:
            if not isinstance(arg, NDArray):
                flat, fmt = _flatten(args)
                key = repr(fmt)
                flat = [arg for arg in flat if arg is not None]
                break
        else:
            flat, key = args, len(args)
        graph = self._graph_for(args, flat, key)
        if graph is None:
            return None
        ctx = flat[0].context
        try:
            return graph, graph.arrays(flat, ctx), ctx
        except DeferredInitializationError:
            self._infer_from(graph, flat, args)
            return graph, graph.arrays(flat, ctx), ctx

    def _call_cached_op(self, *args):
        """Runs the compiled block."""
        ready = self._ready_graph(args)
        if ready is None:
            return self._eager(*args)
        graph, arrays, ctx = ready
        if self._callback is None:
            results = graph.program.run(arrays, ctx)
        else:
            results = graph.program.run(arrays, ctx, *self._monitors())
        if graph.out_format == 0:
            return results[0]
        return self._nest(results, graph.out_format)

    def _monitors(self):
        """How a program calls the hook."""
        hook = self._callback

        def gradient_monitor(node, operator, _, place, count, array):
            hook(f"{node}_backward_{place}".encode(), f"_backward_{operator}".encode(), array)
        return hook, self._monitor_all, False, gradient_monitor

    @staticmethod
    def _nest(results, fmt):
        """Nests the results; places of None are filled in."""
        def nest(fmt):
            if fmt == -1:
                return None
            if fmt == 0:
                return results.pop(0)
            if isinstance(fmt, int):
                return [results.pop(0) for _ in range(fmt)]
            return [nest(item) for item in fmt]
        return nest(fmt)

    def _infer_from(self, graph, flat, args):
        """Gives the parameters of a graph the shapes that follow from those of the inputs, and their arrays."""
        given = {s.name: (array.shape, None) for s, array in zip(graph.inputs, flat)}
        try:
            self._fill_shapes(graph.symbol, given, graph.params)
        except MXValueError as error:
            self._explain_by_running(args, error)
            raise
        if not all(param.shape is not None and shape_is_known(param.shape) for param in graph.params):
            self._infer_by_running(args)
        for param in graph.params:
            param._finish_deferred_init()

    def _explain_by_running(self, args, error):
        """Adds to an error of inference what the layer itself says of arrays, if that is something else."""
        try:
            self._infer_by_running(args)
        except (MXNetError, ValueError, TypeError) as said:
            if str(said) not in str(error):
                raise MXValueError(f"{error}; {said}") from said

    def _infer_by_running(self, args):
        """Runs the block operator by operator once: arrays tell more than the graph does."""
        from .. import autograd
        with uncompiled(self), autograd.pause(train_mode=False):
            self.forward(*args)

    def _fill_shapes(self, outputs, given, params):
        for param in params:
            if param.shape is not None:
                given[param.name] = (param.shape, None)
        try:
            args, _, aux, _ = _core.symbol_infer(outputs, given, not is_np_shape(), False)
        except MXNetError as error:
            raise MXValueError("Deferred initialization failed because shape cannot be inferred. "
                               f"{self.name}: {error}") from error
        shapes = dict(zip(outputs.list_arguments(), args))
        shapes.update(zip(outputs.list_auxiliary_states(), aux))
        for param in params:
            if param.name in shapes and shapes[param.name][2]:
                param.shape = shapes[param.name][0]

    def _deferred_infer_shape(self, *args):
        """What blocks of other programs with a forward of their own call when parameters wait for their shapes."""
        try:
            self._infer_by_trace(args)
        except (MXNetError, ValueError, *_NOT_TRACEABLE) as error:
            raise ValueError(f"the shapes of deferred parameters cannot be inferred: {error}") from error

    def infer_shape(self, *args):
        """Fills in unknown extents of parameters from inputs, without keeping the result.

        Blocks with a plain `forward` of their own that have parameters of unknown shape override it
        and set ``self.weight.shape``; it is then called before the first forward.
        """
        if type(self).forward is not HybridBlock.forward:
            raise NotImplementedError(
                f"{type(self).__name__} has a forward of its own and parameters of unknown shape, so it must "
                "override infer_shape(self, *args) to set their shapes, or be given full shapes")
        try:
            self._infer_by_trace(args)
        except _NOT_TRACEABLE:
            from .. import autograd
            with autograd.pause():
                self(*args)

    def _infer_by_trace(self, args):
        """Gives all parameters the shapes that follow from those of the inputs, through the graph."""
        inputs, outputs = self._get_graph(*args)
        flat = [arg for arg in _flatten(args)[0] if arg is not None]
        given = {s.name: (arg.shape, None) for s, arg in zip(inputs, flat) if isinstance(arg, NDArray)}
        params = list(self.collect_params().values())
        self._fill_shapes(outputs, given, params)
        for param in params:
            if param._deferred_init and shape_is_known(param.shape):
                param._finish_deferred_init()

    def infer_type(self, *args):
        """Casts the parameters to the element type of the first input, where that is a float type."""
        array = first_of(args, NDArray)
        if array is not None and array._dtype_name not in ("int8", "uint8", "int32", "int64", "bool"):
            for param in self.collect_params().values():
                param.cast(array.dtype)

    # -- files and backends --------------------------------------------------------------------

    def export(self, path, epoch=0, remove_amp_cast=True):
        """Writes the network as ``path-symbol.json`` and ``path-0000.params``, which MXNet 1.x reads too.

        `SymbolBlock.imports` and `mx.mod.Module.load` read them back.

        Parameters
        ----------
        path : str
            Where to write; the files are named after it.
        epoch : int
            The number in the name of the parameters' file.
        remove_amp_cast : bool
            Whether casts of mixed precision are left out.

        Raises
        ------
        RuntimeError
            When the block was not hybridized and run before.

        Examples
        --------
        >>> net = mx.gluon.nn.Dense(2)
        >>> net.initialize()
        >>> net.hybridize()
        >>> _ = net(mx.nd.ones((1, 3)))
        >>> net.export("dense")
        ('dense-symbol.json', 'dense-0000.params')
        """
        if not self._cached_graph:
            raise RuntimeError("Please first call block.hybridize() and then run forward with this block at least "
                               "once before calling export.")
        outputs = self._cached_graph[1]
        symbol_file = f"{path}-symbol.json"
        outputs.save(symbol_file, remove_amp_cast=remove_amp_cast)
        arguments, states = set(outputs.list_arguments()), set(outputs.list_auxiliary_states())
        arrays = {}
        for param in self.collect_params().values():
            if param.name in arguments:
                arrays[f"arg:{param.name}"] = param._reduce()
            elif param.name in states:
                arrays[f"aux:{param.name}"] = param._reduce()
            else:
                warnings.warn(f"Parameter '{param.name}' is not part of the graph and is left out", stacklevel=2)
        params_file = f"{path}-{epoch:04d}.params"
        ndarray.save(params_file, arrays)
        return symbol_file, params_file

    def optimize_for(self, x, *args, backend=None, clear=False, static_alloc=False, static_shape=False,
                     inline_limit=2, forward_bulk_size=None, backward_bulk_size=None, **kwargs):
        """Hybridizes the block and compiles it for inputs like these, see `hybridize`.

        Examples
        --------
        >>> net.optimize_for(x, backend="inference")
        """
        self.hybridize(True, backend=backend, clear=clear, static_alloc=static_alloc, static_shape=static_shape,
                       inline_limit=inline_limit, forward_bulk_size=forward_bulk_size,
                       backward_bulk_size=backward_bulk_size, **kwargs)
        from .. import autograd
        with autograd.pause():
            self(x, *args)

    # -- computing -----------------------------------------------------------------------------

    def forward(self, x, *args):
        """Calls `hybrid_forward`: with arrays and the parameters on their context, or with symbols."""
        if self._active and not _core.is_observed():
            if isinstance(x, NDArray) or first_of((x, *args), NDArray) is not None:
                return self._call_cached_op(x, *args)
        return self._eager(x, *args)

    def _eager(self, x, *args):
        array = x if isinstance(x, NDArray) else self._array_among((x, *args))
        if array is None:
            return self._symbolic((x, *args))
        if not self._reg_params:
            return self.hybrid_forward(ndarray, x, *args)
        ctx = array.context
        known_ctx, generation, arrays = self._known_arrays
        # An identity test first, since comparing contexts is a call.
        if generation != parameter._generation or (known_ctx is not ctx and known_ctx != ctx):
            arrays = self._own_arrays(ctx)
            if arrays is None:
                return self._first_forward(ctx, x, args)
        return self.hybrid_forward(ndarray, x, *args, **arrays)

    def _array_among(self, args):
        """The first NDArray in nested lists of arguments; None if they hold symbols instead."""
        array = first_of(args, NDArray)
        if array is None and first_of(args, Symbol) is None:
            raise ValueError(f"{type(self).__name__}: expected an NDArray among the inputs, got "
                             f"{', '.join(type(a).__name__ for a in args)}")
        return array

    def _own_arrays(self, ctx):
        """The block's own parameters on a context by name; None while the shape of any is unknown."""
        generation = parameter._generation
        try:
            arrays = {name: param.data(ctx) for name, param in self._reg_params.items()}
        except DeferredInitializationError:
            return None
        # Kept until any parameter anywhere gets another array, which is rare.
        self._known_arrays = ctx, generation, arrays
        return arrays

    def _first_forward(self, ctx, x, args):
        """Calls `hybrid_forward` with placeholders, whose shapes are inferred by the operators that get them."""
        arrays = {name: param._deferred_placeholder(ctx) if param._deferred_init else param.data(ctx)
                  for name, param in self._reg_params.items()}
        try:
            return self.hybrid_forward(ndarray, x, *args, **arrays)
        except (AttributeError, TypeError) as error:
            if "DeferredArray" not in str(error):
                raise
            reason = error
        try:
            # Inference through the graph sees more than one operator.
            self._infer_by_trace((x, *args))
        except _NOT_TRACEABLE:
            pass  # the message below gives the first reason
        unknown = [param.name for param in self._reg_params.values() if param._deferred_init]
        if unknown:
            raise MXNetError(f"{type(self).__name__}: the shapes of {', '.join(unknown)} cannot be inferred from what "
                             f"hybrid_forward does with them ({reason}); give them full shapes") from reason
        return self._eager(x, *args)

    def __call__(self, *args):
        """Runs `forward` with its hooks."""
        try:
            if self._forward_pre_hooks or self._forward_hooks:
                return self._call_with_hooks(args)
            if self._active and type(self).forward is not HybridBlock.forward and self._watches_forward:
                self._watched = self._watched or Watched(self)
                return self._watched(args, _flatten, _regroup)
            return self.forward(*args)
        except DeferredInitializationError:
            # Only a forward that reads self.weight.data() itself comes here, on its first call.
            if type(self).forward is HybridBlock.forward or not any(
                    param._deferred_init for param in self._reg_params.values()):
                raise
        self.infer_shape(*args)
        for param in self._reg_params.values():
            param._finish_deferred_init()
        return super().__call__(*args)

    def hybrid_forward(self, F, x, *args, **kwargs):
        """What the block computes; to be overridden.

        Parameters
        ----------
        F : module
            Where operators are found: ``mx.nd``, or ``mx.sym`` when the inputs are symbols.
        x, *args : NDArray or Symbol
            The inputs.
        **kwargs : NDArray or Symbol
            The block's own parameters by attribute name.
        """
        raise NotImplementedError(f"{type(self).__name__} must override hybrid_forward or forward")

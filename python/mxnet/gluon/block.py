"""Blocks: the layers and networks of Gluon."""
import re
import warnings
from collections import OrderedDict

from .. import initializer, ndarray
from ..base import MXNetError
from ..ndarray import NDArray
from . import parameter
from .block_scope import _BlockScope
from .parameter import DeferredInitializationError, Parameter, ParameterDict
from .parameter_dict import check_names, load_all
from .trainable import Trainable
from .utils import HookDict, HookHandle, _indent

__all__ = ["Block", "HybridBlock"]


class Block(Trainable):
    """The base of layers and networks: a tree of blocks with parameters at its nodes.

    A subclass makes its children and parameters in ``__init__`` and computes in `forward`. Blocks
    and parameters that are set as attributes are registered by themselves.

    Parameters
    ----------
    prefix : str, optional
        Starts the names of the block's parameters; made from the class name by default.
    params : ParameterDict, optional
        Parameters to share, e.g. ``other.params``.

    Examples
    --------
    >>> class Net(mx.gluon.Block):
    ...     def __init__(self, **kwargs):
    ...         super().__init__(**kwargs)
    ...         with self.name_scope():
    ...             self.hidden = mx.gluon.nn.Dense(20, activation="relu")
    ...             self.output = mx.gluon.nn.Dense(10)
    ...     def forward(self, x):
    ...         return self.output(self.hidden(x))
    >>> net = Net()
    >>> net.initialize()
    >>> net(mx.nd.ones((2, 5))).shape
    (2, 10)
    """

    def __init__(self, prefix=None, params=None):
        self._empty_prefix = prefix == ""
        self._prefix, self._params = _BlockScope.create(prefix, params, self._alias())
        self._name = self._prefix.removesuffix("_")
        self._scope = _BlockScope(self)
        self._children = OrderedDict()
        self._reg_params = {}
        self._forward_hooks = HookDict()
        self._forward_pre_hooks = HookDict()

    def _alias(self):
        """What the name of a block is made of."""
        return type(self).__name__.lower()

    def __repr__(self):
        children = "\n".join(f"  ({key}): {_indent(repr(child), 2)}" for key, child in self.__dict__.items()
                             if isinstance(child, Block))
        return f"{type(self).__name__}(\n{children}\n)"

    def __setattr__(self, name, value):
        present = self.__dict__.get(name)
        if isinstance(present, (Parameter, Block)) and not isinstance(value, type(present)):
            raise TypeError(f"{type(self).__name__}.{name} is a {type(present).__name__} and cannot become a "
                            f"{type(value).__name__}")
        if isinstance(value, Block):
            self.register_child(value, name)
        elif isinstance(value, Parameter):
            if name in self._reg_params:
                raise AssertionError(f"{type(self).__name__}.{name} is a parameter already; to share parameters "
                                     "between blocks give params= when making the block")
            self._reg_params[name] = value
            parameter.changed()  # blocks look up their parameters anew
        super().__setattr__(name, value)

    # -- names and parameters ------------------------------------------------------------------

    @property
    def prefix(self):
        """What the names of the block's parameters start with."""
        return self._prefix

    @property
    def name(self):
        """The prefix without the underscore at its end."""
        return self._name

    def name_scope(self):
        """A ``with`` block in which children are made, so that their names start with this prefix."""
        return self._scope

    @property
    def params(self):
        """The block's own parameters, without those of children."""
        return self._params

    def collect_params(self, select=None):
        """The parameters of the block and all below it.

        Parameters
        ----------
        select : str, optional
            Regular expression; only names whose start matches are taken.

        Returns
        -------
        ParameterDict
            The parameters by full name.

        Examples
        --------
        >>> weights_and_biases = net.collect_params(".*weight|.*bias")
        """
        self._check_container_with_block()
        found = ParameterDict(self._params.prefix)
        if select is None:
            found.update(self.params)
        else:
            pattern = re.compile(select)
            found.update({name: param for name, param in self.params.items() if pattern.match(name)})
        for child in self._children.values():
            found.update(child.collect_params(select))
        return found

    def _check_container_with_block(self):
        """Warns of blocks in lists and dicts, which are not found there."""
        children = set(map(id, self._children.values()))
        for name, value in self.__dict__.items():
            if isinstance(value, (list, tuple, dict)) and not name.startswith("_"):
                lost = [block for block in _blocks_in(value) if id(block) not in children]
                if lost:
                    warnings.warn(f"{type(self).__name__}.{name} holds {type(lost[0]).__name__} blocks in a "
                                  f"{type(value).__name__}, where their parameters are not found; use register_child "
                                  "or a Sequential", stacklevel=4)

    def _collect_params_with_prefix(self, prefix=""):
        """The parameters by their place in the tree, e.g. ``'hidden.weight'``."""
        if prefix:
            prefix += "."
        found = {prefix + key: param for key, param in self._reg_params.items()}
        for name, child in self._children.items():
            found.update(child._collect_params_with_prefix(prefix + name))
        return found

    def initialize(self, init=initializer.Uniform(), ctx=None, verbose=False,  # noqa: B008
                   force_reinit=False):
        """Initializes the parameters of the block and all below it.

        Parameters
        ----------
        init : Initializer or str
            For parameters without an initializer of their own.
        ctx : Context or list of Context, optional
            Where to put them; the current context by default.
        verbose : bool
            Whether to log each parameter.
        force_reinit : bool
            Whether to fill anew what is initialized already.

        Examples
        --------
        >>> net.initialize(mx.init.Xavier(), ctx=mx.cpu())
        """
        self.collect_params().initialize(init, ctx, verbose, force_reinit)

    def save_parameters(self, filename, deduplicate=False):
        """Writes the parameters to a file, named by their place in the tree.

        Parameters
        ----------
        filename : str
            File to write.
        deduplicate : bool
            Whether a parameter that several blocks share is written only once.

        Examples
        --------
        >>> net.save_parameters("net.params")
        """
        params = self._collect_params_with_prefix()
        if deduplicate:
            last = {param: name for name, param in params.items()}
            params = {name: param for param, name in last.items()}
        ndarray.save(filename, {name: param._reduce() for name, param in params.items()})

    def load_parameters(self, filename, ctx=None, allow_missing=False, ignore_extra=False, cast_dtype=False,
                        dtype_source="current"):
        """Reads parameters from a file of `save_parameters`, `ParameterDict.save` or `export`.

        Parameters
        ----------
        filename : str
            File to read.
        ctx : Context or list of Context, optional
            Where to put what is not initialized yet; the CPU by default.
        allow_missing, ignore_extra : bool
            Whether parameters may be missing in the file, or arrays in it be left over.
        cast_dtype : bool
            Whether element types may differ; `dtype_source` then says which stays: 'current' or
            'saved'.

        Raises
        ------
        AssertionError
            For missing parameters, or other shapes or element types. All parameters are then as they were.
        ValueError
            For arrays left over.

        Examples
        --------
        >>> net.load_parameters("net.params", ctx=mx.cpu())
        """
        loaded = ndarray.load(filename)
        params = self._collect_params_with_prefix()
        if not loaded and not params:
            return
        if not isinstance(loaded, dict):
            raise ValueError(f"'{filename}' holds arrays without names, so they cannot be told apart")
        loaded = {key[4:] if key.startswith(("arg:", "aux:")) else key: array for key, array in loaded.items()}
        self._match_names(params, loaded)
        # A parameter that several blocks share may be in the file under any of its names.
        shared = {}
        for name, param in params.items():
            shared.setdefault(param, []).append(name)
        present = {name for names in shared.values() if any(n in loaded for n in names) for name in names}
        check_names([name for name in params if name not in present] + [name for name in params if name in loaded],
                    loaded, f"file '{filename}'", allow_missing, ignore_extra)
        load_all(params, loaded, ctx, cast_dtype, dtype_source)

    def _match_names(self, params, loaded):
        """Renames arrays saved under parameter names to places in the tree, where that explains more."""
        if sum(key in params for key in loaded) == len(loaded):
            return
        place = {}
        for where, param in params.items():
            place.setdefault(param.name, where)
            if param.name.startswith(self.prefix):  # ParameterDict.save may have stripped the prefix
                place.setdefault(param.name[len(self.prefix):], where)
        renamed = {place.get(key, key): array for key, array in loaded.items()}
        if sum(key in params for key in renamed) > sum(key in params for key in loaded):
            loaded.clear()
            loaded.update(renamed)

    def save_params(self, filename):
        """Deprecated: use `save_parameters`."""
        warnings.warn("save_params is deprecated, use save_parameters", DeprecationWarning, stacklevel=2)
        self.collect_params().save(filename, strip_prefix=self.prefix)

    def load_params(self, filename, ctx=None, allow_missing=False, ignore_extra=False):
        """Deprecated: use `load_parameters`."""
        warnings.warn("load_params is deprecated, use load_parameters", DeprecationWarning, stacklevel=2)
        self.load_parameters(filename, ctx, allow_missing, ignore_extra)

    def save(self, prefix):
        """Writes the structure to ``prefix-model.json`` and the parameters to ``prefix-model.params``; see `load`."""
        import json
        places = self._collect_params_with_prefix()
        with open(f"{prefix}-model.json", "w") as file:
            json.dump({"block": type(self).__name__,
                       "params": {where: param.name for where, param in places.items()}}, file, indent=1)
        self.save_parameters(f"{prefix}-model.params")

    def load(self, prefix):
        """Reads what `save` wrote. Raises ValueError when the block has another structure."""
        import json
        with open(f"{prefix}-model.json") as file:
            saved = json.load(file)
        if not isinstance(saved, dict) or saved.get("block") != type(self).__name__:
            raise ValueError(f"'{prefix}-model.json' does not describe a {type(self).__name__}")
        self.load_parameters(f"{prefix}-model.params")

    # -- structure -----------------------------------------------------------------------------

    def register_child(self, block, name=None):
        """Adds a child under `name`, by default its number. ValueError when it is or holds this block."""
        if block is self or _holds(block, self):
            raise ValueError(f"{type(self).__name__} '{self.name}' cannot be added to itself")
        self._children[str(len(self._children)) if name is None else name] = block

    def register_forward_pre_hook(self, hook):
        """Calls ``hook(block, inputs)`` before each forward; returns a handle with ``detach()``."""
        handle = HookHandle()
        handle.attach(self._forward_pre_hooks, hook)
        return handle

    def register_forward_hook(self, hook):
        """Calls ``hook(block, inputs, outputs)`` after each forward; returns a handle with ``detach()``."""
        handle = HookHandle()
        handle.attach(self._forward_hooks, hook)
        return handle

    def register_op_hook(self, callback, monitor_all=False):
        """Calls ``callback(name, operator, array)`` on outputs of operators in hybridized children."""
        for child in self._children.values():
            child.register_op_hook(callback, monitor_all)

    def apply(self, fn):
        """Calls ``fn(block)`` on all blocks below and then on this one; returns this block."""
        for child in self._children.values():
            child.apply(fn)
        fn(self)
        return self

    def hybridize(self, active=True, **kwargs):
        """Compiles the hybrid blocks below (or stops to); see `HybridBlock.hybridize`."""
        for child in self._children.values():
            child.hybridize(active, **kwargs)

    def cast(self, dtype):
        """Changes the element type of the parameters of the block and all below it."""
        for child in self._children.values():
            child.cast(dtype)
        for param in self.params.values():
            param.cast(dtype)

    # -- computing -----------------------------------------------------------------------------

    def __call__(self, *args):
        """Runs `forward` with its hooks."""
        if self._forward_pre_hooks or self._forward_hooks:
            return self._call_with_hooks(args)
        return self.forward(*args)

    def _call_with_hooks(self, args):
        for hook in list(self._forward_pre_hooks.values()):
            hook(self, args)
        out = self.forward(*args)
        for hook in list(self._forward_hooks.values()):
            hook(self, args, out)
        return out

    def forward(self, *args):
        """What the block computes; to be overridden."""
        raise NotImplementedError(f"{type(self).__name__} must override forward")

    def summary(self, *inputs):
        """Prints the layers with the shapes of their outputs and the number of their parameters.

        Parameters
        ----------
        *inputs : NDArray
            A batch to run through the network.

        Raises
        ------
        AssertionError
            When the block is hybridized.
        """
        from .summary import print_summary
        print_summary(self, *inputs)


def _blocks_in(value):
    """The blocks in nested lists and dicts."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, Block):
            yield item
        elif isinstance(item, (list, tuple, dict)):
            yield from _blocks_in(item)


def _holds(block, other):
    """Whether `other` is below `block`."""
    return isinstance(block, Block) and any(child is other or _holds(child, other)
                                            for child in block._children.values())


def _first_array(args):
    """The first NDArray in nested lists of arguments, or None."""
    for arg in args:
        if isinstance(arg, NDArray):
            return arg
        if isinstance(arg, (list, tuple)):
            found = _first_array(arg)
            if found is not None:
                return found
    return None


class HybridBlock(Block):
    """A block that can be compiled, since it is written for any kind of array.

    A subclass overrides `hybrid_forward`, which gets the operators as `F` and the block's own
    parameters as keywords, or plain `forward`. Children must be hybrid blocks too.

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
    """

    def __init__(self, prefix=None, params=None):
        super().__init__(prefix, params)
        self._known_arrays = None, None, None  # see _own_arrays
        self._cached_graph = ()
        self._cached_op = None
        self._active = False
        self._flags = []
        self._callback = None
        self._monitor_all = False

    def register_child(self, block, name=None):
        """Adds a child, which must be a HybridBlock: otherwise ValueError."""
        if not isinstance(block, HybridBlock):
            raise ValueError(f"{type(self).__name__}: children of a HybridBlock must be HybridBlocks too, got "
                             f"{block!r} of {type(block)}; HybridSequential takes the place of Sequential")
        super().register_child(block, name)
        self._clear_cached_op()

    def __setattr__(self, name, value):
        super().__setattr__(name, value)
        if isinstance(value, HybridBlock):
            self._clear_cached_op()

    def register_op_hook(self, callback, monitor_all=False):
        """Calls ``callback(name, operator, array)`` on outputs of operators when hybridized."""
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
            Name of a graph backend.
        clear : bool
            Whether to forget what was compiled before.
        static_alloc, static_shape : bool
            Whether memory is planned once, and whether shapes never change.
        inline_limit, forward_bulk_size, backward_bulk_size : int
            Limits for the compiler.
        """
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
        self._cached_graph = ()
        self._cached_op = None

    def cast(self, dtype):
        """Changes the element type of the parameters of the block and all below it."""
        self._clear_cached_op()
        super().cast(dtype)

    def infer_shape(self, *args):
        """Fills in unknown extents of parameters from inputs, without keeping the result.

        Blocks with a plain `forward` of their own that have parameters of unknown shape override it
        and set ``self.weight.shape``; it is then called before the first forward.
        """
        if type(self).forward is not HybridBlock.forward:
            raise NotImplementedError(
                f"{type(self).__name__} has a forward of its own and parameters of unknown shape, so it must "
                "override infer_shape(self, *args) to set their shapes, or be given full shapes")
        from .. import autograd
        with autograd.pause():
            self(*args)

    def infer_type(self, *args):
        """Casts the parameters to the element type of the first input, where that is a float type."""
        array = _first_array(args)
        if array is not None and array.dtype not in ("int8", "uint8", "int32", "int64", "bool"):
            for param in self.collect_params().values():
                param.cast(array.dtype)

    def export(self, path, epoch=0, remove_amp_cast=True):
        """Writes the network as ``path-symbol.json`` and ``path-0000.params``. It needs the symbol module."""
        raise MXNetError("HybridBlock.export needs the symbol module, which is not available; "
                         "use save_parameters to keep the parameters")

    def optimize_for(self, x, *args, backend=None, clear=False, static_alloc=False, static_shape=False,
                     inline_limit=2, forward_bulk_size=None, backward_bulk_size=None, **kwargs):
        """Compiles for a graph backend. It needs the symbol module."""
        raise MXNetError("HybridBlock.optimize_for needs the symbol module, which is not available")

    def forward(self, x, *args):
        """Calls `hybrid_forward` with the parameters on the context of the first array."""
        array = x if isinstance(x, NDArray) else self._array_among((x, *args))
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
        """The first NDArray in nested lists of arguments."""
        array = _first_array(args)
        if array is None:
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
            unknown = [param.name for param in self._reg_params.values() if param._deferred_init]
            raise MXNetError(f"{type(self).__name__}: the shapes of {', '.join(unknown)} cannot be inferred from what "
                             f"hybrid_forward does with them ({error}); give them full shapes") from error

    def __call__(self, *args):
        """Runs `forward` with its hooks."""
        try:
            if self._forward_pre_hooks or self._forward_hooks:
                return self._call_with_hooks(args)
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
            Where operators are found: ``mx.nd``, or the module of another kind of array.
        x, *args : NDArray
            The inputs.
        **kwargs : NDArray
            The block's own parameters by attribute name.
        """
        raise NotImplementedError(f"{type(self).__name__} must override hybrid_forward or forward")

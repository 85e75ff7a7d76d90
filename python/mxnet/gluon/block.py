"""Blocks: the layers and networks of Gluon."""
import re
import warnings
from collections import OrderedDict

from .. import initializer, ndarray
from . import parameter
from .block_scope import _BlockScope
from .parameter import Parameter, ParameterDict
from .parameter_dict import check_names, load_all
from .trainable import Trainable
from .utils import HookDict, HookHandle, _indent

__all__ = ["Block", "HybridBlock", "SymbolBlock"]


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
        warnings.warn("save_params is deprecated, use save_parameters", stacklevel=2)
        self.collect_params().save(filename, strip_prefix=self.prefix)

    def load_params(self, filename, ctx=None, allow_missing=False, ignore_extra=False):
        """Deprecated: use `load_parameters`."""
        warnings.warn("load_params is deprecated, use load_parameters", stacklevel=2)
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
        """Calls ``callback(name, operator, array)`` on outputs of operators in hybridized children.

        Names are `bytes`; ``mx.base.py_str(name)`` is the text. With `monitor_all` inputs of operators are shown too.
        """
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


from ._graph import _flatten, _regroup  # noqa: E402, F401
from .hybrid_block import HybridBlock  # noqa: E402, F401
from .symbol_block import SymbolBlock  # noqa: E402

"""Dictionaries of parameters that share a prefix."""
from collections import OrderedDict

import numpy as np

from .. import initializer, ndarray
from .parameter import Constant, Parameter, _compatible
from .utils import _indent

__all__ = ["ParameterDict"]


class ParameterDict:
    """Parameters by name, in the order they were made; their names start with a common prefix.

    Parameters
    ----------
    prefix : str
        Put before the names given to `get`.
    shared : ParameterDict, optional
        Where `get` looks first, so that two blocks can share parameters.

    Examples
    --------
    >>> params = mx.gluon.ParameterDict("net_")
    >>> params.get("weight", shape=(2, 3))
    Parameter net_weight (shape=(2, 3), dtype=<class 'numpy.float32'>)
    """

    def __init__(self, prefix="", shared=None):
        self._prefix = prefix
        self._params = OrderedDict()
        self._shared = shared

    def __repr__(self):
        name = self._prefix + " " if self._prefix else ""
        content = "\n".join(_indent(f"  {v}", 2) for v in self.values())
        return f"{name}(\n{content}\n)"

    def __getitem__(self, key):
        return self._params[key]

    def __iter__(self):
        return iter(self._params)

    def __len__(self):
        return len(self._params)

    def __contains__(self, key):
        return key in self._params

    def items(self):
        """Pairs of name and Parameter."""
        return self._params.items()

    def keys(self):
        """The names."""
        return self._params.keys()

    def values(self):
        """The parameters."""
        return self._params.values()

    @property
    def prefix(self):
        """What the names given to `get` are prefixed with."""
        return self._prefix

    def _find(self, name):
        """The parameter `name`, here or in the shared ones, or None."""
        if name not in self._params and self._shared is not None:
            found = self._shared._find(name)
            if found is not None:
                self._params[name] = found
        return self._params.get(name)

    def get(self, name, **kwargs):
        """The parameter ``prefix + name``, made with `kwargs` (see `Parameter`) if there is none.

        An existing one must agree with `kwargs`; unknown extents of either shape are filled in from
        the other. Otherwise AssertionError.
        """
        name = self._prefix + name
        param = self._find(name)
        if param is None:
            param = self._params[name] = Parameter(name, **kwargs)
            return param
        for key, wanted in kwargs.items():
            have = getattr(param, key, None)
            if have is None:
                setattr(param, key, wanted)
                continue
            if key == "shape" and wanted is not None:
                wanted = (wanted,) if isinstance(wanted, (int, np.integer)) else tuple(wanted)
                if _compatible(have, wanted):
                    param.shape = wanted
                    continue
            elif wanted is None or wanted == have or (key == "dtype" and np.dtype(wanted) == np.dtype(have)):
                continue
            raise AssertionError(f"Parameter '{name}' exists with {key} {have}, which does not agree with the "
                                 f"{key} {wanted} asked for")
        return param

    def get_constant(self, name, value=None):
        """The constant ``prefix + name``, made from `value` (array_like) if there is none.

        Raises KeyError when there is none and no `value`, AssertionError when there is another.
        """
        name = self._prefix + name
        param = self._find(name)
        if param is None:
            if value is None:
                raise KeyError(f"there is no constant '{name}'; give a value to make one")
            param = self._params[name] = Constant(name, value)
            return param
        if value is not None:
            if not isinstance(param, Constant):
                raise AssertionError(f"'{name}' is a Parameter, not a Constant")
            wanted = value.asnumpy() if isinstance(value, ndarray.NDArray) else np.asarray(value)
            if param.value.shape != wanted.shape or not (param.value.asnumpy() == wanted).all():
                raise AssertionError(f"Constant '{name}' exists with another value")
        return param

    def update(self, other):
        """Adds the parameters of `other`. AssertionError when a name stands for two parameters."""
        for name, param in other.items():
            if self._params.get(name, param) is not param:
                raise AssertionError(f"cannot join the parameters: there are two different ones named '{name}'")
        self._params.update(other.items())

    def initialize(self, init=initializer.Uniform(), ctx=None, verbose=False,  # noqa: B008
                   force_reinit=False):
        """Initializes all parameters; see `Parameter.initialize`.

        `init` is for those without an initializer of their own; `verbose` logs each of them.
        """
        init = initializer.create(init) if isinstance(init, str) else init
        if verbose:
            init.set_verbosity(verbose=verbose)
        for param in self.values():
            param.initialize(None, ctx, init, force_reinit=force_reinit)

    def zero_grad(self):
        """Sets all gradients to 0."""
        for param in self.values():
            param.zero_grad()

    def reset_ctx(self, ctx):
        """Moves all parameters to `ctx` (Context or list of Context)."""
        for param in self.values():
            param.reset_ctx(ctx)

    def list_ctx(self):
        """The contexts that hold any of the parameters."""
        return list(dict.fromkeys(ctx for param in self.values() for ctx in param.list_ctx()))

    def setattr(self, name, value):
        """Sets an attribute of all parameters.

        Examples
        --------
        >>> net.collect_params().setattr("grad_req", "null")
        """
        for param in self.values():
            setattr(param, name, value)

    def save(self, filename, strip_prefix=""):
        """Writes all values to a file, under their names without `strip_prefix`.

        Raises ValueError when a name does not start with `strip_prefix`.
        """
        arrays = {}
        for param in self.values():
            if not param.name.startswith(strip_prefix):
                raise ValueError(f"the prefix '{strip_prefix}' cannot be taken off parameter '{param.name}'; "
                                 "Block.save_parameters saves with names that need no prefix")
            arrays[param.name[len(strip_prefix):]] = param._reduce()
        ndarray.save(filename, arrays)

    def load(self, filename, ctx=None, allow_missing=False, ignore_extra=False, restore_prefix="",
             cast_dtype=False, dtype_source="current"):
        """Reads values from a file that `save` wrote.

        Parameters
        ----------
        filename : str
            File to read.
        ctx : Context or list of Context, optional
            Where to put what is not initialized yet.
        allow_missing, ignore_extra : bool
            Whether parameters may be missing in the file, or arrays in it be left over.
        restore_prefix : str
            Put before the names in the file.
        cast_dtype : bool
            Whether element types may differ; `dtype_source` ('current' or 'saved') then wins.

        Raises
        ------
        AssertionError
            For missing parameters, or other shapes and element types.
        ValueError
            For arrays left over.
        """
        self.load_dict(ndarray.load(filename), ctx, allow_missing, ignore_extra, restore_prefix, filename,
                       cast_dtype, dtype_source)

    def load_dict(self, param_dict, ctx=None, allow_missing=False, ignore_extra=False, restore_prefix="",
                  filename=None, cast_dtype=False, dtype_source="current"):
        """Takes values from a dict of names and arrays; see `load`."""
        source = f"file '{filename}'" if filename else "the dict"
        for name in self.keys():
            if not name.startswith(restore_prefix):
                raise AssertionError(f"restore_prefix is '{restore_prefix}', but parameter '{name}' does not start "
                                     "with it")
        if not isinstance(param_dict, dict):
            raise AssertionError(f"{source} holds arrays without names, so they cannot be told apart")
        arrays = {restore_prefix + (k[4:] if k.startswith(("arg:", "aux:")) else k): v
                  for k, v in param_dict.items()}
        check_names(self.keys(), arrays, source, allow_missing, ignore_extra)
        load_all(self._params, arrays, ctx, cast_dtype, dtype_source)


def load_all(params, arrays, ctx, cast_dtype, dtype_source):
    """Gives parameters the arrays of their names: all, or none when one of them does not fit."""
    found = [(params[name], array) for name, array in arrays.items() if name in params]
    for param, array in found:
        param._check_load(array, ctx, cast_dtype, dtype_source)
    for param, array in found:
        param._load_init(array, ctx, cast_dtype, dtype_source)


def check_names(wanted, given, source, allow_missing, ignore_extra):
    """Compares parameter names with those in a file; the error lists what is missing and left over."""
    missing = [] if allow_missing else [name for name in wanted if name not in given]
    extra = [] if ignore_extra else [name for name in given if name not in wanted]
    if not missing and not extra:
        return
    import difflib
    parts = []
    if missing:
        parts.append(f"missing in {source}: {_quoted(missing)}")
    if extra:
        parts.append(f"in {source} but not in the network: {_quoted(extra)}")
    pool = [name for name in (given if missing else wanted) if name not in (wanted if missing else given)]
    near = {name: difflib.get_close_matches(name, pool, 1) for name in (missing or extra)[:10]}
    near = [f"'{name}' and '{found[0]}'" for name, found in near.items() if found]
    if near:
        parts.append(f"near names: {', '.join(near)}")
    hints = ["allow_missing=True"] * bool(missing) + ["ignore_extra=True"] * bool(extra)
    text = f"parameters do not match: {'; '.join(parts)}. Set {' and '.join(hints)} to load the others"
    raise AssertionError(text)


def _quoted(names, limit=10):
    shown = ", ".join(f"'{name}'" for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")

"""Parameters: the arrays that a network learns, with their gradients, on one or more contexts."""
import warnings
from operator import index

import numpy as np

from .. import _core, autograd, context, initializer, ndarray, symbol
from ..base import MXNetError, mx_real_t
from ..context import Context
from ..util import is_np_shape
from .utils import shape_is_known

__all__ = ["Constant", "DeferredInitializationError", "Parameter", "ParameterDict", "tensor_types"]

# What a hybrid block is called with.
tensor_types = (symbol.Symbol, ndarray.NDArray)


class DeferredInitializationError(MXNetError):
    """A parameter was asked for its array while its shape is still unknown."""


# Counts the times that any parameter got other arrays; until then blocks may keep those they have.
_generation = 0


def changed():
    """Says that a parameter got other arrays."""
    global _generation
    _generation += 1


def _shape_of(shape, name):
    """`shape`, a number or a sequence of them, as a tuple of int."""
    shape = (index(shape),) if hasattr(shape, "__index__") else tuple(index(i) for i in shape)
    if any(i < -1 for i in shape):
        raise ValueError(f"Parameter '{name}': extents must not be negative (0 and -1 are unknown), got {shape}")
    return shape


def _same_extent(a, b):
    return a == b or a in (0, -1) or b in (0, -1)


def _compatible(a, b):
    """True when shapes `a` and `b` may be the same, where 0 and -1 are unknown extents."""
    return len(a) == len(b) and all(_same_extent(i, j) for i, j in zip(a, b))


class Parameter:
    """A learned array: its values and gradients on each context, and how it starts.

    Until `initialize` there is only the description. A shape with unknown extents (0) is filled in
    by the first forward pass (`allow_deferred_init`); until then the array cannot be had.

    Parameters
    ----------
    name : str
        Name of the parameter.
    grad_req : {'write', 'add', 'null'}
        What backward does with the gradient: overwrite it, add to it, or not compute it.
    shape : int or tuple of int, optional
        Shape; 0 stands for an extent that is not known yet.
    dtype : str or numpy type
        Element type, float32 by default.
    lr_mult, wd_mult : float
        Factors on the optimizer's learning rate and weight decay.
    init : Initializer or str, optional
        Initializer of this parameter; otherwise that of the network is used.
    allow_deferred_init : bool
        Whether the shape may be unknown when `initialize` is called.
    differentiable : bool
        False for what has no gradient; `grad_req` is then always 'null'.
    stype, grad_stype : {'default', 'row_sparse', 'csr'}
        Storage of values and gradient.

    Examples
    --------
    >>> w = mx.gluon.Parameter("w", shape=(2, 3))
    >>> w.initialize(mx.init.One())
    >>> w.data().shape
    (2, 3)
    """

    def __init__(self, name, grad_req="write", shape=None, dtype=mx_real_t, lr_mult=1.0, wd_mult=1.0,
                 init=None, allow_deferred_init=False, differentiable=True, stype="default",
                 grad_stype="default"):
        for what, value in (("stype", stype), ("grad_stype", grad_stype)):
            if value not in ("default", "row_sparse", "csr"):
                raise AssertionError(f"Parameter '{name}': {what} must be 'default', 'row_sparse' or 'csr', "
                                     f"got {value!r}")
        self._var = None           # the symbol that stands for it
        self._data = None          # one array for each context, once initialized
        self._grad = None          # its gradients, unless grad_req is 'null'
        self._ctx_list = None
        self._deferred_init = ()   # (init, contexts, default_init, data) while the shape is unknown
        self._trainer = None
        self._differentiable = differentiable
        self._allow_deferred_init = allow_deferred_init
        self._grad_req = None
        self._shape = None if shape is None else _shape_of(shape, name)
        self._stype = stype
        self._grad_stype = grad_stype
        self._dtype = dtype
        self.name = name
        self.lr_mult = lr_mult
        self.wd_mult = wd_mult
        self.grad_req = grad_req
        self.init = init

    def __repr__(self):
        return f"Parameter {self.name} (shape={self.shape}, dtype={self.dtype})"

    def __setstate__(self, state):
        # A copied or unpickled array is a new one, which autograd has to be told about.
        self.__dict__.update(state)
        self._var = None
        if self._data is not None:
            self._init_grad()

    # -- description ---------------------------------------------------------------------------

    @property
    def grad_req(self):
        """What backward does with the gradient: 'write', 'add' or 'null'."""
        return self._grad_req

    @grad_req.setter
    def grad_req(self, req):
        if req not in ("write", "add", "null"):
            raise AssertionError(f"Parameter '{self.name}': grad_req must be 'write', 'add' or 'null', got {req!r}")
        if not self._differentiable:
            req = "null"
        if req == self._grad_req:
            return
        self._grad_req = req
        if self._data is None:
            return
        changed()
        if req == "null":
            self._grad = None
            self._data = [array.detach() for array in self._data]
        else:
            self._init_grad()

    @property
    def dtype(self):
        """Element type. Setting it casts the values, as `cast` does."""
        return self._dtype

    @dtype.setter
    def dtype(self, dtype):
        self.cast(dtype)

    @property
    def shape(self):
        """Shape as a tuple, with 0 for an extent that is not known yet (-1 with NumPy shapes), or None.

        May be set once to fill in unknown extents; AssertionError when it contradicts.
        """
        if self._shape is None:
            return None
        if 0 not in self._shape and -1 not in self._shape:
            return self._shape
        unknown = -1 if is_np_shape() else 0  # no parameter is empty, so both mean the same
        return tuple(unknown if i in (0, -1) else i for i in self._shape)

    @shape.setter
    def shape(self, new_shape):
        new_shape = _shape_of(new_shape, self.name)
        if self._shape is not None and not _compatible(self._shape, new_shape):
            raise AssertionError(f"Parameter '{self.name}': shape {new_shape} contradicts the shape "
                                 f"{self.shape} it was given")
        if self._shape is not None:
            # An unknown extent of the new shape does not forget one that is known.
            new_shape = tuple(old if new in (0, -1) else new for old, new in zip(self._shape, new_shape))
        self._shape = new_shape

    @property
    def stype(self):
        """Storage of the values."""
        return self._stype

    # -- initialization ------------------------------------------------------------------------

    def initialize(self, init=None, ctx=None, default_init=initializer.Uniform(),  # noqa: B008
                   force_reinit=False):
        """Makes the arrays and fills them.

        Parameters
        ----------
        init : Initializer or str, optional
            Takes the place of the parameter's own initializer.
        ctx : Context or list of Context, optional
            Where to put copies; the current context by default.
        default_init : Initializer or str
            Used when neither `init` nor the parameter's own initializer is given.
        force_reinit : bool
            Whether to fill anew what is initialized already; otherwise that only warns.

        Raises
        ------
        ValueError
            When the shape has unknown extents and `allow_deferred_init` is False.

        Examples
        --------
        >>> w = mx.gluon.Parameter("w", shape=(2, 2))
        >>> w.initialize(ctx=[mx.cpu(0), mx.cpu(1)])
        >>> w.list_ctx()
        [cpu(0), cpu(1)]
        """
        if self._data is not None and not force_reinit:
            warnings.warn(f"Parameter '{self.name}' is already initialized and stays as it is; "
                          "set force_reinit=True to initialize it anew", stacklevel=2)
            return
        if ctx is None:
            ctx = [context.current_context()]
        elif isinstance(ctx, Context):
            ctx = [ctx]
        if init is None:
            init = default_init if self.init is None else self.init
        known = self._shape is not None and shape_is_known(self.shape)
        if not known and not self._allow_deferred_init:
            raise ValueError(f"Parameter '{self.name}' cannot be initialized because extents of its shape "
                             f"{self.shape} are unknown")
        self._deferred_init = (init, list(ctx), default_init, None)
        if known:
            try:
                self._finish_deferred_init()
            except Exception:
                self._deferred_init = ()  # nothing is waiting to be found out
                raise
        else:
            self._data = self._grad = None
            changed()

    def _finish_deferred_init(self):
        """Makes and fills the arrays, once the shape is known."""
        if not self._deferred_init:
            return
        init, ctx, default_init, data = self._deferred_init
        if self._shape is None or not shape_is_known(self.shape):
            raise AssertionError(f"Parameter '{self.name}' cannot be initialized because extents of its shape "
                                 f"{self.shape} are unknown; give in_units, in_channels, ... to the layer or run "
                                 "one batch of data through the network")
        with autograd.pause():
            if data is None:
                # Filled on the CPU and copied, so that one seed gives the same start on all devices.
                where = ctx[0] if ctx[0].device_typeid == 1 else context.cpu()
                data = self._zeros(self._stype, where)
                if isinstance(init, (str, initializer.Initializer)):
                    desc = initializer.InitDesc(self.name, {"__init__": init})
                    initializer.create(default_init)(desc, data)
                else:  # Load, Mixed or any function of a name and an array
                    init(initializer.InitDesc(self.name), data)
            else:
                data = data.astype(self.dtype)
            self._init_impl(data, ctx)

    def _zeros(self, stype, ctx):
        if stype != "default":
            return ndarray.zeros(self.shape, ctx=ctx, dtype=self.dtype, stype=stype)
        return ndarray.zeros(self.shape, ctx=ctx, dtype=self.dtype)

    def _init_impl(self, data, ctx_list):
        """Takes `data`, which nobody else holds, as the values on every context."""
        self._data = [data if i == 0 and data.context == ctx else data.copyto(ctx)
                      for i, ctx in enumerate(ctx_list)]
        self._ctx_list = list(ctx_list)
        self._deferred_init = ()
        self._init_grad()
        changed()

    def _init_grad(self):
        """Makes the gradients and tells autograd about them."""
        if self.grad_req == "null":
            self._grad = None
            return
        self._grad = [self._zeros(self._grad_stype, ctx) for ctx in self._ctx_list]
        autograd.mark_variables(self._data, self._grad, self.grad_req)

    def _check_load(self, data, ctx, cast_dtype=False, dtype_source="current"):
        """Raises AssertionError when `_load_init` could not take `data`."""
        if cast_dtype and dtype_source not in ("current", "saved"):
            raise AssertionError(f"dtype_source must be 'current' or 'saved', got {dtype_source!r}")
        if self._shape is not None and not _compatible(self._shape, data.shape):
            raise AssertionError(f"Parameter '{self.name}' has shape {self.shape}, but the saved array has shape "
                                 f"{data.shape}")
        if not cast_dtype and self.dtype is not None and np.dtype(self.dtype) != np.dtype(data.dtype):
            raise AssertionError(
                f"Parameter '{self.name}' has dtype {np.dtype(self.dtype).name}, but the saved array has "
                f"dtype {np.dtype(data.dtype).name}; set cast_dtype=True to cast it")
        if ctx is None:
            return
        wanted = {ctx} if isinstance(ctx, Context) else set(ctx)
        if self._data is not None and wanted != set(self._ctx_list):
            raise AssertionError(f"Parameter '{self.name}' lives on {self._ctx_list}, but is loaded on {list(wanted)}; "
                                 "give the same contexts or use reset_ctx")
        if self._data is None and self._deferred_init and wanted != set(self._deferred_init[1]):
            raise AssertionError(f"Parameter '{self.name}' is to be initialized on {self._deferred_init[1]}, but "
                                 f"loaded on {list(wanted)}; give the same contexts or use reset_ctx")

    def _load_init(self, data, ctx, cast_dtype=False, dtype_source="current"):
        """Takes the values of `data`, e.g. from a file, initializing if need be."""
        self._check_load(data, ctx, cast_dtype, dtype_source)
        if cast_dtype and dtype_source == "saved" and np.dtype(self.dtype or data.dtype) != np.dtype(data.dtype):
            self.cast(data.dtype)
        if self._data is not None:
            self.set_data(data)
            return
        if self._deferred_init:
            ctx = self._deferred_init[1]
        elif ctx is None:
            ctx = [context.cpu()]
        elif isinstance(ctx, Context):
            ctx = [ctx]
        self._shape = tuple(data.shape)
        with autograd.pause():
            self._init_impl(data.astype(self.dtype or data.dtype), ctx)

    def _deferred_placeholder(self, ctx):
        """Stands for the array in a first forward pass; an operator resolves it by its own shapes."""
        if shape_is_known(self.shape):  # set by hand since initialize
            self._finish_deferred_init()
            return self.data(ctx)

        def resolve(shape):
            self.shape = shape
            self._finish_deferred_init()
            return self.data(ctx)
        return _core.DeferredArray(resolve, self.shape, self.dtype)

    # -- access --------------------------------------------------------------------------------

    def _pick(self, arrays, ctx):
        """The array on `ctx`, or all arrays when `ctx` is `list`."""
        if arrays is not None:
            if ctx is list:
                return arrays
            if ctx is None:
                if len(arrays) == 1:
                    return arrays[0]
                ctx = context.current_context()
            for array, where in zip(arrays, self._ctx_list):
                if where == ctx:
                    return array
            raise RuntimeError(f"Parameter '{self.name}' is not on context {ctx}; it was initialized on "
                               f"{self._ctx_list}")
        if self._deferred_init:
            raise DeferredInitializationError(
                f"Parameter '{self.name}' has no array yet because its shape {self.shape} is still partly "
                "unknown: run one batch of data through the network first, or give in_units, in_channels, ... "
                "to the layer")
        raise RuntimeError(f"Parameter '{self.name}' has not been initialized: call initialize() on its block "
                           "first, and give Trainer the parameters of Block.collect_params(), since Block.params "
                           "leaves out those of children")

    def data(self, ctx=None):
        """The values on one context, an NDArray of shape `shape`.

        Parameters
        ----------
        ctx : Context, optional
            Which copy; may be left out where there is only one, else the current context.

        Raises
        ------
        DeferredInitializationError
            While the shape is unknown.
        RuntimeError
            Before `initialize`, or when there is no copy on `ctx`.
        """
        arrays = self._data
        if arrays is not None and len(arrays) == 1 and (ctx is None or ctx == self._ctx_list[0]):
            return arrays[0]
        return self._pick(arrays, ctx)

    def list_data(self):
        """The values on all contexts, in the order of `list_ctx`."""
        return self._pick(self._data, list)

    def grad(self, ctx=None):
        """The gradient on one context; see `data`. RuntimeError when grad_req is 'null'."""
        self._check_grad()
        return self._pick(self._grad, ctx)

    def list_grad(self):
        """The gradients on all contexts, in the order of `list_ctx`."""
        self._check_grad()
        return self._pick(self._grad, list)

    def _check_grad(self):
        if self._data is not None and self._grad is None:
            raise RuntimeError(f"Parameter '{self.name}' has no gradient because its grad_req is 'null'")

    def list_ctx(self):
        """The contexts that hold the parameter. RuntimeError before `initialize`."""
        if self._data is not None:
            return self._ctx_list
        if self._deferred_init:
            return self._deferred_init[1]
        raise RuntimeError(f"Parameter '{self.name}' has not been initialized")

    def row_sparse_data(self, row_id):
        """Rows `row_id` of a row-sparse parameter. RuntimeError for dense ones."""
        return self._sparse_only("row_sparse_data")

    def list_row_sparse_data(self, row_id):
        """Rows `row_id` of a row-sparse parameter on all contexts. RuntimeError for dense ones."""
        return self._sparse_only("list_row_sparse_data")

    def _sparse_only(self, method):
        raise RuntimeError(f"Parameter '{self.name}' has {self._stype} storage: {method} needs a row_sparse "
                           "parameter in a kvstore, so use data() instead")

    def var(self):
        """The symbol that stands for the parameter, always the same one."""
        if self._var is None:
            init = self.init if isinstance(self.init, str) or hasattr(self.init, "dumps") else None
            self._var = symbol.var(self.name, shape=self.shape, dtype=self.dtype, lr_mult=self.lr_mult,
                                   wd_mult=self.wd_mult, init=init, stype=self._stype)
        return self._var

    # -- changes -------------------------------------------------------------------------------

    def set_data(self, data):
        """Sets the values on all contexts to those of `data` (an array of the same shape)."""
        self.shape = data.shape
        if self._data is None:
            if not self._deferred_init:
                raise AssertionError(f"Parameter '{self.name}' has not been initialized")
            self._deferred_init = (*self._deferred_init[:3], data)
            return
        for array in self._data:
            array[:] = data
        if self._trainer is not None:
            self._trainer._value_set(self)

    def zero_grad(self):
        """Sets the gradients to 0. Nothing happens when there are none."""
        for grad in self._grad or ():
            grad[:] = 0

    def reset_ctx(self, ctx):
        """Moves the parameter to other contexts (Context or list). ValueError before `initialize`."""
        ctx = [ctx] if isinstance(ctx, Context) else list(ctx)
        if self._data is not None:
            data = self._reduce()
            with autograd.pause():
                self._init_impl(data, ctx)
        elif self._deferred_init:
            init, _, default_init, data = self._deferred_init
            self._deferred_init = (init, ctx, default_init, data)
        else:
            raise ValueError(f"Parameter '{self.name}' cannot move to {ctx} because it has not been initialized")

    def cast(self, dtype):
        """Changes the element type of values and gradients."""
        if self._data is not None:
            with autograd.pause():
                data = [array.astype(dtype) for array in self._data]
                self._data, self._dtype = data, dtype
                self._init_grad()
            changed()
        self._dtype = dtype
        self._var = None  # its symbol names the element type

    def _reduce(self):
        """The mean of the copies on the CPU: what is saved."""
        copies = [array.copyto(context.cpu()) for array in self.list_data()]
        if len(copies) == 1:
            return copies[0]
        total = copies[0]
        for copy in copies[1:]:
            total += copy
        return total / len(copies)


class Constant(Parameter):
    """An array that belongs to a network but is not learned.

    Parameters
    ----------
    name : str
        Name of the constant.
    value : array_like
        Its values.

    Examples
    --------
    >>> c = mx.gluon.Constant("c", [[1, 2], [3, 4]])
    >>> c.initialize()
    >>> c.data().asnumpy()
    array([[1., 2.],
           [3., 4.]], dtype=float32)
    """

    def __init__(self, name, value):
        if not isinstance(value, ndarray.NDArray):
            value = ndarray.array(value)
        self.value = value
        super().__init__(name, grad_req="null", shape=value.shape, dtype=value.dtype,
                         init=initializer.Constant(value))

    def __repr__(self):
        return f"Constant {self.name} (shape={self.shape}, dtype={self.dtype})"

    @property
    def grad_req(self):
        """Always 'null'."""
        return "null"

    @grad_req.setter
    def grad_req(self, req):
        if req != "null":
            warnings.warn(f"Constant '{self.name}' has no gradient: grad_req '{req}' is ignored", stacklevel=2)
        self._grad_req = "null"


from .parameter_dict import ParameterDict  # noqa: E402

"""`Symbol`, groups of symbols, and their files."""
import builtins
import os
import warnings

from .. import _core
from ..base import NotImplementedForSymbol, integer_types, numeric_types
from ..context import current_context
from ..error import ValueError as MXValueError
from ..util import is_np_shape
from . import _internal, backends, op
from ._files import load, load_json
from ._functions import (
    arange,
    eye,
    full,
    histogram,
    hypot,
    linspace,
    maximum,
    minimum,
    ones,
    pow,
    power,
    split_v2,
    zeros,
)
from ._traced import TracedShape
from ._variable import Variable, var

_slice = builtins.slice

__all__ = ["Group", "Symbol", "Variable", "arange", "eye", "full", "histogram", "hypot", "linspace", "load",
           "load_json", "maximum", "minimum", "ones", "pow", "power", "split_v2", "var", "zeros"]


def _not_for_symbols(name):
    def method(self, *args, **kwargs):
        raise NotImplementedForSymbol(method, None, *args)
    method.__name__ = name
    method.__doc__ = "Raises `NotImplementedForSymbol`: a symbol has no contents."
    return method


def _binary(name, array_op, scalar_op, reverse=False):
    """A sign between symbols (`array_op`) or between a symbol and a number (`scalar_op`)."""
    def method(self, other):
        if isinstance(other, Symbol):
            return getattr(_internal, array_op)(*((other, self) if reverse else (self, other)))
        if isinstance(other, numeric_types):
            return getattr(_internal, scalar_op)(self, scalar=other)
        raise TypeError(f"type {type(other)} not supported")
    method.__name__ = name
    return method


class Symbol(_core.SymbolBase, TracedShape):
    """A computation that has not run: one or more outputs of a graph of operators.

    Symbols are made by `var`, by the functions of ``mx.sym`` and by arithmetic signs, which take symbols
    of one shape, or a symbol and a number. To compute, bind them to arrays.

    Examples
    --------
    >>> x, y = mx.sym.var("x"), mx.sym.var("y")
    >>> z = x * y + 2
    >>> z.list_arguments()
    ['x', 'y']
    >>> z.eval(x=mx.nd.array([2]), y=mx.nd.array([3]))[0].asscalar()
    np.float32(8.0)
    """

    __slots__ = ()

    # NumPy leaves arithmetic signs between its arrays and ours to this class.
    __array_priority__ = 1000.0

    def __init__(self, handle=None):
        if handle is not None:
            super().__init__(handle)

    def __repr__(self):
        name = self.name
        if name is None:
            return f"<Symbol group [{', '.join(node for node, _ in _core.symbol_heads(self))}]>"
        return f"<Symbol {name}>"

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __len__(self):
        return _core.symbol_size(self)

    def __getitem__(self, index):
        """One output by number or name, or a group of several by slice.

        Raises
        ------
        IndexError
            When the number is out of range.
        ValueError
            When no output, or more than one, has the name.
        """
        if isinstance(index, _slice):
            return Group([self[i] for i in range(*index.indices(len(self)))])
        if isinstance(index, str):
            found = [i for i, name in enumerate(self.list_outputs()) if name == index]
            if not found:
                raise ValueError(f'Cannot find output that matches name "{index}"')
            if len(found) > 1:
                raise ValueError(f'There are multiple outputs with name "{index}"')
            index = found[0]
        if not isinstance(index, integer_types):
            raise TypeError("Symbol only support integer index to fetch i-th output")
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"output {index} is out of range: the symbol has {len(self)}")
        return self if len(self) == 1 else _core.symbol_item(self, int(index))

    def __bool__(self):
        raise NotImplementedForSymbol(Symbol.__bool__, "bool")

    def __copy__(self):
        return self.__deepcopy__(None)

    def __deepcopy__(self, memo):
        return _core.symbol_copy(self)

    def __reduce__(self):
        return _unpickled, (type(self), self.tojson())

    # -- arithmetic ----------------------------------------------------------------------------

    __add__ = __radd__ = __iadd__ = _binary("__add__", "_Plus", "_PlusScalar")
    __sub__ = __isub__ = _binary("__sub__", "_Minus", "_MinusScalar")
    __rsub__ = _binary("__rsub__", "_Minus", "_RMinusScalar", reverse=True)
    __mul__ = __rmul__ = __imul__ = _binary("__mul__", "_Mul", "_MulScalar")
    __truediv__ = __itruediv__ = __div__ = _binary("__truediv__", "_Div", "_DivScalar")
    __rtruediv__ = __rdiv__ = _binary("__rtruediv__", "_Div", "_RDivScalar", reverse=True)
    __mod__ = __imod__ = _binary("__mod__", "_Mod", "_ModScalar")
    __rmod__ = _binary("__rmod__", "_Mod", "_RModScalar", reverse=True)
    __pow__ = _binary("__pow__", "_Power", "_PowerScalar")
    __rpow__ = _binary("__rpow__", "_Power", "_rpower_scalar", reverse=True)
    __eq__ = _binary("__eq__", "_equal", "_equal_scalar")
    __ne__ = _binary("__ne__", "_not_equal", "_not_equal_scalar")
    __gt__ = _binary("__gt__", "_greater", "_greater_scalar")
    __ge__ = _binary("__ge__", "_greater_equal", "_greater_equal_scalar")
    __lt__ = _binary("__lt__", "_lesser", "_lesser_scalar")
    __le__ = _binary("__le__", "_lesser_equal", "_lesser_equal_scalar")
    __hash__ = None

    def __neg__(self):
        return _internal._MulScalar(self, scalar=-1.0)

    def __abs__(self):
        return op.abs(self)

    # -- composition ---------------------------------------------------------------------------

    def __call__(self, *args, **kwargs):
        """The same graph with other symbols in the place of variables, given by name or in their order.

        Parameters
        ----------
        *args, **kwargs : Symbol
            Values of the arguments, in the order of `list_arguments`, or of inputs by name.
        name : str, optional
            What the node of the outputs is called in the new graph.

        Raises
        ------
        ValueError
            When there is no such variable.

        Examples
        --------
        >>> x = mx.sym.var("x")
        >>> (x + 1)(x=mx.sym.var("y")).list_arguments()
        ['y']
        """
        name = kwargs.pop("name", None)
        if args and kwargs:
            raise TypeError("compose only accept input Symbols either as positional or keyword arguments, not both")
        for value in (*args, *kwargs.values()):
            if not isinstance(value, Symbol):
                raise TypeError("Compose expect `Symbol` as arguments")
        if args:
            names = self.list_arguments()
            if len(args) > len(names):
                raise TypeError(f"compose: got {len(args)} symbols for {len(names)} arguments ({', '.join(names)})")
            kwargs = dict(zip(names, args))
        elif kwargs:
            names = self.list_inputs()
            for key in kwargs:
                if key not in names:
                    raise MXValueError(f"compose: there is no variable '{key}'; the variables are {', '.join(names)}")
        return _core.symbol_compose(self, kwargs, name or "")

    # -- names and attributes ------------------------------------------------------------------

    @property
    def name(self):
        """Name of the node whose outputs these are; None for a group."""
        return _core.symbol_name(self)

    def attr(self, key):
        """One attribute of the node, text; None if it is not set or this is a group. A variable has its ``name``."""
        value = _core.symbol_attr(self, key)
        return self.name if value is None and key == "name" and self.list_inputs() == [self.name] else value

    def list_attr(self, recursive=False):
        """The attributes of the node, a dict of text; those of its inputs are in `attr_dict`."""
        if recursive:
            raise DeprecationWarning("Symbol.list_attr with recursive=True has been deprecated. "
                                     "Please use attr_dict instead.")
        return _core.symbol_attrs(self)

    def attr_dict(self):
        """The attributes of every node below that has any, a dict from name to dict."""
        return _core.symbol_all_attrs(self)

    def _set_attr(self, **kwargs):
        """Sets attributes; ValueError unless they are text."""
        for key, value in kwargs.items():
            if not isinstance(value, str):
                raise ValueError("Set Attr only accepts string values")
            _core.symbol_set_attr(self, key, value)

    def list_arguments(self):
        """Names of the variables that have to be given, without auxiliary states."""
        return _core.symbol_arguments(self)

    def list_auxiliary_states(self):
        """Names of the variables that operators write, such as moving averages."""
        return _core.symbol_states(self)

    def list_inputs(self):
        """Names of all variables."""
        return _core.symbol_inputs(self)

    def list_outputs(self):
        """Names of the outputs, e.g. ``['fc1_output']``."""
        return _core.symbol_outputs(self)

    def get_internals(self):
        """A group of every output of every node below; pick one by name: ``internals['fc1_output']``."""
        return _core.symbol_internals(self)

    def get_children(self):
        """A group of what the nodes of the outputs read; None for a variable."""
        children = _core.symbol_children(self)
        return children if len(children) else None

    def debug_str(self):
        """The graph as text: a paragraph for each node."""
        nodes = _core.symbol_nodes(self)
        lines = ["Symbol Outputs:"]
        lines += [f"\toutput[{i}]={name}({index})" for i, (name, index) in enumerate(_core.symbol_heads(self))]
        for op_name, name, attrs, inputs in nodes:
            if op_name is None:
                lines.append(f"Variable:{name}")
                continue
            lines += ["--------------------", f"Op:{op_name}, Name={name}", "Inputs:"]
            lines += [f"\targ[{i}]={nodes[node][1]}({index})" + ("" if nodes[node][0] else " version=0")
                      for i, (node, index) in enumerate(inputs)]
            if attrs:
                lines += ["Attrs:", *(f"\t{key}={value}" for key, value in attrs.items())]
        return "\n".join(lines) + "\n"

    # -- inference -----------------------------------------------------------------------------

    def _given(self, args, kwargs, what):
        """Shapes or types given by position or keyword, as a dict from the names of variables."""
        if args and kwargs:
            raise ValueError(f"Can only specify known argument {what} either by positional or kwargs way.")
        names = self.list_arguments()
        if args:
            if len(args) > len(names):
                raise MXValueError(f"infer: got {len(args)} {what} for {len(names)} arguments")
            return {name: value for name, value in zip(names, args) if value is not None}
        known = {*names, *self.list_auxiliary_states()}
        for name in kwargs:
            if name not in known:
                raise MXValueError(f"infer: there is no argument '{name}'; the arguments are {', '.join(names)}")
        return {name: value for name, value in kwargs.items() if value is not None}

    def infer_shape(self, *args, **kwargs):
        """Shapes of arguments, outputs and auxiliary states from those of some arguments.

        Parameters
        ----------
        *args, **kwargs : tuple of int
            Shapes by position or by name; 0 (-1 with NumPy shapes) stands for an extent that is not known.

        Returns
        -------
        arg_shapes, out_shapes, aux_shapes : list of tuple
            In the order of `list_arguments`, `list_outputs` and `list_auxiliary_states`. All are None where
            something cannot be inferred, which also warns.

        Raises
        ------
        ValueError
            When the shapes do not fit the operators.

        Examples
        --------
        >>> mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4, name="fc").infer_shape(x=(2, 3))
        ([(2, 3), (4, 3), (4,)], [(2, 4)], [])
        """
        results, known, unknown = self._infer_shapes(args, kwargs)
        if known:
            return results
        if unknown:
            mark = "-1" if is_np_shape() else "0"
            listed = "".join(f"\n\t{item}".replace("?", mark) for item, _ in unknown)
            warnings.warn(f"Cannot decide shape for the following arguments ({mark}s in shape means unknown "
                          f"dimensions). Consider providing them as input:{listed}", stacklevel=2)
        return None, None, None

    def infer_shape_partial(self, *args, **kwargs):
        """Like `infer_shape`, but what cannot be inferred is 0 (-1 with NumPy shapes), or ``()``."""
        return self._infer_shapes(args, kwargs)[0]

    def _infer_shapes(self, args, kwargs):
        given = {name: (shape, None) for name, shape in self._given(args, kwargs, "shapes").items()}
        *lists, unknown = _core.symbol_infer(self, given, not is_np_shape(), False)
        known = all(item[2] for items in lists for item in items)
        return tuple([item[0] for item in items] for items in lists), known, unknown

    def infer_type(self, *args, **kwargs):
        """NumPy types of arguments, outputs and auxiliary states from those of some arguments.

        All three are None where something cannot be inferred, which also warns.

        Examples
        --------
        >>> (mx.sym.var("x") + mx.sym.var("y")).infer_type(x="float32")[1]
        [<class 'numpy.float32'>]
        """
        results = self.infer_type_partial(*args, **kwargs)
        unknown = [name for name, dtype in zip(self.list_arguments(), results[0]) if dtype is None]
        if unknown or None in results[1]:
            listed = "".join(f"\n\t{name}: None" for name in unknown)
            warnings.warn("Cannot decide type for the following arguments. Consider providing them as input:"
                          + listed, stacklevel=2)
            return None, None, None
        return results

    def infer_type_partial(self, *args, **kwargs):
        """Like `infer_type`, with None for what cannot be inferred."""
        given = {name: (None, dtype) for name, dtype in self._given(args, kwargs, "types").items()}
        *lists, _ = _core.symbol_infer(self, given, not is_np_shape(), False)
        return tuple([item[1] for item in items] for items in lists)

    # -- files ---------------------------------------------------------------------------------

    def tojson(self, remove_amp_cast=True):
        """The graph as the text of a ``symbol.json`` file, which MXNet 1.x reads."""
        return _core.symbol_to_json(self)

    def save(self, fname, remove_amp_cast=True):
        """Writes `tojson` to a file.

        Examples
        --------
        >>> (mx.sym.var("x") + 1).save("plus.json")
        >>> mx.sym.load("plus.json").list_arguments()
        ['x']
        """
        if not isinstance(fname, (str, os.PathLike)):
            raise TypeError("fname need to be string")
        with open(fname, "w", encoding="utf-8") as file:
            file.write(self.tojson(remove_amp_cast))

    # -- running -------------------------------------------------------------------------------

    def bind(self, ctx, args, args_grad=None, grad_req="write", aux_states=None, group2ctx=None, shared_exec=None):
        """An executor that computes the symbol from arrays.

        Parameters
        ----------
        ctx : Context
            Where to run.
        args : list or dict of NDArray
            The arguments, by position or name.
        args_grad : list or dict of NDArray, optional
            Where gradients go; arguments without one get none.
        grad_req : {'write', 'add', 'null'}, or list or dict of them
            What backward does with each gradient.
        aux_states : list or dict of NDArray, optional
            The auxiliary states.
        group2ctx : dict, optional
            Contexts of groups of nodes. Accepted; everything runs on `ctx`.
        shared_exec : Executor, optional
            Accepted; memory is shared by the pool.

        Returns
        -------
        Executor

        Raises
        ------
        ValueError
            When an argument is missing or the number of arrays is wrong.

        Examples
        --------
        >>> x = mx.sym.var("x")
        >>> executor = (x * 2).bind(mx.cpu(), {"x": mx.nd.array([3])})
        >>> executor.forward()[0].asscalar()
        np.float32(6.0)
        """
        from ..executor import Executor
        return Executor._bind(self, ctx, args, args_grad, grad_req, aux_states, group2ctx)

    def simple_bind(self, ctx, grad_req="write", type_dict=None, stype_dict=None, group2ctx=None,
                    shared_arg_names=None, shared_exec=None, shared_buffer=None, **kwargs):
        """An executor with arrays of its own, whose shapes are inferred.

        Parameters
        ----------
        ctx : Context
            Where to run.
        grad_req : {'write', 'add', 'null'}, or list or dict of them
            What backward does with each gradient.
        type_dict : dict of str to dtype, optional
            Element types of arguments; float32 where nothing says otherwise.
        stype_dict, group2ctx : dict, optional
            Accepted.
        shared_arg_names : list of str, optional
            Arguments whose arrays are those of `shared_exec`.
        shared_exec : Executor, optional
            See `shared_arg_names`; auxiliary states of the same shape are shared too.
        shared_buffer : dict of str to NDArray, optional
            Arrays to use for arguments of the same name and shape; new ones are added.
        **kwargs : tuple of int
            Shapes of arguments.

        Raises
        ------
        ValueError
            When a shape cannot be inferred, or does not fit.

        Examples
        --------
        >>> executor = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4).simple_bind(mx.cpu(), x=(2, 3))
        >>> executor.outputs[0].shape
        (2, 4)
        """
        from ..executor import Executor
        return Executor._simple_bind(self, ctx, grad_req, type_dict, group2ctx, shared_arg_names, shared_exec,
                                     shared_buffer, kwargs)

    def eval(self, ctx=None, **kwargs):
        """The outputs computed from arrays given by name, a list of NDArray."""
        return self.bind(current_context() if ctx is None else ctx, kwargs).forward()

    def gradient(self, wrt):
        """Not available: bind the symbol and call `Executor.backward`, or use `mx.autograd`."""
        raise NotImplementedError("Symbol.gradient is not available: bind the symbol and call Executor.backward")

    def optimize_for(self, backend, args=None, aux=None, ctx=None, shape_dict=None, type_dict=None, stype_dict=None,
                     skip_infer=False, **kwargs):
        """The symbol made better by a backend, see `mx.sym.backends`.

        Symbols are optimized when they are bound anyway; this is to see the result, to save it, or for backends of
        your own.

        Parameters
        ----------
        backend : str
            Its name.
        args, aux : list or dict of NDArray, optional
            Arguments and auxiliary states. Dicts get the arrays that the backend adds.
        ctx : Context, optional
            Accepted.
        shape_dict, type_dict : dict, optional
            Shapes and element types of further inputs; some passes run only where all are known.
        stype_dict : dict, optional
            Accepted.
        skip_infer : bool
            Whether to go without shapes and types.
        **kwargs
            Options of a registered backend.

        Raises
        ------
        ValueError
            When there is no such backend; the message lists those there are.

        Examples
        --------
        >>> x = mx.sym.var("x")
        >>> twice = mx.sym.exp(x) + mx.sym.exp(x)
        >>> len(twice.get_internals()), len(twice.optimize_for("common").get_internals())
        (4, 3)
        """
        args, aux = backends.named(args, self.list_arguments()), backends.named(aux, self.list_auxiliary_states())
        known = {} if skip_infer else backends.known_specs(self, {**args, **aux}, shape_dict or {}, type_dict or {})
        return backends.optimized(self, backend, args, aux, known, kwargs)

    def get_backend_symbol(self, backend):
        """The symbol made better by a backend; see `optimize_for`."""
        return self.optimize_for(backend)

    # -- methods that are functions ------------------------------------------------------------

    def reshape(self, *args, **kwargs):
        """The values in another shape; see `mx.sym.reshape`."""
        if len(args) > 1 and all(isinstance(a, integer_types) for a in args):
            args = (args,)
        return op.reshape(self, *args, **kwargs)

    def astype(self, *args, **kwargs):
        """The values in another element type."""
        kwargs.pop("copy", None)
        return op.cast(self, *args, **kwargs)

    def flatten(self, inplace=False, **kwargs):
        """Shape ``(d0, d1, ...)`` as a matrix of shape ``(d0, d1 * ...)``."""
        return op.flatten(self, **kwargs)

    def expand_dims(self, axis, inplace=False, **kwargs):
        """An axis of extent 1 inserted before `axis`."""
        return op.expand_dims(self, axis=axis, **kwargs)

    def squeeze(self, axis=None, inplace=False, **kwargs):
        """The values without axes of extent 1."""
        return op.squeeze(self, axis=axis, **kwargs)

    def diag(self, k=0, **kwargs):
        """The diagonal `k` of a matrix, or a matrix with this vector on it."""
        return op.diag(self, k, **kwargs)

    def broadcast_to(self, *args, **kwargs):
        """The values repeated along axes of extent 1; see `mx.sym.broadcast_to`."""
        return op.broadcast_to(self, *args, **kwargs)

    def broadcast_like(self, *args, **kwargs):
        """The values broadcast to the shape of another symbol."""
        return op.broadcast_like(self, *args, **kwargs)

    def split_v2(self, *args, **kwargs):
        """Parts along an axis; see `mx.sym.split_v2`."""
        return split_v2(self, *args, **kwargs)

    @property
    def T(self):
        """The values with their axes in reverse order."""
        return op.transpose(self)

    def as_nd_ndarray(self):
        """This symbol as a symbol of ``mx.sym``."""
        return Symbol(self)

    def as_np_ndarray(self):
        """This symbol as a symbol of ``mx.sym.np``."""
        from .numpy import _Symbol
        return _Symbol(self)

    wait_to_read = _not_for_symbols("wait_to_read")
    asnumpy = _not_for_symbols("asnumpy")
    asscalar = _not_for_symbols("asscalar")
    copy = _not_for_symbols("copy")
    as_in_context = _not_for_symbols("as_in_context")
    detach = _not_for_symbols("detach")
    backward = _not_for_symbols("backward")


def _unpickled(cls, text):
    return cls(_core.symbol_from_json(text))


def Group(symbols, create_fn=Symbol):
    """A symbol of all outputs of several.

    Examples
    --------
    >>> x, y = mx.sym.var("x"), mx.sym.var("y")
    >>> mx.sym.Group([x + y, x * y]).list_outputs()
    ['_plus0_output', '_mul0_output']
    """
    symbols = list(symbols) if isinstance(symbols, (list, tuple, Symbol)) else symbols
    if not symbols or not isinstance(symbols, list) or any(not isinstance(s, _core.SymbolBase) for s in symbols):
        raise TypeError("Expected a list of symbols as input")
    return create_fn(_core.symbol_group(symbols))


_core.set_symbol_class("sym", Symbol)
_core.install_methods(Symbol, "sym")

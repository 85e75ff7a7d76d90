"""Operators written in Python, and the registry of operators as data.

A custom operator consists of two classes: a `CustomOpProp`, which says what the operator takes and gives, and a
`CustomOp`, which computes. Registered under a name, it is applied with ``mx.nd.Custom``::

    class Square(mx.operator.CustomOp):
        def forward(self, is_train, req, in_data, out_data, aux):
            self.assign(out_data[0], req[0], in_data[0] * in_data[0])

        def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
            self.assign(in_grad[0], req[0], 2 * in_data[0] * out_grad[0])

    @mx.operator.register('square')
    class SquareProp(mx.operator.CustomOpProp):
        def create_operator(self, ctx, in_shapes, in_dtypes):
            return Square()

    y = mx.nd.Custom(x, op_type='square')

Both run on a thread of their own while the program goes on; an error in them is raised where their results are
waited for. With ``autograd.grad(..., create_graph=True)`` backward runs in the caller's thread and is recorded: when
it consists of operators on what it is given, gradients of gradients follow. One that uses NumPy gives first gradients
only, and an error when more are asked for.
"""
import collections
import traceback
import warnings

from . import _core
from .error import KeyError as MXKeyError
from .error import TypeError as MXTypeError
from .error import ValueError as MXValueError
from .ndarray.ndarray import _DTYPE_NP_TO_MX
from .util import is_np_array

__all__ = ["CustomOp", "CustomOpProp", "NDArrayOp", "NumpyOp", "OperatorArguments", "PythonOp",
           "get_all_registered_operators", "get_operator_arguments", "is_np_array", "register"]

OperatorArguments = collections.namedtuple("OperatorArguments", ["narg", "names", "types"])


class CustomOp:
    """One application of a custom operator: subclasses define `forward` and `backward`.

    Both write into arrays that are given. An array that the operator keeps for later (``self.y = out_data[0]``)
    holds the values it had when the call ended.
    """

    def __init__(self):
        pass

    def forward(self, is_train, req, in_data, out_data, aux):
        """Computes the outputs.

        Parameters
        ----------
        is_train : bool
            Whether the operator was applied in training mode.
        req : list of str
            For each output how to write it, see `assign`.
        in_data, out_data, aux : list of NDArray
            Arguments, outputs, and auxiliary states, which may be changed.
        """

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        """Computes the gradients of the arguments into `in_grad` from those of the outputs, `out_grad`."""

    def assign(self, dst, req, src):
        """Writes `src` into `dst` as `req` asks: 'write', 'inplace', 'add' (to what is there), or 'null' (not at
        all).

        Examples
        --------
        >>> x = mx.nd.ones((2,))
        >>> mx.operator.CustomOp().assign(x, 'add', mx.nd.array([1, 2]))
        >>> x.asnumpy()
        array([2., 3.], dtype=float32)
        """
        if req in ("write", "inplace"):
            dst[...] = src
        elif req == "add":
            dst[...] += src
        elif req != "null":
            raise MXValueError(f"assign: req must be 'write', 'inplace', 'add' or 'null', got {req!r}")


class CustomOpProp:
    """What a custom operator takes and gives. Made anew for each application, with the keyword arguments of
    ``mx.nd.Custom`` as strings.

    Parameters
    ----------
    need_top_grad : bool, optional
        Whether backward reads the gradients of the outputs; that of a loss does not.
    """

    def __init__(self, need_top_grad=True):
        self.need_top_grad_ = need_top_grad

    def infer_shape(self, in_shape):
        """From shapes of the arguments (lists; what is not known is empty or 0) to those of the arguments, the
        outputs and the auxiliary states. By default all outputs are like the first argument.
        """
        return in_shape, (in_shape[0],) * len(self.list_outputs()), ()

    def infer_type(self, in_type):
        """The same for NumPy types; by default all outputs and states have the first argument's."""
        return in_type, [in_type[0]] * len(self.list_outputs()), [in_type[0]] * len(self.list_auxiliary_states())

    def infer_storage_type(self, in_stype):
        """The same for storage types; custom operators get dense arrays."""
        _check_dense(in_stype, "infer_storage_type")
        return in_stype, ["default"] * len(self.list_outputs()), ["default"] * len(self.list_auxiliary_states())

    def infer_storage_type_backward(self, ograd_stype, in_stype, out_stype, igrad_stype, aux_stype):
        """Storage types of what backward reads and writes."""
        _check_dense([*ograd_stype, *in_stype, *out_stype, *aux_stype], "infer_storage_type_backward")
        dense = ["default"]
        return (dense * len(ograd_stype), dense * len(in_stype), dense * len(out_stype), dense * len(igrad_stype),
                dense * len(aux_stype))

    def list_arguments(self):
        """Names of the arguments."""
        return ["data"]

    def list_outputs(self):
        """Names of the outputs."""
        return ["output"]

    def list_auxiliary_states(self):
        """Names of the auxiliary states, which stand behind the arguments in a call."""
        return []

    def declare_backward_dependency(self, out_grad, in_data, out_data):
        """Which of the arrays, given by numbers, backward reads; for information, all of them are kept."""
        return [*(out_grad if self.need_top_grad_ else ()), *in_data, *out_data]

    def create_operator(self, ctx, in_shapes, in_dtypes):
        """Makes the `CustomOp` of one application.

        Parameters
        ----------
        ctx : Context
            Where it runs.
        in_shapes : list of list of int
            Shapes of arguments and states.
        in_dtypes : list of int
            Their dtypes, as MXNet numbers them.
        """
        return CustomOp()


_classes = {}


def register(reg_name):
    """A class decorator that registers a `CustomOpProp` under the name `reg_name`, for ``op_type``; a class that
    had the name before is replaced.

    Examples
    --------
    >>> @mx.operator.register('docs_double')
    ... class DoubleProp(mx.operator.CustomOpProp):
    ...     def create_operator(self, ctx, in_shapes, in_dtypes):
    ...         return Double()
    >>> class Double(mx.operator.CustomOp):
    ...     def forward(self, is_train, req, in_data, out_data, aux):
    ...         self.assign(out_data[0], req[0], in_data[0] * 2)
    >>> mx.nd.Custom(mx.nd.array([1, 2]), op_type='docs_double').asnumpy()
    array([2., 4.], dtype=float32)
    """
    if not isinstance(reg_name, str):
        raise MXTypeError(f"mx.operator.register: the name must be a str, got {type(reg_name).__name__}; use "
                          f"@mx.operator.register('name')")

    def do_register(prop_cls):
        _classes[reg_name] = prop_cls
        return prop_cls
    return do_register


def _check_dense(stypes, what):
    for stype in stypes:
        if stype not in ("default", "undefined"):
            raise MXValueError(f"{what}: the storage type must be 'default', got {stype!r}; define {what} in the "
                               f"CustomOpProp to allow others")


# --- what the core calls -------------------------------------------------------------------------------------

def _describe_error(error):
    """An exception in a line, then Python's traceback."""
    summary = "".join(traceback.format_exception_only(type(error), error)).strip()
    return f"{summary}\n{''.join(traceback.format_exception(type(error), error, error.__traceback__))}"


class _Kind:
    """A CustomOpProp whose answers are checked."""

    def __init__(self, prop):
        self.prop = prop
        self.arguments = self._names("list_arguments")
        self.outputs = self._names("list_outputs")
        self.states = self._names("list_auxiliary_states")

    def _names(self, method):
        names = list(getattr(self.prop, method)() or ())
        if not all(isinstance(name, str) for name in names):
            raise MXTypeError(f"{method} must return a list of str, got {names!r}")
        return names

    def infer(self, shapes, dtypes):
        """(shape, dtype) of arguments, states and outputs; None for what is unknown."""
        known = all(shape is not None and all(extent >= 0 for extent in shape) for shape in shapes)
        count = len(self.arguments)
        plain = [[] if shape is None else [max(extent, 0) for extent in shape] for shape in shapes[:count]]
        in_shapes, out_shapes, aux_shapes = self._answer("infer_shape", plain)
        in_types, out_types, aux_types = self._answer("infer_type", list(dtypes[:count]))

        def spec(shape, dtype):
            if not known:  # an empty shape and an extent of 0 are unknown then
                shape = tuple(extent if extent > 0 else -1 for extent in shape) or None
            return shape if shape is None else tuple(shape), dtype
        return list(map(spec, [*in_shapes, *aux_shapes, *out_shapes], [*in_types, *aux_types, *out_types]))

    def _answer(self, method, known):
        answer = getattr(self.prop, method)(known)
        if not isinstance(answer, (tuple, list)) or len(answer) not in (2, 3):
            raise MXValueError(f"{method} must return what it knows of arguments, outputs and auxiliary states, got "
                               f"{answer!r}")
        answer = [*answer, ()][:3]
        for what, got, names in zip(("arguments", "outputs", "auxiliary states"), answer,
                                    (self.arguments, self.outputs, self.states)):
            if len(got) != len(names):
                raise MXValueError(f"{method} must return {len(names)} entries for the {what} {names}, got {len(got)}")
        return answer

    def create(self, ctx, shapes, dtypes):
        codes = [_DTYPE_NP_TO_MX[dtype] for dtype in dtypes]
        return self.prop.create_operator(ctx, [list(shape) for shape in shapes], codes)


def _make_kind(name, params):
    if name not in _classes:
        registered = ", ".join(map(repr, sorted(_classes))) or "none"
        raise MXKeyError(f"there is no such operator; registered are {registered}")
    return _Kind(_classes[name](**params))


# --- operators as data ---------------------------------------------------------------------------------------
def get_all_registered_operators():
    """The names of all operators, aliases included, a list of str.

    Examples
    --------
    >>> 'FullyConnected' in mx.operator.get_all_registered_operators()
    True
    """
    return list(_core.op_names())


def get_operator_arguments(op_name):
    """The names and types of an operator's inputs and parameters.

    Parameters
    ----------
    op_name : str
        A name of the registry.

    Returns
    -------
    OperatorArguments
        A tuple ``(narg, names, types)``.

    Raises
    ------
    KeyError
        When there is no such operator.

    Examples
    --------
    >>> mx.operator.get_operator_arguments('relu').names
    ['data']
    """
    function = _core.op_functions("nd").get(op_name)
    if function is None:
        raise MXKeyError(f"get_operator_arguments: there is no operator {op_name!r}")
    info = function.op_info()
    names = [name for name, *_ in info["inputs"]] + [name for name, *_ in info["fields"]]
    types = ["NDArray-or-Symbol[]" if info["variadic"] else "NDArray-or-Symbol" for _ in info["inputs"]]
    for _, kind, required, default, _ in info["fields"]:
        types.append(f"{kind}, required" if required else f"{kind}, optional, default={default!r}")
    return OperatorArguments(len(names), names, types)

# --- operators of MXNet's first days -------------------------------------------------------------------------

class PythonOp:
    """Base of `NumpyOp` and `NDArrayOp`, which came before `CustomOp`; deprecated."""

    def __init__(self, need_top_grad=True):
        warnings.warn(f"{type(self).__name__} is deprecated; use CustomOp", DeprecationWarning, stacklevel=2)
        self.info_ = None
        self.need_top_grad_ = need_top_grad

    def __call__(self, *args, **kwargs):
        return self.get_symbol(*args, **kwargs)

    def get_symbol(self, *args, **kwargs):
        """The operator applied to symbols."""
        from . import symbol
        name = f"_legacy_{type(self).__name__}_{id(self)}"
        register(name)(lambda: _LegacyProp(self))
        return symbol.Custom(*args, op_type=name, **kwargs)

    def forward(self, in_data, out_data):
        """Computes the outputs."""
        out_data[0][:] = in_data[0]

    def backward(self, out_grad, in_data, out_data, in_grad):
        """Computes the gradients of the arguments."""
        in_grad[0][:] = 1.0

    def infer_shape(self, in_shape):
        """From shapes of the arguments to those of the arguments and the outputs."""
        return in_shape, [in_shape[0]]

    def list_outputs(self):
        """Names of the outputs."""
        return ["output"]

    def list_arguments(self):
        """Names of the arguments."""
        return ["data"]

    def need_top_grad(self):
        """Whether backward reads the gradients of the outputs."""
        return self.need_top_grad_


class NumpyOp(PythonOp):
    """An operator whose `forward` and `backward` work on NumPy arrays; deprecated."""


class NDArrayOp(PythonOp):
    """An operator whose `forward` and `backward` work on NDArrays; deprecated."""

    def declare_backward_dependency(self, out_grad, in_data, out_data):
        """Which of the arrays, given by numbers, backward reads."""
        return [*(out_grad if self.need_top_grad() else ()), *in_data, *out_data]


class _LegacyProp(CustomOpProp):
    def __init__(self, op):
        super().__init__(need_top_grad=op.need_top_grad())
        self.op = op
        self.infer_shape = op.infer_shape
        self.list_arguments = op.list_arguments
        self.list_outputs = op.list_outputs

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return _LegacyOp(self.op)


class _LegacyOp(CustomOp):
    def __init__(self, op):
        self.op = op

    def forward(self, is_train, req, in_data, out_data, aux):
        self._call(self.op.forward, out_data, in_data=in_data, out_data=out_data)

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self._call(self.op.backward, in_grad, out_grad=out_grad, in_data=in_data, out_data=out_data, in_grad=in_grad)

    def _call(self, method, results, **arrays):
        if not isinstance(self.op, NumpyOp):
            return method(**arrays)
        hosted = {name: [array.asnumpy() for array in group] for name, group in arrays.items()}
        method(**hosted)
        written = next(hosted[name] for name, group in arrays.items() if group is results)
        for array, value in zip(results, written):
            array[:] = value

"""Executors: a symbol bound to arrays, ready to run forward and backward."""
import numpy as np

from . import _core, autograd, ndarray
from .base import MXNetError, c_handle_array, mx_real_t  # noqa: F401 - programs find some of these here
from .context import Context
from .error import ValueError as MXValueError
from .ndarray import NDArray
from .ndarray.ndarray import _GRAD_REQ_MAP
from .util import is_np_shape

__all__ = ["Executor"]


# Operators whose gradients 1.x names after their inputs, since it registers them another way.
_NAMES_ITS_GRADIENTS = {"BilinearSampler", "Correlation", "Crop", "GridGenerator", "IdentityAttachKLSparseReg",
                        "InstanceNorm", "L2Normalization", "MakeLoss", "Pad", "Pooling_v1", "ROIPooling", "SVMOutput",
                        "SequenceLast", "SequenceMask", "SequenceReverse", "SliceChannel", "SpatialTransformer",
                        "SwapAxis"}
# It hands on the gradients of sums as they are.
_WITHOUT_GRADIENTS = {"elemwise_add", "add_n"}


def _gradient_name(node, operator, input_name, place, count):
    """What a monitor of 1.x calls the gradient of one input of an operator; None for one that it does not show."""
    if operator in _WITHOUT_GRADIENTS:
        return None
    if operator in _NAMES_ITS_GRADIENTS:
        return f"{node}_backward_{input_name}"
    return f"{node}_backward_output{place if count > 1 else ''}"


def _by_name(values, names, what, allow_missing):
    """Arrays given as list or dict, as a list in the order of `names`; None for what is missing."""
    if values is None:
        values = {}
    if isinstance(values, dict):
        missing = [name for name in names if values.get(name) is None]
        if missing and not allow_missing:
            raise MXValueError(f"key `{missing[0]}` is missing in `{what}`")
        found = [values.get(name) for name in names]
    else:
        found = list(values)
        if len(found) != len(names):
            raise MXValueError(f"Length of {what} does not match the number of arguments: got {len(found)}, "
                               f"expected {len(names)} ({', '.join(names)})")
    for array in found:
        if array is not None and not isinstance(array, NDArray):
            raise TypeError(f"Only accept list of NDArrays or dict of str to NDArray for {what}, got "
                            f"{type(array).__name__}")
        if array is None and not allow_missing:
            raise MXValueError(f"{what} must not hold None")
    return found


def _requests(grad_req, names):
    """What to do with the gradient of each argument."""
    if isinstance(grad_req, str):
        requests = [grad_req] * len(names)
    elif isinstance(grad_req, dict):
        requests = [grad_req.get(name, "null") for name in names]
    elif isinstance(grad_req, (list, tuple)):
        if len(grad_req) != len(names):
            raise MXValueError(f"grad_req has {len(grad_req)} entries for {len(names)} arguments")
        requests = list(grad_req)
    else:
        raise TypeError(f"grad_req must be text, a list or a dict, got {type(grad_req).__name__}")
    for request in requests:
        if request not in _GRAD_REQ_MAP:
            raise MXValueError(f"grad_req must be 'write', 'add' or 'null', got {request!r}")
    return requests


def _listed(unknown):
    """Variables of unknown shape and who reads them, the first few."""
    shown = [f"{item} ({reader})" for item, reader in unknown[:5]]
    return ", ".join(shown) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")


class Executor:
    """A symbol bound to arrays. Made by `Symbol.bind` and `Symbol.simple_bind`.

    Attributes
    ----------
    arg_arrays, grad_arrays, aux_arrays : list of NDArray
        Arguments, their gradients (None where there is none) and auxiliary states.
    outputs : list of NDArray
        Results of the last `forward`.

    Examples
    --------
    >>> x = mx.sym.var("x")
    >>> executor = (x * x).simple_bind(mx.cpu(), x=(2,))
    >>> executor.forward(is_train=True, x=mx.nd.array([1, 2]))[0].asnumpy()
    array([1., 4.], dtype=float32)
    >>> executor.backward(mx.nd.ones((2,)))
    >>> executor.grad_dict["x"].asnumpy()
    array([2., 4.], dtype=float32)
    """

    def __init__(self, handle, symbol, ctx, grad_req, group2ctx):
        self.handle = handle  # the program
        self._symbol = symbol
        self._ctx = Context(ctx)
        self._grad_req = grad_req
        self._group2ctx = group2ctx
        self._monitor_callback = None
        self._monitor_all = False
        self._outputs = None
        self._heads = None
        self._was_training = None  # no forward yet
        self.arg_arrays = self.grad_arrays = self.aux_arrays = ()

    @classmethod
    def _bind(cls, symbol, ctx, args, args_grad, grad_req, aux_states, group2ctx=None, program=None):
        names = symbol.list_arguments()
        self = cls(program or _core.Program(symbol, not is_np_shape()), symbol, ctx, grad_req, group2ctx)
        self._arg_names, self._aux_names = names, symbol.list_auxiliary_states()
        self._output_names = symbol.list_outputs()
        self.arg_arrays = _by_name(args, names, "args", False)
        self.aux_arrays = _by_name(aux_states, self._aux_names, "aux_states", False)
        if program is None:
            cls._check_shapes(symbol, dict(zip((*names, *self._aux_names), (*self.arg_arrays, *self.aux_arrays))))
        gradients = _by_name(args_grad, names, "args_grad", True)
        self._requests = [request if gradient is not None else "null"
                          for request, gradient in zip(_requests(grad_req, names), gradients)]
        self.grad_arrays = [gradient if request != "null" else None
                            for request, gradient in zip(self._requests, gradients)]
        self._make_inputs()
        return self

    @staticmethod
    def _check_shapes(symbol, arrays):
        """Raises where arrays by name do not fit together."""
        given = {name: (array.shape, array.dtype) for name, array in arrays.items()}
        _core.symbol_infer(symbol, given, not is_np_shape(), True)

    @classmethod
    def _simple_bind(cls, symbol, ctx, grad_req, type_dict, group2ctx, shared_names, shared_exec, shared_buffer,
                     shapes):
        names, aux_names = symbol.list_arguments(), symbol.list_auxiliary_states()
        given = {name: (shapes.get(name), (type_dict or {}).get(name)) for name in (*names, *aux_names)}
        args, _, aux, unknown = _core.symbol_infer(symbol, given, not is_np_shape(), True)
        if unknown:
            raise MXValueError(f"simple_bind: cannot infer the shapes of {_listed(unknown)}; give more shapes "
                               f"(got {', '.join(f'{k}={v}' for k, v in shapes.items()) or 'none'})")
        ctx = Context(ctx)
        shared_args = shared_exec.arg_dict if shared_exec is not None else {}
        shared_aux = shared_exec.aux_dict if shared_exec is not None else {}
        shared_grads = shared_exec.grad_dict if shared_exec is not None else {}

        def array_for(name, spec, shared, buffer):
            shape, dtype, _ = spec
            for source in (shared, buffer or {}):
                found = source.get(name)
                if found is not None and found.shape == tuple(shape) and found.dtype == dtype:
                    return found
            made = ndarray.zeros(shape, ctx, dtype or mx_real_t)
            if buffer is not None:
                buffer[name] = made
            return made

        def shared_of(name, arrays):
            return arrays if shared_names is None or name in shared_names else {}

        requests = _requests(grad_req, names)
        arrays = [array_for(name, spec, shared_of(name, shared_args), None if name in (shared_names or ())
                            else shared_buffer) for name, spec in zip(names, args)]
        gradients = [None if request == "null" else array_for(name, spec, shared_of(name, shared_grads), None)
                     for name, spec, request in zip(names, args, requests)]
        states = [array_for(name, spec, shared_aux, None) for name, spec in zip(aux_names, aux)]
        # Arguments without a given shape are parameters, most likely.
        program = _core.Program(symbol, not is_np_shape(), [name for name in given if shapes.get(name) is not None])
        return cls._bind(symbol, ctx, arrays, gradients, grad_req, states, group2ctx, program)

    def _make_inputs(self):
        """What the program gets: arguments with a gradient as variables of autograd that share their memory."""
        inputs = dict(zip(self._aux_names, self.aux_arrays))
        self._variables, self._targets = [], []
        for name, array, gradient, request in zip(self._arg_names, self.arg_arrays, self.grad_arrays,
                                                  self._requests):
            if gradient is not None:
                if gradient.shape != array.shape:
                    raise MXValueError(f"the gradient of '{name}' has shape {gradient.shape}, expected {array.shape}")
                variable = array.detach()
                _core.mark_variables([variable], [gradient], [_GRAD_REQ_MAP[request]])
                self._variables.append(variable)
                self._targets.append((gradient, request))
                array = variable
            inputs[name] = array.detach() if gradient is None else array
        self._inputs = [inputs[name] for name in self.handle.input_names]

    # -- running -------------------------------------------------------------------------------

    def forward(self, is_train=False, **kwargs):
        """Computes the outputs.

        Parameters
        ----------
        is_train : bool
            Whether to run for training: dropout and batch statistics, and `backward` can follow.
        **kwargs : NDArray or numpy.ndarray
            New values for arguments, of the bound shapes.

        Returns
        -------
        list of NDArray
            `outputs`.

        Raises
        ------
        ValueError
            When a value has another shape than what was bound.
        TypeError
            When there is no such argument.
        """
        arguments = self.arg_dict if kwargs else None
        for name, value in kwargs.items():
            if not isinstance(value, (NDArray, np.ndarray)):
                raise ValueError("only accept keyword argument of NDArrays and numpy.ndarray")
            if name not in arguments:
                raise TypeError(f"Unknown argument {name}")
            if arguments[name].shape != value.shape:
                raise MXValueError(f"Shape not match! Argument {name}, need: {arguments[name].shape}, received: "
                                   f"{value.shape}")
            arguments[name][:] = value
        self._heads = None  # lets go of the last run
        self._run(is_train, is_train and bool(self._variables))
        return self.outputs

    def _run(self, is_train, record):
        callback = gradient_callback = None
        if self._monitor_callback is not None:
            def callback(name, _, array):
                self._monitor_callback(name, array)

            def gradient_callback(*what):
                name = _gradient_name(*what[:-1])
                if name is not None and self._monitor_callback is not None:
                    self._monitor_callback(name.encode(), what[-1])
        scope = _core.RecordingScope(record, bool(is_train))
        with scope:
            heads = self.handle.run(self._inputs, self._ctx, callback, self._monitor_all, True, gradient_callback)
        self._heads = heads if record else None
        self._was_training = is_train
        # The arrays a caller holds show the new results, as when memory was planned once.
        if self._outputs is None:
            self._outputs = [head.detach() for head in heads]
        for output, head in zip(self._outputs, heads):
            output._rebind(head)

    def backward(self, out_grads=None, is_train=True):
        """Computes the gradients of the arguments.

        Parameters
        ----------
        out_grads : NDArray, or list or dict of NDArray, optional
            Gradients of the outputs; not needed where the outputs are losses. Ones by default.
        is_train : bool
            Whether operators behave as in training.
        """
        if not self._variables:
            return
        if self._heads is None:
            if self._was_training is None:
                raise MXNetError("Executor.backward: call forward(is_train=True) first")
            self._run(self._was_training, True)
        heads, grads = [], []
        for head, gradient in zip(self._heads, self._head_gradients(out_grads)):
            if _core.on_tape(head):
                heads.append(head)
                grads.append(gradient)
        if not heads:
            results = [None] * len(self._variables)
        else:
            results = _core.grad(heads, grads, self._variables, True, False, is_train)
        with autograd.pause():
            for (target, request), result in zip(self._targets, results):
                if request == "add":
                    if result is not None:
                        target += result
                elif result is None:
                    target[:] = 0
                else:
                    result.copyto(target)

    def _head_gradients(self, out_grads):
        if out_grads is None:
            return [None] * len(self._heads)
        if isinstance(out_grads, NDArray):
            out_grads = [out_grads]
        elif isinstance(out_grads, dict):
            out_grads = [out_grads[name] for name in self._output_names]
        out_grads = list(out_grads)
        for gradient in out_grads:
            if gradient is not None and not isinstance(gradient, NDArray):
                raise TypeError("inputs must be NDArray")
        # More of them than outputs are taken without a word, as in MXNet 1.x.
        return (out_grads + [None] * len(self._heads))[:len(self._heads)]

    def set_monitor_callback(self, callback, monitor_all=False):
        """Calls ``callback(name, array)`` on outputs of operators, with `monitor_all` on their inputs too.

        `backward` calls it on the gradients of the inputs of the operators that `forward` ran since, named
        ``fc1_backward_output0`` and so on in the order of the inputs, where they are needed for what is asked.

        Names are `bytes`; ``mx.base.py_str(name)`` is the text.

        Examples
        --------
        >>> seen = []
        >>> executor = (mx.sym.var("x") + 1).simple_bind(mx.cpu(), x=(1,))
        >>> executor.set_monitor_callback(lambda name, array: seen.append(name))
        >>> _ = executor.forward()
        >>> seen
        [b'_plusscalar0_output']
        """
        self._monitor_callback = callback
        self._monitor_all = monitor_all

    # -- arrays --------------------------------------------------------------------------------

    @property
    def outputs(self):
        """Results of the last forward, a list of NDArray; zeros before the first."""
        if self._outputs is None:
            given = {name: (array.shape, array.dtype)
                     for name, array in ((*self.arg_dict.items(), *self.aux_dict.items()))}
            specs = _core.symbol_infer(self._symbol, given, not is_np_shape(), True)[1]
            self._outputs = [ndarray.zeros(shape, self._ctx, dtype or mx_real_t) for shape, dtype, _ in specs]
        return self._outputs

    @property
    def arg_dict(self):
        """The arguments by name."""
        return dict(zip(self._arg_names, self.arg_arrays))

    @property
    def grad_dict(self):
        """The gradients by name; None where there is none."""
        return dict(zip(self._arg_names, self.grad_arrays))

    @property
    def aux_dict(self):
        """The auxiliary states by name."""
        return dict(zip(self._aux_names, self.aux_arrays))

    @property
    def output_dict(self):
        """The outputs by name."""
        return dict(zip(self._output_names, self.outputs))

    def copy_params_from(self, arg_params, aux_params=None, allow_extra_params=False):
        """Copies values into the arguments and auxiliary states of the same names.

        Parameters
        ----------
        arg_params, aux_params : dict of str to NDArray
            The values.
        allow_extra_params : bool
            Whether names that are not bound are ignored; otherwise they are a ValueError.
        """
        for values, arrays, what in ((arg_params, self.arg_dict, "arguments"),
                                     (aux_params or {}, self.aux_dict, "auxiliary states")):
            for name, value in values.items():
                if name in arrays:
                    target = arrays[name]
                    if value.shape != target.shape:
                        raise MXValueError(f"copy_params_from: '{name}' has shape {value.shape}, expected "
                                           f"{target.shape}")
                    value.astype(target.dtype).copyto(target)
                elif not allow_extra_params:
                    raise ValueError(f'Find name "{name}" that is not in the {what}')

    def reshape(self, partial_shaping=False, allow_up_sizing=False, **kwargs):
        """An executor of the same symbol for other shapes, which shares the memory of all arrays that do not grow.

        Parameters
        ----------
        partial_shaping : bool
            Whether arguments that are not named may change their shapes too.
        allow_up_sizing : bool
            Whether arrays may become larger.
        **kwargs : tuple of int
            New shapes.

        Raises
        ------
        ValueError
            When an array changes or grows against these.
        """
        given = {name: (shape, self.arg_dict[name].dtype if name in self.arg_dict else None)
                 for name, shape in kwargs.items()}
        for name, array in self.arg_dict.items():
            given.setdefault(name, (None, array.dtype))
        args, _, aux, unknown = _core.symbol_infer(self._symbol, given, not is_np_shape(), True)
        if unknown:
            raise MXValueError(f"reshape: cannot infer the shapes of {_listed(unknown)}")

        def reshaped(name, array, shape):
            if array is None or array.shape == tuple(shape):
                return array
            if not partial_shaping and name not in kwargs:
                raise MXValueError(f"reshape: '{name}' would change from {array.shape} to {tuple(shape)}, so that the "
                                   "executors would not share it; partial_shaping=True allows that")
            if int(np.prod(shape)) > array.size and not allow_up_sizing:
                raise MXValueError(f"reshape: '{name}' would grow from {array.shape} to {tuple(shape)}; "
                                   "allow_up_sizing=True allows that")
            size = int(np.prod(shape))
            if 0 < size <= array.size:  # the beginning of the same memory
                return array.reshape((-1,))[:size].reshape(shape)
            return ndarray.zeros(shape, self._ctx, array.dtype)

        arrays = [reshaped(n, a, s[0]) for n, a, s in zip(self._arg_names, self.arg_arrays, args)]
        grads = [reshaped(n, g, s[0]) for n, g, s in zip(self._arg_names, self.grad_arrays, args)]
        states = [reshaped(n, a, s[0]) for n, a, s in zip(self._aux_names, self.aux_arrays, aux)]
        return Executor._bind(self._symbol, self._ctx, arrays, grads, self._grad_req, states, self._group2ctx,
                              self.handle)

    def debug_str(self):
        """The graph as text, see `Symbol.debug_str`."""
        return self._symbol.debug_str()

    def get_optimized_symbol(self):
        """The symbol that inference runs, after all passes."""
        return _core.optimize_symbol(self._symbol, False, [], {})[0]

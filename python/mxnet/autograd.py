"""Automatic differentiation of what is computed inside ``with mx.autograd.record()``.

Arrays whose gradient is wanted are marked with `attach_grad`; operations on them are recorded, and
`backward` walks the record from a result back to them::

    x = mx.nd.array([1, 2, 3])
    x.attach_grad()
    with mx.autograd.record():
        y = (x * x).sum()
    y.backward()
    x.grad              # [2. 4. 6.]

Every operator's gradient consists of operators, so gradients can be differentiated again: see `grad`
with ``create_graph=True``.
"""
from . import _core
from ._core import is_recording, is_training, set_recording, set_training
from .error import MXNetError
from .error import TypeError as MXTypeError
from .error import ValueError as MXValueError

__all__ = [
    "Function",
    "backward",
    "get_symbol",
    "grad",
    "is_recording",
    "is_training",
    "mark_variables",
    "pause",
    "predict_mode",
    "record",
    "set_recording",
    "set_training",
    "train_mode",
]

_GRAD_REQ_MAP = {"null": 0, "write": 1, "add": 3}
_RecordingStateScope = _core.RecordingScope


def record(train_mode=True):
    """A ``with`` block in which operations are recorded.

    Parameters
    ----------
    train_mode : bool, optional
        Whether layers such as Dropout behave as in training.

    Examples
    --------
    >>> with mx.autograd.record():
    ...     mx.autograd.is_recording(), mx.autograd.is_training()
    (True, True)
    """
    return _RecordingStateScope(True, train_mode)


def pause(train_mode=False):
    """A ``with`` block in which nothing is recorded, for side computations inside `record`.

    Examples
    --------
    >>> with mx.autograd.record():
    ...     with mx.autograd.pause():
    ...         mx.autograd.is_recording()
    False
    """
    return _RecordingStateScope(False, train_mode)


def train_mode():
    """A ``with`` block in which layers behave as in training; recording stays as it is.

    Examples
    --------
    >>> with mx.autograd.train_mode():
    ...     mx.autograd.is_training()
    True
    """
    return _RecordingStateScope(None, True)


def predict_mode():
    """A ``with`` block in which layers behave as in prediction; recording stays as it is.

    Examples
    --------
    >>> with mx.autograd.record(), mx.autograd.predict_mode():
    ...     mx.autograd.is_recording(), mx.autograd.is_training()
    (True, False)
    """
    return _RecordingStateScope(None, False)


def _list(value, what):
    """`value` as a list of arrays."""
    if isinstance(value, _core.NDArrayBase):
        return [value]
    if isinstance(value, (list, tuple)):
        return list(value)
    raise MXTypeError(f"{what} must be an NDArray or a list of them, got {type(value).__name__}")


def _parse_heads(heads, head_grads, what):
    heads = _list(heads, f"{what}: heads")
    if head_grads is None:
        return heads, None
    head_grads = _list(head_grads, f"{what}: head_grads")
    if len(heads) != len(head_grads):
        raise MXValueError(f"{what}: got {len(heads)} heads but {len(head_grads)} head_grads")
    return heads, head_grads


def mark_variables(variables, gradients, grad_reqs="write"):
    """Marks arrays as variables whose gradients are put into given arrays.

    Parameters
    ----------
    variables : NDArray or list of NDArray
        Arrays whose gradients are wanted.
    gradients : NDArray or list of NDArray
        Where they go, of the same shapes.
    grad_reqs : str or list of str, optional
        'write' to overwrite, 'add' to add up, 'null' for no gradient.

    Raises
    ------
    ValueError
        When the numbers differ, or for another `grad_reqs`.

    Examples
    --------
    >>> x, g = mx.nd.array([3]), mx.nd.zeros((1,))
    >>> mx.autograd.mark_variables(x, g)
    >>> with mx.autograd.record():
    ...     y = x * x
    >>> y.backward()
    >>> g.asscalar()
    np.float32(6.0)
    """
    variables = _list(variables, "mark_variables: variables")
    gradients = _list(gradients, "mark_variables: gradients")
    if isinstance(grad_reqs, str):
        grad_reqs = [grad_reqs] * len(variables)
    if not len(variables) == len(gradients) == len(grad_reqs):
        raise MXValueError(f"mark_variables: got {len(variables)} variables, {len(gradients)} gradients and "
                           f"{len(grad_reqs)} grad_reqs")
    for variable, gradient, req in zip(variables, gradients, grad_reqs):
        if req not in _GRAD_REQ_MAP:
            raise MXValueError(f"mark_variables: grad_req must be 'write', 'add' or 'null', got {req!r}")
        if variable.shape != gradient.shape:
            raise MXValueError(f"mark_variables: a variable of shape {variable.shape} cannot have a gradient of "
                               f"shape {gradient.shape}")
    _core.mark_variables(variables, gradients, [_GRAD_REQ_MAP[req] for req in grad_reqs])


def backward(heads, head_grads=None, retain_graph=False, train_mode=True):
    """Computes the gradients of `heads` and puts them into the variables' ``grad``.

    Parameters
    ----------
    heads : NDArray or list of NDArray
        Results of recorded operations.
    head_grads : NDArray or list of NDArray or None, optional
        Gradients with respect to the heads, default ones; None in the list also stands for ones.
    retain_graph : bool, optional
        Keep the record, so that it can be walked again.
    train_mode : bool, optional
        Whether layers behave as in training.

    Raises
    ------
    ValueError
        When a head was not computed from a variable under `record`, or shapes differ.
    MXNetError
        When the record was freed by an earlier call, or an array it needs was overwritten.

    Examples
    --------
    >>> x = mx.nd.array([1, 2])
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y, z = x * 2, x * 3
    >>> mx.autograd.backward([y, z])
    >>> x.grad
    <BLANKLINE>
    [5. 5.]
    <NDArray 2 @cpu(0)>
    """
    heads, head_grads = _parse_heads(heads, head_grads, "backward")
    _core.backward(heads, head_grads, retain_graph, train_mode)


def grad(heads, variables, head_grads=None, retain_graph=None, create_graph=False, train_mode=True):
    """The gradients of `heads` with respect to `variables`, as new arrays.

    Parameters
    ----------
    heads : NDArray or list of NDArray
        Results of recorded operations.
    variables : NDArray or list of NDArray
        Arrays on the record: variables, or results on the way to the heads.
    head_grads : NDArray or list of NDArray or None, optional
        Gradients with respect to the heads, default ones.
    retain_graph : bool, optional
        Keep the record; default is the value of `create_graph`.
    create_graph : bool, optional
        Record the computation of the gradients too, for gradients of gradients.
    train_mode : bool, optional
        Whether layers behave as in training.

    Returns
    -------
    list of NDArray
        One for each variable; zeros where the heads do not depend on it.

    Raises
    ------
    ValueError
        When `variables` is empty or holds an array that is not on the record.

    Examples
    --------
    >>> x = mx.nd.array([2])
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y = x * x * x
    ...     dy_dx, = mx.autograd.grad(y, x, create_graph=True)
    >>> dy_dx.backward()
    >>> x.grad.asscalar()
    np.float32(12.0)
    """
    heads, head_grads = _parse_heads(heads, head_grads, "autograd.grad")
    variables = _list(variables, "autograd.grad: variables")
    if not variables:
        raise MXValueError("autograd.grad: variables must hold at least one array")
    retain_graph = create_graph if retain_graph is None else retain_graph
    return _core.grad(heads, head_grads, variables, retain_graph, create_graph, train_mode)


def get_symbol(x):
    """What was recorded on the way to `x`, as a Symbol.

    Leaves become the variables ``var0``, ``var1``, ... in the order they are met.

    Parameters
    ----------
    x : NDArray
        Computed inside `record`, or a variable.

    Raises
    ------
    ValueError
        When `x` was not recorded.
    NotImplementedError
        When a compiled block or a `Function` was recorded, which no operator stands for.

    Examples
    --------
    >>> x = mx.nd.ones((2,))
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y = x * x + 1
    >>> mx.autograd.get_symbol(y).list_arguments()
    ['var0']
    """
    return _core.symbol_of_tape(x)


class Function:
    """A function of arrays whose gradient is written by hand.

    A subclass defines ``forward``, computed without recording, and ``backward``, which gets one gradient
    for each output and returns one for each input. Arrays that backward needs are kept with
    `save_for_backward`. An instance is called once; make a new one for each call.

    When backward consists of operators on the saved arrays and the gradients, it can itself be
    differentiated (``grad(..., create_graph=True)``); where it uses NumPy, an error says that it cannot.

    Examples
    --------
    >>> class Sigmoid(mx.autograd.Function):
    ...     def forward(self, x):
    ...         y = 1 / (1 + mx.nd.exp(-x))
    ...         self.save_for_backward(y)
    ...         return y
    ...     def backward(self, dy):
    ...         y, = self.saved_tensors
    ...         return dy * y * (1 - y)
    >>> x = mx.nd.array([0])
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y = Sigmoid()(x)
    >>> y.backward()
    >>> x.grad.asscalar()
    np.float32(0.25)
    """

    _used = False
    saved_tensors = ()

    def __init__(self):
        self._used = False
        self.saved_tensors = ()

    def save_for_backward(self, *args):
        """Keeps arrays for ``backward``, which finds them in ``self.saved_tensors``."""
        self.saved_tensors = args

    def __call__(self, *inputs):
        if self._used:
            raise MXNetError(f"{type(self).__name__}: a Function can be called only once; make a new one for each call")
        self._used = True
        for x in inputs:
            if not isinstance(x, _core.NDArrayBase):
                raise MXTypeError(f"{type(self).__name__}: the inputs must be NDArrays, got {type(x).__name__}")
        recording = is_recording()
        with _RecordingStateScope(False, None):
            result = self.forward(*inputs)
        if not recording:
            return result
        single = isinstance(result, _core.NDArrayBase)
        # An input given back is another place on the tape.
        outputs = [out.detach() if any(out is x for x in inputs) else out for out in ([result] if single else result)]
        self._record(inputs, outputs)
        return outputs[0] if single else type(result)(outputs)

    def _record(self, inputs, outputs):
        saved, kept = [], []
        for tensor in self.saved_tensors:
            place = next((i for i, out in enumerate(outputs) if out is tensor), None)
            saved.append((tensor, None) if place is None else (None, len(kept)))
            if place is not None:
                kept.append(place)
        # The tape hands the outputs back: held here they would never be freed.
        self.saved_tensors = ()
        specs = [(x.shape, x._dtype_name) for x in inputs]

        def gradients(douts, outs):
            self.saved_tensors = tuple(tensor if place is None else outs[place] for tensor, place in saved)
            try:
                grads = self.backward(*douts)
            finally:
                self.saved_tensors = ()
            grads = [grads] if grads is None or isinstance(grads, _core.NDArrayBase) else list(grads)
            if len(grads) != len(specs):
                raise MXValueError(f"{type(self).__name__}.backward: expected {len(specs)} gradients, one for each "
                                   f"input of forward, got {len(grads)}")
            return [self._fit(grad, *spec) for grad, spec in zip(grads, specs)]

        _core.record_function(gradients, list(inputs), outputs, kept, type(self).__name__)

    def _fit(self, grad, shape, dtype):
        """A gradient in shape and dtype of its input, as if it had been assigned to an array like that."""
        if not isinstance(grad, _core.NDArrayBase):
            return grad
        if grad.shape != shape:
            try:
                grad = grad.broadcast_to(shape)
            except ValueError:
                raise MXValueError(f"{type(self).__name__}.backward: the gradient of an input of shape {shape} has "
                                   f"shape {grad.shape}") from None
        return grad if grad._dtype_name == dtype else grad.astype(dtype)

    def forward(self, *inputs):
        """The function itself; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__}: a Function must define forward")

    def backward(self, *output_grads):
        """From gradients of the outputs to gradients of the inputs; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__}: a Function must define backward")

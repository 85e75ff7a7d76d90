"""Automatic differentiation as it was before `mx.autograd`; kept for programs that still use it."""
import functools

from .. import autograd, ndarray
from ..autograd import mark_variables

__all__ = ["TrainingStateScope", "backward", "compute_gradient", "grad", "grad_and_loss", "mark_variables",
           "set_is_training", "test_section", "train_section"]


def set_is_training(is_train):
    """Switches recording and training on or off; returns whether training was on before."""
    autograd.set_recording(is_train)
    return autograd.set_training(is_train)


class TrainingStateScope:
    """A ``with`` block in which recording and training are on or off."""

    def __init__(self, enter_state):
        self._enter_state = enter_state
        self._before = None

    def __enter__(self):
        self._before = set_is_training(self._enter_state)

    def __exit__(self, exc_type, exc_value, traceback):
        set_is_training(self._before)


def train_section():
    """A ``with`` block that records, in training mode.

    Examples
    --------
    >>> with mx.contrib.autograd.train_section():
    ...     y = model(x)
    >>> mx.contrib.autograd.compute_gradient([y])
    """
    return TrainingStateScope(True)


def test_section():
    """A ``with`` block inside of `train_section` that does not record."""
    return TrainingStateScope(False)


test_section.__test__ = False  # no test, whatever its name


def backward(outputs, out_grads=None, retain_graph=False):
    """Computes the gradients of variables from those of `outputs`, which are 1 by default."""
    autograd.backward(outputs, out_grads, retain_graph)


def compute_gradient(outputs):
    """Computes the gradients of variables."""
    backward(outputs)


def grad_and_loss(func, argnum=None):
    """A function that returns the gradients of `func` with respect to its arguments, and what `func` returns.

    Parameters
    ----------
    func : callable
        Takes and returns NDArrays.
    argnum : int or list of int, optional
        The arguments to differentiate by; all of them by default.

    Examples
    --------
    >>> gradients, loss = mx.contrib.autograd.grad_and_loss(lambda x: x * x)(mx.nd.array([1.0, 2.0]))
    >>> gradients[0].asnumpy()
    array([2., 4.], dtype=float32)
    """
    @functools.wraps(func)
    def wrapped(*args):
        numbers = range(len(args)) if argnum is None else argnum if isinstance(argnum, (list, tuple)) else [argnum]
        variables = [args[i] for i in numbers]
        for variable in variables:
            if not isinstance(variable, ndarray.NDArray):
                raise AssertionError(f"grad_and_loss: arguments must be NDArrays, got {type(variable)}")
        gradients = [ndarray.zeros_like(variable) for variable in variables]
        mark_variables(variables, gradients)
        with train_section():
            outputs = func(*args)
        compute_gradient([outputs] if isinstance(outputs, ndarray.NDArray) else outputs)
        return gradients, outputs
    return wrapped


def grad(func, argnum=None):
    """A function that returns the gradients of `func` with respect to its arguments, see `grad_and_loss`."""
    with_loss = grad_and_loss(func, argnum)

    @functools.wraps(with_loss)
    def wrapped(*args):
        return with_loss(*args)[0]
    return wrapped

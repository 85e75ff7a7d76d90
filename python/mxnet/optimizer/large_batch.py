"""Gradient descent for large batches."""
from math import sqrt

from .. import ndarray
from .base import register
from .sgd import _Momentum

__all__ = ["LBSGD"]


@register
class LBSGD(_Momentum):
    """`SGD` that adds up the gradients of several batches, with a learning rate that grows to match.

    Gradients of `batch_scale` calls are averaged for one update. During the warmup the learning rate grows from
    `lr` to ``batch_scale * lr``; with the strategy 'lars' it is multiplied by
    ``sqrt(|weight|^2 / (|grad|^2 + wd * |weight|^2))``, from 0.01 to 100, instead.

    Parameters
    ----------
    momentum : float
        Share of the old velocity in the new.
    multi_precision : bool
        See `Optimizer`.
    warmup_strategy : {'linear', 'power2', 'sqrt', 'lars'}
        How the learning rate grows; with other values it does not.
    warmup_epochs, updates_per_epoch : int
        Length of the warmup, and number of calls in an epoch.
    batch_scale : int
        Number of batches that are taken together.
    begin_epoch, num_epochs : int
        The epoch the training begins with, and the number of them.
    **kwargs
        See `Optimizer`.
    """

    _growth = {"linear": lambda share: share, "power2": lambda share: share * share, "sqrt": sqrt}

    def __init__(self, momentum=0.0, multi_precision=False, warmup_strategy="linear", warmup_epochs=5, batch_scale=1,
                 updates_per_epoch=32, begin_epoch=0, num_epochs=60, **kwargs):
        super().__init__(multi_precision=multi_precision, **kwargs)
        self.aggregate_num = 0  # its update is more than calls of operators
        self.momentum = momentum
        self.warmup_strategy = warmup_strategy
        self.warmup_epochs = warmup_epochs
        self.batch_scale = batch_scale
        self.updates_per_epoch = updates_per_epoch
        self.init_updates = begin_epoch * updates_per_epoch
        self.num_epochs = num_epochs
        self.adaptive = warmup_strategy == "lars"
        self.cumgrads = {}  # by index: the sum of gradients and their number

    def _factor(self, weight, grad, wd):
        """The factor on the learning rate."""
        if self.adaptive:
            size, slope = (float(ndarray.square(array).sum().asscalar()) for array in (weight, grad))
            return min(max(sqrt(size / (slope + wd * size + 1e-18)), 0.01), 100.0)
        if self.warmup_strategy not in self._growth:
            return 1.0
        done, whole = self.num_update + self.init_updates, self.warmup_epochs * self.updates_per_epoch
        if done >= whole:
            return float(self.batch_scale)
        return 1.0 + (self.batch_scale - 1) * self._growth[self.warmup_strategy](done / whole)

    def _gathered(self, index, grad):
        """The mean gradient when there are enough, else None."""
        total, count = self.cumgrads.pop(index, (None, 0))
        total, count = (grad.copy() if total is None else total + grad), count + 1
        if count < self.batch_scale:
            self.cumgrads[index] = total, count
            return None
        return total / count

    def update(self, index, weight, grad, state):
        self._update_count(index)
        grad = self._gathered(index, grad)
        if grad is None:
            return
        arguments = self._arguments(index)
        arguments["lr"] *= self._factor(weight, grad, arguments["wd"])
        if state is None:
            ndarray.sgd_update(weight, grad, out=weight, **arguments)
        else:
            ndarray.sgd_mom_update(weight, grad, state, out=weight, **arguments)

    def update_multi_precision(self, index, weight, grad, state):
        if not self._keeps_copy(weight):
            self.update(index, weight, grad, state)
            return
        velocity, copy = state
        self.update(index, copy, grad.astype("float32"), velocity)
        copy.astype(weight.dtype).copyto(weight)

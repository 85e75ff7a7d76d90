"""Less common optimizers."""
from .. import ndarray
from .base import Optimizer, register

__all__ = ["GroupAdaGrad"]


@register
class GroupAdaGrad(Optimizer):
    """`AdaGrad` with one sum of squares for each row of a weight: the mean square of the row's gradient.

    Weight decay is not supported.

    Parameters
    ----------
    eps : float
        Added to the sum before its root is taken.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, eps=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def create_state(self, index, weight):
        if len(weight.shape) != 2:
            raise AssertionError(f"GroupAdaGrad: weights must have 2 axes, got shape {weight.shape}")
        return ndarray.zeros((weight.shape[0], 1), weight.context, dtype=weight.dtype)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        if self._get_wd(index) != 0:
            raise AssertionError("GroupAdaGrad: weight decay is not supported; use wd=0")
        grad = self._prepared(grad)
        state += ndarray.mean(ndarray.square(grad), axis=1, keepdims=True)
        step = ndarray.broadcast_div(grad, ndarray.sqrt(state + self.float_stable_eps))
        weight -= self._get_lr(index) * step

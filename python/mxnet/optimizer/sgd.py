"""Gradient descent and its relatives with one learning rate for all numbers of a weight."""
import numpy as np

from .. import ndarray
from .base import Fused, Optimizer, length, register, safe_ratio

__all__ = ["DCASGD", "LARS", "NAG", "SGD", "SGLD", "Signum", "ccSGD"]


class _Momentum(Optimizer):
    """An optimizer whose state is a velocity, with a 32-bit weight beside it for 16-bit weights."""

    momentum = 0.0

    def create_state(self, index, weight):
        if self.momentum == 0.0:
            return None
        return ndarray.zeros(weight.shape, weight.context, dtype=weight.dtype)

    def create_state_multi_precision(self, index, weight):
        if self._keeps_copy(weight):
            copy = weight.astype("float32")
            return self.create_state(index, copy), copy
        return super().create_state_multi_precision(index, weight)

    def _arguments(self, index):
        """The keyword arguments of the update operators."""
        kwargs = {"lr": self._get_lr(index), "wd": self._get_wd(index), "rescale_grad": self.rescale_grad}
        if self.momentum != 0.0:
            kwargs["momentum"] = self.momentum
        if self.clip_gradient is not None:
            kwargs["clip_gradient"] = self.clip_gradient
        return kwargs


@register
class SGD(_Momentum, Fused):
    """Stochastic gradient descent.

    With ``g = clip(rescale_grad * grad) + wd * weight``: ``weight -= lr * g``, or with momentum
    ``velocity = momentum * velocity - lr * g`` and ``weight += velocity``.

    Parameters
    ----------
    momentum : float
        Share of the old velocity in the new.
    lazy_update : bool
        Whether rows without a gradient are left alone, for row-sparse gradients.
    **kwargs
        See `Optimizer`. With ``multi_precision=True`` 16-bit weights are updated in 32 bits.

    Examples
    --------
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    """

    def __init__(self, momentum=0.0, lazy_update=True, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.lazy_update = lazy_update

    def _fused(self, index, weight, grad, state, mixed):
        if len(index) == 1 or any(g.stype != "default" for g in grad):
            for i, w, g, s in zip(index, weight, grad, state):
                self._run_one(i, w, g, s, mixed)
        else:
            self._run_all(index, weight, grad, state, mixed)

    def _run_one(self, index, weight, grad, state, mixed):
        kwargs = self._arguments(index)
        if mixed:
            velocity, copy = state
            if velocity is None:
                ndarray.mp_sgd_update(weight, grad, copy, out=weight, **kwargs)
            else:
                ndarray.mp_sgd_mom_update(weight, grad, velocity, copy, out=weight, **kwargs)
        elif state is None:
            ndarray.sgd_update(weight, grad, out=weight, lazy_update=self.lazy_update, **kwargs)
        else:
            ndarray.sgd_mom_update(weight, grad, state, out=weight, lazy_update=self.lazy_update, **kwargs)

    def _run_all(self, index, weight, grad, state, mixed):
        """Updates several weights with one operator."""
        kwargs = {"num_weights": len(weight), "lrs": self._get_lrs(index), "wds": self._get_wds(index),
                  "rescale_grad": self.rescale_grad}
        columns = [weight, grad]
        name = "multi_mp_sgd" if mixed else "multi_sgd"
        if mixed:
            velocities, copies = zip(*state)
        else:
            velocities, copies = state, None
        if self.momentum != 0.0:
            kwargs["momentum"] = self.momentum
            columns.append(velocities)
            name += "_mom"
        if mixed:
            columns.append(copies)
        if self.clip_gradient is not None:
            kwargs["clip_gradient"] = self.clip_gradient
        arrays = [array for row in zip(*columns) for array in row]
        getattr(ndarray, name + "_update")(*arrays, out=weight, **kwargs)


@register
class ccSGD(SGD):
    """The old name of `SGD`."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)


@register
class NAG(_Momentum):
    """Gradient descent with Nesterov's momentum, which looks ahead along the velocity.

    With ``g`` as in `SGD`: ``velocity = momentum * velocity - lr * g``,
    ``weight += momentum * velocity - lr * g``.

    Parameters
    ----------
    momentum : float
        Share of the old velocity in the new.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, momentum=0.0, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum

    def update(self, index, weight, grad, state):
        self._update_count(index)
        kwargs = self._arguments(index)
        if state is None:
            ndarray.sgd_update(weight, grad, out=weight, **kwargs)
        else:
            ndarray.nag_mom_update(weight, grad, state, out=weight, **kwargs)

    def update_multi_precision(self, index, weight, grad, state):
        if not self._keeps_copy(weight):
            self.update(index, weight, grad, state)
            return
        self._update_count(index)
        kwargs = self._arguments(index)
        velocity, copy = state
        if velocity is None:
            ndarray.mp_sgd_update(weight, grad, copy, out=weight, **kwargs)
        else:
            ndarray.mp_nag_mom_update(weight, grad, velocity, copy, out=weight, **kwargs)


@register
class Signum(_Momentum):
    """Steps of a fixed size in the direction of the velocity's sign (Bernstein et al., 2018).

    With ``g`` as in `SGD`: ``velocity = momentum * velocity - (1 - momentum) * g``,
    ``weight = (1 - lr * wd_lh) * weight + lr * sign(velocity)``.

    Parameters
    ----------
    learning_rate, momentum : float
        Size of the steps, and share of the old velocity in the new.
    wd_lh : float
        Weight decay that does not pass through the sign.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, learning_rate=0.01, momentum=0.9, wd_lh=0.0, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.wd_lh = wd_lh

    def update(self, index, weight, grad, state):
        self._update_count(index)
        kwargs = self._arguments(index)
        if state is None:
            ndarray.signsgd_update(weight, grad, out=weight, **kwargs)
            return
        if self.wd_lh:
            kwargs["wd_lh"] = self.wd_lh
        ndarray.signum_update(weight, grad, state, out=weight, **kwargs)


@register
class LARS(Optimizer):
    """`SGD` for large batches: steps in the proportion of the weight to its gradient (You et al., 2017).

    The learning rate of a weight is multiplied by ``eta * |weight| / (|grad| + wd * |weight| + eps)``,
    but not for names that end in gamma, beta or bias.

    Parameters
    ----------
    momentum : float
        Share of the old velocity in the new.
    lazy_update : bool
        Accepted for compatibility.
    eta : float
        The coefficient above.
    eps : float
        Added to the denominator.
    momentum_correction : bool
        Whether the velocity changes along with the learning rate.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, momentum=0.0, lazy_update=True, eta=0.001, eps=0, momentum_correction=True, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.lazy_update = lazy_update
        self.eta = eta
        self.eps = eps
        self.momentum_correction = momentum_correction
        self.last_lr = {}

    def create_state(self, index, weight):
        return None if self.momentum == 0.0 else ndarray.zeros(weight.shape, weight.context, dtype=weight.dtype)

    def _name(self, index):
        param = self.param_dict.get(index)
        return param.name if param is not None else str(self.idx2name.get(index, index))

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        step = self._prepared(grad) + wd * weight
        if not self._name(index).endswith(("gamma", "beta", "bias")):
            size = length(weight)
            down = length(grad) * self.rescale_grad
            down = ndarray.where(down > 0, down + wd * size + self.eps, ndarray.zeros_like(down))
            rate = safe_ratio(self.eta * size, down)
            step = ndarray.broadcast_mul(step, rate.reshape((1,) * len(weight.shape)))
        step = -lr * step
        if state is not None:
            last = self.last_lr.get(index, lr)
            state *= self.momentum * (lr / last if self.momentum_correction and last else 1.0)
            self.last_lr[index] = lr
            state += step
            step = state
        weight += step


@register
class SGLD(Optimizer):
    """Langevin dynamics: half a step down the gradient and noise of variance `lr`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        noise = ndarray.random.normal(0, np.sqrt(lr), shape=weight.shape, dtype=weight.dtype, ctx=weight.context)
        weight += -lr / 2 * (self._prepared(grad) + wd * weight) + noise


@register
class DCASGD(Optimizer):
    """Descent that makes up for stale gradients of asynchronous training (Zheng et al., 2017).

    Parameters
    ----------
    momentum : float
        Share of the old velocity in the new.
    lamda : float
        Strength of the correction.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, momentum=0.0, lamda=0.04, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.weight_previous = {}
        self.lamda = lamda

    def create_state(self, index, weight):
        velocity = None
        if self.momentum != 0.0:
            velocity = ndarray.zeros(weight.shape, weight.context, dtype=weight.dtype)
        return velocity, weight.copy()

    def update(self, index, weight, grad, state):
        self._update_count(index)
        lr, wd = self._get_lr(index), self._get_wd(index)
        grad = self._prepared(grad)
        velocity, previous = state
        step = -lr * (grad + wd * weight + self.lamda * grad * grad * (weight - previous))
        if velocity is not None:
            velocity *= self.momentum
            velocity += step
            step = velocity
        previous[:] = weight
        weight += step

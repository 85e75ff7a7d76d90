"""Gradient descent and its relatives with one learning rate for all numbers of a weight."""
import numpy as np

from .. import ndarray
from .base import ByCalls, Call, Optimizer, register

__all__ = ["DCASGD", "LARS", "NAG", "SGD", "SGLD", "Signum", "ccSGD"]


class _Momentum(ByCalls):
    """An optimizer whose state is a velocity, with a 32-bit weight beside it for 16-bit weights."""

    momentum = 0.0
    _moving = "sgd_mom"  # names the operator with a velocity

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

    def _single(self, index, weight, grad, state, mixed, **more):
        """The call that updates one weight."""
        velocity, copy = state if mixed else (state, None)
        name = self._moving if velocity is not None else "sgd"
        arrays = [array for array in (weight, grad, velocity, copy) if array is not None]
        function = getattr(ndarray, f"mp_{name}_update" if mixed else f"{name}_update")
        return Call(function, arrays, [weight], {**self._arguments(index), **more})

    def _calls(self, index, weight, grad, state, mixed):
        return [self._single(*item, mixed) for item in zip(index, weight, grad, state)]

    def _multi(self, prefix, weight, grad, state, mixed, *rates, **kwargs):
        """The call that updates several weights by the operator of a family that takes the arrays `rates` last."""
        columns = [weight, grad]
        velocities, copies = zip(*state) if mixed else (state, None)
        kwargs.update(num_weights=len(weight), rescale_grad=self.rescale_grad)
        name = prefix + ("_mp_sgd" if mixed else "_sgd")
        if self.momentum != 0.0:
            kwargs.setdefault("momentum", self.momentum)
            columns.append(velocities)
            name += "_mom"
        if mixed:
            columns.append(copies)
        if self.clip_gradient is not None:
            kwargs["clip_gradient"] = self.clip_gradient
        arrays = [array for row in zip(*columns) for array in row]
        return Call(getattr(ndarray, name + "_update"), [*arrays, *rates], weight, kwargs)


@register
class SGD(_Momentum):
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

    def _calls(self, index, weight, grad, state, mixed):
        if len(index) == 1 or any(g.stype != "default" for g in grad):
            lazy = {} if mixed else {"lazy_update": self.lazy_update}
            return [self._single(*item, mixed, **lazy) for item in zip(index, weight, grad, state)]
        return [self._multi("multi", weight, grad, state, mixed, lrs=self._get_lrs(index), wds=self._get_wds(index))]


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

    _moving = "nag_mom"

    def __init__(self, momentum=0.0, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum


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

    # It is updated in 32 bits like any optimizer, with the copy first.
    _mixed_calls = False
    create_state_multi_precision = Optimizer.create_state_multi_precision

    def __init__(self, learning_rate=0.01, momentum=0.9, wd_lh=0.0, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum
        self.wd_lh = wd_lh

    def _single(self, index, weight, grad, state, mixed):
        arguments = self._arguments(index)
        if state is None:
            return Call(ndarray.signsgd_update, [weight, grad], [weight], arguments)
        if self.wd_lh:
            arguments["wd_lh"] = self.wd_lh
        return Call(ndarray.signum_update, [weight, grad, state], [weight], arguments)


@register
class LARS(_Momentum):
    """`SGD` for large batches: steps in the proportion of the weight to its gradient (You et al., 2017).

    The learning rate of a weight is multiplied by ``eta * |weight| / (|grad| + wd * |weight| + eps)``,
    but not for names that end in gamma, beta or bias. Only names that end in ``_weight`` decay, where names are
    known.

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
        See `Optimizer`. With ``multi_precision=True`` 16-bit weights are updated in 32 bits.
    """

    _decaying = ("_weight",)

    def __init__(self, momentum=0.0, lazy_update=True, eta=0.001, eps=0, momentum_correction=True, **kwargs):
        super().__init__(**kwargs)
        self.momentum = momentum
        self.lazy_update = lazy_update
        self.eta = eta
        self.eps = eps
        self.momentum_correction = momentum_correction
        # The learning rates of this update and of the one before, and the number of this update.
        self.cur_lr = self.last_lr = self._rate_at = None

    def _is_scaled(self, index):
        param = self.param_dict.get(index)
        name = param.name if param is not None else str(self.idx2name.get(index, index))
        return not name.endswith(("gamma", "beta", "bias"))

    def _momentum_now(self):
        """The momentum, which follows a change of the learning rate."""
        if self._rate_at != self.num_update:
            rate = self.learning_rate
            self.last_lr, self.cur_lr = rate if self.cur_lr is None else self.cur_lr, rate
            self._rate_at = self.num_update
        corrects = self.momentum_correction and self.last_lr
        return self.momentum * (self.cur_lr / self.last_lr) if corrects else self.momentum

    def _calls(self, index, weight, grad, state, mixed):
        # Those whose learning rate is scaled come first, so that their part of the rates is one piece.
        items = sorted(zip(index, weight, grad, state), key=lambda item: not self._is_scaled(item[0]))
        index, weight, grad, state = map(list, zip(*items))
        ctx = weight[0].context
        rates, decays = (ndarray.array(numbers, ctx, "float32")
                         for numbers in (self._get_lrs(index), self._get_wds(index)))
        scaled, calls = sum(map(self._is_scaled, index)), []
        if scaled:
            sizes, slopes = (ndarray.empty((scaled,), ctx) for _ in range(2))
            calls = [Call(ndarray.multi_sum_sq, arrays[:scaled], [squares], {"num_arrays": scaled})
                     for arrays, squares in ((weight, sizes), (grad, slopes))]
            part = rates[:scaled]
            calls.append(Call(ndarray.multi_lars, [part, sizes, slopes, decays[:scaled]], [part],
                              {"eta": self.eta, "eps": self.eps, "rescale_grad": self.rescale_grad}))
        momentum = {"momentum": self._momentum_now()} if self.momentum != 0.0 else {}
        return [*calls, self._multi("preloaded_multi", weight, grad, state, mixed, rates, decays, **momentum)]


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

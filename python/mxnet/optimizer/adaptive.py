"""Optimizers that adapt the size of steps to each number of a weight."""
from math import sqrt

from .. import ndarray
from .base import ByCalls, Call, Optimizer, register

__all__ = ["FTML", "LAMB", "AdaDelta", "AdaGrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lion", "Nadam", "RMSProp"]


class _Adaptive(Optimizer):
    """An optimizer whose state is a number of arrays like the weight, all 0 at first."""

    slots = 1

    def create_state(self, index, weight):
        arrays = tuple(ndarray.zeros(weight.shape, weight.context, dtype=weight.dtype)
                       for _ in range(self.slots))
        return arrays if self.slots > 1 else arrays[0]

    def _start(self, index):
        """Counts the update; gives its number, the learning rate and the weight decay."""
        self._update_count(index)
        return self._index_update_count[index], self._get_lr(index), self._get_wd(index)

    def _arguments(self, lr, wd, clip="clip_gradient"):
        """The keyword arguments of the update operators."""
        kwargs = {"lr": lr, "wd": wd, "rescale_grad": self.rescale_grad}
        if self.clip_gradient is not None:
            kwargs[clip] = self.clip_gradient
        return kwargs


class _OneCall(_Adaptive, ByCalls):
    """An optimizer that updates each weight by one call. A subclass gives `_call`."""

    _mixed_calls = False

    def _call(self, index, weight, grad, state):
        """The call that updates a weight."""
        raise NotImplementedError(f"{type(self).__name__} must override _call")

    def _calls(self, index, weight, grad, state, mixed):
        return [self._call(*item) for item in zip(index, weight, grad, state)]


class _Moments(_Adaptive, ByCalls):
    """An optimizer of running means whose weights are updated together by ``multi_*_update``."""

    operator = None
    epsilon = 1e-8

    def _rates(self, index, lr):
        """The learning rate of a weight as the operator takes it."""
        return lr

    def _decays(self, index, lr, wd):
        """The weight decay of a weight as the operator takes it."""
        return wd

    def create_state_multi_precision(self, index, weight):
        if self._is_overridden() or not self._keeps_copy(weight):
            return super().create_state_multi_precision(index, weight)
        copy = weight.astype("float32")
        return copy, self.create_state(index, copy)

    def _hyper(self, index):
        """The keyword arguments of the operator for the weights `index`."""
        lrs, wds = self._get_lrs(index), self._get_wds(index)
        return {"lrs": [self._rates(i, lr) for i, lr in zip(index, lrs)],
                "wds": [self._decays(i, lr, wd) for i, lr, wd in zip(index, lrs, wds)], "num_weights": len(index)}

    def _operator(self, mixed):
        return getattr(ndarray, f"multi_mp_{self.operator}_update" if mixed else f"multi_{self.operator}_update")

    def _calls(self, index, weight, grad, state, mixed):
        arguments = {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon,
                     "rescale_grad": self.rescale_grad, **self._hyper(index)}
        if self.clip_gradient is not None:
            arguments["clip_gradient"] = self.clip_gradient
        arrays = []
        for w, g, s in zip(weight, grad, state):
            copy, s = s if mixed else (None, s)
            arrays += [w, g, *(s if isinstance(s, tuple) else (s,)), *([copy] if mixed else [])]
        return [Call(self._operator(mixed), arrays, weight, arguments)]

    def _bias(self, index):
        """What undoes the bias of running means towards the 0 they start at."""
        t = self._index_update_count[index]
        return sqrt(1. - self.beta2 ** t) / (1. - self.beta1 ** t)


@register
class Adam(_Moments):
    """Steps scaled by running means of the gradient and its square (Kingma and Ba, 2015).

    Parameters
    ----------
    learning_rate : float
        Size of the steps.
    beta1, beta2 : float
        Shares of the old running mean of the gradient and of its square in the new.
    epsilon : float
        Added to the root of the mean square.
    lazy_update : bool
        Whether rows without a gradient are left alone, for row-sparse gradients.
    **kwargs
        See `Optimizer`.

    Examples
    --------
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 1e-3})
    """

    slots = 2
    operator = "adam"

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, lazy_update=True, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.lazy_update = lazy_update

    def _rates(self, index, lr):
        return lr * self._bias(index)

    def _calls(self, index, weight, grad, state, mixed):
        if all(g.stype == "default" for g in grad):
            return super()._calls(index, weight, grad, state, mixed)
        return [Call(ndarray.adam_update, [w, g, *means], [w],
                     {"lazy_update": self.lazy_update, "beta1": self.beta1, "beta2": self.beta2,
                      "epsilon": self.epsilon, **self._arguments(self._rates(i, self._get_lr(i)), self._get_wd(i))})
                for i, w, g, means in zip(index, weight, grad, state)]


@register
class AdamW(_Moments):
    """`Adam` with weight decay apart from the running means (Loshchilov and Hutter, 2019).

    With ``g = clip(rescale_grad * grad)`` and the means of Adam:
    ``weight -= lr * (mean / (sqrt(var) + epsilon) + wd * weight)``, the means corrected for their start at 0.

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        See `Adam`.
    **kwargs
        See `Optimizer`; `wd` is 0.01 by default.

    Examples
    --------
    >>> trainer = mx.gluon.Trainer(net.collect_params(), "adamw", {"learning_rate": 1e-3, "wd": 0.1})
    """

    slots = 2
    operator = "adamw"

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, wd=0.01, **kwargs):
        super().__init__(learning_rate=learning_rate, wd=wd, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def _rates(self, index, lr):
        return lr * self._bias(index)

    def _decays(self, index, lr, wd):
        return lr * wd


@register
class Lion(_Moments):
    """Steps of a fixed size in the direction of a sign (Chen et al., 2023): one state and no roots.

    With ``g = clip(rescale_grad * grad)``:
    ``weight -= lr * (sign(beta1 * mean + (1 - beta1) * g) + wd * weight)``, then
    ``mean = beta2 * mean + (1 - beta2) * g``.

    Parameters
    ----------
    learning_rate : float
        Size of the steps, a third to a tenth of that of Adam.
    beta1, beta2 : float
        Shares of the old running mean in the direction and in the new mean.
    **kwargs
        See `Optimizer`.
    """

    operator = "lion"

    def __init__(self, learning_rate=1e-4, beta1=0.9, beta2=0.99, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2

    def _decays(self, index, lr, wd):
        return lr * wd


@register
class AdaGrad(_Adaptive):
    """Steps divided by the root of the sum of all squared gradients (Duchi et al., 2011).

    Parameters
    ----------
    eps : float
        Added to the root.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, eps=1e-7, **kwargs):
        super().__init__(**kwargs)
        self.float_stable_eps = eps

    def update(self, index, weight, grad, state):
        _, lr, wd = self._start(index)
        if grad.stype == "row_sparse":
            ndarray.sparse.adagrad_update(weight, grad, state, out=weight, epsilon=self.float_stable_eps,
                                          **self._arguments(lr, wd))
            return
        grad = self._prepared(grad)
        state += ndarray.square(grad)
        weight -= lr * (grad / ndarray.sqrt(state + self.float_stable_eps) + wd * weight)


@register
class RMSProp(_OneCall):
    """Steps divided by the root of a running mean of squared gradients.

    Parameters
    ----------
    learning_rate : float
        Size of the steps.
    gamma1 : float
        Share of the old running mean in the new.
    gamma2 : float
        Share of the old velocity in the new, when `centered`.
    epsilon : float
        Added to the mean square.
    centered : bool
        Whether the variance takes the place of the mean square (Graves, 2013).
    clip_weights : float, optional
        Weights are cut to ``[-clip_weights, clip_weights]``.
    **kwargs
        See `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, gamma1=0.9, gamma2=0.9, epsilon=1e-8, centered=False,
                 clip_weights=None, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.gamma1 = gamma1
        self.gamma2 = gamma2
        self.centered = centered
        self.epsilon = epsilon
        self.clip_weights = clip_weights

    @property
    def slots(self):
        """Mean square alone, or with mean and velocity."""
        return 3 if self.centered else 1

    def _call(self, index, weight, grad, state):
        arguments = {"gamma1": self.gamma1, "epsilon": self.epsilon,
                     **self._arguments(self._get_lr(index), self._get_wd(index))}
        if self.clip_weights:
            arguments["clip_weights"] = self.clip_weights
        if not self.centered:
            return Call(ndarray.rmsprop_update, [weight, grad, state], [weight], arguments)
        return Call(ndarray.rmspropalex_update, [weight, grad, *state], [weight], {"gamma2": self.gamma2, **arguments})


@register
class AdaDelta(_Adaptive):
    """Steps in the proportion of past steps to past gradients, without a learning rate (Zeiler, 2012).

    Parameters
    ----------
    rho : float
        Share of the old running means in the new.
    epsilon : float
        Added to the mean squares.
    **kwargs
        See `Optimizer`.
    """

    slots = 2

    def __init__(self, rho=0.90, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def update(self, index, weight, grad, state):
        _, _, wd = self._start(index)
        grad = self._prepared(grad)
        squares, steps = state
        squares[:] = self.rho * squares + (1. - self.rho) * ndarray.square(grad)
        step = ndarray.sqrt(steps + self.epsilon) / ndarray.sqrt(squares + self.epsilon) * grad
        steps[:] = self.rho * steps + (1. - self.rho) * ndarray.square(step)
        weight -= step + wd * weight


@register
class Ftrl(_OneCall):
    """Follow the regularized leader (McMahan et al., 2013): keeps unneeded weights at exactly 0.

    Parameters
    ----------
    lamda1 : float
        Strength of the L1 term.
    learning_rate, beta : float
        Numbers of the per-coordinate learning rate.
    **kwargs
        See `Optimizer`; `wd` is the strength of the L2 term.
    """

    slots = 2

    def __init__(self, lamda1=0.01, learning_rate=0.1, beta=1, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.lamda1 = lamda1
        self.beta = beta

    def _call(self, index, weight, grad, state):
        arguments = {"lamda1": self.lamda1, "beta": self.beta,
                     **self._arguments(self._get_lr(index), self._get_wd(index))}
        return Call(ndarray.ftrl_update, [weight, grad, *state], [weight], arguments)


@register
class FTML(_OneCall):
    """Follow the moving leader (Zheng and Kwok, 2017).

    Parameters
    ----------
    beta1, beta2 : float
        Shares of the old running means in the new.
    epsilon : float
        Added to the root of the mean square.
    **kwargs
        See `Optimizer`.
    """

    slots = 3

    def __init__(self, beta1=0.6, beta2=0.999, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon

    def _call(self, index, weight, grad, state):
        arguments = {"t": self._index_update_count[index], "beta1": self.beta1, "beta2": self.beta2,
                     "epsilon": self.epsilon,
                     **self._arguments(self._get_lr(index), self._get_wd(index), clip="clip_grad")}
        return Call(ndarray.ftml_update, [weight, grad, *state], [weight], arguments)


@register
class Adamax(_Adaptive):
    """`Adam` with the largest gradient in place of the mean square.

    Parameters
    ----------
    learning_rate : float
        Size of the steps.
    beta1, beta2 : float
        Shares of the old running mean and maximum in the new.
    **kwargs
        See `Optimizer`.
    """

    slots = 2

    def __init__(self, learning_rate=0.002, beta1=0.9, beta2=0.999, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2

    def update(self, index, weight, grad, state):
        t, lr, wd = self._start(index)
        lr /= 1. - self.beta1 ** t
        grad = grad * self.rescale_grad + wd * weight
        if self.clip_gradient is not None:
            grad = ndarray.clip(grad, -self.clip_gradient, self.clip_gradient)
        mean, largest = state
        mean[:] = self.beta1 * mean + (1. - self.beta1) * grad
        largest[:] = ndarray.maximum(self.beta2 * largest, ndarray.abs(grad))
        weight -= lr * mean / largest


@register
class Nadam(_Adaptive):
    """`Adam` with Nesterov's momentum (Dozat, 2016).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        See `Adam`.
    schedule_decay : float
        How fast the momentum grows to `beta1`.
    **kwargs
        See `Optimizer`.
    """

    slots = 2

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8, schedule_decay=0.004, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.schedule_decay = schedule_decay
        self.m_schedule = 1.

    def update(self, index, weight, grad, state):
        t, lr, wd = self._start(index)
        grad = grad * self.rescale_grad + wd * weight
        if self.clip_gradient is not None:
            grad = ndarray.clip(grad, -self.clip_gradient, self.clip_gradient)
        now = self.beta1 * (1. - 0.5 * 0.96 ** (t * self.schedule_decay))
        after = self.beta1 * (1. - 0.5 * 0.96 ** ((t + 1) * self.schedule_decay))
        self.m_schedule *= now
        mean, var = state
        mean[:] = self.beta1 * mean + (1. - self.beta1) * grad
        var[:] = self.beta2 * var + (1. - self.beta2) * ndarray.square(grad)
        grad_part = grad / (1. - self.m_schedule) * (1. - now)
        mean_part = mean / (1. - self.m_schedule * after) * after
        root = ndarray.sqrt(var / (1. - self.beta2 ** t)) + self.epsilon
        weight -= lr * (grad_part + mean_part) / root


@register
class LAMB(_Moments):
    """`Adam` whose step has the length of the weight, times the learning rate (You et al., 2019).

    Parameters
    ----------
    learning_rate, beta1, beta2, epsilon
        See `Adam`.
    lower_bound, upper_bound : float, optional
        Limits of the length that is taken for the weight's.
    bias_correction : bool
        Whether the running means are corrected for their start at 0.
    **kwargs
        See `Optimizer`.
    """

    slots = 2

    def __init__(self, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-6, lower_bound=None,
                 upper_bound=None, bias_correction=True, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound
        self.bias_correction = bias_correction

    def _hyper(self, index):
        bounds = {"lower_bound": self.lower_bound, "upper_bound": self.upper_bound}
        return {"learning_rates": self._get_lrs(index), "wds": self._get_wds(index), "num_tensors": len(index),
                "step_count": [self._index_update_count[i] for i in index], "bias_correction": self.bias_correction,
                **{name: bound for name, bound in bounds.items() if bound is not None}}

    def _operator(self, mixed):
        return getattr(ndarray._internal, "_multi_mp_lamb_update" if mixed else "_multi_lamb_update")

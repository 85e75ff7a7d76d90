"""Schedules of the learning rate: functions of the number of updates made so far."""
from itertools import pairwise
from math import cos, pi

__all__ = ["CosineScheduler", "FactorScheduler", "LRScheduler", "MultiFactorScheduler", "PolyScheduler"]


class LRScheduler:
    """The base of all schedules.

    Parameters
    ----------
    base_lr : float
        The learning rate after the warmup.
    warmup_steps : int
        Number of updates over which the rate grows to `base_lr`.
    warmup_begin_lr : float
        The rate at the beginning of the warmup.
    warmup_mode : {'linear', 'constant'}
        Whether the rate grows evenly or stays at `warmup_begin_lr` until the end of the warmup.

    Raises
    ------
    ValueError
        For a negative number of warmup steps, a rate that would fall, or an unknown mode.
    """

    def __init__(self, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0, warmup_mode="linear"):
        who = type(self).__name__
        if warmup_steps < 0 or int(warmup_steps) != warmup_steps:
            raise ValueError(f"{who}: warmup_steps must be a whole number of at least 0, got {warmup_steps}")
        if warmup_begin_lr > base_lr:
            raise ValueError(f"{who}: warmup_begin_lr={warmup_begin_lr} is above base_lr={base_lr}")
        if warmup_mode not in ("linear", "constant"):
            raise ValueError(f"{who}: warmup_mode must be 'linear' or 'constant', got {warmup_mode!r}")
        self.base_lr = base_lr
        self.warmup_steps = warmup_steps
        self.warmup_final_lr = base_lr
        self.warmup_begin_lr = warmup_begin_lr
        self.warmup_mode = warmup_mode

    def get_warmup_lr(self, num_update):
        """The rate at update `num_update` of the warmup."""
        if self.warmup_mode == "constant":
            return self.warmup_begin_lr
        growth = self.warmup_final_lr - self.warmup_begin_lr
        return self.warmup_begin_lr + growth * float(num_update) / float(self.warmup_steps)

    def __call__(self, num_update):
        """The rate at update `num_update`, which counts from 0 and never falls."""
        raise NotImplementedError(f"{type(self).__name__} must override __call__")


class FactorScheduler(LRScheduler):
    """Multiplies the rate by `factor` every `step` updates.

    Parameters
    ----------
    step : int
        Number of updates between changes.
    factor : float
        Factor of each change, at most 1.
    stop_factor_lr : float
        The rate never falls below.
    base_lr, warmup_steps, warmup_begin_lr, warmup_mode
        See `LRScheduler`.

    Examples
    --------
    >>> schedule = mx.lr_scheduler.FactorScheduler(step=100, factor=0.5, base_lr=1.0)
    >>> schedule(100), schedule(101)
    (1.0, 0.5)
    """

    def __init__(self, step, factor=1, stop_factor_lr=1e-8, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0,
                 warmup_mode="linear"):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if step < 1:
            raise ValueError(f"FactorScheduler: step must be at least 1, got {step}")
        if factor > 1.0:
            raise ValueError(f"FactorScheduler: factor must be at most 1, so that the rate falls, got {factor}")
        self.step = step
        self.factor = factor
        self.stop_factor_lr = stop_factor_lr
        self.count = 0

    def __call__(self, num_update):
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        while num_update > self.count + self.step:
            self.count += self.step
            self.base_lr = max(self.base_lr * self.factor, self.stop_factor_lr)
        return self.base_lr


class MultiFactorScheduler(LRScheduler):
    """Multiplies the rate by `factor` at given updates.

    Parameters
    ----------
    step : list of int
        The updates, in rising order.
    factor : float
        Factor of each change, at most 1.
    base_lr, warmup_steps, warmup_begin_lr, warmup_mode
        See `LRScheduler`.
    """

    def __init__(self, step, factor=1, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0, warmup_mode="linear"):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        if not isinstance(step, list) or not step:
            raise AssertionError(f"MultiFactorScheduler: step must be a list of update numbers, got {step!r}")
        if any(later <= earlier for earlier, later in pairwise(step)) or step[0] < 1:
            raise ValueError(f"MultiFactorScheduler: step must rise and start at 1 or later, got {step}")
        if factor > 1.0:
            raise ValueError(f"MultiFactorScheduler: factor must be at most 1, so that the rate falls, got {factor}")
        self.step = step
        self.factor = factor
        self.cur_step_ind = 0
        self.count = 0

    def __call__(self, num_update):
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        while self.cur_step_ind < len(self.step) and num_update > self.step[self.cur_step_ind]:
            self.count = self.step[self.cur_step_ind]
            self.cur_step_ind += 1
            self.base_lr *= self.factor
        return self.base_lr


class _DecayScheduler(LRScheduler):
    """Goes from `base_lr` to `final_lr` along a curve and stays there after `max_update`."""

    def __init__(self, max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode):
        super().__init__(base_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        who = type(self).__name__
        if not isinstance(max_update, int) and not hasattr(max_update, "__index__"):
            raise AssertionError(f"{who}: max_update must be a whole number, got {max_update!r}")
        if max_update < 1:
            raise ValueError(f"{who}: max_update must be at least 1, got {max_update}")
        self.base_lr_orig = self.base_lr
        self.max_update = max_update
        self.final_lr = final_lr
        self.max_steps = max_update - warmup_steps

    def _curve(self, done):
        """How much of the way is left, from 1 at the start to 0, when a share `done` of it is made."""
        raise NotImplementedError

    def __call__(self, num_update):
        if num_update < self.warmup_steps:
            return self.get_warmup_lr(num_update)
        if num_update <= self.max_update:
            done = float(num_update - self.warmup_steps) / float(self.max_steps)
            self.base_lr = self.final_lr + (self.base_lr_orig - self.final_lr) * self._curve(done)
        return self.base_lr


class PolyScheduler(_DecayScheduler):
    """Lets the rate fall as a power of the share of updates left.

    Parameters
    ----------
    max_update : int
        Number of updates until the rate is `final_lr`.
    base_lr : float
        The rate at the start.
    pwr : int
        The power.
    final_lr : float
        The rate at the end.
    warmup_steps, warmup_begin_lr, warmup_mode
        See `LRScheduler`.
    """

    def __init__(self, max_update, base_lr=0.01, pwr=2, final_lr=0, warmup_steps=0, warmup_begin_lr=0,
                 warmup_mode="linear"):
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)
        self.power = pwr

    def _curve(self, done):
        return (1 - done) ** self.power


class CosineScheduler(_DecayScheduler):
    """Lets the rate fall along half a cosine wave; parameters as for `PolyScheduler`.

    Examples
    --------
    >>> mx.lr_scheduler.CosineScheduler(10, base_lr=1.0)(5)
    0.5
    """

    def __init__(self, max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0,
                 warmup_mode="linear"):
        super().__init__(max_update, base_lr, final_lr, warmup_steps, warmup_begin_lr, warmup_mode)

    def _curve(self, done):
        return (1 + cos(pi * done)) / 2

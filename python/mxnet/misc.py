"""Learning rate schedulers of MXNet's first days; see `mxnet.lr_scheduler` for today's."""
import logging

__all__ = ["FactorScheduler", "LearningRateScheduler"]


class LearningRateScheduler:
    """Base of the schedulers: called with the number of the iteration, gives the learning rate."""

    def __init__(self):
        self.base_lr = 0.01

    def __call__(self, iteration):
        raise NotImplementedError(f"{type(self).__name__}: a scheduler must define __call__")


class FactorScheduler(LearningRateScheduler):
    """Multiplies the learning rate by `factor` after each `step` iterations.

    Examples
    --------
    >>> from mxnet.misc import FactorScheduler
    >>> scheduler = FactorScheduler(step=10, factor=0.5)
    >>> scheduler(5), scheduler(10), scheduler(20)
    (0.01, 0.005, 0.0025)
    """

    def __init__(self, step, factor=0.1):
        super().__init__()
        if step < 1:
            raise ValueError(f"FactorScheduler: step must be at least 1, got {step}")
        if factor >= 1.0:
            raise ValueError(f"FactorScheduler: factor must be less than 1, got {factor}")
        self.step = step
        self.factor = factor
        self.old_lr = self.base_lr
        self.init = False

    def __call__(self, iteration):
        if not self.init:
            self.init = True
            self.old_lr = self.base_lr
        lr = self.base_lr * self.factor ** int(iteration / self.step)
        if lr != self.old_lr:
            self.old_lr = lr
            logging.info("Iteration [%d]: the learning rate is now %.5f", iteration, lr)
        return lr

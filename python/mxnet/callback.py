"""Callbacks of training loops: messages about speed, progress and metrics.

A batch callback is called with an object that has ``epoch``, ``nbatch`` and ``eval_metric``.
"""
import math
import time

__all__ = ["LogValidationMetricsCallback", "ProgressBar", "Speedometer", "do_checkpoint", "log_train_metric",
           "module_checkpoint"]


def _log(*args):
    import logging
    logging.info(*args)


def module_checkpoint(mod, prefix, period=1, save_optimizer_states=False):
    """An epoch callback that has a module save itself every `period` epochs.

    Files are called ``prefix-0001.params`` and so on, by the number of epochs made.
    """
    period = int(max(1, period))

    def callback(iter_no, sym=None, arg=None, aux=None):
        if (iter_no + 1) % period == 0:
            mod.save_checkpoint(prefix, iter_no + 1, save_optimizer_states)
    return callback


def save_checkpoint(prefix, epoch, symbol, arg_params, aux_params, remove_amp_cast=True):
    """Writes ``prefix-symbol.json`` and ``prefix-0001.params`` (for epoch 1).

    Parameters
    ----------
    prefix : str
        Start of the file names.
    epoch : int
        Number in the name of the parameter file.
    symbol : Symbol or None
        The network.
    arg_params, aux_params : dict of str to NDArray
        Its parameters and auxiliary states.
    remove_amp_cast : bool
        Whether to leave out casts of automatic mixed precision.
    """
    from . import ndarray
    if symbol is not None:
        symbol.save(f"{prefix}-symbol.json", remove_amp_cast=remove_amp_cast)
    arrays = {f"arg:{name}": array for name, array in arg_params.items()}
    arrays.update({f"aux:{name}": array for name, array in aux_params.items()})
    path = f"{prefix}-{epoch:04d}.params"
    ndarray.save(path, arrays)
    _log('Saved checkpoint to "%s"', path)


def do_checkpoint(prefix, period=1):
    """An epoch callback that calls `save_checkpoint` every `period` epochs."""
    period = int(max(1, period))

    def callback(iter_no, sym, arg, aux):
        if (iter_no + 1) % period == 0:
            save_checkpoint(prefix, iter_no + 1, sym, arg, aux)
    return callback


def log_train_metric(period, auto_reset=False):
    """A batch callback that logs the metric every `period` batches, and starts it anew if `auto_reset`."""
    def callback(param):
        if param.nbatch % period == 0 and param.eval_metric is not None:
            for name, value in param.eval_metric.get_name_value():
                _log("Iter[%d] Batch[%d] Train-%s=%f", param.epoch, param.nbatch, name, value)
            if auto_reset:
                param.eval_metric.reset_local()
    return callback


class Speedometer:
    """A batch callback that logs the speed in samples per second, and the metric.

    Parameters
    ----------
    batch_size : int
        Number of samples in a batch.
    frequent : int
        Number of batches between messages.
    auto_reset : bool
        Whether the metric starts anew after each message.

    Examples
    --------
    >>> speedometer = mx.callback.Speedometer(batch_size=32, frequent=100)
    """

    def __init__(self, batch_size, frequent=50, auto_reset=True):
        self.batch_size = batch_size
        self.frequent = frequent
        self.init = False
        self.tic = 0
        self.last_count = 0
        self.auto_reset = auto_reset

    def __call__(self, param):
        count = param.nbatch
        if self.last_count > count:  # a new epoch
            self.init = False
        self.last_count = count
        if not self.init:
            self.init = True
            self.tic = time.time()
            return
        if count % self.frequent:
            return
        elapsed = time.time() - self.tic
        speed = self.frequent * self.batch_size / elapsed if elapsed > 0 else float("inf")
        if param.eval_metric is None:
            _log("Iter[%d] Batch [%d]\tSpeed: %.2f samples/sec", param.epoch, count, speed)
        else:
            pairs = param.eval_metric.get_name_value()
            since = count
            if self.auto_reset:
                param.eval_metric.reset_local()
                since = count - self.frequent
            values = "".join(f"\t{name}={value:f}" for name, value in pairs)
            span = f"{since}-{count}" if self.auto_reset else f"0-{count}"
            _log("Epoch[%d] Batch [%s]\tSpeed: %.2f samples/sec%s", param.epoch, span, speed, values)
        self.tic = time.time()


class ProgressBar:
    """A batch callback that shows how much of `total` batches is done, on a bar of `length` characters."""

    def __init__(self, total, length=80):
        self.bar_len = length
        self.total = total

    def __call__(self, param):
        done = param.nbatch / float(self.total)
        filled = round(self.bar_len * done)
        bar = "=" * filled + "-" * (self.bar_len - filled)
        _log("[%s] %s%s\r", bar, math.ceil(100.0 * done), "%")


class LogValidationMetricsCallback:
    """An end-of-evaluation callback that logs the metric."""

    def __call__(self, param):
        if param.eval_metric is None:
            return
        for name, value in param.eval_metric.get_name_value():
            _log("Epoch[%d] Validation-%s=%f", param.epoch, name, value)

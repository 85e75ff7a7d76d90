"""Handlers: what an estimator calls at the events of a training."""
import math
import os
import pickle
import re
import time

import numpy as np

from ....metric import CompositeEvalMetric, EvalMetric
from .utils import _check_metrics

__all__ = ["BatchBegin", "BatchEnd", "CheckpointHandler", "EarlyStoppingHandler", "EpochBegin", "EpochEnd",
           "GradientUpdateHandler", "LoggingHandler", "MetricHandler", "StoppingHandler", "TrainBegin", "TrainEnd",
           "ValidationHandler"]


class EventHandler:
    """The base of all handlers. Those of lower `priority` (0 where there is none) are called first.

    A checkpoint keeps the attributes of a handler that its `remembered` names, so that a resumed training goes on
    as if it had never stopped.

    Examples
    --------
    >>> class Patience(mx.gluon.contrib.estimator.EpochEnd):
    ...     remembered = ("epochs",)
    ...     epochs = 0
    ...     def epoch_end(self, estimator, *args, **kwargs):
    ...         self.epochs += 1
    ...         return self.epochs == 3
    """

    remembered = ()

    def get_state(self):
        """What a checkpoint keeps of the handler, a dict of plain values."""
        return {name: getattr(self, name) for name in self.remembered if hasattr(self, name)}

    def set_state(self, state):
        """Takes what `get_state` gave when the checkpoint was written; called after `train_begin`."""
        for name, value in state.items():
            setattr(self, name, value)


def _check_event_handlers(handlers):
    """`handlers` as a list. ValueError for anything but handlers."""
    if isinstance(handlers, EventHandler):
        handlers = [handlers]
    handlers = handlers or []
    if not isinstance(handlers, (list, tuple)) or not all(isinstance(handler, EventHandler) for handler in handlers):
        raise ValueError(f"Estimator: event_handlers must be an EventHandler or a list of them, got {handlers!r}")
    return list(handlers)


class TrainBegin(EventHandler):
    """Called at the beginning of the training."""

    def train_begin(self, estimator, *args, **kwargs):
        """Called once, before the first epoch."""


class TrainEnd(EventHandler):
    """Called at the end of the training."""

    def train_end(self, estimator, *args, **kwargs):
        """Called once, after the last epoch."""


class EpochBegin(EventHandler):
    """Called at the beginning of an epoch."""

    def epoch_begin(self, estimator, *args, **kwargs):
        """Called before the first batch of each epoch."""


class EpochEnd(EventHandler):
    """Called at the end of an epoch."""

    def epoch_end(self, estimator, *args, **kwargs):
        """Called after the last batch of each epoch; the training ends when it returns True."""
        return False


class BatchBegin(EventHandler):
    """Called at the beginning of a batch."""

    def batch_begin(self, estimator, *args, **kwargs):
        """Called with ``batch=``."""


class BatchEnd(EventHandler):
    """Called at the end of a batch."""

    def batch_end(self, estimator, *args, **kwargs):
        """Called with ``batch=``, ``pred=``, ``label=`` and ``loss=``; the epoch ends when it returns True."""
        return False


class StoppingHandler(TrainBegin, BatchEnd, EpochEnd):
    """Ends the training after a number of epochs or batches; without numbers those of ``Estimator.fit`` hold."""

    def __init__(self, max_epoch=None, max_batch=None):
        self.max_epoch = max_epoch
        self.max_batch = max_batch
        self.current_batch = 0
        self.current_epoch = 0
        self.stop_training = False

    def train_begin(self, estimator, *args, **kwargs):
        self.max_epoch = estimator.max_epoch
        self.max_batch = estimator.max_batch
        self.current_batch = 0
        self.current_epoch = 0
        self.stop_training = False

    def batch_end(self, estimator, *args, **kwargs):
        self.current_batch += 1
        if self.current_batch == self.max_batch:
            self.stop_training = True
        return self.stop_training

    def epoch_end(self, estimator, *args, **kwargs):
        self.current_epoch += 1
        if self.current_epoch == self.max_epoch:
            self.stop_training = True
        return self.stop_training


class MetricHandler(EpochBegin, BatchEnd):
    """Starts metrics anew at each epoch and updates them after each batch."""

    def __init__(self, metrics, priority=-1000):
        self.metrics = _check_metrics(metrics)
        self.priority = priority

    def epoch_begin(self, estimator, *args, **kwargs):
        for metric in self.metrics:
            metric.reset()

    def batch_end(self, estimator, *args, **kwargs):
        from ....metric import Loss
        for metric in self.metrics:
            if isinstance(metric, Loss):
                metric.update(0, kwargs["loss"])
            else:
                metric.update(kwargs["label"], kwargs["pred"])


class ValidationHandler(TrainBegin, BatchEnd, EpochEnd):
    """Validates every few epochs or batches.

    Parameters
    ----------
    val_data : DataLoader
        The data.
    eval_fn : callable
        Called as ``eval_fn(val_data=, batch_axis=, event_handlers=)``, e.g. ``estimator.evaluate``.
    epoch_period, batch_period : int or None
        Number of epochs and of batches between validations.
    priority : int
        See `EventHandler`.
    event_handlers : EventHandler or list of them, optional
        Given to `eval_fn`.
    """

    remembered = ("current_batch", "current_epoch")

    def __init__(self, val_data, eval_fn, epoch_period=1, batch_period=None, priority=-1000, event_handlers=None):
        self.val_data = val_data
        self.eval_fn = eval_fn
        self.epoch_period = epoch_period
        self.batch_period = batch_period
        self.current_batch = 0
        self.current_epoch = 0
        self.priority = priority
        self.event_handlers = event_handlers

    def train_begin(self, estimator, *args, **kwargs):
        self.current_batch = 0
        self.current_epoch = 0

    def batch_end(self, estimator, *args, **kwargs):
        self.current_batch += 1
        if self.batch_period and self.current_batch % self.batch_period == 0:
            self._run(estimator)

    def epoch_end(self, estimator, *args, **kwargs):
        self.current_epoch += 1
        if self.epoch_period and self.current_epoch % self.epoch_period == 0:
            self._run(estimator)

    def _run(self, estimator):
        self.eval_fn(val_data=self.val_data, batch_axis=estimator.batch_axis, event_handlers=self.event_handlers)


class GradientUpdateHandler(BatchEnd):
    """Updates the weights after each batch."""

    def __init__(self, priority=-2000):
        self.priority = priority

    def batch_end(self, estimator, *args, **kwargs):
        loss = kwargs["loss"]
        losses = loss if isinstance(loss, (list, tuple)) else [loss]
        estimator.trainer.step(sum(one.shape[0] if one.shape else 1 for one in losses))


class LoggingHandler(TrainBegin, TrainEnd, EpochBegin, EpochEnd, BatchBegin, BatchEnd):
    """Writes messages to ``estimator.logger`` about epochs, or batches too.

    Parameters
    ----------
    log_interval : int or 'epoch'
        Number of batches between messages, or 'epoch' for none of them. ValueError for anything else.
    metrics : EvalMetric or list of EvalMetric, optional
        What to tell.
    priority : int
        See `EventHandler`.
    """

    remembered = ("batch_index", "current_epoch", "processed_samples")

    def __init__(self, log_interval="epoch", metrics=None, priority=np.inf):
        if not isinstance(log_interval, int) and log_interval != "epoch":
            raise ValueError(f"LoggingHandler: log_interval must be an int or 'epoch', got {log_interval!r}")
        self.metrics = _check_metrics(metrics)
        self.batch_index = 0
        self.current_epoch = 0
        self.processed_samples = 0
        self.priority = priority
        self.log_interval = log_interval
        self.log_interval_time = 0

    def _metrics_text(self):
        return ", ".join(f"{name}: {value:.4f}" for metric in self.metrics for name, value in metric.get_name_value())

    def train_begin(self, estimator, *args, **kwargs):
        self.train_start = time.time()
        trainer = estimator.trainer
        estimator.logger.info("Training begin: using optimizer %s with current learning rate %.4f ",
                              type(trainer.optimizer).__name__, trainer.learning_rate)
        if estimator.max_epoch:
            estimator.logger.info("Train for %d epochs.", estimator.max_epoch)
        else:
            estimator.logger.info("Train for %d batches.", estimator.max_batch)
        self.current_epoch = 0
        self.batch_index = 0
        self.processed_samples = 0
        self.log_interval_time = 0

    def train_end(self, estimator, *args, **kwargs):
        estimator.logger.info("Train finished using total %ds with %d epochs. %s", time.time() - self.train_start,
                              self.current_epoch, self._metrics_text())

    def batch_begin(self, estimator, *args, **kwargs):
        self.batch_start = time.time()

    def batch_end(self, estimator, *args, **kwargs):
        if self.log_interval == "epoch":
            return
        self.processed_samples += kwargs["batch"][0].shape[0]
        self.log_interval_time += time.time() - self.batch_start
        if self.batch_index % self.log_interval == 0:
            estimator.logger.info("[Epoch %d][Batch %d][Samples %d] time/interval: %.3fs %s", self.current_epoch,
                                  self.batch_index, self.processed_samples, self.log_interval_time,
                                  self._metrics_text())
            self.log_interval_time = 0
        self.batch_index += 1

    def epoch_begin(self, estimator, *args, **kwargs):
        self.epoch_start = time.time()
        if estimator._evaluating:
            estimator.logger.info("Validation Begin")
        else:
            estimator.logger.info("[Epoch %d] Begin, current learning rate: %.4f", self.current_epoch,
                                  estimator.trainer.learning_rate)

    def epoch_end(self, estimator, *args, **kwargs):
        estimator.logger.info("[Epoch %d] Finished in %.3fs, %s", self.current_epoch, time.time() - self.epoch_start,
                              self._metrics_text())
        self.current_epoch += 1
        self.batch_index = 0


def _better(monitor, mode, who):
    """The comparison by which values of a metric are better, `numpy.less` or `numpy.greater`, and the worst value."""
    import warnings
    if isinstance(monitor, CompositeEvalMetric) or not isinstance(monitor, EvalMetric):
        raise ValueError(f"{who}: monitor must be one of estimator.train_metrics or estimator.val_metrics, got "
                         f"{monitor!r}")
    if mode not in ("auto", "min", "max"):
        warnings.warn(f"{who}: mode must be 'auto', 'min' or 'max', got {mode!r}; 'auto' is used", stacklevel=3)
        mode = "auto"
    name = monitor.get()[0].lower()
    larger = mode == "max" or (mode == "auto" and any(word in name for word in ("acc", "f1", "mcc", "pcc", "pearson")))
    return (np.greater, -np.inf) if larger else (np.less, np.inf)


class EarlyStoppingHandler(TrainBegin, EpochEnd, TrainEnd):
    """Ends the training when a metric gets no better.

    Parameters
    ----------
    monitor : EvalMetric
        One of the estimator's metrics.
    min_delta : float
        What the metric must get better by.
    patience : int
        Number of epochs without getting better that are put up with.
    mode : {'auto', 'min', 'max'}
        Whether lower or higher is better; by default higher for accuracies, F1 and correlations.
    baseline : float, optional
        What the metric must get better than at first.
    """

    remembered = ("best", "wait", "stopped_epoch", "current_epoch", "stop_training")

    def __init__(self, monitor, min_delta=0, patience=0, mode="auto", baseline=None):
        self.monitor_op, self._worst = _better(monitor, mode, "EarlyStoppingHandler")
        self.monitor = monitor
        self.baseline = baseline
        self.patience = patience
        self.min_delta = abs(min_delta) if self.monitor_op is np.greater else -abs(min_delta)
        self.wait = 0
        self.stopped_epoch = 0
        self.current_epoch = 0
        self.stop_training = False

    def train_begin(self, estimator, *args, **kwargs):
        self.wait = 0
        self.stopped_epoch = 0
        self.current_epoch = 0
        self.stop_training = False
        self.best = self._worst if self.baseline is None else self.baseline

    def epoch_end(self, estimator, *args, **kwargs):
        name, value = self.monitor.get()
        if math.isnan(value):
            estimator.logger.warning("EarlyStoppingHandler: %s has no value; it is updated in validation only, so "
                                     "give val_data", name)
        elif self.monitor_op(value - self.min_delta, self.best):
            self.best = value
            self.wait = 0
        else:
            self.wait += 1
            if self.wait >= self.patience:
                self.stopped_epoch = self.current_epoch
                self.stop_training = True
        self.current_epoch += 1
        return self.stop_training

    def train_end(self, estimator, *args, **kwargs):
        if self.stop_training:
            estimator.logger.info("[Epoch %d] EarlyStoppingHandler: early stopping due to %s not improving",
                                  self.stopped_epoch, self.monitor.get()[0])


class CheckpointHandler(TrainBegin, BatchEnd, EpochEnd):
    """Saves the training every few epochs or batches, and resumes it.

    A checkpoint is two files, ``model-epoch1batch6.params`` with the weights and ``.states`` with the trainer's
    state and those of the random numbers, the metrics and the other handlers (see `EventHandler`), which are
    called before. Each file appears whole or not at all, so a training that was killed resumes from the last
    complete checkpoint, with the numbers it would have had, and ends when it would have ended.

    Parameters
    ----------
    model_dir : str
        Folder of the files, made if need be.
    model_prefix : str
        Start of their names.
    monitor : EvalMetric, optional
        The metric that says which checkpoint is best.
    verbose : int
        Above 0 there is a message for each checkpoint.
    save_best : bool
        Whether the best is saved as ``model-best`` besides. ValueError without `monitor`.
    mode : {'auto', 'min', 'max'}
        Whether lower or higher is better; see `EarlyStoppingHandler`.
    epoch_period, batch_period : int or None
        Number of epochs and of batches between checkpoints.
    max_checkpoints : int
        Number of checkpoints that are kept.
    resume_from_checkpoint : bool
        Whether to go on from the last checkpoint in the folder, for what is left of the epochs or batches.

    Examples
    --------
    >>> from mxnet.gluon.contrib.estimator import CheckpointHandler
    >>> estimator.fit(loader, epochs=10, event_handlers=CheckpointHandler("run", resume_from_checkpoint=True))
    """

    def __init__(self, model_dir, model_prefix="model", monitor=None, verbose=0, save_best=False, mode="auto",
                 epoch_period=1, batch_period=None, max_checkpoints=5, resume_from_checkpoint=False):
        self.monitor = monitor
        self.verbose = verbose
        self.model_dir = model_dir
        self.model_prefix = model_prefix
        self.save_best = save_best
        self.epoch_period = epoch_period
        self.batch_period = batch_period
        self.current_batch = 0
        self.current_epoch = 0
        self.max_checkpoints = max_checkpoints
        self.resume_from_checkpoint = resume_from_checkpoint
        self.saved_checkpoints = []
        if save_best:
            self.monitor_op, self.best = _better(monitor, mode, "CheckpointHandler")

    # -- events --------------------------------------------------------------------------------

    def train_begin(self, estimator, *args, **kwargs):
        os.makedirs(self.model_dir, exist_ok=True)
        self.current_batch = 0
        self.current_epoch = 0
        self.saved_checkpoints = []
        if self.save_best:
            self.best = -np.inf if self.monitor_op is np.greater else np.inf
        if self.resume_from_checkpoint:
            self._resume(estimator)

    def batch_end(self, estimator, *args, **kwargs):
        if self.current_batch == 0:
            self._save_symbol(estimator)
        if self.batch_period and (self.current_batch + 1) % self.batch_period == 0:
            self._save_checkpoint(estimator, estimator._epoch_start[1])
        self.current_batch += 1

    def epoch_end(self, estimator, *args, **kwargs):
        if self.epoch_period and (self.current_epoch + 1) % self.epoch_period == 0:
            self._save_checkpoint(estimator, 0)
        self.current_epoch += 1

    # -- saving --------------------------------------------------------------------------------

    def _path(self, name):
        return os.path.join(self.model_dir, name)

    def _say(self, estimator, text, *args):
        if self.verbose > 0:
            estimator.logger.info("[Epoch %d] CheckpointHandler: " + text, self.current_epoch, *args)

    def _save_symbol(self, estimator):
        """Writes the structure of a network that is hybridized."""
        path = self._path(f"{self.model_prefix}-symbol.json")
        graph = getattr(estimator.net, "_cached_graph", ())
        if graph:
            graph[1].save(path)
        else:
            estimator.logger.info("CheckpointHandler: the structure of the network is not saved as %s, since it is "
                                  "not a hybridized HybridBlock", path)

    def _save_checkpoint(self, estimator, batches_in_epoch):
        name = f"{self.model_prefix}-epoch{self.current_epoch}batch{self.current_batch}"
        self._say(estimator, "saving model at %s with prefix: %s", self.model_dir, name)
        if self._is_better(estimator):
            self._write(estimator, f"{self.model_prefix}-best", batches_in_epoch)
        self.saved_checkpoints.append(name)
        self._write(estimator, name, batches_in_epoch)
        while len(self.saved_checkpoints) > self.max_checkpoints:
            oldest = self.saved_checkpoints.pop(0)
            for kind in (".params", ".states"):
                if os.path.exists(self._path(oldest + kind)):
                    os.remove(self._path(oldest + kind))

    def _is_better(self, estimator):
        if not self.save_best:
            return False
        name, value = self.monitor.get()
        if math.isnan(value):
            estimator.logger.warning("CheckpointHandler: %s has no value; it is updated in validation only, so give "
                                     "val_data", name)
            return False
        if self.monitor_op(value, self.best):
            self._say(estimator, "%s improved from %.5f to %.5f, updating best model", name, self.best, value)
            self.best = value
            return True
        self._say(estimator, "%s did not improve from %.5f", name, self.best)
        return False

    def _write(self, estimator, name, batches_in_epoch):
        """Writes a checkpoint; the parameters come last, since there is no checkpoint without them."""
        path = self._path(name + ".states")
        estimator.trainer.save_states(path + ".part")
        # Readers of the trainer's states stop before what follows them.
        more = {**estimator._state(batches_in_epoch), "best": getattr(self, "best", None),
                "saved_checkpoints": self.saved_checkpoints}
        with open(path + ".part", "ab") as file:
            pickle.dump(more, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(path + ".part", path)
        estimator.net.save_parameters(self._path(name + ".params"))

    # -- resuming ------------------------------------------------------------------------------

    def _last(self):
        """Epoch and batch of the last complete checkpoint, or None."""
        pattern = re.compile(re.escape(self.model_prefix) + r"-epoch(\d+)batch(\d+)\.params$")
        found = [tuple(map(int, match.groups())) for match in map(pattern.match, os.listdir(self.model_dir)) if match]
        complete = [one for one in found
                    if os.path.exists(self._path(f"{self.model_prefix}-epoch{one[0]}batch{one[1]}.states"))]
        # The end of an epoch counts more batches than it has a checkpoint of its last batch.
        return max(complete, key=lambda one: (one[1], one[0]), default=None)

    def _resume(self, estimator):
        by_epochs = bool(estimator.max_epoch)
        if self.batch_period if by_epochs else self.epoch_period:
            raise AssertionError("CheckpointHandler: to resume a training that is measured in epochs set "
                                 "batch_period=None, and for one in batches epoch_period=None")
        last = self._last()
        limit, kind = (estimator.max_epoch, "epochs") if by_epochs else (estimator.max_batch, "batches")
        if last is None:
            estimator.logger.info("CheckpointHandler: No checkpoint found, training from scratch for %d %s", limit,
                                  kind)
            return
        epoch, batch = last
        done = epoch + 1 if by_epochs else batch + 1
        if done >= limit:
            self._nothing_left(limit, kind)
        name = self._path(f"{self.model_prefix}-epoch{epoch}batch{batch}")
        more = self._read_more(name + ".states")
        estimator.net.load_parameters(name + ".params", ctx=estimator.context)
        estimator.trainer.load_states(name + ".states")
        if more is not None:
            estimator._resume = {**more, "stops": more["stops"] or done >= limit}
            self.saved_checkpoints = more["saved_checkpoints"]
            if more["best"] is not None and self.save_best:
                self.best = more["best"]
        self.current_epoch = epoch + 1 if by_epochs else epoch
        self.current_batch = batch if by_epochs else batch + 1
        if by_epochs:
            estimator.max_epoch -= done
        else:
            estimator.max_batch -= done
        estimator.logger.info("CheckpointHandler: Checkpoint resumed from epoch %d batch %d, continue to train for "
                              "%d %s", epoch, batch, limit - done, kind)

    def _nothing_left(self, limit, kind):
        raise ValueError(f"CheckpointHandler: the checkpoint in '{self.model_dir}' has all of the {limit} {kind} "
                         "behind it; set resume_from_checkpoint=False to train from scratch")

    @staticmethod
    def _read_more(path):
        """What `_write` put after the trainer's states; None in a file of 1.x. ValueError for a damaged file."""
        with open(path, "rb") as file:
            try:
                pickle.load(file)
                return pickle.load(file) if file.peek(1) else None
            except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError,
                    ValueError) as error:
                raise ValueError(f"CheckpointHandler: '{path}' is damaged: {error}") from error

"""The estimator: a training loop with events."""
import copy
import sys
import warnings

from .... import context as _context
from .... import random as _random
from ....context import Context
from ....metric import Loss as LossMetric
from ...data import DataLoader
from ...loss import Loss
from ...trainer import Trainer
from . import event_handler as events
from .batch_processor import BatchProcessor
from .utils import _check_handler_metric_ref, _check_metrics, _suggest_metric_for_loss

__all__ = ["Estimator"]


class Estimator:
    """Trains a network, and calls handlers at the beginning and end of the training, epochs and batches.

    Parameters
    ----------
    net : Block
        The network.
    loss : gluon.loss.Loss
        The loss.
    train_metrics, val_metrics : EvalMetric or list of EvalMetric, optional
        Metrics for training and validation. By default the loss, with the accuracy where it fits; those for
        validation are copies of those for training. Names get 'training' and 'validation' before them.
    initializer : Initializer, optional
        For parameters that are not initialized yet.
    trainer : Trainer, optional
        Updates the weights; by default SGD with a learning rate of 0.001.
    context : Context or list of Context, optional
        Where to train; the batch is split among several. By default a GPU if there is one.
    val_net, val_loss : Block and Loss, optional
        Used for validation instead of `net` and `loss`.
    batch_processor : BatchProcessor, optional
        What is done with a batch.

    Raises
    ------
    ValueError
        For arguments of another type.

    Examples
    --------
    >>> from mxnet.gluon.contrib.estimator import Estimator
    >>> net = mx.gluon.nn.Dense(2)
    >>> estimator = Estimator(net, mx.gluon.loss.SoftmaxCrossEntropyLoss(), trainer=None)
    >>> data = mx.gluon.data.ArrayDataset(mx.nd.ones((8, 3)), mx.nd.ones((8,)))
    >>> estimator.fit(mx.gluon.data.DataLoader(data, batch_size=4), epochs=2)
    """

    def __init__(self, net, loss, train_metrics=None, val_metrics=None, initializer=None, trainer=None,
                 context=None, val_net=None, val_loss=None, batch_processor=None):
        self.net = net
        self.loss = self._check_loss(loss)
        self._train_metrics = _check_metrics(train_metrics)
        self._val_metrics = _check_metrics(val_metrics)
        self._add_default_training_metrics()
        self._add_validation_metrics()
        self.val_loss = self.loss if val_loss is None else self._check_loss(val_loss)
        self.val_net = self.net if val_net is None else val_net
        self.logger = _logger()
        self.context = self._check_context(context)
        self._initialize(initializer)
        self.trainer = self._check_trainer(trainer)
        self.batch_processor = self._check_batch_processor(batch_processor)
        self._evaluating = False
        self._handlers = []            # of the training that runs
        self._stops = False            # whether one of them said to end the epoch or the training
        self._stops_early = False      # whether one did so that does not count epochs and batches
        self._resume = None            # see CheckpointHandler
        self._epoch_start = [None, 0]  # random numbers at the beginning of the epoch, and the batches since

    # -- checks --------------------------------------------------------------------------------

    def _check_loss(self, loss):
        if not isinstance(loss, Loss):
            raise ValueError(f"Estimator: the loss must be one of gluon.loss, got {loss!r}")
        return loss

    def _check_context(self, context):
        """The contexts as a list; AssertionError for one that is not there."""
        if context is None:
            return [_context.gpu(0)] if _context.num_gpus() else [_context.cpu()]
        contexts = [context] if isinstance(context, Context) else context
        if not isinstance(contexts, (list, tuple)) or not all(isinstance(ctx, Context) for ctx in contexts):
            raise ValueError(f"Estimator: context must be a Context or a list of them, got {context!r}")
        for ctx in contexts:
            if ctx.device_type == "gpu" and ctx.device_id >= _context.num_gpus():
                raise AssertionError(f"Estimator: {ctx} is not available; there are {_context.num_gpus()} GPUs")
        return list(contexts)

    def _check_batch_processor(self, processor):
        if processor is None:
            return BatchProcessor()
        if not all(callable(getattr(processor, name, None)) for name in ("fit_batch", "evaluate_batch")):
            raise ValueError(f"Estimator: batch_processor must have fit_batch and evaluate_batch, got {processor!r}")
        return processor

    def _is_initialized(self):
        return all(param._data is not None or param._deferred_init for param in self.net.collect_params().values())

    def _initialize(self, initializer):
        if self._is_initialized():
            if initializer is not None:
                warnings.warn("Estimator: the network is initialized already, so initializer is ignored; "
                              "net.initialize(..., force_reinit=True) initializes it anew", stacklevel=3)
            return
        for param in self.net.collect_params().values():
            if param._data is None and not param._deferred_init:
                options = {} if initializer is None else {"default_init": initializer}
                param.initialize(ctx=self.context, **options)

    def _check_trainer(self, trainer):
        if trainer is None:
            warnings.warn("Estimator: no trainer was given, so SGD with a learning rate of 0.001 is used", stacklevel=3)
            return Trainer(self.net.collect_params(), "sgd", {"learning_rate": 0.001})
        if not isinstance(trainer, Trainer):
            raise ValueError(f"Estimator: trainer must be a gluon.Trainer, got {trainer!r}")
        return trainer

    def _check_data(self, data):
        if not isinstance(data, DataLoader):
            raise ValueError(f"Estimator: data must be a gluon.data.DataLoader, got {type(data).__name__}")

    def _get_data_and_label(self, batch, ctx, batch_axis=0):
        return self.batch_processor._get_data_and_label(batch, ctx, batch_axis)

    # -- metrics -------------------------------------------------------------------------------

    def _add_default_training_metrics(self):
        if not self._train_metrics:
            suggested = _suggest_metric_for_loss(self.loss)
            self._train_metrics = [] if suggested is None else [suggested]
            self._train_metrics.append(LossMetric(name=self.loss.name.rstrip("0123456789")))
        for metric in self._train_metrics:
            if "training" not in metric.name:
                metric.name = "training " + metric.name

    def _add_validation_metrics(self):
        if not self._val_metrics:
            self._val_metrics = [copy.deepcopy(metric) for metric in self._train_metrics]
        for metric in self._val_metrics:
            if "training" in metric.name:
                metric.name = metric.name.replace("training", "validation")
            elif "validation" not in metric.name:
                metric.name = "validation " + metric.name

    @property
    def train_metrics(self):
        """The metrics of training, a list."""
        return self._train_metrics

    @property
    def val_metrics(self):
        """The metrics of validation, a list."""
        return self._val_metrics

    # -- running -------------------------------------------------------------------------------

    def evaluate(self, val_data, batch_axis=0, event_handlers=None):
        """Updates `val_metrics` by a data set.

        Parameters
        ----------
        val_data : DataLoader
            The data.
        batch_axis : int
            The axis of samples.
        event_handlers : EventHandler or list of them, optional
            Called at the beginning and end of the epoch and of batches.
        """
        self._check_data(val_data)
        handlers = self._prepare_default_validation_handlers(events._check_event_handlers(event_handlers))
        _, epoch_begin, batch_begin, batch_end, epoch_end, _ = self._categorize_handlers(handlers)
        before, self._evaluating = self._evaluating, True
        try:
            for handler in epoch_begin:
                handler.epoch_begin(self)
            for batch in val_data:
                for handler in batch_begin:
                    handler.batch_begin(self, batch=batch)
                _, label, pred, loss = self.batch_processor.evaluate_batch(self, batch, batch_axis)
                for handler in batch_end:
                    handler.batch_end(self, batch=batch, pred=pred, label=label, loss=loss)
            for handler in epoch_end:
                handler.epoch_end(self)
        finally:
            self._evaluating = before

    def fit(self, train_data, val_data=None, epochs=None, event_handlers=None, batches=None, batch_axis=0):
        """Trains for a number of epochs or of batches.

        Parameters
        ----------
        train_data : DataLoader
            The data to train on.
        val_data : DataLoader, optional
            The data to validate on, after each epoch.
        epochs, batches : int
            How long to train; exactly one of them must be given.
        event_handlers : EventHandler or list of them, optional
            Called besides the default ones: updating of weights and metrics, validation, stopping, logging.
            Those of lower `priority` (0 by default) come first.
        batch_axis : int
            The axis of samples.

        Raises
        ------
        ValueError
            For data of another type, or unless one of `epochs` and `batches` is given.

        Examples
        --------
        >>> estimator.fit(loader, val_data=validation_loader, epochs=10)
        """
        self._check_data(train_data)
        if (epochs is None) == (batches is None):
            raise ValueError("Estimator.fit: give either epochs or batches, to say how long to train")
        self.max_epoch, self.max_batch, self.batch_axis = epochs, batches, batch_axis
        handlers = self._prepare_default_handlers(val_data, events._check_event_handlers(event_handlers))
        train_begin, epoch_begin, batch_begin, batch_end, epoch_end, train_end = self._categorize_handlers(handlers)
        self._handlers, self._resume = handlers, None
        self._stops = self._stops_early = False
        for handler in train_begin:
            handler.train_begin(self)
        resume, self._resume = self._resume, None
        within = resume is not None and resume["batches_in_epoch"] > 0
        if resume is not None and not within:
            self._take_up(resume)
        while within or not self._stops:
            for handler in epoch_begin:
                handler.epoch_begin(self)
            if within:
                self._take_up(resume)
            for batch in self._batches_of_epoch(train_data, resume):
                for handler in batch_begin:
                    handler.batch_begin(self, batch=batch)
                _, label, pred, loss = self.batch_processor.fit_batch(self, batch, batch_axis)
                self._tell(batch_end, "batch_end", batch=batch, pred=pred, label=label, loss=loss)
                if self._stops:
                    break
            self._tell(epoch_end, "epoch_end")
            resume, within = None, False
        for handler in train_end:
            handler.train_end(self)

    def _tell(self, handlers, event, **arguments):
        """Calls all handlers, those that write checkpoints last; `_stops` tells whether one of them says to stop."""
        self._stops = self._stops_early = False
        for handler in sorted(handlers, key=lambda handler: isinstance(handler, events.CheckpointHandler)):
            stops = bool(getattr(handler, event)(self, **arguments))
            self._stops |= stops
            self._stops_early |= stops and not isinstance(handler, events.StoppingHandler)

    def _batches_of_epoch(self, data, resume):
        """The batches of an epoch, without those that were trained on before the checkpoint `resume`."""
        skip = 0 if resume is None else resume["batches_in_epoch"]
        if resume is not None:
            _set_random_states(resume["epoch_start" if skip else "now"])
        self._epoch_start = [_random_states(), 0]
        for batch in data:
            self._epoch_start[1] += 1
            if self._epoch_start[1] > skip:
                yield batch
            elif self._epoch_start[1] == skip:
                _set_random_states(resume["now"])
                if self._stops:
                    return
        if self._epoch_start[1] == 0:
            raise ValueError("Estimator.fit: the data set is empty")

    # -- checkpoints ---------------------------------------------------------------------------

    def _state(self, batches_in_epoch):
        """What a checkpoint keeps besides the weights and the trainer's state."""
        return {"now": _random_states(), "epoch_start": self._epoch_start[0], "batches_in_epoch": batches_in_epoch,
                "stops": self._stops_early, "metrics": [metric.get_state() for metric in self._all_metrics()],
                "handlers": [(type(handler).__name__, handler.get_state()) for handler in self._handlers]}

    def _take_up(self, state):
        """Goes on from `state`; handlers are known by the name of their class and their order."""
        self._stops = state["stops"]
        for metric, values in zip(self._all_metrics(), state["metrics"]):
            metric.set_state(values)
        kept = list(state["handlers"])
        for handler in self._handlers:
            name = type(handler).__name__
            found = next((i for i, (kind, _) in enumerate(kept) if kind == name), None)
            if found is not None:
                handler.set_state(kept.pop(found)[1])

    def _all_metrics(self):
        return [*self.train_metrics, *self.val_metrics]

    # -- handlers ------------------------------------------------------------------------------

    def _prepare_default_handlers(self, val_data, event_handlers):
        """The handlers given and those that are needed besides, sorted by priority."""
        handlers = list(events._check_event_handlers(event_handlers))

        def missing(kind):
            return not any(isinstance(handler, kind) for handler in handlers)
        added = [events.StoppingHandler(self.max_epoch, self.max_batch)]
        if missing(events.GradientUpdateHandler):
            added.append(events.GradientUpdateHandler())
        if missing(events.MetricHandler):
            added.append(events.MetricHandler(metrics=self.train_metrics))
        if val_data is not None and missing(events.ValidationHandler):
            self._check_data(val_data)
            added.append(events.ValidationHandler(val_data=val_data, eval_fn=self.evaluate))
        if missing(events.LoggingHandler):
            added.append(events.LoggingHandler(metrics=self.train_metrics))
        return self._checked(handlers + added)

    def _prepare_default_validation_handlers(self, event_handlers):
        handlers = list(events._check_event_handlers(event_handlers))
        if not any(isinstance(handler, events.MetricHandler) for handler in handlers):
            handlers.append(events.MetricHandler(metrics=self.val_metrics))
        if not any(isinstance(handler, events.LoggingHandler) for handler in handlers):
            handlers.append(events.LoggingHandler(metrics=self.val_metrics))
        return self._checked(handlers)

    def _checked(self, handlers):
        for handler in handlers:
            _check_handler_metric_ref(handler, self.train_metrics + self.val_metrics)
        return sorted(handlers, key=lambda handler: getattr(handler, "priority", 0))

    def _categorize_handlers(self, event_handlers):
        """The handlers of each event: train_begin, epoch_begin, batch_begin, batch_end, epoch_end, train_end."""
        kinds = (events.TrainBegin, events.EpochBegin, events.BatchBegin, events.BatchEnd, events.EpochEnd,
                 events.TrainEnd)
        return tuple([handler for handler in event_handlers if isinstance(handler, kind)] for kind in kinds)


def _logger():
    """The logger 'Estimator', which writes messages to the standard output."""
    import logging
    logger = logging.getLogger("Estimator")
    logger.setLevel(logging.INFO)
    for handler in list(logger.handlers):
        if getattr(handler, "of_estimator", False):
            logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stdout)
    handler.of_estimator = True
    logger.addHandler(handler)
    return logger


def _random_states():
    """Where the random numbers of this package, of NumPy and of Python stand."""
    import random

    import numpy as np
    return _random.get_state(), np.random.get_state(), random.getstate()


def _set_random_states(states):
    import random

    import numpy as np
    _random.set_state(states[0])
    np.random.set_state(states[1])
    random.setstate(states[2])

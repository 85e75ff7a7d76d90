"""What is done with a batch, with errors that say what is wrong with it."""
import math
import sys

from ... import autograd
from ... import error as _error
from ...base import MXNetError
from ..block import Block
from ..contrib.estimator import BatchEnd, BatchProcessor, Estimator, GradientUpdateHandler
from ..hybrid_block import uncompiled
from ..loss import Loss
from ..train_step import TrainStep
from ..utils import split_and_load
from .loss import check_label

__all__ = ["Processor", "ShortEstimator", "UpdateHandler", "run_network", "see_gradients"]

# What a layer or loss raises for inputs that do not fit.
_WRONG = (MXNetError, ValueError, TypeError, AssertionError)


class ShortEstimator(Estimator):
    """An estimator that takes any data source and any loss, and tells nothing by itself."""

    def _check_data(self, data):
        pass

    def _check_loss(self, loss):
        return loss

    def _add_default_training_metrics(self):
        pass

    def _add_validation_metrics(self):
        pass


def run_network(who, net, inputs):
    """The output of a network. An error names the layer that does not take its input."""
    try:
        return net(*inputs)
    except _WRONG as error:
        layer, shapes = _failing_layer(net, inputs)
        if isinstance(layer, Block):
            raise _error.ValueError(f"{who}: layer {layer.name} ({_one_line(layer)}) does not take an input of shape "
                                    f"{shapes}: {error}") from error
        raise


def _one_line(layer):
    return " ".join(repr(layer).split()) if not layer._children or hasattr(layer, "act") else type(layer).__name__


def _failing_layer(net, inputs):
    """The innermost block that does not take its input, and the shape of that."""
    trace = sys.exc_info()[2]
    try:  # a compiled network fails as a whole
        with uncompiled(net), autograd.pause(train_mode=autograd.is_training()):
            net(*inputs)
    except _WRONG:
        trace = sys.exc_info()[2]
    layer, arguments = net, inputs
    while trace is not None:
        values, code = trace.tb_frame.f_locals, trace.tb_frame.f_code
        block = values.get("self")
        called = code.co_name in ("__call__", "forward", "hybrid_forward")
        if called and isinstance(block, Block) and block is not layer:
            layer = block
            arguments = [values[name] for name in code.co_varnames[1:code.co_argcount] if name in values]
            arguments += values.get("args", ())
        trace = trace.tb_next
    shapes = [str(array.shape) for array in arguments if hasattr(array, "shape")]
    return layer, shapes[0] if shapes else "?"


def see_gradients(handlers):
    """Whether some of the handlers come between backward and the update, or make the update."""
    return any(isinstance(handler, GradientUpdateHandler) or
               (isinstance(handler, BatchEnd) and getattr(handler, "priority", 0) < UpdateHandler().priority)
               for handler in handlers)


def _clear_gradients(net, ctx):
    """Says that a context that got no samples has gradients of 0."""
    for param in net.collect_params().values():
        if param._grad is not None:
            param.grad(ctx)[:] = 0
            param.data(ctx)._fresh_grad = True


class UpdateHandler(GradientUpdateHandler):
    """Updates the weights after each batch, as far as the step has not done so."""

    def batch_end(self, estimator, *args, **kwargs):
        estimator.batch_processor.update(estimator, sum(one.shape[0] if one.shape else 1 for one in kwargs["loss"]))


class Processor(BatchProcessor):
    """Runs the network and the loss, and checks labels and loss.

    Parameters
    ----------
    who : str
        The caller, for messages.
    updates : bool
        Whether parameters may be updated along with the gradient; `UpdateHandler` does what is left then.
    """

    def __init__(self, who, updates=False):
        super().__init__()
        self._who = who
        self.updates = updates
        self.epoch, self.step = 1, 0
        self._train_step = None
        self._tail = None  # the shape of a sample's prediction, where the loss has a value for each sample

    def _split(self, estimator, batch):
        """The parts of inputs and label for each context."""
        if len(batch) < 2:
            raise ValueError(f"{self._who}: a batch must hold data and labels, got only one array")
        parts = [split_and_load(array, estimator.context, even_split=False) for array in batch]
        # The last batch may be smaller than the number of contexts.
        rows = [row for row in zip(*parts) if row[-1].shape[0]] or [tuple(part[0] for part in parts)]
        return [row[:-1] for row in rows], [row[-1] for row in rows]

    def _loss(self, estimator, loss, pred, label):
        if isinstance(pred, (list, tuple)):
            raise ValueError(f"{self._who}: the network gives {len(pred)} outputs; fit takes networks of one")
        check_label(self._who, loss, label, pred.shape)
        try:
            return loss(pred, label)
        except _WRONG as error:
            name = type(loss).__name__ if isinstance(loss, Loss) else getattr(loss, "__name__", type(loss).__name__)
            raise ValueError(f"{self._who}: the loss {name} does not fit predictions of shape {pred.shape} and labels "
                             f"of shape {label.shape}: {error}") from error

    def _run(self, estimator, net, loss, batch):
        data, label = self._split(estimator, batch)
        pred = [run_network(self._who, net, inputs) for inputs in data]
        return data, label, pred, [self._loss(estimator, loss, p, y) for p, y in zip(pred, label)]

    def evaluate_batch(self, estimator, val_batch, batch_axis=0):
        return self._run(estimator, estimator.val_net, estimator.val_loss, val_batch)

    def _compiled_step(self, estimator, batch):
        """What `_run` gives, by one program with the gradient in it; None where there is none."""
        if len(estimator.context) > 1 or len(batch) < 2:
            return None
        if self._train_step is None:
            self._train_step = TrainStep(estimator.net, estimator.loss, estimator.trainer)
        inputs = [array.as_in_context(estimator.context[0]) for array in batch]
        size = inputs[0].shape[0]
        if self._tail is not None:  # the update is part of the program, so that labels are checked before
            check_label(self._who, estimator.loss, inputs[-1], (size, *self._tail))
        try:
            done = self._train_step.compiled(*inputs, batch_size=None if self._tail is None else size,
                                             needs_finite=True)
        except _WRONG:
            return None  # step by step it is told which layer does not fit
        if done is None:
            return None
        loss, pred = done
        if self._tail is None:
            check_label(self._who, estimator.loss, inputs[-1], pred.shape)
            if pred.shape[:1] == loss.shape[:1] == (size,) and self.updates:
                self._tail = pred.shape[1:]
        return [tuple(inputs[:-1])], [inputs[-1]], [pred], [loss]

    def update(self, estimator, batch_size):
        """What is left of the update of the parameters."""
        if self._train_step is None:
            estimator.trainer.step(batch_size)
        else:
            self._train_step.update(batch_size)

    def _recorded_step(self, estimator, batch):
        with autograd.record():
            data, label, pred, loss = self._run(estimator, estimator.net, estimator.loss, batch)
        autograd.backward(loss)
        return data, label, pred, loss

    def fit_batch(self, estimator, train_batch, batch_axis=0):
        self.step += 1
        data, label, pred, loss = (self._compiled_step(estimator, train_batch) or
                                   self._recorded_step(estimator, train_batch))
        for ctx in estimator.context[len(label):]:
            _clear_gradients(estimator.net, ctx)
        # Before the weights are updated: those of the last step are still good.
        value = sum(float(part.sum().asscalar()) for part in loss)
        if not math.isfinite(value):
            raise MXNetError(f"{self._who}: the loss is {value} at step {self.step} of epoch {self.epoch}; a smaller "
                             "learning rate or data without such numbers may help")
        return data, label, pred, loss

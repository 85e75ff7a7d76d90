"""The functions behind the methods of `Block`."""
import contextlib
import copy
import weakref

from ... import autograd, context, initializer, ndarray
from ... import optimizer as opt
from ...base import MXNetError
from ...metric import Loss as LossMetric
from ..block import Block
from ..contrib.estimator import CheckpointHandler, LoggingHandler
from ..trainer import Trainer
from .history import History, Scores
from .loss import choose_loss, choose_metrics
from .processor import Processor, ShortEstimator, UpdateHandler, run_network, see_gradients
from .progress import Progress
from .source import Batches

__all__ = ["evaluate", "fit", "predict", "prepare", "validate"]


class _Memory:
    """What is remembered of a network between calls: its optimizers with their state, its loss and metrics."""

    def __init__(self):
        self.bound = []      # optimizers of `with optimizer.prepare(net)`, the innermost last
        self.trainers = []   # pairs of an optimizer and the trainer made for it
        self.last = None     # the trainer used last
        self.loss = None
        self.metrics = None


_memories = weakref.WeakKeyDictionary()


def _memory(net):
    if not isinstance(net, Block):
        raise TypeError(f"expected a Block, got {type(net).__name__}")
    if net not in _memories:
        _memories[net] = _Memory()
    return _memories[net]


@contextlib.contextmanager
def prepare(optimizer, net):
    """A ``with`` block in which `net` is trained by `optimizer`; see `Optimizer.prepare`."""
    memory = _memory(net)
    memory.bound.append(optimizer)
    try:
        yield net
    finally:
        memory.bound.pop()


# -- preparing -------------------------------------------------------------------------------------

def _contexts(net, ctx):
    if ctx is not None:
        return [ctx] if isinstance(ctx, context.Context) else list(ctx)
    for param in net.collect_params().values():
        if param._data is not None or param._deferred_init:
            return list(param.list_ctx())
    return [context.current_context()]


def _initialize(net, contexts):
    """Initializes what is not; gives the parameters that were."""
    fresh = [param for param in net.collect_params().values() if param._data is None and not param._deferred_init]
    for param in fresh:
        param.initialize(ctx=contexts, default_init=initializer.Xavier())
    return fresh


def _enliven(estimator, batches, fresh, attempts=10):
    """Draws new weights as long as no gradient reaches some of them.

    In small networks it is likely that all units of a rectified layer are 0 on all samples and stay so.
    """
    weights = [param for param in fresh if param.name.endswith("weight")]
    if not weights:
        return
    batch = next(iter(batches))
    for _ in range(attempts):
        with autograd.record(train_mode=False):
            _, _, _, losses = estimator.batch_processor._run(estimator, estimator.net, estimator.loss, batch)
        autograd.backward(losses)
        dead = [param for param in weights if param._grad is not None and not param._grad[0].asnumpy().any()]
        for param in fresh:
            param.zero_grad()
        if not dead:
            return
        for param in dead:
            param.initialize(ctx=param.list_ctx(), default_init=initializer.Xavier(), force_reinit=True)


def _trainer(net, memory, optimizer):
    """The trainer of an optimizer (a name, an Optimizer or a Trainer), by default of the one used before."""
    params = net.collect_params()
    if optimizer is None:
        if memory.bound:
            optimizer = memory.bound[-1]
        elif memory.last is not None and memory.last._params == _in_order(params):
            return memory.last
        else:
            optimizer = opt.Adam()
    if isinstance(optimizer, Trainer):
        if not set(optimizer._params) & set(params.values()):
            raise ValueError("fit: the Trainer was made for the parameters of another network")
        return optimizer
    if isinstance(optimizer, str):
        optimizer = opt.create(optimizer)
    if not isinstance(optimizer, opt.Optimizer):
        raise TypeError(f"fit: optimizer must be an Optimizer such as gluon.optimizer.SGD(), the name of one, or a "
                        f"Trainer, got {optimizer!r}")
    for known, trainer in memory.trainers:
        if known is optimizer and trainer._params == _in_order(params):
            return trainer
    trainer = Trainer(params, optimizer)
    memory.trainers.append((optimizer, trainer))
    return trainer


def _in_order(params):
    return [params[name] for name in sorted(params.keys())]


@contextlib.contextmanager
def _unchanged_on_error(net):
    """Gives parameters back their values when an Exception is raised within."""
    saved = {param: param._data[0].copy() for param in net.collect_params().values() if param._data is not None}
    try:
        yield
    except Exception:
        # What else has failed on the way must not be raised by a later call.
        with contextlib.suppress(MXNetError):
            ndarray.waitall()
        for param, value in saved.items():
            param.set_data(value)
        raise


def _estimator(who, net, loss, metrics, trainer, contexts):
    """An estimator whose metrics are the loss and those given, for training and for validation."""
    sets = [[LossMetric(name="loss"), *choose_metrics(net, loss, metrics)] for _ in range(2)]
    return ShortEstimator(net, loss, train_metrics=sets[0], val_metrics=copy.deepcopy(sets[1]), trainer=trainer,
                          context=contexts, batch_processor=Processor(who))


# -- the methods -----------------------------------------------------------------------------------

def fit(net, data, num_epochs=1, loss_fn=None, optimizer=None, validation_data=None, metrics=None, batch_size=32,
        shuffle=True, ctx=None, verbose=True, checkpoint=None, resume=False, event_handlers=None):
    """See `Block.fit`."""
    if num_epochs < 1:
        raise ValueError(f"fit: num_epochs must be at least 1, got {num_epochs}")
    memory = _memory(net)
    batches = Batches("fit", data, batch_size, shuffle)
    held_out = None if validation_data is None else Batches("fit", validation_data, batch_size, False)
    loss = choose_loss(net, memory.loss if loss_fn is None else loss_fn)
    contexts = _contexts(net, ctx)
    with _unchanged_on_error(net):
        fresh = _initialize(net, contexts)
        trainer = _trainer(net, memory, optimizer)
        history = History()
        estimator = _estimator("fit", net, loss, metrics, trainer, contexts)
        estimator.logger.setLevel("INFO" if verbose else "WARNING")
        _enliven(estimator, batches, fresh)
        try:
            count = len(batches)
        except TypeError:
            count = None
        progress = Progress(history, estimator.train_metrics, num_epochs, count,
                            held_out and (lambda: _scores(estimator, held_out)), estimator.batch_processor, verbose)
        handlers = [*(event_handlers or []), progress, _Silence()]
        if not see_gradients(handlers):
            estimator.batch_processor.updates = True
            handlers.append(UpdateHandler())
        if checkpoint is not None:
            handlers.append(_Checkpoints(str(checkpoint), resume_from_checkpoint=resume))
        try:
            estimator.fit(batches, epochs=num_epochs, event_handlers=handlers)
        finally:
            progress.close()
    memory.last, memory.loss, memory.metrics = trainer, loss, metrics
    return history


class _Checkpoints(CheckpointHandler):
    """Resumes a training that has come to its end too: nothing is left to do."""

    def _nothing_left(self, limit, kind):
        pass


class _Silence(LoggingHandler):
    """Takes the place of the estimator's own messages."""

    def train_begin(self, estimator, *args, **kwargs):
        pass

    train_end = epoch_begin = epoch_end = batch_begin = batch_end = train_begin


def _scores(estimator, batches):
    """The loss and metrics on a data source."""
    estimator.evaluate(batches, event_handlers=[_Silence()])
    return Scores(pair for metric in estimator.val_metrics for pair in metric.get_name_value())


def validate(net, data, loss_fn=None, metrics=None, batch_size=32, ctx=None, who="validate"):
    """See `Block.validate`; `who` is named in messages."""
    memory = _memory(net)
    batches = Batches(who, data, batch_size, False)
    contexts = _contexts(net, ctx)
    _initialize(net, contexts)
    loss = choose_loss(net, memory.loss if loss_fn is None else loss_fn)
    used = memory.metrics if metrics is None else metrics
    estimator = _estimator(who, net, loss, used, _NoTrainer(), contexts)
    return _scores(estimator, batches)


class _NoTrainer(Trainer):
    """Fills the place of a trainer where nothing is trained."""

    def __init__(self):
        pass


def evaluate(net, data, metrics=None, batch_size=32, ctx=None):
    """See `Block.evaluate`."""
    scores = validate(net, data, None, metrics, batch_size, ctx, who="evaluate")
    return Scores(list(zip(scores.names, scores))[1:])


def predict(net, data, batch_size=32, ctx=None):
    """See `Block.predict`."""
    batches = Batches("predict", data, batch_size, False)
    contexts = _contexts(net, ctx)
    _initialize(net, contexts)
    outputs = []
    with autograd.pause():
        for batch in batches:
            inputs = batch[:-1] if len(batch) > 1 else batch
            outputs.append(run_network("predict", net, [array.as_in_context(contexts[0]) for array in inputs]))
    if isinstance(outputs[0], (list, tuple)):
        return [ndarray.concat(*parts, dim=0) for parts in zip(*outputs)]
    return ndarray.concat(*outputs, dim=0)

"""Checkpoints of symbols with their parameters, and the model interface of MXNet's first years."""
import logging
import os
from collections import namedtuple

import numpy as np

from . import kvstore as _kvstore
from . import ndarray
from .callback import LogValidationMetricsCallback, save_checkpoint
from .context import Context, cpu
from .initializer import Uniform
from .io import DataDesc, NDArrayIter
from .optimizer import get_updater

__all__ = ["BatchEndParam", "Context", "DataDesc", "FeedForward", "LogValidationMetricsCallback", "cpu", "get_updater",
           "load_checkpoint", "load_params", "save_checkpoint"]

BatchEndParam = namedtuple("BatchEndParams", ["epoch", "nbatch", "eval_metric", "locals"])
BatchEndParam.__doc__ = "What a callback of a training loop is told: epoch, batch, metric, local variables."

_SMALL = Uniform(0.01)  # the usual initializer
_LOG = LogValidationMetricsCallback()

# Above this many elements in one array, several devices share out the update.
_LARGE = 16 * 1024 * 1024


def split_params(arrays, source):
    """``(arg_params, aux_params)`` from arrays named ``arg:...`` and ``aux:...``."""
    arg_params, aux_params = {}, {}
    targets = {"arg": arg_params, "aux": aux_params}
    if not isinstance(arrays, dict):
        raise ValueError(f"{source} holds a list of arrays without names, expected names such as 'arg:fc_weight'")
    for name, array in arrays.items():
        kind, _, rest = name.partition(":")
        if kind not in targets or not rest:
            raise ValueError(f"{source} holds '{name}', expected names that start with 'arg:' or 'aux:'")
        targets[kind][rest] = array
    return arg_params, aux_params


def load_params(prefix, epoch):
    """``(arg_params, aux_params)`` from ``prefix-0001.params`` (for epoch 1)."""
    path = f"{prefix}-{epoch:04d}.params"
    arrays = ndarray.load(path)
    if not arrays:
        logging.warning("%s holds no parameters", path)
        return {}, {}
    return split_params(arrays, path)


def load_checkpoint(prefix, epoch):
    """What `save_checkpoint` wrote.

    Returns
    -------
    symbol : Symbol
        The network.
    arg_params, aux_params : dict of str to NDArray
        Its parameters and auxiliary states.

    Examples
    --------
    >>> symbol, arg_params, aux_params = mx.model.load_checkpoint("resnet", 10)
    """
    from . import symbol
    return (symbol.load(f"{prefix}-symbol.json"), *load_params(prefix, epoch))


# -- updates through a store ---------------------------------------------------------------------


def _create_kvstore(kvstore, num_device, arg_params):
    """``(store or None, whether it updates the weights)`` for a name or a store."""
    update_on_kvstore = bool(int(os.environ.get("MXNET_UPDATE_ON_KVSTORE", "1")))
    if kvstore is None:
        return None, False
    if isinstance(kvstore, _kvstore.KVStoreBase):
        return kvstore, update_on_kvstore and kvstore.is_capable("optimizer")
    if not isinstance(kvstore, str):
        raise TypeError(f"kvstore must be a KVStore, str or None, got {type(kvstore).__name__}")
    if num_device == 1 and "dist" not in kvstore:
        return None, False
    store = _kvstore.create(kvstore)
    if kvstore == "local" and max((np.prod(p.shape) for p in arg_params.values()), default=0) > _LARGE:
        update_on_kvstore = False
    return store, update_on_kvstore and store.is_capable("optimizer")


def _initialize_kvstore(kvstore, param_arrays, arg_params, param_names, update_on_kvstore):
    """Puts the parameters into a store, and its values onto the devices."""
    for index, copies in enumerate(param_arrays):
        name = param_names[index]
        kvstore.init(name, arg_params[name])
        if update_on_kvstore:
            kvstore.pull(name, copies, priority=-index)


def _update_params_on_kvstore(param_arrays, grad_arrays, kvstore, param_names):
    """Has the store update the weights by the gradients of all devices."""
    for index, (weights, grads) in enumerate(zip(param_arrays, grad_arrays)):
        if grads[0] is not None:
            kvstore.push(param_names[index], grads, priority=-index)
            kvstore.pull(param_names[index], weights, priority=-index)


def _update_params(param_arrays, grad_arrays, updater, num_device, kvstore=None, param_names=None):
    """Updates the weights of each device, by the sum of all gradients if there is a store."""
    updates = [[] for _ in range(num_device)]
    for index, (weights, grads) in enumerate(zip(param_arrays, grad_arrays)):
        if grads[0] is None:
            continue
        if kvstore is not None:
            kvstore.push(param_names[index], grads, priority=-index)
            kvstore.pull(param_names[index], grads, priority=-index)
        for device, (weight, grad) in enumerate(zip(weights, grads)):
            updates[device].append((index * num_device + device, grad, weight))
    for update in updates:
        if update:
            updater(*(list(column) for column in zip(*update)))


def __getattr__(name):
    if name == "DataParallelExecutorManager":  # found here in 1.x; it stands on modules, which stand on this one
        from .executor_manager import DataParallelExecutorManager
        return DataParallelExecutorManager
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


# -- FeedForward ---------------------------------------------------------------------------------


class FeedForward:
    """A symbol with parameters that is fitted to arrays. `mxnet.module.Module` came in its place.

    Parameters
    ----------
    symbol : Symbol
        The network, with one label ``softmax_label`` as a rule.
    ctx : Context or list of Context, optional
        Where to run.
    num_epoch : int, optional
        Number of the epoch to end before.
    epoch_size : int, optional
        Batches of an epoch; all the data by default.
    optimizer : str or Optimizer
        How to update; further keywords are the optimizer's.
    initializer : Initializer
        For parameters that are not given.
    numpy_batch_size : int
        Batch size for NumPy arrays.
    arg_params, aux_params : dict of str to NDArray, optional
        Given parameters and auxiliary states.
    allow_extra_params : bool
        Whether they may hold names that the symbol has not.
    begin_epoch : int
        Number of the first epoch.
    """

    def __init__(self, symbol, ctx=None, num_epoch=None, epoch_size=None, optimizer="sgd",
                 initializer=_SMALL, numpy_batch_size=128, arg_params=None, aux_params=None,
                 allow_extra_params=False, begin_epoch=0, **kwargs):
        self.symbol = symbol
        self.ctx = [cpu()] if ctx is None else ctx if isinstance(ctx, list) else [ctx]
        self.num_epoch = num_epoch
        self.epoch_size = epoch_size
        self.optimizer = optimizer
        self.initializer = initializer
        self.numpy_batch_size = numpy_batch_size
        self.arg_params = arg_params
        self.aux_params = aux_params
        self.allow_extra_params = allow_extra_params
        self.begin_epoch = begin_epoch
        self.kwargs = kwargs

    def _data(self, X, y=None, shuffle=False):
        if not isinstance(X, (np.ndarray, ndarray.NDArray)):
            return X
        batch_size = min(X.shape[0], self.numpy_batch_size)
        if y is not None and np.ndim(y) > 1 and np.shape(y)[1] == 1:
            y = np.reshape(y, -1)
        return NDArrayIter(X, np.zeros(X.shape[0]) if y is None else y, batch_size, shuffle=shuffle,
                           last_batch_handle="roll_over" if shuffle else "pad")

    def _module(self, data, logger=logging):
        from .module import Module
        inputs, names = [desc[0] for desc in data.provide_data], self.symbol.list_arguments()
        provided = [desc[0] for desc in data.provide_label or []]
        known = {*inputs, *(self.arg_params or ())}
        labels = [name for name in names
                  if name in provided or (not provided and name.endswith("label") and name not in known)]
        return Module(self.symbol, inputs, labels, context=self.ctx, logger=logger)

    def _bound(self, data):
        """A module with the parameters, ready to run the data."""
        module = self._module(data)
        module.bind(data.provide_data, (data.provide_label or None) if module.label_names else None,
                    for_training=False)
        module.set_params(self.arg_params, self.aux_params or {}, allow_extra=self.allow_extra_params)
        return module

    def fit(self, X, y=None, eval_data=None, eval_metric="acc", epoch_end_callback=None, batch_end_callback=None,
            kvstore="local", logger=None, work_load_list=None, monitor=None,
            eval_end_callback=_LOG, eval_batch_end_callback=None):
        """Trains on a DataIter, or on arrays with labels `y`; `eval_data` is a DataIter or a pair of arrays."""
        data = self._data(X, y, shuffle=True)
        if isinstance(eval_data, (tuple, list)):
            eval_data = self._data(*eval_data)
        if self.epoch_size is not None:
            from .io import ResizeIter
            data = ResizeIter(data, self.epoch_size)
        module = self._module(data, logger or logging)
        module.fit(data, eval_data, eval_metric, epoch_end_callback, batch_end_callback, kvstore, self.optimizer,
                   self.kwargs, eval_end_callback, eval_batch_end_callback, self.initializer, self.arg_params,
                   self.aux_params, allow_missing=True, begin_epoch=self.begin_epoch, num_epoch=self.num_epoch,
                   monitor=monitor)
        self.arg_params, self.aux_params = module.get_params()

    def predict(self, X, num_batch=None, return_data=False, reset=True):
        """Outputs for a DataIter or an array, as NumPy arrays; with `return_data` data and labels too."""
        data = self._data(X)
        module = self._bound(data)
        outputs, inputs, labels = [], [], []
        for out, _, batch in module.iter_predict(data, num_batch, reset):
            outputs.append([o.asnumpy() for o in out])
            if return_data:
                end = batch.data[0].shape[0] - (batch.pad or 0)
                inputs.append([x.asnumpy()[:end] for x in batch.data])
                labels.append([x.asnumpy()[:end] for x in batch.label or []])

        def joined(batches):
            columns = [np.concatenate(column) for column in zip(*batches)]
            return columns[0] if len(columns) == 1 else columns
        return (joined(outputs), joined(inputs), joined(labels)) if return_data else joined(outputs)

    def score(self, X, eval_metric="acc", num_batch=None, batch_end_callback=None, reset=True):
        """The metric's value on a DataIter."""
        data = self._data(X)
        return self._bound(data).score(data, eval_metric, num_batch, batch_end_callback, reset=reset)[0][1]

    def save(self, prefix, epoch=None, remove_amp_cast=True):
        """Writes a checkpoint, of epoch `num_epoch` by default."""
        epoch = self.num_epoch if epoch is None else epoch
        assert epoch is not None, "save: give an epoch"
        save_checkpoint(prefix, epoch, self.symbol, self.arg_params, self.aux_params, remove_amp_cast)

    @staticmethod
    def load(prefix, epoch, ctx=None, **kwargs):
        """A model from a checkpoint."""
        symbol, arg_params, aux_params = load_checkpoint(prefix, epoch)
        return FeedForward(symbol, ctx, arg_params=arg_params, aux_params=aux_params, begin_epoch=epoch, **kwargs)

    @staticmethod
    def create(symbol, X, y=None, ctx=None, num_epoch=None, epoch_size=None, optimizer="sgd",
               initializer=_SMALL, eval_data=None, eval_metric="acc", epoch_end_callback=None,
               batch_end_callback=None, kvstore="local", logger=None, work_load_list=None,
               eval_end_callback=_LOG, eval_batch_end_callback=None, **kwargs):
        """A model fitted to the data."""
        model = FeedForward(symbol, ctx, num_epoch, epoch_size, optimizer, initializer, **kwargs)
        model.fit(X, y, eval_data, eval_metric, epoch_end_callback, batch_end_callback, kvstore, logger,
                  work_load_list, eval_end_callback=eval_end_callback,
                  eval_batch_end_callback=eval_batch_end_callback)
        return model

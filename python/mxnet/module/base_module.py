"""What all modules share: the training loop, evaluation, prediction and parameter files."""
import logging
import time
import warnings

import numpy as np

from .. import metric as _metric
from .. import ndarray
from ..context import cpu
from ..initializer import Uniform  # noqa: F401 - programs find some of these here
from ..io import DataBatch, DataDesc, DataIter  # noqa: F401 - programs find some of these here
from ..model import _SMALL, BatchEndParam
from ..ndarray import NDArray

__all__ = ["BaseModule"]


def as_list(value):
    """`value` if it is a list, else a list of it; an empty one for None."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def parse_shapes(names, shapes, what):
    """Descriptions of inputs, checked against the names that were declared.

    Parameters
    ----------
    names : list of str
        The declared names.
    shapes : list of DataDesc, or of (name, shape)
        What the data have.
    what : str
        ``'data'`` or ``'label'``, for messages.
    """
    described = [desc if isinstance(desc, DataDesc) else DataDesc(*desc) for desc in shapes or []]
    if sorted(names) != sorted(desc.name for desc in described):
        message = (f"the {what} are {[(desc.name, desc.shape) for desc in described]}, but the module was made with "
                   f"{what}_names={list(names)}")
        if what == "data":
            raise ValueError(message)
        warnings.warn(message, stacklevel=4)
    return described


def check_names(symbol, names, kind, required):
    """That the symbol has these inputs; otherwise an error, or a warning where they are not `required`."""
    known = symbol.list_arguments()
    for name in names:
        if name in known:
            continue
        candidates = [a for a in known if not a.endswith(("_weight", "_bias", "_gamma", "_beta"))]
        message = (f"{kind}_names holds '{name}', which is no input of the symbol; its inputs besides parameters are "
                   f"{candidates}")
        if required:
            raise ValueError(message)
        warnings.warn(message, stacklevel=4)


# Under these names the modules of other programs, written after those of MXNet 1.x, look for the helpers.
_as_list = as_list


def _check_input_names(symbol, names, typename, throw):
    check_names(symbol, names, typename, throw)


def _parse_data_desc(data_names, label_names, data_shapes, label_shapes):
    labels = None if label_shapes is None else parse_shapes(label_names, label_shapes, "label")
    return parse_shapes(data_names, data_shapes, "data"), labels


class BaseModule:
    """The interface of modules, and everything that follows from their primitive operations.

    A module goes through `bind`, `init_params` and `init_optimizer`; then `forward`, `backward` and `update` make a
    training step. `fit` does all of it.

    Parameters
    ----------
    logger : logging.Logger
        Where `fit` reports.
    """

    def __init__(self, logger=logging):
        self.logger = logger
        self.binded = False
        self.for_training = False
        self.inputs_need_grad = False
        self.params_initialized = False
        self.optimizer_initialized = False
        self._symbol = None

    def _require(self, *states):
        """That the module is ``'binded'``, ``'params_initialized'`` and so on."""
        said = {"binded": "call bind before", "params_initialized": "call init_params before",
                "optimizer_initialized": "call init_optimizer before"}
        for state in states:
            assert getattr(self, state), f"{type(self).__name__}: {said.get(state, state)}"

    # -- the loops -----------------------------------------------------------------------------

    def forward_backward(self, data_batch):
        """`forward` for training, then `backward`."""
        self.forward(data_batch, is_train=True)
        self.backward()

    def _batches(self, data, num_batch, reset):
        if reset:
            data.reset()
        for number, batch in enumerate(data):
            if number == num_batch:
                break
            yield number, batch

    def score(self, eval_data, eval_metric, num_batch=None, batch_end_callback=None, score_end_callback=None,
              reset=True, epoch=0, sparse_row_id_fn=None):
        """Evaluates on data.

        Parameters
        ----------
        eval_data : DataIter
            The data.
        eval_metric : str or EvalMetric
            What to compute.
        num_batch : int, optional
            How many batches; all by default.
        batch_end_callback, score_end_callback : callable or list of callables
            Called with a BatchEndParam after each batch, and at the end.
        reset : bool
            Whether to start the data anew.
        epoch : int
            Told to the callbacks.

        Returns
        -------
        list of (str, float)
            Names and values of the metric.
        """
        self._require("binded", "params_initialized")
        if not isinstance(eval_metric, _metric.EvalMetric):
            eval_metric = _metric.create(eval_metric)
        eval_metric.reset()
        seen = 0
        for nbatch, batch in self._batches(eval_data, num_batch, reset):
            self.prepare(batch, sparse_row_id_fn=sparse_row_id_fn)
            self.forward(batch, is_train=False)
            self._update_metric_of(eval_metric, batch)
            for callback in as_list(batch_end_callback):
                callback(BatchEndParam(epoch, nbatch, eval_metric, locals()))
            seen += 1
        for callback in as_list(score_end_callback):
            callback(BatchEndParam(epoch, seen, eval_metric, locals()))
        return eval_metric.get_name_value()

    def _update_metric_of(self, eval_metric, batch):
        if isinstance(batch, list):
            self.update_metric(eval_metric, [b.label for b in batch], pre_sliced=True)
        else:
            self.update_metric(eval_metric, batch.label)

    def _without_pad(self, batch):
        """The outputs of the last forward, without the rows that only filled up the batch."""
        pad = batch.pad or 0
        return [out[:out.shape[0] - pad] for out in self.get_outputs()]

    def iter_predict(self, eval_data, num_batch=None, reset=True, sparse_row_id_fn=None):
        """Iterates over ``(outputs, number of the batch, batch)``."""
        self._require("binded", "params_initialized")
        for nbatch, batch in self._batches(eval_data, num_batch, reset):
            self.prepare(batch, sparse_row_id_fn=sparse_row_id_fn)
            self.forward(batch, is_train=False)
            yield self._without_pad(batch), nbatch, batch

    def predict(self, eval_data, num_batch=None, merge_batches=True, reset=True, always_output_list=False,
                sparse_row_id_fn=None):
        """Computes the outputs for data.

        Parameters
        ----------
        eval_data : DataIter, NDArray or numpy.ndarray
            The data; an array is taken as one batch.
        num_batch : int, optional
            How many batches; all by default.
        merge_batches : bool
            Whether to join the batches.
        reset : bool
            Whether to start the data anew.
        always_output_list : bool
            Whether a single output comes in a list too.

        Returns
        -------
        NDArray, or list of NDArray, or list of lists
            Outputs; one list for each batch with ``merge_batches=False``.
        """
        self._require("binded", "params_initialized")
        if isinstance(eval_data, (NDArray, np.ndarray)):
            data = ndarray.array(eval_data) if isinstance(eval_data, np.ndarray) else eval_data
            self.forward(DataBatch([data]), is_train=False)
            return self.get_outputs()[0]
        if not hasattr(eval_data, "reset"):
            raise ValueError(f"predict: eval_data must be a DataIter or an array, got {type(eval_data).__name__}")
        batches = []
        for _, batch in self._batches(eval_data, num_batch, reset):
            self.prepare(batch, sparse_row_id_fn=sparse_row_id_fn)
            self.forward(batch, is_train=False)
            batches.append([out.copy() for out in self._without_pad(batch)])
        if not batches or not merge_batches:
            return batches
        if len({len(outputs) for outputs in batches}) > 1:
            raise AssertionError("predict: batches have different numbers of outputs, as with buckets; use "
                                 "merge_batches=False")
        merged = [ndarray.concatenate(list(column)) for column in zip(*batches)]
        return merged[0] if len(merged) == 1 and not always_output_list else merged

    def fit(self, train_data, eval_data=None, eval_metric="acc", epoch_end_callback=None, batch_end_callback=None,
            kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),), eval_end_callback=None,
            eval_batch_end_callback=None, initializer=_SMALL, arg_params=None, aux_params=None,
            allow_missing=False, force_rebind=False, force_init=False, begin_epoch=0, num_epoch=None,
            validation_metric=None, monitor=None, sparse_row_id_fn=None):
        """Trains.

        Parameters
        ----------
        train_data, eval_data : DataIter
            Data to learn from, and to evaluate on after each epoch.
        eval_metric, validation_metric : str or EvalMetric
            What to report on the two; the second is the first by default.
        epoch_end_callback : callable or list
            Called with ``(epoch, symbol, arg_params, aux_params)``.
        batch_end_callback, eval_batch_end_callback, eval_end_callback : callable or list
            Called with a BatchEndParam.
        kvstore, optimizer, optimizer_params
            See `init_optimizer`.
        initializer, arg_params, aux_params, allow_missing, force_init
            See `init_params`.
        force_rebind : bool
            Whether to bind again.
        begin_epoch, num_epoch : int
            Numbers of the first epoch and of the one after the last.
        monitor : Monitor, optional
            Watches arrays of the network.
        """
        assert num_epoch is not None, "fit: num_epoch must be given"
        self.bind(train_data.provide_data, train_data.provide_label, for_training=True, force_rebind=force_rebind)
        if monitor is not None:
            self.install_monitor(monitor)
        self.init_params(initializer, arg_params, aux_params, allow_missing=allow_missing, force_init=force_init)
        self.init_optimizer(kvstore, optimizer, optimizer_params)
        validation_metric = validation_metric if validation_metric is not None else eval_metric
        if not isinstance(eval_metric, _metric.EvalMetric):
            eval_metric = _metric.create(eval_metric)
        for epoch in range(begin_epoch, num_epoch):
            start = time.time()
            eval_metric.reset()
            values = self._train_epoch(train_data, epoch, eval_metric, as_list(batch_end_callback), monitor,
                                       sparse_row_id_fn)
            for name, value in values:
                self.logger.info("Epoch[%d] Train-%s=%f", epoch, name, value)
            self.logger.info("Epoch[%d] Time cost=%.3f", epoch, time.time() - start)
            # The parameters on all devices become the same ones that are handed out.
            arg_params, aux_params = self.get_params()
            self.set_params(arg_params, aux_params)
            for callback in as_list(epoch_end_callback):
                callback(epoch, self.symbol, arg_params, aux_params)
            if eval_data is not None:
                for name, value in self.score(eval_data, validation_metric, score_end_callback=eval_end_callback,
                                              batch_end_callback=eval_batch_end_callback, epoch=epoch):
                    self.logger.info("Epoch[%d] Validation-%s=%f", epoch, name, value)
            train_data.reset()

    def _train_epoch(self, train_data, epoch, eval_metric, callbacks, monitor, sparse_row_id_fn):
        """One pass over the data; returns names and values of the metric."""
        values = []
        batches = iter(train_data)
        upcoming = next(batches, None)
        if upcoming is None:
            raise ValueError("fit: train_data has no batch to give; is it empty, or must it be reset?")
        nbatch = 0
        while upcoming is not None:
            data_batch = upcoming
            if monitor is not None:
                monitor.tic()
            self.forward_backward(data_batch)
            self.update()
            self._update_metric_of(eval_metric, data_batch)
            upcoming = next(batches, None)  # its data are fetched while the engine works on this one
            if upcoming is not None:
                self.prepare(upcoming, sparse_row_id_fn=sparse_row_id_fn)
            if monitor is not None:
                monitor.toc_print()
            if upcoming is None:
                values = eval_metric.get_global_name_value()
            for callback in callbacks:
                callback(BatchEndParam(epoch, nbatch, eval_metric, locals()))
            nbatch += 1
        return values

    # -- parameters ----------------------------------------------------------------------------

    def set_params(self, arg_params, aux_params, allow_missing=False, force_init=True, allow_extra=False):
        """Sets parameters and auxiliary states, see `init_params`."""
        self.init_params(None, arg_params, aux_params, allow_missing=allow_missing, force_init=force_init,
                         allow_extra=allow_extra)

    def save_params(self, fname):
        """Writes parameters and auxiliary states to a file."""
        arg_params, aux_params = self.get_params()
        arrays = {f"arg:{name}": array.as_in_context(cpu()) for name, array in arg_params.items()}
        arrays.update({f"aux:{name}": array.as_in_context(cpu()) for name, array in aux_params.items()})
        ndarray.save(fname, arrays)

    def load_params(self, fname):
        """Reads what `save_params` wrote. ValueError for any other file."""
        from ..model import split_params
        self.set_params(*split_params(ndarray.load(fname), fname))

    # -- for subclasses ------------------------------------------------------------------------

    @property
    def symbol(self):
        """The symbol of the module."""
        return self._symbol

    @property
    def data_names(self):
        """Names of the data, a list of str."""
        raise NotImplementedError(f"{type(self).__name__} must define data_names")

    @property
    def output_names(self):
        """Names of the outputs, a list of str."""
        raise NotImplementedError(f"{type(self).__name__} must define output_names")

    @property
    def data_shapes(self):
        """Names and shapes of the data."""
        raise NotImplementedError(f"{type(self).__name__} must define data_shapes")

    @property
    def label_shapes(self):
        """Names and shapes of the labels."""
        raise NotImplementedError(f"{type(self).__name__} must define label_shapes")

    @property
    def output_shapes(self):
        """Names and shapes of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} must define output_shapes")

    def get_params(self):
        """``(arg_params, aux_params)``, dicts of str to NDArray."""
        raise NotImplementedError(f"{type(self).__name__} must define get_params")

    def init_params(self, initializer=_SMALL, arg_params=None, aux_params=None,
                    allow_missing=False, force_init=False, allow_extra=False):
        """Initializes the parameters: by given values, else by the initializer."""
        raise NotImplementedError(f"{type(self).__name__} must define init_params")

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        """Makes the arrays for data of these shapes."""
        raise NotImplementedError(f"{type(self).__name__} must define bind")

    def init_optimizer(self, kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),),
                       force_init=False):
        """Chooses the optimizer."""
        raise NotImplementedError(f"{type(self).__name__} must define init_optimizer")

    def prepare(self, data_batch, sparse_row_id_fn=None):
        """Gets ready for a batch; most modules have nothing to do."""

    def forward(self, data_batch, is_train=None):
        """Computes the outputs of a batch."""
        raise NotImplementedError(f"{type(self).__name__} must define forward")

    def backward(self, out_grads=None):
        """Computes the gradients."""
        raise NotImplementedError(f"{type(self).__name__} must define backward")

    def update(self):
        """Updates the parameters by their gradients."""
        raise NotImplementedError(f"{type(self).__name__} must define update")

    def get_outputs(self, merge_multi_context=True):
        """Outputs of the last forward; one list for each device without `merge_multi_context`."""
        raise NotImplementedError(f"{type(self).__name__} must define get_outputs")

    def get_input_grads(self, merge_multi_context=True):
        """Gradients of the data."""
        raise NotImplementedError(f"{type(self).__name__} must define get_input_grads")

    def get_states(self, merge_multi_context=True):
        """States that stay between calls; none by default."""
        self._require("binded", "params_initialized")
        return []

    def set_states(self, states=None, value=None):
        """Sets the states, all to `value` or each to an array of `states`."""
        self._require("binded", "params_initialized")
        if states:
            raise ValueError(f"set_states: {type(self).__name__} has no states")

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        """Adds the outputs of the last forward to a metric."""
        raise NotImplementedError(f"{type(self).__name__} must define update_metric")

    def install_monitor(self, mon):
        """Has a Monitor watch the module."""
        raise NotImplementedError(f"{type(self).__name__} must define install_monitor")

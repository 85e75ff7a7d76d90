"""How a batch is shared out among several devices."""
import logging

from .module.executor_group import DataParallelExecutorGroup
from .module.executor_group import split_batch as _split_input_slice  # noqa: F401 - its name in 1.x

__all__ = ["DataParallelExecutorManager"]


def _check_arguments(symbol):
    """ValueError when two arguments or states have one name."""
    for names, what in ((symbol.list_arguments(), "argument"), (symbol.list_auxiliary_states(), "auxiliary state")):
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"Find duplicated {what} name \"{double[0]}\", please make the weight name "
                             "non-duplicated(using name arguments)")


class DataParallelExecutorManager:
    """Executors of one symbol on several devices, each with its share of the batch.

    What `FeedForward` of old was built on; `Module` is what to use.

    Parameters
    ----------
    symbol : Symbol
        What is computed.
    ctx : list of Context
        The devices.
    train_data : DataIter
        Says what a batch looks like.
    arg_names, param_names, aux_names : list of str
        Names of arguments, parameters and auxiliary states.
    work_load_list : list of float, optional
        Shares of the devices.
    """

    def __init__(self, symbol, ctx, train_data, arg_names=None, param_names=None, aux_names=None,
                 work_load_list=None, logger=None, sym_gen=None):
        _check_arguments(symbol)
        shapes = train_data.provide_data, train_data.provide_label
        inputs = {desc[0] for descs in shapes for desc in descs}
        self.param_names = param_names or [n for n in symbol.list_arguments() if n not in inputs]
        self.aux_names = aux_names or symbol.list_auxiliary_states()
        self._group = DataParallelExecutorGroup(symbol, ctx, work_load_list or [1] * len(ctx), *shapes,
                                                self.param_names, True, False, logger=logger or logging)
        self._batch = None

    def install_monitor(self, monitor):
        """Lets a `Monitor` see the executors."""
        self._group.install_monitor(monitor)

    def set_params(self, arg_params, aux_params):
        """Copies values to all devices."""
        self._group.set_params(arg_params, aux_params)

    def copy_to(self, arg_params, aux_params):
        """Copies the mean over the devices into the arrays of two dicts."""
        self._group.get_params(arg_params, aux_params)

    @property
    def param_arrays(self):
        """For each parameter its arrays on the devices."""
        return self._group.param_arrays

    @property
    def grad_arrays(self):
        """For each parameter its gradients on the devices."""
        return self._group.grad_arrays

    @property
    def aux_arrays(self):
        """For each auxiliary state its arrays on the devices."""
        return self._group.aux_arrays

    def load_data_batch(self, data_batch):
        """Takes the batch that `forward` will use."""
        self._batch = data_batch

    def forward(self, is_train=False):
        """Computes the outputs."""
        self._group.forward(self._batch, is_train)

    def backward(self):
        """Computes the gradients."""
        self._group.backward()

    def update_metric(self, metric, labels, pre_sliced=False):
        """Adds the outputs to a metric."""
        self._group.update_metric(metric, labels, pre_sliced)

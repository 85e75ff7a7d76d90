"""Modules whose computation is written in Python."""
import logging

from .. import ndarray
from ..initializer import Uniform  # noqa: F401 - programs find some of these here
from ..model import _SMALL
from ..ndarray import NDArray
from .base_module import BaseModule, parse_shapes

__all__ = ["PythonLossModule", "PythonModule"]


class PythonModule(BaseModule):
    """A module without parameters; a subclass defines `forward`, `backward`, `get_outputs`, `get_input_grads` and
    `_compute_output_shapes`.

    Parameters
    ----------
    data_names, label_names, output_names : list of str
        Names of inputs and outputs.
    """

    def __init__(self, data_names, label_names, output_names, logger=logging):
        super().__init__(logger)
        self._data_names = list(data_names)
        self._label_names = list(label_names) if label_names is not None else None
        self._output_names = list(output_names)
        self._data_shapes = self._label_shapes = self._output_shapes = None

    @property
    def data_names(self):
        return self._data_names

    @property
    def output_names(self):
        return self._output_names

    @property
    def data_shapes(self):
        return self._data_shapes

    @property
    def label_shapes(self):
        return self._label_shapes

    @property
    def output_shapes(self):
        return self._output_shapes

    def get_params(self):
        return {}, {}

    def init_params(self, initializer=_SMALL, arg_params=None, aux_params=None,
                    allow_missing=False, force_init=False, allow_extra=False):
        self.params_initialized = True

    def init_optimizer(self, kvstore="local", optimizer="sgd", optimizer_params=(("learning_rate", 0.01),),
                       force_init=False):
        self.optimizer_initialized = True

    def update(self):
        """Nothing to update."""

    def update_metric(self, eval_metric, labels, pre_sliced=False):
        if self._label_shapes is None:
            return  # labels were not asked for
        if pre_sliced:
            raise RuntimeError("PythonModule does not support presliced labels")
        eval_metric.update_dict(dict(zip(self._label_names, labels)),
                                dict(zip(self._output_names, self.get_outputs())))

    def bind(self, data_shapes, label_shapes=None, for_training=True, inputs_need_grad=False, force_rebind=False,
             shared_module=None, grad_req="write"):
        if self.binded and not force_rebind:
            self.logger.warning("Already bound, ignoring bind()")
            return
        if grad_req != "write":
            raise AssertionError("PythonModule supports grad_req='write' only")
        self.for_training, self.inputs_need_grad = for_training, inputs_need_grad
        self._data_shapes = parse_shapes(self._data_names, data_shapes, "data")
        self._label_shapes = parse_shapes(self._label_names or [], label_shapes, "label") if label_shapes else None
        self._output_shapes = self._compute_output_shapes()
        self.binded = True

    def _compute_output_shapes(self):
        """Names and shapes of the outputs, from `data_shapes` and `label_shapes`."""
        raise NotImplementedError(f"{type(self).__name__} must define _compute_output_shapes")

    def install_monitor(self, mon):
        """Nothing to watch."""


class PythonLossModule(PythonModule):
    """A loss: its output is its input, its gradient a function in Python.

    Parameters
    ----------
    name : str
        Start of the output's name.
    data_names, label_names : list of str
        One of each.
    grad_func : callable
        ``grad_func(scores, labels)`` gives the gradient of the scores, an NDArray or array.
    """

    def __init__(self, name="pyloss", data_names=("data",), label_names=("softmax_label",), logger=logging,
                 grad_func=None):
        super().__init__(data_names, label_names, [f"{name}_output"], logger)
        if len(data_names) != 1 or len(label_names) != 1:
            raise AssertionError("PythonLossModule takes one data array and one label")
        if grad_func is not None and not callable(grad_func):
            raise AssertionError("PythonLossModule: grad_func must be a function")
        self._name = name
        self._scores = self._labels = self._scores_grad = None
        self._grad_func = grad_func

    def _compute_output_shapes(self):
        return [(self._output_names[0], self._data_shapes[0].shape)]

    def forward(self, data_batch, is_train=None):
        self._scores = data_batch.data[0]
        if self.for_training if is_train is None else is_train:
            self._labels = data_batch.label[0]

    def get_outputs(self, merge_multi_context=True):
        assert merge_multi_context, "PythonLossModule runs on one context"
        return [self._scores]

    def backward(self, out_grads=None):
        assert out_grads is None, "PythonLossModule is a loss: it takes no gradient of its output"
        assert self.for_training, "re-bind with for_training=True to run backward"
        self._backward_impl()

    def _backward_impl(self):
        """Sets the gradient of the scores; a subclass may do it in its own way."""
        if self._grad_func is None:
            raise NotImplementedError(f"{type(self).__name__} needs grad_func or _backward_impl")
        gradient = self._grad_func(self._scores, self._labels)
        self._scores_grad = gradient if isinstance(gradient, NDArray) else ndarray.array(gradient)

    def get_input_grads(self, merge_multi_context=True):
        assert merge_multi_context, "PythonLossModule runs on one context"
        return [self._scores_grad]

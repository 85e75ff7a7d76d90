"""The base of all metrics and their registry."""
import numbers

import numpy

from .. import registry
from ..ndarray import NDArray

__all__ = ["EvalMetric", "check_label_shapes"]


def _numpy(array):
    """`array` (NDArray or anything NumPy takes) as a NumPy array."""
    return array.asnumpy() if hasattr(array, "asnumpy") else numpy.asarray(array)


def _is_plain(value):
    if isinstance(value, dict):
        return all(_is_plain(part) for item in value.items() for part in item)
    if isinstance(value, (list, tuple, set)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, bytes, numbers.Number, numpy.generic, numpy.ndarray, NDArray))


def check_label_shapes(labels, preds, wrap=False, shape=False):
    """Raises ValueError unless labels and predictions are as many, or with `shape` of the same shape.

    With `wrap`, single arrays come back in lists.
    """
    have = (labels.shape, preds.shape) if shape else (len(labels), len(preds))
    if have[0] != have[1]:
        raise ValueError(f"metric: labels and predictions do not match: shape or number {have[0]} of labels, "
                         f"{have[1]} of predictions")
    if wrap:
        labels = labels if isinstance(labels, (list, tuple)) else [labels]
        preds = preds if isinstance(preds, (list, tuple)) else [preds]
    return labels, preds


def _pairs(labels, preds):
    """Pairs of a label and a prediction, as NumPy arrays; single arrays are taken as lists of one."""
    labels = labels if isinstance(labels, (list, tuple)) else [labels]
    preds = preds if isinstance(preds, (list, tuple)) else [preds]
    check_label_shapes(labels, preds)
    return [(_numpy(label), _numpy(pred)) for label, pred in zip(labels, preds)]


class EvalMetric:
    """The base of all metrics: a mean that is added to batch by batch.

    A subclass overrides `update` and calls ``self._add(total, count)`` there.

    Parameters
    ----------
    name : str
        Name of the metric.
    output_names, label_names : list of str, optional
        Which arrays `update_dict` takes from its dicts; all by default.

    Examples
    --------
    >>> metric = mx.metric.Accuracy()
    >>> metric.update([mx.nd.array([1, 0])], [mx.nd.array([[0.2, 0.8], [0.4, 0.6]])])
    >>> metric.get()
    ('accuracy', 0.5)
    """

    def __init__(self, name, output_names=None, label_names=None, **kwargs):
        self.name = str(name)
        self.output_names = output_names
        self.label_names = label_names
        self._has_global_stats = kwargs.pop("has_global_stats", False)
        self._kwargs = kwargs
        self.reset()

    def __str__(self):
        return f"EvalMetric: {dict(self.get_name_value())}"

    def get_config(self):
        """What `create` needs to make the metric again, as a dict."""
        return {**self._kwargs, "metric": type(self).__name__, "name": self.name,
                "output_names": self.output_names, "label_names": self.label_names}

    def update_dict(self, label, pred):
        """`update` with labels and predictions in dicts by name."""
        preds = list(pred.values()) if self.output_names is None else [pred[n] for n in self.output_names]
        labels = list(label.values()) if self.label_names is None else [label[n] for n in self.label_names]
        self.update(labels, preds)

    def update(self, labels, preds):
        """Adds a batch.

        Parameters
        ----------
        labels, preds : list of NDArray
            Labels and predictions, as many of the one as of the other.
        """
        raise NotImplementedError(f"{type(self).__name__} must override update")

    def _add(self, total, count):
        """Adds to the local and to the global sum."""
        total = float(total)
        self.sum_metric += total
        self.global_sum_metric += total
        self.num_inst += count
        self.global_num_inst += count

    def reset(self):
        """Starts anew."""
        self.num_inst = 0
        self.sum_metric = 0.0
        self.global_num_inst = 0
        self.global_sum_metric = 0.0

    def reset_local(self):
        """Starts the local sum anew."""
        self.num_inst = 0
        self.sum_metric = 0.0

    def get_state(self):
        """What a checkpoint keeps: a dict of the attributes that are numbers, texts, arrays or containers of them."""
        return {name: value for name, value in vars(self).items() if _is_plain(value)}

    def set_state(self, state):
        """Takes what `get_state` of such a metric gave."""
        vars(self).update(state)

    def _value(self, total, count):
        """The metric from a sum and a count."""
        return float(total) / float(count)

    def get(self):
        """``(name, value)`` since the last `reset_local`; nan when there was no batch."""
        if self.num_inst == 0:
            return self.name, float("nan")
        return self.name, self._value(self.sum_metric, self.num_inst)

    def get_global(self):
        """``(name, value)`` since the last `reset`; nan when there was no batch."""
        if not self._has_global_stats:
            return self.get()
        if self.global_num_inst == 0:
            return self.name, float("nan")
        return self.name, self._value(self.global_sum_metric, self.global_num_inst)

    @staticmethod
    def _as_pairs(name, value):
        if not isinstance(name, list):
            name, value = [name], [value]
        return list(zip(name, value))

    def get_name_value(self):
        """`get` as a list of pairs."""
        return self._as_pairs(*self.get())

    def get_global_name_value(self):
        """`get_global` as a list of pairs."""
        return self._as_pairs(*self.get_global())


register = registry.get_register_func(EvalMetric, "metric")
alias = registry.get_alias_func(EvalMetric, "metric")
_create = registry.get_create_func(EvalMetric, "metric")

"""Metrics of predicted probabilities, and of losses."""
from math import exp

import numpy

from .base import EvalMetric, _numpy, _pairs, alias, register

__all__ = ["Caffe", "CrossEntropy", "Loss", "NegativeLogLikelihood", "Perplexity", "Torch"]


@register
class Perplexity(EvalMetric):
    """``exp`` of the mean of ``-log(probability of the right class)``.

    Parameters
    ----------
    ignore_label : int or None
        Label of samples that do not count.
    axis : int
        Axis of the classes in predictions; labels have all other axes.
    name, output_names, label_names
        See `EvalMetric`.
    """

    def __init__(self, ignore_label, axis=-1, name="perplexity", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, ignore_label=ignore_label, has_global_stats=True)
        self.ignore_label = ignore_label
        self.axis = axis

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            if label.size * pred.shape[-1] != pred.size:
                raise AssertionError(f"Perplexity: labels of shape {label.shape} do not fit predictions of shape "
                                     f"{pred.shape}")
            pred = numpy.moveaxis(pred, self.axis, -1).reshape(-1, pred.shape[self.axis])
            label = label.astype("int32").ravel()
            # A label that is out of range takes the nearest class, as the operator pick does.
            chosen = pred[numpy.arange(label.size), label.clip(0, pred.shape[1] - 1)]
            if self.ignore_label is not None:
                chosen = chosen[label != self.ignore_label]
            self._add(-numpy.log(numpy.maximum(1e-10, chosen)).sum(), chosen.size)

    def _value(self, total, count):
        return exp(total / count)


@register
@alias("ce")
class CrossEntropy(EvalMetric):
    """Mean of ``-log(probability of the right class + eps)``.

    Labels hold class numbers, ``(batch,)``; predictions are probabilities ``(batch, classes)``.
    """

    def __init__(self, eps=1e-12, name="cross-entropy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, eps=eps, has_global_stats=True)
        self.eps = eps

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            label = label.ravel()
            if label.shape[0] != pred.shape[0]:
                raise AssertionError(f"{type(self).__name__}: {label.shape[0]} labels do not fit predictions of shape "
                                     f"{pred.shape}")
            chosen = pred[numpy.arange(label.shape[0]), label.astype("int64")]
            self._add(-numpy.log(chosen + self.eps).sum(), label.shape[0])


@register
@alias("nll_loss")
class NegativeLogLikelihood(CrossEntropy):
    """The same as `CrossEntropy`, under the name nll-loss."""

    def __init__(self, eps=1e-12, name="nll-loss", output_names=None, label_names=None):
        super().__init__(eps, name, output_names, label_names)


@register
class Loss(EvalMetric):
    """Mean of predictions that are losses already; labels are not looked at."""

    def __init__(self, name="loss", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def update(self, _, preds):
        for pred in preds if isinstance(preds, (list, tuple)) else [preds]:
            pred = _numpy(pred)
            self._add(pred.sum(), pred.size)


@register
class Torch(Loss):
    """The same as `Loss`, under the name torch."""

    def __init__(self, name="torch", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)


@register
class Caffe(Loss):
    """The same as `Loss`, under the name caffe."""

    def __init__(self, name="caffe", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

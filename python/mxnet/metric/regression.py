"""Metrics of predicted numbers."""
from math import sqrt

import numpy

from .base import EvalMetric, _pairs, alias, check_label_shapes, register

__all__ = ["MAE", "MSE", "RMSE", "PearsonCorrelation"]


class _RegressionMetric(EvalMetric):
    """The mean over batches of an error of labels and predictions of the same shape."""

    def __init__(self, name, output_names, label_names):
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def _error(self, difference):
        raise NotImplementedError

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            # (batch,) and (batch, 1) are the same thing here.
            label = label.reshape(-1, 1) if label.ndim == 1 else label
            pred = pred.reshape(-1, 1) if pred.ndim == 1 else pred
            self._add(self._error(label - pred), 1)


@register
class MAE(_RegressionMetric):
    """Mean absolute error, averaged over batches."""

    def __init__(self, name="mae", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def _error(self, difference):
        return numpy.abs(difference).mean()


@register
class MSE(_RegressionMetric):
    """Mean squared error, averaged over batches."""

    def __init__(self, name="mse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def _error(self, difference):
        return (difference ** 2).mean()


@register
class RMSE(_RegressionMetric):
    """Root of the mean squared error of each batch, averaged over batches."""

    def __init__(self, name="rmse", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names)

    def _error(self, difference):
        return numpy.sqrt((difference ** 2).mean())


@register
@alias("pearsonr")
class PearsonCorrelation(EvalMetric):
    """Correlation of labels and predictions of the same shape, from -1 to 1.

    With ``average='macro'`` the correlations of batches are averaged, with 'micro' it is that of all
    samples since `reset`.
    """

    def __init__(self, name="pearsonr", output_names=None, label_names=None, average="macro"):
        self.average = average
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def reset(self):
        super().reset()
        self.reset_micro()

    def reset_micro(self):
        """Starts the sums of 'micro' anew."""
        # Count, mean and sum of squared distances from the mean of labels and of predictions.
        self._label = self._pred = (0, 0.0, 0.0)
        self._cov = 0.0

    def update_variance(self, new_values, *aggregate):
        """`aggregate`, a count, mean and sum of squares about the mean, with `new_values` added."""
        count, mean, squares = aggregate
        new_values = numpy.asarray(new_values, dtype="float64")
        n, new_mean = new_values.size, new_values.mean()
        total, distance = count + n, new_mean - mean
        squares += ((new_values - new_mean) ** 2).sum() + distance ** 2 * count * n / total
        return total, float(mean + distance * n / total), float(squares)

    def update_cov(self, label, pred):
        """Adds a batch to the sum of products about the means; call it before `update_variance`."""
        count, label_mean, pred_mean = self._label[0], self._label[1], self._pred[1]
        n, new_label, new_pred = label.size, label.mean(), pred.mean()
        self._cov += float(((label - new_label) * (pred - new_pred)).sum())
        self._cov += (new_label - label_mean) * (new_pred - pred_mean) * count * n / (count + n)

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            check_label_shapes(label, pred, shape=True)
            label, pred = label.ravel().astype("float64"), pred.ravel().astype("float64")
            if self.average == "macro":
                self._add(numpy.corrcoef(pred, label)[0, 1], 1)
                continue
            self.update_cov(label, pred)
            self._label = self.update_variance(label, *self._label)
            self._pred = self.update_variance(pred, *self._pred)
            self.num_inst += 1
            self.global_num_inst += 1

    def _value(self, total, count):
        if self.average == "macro":
            return total / count
        root = sqrt(self._label[2] * self._pred[2])
        return float(self._cov / root) if root else float("nan")

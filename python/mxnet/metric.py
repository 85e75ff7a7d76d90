"""Metrics: how good predictions are, summed up over batches.

Each metric keeps two sums: a local one, which `EvalMetric.reset_local` starts anew (for messages
every so often), and a global one since the last `EvalMetric.reset`.
"""
from math import exp, sqrt

import numpy

from . import registry

__all__ = ["Accuracy", "Caffe", "CompositeEvalMetric", "CrossEntropy", "CustomMetric", "EvalMetric", "F1",
           "Loss", "MAE", "MCC", "MSE", "NegativeLogLikelihood", "PCC", "PearsonCorrelation", "Perplexity",
           "RMSE", "TopKAccuracy", "Torch", "check_label_shapes", "create", "np"]


def _numpy(array):
    """`array` (NDArray or anything NumPy takes) as a NumPy array."""
    return array.asnumpy() if hasattr(array, "asnumpy") else numpy.asarray(array)


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


def create(metric, *args, **kwargs):
    """A metric from its name, a function of label and prediction, a metric, or a list of these.

    Examples
    --------
    >>> mx.metric.create(["acc", "mse"]).get()
    (['accuracy', 'mse'], [nan, nan])
    """
    if callable(metric):
        return CustomMetric(metric, *args, **kwargs)
    if isinstance(metric, list):
        composite = CompositeEvalMetric()
        for child in metric:
            composite.add(create(child, *args, **kwargs))
        return composite
    return _create(metric, *args, **kwargs)


@register
@alias("composite")
class CompositeEvalMetric(EvalMetric):
    """Several metrics in one.

    Parameters
    ----------
    metrics : list of EvalMetric or str, optional
        The metrics.
    name, output_names, label_names
        See `EvalMetric`.
    """

    def __init__(self, metrics=None, name="composite", output_names=None, label_names=None):
        self.metrics = [create(metric) for metric in metrics or []]
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def add(self, metric):
        """Appends a metric or the name of one."""
        self.metrics.append(create(metric))

    def get_metric(self, index):
        """The metric at `index`. ValueError when there is none."""
        try:
            return self.metrics[index]
        except IndexError:
            raise ValueError(f"CompositeEvalMetric: there is no metric {index} among {len(self.metrics)}") from None

    def update_dict(self, labels, preds):
        if self.label_names is not None:
            labels = {name: value for name, value in labels.items() if name in self.label_names}
        if self.output_names is not None:
            preds = {name: value for name, value in preds.items() if name in self.output_names}
        for metric in self.metrics:
            metric.update_dict(labels, preds)

    def update(self, labels, preds):
        for metric in self.metrics:
            metric.update(labels, preds)

    def reset(self):
        for metric in self.metrics:
            metric.reset()

    def reset_local(self):
        for metric in self.metrics:
            metric.reset_local()

    @staticmethod
    def _joined(results):
        names, values = [], []
        for name, value in results:
            names += name if isinstance(name, list) else [name]
            values += value if isinstance(value, list) else [value]
        return names, values

    def get(self):
        return self._joined(metric.get() for metric in self.metrics)

    def get_global(self):
        return self._joined(metric.get_global() for metric in self.metrics)

    def get_config(self):
        return {**super().get_config(), "metrics": [metric.get_config() for metric in self.metrics]}


@register
@alias("acc")
class Accuracy(EvalMetric):
    """Share of right classes.

    Labels are class numbers; predictions are class numbers too, or scores of the classes along
    `axis`, of which the highest counts.
    """

    def __init__(self, axis=1, name="accuracy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, axis=axis, has_global_stats=True)
        self.axis = axis

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            if pred.shape != label.shape:
                pred = pred.argmax(axis=self.axis)
            label, pred = label.astype("int32").ravel(), pred.astype("int32").ravel()
            check_label_shapes(label, pred)
            self._add((pred == label).sum(), len(pred))


@register
@alias("top_k_accuracy", "top_k_acc")
class TopKAccuracy(EvalMetric):
    """Share of labels among the `top_k` classes of the highest scores.

    Labels are ``(batch,)``, predictions ``(batch, classes)``. AssertionError for ``top_k`` below 2.
    """

    def __init__(self, top_k=1, name="top_k_accuracy", output_names=None, label_names=None):
        super().__init__(name, output_names, label_names, top_k=top_k, has_global_stats=True)
        self.top_k = top_k
        if top_k <= 1:
            raise AssertionError(f"TopKAccuracy: top_k must be above 1, got {top_k}; for 1 there is Accuracy")
        self.name += f"_{top_k}"

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            if pred.ndim > 2:
                raise AssertionError(f"TopKAccuracy: predictions must have at most 2 axes, got shape {pred.shape}")
            label = label.astype("int32").ravel()
            check_label_shapes(label, pred)
            if pred.ndim == 1:
                hits = pred.astype("int32") == label
            else:
                best = numpy.argpartition(pred.astype("float32"), -min(self.top_k, pred.shape[1]))
                hits = best[:, -self.top_k:] == label[:, numpy.newaxis]
            self._add(hits.sum(), len(pred))


class _BinaryCounts:
    """How often two classes were told apart: true and false, positives and negatives."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.true_pos = self.false_pos = self.true_neg = self.false_neg = 0

    def add(self, label, pred, who):
        """Adds a batch of labels ``(batch,)`` and scores of the two classes ``(batch, 2)``."""
        label = label.astype("int32").ravel()
        pred = pred.argmax(axis=1)
        check_label_shapes(label, pred)
        if len(numpy.unique(label)) > 2:
            raise ValueError(f"{who}: labels must be 0 or 1, got {numpy.unique(label)[:10]}")
        self.true_pos += int(((pred == 1) & (label == 1)).sum())
        self.false_pos += int(((pred == 1) & (label == 0)).sum())
        self.true_neg += int(((pred == 0) & (label == 0)).sum())
        self.false_neg += int(((pred == 0) & (label == 1)).sum())

    @property
    def total(self):
        return self.true_pos + self.false_pos + self.true_neg + self.false_neg

    def f1(self):
        """The harmonic mean of precision and recall; 0 where they are not defined."""
        wrong = self.false_pos + self.false_neg
        return 2.0 * self.true_pos / (2 * self.true_pos + wrong) if self.true_pos else 0.0

    def mcc(self):
        """Matthews' correlation; sums of 0 below the root count as 1."""
        if not self.total:
            return 0.0
        tp, fp, tn, fn = (float(n) for n in (self.true_pos, self.false_pos, self.true_neg, self.false_neg))
        root = 1.0
        for term in (tp + fp, tp + fn, tn + fp, tn + fn):
            root *= term or 1.0
        return (tp * tn - fp * fn) / sqrt(root)


class _BinaryMetric(EvalMetric):
    """A score of binary decisions, averaged over batches ('macro') or from all counts ('micro')."""

    def __init__(self, name, output_names, label_names, average):
        self.average = average
        self._local, self._global = _BinaryCounts(), _BinaryCounts()
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def _score(self, counts):
        raise NotImplementedError

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            if self.average == "macro":
                counts = _BinaryCounts()
                counts.add(label, pred, type(self).__name__)
                self._add(self._score(counts), 1)
                continue
            for counts in (self._local, self._global):
                counts.add(label, pred, type(self).__name__)
            self.num_inst = self._local.total
            self.sum_metric = self._score(self._local) * self.num_inst
            self.global_num_inst = self._global.total
            self.global_sum_metric = self._score(self._global) * self.global_num_inst

    def reset(self):
        super().reset()
        self._local.reset()
        self._global.reset()

    def reset_local(self):
        super().reset_local()
        self._local.reset()


@register
class F1(_BinaryMetric):
    """The F1 score of binary decisions: ``2 * precision * recall / (precision + recall)``.

    Labels are ``(batch,)``, predictions scores ``(batch, 2)``. With ``average='macro'`` the scores of
    batches are averaged, with 'micro' the score is that of all samples together.
    """

    def __init__(self, name="f1", output_names=None, label_names=None, average="macro"):
        super().__init__(name, output_names, label_names, average)

    def _score(self, counts):
        return counts.f1()


@register
class MCC(_BinaryMetric):
    """Matthews' correlation coefficient of binary decisions, from -1 to 1; shapes as for `F1`."""

    def __init__(self, name="mcc", output_names=None, label_names=None, average="macro"):
        super().__init__(name, output_names, label_names, average)

    def _score(self, counts):
        return counts.mcc()


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
@alias("pearsonr")
class PearsonCorrelation(EvalMetric):
    """Correlation of labels and predictions of the same shape, from -1 to 1.

    With ``average='macro'`` the correlations of batches are averaged, with 'micro' it is that of all
    samples together.
    """

    def __init__(self, name="pearsonr", output_names=None, label_names=None, average="macro"):
        self.average = average
        super().__init__(name, output_names, label_names, has_global_stats=True)

    def reset(self):
        super().reset()
        self.reset_micro()

    def reset_local(self):
        super().reset_local()
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

    def get(self):
        if self.average == "macro" or self.num_inst == 0:
            return super().get()
        root = sqrt(self._label[2] * self._pred[2])
        return self.name, self._cov / root if root else float("nan")

    def get_global(self):
        return super().get_global() if self.average == "macro" else self.get()


@register
class PCC(EvalMetric):
    """Matthews' correlation for any number of classes, from the counts of all samples.

    Labels are class numbers ``(batch,)``, predictions class numbers or scores ``(batch, classes)``.
    """

    def __init__(self, name="pcc", output_names=None, label_names=None, has_global_stats=True):
        self.k = 2
        super().__init__(name, output_names, label_names, has_global_stats=has_global_stats)

    def _grow(self, k):
        """Makes room for `k` classes."""
        more = k - self.k
        self.lcm = numpy.pad(self.lcm, ((0, more), (0, more)))
        self.gcm = numpy.pad(self.gcm, ((0, more), (0, more)))
        self.k = k

    @staticmethod
    def _calc_mcc(counts):
        """The correlation from counts by prediction (rows) and label (columns)."""
        n = counts.sum()
        rows, columns = counts.sum(axis=1), counts.sum(axis=0)
        spread = (rows * (n - rows)).sum() * (columns * (n - columns)).sum()
        if spread == 0:
            return float("nan")
        return float((counts.diagonal() * n - rows * columns).sum() / sqrt(spread))

    def update(self, labels, preds):
        for label, pred in _pairs(labels, preds):
            label = label.astype("int32", copy=False).ravel()
            pred = (pred if pred.size == label.size else pred.argmax(axis=1)).astype("int32", copy=False).ravel()
            check_label_shapes(label, pred)
            classes = int(max(pred.max(), label.max())) + 1
            if classes > self.k:
                self._grow(classes)
            counts = numpy.zeros((self.k, self.k))
            numpy.add.at(counts, (pred, label), 1)
            self.lcm += counts
            self.gcm += counts
            self.num_inst += 1
            self.global_num_inst += 1

    @property
    def sum_metric(self):
        """The local correlation times the number of batches."""
        return self._calc_mcc(self.lcm) * self.num_inst

    @property
    def global_sum_metric(self):
        """The global correlation times the number of batches."""
        return self._calc_mcc(self.gcm) * self.global_num_inst

    def reset(self):
        self.global_num_inst = 0
        self.gcm = numpy.zeros((self.k, self.k))
        self.reset_local()

    def reset_local(self):
        self.num_inst = 0
        self.lcm = numpy.zeros((self.k, self.k))


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


@register
class CustomMetric(EvalMetric):
    """A metric from a function.

    Parameters
    ----------
    feval : callable
        ``feval(label, pred)`` on NumPy arrays gives the value of a batch, or a sum and a count.
    name : str, optional
        Name of the metric, made from that of the function by default.
    allow_extra_outputs : bool
        Whether there may be more predictions than labels.
    output_names, label_names
        See `EvalMetric`.
    """

    def __init__(self, feval, name=None, allow_extra_outputs=False, output_names=None, label_names=None):
        if name is None:
            name = getattr(feval, "__name__", type(feval).__name__)
            if "<" in name:
                name = f"custom({name})"
        super().__init__(name, output_names, label_names, feval=feval, allow_extra_outputs=allow_extra_outputs,
                         has_global_stats=True)
        self._feval = feval
        self._allow_extra_outputs = allow_extra_outputs

    def update(self, labels, preds):
        if not self._allow_extra_outputs:
            check_label_shapes(labels, preds)
        for pred, label in zip(preds, labels):
            result = self._feval(_numpy(label), _numpy(pred))
            self._add(*result) if isinstance(result, tuple) else self._add(result, 1)

    def get_config(self):
        raise NotImplementedError("CustomMetric: a function cannot be written into a configuration")


def np(numpy_feval, name=None, allow_extra_outputs=False):
    """A `CustomMetric` from a function of label and prediction, as NumPy arrays.

    Examples
    --------
    >>> metric = mx.metric.np(lambda label, pred: float(abs(label - pred).max()), name="worst")
    """
    def feval(label, pred):
        return numpy_feval(label, pred)
    feval.__name__ = numpy_feval.__name__
    return CustomMetric(feval, name, allow_extra_outputs)

"""Metrics of decisions among classes."""
from math import sqrt

import numpy

from .base import EvalMetric, _pairs, alias, check_label_shapes, register

__all__ = ["F1", "MCC", "PCC", "Accuracy", "TopKAccuracy"]


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

    def get_state(self):
        return {**super().get_state(), "counts": [dict(vars(counts)) for counts in (self._local, self._global)]}

    def set_state(self, state):
        for counts, values in zip((self._local, self._global), state.pop("counts")):
            vars(counts).update(values)
        super().set_state(state)

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

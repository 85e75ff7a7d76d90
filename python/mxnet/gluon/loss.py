"""Losses. Each gives one number for each sample: shape ``(batch,)``, averaged over the other axes.

``weight`` multiplies every loss, ``sample_weight`` (an argument of the call) each sample's own; it
must broadcast against the loss, e.g. shape ``(batch, 1)`` for predictions of shape ``(batch, n)``.
"""
import numpy as np

from ..base import numeric_types
from .block import HybridBlock

__all__ = [
    "CTCLoss",
    "CosineEmbeddingLoss",
    "HingeLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "L2Loss",
    "LogisticLoss",
    "Loss",
    "PoissonNLLLoss",
    "SDMLLoss",
    "SigmoidBCELoss",
    "SigmoidBinaryCrossEntropyLoss",
    "SoftmaxCELoss",
    "SoftmaxCrossEntropyLoss",
    "SquaredHingeLoss",
    "TripletLoss",
]


def _apply_weighting(F, loss, weight=None, sample_weight=None):
    """`loss` times the weights that are given."""
    if sample_weight is not None:
        loss = F.broadcast_mul(loss, sample_weight)
    if weight is not None:
        if not isinstance(weight, numeric_types):
            raise AssertionError(f"weight must be a number, got {weight!r}")
        loss = loss * weight
    return loss


def _reshape_like(F, x, y):
    """`x` in the shape of `y`."""
    return F.reshape_like(x, y)


class Loss(HybridBlock):
    """The base of all losses.

    Parameters
    ----------
    weight : float or None
        Factor on the loss.
    batch_axis : int
        The axis of samples, which is not averaged over.
    """

    def __init__(self, weight, batch_axis, **kwargs):
        super().__init__(**kwargs)
        self._weight = weight
        self._batch_axis = batch_axis

    def __repr__(self):
        return f"{type(self).__name__}(batch_axis={self._batch_axis}, w={self._weight})"

    def _mean(self, F, loss):
        """The mean of each sample's losses."""
        return F.mean(loss, axis=self._batch_axis, exclude=True)

    def hybrid_forward(self, F, x, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__} must override hybrid_forward")


class L2Loss(Loss):
    """Half the square of the difference: ``weight / 2 * (label - pred) ** 2``.

    `pred` and `label` have the same number of elements; the label takes the prediction's shape.

    Examples
    --------
    >>> mx.gluon.loss.L2Loss()(mx.nd.array([[1.0, 2.0]]), mx.nd.array([[0.0, 0.0]])).asnumpy()
    array([1.25], dtype=float32)
    """

    def __init__(self, weight=1.0, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        loss = F.square(_reshape_like(F, label, pred) - pred)
        return self._mean(F, _apply_weighting(F, loss, self._weight / 2, sample_weight))


class L1Loss(Loss):
    """The difference without its sign: ``|label - pred|``. Shapes as for `L2Loss`."""

    def __init__(self, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        loss = F.abs(_reshape_like(F, label, pred) - pred)
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


class SigmoidBinaryCrossEntropyLoss(Loss):
    """Cross entropy of yes-or-no decisions: labels 0 and 1 (or between), any shape.

    Parameters
    ----------
    from_sigmoid : bool
        Whether predictions are probabilities already, instead of what a sigmoid is put on.
    weight, batch_axis
        See `Loss`. The call also takes `pos_weight`, a factor on the losses of positive labels.
    """

    def __init__(self, from_sigmoid=False, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_sigmoid = from_sigmoid

    def hybrid_forward(self, F, pred, label, sample_weight=None, pos_weight=None):
        label = _reshape_like(F, label, pred)
        if self._from_sigmoid:
            tiny = 1e-12
            positive = F.log(pred + tiny) * label
            if pos_weight is not None:
                positive = F.broadcast_mul(positive, pos_weight)
            loss = -(positive + F.log(1. - pred + tiny) * (1. - label))
        else:
            # log(1 + exp(-|x|)) neither overflows nor loses digits.
            rest = F.Activation(-F.abs(pred), act_type="softrelu")
            if pos_weight is None:
                loss = F.relu(pred) - pred * label + rest
            else:
                factor = 1 + F.broadcast_mul(pos_weight - 1, label)
                loss = pred - pred * label + factor * (rest + F.relu(-pred))
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


SigmoidBCELoss = SigmoidBinaryCrossEntropyLoss


class SoftmaxCrossEntropyLoss(Loss):
    """Cross entropy of choosing one of several classes.

    Predictions are ``(batch, classes)`` (or have the classes on another axis); labels are class
    numbers without that axis, or with ``sparse_label=False`` probabilities in the shape of `pred`.

    Parameters
    ----------
    axis : int
        Axis of the classes.
    sparse_label : bool
        Whether labels are class numbers.
    from_logits : bool
        Whether predictions are logarithms of probabilities already.
    weight, batch_axis
        See `Loss`.

    Examples
    --------
    >>> loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    >>> loss(mx.nd.array([[0.0, 0.0]]), mx.nd.array([1])).asnumpy()
    array([0.6931472], dtype=float32)
    """

    def __init__(self, axis=-1, sparse_label=True, from_logits=False, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._axis = axis
        self._sparse_label = sparse_label
        self._from_logits = from_logits

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        if not self._from_logits:
            pred = F.log_softmax(pred, axis=self._axis)
        if self._sparse_label:
            loss = -F.pick(pred, label, axis=self._axis, keepdims=True)
        else:
            loss = -F.sum(pred * _reshape_like(F, label, pred), axis=self._axis, keepdims=True)
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


SoftmaxCELoss = SoftmaxCrossEntropyLoss


class KLDivLoss(Loss):
    """Kullback-Leibler divergence of `pred` from the probabilities `label`, of the same shape.

    It is summed, not averaged, over all axes but that of samples.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logarithms of probabilities; otherwise a softmax is put on them.
    axis : int
        Axis of the softmax.
    weight, batch_axis
        See `Loss`.
    """

    def __init__(self, from_logits=True, axis=-1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits = from_logits
        self._axis = axis

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        if not self._from_logits:
            pred = F.log_softmax(pred, self._axis)
        loss = label * (F.log(label + 1e-12) - pred)
        loss = _apply_weighting(F, loss, self._weight, sample_weight)
        return F.sum(loss, axis=self._batch_axis, exclude=True)


class HuberLoss(Loss):
    """Quadratic up to a difference of `rho`, linear beyond: less swayed by outliers than `L2Loss`.

    ``(label - pred) ** 2 / (2 * rho)`` below, ``|label - pred| - rho / 2`` above.
    """

    def __init__(self, rho=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._rho = rho

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        distance = F.abs(_reshape_like(F, label, pred) - pred)
        loss = F.where(distance > self._rho, distance - 0.5 * self._rho,
                       (0.5 / self._rho) * F.square(distance))
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


class HingeLoss(Loss):
    """``max(0, margin - pred * label)`` for labels -1 and 1."""

    def __init__(self, margin=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        loss = F.relu(self._margin - pred * _reshape_like(F, label, pred))
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


class SquaredHingeLoss(Loss):
    """``max(0, margin - pred * label) ** 2`` for labels -1 and 1."""

    def __init__(self, margin=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        loss = F.square(F.relu(self._margin - pred * _reshape_like(F, label, pred)))
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


class LogisticLoss(Loss):
    """``log(1 + exp(-pred * label))`` for labels -1 and 1 ('signed') or 0 and 1 ('binary').

    Raises ValueError for another `label_format`.
    """

    def __init__(self, weight=None, batch_axis=0, label_format="signed", **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        if label_format not in ("signed", "binary"):
            raise ValueError(f"LogisticLoss: label_format must be 'signed' or 'binary', got {label_format!r}")
        self._label_format = label_format

    def hybrid_forward(self, F, pred, label, sample_weight=None):
        label = _reshape_like(F, label, pred)
        if self._label_format == "signed":
            label = (label + 1.0) / 2.0
        loss = F.relu(pred) - pred * label + F.Activation(-F.abs(pred), act_type="softrelu")
        return self._mean(F, _apply_weighting(F, loss, self._weight, sample_weight))


class TripletLoss(Loss):
    """How much closer `positive` should be than `negative`, all of the shape of `pred`.

    ``max(0, margin + sum((positive - pred) ** 2 - (negative - pred) ** 2))`` for each sample.
    """

    def __init__(self, margin=1, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(self, F, pred, positive, negative):
        positive = _reshape_like(F, positive, pred)
        negative = _reshape_like(F, negative, pred)
        loss = F.sum(F.square(positive - pred) - F.square(negative - pred), axis=self._batch_axis, exclude=True)
        return _apply_weighting(F, F.relu(loss + self._margin), self._weight)


class PoissonNLLLoss(Loss):
    """Negative log likelihood of counts `target` under Poisson distributions of mean `pred`.

    Unlike the other losses it is averaged over everything: shape ``(1,)``.

    Parameters
    ----------
    from_logits : bool
        Whether predictions are logarithms of the means.
    compute_full : bool
        Whether to add Stirling's approximation of ``log(target!)``, which no prediction changes.
    weight, batch_axis
        See `Loss`.
    """

    def __init__(self, weight=None, from_logits=True, batch_axis=0, compute_full=False, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._from_logits = from_logits
        self._compute_full = compute_full

    def hybrid_forward(self, F, pred, target, sample_weight=None, epsilon=1e-08):
        target = _reshape_like(F, target, pred)
        if self._from_logits:
            loss = F.exp(pred) - target * pred
        else:
            loss = pred - target * F.log(pred + epsilon)
        if self._compute_full:
            stirling = target * F.log(target) - target + 0.5 * F.log(2 * target * np.pi)
            # log(0!) and log(1!) are 0, where the approximation is bad or not a number.
            loss = loss + F.where(target > 1, stirling, F.zeros_like(target))
        return F.mean(_apply_weighting(F, loss, self._weight, sample_weight))


class CosineEmbeddingLoss(Loss):
    """Pulls vectors together where the label is 1, pushes them apart where it is -1.

    ``1 - cos(input1, input2)`` for label 1, ``max(0, cos(input1, input2) - margin)`` for -1; the
    inputs are ``(batch, n)``, the label ``(batch,)``.
    """

    def __init__(self, weight=None, batch_axis=0, margin=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._margin = margin

    def hybrid_forward(self, F, input1, input2, label, sample_weight=None):
        input1 = _reshape_like(F, input1, input2)
        cosine = self._cosine_similarity(F, input1, input2)
        label = _reshape_like(F, label, cosine)
        loss = F.where(label == 1, 1 - cosine, F.relu(cosine - self._margin))
        return _apply_weighting(F, loss, self._weight, sample_weight)

    def _cosine_similarity(self, F, x, y, axis=-1):
        """Cosine of the angles between the vectors along `axis`; that axis stays, with length 1."""
        product = F.sum(x * y, axis=axis, keepdims=True)
        norms = F.norm(x, axis=axis, keepdims=True) * F.norm(y, axis=axis, keepdims=True)
        return product / F.maximum(norms, 1e-12)


class SDMLLoss(Loss):
    """Smoothed deep metric learning (Bonadiman et al., 2019).

    Rows ``i`` of `x1` and `x2`, both ``(batch, n)``, belong together; all other pairs do not.

    Parameters
    ----------
    smoothing_parameter : float
        Probability given to the pairs that do not belong together.
    weight, batch_axis
        See `Loss`.
    """

    def __init__(self, smoothing_parameter=0.3, weight=1., batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self.kl_loss = KLDivLoss(from_logits=True)
        self.smoothing_parameter = smoothing_parameter

    def hybrid_forward(self, F, x1, x2):
        size = x1.shape[0]
        differences = F.broadcast_sub(F.expand_dims(x1, 1), F.expand_dims(x2, 0))
        distances = F.sum(F.square(differences), axis=2)
        same = F.one_hot(F.contrib.arange_like(x1, axis=0), size)
        labels = same * (1 - self.smoothing_parameter) + (1 - same) * (self.smoothing_parameter / (size - 1))
        return self.kl_loss(F.log_softmax(-distances, axis=1), labels)


class CTCLoss(Loss):
    """Connectionist temporal classification (Graves et al., 2006): -log of the probability of a label.

    The classes said step by step give a label when repetitions are joined and blanks left out; the
    probability is summed over all ways to do so. The last class is the blank. Where there is no way,
    since the label is too long for the steps, the loss is 0.

    Parameters
    ----------
    layout : str
        'NTC' for predictions ``(batch, time, classes)`` before softmax, or 'TNC'.
    label_layout : str
        'NT' for labels ``(batch, length)``, or 'TN'.
    weight
        See `Loss`.

    Inputs
    ------
    pred, label
        Predictions and labels. Without `label_lengths` a label ends before its first -1.
    pred_lengths, label_lengths : NDArray, optional
        Numbers of steps and lengths of labels ``(batch,)``.
    sample_weight
        Weights ``(batch,)``.

    Examples
    --------
    >>> loss = mx.gluon.loss.CTCLoss()
    >>> loss(mx.nd.zeros((1, 2, 3)), mx.nd.array([[0, -1]])).asnumpy()  # 3 of 9 ways: "0 0", "0 blank", "blank 0"
    array([1.0986123], dtype=float32)
    """

    def __init__(self, layout="NTC", label_layout="NT", weight=None, **kwargs):
        if layout not in ("NTC", "TNC"):
            raise AssertionError(f"CTCLoss: layout is {layout!r}, expected 'NTC' or 'TNC'")
        if label_layout not in ("NT", "TN"):
            raise AssertionError(f"CTCLoss: label_layout is {label_layout!r}, expected 'NT' or 'TN'")
        super().__init__(weight, label_layout.find("N"), **kwargs)
        self._layout, self._label_layout = layout, label_layout

    def hybrid_forward(self, F, pred, label, pred_lengths=None, label_lengths=None, sample_weight=None):
        if self._layout == "NTC":
            pred = F.swapaxes(pred, dim1=0, dim2=1)
        if self._label_layout == "TN":
            label = F.swapaxes(label, dim1=0, dim2=1)
        lengths = {name: array for name, array in (("data_lengths", pred_lengths), ("label_lengths", label_lengths))
                   if array is not None}
        loss = F.CTCLoss(pred, label, **lengths, **{f"use_{name}": True for name in lengths}, blank_label="last")
        return _apply_weighting(F, loss, self._weight, sample_weight)

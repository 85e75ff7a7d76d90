"""Which loss and metrics go with a network."""
import warnings

import numpy as np

from ... import metric as _metric
from ...metric import CustomMetric
from .. import loss as gloss
from .. import nn

__all__ = ["choose_loss", "choose_metrics", "last_activation"]


def last_activation(block):
    """The name of the activation that the last layer ends with, or None."""
    if isinstance(block, nn.Activation):
        return block._act_type
    if getattr(block, "act", None) is not None:
        return last_activation(block.act)
    children = list(block._children.values())
    return last_activation(children[-1]) if children else None


class ProbabilityLoss(gloss.Loss):
    """The cross-entropy of class probabilities, labels being class numbers or probabilities themselves."""

    def __init__(self, weight=None, batch_axis=0, **kwargs):
        super().__init__(weight, batch_axis, **kwargs)
        self._losses = {sparse: gloss.SoftmaxCrossEntropyLoss(sparse_label=sparse, from_logits=True, weight=weight,
                                                              batch_axis=batch_axis) for sparse in (True, False)}

    def hybrid_forward(self, F, pred, label, *weights):
        sparse = label.shape != pred.shape
        return self._losses[sparse](F.log(F.maximum(pred, 1e-12)), label, *weights)


def choose_loss(net, loss):
    """The loss of a training: the one given, or what follows from the last activation."""
    activation = last_activation(net)
    if loss is None:
        if activation == "softmax":
            return ProbabilityLoss(prefix="loss_")
        return gloss.SigmoidBCELoss(from_sigmoid=True) if activation == "sigmoid" else gloss.L2Loss()
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(f"fit: loss_fn must be a loss such as gluon.loss.L2Loss(), got {loss!r}")
    # A loss that would apply the last activation once more is meant to see what comes before it.
    if activation == "softmax" and isinstance(loss, gloss.SoftmaxCrossEntropyLoss) and not loss._from_logits:
        _warn_twice("softmax", loss)
        return ProbabilityLoss(loss._weight, loss._batch_axis)
    if activation == "sigmoid" and isinstance(loss, gloss.SigmoidBinaryCrossEntropyLoss) and not loss._from_sigmoid:
        _warn_twice("sigmoid", loss)
        return gloss.SigmoidBCELoss(from_sigmoid=True, weight=loss._weight, batch_axis=loss._batch_axis)
    return loss


def _warn_twice(activation, loss):
    warnings.warn(f"fit: the network ends with {activation}, which {type(loss).__name__} applies by itself; it is "
                  "applied only once", stacklevel=4)


def _is_classifier(net, loss):
    return last_activation(net) == "softmax" or isinstance(loss, (ProbabilityLoss, gloss.SoftmaxCrossEntropyLoss))


def _is_binary(net, loss):
    return last_activation(net) == "sigmoid" or isinstance(loss, gloss.SigmoidBinaryCrossEntropyLoss)


def _class_accuracy(label, pred):
    if label.shape == pred.shape:
        label = label.argmax(axis=-1)
    hits = pred.argmax(axis=-1).ravel() == label.ravel().astype(np.int64)
    return float(hits.sum()), hits.size


def choose_metrics(net, loss, metrics):
    """The metrics of a training as a list: those given, or the accuracy of classifiers, or the mean square error."""
    if metrics is not None:
        metrics = metrics if isinstance(metrics, (list, tuple)) else [metrics]
        return [_metric.create(one) for one in metrics]
    if _is_classifier(net, loss):
        return [CustomMetric(_class_accuracy, name="accuracy")]
    if _is_binary(net, loss):
        border = 0.5 if last_activation(net) == "sigmoid" else 0.0

        def accuracy(label, pred):
            hits = (pred.ravel() > border) == (label.ravel() > 0.5)
            return float(hits.sum()), hits.size
        return [CustomMetric(accuracy, name="accuracy")]
    return [CustomMetric(lambda label, pred: (float(np.square(label.reshape(pred.shape) - pred).sum()), pred.size),
                         name="mse")]


def check_label(who, loss, label, pred_shape):
    """Raises ValueError for labels that are out of range, as NaN is."""
    if isinstance(loss, (ProbabilityLoss, gloss.SoftmaxCrossEntropyLoss)) and label.shape != pred_shape:
        classes = pred_shape[getattr(loss, "_axis", -1)]
        limit, allowed = classes - 1, f"for {classes} classes, which are numbered from 0 to {classes - 1}"
    elif isinstance(loss, gloss.SigmoidBinaryCrossEntropyLoss):
        limit, allowed = 1, "for a binary cross-entropy, whose labels are from 0 to 1"
    else:
        return
    values = label.asnumpy()
    for value in (values.min(), values.max()):
        if not 0 <= value <= limit:
            raise ValueError(f"{who}: label {value:g} is out of range {allowed}")

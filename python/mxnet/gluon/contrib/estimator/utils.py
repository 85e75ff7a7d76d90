"""Checks of metrics."""
from ....metric import Accuracy, CompositeEvalMetric, EvalMetric
from ...loss import SoftmaxCrossEntropyLoss

__all__ = []


def _check_metrics(metrics):
    """`metrics` as a list. ValueError for anything but metrics."""
    if isinstance(metrics, CompositeEvalMetric):
        metrics = [part for child in metrics.metrics for part in _check_metrics(child)]
    elif isinstance(metrics, EvalMetric):
        metrics = [metrics]
    metrics = metrics or []
    if not isinstance(metrics, (list, tuple)) or not all(isinstance(metric, EvalMetric) for metric in metrics):
        raise ValueError(f"Estimator: metrics must be a metric of mx.metric or a list of them, got {metrics!r}")
    return list(metrics)


def _check_handler_metric_ref(handler, known_metrics):
    """Raises ValueError when a handler watches a metric that is not updated."""
    for attribute in ("metrics", "monitor"):
        watched = getattr(handler, attribute, None)
        for metric in watched if isinstance(watched, (list, tuple)) else (watched,):
            _check_metric_known(handler, metric, known_metrics)


def _check_metric_known(handler, metric, known_metrics):
    if isinstance(metric, EvalMetric) and not any(metric is known for known in known_metrics):
        raise ValueError(f"Estimator: {type(handler).__name__} refers to the metric '{metric.name}', which the "
                         "estimator does not update; take one of estimator.train_metrics or estimator.val_metrics")


def _suggest_metric_for_loss(loss):
    """A metric that fits a loss, or None."""
    return Accuracy() if isinstance(loss, SoftmaxCrossEntropyLoss) else None

"""Metrics made of other metrics or of functions."""
from .base import EvalMetric, _create, _numpy, alias, check_label_shapes, register

__all__ = ["CompositeEvalMetric", "CustomMetric", "create", "np"]


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
        self.metrics = []  # resetting leaves metrics alone that have counted before
        super().__init__(name, output_names, label_names, has_global_stats=True)
        self.metrics = [create(metric) for metric in metrics or []]

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

    def get_state(self):
        return {"metrics": [metric.get_state() for metric in self.metrics]}

    def set_state(self, state):
        for metric, values in zip(self.metrics, state["metrics"]):
            metric.set_state(values)

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

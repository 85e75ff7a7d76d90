"""Metrics."""
import gluon_cases as cases
import numpy as np
import pytest

import mxnet as mx
from mxnet import metric


@pytest.mark.parametrize("name", cases.metrics(metric))
def test_values(name):
    cases.check("metric", name, cases.run_metric, mx, rtol=1e-5)


def test_values_are_python_floats():
    for name in cases.metrics(metric):
        made, kind = cases.metrics(metric)[name]
        label, pred = cases._batch(kind, 0)
        made.update([mx.nd.array(label)], [mx.nd.array(pred)])
        assert all(type(value) is float for _, value in made.get_name_value()), name


def test_numpy_arrays_do_as_well():
    accuracy = metric.Accuracy()
    accuracy.update([np.array([0, 1])], [np.array([[0.9, 0.1], [0.8, 0.2]])])
    assert accuracy.get() == ("accuracy", 0.5)


def test_accuracy_shapes():
    scores = mx.nd.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    accuracy = metric.Accuracy()
    accuracy.update(mx.nd.array([0, 1, 1]), scores)
    accuracy.update([mx.nd.array([[0], [1], [1]])], [scores])
    accuracy.update([mx.nd.array([0, 1, 1])], [mx.nd.array([0, 1, 0])])
    assert accuracy.num_inst == 9
    assert accuracy.get()[1] == pytest.approx(6 / 9)
    with pytest.raises(ValueError, match="labels and predictions do not match"):
        accuracy.update([mx.nd.array([0, 1])], [scores])
    with pytest.raises(ValueError, match="1 of labels, 2 of predictions"):
        accuracy.update([mx.nd.array([0, 1, 1])], [scores, scores])


def test_create():
    assert sorted(mx.registry.get_registry(metric.EvalMetric)) == [
        "acc", "accuracy", "caffe", "ce", "composite", "compositeevalmetric", "crossentropy", "custommetric", "f1",
        "loss", "mae", "mcc", "mse", "negativeloglikelihood", "nll_loss", "pcc", "pearsoncorrelation", "pearsonr",
        "perplexity", "rmse", "top_k_acc", "top_k_accuracy", "topkaccuracy", "torch"]
    assert metric.create("top_k_accuracy", top_k=3).name == "top_k_accuracy_3"
    both = metric.create(["acc", metric.MSE()])
    assert isinstance(both.get_metric(1), metric.MSE)
    assert str(both) == "EvalMetric: {'accuracy': nan, 'mse': nan}"
    with pytest.raises(ValueError, match="no metric 5 among 2"):
        both.get_metric(5)
    with pytest.raises(AssertionError, match="not a registered metric"):
        metric.create("foo")
    assert metric.create(metric.Accuracy(axis=2).get_config()).axis == 2


def test_functions():
    def largest(label, pred):
        return float(np.abs(label - pred).max())
    made = metric.np(largest)
    made.update([mx.nd.array([1.0, 2.0])], [mx.nd.array([1.5, 5.0])])
    assert made.get() == ("largest", 3.0)
    assert metric.CustomMetric(lambda label, pred: 1).name == "custom(<lambda>)"
    with pytest.raises(NotImplementedError):
        made.get_config()
    extra = metric.CustomMetric(largest, allow_extra_outputs=True)
    extra.update([mx.nd.ones((1,))], [mx.nd.zeros((1,)), mx.nd.zeros((1,))])
    assert extra.get()[1] == 1.0


def test_update_dict():
    label, pred = mx.nd.array([1]), mx.nd.array([[0.1, 0.9]])
    accuracy = metric.Accuracy(output_names=["out"], label_names=["label"])
    accuracy.update_dict({"label": label, "other": mx.nd.zeros((3,))}, {"out": pred, "more": mx.nd.zeros((3,))})
    assert accuracy.get() == ("accuracy", 1.0)


def test_errors():
    with pytest.raises(AssertionError, match="top_k must be above 1"):
        metric.TopKAccuracy(1)
    with pytest.raises(ValueError, match="F1: labels must be 0 or 1"):
        metric.F1().update([mx.nd.array([0, 1, 2])], [mx.nd.ones((3, 2))])
    with pytest.raises(AssertionError, match="3 labels do not fit"):
        metric.CrossEntropy().update([mx.nd.array([0, 1, 2])], [mx.nd.ones((2, 2))])


def test_perplexity_of_sequences():
    made = metric.Perplexity(ignore_label=None)
    made.update([mx.nd.zeros((2, 3))], [mx.nd.ones((2, 3, 4)) / 4])
    assert made.get()[1] == pytest.approx(4)


def test_a_composite_keeps_what_its_metrics_have_counted():
    accuracy = mx.metric.Accuracy()
    accuracy.update([mx.nd.array([1])], [mx.nd.array([[0, 1]])])
    assert mx.metric.CompositeEvalMetric([accuracy]).get() == (["accuracy"], [1.0])

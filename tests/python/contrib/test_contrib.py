"""Small parts of mx.contrib."""
import sys
from types import SimpleNamespace

import pytest

import mxnet as mx
from mxnet.contrib.io import DataLoaderIter
from mxnet.contrib.tensorboard import LogMetricsCallback


def test_loader_as_iterator():
    loader = mx.gluon.data.DataLoader(mx.gluon.data.ArrayDataset(mx.nd.ones((5, 2)), mx.nd.arange(5)), 2)
    iterator = DataLoaderIter(loader, dtype="float16")
    assert iterator.provide_data == [("data", (2, 2))] and iterator.provide_label == [("softmax_label", (2,))]
    for _ in range(2):
        batches = list(iterator)
        assert [batch.pad for batch in batches] == [0, 0, 1]
        assert [batch.label[0].asnumpy().tolist() for batch in batches] == [[0, 1], [2, 3], [4, 0]]
        assert batches[2].data[0].asnumpy().tolist() == [[1, 1], [0, 0]]
        assert batches[2].data[0].dtype.__name__ == "float16"
        iterator.reset()


def test_metrics_for_tensorboard(monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, global_step):
            written.append((self.folder, name, value, global_step))
    monkeypatch.setitem(sys.modules, "mxboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    metric = mx.metric.Accuracy()
    metric.update([mx.nd.array([1])], [mx.nd.array([[0, 1]])])
    callback = LogMetricsCallback("logs", prefix="train")
    for _ in range(2):
        callback(SimpleNamespace(eval_metric=metric))
    assert written == [("logs", "train-accuracy", 1.0, 1), ("logs", "train-accuracy", 1.0, 2)]
    for module in ("mxboard", "tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="nothing is installed that writes files for TensorBoard"):
        LogMetricsCallback("logs")

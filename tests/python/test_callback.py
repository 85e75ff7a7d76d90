"""Callbacks of training loops."""
import collections
import logging

import pytest

import mxnet as mx
from mxnet import callback

Param = collections.namedtuple("Param", "epoch nbatch eval_metric")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.getMessage() for record in caplog.records]


def full_metric():
    metric = mx.metric.Loss()
    metric.update(None, [mx.nd.array([2.0])])
    return metric


def test_speedometer(log):
    speedometer, metric = callback.Speedometer(batch_size=10, frequent=2), full_metric()
    for i in range(5):
        speedometer(Param(3, i, metric))
    assert len(log()) == 2
    assert log()[0].startswith("Epoch[3] Batch [0-2]\tSpeed: ") and log()[0].endswith("samples/sec\tloss=2.000000")
    assert metric.num_inst == 0 and metric.global_num_inst == 1
    speedometer(Param(4, 0, None))
    speedometer(Param(4, 2, None))
    assert log()[2].startswith("Iter[4] Batch [2]\tSpeed: ")


def test_metric_messages(log):
    metric = full_metric()
    callback.log_train_metric(2, auto_reset=True)(Param(1, 4, metric))
    assert log() == ["Iter[1] Batch[4] Train-loss=2.000000"] and metric.num_inst == 0
    callback.LogValidationMetricsCallback()(Param(1, 0, full_metric()))
    assert log()[1] == "Epoch[1] Validation-loss=2.000000"


def test_progress_bar(log):
    callback.ProgressBar(total=4, length=8)(Param(0, 1, None))
    assert log() == ["[==------] 25%\r"]


def test_checkpoints(tmp_path, log):
    prefix = str(tmp_path / "model")
    save = callback.do_checkpoint(prefix, period=2)
    for epoch in range(4):
        save(epoch, None, {"w": mx.nd.ones((2,))}, {"mean": mx.nd.zeros((1,))})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model-0002.params", "model-0004.params"]
    assert sorted(mx.nd.load(prefix + "-0004.params")) == ["arg:w", "aux:mean"]

    class Module:
        saved = []

        def save_checkpoint(self, *args):
            self.saved.append(args)
    save = callback.module_checkpoint(Module(), prefix, period=3, save_optimizer_states=True)
    for epoch in range(4):
        save(epoch)
    assert Module.saved == [(prefix, 3, True)]

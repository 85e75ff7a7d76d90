"""The estimator and its handlers, as in MXNet 1.9.1."""
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

import mxnet as mx
from mxnet import gluon
from mxnet.gluon.contrib import estimator as E

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = np.random.RandomState(1).randint(0, 3, 20).astype("float32")


def loader(batch_size=8, shuffle=False):
    return gluon.data.DataLoader(gluon.data.ArrayDataset(mx.nd.array(X), mx.nd.array(Y)), batch_size, shuffle=shuffle)


def network(dropout=0.0):
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dropout(dropout), gluon.nn.Dense(3))
    net.initialize(mx.init.Constant(0.1))
    return net


def make(net=None, **kwargs):
    net = net or network()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    return E.Estimator(net, gluon.loss.SoftmaxCrossEntropyLoss(), trainer=trainer, **kwargs)


class Recorder(E.TrainBegin, E.TrainEnd, E.EpochBegin, E.EpochEnd, E.BatchBegin, E.BatchEnd):
    def __init__(self, log, name, priority):
        self.log, self.name, self.priority = log, name, priority

    def _note(self, event, kwargs):
        self.log.append((self.name, event, *kwargs))

    def train_begin(self, estimator, *args, **kwargs):
        self._note("train_begin", kwargs)

    def train_end(self, estimator, *args, **kwargs):
        self._note("train_end", kwargs)

    def epoch_begin(self, estimator, *args, **kwargs):
        self._note("epoch_begin", kwargs)

    def epoch_end(self, estimator, *args, **kwargs):
        self._note("epoch_end", kwargs)

    def batch_begin(self, estimator, *args, **kwargs):
        self._note("batch_begin", kwargs)

    def batch_end(self, estimator, *args, **kwargs):
        self._note("batch_end", kwargs)


def test_order_of_events():
    log = []
    make().fit(loader(16), epochs=1, event_handlers=[Recorder(log, "a", 0), Recorder(log, "b", -5000)])
    events = [("train_begin",), ("epoch_begin",)]
    for _ in range(2):
        events += [("batch_begin", "batch"), ("batch_end", "batch", "pred", "label", "loss")]
    events += [("epoch_end",), ("train_end",)]
    assert log == [(name, *event) for event in events for name in "ba"]


def test_numbers_and_messages(capsys):
    estimator = make()
    estimator.fit(loader(), epochs=3)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Training begin: using optimizer SGD with current learning rate 0.1000 "
    assert lines[1:3] == ["Train for 3 epochs.", "[Epoch 0] Begin, current learning rate: 0.1000"]
    # The losses of 1.9.1 for the same weights and data.
    wanted = ["1.0976", "1.0583", "1.0292"]
    assert [line.split("loss: ")[1] for line in lines if "Finished in" in line] == wanted
    assert lines[-1].endswith("training accuracy: 0.4500, training softmaxcrossentropyloss: 1.0292")
    assert [metric.get()[0] for metric in estimator.val_metrics] == ["validation accuracy",
                                                                     "validation softmaxcrossentropyloss"]
    estimator = make()
    estimator.fit(loader(), epochs=1, event_handlers=E.LoggingHandler(log_interval=2))
    assert "[Epoch 0][Batch 2][Samples 20] time/interval" in capsys.readouterr().out


def test_validation(capsys):
    estimator = make()
    estimator.fit(loader(), val_data=loader(10), batches=5)
    text = capsys.readouterr().out
    assert "Train for 5 batches." in text and text.count("Validation Begin") == 2 and "with 2 epochs" in text
    estimator.evaluate(loader())
    assert 0 <= estimator.val_metrics[0].get()[1] <= 1
    calls = []
    handler = E.ValidationHandler(loader(), lambda **kwargs: calls.append(sorted(kwargs)), 2, batch_period=2)
    make().fit(loader(), epochs=2, event_handlers=[handler])
    assert calls == [["batch_axis", "event_handlers", "val_data"]] * 4


def test_metrics():
    for loss, names in ((gluon.loss.SoftmaxCELoss(), ["training accuracy", "training softmaxcrossentropyloss"]),
                        (gluon.loss.L2Loss(), ["training l2loss"])):
        with pytest.warns(UserWarning, match="no trainer was given"):
            assert [metric.name for metric in E.Estimator(network(), loss).train_metrics] == names
    estimator = make(train_metrics=[mx.metric.Accuracy(), mx.metric.TopKAccuracy(2)], val_metrics=mx.metric.RMSE())
    assert [metric.name for metric in estimator.train_metrics] == ["training accuracy", "training top_k_accuracy_2"]
    assert [metric.name for metric in estimator.val_metrics] == ["validation rmse"]


def test_stopping():
    estimator = make()
    handler = E.EarlyStoppingHandler(monitor=estimator.train_metrics[1], patience=1, min_delta=10)
    estimator.fit(loader(), epochs=10, event_handlers=[handler])
    assert handler.stop_training and handler.stopped_epoch == 1 and handler.current_epoch == 2
    estimator = make()
    handler = E.EarlyStoppingHandler(monitor=estimator.train_metrics[1])
    estimator.fit(loader(), epochs=5, event_handlers=[handler])
    assert not handler.stop_training and handler.best == pytest.approx(estimator.train_metrics[1].get()[1])

    class Stop(E.BatchEnd):
        count = 0

        def batch_end(self, estimator, *args, **kwargs):
            self.count += 1
            return self.count == 2
    stop = Stop()
    estimator.fit(loader(), epochs=1, event_handlers=[stop])
    assert stop.count == 2


def test_replaced_parts():
    class Twice(E.BatchProcessor):
        def fit_batch(self, estimator, train_batch, batch_axis=0):
            seen.append(len(train_batch))
            return super().fit_batch(estimator, train_batch, batch_axis)

    class Never(E.GradientUpdateHandler):
        def batch_end(self, estimator, *args, **kwargs):
            pass
    seen = []
    estimator = make(batch_processor=Twice())
    before = estimator.net[1].weight.data()[0].asnumpy() if estimator.net[1].weight.shape[1] else None
    estimator.fit(loader(), epochs=1, event_handlers=[Never()])
    assert seen == [2, 2, 2] and before is None
    np.testing.assert_allclose(estimator.net[1].weight.data().asnumpy(), np.full((3, 4), 0.1), rtol=1e-6)


def test_contexts():
    contexts = [mx.cpu(0), mx.cpu(1)]
    net = gluon.nn.Dense(3)
    net.initialize(ctx=contexts)
    trainer = gluon.Trainer(net.collect_params(), "sgd")
    estimator = E.Estimator(net, gluon.loss.SoftmaxCELoss(), trainer=trainer, context=contexts)
    estimator.fit(loader(), loader(), epochs=1)
    np.testing.assert_array_equal(*(array.asnumpy() for array in net.weight.list_data()))
    fresh = gluon.nn.Dense(3)
    with pytest.warns(UserWarning, match="no trainer"):
        E.Estimator(fresh, gluon.loss.SoftmaxCELoss(), initializer=mx.init.One(), context=mx.cpu(1))
    assert fresh.weight.list_ctx() == [mx.cpu(1)]


def files(folder):
    return sorted(os.listdir(folder))


def test_checkpoints(tmp_path, capsys):
    make().fit(loader(), epochs=3, event_handlers=[E.CheckpointHandler(str(tmp_path / "a"))])
    names = [f"model-epoch{i}batch{3 * i + 3}.{kind}" for i in range(3) for kind in ("params", "states")]
    assert files(tmp_path / "a") == names
    estimator = make()
    handler = E.CheckpointHandler(str(tmp_path / "b"), model_prefix="m", monitor=estimator.train_metrics[1], verbose=1,
                                  save_best=True, epoch_period=1, batch_period=2, max_checkpoints=2)
    estimator.fit(loader(), epochs=4, event_handlers=[handler])
    assert files(tmp_path / "b") == [f"{name}.{kind}" for name in ("m-best", "m-epoch3batch11", "m-epoch3batch12")
                                     for kind in ("params", "states")]
    assert "improved from" in capsys.readouterr().out
    network().load_parameters(str(tmp_path / "b" / "m-best.params"))


@pytest.mark.parametrize("units", ["epochs", "batches"])
def test_resumed_as_if_never_stopped(tmp_path, units):
    total, first = (6, 2) if units == "epochs" else (11, 5)
    periods = {"epoch_period": 1} if units == "epochs" else {"epoch_period": None, "batch_period": 1}

    def run(folder, amount, **kwargs):
        estimator = make(network(dropout=0.5), train_metrics=[mx.metric.Accuracy(), mx.metric.Loss("loss")],
                         val_metrics=[mx.metric.CompositeEvalMetric(["acc", mx.metric.TopKAccuracy(2)])])
        handlers = [E.CheckpointHandler(str(tmp_path / folder), **periods, **kwargs),
                    E.EarlyStoppingHandler(estimator.train_metrics[1], patience=100),
                    E.ValidationHandler(loader(), estimator.evaluate, epoch_period=3)]
        estimator.fit(loader(shuffle=True), event_handlers=handlers, **{units: amount})
        numbers = [metric.get() for metric in estimator.train_metrics + estimator.val_metrics]
        counters = [handler.get_state() for handler in handlers]
        return estimator.net[1].weight.data().asnumpy(), numbers, counters
    mx.random.seed(1)
    np.random.seed(1)
    weight, numbers, counters = run("whole", total)
    mx.random.seed(1)
    np.random.seed(1)
    run("parts", first)
    mx.random.seed(9)
    np.random.seed(9)
    have = run("parts", total, resume_from_checkpoint=True)
    np.testing.assert_array_equal(have[0], weight)
    assert have[1:] == (numbers, counters)
    assert len(os.listdir(tmp_path / "parts")) == 2 * 5
    with pytest.raises(ValueError, match=f"all of the {first} {units} behind it"):
        run("parts", first, resume_from_checkpoint=True)


def test_resumed_after_an_early_end(tmp_path):
    class Stop(E.EpochEnd):
        remembered = ("count",)
        count = 0

        def epoch_end(self, estimator, *args, **kwargs):
            self.count += 1
            return self.count == 2

    def run():
        estimator, stop = make(), Stop()
        checkpoints = E.CheckpointHandler(str(tmp_path), resume_from_checkpoint=True)
        estimator.fit(loader(), epochs=9, event_handlers=[checkpoints, stop])
        return estimator.net[1].weight.data().asnumpy(), stop.count
    weight, count = run()
    again, count_again = run()
    assert count == count_again == 2 and len(os.listdir(tmp_path)) == 4
    np.testing.assert_array_equal(again, weight)


def test_damaged_checkpoint(tmp_path):
    make().fit(loader(), epochs=1, event_handlers=[E.CheckpointHandler(str(tmp_path))])
    path = tmp_path / "model-epoch0batch3.states"
    content = path.read_bytes()
    for damaged in (b"", b"garbage", content[:len(content) // 2], content[:-9]):
        path.write_bytes(damaged)
        net = network()
        net(mx.nd.array(X))
        with pytest.raises(ValueError, match="model-epoch0batch3.states' is damaged"):
            make(net).fit(loader(), epochs=3, event_handlers=[E.CheckpointHandler(str(tmp_path),
                                                                               resume_from_checkpoint=True)])
        np.testing.assert_array_equal(net[1].weight.data().asnumpy(), np.full((3, 4), 0.1, "float32"))


def test_resume_refuses(tmp_path):
    handler = E.CheckpointHandler(str(tmp_path), resume_from_checkpoint=True)
    make().fit(loader(), epochs=1, event_handlers=[handler])  # nothing there: from scratch
    with pytest.raises(AssertionError, match="for one in batches epoch_period=None"):
        make().fit(loader(), batches=2, event_handlers=[handler])
    other = gluon.nn.HybridSequential()
    other.add(gluon.nn.Dense(3, in_units=4), gluon.nn.Dense(7, in_units=3))
    other.initialize()
    before = [param.data().asnumpy() for param in other.collect_params().values()]
    with pytest.raises((AssertionError, ValueError), match="parameters do not match|has shape"):
        make(other).fit(loader(), epochs=3,
                        event_handlers=[E.CheckpointHandler(str(tmp_path), resume_from_checkpoint=True)])
    for param, value in zip(other.collect_params().values(), before):
        np.testing.assert_array_equal(param.data().asnumpy(), value)


PROGRAM = """
import sys, time
import numpy as np, mxnet as mx
from mxnet import gluon
from mxnet.gluon.contrib import estimator as E
mx.random.seed(5); np.random.seed(5)
x = mx.nd.array(np.random.rand(40, 4)); y = mx.nd.array(np.arange(40) % 3)
net = gluon.nn.HybridSequential()
net.add(gluon.nn.Dense(8, activation="relu"), gluon.nn.Dropout(0.5), gluon.nn.Dense(3))
net.initialize()
class Slow(E.BatchEnd):
    def batch_end(self, *args, **kwargs):
        time.sleep(float(sys.argv[2]))
trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
loader = gluon.data.DataLoader(gluon.data.ArrayDataset(x, y), 8, shuffle=True)
estimator = E.Estimator(net, gluon.loss.SoftmaxCELoss(), trainer=trainer)
handler = E.CheckpointHandler(sys.argv[1], epoch_period=None, batch_period=1, resume_from_checkpoint=True)
estimator.fit(loader, batches=60, event_handlers=[handler, Slow()])
net.save_parameters(sys.argv[1] + "/end.params")
"""


def test_killed_at_any_moment(tmp_path):
    def start(folder, pause):
        return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path / folder), str(pause)],
                                stdout=subprocess.DEVNULL)
    assert start("whole", 0).wait() == 0
    deadline = time.time() + 120
    for _ in range(3):
        process = start("killed", 0.02)
        while not (tmp_path / "killed").exists() and time.time() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start("killed", 0).wait() == 0
    wanted = mx.nd.load(str(tmp_path / "whole" / "end.params"))
    have = mx.nd.load(str(tmp_path / "killed" / "end.params"))
    for name, array in wanted.items():
        np.testing.assert_array_equal(have[name].asnumpy(), array.asnumpy())


def test_wrong_arguments():
    net, loss = network(), gluon.loss.SoftmaxCELoss()
    estimator = make(net)
    for call, error, message in (
            (lambda: estimator.fit(loader()), ValueError, "either epochs or batches"),
            (lambda: estimator.fit(loader(), epochs=1, batches=1), ValueError, "either epochs or batches"),
            (lambda: estimator.fit(mx.io.NDArrayIter(X, Y, 8), epochs=1), ValueError, "must be a gluon.data.Data"),
            (lambda: estimator.evaluate([1]), ValueError, "must be a gluon.data.DataLoader"),
            (lambda: estimator.fit(loader(), epochs=1, event_handlers=[3]), ValueError, "event_handlers must be"),
            (lambda: estimator.fit(loader(), epochs=1, event_handlers=E.MetricHandler([mx.metric.Accuracy()])),
             ValueError, "which the estimator does not update"),
            (lambda: E.Estimator(net, "l2"), ValueError, "the loss must be"),
            (lambda: E.Estimator(net, loss, train_metrics="acc"), ValueError, "metrics must be"),
            (lambda: E.Estimator(net, loss, context="cpu"), ValueError, "context must be"),
            (lambda: E.Estimator(net, loss, trainer="sgd"), ValueError, "trainer must be"),
            (lambda: make(batch_processor=3), ValueError, "fit_batch and evaluate_batch"),
            (lambda: E.CheckpointHandler("x", save_best=True), ValueError, "monitor must be"),
            (lambda: E.EarlyStoppingHandler("acc"), ValueError, "monitor must be"),
            (lambda: E.LoggingHandler("batch"), ValueError, "log_interval must be")):
        with pytest.raises(error, match=message):
            call()
    with pytest.warns(UserWarning, match="initializer is ignored"):
        make(net, initializer=mx.init.One())

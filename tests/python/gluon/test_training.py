"""Training in one call: fit, evaluate, validate, predict."""
import gzip
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

import mxnet as mx
from mxnet import gluon, vision
from mxnet.gluon import nn

PROGRAM = """
import mxnet as mx
from mxnet import gluon, nd
net = gluon.nn.Sequential()
net.add(gluon.nn.Dense(2, activation='relu'))
net.add(gluon.nn.Dense(1, activation='sigmoid'))
loss_fn = gluon.loss.SigmoidBinaryCrossEntropyLoss()
optimizer = gluon.optimizer.SGD()
data_iter = mx.io.MXDataBatch((mx.nd.array([[1, 2], [2, 3]]), mx.nd.array([[0], [1]])))
for epoch in range(10):
    with optimizer.prepare(net):
        net.fit(data_iter, num_epochs=1)
    print(f"Epoch {epoch + 1}: Loss = {net.validate(data_iter)[0]}")
"""


def test_small_program():
    # From some starts a step over the corner of the rectifier raises the loss a little for once.
    seeded = "import mxnet as mx\nmx.random.seed(1)\n" + PROGRAM
    done = subprocess.run([sys.executable, "-c", seeded], capture_output=True, text=True, check=True)
    losses = [float(line.split("=")[1]) for line in done.stdout.splitlines() if line.startswith("Epoch ")]
    assert len(losses) == 10 and all(after < before for before, after in zip(losses, losses[1:]))


@pytest.mark.parametrize("seed", range(8))
def test_no_start_is_dead(seed):
    mx.random.seed(seed)
    net = nn.Sequential()
    net.add(nn.Dense(2, activation="relu"), nn.Dense(1, activation="sigmoid"))
    data = mx.io.MXDataBatch((mx.nd.array([[1, 2], [2, 3]]), mx.nd.array([[0], [1]])))
    history = net.fit(data, num_epochs=10, optimizer=gluon.optimizer.SGD(), verbose=False)
    assert all(after < before for before, after in zip(history["loss"], history["loss"][1:]))


def write_digits(folder, count, seed):
    """idx files of images whose class is the place of a bright bar."""
    random = np.random.RandomState(seed)
    labels = random.randint(0, 10, count).astype(np.uint8)
    images = random.randint(0, 60, (count, 28, 28)).astype(np.uint8)
    for image, label in zip(images, labels):
        image[2 * label + 3: 2 * label + 6, 4:24] += 150
    kind = "train" if seed == 0 else "t10k"
    with gzip.open(folder / f"{kind}-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">iiii", 0x803, count, 28, 28) + images.tobytes())
    with gzip.open(folder / f"{kind}-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">ii", 0x801, count) + labels.tobytes())
    return images, labels


def test_images_ready_for_a_network(tmp_path):
    images, labels = write_digits(tmp_path, 20, 0)
    data = vision.MNIST(str(tmp_path), train=True)
    image, label = data[3]
    assert image.shape == (1, 28, 28) and image.dtype == np.float32 and label == labels[3]
    np.testing.assert_allclose(image[0].asnumpy(), images[3] / 255, rtol=1e-6)
    batch, batch_labels = data.take_batch([3, 5])
    np.testing.assert_array_equal(batch[0].asnumpy(), image.asnumpy())
    assert batch_labels.asnumpy().tolist() == labels[[3, 5]].tolist()
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"\x1f\x8bdamaged")
    with pytest.raises(ValueError, match="damaged gzip file"):
        vision.MNIST(str(tmp_path))


@pytest.mark.parametrize("loss_fn", [None, gluon.loss.SoftmaxCrossEntropyLoss()])
@pytest.mark.filterwarnings("ignore:fit. the network ends with softmax")
def test_convolutional_network(tmp_path, loss_fn):
    mx.random.seed(0)
    np.random.seed(0)
    write_digits(tmp_path, 400, 0)
    write_digits(tmp_path, 100, 1)
    train_data, test_data = vision.MNIST(str(tmp_path), train=True), vision.MNIST(str(tmp_path), train=False)
    net = nn.Sequential()
    net.add(nn.Conv2D(8, 3, activation="relu"), nn.MaxPool2D(), nn.Conv2D(8, 3, activation="relu"), nn.MaxPool2D(),
            nn.Dense(10, activation="softmax"))
    history = net.fit(train_data, num_epochs=4, loss_fn=loss_fn, optimizer=gluon.optimizer.Adam(learning_rate=0.01),
                      validation_data=test_data, verbose=False)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"] and len(history["val_loss"]) == 4
    scores = net.evaluate(test_data)
    assert scores[0] > 0.9 and scores.names == ["accuracy"] and scores[0] == history["val_accuracy"][-1]
    assert net.validate(test_data).names == ["loss", "accuracy"]
    out = net.predict(test_data)
    assert out.shape == (100, 10)
    np.testing.assert_allclose(out.sum(axis=1).asnumpy(), np.ones(100), rtol=1e-5)


DIGITS = pathlib.Path(__file__).parents[3] / "examples" / "data" / "mnist"


@pytest.mark.filterwarnings("ignore:fit. the network ends with softmax")
def test_digits():
    """The digits in the repository, a few of them, learned by two convolutions and one dense layer."""
    mx.random.seed(0)
    np.random.seed(0)
    train_data = vision.MNIST(str(DIGITS), train=True).take(1500)
    test_data = vision.MNIST(str(DIGITS), train=False).take(300)
    net = gluon.nn.Sequential()
    net.add(gluon.nn.Conv2D(32, 3, activation="relu"), gluon.nn.Conv2D(64, 3, activation="relu"),
            gluon.nn.Dense(10, activation="softmax"))
    loss_fn, optimizer = gluon.loss.SoftmaxCrossEntropyLoss(), gluon.optimizer.Adam()
    history = net.fit(train_data, num_epochs=1, loss_fn=loss_fn, optimizer=optimizer, verbose=False)
    assert history["loss"][0] < 1.0
    assert net.evaluate(test_data)[0] > 0.8


X = np.random.RandomState(0).standard_normal((60, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32") + 0.3


def sources():
    x, y = mx.nd.array(X), mx.nd.array(Y)
    data = gluon.data.ArrayDataset(x, y)
    return {"arrays": (x, y), "numpy": (X, Y.astype("float64")), "dataset": data,
            "loader": gluon.data.DataLoader(data, 16),
            "threads": gluon.data.DataLoader(data, 16, num_workers=2), "iterator": mx.io.NDArrayIter(X, Y, 16),
            "transformed": data.transform(lambda a, b: (a * 1.0, b)), "batch": mx.io.MXDataBatch((x, y))}


@pytest.mark.parametrize("kind", list(sources()))
def test_sources(kind):
    mx.random.seed(1)
    data = sources()[kind]
    net = nn.Dense(1)
    optimizer = gluon.optimizer.SGD(learning_rate=0.1, momentum=0.5)
    history = net.fit(data, num_epochs=60, optimizer=optimizer, verbose=False)
    assert history["loss"][-1] < 0.01 and list(history) == ["loss", "mse"]
    assert net.evaluate(data)[0] == pytest.approx(2 * net.validate(data)[0], rel=1e-4)
    out = net.predict(data)
    assert out.shape == (60, 1)
    np.testing.assert_allclose(net.predict(mx.nd.array(X), batch_size=7).asnumpy(), out.asnumpy(), rtol=1e-5)


def test_several_inputs():
    class Sum(gluon.Block):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Dense(1), nn.Dense(1)

        def forward(self, a, b):
            return self.first(a) + self.second(b)
    net = Sum()
    net.fit((X[:, :1], X[:, 1:], Y), num_epochs=40, optimizer=gluon.optimizer.SGD(learning_rate=0.2), verbose=False)
    assert net.validate((X[:, :1], X[:, 1:], Y))[0] < 0.05


def test_optimizer_goes_on_where_it_was():
    def train(calls, epochs):
        mx.random.seed(2)
        net = nn.Dense(1, in_units=3)
        net.initialize()
        optimizer = gluon.optimizer.Adam(learning_rate=0.1)
        for _ in range(calls):
            with optimizer.prepare(net):
                net.fit((X, Y), num_epochs=epochs, shuffle=False, verbose=False)
        return net.weight.data().asnumpy()
    np.testing.assert_array_equal(train(4, 1), train(1, 4))


def test_loss_follows_from_the_last_activation():
    label = (Y > 0).astype("float32")
    binary = nn.Dense(1, activation="sigmoid")
    binary.fit((X, label), num_epochs=30, optimizer=gluon.optimizer.Adam(learning_rate=0.1), verbose=False)
    p = binary.predict(X).asnumpy()
    wanted = -(label * np.log(p) + (1 - label) * np.log(1 - p)).mean()
    assert binary.validate((X, label))[0] == pytest.approx(wanted, rel=1e-4)
    assert binary.evaluate((X, label))[0] == pytest.approx(((p > 0.5) == (label > 0.5)).mean()) and p.shape == (60, 1)

    classes = nn.HybridSequential()
    classes.add(nn.Dense(2), nn.Activation("softmax"))
    for wanted_label in (label.ravel(), np.concatenate([1 - label, label], axis=1)):
        classes.fit((X, wanted_label), num_epochs=20, optimizer=gluon.optimizer.Adam(learning_rate=0.1), verbose=False)
        p = classes.predict(X).asnumpy()
        assert classes.validate((X, wanted_label))[0] == pytest.approx(
            -np.log(np.where(label.ravel() > 0, p[:, 1], p[:, 0])).mean(), rel=1e-4)
        assert classes.evaluate((X, wanted_label))[0] > 0.9

    with pytest.warns(UserWarning, match="SigmoidBinaryCrossEntropyLoss applies by itself; it is applied only once"):
        binary.fit((X, label), loss_fn=gluon.loss.SigmoidBinaryCrossEntropyLoss(), verbose=False)


def test_several_contexts():
    net = nn.Dense(1, in_units=3)
    net.initialize(ctx=[mx.cpu(0), mx.cpu(1)])
    net.fit((X, Y), num_epochs=40, optimizer=gluon.optimizer.SGD(learning_rate=0.1), batch_size=59, verbose=False)
    net.fit((X, Y), num_epochs=40, optimizer=gluon.optimizer.SGD(learning_rate=0.1), batch_size=15, verbose=False)
    assert net.validate((X, Y))[0] < 0.01


def test_lines_and_plot(capsys, tmp_path):
    net = nn.Dense(1)
    history = net.fit((X, Y), num_epochs=2, metrics=["mae", "rmse"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("epoch 1/2: loss=") and "mae=" in lines[0]
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    axes = history.plot("loss", "mae")
    assert [line.get_label() for line in axes.get_lines()] == ["loss", "mae"]
    with pytest.raises(ValueError, match="no 'accuracy'; there are loss, mae, rmse"):
        history.plot("accuracy")


def weights(net):
    return [param.data().asnumpy() for param in net.collect_params().values()]


def wrong_calls():
    label = np.zeros(60, "float32")
    nan = X.copy()
    nan[5] = np.nan
    other = nn.Dense(1, in_units=3)
    other.initialize()
    foreign = gluon.Trainer(other.collect_params(), "sgd")
    return {
        "shape": ({"data": (X[:, :2], label)}, ValueError, r"layer .*dense\d+ \(Dense.*\(60, 2\)|layer .*\(32, 2\)"),
        "label": ({"data": (X, label + 4)}, ValueError, "label 4 is out of range for 4 classes"),
        "negative": ({"data": (X, label - 1)}, ValueError, "label -1 is out of range"),
        "nan label": ({"data": (X, label * np.nan)}, ValueError, "label nan is out of range for 4 classes"),
        "nan": ({"data": (nan, label), "shuffle": False, "batch_size": 2}, mx.MXNetError,
                "the loss is nan at step 3 of epoch 1"),
        "empty": ({"data": (X[:0], label[:0])}, ValueError, "the data set is empty"),
        "lengths": ({"data": (X, label[:4])}, ValueError, r"different numbers of samples: \[60, 4\]"),
        "data": ({"data": 7}, TypeError, "got int"),
        "one array": ({"data": X}, ValueError, "data and labels"),
        "optimizer": ({"data": (X, label), "optimizer": 3}, TypeError, "optimizer must be"),
        "unknown optimizer": ({"data": (X, label), "optimizer": "gradient"}, ValueError, "no optimizer 'gradient'"),
        "trainer": ({"data": (X, label), "optimizer": foreign}, ValueError, "another network"),
        "loss": ({"data": (X, label), "loss_fn": "l2"}, TypeError, "loss_fn must be a loss"),
        "loss shape": ({"data": (X, X), "loss_fn": gluon.loss.L2Loss()}, ValueError,
                       r"loss L2Loss does not fit predictions of shape \(32, 4\) and labels of shape \(32, 3\)"),
        "epochs": ({"data": (X, label), "num_epochs": 0}, ValueError, "num_epochs must be at least 1"),
        "batch size": ({"data": (X, label), "batch_size": 0}, ValueError, "batch_size must be at least 1"),
        "metric": ({"data": (X, label), "metrics": "goodness"}, AssertionError, "goodness is not"),
    }


@pytest.mark.parametrize("name", list(wrong_calls()))
def test_wrong_calls_leave_the_parameters(name):
    arguments, error, message = wrong_calls()[name]
    net = nn.HybridSequential()
    net.add(nn.Dense(5, activation="relu", in_units=3), nn.Dense(4, activation="softmax"))
    net.initialize()
    net(mx.nd.array(X))
    before = weights(net)
    with pytest.raises(error, match=message):
        net.fit(verbose=False, **arguments)
    for array, wanted in zip(weights(net), before):
        np.testing.assert_array_equal(array, wanted)
    net.fit((X, np.zeros(60, "float32")), verbose=False)


@pytest.mark.parametrize("make, shape, wanted", [
    (lambda: nn.Dense(5, in_units=3, prefix="bad_"), (2,), [r"\(32, 2\)", r"\(5, 3\)"]),
    (lambda: nn.Dense(5, in_units=3, flatten=False, prefix="bad_"), (4, 2), [r"\(32, 4, 2\)", r"\(5, 3\)"]),
    (lambda: nn.Conv2D(4, 3, in_channels=1, prefix="bad_"), (2, 8, 8), [r"\(32, 2, 8, 8\)", r"\(4, 1, 3, 3\)"]),
    (lambda: nn.Conv2D(4, 3, prefix="bad_"), (8, 8), [r"\(32, 8, 8\)"]),
    (lambda: nn.Conv2D(4, 3, in_channels=1, prefix="bad_"), (1, 2, 8), [r"\(32, 1, 2, 8\)", r"\(3, 3\)"]),
    (lambda: nn.MaxPool2D(9, prefix="bad_"), (1, 8, 8), [r"\(32, 1, 8, 8\)", r"\(9, 9\)"]),
    (lambda: nn.BatchNorm(in_channels=3, prefix="bad_"), (4, 5), [r"\(32, 4, 5\)", r"\(3,\)"]),
    (lambda: nn.LayerNorm(in_channels=3, prefix="bad_"), (4,), [r"\(32, 4\)", r"\(3,\)"]),
    (lambda: gluon.rnn.GRU(4, input_size=3, layout="NTC", prefix="bad_"), (6, 5), [r"\(32, 6, 5\)", r"\(12, 3\)"]),
])
@pytest.mark.parametrize("hybrid", [False, True])
def test_shapes_that_do_not_fit_a_layer(make, shape, wanted, hybrid):
    net = nn.HybridSequential()
    net.add(nn.HybridLambda(lambda F, x: x * 1), make(), nn.Dense(2))
    if hybrid:
        net.hybridize()
    net.initialize()
    before = {p: p.data().asnumpy() for p in net.collect_params().values() if p._data is not None}
    with pytest.raises(ValueError) as caught:
        net.fit((mx.nd.ones((32, *shape)), mx.nd.zeros(32)), loss_fn=gluon.loss.SoftmaxCELoss(), verbose=False)
    message = str(caught.value)
    assert "layer bad" in message and "\n" not in message
    for pattern in wanted:
        assert re.search(pattern, message), (pattern, message)
    for param, value in before.items():
        np.testing.assert_array_equal(param.data().asnumpy(), value)


def empty_sources():
    none = gluon.data.ArrayDataset(mx.nd.ones((0, 3)), mx.nd.ones((0,)))
    few = gluon.data.ArrayDataset(mx.nd.ones((5, 3)), mx.nd.ones((5,)))
    return {"arrays": (X[:0], Y[:0]), "dataset": none, "filtered": gluon.data.SimpleDataset([(1, 2)]).filter(
                lambda pair: False), "loader": gluon.data.DataLoader(none, 4), "list": gluon.data.SimpleDataset([]),
            "discarding loader": gluon.data.DataLoader(few, 8, last_batch="discard")}


@pytest.mark.parametrize("kind", list(empty_sources()))
@pytest.mark.parametrize("method", ["fit", "evaluate", "validate", "predict"])
def test_empty_sources(kind, method):
    net = nn.Dense(2, in_units=3)
    net.initialize()
    before = weights(net)
    with pytest.raises(ValueError, match=f"{method}: the data set is empty"):
        getattr(net, method)(empty_sources()[kind], **({"verbose": False} if method == "fit" else {}))
    for array, wanted in zip(weights(net), before):
        np.testing.assert_array_equal(array, wanted)


def test_loss_that_is_not_a_number_names_the_step():
    x, y = X.copy(), Y.copy()
    net = nn.Dense(1, in_units=3)
    net.initialize()
    before = weights(net)
    y[37] = np.inf
    for hybrid in (False, True):
        net.hybridize(hybrid)
        with pytest.raises(mx.MXNetError, match="the loss is inf at step 4 of epoch 1"):
            net.fit((x, y), batch_size=10, shuffle=False, verbose=False)
        for array, wanted in zip(weights(net), before):
            np.testing.assert_array_equal(array, wanted)
    # A learning rate that is too large: the loss is finite in the first epochs.
    with pytest.raises(mx.MXNetError, match=r"the loss is (inf|nan) at step \d of epoch [2-9]"):
        net.fit((X, Y), num_epochs=9, batch_size=10, optimizer=gluon.optimizer.SGD(learning_rate=1e3), verbose=False)
    for array, wanted in zip(weights(net), before):
        np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("wrong", ["data", "label"])
def test_momenta_stay_as_they_were_before_a_wrong_batch(wrong):
    net = nn.HybridSequential()
    net.add(nn.Dense(4, in_units=3))
    net.initialize()
    data, label = np.ones((8, 3), "float32"), np.array([0, 1, 2, 3] * 2, "float32")
    options = {"num_epochs": 1, "loss_fn": gluon.loss.SoftmaxCrossEntropyLoss(), "batch_size": 2, "shuffle": False,
               "verbose": False}
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.1, "momentum": 0.9})
    (data[6] if wrong == "data" else label[6:])[:] = np.nan
    with pytest.raises((mx.MXNetError, ValueError)):
        net.fit((data, label), optimizer=trainer, **options)
    states = trainer._updaters[0].states
    assert len(states) == 2 and all(np.isfinite(state.asnumpy()).all() for state in states.values())


def test_update_is_part_of_the_compiled_step(monkeypatch):
    seen = []
    monkeypatch.setattr(gluon.Trainer, "step", lambda self, size, run=gluon.Trainer.step: [seen.append(size),
                                                                                          run(self, size)])
    data, label = np.ones((8, 3), "float32"), np.array([0, 1, 2, 3] * 2, "float32")

    class Watch(gluon.contrib.estimator.BatchEnd):
        priority = -3000  # between backward and update

        def batch_end(self, estimator, *args, **kwargs):
            seen.append("watched")
    params = []
    for handlers, wanted in ((None, [2]), ([Watch()], ["watched", 2] * 4)):
        seen.clear()
        net = nn.HybridSequential()
        net.add(nn.Dense(4, in_units=3))
        net.initialize(mx.init.One())
        net.fit((data, label), loss_fn=gluon.loss.SoftmaxCrossEntropyLoss(), batch_size=2, shuffle=False, verbose=False,
                event_handlers=handlers)
        assert seen == wanted
        params.append(net[0].weight.data().asnumpy())
    np.testing.assert_allclose(*params, rtol=1e-5)


def test_wrong_binary_label_and_prepare():
    net = nn.Dense(1, activation="sigmoid")
    with pytest.raises(ValueError, match="label 2 is out of range for a binary cross-entropy, whose labels are from 0"):
        net.fit((X, Y * 0 + 2), verbose=False)
    with pytest.raises(TypeError, match="expected a Block, got int"):
        with gluon.optimizer.SGD().prepare(3):
            pass
    with pytest.raises(TypeError, match="a tuple of two NDArrays"):
        mx.io.MXDataBatch(mx.nd.ones((2, 2)))
    with pytest.raises(ValueError, match="different numbers of samples"):
        mx.io.MXDataBatch((mx.nd.ones((2, 2)), mx.nd.ones((3,))))


KILLED = """
import json, sys, time
import numpy as np, mxnet as mx
from mxnet import gluon
from mxnet.gluon.contrib.estimator import BatchEnd, EarlyStoppingHandler
mx.random.seed(5); np.random.seed(5)
x = np.random.rand(60, 4).astype("float32"); y = (x.sum(axis=1) > 2).astype("float32")
net = gluon.nn.HybridSequential()
net.add(gluon.nn.Dense(8, activation="relu"), gluon.nn.Dropout(0.3), gluon.nn.Dense(2, activation="softmax"))
class Slow(BatchEnd):
    def batch_end(self, *args, **kwargs):
        time.sleep(float(sys.argv[2]))
accuracy = mx.metric.create(lambda label, pred: float((pred.argmax(axis=1) == label).mean()), name="hits")
history = net.fit((x, y), num_epochs=60, optimizer=gluon.optimizer.Adam(learning_rate=0.02), metrics=accuracy,
                  validation_data=(x, y), batch_size=16, checkpoint=sys.argv[1], resume=True, verbose=False,
                  event_handlers=[EarlyStoppingHandler(accuracy, patience=6, mode="max"), Slow()])
net.save_parameters(sys.argv[1] + "/end.params")
with open(sys.argv[1] + "/history.json", "w") as file:
    json.dump(history, file)
"""


def test_killed_at_any_moment(tmp_path):
    def start(folder, pause):
        return subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / folder), str(pause)])

    def checkpoints():
        return set(os.listdir(tmp_path / "killed")) if (tmp_path / "killed").exists() else set()
    assert start("whole", 0).wait() == 0
    kills, deadline = 0, time.time() + 120
    while kills < 4 and time.time() < deadline:
        before, process = checkpoints(), start("killed", 0.01)
        while checkpoints() == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.1))
        process.kill()
        kills += process.wait() != 0
    assert start("killed", 0).wait() == 0
    wanted, have = (json.loads((tmp_path / folder / "history.json").read_text()) for folder in ("whole", "killed"))
    assert have == wanted and 10 < len(have["loss"]) < 60
    wanted, have = (mx.nd.load(str(tmp_path / folder / "end.params")) for folder in ("whole", "killed"))
    for name, array in wanted.items():
        np.testing.assert_array_equal(have[name].asnumpy(), array.asnumpy())
    # A training that has come to its end does not go on.
    assert start("killed", 0).wait() == 0
    again = mx.nd.load(str(tmp_path / "killed" / "end.params"))
    assert all((again[name].asnumpy() == array.asnumpy()).all() for name, array in wanted.items())


def test_checkpoint_of_another_network(tmp_path):
    nn.Dense(4).fit((X, X[:, :2] @ np.ones((2, 4), "float32")), checkpoint=tmp_path, verbose=False)
    for other in (nn.Dense(2), nn.Dense(4, use_bias=False), nn.Sequential()):
        if isinstance(other, nn.Sequential):
            other.add(nn.Dense(3), nn.Dense(4))
        other.initialize()
        other(mx.nd.array(X))
        before = weights(other)
        with pytest.raises((AssertionError, ValueError), match="parameters do not match|has shape"):
            other.fit((X, np.zeros((60, other(mx.nd.array(X)).shape[1]), "float32")), num_epochs=3,
                      checkpoint=tmp_path, resume=True, verbose=False)
        for array, wanted in zip(weights(other), before):
            np.testing.assert_array_equal(array, wanted)


def test_linalg_dot():
    a, b = mx.nd.array([[1, 2], [3, 4]]), mx.nd.array([[1, 0], [0, 2]])
    np.testing.assert_array_equal(mx.nd.linalg.dot(a, b).asnumpy(), [[1, 4], [3, 8]])


def test_random_state():
    mx.random.seed(3)
    mx.nd.random.uniform(shape=(5,)).wait_to_read()
    state = mx.random.get_state()
    wanted = mx.nd.random.uniform(shape=(5,)).asnumpy()
    mx.random.seed(4)
    mx.random.set_state(state)
    np.testing.assert_array_equal(mx.nd.random.uniform(shape=(5,)).asnumpy(), wanted)
    with pytest.raises(ValueError, match="not a state"):
        mx.random.set_state(("a", 1))

"""The trainer, and helpers around it."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn


def one_layer(ctx=None, **kwargs):
    net = nn.Dense(1, in_units=2, use_bias=False, weight_initializer="ones", **kwargs)
    net.initialize(ctx=ctx)
    return net


def backward(net, x):
    with mx.autograd.record():
        loss = net(x).sum()
    loss.backward()


def test_step_divides_by_the_batch_size():
    net = one_layer()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    backward(net, mx.nd.array([[1.0, 2.0], [3.0, 4.0]]))
    trainer.step(2)
    np.testing.assert_allclose(net.weight.data().asnumpy(), [[1 - 0.5 * 4 / 2, 1 - 0.5 * 6 / 2]])


def test_network_learns():
    mx.random.seed(1)
    np.random.seed(1)
    x = np.random.randn(64, 3).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], dtype="float32") + 3
    for name in ("sgd", "adam", "nag"):
        net = nn.Dense(1)
        net.initialize()
        data, target = mx.nd.array(x), mx.nd.array(y)
        net(data)
        trainer = gluon.Trainer(net.collect_params(), name, {"learning_rate": 0.3})
        loss_of = gluon.loss.L2Loss()
        for _ in range(100):
            with mx.autograd.record():
                loss = loss_of(net(data), target)
            loss.backward()
            trainer.step(64)
        assert loss.mean().asscalar() < 1e-3, name


def test_parameters_in_order_of_their_names():
    net = nn.HybridSequential(prefix="n_")
    with net.name_scope():
        net.add(nn.Dense(1, in_units=1), nn.Dense(1, in_units=1))
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd")
    assert [p.name for p in trainer._params] == ["n_dense0_bias", "n_dense0_weight", "n_dense1_bias", "n_dense1_weight"]


def test_stale_gradients():
    used, unused = one_layer(), one_layer()
    trainer = gluon.Trainer([used.weight, unused.weight], "sgd", {"learning_rate": 1.0})
    backward(used, mx.nd.ones((1, 2)))
    with pytest.raises(UserWarning, match=f"gradient of parameter '{unused.weight.name}'.* is not new"):
        trainer.step(1)
    trainer.step(1, ignore_stale_grad=True)
    assert used.weight.data().asnumpy().tolist() == [[0, 0]]
    assert unused.weight.data().asnumpy().tolist() == [[1, 1]]
    with pytest.raises(UserWarning):
        trainer.step(1)


def test_frozen_parameters_stay():
    net = nn.Dense(1, in_units=2)
    net.initialize("ones")
    net.weight.grad_req = "null"
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0})
    backward(net, mx.nd.ones((1, 2)))
    trainer.step(1)
    assert net.weight.data().asnumpy().tolist() == [[1, 1]]
    assert net.bias.data().asnumpy().tolist() == [-1]


def test_multipliers():
    net = one_layer()
    net.weight.lr_mult = 0.5
    net.weight.wd_mult = 0.0
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0, "wd": 1.0})
    backward(net, mx.nd.ones((1, 2)))
    trainer.step(1)
    assert net.weight.data().asnumpy().tolist() == [[0.5, 0.5]]


def test_learning_rate():
    net = one_layer()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.5})
    trainer.set_learning_rate(0.25)
    assert trainer.learning_rate == 0.25
    assert trainer.optimizer.learning_rate == 0.25
    schedule = mx.lr_scheduler.FactorScheduler(1, 0.5, base_lr=1.0)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": schedule})
    for _ in range(3):
        backward(net, mx.nd.ones((1, 2)))
        trainer.step(1)
    assert trainer.learning_rate == 0.25
    with pytest.raises(UserWarning):
        trainer.set_learning_rate(1)


def test_several_contexts_add_up():
    contexts = [mx.cpu(0), mx.cpu(1)]
    net = one_layer(contexts)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0, "momentum": 0.5})
    for _ in range(2):
        parts = gluon.utils.split_and_load(mx.nd.array([[1.0, 2.0], [3.0, 4.0]]), contexts)
        with mx.autograd.record():
            losses = [net(part).sum() for part in parts]
        for loss in losses:
            loss.backward()
        trainer.step(2)
    for array in net.weight.list_data():
        np.testing.assert_allclose(array.asnumpy(), [[1 - 2 - 3, 1 - 3 - 4.5]])


COMPRESSED = {"type": "2bit", "threshold": 0.5}

# As in 1.9.1: number of contexts, arguments; is there a store, who updates, weights after 1 and 2 steps, gradients.
STORES = [
    (1, {}, None, None, [0.9], [0.71], [1]),
    (1, {"kvstore": mx.kv.create("device")}, "device", True, [0.9], [0.71], [1]),
    (1, {"kvstore": mx.kv.create("teststore")}, "teststore", False, [0.9], [0.71], [1]),
    (1, {"compression_params": COMPRESSED}, None, None, [0.9], [0.71], [1]),
    (2, {}, "device", True, [0.7, 0.7], [0.13, 0.13], [1, 2]),
    (2, {"kvstore": "local"}, "local", True, [0.7, 0.7], [0.13, 0.13], [1, 2]),
    (2, {"kvstore": None}, None, None, [0.9, 0.8], [0.71, 0.42], [1, 2]),
    (2, {"update_on_kvstore": False}, "device", False, [0.7, 0.7], [0.13, 0.13], [3, 3]),
    (2, {"update_on_kvstore": True}, "device", True, [0.7, 0.7], [0.13, 0.13], [1, 2]),
    (2, {"kvstore": "teststore"}, "teststore", False, [0.7, 0.7], [0.13, 0.13], [3, 3]),
    (2, {"compression_params": COMPRESSED}, "device", True, [0.9, 0.9], [0.71, 0.71], [1, 2]),
]


def one_parameter(contexts, **kwargs):
    param = gluon.Parameter("w", shape=(3,))
    param.initialize("ones", ctx=[mx.cpu(i) for i in range(contexts)])
    return param, gluon.Trainer([param], "sgd", {"learning_rate": 0.1, "momentum": 0.9}, **kwargs)


def run_step(param, trainer):
    """A step with gradient 1 on the first context, 2 on the second."""
    with mx.autograd.record():
        losses = [(array * (i + 1)).sum() for i, array in enumerate(param.list_data())]
    mx.autograd.backward(losses)
    trainer.step(1)
    return [float(array[0].asscalar()) for array in param.list_data()]


@pytest.mark.parametrize("contexts, kwargs, kind, on_store, first, second, grads", STORES)
def test_stores(contexts, kwargs, kind, on_store, first, second, grads):
    param, trainer = one_parameter(contexts, **kwargs)
    assert trainer._kvstore is None and trainer._update_on_kvstore is None
    assert run_step(param, trainer) == pytest.approx(first)
    assert (trainer._kvstore and trainer._kvstore.type, trainer._update_on_kvstore) == (kind, on_store)
    assert [float(array[0].asscalar()) for array in param.list_grad()] == grads
    assert run_step(param, trainer) == pytest.approx(second)


def test_weights_set_by_hand_reach_the_store():
    param, trainer = one_parameter(2)
    run_step(param, trainer)
    param.set_data(mx.nd.zeros((3,)))
    assert trainer._kvstore is None and trainer._kv_initialized is False
    assert run_step(param, trainer) == pytest.approx([-0.3, -0.3])
    param, trainer = one_parameter(2, kvstore=mx.kv.create("device"))
    run_step(param, trainer)
    param.set_data(mx.nd.zeros((3,)))
    assert run_step(param, trainer) == pytest.approx([-0.57, -0.57])


def test_store_that_updates(tmp_path, monkeypatch):
    path = str(tmp_path / "states")
    param, trainer = one_parameter(2)
    for method in (trainer.allreduce_grads, lambda: trainer.update(1)):
        with pytest.raises(AssertionError, match="update_on_kvstore=False"):
            method()
    run_step(param, trainer)
    trainer.save_states(path)
    trainer.set_learning_rate(0.5)
    assert trainer.learning_rate == 0.5
    changed = run_step(param, trainer)
    trainer.load_states(path)
    assert trainer.learning_rate == trainer.optimizer.lr == 0.1
    assert run_step(param, trainer)[0] == pytest.approx(changed[0] - 0.1 * 3 - 0.9 * 0.3)
    monkeypatch.setenv("MXNET_UPDATE_ON_KVSTORE", "0")
    param, trainer = one_parameter(2)
    run_step(param, trainer)
    assert trainer._update_on_kvstore is False
    with pytest.raises(UserWarning, match="on context cpu\\(0\\) is not new"):
        trainer.step(1)
    before = param.list_data()[0].asnumpy()
    trainer.step(1, ignore_stale_grad=True)
    np.testing.assert_array_equal(param.list_data()[0].asnumpy(), before)


def test_added_gradients():
    param = gluon.Parameter("w", shape=(2,), grad_req="add")
    param.initialize("zeros")
    trainer = gluon.Trainer([param], "sgd", {"learning_rate": 1.0})
    for total in (-2, -4 - 2):
        for _ in range(2 if total == -2 else 1):
            with mx.autograd.record():
                loss = param.data().sum() * (1 if total == -2 else 2)
            loss.backward()
        trainer.step(1)
        np.testing.assert_array_equal(param.data().asnumpy(), [total] * 2)
    param.zero_grad()
    np.testing.assert_array_equal(param.grad().asnumpy(), [0, 0])


def test_gradients_changed_before_the_update():
    net = one_layer()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0})
    backward(net, mx.nd.array([[30.0, 40.0]]))
    trainer.allreduce_grads()
    assert gluon.utils.clip_global_norm([net.weight.grad()], 5.0) == pytest.approx(50.0)
    trainer.update(1)
    np.testing.assert_allclose(net.weight.data().asnumpy(), [[1 - 3.0, 1 - 4.0]], rtol=1e-5)


def test_states(tmp_path):
    path = str(tmp_path / "trainer.states")

    def run(trainer, net, steps):
        for _ in range(steps):
            backward(net, mx.nd.ones((1, 2)))
            trainer.step(1)
    net = one_layer()
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.1})
    run(trainer, net, 3)
    trainer.save_states(path)
    saved = net.weight.data().copy()
    run(trainer, net, 3)
    other = one_layer()
    other.weight.set_data(saved)
    resumed = gluon.Trainer(other.collect_params(), "adam", {"learning_rate": 0.7})
    resumed.load_states(path)
    run(resumed, other, 3)
    assert (other.weight.data().asnumpy() == net.weight.data().asnumpy()).all()
    with open(path, "wb") as file:
        file.write(b"not states")
    with pytest.raises(ValueError, match="trainer.states': these are not the states of an optimizer"):
        resumed.load_states(path)


def test_wrong_arguments():
    net = one_layer()
    with pytest.raises(ValueError, match="must be a list or dict of Parameters"):
        gluon.Trainer(net, "sgd")
    with pytest.raises(ValueError, match="a list with <class 'int'>"):
        gluon.Trainer([1], "sgd")
    with pytest.raises(ValueError, match="there is no optimizer 'foo'"):
        gluon.Trainer(net.collect_params(), "foo")
    with pytest.raises(AssertionError, match="optimizer_params must be None"):
        gluon.Trainer(net.collect_params(), mx.optimizer.SGD(), {"learning_rate": 1})
    with pytest.raises(RuntimeError, match="has not been initialized"):
        gluon.Trainer(nn.Dense(1, in_units=1).collect_params(), "sgd")
    with pytest.raises(mx.MXNetError, match="several machines"):
        gluon.Trainer(net.collect_params(), "sgd", kvstore="dist_sync").step(1)
    with pytest.raises(TypeError, match="kvstore must be a str or a KVStoreBase, got int"):
        gluon.Trainer(net.collect_params(), "sgd", kvstore=3).step(1)
    with pytest.raises(ValueError, match="update_on_kvstore=True needs a store"):
        gluon.Trainer(net.collect_params(), "sgd", update_on_kvstore=True).step(1)
    elsewhere = one_layer([mx.cpu(1)])
    with pytest.raises(AssertionError, match="must be on the same contexts"):
        gluon.Trainer([net.weight, elsewhere.weight], "sgd")


def test_split_data():
    x = mx.nd.arange(10).reshape((5, 2))
    parts = gluon.utils.split_data(mx.nd.arange(11), 4, even_split=False)
    assert [p.shape[0] for p in parts] == [3, 3, 3, 2]
    assert [p.shape for p in gluon.utils.split_data(x, 2, batch_axis=1)] == [(5, 1), (5, 1)]
    with pytest.raises(ValueError, match="does not divide evenly into 2 parts"):
        gluon.utils.split_data(x, 2)
    with pytest.raises(ValueError, match="into 6 parts"):
        gluon.utils.split_data(x, 6)
    parts = gluon.utils.split_and_load(np.ones((4, 2)), [mx.cpu(0), mx.cpu(1)])
    assert [part.context for part in parts] == [mx.cpu(0), mx.cpu(1)]


def test_clip_global_norm():
    arrays = [mx.nd.array([3.0]), mx.nd.array([[4.0, 0.0]])]
    assert gluon.utils.clip_global_norm(arrays, 10.0) == 5.0
    assert arrays[0].asscalar() == 3.0
    lazy = gluon.utils.clip_global_norm(arrays, 1.0, check_isfinite=False)
    assert lazy.shape == (1,) and lazy.asscalar() == 5.0
    np.testing.assert_allclose(arrays[1].asnumpy(), [[0.8, 0.0]], rtol=1e-6)
    with pytest.warns(UserWarning, match="the norm is nan"):
        gluon.utils.clip_global_norm([mx.nd.array([np.nan])], 1.0)
    with pytest.raises(AssertionError, match="no arrays"):
        gluon.utils.clip_global_norm([], 1.0)


def test_download(tmp_path):
    source = tmp_path / "source.txt"
    source.write_bytes(b"hello")
    url, sha1 = source.as_uri(), "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
    path = gluon.utils.download(url, path=str(tmp_path / "deep" / "copy.txt"), sha1_hash=sha1)
    assert open(path, "rb").read() == b"hello"
    assert gluon.utils.check_sha1(path, sha1) and not gluon.utils.check_sha1(path, "0" * 40)
    (tmp_path / "there").mkdir()
    assert gluon.utils.download(url, path=str(tmp_path / "there")).endswith("there/source.txt")
    with pytest.raises(RuntimeError, match="does not have the SHA-1"):
        gluon.utils.download(url, path=str(tmp_path / "bad.txt"), sha1_hash="0" * 40, retries=0)
    with pytest.raises(RuntimeError, match="could not be fetched"):
        gluon.utils.download((tmp_path / "missing").as_uri(), path=str(tmp_path / "none.txt"), retries=0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deep", "source.txt", "there"]


@pytest.mark.parametrize("store", [False, True])
def test_a_stale_gradient_is_told_before_anything_changes(store):
    contexts = [mx.cpu(0), mx.cpu(1)]
    net = nn.HybridSequential()
    net.add(nn.Dense(2, in_units=3), nn.Dense(1, in_units=2))
    net.initialize(ctx=contexts)
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 1.0}, update_on_kvstore=store)
    with mx.autograd.record():
        losses = [net[0](mx.nd.ones((2, 3), ctx=ctx)).sum() for ctx in contexts]
    mx.autograd.backward(losses)
    before = net[0].weight.data(contexts[0]).asnumpy()
    with pytest.raises(UserWarning, match="gradient of parameter 'dense.*' on context cpu.0. is not new"):
        trainer.step(1)
    np.testing.assert_array_equal(net[0].weight.data(contexts[0]).asnumpy(), before)
    trainer.step(1, ignore_stale_grad=True)
    assert (net[0].weight.data(contexts[1]).asnumpy() != before).all()


def test_split_data_of_numpy():
    parts = gluon.utils.split_data(np.arange(6).reshape(2, 3), 3, batch_axis=1)
    assert [type(part) for part in parts] == [np.ndarray] * 3 and parts[2].tolist() == [[2], [5]]


@pytest.mark.parametrize("contexts", [1, 2])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "nag", "rmsprop", "lamb"])
def test_states_of_another_network_are_refused(tmp_path, contexts, optimizer):
    path = str(tmp_path / "trainer.states")
    ctx = [mx.cpu(i) for i in range(contexts)]
    momentum = {"momentum": 0.9} if optimizer == "nag" else {}

    def make(*layers):
        net = nn.HybridSequential()
        net.add(*layers)
        net.initialize(mx.init.One(), ctx=ctx)
        return net, gluon.Trainer(net.collect_params(), optimizer, {"learning_rate": 0.1, **momentum})

    def run(net, trainer):
        with mx.autograd.record():
            losses = [net(mx.nd.ones((1, 2), ctx=c)).sum() for c in ctx]
        mx.autograd.backward(losses)
        trainer.step(1)

    net, trainer = make(nn.Dense(3, in_units=2), nn.Dense(1, in_units=3))
    run(net, trainer)
    trainer.save_states(path)
    for layers, message in (((nn.Dense(4, in_units=2), nn.Dense(1, in_units=4)), "belong to another network"),
                            ((nn.Dense(3, in_units=2),), "the network has 2 parameters")):
        other, refused = make(*layers)
        run(other, refused)
        weight, lr = other[0].weight.data(ctx[0]).asnumpy(), refused.learning_rate
        with pytest.raises(ValueError, match=f"trainer.states': .*{message}"):
            refused.load_states(path)
        assert refused.learning_rate == lr and (other[0].weight.data(ctx[0]).asnumpy() == weight).all()
        run(other, refused)
    again, resumed = make(nn.Dense(3), nn.Dense(1))
    resumed.load_states(path)
    run(again, trainer=resumed)


def test_step_before_the_first_batch_names_the_parameter():
    net = nn.Dense(3)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd")
    with pytest.raises(gluon.parameter.DeferredInitializationError, match="weight"):
        trainer.step(1)

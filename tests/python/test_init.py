"""Initializers."""
import json
import logging

import numpy as np
import pytest

import mxnet as mx
from mxnet import init


def filled(initializer, shape, name="w_weight", start=7.0):
    array = mx.nd.full(shape, start)
    initializer(init.InitDesc(name), array)
    return array.asnumpy()


@pytest.mark.parametrize("initializer, bound", [
    (init.Uniform(0.3), 0.3),
    (init.Xavier(), np.sqrt(3 / ((50 + 40) / 2))),
    (init.Xavier("uniform", "in", 2), np.sqrt(2 / 40)),
    (init.Xavier("uniform", "out", 2), np.sqrt(2 / 50)),
])
def test_even_ranges(initializer, bound):
    values = filled(initializer, (50, 40))
    assert np.abs(values).max() <= bound * 1.000001
    assert values.std() == pytest.approx(bound / np.sqrt(3), rel=0.05)
    assert abs(values.mean()) < 0.1 * bound


@pytest.mark.parametrize("initializer, deviation", [
    (init.Normal(0.3), 0.3),
    (init.Xavier("gaussian", "avg", 3), np.sqrt(3 / (9 * (50 + 40) / 2))),
    (init.MSRAPrelu("in", 0.5), np.sqrt(2 / 1.25 / (9 * 40))),
])
def test_normal_deviations(initializer, deviation):
    assert filled(initializer, (50, 40, 3, 3)).std() == pytest.approx(deviation, rel=0.05)


def test_seed_gives_the_same_start():
    mx.random.seed(11)
    first = filled(init.Xavier(), (3, 4))
    mx.random.seed(11)
    assert (filled(init.Xavier(), (3, 4)) == first).all()
    assert (filled(init.Xavier(), (3, 4)) != first).any()


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (4, 2, 3)])
def test_orthogonal(kind, shape):
    values = filled(init.Orthogonal(2.0, kind), shape).reshape(shape[0], -1)
    product = values @ values.T if values.shape[0] <= values.shape[1] else values.T @ values
    np.testing.assert_allclose(product, 4 * np.eye(len(product)), atol=1e-5)


def test_bilinear():
    values = filled(init.Bilinear(), (2, 1, 4, 4))
    row = np.array([0.25, 0.75, 0.75, 0.25])
    np.testing.assert_allclose(values, np.broadcast_to(np.outer(row, row), (2, 1, 4, 4)))


def test_lstm_bias():
    array = mx.nd.ones((12,))
    init.Uniform()(init.InitDesc("x", {"__init__": init.LSTMBias(3.0).dumps()}), array)
    assert array.asnumpy().tolist() == [0] * 3 + [3] * 3 + [0] * 6


def test_fused_rnn():
    hidden, inputs = 2, 3
    size = 2 * 4 * hidden * (inputs + hidden) + 2 * 4 * hidden * (2 * hidden + hidden) + 2 * 2 * 2 * 4 * hidden
    made = init.FusedRNN(init.One(), hidden, 2, "lstm", bidirectional=True, forget_bias=7.0)
    array = mx.nd.zeros((size,))
    init.Uniform()(init.InitDesc("lstm_parameters", {"__init__": made.dumps()}), array)
    biases = 8 * 4 * hidden
    assert (array.asnumpy()[:-biases] == 1).all()
    assert array.asnumpy()[-biases:].reshape(8, 4, hidden)[:, :, 0].tolist() == [[0, 7, 0, 0]] * 8


def test_constants():
    assert (filled(init.Constant(3), (2, 2)) == 3).all()
    assert filled(init.Constant([[1, 2], [3, 4]]), (2, 2)).tolist() == [[1, 2], [3, 4]]
    assert filled(init.Constant(mx.nd.array([[1, 2]])), (1, 2)).tolist() == [[1, 2]]
    assert json.loads(init.Constant(mx.nd.array([[1, 2]])).dumps()) == ["constant", {"value": [[1.0, 2.0]]}]


@pytest.mark.parametrize("name, value", [
    ("x_bias", 0), ("x_gamma", 1), ("x_beta", 0), ("x_min", 0), ("x_max", 1)])
def test_names_decide(name, value):
    assert (filled(init.Uniform(), (6,), name) == value).all()


@pytest.mark.parametrize("name, value", [
    ("x_moving_mean", 0), ("x_moving_var", 1), ("x_moving_inv_var", 0), ("x_moving_avg", 0),
    ("stn_loc_weight", 0), ("stn_loc_bias", [1, 0, 0, 0, 1, 0])])
def test_names_of_early_models_decide(name, value):
    array = mx.nd.full((6,), 7)
    with pytest.warns(DeprecationWarning):
        init.Uniform()(name, array)
    assert (array.asnumpy() == value).all()


def test_unknown_names():
    with pytest.raises(ValueError, match="no initialization is known for the name 'foo'"):
        filled(init.Uniform(), (2,), "foo")
    with pytest.raises(TypeError, match="must be text"):
        init.Uniform()(3, mx.nd.ones((2,)))


def test_own_initializer_of_a_parameter_wins():
    array = mx.nd.zeros((2,))
    init.Uniform()(init.InitDesc("foo", {"__init__": init.One().dumps()}), array)
    assert array.asnumpy().tolist() == [1, 1]
    bias = mx.gluon.Parameter("x_bias", shape=(2,), init="ones")
    bias.initialize(default_init=init.Constant(5))
    assert bias.data().asnumpy().tolist() == [1, 1]
    bias.initialize(init.Constant(6), force_reinit=True)
    assert bias.data().asnumpy().tolist() == [6, 6]


def test_registry():
    assert sorted(mx.registry.get_registry(init.Initializer)) == [
        "bilinear", "constant", "fusedrnn", "lstmbias", "msraprelu", "normal", "one", "ones", "orthogonal",
        "uniform", "xavier", "zero", "zeros"]
    assert init.create('["uniform", {"scale": 3}]').scale == 3
    assert init.create({"initializer": "normal", "sigma": 2}).sigma == 2
    with pytest.raises(AssertionError, match="not a registered initializer"):
        init.create("foo")

    class Sevens(init.Initializer):
        def _init_weight(self, name, array):
            array[:] = 7
    init.register(Sevens)
    try:
        weight = mx.gluon.Parameter("w", shape=(2,), init="sevens")
        weight.initialize()
        assert weight.data().asnumpy().tolist() == [7, 7]
    finally:
        del mx.registry._REGISTRY[init.Initializer]["sevens"]


def test_equality():
    assert init.Uniform(0.1) == init.Uniform(0.1) != init.Uniform(0.2)
    assert init.Uniform(0.1) != init.Normal(0.1)


def test_mixed_and_load(tmp_path):
    mixed = init.Mixed([".*bias", ".*"], [init.Zero(), init.Constant(2)])
    assert (filled(mixed, (2,), "a_bias") == 0).all() and (filled(mixed, (2,), "a_weight") == 2).all()
    with pytest.raises(ValueError, match="matches none of the patterns"):
        filled(init.Mixed(["b"], [init.Zero()]), (2,), "a_weight")
    with pytest.raises(AssertionError, match="1 patterns but 0 initializers"):
        init.Mixed(["b"], [])
    path = str(tmp_path / "w.params")
    mx.nd.save(path, {"arg:a": mx.nd.array([3, 4])})
    load = init.Load(path, default_init=init.One())
    assert filled(load, (2,), "a").tolist() == [3, 4]
    assert filled(load, (2,), "b_weight").tolist() == [1, 1]
    with pytest.raises(AssertionError, match=r"has shape \(3,\), the saved array \(2,\)"):
        filled(load, (3,), "a")
    with pytest.raises(AssertionError, match="no array for parameter 'b'"):
        filled(init.Load({}), (2,), "b")


def test_wrong_arguments():
    with pytest.raises(ValueError, match="needs at least 2 axes"):
        filled(init.Xavier(), (3,))
    with pytest.raises(ValueError, match="rnd_type must be"):
        filled(init.Xavier(rnd_type="foo"), (3, 4))
    with pytest.raises(ValueError, match="factor_type must be"):
        filled(init.Xavier(factor_type="foo"), (3, 4))
    with pytest.raises(ValueError, match="rand_type must be"):
        filled(init.Orthogonal(rand_type="foo"), (3, 4))
    with pytest.raises(ValueError, match="mode must be one of"):
        init.FusedRNN(None, 2, 2, "foo")


def test_verbose(caplog):
    with caplog.at_level(logging.INFO):
        mx.gluon.nn.Dense(2, in_units=3).initialize(init.One(), verbose=True)
    assert any("weight" in r.getMessage() and "One" in r.getMessage() for r in caplog.records)


def test_network_on_two_contexts_starts_alike():
    net = mx.gluon.nn.Dense(3, in_units=4)
    net.initialize(init.Xavier(), ctx=[mx.cpu(0), mx.cpu(1)])
    a, b = net.weight.list_data()
    assert (a.asnumpy() == b.asnumpy()).all()

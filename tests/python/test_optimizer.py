"""Optimizers, learning rate schedules and updaters."""
import pickle

import gluon_cases as cases
import numpy as np
import pytest

import mxnet as mx
from mxnet import lr_scheduler, optimizer


@pytest.mark.filterwarnings("ignore:Adam. learning_rate 0.001 takes the place")
@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_updates(name):
    # 16-bit weights may be rounded to a neighbour.
    rtol, atol = (2e-3, 1e-4) if name.endswith("_16") else (1e-4, 1e-6)
    cases.check("optimizer", name, cases.run_optimizer, mx, rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", cases.SCHEDULES)
def test_schedule(name):
    cases.check("schedule", name, cases.run_schedule, mx, rtol=1e-12)


def test_sgd_by_hand():
    weight, grad = mx.nd.array([1.0, 2.0]), mx.nd.array([0.5, -4.0])
    sgd = optimizer.SGD(learning_rate=0.1, momentum=0.5, wd=0.01, clip_gradient=1.0, rescale_grad=0.5)
    updater = optimizer.get_updater(sgd)
    w, v = np.array([1.0, 2.0]), np.zeros(2)
    for _ in range(3):
        updater(0, grad, weight)
        v = 0.5 * v - 0.1 * (np.clip(0.5 * grad.asnumpy(), -1, 1) + 0.01 * w)
        w = w + v
    np.testing.assert_allclose(weight.asnumpy(), w, rtol=1e-6)


def test_nag_by_hand():
    weight, grad = mx.nd.array([1.0, 2.0]), mx.nd.array([0.5, -4.0])
    updater = optimizer.get_updater(optimizer.NAG(learning_rate=0.1, momentum=0.5, wd=0.2))
    w, v = np.array([1.0, 2.0]), np.zeros(2)
    for _ in range(3):
        updater(0, grad, weight)
        g = grad.asnumpy() + 0.2 * w
        v = 0.5 * v - 0.1 * g
        w = w + 0.5 * v - 0.1 * g
    np.testing.assert_allclose(weight.asnumpy(), w, rtol=1e-6)


def test_sgd_fused_and_single_agree():
    for kwargs in ({}, {"momentum": 0.9, "clip_gradient": 0.2}):
        singly = [mx.nd.array(cases.numbers(i, 3, 2)) for i in range(7)]
        together = [w.copy() for w in singly]
        one, many = (optimizer.get_updater(optimizer.SGD(learning_rate=0.1, wd=0.01, **kwargs)) for _ in range(2))
        for step in range(3):
            grads = [mx.nd.array(cases.numbers(10 * step + i, 3, 2)) for i in range(7)]
            for i in range(7):
                one(i, grads[i], singly[i])
            many(list(range(7)), grads, together)
        for a, b in zip(singly, together):
            np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5)


def test_adam_by_hand():
    weight, grad = mx.nd.array([1.0, 2.0]), mx.nd.array([0.5, -4.0])
    updater = optimizer.get_updater(optimizer.Adam(learning_rate=0.1))
    w, m, v = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
    for t in range(1, 5):
        updater(0, grad, weight)
        g = grad.asnumpy()
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - 0.1 * np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t) * m / (np.sqrt(v) + 1e-8)
    np.testing.assert_allclose(weight.asnumpy(), w, rtol=1e-5)


@pytest.mark.parametrize("name, kwargs", [("sgd", {}), ("sgd", {"momentum": 0.9}), ("adam", {})])
def test_multi_precision(name, kwargs):
    made = optimizer.create(name, learning_rate=1e-4, multi_precision=True, **kwargs)
    updater, weight = optimizer.get_updater(made), mx.nd.ones((3,), dtype="float16")
    for _ in range(20):
        updater(0, mx.nd.ones((3,), dtype="float16"), weight)
    # In float16 alone 1 - 1e-4 is 1 again.
    assert weight.dtype == np.float16
    assert weight.asnumpy().max() < 0.9985


def test_sgld_makes_noise_of_the_right_size():
    mx.random.seed(3)
    weight = mx.nd.zeros((10000,))
    optimizer.get_updater(optimizer.SGLD(learning_rate=0.04))(0, mx.nd.zeros((10000,)), weight)
    assert weight.asnumpy().std() == pytest.approx(0.2, rel=0.05)


def test_group_adagrad_by_hand():
    weight, grad = mx.nd.ones((2, 2)), mx.nd.array([[1.0, 3.0], [0.0, 2.0]])
    updater = optimizer.get_updater(optimizer.create("groupadagrad", learning_rate=0.1))
    w, h, g = np.ones((2, 2)), np.zeros((2, 1)), grad.asnumpy()
    for _ in range(3):
        updater(0, grad, weight)
        h += (g * g).mean(axis=1, keepdims=True)
        w -= 0.1 * g / np.sqrt(h + 1e-5)
    np.testing.assert_allclose(weight.asnumpy(), w, rtol=1e-5)
    with pytest.raises(AssertionError, match="use wd=0"):
        optimizer.get_updater(optimizer.create("groupadagrad", wd=0.1))(0, grad, weight)


def test_create():
    assert type(optimizer.create("ADAM")) is optimizer.Adam
    with pytest.raises(ValueError, match="there is no optimizer 'foo'; registered are"):
        optimizer.create("foo")
    with pytest.raises(AssertionError, match="param_idx2name must be a dict"):
        optimizer.SGD(param_idx2name=[1])
    with pytest.raises(TypeError):
        optimizer.SGD(foo=1)


def test_learning_rates_and_decays():
    made = optimizer.SGD(learning_rate=0.5, wd=0.1,
                         param_idx2name={0: "a_weight", 1: "a_bias", 2: "a_gamma", 3: "other"})
    assert made.wd_mult == {"a_bias": 0.0, "other": 0.0}
    assert made._get_wds([0, 1, 2, 3]) == [0.1, 0.0, 0.1, 0.0]
    made.set_lr_mult({"a_bias": 2.0, 0: 3.0})
    assert made._get_lrs([0, 1, 2]) == [1.5, 1.0, 0.5]
    made.set_wd_mult({"other": 5.0})
    assert made._get_wds([1, 3]) == [0.0, 0.5]
    made.set_learning_rate(0.25)
    assert made.learning_rate == 0.25
    with pytest.raises(DeprecationWarning):
        made.set_lr_scale({})


def test_schedule_gives_the_rate():
    with pytest.warns(UserWarning, match="learning_rate 1.0 takes the place of the base_lr 7.0"):
        made = optimizer.SGD(learning_rate=1.0, lr_scheduler=lr_scheduler.FactorScheduler(2, 0.5, base_lr=7.0))
    updater, weight, rates = optimizer.get_updater(made), mx.nd.zeros((1,)), []
    for _ in range(6):
        before = weight.asscalar()
        updater(0, mx.nd.ones((1,)), weight)
        rates.append(before - weight.asscalar())
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    with pytest.raises(UserWarning, match="cannot be set"):
        made.set_learning_rate(3)


@pytest.mark.parametrize("make, message", [
    (lambda: lr_scheduler.FactorScheduler(0), "step must be at least 1"),
    (lambda: lr_scheduler.FactorScheduler(1, 2.0), "factor must be at most 1"),
    (lambda: lr_scheduler.MultiFactorScheduler([3, 2]), "step must rise"),
    (lambda: lr_scheduler.PolyScheduler(0), "max_update must be at least 1"),
    (lambda: lr_scheduler.CosineScheduler(5, base_lr=0.1, warmup_begin_lr=0.2), "is above base_lr"),
    (lambda: lr_scheduler.CosineScheduler(5, warmup_mode="x"), "'linear' or 'constant'"),
])
def test_schedules_check_their_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_own_optimizer():
    @optimizer.register
    class HalfStep(optimizer.Optimizer):
        def update(self, index, weight, grad, state):
            weight -= 0.5 * grad
    weight = mx.nd.ones((2,))
    optimizer.get_updater(optimizer.create("halfstep"))(0, mx.nd.ones((2,)), weight)
    assert weight.asnumpy().tolist() == [0.5, 0.5]


def test_states_survive_pickling():
    def updates(updater, weight, n):
        for _ in range(n):
            updater(0, mx.nd.ones((2,)), weight)
    made, weight = optimizer.get_updater(optimizer.Adam(learning_rate=0.1)), mx.nd.ones((2,))
    updates(made, weight, 3)
    content, copy = made.get_states(dump_optimizer=True), weight.copy()
    updates(made, weight, 3)
    other = optimizer.get_updater(optimizer.SGD())
    other.set_states(content)
    assert isinstance(other.optimizer, optimizer.Adam) and other.optimizer.num_update == 3
    updates(other, copy, 3)
    np.testing.assert_array_equal(copy.asnumpy(), weight.asnumpy())
    other.set_states(made.get_states())
    assert list(other.states) == [0]


@pytest.mark.parametrize("content", [b"", b"garbage", pickle.dumps([1, 2, 3])])
def test_damaged_states(content):
    with pytest.raises(ValueError, match="not the states of an optimizer"):
        optimizer.get_updater(optimizer.SGD()).set_states(content)


def test_reset_arrays():
    arrays = [mx.nd.ones((2, 3)), mx.nd.ones((4,), dtype="int8"), mx.nd.ones((0, 2))]
    mx.nd.reset_arrays(*arrays, num_arrays=3)
    assert not any(x.asnumpy().any() for x in arrays)


def _trace(optimizer, steps=6, dtype="float32"):
    """Two weights after some updates, each by itself and both together."""
    results = []
    for together in (False, True):
        updater = mx.optimizer.get_updater(optimizer())
        weights = [mx.nd.array(cases.numbers(20, 3, 2), dtype=dtype), mx.nd.array(cases.numbers(21, 4), dtype=dtype)]
        for step in range(steps):
            grads = [mx.nd.array(cases.numbers(30 + step, *w.shape), dtype=dtype) for w in weights]
            if together:
                updater([0, 1], grads, weights)
            else:
                for i in range(2):
                    updater(i, grads[i], weights[i])
        results.append([w.asnumpy() for w in weights])
    for one, other in zip(*results):
        np.testing.assert_array_equal(one, other)
    return results[0]


def test_adamw():
    have = _trace(lambda: mx.optimizer.AdamW(learning_rate=0.1, wd=0.2, rescale_grad=0.5))
    for k, shape in enumerate([(3, 2), (4,)]):
        w, m, v = cases.numbers(20 + k, *shape).astype("float64"), 0, 0
        for t in range(1, 7):
            g = 0.5 * cases.numbers(29 + t, *shape)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            w = w - 0.1 * (np.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t) * m / (np.sqrt(v) + 1e-8) + 0.2 * w)
        np.testing.assert_allclose(have[k], w, rtol=1e-4, atol=1e-6)


def test_lion():
    have = _trace(lambda: mx.optimizer.create("lion", learning_rate=0.1, wd=0.2, clip_gradient=0.4))
    for k, shape in enumerate([(3, 2), (4,)]):
        w, m = cases.numbers(20 + k, *shape).astype("float64"), 0
        for t in range(1, 7):
            g = np.clip(cases.numbers(29 + t, *shape), -0.4, 0.4)
            w = w - 0.1 * (np.sign(0.9 * m + 0.1 * g) + 0.2 * w)
            m = 0.99 * m + 0.01 * g
        np.testing.assert_allclose(have[k], w, rtol=1e-4, atol=1e-6)


FUSED = ["adam", "adamw", "ccsgd", "lamb", "lars", "lion", "sgd"]


@pytest.mark.parametrize("name", FUSED)
def test_fused_by_default(name, monkeypatch):
    made = mx.optimizer.create(name)
    calls, made_of = [], type(made)._calls

    def watched(self, index, *rest):
        calls.append(index)
        return made_of(self, index, *rest)
    monkeypatch.setattr(type(made), "_calls", watched)
    weights = [mx.nd.array(cases.numbers(i, 3, 2)) for i in range(9)]
    mx.optimizer.get_updater(made)(list(range(9)), [mx.nd.ones((3, 2))] * 9, weights)
    assert len(calls) == 1 and sorted(calls[0]) == list(range(9))
    assert all((w.asnumpy() != cases.numbers(i, 3, 2)).any() for i, w in enumerate(weights))


@pytest.mark.parametrize("name", ["lamb", "lars"])
@pytest.mark.parametrize("kwargs", [{}, {"wd": 0.1, "clip_gradient": 0.3, "rescale_grad": 0.5}])
def test_together_as_one_by_one(name, kwargs):
    if name == "lars":
        kwargs = {"momentum": 0.9, "eta": 0.5, **kwargs}
    _trace(lambda: mx.optimizer.create(name, param_idx2name={0: "a_weight", 1: "a_bias"}, learning_rate=0.1, **kwargs))


def test_lars_by_hand():
    made = mx.optimizer.LARS(momentum=0.9, eta=0.5, wd=0.1, param_idx2name={0: "a_weight", 1: "a_gamma", 2: "a_bias"},
                             lr_scheduler=lr_scheduler.FactorScheduler(1, 0.5, base_lr=0.4))
    assert made._get_wds([0, 1, 2]) == [0.1, 0.0, 0.0]
    updater, grad = mx.optimizer.get_updater(made), np.array([0.5, -4.0, 1.0])
    have = [mx.nd.array([1.0, 2.0, -1.0]) for _ in range(3)]
    w, v = np.array([[1.0, 2.0, -1.0]] * 3), np.zeros((3, 3))
    before = None
    for t in range(1, 4):
        updater([2, 0, 1], [mx.nd.array(grad)] * 3, [have[2], have[0], have[1]])
        lr = 0.4 * 0.5 ** (t - 1)
        size = np.sqrt((w[0] ** 2).sum())
        rate = np.array([0.5 * size / (np.sqrt((grad ** 2).sum()) + 0.1 * size), 1, 1])[:, None] * lr
        v = 0.9 * lr / (before or lr) * v - rate * (grad + np.array([0.1, 0, 0])[:, None] * w)
        w, before = w + v, lr
    np.testing.assert_allclose([array.asnumpy() for array in have], w, rtol=1e-5)


@pytest.mark.parametrize("name", sorted(set(mx.optimizer.Optimizer.opt_registry) -
                                        {"groupadagrad", "sgld", "test", "halfstep"}))
def test_16_bit_weights(name):
    kwargs = {"learning_rate": 0.01}
    half = _trace(lambda: mx.optimizer.create(name, multi_precision=True, **kwargs), dtype="float16")
    whole = _trace(lambda: mx.optimizer.create(name, **kwargs))
    for one, other in zip(half, whole):
        assert one.dtype == np.float16
        np.testing.assert_allclose(one, other, rtol=2e-3, atol=2e-3)


def test_subclass_gets_weights_one_at_a_time():
    class Mine(mx.optimizer.Adam):
        def update(self, index, weight, grad, state):
            seen.append(index)
            super().update(index, weight, grad, state)
    seen = []
    assert Mine().aggregate_num == 0 and mx.optimizer.Adam().aggregate_num > 0
    have = _trace(lambda: Mine(learning_rate=0.1), steps=1)
    assert seen == [0, 1, 0, 1]
    for one, other in zip(have, _trace(lambda: mx.optimizer.Adam(learning_rate=0.1), steps=1)):
        np.testing.assert_array_equal(one, other)


def test_states_of_queued_updates_are_waited_for():
    """Who reads a state after an update of several weights that is still queued gets the new one."""
    shape = (600, 500)
    for _ in range(20):
        weights, grads, moments = ([mx.nd.ones(shape) * k for _ in range(4)] for k in (1, 2, 0))
        arrays = [a for group in zip(weights, grads, moments) for a in group]
        mx.nd.multi_sgd_mom_update(*arrays, out=weights, lrs=[1.0] * 4, wds=[0.0] * 4, momentum=0.5, num_weights=4)
        assert [m.asnumpy()[-1, -1] for m in reversed(moments)] == [-2.0] * 4
        mx.nd.reset_arrays(*moments, num_arrays=4)
        assert [m.asnumpy()[-1, -1] for m in reversed(moments)] == [0.0] * 4

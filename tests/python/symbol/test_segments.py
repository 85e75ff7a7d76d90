"""Graphs that cannot be compiled as a whole: segments are, with the results of operators run one by one."""
import random

import numpy as np
import pytest
from custom_ops import define

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


def cube(op, is_train, req, in_data, out_data, aux):
    op.assign(out_data[0], req[0], in_data[0] ** 3 * 0.1)


def cube_backward(op, req, out_grad, in_data, out_data, in_grad, aux):
    op.assign(in_grad[0], req[0], 0.3 * in_data[0] ** 2 * out_grad[0])


define("segments_cube", cube, cube_backward)


class Around(gluon.HybridBlock):
    """Layers with dropout and batch norm before and behind something that is not compiled."""

    def __init__(self, middle, **kwargs):
        super().__init__(**kwargs)
        self._middle = middle
        with self.name_scope():
            self.first, self.norm = nn.Dense(6, activation="tanh"), nn.BatchNorm()
            self.drop, self.second = nn.Dropout(0.4), nn.Dense(6, activation="sigmoid")
            self.drop_again, self.last = nn.Dropout(0.2), nn.Dense(2)

    def hybrid_forward(self, F, x):
        h = self.drop(self.norm(self.first(x)))
        h = F.broadcast_add(self._middle(F, h), F.mean(h))
        return self.last(self.drop_again(self.second(h)) * 0.5 + h * h)


def loop(F, h):
    out, state = F.contrib.foreach(lambda row, s: (F.tanh(row * s), s + row), h,
                                   F.squeeze(F.slice_axis(h, axis=0, begin=0, end=1), axis=0))
    return F.broadcast_mul(out, F.expand_dims(state, axis=0))


def random_loop(F, h):
    return F.contrib.foreach(lambda row, s: (F.Dropout(row, p=0.5) + s, s * 0.5), h,
                             F.squeeze(F.slice_axis(h, axis=0, begin=0, end=1), axis=0))[0]


def branch(F, h):
    return F.contrib.cond(F.sum(h) < 100, lambda: F.tanh(h) * 2, lambda: h - 1)


def mask(F, h):
    row = F.mean(h, axis=1)
    return F.contrib.boolean_mask(h, F.broadcast_greater(row, F.min(row)))


def custom(F, h):
    return F.Custom(h, op_type="segments_cube")


def two_at_once(F, h):
    """Two that do not wait for each other, and one that waits for both."""
    a, b = custom(F, F.sin(h) + h), custom(F, F.cos(h) * h)
    return custom(F, F.tanh(a * b) - a)


MIDDLES = {"custom": (custom, 2), "loop": (loop, 2), "random_loop": (random_loop, 2), "branch": (branch, 2),
           "mask": (mask, 2), "two_at_once": (two_at_once, 3)}


def train(net, rounds=3):
    """Results, gradients, second gradients and running statistics of some rounds."""
    results = []
    params = [p for _, p in sorted(net.collect_params().items())]
    for _ in range(rounds):
        x = nd.random.normal(shape=(5, 4))
        x.attach_grad()
        with autograd.record():
            out = net(x)
            loss = (out * out).sum()
        loss.backward()
        results += [out, x.grad.copy(), *(p.grad().copy() for p in params if p.grad_req != "null")]
        with autograd.record():
            out = net(x)
            grad = autograd.grad((out * out).sum(), x, create_graph=True)[0]
            penalty = (grad * grad).sum()
        penalty.backward()
        results += [penalty, x.grad.copy(), *(p.grad().copy() for p in params if p.grad_req != "null")]
    return [r.asnumpy() for r in [*results, net(nd.ones((5, 4))), *(p.data() for p in params)]]


def both(make, run=train):
    results = []
    for hybrid in (False, True):
        mx.random.seed(7)
        net = make()
        net.initialize(mx.init.Xavier())
        net(nd.random.normal(shape=(5, 4)))
        if hybrid:
            net.hybridize()
        results.append(run(net))
    return net, results


@pytest.mark.parametrize("name", MIDDLES)
def test_same_as_one_by_one(name):
    middle, segments = MIDDLES[name]
    net, (want, have) = both(lambda: Around(middle, prefix="net_"))
    for h, w in zip(have, want, strict=True):
        np.testing.assert_allclose(h, w, rtol=2e-5, atol=1e-5 * np.abs(w).max(initial=1))
    net(nd.ones((5, 4)))
    assert net._cached_op.report()["segments"] == segments


def test_whole_graphs_are_one_segment():
    net, _ = both(lambda: Around(lambda F, h: F.tanh(h)), lambda net: [net(nd.ones((5, 4))).asnumpy()])
    assert net._cached_op.report()["segments"] == 1


def test_monitors_see_every_operator():
    data = mx.sym.var("data")
    net = mx.sym.Custom(mx.sym.tanh(data * 2, name="a"), op_type="segments_cube", name="b")
    net = mx.sym.sin(mx.sym.exp(net, name="c"), name="d")
    executor = net.simple_bind(mx.cpu(), data=(2,))
    executor.forward()
    seen = []
    executor.set_monitor_callback(lambda name, array: seen.append(mx.base.py_str(name)))
    executor.forward()
    assert [name for name in seen if name[1] == "_"] == ["a_output", "b_output", "c_output", "d_output"]


def test_counts_that_change():
    """Behind a mask every call may have another shape; only what comes again is compiled."""
    net = Around(lambda F, h: F.contrib.boolean_mask(h, F.mean(h, axis=1) > 0))
    net.initialize(mx.init.Xavier())
    x = nd.random.normal(shape=(5, 4))
    net(x)
    inputs = [nd.random.normal(shape=(5, 4)) for _ in range(12)]
    inputs = [x for x in inputs if net(x).shape[0] > 0]
    want = [net(x).asnumpy() for x in inputs]
    assert len({w.shape for w in want}) > 1
    net.hybridize()
    for _ in range(2):
        for x, w in zip(inputs, want):
            np.testing.assert_allclose(net(x).asnumpy(), w, rtol=1e-5, atol=1e-6)
    net(inputs[0])
    net(inputs[0])
    assert net._cached_op.report()["segments"] == 2


def test_a_mask_whose_count_is_told_by_what_it_meets():
    class Meets(gluon.HybridBlock):
        def hybrid_forward(self, F, x, m, y):
            return F.elemwise_add(F.tanh(F.contrib.boolean_mask(x, m)), y) * 2
    net, x, m, y = Meets(), nd.arange(6).reshape((3, 2)), nd.array([1, 0, 1]), nd.ones((2, 2))
    want = net(x, m, y).asnumpy()
    net.hybridize()
    np.testing.assert_array_equal(net(x, m, y).asnumpy(), want)


class Draws(gluon.HybridBlock):
    """Random numbers on both sides of an operator in Python, of which the last do not wait for it."""

    def hybrid_forward(self, F, x):
        a = F.random.uniform(shape=(3, 2)) + x
        b = custom(F, a) * F.random.normal(shape=(3, 2))
        c = F.random.uniform(shape=(3, 2)) - x
        return b + c * a, c


def test_random_numbers_keep_their_order():
    def run(symbol_or_array, x):
        mx.random.seed(3)
        return symbol_or_array(x)
    x = nd.ones((3, 2))
    symbol = mx.sym.Group(list(Draws().hybrid_forward(mx.sym, mx.sym.var("x"))))
    want = run(lambda x: Draws().hybrid_forward(nd, x), x)
    executor = symbol.bind(mx.cpu(), {"x": x})
    have = run(lambda x: executor.forward(), x)
    for h, w in zip(have, want, strict=True):
        np.testing.assert_array_equal(h.asnumpy(), w.asnumpy())
    assert executor.handle.report()["segments"] == 2


def test_random_numbers_keep_their_order_within_a_segment():
    """The segment's outputs alone would ask for the second number first."""
    x = mx.sym.var("x")
    first = mx.sym.random.uniform(shape=(2,), name="first") + x
    second = mx.sym.random.uniform(shape=(2,), name="second")
    both_read = first * mx.sym.sin(second)
    net = mx.sym.Group([both_read, mx.sym.Custom(second, op_type="segments_cube")])
    executor = net.bind(mx.cpu(), {"x": nd.zeros((2,))})
    mx.random.seed(1)
    a, b = nd.random.uniform(shape=(2,)), nd.random.uniform(shape=(2,))
    mx.random.seed(1)
    product, cubed = executor.forward()
    assert executor.handle.report()["segments"] == 1
    np.testing.assert_allclose(product.asnumpy(), (a * b.sin()).asnumpy(), rtol=1e-6)
    np.testing.assert_allclose(cubed.asnumpy(), (b ** 3 * 0.1).asnumpy(), rtol=1e-6)


def test_statistics_that_two_segments_write():
    """Two batch norms with the same averages, one before and one behind; the averages are read in between."""
    names = ("gamma", "beta", "moving_mean", "moving_var")
    shared = {name: mx.sym.var(name) for name in names}
    data = mx.sym.var("data")
    before = mx.sym.BatchNorm(data * 2, **shared, momentum=0.5, name="before")
    middle = mx.sym.Custom(mx.sym.broadcast_add(before, shared["moving_mean"]), op_type="segments_cube")
    net = mx.sym.BatchNorm(mx.sym.tanh(middle), **shared, momentum=0.5, name="behind")
    executor = net.simple_bind(mx.cpu(), data=(4, 3))
    values = {name: nd.random.uniform(shape=(3,)) for name in names}
    executor.copy_params_from({n: values[n] for n in names[:2]}, {n: values[n] for n in names[2:]})
    x = nd.random.normal(shape=(4, 3))
    with autograd.train_mode():
        h = nd.BatchNorm(x * 2, *(values[n] for n in names), momentum=0.5)
        h = nd.Custom(nd.broadcast_add(h, values["moving_mean"]), op_type="segments_cube")
        want = nd.BatchNorm(nd.tanh(h), *(values[n] for n in names), momentum=0.5)
    have = executor.forward(is_train=True, data=x)[0]
    np.testing.assert_allclose(have.asnumpy(), want.asnumpy(), rtol=1e-5, atol=1e-6)
    for name in names[2:]:
        np.testing.assert_allclose(executor.aux_dict[name].asnumpy(), values[name].asnumpy(), rtol=1e-5)
    assert executor.handle.report()["segments"] == 2


def test_inference_keeps_what_depends_on_parameters():
    """Batch norm goes into the weights of its segment, and is computed anew when they change."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, in_channels=2), nn.BatchNorm(in_channels=4), nn.HybridLambda(custom),
            nn.Conv2D(4, 3, in_channels=4), nn.BatchNorm(in_channels=4), nn.Activation("relu"))
    net.initialize()
    x = nd.random.uniform(shape=(2, 2, 8, 8))
    want = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-4, atol=1e-5)
    report = net._cached_op.report()
    assert report["segments"] == 2 and report["steps"] == 3
    net[0].weight.set_data(net[0].weight.data() * 3)
    have = net(x).asnumpy()
    net.hybridize(False)
    np.testing.assert_allclose(have, net(x).asnumpy(), rtol=1e-4, atol=1e-5)


def test_errors_name_the_node():
    x = mx.sym.var("x")
    net = mx.sym.contrib.boolean_mask(mx.sym.tanh(x * 2), mx.sym.var("m"))
    net = mx.sym.reshape(mx.sym.sin(net), shape=(2, 2), name="square")
    executor = net.bind(mx.cpu(), {"x": nd.ones((3, 2)), "m": nd.array([1, 1, 0])})
    assert executor.forward()[0].shape == (2, 2)
    executor.arg_dict["m"][:] = 1
    with pytest.raises(mx.MXNetError, match="node 'square'"):
        executor.forward()[0].wait_to_read()


# --- graphs by chance ---------------------------------------------------------------------------------

def over_rows(a, b):
    start = mx.sym.reshape(mx.sym.slice_axis(b, axis=0, begin=0, end=1), shape=(4,))
    return mx.sym.contrib.foreach(lambda row, s: (mx.sym.tanh(row) * s, s * 0.9 + row * 0.1), a, start)[0]


MAKERS = [
    lambda a, b: mx.sym.Custom(a, op_type="segments_cube"), over_rows,
    lambda a, b: mx.sym.contrib.cond(mx.sym.sum(a) > 0, lambda: a * 0.5, lambda: mx.sym.tanh(a)),
    lambda a, b: mx.sym.Dropout(a, p=0.3), lambda a, b: mx.sym.random.uniform(-1, 1, shape=(4, 4)) * a,
    lambda a, b: mx.sym.BatchNorm(a), lambda a, b: mx.sym.broadcast_sub(a, mx.sym.mean(b)),
    lambda a, b: mx.sym.concat(*mx.sym.SliceChannel(a, num_outputs=2, axis=1), dim=1),
    lambda a, b: mx.sym.dot(a, b) * 0.3, lambda a, b: mx.sym.tanh(a), lambda a, b: a + mx.sym.ones((4, 4)),
    lambda a, b: mx.sym.reshape(mx.sym.reshape(a, shape=(2, 8)), shape=(4, 4)), lambda a, b: mx.sym.BlockGrad(a),
    lambda a, b: mx.sym.sigmoid(a) - b, lambda a, b: a * b]


def graph_by_chance(seed):
    chance = random.Random(seed)
    values = [mx.sym.var(name) for name in "xyw"]
    for _ in range(chance.randint(5, 40)):
        values.append(chance.choice(MAKERS)(chance.choice(values[-8:]), chance.choice(values)))
    return mx.sym.Group([values[-1], *(chance.choice(values[3:]) for _ in range(2))])


def results_of(net, watched, training):
    """Outputs, gradients and statistics of two steps; operators that are watched run one by one."""
    names = net.list_inputs()
    executor = net.simple_bind(mx.cpu(), **{name: (4, 4) for name in "xyw" if name in names})
    numbers = np.random.RandomState(0)
    for _, array in sorted({**executor.arg_dict, **executor.aux_dict}.items()):
        array[:] = numbers.uniform(0.1, 1, array.shape)
    if watched:
        executor.set_monitor_callback(lambda name, array: None)
    mx.random.seed(5)
    results = []
    for _ in range(2):
        out = executor.forward(is_train=training)
        if training:
            executor.backward([nd.ones(o.shape) for o in out])
        results += [a.asnumpy() for a in (*out, *executor.aux_arrays, *executor.grad_arrays)]
    return results


@pytest.mark.parametrize("training", [False, True])
def test_graphs_by_chance(training):
    for seed in range(60):
        net = graph_by_chance(seed)
        for have, want in zip(results_of(net, False, training), results_of(net, True, training), strict=True):
            np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-4 * max(1, np.abs(want).max()), err_msg=str(seed))

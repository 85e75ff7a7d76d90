"""Graph passes: what each does to a graph, and that results stay the same."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn
from mxnet.symbol import passes


def names(symbol):
    return symbol.get_internals().list_outputs()


def test_identities():
    x = mx.sym.var("x")
    net = mx.sym.relu(mx.sym.Dropout(mx.sym.BlockGrad(mx.sym.identity(x)), p=0.5), name="r")
    assert names(passes.optimize(net, passes=["identities"])) == ["x", "r_output"]
    assert names(passes.optimize(net, training=True, passes=["identities"])) == names(net)
    assert names(passes.optimize(mx.sym.identity(x, name="i"))) == ["x", "i_output"]  # an output of its own
    always = mx.sym.relu(mx.sym.Dropout(x, mode="always", name="d"), name="r")
    assert "d_output" in names(passes.optimize(always))


def test_common_expressions():
    x = mx.sym.var("x")
    net = mx.sym.Group([(mx.sym.exp(x) + mx.sym.exp(x)) * mx.sym.clip(x, 0, 1) + mx.sym.clip(x, 0, 2)])
    assert len(names(passes.optimize(net, passes=["common"]))) == len(names(net)) - 1
    noise = mx.sym.Dropout(x, p=0.5) + mx.sym.Dropout(x, p=0.5)
    assert names(passes.optimize(noise, training=True)) == names(noise)
    slopes = mx.sym.LeakyReLU(x, act_type="rrelu")[0] + mx.sym.LeakyReLU(x, act_type="rrelu")[0]
    assert names(passes.optimize(slopes, training=True)) == names(slopes)
    gelus = mx.sym.LeakyReLU(x, act_type="gelu") + mx.sym.LeakyReLU(x, act_type="gelu")
    assert len(names(passes.optimize(gelus, training=True))) == len(names(gelus)) - 1
    twice = mx.sym.Group([mx.sym.exp(x), mx.sym.exp(x)])  # outputs do not share memory
    assert len(names(passes.optimize(twice))) == 3
    a = nd.array([1.0, 2])
    executor = net.bind(mx.cpu(), [a], [nd.zeros((2,))])
    executor.forward(is_train=True)
    executor.backward(nd.ones((2,)))
    a.attach_grad()
    with autograd.record():
        y = (nd.exp(a) + nd.exp(a)) * nd.clip(a, 0, 1) + nd.clip(a, 0, 2)
    y.backward()
    np.testing.assert_allclose(executor.grad_arrays[0].asnumpy(), a.grad.asnumpy(), rtol=1e-6)


def conv_net(use_bias, scale):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 3, use_bias=use_bias, groups=1), nn.BatchNorm(scale=scale), nn.Activation("relu"),
            nn.Flatten(), nn.Dense(5), nn.BatchNorm(axis=1), nn.Dense(2))
    net.initialize(mx.init.Xavier())
    x = nd.random.uniform(shape=(3, 2, 6, 6))
    with autograd.record():  # moves the averages
        net(x)
    return net, x


@pytest.mark.parametrize("use_bias, scale", [(True, True), (False, True), (True, False)])
def test_batch_norm_goes_into_the_weights(use_bias, scale):
    net, x = conv_net(use_bias, scale)
    want = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-4, atol=1e-5)
    folded = passes.optimize(net._cached_graph[1])
    assert "BatchNorm" not in folded.debug_str() and "BatchNorm" in net._cached_graph[1].debug_str()
    assert mx.sym.load_json(folded.tojson()).tojson() == folded.tojson()
    # Weights that change are folded anew.
    net[0].weight.set_data(net[0].weight.data() * 2)
    net[1].running_mean.set_data(nd.ones((4,)))
    have = net(x).asnumpy()
    net.hybridize(False)
    np.testing.assert_allclose(have, net(x).asnumpy(), rtol=1e-4, atol=1e-5)
    assert not np.allclose(have, want)


def test_training_keeps_its_batch_norm():
    net, x = conv_net(True, True)
    net.hybridize()
    net(x)
    before = net[1].running_mean.data().asnumpy()
    with autograd.record():
        net(x)
    assert not np.allclose(net[1].running_mean.data().asnumpy(), before)


def test_half_precision_is_left_alone():
    net, x = conv_net(True, True)
    net.cast("float16")
    net.hybridize()
    assert net(x.astype("float16")).dtype == np.float16


def test_a_batch_norm_that_cannot_be_folded():
    x = mx.sym.var("x")
    conv = mx.sym.Convolution(x, kernel=(1, 1), num_filter=2, name="c")
    shared = mx.sym.BatchNorm(conv, name="bn") + conv
    assert "BatchNorm" in passes.optimize(shared).debug_str()
    assert "BatchNorm" in passes.optimize(mx.sym.BatchNorm(x)).debug_str()
    assert "BatchNorm" in passes.optimize(mx.sym.BatchNorm(conv, axis=3)).debug_str()


def test_switches():
    listed = {p["name"]: p for p in passes.list_passes()}
    assert all(p["on"] and p["doc"] for p in listed.values())
    net = mx.sym.exp(mx.sym.var("x")) * mx.sym.exp(mx.sym.var("x"))
    with passes.switched(common=False):
        assert not {p["name"]: p["on"] for p in passes.list_passes()}["common"]
        assert len(names(passes.optimize(net))) == len(names(net))
    assert {p["name"]: p["on"] for p in passes.list_passes()}["common"]
    with pytest.raises(ValueError, match="no graph pass 'foo'"), passes.switched(foo=True):
        pass
    text = passes.report(net)
    assert "common: " in text and "before:" in text and "after:" in text


def test_memory_is_used_again_in_place():
    class Chain(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            for _ in range(20):
                x = F.relu(x + 1)
            return x
    net, x = Chain(), nd.ones((256, 1024))
    want = net(x).asnumpy()
    net.hybridize()
    net(x).wait_to_read()
    nd.waitall()
    stats = mx._core.storage_stats(1, 0)
    mx._core.reset_peak_memory(1, 0)
    have = net(x)
    have.wait_to_read()
    assert mx._core.storage_stats(1, 0)["peak"] - stats["in_use"] <= 2 * x.size * 4
    np.testing.assert_array_equal(have.asnumpy(), want)
    assert x.asnumpy().max() == 1


def test_results_do_not_share_memory():
    class Twice(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            y = F.exp(x)
            return y, F.relu(y), F.identity(x)
    net, x = Twice(), nd.array([1.0, -1])
    net.hybridize()
    first, second, third = net(x)
    second[:] = 7
    third[:] = 9
    np.testing.assert_allclose(first.asnumpy(), np.exp([1.0, -1]), rtol=1e-6)
    assert x.asnumpy().tolist() == [1, -1]


def test_constants_are_computed_once():
    class Positions(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            angles = F.broadcast_div(F.arange(8).reshape((8, 1)), F.arange(4) + 1)
            return F.broadcast_add(x, F.sin(angles) + F.zeros((8, 4)))
    net = mx.gluon.nn.HybridSequential()
    net.add(Positions(), mx.gluon.nn.Dense(2))
    net.initialize()
    x = mx.nd.random.uniform(shape=(3, 8, 4))
    want = net(x).asnumpy()
    net.hybridize()
    for _ in range(2):
        np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-5)
    assert net._cached_op.report()["steps"] == 2


@pytest.mark.parametrize("rectifier", [mx.sym.relu, lambda x: mx.sym.Activation(x, act_type="relu")])
def test_a_rectifier_joins_its_batch_norm(rectifier):
    x = mx.sym.var("x")
    joined = passes.optimize(rectifier(mx.sym.BatchNorm(x, name="n")), training=True, x=(2, 3, 4, 4))
    assert "Op:_batch_norm_relu" in joined.debug_str() and "Op:BatchNorm" not in joined.debug_str()
    assert joined.list_auxiliary_states() == ["n_moving_mean", "n_moving_var"]
    norm = mx.sym.BatchNorm(x)
    for net in (mx.sym.Group([rectifier(norm), norm]), rectifier(norm) + norm,
                mx.sym.relu(mx.sym.BatchNorm(x, output_mean_var=True)[1]), mx.sym.tanh(norm)):
        assert "_batch_norm_relu" not in passes.optimize(net, training=True, x=(2, 3, 4, 4)).debug_str()
    with passes.switched(batch_norm_relu=False):
        assert "_batch_norm_relu" not in passes.optimize(rectifier(norm), training=True, x=(2, 3, 4, 4)).debug_str()


class Rectified(gluon.HybridBlock):
    """Batch norms with rectifiers behind, one of them read twice."""

    def __init__(self, axis, **kwargs):
        super().__init__()
        self.norms = nn.HybridSequential()
        self.norms.add(*(nn.BatchNorm(axis=axis, **kwargs) for _ in range(3)))

    def hybrid_forward(self, F, x):
        x = F.relu(self.norms[0](x)) - 0.5
        y = self.norms[1](x)
        return F.Activation(self.norms[2](F.relu(y) + y * x), act_type="relu")


@pytest.mark.parametrize("shape, axis", [((4, 5, 6, 3), 1), ((3, 7, 5, 20), 3), ((9, 64), 1), ((300, 33), 1),
                                         ((2, 6, 7, 2, 24), -1)])
@pytest.mark.parametrize("kwargs", [{}, {"scale": False}, {"use_global_stats": True}])
def test_rectified_batch_norms_learn_the_same(shape, axis, kwargs):
    x, results = nd.random.normal(1, 2, shape=shape), []
    for fused in (True, False, None):
        with passes.switched(batch_norm_relu=bool(fused)):
            mx.random.seed(4)
            net = Rectified(axis, **kwargs)
            net.initialize(mx.init.Normal(1))
            if fused is not None:
                net.hybridize()
            x.attach_grad()
            for _ in range(2):
                with autograd.record():
                    y = net(x)
                    loss = (y * y * y).sum()
                loss.backward()
            results.append([y, x.grad, net(x), *(p.data() for p in net.collect_params().values()),
                            *(p.grad() for p in net.collect_params().values() if p.grad_req != "null")])
    for have in results[:2]:
        for a, b in zip(have, results[2]):
            b = b.asnumpy()
            np.testing.assert_allclose(a.asnumpy(), b, rtol=2e-3, atol=2e-4 * max(1, np.abs(b).max()))


def test_second_derivatives_of_rectified_batch_norms():
    x, slopes = nd.random.normal(shape=(4, 3, 5)), []
    net = nn.HybridSequential()
    net.add(nn.BatchNorm(in_channels=3), nn.Activation("relu"))
    net.initialize()
    x.attach_grad()
    for hybrid in (False, True):
        net.hybridize(hybrid)
        with autograd.record():
            slope = autograd.grad(nd.exp(net(x)).sum(), [x], create_graph=True, retain_graph=True)[0]
            value = nd.square(slope).sum()
        value.backward()
        slopes.append(x.grad.asnumpy())
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-3, atol=1e-4)


def test_what_is_added_to_joins_products():
    a, b, c = mx.sym.var("a", shape=(3, 4)), mx.sym.var("b", shape=(4, 5)), mx.sym.var("c", shape=(3, 5))
    product = mx.sym.dot(a, b)

    def after(net):
        return passes.optimize(net, training=True, a=(3, 4)).debug_str()
    for net in (product + c, mx.sym.broadcast_add(c, product), product + mx.sym.dot(a, b * 2)):
        assert after(net).count("Op:_dot_add") == 1
        assert "Op:elemwise_add" not in after(net) and "Op:broadcast_add" not in after(net)
    row = mx.sym.var("row", shape=(1, 5))
    for net in (mx.sym.Group([product + c, product]), product * c, product + product,
                mx.sym.broadcast_add(product, row)):
        assert "_dot_add" not in after(net)
    with passes.switched(products=False):
        assert "_dot_add" not in after(product + c)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_weights_used_many_times_learn_the_same(dtype):
    class Steps(gluon.HybridBlock):
        def hybrid_forward(self, F, x, w, v):
            for _ in range(4):
                x = F.tanh(F.dot(x, w) + F.dot(F.relu(x), v) + x)
            return F.dot(x, w, transpose_b=True) + F.dot(w, x)  # square: out of the place of a factor

    arrays = [nd.random.normal(scale=0.4, shape=(8, 8)).astype(dtype) for _ in range(3)]
    results = []
    for on in (True, False, None):
        with passes.switched(products=bool(on)):
            net = Steps()
            if on is not None:
                net.hybridize()
            for array in arrays:
                array.attach_grad()
            with autograd.record():
                y = net(*arrays)
                loss = (y * y).sum()
            loss.backward()
            results.append([y.asnumpy(), net(*arrays).asnumpy(), *(a.grad.asnumpy() for a in arrays)])
    tolerance = {"float64": 1e-10, "float32": 1e-4, "float16": 0.05}[dtype]
    for have in results[:2]:
        for x, want in zip(have, results[2]):
            np.testing.assert_allclose(x, want, rtol=tolerance, atol=tolerance * np.abs(want).max())

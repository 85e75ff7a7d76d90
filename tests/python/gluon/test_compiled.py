"""Compiled graphs and their gradients: the same numbers as operator by operator."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


class Branches(gluon.HybridBlock):
    """Two outputs, a dropout, a batch norm, a value used twice and a parameter used twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.body = nn.Dense(6, activation="tanh")
            self.norm = nn.BatchNorm()
            self.drop = nn.Dropout(0.4)
            self.tail = nn.Dense(6, flatten=False)

    def hybrid_forward(self, F, x):
        h = self.drop(self.norm(self.body(x)))
        first = self.tail(h) * F.sigmoid(h)
        return first, F.softmax(self.tail(first) + h).reshape((-1, 2))


def parameters(net):
    return [p for p in net.collect_params().values()]


def both(make, run):
    """What `run(net)` gives for a network that is compiled and one that is not, started alike."""
    results = []
    for hybrid in (False, True):
        mx.random.seed(11)
        net = make()
        net.initialize(mx.init.Xavier(), force_reinit=True)
        net(nd.ones((5, 4)))
        if hybrid:
            net.hybridize()
        mx.random.seed(3)
        results.append(run(net))
    return results


def same(results, tol=0.0):
    eager, compiled = results
    assert len(eager) == len(compiled) > 0
    for want, have in zip(eager, compiled, strict=True):
        np.testing.assert_allclose(have.asnumpy(), want.asnumpy(), rtol=tol, atol=tol)


def data():
    return nd.array(np.random.RandomState(0).rand(5, 4).astype("float32"))


@pytest.mark.parametrize("heads", [(0,), (1,), (0, 1)])
def test_gradients_of_some_outputs(heads):
    def run(net):
        x = data()
        x.attach_grad()
        for _ in range(2):
            with autograd.record():
                outputs = net(x)
            autograd.backward([outputs[i] for i in heads], [nd.random.uniform(shape=outputs[i].shape) for i in heads])
        return [*outputs, x.grad, *(p.grad() for p in parameters(net) if p.grad_req != "null"),
                *(p.data() for p in parameters(net))]
    same(both(Branches, run))


def test_added_gradients_and_retained_graph():
    def run(net):
        for p in parameters(net):
            if p.grad_req == "write":
                p.grad_req = "add"
        net.collect_params().zero_grad()
        with autograd.record():
            loss = (net(data())[0] ** 2).sum()
        loss.backward(retain_graph=True)
        loss.backward()
        with pytest.raises(mx.MXNetError, match="freed by an earlier backward"):
            loss.backward()
        return [p.grad() for p in parameters(net) if p.grad_req != "null"]
    same(both(Branches, run), 1e-6)


def smooth():
    net = nn.HybridSequential()
    net.add(nn.Dense(7, activation="tanh"), nn.Dropout(0.3), nn.LayerNorm(), nn.Dense(3, activation="sigmoid"))
    return net


def test_gradients_of_gradients():
    def run(net):
        x = data()
        x.attach_grad()
        with autograd.record():
            y = (net(x) ** 2).sum()
            first = autograd.grad(y, x, create_graph=True, retain_graph=True)[0]
            second = autograd.grad((first ** 2).sum(), x, create_graph=True, retain_graph=True)[0]
            loss = (second * first).sum()
        loss.backward()
        return [first, second, x.grad, *(p.grad() for p in parameters(net))]
    same(both(smooth, run), 1e-5)


def test_gradient_penalty_reaches_parameters_through_several_calls():
    def run(net):
        x = data()
        x.attach_grad()
        with autograd.record():
            y = net(net(x).tile((1, 2))[:, :4]).sum()
            g = autograd.grad(y, x, create_graph=True)[0]
            penalty = (g.norm() - 1) ** 2 + y
        penalty.backward()
        return [g, *(p.grad() for p in parameters(net))]
    same(both(smooth, run), 1e-5)


def test_recomputed_values_give_the_same_gradients(monkeypatch):
    def run(net):
        with autograd.record():
            loss = (net(data())[1] ** 2).sum()
        loss.backward()
        grads = [p.grad() for p in parameters(net) if p.grad_req != "null"]
        return [loss, *grads, *(p.data() for p in parameters(net))]
    kept = both(Branches, run)[1]
    monkeypatch.setenv("MXNET_BACKWARD_DO_MIRROR", "1")
    same((kept, both(Branches, run)[1]))


def test_recomputing_saves_memory(monkeypatch):
    def saved_bytes():
        net = nn.HybridSequential()
        for _ in range(4):
            net.add(nn.Dense(64, activation="relu"), nn.LayerNorm(), nn.Activation("tanh"))
        net.initialize()
        net.hybridize()
        with autograd.record():
            net(nd.ones((32, 64)))
        return net._cached_op.report()["saved_bytes"]
    kept = saved_bytes()
    monkeypatch.setenv("MXNET_BACKWARD_DO_MIRROR", "1")
    assert 0 < saved_bytes() < kept


def test_input_changed_after_the_call():
    net = nn.Dense(2)
    net.initialize()
    net.hybridize()
    x = nd.ones((3, 4))
    with autograd.record():
        y = net(x)
    x[:] = 2
    with pytest.raises(mx.MXNetError, match="changed in place"):
        y.backward()


def test_gradient_arrays_are_written_in_place():
    net = nn.Dense(2, in_units=4)
    net.initialize()
    net.hybridize()
    held = net.weight.grad()
    for factor in (1, 3):
        with autograd.record():
            y = net(nd.ones((3, 4)) * factor)
        y.backward()
        np.testing.assert_array_equal(held.asnumpy(), 3 * factor * np.ones((2, 4)))
    # A leaf that is read by two calls, and by itself.
    with autograd.record():
        y = net(nd.ones((3, 4))) + net(nd.ones((3, 4))) + net.weight.data().sum()
    y.backward()
    np.testing.assert_array_equal(held.asnumpy(), np.full((2, 4), 6 + 6))


def test_gradient_array_that_is_an_input():
    net = nn.Dense(1, in_units=3, use_bias=False)
    net.initialize()
    net.hybridize()
    x = nd.ones((1, 3))
    x.attach_grad()
    x.grad[:] = 5
    with autograd.record():
        y = net(x) + net(x.grad)
    y.backward()
    np.testing.assert_allclose(net.weight.grad().asnumpy(), np.full((1, 3), 6.0))
    np.testing.assert_allclose(x.grad.asnumpy(), net.weight.data().asnumpy())


def test_identity_and_views():
    class Pass(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return x, F.reshape(x, (-1,)), F.flatten(x) * 2

    net = Pass()
    net.hybridize()
    x = data()
    x.attach_grad()
    with autograd.record():
        same_x, flat, double = net(x)
        loss = same_x.sum() + (flat * 3).sum() + double.sum()
    loss.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), np.full((5, 4), 6))
    flat[:] = 0  # an array of its own
    assert x.asnumpy().min() > 0


def test_every_shape_is_compiled_once():
    net = nn.Dense(3, flatten=False)
    net.initialize()
    net.hybridize()
    for shape in [(2, 4), (5, 4), (2, 3, 4), (0, 4), (2, 4)] * 3:
        x = nd.random.uniform(shape=shape)
        np.testing.assert_allclose(net(x).asnumpy(), x.asnumpy() @ net.weight.data().asnumpy().T, rtol=1e-5, atol=1e-6)


def test_memory_is_shared_between_values():
    net = nn.HybridSequential()
    for _ in range(6):
        net.add(nn.Dense(50), nn.LeakyReLU(0.1), nn.LayerNorm())
    net.initialize()
    net.hybridize()
    net(nd.ones((20, 50)))
    report = net._cached_op.report()
    assert report["steps"] <= 18
    assert report["temporary_bytes"] * 3 < report["unshared_bytes"]


def test_large_graph_runs_behind_the_caller():
    net = nn.HybridSequential()
    for _ in range(3):
        net.add(nn.Dense(300, activation="relu"))
    net.initialize()
    x = nd.random.uniform(shape=(300, 300))
    want = net(x).asnumpy()
    net.hybridize()
    results = [net(x) for _ in range(20)]
    for result in results:
        np.testing.assert_array_equal(result.asnumpy(), want)


def test_failing_kernel_names_its_node():
    net = nn.HybridSequential()
    net.add(nn.HybridLambda(lambda F, x: F.linalg.potrf(F.exp(x), name="factor") + 1))
    net.hybridize()
    with pytest.raises(mx.MXNetError, match="potrf.*factor"):
        net(nd.ones((3, 3))).asnumpy()

"""Dense layers of inference: what follows them is computed with them, from packed weights."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd
from mxnet.gluon import nn
from mxnet.symbol import passes

FUNCTIONS = [mx.sym.relu, mx.sym.sigmoid, mx.sym.tanh, lambda x: mx.sym.clip(x, -0.5, 0.75),
             *(lambda x, t=t: mx.sym.LeakyReLU(x, act_type=t, slope=0.3) for t in ("leaky", "elu", "gelu"))]


def dense(x, width, **kwargs):
    return mx.sym.FullyConnected(x, num_hidden=width, **kwargs)


def check(net, **shapes):
    """The symbol after the pass, which gives what it gave."""
    after = passes.optimize(net, passes=["dense"], **shapes)
    known = dict(zip(net.list_arguments(), net.infer_shape(**shapes)[0]))
    arrays = {name: nd.random.normal(scale=0.3, shape=shape) for name, shape in known.items()}
    results = [[out.asnumpy() for out in s.bind(mx.cpu(), dict(arrays)).forward()] for s in (net, after)]
    for want, have in zip(*results):
        np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-5)
    return after.debug_str()


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("shape, flatten", [((7, 5), True), ((2, 3, 24), False), ((4, 2, 3), True)])
def test_functions_join_dense_layers(function, shape, flatten):
    net = function(dense(function(dense(mx.sym.var("x"), 20, flatten=flatten)), 33, no_bias=True, flatten=flatten))
    text = check(net, x=shape)
    assert text.count("Op:_fused_fully_connected") == 2 == text.count("Op:_fully_connected_pack")
    assert text.count("Op:") == 4


def test_what_is_added_joins_dense_layers():
    x = mx.sym.var("x")
    a = dense(x, 16, name="a")
    net = mx.sym.relu(dense(mx.sym.relu(a), 16) + a) + mx.sym.broadcast_add(dense(x, 16), dense(x, 16))
    text = check(net, x=(6, 8))
    assert text.count("Op:elemwise_add") + text.count("Op:_plus") == 1  # the sum of the two halves
    assert "Op:broadcast_add" not in text


def test_what_others_read_stays():
    x = mx.sym.var("x")
    a, b = dense(x, 16), dense(x, 16)
    text = check(mx.sym.Group([mx.sym.relu(a), a, mx.sym.relu(b) + b]), x=(6, 8))
    assert text.count("Op:relu") == 2


def test_where_packing_does_not_pay():
    net = mx.sym.relu(dense(mx.sym.var("x"), 8))
    assert "Op:FullyConnected" in check(net, x=(1, 6)) and "Op:FullyConnected" in check(net, x=(2, 6))
    assert "Op:FullyConnected" in passes.optimize(net, passes=["dense"], x=(4, 1 << 20)).debug_str()
    with passes.switched(dense=False):
        assert "Op:FullyConnected" in passes.optimize(net, x=(4, 6)).debug_str()


@pytest.mark.parametrize("batch", [1, 2, 5, 64])
def test_a_net_predicts_the_same_until_its_weights_change(batch):
    net = nn.HybridSequential()
    net.add(nn.Dense(40, activation="relu", in_units=30), nn.Dense(50, in_units=40), nn.BatchNorm(in_channels=50),
            nn.Activation("tanh"), nn.Dense(3, in_units=50))
    net.initialize(mx.init.Xavier())
    x = nd.random.normal(shape=(batch, 30))
    want = net(x).asnumpy()
    net.hybridize()
    for _ in range(3):
        np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-4, atol=1e-5)
    for p in net.collect_params().values():
        p.set_data(p.data() * 1.5)
    have = net(x).asnumpy()
    net.hybridize(False)
    np.testing.assert_allclose(have, net(x).asnumpy(), rtol=1e-4, atol=1e-5)


def test_packed_weights_of_other_places_are_refused():
    op = nd._internal._fused_fully_connected
    x, w = nd.ones((2, 3)), nd.ones((4, 3))
    packed = nd._internal._fully_connected_pack(w, num_hidden=4, no_bias=True, data_shape=x.shape)
    np.testing.assert_array_equal(op(x, packed, num_hidden=4, no_bias=True, packed=True).asnumpy(), 3)
    with pytest.raises(ValueError, match="weight"):
        op(x, packed[:100], num_hidden=4, no_bias=True, packed=True)
    forged = packed.copy()
    forged[:8] = nd.array([255, 255, 0, 0, 0, 0, 0, 0], dtype="uint8")
    with pytest.raises(mx.MXNetError, match="packed"):
        op(x, forged, num_hidden=4, no_bias=True, packed=True).asnumpy()
    with pytest.raises(TypeError, match="addend"):
        op(x, w, num_hidden=4, no_bias=True, with_addend=True)


def test_layers_that_share_weights_share_what_is_packed():
    x, w, b = (mx.sym.var(name) for name in "xwb")
    layer = {"weight": w, "bias": b, "num_hidden": 8}
    net = mx.sym.relu(mx.sym.FullyConnected(mx.sym.relu(mx.sym.FullyConnected(x, **layer)), **layer))
    text = check(net, x=(6, 8))
    assert text.count("Op:_fused_fully_connected") == 2 and text.count("Op:_fully_connected_pack") == 1


def test_what_depends_on_constants_alone_stays_apart():
    zeros = mx.sym.zeros((6, 4))
    text = check(dense(mx.sym.var("x"), 16) + dense(zeros, 16), x=(6, 8))
    assert text.count("Op:FullyConnected") == 1 == text.count("Op:_fused_fully_connected")
    assert "add" not in text.replace("with_addend", "")

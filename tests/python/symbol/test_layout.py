"""Channels-last propagation and convolutions with what follows them: what becomes of graphs, and that results stay."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn
from mxnet.gluon.model_zoo import vision
from mxnet.symbol import passes

pytestmark = pytest.mark.skipif(not mx.runtime.Features().is_enabled("MKLDNN"), reason="oneDNN does all this")

INFERENCE = ["identities", "common", "batch_norm", "layout", "convolutions"]


def operators(symbol):
    """The operator of every node, in order."""
    return [op for op, *_ in mx._core.symbol_nodes(symbol) if op]


def nodes_of(symbol, op):
    return [name for kind, name, *_ in mx._core.symbol_nodes(symbol) if kind == op]


def arrays_for(symbol, dtype="float32", **shapes):
    """Small random arrays for all variables; the moving variances are positive."""
    argument_shapes, _, state_shapes = symbol.infer_shape(**shapes)
    rng = np.random.RandomState(3)
    names = symbol.list_arguments() + symbol.list_auxiliary_states()
    return {name: nd.array(rng.uniform(0.2 if name.endswith("var") else -0.5, 0.7, shape)).astype(dtype)
            for name, shape in zip(names, argument_shapes + state_shapes)}


def run(symbol, arrays):
    """The outputs, with all passes switched off."""
    off = {p["name"]: False for p in passes.list_passes()}
    with passes.switched(**off):
        args = {name: arrays[name] for name in symbol.list_arguments()}
        states = {name: arrays[name].copy() for name in symbol.list_auxiliary_states()}
        executor = symbol.bind(mx.cpu(), args, aux_states=states)
        return [out.astype("float32").asnumpy() for out in executor.forward(is_train=False)]


def check(symbol, names=("layout",), rtol=1e-4, dtype="float32", training=False, **shapes):
    """Optimizes by these passes and compares results; gives the new graph."""
    arrays = arrays_for(symbol, dtype, **shapes)
    known = {name: (array.shape, dtype) for name, array in arrays.items()}
    after = mx._core.optimize_symbol(symbol, training, list(names), known)[0]
    want, have = run(symbol, arrays), run(after, arrays)
    assert len(want) == len(have)
    for w, h in zip(want, have):
        assert w.shape == h.shape
        np.testing.assert_allclose(h, w, rtol=rtol, atol=rtol * max(np.abs(w).max(), 1e-3))
    return after


def conv(x, filters, kernel=3, rank=2, **params):
    size = (kernel,) * rank
    params.setdefault("pad", (kernel // 2,) * rank)
    return mx.sym.Convolution(x, kernel=size, num_filter=filters, **params)


def stack(x, *layers):
    for layer in layers:
        x = layer(x)
    return x


def assert_channels_last(symbol, transposes=2):
    """Only the borders transpose, and no convolution works on channels-first arrays."""
    found = operators(symbol)
    assert "Convolution" not in found
    assert found.count("transpose") == transposes, symbol.debug_str()


# --- graphs -------------------------------------------------------------------------------------------------


def test_transpositions_at_the_borders_only():
    x = mx.sym.var("x")
    net = stack(x, lambda x: conv(x, 16), mx.sym.BatchNorm, mx.sym.relu,
                lambda x: mx.sym.Pooling(x, kernel=(2, 2), stride=(2, 2), pool_type="max"),
                lambda x: conv(x, 32), lambda x: mx.sym.Activation(x, act_type="tanh") * 2 + 1)
    after = check(net, x=(2, 8, 24, 20))
    assert_channels_last(after)
    assert after.list_arguments() == net.list_arguments()
    assert after.list_auxiliary_states() == net.list_auxiliary_states()


def test_global_pooling_needs_no_transposition():
    x = mx.sym.var("x")
    net = stack(x, lambda x: conv(x, 16), mx.sym.relu, lambda x: conv(x, 16),
                lambda x: mx.sym.Pooling(x, global_pool=True, pool_type="avg", kernel=(1, 1)), mx.sym.Flatten,
                lambda x: mx.sym.FullyConnected(x, num_hidden=5))
    assert_channels_last(check(net, x=(2, 8, 24, 20)), 1)


@pytest.mark.parametrize("axis, keepdims, transposes", [((2, 3), True, 1), ((2, 3), False, 1), ((1,), True, 1),
                                                        ((0, 2, 3), False, 1), ((1,), False, 1), ((2,), False, 2),
                                                        (None, False, 1)])
def test_reductions(axis, keepdims, transposes):
    x = mx.sym.var("x")
    net = mx.sym.mean(conv(conv(x, 16), 16), axis=axis, keepdims=keepdims)
    assert_channels_last(check(net, x=(2, 8, 24, 20)), transposes)


def test_branches_meet():
    x = mx.sym.var("x")
    a = mx.sym.relu(conv(x, 16))
    b, c = conv(a, 16), conv(a, 8, 1, pad=(0, 0))
    net = mx.sym.concat(a + b, c, dim=1)
    gate = mx.sym.sigmoid(conv(mx.sym.mean(net, axis=(2, 3), keepdims=True), 24, 1, pad=(0, 0)))
    after = check(conv(mx.sym.broadcast_mul(net, gate), 8), x=(2, 8, 24, 20))
    assert_channels_last(after)


def test_parts_of_channels():
    x = mx.sym.var("x")
    a, b = mx.sym.split(conv(x, 16), num_outputs=2, axis=1)
    c = mx.sym.slice_axis(conv(a, 16), axis=1, begin=2, end=10) + mx.sym.slice(
        conv(b, 16), begin=(None, 4, None), end=(None, 12, None))
    d = mx.sym.pad(c, mode="constant", pad_width=(0, 0, 0, 0, 1, 2, 3, 0), constant_value=1)
    assert_channels_last(check(conv(d, 8), x=(2, 8, 24, 20)))


def test_heads_in_the_middle():
    x = mx.sym.var("x")
    a = mx.sym.relu(conv(x, 16, name="a"), name="r")
    b = conv(a, 16, name="b")
    after = check(mx.sym.Group([b, a, mx.sym.sum(b)]), x=(4, 16, 24, 20))
    assert_channels_last(after, 3)


def test_transpositions_of_the_graph_are_used():
    x = mx.sym.var("x")  # channels last outside
    inner = conv(mx.sym.relu(conv(mx.sym.transpose(x, axes=(0, 3, 1, 2)), 16)), 16)
    after = check(mx.sym.transpose(inner, axes=(0, 2, 3, 1)) * 2, x=(2, 24, 20, 8))
    assert_channels_last(after, 0)
    head = check(mx.sym.transpose(inner, axes=(0, 2, 3, 1)), x=(2, 24, 20, 8))
    assert_channels_last(head, 0)


def test_operators_that_know_channels_first_only():
    x = mx.sym.var("x")
    net = conv(mx.sym.LRN(conv(conv(x, 16), 16), nsize=3), 16)
    after = check(conv(mx.sym.InstanceNorm(net), 16), x=(2, 8, 24, 20))
    assert operators(after).count("LRN") == 1


def test_a_shared_weight():
    x, w = mx.sym.var("x"), mx.sym.var("w")
    a = conv(x, 8, weight=w, no_bias=True)
    total = mx.sym.reshape(mx.sym.sum(w), shape=(1, 1, 1, 1))
    after = check(mx.sym.broadcast_add(conv(mx.sym.relu(a), 8, weight=w, no_bias=True), total), x=(2, 8, 24, 20))
    assert_channels_last(after)


@pytest.mark.parametrize("params", [dict(num_group=4), dict(num_group=16), dict(dilate=(2, 2), pad=(2, 2)),
                                    dict(stride=(2, 1), pad=(0, 2)), dict(no_bias=True), dict(layout="NCHW")])
def test_kinds_of_convolutions(params):
    x = mx.sym.var("x")
    net = conv(mx.sym.relu(mx.sym.Convolution(conv(x, 16), num_filter=16, kernel=(3, 3), **params)), 16)
    for names in (["layout"], INFERENCE):
        assert_channels_last(check(net, names, x=(3, 7, 25, 21)))


@pytest.mark.parametrize("shape", [(3, 8, 600), (2, 4, 6, 12, 10)])
def test_one_and_three_spatial_axes(shape):
    rank = len(shape) - 2
    x = mx.sym.var("x")
    pooled = mx.sym.Pooling(mx.sym.BatchNorm(conv(x, 16, rank=rank)), kernel=(2,) * rank, pool_type="avg")
    net = conv(mx.sym.relu(pooled), 16, rank=rank)
    for names in (["layout"], INFERENCE):
        assert_channels_last(check(net, names, x=shape))


@pytest.mark.parametrize("params", [dict(no_bias=False), dict(num_group=4), dict(stride=(2, 2), adj=(1, 0)),
                                    dict(stride=(2, 2), target_shape=(48, 40)), dict(pad=(1, 1))])
def test_deconvolution(params):
    x = mx.sym.var("x")
    net = conv(mx.sym.Deconvolution(conv(x, 16), kernel=(4, 4), num_filter=8, **params), 8)
    assert_channels_last(check(net, x=(2, 8, 24, 20)))
    image = mx.sym.Deconvolution(conv(conv(x, 16), 16), kernel=(4, 4), num_filter=3)
    assert operators(check(image, x=(2, 8, 24, 20))).count("Deconvolution") == 1  # faster as it is


def test_what_stays_as_it_is():
    x = mx.sym.var("x")
    chain = conv(conv(x, 16), 16)
    for net, shape, dtype in ((conv(x, 8), (1, 8, 6, 6), "float32"),  # too little to gain
                              (mx.sym.relu(x), (8, 64, 32, 32), "float32"),
                              (chain, (2, 8, 24, 20), "float64"), (chain, (2, 8, 24, 20), "float16")):
        assert operators(check(net, dtype=dtype, rtol=1e-2, x=shape)) == operators(net)


def test_switch():
    x = mx.sym.var("x")
    net = conv(conv(x, 16), 16)
    with passes.switched(layout=False, convolutions=False):
        assert operators(passes.optimize(net, x=(2, 8, 24, 20))) == operators(net)
    assert operators(passes.optimize(net, x=(2, 8, 24, 20))) != operators(net)
    assert operators(passes.optimize(net)) == operators(net)  # shapes are not known


def test_bfloat16():
    x = mx.sym.var("x")
    net = conv(mx.sym.relu(conv(x, 16)), 16)
    for names in (["layout"], INFERENCE):
        assert_channels_last(check(net, names, dtype="bfloat16", rtol=5e-2, x=(2, 8, 24, 20)))


# --- gradients ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [dict(), dict(num_group=4), dict(stride=(2, 2), dilate=(2, 1), pad=(2, 1))])
def test_gradients_of_the_optimized_graph(params):
    x = mx.sym.var("x")
    net = mx.sym.relu(mx.sym.BatchNorm(mx.sym.Convolution(conv(x, 16), num_filter=16, kernel=(3, 3), no_bias=True,
                                                           **params), fix_gamma=False))
    net = conv(mx.sym.Pooling(net, kernel=(2, 2), pool_type="max"), 4)
    after = passes.optimize(net, training=True, passes=["layout"], x=(2, 8, 24, 20))
    assert_channels_last(after)
    results = []
    with passes.switched(**{p["name"]: False for p in passes.list_passes()}):
        for graph in (net, after):
            arrays = arrays_for(net, x=(2, 8, 24, 20))
            args = {name: arrays[name] for name in net.list_arguments()}
            states = {name: arrays[name] for name in net.list_auxiliary_states()}
            grads = {name: nd.zeros_like(array) for name, array in args.items()}
            executor = graph.bind(mx.cpu(), args, grads, aux_states=states)
            out = executor.forward(is_train=True)[0]
            executor.backward(nd.array(np.random.RandomState(5).uniform(size=out.shape)))
            results.append({**grads, **states})
    for name, want in results[0].items():
        np.testing.assert_allclose(results[1][name].asnumpy(), want.asnumpy(), rtol=1e-3,
                                   atol=1e-4 * float(want.abs().max().asscalar()) + 1e-3, err_msg=name)


def test_gradients_of_gradients():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(8, 3, padding=1, in_channels=4), nn.Activation("tanh"), nn.BatchNorm(in_channels=8),
            nn.Conv2D(8, 3, padding=1, in_channels=8), nn.AvgPool2D(2), nn.Flatten(), nn.Dense(3, in_units=288))
    net.initialize(mx.init.Xavier())
    x = nd.random.uniform(shape=(2, 4, 12, 12))
    x.attach_grad()
    results = []
    for hybrid in (False, True):
        net.hybridize(hybrid)
        with autograd.record():
            slope = autograd.grad(net(x).sum(), [x], create_graph=True, retain_graph=True)[0]
            value = nd.square(slope).sum()
        value.backward()
        parameters = [p for p in net.collect_params().values() if p.grad_req != "null"]
        results.append([value.asnumpy(), x.grad.asnumpy(), *(p.grad().asnumpy() for p in parameters)])
    for want, have in zip(*results):
        np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-4 * max(np.abs(want).max(), 1e-3))


# --- convolutions with what follows ---------------------------------------------------------------------------


FUNCTIONS = [mx.sym.relu, mx.sym.sigmoid, mx.sym.tanh, lambda x: mx.sym.clip(x, -0.5, 0.75),
             *(lambda x, t=t: mx.sym.Activation(x, act_type=t) for t in ("relu", "sigmoid", "tanh")),
             *(lambda x, t=t: mx.sym.LeakyReLU(x, act_type=t, slope=0.3) for t in ("leaky", "elu", "gelu"))]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("size", [24, 5])  # channels last, or as it is
def test_functions_join_convolutions(function, size):
    x = mx.sym.var("x")
    net = function(conv(function(conv(x, 16)), 8, 1, pad=(0, 0)))
    after = check(net, ["layout", "convolutions"], x=(2, 8, size, size))
    assert operators(after).count("_fused_convolution") == 2
    assert set(operators(after)) <= {"_fused_convolution", "_convolution_pack", "transpose"}


def test_what_is_added_joins_convolutions():
    x = mx.sym.var("x")
    a = conv(x, 16)
    b = mx.sym.relu(conv(mx.sym.relu(a), 16) + a)
    net = mx.sym.Group([conv(b, 8), mx.sym.relu(mx.sym.broadcast_add(conv(b, 16, 1, pad=(0, 0)), conv(b, 16)))])
    after = check(net, ["layout", "convolutions"], x=(2, 8, 24, 20))
    assert not {"elemwise_add", "broadcast_add", "_plus"} & set(operators(after))
    assert operators(after).count("relu") == 1  # `a` itself is wanted too


def test_what_others_read_stays():
    x = mx.sym.var("x")
    a, b = conv(x, 16, name="a"), conv(x, 16, name="b")
    net = mx.sym.Group([mx.sym.relu(a), a, mx.sym.relu(b) + b, mx.sym.broadcast_add(conv(x, 16), mx.sym.mean(x))])
    after = check(net, ["layout", "convolutions"], x=(2, 8, 24, 20))
    assert operators(after).count("relu") == 2


def test_weights_are_packed_once():
    net = nn.HybridSequential()
    net.add(nn.Conv2D(16, 3, padding=1, in_channels=8), nn.Activation("relu"), nn.Conv2D(8, 3, in_channels=16))
    net.initialize(mx.init.Xavier())
    x = nd.random.uniform(shape=(2, 8, 24, 20))
    want = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-4, atol=1e-5)
    net[0].weight.set_data(net[0].weight.data() * 2)
    net.hybridize(False)
    want = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-4, atol=1e-5)
    assert net(x[:0]).shape == (0, 8, 22, 18)


# --- networks -------------------------------------------------------------------------------------------------


NETWORKS = {"alexnet": 224, "densenet121": 224, "inceptionv3": 299, "mobilenet0.25": 64, "mobilenetv2_0.25": 64,
            "resnet18_v1": 64, "resnet18_v2": 64, "resnet50_v1": 64, "squeezenet1.1": 224, "vgg11_bn": 32}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    size = NETWORKS[name]
    net = vision.get_model(name, classes=10)
    net.initialize(mx.init.Xavier())
    net(nd.zeros((1, 3, size, size)))
    symbol = net(mx.sym.var("data"))
    symbol = symbol[0] if isinstance(symbol, list) else symbol
    arrays = {p.name: p.data() for p in net.collect_params().values()}
    arrays["data"] = nd.random.uniform(shape=(2, 3, size, size))
    want = run(symbol, arrays)[0]
    for names in (["layout"], INFERENCE):
        after = passes.optimize(symbol, passes=names, data=(2, 3, size, size))
        np.testing.assert_allclose(run(after, arrays)[0], want, rtol=1e-3, atol=1e-3 * np.abs(want).max())
        assert "Convolution" not in operators(after)
        assert operators(after).count("transpose") <= (3 if "Dropout" in operators(after) else 2)


@pytest.mark.parametrize("name, size", [("resnet18_v1", 64), ("mobilenetv2_0.25", 64)])
def test_training_of_networks(name, size):
    mx.random.seed(3)
    x, label = nd.random.uniform(shape=(4, 3, size, size)), nd.array([0, 1, 2, 3])
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    net = vision.get_model(name, classes=10)
    net.initialize(mx.init.Xavier())
    net(x)
    results = []
    for hybrid in (False, True):
        net.hybridize(hybrid)
        for parameter in net.collect_params().values():
            if parameter.name.endswith("running_mean"):
                parameter.set_data(nd.zeros(parameter.shape))
        with autograd.record():
            value = loss(net(x), label)
        value.backward()
        results.append([value.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values()
                                           if p.grad_req != "null")])
    for want, have in zip(*results):
        # Sums in another order turn a few rectifiers over.
        assert np.linalg.norm(have - want) <= 0.05 * np.linalg.norm(want) + 1e-4

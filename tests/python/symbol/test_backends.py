"""Backends by name: passes, those of a program's own, and what the names of 1.x mean."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd
from mxnet.gluon import nn


@pytest.fixture
def own():
    """A backend that scales its output, and its calls."""
    calls = []

    @mx.sym.backends.register("scaled")
    def scaled(symbol, args, aux, factor="2"):
        calls.append((sorted(args), sorted(aux), factor))
        args["scale"] = nd.array([float(factor)])
        return mx.sym.broadcast_mul(symbol, mx.sym.var("scale"))
    yield calls
    del mx.sym.backends._registered["scaled"]


def network():
    net = mx.sym.BatchNorm(mx.sym.Convolution(mx.sym.var("data"), kernel=(1, 1), num_filter=3, name="conv"),
                           name="bn", fix_gamma=False)
    return mx.sym.exp(net) + mx.sym.exp(net)


@pytest.mark.parametrize("name", ["inference", "training", "MKLDNN", "identities", "common", "batch_norm"])
def test_ours(name):
    net = network()
    assert name in mx.sym.backends.list_backends()
    shapes = net.infer_shape(data=(2, 2, 4, 4))
    args = {n: nd.random.uniform(0.5, 1, s) for n, s in zip(net.list_arguments(), shapes[0])}
    aux = {n: nd.random.uniform(0.5, 1, s) for n, s in zip(net.list_auxiliary_states(), shapes[2])}
    for given in ((args, aux), (list(args.values()), list(aux.values())), (None, None)):
        better = net.optimize_for(name, *given)
        assert set(better.list_inputs()) == set(net.list_inputs())
        arrays = {**args, **aux}
        want, have = (s.bind(mx.cpu(), [arrays[n] for n in s.list_arguments()],
                             aux_states=[arrays[n] for n in s.list_auxiliary_states()]).forward()[0]
                      for s in (net, better))
        np.testing.assert_allclose(have.asnumpy(), want.asnumpy(), rtol=1e-4)
        if given[0] is args:  # the dicts are those of the new graph
            assert set(args) == set(better.list_arguments()) and set(aux) == set(better.list_auxiliary_states())
    assert net.get_backend_symbol(name).list_arguments() == better.list_arguments()
    nodes = len(net.get_internals()), len(net.optimize_for("common").get_internals())
    assert nodes[0] > nodes[1]


def test_unknown():
    net = network()
    for call in (lambda: net.optimize_for("TensorRT"), lambda: net.get_backend_symbol("TensorRT"),
                 lambda: nn.Dense(2).hybridize(backend="TensorRT"),
                 lambda: nn.Dense(2).optimize_for(nd.ones((1, 2)), backend="TensorRT")):
        with pytest.raises(ValueError, match="there is no backend 'TensorRT'; there are .*batch_norm.*inference"):
            call()
    with pytest.raises(TypeError, match="name"):
        net.optimize_for(3)
    with pytest.raises(TypeError, match="takes no options, got depth"):
        net.optimize_for("inference", depth=3)
    with pytest.raises(ValueError, match="already"):
        mx.sym.backends.register("inference")


def test_own(own):
    net = network()
    args = {"conv_weight": nd.ones((3, 2, 1, 1))}
    better = net.optimize_for("scaled", args, factor="3")
    assert own == [(["conv_weight"], [], "3")]
    assert "scale" in better.list_arguments() and args["scale"].asscalar() == 3


def test_own_must_give_a_graph_of_as_many_outputs():
    mx.sym.backends.register("broken")(lambda symbol, args, aux: None)
    with pytest.raises(TypeError, match="backend 'broken' must return a Symbol, got NoneType"):
        network().optimize_for("broken")
    mx.sym.backends.register("broken")(lambda symbol, args, aux: mx.sym.Group([symbol, symbol]))
    with pytest.raises(ValueError, match="returned 2 outputs for 1"):
        network().optimize_for("broken")
    del mx.sym.backends._registered["broken"]


def test_blocks(own, tmp_path):
    net = nn.HybridSequential()
    with net.name_scope():
        net.add(nn.Dense(4), nn.Dense(2))
    net.initialize()
    x = nd.random.uniform(shape=(3, 5))
    want = net(x).asnumpy()
    net.optimize_for(x, backend="scaled", factor="5")
    np.testing.assert_allclose(net(x).asnumpy(), want * 5, rtol=1e-5)
    assert len(own) == 1 and len(own[0][0]) == 4
    files = net.export(str(tmp_path / "net"))
    again = mx.gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    np.testing.assert_allclose(again(x).asnumpy(), want * 5, rtol=1e-5)
    net.hybridize()
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-5)
    net.hybridize(backend="inference")
    np.testing.assert_allclose(net(x).asnumpy(), want, rtol=1e-5)

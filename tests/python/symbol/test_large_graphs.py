"""A graph of 100,000 nodes goes everywhere a small one goes: nothing recurses."""
import json

import numpy as np
import pytest

import mxnet as mx

NODES = 100_000


@pytest.fixture(scope="module")
def chain():
    x = mx.sym.var("x")
    net = x
    for i in range(NODES // 2):
        net = mx.sym.elemwise_add(mx.sym.relu(net, name=f"r{i}"), x, name=f"a{i}")
    return net


def test_lists_and_inference(chain):
    assert chain.list_arguments() == ["x"]
    assert len(chain.get_internals()) == NODES + 1
    assert chain.infer_shape(x=(2, 3)) == ([(2, 3)], [(2, 3)], [])
    assert chain.infer_type(x="float64")[1] == [np.float64]
    assert chain.infer_shape(x=(2, 0))[0] is None
    assert len(chain.attr_dict()) == 0


def test_inference_from_the_outputs():
    """What is known at the end of a graph finds its way to the start."""
    net = mx.sym.var("x")
    for i in range(NODES // 10):
        net = mx.sym.elemwise_add(net, mx.sym.var(f"v{i}"))
    net = net + mx.sym.zeros((2, 3))
    assert set(net.infer_shape()[0]) == {(2, 3)}


def test_text(chain):
    text = chain.tojson()
    again = mx.sym.load_json(text)
    assert again.tojson() == text
    assert len(json.loads(text)["nodes"]) == NODES + 1
    assert chain.debug_str().count("Op:") == NODES
    assert mx.sym.load_json(chain(x=mx.sym.var("y")).tojson()).list_arguments() == ["y"]


def test_running(chain):
    executor = chain.simple_bind(mx.cpu(), x=(1,))
    executor.arg_dict["x"][:] = 1
    out = executor.forward(is_train=True)[0]
    assert out.asscalar() == NODES // 2 + 1
    executor.backward(mx.nd.ones((1,)))
    assert executor.grad_dict["x"].asscalar() == NODES // 2 + 1
    assert executor.forward(is_train=False)[0].asscalar() == NODES // 2 + 1


def test_summary(chain, capsys):
    mx.viz.print_summary(chain, {"x": (1, 2)})
    assert f"a{NODES // 2 - 1}(elemwise_add)" in capsys.readouterr().out


def test_blocks():
    class Chain(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            for _ in range(NODES):
                x = F.relu(x)
            return x
    net = Chain()
    net.hybridize()
    assert net(mx.nd.ones((1,))).asscalar() == 1
    x = mx.nd.ones((1,))
    x.attach_grad()
    with mx.autograd.record():
        y = net(x)
    y.backward()
    assert x.grad.asscalar() == 1

"""The helpers for tests of symbols in mx.test_utils."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import test_utils as tu


def product():
    return mx.sym.var("x") * mx.sym.var("y")


X, Y = np.array([1.0, 2, 3]), np.array([4.0, 5, 6])


def test_forward():
    tu.check_symbolic_forward(product(), [X, Y], [X * Y])
    tu.check_symbolic_forward(product(), {"y": Y, "x": mx.nd.array(X, dtype="float64")}, [X * Y], dtype=np.float64)
    with pytest.raises(AssertionError):
        tu.check_symbolic_forward(product(), [X, Y], [X * Y + 1])
    with pytest.raises(ValueError, match="arguments are"):
        tu.check_symbolic_forward(product(), {"x": X, "z": Y}, [X])
    np.testing.assert_array_equal(tu.simple_forward(product(), x=X, y=Y), X * Y)


@pytest.mark.parametrize("req", ["write", "add", "null", {"x": "write", "y": "add"}, ["add", "null"]])
def test_backward(req):
    tu.check_symbolic_backward(product(), [X, Y], [np.ones(3) * 2], [2 * Y, 2 * X], grad_req=req)
    tu.check_symbolic_backward(product(), [X, Y], [np.ones(3) * 2], {"x": 2 * Y}, grad_req=req)
    with pytest.raises(AssertionError):
        tu.check_symbolic_backward(product(), [X, Y], [np.ones(3)], [2 * Y, 2 * X])


def test_numeric_gradient():
    net = mx.sym.Activation(mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=2, name="fc"), act_type="tanh")
    location = {"x": np.random.rand(2, 3), "fc_weight": np.random.rand(2, 3), "fc_bias": np.random.rand(2)}
    tu.check_numeric_gradient(net, location)
    tu.check_numeric_gradient(net, list(location.values()), grad_nodes=["x"], dtype=np.float64)
    norm = mx.sym.BatchNorm(mx.sym.var("x"), fix_gamma=False, name="bn")
    tu.check_numeric_gradient(norm, [np.random.rand(4, 2), np.ones(2), np.zeros(2)], [np.zeros(2), np.ones(2)],
                              numeric_eps=1e-3, rtol=0.16, atol=1e-2)
    with pytest.raises(AssertionError):
        tu.check_numeric_gradient(mx.sym.BlockGrad(mx.sym.var("x")) * mx.sym.var("x2"), [X, Y])
    with pytest.raises(TypeError):
        tu.check_numeric_gradient(3, [X])


def test_consistency():
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc")
    types = [{"ctx": mx.cpu(), "data": (2, 4), "type_dict": {"data": t}} for t in (np.float64, np.float32, np.float16)]
    truth = tu.check_consistency(net, types)
    assert truth["fc_output"].dtype == np.float64 and "data" in truth
    with pytest.raises(AssertionError):
        tu.check_consistency([net, net * 2, net], types)


def test_speed_and_blocks():
    assert tu.check_speed(product(), N=2, x=(2,), y=(2,)) > 0
    assert tu.check_speed(product(), {"x": X, "y": Y}, N=2, typ="forward") > 0
    tu.check_gluon_hybridize_consistency(lambda prefix: mx.gluon.nn.Dense(2, prefix=prefix), [mx.nd.ones((3, 4))])

"""The helpers of mx.test_utils for symbols."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import sym
from mxnet import test_utils as tu

X, Y = np.array([1.0, 2.0]), np.array([3.0, 4.0])


@pytest.fixture
def product():
    return sym.var("x") * sym.var("y")


def test_forward(product):
    outputs = tu.check_symbolic_forward(product, [X, Y], [X * Y])
    np.testing.assert_array_equal(outputs[0].asnumpy(), X * Y)
    tu.check_symbolic_forward(product, {"x": X, "y": Y}, {product.list_outputs()[0]: X * Y})
    tu.check_symbolic_forward(product, [X, Y], [X * Y], dtype=np.float64)
    tu.check_symbolic_forward(product, [X, Y], [X * Y], dtype="asnumpy")
    with pytest.raises(AssertionError, match="EXPECTED_.*_output"):
        tu.check_symbolic_forward(product, [X, Y], [X + Y])
    with pytest.raises(ValueError, match="the symbol's arguments are"):
        tu.check_symbolic_forward(product, {"x": X, "z": Y}, [X])


@pytest.mark.parametrize("grad_req", ["write", "add", "null", {"x": "add", "y": "null"}])
def test_backward(product, grad_req):
    grads = tu.check_symbolic_backward(product, [X, Y], [np.array([1.0, 5.0])], [Y * [1, 5], X * [1, 5]],
                                       grad_req=grad_req)
    assert list(grads) == ["x", "y"]
    if grad_req != "null":
        with pytest.raises(AssertionError):
            tu.check_symbolic_backward(product, [X, Y], [np.ones(2)], [X, Y + 1], grad_req=grad_req)


def test_backward_of_some(product):
    assert list(tu.check_symbolic_backward(product, {"x": X, "y": Y}, [np.ones(2)], {"x": Y})) == ["x"]


def test_numeric_gradient(product):
    tu.check_numeric_gradient(product, [X, Y])
    tu.check_numeric_gradient(product, {"x": X, "y": Y}, grad_nodes=["x"], dtype=np.float64)
    tu.check_numeric_gradient(product, {"x": X, "y": Y}, grad_nodes={"x": "write", "y": "null"})
    tu.check_numeric_gradient(sym.Group([product, sym.var("x") + 1]), {"x": X, "y": Y})
    with pytest.raises(ValueError, match="grad_nodes must be"):
        tu.check_numeric_gradient(product, [X, Y], grad_nodes=3)
    found = tu.numeric_grad(product.bind(mx.cpu(), {"x": mx.nd.array(X), "y": mx.nd.array(Y)}), {"x": X, "y": Y})
    np.testing.assert_allclose(found["x"], Y, rtol=2e-2)


def test_simple_forward(product):
    np.testing.assert_array_equal(tu.simple_forward(product, x=X, y=Y), X * Y)
    both = tu.simple_forward(sym.Group([product, sym.var("x") + sym.var("y")]), x=X, y=Y)
    np.testing.assert_array_equal(both, [X * Y, X + Y])


def test_speed(product):
    assert tu.check_speed(product, {"x": X, "y": Y}, N=2) > 0
    assert tu.check_speed(product, N=2, typ="forward", x=(2,), y=(2,)) > 0
    with pytest.raises(ValueError, match="typ must be"):
        tu.check_speed(product, {"x": X, "y": Y}, typ="all")


def test_consistency():
    symbol = sym.FullyConnected(sym.var("data"), num_hidden=3, name="fc")
    runs = [{"ctx": mx.cpu(), "data": (2, 4), "type_dict": {"data": t}} for t in (np.float64, np.float32)]
    truth = tu.check_consistency(symbol, runs)
    assert set(truth) == {"fc_output", "data", "fc_weight", "fc_bias"}
    with pytest.raises(AssertionError, match="fc_output of run"):
        tu.check_consistency([symbol, symbol * 2], runs, ground_truth=None)


def test_structure(product):
    assert tu.same_symbol_structure(product, sym.var("a") * sym.var("b"))
    assert not tu.same_symbol_structure(product, sym.var("a") + sym.var("b"))


def test_hybridized_blocks():
    tu.check_gluon_hybridize_consistency(lambda prefix: mx.gluon.nn.Dense(3, prefix=prefix), [mx.nd.ones((2, 4))])
    tu.check_gluon_hybridize_consistency(lambda prefix: mx.gluon.nn.Activation("relu", prefix=prefix),
                                         [mx.nd.array([-1, 2])], numpy_func=lambda x: np.maximum(x, 0))

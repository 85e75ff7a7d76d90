"""Operators written in Python inside symbols and compiled blocks."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd, sym


class Weighted(mx.operator.CustomOp):
    def forward(self, is_train, req, in_data, out_data, aux):
        aux[0][:] += 1
        self.assign(out_data[0], req[0], in_data[0] * in_data[1])

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], out_grad[0] * in_data[1])
        self.assign(in_grad[1], req[1], (out_grad[0] * in_data[0]).sum(axis=0))


@mx.operator.register("test_symbol_weighted")
class WeightedProp(mx.operator.CustomOpProp):
    def __init__(self, note="none"):
        super().__init__(need_top_grad=True)
        self.note = note

    def list_arguments(self):
        return ["data", "weight"]

    def list_outputs(self):
        return ["product"]

    def list_auxiliary_states(self):
        return ["calls"]

    def infer_shape(self, in_shape):
        data = in_shape[0]
        return [data, data[1:]], [data], [[1]]

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return Weighted()


def weighted(**kwargs):
    return sym.Custom(op_type="test_symbol_weighted", name="layer", **kwargs)


def test_names():
    symbol = weighted(data=sym.var("x"))
    assert symbol.list_arguments() == ["x", "layer_weight"]
    assert symbol.list_auxiliary_states() == ["layer_calls"]
    assert symbol.list_outputs() == ["layer_product"]
    assert weighted(weight=sym.var("w")).list_arguments() == ["layer_data", "w"]
    assert sym.Custom(sym.var("x"), sym.var("w"), op_type="test_symbol_weighted").list_arguments() == ["x", "w"]
    with pytest.raises(TypeError, match="Custom: there is no input 'bias'"):
        weighted(bias=sym.var("b"))


def test_shapes_are_inferred():
    arguments, outputs, states = weighted(data=sym.var("x")).infer_shape(x=(2, 3))
    assert (arguments, outputs, states) == ([(2, 3), (3,)], [(2, 3)], [(1,)])


def test_file():
    symbol = sym.load_json(weighted(data=sym.var("x"), note="kept").tojson())
    assert symbol.list_arguments() == ["x", "layer_weight"]
    assert symbol.attr_dict()["layer"] == {"op_type": "test_symbol_weighted", "note": "kept"}


def test_executor():
    executor = weighted(data=sym.var("x")).simple_bind(mx.cpu(), x=(2, 3))
    x, w = np.arange(6.0).reshape(2, 3), np.array([1.0, 2.0, 3.0])
    for count in (1, 2):
        out, = executor.forward(is_train=True, x=x, layer_weight=w)
        np.testing.assert_array_equal(out.asnumpy(), x * w)
        assert executor.aux_dict["layer_calls"].asscalar() == count
    executor.backward(nd.ones((2, 3)))
    np.testing.assert_array_equal(executor.grad_dict["x"].asnumpy(), np.tile(w, (2, 1)))
    np.testing.assert_array_equal(executor.grad_dict["layer_weight"].asnumpy(), x.sum(0))


def test_in_a_compiled_block():
    class Layer(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.weight = self.params.get("weight", allow_deferred_init=True)
                self.calls = self.params.get("calls", shape=(1,), grad_req="null", init="zeros")

        def hybrid_forward(self, F, x, weight, calls):
            return F.relu(F.Custom(x, weight, calls, op_type="test_symbol_weighted"))

    results = []
    for hybridize in (False, True):
        layer = Layer()
        layer.initialize(mx.init.Constant(2))
        if hybridize:
            layer.hybridize()
        x = nd.array([[1, -2], [3, 4]])
        x.attach_grad()
        for _ in range(2):
            with autograd.record():
                y = layer(x)
            y.backward()
        results.append([y.asnumpy(), x.grad.asnumpy(), layer.weight.grad().asnumpy()])
    for eager, compiled in zip(*results):
        np.testing.assert_array_equal(eager, compiled)


def test_numeric_gradient():
    x = np.random.RandomState(0).uniform(-1, 1, (2, 3))
    mx.test_utils.check_numeric_gradient(weighted(data=sym.var("x")), {"x": x, "layer_weight": x[0] + 2},
                                         aux_states={"layer_calls": np.zeros(1)})


def test_operators_of_the_first_days():
    class Twice(mx.operator.NumpyOp):
        def forward(self, in_data, out_data):
            out_data[0][:] = 2 * in_data[0]

        def backward(self, out_grad, in_data, out_data, in_grad):
            in_grad[0][:] = 2 * out_grad[0]

    class Thrice(mx.operator.NDArrayOp):
        def forward(self, in_data, out_data):
            out_data[0][:] = 3 * in_data[0]

        def backward(self, out_grad, in_data, out_data, in_grad):
            in_grad[0][:] = 3 * out_grad[0]

    with pytest.warns(DeprecationWarning):
        twice, thrice = Twice(), Thrice()
    symbol = thrice(twice(sym.var("x"), name="first"), name="second")
    assert symbol.list_outputs() == ["second_output"]
    mx.test_utils.check_symbolic_forward(symbol, [np.array([1.0, 2.0])], [np.array([6.0, 12.0])])
    mx.test_utils.check_symbolic_backward(symbol, [np.array([1.0, 2.0])], [np.array([1.0, 5.0])],
                                          [np.array([6.0, 30.0])])

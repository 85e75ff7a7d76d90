"""Loops and branches in symbols: as those on arrays, with gradients, and in files."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd, sym


def check(symbol, function, inputs):
    """A symbol and a function of arrays give the same results and gradients, also after a trip through a file."""
    arrays = {name: nd.array(value) for name, value in inputs.items()}
    for a in arrays.values():
        a.attach_grad()
    with mx.autograd.record():
        want = function(**arrays)
        total = sum((w * (i + 2)).sum() for i, w in enumerate(want))
    total.backward()
    for net in (symbol, sym.load_json(symbol.tojson())):
        used = net.list_arguments()
        gradients = {n: nd.zeros(arrays[n].shape) for n in used}
        executor = net.bind(mx.cpu(), {n: arrays[n].detach() for n in used}, gradients)
        have = executor.forward(is_train=True)
        shapes = net.infer_shape(**{n: arrays[n].shape for n in used})[1]
        for h, w, shape in zip(have, want, shapes):
            np.testing.assert_allclose(h.asnumpy(), w.asnumpy(), rtol=1e-5)
            assert shape == h.shape
        executor.backward([nd.ones(h.shape) * (i + 2) for i, h in enumerate(have)])
        for name in used:
            np.testing.assert_allclose(executor.grad_dict[name].asnumpy(), arrays[name].grad.asnumpy(), rtol=1e-5)


def test_foreach():
    def body(F):
        def step(x, states):
            return [x + states[0] * w[F], x * 2], [x * states[0], states[1] + 1]
        return step
    w = {sym: sym.var("w")}

    def on_arrays(x, s, t, w_):
        w[nd] = w_
        outputs, states = nd.contrib.foreach(body(nd), x, [s, t])
        return outputs + states
    outputs, states = sym.contrib.foreach(body(sym), sym.var("x"), [sym.var("s"), sym.var("t")])
    check(sym.Group(outputs + states), lambda x, s, t, w: on_arrays(x, s, t, w),
          {"x": np.arange(6.0).reshape(3, 2), "s": [1.0, 2], "t": [0.0, 0], "w": [0.5, 2]})


def test_while_loop():
    def run(F, i, s, w):
        outputs, values = F.contrib.while_loop(lambda i, s: i < 4, lambda i, s: ([s * w], [i + 1, s + w]), [i, s],
                                               max_iterations=6)
        return [*outputs, *values]
    check(sym.Group(run(sym, sym.var("i"), sym.var("s"), sym.var("w"))), lambda i, s, w: run(nd, i, s, w),
          {"i": [0.0], "s": [1.0], "w": [2.0]})


@pytest.mark.parametrize("x", [1.0, 3.0])
def test_cond(x):
    def run(F, x, y):
        return F.contrib.cond(x < 2, lambda: x * y, lambda: x + y * 3)
    check(run(sym, sym.var("x"), sym.var("y")), lambda x, y: [run(nd, x, y)], {"x": [x], "y": [5.0]})


def test_layers_inside_a_loop():
    def body(x, state):
        out = sym.FullyConnected(x, num_hidden=3, name="fc") + state
        return out, out
    outputs, _ = sym.contrib.foreach(body, sym.var("x"), sym.zeros((0, 3)))
    assert sorted(outputs.list_arguments()) == ["fc_bias", "fc_weight", "x"]
    assert outputs.infer_shape(x=(5, 2, 4))[1] == [(5, 2, 3)]
    executor = outputs.simple_bind(mx.cpu(), x=(5, 2, 4))
    assert executor.forward()[0].shape == (5, 2, 3)


def test_what_a_body_does_not_read():
    outputs, states = sym.contrib.foreach(lambda x, s: (x * 2, s + 1), sym.var("x"), sym.var("s"))
    assert states.eval(x=nd.ones((3, 1)), s=nd.zeros((1,)))[0].asscalar() == 3
    outputs, (i, s) = sym.contrib.while_loop(lambda i, s: i < 3, lambda i, s: (i * 1, [i + 1, i]),
                                             [sym.var("i"), sym.var("s")], max_iterations=5)
    assert s.eval(i=nd.zeros((1,)), s=nd.ones((1,)) * 7)[0].asscalar() == 2


def test_nested_loops():
    def outer(row, total):
        _, inner = sym.contrib.foreach(lambda x, s: (x, s + x), row, total)
        return inner, inner
    _, total = sym.contrib.foreach(outer, sym.var("x"), sym.var("s"))
    assert total.eval(x=nd.arange(6).reshape((2, 3, 1)), s=nd.zeros((1,)))[0].asscalar() == 15


def test_in_a_hybrid_block():
    class Sum(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.contrib.foreach(lambda x, s: (x + s, x + s), x, F.zeros_like(F.squeeze(
                F.slice_axis(x, axis=0, begin=0, end=1), axis=0)))[0]
    net, x = Sum(), nd.arange(6).reshape((3, 2))
    want = net(x).asnumpy()
    net.hybridize()
    np.testing.assert_array_equal(net(x).asnumpy(), want)
    np.testing.assert_array_equal(want, np.cumsum(x.asnumpy(), axis=0))


def test_only_in_symbols():
    with pytest.raises(mx.MXNetError, match="symbols only"):
        nd._internal._foreach(nd.ones((1,)), num_outputs=1, num_out_data=1, in_state_locs=(), in_data_locs=(0,),
                              remain_locs=())


def test_foreach_over_vectors():
    """A slice of a vector is a vector of one element, as in mx.nd."""
    outputs, state = mx.sym.contrib.foreach(lambda x, s: (x + s, x + s), mx.sym.var("data"), mx.sym.var("state"))
    symbol = mx.sym.Group([outputs, state])
    assert symbol.infer_shape(data=(3,), state=(1,))[:2] == ([(3,), (1,)], [(3, 1), (1,)])
    executor = symbol.simple_bind(mx.cpu(), data=(3,), state=(1,))
    out, last = executor.forward(is_train=True, data=mx.nd.array([1, 2, 3]), state=mx.nd.array([10]))
    np.testing.assert_array_equal(out.asnumpy(), [[11], [13], [16]])
    executor.backward([mx.nd.ones((3, 1)), mx.nd.zeros((1,))])
    np.testing.assert_array_equal(executor.grad_dict["data"].asnumpy(), [3, 2, 1])


def test_what_a_body_computes_of_weights_alone():
    """It is kept from step to step, but not when a weight changes."""
    weight = sym.var("weight")
    outputs, _ = sym.contrib.foreach(lambda x, s: (x * sym.exp(weight) + s, s), sym.var("x"), sym.var("s"))
    executor = outputs.simple_bind(mx.cpu(), x=(3, 2), s=(2,), weight=(2,))
    x = np.arange(6.0).reshape(3, 2)
    for value in (0.5, -1.0):
        executor.arg_dict["weight"][:] = value
        for state in (1, 2):
            have = executor.forward(x=nd.array(x), s=nd.ones((2,)) * state)[0]
            np.testing.assert_allclose(have.asnumpy(), x * np.exp(value) + state, rtol=1e-5)

"""What is recorded, and what backward does with it."""
import gc
import threading

import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, nd


def variable(*values, grad_req="write", dtype="float32"):
    x = nd.array(values, dtype=dtype)
    x.attach_grad(grad_req)
    return x


def states():
    return autograd.is_recording(), autograd.is_training()


def test_scopes():
    assert states() == (False, False)
    with autograd.record():
        assert states() == (True, True)
        with autograd.pause():
            assert states() == (False, False)
            with autograd.pause(train_mode=True):
                assert states() == (False, True)
            assert states() == (False, False)
        with autograd.predict_mode():
            assert states() == (True, False)
            with autograd.train_mode():
                assert states() == (True, True)
        assert states() == (True, True)
    with autograd.record(train_mode=False):
        assert states() == (True, False)
    with autograd.train_mode():
        assert states() == (False, True)
    assert states() == (False, False)


def test_scopes_end_with_an_error():
    with pytest.raises(KeyError), autograd.record():
        raise KeyError
    assert states() == (False, False)


def test_setters_return_what_was():
    assert autograd.set_recording(True) is False
    assert autograd.set_training(True) is False
    assert states() == (True, True)
    assert autograd.set_recording(False) is True
    assert autograd.set_training(False) is True


def test_scopes_belong_to_the_thread():
    seen = []
    with autograd.record():
        thread = threading.Thread(target=lambda: seen.append(states()))
        thread.start()
        thread.join()
    assert seen == [(False, False)]


def test_backward():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * x
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 4, 6])
    with autograd.record():
        y = x * x
    y.backward(nd.array([1, 10, 100]))
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 40, 600])


@pytest.mark.parametrize("grad_req, want", [("write", 4), ("add", 8), ("null", 0)])
def test_grad_req(grad_req, want):
    x = variable(2, grad_req=grad_req)
    other = variable(1)
    for _ in range(2):
        with autograd.record():
            y = x * x + other
        y.backward()
    assert x.grad.asscalar() == want


def test_grad_req_is_checked():
    with pytest.raises(ValueError, match="grad_req"):
        nd.ones((1,)).attach_grad("foo")
    with pytest.raises(ValueError, match="grad_req"):
        autograd.mark_variables(nd.ones((1,)), nd.ones((1,)), "foo")


def test_mark_variables():
    x, y = nd.array([2]), nd.array([3])
    gx, gy = nd.zeros((1,)), nd.ones((1,))
    autograd.mark_variables([x, y], [gx, gy], ["write", "add"])
    with autograd.record():
        z = x * y
    z.backward()
    assert gx.asscalar() == 3 and gy.asscalar() == 3 and x.grad.asscalar() == 3
    with pytest.raises(ValueError):
        autograd.mark_variables([x], [], "write")
    with pytest.raises(ValueError):
        autograd.mark_variables([x], [nd.zeros((2,))])


def test_a_variable_used_twice():
    x = variable(3)
    with autograd.record():
        y = x * x + x * 2 + x
    y.backward()
    assert x.grad.asscalar() == 9


def test_several_heads():
    x = variable(1, 2)
    with autograd.record():
        y, z = x * 2, x * 3
    autograd.backward([y, z], [None, nd.array([1, 10])])
    np.testing.assert_array_equal(x.grad.asnumpy(), [5, 32])
    with autograd.record():
        y = x * 2
    autograd.backward(y)
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 2])


@pytest.mark.parametrize("head_grads, error", [([], ValueError), ([nd.ones((3,))], ValueError), ("x", TypeError)])
def test_head_grads_are_checked(head_grads, error):
    x = variable(1, 2)
    with autograd.record():
        y = x * 2
    with pytest.raises(error):
        autograd.backward([y], head_grads)


def test_retain_graph():
    x = variable(3)
    with autograd.record():
        y = x * x
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.asscalar() == 6
    with pytest.raises(mx.MXNetError, match="retain_graph"):
        y.backward()


@pytest.mark.parametrize("make", [lambda x: x * x, lambda x: nd.ones((1,)) * 2], ids=["outside", "no variable"])
def test_backward_of_what_was_not_recorded(make):
    y = make(variable(1))
    with pytest.raises(mx.MXNetError, match="record"):
        y.backward()


def test_pause_and_detach():
    x = variable(2)
    with autograd.record():
        y = x * x
        with autograd.pause():
            z = y * 10
        w = y + z * x + y.detach() * x
    w.backward()
    assert x.grad.asscalar() == 4 + 40 + 4
    assert nd.BlockGrad is not None
    with autograd.record():
        y = nd.BlockGrad(x * x) * x
    y.backward()
    assert x.grad.asscalar() == 4


def test_attach_grad_inside_cuts_the_record():
    x = variable(1, 2)
    with autograd.record():
        y = x * 2
        y.attach_grad()
        z = y * y
    z.backward()
    np.testing.assert_array_equal(y.grad.asnumpy(), [4, 8])
    np.testing.assert_array_equal(x.grad.asnumpy(), [0, 0])


def test_integers_have_gradients():
    x = variable(1, 2, dtype="int32")
    with autograd.record():
        y = x * x
    y.backward()
    assert x.grad.dtype == np.int32
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 4])


@pytest.mark.parametrize("dtype", ["float16", "float64", "bfloat16"])
def test_dtypes(dtype):
    x = variable(1, 2, dtype=dtype)
    with autograd.record():
        y = (x.astype("float32") * 3).astype(dtype) * x
    y.backward()
    assert x.grad._dtype_name == dtype
    np.testing.assert_array_equal(x.grad.astype("float32").asnumpy(), [6, 12])


def test_broadcast_and_scalars():
    x, row = variable(1, 2), nd.array([[1, 2], [3, 4]])
    row.attach_grad()
    with autograd.record():
        y = 2 - row * x / 2 + x ** 2
    y.backward()
    np.testing.assert_allclose(row.grad.asnumpy(), [[-0.5, -1], [-0.5, -1]])
    np.testing.assert_allclose(x.grad.asnumpy(), [4 - 2, 8 - 3])


def test_copies_between_contexts_are_recorded():
    x = variable(1, 2)
    with autograd.record():
        y = x.copyto(mx.cpu(1)) * 3
        z = y.as_in_context(mx.cpu(0)).copy()
    z.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [3, 3])
    assert x.grad.context == mx.cpu(0)


def test_fresh_grad():
    x = variable(1)
    assert not x._fresh_grad
    with autograd.record():
        y = x * x
    y.backward()
    assert x._fresh_grad
    x._fresh_grad = False
    assert not x._fresh_grad


def test_out_keyword_while_recording():
    x = variable(2)
    out = nd.zeros((1,))
    with autograd.record():
        nd.square(x, out=out)
        y = out * 3
    y.backward()
    assert x.grad.asscalar() == 12
    with autograd.record():
        y = x * x
        with pytest.raises(mx.MXNetError):
            nd.square(x, out=y)


# --- writing in place ---------------------------------------------------------------------------------------


def test_a_variable_cannot_be_written_while_recording():
    x = variable(1, 2)
    with autograd.record():
        with pytest.raises(mx.MXNetError, match="in place"):
            x[0] = 5
        with pytest.raises(mx.MXNetError, match="in place"):
            x += 1
        with pytest.raises(mx.MXNetError, match="in place"):
            x[[0]] = 5
    x[:] = 3  # outside it can
    x += 1
    np.testing.assert_array_equal(x.asnumpy(), [4, 4])


def test_results_can_be_written_while_recording():
    x = variable(1, 2, 3)
    with autograd.record():
        y = x * 2
        y += x
        y[1] = 10
        y *= y
        z = y + x
    z.backward()
    np.testing.assert_array_equal(z.asnumpy(), [10, 102, 84])
    np.testing.assert_array_equal(x.grad.asnumpy(), [2 * 3 * 3 + 1, 1, 2 * 9 * 3 + 1])


def test_arrays_beside_the_record_can_be_written():
    x, buffer = variable(2), nd.zeros((3,))
    with autograd.record():
        buffer[0] = 1
        buffer += 1
        y = x * buffer
        buffer[:] = x
        z = y + buffer
    z.backward()
    np.testing.assert_array_equal(z.asnumpy(), [6, 4, 4])
    assert x.grad.asscalar() == 2 + 1 + 1 + 3


def test_overwriting_what_backward_needs_is_noticed():
    x = variable(1, 2)
    w = nd.array([3, 4])
    with autograd.record():
        y = x * w
    w[:] = 0
    with pytest.raises(mx.MXNetError, match="in place"):
        y.backward()
    with autograd.record():
        y = x + w
    w[:] = 5  # not needed
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [1, 1])


def test_updating_a_variable_after_backward():
    x = variable(1.0)
    for _ in range(3):
        with autograd.record():
            y = x * x
        y.backward()
        x -= 0.5 * x.grad
    assert x.asscalar() == 0


# --- long and large records ---------------------------------------------------------------------------------


def test_long_records_do_not_recurse():
    x = variable(1)
    with autograd.record():
        y = x
        for _ in range(30000):
            y = y + 0.0
    y.backward()
    assert x.grad.asscalar() == 1
    with autograd.record():
        y = x
        for _ in range(30000):
            y = y + 0.0
    del y  # taken apart without recursion, too
    gc.collect()


def test_the_record_frees_its_memory():
    x = nd.ones((1000, 1000))
    x.attach_grad()

    def step(backward):
        with autograd.record():
            y = (x * x + 1).sum()
        if backward:
            y.backward()
        nd.waitall()

    for backward in (True, False):
        step(backward)
        before = mx._core.storage_stats(1, 0)["in_use"]
        for _ in range(5):
            step(backward)
        assert mx._core.storage_stats(1, 0)["in_use"] <= before


def test_get_symbol():
    x, weight = variable(1, 2), nd.array([3, 4])
    with autograd.record():
        y = nd.split(nd.concat(x * weight, x + weight.sum(), dim=0), 2, axis=0)[1]
    symbol = autograd.get_symbol(y)
    first, second = symbol.list_arguments()[:2]
    assert (first, second) == ("var0", "var1") and len(symbol.list_outputs()) == 1
    assert mx.sym.load_json(symbol.tojson()).list_arguments() == symbol.list_arguments()
    rest = {name: weight.sum() for name in symbol.list_arguments()[2:]}
    value = symbol.eval(ctx=mx.cpu(), **{first: x, second: weight}, **rest)[0]
    np.testing.assert_array_equal(value.asnumpy(), y.asnumpy())
    assert autograd.get_symbol(x).list_arguments() == ["var0"]


def test_get_symbol_of_what_no_operator_stands_for():
    class Twice(autograd.Function):
        def forward(self, x):
            return x * 2

        def backward(self, dy):
            return dy * 2

    x = variable(1)
    with autograd.record():
        y = Twice()(x)
    with pytest.raises(NotImplementedError, match="no operator stands for"):
        autograd.get_symbol(y)
    with pytest.raises(ValueError, match="not computed inside"):
        autograd.get_symbol(nd.ones((1,)))
    with autograd.record():
        y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        autograd.get_symbol(y)


@pytest.mark.parametrize("f", [
    lambda x: x.argmax(axis=0), lambda x: x.argmin(axis=0), lambda x: x.argsort(), lambda x: nd.one_hot(x, 4),
    lambda x: nd.unravel_index(x, shape=(2, 3)), lambda x: nd.random.poisson(x), lambda x: nd.random.uniform_like(x),
], ids=["argmax", "argmin", "argsort", "one_hot", "unravel_index", "poisson", "uniform_like"])
def test_no_gradient_flows_through_indices_and_draws(f):
    x = variable(1, 2)
    with autograd.record():
        y = f(x)
    y.backward()
    assert x.grad.asnumpy().tolist() == [0, 0]

"""autograd.grad, gradients of gradients, and functions with gradients written by hand."""
import gc

import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, nd


def variable(*values, dtype="float32"):
    x = nd.array(values, dtype=dtype)
    x.attach_grad()
    return x


def test_grad_returns_new_arrays():
    x = variable(1, 2)
    with autograd.record():
        y = x * x
    grads = autograd.grad(y, x, retain_graph=True)
    assert isinstance(grads, list) and len(grads) == 1
    np.testing.assert_array_equal(grads[0].asnumpy(), [2, 4])
    np.testing.assert_array_equal(x.grad.asnumpy(), [0, 0])
    grads = autograd.grad([y], [x], [nd.array([1, 10])])
    np.testing.assert_array_equal(grads[0].asnumpy(), [2, 40])


def test_grad_by_results_on_the_way():
    x = variable(3)
    with autograd.record():
        y = x * x
        z = y * y
    dz_dy, dz_dx = autograd.grad(z, [y, x])
    assert dz_dy.asscalar() == 18 and dz_dx.asscalar() == 108


def test_grad_of_what_does_not_depend():
    x, other = variable(3), variable(1)
    with autograd.record():
        y = x * x
    assert autograd.grad(y, [other])[0].asscalar() == 0


def test_grad_checks_its_arguments():
    x = variable(3)
    with autograd.record():
        y = x * x
    with pytest.raises(ValueError):
        autograd.grad(y, [])
    with pytest.raises(ValueError):
        autograd.grad(y, [nd.ones((1,))])
    with pytest.raises(TypeError):
        autograd.grad(y, "x")


def test_grad_does_not_keep_the_record_unless_told():
    x = variable(3)
    with autograd.record():
        y = x * x
    autograd.grad(y, x)
    with pytest.raises(mx.MXNetError, match="retain_graph"):
        autograd.grad(y, x)


def derivatives(function, x, order):
    """The derivatives of a scalar function at x, of order 1 to `order`."""
    x = variable(x, dtype="float64")
    found = []
    with autograd.record():
        y = function(x)
        for _ in range(order):
            y, = autograd.grad(y, x, create_graph=True)
            found.append(y.asscalar())
    return found


@pytest.mark.parametrize("name, function, want", [
    ("cube", lambda x: x * x * x, [12, 12, 6]),
    ("power", lambda x: x ** 4, [32, 48, 48, 24]),
    ("exp", nd.exp, [np.exp(2)] * 4),
    ("sin", nd.sin, [np.cos(2), -np.sin(2), -np.cos(2), np.sin(2)]),
    ("reciprocal", lambda x: 1 / x, [-1 / 4, 2 / 8, -6 / 16]),
    ("log", nd.log, [1 / 2, -1 / 4, 2 / 8]),
])
def test_higher_orders(name, function, want):
    np.testing.assert_allclose(derivatives(function, 2, len(want)), want, rtol=1e-6)


def test_gradient_penalty():
    """The norm of an input gradient as part of a loss, as in WGAN-GP."""
    rng = np.random.RandomState(0)
    data, w1, w2 = (rng.uniform(-1, 1, s) for s in ((4, 3), (5, 3), (1, 5)))

    def penalty(w1_value, with_gradient=False):
        x, a, b = (nd.array(v, dtype="float64") for v in (data, w1_value, w2))
        for v in (x, a, b):
            v.attach_grad()
        with autograd.record():
            hidden = nd.tanh(nd.dot(x, a, transpose_b=True))
            score = nd.dot(hidden, b, transpose_b=True)
            dx, = autograd.grad(score, x, create_graph=True)
            loss = ((nd.sqrt((dx * dx).sum(axis=1)) - 1) ** 2).sum()
        if not with_gradient:
            return float(loss.asscalar())
        loss.backward()
        return a.grad.asnumpy()

    have = penalty(w1, True)
    step = 1e-5
    for i in np.ndindex(*w1.shape):
        up, down = w1.copy(), w1.copy()
        up[i] += step
        down[i] -= step
        np.testing.assert_allclose(have[i], (penalty(up) - penalty(down)) / (2 * step), rtol=1e-5, atol=1e-7)


def test_backward_with_create_graph():
    x = variable(3)
    with autograd.record():
        y = x * x * x
        y.backward(create_graph=True)
        z = x.grad * x.grad
    dz, = autograd.grad(z, x)
    assert dz.asscalar() == 2 * 27 * 18


class Sigmoid(autograd.Function):
    def forward(self, x):
        y = 1 / (1 + nd.exp(-x))
        self.save_for_backward(y)
        return y

    def backward(self, dy):
        y, = self.saved_tensors
        return dy * y * (1 - y)


class ProductAndSum(autograd.Function):
    def forward(self, a, b):
        self.save_for_backward(a, b)
        return a * b, a + b

    def backward(self, dproduct, dsum):
        a, b = self.saved_tensors
        return dproduct * b + dsum, dproduct * a + dsum


def test_function():
    x = variable(0, 1, -2)
    with autograd.record():
        y = Sigmoid()(x)
    assert not autograd.is_recording()
    y.backward()
    s = 1 / (1 + np.exp(-np.array([0, 1, -2])))
    np.testing.assert_allclose(y.asnumpy(), s, rtol=1e-6)
    np.testing.assert_allclose(x.grad.asnumpy(), s * (1 - s), rtol=1e-6)


def test_function_without_recording():
    np.testing.assert_allclose(Sigmoid()(nd.array([0])).asnumpy(), [0.5])


def test_function_of_second_order():
    x = variable(0.3, dtype="float64")
    with autograd.record():
        y = Sigmoid()(x * 2)
        dy, = autograd.grad(y, x, create_graph=True)
    ddy, = autograd.grad(dy, x)
    s = 1 / (1 + np.exp(-0.6))
    np.testing.assert_allclose(dy.asscalar(), 2 * s * (1 - s), rtol=1e-10)
    np.testing.assert_allclose(ddy.asscalar(), 4 * s * (1 - s) * (1 - 2 * s), rtol=1e-10)


def test_function_in_numpy_has_no_second_gradient():
    class Cube(autograd.Function):
        def forward(self, x):
            self.save_for_backward(x)
            return x ** 3

        def backward(self, dy):
            x, = self.saved_tensors
            return nd.array(3 * x.asnumpy() ** 2) * dy.detach()

    x = variable(2, 3)
    with autograd.record():
        y = Cube()(x)
        dx, = autograd.grad(y, x, create_graph=True)
        z = dx.sum()
    np.testing.assert_array_equal(dx.asnumpy(), [12, 27])
    with pytest.raises(NotImplementedError, match="Cube.backward cannot be differentiated"):
        z.backward()


def test_function_with_several_inputs_and_outputs():
    a, b = variable(1, 2), variable(3, 4)
    with autograd.record():
        product, total = ProductAndSum()(a, b)
        z = product * 10 + total
    z.backward()
    np.testing.assert_array_equal(a.grad.asnumpy(), [31, 41])
    np.testing.assert_array_equal(b.grad.asnumpy(), [11, 21])
    with autograd.record():
        product, total = ProductAndSum()(a, b)
    total.backward()  # the other output has gradient zero
    np.testing.assert_array_equal(a.grad.asnumpy(), [1, 1])


def test_function_may_leave_gradients_out():
    class First(autograd.Function):
        def forward(self, a, b):
            return a * 1

        def backward(self, dy):
            return dy, None

    a, b = variable(1), variable(2)
    with autograd.record():
        y = First()(a, b)
    y.backward()
    assert a.grad.asscalar() == 1 and b.grad.asscalar() == 0


def test_gradients_of_functions_are_fitted():
    """They are spread over the shape of the input and take its dtype, as in an assignment."""
    class Spread(autograd.Function):
        def forward(self, a, b):
            return a * b

        def backward(self, dy):
            return dy.sum(), dy.astype("float64")

    a, b = variable(1, 2), variable(3, 4)
    with autograd.record():
        y = Spread()(a * 1, b * 1)
    y.backward()
    assert a.grad.asnumpy().tolist() == [2, 2] and b.grad.asnumpy().tolist() == [1, 1]
    assert b.grad.dtype == np.float32


def test_function_in_a_hybridized_block():
    class Block(mx.gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(Sigmoid()(x * 2))

    class Inner(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.square(x)

    x = variable(0.3, dtype="float64")
    block = Block()
    block.inner.hybridize()
    with autograd.record():
        dy, = autograd.grad(block(x), x, create_graph=True)
    dy.backward()
    s = 1 / (1 + np.exp(-0.6))
    np.testing.assert_allclose(dy.asscalar(), 4 * s * s * (1 - s), rtol=1e-10)
    np.testing.assert_allclose(x.grad.asscalar(), 8 * (2 * s - 3 * s * s) * s * (1 - s), rtol=1e-10)


def test_function_returning_its_input():
    class Same(autograd.Function):
        def forward(self, x):
            return x

        def backward(self, dy):
            return dy * 7

    x = variable(1)
    with autograd.record():
        y = Same()(x) * 2
    y.backward()
    assert x.grad.asscalar() == 14


def test_function_is_called_once():
    f = Sigmoid()
    f(nd.array([0]))
    with pytest.raises(mx.MXNetError, match="once"):
        f(nd.array([0]))


def test_function_errors():
    class TooMany(autograd.Function):
        def forward(self, x):
            return x * 1

        def backward(self, dy):
            return dy, dy

    class Shape(TooMany):
        def backward(self, dy):
            return nd.ones((3,))

    class Raises(TooMany):
        def backward(self, dy):
            raise KeyError("mine")

    class Nothing(autograd.Function):
        pass

    for kind, error in ((TooMany, ValueError), (Shape, ValueError), (Raises, KeyError)):
        x = variable(1, 2)
        with autograd.record():
            y = kind()(x)
        with pytest.raises(error):
            y.backward()
    with pytest.raises(NotImplementedError):
        Nothing()(nd.ones((1,)))
    with pytest.raises(TypeError):
        Sigmoid()(3)
    x = variable(1)
    with autograd.record():
        y = Sigmoid()(x)
    y.backward()  # the tape is usable after the errors
    assert x.grad.asscalar() > 0


def test_functions_are_freed():
    alive = []

    class Counted(Sigmoid):
        def __init__(self):
            super().__init__()
            alive.append(1)

        def __del__(self):
            alive.pop()

    x = variable(1)
    for backward in (True, False):
        for _ in range(5):
            with autograd.record():
                y = Counted()(x)
            if backward:
                y.backward()
        del y
    gc.collect()
    assert not alive

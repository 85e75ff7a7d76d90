"""Gradients of any order through operators written in Python."""
import numpy as np
import pytest
from custom_ops import define

from mxnet import autograd, gluon, nd


def cube_forward(self, is_train, req, in_data, out_data, aux):
    self.kept = in_data[0] * in_data[0]
    self.assign(out_data[0], req[0], self.kept * in_data[0])


def cube_backward(self, req, out_grad, in_data, out_data, in_grad, aux):
    self.assign(in_grad[0], req[0], 3 * in_data[0] * in_data[0] * out_grad[0])


def derivatives(op_type, x, order, after=lambda y: y):
    """The values of the first derivatives of ``after(op(x))`` at the elements of x."""
    x = nd.array(x, dtype="float64")
    x.attach_grad()
    found = []
    with autograd.record():
        y = after(nd.Custom(x, op_type=op_type))
        for _ in range(order):
            y, = autograd.grad(y, x, create_graph=True)
            found.append(y.asnumpy())
    return found


def test_gradients_of_gradients():
    define("test_cube", cube_forward, cube_backward)
    x = np.array([1.5, -2])
    for have, want in zip(derivatives("test_cube", x, 3), [3 * x ** 2, 6 * x, [6, 6]]):
        np.testing.assert_allclose(have, want)
    for have, want in zip(derivatives("test_cube", x, 3, nd.square), [6 * x ** 5, 30 * x ** 4, 120 * x ** 3]):
        np.testing.assert_allclose(have, want)


@pytest.mark.parametrize("hybridize", [False, True])
def test_gradients_of_gradients_in_a_block(hybridize):
    define("test_cube", cube_forward, cube_backward)

    class Block(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.Custom(F.sin(x), op_type="test_cube") * 2

    net = Block()
    if hybridize:
        net.hybridize()
    x = nd.array([0.3, 1.2], dtype="float64")
    x.attach_grad()
    with autograd.record():
        dx, = autograd.grad(net(x), x, create_graph=True)
    dx.backward()
    s, c = np.sin(x.asnumpy()), np.cos(x.asnumpy())
    np.testing.assert_allclose(dx.asnumpy(), 6 * s ** 2 * c)
    np.testing.assert_allclose(x.grad.asnumpy(), 12 * s * c ** 2 - 6 * s ** 3)


def test_second_gradients_with_states_and_several_arrays():
    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], in_data[0] * in_data[1])
        self.assign(out_data[1], req[1], in_data[0] ** 2)

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        aux[0][:] = aux[0] + in_data[0].sum()
        self.assign(in_grad[0], req[0], out_grad[0] * in_data[1])
        self.assign(in_grad[0], "add", 2 * out_grad[1] * in_data[0])
        self.assign(in_grad[1], req[1], out_grad[0] * in_data[0])

    define("test_pair", forward, backward, list_arguments=lambda self: ["a", "b"],
           list_outputs=lambda self: ["product", "square"], list_auxiliary_states=lambda self: ["seen"],
           infer_shape=lambda self, shapes: (shapes, [shapes[0]] * 2, [[1]]))

    def gradient_of_penalty(pair):
        a, b, seen = nd.array([1, 2]), nd.array([3, -4]), nd.zeros(1)
        a.attach_grad()
        b.attach_grad()
        with autograd.record():
            product, square = pair(a, b, seen)
            da, db = autograd.grad([product, square], [a, b], [nd.array([1, 2]), nd.array([5, 7])], create_graph=True)
            loss = (da ** 2 * b).sum() + (db ** 3).sum()
        loss.backward()
        return a.grad.asnumpy(), b.grad.asnumpy(), seen.asscalar()

    have = gradient_of_penalty(lambda a, b, seen: nd.Custom(a, b, seen, op_type="test_pair"))
    want = gradient_of_penalty(lambda a, b, seen: (a * b, a ** 2))
    np.testing.assert_allclose(have[0], want[0])
    np.testing.assert_allclose(have[1], want[1])
    assert have[2] == 3, "the state is written once, by the first gradient"


def test_gradient_of_a_gradient_in_numpy_is_refused():
    """Its first gradient is right, and a second one is an error instead of zero."""
    def numpy_backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], 3 * in_data[0].asnumpy() ** 2 * out_grad[0].asnumpy())

    def other_tape(self, req, out_grad, in_data, out_data, in_grad, aux):
        x = in_data[0].copy()
        x.attach_grad()
        with autograd.record():
            y = x * x * x
        y.backward(out_grad[0])
        self.assign(in_grad[0], req[0], x.grad)

    for backward, after in ((numpy_backward, lambda y: y), (numpy_backward, nd.sin), (other_tape, nd.square)):
        define("test_off_tape", cube_forward, backward)
        x = nd.array([1, 2])
        x.attach_grad()
        with autograd.record():
            y = after(nd.Custom(x, op_type="test_off_tape"))
            grad, = autograd.grad(y, x, create_graph=True)
            z = grad.sum()
        with autograd.record():
            want, = autograd.grad(after(x ** 3), x)
        np.testing.assert_allclose(grad.asnumpy(), want.asnumpy(), rtol=1e-5)
        with pytest.raises(NotImplementedError, match="the backward of operator 'test_off_tape' cannot be diff"):
            z.backward()


def test_zero_gradients_need_no_tape():
    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], 0)

    define("test_flat", lambda self, is_train, req, in_data, out_data, aux: self.assign(out_data[0], req[0], 1),
           backward)
    np.testing.assert_array_equal(derivatives("test_flat", [1, 2], 1, nd.sin), [[0, 0]])
    x = nd.array([1, 2])
    x.attach_grad()
    with autograd.record():
        y = nd.sin(nd.Custom(x, op_type="test_flat")) + x ** 2
        grad, = autograd.grad(y, x, create_graph=True)
    grad.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [2, 2])


def test_error_in_a_recorded_backward():
    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        raise ValueError("not today")

    define("test_raises", cube_forward, backward)
    x = nd.array([1, 2])
    x.attach_grad()
    with autograd.record():
        y = nd.Custom(x, op_type="test_raises")
        with pytest.raises(ValueError, match="backward of operator 'test_raises' failed: ValueError: not today"):
            autograd.grad(y, x, create_graph=True)

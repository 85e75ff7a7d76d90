"""mx.nd.contrib.foreach, while_loop and cond."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, nd
from mxnet.ndarray.contrib import cond, foreach, while_loop


def same(array, expected):
    np.testing.assert_allclose(array.asnumpy(), expected, rtol=1e-6)


ROWS = np.arange(6).reshape(3, 2)


def test_foreach_adds_up():
    outputs, state = foreach(lambda x, s: (x + s, x + s), nd.array(ROWS), nd.zeros(2))
    same(outputs, ROWS.cumsum(0))
    same(state, ROWS.sum(0))


def test_foreach_nests_as_the_body_does():
    def body(x, states):
        count, (total,) = states
        return [x[0] + count, (x[1],)], [count + 1, [total + 2]]

    outputs, (count, (total,)) = foreach(body, [nd.array(ROWS), nd.array(2 * ROWS)], [nd.zeros(2), [nd.ones(1)]])
    same(outputs[0], ROWS + np.arange(3)[:, None])
    same(outputs[1][0], 2 * ROWS)
    same(count, [3, 3])
    same(total, [7])


def test_foreach_without_states_outputs_or_slices():
    outputs, states = foreach(lambda x, s: (x, []), nd.array(ROWS), [])
    same(outputs, ROWS)
    assert states == []
    outputs, states = foreach(lambda x, s: ([], s), nd.array(ROWS), [nd.zeros(1)])
    assert outputs == []
    first = nd.ones(1)
    outputs, state = foreach(lambda x, s: (x, s), nd.zeros((0, 2)), first)
    assert outputs == [] and state is first


def test_foreach_over_single_elements():
    outputs, _ = foreach(lambda x, s: (x, s), nd.arange(3), nd.zeros(1))
    assert outputs.shape == (3, 1)


def test_foreach_gradients_reach_data_states_and_closures():
    data, state, weight = nd.array(ROWS), nd.ones(2), nd.array([2, 3])
    for x in (data, state, weight):
        x.attach_grad()
    with autograd.record():
        outputs, last = foreach(lambda x, s: (x * weight + s, s * weight), data, state)
        loss = outputs.sum() + last.sum()
    loss.backward()
    same(weight.grad, [23, 43])
    same(data.grad, [[2, 3]] * 3)
    same(state.grad, [15, 40])


@pytest.mark.parametrize("call, error, message", [
    (lambda: foreach(lambda x, s: (x, s), 3, nd.zeros(1)), TypeError, "foreach: data must be an NDArray"),
    (lambda: foreach(lambda x, s: (x, s), nd.zeros((2, 2)), None), TypeError, "init_states must be an NDArray"),
    (lambda: foreach(lambda x, s: (3, s), nd.zeros((2, 2)), []), TypeError, "the output of body must be"),
    (lambda: foreach(lambda x, s: (x, 3), nd.zeros((2, 2)), []), TypeError, "the states of body must be"),
    (lambda: foreach(lambda x, s: (x, s), [nd.zeros((2, 2)), nd.zeros((3, 2))], []), ValueError, "axis 0"),
    (lambda: foreach(lambda x, s: ([x] * (len(s) + 1), [*s, x]), nd.zeros((2, 2)), []), ValueError, "as many arrays"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, i), nd.zeros(1)), ValueError, "max_iterations"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, i), nd.zeros(1), max_iterations="a"), ValueError, "as an int"),
    (lambda: while_loop(lambda: True, lambda: ([], []), [], 3), ValueError, "at least one"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, i), 3, 3), TypeError, "while_loop: loop_vars must be"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, [i, i]), nd.zeros(1), 3), ValueError, "1 loop variables, got 2"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, None), [nd.zeros(1)], 3), ValueError, "got 0"),
    (lambda: while_loop(lambda i: i < 2, lambda i: (i, i), nd.zeros(2), 3), ValueError, "is ambiguous"),
    (lambda: cond(nd.zeros(2), lambda: 1, lambda: 2), ValueError, "is ambiguous"),
])
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("single", [True, False])
def test_while_loop_pads_with_zeros(single):
    start = nd.array([0]) if single else [nd.array([0])]
    outputs, last = while_loop(lambda i: i <= 3, lambda i: (i + 1, i + 1), start, max_iterations=6)
    same(outputs, [[1], [2], [3], [4], [0], [0]])
    same(last if single else last[0], [4])


def test_while_loop_of_several_variables():
    start = (nd.array([0], dtype="int64"), nd.array([1], dtype="int64"))
    (sums,), (i, s) = while_loop(lambda i, s: i <= 5, lambda i, s: ([i + s], [i + 1, s + i]), start, max_iterations=10)
    same(sums, np.array([1, 2, 4, 7, 11, 16, 0, 0, 0, 0])[:, None])
    assert (i.asscalar(), s.asscalar(), sums.dtype) == (6, 16, np.int64)


def test_while_loop_without_calls_or_outputs():
    for limit in (0, -1):
        outputs, (i,) = while_loop(lambda i: i < 5, lambda i: (i, [i + 1]), [nd.zeros(1)], max_iterations=limit)
        assert outputs == [] and i.asscalar() == 0
    outputs, (i,) = while_loop(lambda i: i < 0, lambda i: (i, [i + 1]), [nd.zeros(1)], max_iterations=4)
    assert outputs == [] and i.asscalar() == 0
    for nothing in (None, []):
        outputs, (i,) = while_loop(lambda i: i < 2, lambda i, out=nothing: (out, [i + 1]), [nd.zeros(1)], 4)
        assert outputs == [] and i.asscalar() == 2


def test_while_loop_nested_and_with_python_conditions():
    outputs, ((i,),) = while_loop(lambda v: v[0].asscalar() <= 2, lambda v: ([v[0], [v[0]]], [[v[0] + 1]]),
                                  [[nd.zeros(1)]], max_iterations=4)
    same(outputs[1][0], [[0], [1], [2], [0]])
    assert i.asscalar() == 3


def test_while_loop_gradients():
    factor, start = nd.array([1.5]), nd.array([2])
    factor.attach_grad()
    start.attach_grad()
    with autograd.record():
        outputs, (_, last) = while_loop(lambda i, a: i < 3, lambda i, a: (a * factor, [i + 1, a * factor]),
                                        [nd.zeros(1), start], max_iterations=5)
        loss = outputs.sum() + last
    loss.backward()
    f = 1.5
    same(factor.grad, [2 * (1 + 2 * f + 6 * f * f)])
    same(start.grad, [f + f ** 2 + 2 * f ** 3])


def test_second_gradient_through_a_loop():
    x = nd.array([2])
    x.attach_grad()
    with autograd.record():
        _, y = foreach(lambda _, s: ([], s * x), nd.zeros(3), x)  # x ** 4
        dy, = autograd.grad(y, x, create_graph=True)
    dy.backward()
    same(x.grad, [48])


def test_cond():
    x = nd.array([2])
    x.attach_grad()
    for pred, expected in ((x > 1, 4), (x > 3, 6), (True, 4), (0, 6), (nd.array([[1]]), 4)):
        with autograd.record():
            y = cond(pred, lambda: x * x, lambda: [x * 3, x])
        y = y if isinstance(y, nd.NDArray) else y[0]
        assert y.asscalar() == expected
        y.backward()
        assert x.grad.asscalar() == (4 if expected == 4 else 3)


def test_loops_inside_loops():
    def body(row, total):
        _, (i, inner) = while_loop(lambda i, s: i < 2, lambda i, s: ([], [i + 1, s + row[0]]), [nd.zeros(1), total], 5)
        return inner, inner
    outputs, total = foreach(body, nd.array(ROWS), nd.zeros(1))
    same(outputs, [[0], [4], [12]])
    same(total, [12])


def test_a_recurrent_cell_with_foreach():
    cell = mx.gluon.nn.Dense(4, in_units=4, flatten=False)
    cell.initialize()
    data, state = nd.random.normal(shape=(5, 2, 4)), nd.zeros((2, 4))
    with autograd.record():
        outputs, last = foreach(lambda x, s: (nd.tanh(cell(x) + s),) * 2, data, state)
        loss = outputs.sum()
    loss.backward()
    with autograd.record():
        s, total = state, 0
        for x in data:
            s = nd.tanh(cell(x) + s)
            total = total + s.sum()
    got = cell.weight.grad().asnumpy()
    total.backward()
    np.testing.assert_allclose(got, cell.weight.grad().asnumpy(), rtol=1e-5)
    same(last, s.asnumpy())

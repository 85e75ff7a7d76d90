"""Executors: forward, backward, gradients, reshaping."""
import numpy as np
import pytest

import mxnet as mx


def product():
    return mx.sym.var("x") * mx.sym.var("y")


def test_forward_and_backward():
    executor = product().simple_bind(mx.cpu(), x=(2, 3), y=(2, 3))
    executor.arg_dict["x"][:] = 2
    executor.arg_dict["y"][:] = 3
    outputs = executor.forward(is_train=True)
    assert outputs[0].asnumpy().tolist() == [[6.0] * 3] * 2
    for _ in range(2):  # as often as one likes
        executor.backward(mx.nd.ones((2, 3)) * 2)
    assert executor.grad_dict["x"].asnumpy().tolist() == [[6.0] * 3] * 2
    assert executor.grad_arrays[1].asnumpy().tolist() == [[4.0] * 3] * 2
    executor.forward(x=np.full((2, 3), 5.0))
    assert outputs[0].asnumpy()[0, 0] == 15  # arrays that are held show the new results
    assert list(executor.output_dict) == [executor._symbol.list_outputs()[0]]


def test_what_happens_to_gradients():
    x, y = mx.nd.array([1, 2]), mx.nd.array([3, 4])
    gx, gy = mx.nd.ones((2,)) * 10, mx.nd.ones((2,)) * 10
    executor = product().bind(mx.cpu(), [x, y], [gx, gy], {"x": "add", "y": "null"})
    executor.forward(is_train=True)
    executor.backward([mx.nd.ones((2,))])
    assert gx.asnumpy().tolist() == [13, 14] and gy.asnumpy().tolist() == [10, 10]
    assert executor.grad_dict["y"] is None
    blocked = mx.sym.BlockGrad(mx.sym.var("x")).bind(mx.cpu(), [x], [gx])
    blocked.forward(is_train=True)
    blocked.backward(mx.nd.ones((2,)))
    assert gx.asnumpy().tolist() == [0, 0]


def test_outputs_have_shapes_before_forward():
    executor = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4).simple_bind(mx.cpu(), x=(2, 3))
    assert executor.outputs[0].shape == (2, 4)


def test_training_state():
    data = mx.nd.random.uniform(shape=(50, 4))
    executor = mx.sym.BatchNorm(mx.sym.var("x"), name="bn", momentum=0.5).simple_bind(mx.cpu(), x=(50, 4))
    assert list(executor.aux_dict) == ["bn_moving_mean", "bn_moving_var"]
    executor.aux_dict["bn_moving_var"][:] = 1
    executor.forward(is_train=False, x=data)
    assert executor.aux_dict["bn_moving_mean"].asnumpy().tolist() == [0] * 4
    executor.forward(is_train=True, x=data)
    np.testing.assert_allclose(executor.aux_arrays[0].asnumpy(), data.asnumpy().mean(0) / 2, rtol=1e-4)


def test_losses_need_no_head_gradient():
    net = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc"), name="softmax")
    executor = net.simple_bind(mx.cpu(), data=(4, 2), grad_req={"fc_weight": "write"})
    executor.arg_dict["data"][:] = mx.nd.random.uniform(shape=(4, 2))
    executor.forward(is_train=True)
    executor.backward()
    assert executor.grad_dict["fc_weight"].asnumpy().any() and executor.grad_dict["data"] is None


def test_reshape_shares_parameters():
    net = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4, name="fc")
    executor = net.simple_bind(mx.cpu(), x=(5, 3))
    executor.arg_dict["fc_weight"][:] = 1
    small = executor.reshape(x=(2, 3))
    assert small.forward(x=mx.nd.ones((2, 3)))[0].asnumpy().tolist() == [[3.0] * 4] * 2
    assert small.arg_dict["fc_weight"] is executor.arg_dict["fc_weight"]
    with pytest.raises(ValueError, match="'x' would grow from"):
        executor.reshape(x=(9, 3))
    assert executor.reshape(x=(9, 3), allow_up_sizing=True).outputs[0].shape == (9, 4)
    with pytest.raises(ValueError, match="'fc_weight' would change from"):
        executor.reshape(x=(5, 2))
    assert executor.reshape(partial_shaping=True, x=(5, 2)).arg_dict["fc_weight"].shape == (4, 2)


def test_copying_parameters():
    executor = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=1, name="fc").simple_bind(mx.cpu(), x=(1, 2))
    executor.copy_params_from({"fc_weight": mx.nd.array([[1, 2]], dtype="float64")})
    assert executor.arg_dict["fc_weight"].asnumpy().tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="other"):
        executor.copy_params_from({"other": mx.nd.ones((1,))})
    executor.copy_params_from({"other": mx.nd.ones((1,))}, allow_extra_params=True)


def test_monitor():
    seen = []
    executor = mx.sym.relu(product(), name="r").simple_bind(mx.cpu(), x=(1,), y=(1,))
    executor.set_monitor_callback(lambda name, array: seen.append((name.decode(), array.shape)), monitor_all=True)
    executor.forward()
    assert seen[-2:] == [("r_input0", (1,)), ("r_output", (1,))] and len(seen) == 7


def test_monitor_shows_variables_before_the_inputs_they_are():
    x = mx.sym.var("x")
    net = mx.sym.concat(mx.sym.FullyConnected(x, num_hidden=2, name="fc"), x, dim=1, name="c")
    executor = mx.sym.softmax(net, name="s").simple_bind(mx.cpu(), x=(1, 2))
    seen = []
    executor.set_monitor_callback(lambda name, array: seen.append(name), monitor_all=True)
    executor.forward()
    assert b" ".join(seen).decode().split() == [
        "x", "fc_data", "fc_weight", "fc_weight", "fc_bias", "fc_bias", "fc_output", "c_arg0", "x", "c_arg1",
        "c_output", "s_data", "s_output"]


def test_shared_arrays():
    net = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=4, name="fc")
    first = net.simple_bind(mx.cpu(), x=(5, 3))
    second = net.simple_bind(mx.cpu(), x=(2, 3), shared_exec=first, shared_arg_names=["fc_weight", "fc_bias"])
    assert second.arg_dict["fc_weight"] is first.arg_dict["fc_weight"]
    assert second.arg_dict["x"].shape == (2, 3)


def test_groups_of_contexts_are_accepted():
    with mx.AttrScope(ctx_group="a"):
        net = product()
    executor = net.simple_bind(mx.cpu(), x=(1,), y=(1,), group2ctx={"a": mx.cpu(1)})
    assert executor.forward()[0].shape == (1,)


@pytest.mark.parametrize("call, error, match", [
    (lambda s: s.bind(mx.cpu(), {"x": mx.nd.ones((1,))}), ValueError, "y"),
    (lambda s: s.bind(mx.cpu(), [mx.nd.ones((1,))]), ValueError, "Length"),
    (lambda s: s.bind(mx.cpu(), [3, 4]), TypeError, "NDArray"),
    (lambda s: s.simple_bind(mx.cpu()), ValueError, "cannot infer"),
    (lambda s: s.simple_bind(mx.cpu(), x=(2,), grad_req="foo"), ValueError, "foo"),
    (lambda s: s.simple_bind(mx.cpu(), x=(2,), y=(3,)), ValueError, "expected"),
    (lambda s: s.simple_bind(mx.cpu(), x=(2,)).forward(x=mx.nd.ones((3,))), ValueError, "need"),
    (lambda s: s.simple_bind(mx.cpu(), x=(2,)).forward(z=mx.nd.ones((3,))), TypeError, "z"),
    (lambda s: s.simple_bind(mx.cpu(), x=(2,)).backward(), mx.MXNetError, "forward"),
    (lambda s: s.bind(mx.cpu(), [mx.nd.ones((2,)), mx.nd.ones((3,))]).forward(), ValueError, r"node '_mul\d+'"),
])
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call(product())


def test_copying_parameters_of_another_shape():
    executor = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=1, name="fc").simple_bind(mx.cpu(), x=(1, 2))
    with pytest.raises(ValueError, match=r"'fc_weight' has shape \(1, 3\), expected \(1, 2\)"):
        executor.copy_params_from({"fc_weight": mx.nd.ones((1, 3))})


@pytest.mark.parametrize("states, match", [
    (None, "`bn_moving_mean` is missing in `aux_states`"),
    ({"bn_moving_mean": mx.nd.ones((2,))}, "`bn_moving_var` is missing in `aux_states`"),
    ([mx.nd.ones((2,))], r"got 1, expected 2 \(bn_moving_mean, bn_moving_var\)"),
    ([mx.nd.ones((3,))] * 2, r"moving_mean has shape \(3,\), expected \(2,\) \[node 'bn'"),
])
def test_missing_states(states, match):
    net = mx.sym.BatchNorm(mx.sym.var("x"), name="bn")
    args = {"x": mx.nd.ones((4, 2)), "bn_gamma": mx.nd.ones((2,)), "bn_beta": mx.nd.ones((2,))}
    with pytest.raises(ValueError, match=match):
        net.bind(mx.cpu(), args, aux_states=states).forward()


def test_reshaped_arrays_are_the_beginning_of_the_old_ones():
    net = mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=2, name="fc")
    executor = net.simple_bind(mx.cpu(), x=(4, 3))
    for array in executor.arg_arrays:
        array[:] = mx.nd.arange(array.size).reshape(array.shape)
    small = executor.reshape(x=(2, 3))
    np.testing.assert_array_equal(small.arg_dict["x"].asnumpy(), np.arange(6).reshape(2, 3))
    small.arg_dict["x"][1] = 7
    np.testing.assert_array_equal(executor.arg_dict["x"].asnumpy()[1:3], [[7, 7, 7], [6, 7, 8]])
    small.forward(is_train=True)
    small.backward(mx.nd.ones((2, 2)))
    np.testing.assert_array_equal(executor.grad_dict["fc_weight"].asnumpy(), [[7, 8, 9]] * 2)
    np.testing.assert_array_equal(small.grad_dict["x"].asnumpy(), [[3, 5, 7]] * 2)


def test_arrays_that_do_not_fit_are_told_when_they_are_bound():
    with pytest.raises(ValueError, match="elemwise_mul: .*shape"):
        mx.sym.elemwise_mul(mx.sym.var("a"), mx.sym.var("b")).bind(
            mx.cpu(), {"a": mx.nd.ones((2,)), "b": mx.nd.ones((3,))})


def test_surplus_head_gradients_are_passed_over():
    executor = mx.sym.square(mx.sym.var("x")).simple_bind(mx.cpu(), x=(2,))
    executor.forward(is_train=True, x=mx.nd.array([1, 2]))
    executor.backward([mx.nd.ones(2), mx.nd.full((2,), 7)])
    np.testing.assert_array_equal(executor.grad_dict["x"].asnumpy(), [2, 4])

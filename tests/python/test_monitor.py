"""The monitor."""
import logging

import monitor_cases as cases
import numpy as np
import pytest

import mxnet as mx


def network():
    net = mx.gluon.nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(mx.gluon.nn.Dense(2, in_units=3), mx.gluon.nn.Activation("relu"))
    net.initialize(mx.init.One())
    return net


def test_network(caplog):
    net, x = network(), mx.nd.ones((2, 3))
    monitor = mx.mon.Monitor(2, pattern=".*weight|.*relu|.*dense0_output", sort=True)
    monitor.install(net)
    rounds = []
    for _ in range(3):
        monitor.tic()
        net(x)
        rounds.append(monitor.toc())
    names = ["net_dense0_output", "net_dense0_weight", "net_relu0_output"]
    assert [(step, name) for step, name, _ in rounds[0]] == [(1, name) for name in names]
    assert rounds[1] == [] and [entry[0] for entry in rounds[2]] == [3, 3, 3]
    assert [float(text) for _, _, text in rounds[0]] == [3, 1, 3]
    net(x)
    assert monitor.toc() == []
    monitor.tic()
    monitor.tic()
    net(x)
    with caplog.at_level(logging.INFO):
        monitor.toc_print()
    assert "net_dense0_weight" in caplog.text


def test_statistics():
    monitor = mx.mon.Monitor(1, stat_func=lambda array: [array.min(), array.max()], pattern=".*bias")
    monitor.install(network())
    monitor.tic()
    assert monitor.toc() == [(1, "net_dense0_bias", "0.0\t0.0\t")]
    wrong = mx.mon.Monitor(1, stat_func=lambda array: 3)
    wrong.install(network())
    wrong.tic()
    with pytest.raises(AssertionError, match="must give an NDArray"):
        wrong.toc()


def test_executor():
    class Executor:
        arg_arrays, aux_arrays = [mx.nd.ones((2,)) * 2], []

        class _symbol:
            list_arguments = staticmethod(lambda: ["w"])
            list_auxiliary_states = staticmethod(list)

        def set_monitor_callback(self, callback, monitor_all):
            self.callback = callback
    executor, monitor = Executor(), mx.mon.Monitor(1)
    monitor.install(executor)
    monitor.tic()
    executor.callback("fc_output", mx.nd.ones((4,)) * 3)
    assert monitor.toc() == [(1, "fc_output", "3.0\t"), (1, "w", "2.0\t")]


# What only 1.9.1 has: results that it hides elsewhere, gradients of labels, which are zeros, and nodes of its own.
ONLY_RECORDED = {"bn_mean", "bn_var", "norm_mean", "norm_var", "l2_norm", "softmax_backward_output1",
                 "_head_grad_0_id_output", "sum_grad_output"}


@pytest.mark.parametrize("name", cases.CASES)
def test_outputs_and_gradients(name):
    """Names, numbers and, where nothing may run in another order, the order of 1.9.1."""
    want = [item for item in cases.recorded()[name] if item[0] not in ONLY_RECORDED]
    with mx.name.NameManager():
        have = cases.watched(mx, name)
    if name == "parts":
        want, have = sorted(want), sorted(have)
    assert [key for key, _ in have] == [key for key, _ in want]
    np.testing.assert_allclose([x for _, x in have], [x for _, x in want], rtol=1e-4, atol=1e-4)


def test_inputs():
    """Of backward 1.9.1 shows inputs too."""
    want = [key for key, _ in cases.recorded()["mlp, all"]]
    have = [key for key, _ in cases.watched(mx, "mlp", monitor_all=True)]
    end = have.index("softmax_backward_output0")
    assert have[:end] == want[:end]
    assert [key for key in have[end:] if "backward" in key] == \
        [key for key in want[end:] if "backward_output" in key and key not in ONLY_RECORDED]


def test_hook_of_a_compiled_block():
    assert cases.hooked(mx) == cases.recorded()["hook"]


def test_gradients_that_are_not_asked_for():
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=4, name="fc")
    executor = net.simple_bind(mx.cpu(), data=(2, 3), grad_req={"fc_weight": "write"})
    executor.forward(is_train=True)
    seen = []
    executor.set_monitor_callback(lambda name, array: seen.append((name.decode(), array.shape)))
    executor.backward(mx.nd.ones((2, 4)))
    assert seen == []  # what ran before the callback was set
    executor.forward(is_train=True)
    executor.backward(mx.nd.ones((2, 4)))
    assert seen == [("fc_output", (2, 4)), ("fc_backward_output1", (4, 3))]


def test_gradients_of_loops_and_operators_of_several():
    """One gradient for each input, whatever an operator is made of."""
    data = mx.sym.var("data")
    out, _ = mx.sym.contrib.foreach(lambda x, s: (mx.sym.tanh(x) * s, s), data, mx.sym.var("state"))
    net = mx.sym.SoftmaxActivation(out, name="soft")
    executor = net.simple_bind(mx.cpu(), data=(3, 2), state=(2,))
    seen = {}
    executor.set_monitor_callback(lambda name, array: seen.update({name.decode(): array}))
    executor.arg_dict["data"][:] = mx.nd.array([[1, 2], [3, 5], [2, 2]])
    executor.arg_dict["state"][:] = 1
    executor.forward(is_train=True)
    executor.backward(mx.nd.array([[1, 2], [3, 4], [5, 7]]))
    loop = next(name for name in seen if name.endswith("_backward_output0"))
    np.testing.assert_array_equal(seen[loop].asnumpy(), executor.grad_dict["data"].asnumpy())
    np.testing.assert_array_equal(seen[loop[:-1] + "1"].asnumpy(), executor.grad_dict["state"].asnumpy())
    assert seen["soft_backward_output"].shape == (3, 2)

"""The monitor."""
import logging

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

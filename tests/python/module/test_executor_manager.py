"""Sharing a batch out among devices, as programs of MXNet's first years do it."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import executor_manager


def test_slices():
    assert executor_manager._split_input_slice(10, [1, 1]) == [slice(0, 5), slice(5, 10)]
    assert executor_manager._split_input_slice(9, [2, 1]) == [slice(0, 6), slice(6, 9)]
    with pytest.raises(ValueError, match="cannot be split"):
        executor_manager._split_input_slice(1, [1, 1])


def test_manager():
    net = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc"), name="softmax")
    data = mx.io.NDArrayIter(np.random.rand(8, 3), np.zeros(8), batch_size=4, label_name="softmax_label")
    manager = executor_manager.DataParallelExecutorManager(net, [mx.cpu(0), mx.cpu(1)], data)
    manager.set_params({"fc_weight": mx.nd.ones((2, 3)), "fc_bias": mx.nd.zeros((2,))}, {})
    batch, metric = next(data), mx.metric.Accuracy()
    manager.load_data_batch(batch)
    manager.forward(is_train=True)
    manager.backward()
    manager.update_metric(metric, batch.label)
    assert metric.num_inst == 4
    assert len(manager.param_arrays) == 2 and manager.grad_arrays[0][0].asnumpy().any()
    arguments, states = {"fc_weight": mx.nd.zeros((2, 3)), "fc_bias": mx.nd.zeros((2,))}, {}
    manager.copy_to(arguments, states)
    np.testing.assert_array_equal(arguments["fc_weight"].asnumpy(), np.ones((2, 3)))
    with pytest.raises(ValueError, match="duplicated"):
        executor_manager._check_arguments(mx.sym.var("a") + mx.sym.var("a"))


def test_it_is_found_beside_the_models_too():
    assert mx.model.DataParallelExecutorManager is mx.executor_manager.DataParallelExecutorManager
    with pytest.raises(AttributeError, match="module 'mxnet.model' has no attribute 'Nothing'"):
        mx.model.Nothing  # noqa: B018

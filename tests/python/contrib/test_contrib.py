"""Small parts of mx.contrib."""
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import mxnet as mx
from mxnet.contrib.io import DataLoaderIter
from mxnet.contrib.tensorboard import LogMetricsCallback


def test_loader_as_iterator():
    loader = mx.gluon.data.DataLoader(mx.gluon.data.ArrayDataset(mx.nd.ones((5, 2)), mx.nd.arange(5)), 2)
    iterator = DataLoaderIter(loader, dtype="float16")
    assert iterator.provide_data == [("data", (2, 2))] and iterator.provide_label == [("softmax_label", (2,))]
    for _ in range(2):
        batches = list(iterator)
        assert [batch.pad for batch in batches] == [0, 0, 1]
        assert [batch.label[0].asnumpy().tolist() for batch in batches] == [[0, 1], [2, 3], [4, 0]]
        assert batches[2].data[0].asnumpy().tolist() == [[1, 1], [0, 0]]
        assert batches[2].data[0].dtype.__name__ == "float16"
        iterator.reset()


def test_metrics_for_tensorboard(monkeypatch):
    written = []

    class SummaryWriter:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, global_step):
            written.append((self.folder, name, value, global_step))
    monkeypatch.setitem(sys.modules, "mxboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    metric = mx.metric.Accuracy()
    metric.update([mx.nd.array([1])], [mx.nd.array([[0, 1]])])
    callback = LogMetricsCallback("logs", prefix="train")
    for _ in range(2):
        callback(SimpleNamespace(eval_metric=metric))
    assert written == [("logs", "train-accuracy", 1.0, 1), ("logs", "train-accuracy", 1.0, 2)]
    for module in ("mxboard", "tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match="nothing is installed that writes files for TensorBoard"):
        LogMetricsCallback("logs")


def test_old_autograd():
    from mxnet.contrib import autograd

    def cube(x, y):
        return x * x * y
    x, y = mx.nd.array([1, 2]), mx.nd.array([3, 4])
    gradients, loss = autograd.grad_and_loss(cube)(x, y)
    assert [g.asnumpy().tolist() for g in gradients] == [[6, 16], [1, 4]] and loss.asnumpy().tolist() == [3, 16]
    assert autograd.grad(cube, argnum=1)(x, y)[0].asnumpy().tolist() == [1, 4]
    with pytest.raises(AssertionError, match="arguments must be NDArrays"):
        autograd.grad(cube)(1, y)
    gradient = mx.nd.zeros((2,))
    autograd.mark_variables([x], [gradient])
    with autograd.train_section():
        assert mx.autograd.is_recording() and mx.autograd.is_training()
        with autograd.test_section():
            assert not mx.autograd.is_recording() and not mx.autograd.is_training()
        z = cube(x, y)
    assert not mx.autograd.is_recording()
    autograd.backward([z], [mx.nd.array([2, 2])])
    assert gradient.asnumpy().tolist() == [12, 32]
    assert autograd.set_is_training(True) is False and autograd.set_is_training(False) is True


def regression(context, update_freq, **kwargs):
    net = mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=1, name="fc")
    net = mx.sym.LinearRegressionOutput(net, mx.sym.Variable("label"))
    return mx.contrib.svrg_optimization.SVRGModule(net, label_names=["label"], context=context,
                                                   update_freq=update_freq, **kwargs)


def line():
    x = np.arange(24, dtype="float32").reshape(8, 3) / 10
    return mx.io.NDArrayIter(x, x.sum(axis=1), 2, label_name="label")


def start():
    return {"fc_weight": mx.nd.array([[0.1, 0.2, 0.3]]), "fc_bias": mx.nd.zeros((1,))}


def test_reduced_variance_by_hand():
    """Numbers of MXNet 1.9.1."""
    module, batches = regression(mx.cpu(), 2), line()
    module.bind(batches.provide_data, batches.provide_label)
    module.init_params(arg_params=start(), aux_params={})
    module.init_optimizer(optimizer="sgd", optimizer_params={"learning_rate": 0.05})
    module.update_full_grads(batches)
    np.testing.assert_allclose(module._param_dict[0]["fc_weight"].asnumpy(), [[-8.022, -8.57, -9.118]], rtol=1e-5)
    for weight, bias in (([0.30055, 0.41425, 0.52795], 0.137), ([0.474649, 0.5986186, 0.7225883], 0.2396961)):
        module.forward_backward(next(batches))
        module.update()
        parameters = module.get_params()[0]
        np.testing.assert_allclose(parameters["fc_weight"].asnumpy(), [weight], rtol=1e-5)
        np.testing.assert_allclose(parameters["fc_bias"].asnumpy(), [bias], rtol=1e-5)


@pytest.mark.parametrize("epochs, weight, bias", [
    (1, [0.45433, 0.57937, 0.70441], 0.25037), (2, [0.648020, 0.785600, 0.923190], 0.375880)])
@pytest.mark.parametrize("context", [mx.cpu(), [mx.cpu(0), mx.cpu(1)]])
def test_training_with_reduced_variance(context, epochs, weight, bias):
    """Numbers of MXNet 1.9.1, up to where it computes the mean gradient a second time and adds the first one to it."""
    module = regression(context, 2)
    module.fit(line(), eval_metric="mse", num_epoch=epochs, optimizer_params={"learning_rate": 0.02, "momentum": 0.5},
               arg_params=start(), aux_params={})
    parameters = module.get_params()[0]
    np.testing.assert_allclose(parameters["fc_weight"].asnumpy(), [weight], rtol=2e-5)
    np.testing.assert_allclose(parameters["fc_bias"].asnumpy(), [bias], rtol=2e-5)


def test_mean_gradient_vanishes_at_the_minimum():
    module = regression(mx.cpu(), 3)
    module.fit(line(), eval_metric="mse", num_epoch=100, optimizer_params={"learning_rate": 0.1},
               arg_params=start(), aux_params={})
    module.update_full_grads(line())
    assert abs(module._param_dict[0]["fc_weight"].asnumpy()).max() < 0.01
    assert dict(module.score(line(), "mse"))["mse"] < 1e-4


@pytest.mark.parametrize("update_freq, kind", [(None, TypeError), (1.5, TypeError), (0, ValueError), (-1, ValueError)])
def test_wrong_update_freq(update_freq, kind):
    with pytest.raises(kind, match="update_freq must be"):
        regression(mx.cpu(), update_freq)


def test_experimental_operators_under_their_old_modules():
    from mxnet.contrib.ndarray import MultiBoxPrior
    from mxnet.contrib.symbol import MultiBoxPrior as symbolic
    assert MultiBoxPrior is mx.nd.contrib.MultiBoxPrior and symbolic is mx.sym.contrib.MultiBoxPrior

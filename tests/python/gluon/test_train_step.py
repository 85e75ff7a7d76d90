"""A step of training as one call: the same parameters as step by step."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


def network():
    net = nn.HybridSequential()
    net.add(nn.Dense(8, activation="tanh"), nn.BatchNorm(), nn.Dense(3))
    mx.random.seed(5)
    net.initialize(mx.init.Xavier())
    return net


def trained(step_by_step):
    net, loss = network(), gluon.loss.SoftmaxCrossEntropyLoss()
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.05})
    step = gluon.TrainStep(net, loss, trainer)
    random = np.random.RandomState(1)
    losses = []
    for _ in range(8):
        x, y = nd.array(random.rand(6, 4)), nd.array(random.randint(3, size=6))
        if step_by_step:
            with autograd.record():
                value = loss(net(x), y)
            value.backward()
            trainer.step(6)
        else:
            value = step(x, y)
        losses.append(value.asnumpy())
    return losses, [param.data().asnumpy() for param in net.collect_params().values()]


def test_same_as_step_by_step():
    (losses, params), (want_losses, want_params) = trained(False), trained(True)
    for h, w in zip(losses + params, want_losses + want_params, strict=True):
        np.testing.assert_allclose(h, w, rtol=1e-5, atol=1e-6)


def test_network_and_loss_are_one_graph():
    net = network()
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), gluon.Trainer(net.collect_params(), "sgd"))
    step(nd.ones((2, 4)), nd.ones((2, 3)))
    assert step._block._cached_graph and not net._active
    assert net.collect_params().keys() == step._block.collect_params().keys()


def test_several_inputs_and_plain_blocks():
    class Sum(gluon.Block):
        def __init__(self):
            super().__init__()
            self.layer = nn.Dense(1)

        def forward(self, a, b):
            return self.layer(a + b)
    net = Sum()
    net.initialize()
    step = gluon.TrainStep(net, gluon.loss.L2Loss(), gluon.Trainer(net.collect_params(), "sgd"))
    assert step(nd.ones((2, 4)), nd.ones((2, 4)), nd.ones((2, 1)), batch_size=4).shape == (2,)
    with pytest.raises(ValueError, match="inputs and a label"):
        step(nd.ones((2, 4)))

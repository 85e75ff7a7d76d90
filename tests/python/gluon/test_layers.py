"""Layers beyond what is recorded from 1.9.1."""
import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon import nn


def test_dropout_drops_while_training_only():
    mx.random.seed(5)
    layer, x = nn.Dropout(0.25), mx.nd.ones((100, 100))
    assert (layer(x).asnumpy() == 1).all()
    with mx.autograd.record():
        out = layer(x).asnumpy()
    assert set(np.unique(out)) <= {0.0, np.float32(1 / 0.75)}
    assert (out == 0).mean() == pytest.approx(0.25, abs=0.02)
    with mx.autograd.record(train_mode=False):
        assert (layer(x).asnumpy() == 1).all()


def test_dropout_of_whole_axes():
    mx.random.seed(5)
    with mx.autograd.record():
        out = nn.Dropout(0.5, axes=(1,))(mx.nd.ones((50, 8))).asnumpy()
    assert (out == out[:, :1]).all() and 0 < (out[:, 0] == 0).mean() < 1


def test_batch_norm_keeps_running_statistics():
    layer = nn.BatchNorm(momentum=0.5)
    layer.initialize()
    x = mx.nd.array(np.random.RandomState(0).normal(3, 2, (64, 4)))
    for _ in range(12):
        with mx.autograd.record():
            out = layer(x)
        out.backward()
    np.testing.assert_allclose(layer.running_mean.data().asnumpy(), x.asnumpy().mean(axis=0), rtol=1e-2)
    np.testing.assert_allclose(layer.running_var.data().asnumpy(), x.asnumpy().var(axis=0), rtol=1e-2)
    before = layer.running_mean.data().asnumpy()
    out = layer(x).asnumpy()
    assert (layer.running_mean.data().asnumpy() == before).all()
    np.testing.assert_allclose(out.std(axis=0), 1, rtol=2e-2)
    assert layer.running_mean.grad_req == "null"


def test_batch_norm_relu():
    layer, plain = nn.BatchNormReLU(), nn.BatchNorm()
    layer.initialize()
    plain.initialize()
    x = mx.nd.array(np.random.RandomState(0).randn(4, 3, 2, 2))
    with mx.autograd.record():
        assert (layer(x).asnumpy() == plain(x).asnumpy().clip(0)).all()


def test_batch_norm_stays_in_32_bits():
    layer = nn.BatchNorm(in_channels=2)
    layer.cast("float16")
    assert layer.gamma.dtype == "float32"


def test_selu_gradient():
    x = mx.nd.array([-1.0, 0.5])
    x.attach_grad()
    with mx.autograd.record():
        out = nn.SELU()(x)
    out.backward()
    np.testing.assert_allclose(x.grad.asnumpy(), [1.0507010 * 1.6732632 * np.exp(-1), 1.0507010], rtol=1e-6)


def test_embedding():
    layer = nn.Embedding(5, 3, weight_initializer=mx.init.Normal(1))
    layer.initialize()
    x = mx.nd.array([[0, 4], [4, 1]])
    with mx.autograd.record():
        out = layer(x)
    out.backward()
    weight = layer.weight.data().asnumpy()
    assert (out.asnumpy() == weight[x.asnumpy().astype(int)]).all()
    assert layer.weight.grad().asnumpy()[:, 0].tolist() == [1, 1, 0, 0, 2]
    assert repr(layer) == "Embedding(5 -> 3, float32)"


def test_channels_last_weight_shapes():
    assert nn.Conv2D(3, 2, layout="NHWC", in_channels=5).weight.shape == (3, 2, 2, 5)
    assert nn.Conv2DTranspose(3, 2, layout="NHWC", in_channels=5).weight.shape == (5, 2, 2, 3)
    assert nn.Conv1D(4, 3, groups=2, in_channels=6).weight.shape == (4, 3, 3)


def test_numpy_integers_as_sizes():
    size = np.int64(3)
    assert nn.Dense(size, in_units=size).weight.shape == (3, 3)
    layer = nn.Conv2D(size, size, strides=np.int64(2), padding=np.int32(1), in_channels=size)
    layer.initialize()
    assert layer(mx.nd.ones((1, 3, 8, 8))).shape == (1, 3, 4, 4)
    assert nn.MaxPool2D(np.int64(2))(mx.nd.ones((1, 1, 4, 4))).shape == (1, 1, 2, 2)


@pytest.mark.parametrize("make, error, message", [
    (lambda: nn.Conv2D(4, (1, 2, 3)), AssertionError, "kernel_size must be a number or 2 of them"),
    (lambda: nn.Conv2D(4, 3, layout="CHWN"), AssertionError, "layout must be NCHW or NHWC, got 'CHWN'"),
    (lambda: nn.MaxPool1D(layout="NCHW"), AssertionError, "layout must be NCW or NWC"),
    (lambda: nn.Conv2D(3, 2, groups=2), ValueError, "multiples of groups=2"),
    (lambda: nn.LeakyReLU(-1), AssertionError, "alpha must not be negative"),
    (lambda: nn.Lambda(3), ValueError, "expected the name of an operator or a function"),
    (lambda: nn.Lambda("no_such_operator"), AssertionError, "no operator named 'no_such_operator'"),
    (lambda: nn.HybridLambda("no_such_operator"), AssertionError, "no operator named 'no_such_operator'"),
    (lambda: nn.ReflectionPad2D((1, 2)), AssertionError, "padding must be a number or 8 of them")])
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_losses_check_their_arguments():
    loss = mx.gluon.loss
    with pytest.raises(ValueError, match="'signed' or 'binary'"):
        loss.LogisticLoss(label_format="z")
    with pytest.raises((ValueError, mx.MXNetError)):
        loss.L2Loss()(mx.nd.ones((2, 3)), mx.nd.ones((3, 3)))

"""Experimental layers: what they compute out of operators that are checked elsewhere."""
import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon.contrib import cnn, nn


def shuffled(x, factors):
    """Channel ``(c, i, j)`` at ``(y, x)`` goes to channel c at ``(fy * y + i, fx * x + j)``."""
    n = len(factors)
    channels = x.shape[1] // int(np.prod(factors))
    out = np.zeros((x.shape[0], channels, *(s * f for s, f in zip(x.shape[2:], factors))), x.dtype)
    for index in np.ndindex(*factors):
        channel = np.ravel_multi_index(index, factors)
        out[(slice(None), slice(None), *(slice(i, None, f) for i, f in zip(index, factors)))] = \
            x[:, channel::int(np.prod(factors))]
    assert out.ndim == n + 2
    return out


@pytest.mark.parametrize("layer, factors, shape", [
    (nn.PixelShuffle1D(3), (3,), (2, 6, 4)),
    (nn.PixelShuffle2D((2, 3)), (2, 3), (2, 12, 3, 5)),
    (nn.PixelShuffle2D(2), (2, 2), (1, 8, 1, 2)),
    (nn.PixelShuffle3D((2, 3, 2)), (2, 3, 2), (1, 24, 2, 3, 4)),
])
def test_pixel_shuffle(layer, factors, shape):
    x = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    np.testing.assert_array_equal(layer(mx.nd.array(x)).asnumpy(), shuffled(x, factors))


@pytest.mark.parametrize("cls", [cnn.DeformableConvolution, cnn.ModulatedDeformableConvolution])
def test_deformable_layers_start_as_convolutions(cls):
    """Offsets of zero move no tap, and twice the sigmoid of zero is a weight of one."""
    layer = cls(8, (3, 3), padding=(1, 1), groups=2, num_deformable_group=2, activation="relu",
                bias_initializer=mx.init.Uniform(1))
    layer.initialize()
    x = mx.nd.random.uniform(shape=(2, 4, 6, 6))
    y = layer(x)
    plain = mx.nd.Convolution(x, layer.deformable_conv_weight.data(), layer.deformable_conv_bias.data(),
                              kernel=(3, 3), pad=(1, 1), num_filter=8, num_group=2)
    np.testing.assert_allclose(y.asnumpy(), mx.nd.relu(plain).asnumpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cls, prefix, per_tap", [
    (cnn.DeformableConvolution, "deformable_conv", 2),
    (cnn.ModulatedDeformableConvolution, "modulated_deformable_conv", 3)])
def test_deformable_layers_learn_where_to_look(cls, prefix, per_tap):
    layer = cls(4, 3, num_deformable_group=3, offset_weight_initializer=mx.init.Uniform(0.1), use_bias=False)
    layer.initialize()
    with mx.autograd.record():
        layer(mx.nd.random.uniform(shape=(1, 3, 6, 6))).sum().backward()
    assert layer.offset_weight.shape == (per_tap * 3 * 9, 3, 3, 3)
    assert abs(layer.offset_weight.grad()).sum().asscalar() > 0
    assert layer.deformable_conv_bias is None
    assert layer.name.startswith(prefix) and "3 -> 4" in repr(layer)
    names = sorted(name[len(layer.prefix):] for name in layer.collect_params())
    assert names == ["deformable_conv_weight", "offset_bias", "offset_weight"]


def test_sync_batch_norm_of_one_device_is_batch_norm():
    x = mx.nd.random.uniform(shape=(4, 3, 5, 5))
    layers = [nn.SyncBatchNorm(), mx.gluon.nn.BatchNorm()]
    for layer in layers:
        layer.initialize()
        with mx.autograd.record():
            layer.result = layer(x)
    np.testing.assert_array_equal(layers[0].result.asnumpy(), layers[1].result.asnumpy())
    np.testing.assert_array_equal(layers[0].running_mean.data().asnumpy(), layers[1].running_mean.data().asnumpy())
    layer = nn.SyncBatchNorm(num_devices=2)
    layer.initialize()
    with pytest.raises(NotImplementedError, match="ndev is 2"):
        layer(x)


def test_sparse_embedding():
    layer = nn.SparseEmbedding(10, 4)
    layer.initialize()
    x = mx.nd.array([[1, 2], [2, 9]])
    with mx.autograd.record():
        y = layer(x)
    y.backward()
    np.testing.assert_array_equal(y.asnumpy(), layer.weight.data().asnumpy()[[[1, 2], [2, 9]]])
    np.testing.assert_array_equal(layer.weight.grad().asnumpy()[:, 0], np.bincount([1, 2, 2, 9], minlength=10))
    assert repr(layer) == "SparseEmbedding(10 -> 4, float32)"

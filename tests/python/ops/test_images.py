"""Odd input to the operators on images, which samples cannot hold: each gets a result or one plain sentence."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

C = nd.contrib


def of(*shape):
    return nd.zeros(shape)


@pytest.mark.parametrize("call, kind, words", [
    (lambda: C.BilinearResize2D(of(1, 2, 4, 5), height=0, width=3), ValueError, "height of the result would be 0"),
    (lambda: C.BilinearResize2D(of(1, 2, 4, 5), scale_height=2.0), ValueError, "go together"),
    (lambda: C.BilinearResize2D(of(1, 2, 4, 5), mode="odd_scale"), ValueError, "needs scale_height"),
    (lambda: C.BilinearResize2D(of(1, 2, 4, 5), mode="like"), TypeError, "'like' is missing"),
    (lambda: C.BilinearResize2D(of(1, 2, 1, 1), mode="to_even_down"), ValueError, "would be 0"),
    (lambda: C.BilinearResize2D(of(2, 4, 5), height=3, width=3), ValueError, "data"),
    (lambda: C.AdaptiveAvgPooling2D(of(1, 2, 4, 5), output_size=(1, 2, 3)), ValueError, "at most two"),
    (lambda: nd.UpSampling(of(1, 2, 3, 4), of(1, 2, 5, 8), scale=4, sample_type="nearest"), ValueError, "divide"),
    (lambda: nd.UpSampling(of(1, 2, 3, 4), of(1, 3, 6, 8), scale=2, sample_type="nearest", multi_input_mode="sum"),
     ValueError, "3 channels, to be added to 2"),
    (lambda: nd.UpSampling(of(1, 2, 3, 4), scale=2, sample_type="bilinear", num_filter=2), ValueError, "got 1 arrays"),
    (lambda: nd.UpSampling(of(1, 2, 3, 4), of(2, 1, 4, 4), scale=2, sample_type="bilinear"), ValueError,
     "num_filter is 0"),
    (lambda: nd.LRN(of(1, 2, 3, 4), nsize=2), ValueError, "must be odd"),
    (lambda: nd.BilinearSampler(of(1, 2, 3, 4), of(2, 2, 3, 4)), ValueError, "grid"),
    (lambda: nd.BilinearSampler(of(1, 2, 3, 4), of(1, 3, 3, 4)), ValueError, "grid"),
    (lambda: nd.GridGenerator(of(1, 6), transform_type="affine"), ValueError, "target_shape"),
    (lambda: nd.SpatialTransformer(of(1, 2, 3, 4), of(1, 6), transform_type="affine", sampler_type="bilinear"),
     ValueError, "target_shape"),
    (lambda: nd.Correlation(of(1, 0, 3, 3), of(1, 0, 3, 3)), ValueError, "no channels"),
    (lambda: nd.Correlation(of(1, 1, 3, 3), of(1, 1, 3, 3), max_displacement=4), ValueError, "do not fit"),
    (lambda: nd.Correlation(of(1, 1, 3, 3), of(1, 1, 3, 3), kernel_size=2), ValueError, "must be odd"),
    (lambda: C.DeformableConvolution(of(1, 3, 4, 4), of(1, 4, 4, 4), of(2, 3, 1, 1), kernel=(1, 1), num_filter=2,
                                     no_bias=True, num_deformable_group=2), ValueError, "not divisible into 2 groups"),
    (lambda: C.DeformableConvolution(of(1, 3, 4, 4), of(1, 4, 4, 4), of(2, 3, 1, 1), kernel=(1, 1), num_filter=2,
                                     no_bias=True), ValueError, "offset"),
    (lambda: C.DeformableConvolution(of(1, 3, 4), of(1, 2, 4), of(2, 3, 1), kernel=(1,), num_filter=2, no_bias=True),
     ValueError, "must have 2 entries"),
    (lambda: nd.image.resize(of(4, 5, 3), (2, 2), interp=9), ValueError, "interp is 9"),
    (lambda: nd.image.resize(of(4, 5, 3)), ValueError, "size is"),
    (lambda: nd.image.crop(of(4, 5, 3), x=-1, y=0, width=2, height=2), ValueError, "columns"),
    (lambda: nd.image.random_brightness(of(4, 5, 3), -1, 1), ValueError, "must ascend"),
    (lambda: nd.image.random_hue(of(2, 4, 5, 3), 1, 1), ValueError, "expected .height, width, channels"),
    (lambda: nd.image.random_hue(of(4, 5, 2), 1, 1), ValueError, "2 channels"),
    (lambda: nd.image.adjust_lighting(of(4, 5, 3), alpha=(1, 2)), ValueError, "expected 3"),
    (lambda: nd.image.normalize(of(3, 4, 5), std=0), ValueError, "must not be 0"),
])
def test_bad_calls(call, kind, words):
    with pytest.raises(kind, match=words) as caught:
        call()
    assert isinstance(caught.value, mx.MXNetError) and "\n" not in str(caught.value)


def test_hues_of_infinities_stay():
    x = nd.array([[[np.inf, 1, 2], [np.nan, 1, 2], [1, np.nan, 2], [-np.inf, 0, 0]]])
    np.testing.assert_array_equal(nd.image.random_hue(x, 0.3, 0.3).asnumpy(), x.asnumpy())


def test_places_far_away_see_nothing():
    x = nd.ones((1, 1, 3, 3))
    x.attach_grad()
    grid = nd.array(np.array([1e30, -1e30, np.inf, -np.inf, 5e9, 3], "float32").repeat(2).reshape(1, 6, 2)
                    .transpose(0, 2, 1).reshape(1, 2, 1, 6))
    with mx.autograd.record():
        y = nd.BilinearSampler(x, grid)
    y.backward()
    assert not y.asnumpy().any() and not x.grad.asnumpy().any()


@pytest.mark.parametrize("interp", range(5))
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_resize_is_that_of_opencv(interp, dtype):
    cv2 = pytest.importorskip("cv2", reason="needs OpenCV, which mxnet[image] brings")
    random = np.random.RandomState(0)
    for shape, size in [((300, 400, 3), (224, 224)), ((100, 80, 3), (224, 224)), ((48, 64, 3), (32, 24)),
                        ((50, 60, 1), (33, 44)), ((20, 30, 3), (31, 7))]:
        x = random.randint(0, 256, shape).astype(dtype)
        want = cv2.resize(x, size, interpolation=interp).reshape(size[1], size[0], shape[2]).astype("float64")
        have = nd.image.resize(nd.array(x, dtype=dtype), size, interp=interp).asnumpy()
        assert abs(have - want).max() <= (1 if dtype == "uint8" else 1e-2)


def test_resize_keeps_integers_in_range():
    x = np.zeros((4, 4, 1), "uint8")
    x[1:3, 1:3] = 255
    out = nd.image.resize(nd.array(x, dtype="uint8"), (9, 9), interp=2).asnumpy()
    assert out[4, 4, 0] == 255 and out[0, 4, 0] == 0
    wide = np.full((2, 2, 1), 2**31 - 1, "int32")
    assert (nd.image.resize(nd.array(wide, dtype="int32"), (3, 3)).asnumpy() > 2**31 - 200).all()


def test_moving_averages_of_composed_batch_norms():
    x = nd.random.uniform(shape=(8, 3, 4, 4))
    for op, params in [(C.SyncBatchNorm, {"key": "a"}), (C.BatchNormWithReLU, {})]:
        arrays = [nd.ones(3), nd.zeros(3), nd.zeros(3), nd.ones(3)]
        with mx.autograd.record():
            op(x, *arrays, momentum=0.5, **params).wait_to_read()
        np.testing.assert_allclose(arrays[2].asnumpy(), x.asnumpy().mean((0, 2, 3)) / 2, rtol=1e-5)
    with mx.autograd.train_mode():
        _, mean, variance = C.SyncBatchNorm(x, *arrays, output_mean_var=True, key="a")
    np.testing.assert_allclose(mean.asnumpy(), x.asnumpy().mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(variance.asnumpy(), x.asnumpy().var((0, 2, 3)), rtol=1e-3)

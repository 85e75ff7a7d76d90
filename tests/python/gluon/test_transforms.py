"""Changes to images; what the operators behind them compute is checked with the operators."""
import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon.data.vision import transforms as T


def image(*shape, dtype="uint8"):
    return mx.nd.array(np.random.RandomState(3).randint(0, 256, shape), dtype=dtype)


def same(a, b):
    np.testing.assert_array_equal(a.asnumpy(), b.asnumpy())


@pytest.mark.parametrize("change, shape", [
    (T.Resize((5, 4)), (4, 5, 3)), (T.Resize(4), (4, 4, 3)), (T.Resize(4, keep_ratio=True), (4, 5, 3)),
    (T.CenterCrop((4, 2)), (2, 4, 3)), (T.CenterCrop(10), (10, 10, 3)), (T.CenterCrop((10, 4)), (4, 10, 3)),
    (T.CropResize(1, 2, 4, 3), (3, 4, 3)), (T.CropResize(1, 2, 4, 3, (2, 5)), (5, 2, 3)),
    (T.CropResize(1, 2, 4, 3, 5, 2), (5, 5, 3)), (T.RandomResizedCrop((5, 4)), (4, 5, 3)),
    (T.RandomResizedCrop(5, scale=(2, 3)), (5, 5, 3)), (T.RandomFlipLeftRight(), (6, 8, 3)),
    (T.RandomFlipTopBottom(), (6, 8, 3)), (T.RandomBrightness(2), (6, 8, 3)), (T.RandomContrast(0.5), (6, 8, 3)),
    (T.RandomSaturation(0.5), (6, 8, 3)), (T.RandomHue(0.2), (6, 8, 3)), (T.RandomLighting(0.1), (6, 8, 3)),
    (T.RandomColorJitter(0.1, 0.2, 0.3, 0.1), (6, 8, 3)), (T.ToTensor(), (3, 6, 8)),
], ids=lambda v: type(v).__name__ if not isinstance(v, tuple) else "x".join(map(str, v)))
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shape_and_type(change, shape, dtype):
    out = change(image(6, 8, 3, dtype=dtype))
    assert out.shape == shape
    assert out.dtype == (np.float32 if isinstance(change, T.ToTensor) else np.dtype(dtype))


def test_batches():
    x = image(2, 6, 8, 3)
    assert T.Resize(4, keep_ratio=True)(x).shape == (2, 4, 5, 3)
    assert T.CropResize(1, 2, 4, 3, (2, 5))(x).shape == (2, 5, 2, 3)
    same(T.CropResize(1, 2, 4, 3)(x), x[:, 2:5, 1:5])
    assert T.ToTensor()(x).shape == (2, 3, 6, 8)


def test_center_crop_takes_the_middle():
    x = image(6, 8, 3)
    same(T.CenterCrop(4)(x), x[1:5, 2:6])
    same(T.CenterCrop((3, 3))(x), x[1:4, 2:5])


@pytest.mark.parametrize("change", [T.RandomBrightness(0), T.RandomContrast(0), T.RandomSaturation(0), T.RandomHue(0),
                                    T.RandomLighting(0), T.RandomColorJitter(),
                                    T.RandomResizedCrop((8, 6), scale=(1, 1), ratio=(8 / 6, 8 / 6))],
                         ids=lambda v: type(v).__name__)
def test_no_change(change):
    x = image(6, 8, 3, dtype="float32")
    np.testing.assert_allclose(change(x).asnumpy(), x.asnumpy(), rtol=1e-5, atol=1e-3)


def test_flips_are_fair():
    x = image(2, 2, 1)
    for change, axis in [(T.RandomFlipLeftRight(), 1), (T.RandomFlipTopBottom(), 0)]:
        flipped = sum(np.array_equal(change(x).asnumpy(), np.flip(x.asnumpy(), axis)) for _ in range(400))
        assert 150 < flipped < 250


def test_factors_are_drawn_from_the_range():
    x = mx.nd.ones((1, 1, 1))
    drawn = [float(T.RandomBrightness(0.25)(x).asscalar()) for _ in range(300)]
    assert 0.75 <= min(drawn) < 0.79 and 1.21 < max(drawn) <= 1.25
    assert min(float(T.RandomBrightness(3)(x).asscalar()) for _ in range(50)) >= 0


def test_random_resized_crop_follows_its_ranges():
    x = mx.nd.array(np.arange(40 * 60).reshape(40, 60, 1))
    change = T.RandomResizedCrop((20, 20), scale=(0.25, 0.25), ratio=(1, 1), interpolation=0)
    seen = set()
    for _ in range(30):
        out = change(x).asnumpy()[:, :, 0]
        assert 20 <= out[0, -1] - out[0, 0] + 1 <= 25  # a square of a quarter of the area is 24 or 25 wide
        seen.add(out[0, 0])
    assert len(seen) > 20


def test_compose_with_blocks_that_are_not_hybrid():
    change = T.Compose([T.Resize(8), T.RandomFlipLeftRight(), T.CenterCrop(4), T.ToTensor(), T.Normalize(0.5, 0.5)])
    out = change(image(20, 30, 3))
    assert out.shape == (3, 4, 4) and abs(out).max().asscalar() <= 1
    assert T.RandomApply(T.Resize(2), 1.0)(image(6, 8, 3)).shape == (2, 2, 3)

def test_rotation():
    x = mx.nd.array(np.random.RandomState(0).rand(2, 3, 7, 7))
    np.testing.assert_allclose(T.Rotate(90)(x).asnumpy(), np.rot90(x.asnumpy(), 1, (2, 3)), atol=1e-5)
    assert T.Rotate(30, zoom_in=True)(x[0]).min().asscalar() > 0
    assert T.RandomRotation((-10, 30))(x).shape == x.shape
    same(T.RandomRotation((10, 30), rotate_with_proba=0)(x), x)


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"columns \[5, 9\) are not within"):
        T.CropResize(5, 0, 4, 4)(image(6, 8, 3))
    with pytest.raises(ValueError, match="must ascend"):
        T.RandomRotation((10, -10))
    with pytest.raises(ValueError, match="rotate_with_proba"):
        T.RandomRotation((1, 10), rotate_with_proba=2)
    with pytest.raises(TypeError, match="apply ToTensor before"):
        T.Rotate(30)(image(6, 8, 3))
    with pytest.raises(ValueError, match="mean has 2 numbers"):
        T.Normalize((1, 2), 1)(mx.nd.ones((3, 2, 2)))

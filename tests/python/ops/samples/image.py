"""Images (height, width, channels): to tensors and other sizes, turned, and in other colours."""
import colorsys

import numpy as np

from . import arr, sample

F = ("float64", "float16", "bfloat16")


def image(*shape, dtype="uint8"):
    return arr(*shape, low=0, high=256, dtype=dtype)


def to_tensor(x):
    return np.moveaxis(x / 255, -1, -3)


def saturated(y, dtype):
    return np.trunc(np.clip(y, 0, 255)).astype("uint8") if dtype == "uint8" else y


def grey(x):
    return (x @ [0.299, 0.587, 0.114] if x.shape[2] == 3 else x[:, :, 0])[:, :, None]


def with_factor(op, change, **options):
    """Samples of a random change whose factor is known."""
    samples = []
    for dtype in ("uint8", "float32"):
        for channels in (3, 1):
            for factor in (0.5, 1.5):
                x = image(4, 5, channels).astype(dtype)
                samples.append(sample(op, [x], {"min_factor": factor, "max_factor": factor}, grad=False, **options,
                                      ref=lambda x, f=factor, t=dtype: saturated(change(x.astype("float32"), f), t)))
    return samples


def hue(x, factor):
    if x.shape[2] == 1:
        return x
    flat = [colorsys.hls_to_rgb((h + factor) % 1, light, s) for h, light, s in
            (colorsys.rgb_to_hls(*pixel) for pixel in x.reshape(-1, 3) / 255.0)]
    return np.array(flat).reshape(x.shape) * 255


COLOURS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]) \
    * [55.46, 4.794, 1.148]

SAMPLES = [
    sample("_image_to_tensor", [image(4, 5, 3)], {}, ref=to_tensor),
    sample("_image_to_tensor", [image(2, 4, 5, 3)], {}, ref=to_tensor),
    sample("_image_to_tensor", [image(4, 5, 1).astype("float32")], {}, ref=to_tensor, dtypes=("float16",)),
    sample("_image_to_tensor", [image(4, 5, 2).astype("int32")], {}, ref=to_tensor),
    sample("_image_normalize", [arr(3, 4, 5)], {"mean": (0.5, 0.4, 0.3), "std": (0.1, 0.2, 0.3)}),
    sample("_image_normalize", [arr(2, 3, 4, 5)], {"mean": 0.5, "std": (0.1, 0.2, 0.3)}),
    sample("_image_normalize", [arr(1, 4, 5)], {"mean": (0.5,), "std": (0.1,)}),
    sample("_image_normalize", [arr(5, 4, 5)], {"std": 2}, ref=lambda x: x / 2, golden=False),
    *[sample("_image_resize", [image(*shape, dtype=dtype)], {"size": size, "interp": interp}, tol=(1e-5, 1e-4),
             dtypes=("float64", "bfloat16"))
      for interp in (0, 1, 2, 3, 4) for dtype in ("float32",) for shape, size in
      [((5, 6, 3), (9, 7)), ((8, 9, 3), (4, 4)), ((8, 6, 1), (3, 8)), ((7, 9, 3), (3, 2))]],
    *[sample("_image_resize", [image(2, 8, 6, 3).astype("float32")], params, dtypes=("float64",))
      for params in [{"size": 4}, {"size": (4,), "keep_ratio": True}, {"size": (3, 5), "keep_ratio": True}]],
    sample("_image_resize", [image(10, 8, 3)], {"size": (5, 5), "interp": 0}),
    sample("_image_resize", [image(4, 6, 3)], {"size": (3, 2), "interp": 3}),
    sample("_image_crop", [image(4, 6, 3)], {"x": 1, "y": 0, "width": 3, "height": 4}),
    sample("_image_crop", [arr(2, 4, 6, 3)], {"x": 2, "y": 1, "width": 1, "height": 2}),
    # MXNet 1.9.1 leaves a part of an image with an odd number of rows as it was in memory.
    *[sample(f"_image_{kind}flip_{way}", [x], {}, ref=ref, golden=None if len(x) == 4 else False)
      for way, axis in [("left_right", 1), ("top_bottom", 0)] for x in [image(4, 6, 3), arr(3, 5, 1)]
      for kind, ref in [("", lambda x, a=axis: np.flip(x, a)), ("random_", None)]],
    sample("_image_flip_left_right", [image(2, 4, 6, 3)], {}, ref=lambda x: x[:, :, ::-1], golden=False),
    sample("_image_flip_top_bottom", [image(2, 4, 6, 3)], {}, ref=lambda x: x[:, ::-1], golden=False),
    sample("_image_adjust_lighting", [image(4, 5, 3)], {"alpha": (0.1, 0.2, 0.3)}),
    sample("_image_adjust_lighting", [image(4, 5, 3).astype("float32")], {"alpha": (0.1, -0.2, 0.3)},
           ref=lambda x: x + COLOURS @ [0.1, -0.2, 0.3]),
    sample("_image_random_lighting", [image(4, 5, 3)], {"alpha_std": 0}, ref=lambda x: x),
    sample("_image_random_lighting", [image(4, 5, 3).astype("float32")], {}, grad=False, dtypes=F),
    *with_factor("_image_random_brightness", lambda x, f: f * x),
    *with_factor("_image_random_contrast", lambda x, f: f * x + (1 - f) * grey(x).mean()),
    # MXNet 1.9.1 takes the blue part of grey for all of it.
    *with_factor("_image_random_saturation", lambda x, f: f * x + (1 - f) * grey(x), golden=False),
    # MXNet 1.9.1 rounds hues of integers down, and reads other memory where there is one channel.
    *[sample("_image_random_hue", [image(4, 5, 3).astype(dtype)], {"min_factor": f, "max_factor": f}, grad=False,
             golden=None if dtype == "float32" else False,
             ref=lambda x, f=f: np.rint(hue(x, f)).astype(x.dtype) if x.dtype == "uint8" else hue(x, f),
             tol=(1e-4, 1e-3)) for f in (1.0, 1.2, 0.55) for dtype in ("float32", "uint8")],
    sample("_image_random_hue", [image(4, 5, 1)], {"min_factor": 0.2, "max_factor": 0.9}, ref=lambda x: x, grad=False,
           golden=False),
    sample("_image_random_color_jitter", [image(4, 5, 3).astype("float32")],
           {"brightness": 0.3, "contrast": 0.2, "saturation": 0.1, "hue": 0.1}, grad=False),
    sample("_image_random_color_jitter", [image(4, 5, 3)],
           {"brightness": 0, "contrast": 0, "saturation": 0, "hue": 0}, ref=lambda x: x, golden=False),
]

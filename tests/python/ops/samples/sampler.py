"""Images sampled at given places, and convolutions that do."""
import numpy as np

from . import arr, sample


def places(*shape, extent=1.3, seed=3):
    """Coordinates that keep away from the whole numbers of images up to 8 elements a side, where there are kinks."""
    grid = arr(*shape, low=-extent, high=extent, seed=seed).astype("float64")
    for n in range(2, 9):
        at = (grid + 1) * (n - 1) / 2
        near = np.abs(at - np.round(at)) < 0.02
        grid = np.where(near, grid + 0.05, grid)
    return grid.astype("float32")


def offsets(*shape, extent=1.4):
    x = arr(*shape, low=-extent, high=extent, seed=4)
    return np.where(np.abs(x - np.round(x)) < 0.05, x + 0.1, x).astype("float32")


def matrices(n):
    return (np.tile(np.array([1, 0, 0, 0, 1, 0], "float32"), (n, 1)) + arr(n, 6, low=-0.3, high=0.3)).astype("float32")


AFFINE = {"transform_type": "affine", "target_shape": (4, 5)}
TRANSFORMER = {"transform_type": "affine", "sampler_type": "bilinear", "target_shape": (5, 4)}
EDGES = np.array([[[[-1, 1, 1.2, -1.2, 0, -3, 5]], [[-1, 1, 1, -1, 0, 0, 0]]]], "float32")


def deformable(batch, channels, size, filters, kernel, groups=1, deformable=1, bias=True, modulated=False, **window):
    """A sample of either convolution; float16 is not offered for the arguments of 1.9.1 on a CPU."""
    def extent(i):
        dilate, pad, stride = (window.get(k, (d, d))[i] for k, d in [("dilate", 1), ("pad", 0), ("stride", 1)])
        return (size[i] + 2 * pad - dilate * (kernel[i] - 1) - 1) // stride + 1
    out, taps = (extent(0), extent(1)), kernel[0] * kernel[1] * deformable
    inputs = [arr(batch, channels, *size), offsets(batch, 2 * taps, *out)]
    if modulated:
        inputs.append(arr(batch, taps, *out, low=0, high=1))
    inputs.append(arr(filters, channels // groups, *kernel))
    inputs.append(arr(filters) if bias else None)
    params = {"kernel": kernel, "num_filter": filters, "num_group": groups, "num_deformable_group": deformable,
              "no_bias": not bias, **window}
    return sample("_contrib_ModulatedDeformableConvolution" if modulated else "_contrib_DeformableConvolution",
                  inputs, params, tol=(1e-4, 1e-4))


SAMPLES = [
    sample("BilinearSampler", [arr(2, 3, 5, 4), places(2, 2, 3, 6)], {}),
    sample("BilinearSampler", [arr(1, 2, 7, 8), places(1, 2, 9, 9)], {"cudnn_off": True}),
    sample("BilinearSampler", [arr(1, 2, 3, 4), EDGES], {}, grad=False, dtypes=("float64",)),
    sample("BilinearSampler", [arr(2, 3, 5, 4), arr(2, 2, 0, 6)], {}, ref=lambda x, g: np.zeros((2, 3, 0, 6))),
    sample("BilinearSampler", [arr(1, 1, 2, 2), np.full((1, 2, 1, 2), np.nan, "float32")], {}, grad=False,
           golden=np.full((1, 1, 1, 2), np.nan), dtypes=()),
    sample("GridGenerator", [matrices(2)], AFFINE),
    sample("GridGenerator", [arr(1, 6)], {**AFFINE, "target_shape": (1, 3)}, golden=False,
           ref=lambda m: (m.reshape(2, 3)[:, :1] * np.linspace(-1, 1, 3) + m.reshape(2, 3)[:, 2:])[None, :, None]),
    sample("GridGenerator", [arr(2, 2, 4, 5, low=-2, high=2)], {"transform_type": "warp"}),
    sample("SpatialTransformer", [arr(2, 3, 6, 5), matrices(2)], TRANSFORMER),
    sample("SpatialTransformer", [arr(1, 1, 4, 4), 1.5 * matrices(1)], TRANSFORMER),
    *[s for modulated in (False, True) for s in [
        deformable(2, 4, (5, 6), 3, (3, 3), pad=(1, 1), modulated=modulated),
        deformable(1, 4, (6, 5), 6, (2, 3), groups=2, deformable=2, bias=False, stride=(2, 1), modulated=modulated),
        deformable(1, 4, (7, 7), 2, (3, 2), deformable=4, dilate=(2, 2), pad=(2, 1), modulated=modulated),
        deformable(3, 2, (4, 4), 2, (1, 1), modulated=modulated),
    ]],
]

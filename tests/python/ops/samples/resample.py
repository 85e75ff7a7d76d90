"""Images of another size, and normalisation among channels."""
import numpy as np

from . import arr, sample

MODES = ["size", "odd_scale", "to_even_down", "to_even_up", "to_odd_down", "to_odd_up"]


def adaptive_mean(size):
    def ref(x):
        bounds = [[(i * n // m, -(-(i + 1) * n // m)) for i in range(m)] for n, m in zip(x.shape[2:], size)]
        means = np.array([[x[:, :, a:b, c:d].mean((2, 3)) for c, d in bounds[1]] for a, b in bounds[0]])
        return means.transpose(2, 3, 0, 1)
    return ref


def repeated(scale):
    return lambda x: x.repeat(scale, 2).repeat(scale, 3)


def lrn(alpha=1e-4, beta=0.75, knorm=2, nsize=5):
    def ref(x):
        padded = np.pad(x ** 2, [(0, 0), (nsize // 2,) * 2, (0, 0), (0, 0)])
        total = sum(padded[:, k:k + x.shape[1]] for k in range(nsize))
        return x * (knorm + alpha / nsize * total) ** -beta
    return ref


SAMPLES = [
    *[sample("_contrib_BilinearResize2D", [arr(2, 3, *shape)],
             {"height": height, "width": width, "align_corners": align})
      for align in (True, False)
      for shape, height, width in [((4, 5), 7, 9), ((6, 7), 3, 4), ((5, 5), 1, 8), ((2, 9), 5, 4), ((1, 1), 3, 3)]],
    *[sample("_contrib_BilinearResize2D", [arr(1, 2, *shape)], {"mode": mode, "scale_height": 2.0, "scale_width": 0.5})
      for mode in MODES for shape in [(5, 8), (6, 7)]],
    sample("_contrib_BilinearResize2D", [arr(1, 2, 4, 5), arr(3, 1, 6, 7)], {"mode": "like"}, grad=(0,)),
    sample("_contrib_BilinearResize2D", [arr(1, 3, 40, 50)], {"height": 90, "width": 70}),
    sample("_contrib_BilinearResize2D", [arr(0, 3, 4, 5)], {"height": 3, "width": 3}),
    *[sample("_contrib_AdaptiveAvgPooling2D", [arr(2, 3, 7, 8)], {"output_size": size},
             ref=adaptive_mean(size if len(size) == 2 else size * 2))
      for size in [(1,), (2, 3), (7, 8), (3,), (9, 13), (5, 1)]],
    sample("_contrib_AdaptiveAvgPooling2D", [arr(2, 3, 7, 8)], {}, ref=adaptive_mean((1, 1))),
    sample("_contrib_AdaptiveAvgPooling2D", [arr(2, 3, 7, 8)], {"output_size": 4}, ref=adaptive_mean((4, 4))),
    sample("_contrib_AdaptiveAvgPooling2D", [arr(1, 2, 60, 61)], {"output_size": (4, 3)},
           ref=adaptive_mean((4, 3))),
    sample("_contrib_AdaptiveAvgPooling2D", [arr(2, 3, 7, 8)], {"output_size": (0, 3)}, golden=False,
           ref=lambda x: np.zeros((2, 3, 0, 3))),
    *[sample("UpSampling", [arr(2, 3, 4, 5)], {"scale": scale, "sample_type": "nearest"}, ref=repeated(scale))
      for scale in (1, 2, 3)],
    sample("UpSampling", [arr(1, 2, 3, 4), arr(1, 3, 6, 8)], {"scale": 4, "sample_type": "nearest"}),
    sample("UpSampling", [arr(1, 2, 3, 4), arr(1, 2, 6, 8), arr(1, 2, 12, 16)],
           {"scale": 4, "sample_type": "nearest", "multi_input_mode": "sum"}),
    *[sample("UpSampling", [arr(2, 3, 4, 5), arr(3, 1, k, k)],
             {"scale": scale, "sample_type": "bilinear", "num_filter": 3})
      for scale, k in [(2, 4), (3, 5), (1, 1)]],
    sample("LRN", [arr(2, 7, 3, 4)], {"nsize": 5}, ref=lrn()),
    sample("LRN", [arr(2, 7, 3, 4, low=-3, high=3)], {"nsize": 3, "alpha": 0.5, "beta": 0.6, "knorm": 1.5},
           ref=lrn(0.5, 0.6, 1.5, 3)),
    sample("LRN", [arr(1, 4, 9, 9, low=-3, high=3)], {"nsize": 1, "alpha": 0.2}, ref=lrn(0.2, nsize=1)),
    sample("LRN", [arr(1, 3, 2, 2)], {"nsize": 5}, ref=lrn(), golden=False),
]

"""Correlation of patches of feature maps."""
import numpy as np

from . import arr, sample


def correlation(kernel_size=1, max_displacement=1, stride1=1, stride2=1, pad_size=0, is_multiply=True):
    def ref(a, b):
        a, b = (np.pad(x, [(0, 0), (0, 0), (pad_size,) * 2, (pad_size,) * 2]) for x in (a, b))
        reach, k = max_displacement // stride2, kernel_size
        out = [-(-(n - 2 * (max_displacement + k // 2)) // stride1) for n in a.shape[2:]]
        moves = [i * stride2 for i in range(-reach, reach + 1)]
        result = np.zeros((a.shape[0], len(moves) ** 2, *out))
        for d, (dy, dx) in enumerate((dy, dx) for dy in moves for dx in moves):
            for i, j in np.ndindex(*out):
                y, x = i * stride1 + max_displacement, j * stride1 + max_displacement
                p, q = a[:, :, y:y + k, x:x + k], b[:, :, y + dy:y + dy + k, x + dx:x + dx + k]
                result[:, d, i, j] = (p * q if is_multiply else np.abs(p - q)).mean((1, 2, 3))
        return result
    return ref


PARAMS = [
    {}, {"pad_size": 1}, {"kernel_size": 3, "max_displacement": 2, "pad_size": 3},
    {"max_displacement": 2, "stride2": 2, "pad_size": 2}, {"max_displacement": 3, "stride2": 2, "pad_size": 3},
    {"kernel_size": 3, "max_displacement": 2, "stride1": 2, "stride2": 2, "pad_size": 3}, {"max_displacement": 0},
]

SAMPLES = [
    sample("Correlation", [arr(2, 3, 5, 6), arr(2, 3, 5, 6)], {**params, "is_multiply": multiply},
           ref=correlation(**params, is_multiply=multiply))
    for params in PARAMS for multiply in (True, False)
]

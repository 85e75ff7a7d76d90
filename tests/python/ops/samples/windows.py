"""im2col and col2im."""
import itertools

import numpy as np

from . import arr, sample


def _im2col(kernel, stride=None, dilate=None, pad=None):
    n = len(kernel)
    stride, dilate, pad = stride or (1,) * n, dilate or (1,) * n, pad or (0,) * n

    def ref(x):
        x = np.pad(x, [(0, 0), (0, 0), *((p, p) for p in pad)])
        outs = [(x.shape[i + 2] - dilate[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in range(n)]
        rows = []
        for channel in range(x.shape[1]):
            for tap in itertools.product(*map(range, kernel)):
                window = tuple(slice(t * d, t * d + (o - 1) * s + 1, s)
                               for t, d, o, s in zip(tap, dilate, outs, stride))
                rows.append(x[(slice(None), channel, *window)].reshape(x.shape[0], -1))
        return np.stack(rows, axis=1)
    return ref


def _col2im(output_size, **window):
    """The adjoint of im2col, by what that does to each unit image."""
    forward = _im2col(**window)

    def ref(columns):
        taps = int(np.prod(window["kernel"]))
        shape = (columns.shape[0], columns.shape[1] // taps, *output_size)
        out = np.zeros(shape)
        for place in np.ndindex(*shape[1:]):
            unit = np.zeros((1, *shape[1:]))
            unit[(0, *place)] = 1
            out[(slice(None), *place)] = (columns * forward(unit)).sum((1, 2))
        return out
    return ref


_WINDOWS = [
    ((2, 3, 5, 4), {"kernel": (2, 2)}),
    ((2, 2, 5, 6), {"kernel": (3, 2), "stride": (2, 1), "dilate": (1, 2), "pad": (1, 1)}),
    ((1, 2, 4, 4), {"kernel": (1, 1)}),
    ((2, 1, 3, 3), {"kernel": (3, 3), "pad": (2, 2), "stride": (3, 3)}),
    ((2, 3, 7), {"kernel": (3,), "stride": (2,), "pad": (1,)}),
    ((1, 2, 3, 4, 3), {"kernel": (2, 2, 2), "dilate": (1, 2, 1), "pad": (0, 1, 0)}),
]


def _samples():
    for shape, window in _WINDOWS:
        forward = _im2col(**window)
        yield sample("im2col", [arr(*shape)], window, ref=forward)
        columns = forward(np.zeros(shape)).shape
        params = {"output_size": shape[2:], **window}
        yield sample("col2im", [arr(*columns)], params, ref=_col2im(**params))


SAMPLES = list(_samples())

"""Convolution and its transpose."""
import itertools

import numpy as np
import scipy.stats

from . import arr, sample


def _channels_first(x):
    return np.moveaxis(x, -1, 1)


def _convolve(x, w, b=None, stride=None, dilate=None, pad=None, num_group=1, layout=None, **_):
    if layout and layout.endswith("C"):
        y = _convolve(_channels_first(x), _channels_first(w), b, stride, dilate, pad, num_group)
        return np.moveaxis(y, 1, -1)
    rank = x.ndim - 2
    stride, dilate, pad = stride or (1,) * rank, dilate or (1,) * rank, pad or (0,) * rank
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in pad])
    kernel = w.shape[2:]
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilate)]
    filters, channels = w.shape[0] // num_group, w.shape[1]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    for tap in itertools.product(*map(range, kernel)):
        window = tuple(slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilate, out, stride))
        for g in range(num_group):
            seen = x[(slice(None), slice(g * channels, (g + 1) * channels), *window)]
            taps = w[(slice(g * filters, (g + 1) * filters), slice(None), *tap)]
            y[:, g * filters:(g + 1) * filters] += np.moveaxis(np.tensordot(taps, seen, (1, 1)), 0, 1)
    return y if b is None else y + b.reshape(-1, *[1] * rank)


def _deconvolve(x, w, b=None, stride=None, dilate=None, pad=None, adj=None, num_group=1, layout=None, **_):
    if layout and layout.endswith("C"):
        y = _deconvolve(_channels_first(x), _channels_first(w), b, stride, dilate, pad, adj, num_group)
        return np.moveaxis(y, 1, -1)
    rank = x.ndim - 2
    stride, dilate, pad, adj = stride or (1,) * rank, dilate or (1,) * rank, pad or (0,) * rank, adj or (0,) * rank
    kernel = w.shape[2:]
    full = [s * (n - 1) + d * (k - 1) + 1 + a for n, k, s, d, a in zip(x.shape[2:], kernel, stride, dilate, adj)]
    channels, filters = w.shape[0] // num_group, w.shape[1]
    y = np.zeros((x.shape[0], filters * num_group, *full))
    for tap in itertools.product(*map(range, kernel)):
        window = tuple(slice(t * d, t * d + (n - 1) * s + 1, s)
                       for t, d, n, s in zip(tap, dilate, x.shape[2:], stride))
        for g in range(num_group):
            taps = w[(slice(g * channels, (g + 1) * channels), slice(None), *tap)]
            part = np.tensordot(taps, x[:, g * channels:(g + 1) * channels], (0, 1))
            y[(slice(None), slice(g * filters, (g + 1) * filters), *window)] += np.moveaxis(part, 0, 1)
    y = y[(slice(None), slice(None), *[slice(p, n - p) for p, n in zip(pad, full)])]
    return y if b is None else y + b.reshape(-1, *[1] * rank)


def conv(x, filters, kernel, group=1, bias=True, **params):
    last = params.get("layout", "").endswith("C")
    channels = x.shape[-1 if last else 1] // group
    weight = arr(filters, *kernel, channels) if last else arr(filters, channels, *kernel)
    params = {"kernel": kernel, "num_filter": filters, "num_group": group, "no_bias": not bias, **params}
    heavy = x.size * filters > 20000
    return sample("Convolution", [x, weight, arr(filters)] if bias else [x, weight], params,
                  ref=lambda *inputs: _convolve(*inputs, **params), grad2=not heavy, tol=(1e-4, 1e-4),
                  golden=False if last else None)


def deconv(x, filters, kernel, group=1, bias=False, ref=True, **params):
    last = params.get("layout", "").endswith("C")
    channels = x.shape[-1 if last else 1]
    weight = arr(channels, *kernel, filters // group) if last else arr(channels, filters // group, *kernel)
    params = {"kernel": kernel, "num_filter": filters, "num_group": group, "no_bias": not bias, **params}
    return sample("Deconvolution", [x, weight, arr(filters)] if bias else [x, weight], params,
                  ref=(lambda *inputs: _deconvolve(*inputs, **params)) if ref else None, tol=(1e-4, 1e-4),
                  golden=False if last else None)


FUNCTIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.where(x > 0, x, 0.25 * x),
    "clip": lambda x: np.clip(x, 0.25, 2),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, 0.25 * np.expm1(x)),
    "gelu": lambda x: x * scipy.stats.norm.cdf(x),
}


def fused(x, filters, kernel, group=1, bias=True, addend=None, function="none", **params):
    """A channels-last convolution whose weight has its channels first."""
    rank = x.ndim - 2
    layout, weight_layout = ("NWC", "NHWC", "NDHWC")[rank - 1], ("NCW", "NCHW", "NCDHW")[rank - 1]
    given = {"kernel": kernel, "num_filter": filters, "num_group": group, "no_bias": not bias, "layout": layout,
             "weight_layout": weight_layout, "with_addend": addend is not None, "function": function, "alpha": 0.25,
             "beta": 2, **params}

    def reference(x, w, b=None, addend=None):
        y = np.moveaxis(_convolve(_channels_first(x), w, b, num_group=group, **params), 1, -1)
        return FUNCTIONS[function](y if addend is None else y + addend)

    inputs = [x, arr(filters, x.shape[-1] // group, *kernel), arr(filters) if bias else None, addend]
    kinked = function in ("relu", "clip")
    return sample("_fused_convolution", inputs, given, ref=reference, grad=not kinked, tol=(1e-4, 1e-4),
                  grad2=function == "none", dtypes=("float64",) if kinked else None)


def _packed(w):
    """The head, which names no order, and the weight as it is, with room to spare."""
    return np.frombuffer(bytes(64) + w.tobytes() + bytes(16 * 64 * 9 * 8 - w.nbytes), "uint8")


SAMPLES = [
    conv(arr(2, 3, 9), 4, (3,)),
    conv(arr(2, 3, 9), 4, (3,), stride=(2,), pad=(1,), dilate=(2,)),
    conv(arr(2, 4, 9), 6, (2,), group=2, layout="NCW"),
    conv(arr(2, 3, 7, 6), 4, (3, 3)),
    conv(arr(2, 3, 7, 6), 4, (3, 2), stride=(2, 1), pad=(1, 0), bias=False),
    conv(arr(2, 3, 8, 9), 4, (3, 3), dilate=(2, 3), pad=(2, 1), layout="NCHW"),
    conv(arr(1, 4, 6, 6), 6, (3, 3), group=2, pad=(1, 1)),
    conv(arr(2, 6, 6, 5), 6, (3, 3), group=6, pad=(1, 1), stride=(2, 2)),
    conv(arr(2, 4, 6, 5), 8, (3, 3), group=4),
    conv(arr(2, 5, 4, 4), 3, (1, 1)),
    conv(arr(2, 5, 5, 4), 3, (1, 1), stride=(2, 2), bias=False),
    # Channels enough for the vectorised forms.
    conv(arr(1, 32, 9, 9), 32, (3, 3), pad=(1, 1)),
    conv(arr(2, 16, 8, 8), 32, (1, 1)),
    conv(arr(1, 3, 20, 20), 16, (7, 7), stride=(2, 2), pad=(3, 3)),
    conv(arr(1, 32, 8, 8), 32, (3, 3), group=32, pad=(1, 1), bias=False),
    conv(arr(1, 2, 4, 5, 4), 3, (3, 3, 3), pad=(1, 1, 1)),
    conv(arr(2, 2, 5, 4, 6), 2, (2, 3, 2), stride=(2, 1, 2), dilate=(1, 1, 2), bias=False),
    conv(arr(2, 9, 3), 4, (3,), layout="NWC", pad=(1,)),
    conv(arr(2, 7, 6, 3), 4, (3, 2), layout="NHWC", stride=(2, 1)),
    conv(arr(2, 6, 6, 4), 6, (3, 3), group=2, layout="NHWC", pad=(1, 1)),
    conv(arr(1, 8, 8, 16), 16, (3, 3), layout="NHWC", pad=(1, 1)),
    conv(arr(1, 4, 4, 5, 2), 3, (3, 3, 3), layout="NDHWC"),
    conv(arr(0, 2, 5, 5), 3, (3, 3)),
    fused(arr(2, 7, 6, 3), 4, (3, 2), stride=(2, 1)),
    fused(arr(2, 6, 6, 4), 6, (3, 3), group=2, pad=(1, 1), bias=False),
    fused(arr(2, 9, 3), 4, (3,), pad=(1,), addend=arr(2, 9, 4)),
    fused(arr(1, 8, 8, 16), 32, (1, 1), addend=arr(1, 8, 8, 32)),
    fused(arr(1, 4, 4, 5, 2), 3, (3, 3, 3), bias=False, addend=arr(1, 2, 2, 3, 3), function="relu"),
    *(fused(arr(1, 8, 8, 16), 16, (3, 3), addend=arr(1, 6, 6, 16) if name == "elu" else None, function=name)
      for name in FUNCTIONS),
    sample("_convolution_pack", [arr(4, 3, 3, 3).astype("float64")],
           {"kernel": (3, 3), "num_filter": 4, "data_shape": (1, 3, 5, 5)}, ref=_packed, dtypes=(), grad=False),
    deconv(arr(2, 3, 5), 4, (3,)),
    deconv(arr(2, 3, 5), 4, (3,), stride=(2,), pad=(1,), adj=(1,), bias=True),
    deconv(arr(2, 3, 4, 5), 4, (3, 3)),
    deconv(arr(2, 3, 4, 5), 4, (4, 3), stride=(2, 2), pad=(1, 1), adj=(0, 1)),
    deconv(arr(2, 4, 4, 5), 6, (3, 2), group=2, stride=(2, 1), bias=True),
    deconv(arr(2, 3, 4, 4), 2, (3, 3), dilate=(2, 2), pad=(1, 0)),
    deconv(arr(1, 2, 3, 4), 2, (3, 3), ref=False, stride=(2, 2), target_shape=(6, 7)),
    deconv(arr(1, 2, 3, 4), 2, (3, 3), ref=False, stride=(2, 2), target_shape=(7, 5), pad=(2, 2)),
    deconv(arr(1, 16, 5, 5), 16, (4, 4), stride=(2, 2), pad=(1, 1)),
    deconv(arr(1, 2, 3, 3, 2), 2, (3, 2, 2), stride=(1, 2, 2)),
    deconv(arr(2, 4, 5, 3), 4, (3, 3), layout="NHWC", stride=(2, 2), pad=(1, 1), bias=True),
    deconv(arr(0, 2, 5), 3, (3,)),
]

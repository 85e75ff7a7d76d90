"""Pooling."""
import itertools

import numpy as np

from . import arr, sample


def distinct(*shape):
    """Numbers that lie apart, so that a small step changes no maximum."""
    size = int(np.prod(shape))
    return (0.2 + np.random.RandomState(3).permutation(size).reshape(shape) / max(1, size)).astype("float32")


def _grid():
    windows = [{"kernel": (2, 2), "stride": (2, 2)}, {"kernel": (3, 3), "stride": (2, 2), "pad": (1, 1)},
               {"kernel": (3, 2)}, {"kernel": (4, 3), "stride": (3, 3), "pad": (1, 1)},
               {"kernel": (2, 3), "stride": (3, 4), "pad": (1, 0)}]
    for window in windows:
        for kind in ("max", "avg", "sum"):
            for convention in ("valid", "full"):
                params = {**window, "pool_type": kind, "pooling_convention": convention}
                # With 'full' some windows lie in the padding altogether: their maximum is the least number.
                outside = kind == "max" and convention == "full" and window.get("pad") and window["stride"] != (2, 2)
                yield sample("Pooling", [distinct(2, 3, 7, 8)], params, grad=not outside,
                             dtypes=() if outside else None)
        yield sample("Pooling", [arr(2, 3, 7, 8)],
                     {**window, "pool_type": "avg", "pooling_convention": "full", "count_include_pad": False})
        for p in (1, 2, 3):
            yield sample("Pooling", [arr(2, 3, 7, 8, low=0.2)], {**window, "pool_type": "lp", "p_value": p},
                         tol=(1e-4, 1e-5))


def _same(kind, layout, shape, kernel, **params):
    """Pooling with channels last, checked against channels first."""

    def ref(x):
        return np.moveaxis(_reference(np.moveaxis(x, -1, 1), kind, kernel, **params), 1, -1)
    return sample("Pooling", [distinct(*shape)], {"pool_type": kind, "kernel": kernel, "layout": layout, **params},
                  ref=ref, golden=False)


def _reference(x, kind, kernel, stride=None, pad=None):
    rank = x.ndim - 2
    stride, pad = stride or (1,) * rank, pad or (0,) * rank
    x = np.pad(x, [(0, 0), (0, 0)] + [(p, p) for p in pad], constant_values=-np.inf if kind == "max" else 0)
    out = [(n - k) // s + 1 for n, k, s in zip(x.shape[2:], kernel, stride)]
    taps = [x[(slice(None), slice(None), *[slice(t, t + (n - 1) * s + 1, s) for t, n, s in zip(tap, out, stride)])]
            for tap in itertools.product(*map(range, kernel))]
    return {"max": np.max, "sum": np.sum, "avg": np.mean}[kind](taps, axis=0)


SAMPLES = [
    *_grid(),
    *[sample("Pooling", [distinct(2, 3, 7, 8)], {"global_pool": True, "pool_type": kind, "p_value": 2})
      for kind in ("max", "avg", "sum", "lp")],
    sample("Pooling", [arr(2, 3, 20, 20)], {"global_pool": True, "kernel": (2, 2), "pool_type": "avg"}),
    sample("Pooling", [distinct(2, 3, 9)], {"kernel": (3,), "stride": (2,), "pool_type": "max"}),
    sample("Pooling", [arr(2, 3, 9)], {"kernel": (4,), "stride": (1,), "pad": (2,), "pool_type": "avg"}),
    sample("Pooling", [arr(2, 3, 9)], {"global_pool": True, "kernel": (1,), "pool_type": "sum"}),
    sample("Pooling", [distinct(2, 3, 7)], {"kernel": (3,), "stride": (2,), "pooling_convention": "same"}, golden=False,
           ref=lambda x: _reference(x, "max", (3,), (2,), (1,))),
    *[sample("Pooling", [distinct(1, 2, 4, 5, 6)], {"kernel": (2, 3, 2), "stride": (2, 1, 2), "pad": (0, 1, 1),
                                               "pool_type": kind}) for kind in ("max", "avg", "sum")],
    sample("Pooling", [distinct(1, 2, 4, 5, 6)], {"global_pool": True, "pool_type": "max", "kernel": (2, 2, 2)}),
    *[_same(kind, "NHWC", (2, 7, 8, 5), (3, 2), stride=(2, 2), pad=(1, 1)) for kind in ("max", "avg", "sum")],
    _same("max", "NHWC", (1, 6, 6, 70), (3, 3), stride=(2, 2)),
    _same("avg", "NWC", (2, 9, 4), (3,), stride=(2,)),
    _same("max", "NDHWC", (1, 4, 5, 6, 3), (2, 2, 2), stride=(2, 2, 2)),
    # Equal elements: the first maximum takes the gradient.
    sample("Pooling", [arr(2, 2, 6, 6, low=0, high=3, dtype="int32").astype("float32")],
           {"kernel": (3, 3), "stride": (2, 2), "pool_type": "max"}, grad=False),
    sample("Pooling", [arr(0, 2, 6, 6)], {"kernel": (3, 3)}),
    *[sample("Pooling_v1", [distinct(2, 3, 7, 8)], {"kernel": (3, 2), "stride": (2, 3), "pad": (1, 1),
                                                    "pool_type": kind, "pooling_convention": convention})
      for kind in ("max", "avg", "sum") for convention in ("valid", "full")],
    sample("Pooling_v1", [distinct(2, 3, 7, 8)], {"global_pool": True, "pool_type": "avg"}),
]

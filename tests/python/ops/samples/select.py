"""Operators that choose by comparing, and small ones that scale."""
import numpy as np

from . import arr, sample


def _smooth_l1(s):
    return lambda x: np.where(np.abs(x) < 1 / s ** 2, 0.5 * (s * x) ** 2, np.abs(x) - 0.5 / s ** 2)


_X = np.array([[-2.3, -0.4, 0.1], [0.45, 1.2, 3.1]], "float32")

SAMPLES = [
    sample("where", [arr(2, 3) > 0, arr(2, 3), arr(2, 3)], ref=np.where),
    sample("where", [np.array([[0, 1, 2], [0, 0, 1]], "float32"), arr(2, 3), arr(2, 3)],
           ref=lambda c, x, y: np.where(c != 0, x, y), grad=(1, 2), grad2=False),
    sample("where", [np.array([1, 0, 1], "int32"), arr(3, 2, 2), arr(3, 2, 2)],
           ref=lambda c, x, y: np.where(c[:, None, None] != 0, x, y)),
    sample("where", [np.array([np.nan, 0], "float32"), np.array([1, 2], "int8"), np.array([3, 4], "int8")],
           golden=[np.array([1, 4], "int8")], dtypes=(), grad=False),
    sample("clip", [_X], {"a_min": -1.0, "a_max": 1.5}, ref=lambda x: np.clip(x, -1, 1.5)),
    sample("clip", [np.array([1, 2, 3, -4], "int32")], {"a_min": -1.5, "a_max": 2.7},
           golden=[np.array([1, 2, 2, -1], "int32")]),
    sample("clip", [np.array([np.nan, np.inf, -np.inf], "float32")], {"a_min": -1, "a_max": 1},
           golden=[np.array([np.nan, 1, -1])], grad=False),
    sample("smooth_l1", [_X], {"scalar": 1.0}, ref=_smooth_l1(1)),
    sample("smooth_l1", [_X], {"scalar": 2.0}, ref=_smooth_l1(2)),
    sample("hard_sigmoid", [_X], ref=lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    sample("hard_sigmoid", [_X], {"alpha": 0.7, "beta": 0.1}, ref=lambda x: np.clip(0.7 * x + 0.1, 0, 1)),
    sample("_contrib_quadratic", [_X], {"a": 2.0, "b": -1.0, "c": 0.5}, ref=lambda x: 2 * x * x - x + 0.5),
    sample("_contrib_gradientmultiplier", [_X], {"scalar": -0.5}, ref=lambda x: x, grad=False),
    sample("_contrib_div_sqrt_dim", [arr(3, 5)], ref=lambda x: x / np.sqrt(5)),
]

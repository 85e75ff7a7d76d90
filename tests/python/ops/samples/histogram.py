"""Counting by bin."""
import numpy as np

from . import arr, sample

_X = np.array([[0, 1, 2, 3], [1, -5, 9, np.nan]], "float32")
_EDGES = np.array([0, 1, 4], "float32")

SAMPLES = [
    sample("_histogram", [_X], {"bin_cnt": 3, "range": (0, 3)},
           ref=lambda x: (np.array([1, 2, 2]), np.array([0, 1, 2, 3], "float32")), dtypes=()),
    sample("_histogram", [_X, _EDGES], ref=lambda x, edges: (np.array([1, 4]), edges), dtypes=()),
    sample("_histogram", [arr(5, 7, low=-3, high=3)], {"bin_cnt": 4, "range": (-2, 2)},
           ref=lambda x: np.histogram(x, 4, (-2, 2)), dtypes=()),
]

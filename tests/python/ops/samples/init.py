"""Operators that make arrays."""
import numpy as np

from . import arr, sample

SAMPLES = [
    sample("_zeros", [], {"shape": (2, 3)}, ref=lambda: np.zeros((2, 3))),
    sample("_zeros", [], {"shape": (0, 3), "dtype": "int8"}, golden=False, ref=lambda: np.zeros((0, 3), "int8")),
    sample("_zeros_without_dtype", [], {"shape": (2, 3)}, ref=lambda: np.zeros((2, 3))),
    sample("_ones", [], {"shape": (4,), "dtype": "int64"}, ref=lambda: np.ones(4, "int64")),
    sample("_full", [], {"shape": (2, 3), "value": 3.7}, ref=lambda: np.full((2, 3), 3.7)),
    sample("_full", [], {"shape": (2,), "value": 3.7, "dtype": "int32"}, ref=lambda: np.full(2, 3, "int32")),
    sample("_full", [], {"shape": (2,), "value": 1.5, "dtype": "float16"}, ref=lambda: np.full(2, 1.5)),
    sample("_full", [], {"shape": (2,), "value": 2, "dtype": "bool"}, ref=lambda: np.full(2, True)),
    sample("_arange", [], {"start": 5}, ref=lambda: np.arange(5.0)),
    sample("_arange", [], {"start": 0, "stop": 5, "step": 2, "repeat": 2}, ref=lambda: np.repeat([0.0, 2, 4], 2)),
    sample("_arange", [], {"start": 5, "stop": 0, "step": -1.5}, ref=lambda: np.arange(5, 0, -1.5)),
    sample("_arange", [], {"start": 1, "stop": 4, "dtype": "int64"}, ref=lambda: np.arange(1, 4)),
    sample("_linspace", [], {"start": 0, "stop": 1, "num": 5}, ref=lambda: np.linspace(0, 1, 5)),
    sample("_linspace", [], {"start": 2, "stop": 1, "num": 4, "endpoint": False},
           ref=lambda: np.linspace(2, 1, 4, endpoint=False)),
    sample("_eye", [], {"N": 3}, ref=lambda: np.eye(3)),
    sample("_eye", [], {"N": 2, "M": 4, "k": -1, "dtype": "int32"}, ref=lambda: np.eye(2, 4, -1, "int32")),
    sample("_eye", [], {"N": 3, "M": 2, "k": 1}, ref=lambda: np.eye(3, 2, 1)),
    sample("_contrib_arange_like", [arr(2, 3)], ref=lambda x: np.arange(6.0).reshape(2, 3)),
    sample("_contrib_arange_like", [arr(2, 3)], {"axis": 1, "start": 1, "step": 0.5, "repeat": 2},
           ref=lambda x: np.array([1, 1, 1.5])),
]

"""Matrix products."""
import itertools

import numpy as np

from . import arr, sample
from .convolution import FUNCTIONS


def _dot(transpose_a, transpose_b):
    def ref(a, b):
        if transpose_a and a.ndim > 1:
            a = np.moveaxis(a, 0, -1)
        if transpose_b and b.ndim > 1:
            b = np.moveaxis(b, -1, 0)
        return np.atleast_1d(np.tensordot(a, b, 1))
    return ref


def _batch_dot(transpose_a, transpose_b):
    def ref(a, b):
        a = np.swapaxes(a, -1, -2) if transpose_a else a
        return a @ (np.swapaxes(b, -1, -2) if transpose_b else b)
    return ref


def _dots():
    for ta, tb in itertools.product((False, True), repeat=2):
        params = {"transpose_a": ta, "transpose_b": tb}
        a, b = ((4, 3) if ta else (3, 4)), ((5, 4) if tb else (4, 5))
        yield sample("dot", [arr(*a), arr(*b)], params, ref=_dot(ta, tb))
        # Large enough for the blocked product, with edges that fill no block.
        a, b = ((67, 35) if ta else (35, 67)), ((41, 67) if tb else (67, 41))
        yield sample("dot", [arr(*a), arr(*b)], params, ref=_dot(ta, tb), grad2=False)
        a, b = ((4, 2, 3) if ta else (2, 3, 4)), ((2, 3, 4) if tb else (4, 2, 3))
        yield sample("dot", [arr(*a), arr(*b)], params, ref=_dot(ta, tb))
        yield sample("dot", [arr(4), arr(*b)], params, ref=_dot(ta, tb))
        yield sample("dot", [arr(*a), arr(4)], params, ref=_dot(ta, tb))
        a, b = ((2, 4, 3) if ta else (2, 3, 4)), ((2, 5, 4) if tb else (2, 4, 5))
        yield sample("batch_dot", [arr(*a), arr(*b)], params, ref=_batch_dot(ta, tb))
        yield sample("batch_dot", [arr(3, *a), arr(3, *b)], params, ref=_batch_dot(ta, tb))
        # Tiles of every width and height of a small product.
        a, b = ((2, 5, 6) if ta else (2, 6, 5)), ((2, 31, 5) if tb else (2, 5, 31))
        yield sample("batch_dot", [arr(*a), arr(*b)], params, ref=_batch_dot(ta, tb), grad2=False)
        a, b = ((3, 19, 33) if ta else (3, 33, 19)), ((3, 37, 19) if tb else (3, 19, 37))
        yield sample("batch_dot", [arr(*a), arr(*b)], params, ref=_batch_dot(ta, tb), grad2=False)


def _fused(x, width, bias=True, addend=None, function="none", **params):
    """A dense layer and what follows it."""
    def reference(x, w, b=None, addend=None):
        x = x if params.get("flatten") is False else x.reshape(len(x), -1)
        y = x @ w.T + (0 if b is None else b)
        return FUNCTIONS[function](y if addend is None else y + addend)

    features = x.shape[-1] if params.get("flatten") is False else x[0].size
    kinked = function in ("relu", "clip")
    return sample("_fused_fully_connected", [x, arr(width, features), arr(width) if bias else None, addend],
                  {"num_hidden": width, "no_bias": not bias, "with_addend": addend is not None, "function": function,
                   "alpha": 0.25, "beta": 2, **params},
                  ref=reference, grad=not kinked, grad2=function == "none", dtypes=("float64",) if kinked else None)


def _packed(w):
    """The head, which names no order, and the weight as it is, with room to spare."""
    weight = w.astype("float32").tobytes()
    return np.frombuffer(bytes(64) + weight + bytes(64 * 16 * 4 - len(weight)), "uint8")


SAMPLES = [
    *_dots(),
    sample("dot", [arr(4), arr(4)], ref=_dot(False, False)),
    sample("dot", [arr(0, 3), arr(3, 2)], ref=_dot(False, False)),
    sample("dot", [arr(2, 0), arr(0, 3)], golden=False, ref=_dot(False, False)),
    sample("dot", [arr(3, 4, dtype="int32", low=-9, high=9), arr(4, 2, dtype="int32", low=-9, high=9)],
           ref=_dot(False, False)),
    sample("dot", [arr(9, 40, dtype="int64", low=-9, high=9), arr(40, 20, dtype="int64", low=-9, high=9)],
           ref=_dot(False, False)),
    sample("dot", [arr(3, 4, dtype="uint8", low=0, high=5), arr(4, 2, dtype="uint8", low=0, high=5)],
           ref=_dot(False, False)),
    sample("batch_dot", [arr(0, 2, 3), arr(0, 3, 4)], golden=False, ref=_batch_dot(False, False)),
    sample("_dot_add", [arr(3, 4), arr(4, 5), arr(3, 5)], ref=lambda a, b, c: a @ b + c),
    sample("_dot_add", [arr(35, 33), arr(35, 41), arr(33, 41)], {"transpose_a": True}, ref=lambda a, b, c: a.T @ b + c,
           grad2=False),
    sample("_dot_add", [arr(4, 4), arr(4, 4), arr(4, 4)], {"transpose_b": True}, ref=lambda a, b, c: a @ b.T + c),
    sample("_dot_add", [arr(2, 0), arr(0, 3), arr(2, 3)], ref=lambda a, b, c: a @ b + c),
    sample("FullyConnected", [arr(2, 3, 4), arr(5, 12), arr(5)], {"num_hidden": 5},
           ref=lambda x, w, b: x.reshape(2, 12) @ w.T + b),
    sample("FullyConnected", [arr(2, 3, 4), arr(5, 4), arr(5)], {"num_hidden": 5, "flatten": False},
           ref=lambda x, w, b: x @ w.T + b),
    sample("FullyConnected", [arr(4, 6), arr(3, 6)], {"num_hidden": 3, "no_bias": True}, ref=lambda x, w: x @ w.T),
    sample("FullyConnected", [arr(6), arr(3, 6), arr(3)], {"num_hidden": 3, "flatten": False},
           ref=lambda x, w, b: x @ w.T + b),
    sample("FullyConnected", [arr(4), arr(3, 1), arr(3)], {"num_hidden": 3},
           ref=lambda x, w, b: x[:, None] @ w.T + b),
    sample("FullyConnected", [arr(33, 70), arr(45, 70), arr(45)], {"num_hidden": 45},
           ref=lambda x, w, b: x @ w.T + b, grad2=False),
    sample("FullyConnected", [arr(0, 3), arr(2, 3), arr(2)], {"num_hidden": 2}, ref=lambda x, w, b: x @ w.T + b),
    _fused(arr(4, 3, 2), 5),
    _fused(arr(2, 3, 4), 5, bias=False, addend=arr(2, 3, 5), flatten=False),
    *(_fused(arr(7, 6), 5, addend=arr(7, 5) if name == "elu" else None, function=name) for name in FUNCTIONS),
    # A product of no rows leaves the weight as it is.
    sample("_fully_connected_pack", [arr(3, 5)], {"num_hidden": 3, "data_shape": (0, 5)}, ref=_packed, dtypes=(),
           grad=False),
]

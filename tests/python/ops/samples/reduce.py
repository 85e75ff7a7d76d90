"""Reductions and places of extremes."""
import numpy as np

from . import arr, sample

AXES = [None, (), 0, 1, -1, (0, 2), (1, 2), (-1, 0), (0, 1, 2)]


def _axes(axis, ndim, exclude=False):
    if axis is None or axis == ():
        return tuple(range(ndim))
    axes = {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(sorted(set(range(ndim)) - axes if exclude else axes))


def _reduced(f):
    """`f` of an array and a tuple of axes, called with the operators' parameters; all axes leave shape (1,)."""
    def with_params(axis=None, keepdims=False, exclude=False):
        def ref(x):
            y = np.asarray(f(x, axis=_axes(axis, x.ndim, exclude), keepdims=keepdims))
            return y.reshape(1) if y.ndim == 0 and not keepdims else y
        return ref
    return with_params


def _norm(order):
    return lambda x, **kw: np.abs(x).sum(**kw) if order == 1 else np.sqrt((x * x).sum(**kw))


FUNCTIONS = {
    "sum": _reduced(np.sum), "mean": _reduced(np.mean), "prod": _reduced(np.prod), "max": _reduced(np.max),
    "min": _reduced(np.min), "nansum": _reduced(np.nansum), "nanprod": _reduced(np.nanprod),
    "_square_sum": _reduced(lambda x, **kw: (x * x).sum(**kw)),
}


def _reductions(op, *data, tol=None, **params):
    return sample(op, list(data), params, ref=FUNCTIONS[op](**params), tol=tol)


def _all_axes(op):
    found = [_reductions(op, arr(2, 3, 4, low=0.5), axis=axis) for axis in AXES]
    found += [_reductions(op, arr(2, 3, 4, low=0.5), axis=axis, keepdims=True) for axis in (None, 1, (0, 2))]
    found += [_reductions(op, arr(2, 3, 4, low=0.5), axis=axis, exclude=True) for axis in (1, (0, 2), (0, 1, 2))]
    found += [_reductions(op, arr(3, dtype="int32", low=1, high=5)), _reductions(op, arr(2, 1, 3, 1, 2), axis=(1, 2))]
    return found


def _with_nan(*shape):
    x = arr(*shape, low=0.5, high=1.5)
    x.reshape(-1)[::3] = np.nan
    return x


def _argument(f):
    def with_params(axis=None, keepdims=False):
        def ref(x):
            y = f(x, axis=axis)
            if axis is None:
                return np.reshape(y, (1,) * (x.ndim if keepdims else 1))
            y = np.expand_dims(y, axis) if keepdims else y
            return y.reshape(1) if y.ndim == 0 else y
        return ref
    return with_params


def _places(op, *data, **params):
    f = np.argmax if op == "argmax" else np.argmin
    return sample(op, list(data), params, ref=_argument(f)(**params))


def _moments(axes=None, keepdims=False):
    return lambda x: [_reduced(np.mean)(axes, keepdims)(x), _reduced(np.var)(axes, keepdims)(x)]


SAMPLES = [s for op in ("sum", "mean", "prod", "max", "min", "nansum", "nanprod") for s in _all_axes(op)]
SAMPLES += [
    # Lengths around the widths of vectors and blocks, and shapes of every kind of layout.
    *(_reductions("sum", arr(3, n), axis=1) for n in (1, 7, 16, 17, 64, 100, 2048, 2049, 5000)),
    *(_reductions("sum", arr(n, 3), axis=0) for n in (1, 7, 8, 9, 129, 2100)),
    *(_reductions("max", arr(n, 5), axis=0) for n in (1, 8, 130)),
    _reductions("sum", arr(40, 2100), axis=0),
    _reductions("sum", arr(300, 700), tol=(1e-5, 1e-6)),
    _reductions("sum", arr(3, 5, 7, 4), axis=(0, 2)),
    _reductions("sum", arr(3, 5, 7, 4), axis=(1, 3)),
    _reductions("mean", arr(4, 6, 5, 3), axis=(0, 2, 3)),
    _reductions("max", arr(2, 3, 2, 3, 2), axis=(0, 2, 4)),
    _reductions("min", arr(70, 33), axis=1),
    sample("sum", [arr(5, dtype="int8", low=90, high=120)], {"axis": 0}, golden=[np.array([23], "int8")]),
    _reductions("prod", arr(3, 4, dtype="int64", low=-9, high=9), axis=0),
    _reductions("max", arr(3, 9, dtype="int64", low=-9, high=9), axis=1),
    _reductions("min", arr(9, 3, dtype="uint8", low=0, high=9), axis=0),
    _reductions("sum", arr(9, 3, dtype="float64"), axis=0),
    _reductions("mean", arr(2, 0, 3), axis=0),
    _reductions("sum", arr(0, 3), axis=0),
    _reductions("prod", arr(0, 3), axis=0),
    _reductions("prod", np.array([[0, 2, 3], [1, 2, 4]], "float32"), axis=1),
    sample("max", [np.array([1, np.nan, 3], "float32")], ref=lambda x: np.array([np.nan]), grad=False),
    sample("min", [np.array([np.nan, 2, 3], "float32")], ref=lambda x: np.array([np.nan]), grad=False),
    *(sample(op, [_with_nan(3, 4)], {"axis": axis}, ref=FUNCTIONS[op](axis), grad=False)
      for op in ("nansum", "nanprod") for axis in (None, 0, 1)),
    *(_reductions("_square_sum", arr(2, 3, 4), axis=axis) for axis in (None, 1, (0, 2))),
    _reductions("_square_sum", arr(2, 3), axis=1, keepdims=True),
    *(sample("norm", [arr(2, 3, 4)], {"ord": order, "axis": axis, "keepdims": keep},
             ref=_reduced(_norm(order))(axis, keep), tol=(1e-4, 1e-4))
      for order in (1, 2) for axis in (None, 0, 2, (0, 1), (-1, 1)) for keep in (False, True)),
    sample("norm", [arr(3, 4)], {"axis": 1, "out_dtype": "float64"}, ref=_reduced(_norm(2))(1), dtypes=("float16",)),
    sample("norm", [arr(3, 4, dtype="int32", low=-5, high=5)], {"axis": 1}, golden=False,
           ref=lambda x: np.sqrt((x * x).sum(1)).astype("int32")),
    *(_places(op, arr(2, 3, 4), axis=axis, keepdims=keep) for op in ("argmax", "argmin") for axis in (None, 0, 1, -1)
      for keep in (False, True)),
    *(_places("argmax", arr(3, n), axis=1) for n in (1, 15, 64, 65, 1024, 1300)),
    *(_places("argmax", arr(n, 19), axis=0) for n in (1, 8, 100)),
    _places("argmin", arr(4, 2000), axis=0),
    _places("argmax", np.array([[1, 3, 3], [np.nan, 5, np.nan]], "float32"), axis=1),
    _places("argmax", np.array([[1, 3, 3], [2, 5, 2]], "float32"), axis=0),
    _places("argmin", arr(3, 40, dtype="int32", low=-4, high=4), axis=1),
    _places("argmax", arr(3, 5, dtype="int64", low=-4, high=4), axis=0),
    sample("argmax_channel", [arr(2, 5, 3)], ref=_argument(np.argmax)(1)),
    sample("argmax_channel", [arr(3, 5)], ref=_argument(np.argmax)(1)),
    *(sample("moments", [arr(2, 3, 4)], {"axes": axes, "keepdims": keep}, ref=_moments(axes, keep))
      for axes in ((0,), (0, 2), (0, 1, 2)) for keep in (False, True)),
]

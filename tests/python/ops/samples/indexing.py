"""Indexing by arrays, sequences, sorting."""
import numpy as np

from . import arr, sample


def _index(*values, dtype="float32"):
    return np.array(values, dtype)


def _take(shape, index, axis=0, mode="clip"):
    return sample("take", [arr(*shape), index], {"axis": axis, "mode": mode}, grad=(0,),
                  ref=lambda a, i: np.take(a, i.astype("int64"), axis, mode=mode))


def _pick(shape, index, axis=-1, keepdims=False, mode="clip"):
    def ref(x, i):
        i = np.expand_dims(i, axis) if i.ndim < x.ndim else i
        i = i.astype("int64")
        n = x.shape[axis]
        y = np.take_along_axis(x, np.clip(i, 0, n - 1) if mode == "clip" else i % n, axis)
        return y if keepdims or y.ndim == 1 else y.squeeze(axis)
    return sample("pick", [arr(*shape), index], {"axis": axis, "keepdims": keepdims, "mode": mode}, ref=ref, grad=(0,))


def _one_hot(depth, on=1.0, off=0.0):
    return lambda i: np.where(np.arange(depth) == np.expand_dims(i, -1), on, off)


def _scattered(shape, add):
    def ref(data, index):
        y = np.zeros(shape)
        key = tuple(index.astype("int64"))
        if add:
            np.add.at(y, key, data)
        else:
            y[key] = data
        return y
    return ref


def _masked(axis, value):
    def ref(x, length=None):
        if length is None:
            return x
        steps = np.arange(x.shape[axis]).reshape((-1, 1) if axis == 0 else (1, -1))
        keep = steps < np.expand_dims(length, axis)
        return np.where(keep.reshape(keep.shape + (1,) * (x.ndim - 2)), x, value)
    return ref


def _last(axis):
    def ref(x, length=None):
        y = x.swapaxes(0, axis)
        length = np.full(y.shape[1], y.shape[0]) if length is None else length.astype(int)
        return np.stack([y[n - 1, i] for i, n in enumerate(length)])
    return ref


def _reversed(x, length=None):
    y = x.copy()
    for i in range(x.shape[1]):
        n = x.shape[0] if length is None else int(length[i])
        y[:n, i] = x[:n, i][::-1]
    return y


USED = {"use_sequence_length": True}

TAKEN = [
    _take((4, 3), _index(0, 3, 1, 3)),
    _take((4, 3), _index(0, 9, -1, -9)),
    _take((4, 3), _index(0, 9, -1, -9), mode="wrap"),
    _take((4, 3), _index(0, 3, 1), mode="raise"),
    _take((2, 3, 4), _index([0, 1], [1, 0]), axis=1),
    _take((2, 3, 4), _index([0, 1], [3, 0], dtype="int64"), axis=-1),
    _take((2, 3, 4), _index(1, 1, 1, 0, dtype="int32"), axis=2),
    _take((5,), _index(4, 0, 4, dtype="uint8")),
    _take((5, 3), np.zeros((0,), "int32")),
    _take((40, 70), arr(300, low=0, high=40, dtype="int32")),
    sample("take", [arr(4, 3), _index(1.6, 0.2)], ref=lambda a, i: a[[1, 0]], grad=(0,)),
    sample("Embedding", [_index([0, 3], [1, 3]), arr(4, 3)], {"input_dim": 4, "output_dim": 3},
           ref=lambda i, w: w[i.astype(int)], grad=(1,)),
    sample("Embedding", [_index(0, 5, -1, 3), arr(4, 3)], {"input_dim": 4, "output_dim": 3},
           ref=lambda i, w: w[[0, 3, 0, 3]], grad=(1,)),
    sample("Embedding", [_index(0, 2, 2, dtype="int32"), arr(4, 40)],
           {"input_dim": 4, "output_dim": 40, "sparse_grad": True},
           ref=lambda i, w: w[i], grad=(1,)),
    sample("batch_take", [arr(4, 3), _index(0, 1, 2, 7, dtype="int32")], ref=lambda a, i: a[range(4), [0, 1, 2, 2]]),
    _pick((4, 3), _index(0, 1, 2, 1)),
    _pick((4, 3), _index(0, 1, 2, 7)),
    _pick((4, 3), _index(-1, -1, -2, -7), mode="wrap"),
    _pick((4, 3), _index(0, 3, 2), axis=0),
    _pick((4, 3), _index([0], [1], [2], [0]), axis=1, keepdims=True),
    _pick((4, 3), _index([0], [1], [2], [0]), axis=1),
    _pick((2, 3, 4), arr(2, 4, low=0, high=3, dtype="int32"), axis=1),
    _pick((5,), _index(3)),
    sample("fill_element_0index", [arr(4, 3), arr(4), _index(0, 1, 2, 0)],
           ref=lambda x, v, i: np.where(np.arange(3) == i[:, None], v[:, None], x)),
    sample("one_hot", [_index(0, 2, 5, -1)], {"depth": 3}, ref=_one_hot(3), dtypes=("float64",)),
    sample("one_hot", [_index([0, 2], [1, 1], dtype="int32")],
           {"depth": 3, "on_value": 2, "off_value": -1, "dtype": "int32"},
           ref=_one_hot(3, 2, -1)),
]

TUPLES = [
    sample("gather_nd", [arr(4, 3), _index([0, 1], [1, 2])], ref=lambda x, i: x[[0, 1], [1, 2]], grad=(0,)),
    sample("gather_nd", [arr(4, 3), _index([0, 1, 0])], ref=lambda x, i: x[[0, 1, 0]], grad=(0,)),
    sample("gather_nd", [arr(4, 3), _index([-1, -4], dtype="int64")], ref=lambda x, i: x[[-1, -4]], grad=(0,)),
    sample("gather_nd", [arr(2, 3, 4), _index([[0, 1], [1, 1]], [[2, 0], [1, 1]], dtype="int32")],
           ref=lambda x, i: x[i[0], i[1]], grad=(0,)),
    sample("scatter_nd", [arr(3), _index([1, 1, 0], [0, 1, 0])], {"shape": (2, 2)},
           ref=_scattered((2, 2), False), grad=(0,)),
    sample("scatter_nd", [arr(2, 4), _index([2, 0], dtype="int32")], {"shape": (3, 4)},
           ref=_scattered((3, 4), False), grad=(0,)),
    sample("_backward_gather_nd", [arr(3), _index([1, 1, 1], [0, 0, 1])], {"shape": (2, 2)},
           ref=_scattered((2, 2), True), grad=(0,)),
    sample("_scatter_set_nd", [arr(4, 3), arr(2), _index([0, 3], [1, 2])], {"shape": (4, 3)}, grad=(0, 1),
           ref=lambda x, v, i: np.array([[v[0] if (j, k) == (0, 1) else v[1] if (j, k) == (3, 2) else x[j, k]
                                          for k in range(3)] for j in range(4)])),
    sample("_contrib_index_copy", [arr(4, 3), _index(0, 2, dtype="int64"), arr(2, 3)], grad=(0, 2),
           ref=lambda x, i, v: np.concatenate([v[:1], x[1:2], v[1:], x[3:]])),
    sample("_ravel_multi_index", [_index([3, 6, 6], [4, 5, 1])], {"shape": (7, 6)},
           ref=lambda i: i[0] * 6 + i[1], dtypes=("float64",)),
    sample("_ravel_multi_index", [_index([3, 6, 6], [4, 5, 1], dtype="int64")], {"shape": (-1, 6)},
           ref=lambda i: i[0] * 6 + i[1]),
    sample("_unravel_index", [_index(22, 41, 37)], {"shape": (7, 6)},
           ref=lambda i: np.stack([i // 6, i % 6]), dtypes=("float64",)),
    sample("_unravel_index", [_index([22, 41], [37, 0], dtype="int64")], {"shape": (-1, 6)},
           golden=False, ref=lambda i: np.stack([i // 6, i % 6])),
    sample("_contrib_index_array", [arr(2, 3)], ref=lambda x: np.moveaxis(np.indices(x.shape), 0, -1)),
    sample("_contrib_index_array", [arr(2, 3)], {"axes": (-1, 0)},
           ref=lambda x: np.moveaxis(np.indices(x.shape)[[1, 0]], 0, -1)),
    sample("_contrib_boolean_mask", [arr(4, 3), _index(1, 0, 1, 0)], ref=lambda x, m: x[m != 0], grad=(0,)),
    sample("_contrib_boolean_mask", [arr(4, 3), _index(0, 0, 0, 0, dtype="int32")],
           ref=lambda x, m: x[m != 0], grad=(0,)),
    sample("_contrib_boolean_mask", [arr(2, 3), _index(0, 2, 1, dtype="int8")], {"axis": 1},
           ref=lambda x, m: x[:, m != 0], grad=(0,)),
]


def _advanced(shape, axes, *indices):
    def key(x, given):
        return tuple(given[axes.index(k)] if k in axes else slice(None) for k in range(x.ndim))

    result = np.zeros(shape)[key(np.zeros(shape), indices)].shape

    def added(y, *given):
        x = np.zeros(shape)
        np.add.at(x, key(x, given), y)
        return x

    def written(x, v, *given):
        y = x.copy()
        y[key(x, given)] = v
        return y

    indices = [np.array(i, "int64") for i in indices]
    return [
        sample("_advanced_index", [arr(*shape), *indices], {"axes": axes}, ref=lambda x, *i: x[key(x, i)]),
        sample("_advanced_index_add", [arr(*result), *indices], {"axes": axes, "shape": shape}, ref=added),
        sample("_advanced_index_set", [arr(*shape), arr(*result), *indices], {"axes": axes}, ref=written,
               grad=(0,) if len({*zip(*(i.ravel()
                      for i in np.broadcast_arrays(*indices)))}) < np.broadcast(*indices).size else True),
        sample("_advanced_index_set", [arr(*shape), arr(1), *indices], {"axes": axes}, ref=written, grad=(0,)),
    ]


ADVANCED = [
    *_advanced((4, 3), (0,), [0, 3, -2]),
    *_advanced((4, 3), (1,), [[0, 2], [1, 1]]),
    *_advanced((4, 3), (0, 1), [0, 3, 2], [1, 2, -3]),
    *_advanced((2, 3, 4), (0, 2), [0, 1], [3, 2]),
    *_advanced((2, 3, 4, 5), (1, 2), [[0], [2]], [3, 2, 1]),
    *_advanced((2, 3, 4, 5), (0, 3), [[0], [1]], [3, 4]),
    *_advanced((2, 3, 4), (1,), 2),
    sample("_take_along_axis", [arr(2, 5, 3), arr(2, 4, 3, low=0, high=5, dtype="int64")], {"axis": 1}, grad=(0,),
           ref=lambda x, i: np.take_along_axis(x, i, 1)),
    sample("_add_along_axis", [arr(2, 3), _index([0, 4, 0], [1, 2, 3], dtype="int64")], {"axis": -1, "shape": (2, 5)},
           grad=(0,),
           ref=lambda x, i: np.stack([np.bincount(i[k], x[k], 5) for k in range(2)])),
]

SEQUENCES = [
    sample("SequenceMask", [arr(2, 3, 4)], ref=_masked(0, 0)),
    sample("SequenceMask", [arr(3, 2, 4), _index(1, 3)], {**USED, "value": -1}, ref=_masked(0, -1), grad=(0,)),
    sample("SequenceMask", [arr(2, 3, 4), _index(1, 2, dtype="int32")], {**USED, "axis": 1},
           ref=_masked(1, 0), grad=(0,)),
    sample("SequenceMask", [arr(3, 2), _index(1, 0)], USED, ref=_masked(0, 0), grad=(0,)),
    sample("SequenceLast", [arr(2, 3, 4)], ref=_last(0)),
    sample("SequenceLast", [arr(3, 2, 4), _index(1, 3)], USED, ref=_last(0), grad=(0,)),
    sample("SequenceLast", [arr(2, 3, 4), _index(1, 2, dtype="int32")], {**USED, "axis": 1}, ref=_last(1), grad=(0,)),
    sample("SequenceLast", [arr(3, 2)], ref=_last(0)),
    sample("SequenceReverse", [arr(3, 2, 4)], ref=_reversed),
    sample("SequenceReverse", [arr(4, 3, 2), _index(1, 2, 4)], USED, ref=_reversed, grad=(0,)),
]


def _shuffled(*shape, dtype="float32"):
    """Different numbers in random order, so that there is one answer."""
    size = int(np.prod(shape))
    return (np.random.RandomState(size).permutation(size).reshape(shape) - size // 2).astype(dtype)


def _ordered(x, axis, is_ascend, k=0):
    wide = x.astype("float64")
    place = np.argsort(wide if is_ascend else -wide, axis, kind="stable")
    return np.take(place, range(k or x.shape[axis]), axis)


def _topk(x, axis=-1, k=1, ret_typ="indices", is_ascend=False, dtype="float32"):
    flat = x if axis is not None else x.reshape(-1)
    along = axis if axis is not None else 0
    place = _ordered(flat, along, is_ascend, k)
    value = np.take_along_axis(flat, place, along)
    if ret_typ == "mask":
        mask = np.zeros(flat.shape)
        np.put_along_axis(mask, place, 1, along)
        return mask.reshape(x.shape)
    return {"value": value, "indices": place, "both": [value, place]}[ret_typ]


def _select(data, **params):
    return sample("topk", [data], params,
           ref=lambda x: _topk(x, **params), grad=params.get("ret_typ") in ("value", "both"))


def _sorted(data, **params):
    axis, up = params.get("axis", -1), params.get("is_ascend", True)

    def ref(x):
        x = x if axis is not None else x.reshape(-1)
        y = np.sort(x, axis or 0 if axis is None else axis)
        return y if up else np.flip(y, axis or 0 if axis is None else axis)
    return sample("sort", [data], params, ref=ref)


def _argsorted(data, **params):
    axis, up = params.get("axis", -1), params.get("is_ascend", True)

    def ref(x):
        return _ordered(x.reshape(-1), 0, up) if axis is None else _ordered(x, axis, up)
    return sample("argsort", [data], params, ref=ref)


SORTED = [
    *(_select(_shuffled(3, 7), k=k, ret_typ=kind) for k in (1, 3, 7, 0)
           for kind in ("value", "indices", "mask", "both")),
    *(_select(_shuffled(3, 5, 4), axis=axis, k=2, ret_typ=kind, is_ascend=True)
      for axis in (0, 1, None) for kind in ("value", "indices", "mask", "both")),
    _select(_shuffled(2, 900), k=20, ret_typ="value"),
    _select(_shuffled(2, 900), k=400, ret_typ="indices", dtype="int32"),
    _select(_shuffled(1, 9000), k=4000, ret_typ="indices", dtype="int64"),
    _select(_shuffled(2, 20, dtype="int32"), k=4, ret_typ="both", dtype="int64"),
    _select(_shuffled(2, 20, dtype="float64"), k=4, ret_typ="both", dtype="float64"),
    _select(_shuffled(2, 20, dtype="uint8"), k=4, ret_typ="value"),
    _select(np.array([1, 1, 1, 1], "float32"), k=3),
    sample("topk", [np.array([1, np.nan, 2, -np.inf], "float32")], {"k": 4}, golden=False,
           ref=lambda x: np.array([1, 2, 0, 3])),
    *(_sorted(_shuffled(3, 5, 4), axis=axis, is_ascend=up) for axis in (0, 1, -1, None) for up in (True, False)),
    *(_sorted(_shuffled(2, n)) for n in (1, 100, 193, 500, 9000)),
    *(_sorted(_shuffled(3, 60, dtype=dtype)) for dtype in ("int8", "int32", "int64", "float64")),
    sample("sort", [np.array([3, np.nan, -1, np.inf, -0.0, 0], "float32")], golden=False, grad=False,
           ref=lambda x: np.array([-1, 0, 0, 3, np.inf, np.nan])),
    *(_argsorted(_shuffled(3, 5, 4), axis=axis, is_ascend=up) for axis in (0, 1, -1, None) for up in (True, False)),
    *(_argsorted(_shuffled(2, n)) for n in (1, 193, 500, 9000)),
    _argsorted(np.array([3, 1, 3, 1, 2], "float32"), is_ascend=False),
    sample("argsort", [_shuffled(3, 300, dtype="float64")], {"dtype": "int32"}, ref=lambda x: _ordered(x, -1, True)),
    sample("argsort", [_shuffled(3, 30, dtype="int64")], {"dtype": "int64"}, ref=lambda x: _ordered(x, -1, True)),
]

SAMPLES = TAKEN + TUPLES + ADVANCED + SEQUENCES + SORTED

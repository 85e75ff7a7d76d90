"""Operators that rearrange, repeat, cut and join."""
import numpy as np

from . import arr, sample


def _reshape(data, result, **params):
    return sample("Reshape", [data], params, ref=lambda x: x.reshape(result))


def _slice(data, begin, end, step=None):
    key = tuple(slice(*bounds) for bounds in zip(begin, end, step or (None,) * len(begin)))
    params = {"begin": begin, "end": end} | ({"step": step} if step else {})
    return sample("slice", [data], params, ref=lambda x: x[key])


def _assigned(begin, end, step=None):
    key = tuple(slice(*bounds) for bounds in zip(begin, end, step or (None,) * len(begin)))

    def ref(x, *value):
        y = x.copy()
        y[key] = value[0] if value else 2.5
        return y
    return ref


def _assign(shape, part, begin, end, step=None):
    params = {"begin": begin, "end": end} | ({"step": step} if step else {})
    return [
        sample("_slice_assign", [arr(*shape), arr(*part)], params, ref=_assigned(begin, end, step)),
        sample("_slice_assign_scalar", [arr(*shape)], {"scalar": 2.5, **params}, ref=_assigned(begin, end, step)),
    ]


def _cut(x, axis, begin, end):
    return x[(slice(None),) * (axis % x.ndim) + (slice(begin, end),)]


def _depth_to_space(b):
    def ref(x):
        n, c, h, w = x.shape
        return x.reshape(n, b, b, c // b ** 2, h, w).transpose(0, 3, 4, 1, 5, 2).reshape(n, c // b ** 2, h * b, w * b)
    return ref


def _space_to_depth(b):
    def ref(x):
        n, c, h, w = x.shape
        return x.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)
    return ref


def _padded(mode, widths, **params):
    pairs = tuple(zip(widths[::2], widths[1::2]))
    names = {"constant_value": "constant_values"}
    return lambda x: np.pad(x, pairs, mode, **{names[k]: v for k, v in params.items()})


def _pad(data, mode, widths, **params):
    return sample("Pad", [data], {"mode": mode, "pad_width": widths, **params}, ref=_padded(mode, widths, **params))


def _transpose(data, axes=()):
    return sample("transpose", [data], {"axes": axes}, ref=lambda x: x.transpose(axes or None))


def _concat(arrays, dim):
    return sample("Concat", arrays, {"dim": dim}, ref=lambda *a: np.concatenate(a, dim))


def _split(data, num_outputs, axis, squeeze=False):
    def ref(x):
        parts = np.split(x, num_outputs, axis)
        return [p.squeeze(axis) for p in parts] if squeeze else parts
    return sample("SliceChannel", [data], {"num_outputs": num_outputs, "axis": axis, "squeeze_axis": squeeze}, ref=ref)


def _tile(data, reps):
    return sample("tile", [data], {"reps": reps}, ref=lambda x: np.tile(x, reps))


def _diag(data, **params):
    def ref(x):
        return np.diag(x, params.get("k", 0)) if x.ndim == 1 else \
            np.diagonal(x, params.get("k", 0), params.get("axis1", 0), params.get("axis2", 1))
    return sample("diag", [data], params, ref=ref)


RESHAPED = [
    _reshape(arr(2, 3, 4), (6, 4), shape=(6, 4)),
    _reshape(arr(2, 3, 4), (2, 12), shape=(0, -1)),
    _reshape(arr(2, 3, 4), (6, 4), shape=(-3, 4)),
    _reshape(arr(2, 3, 4), (1, 2, 3, 4), shape=(-4, 1, 2, -2)),
    _reshape(arr(2, 3, 4), (2, 1, 3, 4), shape=(2, -4, -1, 3, 4)),
    _reshape(arr(2, 3, 4), (2, 3, 2, 2), shape=(0, 0, -1, 2)),
    _reshape(arr(2, 3, 4), (6, 4), shape=(-1, 0), reverse=True),
    _reshape(arr(2, 3, 4), (2, 3, 4), shape=(-2,)),
    _reshape(arr(2, 3, 4), (2, 3, 4, 1), shape=(-2, 1)),
    _reshape(arr(2, 3, 4), (24,), shape=(-1,)),
    _reshape(arr(4, 6, 5), (2, 2, 30), shape=(-4, 2, -1, -3)),
    _reshape(arr(8, 3, 3, 3, 4, 4), (4, 2, 3, 3, 3, 4, 4), shape=(-4, 4, -1, 3, 3, 3, 4, 4)),
    _reshape(arr(2, 3, 4), (2, 12), target_shape=(0, 12)),
    _reshape(arr(2, 3, 4), (2, 12), target_shape=(2, 0)),
    _reshape(arr(2, 3, 4), (2, 12), target_shape=(0, 0), keep_highest=True),
    _reshape(arr(2, 3, 4, dtype="int8", low=-9, high=9), (4, 6), shape=(4, 6)),
    sample("_reshape_to", [arr(2, 3, 4)], {"shape": (3, 8)}, ref=lambda x: x.reshape(3, 8)),
    sample("_reshape_to", [arr(1, 1)], {"shape": ()}, ref=lambda x: x.reshape(())),
    sample("Flatten", [arr(2, 3, 4)], ref=lambda x: x.reshape(2, 12)),
    sample("Flatten", [arr(3)], ref=lambda x: x.reshape(3, 1)),
    *(sample("expand_dims", [arr(2, 3)], {"axis": axis}, ref=lambda x, axis=axis: np.expand_dims(x, axis))
      for axis in (0, 1, 2, -1, -3)),
    sample("squeeze", [arr(1, 2, 1)], ref=lambda x: x.squeeze()),
    sample("squeeze", [arr(1, 1)], ref=lambda x: x.reshape(1)),
    *(sample("squeeze", [arr(1, 2, 1)], {"axis": axis}, ref=lambda x, axis=axis: x.squeeze(axis))
      for axis in (0, -1, (0, 2))),
    sample("reshape_like", [arr(2, 3, 4), arr(4, 6)], ref=lambda x, y: x.reshape(4, 6)),
    sample("reshape_like", [arr(2, 3, 4), arr(5, 6, 4)],
           {"lhs_begin": 0, "lhs_end": 2, "rhs_begin": 1, "rhs_end": 2}, ref=lambda x, y: x.reshape(6, 4)),
    sample("reshape_like", [arr(2, 3, 4), arr(5, 12)], {"lhs_begin": 1, "rhs_begin": -1},
           ref=lambda x, y: x.reshape(2, 12)),
]

ORDERED = [
    _transpose(arr(2, 3, 4)),
    *(_transpose(arr(2, 3, 4), axes) for axes in ((0, 2, 1), (1, 0, 2), (2, 0, 1), (0, 1, 2), (1, 2, 0))),
    _transpose(arr(37, 53)),
    _transpose(arr(64, 80)),
    _transpose(arr(2, 3, 5, 7), (0, 2, 3, 1)),
    _transpose(arr(2, 5, 7, 3), (0, 3, 1, 2)),
    _transpose(arr(2, 33, 18, 20), (0, 2, 1, 3)),
    _transpose(arr(3, 4, 5, 6, 2), (4, 1, 3, 0, 2)),
    *(_transpose(arr(33, 70, dtype=dtype, low=-9, high=9)) for dtype in ("int8", "int32", "int64", "float64")),
    _transpose(arr(3, 0)),
    _transpose(arr(4)),
    *(sample("SwapAxis", [arr(2, 3, 4)], {"dim1": a, "dim2": b}, ref=lambda x, a=a, b=b: x.swapaxes(a, b))
      for a, b in ((0, 2), (1, 2), (0, -1), (1, 1))),
    *(sample("reverse", [arr(3, 4, 5)], {"axis": axis}, ref=lambda x, axis=axis: np.flip(x, axis))
      for axis in (0, 1, 2, (0, 2), (1, 2))),
    sample("depth_to_space", [arr(2, 12, 3, 2)], {"block_size": 2}, ref=_depth_to_space(2)),
    sample("depth_to_space", [arr(1, 9, 2, 2)], {"block_size": 3}, ref=_depth_to_space(3)),
    sample("space_to_depth", [arr(2, 3, 4, 6)], {"block_size": 2}, ref=_space_to_depth(2)),
]

REPEATED = [
    sample("broadcast_axis", [arr(1, 3, 1)], {"axis": (0, 2), "size": (2, 4)},
           ref=lambda x: np.broadcast_to(x, (2, 3, 4))),
    sample("broadcast_axis", [arr(1, 3, 1)], {"axis": 2, "size": 4}, ref=lambda x: np.broadcast_to(x, (1, 3, 4))),
    sample("broadcast_to", [arr(1, 3, 1)], {"shape": (2, 0, 4)}, ref=lambda x: np.broadcast_to(x, (2, 3, 4))),
    sample("broadcast_to", [arr(2, 3, 1)], {"shape": (2, 3, 4)}, ref=lambda x: np.broadcast_to(x, (2, 3, 4))),
    sample("broadcast_to", [arr(1, 1, 40)], {"shape": (3, 5, 40)}, ref=lambda x: np.broadcast_to(x, (3, 5, 40))),
    sample("_broadcast_to", [arr(3, 1)], {"shape": (2, 3, 4)}, ref=lambda x: np.broadcast_to(x, (2, 3, 4))),
    sample("_broadcast_to", [arr()], {"shape": (2, 3)}, ref=lambda x: np.broadcast_to(x, (2, 3))),
    sample("broadcast_like", [arr(1, 3, 1), arr(2, 3, 4)], ref=lambda x, y: np.broadcast_to(x, (2, 3, 4)), grad=(0,)),
    sample("broadcast_like", [arr(1, 3, 1), arr(5, 7)], {"lhs_axes": (0,), "rhs_axes": (1,)},
           ref=lambda x, y: np.broadcast_to(x, (7, 3, 1)), grad=(0,)),
    *(_tile(arr(2, 3, 4), reps) for reps in ((2,), (2, 1, 1, 1), (2, 3, 1), (), (1, 2))),
    _tile(arr(3), (2, 2)),
    *(sample("repeat", [arr(2, 3, 4)], {"repeats": 2, "axis": axis}, ref=lambda x, axis=axis: np.repeat(x, 2, axis))
      for axis in (None, 0, 1, -1)),
    sample("repeat", [arr(2, 3)], {"repeats": 0}, ref=lambda x: x.reshape(-1)[:0]),
]

CUT = [
    _slice(arr(4, 3, 4), (1,), (3,)),
    _slice(arr(2, 3, 4), (0, 1), (None, 2)),
    _slice(arr(2, 3, 4), (None, None, None), (None, None, None), (None, -1, -2)),
    _slice(arr(6, 3), (-1,), (-3,), (-1,)),
    _slice(arr(6, 7), (5, 0), (0, 7), (-2, 3)),
    _slice(arr(6, 7), (5, 1), (None, 6), (-1, 1)),
    _slice(arr(2, 3), (0,), (10,)),
    _slice(arr(2, 3), (1,), (1,)),
    _slice(arr(5, 6, 7), (1, 2, 3), (4, 4, 6)),
    *(sample("slice_axis", [arr(3, 5, 4)], {"axis": axis, "begin": b, "end": e},
             ref=lambda x, axis=axis, b=b, e=e: _cut(x, axis, b, e))
      for axis, b, e in ((0, 1, 2), (1, 0, -1), (1, -3, None), (-1, 1, 3))),
    sample("slice_like", [arr(3, 4, 5), arr(1, 2, 3)], ref=lambda x, y: x[:1, :2, :3], grad=(0,)),
    sample("slice_like", [arr(3, 4, 5), arr(1, 2, 3)], {"axes": (0, -1)}, ref=lambda x, y: x[:1, :, :3], grad=(0,)),
    sample("slice_like", [arr(3, 4, 5), arr(1, 2)], {"axes": (0, 1)}, ref=lambda x, y: x[:1, :2], grad=(0,)),
    sample("Crop", [arr(2, 2, 5, 5)], {"h_w": (2, 3), "offset": (1, 2), "num_args": 1},
           ref=lambda x: x[:, :, 1:3, 2:5]),
    sample("Crop", [arr(1, 2, 5, 6), arr(1, 1, 2, 3)], {"num_args": 2, "center_crop": True},
           ref=lambda x, y: x[:, :, 1:3, 1:4], grad=(0,)),
    *_assign((4, 5), (2, 5), (1,), (3,)),
    *_assign((4, 5), (4, 2), (None, 1), (None, 3)),
    *_assign((4, 6), (2, 2), (3, 0), (None, 4), (-2, 2)),
    _diag(arr(3)),
    _diag(arr(3), k=2),
    _diag(arr(3), k=-1),
    _diag(arr(4, 3)),
    _diag(arr(4, 3), k=-2),
    _diag(arr(2, 3, 4), k=1),
    _diag(arr(2, 3, 4), k=-1, axis1=1, axis2=2),
    _diag(arr(2, 3, 4), axis1=-1, axis2=0),
]

JOINED = [
    _concat([arr(2, 3), arr(2, 1), arr(2, 4)], 1),
    _concat([arr(2, 3), arr(4, 3)], 0),
    _concat([arr(2, 3, 4), arr(2, 3, 2)], -1),
    _concat([arr(2, 3, 4), arr(2, 5, 4)], 1),
    _concat([arr(2, 3)], 1),
    _concat([arr(2, 3, dtype="int32", low=0, high=9), arr(2, 3, dtype="int32", low=0, high=9)], 0),
    _concat([arr(2, 3), arr(2, 0)], 1),
    *(sample("stack", [arr(2, 3), arr(2, 3), arr(2, 3)], {"axis": axis}, ref=lambda *a, axis=axis: np.stack(a, axis))
      for axis in (0, 1, 2, -1, -2)),
    _split(arr(4, 6), 3, 1),
    _split(arr(4, 6), 2, 0),
    _split(arr(2, 3, 4), 3, 1, True),
    _split(arr(2, 3, 4), 4, -1, True),
    _split(arr(2, 3), 1, 1),
    sample("_split_v2", [arr(2, 7)], {"indices": (0, 2, 3), "axis": 1}, ref=lambda x: np.split(x, (2, 3), 1)),
    sample("_split_v2", [arr(7, 2)], {"indices": (0, 2, 2), "axis": 0}, ref=lambda x: np.split(x, (2, 2), 0)),
    sample("_split_v2", [arr(2, 7)], {"indices": (), "sections": 3, "axis": 1}, ref=lambda x: np.array_split(x, 3, 1)),
    sample("_split_v2", [arr(2, 3)], {"indices": (0, 1, 2), "axis": 1, "squeeze_axis": True},
           ref=lambda x: [x[:, 0], x[:, 1], x[:, 2]]),
    _pad(arr(1, 2, 3, 4), "constant", (0, 0, 0, 0, 1, 2, 3, 0)),
    _pad(arr(1, 2, 3, 4), "constant", (0, 0, 0, 0, 1, 1, 1, 1), constant_value=7),
    _pad(arr(1, 2, 3, 4), "edge", (0, 0, 0, 0, 1, 2, 3, 0)),
    _pad(arr(1, 2, 3, 4), "reflect", (0, 0, 0, 0, 1, 2, 2, 3)),
    _pad(arr(1, 2, 3, 4, 2), "edge", (0, 0, 0, 0, 1, 1, 1, 2, 2, 1)),
    _pad(arr(1, 1, 3, 4, 3), "reflect", (0, 0, 0, 0, 1, 1, 1, 2, 2, 1)),
    _pad(arr(3, 4), "constant", (1, 0, 0, 2)),
    _pad(arr(4), "reflect", (3, 3)),
]

SAMPLES = RESHAPED + ORDERED + REPEATED + CUT + JOINED

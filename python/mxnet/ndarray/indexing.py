"""Indexing with arrays, lists and masks. Integers, slices, ``...`` and None alone are done by the core.

The rules are NumPy's: index arrays broadcast together, integers beside them count as index arrays, and
the indexed axes come first in the result unless they stand side by side. A boolean array selects where
it is true; other index arrays are cast to int64.
"""
import numpy as np

from .. import _core, util
from ..error import IndexError as MXIndexError
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError

__all__ = [
    "get",
    "get_indexing_dispatch_code",
    "get_oshape_of_gather_nd_op",
    "indexing_key_expand_implicit_axes",
    "set",
]

_NDARRAY_UNSUPPORTED_INDEXING = -1
_NDARRAY_BASIC_INDEXING = 0
_NDARRAY_ADVANCED_INDEXING = 1
_NDARRAY_EMPTY_TUPLE_INDEXING = 2

_NDARRAY_NO_ZERO_DIM_BOOL_ARRAY = -1
_NDARRAY_ZERO_DIM_BOOL_ARRAY_FALSE = 0
_NDARRAY_ZERO_DIM_BOOL_ARRAY_TRUE = 1

_WHOLE = slice(None)


class _Plan:
    """A key with index arrays, taken apart.

    First ``array[basic]`` is taken, where the indexed axes are whole; then `indices` are applied to its
    `axes`. `shape` is that of the result; where `leads` is set the indexed axes come first in it even
    though `axes` are neighbours (as in ``x[:, i, ..., j]`` when the dots stand for nothing).
    """

    def __init__(self, array, key):
        items = _normal_items(array, key)
        axis = place = 0  # axes of the array used up, and of array[basic]
        basic, indices, axes, numbers = [], [], [], []
        for number, item in enumerate(items):
            if item is None or isinstance(item, slice):
                basic.append(item)
                axis += item is not None
                place += 1
            elif item is Ellipsis:
                count = array.ndim - sum(_axes_used(i) for i in items)
                basic.extend([_WHOLE] * count)
                axis, place = axis + count, place + count
            else:
                parts = _as_indices(item, array.shape, axis)
                for part in parts:
                    basic.append(_WHOLE)
                    indices.append(part)
                    axes.append(place)
                    numbers.append(number)
                    axis, place = axis + 1, place + 1
        self.basic, self.indices, self.axes = tuple(basic), indices, axes
        self.whole = all(isinstance(item, slice) and item == _WHOLE for item in basic)
        try:
            self.index_shape = np.broadcast_shapes(*(index.shape for index in indices))
        except ValueError:
            shapes = " and ".join(str(tuple(index.shape)) for index in indices)
            raise MXIndexError(f"index: index arrays of shapes {shapes} do not broadcast together") from None
        neighbours = axes == list(range(axes[0], axes[0] + len(axes)))
        apart = any(b - a > 1 for a, b in zip(numbers, numbers[1:]))
        self.leads = neighbours and apart
        # Where the operator puts the index axes: as NumPy, but for that odd case.
        self.position = axes[0] if neighbours else 0

    def apply(self, part):
        """The indexed `part`, which is ``array[basic]``."""
        from . import _internal, op
        result = _internal._advanced_index(part, *self.index_arrays(part.context), axes=self.axes)
        count = len(self.index_shape)
        if self.leads and self.position and count:
            order = [*range(self.position, self.position + count), *range(self.position),
                     *range(self.position + count, result.ndim)]
            result = op.transpose(result, axes=order)
        return result

    def index_arrays(self, ctx):
        """The indices as int64 arrays."""
        from .creation import array
        return [array(index, ctx, "int64") if isinstance(index, np.ndarray) else index.as_in_context(ctx)
                for index in self.indices]

    def result_shape(self, part_shape):
        """Shape of the indexed array of `part_shape`, in NumPy's order of axes."""
        rest = [n for axis, n in enumerate(part_shape) if axis not in self.axes]
        at = 0 if self.leads else self.position
        return (*rest[:at], *self.index_shape, *rest[at:])

    def operator_order(self, value, shape):
        """`value`, which broadcasts to the result's `shape`, with its axes where the operator has them."""
        from . import op
        count = len(self.index_shape)
        if not (self.leads and self.position and count):
            return value
        if value.shape != shape:
            value = value.broadcast_to(shape) if value.size else value.reshape(shape)
        order = [*range(count, count + self.position), *range(count), *range(count + self.position, value.ndim)]
        return op.transpose(value, axes=order)


def _axes_used(item):
    """How many axes of the array an item of a key stands for."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if _is_mask(item) else 1


def _is_mask(item):
    return getattr(item, "dtype", None) in (np.bool_, bool)


def _normal_items(array, key):
    """The items of a key: None, Ellipsis, slices, and arrays of NumPy or our own."""
    items = [_normal_item(array, item) for item in (key if isinstance(key, tuple) else (key,))]
    used = sum(_axes_used(item) for item in items)
    if used > array.ndim:
        raise MXIndexError(f"index: got {used} indices for an array of shape {array.shape}")
    dots = sum(item is Ellipsis for item in items)
    if dots > 1:
        raise MXIndexError("index: an index can have only one Ellipsis ('...')")
    return items if dots else [*items, Ellipsis]


def _normal_item(array, item):
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, _core.NDArrayBase):
        return item if _is_mask(item) or item._dtype_name == "int64" else item.astype("int64")
    if isinstance(item, (bool, np.bool_)):
        # MXNet 1.x arrays take True as 1, those of mx.np as NumPy does.
        return np.array(int(item)) if _legacy(array) else np.array(bool(item))
    if hasattr(item, "__index__") and not isinstance(item, np.ndarray):
        return np.array(item.__index__(), np.int64)
    if isinstance(item, (list, tuple, range, np.ndarray)):
        return _host_index(item)
    raise MXValueError(f"index: {item!r} of type {type(item).__name__} is no index; allowed are integers, slices, "
                       "None, '...', and arrays or lists of integers or booleans")


def _legacy(array):
    from .ndarray import NDArray
    return type(array) is NDArray


def _host_index(item):
    try:
        values = np.asarray(item)
    except ValueError as error:
        raise MXIndexError(f"index: {item!r} is no array of indices: {error}") from None
    if values.dtype == bool or values.dtype.kind in "iu":
        return values
    if values.size == 0 or values.dtype.kind == "f":
        return values.astype(np.int64)
    raise MXIndexError(f"index: an array of indices must hold integers or booleans, got {values.dtype}")


def _as_indices(item, shape, axis):
    """The index arrays that an array in a key stands for: one, or for a mask one for each of its axes."""
    if _is_mask(item):
        if tuple(item.shape) != tuple(shape[axis:axis + item.ndim]):
            raise MXIndexError(f"index: a mask of shape {tuple(item.shape)} does not fit axes {axis} to "
                               f"{axis + item.ndim - 1} of an array of shape {tuple(shape)}")
        mask = item if isinstance(item, np.ndarray) else item.asnumpy()
        if mask.ndim == 0:
            raise MXIndexError("index: a boolean scalar is no index here; use a mask of the array's shape")
        return list(mask.nonzero())
    if isinstance(item, np.ndarray):
        low, high = (int(item.min()), int(item.max())) if item.size else (0, -1)
        extent = shape[axis]
        if low < -extent or high >= extent:
            raise MXIndexError(f"index {low if low < -extent else high} is out of bounds for axis {axis} "
                               f"with size {extent}")
        item = item.astype(np.int64)
        return [np.where(item < 0, item + extent, item) if low < 0 else item]
    return [item]


def get(array, key):
    """``array[key]`` for a key with index arrays or masks; recorded by autograd.

    Examples
    --------
    >>> x = mx.nd.array([[1, 2], [3, 4]])
    >>> mx.nd.indexing.get(x, ([0, 1], [1, 0]))
    <BLANKLINE>
    [2. 3.]
    <NDArray 2 @cpu(0)>
    """
    if isinstance(key, _core.NDArrayBase) and key._dtype_name != "bool" and array.ndim:
        from . import _internal  # the commonest key needs no plan
        index = key if key._dtype_name == "int64" else key.astype("int64")
        result = _internal._advanced_index(array, index, axes=0)
        return result.reshape((1,)) if result.ndim == 0 and _legacy(result) else result
    plan = _Plan(array, key)
    result = plan.apply(array if plan.whole else array[plan.basic])
    return result.reshape((1,)) if result.ndim == 0 and _legacy(result) else result


def set(array, key, value):
    """``array[key] = value`` for a key with index arrays or masks.

    While autograd records and `array` or `value` is on the tape, `array` becomes a new value, so that
    gradients reach both; otherwise it is written in place. Where an element is named twice the last of
    its values stays.

    Examples
    --------
    >>> x = mx.nd.zeros((3,))
    >>> mx.nd.indexing.set(x, [0, 2], 5)
    >>> x
    <BLANKLINE>
    [5. 0. 5.]
    <NDArray 3 @cpu(0)>
    """
    from . import _internal
    plan = _Plan(array, key)
    part = array if plan.whole else array[plan.basic]
    shape = plan.result_shape(part.shape)
    value = plan.operator_order(_prepared(value, part, shape), shape)
    indices = plan.index_arrays(part.context)
    if not shape:  # one element: a value of rank 1 cannot be made one of rank 0 on the tape
        value, indices = value.reshape((1,)), [index.reshape((1,)) for index in indices]
    on_tape = _core.is_recording() and (_core.on_tape(part) or _core.on_tape(value))
    if on_tape:
        written = _internal._advanced_index_set(part, value, *indices, axes=plan.axes)
        if plan.whole:
            _core.NDArrayBase.__init__(array, written)
        else:
            array[plan.basic] = written
        return
    _internal._advanced_index_set(part, value, *indices, axes=plan.axes, out=part)
    if not plan.whole and not _core.shares_memory(part, array):
        array[plan.basic] = part


def _prepared(value, target, shape):
    """`value` as an array of the target's type and device that broadcasts to `shape`."""
    from .creation import array
    if isinstance(value, _core.NDArrayBase):
        value = value.astype(target.dtype, copy=False).as_in_context(target.context)
    else:
        try:
            value = array(value, target.context, target.dtype)
        except TypeError:
            raise MXTypeError(f"assignment: cannot write {value!r} of type {type(value).__name__}") from None
    extra = value.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = value.reshape(value.shape[extra:]) if len(shape) else value.reshape((1,))
    try:
        fits = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits and not (value.size == 1 and shape == ()):
        raise MXValueError(f"assignment: a value of shape {value.shape} does not broadcast to shape {shape}")
    return value


def get_indexing_dispatch_code(key):
    """What kind of key this is: basic (0) or advanced (1) indexing, or the empty tuple (2) under mx.np.

    `key` is a tuple of items. Raises ValueError for an item that is no index.
    """
    if not isinstance(key, tuple):
        raise MXTypeError(f"get_indexing_dispatch_code: key must be a tuple, got {type(key).__name__}")
    if not key and util.is_np_shape():
        return _NDARRAY_EMPTY_TUPLE_INDEXING
    code = _NDARRAY_BASIC_INDEXING
    for item in key:
        if isinstance(item, (np.ndarray, list, tuple, range, _core.NDArrayBase)):
            code = _NDARRAY_ADVANCED_INDEXING
        elif not (item is None or isinstance(item, slice) or hasattr(item, "__index__")):
            raise MXValueError(f"index: {item!r} of type {type(item).__name__} is no index")
    return code


def indexing_key_expand_implicit_axes(key, shape):
    """``(items, code)``: a key with one item for each axis of an array of `shape`, and new axes.

    An Ellipsis and missing axes at the end become slices. The code is -1, or 0 or 1 for a key of
    ``mx.np`` that holds the boolean scalar False or True.

    Examples
    --------
    >>> mx.nd.indexing_key_expand_implicit_axes((1, ...), (2, 3))
    ((1, slice(None, None, None)), -1)
    """
    items = list(key) if isinstance(key, tuple) else [key]
    code = _NDARRAY_NO_ZERO_DIM_BOOL_ARRAY
    if util.is_np_array() and any(isinstance(item, (bool, np.bool_)) for item in items):
        true = all(item for item in items if isinstance(item, (bool, np.bool_)))
        code = _NDARRAY_ZERO_DIM_BOOL_ARRAY_TRUE if true else _NDARRAY_ZERO_DIM_BOOL_ARRAY_FALSE
        items = [item for item in items if not isinstance(item, (bool, np.bool_))]
    dots = [i for i, item in enumerate(items) if item is Ellipsis]
    if len(dots) > 1:
        raise MXIndexError("index: an index can have only one Ellipsis ('...')")
    used = sum(item is not None and item is not Ellipsis for item in items)
    if used > len(shape):
        raise MXIndexError(f"index: got {used} indices for an array of shape {tuple(shape)}")
    place = dots[0] if dots else len(items)
    items[place:place + len(dots)] = [_WHOLE] * (len(shape) - used)
    return tuple(items), code


def get_oshape_of_gather_nd_op(dshape, ishape):
    """The shape that ``gather_nd`` gives for data and indices of these shapes.

    Examples
    --------
    >>> mx.nd.get_oshape_of_gather_nd_op((2, 3, 4), (2, 5))
    (5, 4)
    """
    return tuple(ishape[1:]) + tuple(dshape[ishape[0]:])

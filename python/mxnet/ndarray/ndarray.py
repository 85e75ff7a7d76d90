"""`NDArray`, the array of ``mx.nd``, and the functions that make and combine arrays."""
# ruff: noqa: F401, F403 - clients look for the names of the modules below here
from .. import _core
from ..base import integer_types, mx_real_t, numeric_types
from ..context import current_context
from ..error import NotImplementedError as MXNotImplementedError
from ..error import ValueError as MXValueError
from . import _internal, creation, manipulation, op, serialization
from . import arithmetic as _arithmetic
from ._dtype import _DTYPE_MX_TO_NP, _DTYPE_NP_TO_MX, bfloat16
from .arithmetic import *
from .creation import *
from .indexing import (
    _NDARRAY_ADVANCED_INDEXING,
    _NDARRAY_BASIC_INDEXING,
    _NDARRAY_EMPTY_TUPLE_INDEXING,
    _NDARRAY_NO_ZERO_DIM_BOOL_ARRAY,
    _NDARRAY_UNSUPPORTED_INDEXING,
    _NDARRAY_ZERO_DIM_BOOL_ARRAY_FALSE,
    _NDARRAY_ZERO_DIM_BOOL_ARRAY_TRUE,
    get_indexing_dispatch_code,
    get_oshape_of_gather_nd_op,
    indexing_key_expand_implicit_axes,
)
from .manipulation import *

_STORAGE_TYPE_UNDEFINED = -1
_STORAGE_TYPE_DEFAULT = 0
_STORAGE_TYPE_ROW_SPARSE = 1
_STORAGE_TYPE_CSR = 2
_STORAGE_TYPE_STR_TO_ID = {
    "undefined": _STORAGE_TYPE_UNDEFINED,
    "default": _STORAGE_TYPE_DEFAULT,
    "row_sparse": _STORAGE_TYPE_ROW_SPARSE,
    "csr": _STORAGE_TYPE_CSR,
}
_STORAGE_TYPE_ID_TO_STR = {number: name for name, number in _STORAGE_TYPE_STR_TO_ID.items()}
_GRAD_REQ_MAP = {"null": 0, "write": 1, "add": 3}
_SIGNED_INT32_UPPER_LIMIT = 2**31 - 1
_INT64_TENSOR_SIZE_ENABLED = True

py_slice = slice

__all__ = [
    "_DTYPE_MX_TO_NP",
    "_DTYPE_NP_TO_MX",
    "_GRAD_REQ_MAP",
    "NDArray",
    "_new_empty_handle",
    "get_indexing_dispatch_code",
    "get_oshape_of_gather_nd_op",
    "indexing_key_expand_implicit_axes",
    *_arithmetic.__all__,
    *creation.__all__,
    *manipulation.__all__,
]


def _int64_enabled():
    """Whether arrays may hold more than 2**31 elements: always."""
    return _INT64_TENSOR_SIZE_ENABLED


def _new_empty_handle():
    """An array without contents; what MXNet 1.x filled through its C API."""
    return NDArray(None)


class NDArray(_core.NDArrayBase):
    """An n-dimensional array of one element type on one device.

    Operations are started in order and run asynchronously; reading the contents (`asnumpy`,
    `asscalar`, printing) waits for them. Arithmetic signs broadcast and keep the element type; slices
    of the first axis, and `reshape`, share the memory of the array.

    Arrays are made by `mx.nd.array`, `mx.nd.zeros` and the other functions of `mx.nd`, not by calling
    this class: ``NDArray(other)`` is `other`'s contents under a second object.

    Examples
    --------
    >>> x = mx.nd.array([[1, 2], [3, 4]])
    >>> x[0] = 7
    >>> (x + 1).sum(axis=0)
    <BLANKLINE>
    [12. 13.]
    <NDArray 2 @cpu(0)>
    """

    __slots__ = ()

    # NumPy leaves arithmetic signs between its arrays and ours to this class.
    __array_priority__ = 1000.0

    def __init__(self, handle=None, writable=True):
        if handle is not None:
            super().__init__(handle)

    def __repr__(self):
        extents = "x".join(str(extent) for extent in self.shape)
        contents = self.astype("float32").asnumpy() if self._dtype_name == "bfloat16" else self.asnumpy()
        return f"\n{contents!s}\n<{type(self).__name__} {extents} @{self.context}>"

    __str__ = __repr__

    def __iter__(self):
        for i in range(len(self)):
            yield self[i]

    def __reversed__(self):
        for i in reversed(range(len(self))):
            yield self[i]

    # Called by name in old programs.
    def __div__(self, other):
        return self / other

    def __rdiv__(self, other):
        return other / self

    def __nonzero__(self):
        return bool(self)

    def __copy__(self):
        return self.detach().copy()

    def __deepcopy__(self, memo):
        return memo.setdefault(id(self), self.detach().copy())

    # A pickle holds what MXNet 1.x puts there, so that both read each other's optimizer states.
    def __reduce__(self):
        return type(self), (None,), self.__getstate__()

    def __getstate__(self):
        return {"handle": bytearray().join(serialization.array_record(self))}

    def __setstate__(self, state):
        if state["handle"] is not None:
            self._rebind(serialization.read_array(state["handle"], "the pickle"))

    @property
    def T(self):
        """The array with its axes in reverse order; itself if it has fewer than two.

        Examples
        --------
        >>> mx.nd.zeros((2, 3, 4)).T.shape
        (4, 3, 2)
        """
        return self if self.ndim < 2 else op.transpose(self)

    def _at(self, idx):
        return self[idx]

    def _slice(self, start, stop):
        return self[start:stop]

    def _full(self, value):
        self[:] = value
        return self

    def _sync_copyfrom(self, source_array):
        self[:] = creation.array(source_array, dtype=self.dtype).reshape(self.shape)

    def as_nd_ndarray(self):
        """This array as an `NDArray`: itself."""
        return self

    def as_np_ndarray(self):
        """This array as an `mx.np.ndarray` that shares its memory and its history on the tape."""
        from ..numpy import ndarray
        return ndarray(self)

    def tostype(self, stype):
        """A copy in another storage type; a dense array knows ``'default'`` only.

        Examples
        --------
        >>> mx.nd.ones((2,)).tostype('default').stype
        'default'
        """
        if stype == "default":
            return self.copy()
        if stype in _STORAGE_TYPE_STR_TO_ID:
            raise MXNotImplementedError(f"tostype: a dense array cannot be converted to {stype!r}")
        raise MXValueError(f"tostype: stype must be 'default', 'row_sparse' or 'csr', got {stype!r}")

    def expand_dims(self, axis, inplace=False):
        """The array with an axis of extent 1 inserted before `axis`.

        Parameters
        ----------
        axis : int
            In ``[-ndim - 1, ndim]``.
        inplace : bool, optional
            Share the memory instead of copying.

        Examples
        --------
        >>> mx.nd.zeros((2, 3)).expand_dims(1).shape
        (2, 1, 3)
        """
        if not inplace:
            return op.expand_dims(self, axis=axis)
        if not -self.ndim - 1 <= axis <= self.ndim:
            raise MXValueError(f"expand_dims: axis {axis} is out of range for shape {self.shape}")
        axis = axis % (self.ndim + 1)
        return self.reshape(self.shape[:axis] + (1,) + self.shape[axis:])

    def flatten(self, inplace=False):
        """The array of shape ``(d0, d1, ...)`` as a matrix of shape ``(d0, d1 * ...)``.

        With `inplace` it shares the memory instead of being a copy.

        Examples
        --------
        >>> mx.nd.zeros((2, 3, 4)).flatten().shape
        (2, 12)
        """
        return self.reshape((0, -1)) if inplace and self.size else op.flatten(self)

    def squeeze(self, axis=None, inplace=False):
        """The array without axes of extent 1.

        Parameters
        ----------
        axis : int or tuple of int, optional
            Which to drop; default is all of extent 1.
        inplace : bool, optional
            Share the memory instead of copying.

        Raises
        ------
        ValueError
            When an axis named has another extent.

        Examples
        --------
        >>> mx.nd.zeros((1, 2, 1)).squeeze(axis=0).shape
        (2, 1)
        """
        if not inplace:
            return op.squeeze(self, axis=axis)
        axes = range(self.ndim) if axis is None else (axis,) if isinstance(axis, integer_types) else axis
        for a in axes if axis is not None else ():
            if not -self.ndim <= a < self.ndim or self.shape[a] != 1:
                raise MXValueError(f"squeeze: axis {a} of shape {self.shape} does not have extent 1")
        drop = {a % self.ndim for a in axes}
        shape = tuple(n for a, n in enumerate(self.shape) if a not in drop or n != 1)
        return self.reshape(shape or (1,))

    def broadcast_to(self, shape):
        """The array repeated along axes of extent 1 until it has `shape`.

        Missing leading axes count as extent 1; 0 keeps the extent of the array.

        Parameters
        ----------
        shape : int or tuple of int
            Shape of the result, at least as many axes as the array.

        Raises
        ------
        ValueError
            When the shapes do not fit.

        Examples
        --------
        >>> mx.nd.array([1, 2]).broadcast_to((2, 2))
        <BLANKLINE>
        [[1. 2.]
         [1. 2.]]
        <NDArray 2x2 @cpu(0)>
        """
        shape = (shape,) if isinstance(shape, integer_types) else tuple(shape)
        missing = len(shape) - self.ndim
        extents = (1,) * missing + self.shape
        if missing < 0 or any(have not in (1, want) and want != 0 for have, want in zip(extents, shape)):
            raise MXValueError(f"broadcast_to: an array of shape {self.shape} does not broadcast to {shape}")
        source = self.reshape(extents) if missing and self.size else self
        return op.broadcast_to(source, shape=shape)

    def broadcast_like(self, other):
        """The array broadcast to the shape of `other`; see `broadcast_to`.

        Examples
        --------
        >>> mx.nd.ones((1, 2)).broadcast_like(mx.nd.zeros((3, 2))).shape
        (3, 2)
        """
        return self.broadcast_to(other.shape)

    def diag(self, k=0, **kwargs):
        """The diagonal `k` of a matrix, or a matrix with this vector on that diagonal.

        Examples
        --------
        >>> mx.nd.array([[1, 2], [3, 4]]).diag()
        <BLANKLINE>
        [1. 4.]
        <NDArray 2 @cpu(0)>
        """
        return op.diag(self, k, **kwargs)

    def split_v2(self, *args, **kwargs):
        """Parts of the array along an axis; see `mx.nd.split_v2`.

        Examples
        --------
        >>> [x.shape for x in mx.nd.zeros((5, 2)).split_v2((2,))]
        [(2, 2), (3, 2)]
        """
        return manipulation.split_v2(self, *args, **kwargs)

    def slice_assign(self, rhs, begin, end, step):
        """Writes `rhs` to a region of this array and returns the array.

        Parameters
        ----------
        rhs : NDArray
            Values of the region's shape, or that broadcast to it.
        begin, end, step : tuple of int or None
            The region, one entry for each of the first axes.

        Examples
        --------
        >>> mx.nd.zeros((2, 2)).slice_assign(mx.nd.ones((1, 2)), (0, 0), (1, 2), (1, 1))
        <BLANKLINE>
        [[1. 1.]
         [0. 0.]]
        <NDArray 2x2 @cpu(0)>
        """
        self[_slices(begin, end, step)] = rhs
        return self

    def slice_assign_scalar(self, value, begin, end, step):
        """Writes a number to a region of this array and returns the array; see `slice_assign`.

        Examples
        --------
        >>> mx.nd.zeros((2, 2)).slice_assign_scalar(5, (0, 0), (1, 2), (1, 1))
        <BLANKLINE>
        [[5. 5.]
         [0. 0.]]
        <NDArray 2x2 @cpu(0)>
        """
        self[_slices(begin, end, step)] = value
        return self

    def to_dlpack_for_read(self):
        """A DLPack capsule for a consumer that only reads; see `mx.nd.to_dlpack_for_read`."""
        return _core.to_dlpack(self)

    def to_dlpack_for_write(self):
        """A DLPack capsule for a consumer that writes; see `mx.nd.to_dlpack_for_write`."""
        return _core.to_dlpack(self)


def _slices(begin, end, step):
    step = step or (None,) * len(begin)
    return tuple(slice(*bounds) for bounds in zip(begin, end, step))


def _storage_type(array):
    """The number of an array's storage type."""
    return _STORAGE_TYPE_STR_TO_ID[array.stype]


_core.set_array_class("nd", NDArray)
_core.install_methods(NDArray)

"""Functions that make arrays: from Python and NumPy values, of one value, of ranges."""
import numpy as np

from .. import _core
from ..base import mx_real_t
from ..context import Context, current_context
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import _internal
from ._dtype import _NAMES, bfloat16, dtype_name, numpy_dtype

__all__ = [
    "arange",
    "array",
    "empty",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "linspace",
    "ones",
    "to_dlpack_for_read",
    "to_dlpack_for_write",
    "zeros",
]


def context_ids(ctx, what):
    """``(type, id)`` of a context, the current one for None; raises TypeError for anything else."""
    if ctx is None:
        ctx = current_context()
    elif not isinstance(ctx, Context):
        raise MXTypeError(f"{what}: ctx must be a Context such as mx.cpu(), got {ctx!r}")
    return ctx.device_typeid, ctx.device_id


def _host_array(source, dtype, what):
    """`source` as a C-contiguous NumPy array of `dtype`, a NumPy type."""
    try:
        return np.asarray(source, dtype=dtype, order="C")
    except OverflowError:  # NumPy 2 refuses what NumPy 1 wrapped around, such as -1 as uint8
        return np.asarray(source).astype(dtype, order="C")
    except (ValueError, TypeError) as error:
        raise MXTypeError(f"{what}: cannot make an array of {type(source).__name__}: {error}") from None


def from_host(values, ctx_type, ctx_id):
    """An array with a copy of a C-contiguous NumPy array; bfloat16 by way of its bits."""
    if values.dtype != bfloat16:
        return _core.array_from_numpy(values, ctx_type, ctx_id)
    wide = (values.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
    return _core.array_from_numpy(wide, ctx_type, ctx_id).astype("bfloat16")


def array(source_array, ctx=None, dtype=None):
    """A new array with the contents of anything like an array.

    Parameters
    ----------
    source_array : NDArray, numpy.ndarray, number, or nested sequence of numbers
        What to copy. Its shape is the result's shape.
    ctx : Context, optional
        Where to put it; default is the current context.
    dtype : str or numpy type, optional
        Element type. Default is that of an NDArray source and float32 for everything else, NumPy
        arrays included.

    Raises
    ------
    TypeError
        For contents that are not numbers or not rectangular, and for an unknown `dtype`.

    Examples
    --------
    >>> mx.nd.array([[1, 2], [3, 4]])
    <BLANKLINE>
    [[1. 2.]
     [3. 4.]]
    <NDArray 2x2 @cpu(0)>
    >>> mx.nd.array([1, 2], dtype='int32').dtype
    <class 'numpy.int32'>
    """
    ctx_type, ctx_id = context_ids(ctx, "array")
    if isinstance(source_array, _core.NDArrayBase):
        result = _core.empty(source_array.shape, dtype_name(dtype, source_array._dtype_name, "array"), ctx_type, ctx_id)
        return source_array.detach().copyto(result)
    name = dtype_name(dtype, what="array")
    if getattr(source_array, "dtype", None) == bfloat16:
        made = from_host(np.ascontiguousarray(source_array).reshape(source_array.shape), ctx_type, ctx_id)
        return made.astype(name, copy=False)
    if name == "bfloat16":
        return from_host(_host_array(source_array, np.float32, "array"), ctx_type, ctx_id).astype(name)
    return _core.array_from_numpy(_host_array(source_array, numpy_dtype(name), "array"), ctx_type, ctx_id)


def empty(shape, ctx=None, dtype=None, stype=None):
    """A new array of a shape whose contents are whatever the memory held.

    Parameters
    ----------
    shape : int or tuple of int
        Extents; 0 and () are allowed.
    ctx : Context, optional
        Default is the current context.
    dtype : str or numpy type, optional
        Default is float32.
    stype : str, optional
        Storage type: 'default'.

    Examples
    --------
    >>> mx.nd.empty((2, 3)).shape
    (2, 3)
    """
    _dense_only(stype, "empty")
    return _core.empty(shape, dtype_name(dtype, what="empty"), *context_ids(ctx, "empty"))


def _dense_only(stype, what):
    if stype not in (None, "default"):
        raise MXValueError(f"{what}: stype must be 'default', got {stype!r}; sparse arrays come from mx.nd.sparse")


def zeros(shape, ctx=None, dtype=None, stype=None, **kwargs):
    """A new array of zeros.

    Parameters
    ----------
    shape : int or tuple of int
        Extents; 0 and () are allowed.
    ctx : Context, optional
        Default is the current context.
    dtype : str or numpy type, optional
        Default is float32.
    stype : str, optional
        Storage type: 'default'.
    out : NDArray, optional
        An array of that shape and type to fill instead.

    Examples
    --------
    >>> mx.nd.zeros((1, 2), dtype='int64')
    <BLANKLINE>
    [[0 0]]
    <NDArray 1x2 @cpu(0)>
    """
    if stype is not None:
        _dense_only(stype, "zeros")
    return _internal._zeros(shape=shape, ctx=ctx, dtype=mx_real_t if dtype is None else dtype, **kwargs)


def ones(shape, ctx=None, dtype=None, **kwargs):
    """A new array of ones; the parameters are those of `zeros`.

    Examples
    --------
    >>> mx.nd.ones(2)
    <BLANKLINE>
    [1. 1.]
    <NDArray 2 @cpu(0)>
    """
    return _internal._ones(shape=shape, ctx=ctx, dtype=mx_real_t if dtype is None else dtype, **kwargs)


def full(shape, val, ctx=None, dtype=mx_real_t, out=None):
    """A new array with `val` everywhere.

    Parameters
    ----------
    shape : int or tuple of int
        Extents.
    val : number or array of numbers
        The value; an array is broadcast to `shape`.
    ctx : Context, optional
        Default is the current context.
    dtype : str or numpy type, optional
        Default is float32.
    out : NDArray, optional
        An array of that shape to fill instead.

    Examples
    --------
    >>> mx.nd.full((2, 2), 7, dtype='int32')
    <BLANKLINE>
    [[7 7]
     [7 7]]
    <NDArray 2x2 @cpu(0)>
    """
    if out is None:
        out = empty(shape, ctx, mx_real_t if dtype is None else dtype)
    elif out.shape != (tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)):
        raise MXValueError(f"full: out has shape {out.shape}, expected {shape}")
    out[...] = val
    return out


def arange(start, stop=None, step=1.0, repeat=1, infer_range=None, ctx=None, dtype=mx_real_t):
    """Evenly spaced values in ``[start, stop)``.

    Parameters
    ----------
    start : number
        First value, or the end of the range from 0 when `stop` is None.
    stop : number, optional
        End of the range, not included.
    step : number, optional
        Distance between values; may be negative.
    repeat : int, optional
        How many times each value stands in the result.
    infer_range : bool, optional
        Kept for compatibility and ignored; only symbols infer their range.
    ctx, dtype : optional
        As for `zeros`.

    Examples
    --------
    >>> mx.nd.arange(2, 6, step=2, repeat=2)
    <BLANKLINE>
    [2. 2. 4. 4.]
    <NDArray 4 @cpu(0)>
    """
    return _internal._arange(
        start=start, stop=stop, step=step, repeat=repeat, ctx=ctx, dtype=dtype)


def linspace(start, stop, num, endpoint=True, ctx=None, dtype=mx_real_t):
    """`num` evenly spaced values from `start` to `stop`, an array of shape ``(num,)``.

    Parameters
    ----------
    start, stop : number
        First and last value.
    num : int
        How many; 0 gives an empty array.
    endpoint : bool, optional
        Whether `stop` itself is the last value.
    ctx, dtype : optional
        As for `zeros`.

    Examples
    --------
    >>> mx.nd.linspace(0, 1, 5)
    <BLANKLINE>
    [0.   0.25 0.5  0.75 1.  ]
    <NDArray 5 @cpu(0)>
    """
    return _internal._linspace(start=start, stop=stop, num=num, endpoint=endpoint, ctx=ctx, dtype=dtype)


def eye(N, M=0, k=0, ctx=None, dtype=None, **kwargs):
    """A matrix with ones on a diagonal and zeros elsewhere.

    Parameters
    ----------
    N, M : int
        Rows and columns; 0 columns means as many as rows.
    k : int, optional
        Which diagonal: 0 the main one, above it if positive, below it if negative.
    ctx, dtype, out : optional
        As for `zeros`.

    Examples
    --------
    >>> mx.nd.eye(2, 3, 1)
    <BLANKLINE>
    [[0. 1. 0.]
     [0. 0. 1.]]
    <NDArray 2x3 @cpu(0)>
    """
    return _internal._eye(N=N, M=M, k=k, ctx=ctx, dtype=mx_real_t if dtype is None else dtype, **kwargs)


def from_numpy(ndarray, zero_copy=True, array_cls=None):
    """An array with the contents, shape and element type of a NumPy array.

    Parameters
    ----------
    ndarray : numpy.ndarray
        The source.
    zero_copy : bool, optional
        Share the memory; the NumPy array then becomes read-only, since the engine may use the memory
        at any time. Otherwise the contents are copied.
    array_cls : type, optional
        Class of the result, default NDArray.

    Raises
    ------
    ValueError
        For an element type that arrays cannot hold, and for sharing memory that is not C-contiguous.

    Examples
    --------
    >>> mx.nd.from_numpy(np.arange(3, dtype='int32'))
    <BLANKLINE>
    [0 1 2]
    <NDArray 3 @cpu(0)>
    """
    if not isinstance(ndarray, np.ndarray):
        raise MXTypeError(f"from_numpy: expected a numpy.ndarray, got {type(ndarray).__name__}; use mx.nd.array")
    if ndarray.dtype.type not in _NAMES and ndarray.dtype != bfloat16:
        raise MXValueError(f"from_numpy: element type {ndarray.dtype} is not supported; convert it with astype")
    native = ndarray.dtype.isnative and ndarray.dtype != bfloat16
    if zero_copy and not ndarray.flags["C_CONTIGUOUS"]:
        raise MXValueError("from_numpy: only C-contiguous arrays can share their memory; pass zero_copy=False")
    if zero_copy and native and ndarray.flags["WRITEABLE"] and hasattr(ndarray, "__dlpack__"):
        result = _core.from_dlpack(ndarray.__dlpack__())
        ndarray.flags["WRITEABLE"] = False
    else:
        host = np.ascontiguousarray(ndarray, ndarray.dtype.newbyteorder("=")).reshape(ndarray.shape)
        result = from_host(host, *context_ids(None, "from_numpy"))
    return result if array_cls is None or type(result) is array_cls else array_cls(result)


def from_dlpack(dlpack):
    """An array that shares memory with another library's tensor.

    Parameters
    ----------
    dlpack : PyCapsule, or an object with ``__dlpack__``
        A capsule named "dltensor" (which is used up), or for instance a PyTorch tensor. The memory must
        be on the host and contiguous.

    Raises
    ------
    ValueError
        When the tensor is on another device, not contiguous, or the capsule was used before.
    TypeError
        For other objects and for element types that arrays cannot hold.

    Examples
    --------
    >>> x = mx.nd.ones((2,))
    >>> mx.nd.from_dlpack(x.to_dlpack_for_write())
    <BLANKLINE>
    [1. 1.]
    <NDArray 2 @cpu(0)>
    """
    if hasattr(dlpack, "__dlpack__"):
        dlpack = dlpack.__dlpack__()
    kind = type(dlpack).__name__
    if kind != "PyCapsule":
        raise MXTypeError(f"from_dlpack: expected a DLPack capsule or an object with __dlpack__, got {kind}")
    if '"used_dltensor"' in repr(dlpack):
        raise MXValueError("from_dlpack: the capsule was used already; a DLPack capsule can be taken over only once")
    return _core.from_dlpack(dlpack)


def to_dlpack_for_read(data):
    """A DLPack capsule for a consumer that only reads `data`, an NDArray.

    Pending writes are waited for. Afterwards the engine does not know of the consumer: do not write to
    the array while the other library reads it.

    Examples
    --------
    >>> capsule = mx.nd.to_dlpack_for_read(mx.nd.ones((2,)))
    """
    return data.to_dlpack_for_read()


def to_dlpack_for_write(data):
    """A DLPack capsule for a consumer that writes to `data`, an NDArray.

    Pending reads and writes are waited for. Afterwards the engine does not know of the consumer: do not
    use the array while the other library writes to it.

    Examples
    --------
    >>> capsule = mx.nd.to_dlpack_for_write(mx.nd.ones((2,)))
    """
    return data.to_dlpack_for_write()

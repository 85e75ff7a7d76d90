"""Element types: what the public functions accept, and the names that the core uses."""
import numpy as np

from ..base import bfloat16
from ..error import TypeError as MXTypeError

# The numbers are those of MXNet's file formats.
_DTYPE_NP_TO_MX = {
    None: -1,
    np.float32: 0,
    np.float64: 1,
    np.float16: 2,
    np.uint8: 3,
    np.int32: 4,
    np.int8: 5,
    np.int64: 6,
    np.bool_: 7,
    bfloat16: 12,
}
_DTYPE_MX_TO_NP = {number: dtype for dtype, number in _DTYPE_NP_TO_MX.items()}

_NAMES = {dtype: np.dtype(dtype).name for dtype in _DTYPE_NP_TO_MX if dtype not in (None, bfloat16)}
_NAMES[bfloat16] = "bfloat16"
_BY_NAME = {name: dtype for dtype, name in _NAMES.items()}


def dtype_name(dtype, default="float32", what="dtype"):
    """The core's name of an element type, e.g. ``'float32'``.

    Accepts what NumPy accepts (``np.float32``, ``'int8'``, ``int``, a ``np.dtype``), ``'bfloat16'`` and
    None, which gives `default`. Raises TypeError for a type that arrays cannot hold.
    """
    if dtype is None:
        return default
    try:
        name = _NAMES.get(dtype)
        if name is None:
            name = dtype if dtype == "bfloat16" else np.dtype(dtype).name
        if name in _BY_NAME:
            return name
    except TypeError:
        pass
    raise MXTypeError(f"{what}: there is no element type {dtype!r}; known are {', '.join(_BY_NAME)}")


def numpy_dtype(name):
    """The NumPy type with one of the core's names; the stand-in described above for ``'bfloat16'``."""
    return _BY_NAME[name]

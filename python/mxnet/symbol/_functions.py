"""Functions of symbols and numbers, and symbols without inputs."""
import builtins
import operator

import numpy as np

from .. import _core
from ..base import integer_types, numeric_types
from . import _internal

__all__ = ["arange", "eye", "full", "histogram", "hypot", "linspace", "maximum", "minimum", "ones", "pow", "power",
           "split_v2", "zeros"]


def _of_two(left, right, array_op, scalar_op, reverse_op, numbers):
    if isinstance(left, _core.SymbolBase) and isinstance(right, _core.SymbolBase):
        return getattr(_internal, array_op)(left, right)
    if isinstance(left, _core.SymbolBase) and isinstance(right, numeric_types):
        return getattr(_internal, scalar_op)(left, scalar=right)
    if isinstance(left, numeric_types) and isinstance(right, _core.SymbolBase):
        return getattr(_internal, reverse_op)(right, scalar=left)
    if isinstance(left, numeric_types) and isinstance(right, numeric_types):
        return numbers(left, right)
    raise TypeError(f"types ({type(left)}, {type(right)}) not supported")


def pow(base, exp):
    """``base ** exp`` of two symbols of one shape, or a symbol and a number."""
    return _of_two(base, exp, "_Power", "_PowerScalar", "_RPowerScalar", operator.pow)


def power(base, exp):
    """The same as `pow`."""
    return pow(base, exp)


def maximum(left, right):
    """The larger of both, element by element."""
    return _of_two(left, right, "_Maximum", "_MaximumScalar", "_MaximumScalar", builtins.max)


def minimum(left, right):
    """The smaller of both, element by element."""
    return _of_two(left, right, "_Minimum", "_MinimumScalar", "_MinimumScalar", builtins.min)


def hypot(left, right):
    """``sqrt(left ** 2 + right ** 2)``, element by element."""
    return _of_two(left, right, "_Hypot", "_HypotScalar", "_HypotScalar", np.hypot)


# -- makers ----------------------------------------------------------------------------------------


def _dtype_name(dtype, default="float32"):
    if dtype is None:
        return default
    return dtype if isinstance(dtype, str) else np.dtype(dtype).name


def zeros(shape, dtype=None, **kwargs):
    """Zeros of a shape, in which 0 stands for an extent that is inferred.

    Examples
    --------
    >>> mx.sym.zeros((2, 3)).eval()[0].shape
    (2, 3)
    """
    return _internal._zeros(shape=shape, dtype=_dtype_name(dtype), **kwargs)


def ones(shape, dtype=None, **kwargs):
    """Ones of a shape; see `zeros`."""
    return _internal._ones(shape=shape, dtype=_dtype_name(dtype), **kwargs)


def full(shape, val, dtype=None, **kwargs):
    """A shape filled with a number; see `zeros`."""
    return _internal._full(shape=shape, dtype=_dtype_name(dtype), value=float(val), **kwargs)


def arange(start, stop=None, step=1.0, repeat=1, infer_range=False, name=None, dtype=None):
    """Evenly spaced numbers in ``[start, stop)``, each `repeat` times.

    Examples
    --------
    >>> mx.sym.arange(3).eval()[0].asnumpy().tolist()
    [0.0, 1.0, 2.0]
    """
    return _internal._arange(start=start, stop=stop, step=step, repeat=repeat, infer_range=infer_range, name=name,
                             dtype=_dtype_name(dtype))


def linspace(start, stop, num, endpoint=True, name=None, dtype=None):
    """`num` evenly spaced numbers from `start` to `stop`."""
    return _internal._linspace(start=start, stop=stop, num=num, endpoint=endpoint, name=name, dtype=_dtype_name(dtype))


def eye(N, M=0, k=0, dtype=None, **kwargs):
    """A matrix of `N` rows and `M` (or `N`) columns with ones on diagonal `k`."""
    return _internal._eye(N, M, k, dtype=_dtype_name(dtype), **kwargs)


def histogram(a, bins=10, range=None, **kwargs):
    """How many values fall into each bin: a group of counts and edges.

    Parameters
    ----------
    a : Symbol
        The values.
    bins : int or Symbol
        Number of bins of equal width over `range`, or their edges.
    range : (float, float), optional
        Needed with a number of bins.
    """
    if isinstance(bins, _core.SymbolBase):
        return _internal._histogram(data=a, bins=bins, **kwargs)
    if isinstance(bins, integer_types):
        if range is None:
            raise ValueError("null range is not supported in symbol mode")
        return _internal._histogram(data=a, bin_cnt=bins, range=range, **kwargs)
    raise ValueError("bins argument should be either an integer or an NDArray")


def split_v2(ary, indices_or_sections, axis=0, squeeze_axis=False):
    """Parts along an axis.

    Parameters
    ----------
    ary : Symbol
        What to split.
    indices_or_sections : int or tuple of int
        A number of equal parts, or the places to split at.
    axis : int, optional
        Where to split.
    squeeze_axis : bool, optional
        Drop the axis from the parts; each must then have extent 1.
    """
    if isinstance(indices_or_sections, integer_types):
        return _internal._split_v2(ary, indices=(), axis=axis, squeeze_axis=squeeze_axis,
                                   sections=int(indices_or_sections))
    if isinstance(indices_or_sections, (list, tuple, set)):
        return _internal._split_v2(ary, indices=(0, *indices_or_sections), axis=axis, squeeze_axis=squeeze_axis)
    raise ValueError("indices_or_sections must either int or tuple / list / set of ints")

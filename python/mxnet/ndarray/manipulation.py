"""Joining, splitting and rearranging arrays, and counts of their values."""
import numpy as np

from .. import _core
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import _internal, op
from .creation import array

__all__ = ["concatenate", "histogram", "moveaxis", "onehot_encode", "split_v2", "waitall"]


def waitall():
    """Blocks until every operation issued so far is done; raises what failed and was not raised yet.

    Examples
    --------
    >>> mx.nd.waitall()
    """
    _core.waitall()


def concatenate(arrays, axis=0, always_copy=True):
    """The arrays joined along an axis.

    Parameters
    ----------
    arrays : list of NDArray
        Arrays of one element type whose shapes agree except along `axis`.
    axis : int, optional
        Where to join.
    always_copy : bool, optional
        With False, a single array is returned itself.

    Examples
    --------
    >>> mx.nd.concatenate([mx.nd.ones((1, 2)), mx.nd.zeros((1, 2))])
    <BLANKLINE>
    [[1. 1.]
     [0. 0.]]
    <NDArray 2x2 @cpu(0)>
    """
    if not isinstance(arrays, (list, tuple)) or not arrays:
        raise MXValueError(f"concatenate: expected a list of one or more arrays, got {arrays!r}")
    if len(arrays) == 1 and not always_copy:
        return arrays[0]
    return op.concat(*arrays, dim=axis)


def split_v2(ary, indices_or_sections, axis=0, squeeze_axis=False):
    """Parts of an array along an axis.

    Parameters
    ----------
    ary : NDArray
        What to split.
    indices_or_sections : int or tuple of int
        A number of equal parts, or the places to split at: ``(2, 3)`` gives ``[:2]``, ``[2:3]``, ``[3:]``.
    axis : int, optional
        Where to split.
    squeeze_axis : bool, optional
        Drop the axis from the parts; each must then have extent 1.

    Returns
    -------
    list of NDArray, or an NDArray if there is one part

    Raises
    ------
    ValueError
        When the parts would not be equal, or `indices_or_sections` is neither an int nor a tuple.

    Examples
    --------
    >>> [x.shape for x in mx.nd.split_v2(mx.nd.zeros((5, 2)), (1, 3))]
    [(1, 2), (2, 2), (2, 2)]
    """
    if isinstance(indices_or_sections, (int, np.integer)):
        extent = ary.shape[axis]
        if indices_or_sections <= 0 or extent % indices_or_sections:
            raise MXValueError(f"split_v2: axis {axis} of extent {extent} does not split into "
                               f"{indices_or_sections} equal parts")
        return _internal._split_v2(
            ary, indices=(), axis=axis, squeeze_axis=squeeze_axis, sections=int(indices_or_sections))
    if isinstance(indices_or_sections, tuple):
        # The operator counts the start of each part, the first included.
        return _internal._split_v2(ary, indices=(0, *indices_or_sections), axis=axis, squeeze_axis=squeeze_axis)
    raise MXValueError(f"split_v2: indices_or_sections must be an int or a tuple of ints, got {indices_or_sections!r}")


def moveaxis(tensor, source, destination):
    """The array with some axes moved to other places; the rest keep their order.

    Parameters
    ----------
    tensor : NDArray
        The array.
    source, destination : int or sequence of int
        From where to where; negative numbers count from the end.

    Raises
    ------
    ValueError
        When an axis is out of range or named twice, or the numbers of axes differ.

    Examples
    --------
    >>> mx.nd.moveaxis(mx.nd.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    source = _axes(source, tensor, "source")
    destination = _axes(destination, tensor, "destination")
    if len(source) != len(destination):
        raise MXValueError(f"moveaxis: source names {len(source)} axes but destination {len(destination)}")
    order = [axis for axis in range(tensor.ndim) if axis not in source]
    for place, axis in sorted(zip(destination, source)):
        order.insert(place, axis)
    return op.transpose(tensor, axes=order)


def _axes(axes, tensor, what):
    """`axes` as a list of numbers from 0 on, checked."""
    axes = [axes] if isinstance(axes, (int, np.integer)) else list(axes)
    for axis in axes:
        if not -tensor.ndim <= axis < tensor.ndim:
            raise MXValueError(f"moveaxis: {what} axis {axis} is out of range for shape {tensor.shape}")
    axes = [axis % tensor.ndim for axis in axes]
    if len(set(axes)) < len(axes):
        raise MXValueError(f"moveaxis: {what} names an axis twice")
    return axes


def histogram(a, bins=10, range=None):
    """How many values fall into each bin.

    Parameters
    ----------
    a : NDArray
        The values, of any shape.
    bins : int or NDArray
        Number of bins of equal width, or their edges in increasing order.
    range : (float, float), optional
        Lower end of the first and upper end of the last bin; default is the extent of the values. Other
        values are not counted.

    Returns
    -------
    counts, edges : NDArray
        Of shapes ``(bins,)`` and ``(bins + 1,)``.

    Examples
    --------
    >>> counts, edges = mx.nd.histogram(mx.nd.array([0, 1, 1, 3]), bins=3)
    >>> counts.asnumpy().tolist(), edges.asnumpy().tolist()
    ([1.0, 2.0, 1.0], [0.0, 1.0, 2.0, 3.0])
    """
    if not isinstance(a, _core.NDArrayBase):
        raise MXTypeError(f"histogram: a must be an NDArray, got {type(a).__name__}")
    if isinstance(bins, _core.NDArrayBase):
        return _internal._histogram(data=a, bins=bins)
    if not isinstance(bins, (int, np.integer)):
        raise MXValueError(f"histogram: bins must be an int or an NDArray, got {bins!r}")
    if range is not None:
        return _internal._histogram(data=a, bin_cnt=bins, range=range)
    counts, edges = np.histogram(a.asnumpy(), bins=bins)
    return array(counts, a.context), array(edges, a.context)


def onehot_encode(indices, out):
    """Rows of zeros with a one at each index, written to `out`. Kept for old programs; see `one_hot`.

    Parameters
    ----------
    indices : NDArray
        Shape ``(n,)``.
    out : NDArray
        Shape ``(n, depth)``; also returned.

    Examples
    --------
    >>> mx.nd.onehot_encode(mx.nd.array([1, 0]), mx.nd.empty((2, 2)))
    <BLANKLINE>
    [[0. 1.]
     [1. 0.]]
    <NDArray 2x2 @cpu(0)>
    """
    if out.ndim != 2 or indices.shape != out.shape[:1]:
        raise MXValueError(f"onehot_encode: indices of shape {indices.shape} do not fit out of shape {out.shape}")
    out[:] = op.one_hot(indices, depth=out.shape[1], dtype=out.dtype)
    return out

"""Helpers of the iterators."""
from collections import OrderedDict

import numpy as np

from ..ndarray import NDArray, array

__all__ = []


def _init_data(data, allow_empty, default_name):
    """`data` (an array, a list or a dict of arrays) as a list of pairs of name and array.

    The names are in alphabetical order. NDArrays stay as they are; NumPy arrays and the like become float32 NDArrays.
    """
    if data is None:
        data = []
    elif isinstance(data, (np.ndarray, NDArray)) or _is_h5py(data):
        data = [data]
    if isinstance(data, (list, tuple)):
        if not allow_empty and not data:
            raise AssertionError(f"NDArrayIter: there is no data for '{default_name}'")
        if len(data) == 1:
            data = OrderedDict([(default_name, data[0])])
        else:
            data = OrderedDict((f"_{i}_{default_name}", item) for i, item in enumerate(data))
    if not isinstance(data, dict):
        raise TypeError(f"NDArrayIter: expected an NDArray, a NumPy array, or a list or dict of them for "
                        f"'{default_name}', got {type(data)}")
    pairs = []
    for name, item in sorted(data.items()):
        if not isinstance(item, NDArray):
            try:
                item = array(item)
            except (TypeError, ValueError) as error:
                raise TypeError(f"NDArrayIter: '{name}' of {type(item)} cannot become an array: {error}") from error
        if len(item.shape) == 0:
            raise TypeError(f"NDArrayIter: '{name}' is a single number and has no samples")
        pairs.append((name, item))
    return pairs


def _is_h5py(data):
    """True for a data set of h5py, which need not be installed."""
    return type(data).__module__.startswith("h5py") and hasattr(data, "shape")


def _has_instance(data, dtype):
    """True when any array of the pairs in `data` is a `dtype`."""
    return any(isinstance(item, dtype) for _, item in data)


def _getdata_by_idx(data, idx):
    """The pairs in `data` with the samples `idx` (a NumPy array of indices) in that order."""
    return [(name, array(item.asnumpy()[idx], item.context, dtype=item.dtype)) for name, item in data]

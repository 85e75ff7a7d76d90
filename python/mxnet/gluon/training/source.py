"""Batches of whatever holds data: iterators, loaders, data sets, arrays."""
import numpy as np

from ... import ndarray
from ...io import DataIter
from ...io.mx_data_batch import MXDataBatch
from ...ndarray import NDArray
from ..data import ArrayDataset, BatchSampler, DataLoader, Dataset, RandomSampler, SequentialSampler

__all__ = ["Batches"]


def _is_array(thing):
    return isinstance(thing, (NDArray, np.ndarray))


def _array(thing):
    """An NDArray; NumPy's doubles and long integers become float32, as layers expect."""
    if isinstance(thing, NDArray):
        return thing
    thing = np.asarray(thing)
    return ndarray.array(thing, dtype="float32" if thing.dtype in (np.float64, np.int64) else thing.dtype)


class Batches:
    """Goes through a data source in batches, any number of times. A batch is a tuple: inputs, then the label.

    Parameters
    ----------
    who : str
        The caller, for messages.
    data : DataIter, DataLoader, Dataset, MXDataBatch, array, or tuple of arrays
        The source.
    batch_size : int
        Number of samples in a batch, for data sets and arrays.
    shuffle : bool
        Whether data sets and arrays are gone through in random order.

    Raises
    ------
    TypeError
        For anything else.
    ValueError
        For an empty source.
    """

    def __init__(self, who, data, batch_size, shuffle):
        self._who = who
        if _is_array(data):
            data = ArrayDataset(_array(data))
        elif isinstance(data, (tuple, list)) and len(data) > 1 and all(_is_array(part) for part in data):
            lengths = [len(part) for part in data]
            if len(set(lengths)) > 1:
                raise ValueError(f"{who}: the arrays hold different numbers of samples: {lengths}")
            data = ArrayDataset(*map(_array, data))
        elif not isinstance(data, (DataIter, DataLoader, Dataset, MXDataBatch)):
            raise TypeError(f"{who}: data must be a DataIter, a DataLoader, a Dataset, an MXDataBatch, an array or a "
                            f"tuple of arrays, got {type(data).__name__}")
        if isinstance(data, Dataset):
            if batch_size < 1:
                raise ValueError(f"{who}: batch_size must be at least 1, got {batch_size}")
            if len(data) == 0:
                raise ValueError(f"{who}: the data set is empty")
            data = _fast_loader(data, batch_size, shuffle) or DataLoader(data, batch_size, shuffle=shuffle)
        self._data = data

    def __len__(self):
        """The number of batches; TypeError where it is not known."""
        return len(self._data)

    def __iter__(self):
        if isinstance(self._data, DataIter):
            self._data.reset()
        empty = True
        for batch in self._data:
            empty = False
            yield self._parts(batch)
        if empty:
            raise ValueError(f"{self._who}: the data set is empty")

    def _parts(self, batch):
        """A batch as a tuple of NDArrays, without samples that only fill it up."""
        if hasattr(batch, "data") and not _is_array(batch):
            size = batch.data[0].shape[0] - (batch.pad or 0)
            batch = [*batch.data, *(batch.label or [])]
            batch = [array[:size] if size < array.shape[0] else array for array in batch]
        elif _is_array(batch):
            batch = [batch]
        if not isinstance(batch, (tuple, list)) or not all(_is_array(part) for part in batch):
            raise TypeError(f"{self._who}: a batch must be an array or several, got {type(batch).__name__}")
        return tuple(map(_array, batch))


class _Joined:
    """Batches of a data set that can give many samples at once."""

    def __init__(self, take, sampler):
        self._take = take
        self._sampler = sampler

    def __len__(self):
        return len(self._sampler)

    def __iter__(self):
        return (self._take(np.asarray(indices)) for indices in self._sampler)


def _fast_loader(data, batch_size, shuffle):
    """A loader that takes whole batches from arrays instead of joining samples, or None."""
    if hasattr(data, "take_batch"):
        take = data.take_batch
    elif type(data) is ArrayDataset and all(_is_array(part) for part in data._data):
        arrays = [part.asnumpy() if isinstance(part, NDArray) else part for part in data._data]

        def take(indices):
            return [_array(array[indices]) for array in arrays]
    else:
        return None
    order = RandomSampler(len(data)) if shuffle else SequentialSampler(len(data))
    return _Joined(take, BatchSampler(order, batch_size, "keep"))

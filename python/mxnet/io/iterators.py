"""Data iterators."""
import threading
from collections import namedtuple

import numpy as np

from .. import ndarray
from .utils import _getdata_by_idx, _init_data

__all__ = ["DataBatch", "DataDesc", "DataIter", "NDArrayIter", "PrefetchingIter", "ResizeIter"]


class DataDesc(namedtuple("DataDesc", ["name", "shape"])):
    """What a batch holds under a name: shape, element type and order of the axes.

    As a tuple it is ``(name, shape)``.

    Examples
    --------
    >>> desc = mx.io.DataDesc("data", (32, 3, 224, 224))
    >>> desc.name, desc.layout
    ('data', 'NCHW')
    """

    def __new__(cls, name, shape, dtype=np.float32, layout="NCHW"):
        self = super().__new__(cls, name, shape)
        self.dtype = dtype
        self.layout = layout
        return self

    def __repr__(self):
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout):
        """The axis of samples: where N stands in `layout`; 0 without a layout."""
        return 0 if layout is None else layout.find("N")

    @staticmethod
    def get_list(shapes, types):
        """A list of DataDesc from pairs of name and shape, and pairs of name and type (or None)."""
        if types is None:
            return [DataDesc(name, shape) for name, shape in shapes]
        types = dict(types)
        return [DataDesc(name, shape, types[name]) for name, shape in shapes]


class DataBatch:
    """A batch: lists of data and label arrays.

    Parameters
    ----------
    data, label : list of NDArray
        The arrays. AssertionError for anything but lists.
    pad : int, optional
        How many samples at the end only fill up the batch.
    index : array, optional
        Which samples these are.
    bucket_key : optional
        The bucket the batch belongs to.
    provide_data, provide_label : list of DataDesc, optional
        Descriptions of the arrays.
    """

    def __init__(self, data, label=None, pad=None, index=None, bucket_key=None, provide_data=None,
                 provide_label=None):
        for name, arrays in (("data", data), ("label", label)):
            if arrays is not None and not isinstance(arrays, (list, tuple)):
                raise AssertionError(f"DataBatch: {name} must be a list of NDArrays, got {type(arrays)}")
        self.data = data
        self.label = label
        self.pad = pad
        self.index = index
        self.bucket_key = bucket_key
        self.provide_data = provide_data
        self.provide_label = provide_label

    def __str__(self):
        data = [array.shape for array in self.data]
        label = [array.shape for array in self.label] if self.label else None
        return f"{type(self).__name__}: data shapes: {data} label shapes: {label}"


class DataIter:
    """The base of all iterators over batches.

    A subclass overrides `iter_next`, `getdata`, `getlabel`, `getindex` and `getpad`, or `next`.

    Parameters
    ----------
    batch_size : int
        Number of samples in a batch.
    """

    def __init__(self, batch_size=0):
        self.batch_size = batch_size

    def __iter__(self):
        return self

    def reset(self):
        """Goes back to the beginning."""

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if self.iter_next():
            return DataBatch(data=self.getdata(), label=self.getlabel(), pad=self.getpad(), index=self.getindex())
        raise StopIteration

    def __next__(self):
        return self.next()

    def iter_next(self):
        """Moves on to the next batch; False at the end."""

    def getdata(self):
        """The data arrays of the current batch."""

    def getlabel(self):
        """The label arrays of the current batch."""

    def getindex(self):
        """The numbers of the samples in the current batch, or None."""
        return None

    def getpad(self):
        """How many samples at the end of the current batch only fill it up."""


class NDArrayIter(DataIter):
    """Batches of arrays in memory.

    Parameters
    ----------
    data : NDArray, NumPy array, or list or dict of them
        The data; the first axis is that of samples. NumPy arrays become float32.
    label : the same, optional
        The labels.
    batch_size : int
        Number of samples in a batch.
    shuffle : bool
        Whether the order is random; it comes from NumPy's global random numbers.
    last_batch_handle : {'pad', 'discard', 'roll_over'}
        What becomes of samples left over at the end: the batch is filled up from the beginning, they
        are left out, or they begin the next round.
    data_name, label_name : str
        Names of the arrays, when they are not in a dict.
    layout : str
        Order of the axes.

    Raises
    ------
    TypeError
        For anything but arrays.
    ValueError
        When arrays have different numbers of samples.

    Examples
    --------
    >>> iterator = mx.io.NDArrayIter(np.zeros((10, 3)), np.arange(10), batch_size=4)
    >>> [batch.pad for batch in iterator]
    [0, 0, 2]
    """

    def __init__(self, data, label=None, batch_size=1, shuffle=False, last_batch_handle="pad", data_name="data",
                 label_name="softmax_label", layout="NCHW"):
        super().__init__(batch_size)
        self.data = _init_data(data, allow_empty=False, default_name=data_name)
        self.label = _init_data(label, allow_empty=True, default_name=label_name)
        self.num_data = self.data[0][1].shape[0]
        for name, array in self.data + self.label:
            if array.shape[0] != self.num_data:
                raise ValueError(f"NDArrayIter: '{self.data[0][0]}' has {self.num_data} samples, but '{name}' has "
                                 f"{array.shape[0]}")
        if batch_size < 1:
            raise ValueError(f"NDArrayIter: batch_size must be at least 1, got {batch_size}")
        self.idx = np.arange(self.num_data)
        self.shuffle = shuffle
        self.last_batch_handle = last_batch_handle
        self.cursor = -batch_size
        self.data_list = [array for _, array in self.data + self.label]
        self.num_source = len(self.data_list)
        self.layout = layout
        self._kept = None  # with roll_over: the samples of the last round that begin this one
        self.reset()

    def _describe(self, pairs):
        return [DataDesc(name, (self.batch_size, *array.shape[1:]), array.dtype, self.layout)
                for name, array in pairs]

    @property
    def provide_data(self):
        """Descriptions of the data arrays of a batch."""
        return self._describe(self.data)

    @property
    def provide_label(self):
        """Descriptions of the label arrays of a batch."""
        return self._describe(self.label)

    def hard_reset(self):
        """Goes back to the beginning and forgets samples that would begin the next round."""
        if self.shuffle:
            self._shuffle_data()
        self.cursor = -self.batch_size
        self._kept = None

    def reset(self):
        """Goes back to the beginning, in a new order with `shuffle`."""
        if self.shuffle:
            self._shuffle_data()
        if self._kept is None:
            self.cursor = -self.batch_size
        else:
            # The kept samples stand before the first one.
            self.cursor = -self._kept[0][1].shape[0] - self.batch_size

    def iter_next(self):
        self.cursor += self.batch_size
        if self.cursor >= 0:
            self._kept = None
        left = self.num_data - self.cursor
        if self.last_batch_handle == "roll_over" and 0 < left < self.batch_size:
            rest = slice(self.cursor, None)
            self._kept = [(name, array[rest].copy()) for name, array in self.data + self.label]
            return False
        return left > 0

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if not self.iter_next():
            raise StopIteration
        data, label = self.getdata(), self.getlabel()
        if self.last_batch_handle == "discard" and self.getpad():
            raise StopIteration
        return DataBatch(data=data, label=label, pad=self.getpad(), index=None)

    def _batch_of(self, offset, array):
        """The samples of the current batch from array number `offset`."""
        end = self.cursor + self.batch_size
        if self.cursor >= 0 and end <= self.num_data:
            return array[self.cursor:end]
        parts = [self._kept[offset][1]] if self.cursor < 0 else [array[self.cursor:]]
        missing = self.batch_size - parts[0].shape[0]
        while missing > 0:  # more than once when the batch is larger than all the data
            parts.append(array[:min(missing, self.num_data)])
            missing -= parts[-1].shape[0]
        return ndarray.concat(*parts, dim=0)

    def _batch(self, pairs, offset):
        if self.cursor >= self.num_data:
            raise AssertionError("NDArrayIter: the data is at its end; call reset() first")
        if self.cursor < 0 and self._kept is None:
            raise AssertionError("NDArrayIter: there is no batch yet; call next() or iter_next() first")
        return [self._batch_of(offset + i, array) for i, (_, array) in enumerate(pairs)]

    def getdata(self):
        return self._batch(self.data, 0)

    def getlabel(self):
        return self._batch(self.label, len(self.data))

    def getpad(self):
        """How many samples at the end of the batch come from the beginning."""
        if self.cursor < 0:
            return max(0, -self.cursor) if self.last_batch_handle == "roll_over" else 0
        if self.last_batch_handle == "roll_over":
            return 0
        return max(0, self.cursor + self.batch_size - self.num_data)

    def _shuffle_data(self):
        np.random.shuffle(self.idx)
        # Starting from the shuffled arrays is as good as from the original ones.
        order = self.idx
        self.data = _getdata_by_idx(self.data, order)
        self.label = _getdata_by_idx(self.label, order)
        self.data_list = [array for _, array in self.data + self.label]


class ResizeIter(DataIter):
    """Gives exactly `size` batches of another iterator, starting it over when it ends.

    Parameters
    ----------
    data_iter : DataIter
        The iterator.
    size : int
        Number of batches.
    reset_internal : bool
        Whether `reset` also resets `data_iter`.
    """

    def __init__(self, data_iter, size, reset_internal=True):
        super().__init__()
        self.data_iter = data_iter
        self.size = size
        self.reset_internal = reset_internal
        self.cur = 0
        self.current_batch = None
        self.provide_data = data_iter.provide_data
        self.provide_label = data_iter.provide_label
        self.batch_size = data_iter.batch_size
        if hasattr(data_iter, "default_bucket_key"):
            self.default_bucket_key = data_iter.default_bucket_key

    def reset(self):
        """Counts from 0 again."""
        self.cur = 0
        if self.reset_internal:
            self.data_iter.reset()

    def iter_next(self):
        if self.cur == self.size:
            return False
        try:
            self.current_batch = self.data_iter.next()
        except StopIteration:
            self.data_iter.reset()
            self.current_batch = self.data_iter.next()
        self.cur += 1
        return True

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if self.iter_next():
            return self.current_batch
        raise StopIteration

    def getdata(self):
        return self.current_batch.data

    def getlabel(self):
        return self.current_batch.label

    def getindex(self):
        return self.current_batch.index

    def getpad(self):
        return self.current_batch.pad


class _Ahead:
    """One batch of an iterator, fetched by a thread before it is asked for."""

    def __init__(self, iterator):
        self._iterator = iterator
        self.start()

    def start(self):
        """Begins to fetch the next batch."""
        self._batch = self._error = None
        self._thread = threading.Thread(target=self._fetch, daemon=True)
        self._thread.start()

    def _fetch(self):
        try:
            self._batch = self._iterator.next()
        except StopIteration:
            self._batch = None
        except Exception as error:  # raised where the batch is asked for
            self._error = error

    def take(self):
        """The batch, or None at the end."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._batch


class PrefetchingIter(DataIter):
    """Fetches the next batch of one or more iterators in threads; their batches are joined.

    Parameters
    ----------
    iters : DataIter or list of DataIter
        The iterators, which must have the same number of batches.
    rename_data, rename_label : list of dict, optional
        New names of the arrays of each iterator.
    """

    def __init__(self, iters, rename_data=None, rename_label=None):
        iters = iters if isinstance(iters, list) else [iters]
        if not iters:
            raise AssertionError("PrefetchingIter: needs at least one iterator")
        super().__init__()
        self.n_iter = len(iters)
        self.iters = iters
        self.rename_data = rename_data
        self.rename_label = rename_label
        self.batch_size = self.provide_data[0][1][0]
        self.current_batch = None
        self._ahead = [_Ahead(iterator) for iterator in iters]

    def _describe(self, attribute, renames):
        joined = []
        for k, iterator in enumerate(self.iters):
            names = renames[k] if renames else {}
            for desc in getattr(iterator, attribute):
                desc = desc if isinstance(desc, DataDesc) else DataDesc(*desc)
                joined.append(DataDesc(names.get(desc.name, desc.name), desc.shape, desc.dtype, desc.layout))
        return joined

    @property
    def provide_data(self):
        """Descriptions of the data arrays of a batch."""
        return self._describe("provide_data", self.rename_data)

    @property
    def provide_label(self):
        """Descriptions of the label arrays of a batch."""
        return self._describe("provide_label", self.rename_label)

    def reset(self):
        """Goes back to the beginning."""
        for ahead, iterator in zip(self._ahead, self.iters):
            ahead.take()  # the thread must be done with the iterator
            iterator.reset()
            ahead.start()

    def iter_next(self):
        batches = [ahead.take() for ahead in self._ahead]
        if any(batch is None for batch in batches):
            if any(batch is not None for batch in batches):
                raise AssertionError("PrefetchingIter: the iterators have different numbers of batches")
            return False
        if any(batch.pad != batches[0].pad for batch in batches):
            raise AssertionError("PrefetchingIter: the iterators fill up their batches differently")
        self.current_batch = DataBatch(
            [array for batch in batches for array in batch.data],
            [array for batch in batches for array in batch.label or ()],
            batches[0].pad, batches[0].index, provide_data=self.provide_data, provide_label=self.provide_label)
        for ahead in self._ahead:
            ahead.start()
        return True

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if self.iter_next():
            return self.current_batch
        raise StopIteration

    def getdata(self):
        return self.current_batch.data

    def getlabel(self):
        return self.current_batch.label

    def getindex(self):
        return self.current_batch.index

    def getpad(self):
        return self.current_batch.pad

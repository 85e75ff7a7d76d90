"""Data sets: samples by index."""
import os
import threading

from ... import ndarray, recordio
from .sampler import FilterSampler, Sampler, SequentialSampler

__all__ = ["ArrayDataset", "Dataset", "RecordFileDataset", "SimpleDataset"]


class Dataset:
    """The base of all data sets; a subclass gives ``dataset[i]`` and ``len(dataset)``.

    Examples
    --------
    >>> class Squares(mx.gluon.data.Dataset):
    ...     def __len__(self):
    ...         return 10
    ...     def __getitem__(self, i):
    ...         return i * i
    >>> Squares().take(3)[2]
    4
    """

    def __getitem__(self, idx):
        raise NotImplementedError(f"{type(self).__name__} must override __getitem__")

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} must override __len__")

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def filter(self, fn):
        """The samples for which ``fn(sample)`` is true."""
        return _SampledDataset(self, FilterSampler(fn, self))

    def shard(self, num_shards, index):
        """Part `index` of `num_shards` parts of nearly equal size; the first ones are the larger.

        Raises AssertionError unless ``0 <= index < num_shards``.
        """
        if not 0 <= index < num_shards:
            raise AssertionError(f"Dataset.shard: index {index} is out of range for {num_shards} shards")
        size, larger = divmod(len(self), num_shards)
        start = size * index + min(index, larger)
        return _SampledDataset(self, SequentialSampler(size + (index < larger), start))

    def take(self, count):
        """The first `count` samples, or all when there are fewer or `count` is None."""
        if count is not None and count < 0:
            raise AssertionError(f"Dataset.take: count must not be negative, got {count}")
        if count is None or count > len(self):
            count = len(self)
        return _SampledDataset(self, SequentialSampler(count))

    def sample(self, sampler):
        """The samples whose indices `sampler` (a Sampler) gives. TypeError for anything else."""
        if not isinstance(sampler, Sampler):
            raise TypeError(f"Dataset.sample: expected a Sampler, got {type(sampler)}")
        return _SampledDataset(self, sampler)

    def transform(self, fn, lazy=True):
        """The samples changed by ``fn(*sample)``: when they are asked for, or now if not `lazy`."""
        changed = _LazyTransformDataset(self, fn)
        return changed if lazy else SimpleDataset(list(changed))

    def transform_first(self, fn, lazy=True):
        """The samples with their first item changed by ``fn(item)``; labels usually come second."""
        return self.transform(_TransformFirstClosure(fn), lazy)


class SimpleDataset(Dataset):
    """A list, or anything with indices and a length, as a data set."""

    def __init__(self, data):
        self._data = data

    def __len__(self):
        return len(self._data)

    def __getitem__(self, idx):
        return self._data[idx]


class _LazyTransformDataset(Dataset):
    """Samples changed by a function when they are asked for."""

    def __init__(self, data, fn):
        self._data = data
        self._fn = fn

    def __len__(self):
        return len(self._data)

    def __getitem__(self, idx):
        item = self._data[idx]
        return self._fn(*item) if isinstance(item, tuple) else self._fn(item)


class _TransformFirstClosure:
    """A class, not a nested function, so that workers can be sent it."""

    def __init__(self, fn):
        self._fn = fn

    def __call__(self, x, *args):
        return (self._fn(x), *args) if args else self._fn(x)


class _SampledDataset(Dataset):
    """The samples that a sampler chose when the data set was made."""

    def __init__(self, dataset, sampler):
        self._dataset = dataset
        self._indices = list(sampler)

    def __len__(self):
        return len(self._indices)

    def __getitem__(self, idx):
        return self._dataset[self._indices[idx]]


class ArrayDataset(Dataset):
    """Joins arrays, lists or data sets of the same length: sample ``i`` is the tuple of their items ``i``.

    With a single array a sample is the item itself.

    Raises
    ------
    AssertionError
        Without arrays, or when their lengths differ.

    Examples
    --------
    >>> x, y = mx.nd.ones((10, 3)), mx.nd.arange(10)
    >>> data, label = mx.gluon.data.ArrayDataset(x, y)[4]
    >>> data.shape, float(label)
    ((3,), 4.0)
    """

    def __init__(self, *args):
        if not args:
            raise AssertionError("ArrayDataset: needs at least one array")
        self._length = len(args[0])
        self._data = []
        for i, data in enumerate(args):
            if len(data) != self._length:
                raise AssertionError(f"ArrayDataset: all arrays must have the same length, but array 0 has "
                                     f"{self._length} and array {i} has {len(data)} items")
            if isinstance(data, ndarray.NDArray) and len(data.shape) == 1:
                data = data.asnumpy()  # so that labels come out as numbers
            self._data.append(data)

    def __getitem__(self, idx):
        if len(self._data) == 1:
            return self._data[0][idx]
        return tuple(data[idx] for data in self._data)

    def __len__(self):
        return self._length


class RecordFileDataset(Dataset):
    """The records of a RecordIO file as bytes, in the order of its index.

    Parameters
    ----------
    filename : str
        Path of the records; the index is the file beside it that ends in .idx.

    Examples
    --------
    >>> records = mx.gluon.data.RecordFileDataset("train.rec")
    >>> header, data = mx.recordio.unpack(records[0])
    """

    def __init__(self, filename):
        self.idx_file = os.path.splitext(filename)[0] + ".idx"
        self.filename = filename
        self._record = recordio.MXIndexedRecordIO(self.idx_file, self.filename, "r")
        self._lock = threading.Lock()  # worker threads share the place in the file

    def __getitem__(self, idx):
        key = self._record.keys[idx]
        with self._lock:
            record = self._record.read_idx(key)
        if record is None:
            raise ValueError(f"RecordFileDataset: '{self.idx_file}' puts record {key} behind the end of "
                             f"'{self.filename}'; one of the two is damaged")
        return record

    def __len__(self):
        return len(self._record.keys)

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state):
        self.__dict__.update(state, _lock=threading.Lock())


class _DownloadedDataset(Dataset):
    """A data set of a few files, held in memory as `_data` and `_label`."""

    def __init__(self, root, transform):
        self._transform = transform
        self._data = None
        self._label = None
        self._root = os.path.expanduser(root)
        os.makedirs(self._root, exist_ok=True)
        self._get_data()

    def __getitem__(self, idx):
        if self._transform is not None:
            return self._transform(self._data[idx], self._label[idx])
        return self._data[idx], self._label[idx]

    def __len__(self):
        return len(self._label)

    def _get_data(self):
        """Sets `_data` and `_label`."""
        raise NotImplementedError

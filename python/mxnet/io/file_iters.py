"""Iterators over files of numbers."""
import itertools

import numpy as np

from .. import ndarray
from ..error import OSError as MXOSError
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import _params
from ._params import REQUIRED
from .iterators import DataBatch, DataDesc, DataIter

__all__ = ["CSVIter", "LibSVMIter", "MNISTIter", "MXDataIter"]

# What all of them take. The context and the buffer have no effect: batches are made where the files are read.
COMMON = {"batch_size": (int, REQUIRED), "prefetch_buffer": (int, 4), "ctx": (str, "gpu"), "dtype": (str, None),
          "data_name": (str, "data"), "label_name": (str, "softmax_label")}


class MXDataIter(DataIter):
    """The base of iterators over files.

    A subclass lists its parameters in `fields`, reads its files in `open`, which sets `data_shape` and `label_shape`
    (of one sample), and gives batches in `batches`.

    Parameters
    ----------
    batch_size : int
        Number of samples in a batch.
    dtype : str, optional
        Element type of the data.
    data_name, label_name : str
        Names of the arrays.
    kwargs
        What the iterator asks for. Values may come as text, and unknown names are ignored with a warning.
    """

    fields = {}
    default_dtype = "float32"

    def __init__(self, *args, **kwargs):
        if args:
            raise MXTypeError(f"{type(self).__name__}: arguments must be named, got {args[0]!r} without a name")
        self.params = _params.parse(type(self).__name__, kwargs, {**COMMON, **self.fields})
        super().__init__(self.params.batch_size)
        if self.batch_size < 1:
            raise MXValueError(f"{type(self).__name__}: batch_size must be at least 1, got {self.batch_size}")
        self.dtype = np.dtype(self.params.dtype or self.default_dtype).type
        self.label_dtype = np.float32
        self._current = self._batches = None
        self._overflow = 0  # samples of the next round that have filled up the last batch
        self._skip_load = False
        self.open()
        self._batches = self.batches()

    def open(self):
        """Reads the files."""
        raise NotImplementedError

    def batches(self):
        """Generates the batches of a round: data, label, padding, numbers of the samples."""
        raise NotImplementedError

    @property
    def provide_data(self):
        """Descriptions of the data arrays of a batch."""
        return [DataDesc(self.params.data_name, (self.batch_size, *self.data_shape), self.dtype)]

    @property
    def provide_label(self):
        """Descriptions of the label arrays of a batch."""
        return [DataDesc(self.params.label_name, (self.batch_size, *self.label_shape), self.label_dtype)]

    def rows_of(self, count):
        """Generates the numbers of the samples in each batch of a round of `count`, and the padding.

        With `round_batch` the last batch is filled up with the samples that the next round begins with. Otherwise it
        has fewer numbers.
        """
        start, self._overflow = self._overflow, 0
        for begin in range(start, count, self.batch_size):
            rows = np.arange(begin, begin + self.batch_size)
            pad = max(0, begin + self.batch_size - count)
            if pad == 0:
                yield rows, 0
            elif not self.params.round_batch:
                yield rows[:-pad], pad
            else:
                self._overflow = pad
                yield rows % count, pad

    def check_count(self, count):
        """Raises ValueError when there are fewer samples than `rows_of` needs for a batch."""
        if self.params.round_batch and count < self.batch_size or count == 0:
            raise MXValueError(f"{type(self).__name__}: there are {count} samples, fewer than batch_size "
                               f"{self.batch_size}; with round_batch=False one smaller batch is given")

    def part_of(self, count):
        """Where part `part_index` of `num_parts` of `count` samples begins and ends."""
        parts, index = self.params.num_parts, self.params.part_index
        if not 0 <= index < parts:
            raise MXValueError(f"{type(self).__name__}: part_index {index} is out of range for {parts} parts")
        return count * index // parts, count * (index + 1) // parts

    def reset(self):
        """Goes back to the beginning."""
        if not self._skip_load:
            self._batches = self.batches()

    def debug_skip_load(self):
        """Gives the first batch again and again, to measure how fast a program is without loading."""
        first = next(self._batches)
        self._batches = itertools.repeat(first)
        self._skip_load = True

    def iter_next(self):
        self._current = next(self._batches, None)
        return self._current is not None

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if not self.iter_next():
            raise StopIteration
        return DataBatch([self.getdata()], [self.getlabel()], self.getpad(), self.getindex())

    def _part(self, number):
        if self._current is None:
            raise AssertionError(f"{type(self).__name__}: there is no batch; call next() or iter_next() first")
        return self._current[number]

    def getdata(self):
        """The data of the current batch, one NDArray."""
        return self._part(0)

    def getlabel(self):
        """The labels of the current batch, one NDArray."""
        return self._part(1)

    def getpad(self):
        """How many samples at the end of the current batch only fill it up."""
        return self._part(2)

    def getindex(self):
        """The numbers of the samples in the current batch."""
        return self._part(3)


class _ArrayIter(MXDataIter):
    """An iterator that holds its files in memory, as `_data` and `_label`."""

    def batches(self):
        data = label = None
        for rows, pad in self.rows_of(len(self._data)):
            data, label = (self._filled(array[rows], before) for array, before in ((self._data, data),
                                                                                   (self._label, label)))
            index = np.resize(rows, self.batch_size).astype(np.uint64)
            yield (ndarray.array(data, dtype=self.dtype), ndarray.array(label, dtype=self.label_dtype), pad, index)

    def _filled(self, rows, before):
        """`rows`, filled up with what stood there in the batch before."""
        if len(rows) == self.batch_size:
            return rows
        if before is None:
            before = np.zeros((self.batch_size, *rows.shape[1:]), rows.dtype)
        return np.concatenate([rows, before[len(rows):]])


class CSVIter(_ArrayIter):
    """Batches of the rows of CSV files.

    Parameters
    ----------
    data_csv : str
        Path of the file: rows of numbers with commas between them.
    data_shape : tuple of int
        Shape of a sample, which is a row.
    label_csv : str
        Path of the file of labels; without one, labels are 0.
    label_shape : tuple of int
        Shape of a label; with ``(1,)`` the labels of a batch have shape (batch_size,).
    batch_size : int
        Number of samples in a batch.
    round_batch : bool
        Whether the last batch is filled up with the samples that the next round begins with.
    dtype : str
        Element type; 'float32' by default.

    Raises
    ------
    mxnet.error.OSError
        When a file cannot be read.
    mxnet.error.ValueError
        For rows that are no numbers or do not fit the shape.

    Examples
    --------
    >>> numpy.savetxt("data.csv", numpy.arange(12).reshape(4, 3), delimiter=",")
    >>> iterator = mx.io.CSVIter(data_csv="data.csv", data_shape=(3,), batch_size=2)
    >>> next(iterator).data[0].shape
    (2, 3)
    """

    fields = {"data_csv": (str, REQUIRED), "data_shape": (tuple, REQUIRED), "label_csv": (str, "NULL"),
              "label_shape": (tuple, (1,)), "round_batch": (bool, True)}

    def open(self):
        p = self.params
        self.data_shape = p.data_shape
        self.label_shape = () if p.label_shape == (1,) else p.label_shape
        self.label_dtype = self.dtype
        self._data = self._read(p.data_csv, self.data_shape)
        self.check_count(len(self._data))
        if p.label_csv == "NULL":
            self._label = np.zeros((len(self._data), *self.label_shape), self.dtype)
            return
        self._label = self._read(p.label_csv, self.label_shape)
        if len(self._label) != len(self._data):
            raise MXValueError(f"CSVIter: '{p.data_csv}' has {len(self._data)} rows, but '{p.label_csv}' has "
                               f"{len(self._label)}")

    def _read(self, path, shape):
        try:
            rows = np.loadtxt(path, dtype=self.dtype, delimiter=",", ndmin=2, encoding="utf-8")
        except OSError as error:
            raise MXOSError(f"CSVIter: '{path}' cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise MXValueError(f"CSVIter: '{path}': {error}") from None
        if rows.shape[1] != np.prod(shape, dtype=int):
            raise MXValueError(f"CSVIter: a row of '{path}' has {rows.shape[1]} numbers, which do not make shape "
                               f"{shape}")
        return rows.reshape(-1, *shape)


class LibSVMIter(_ArrayIter):
    """Batches of the rows of LibSVM files: a label, and the elements that are not 0 as ``index:value``.

    Data are dense arrays.

    Parameters
    ----------
    data_libsvm : str
        Path of the file.
    data_shape : tuple of int
        Length of a row; indices begin with 0.
    label_libsvm : str
        Path of a file of labels of the same format; by default they come from `data_libsvm`.
    label_shape : tuple of int
        Length of a label.
    num_parts, part_index : int
        Takes one of so many parts of the rows.
    batch_size : int
        Number of samples in a batch.
    round_batch : bool
        Must be true: the last batch is filled up with the samples that the next round begins with.

    Raises
    ------
    mxnet.error.OSError
        When a file cannot be read.
    mxnet.error.ValueError
        For a line that is no such row.
    """

    fields = {"data_libsvm": (str, REQUIRED), "data_shape": (tuple, REQUIRED), "label_libsvm": (str, "NULL"),
              "label_shape": (tuple, (1,)), "num_parts": (int, 1), "part_index": (int, 0), "round_batch": (bool, True)}

    def open(self):
        p = self.params
        if not p.round_batch:
            raise MXValueError("LibSVMIter: round_batch=False is not supported")
        self.data_shape = p.data_shape
        self._data, label = self._read(p.data_libsvm, self.data_shape)
        if p.label_libsvm != "NULL":
            self.label_shape = p.label_shape
            label = self._read(p.label_libsvm, p.label_shape)[0]
            if len(label) < len(self._data):
                raise MXValueError(f"LibSVMIter: '{p.data_libsvm}' has {len(self._data)} rows, but '{p.label_libsvm}' "
                                   f"has {len(label)}")
        else:
            self.label_shape = ()
        begin, end = self.part_of(len(self._data))
        self._data, self._label = self._data[begin:end], label[begin:end]
        self.check_count(end - begin)

    def _read(self, path, shape):
        if len(shape) != 1:
            raise MXValueError(f"LibSVMIter: rows have one axis, got shape {shape}")
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = [(number, line.split()) for number, line in enumerate(file, 1) if line.strip()]
        except OSError as error:
            raise MXOSError(f"LibSVMIter: '{path}' cannot be read: {error.strerror}") from None
        rows, labels = np.zeros((len(lines), *shape), self.dtype), np.zeros(len(lines), np.float32)
        for row, (number, (label, *elements)) in enumerate(lines):
            try:
                labels[row] = float(label.split(":")[0])
                for element in elements:
                    index, value = element.split(":")
                    if not 0 <= int(index) < shape[0]:
                        raise ValueError
                    rows[row, int(index)] = float(value)
            except ValueError:
                text = " ".join([label, *elements])[:100]
                raise MXValueError(f"LibSVMIter: '{path}', line {number}: expected a label and elements index:value "
                                   f"with indices below {shape[0]}, got '{text}'") from None
        return rows, labels


class MNISTIter(_ArrayIter):
    """Batches of the images in idx files, as MNIST has them: numbers of 0 to 1.

    Samples left over at the end are left out.

    Parameters
    ----------
    image, label : str
        Paths of the files, gzipped or not.
    batch_size : int
        Number of samples in a batch.
    shuffle : bool
        Whether the order is random; it is the same in each round.
    seed : int
        Seed of the order.
    flat : bool
        Whether images have shape (height * width,) or (1, height, width).
    silent : bool
        Accepted for compatibility: nothing is printed.
    num_parts, part_index : int
        Takes one of so many parts of the images.

    Raises
    ------
    mxnet.error.OSError
        When a file cannot be read.
    mxnet.error.ValueError
        For files that are damaged or do not fit each other.

    Examples
    --------
    >>> iterator = mx.io.MNISTIter(image="train-images-idx3-ubyte", label="train-labels-idx1-ubyte", batch_size=100)
    >>> next(iterator).data[0].shape
    (100, 1, 28, 28)
    """

    fields = {"image": (str, "./train-images-idx3-ubyte"), "label": (str, "./train-labels-idx1-ubyte"),
              "batch_size": (int, 128), "shuffle": (bool, True), "flat": (bool, False), "seed": (int, 0),
              "silent": (bool, False), "num_parts": (int, 1), "part_index": (int, 0)}

    def open(self):
        from ..gluon.data.vision.datasets import _read_idx
        p = self.params
        try:
            images, labels = _read_idx(p.image, 3), _read_idx(p.label, 1)
        except OSError as error:
            raise MXOSError(f"MNISTIter: '{error.filename}' cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise MXValueError(f"MNISTIter: {error}") from None
        if len(images) != len(labels):
            raise MXValueError(f"MNISTIter: '{p.image}' has {len(images)} images, but '{p.label}' has {len(labels)} "
                               "labels")
        begin, end = self.part_of(len(images))
        order = np.arange(begin, end)
        if p.shuffle:
            np.random.RandomState(p.seed).shuffle(order)
        images = images[order] * self.dtype(1 / 256) if self.dtype is not np.uint8 else images[order]
        self._data = images.reshape(len(order), -1) if p.flat else images[:, np.newaxis]
        self._label = labels[order]
        self.data_shape, self.label_shape = self._data.shape[1:], ()

    def rows_of(self, count):
        for begin in range(0, count - self.batch_size + 1, self.batch_size):
            yield np.arange(begin, begin + self.batch_size), 0

"""The binary format of ``.params`` files, as MXNet 1.x writes and reads it.

A file is: magic number, a reserved number, the count of arrays and the arrays, the count of names and
the names. An array is: magic number of its version, storage type, shape, context, element type, data.
All numbers are little-endian.
"""
import struct

import numpy as np

from ..error import NotImplementedError as MXNotImplementedError
from ..error import ValueError as MXValueError
from ..util import is_np_shape
from ._dtype import _DTYPE_MX_TO_NP, _DTYPE_NP_TO_MX, bfloat16
from .creation import from_host

_FILE_MAGIC = 0x112
# Version 1 has no storage type; in version 3 a rank of 0 is a scalar and not "no array".
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_STORAGE = {0: "default", 1: "row_sparse", 2: "csr"}
_MAX_RANK = 64


def array_record(array):
    """The bytes of one array, as a list of parts."""
    host = array.asnumpy()
    magic = _V3 if is_np_shape() or array.ndim == 0 else _V2
    number = _DTYPE_NP_TO_MX[array.dtype]
    head = struct.pack(f"<IiI{array.ndim}q", magic, 0, array.ndim, *array.shape) + struct.pack("<iii", 1, 0, number)
    return [head, memoryview(np.ascontiguousarray(host).reshape(-1).view(np.uint8))]


def write_arrays(file, arrays, names):
    """Writes arrays and their names (none, or one each) to a binary file object."""
    file.write(struct.pack("<QQQ", _FILE_MAGIC, 0, len(arrays)))
    for array in arrays:
        for part in array_record(array):
            file.write(part)
    file.write(struct.pack("<Q", len(names)))
    for name in names:
        text = name.encode("utf-8")
        file.write(struct.pack("<Q", len(text)) + text)


def read_arrays(buffer, source):
    """``(arrays, names)`` of a file's contents; `source` names it in messages.

    Raises ValueError when the contents are foreign, damaged or cut off.
    """
    try:
        return _Reader(buffer, source, scalars=True).file()
    except MXValueError:
        # MXNet 1.x wrote a missing array and a scalar alike in version 2: rank 0, then what the
        # scalar holds. Only the rest of the file tells them apart.
        reader = _Reader(buffer, source, scalars=False)
        if not reader.has_rank_zero():
            raise
        return reader.file()


def read_array(buffer, source):
    """The array of one record, as in pickles."""
    return _Reader(buffer, source, scalars=True).array()


class _Reader:
    """Reads the format from a bytes-like object."""

    def __init__(self, buffer, source, scalars):
        self._bytes = memoryview(buffer).cast("B")
        self._at = 0
        self._source = source
        self._scalars = scalars
        self._doing = "the header"

    def _fail(self, what):
        raise MXValueError(f"load: {self._source} {what}")

    def _take(self, size):
        left = len(self._bytes) - self._at
        if size > left:
            self._fail(f"ends early: {self._doing} needs {size} more bytes, {left} are left")
        self._at += size
        return self._bytes[self._at - size:self._at]

    def _numbers(self, format):
        return struct.unpack(f"<{format}", self._take(struct.calcsize(f"<{format}")))

    def _count(self, what, least_bytes):
        """A count of things that take `least_bytes` each, so that a damaged one is noticed."""
        count, = self._numbers("Q")
        if count * least_bytes > len(self._bytes) - self._at:
            self._fail(f"is damaged or ends early: it announces {count} {what}, "
                       f"but only {len(self._bytes) - self._at} bytes follow")
        return count

    def file(self):
        if len(self._bytes) < 8 or struct.unpack("<Q", self._bytes[:8])[0] != _FILE_MAGIC:
            start = bytes(self._bytes[:8])
            self._fail(f"is not a file of arrays: it starts with {start!r}" if start else "is empty")
        self._numbers("QQ")
        arrays = []
        count = self._count("arrays", 4)
        for i in range(count):
            self._doing = f"array {i} of {count}"
            arrays.append(self.array())
        self._doing = "the list of names"
        names = []
        for _ in range(self._count("names", 8)):
            size, = self._numbers("Q")
            names.append(self._text(self._take(size)))
        if names and len(names) != len(arrays):
            self._fail(f"is damaged: it has {len(arrays)} arrays but {len(names)} names")
        return arrays, names

    def _text(self, data):
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError:
            return self._fail(f"is damaged: {bytes(data[:32])!r} is no name in UTF-8")

    def has_rank_zero(self):
        """Whether a version 2 record of rank 0 may occur."""
        pattern = struct.pack("<IiI", _V2, 0, 0)
        return pattern in bytes(self._bytes)

    def array(self):
        magic, = self._numbers("I")
        if magic not in (_V1, _V2, _V3):
            # Before versions: the number was the rank.
            return self._dense(self._shape(magic, "I")) if magic else self._missing()
        storage = self._numbers("i")[0] if magic != _V1 else 0
        if storage in (1, 2):
            raise MXNotImplementedError(f"load: {self._doing} in {self._source} is a {_STORAGE[storage]} array; "
                                        "sparse arrays cannot be read")
        if storage != 0:
            self._fail(f"is damaged: {self._doing} has the unknown storage type {storage}")
        rank, = self._numbers("I")
        shape = self._shape(rank, "q")
        if rank == 0 and (magic == _V1 or (magic == _V2 and not self._scalars)):
            return self._missing()
        return self._dense(shape)

    @staticmethod
    def _missing():
        from .ndarray import NDArray
        return NDArray(None)

    def _shape(self, rank, code):
        if rank > _MAX_RANK:
            self._fail(f"is damaged: {self._doing} has the impossible rank or version {rank:#x}")
        shape = self._numbers(f"{rank}{code}")
        if any(extent < 0 for extent in shape):
            self._fail(f"is damaged: {self._doing} has the impossible shape {shape}")
        return shape

    def _dense(self, shape):
        self._numbers("ii")  # the context it was saved from; arrays are read to the CPU
        number, = self._numbers("i")
        dtype = _DTYPE_MX_TO_NP.get(number)
        if dtype is None:
            self._fail(f"is damaged: {self._doing} has the unknown element type {number}")
        count = 1
        for extent in shape:
            count *= extent
        doing, self._doing = self._doing, f"{self._doing} of shape {tuple(shape)}"
        data = self._take(count * np.dtype(dtype).itemsize)
        self._doing = doing
        host = np.frombuffer(data, np.uint16 if dtype == bfloat16 else dtype).reshape(shape)
        return from_host(host.view(bfloat16) if dtype == bfloat16 else host, 1, 0)

"""RecordIO files read by place."""
import mmap
import os
import struct
import threading

import numpy as np

from .. import recordio
from ..error import OSError as MXOSError
from ..error import ValueError as MXValueError

__all__ = ["Records", "record_places"]

_HEADER = struct.Struct("<II")
_MAGIC = 0xCED7230A


def record_places(path):
    """Where each record of a RecordIO file begins, found by going from header to header.

    OSError for a file that cannot be read, ValueError for one that is damaged.
    """
    places = []
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                return places
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                at = 0
                while at + _HEADER.size <= len(content):
                    magic, word = _HEADER.unpack_from(content, at)
                    if magic != _MAGIC:
                        raise MXValueError(f"'{path}' holds no record at byte {at}; the file is damaged or no RecordIO "
                                           "file")
                    if word >> 29 in (0, 1):  # whole, or the first part
                        places.append(at)
                    at += _HEADER.size + (word & (1 << 29) - 1) + 3 & ~3
    except OSError as error:
        raise MXOSError(f"'{path}' cannot be read: {error.strerror}") from None
    return places


class Records(recordio.MXRecordIO):
    """A RecordIO file whose records several threads read by number.

    Parameters
    ----------
    path : str
        The file.
    index_path : str
        Its index; where it is empty, the file itself is gone through.
    """

    def __init__(self, path, index_path=""):
        if index_path:
            index = recordio.MXIndexedRecordIO(index_path, path, "r")
            self.places = [index.idx[key] for key in index.keys]
            index.close()
        else:
            self.places = record_places(path)
        self._lock = threading.Lock()
        super().__init__(path, "r")

    def __len__(self):
        return len(self.places)

    def read_number(self, number):
        """The header of record `number`, with its labels as a float32 array, and what follows it."""
        with self._lock:
            self._file.seek(self.places[number])
            record = self.read()
        header, content = recordio.unpack(record)
        return header._replace(label=np.atleast_1d(np.asarray(header.label, np.float32))), content

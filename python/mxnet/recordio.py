"""RecordIO: files of binary records one after another, as im2rec writes and image iterators read.

A record is a magic number, a word with a flag (3 bits) and a length (29 bits), the contents, and zeros up to a
multiple of four bytes. Where the contents hold the magic number at a multiple of four, they are cut there into
several parts, so that a reader that starts anywhere finds the next record by looking for the number.
"""
import os
import struct
import threading
from collections import namedtuple

import numpy as np

from . import error
from ._opencv import opencv
from .base import MXNetError

__all__ = ["IRHeader", "MXIndexedRecordIO", "MXRecordIO", "pack", "pack_img", "unpack", "unpack_img"]

_MAGIC = struct.pack("<I", 0xCED7230A)
_HEADER = struct.Struct("<4sI")
_LONGEST = (1 << 29) - 1  # bytes of a part
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def _parts(data):
    """The parts of a record: `data` cut at each magic number that lies at a multiple of four."""
    begin, at = 0, data.find(_MAGIC)
    while at >= 0:
        if at % 4 == 0:
            yield _FIRST if begin == 0 else _MIDDLE, data[begin:at]
            begin = at + 4
            at = data.find(_MAGIC, begin)
        else:
            at = data.find(_MAGIC, at + 1)
    yield _WHOLE if begin == 0 else _LAST, data[begin:]


def _encoded(data):
    """The bytes that hold a record in the file."""
    pieces = []
    for flag, part in _parts(data):
        if len(part) > _LONGEST:
            raise error.ValueError(f"RecordIO: a record holds {len(part)} bytes, at most {_LONGEST} are allowed")
        pieces += [_HEADER.pack(_MAGIC, flag << 29 | len(part)), part, bytes(-len(part) % 4)]
    return b"".join(pieces)


class MXRecordIO:
    """A file of records, read or written from the beginning on.

    It can be pickled; the copy is opened anew. In a process made by ``fork``, reading begins anew as well, and
    writing raises RuntimeError.

    Parameters
    ----------
    uri : str
        Path of the file. OSError if it cannot be opened.
    flag : {'r', 'w'}
        Whether to read or to write. ValueError for anything else.

    Examples
    --------
    >>> file = mx.recordio.MXRecordIO("numbers.rec", "w")
    >>> for i in range(3):
    ...     file.write(b"number %d" % i)
    >>> file.close()
    >>> mx.recordio.MXRecordIO("numbers.rec", "r").read()
    b'number 0'
    """

    def __init__(self, uri, flag):
        self.uri = os.fspath(uri)
        self.flag = flag
        self.is_open = False
        self.open()

    def open(self):
        """Opens the file, at its beginning; one for writing is emptied."""
        if self.flag not in ("r", "w"):
            raise error.ValueError(f"RecordIO: flag is {self.flag!r}, expected 'r' or 'w'")
        self.writable = self.flag == "w"
        try:
            # Written without a buffer: a forked process must not write a copy of it when it ends.
            self._file = open(self.uri, "wb", buffering=0) if self.writable else open(self.uri, "rb")
        except OSError as failure:
            raise error.OSError(f"RecordIO: '{self.uri}' cannot be opened: {failure.strerror}") from failure
        self.pid = os.getpid()
        self._lock = threading.Lock()  # of the place in the file
        self.is_open = True

    def close(self):
        """Closes the file; again does nothing."""
        if self.is_open:
            self.is_open = False
            self._file.close()

    def reset(self):
        """Goes back to the beginning; a file for writing is emptied."""
        self.close()
        self.open()

    def write(self, buf):
        """Appends a record: bytes, or anything with the buffer protocol."""
        if not self.writable:
            raise error.ValueError(f"RecordIO: '{self.uri}' is open for reading, not for writing")
        self._check_process()
        rest = memoryview(_encoded(bytes(buf)))
        while rest:
            rest = rest[self._file.write(rest):]

    def read(self):
        """The next record as bytes; None at the end of the file."""
        if self.writable:
            raise error.ValueError(f"RecordIO: '{self.uri}' is open for writing, not for reading")
        self._check_process(allow_reset=True)
        flag, data = self._read_part()
        if flag in (_WHOLE, None):
            return data
        if flag != _FIRST:
            self._fail("a record begins with a later part of one")
        parts = [data]
        while flag != _LAST:
            flag, data = self._read_part()
            if flag not in (_MIDDLE, _LAST):
                self._fail("a record of several parts is not complete")
            parts.append(data)
        return _MAGIC.join(parts)

    def _read_part(self):
        header = self._file.read(_HEADER.size)
        if not header:
            return None, None
        if len(header) < _HEADER.size:
            self._fail("it ends within the header of a record")
        magic, word = _HEADER.unpack(header)
        if magic != _MAGIC:
            self._fail("no record begins here; the file is damaged or no RecordIO file", -_HEADER.size)
        length = word & _LONGEST
        data = self._file.read(length + -length % 4)
        if len(data) < length:
            self._fail(f"it ends within a record of {length} bytes")
        return word >> 29, data if len(data) == length else data[:length]

    def _fail(self, what, back=0):
        raise error.ValueError(f"RecordIO: '{self.uri}', byte {self._file.tell() + back}: {what}")

    def _check_process(self, allow_reset=False):
        if not self.is_open:
            raise error.ValueError(f"RecordIO: '{self.uri}' is closed")
        if self.pid == os.getpid():
            return
        if not allow_reset:
            raise RuntimeError(f"RecordIO: '{self.uri}' was opened by another process; only that one can write")
        self.reset()

    def __getstate__(self):
        state = self.__dict__.copy()
        state.pop("_file", None)
        state.pop("_lock", None)
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        if self.is_open:
            self.is_open = False
            self.open()

    def __del__(self):
        if getattr(self, "is_open", False):
            self.close()


class MXIndexedRecordIO(MXRecordIO):
    """A file of records with a second file that says where each one, named by a key, begins.

    Parameters
    ----------
    idx_path : str
        Path of the index: a line for each record with its key and its place, a tab between them.
    uri : str
        Path of the records.
    flag : {'r', 'w'}
        Whether to read or to write.
    key_type : type
        What a key is made of its text with.

    Examples
    --------
    >>> file = mx.recordio.MXIndexedRecordIO("numbers.idx", "numbers.rec", "w")
    >>> for i in range(3):
    ...     file.write_idx(i, b"number %d" % i)
    >>> file.close()
    >>> file = mx.recordio.MXIndexedRecordIO("numbers.idx", "numbers.rec", "r")
    >>> file.read_idx(2), file.keys
    (b'number 2', [0, 1, 2])
    """

    def __init__(self, idx_path, uri, flag, key_type=int):
        self.idx_path = os.fspath(idx_path)
        self.idx = {}
        self.keys = []
        self.key_type = key_type
        self.fidx = None
        super().__init__(uri, flag)

    def open(self):
        """Opens both files, at their beginning."""
        super().open()
        self.idx = {}
        self.keys = []
        try:
            self.fidx = open(self.idx_path, self.flag, buffering=1)
        except OSError as failure:
            self.close()
            raise error.OSError(f"RecordIO: '{self.idx_path}' cannot be opened: {failure.strerror}") from failure
        if not self.writable:
            self._read_index()

    def _read_index(self):
        for number, line in enumerate(self.fidx, 1):
            try:
                key, place = line.rstrip("\n").split("\t")[:2]
                key, place = self.key_type(key), int(place)
            except ValueError:
                self.close()
                raise error.ValueError(f"RecordIO: '{self.idx_path}', line {number}: expected a key, a tab and a "
                                       f"number, got {line.rstrip()!r}") from None
            self.idx[key] = place
            self.keys.append(key)

    def close(self):
        """Closes both files; again does nothing."""
        super().close()
        if self.fidx is not None:
            self.fidx.close()
            self.fidx = None

    def seek(self, idx):
        """Makes the record of key `idx` the next one that is read. KeyError if there is none."""
        if self.writable:
            raise error.ValueError(f"RecordIO: '{self.uri}' is open for writing, not for reading")
        self._check_process(allow_reset=True)
        if idx not in self.idx:
            raise error.KeyError(f"RecordIO: '{self.idx_path}' has no key {idx!r}")
        self._file.seek(self.idx[idx])

    def tell(self):
        """The place in the file, where the next record begins."""
        self._check_process(allow_reset=not self.writable)
        return self._file.tell()

    def read_idx(self, idx):
        """The record of key `idx` as bytes. Threads may share the file."""
        self._check_process(allow_reset=not self.writable)
        with self._lock:
            self.seek(idx)
            return self.read()

    def write_idx(self, idx, buf):
        """Appends a record under the key `idx`."""
        key = self.key_type(idx)
        place = self.tell()
        self.write(buf)
        self.fidx.write(f"{key}\t{place}\n")
        self.idx[key] = place
        self.keys.append(key)

    def __getstate__(self):
        state = super().__getstate__()
        state["fidx"] = None
        return state


IRHeader = namedtuple("HEADER", ["flag", "label", "id", "id2"])
IRHeader.__doc__ = """What stands before an image in its record.

flag : int
    Number of labels where there are several; 0 for one.
label : float or array
    One label, or several.
id, id2 : int
    Two numbers that name the image.
"""
HEADER = IRHeader  # where pickle looks for it
_IR_FORMAT = "<IfQQ"
_IR_SIZE = struct.calcsize(_IR_FORMAT)


def pack(header, s):
    """The contents of a record: a header and bytes.

    Parameters
    ----------
    header : IRHeader or tuple
        With a number as label, or an array, which makes `flag` its size.
    s : bytes
        What follows, such as an encoded image.

    Examples
    --------
    >>> mx.recordio.unpack(mx.recordio.pack((0, 4.0, 2574, 0), b"data"))
    (HEADER(flag=0, label=4.0, id=2574, id2=0), b'data')
    """
    header = IRHeader(*header)
    labels = b""
    if np.ndim(header.label) == 0:
        header = header._replace(flag=0)
    else:
        label = np.asarray(header.label, dtype=np.float32)
        header = header._replace(flag=label.size, label=0)
        labels = label.tobytes()
    return struct.pack(_IR_FORMAT, *header) + labels + s


def unpack(s):
    """The header and the bytes that `pack` joined. ValueError where there are too few bytes."""
    if len(s) < _IR_SIZE:
        raise error.ValueError(f"unpack: the record has {len(s)} bytes, fewer than the {_IR_SIZE} of a header")
    header = IRHeader(*struct.unpack_from(_IR_FORMAT, s))
    begin = _IR_SIZE + 4 * header.flag
    if header.flag > 0:
        if len(s) < begin:
            raise error.ValueError(f"unpack: the record has {len(s)} bytes, too few for its {header.flag} labels")
        header = header._replace(label=np.frombuffer(s, np.float32, header.flag, _IR_SIZE))
    return header, s[begin:]


def pack_img(header, img, quality=95, img_fmt=".jpg"):
    """Like `pack`, of an image that is encoded first.

    Parameters
    ----------
    header : IRHeader
        As in `pack`.
    img : numpy.ndarray
        Image of shape (height, width, 3), blue first, or (height, width).
    quality : int
        Quality 1 to 100 of a JPEG, or compression 0 to 9 of a PNG.
    img_fmt : str
        '.jpg', '.jpeg' or '.png'.
    """
    cv2 = opencv()
    kind = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".jpeg": cv2.IMWRITE_JPEG_QUALITY,
            ".png": cv2.IMWRITE_PNG_COMPRESSION}.get(img_fmt.lower())
    done, encoded = cv2.imencode(img_fmt, img, None if kind is None else [kind, quality])
    if not done:
        raise MXNetError(f"pack_img: an image of shape {np.shape(img)} cannot be encoded as '{img_fmt}'")
    return pack(header, encoded.tobytes())


def unpack_img(s, iscolor=-1):
    """The header of a record and its image, decoded: (height, width, 3), blue first, or (height, width).

    Parameters
    ----------
    s : bytes
        What `pack_img` gave.
    iscolor : int
        1 for a colour image, 0 for a grey one, -1 for the image as it is.
    """
    header, data = unpack(s)
    image = opencv().imdecode(np.frombuffer(data, np.uint8), iscolor) if data else None
    if image is None:
        raise error.ValueError(f"unpack_img: the {len(data)} bytes behind the header are no image that can be decoded")
    return header, image

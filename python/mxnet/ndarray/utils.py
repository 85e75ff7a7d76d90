"""Arrays in files, and the makers of arrays of any storage type."""
import itertools
import mmap
import os

from .. import _core
from ..error import OSError as MXOSError
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import serialization
from .creation import array, empty, zeros

__all__ = ["array", "empty", "load", "load_frombuffer", "save", "zeros"]

_serial = itertools.count()


def save(fname, data):
    """Writes arrays to a file in the format of MXNet 1.x (``.params``).

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    fname : str or path
        Where to write.
    data : NDArray, list of NDArray, or dict from str to NDArray
        What to write.

    Raises
    ------
    TypeError
        When `data` is anything else.
    OSError
        When the file cannot be written.

    Examples
    --------
    >>> mx.nd.save("weights.params", {"w": mx.nd.ones((2, 3))})
    >>> mx.nd.load("weights.params")["w"].shape
    (2, 3)
    """
    if isinstance(data, _core.NDArrayBase):
        data = [data]
    if isinstance(data, dict):
        names, arrays = list(data), list(data.values())
    elif isinstance(data, (list, tuple)):
        names, arrays = [], list(data)
    else:
        raise MXValueError(f"save: data must be an NDArray, or a list or dict of them, got {type(data).__name__}")
    if not all(isinstance(name, str) for name in names) or \
            not all(isinstance(x, _core.NDArrayBase) for x in arrays):
        raise MXTypeError("save: data must hold NDArrays only, and the keys of a dict must be text")
    try:
        _replace(os.fspath(fname), lambda file: serialization.write_arrays(file, arrays, names))
    except OSError as error:
        raise MXOSError(f"save: cannot write {fname!r}: {error.strerror or error}") from error


def _replace(path, write):
    """Calls `write` with a new binary file that takes the place of `path` once it is complete."""
    if os.path.exists(path) and not os.path.isfile(path):  # a device or pipe
        with open(path, "wb") as file:
            write(file)
        return
    path = os.path.realpath(path)
    temporary = f"{path}.{os.getpid()}.{next(_serial)}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(handle, "wb") as file:
            write(file)
        if os.path.exists(path):
            os.chmod(temporary, os.stat(path).st_mode & 0o777)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def load(fname):
    """Reads the arrays of a file that `save`, or any MXNet 1.x or 0.x, has written.

    Parameters
    ----------
    fname : str or path
        The file.

    Returns
    -------
    list of NDArray, or dict from str to NDArray if they were saved with names
        On the CPU, whatever device they were saved from.

    Raises
    ------
    OSError
        When the file cannot be opened.
    ValueError
        When it is not a file of arrays, damaged, or cut off.

    Examples
    --------
    >>> mx.nd.save("list.params", [mx.nd.zeros((2,))])
    >>> mx.nd.load("list.params")
    [
    [0. 0.]
    <NDArray 2 @cpu(0)>]
    """
    if not isinstance(fname, (str, os.PathLike)):
        raise MXTypeError(f"load: fname must be text or a path, got {type(fname).__name__}")
    try:
        with open(fname, "rb") as file:
            try:
                buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (ValueError, OSError):  # empty, or not a regular file
                buffer = file.read()
    except OSError as error:
        raise MXOSError(f"load: cannot read {os.fspath(fname)!r}: {error.strerror or error}") from error
    return _collect(*serialization.read_arrays(buffer, repr(os.fspath(fname))))


def load_frombuffer(buf):
    """The arrays in the contents of a file, given as bytes; otherwise as `load`.

    Examples
    --------
    >>> mx.nd.save("list.params", [mx.nd.zeros((2,))])
    >>> len(mx.nd.load_frombuffer(open("list.params", "rb").read()))
    1
    """
    if not isinstance(buf, (bytes, bytearray, memoryview)):
        raise MXTypeError(f"load_frombuffer: buf must be bytes, got {type(buf).__name__}")
    return _collect(*serialization.read_arrays(buf, "the buffer"))


def _collect(arrays, names):
    return dict(zip(names, arrays)) if names else arrays

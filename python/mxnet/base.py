"""Names that everything else leans on: errors, type tuples and small helpers."""
import ctypes
import os

import numpy as np

__all__ = ["MXNetError"]

# How long an idle thread of the compute team spins before it sleeps; libgomp reads it when the core loads it. Its own
# default spins for milliseconds, which on a machine with a busy neighbour costs many times the work itself.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

string_types = (str,)
numeric_types = (float, int, np.generic)
integer_types = (int, np.int32, np.int64)
long = int
basestring = str

mx_real_t = np.float32
# NumPy has no bfloat16; one 16-bit field named after it stands in, as in files of MXNet 1.x.
bfloat16 = np.dtype([("bfloat16", np.uint16)])

# The ctypes names that client code imports for annotations and isinstance checks.
mx_uint = ctypes.c_uint
mx_float = ctypes.c_float
mx_int = ctypes.c_int
mx_int64 = ctypes.c_int64
NDArrayHandle = ctypes.c_void_p
SymbolHandle = ctypes.c_void_p
ExecutorHandle = ctypes.c_void_p
CachedOpHandle = ctypes.c_void_p
DataIterHandle = ctypes.c_void_p
KVStoreHandle = ctypes.c_void_p
RecordIOHandle = ctypes.c_void_p
OpHandle = ctypes.c_void_p


class MXNetError(RuntimeError):
    """The base of every error raised by mxnet.

    An error that fits a Python builtin is also that builtin (see `mxnet.error`), so both
    ``except mx.MXNetError`` and ``except ValueError`` work.
    """


class _UnsupportedCall(MXNetError):
    """Says that `function` cannot be called on a kind of object."""

    kind = "this kind of object"

    def __init__(self, function, alias, *args):
        super().__init__()
        self.function = getattr(function, "__name__", str(function))
        self.alias = alias
        self.args = [str(type(a)) for a in args]

    def __str__(self):
        text = f"Function {self.function}"
        if self.alias:
            text += f" (namely operator \"{self.alias}\")"
        if self.args:
            text += f" with arguments ({', '.join(self.args)})"
        return f"{text} is not supported for {self.kind}."


class NotImplementedForSymbol(_UnsupportedCall):
    """Raised by an NDArray method that a Symbol cannot offer."""

    kind = "Symbol and only available in NDArray"


class NotSupportedForSparseNDArray(_UnsupportedCall):
    """Raised by an NDArray method that a sparse array cannot offer."""

    kind = "SparseNDArray"


class _NullType:
    """The type of `_Null`, the default of parameters that were not given."""

    _instance = None

    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __repr__(self):
        return "_Null"

    def __reduce__(self):
        return _NullType, ()


_Null = _NullType()


class _NoCLibraryError(AttributeError, NotImplementedError):
    """Raised for every name of the C API; an AttributeError, so that ``hasattr(_LIB, name)`` is False."""


class _NoCLibrary:
    """Stands where MXNet 1.x kept its C API: any use says what to do instead."""

    def __getattr__(self, name):
        raise _NoCLibraryError(
            f"_LIB.{name}: there is no C API behind this package; use the public Python functions "
            "(mx.nd, mx.sym, mx.autograd, ...) or the C++ headers instead.")


_LIB = _NoCLibrary()


def check_call(ret):
    """Raises MXNetError when a C API style return code is not 0."""
    if ret != 0:
        raise MXNetError(f"a library call failed with code {ret}")


def py_str(x):
    """The text of UTF-8 `bytes`; text stays as it is."""
    return x if isinstance(x, str) else x.decode("utf-8")


def c_str(string):
    """`string` as a ctypes char pointer."""
    return ctypes.c_char_p(string.encode("utf-8"))


def c_array(ctype, values):
    """A ctypes array of `values`."""
    return (ctype * len(values))(*values)


def c_array_buf(ctype, buffer):
    """A ctypes array with the contents of a buffer, such as an `array.array`."""
    return (ctype * len(buffer)).from_buffer(buffer)


def c_handle_array(objs):
    """A list of the handles of `objs`; there are no pointers behind them."""
    return [obj.handle for obj in objs]


def c_str_array(strings):
    """A ctypes array of char pointers."""
    return c_array(ctypes.c_char_p, [s.encode("utf-8") for s in strings])


def _as_list(obj):
    """`obj` if it is a list or tuple, else a list that holds it."""
    return obj if isinstance(obj, (list, tuple)) else [obj]


def data_dir_default():
    """The folder of data sets and models when MXNET_HOME is not set: ``~/.mxnet``."""
    if os.name == "nt":
        return os.path.join(os.environ.get("APPDATA", os.path.expanduser("~")), "mxnet")
    return os.path.join(os.path.expanduser("~"), ".mxnet")


def data_dir():
    """The folder of data sets and models: MXNET_HOME, or ``~/.mxnet``."""
    return os.environ.get("MXNET_HOME", data_dir_default())


class _MXClassPropertyDescriptor:
    """A property of the class itself; use `classproperty`."""

    def __init__(self, fget, fset=None):
        self.fget = fget
        self.fset = fset

    def __get__(self, obj, owner=None):
        return self.fget.__get__(obj, owner or type(obj))()

    def __set__(self, obj, value):
        if self.fset is None:
            raise AttributeError("cannot set this class property")
        owner = obj if isinstance(obj, type) else type(obj)
        return self.fset.__get__(obj, owner)(value)

    def setter(self, func):
        """Decorator that gives the class property a setter."""
        self.fset = func if isinstance(func, (classmethod, staticmethod)) else classmethod(func)
        return self


class _MXClassPropertyMetaClass(type):
    """Lets `Class.prop = value` reach the setter of a class property."""

    def __setattr__(cls, key, value):
        found = cls.__dict__.get(key)
        if isinstance(found, _MXClassPropertyDescriptor):
            found.__set__(cls, value)
        else:
            super().__setattr__(key, value)


def classproperty(func):
    """Decorator: a read-only property of a class."""
    if not isinstance(func, (classmethod, staticmethod)):
        func = classmethod(func)
    return _MXClassPropertyDescriptor(func)


def with_metaclass(meta, *bases):
    """A base class made by `meta`; kept for code that still spans Python 2 and 3."""
    return meta("temporary_class", bases or (object,), {})

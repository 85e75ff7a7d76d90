"""Switches for NumPy semantics, and small helpers around the environment."""
import functools
import inspect
import os
import threading

__all__ = [
    "get_cuda_compute_capability",
    "get_gpu_count",
    "get_gpu_memory",
    "getenv",
    "is_np_array",
    "is_np_shape",
    "makedirs",
    "np_array",
    "np_shape",
    "reset_np",
    "set_module",
    "set_np",
    "set_np_shape",
    "setenv",
    "use_np",
    "use_np_array",
    "use_np_shape",
]


class _Flags(threading.local):
    """NumPy switches of a thread."""

    shape = False
    array = False


_flags = _Flags()


class _Scope:
    """A ``with`` block that sets one flag and puts the old value back."""

    flag = None

    def __init__(self, active):
        self._active = bool(active)
        self._old = []

    def __enter__(self):
        self._old.append(getattr(_flags, self.flag))
        setattr(_flags, self.flag, self._active)
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        setattr(_flags, self.flag, self._old.pop())


class _NumpyShapeScope(_Scope):
    flag = "shape"


class _NumpyArrayScope(_Scope):
    flag = "array"


def is_np_shape():
    """True where a 0 in a shape means an axis of length 0, not "still unknown"."""
    return _flags.shape


def is_np_array():
    """True where Gluon works on ``mx.np.ndarray`` instead of ``mx.nd.NDArray``."""
    return _flags.array


def set_np_shape(active):
    """Switches NumPy shape semantics on or off in this thread; returns what was set before.

    With it on, ``()`` is a scalar and ``(0, 3)`` an empty array; with it off, 0 in the shape of a
    symbol or parameter means that the extent is still to be inferred.

    Examples
    --------
    >>> mx.util.set_np_shape(True)
    False
    """
    old, _flags.shape = _flags.shape, bool(active)
    return old


def _set_np_array(active):
    old, _flags.array = _flags.array, bool(active)
    return old


def set_np(shape=True, array=True):
    """Switches NumPy semantics of shapes and arrays on in this thread.

    Raises ValueError for ``array=True`` with ``shape=False``: NumPy arrays need NumPy shapes.
    """
    if array and not shape:
        raise ValueError("set_np: NumPy arrays need NumPy shapes; use shape=True with array=True")
    set_np_shape(shape)
    _set_np_array(array)


def reset_np():
    """Switches NumPy semantics off in this thread."""
    set_np(shape=False, array=False)


def np_shape(active=True):
    """A ``with`` block with NumPy shape semantics on (or off).

    Examples
    --------
    >>> with mx.np_shape():
    ...     mx.nd.ones(()).shape
    ()
    """
    return _NumpyShapeScope(active)


def np_array(active=True):
    """A ``with`` block with NumPy array semantics on (or off)."""
    return _NumpyArrayScope(active)


def _wrap_callables(target, scope):
    """`target` run inside ``scope()``: a function, or every method that a class itself defines."""
    if inspect.isclass(target):
        for name, member in list(vars(target).items()):
            if inspect.isfunction(member):
                setattr(target, name, _wrap_callables(member, scope))
            elif isinstance(member, property):
                wrapped = [f and _wrap_callables(f, scope) for f in (member.fget, member.fset, member.fdel)]
                setattr(target, name, property(*wrapped, member.__doc__))
        return target
    if not callable(target):
        raise TypeError(f"expected a function or a class, got {target!r}")

    @functools.wraps(target)
    def inside(*args, **kwargs):
        with scope(True):
            return target(*args, **kwargs)
    return inside


def use_np_shape(func):
    """Decorator: runs a function, or all methods of a class, with NumPy shape semantics."""
    return _wrap_callables(func, _NumpyShapeScope)


def use_np_array(func):
    """Decorator: runs a function, or all methods of a class, with NumPy array semantics."""
    return _wrap_callables(func, _NumpyArrayScope)


def use_np(func):
    """Decorator: both `use_np_shape` and `use_np_array`."""
    return use_np_shape(use_np_array(func))


def set_module(module):
    """Decorator: sets ``__module__`` so that a name shows up where users find it."""
    def decorate(func):
        if module is not None:
            func.__module__ = module
        return func
    return decorate


def getenv(name):
    """The value of an environment variable, or None."""
    return os.environ.get(name)


def setenv(name, value):
    """Sets an environment variable of this process; None removes it."""
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = str(value)


def makedirs(d):
    """Makes the folder `d` and those above it; it may exist already. A leading ``~`` is home."""
    os.makedirs(os.path.expanduser(d), exist_ok=True)


def get_gpu_count():
    """How many GPUs can be used."""
    from .context import num_gpus
    return num_gpus()


def get_gpu_memory(gpu_dev_id):
    """``(free, total)`` memory of a GPU in bytes."""
    from .context import gpu_memory_info
    return gpu_memory_info(gpu_dev_id)


def get_cuda_compute_capability(ctx):
    """The compute capability of a GPU as a number, e.g. 86 for 8.6.

    Raises ValueError when `ctx` is not a GPU.
    """
    from .context import Context
    if not isinstance(ctx, Context) or ctx.device_type != "gpu":
        raise ValueError(f"get_cuda_compute_capability: expected a GPU context, got {ctx!r}")
    from . import _core
    return _core.cuda_compute_capability(ctx.device_id)

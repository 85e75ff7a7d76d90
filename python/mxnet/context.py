"""Contexts: the device an array lives on and an operator runs on."""
import threading

from .base import _MXClassPropertyMetaClass, classproperty, with_metaclass  # noqa: F401 - found here in 1.x
from .error import ValueError as MXValueError

__all__ = ["Context", "cpu", "cpu_pinned", "current_context", "gpu", "gpu_memory_info", "num_gpus"]


class Context(metaclass=_MXClassPropertyMetaClass):
    """A device: a type (``'cpu'``, ``'gpu'``, ``'cpu_pinned'``, ``'cpu_shared'``) and a number.

    A context is a value: two with the same type and number are equal and hash alike. As a
    ``with`` block it becomes the default for arrays made inside, in the current thread.

    Parameters
    ----------
    device_type : str or Context
        Type of the device, or a context to copy.
    device_id : int
        Number of the device, from 0. Ignored when `device_type` is a Context.

    Raises
    ------
    KeyError
        For a device type that does not exist.

    Examples
    --------
    >>> with mx.cpu(1):
    ...     mx.nd.ones((2, 3)).context
    cpu(1)
    """

    devtype2str = {1: "cpu", 2: "gpu", 3: "cpu_pinned", 5: "cpu_shared"}
    devstr2type = {"cpu": 1, "gpu": 2, "cpu_pinned": 3, "cpu_shared": 5}

    def __init__(self, device_type, device_id=0):
        if isinstance(device_type, Context):
            self.device_typeid = device_type.device_typeid
            self.device_id = device_type.device_id
            return
        try:
            self.device_typeid = Context.devstr2type[device_type]
        except (KeyError, TypeError):
            raise KeyError(f"Context: unknown device type {device_type!r}; known are "
                           f"{', '.join(Context.devstr2type)}") from None
        self.device_id = int(device_id)

    @property
    def device_type(self):
        """The type of the device as text, e.g. ``'cpu'``."""
        return Context.devtype2str[self.device_typeid]

    def __eq__(self, other):
        if self is other:
            return True
        if not isinstance(other, Context):
            return False
        return self.device_id == other.device_id and self.device_typeid == other.device_typeid

    def __hash__(self):
        return self.device_typeid << 32 ^ self.device_id

    def __repr__(self):
        return f"{self.device_type}({self.device_id})"

    __str__ = __repr__

    def __reduce__(self):
        return Context, (self.device_type, self.device_id)

    def __enter__(self):
        here = Context._default_ctx
        # The stack belongs to the thread, not to the context: one object may be entered twice.
        here.stack = (here.value, here.stack)
        here.value = self
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        here = Context._default_ctx
        here.value, here.stack = here.stack

    @classproperty
    def default_ctx(cls):
        """The context of this thread; `current_context` is the usual way to ask for it."""
        return cls._default_ctx.value

    @default_ctx.setter
    def default_ctx(cls, ctx):
        cls._default_ctx.value = ctx

    @classmethod
    def from_ids(cls, device_typeid, device_id):
        """The context with the numbers that files and the core use, e.g. ``(1, 0)`` is cpu(0)."""
        return cls(cls.devtype2str[device_typeid], device_id)

    def empty_cache(self):
        """Gives memory that the pool of this device keeps for reuse back to the system.

        Examples
        --------
        >>> mx.gpu(0).empty_cache()
        """
        from . import _core
        _core.empty_cache(self.device_typeid, self.device_id)


class _DefaultContext(threading.local):
    """The current context of each thread and the ones to come back to."""

    def __init__(self):
        self.value = _CPU0
        self.stack = None


_CPU0 = Context("cpu", 0)
Context._default_ctx = _DefaultContext()


def cpu(device_id=0):
    """The CPU. All numbers name the same processors, but they are different contexts.

    Examples
    --------
    >>> mx.nd.ones((2,), ctx=mx.cpu()).context
    cpu(0)
    """
    return Context("cpu", device_id)


def cpu_pinned(device_id=0):
    """Host memory that a GPU can copy from without a detour. Needs a GPU."""
    return Context("cpu_pinned", device_id)


def gpu(device_id=0):
    """The GPU with number `device_id`, from 0 to ``num_gpus() - 1``."""
    return Context("gpu", device_id)


def num_gpus():
    """How many GPUs can be used; 0 when there is none or GPU support is not installed."""
    from . import _core
    return _core.num_gpus()


def gpu_memory_info(device_id=0):
    """``(free, total)`` memory of a GPU in bytes. Raises MXNetError when there is no such GPU."""
    from . import _core
    return _core.gpu_memory_info(device_id)


def _context_from_text(text):
    """The context that `text` names: ``'gpu(1)'`` as graphs keep it, or a device type alone, for its number 0."""
    device_type, bracket, rest = text.partition("(")
    number = rest.removesuffix(")") if bracket else "0"
    if device_type not in Context.devstr2type or not number.isdigit() or text.endswith(")") != bool(bracket):
        raise MXValueError(f"there is no context {text!r}; contexts are written like 'cpu(0)'")
    return Context(device_type, int(number))


def current_context():
    """The context where new arrays go: that of the innermost ``with`` block, else cpu(0)."""
    return Context._default_ctx.value

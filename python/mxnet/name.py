"""How things that were not given a name get one."""
import threading

from .base import _MXClassPropertyMetaClass, classproperty, with_metaclass  # noqa: F401 - found here in 1.x

__all__ = ["NameManager", "Prefix"]


class NameManager(metaclass=_MXClassPropertyMetaClass):
    """Gives out names such as ``dense0``, ``dense1``: a hint and a count.

    Use as a ``with`` block to count from 0 again inside.

    Examples
    --------
    >>> with mx.name.NameManager():
    ...     mx.gluon.nn.Dense(2).name
    'dense0'
    """

    def __init__(self):
        self._counter = {}
        self._old_manager = None

    def get(self, name, hint):
        """`name` if it is given, else the next name made of `hint`."""
        if name:
            return name
        count = self._counter.get(hint, 0)
        self._counter[hint] = count + 1
        return f"{hint}{count}"

    @classproperty
    def current(cls):
        """The manager in force in this thread."""
        return cls._current.value

    @current.setter
    def current(cls, manager):
        cls._current.value = manager

    def __enter__(self):
        self._old_manager = _current.value
        _current.value = self
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        _current.value = self._old_manager


class Prefix(NameManager):
    """Puts `prefix` before every name, given or made up.

    Examples
    --------
    >>> with mx.name.Prefix("stage1_"):
    ...     mx.gluon.nn.Dense(2).name
    'stage1_dense0'
    """

    def __init__(self, prefix):
        super().__init__()
        self._prefix = prefix

    def get(self, name, hint):
        return self._prefix + super().get(name, hint)


class _Current(threading.local):
    """The manager in force, one per thread."""

    def __init__(self):
        self.value = NameManager()


_current = _Current()
NameManager._current = _current


def current():
    """The manager that names things in this thread."""
    return _current.value

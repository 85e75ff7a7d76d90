"""Attributes that are put on every symbol made inside a ``with`` block."""
import threading

from .base import (  # noqa: F401 - found here in 1.x
    _MXClassPropertyMetaClass,
    classproperty,
    string_types,
    with_metaclass,
)

__all__ = ["AttrScope"]


class AttrScope(metaclass=_MXClassPropertyMetaClass):
    """Adds attributes (text) to what is created inside; inner scopes add to outer ones.

    Parameters
    ----------
    **kwargs : str
        The attributes. Raises ValueError for a value that is not text.

    Examples
    --------
    >>> with mx.AttrScope(ctx_group="dev1"):
    ...     mx.attribute.current().get({"lr_mult": "2"})
    {'ctx_group': 'dev1', 'lr_mult': '2'}
    """

    def __init__(self, **kwargs):
        self._old_scope = None
        for key, value in kwargs.items():
            if not isinstance(value, string_types):
                raise ValueError(f"AttrScope: attributes need to be text, got {key}={value!r}")
        self._attr = kwargs

    def get(self, attr):
        """`attr` (a dict or None) with the scope's attributes added; those given win."""
        if not self._attr:
            return attr if attr else {}
        merged = dict(self._attr)
        if attr:
            merged.update(attr)
        return merged

    @classproperty
    def current(cls):
        """The scope in force in this thread."""
        return cls._current.value

    @current.setter
    def current(cls, scope):
        cls._current.value = scope

    def __enter__(self):
        self._old_scope = _current.value
        self._own_attr = self._attr
        self._attr = {**_current.value._attr, **self._attr}
        _current.value = self
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        _current.value = self._old_scope
        self._attr = self._own_attr


class _Current(threading.local):
    """The scope in force, one per thread."""

    def __init__(self):
        self.value = AttrScope()


_current = _Current()
AttrScope._current = _current


def current():
    """The scope in force in this thread."""
    return _current.value

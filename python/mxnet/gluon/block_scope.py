"""The names of blocks and their parameters."""
import threading

from .. import name as _name
from .parameter import ParameterDict


class _BlockScope:
    """The names inside ``with block.name_scope()``."""

    _current = threading.local()

    def __init__(self, block):
        self._block = block
        self._counter = {}
        self._old_scope = None
        self._name_scope = None

    @staticmethod
    def create(prefix, params, hint):
        """The prefix and parameters of a new block: those asked for, or made from the scope and `hint`."""
        scope = getattr(_BlockScope._current, "value", None)
        if scope is None:
            if prefix is None:
                prefix = _name.current().get(None, hint) + "_"
            outer, shared = "", None
        else:
            if prefix is None:
                count = scope._counter.get(hint, 0)
                scope._counter[hint] = count + 1
                prefix = f"{hint}{count}_"
            parent = scope._block
            outer, shared = parent.params.prefix, parent.params._shared
            if params is None:
                return parent.prefix + prefix, ParameterDict(outer + prefix, shared)
            prefix = parent.prefix + prefix
        if params is None:
            return prefix, ParameterDict(prefix)
        return prefix, ParameterDict(params.prefix, params)

    def __enter__(self):
        if self._block._empty_prefix:
            return self
        self._old_scope = getattr(_BlockScope._current, "value", None)
        _BlockScope._current.value = self
        self._name_scope = _name.Prefix(self._block.prefix)
        self._name_scope.__enter__()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if self._block._empty_prefix:
            return
        self._name_scope.__exit__(exc_type, exc_value, traceback)
        self._name_scope = None
        _BlockScope._current.value = self._old_scope

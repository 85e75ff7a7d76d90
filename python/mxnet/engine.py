"""The engine, which runs operations behind the program's back: handing them over in bundles."""
from . import _core

__all__ = ["bulk", "set_bulk_size"]


def set_bulk_size(size):
    """Sets how many operations of this thread are gathered before they are handed to the engine together.

    0 or 1 hands over each by itself. Returns the size set before.

    Examples
    --------
    >>> before = mx.engine.set_bulk_size(16)
    >>> mx.engine.set_bulk_size(before)
    16
    """
    return _core.set_bulk_size(int(size))


class _BulkScope:
    def __init__(self, size):
        self._size = size
        self._old_size = None

    def __enter__(self):
        self._old_size = set_bulk_size(self._size)
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        set_bulk_size(self._old_size)


def bulk(size):
    """A ``with`` block in which up to `size` operations are handed to the engine together.

    Examples
    --------
    >>> x = mx.nd.zeros((1,))
    >>> with mx.engine.bulk(10):
    ...     for _ in range(100):
    ...         x += 1
    >>> x.asscalar()
    np.float32(100.0)
    """
    return _BulkScope(size)

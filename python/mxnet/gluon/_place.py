"""Which block makes the symbols of a trace."""
import threading

from .. import _core


class _Here(threading.local):
    """The innermost `Place` of each thread."""

    place = None


_here = _Here()


class Place:
    """Makes symbols know the block that makes them, so that errors can name it, e.g. ``net.features.3``."""

    def __init__(self, block):
        self._block = block
        self._outer = _here.place
        key = None
        if self._outer is not None:
            children = self._outer._block._children
            key = next((name for name, child in children.items() if child is block), None)
        self._path = block.name if key is None else f"{self._outer._path}.{key}"

    def __enter__(self):
        self._switch(self)

    def __exit__(self, *error):
        self._switch(self._outer)

    @staticmethod
    def _switch(place):
        _here.place = place
        _core.symbol_block(None if place is None else place._text())

    def _text(self):
        kind = type(self._block).__name__
        name = self._block.name
        return f"{self._path} ({kind})" if name == self._path else f"{self._path} ({kind} {name})"

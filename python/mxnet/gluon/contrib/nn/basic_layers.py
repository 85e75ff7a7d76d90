"""Containers with branches."""
from .... import ndarray
from ... import nn
from ...block import HybridBlock

__all__ = ["Concurrent", "HybridConcurrent", "Identity"]


class Concurrent(nn.Sequential):
    """Runs blocks on the same input and joins their outputs along an axis.

    Parameters
    ----------
    axis : int
        Axis along which outputs are joined.

    Examples
    --------
    >>> net = mx.gluon.contrib.nn.Concurrent(axis=1)
    >>> net.add(mx.gluon.nn.Dense(2), mx.gluon.nn.Dense(3))
    >>> net.initialize()
    >>> net(mx.nd.ones((4, 5))).shape
    (4, 5)
    """

    def __init__(self, axis=-1, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def forward(self, x):
        return ndarray.concat(*(child(x) for child in self._children.values()), dim=self.axis)


class HybridConcurrent(nn.HybridSequential):
    """`Concurrent` for hybrid blocks."""

    def __init__(self, axis=-1, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self.axis = axis

    def hybrid_forward(self, F, x):
        return F.concat(*(child(x) for child in self._children.values()), dim=self.axis)


class Identity(HybridBlock):
    """Gives back its input; a branch past the others in `HybridConcurrent`."""

    def hybrid_forward(self, F, x):
        return x

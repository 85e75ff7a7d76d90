"""Containers with branches, and layers that rearrange images or share statistics."""
import math

from .... import ndarray
from ... import nn
from ...block import Block, HybridBlock
from ...nn.conv_layers import _ints
from ...nn.norm_layers import _BatchNorm

__all__ = ["Concurrent", "HybridConcurrent", "Identity", "PixelShuffle1D", "PixelShuffle2D", "PixelShuffle3D",
           "SparseEmbedding", "SyncBatchNorm"]


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


class SparseEmbedding(Block):
    """`gluon.nn.Embedding` whose gradient is meant to hold only the rows that were looked up.

    The weight and its gradient are ordinary arrays today: results are the same, memory is not saved.

    Parameters
    ----------
    input_dim : int
        Number of vectors.
    output_dim : int
        Length of a vector.
    dtype : str or numpy type
        Element type of the vectors.
    weight_initializer : Initializer or str, optional
        What they start from.

    Examples
    --------
    >>> layer = mx.gluon.contrib.nn.SparseEmbedding(10, 4)
    >>> layer.initialize()
    >>> layer(mx.nd.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, input_dim, output_dim, dtype="float32", weight_initializer=None, **kwargs):
        super().__init__(**kwargs)
        self._kwargs = {"input_dim": input_dim, "output_dim": output_dim, "dtype": dtype}
        self.weight = self.params.get("weight", shape=(input_dim, output_dim), init=weight_initializer, dtype=dtype)

    def forward(self, x):
        return ndarray.Embedding(x, self.weight.data(x.context), **self._kwargs)

    def __repr__(self):
        return "{}({input_dim} -> {output_dim}, {dtype})".format(type(self).__name__, **self._kwargs)


class SyncBatchNorm(_BatchNorm):
    """`gluon.nn.BatchNorm` whose statistics are those of the batches of several devices together.

    One device is supported, where it is the same as `gluon.nn.BatchNorm` along axis 1.

    Parameters
    ----------
    in_channels : int
        Number of channels; 0 is found out at the first batch.
    num_devices : int, optional
        Number of devices that share statistics.
    momentum : float
        Share of the old running average in the new.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether beta is added and gamma multiplied.
    use_global_stats : bool
        Whether to use the running averages while training too.
    beta_initializer, gamma_initializer, running_mean_initializer, running_variance_initializer : str
        What they start from.
    """

    def __init__(self, in_channels=0, num_devices=None, momentum=0.9, epsilon=1e-5, center=True, scale=True,
                 use_global_stats=False, beta_initializer="zeros", gamma_initializer="ones",
                 running_mean_initializer="zeros", running_variance_initializer="ones", **kwargs):
        super().__init__(1, momentum, epsilon, center, scale, use_global_stats, beta_initializer, gamma_initializer,
                         running_mean_initializer, running_variance_initializer, in_channels, **kwargs)
        del self._kwargs["axis"]
        self._kwargs.update(ndev=num_devices or 1, key=self.prefix)

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        return F.contrib.SyncBatchNorm(x, gamma, beta, running_mean, running_var, **self._kwargs)


class _PixelShuffle(HybridBlock):
    """Spreads channels over a grid of pixels."""

    def __init__(self, factor, ndim):
        super().__init__()
        self._factors = _ints(factor, ndim, "factor", type(self).__name__)

    def hybrid_forward(self, F, x):
        factors, n = self._factors, len(self._factors)
        x = F.reshape(x, (0, -4, -1, math.prod(factors), *[0] * n))
        for i in range(n - 1):  # takes one factor after the other off
            x = F.reshape(x, (0, 0, *[0] * i, -4, factors[i], math.prod(factors[i + 1:]), *[0] * n))
        order = [axis for i in range(n) for axis in (2 + n + i, 2 + i)]
        x = F.transpose(x, axes=(0, 1, *order))
        return F.reshape(x, (0, 0, *[-3] * n))

    def __repr__(self):
        factors = self._factors[0] if len(self._factors) == 1 else self._factors
        return f"{type(self).__name__}({factors})"


class PixelShuffle1D(_PixelShuffle):
    """Makes signals `factor` times longer out of their channels: ``(N, f * C, W)`` to ``(N, C, f * W)``.

    Channel ``f * c + i`` becomes every f-th element of channel c, from the i-th on.

    Parameters
    ----------
    factor : int or tuple of int
        How many times longer.

    Examples
    --------
    >>> mx.gluon.contrib.nn.PixelShuffle1D(2)(mx.nd.zeros((1, 8, 3))).shape
    (1, 4, 6)
    """

    def __init__(self, factor):
        super().__init__(factor, 1)


class PixelShuffle2D(_PixelShuffle):
    """Makes images larger out of their channels: ``(N, f1 * f2 * C, H, W)`` to ``(N, C, f1 * H, f2 * W)``
    (Shi et al., 2016).

    Parameters
    ----------
    factor : int or tuple of int
        How many times higher and wider.

    Examples
    --------
    >>> mx.gluon.contrib.nn.PixelShuffle2D((2, 3))(mx.nd.zeros((1, 12, 3, 5))).shape
    (1, 2, 6, 15)
    """

    def __init__(self, factor):
        super().__init__(factor, 2)


class PixelShuffle3D(_PixelShuffle):
    """Makes volumes larger out of their channels: ``(N, f1 * f2 * f3 * C, D, H, W)`` to
    ``(N, C, f1 * D, f2 * H, f3 * W)``.

    Parameters
    ----------
    factor : int or tuple of int
        How many times deeper, higher and wider.

    Examples
    --------
    >>> mx.gluon.contrib.nn.PixelShuffle3D(2)(mx.nd.zeros((1, 16, 3, 4, 5))).shape
    (1, 2, 6, 8, 10)
    """

    def __init__(self, factor):
        super().__init__(factor, 3)

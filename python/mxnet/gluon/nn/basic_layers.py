"""Containers and the basic layers: dense, dropout, embedding, flatten, lambda."""
import warnings
from math import prod

from ... import ndarray
from ..block import Block, HybridBlock
from ..utils import _indent
from .activations import Activation
from .norm_layers import (  # noqa: F401  (found here in 1.x)
    BatchNorm,
    BatchNormReLU,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    _BatchNorm,
)

__all__ = [
    "BatchNorm",
    "BatchNormReLU",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GroupNorm",
    "HybridLambda",
    "HybridSequential",
    "InstanceNorm",
    "Lambda",
    "LayerNorm",
    "Sequential",
]


class _Stack:
    """What the two containers have in common: children in a row."""

    def add(self, *blocks):
        """Appends blocks."""
        for block in blocks:
            self.register_child(block)

    def __repr__(self):
        children = "\n".join(f"  ({key}): {_indent(repr(child), 2)}" for key, child in self._children.items())
        return f"{type(self).__name__}(\n{children}\n)"

    def __getitem__(self, key):
        """The child at an index; for a slice a container of the same kind that shares its children."""
        children = list(self._children.values())[key]
        if not isinstance(children, list):
            return children
        part = type(self)(prefix=self._prefix)
        with part.name_scope():
            part.add(*children)
        return part

    def __len__(self):
        return len(self._children)

    def __iter__(self):
        return iter(self._children.values())


class Sequential(_Stack, Block):
    """Runs blocks one after the other.

    Examples
    --------
    >>> net = mx.gluon.nn.Sequential()
    >>> net.add(mx.gluon.nn.Dense(10, activation="relu"), mx.gluon.nn.Dense(2))
    >>> net.initialize()
    >>> net(mx.nd.ones((3, 5))).shape
    (3, 2)
    """

    def forward(self, x):
        for child in self._children.values():
            x = child(x)
        return x

    def hybridize(self, active=True, **kwargs):
        if self._children and all(isinstance(child, HybridBlock) for child in self._children.values()):
            warnings.warn(f"all layers of {self.name} are HybridBlocks: as a HybridSequential it could be "
                          "compiled as a whole", stacklevel=2)
        super().hybridize(active, **kwargs)


class HybridSequential(_Stack, HybridBlock):
    """Runs hybrid blocks one after the other.

    Examples
    --------
    >>> net = mx.gluon.nn.HybridSequential()
    >>> net.add(mx.gluon.nn.Dense(10, activation="relu"), mx.gluon.nn.Dense(2))
    >>> net.initialize()
    >>> net.hybridize()
    >>> net(mx.nd.ones((3, 5))).shape
    (3, 2)
    """

    def hybrid_forward(self, F, x):
        for child in self._children.values():
            x = child(x)
        return x


class Dense(HybridBlock):
    """A fully connected layer: ``activation(dot(x, weight.T) + bias)``.

    Input is ``(batch, ...)``, flattened to ``(batch, in_units)``, output ``(batch, units)``. With
    ``flatten=False`` only the last axis is multiplied: ``(..., in_units)`` gives ``(..., units)``.

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, optional
        Name of an activation function, see `Activation`.
    use_bias : bool
        Whether there is a bias.
    flatten : bool
        Whether to flatten all axes but the first.
    dtype : str or numpy type
        Element type of the parameters.
    weight_initializer, bias_initializer : Initializer or str
        What they start from.
    in_units : int
        Number of inputs; 0 is found out at the first batch.

    Examples
    --------
    >>> layer = mx.gluon.nn.Dense(4)
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3))).shape
    (2, 4)
    """

    def __init__(self, units, activation=None, use_bias=True, flatten=True, dtype="float32",
                 weight_initializer=None, bias_initializer="zeros", in_units=0, **kwargs):
        super().__init__(**kwargs)
        self._flatten = flatten
        with self.name_scope():
            self._units = units
            self._in_units = in_units
            self.weight = self.params.get("weight", shape=(units, in_units), init=weight_initializer,
                                          dtype=dtype, allow_deferred_init=True)
            self.bias = None
            if use_bias:
                self.bias = self.params.get("bias", shape=(units,), init=bias_initializer, dtype=dtype,
                                            allow_deferred_init=True)
            self.act = None if activation is None else Activation(activation, prefix=activation + "_")

    def infer_shape(self, x, *_):
        self.weight.shape = (self._units, prod(x.shape[1:]) if self._flatten else x.shape[-1])

    def hybrid_forward(self, F, x, weight, bias=None):
        out = F.FullyConnected(x, weight, bias, num_hidden=self._units, no_bias=bias is None,
                               flatten=self._flatten, name="fwd")
        return out if self.act is None else self.act(out)

    def __repr__(self):
        units, inputs = self.weight.shape
        return f"{type(self).__name__}({inputs or None} -> {units}, {self.act or 'linear'})"


class Dropout(HybridBlock):
    """Sets numbers to 0 at random while training, and scales the others to keep the mean.

    Output shape equals input shape; outside of training nothing changes.

    Parameters
    ----------
    rate : float
        Fraction to drop, from 0 to 1.
    axes : tuple of int
        Axes along which one decision holds for all.
    """

    def __init__(self, rate, axes=(), **kwargs):
        super().__init__(**kwargs)
        self._rate = rate
        self._axes = axes

    def hybrid_forward(self, F, x):
        if self._rate > 0:
            return F.Dropout(x, p=self._rate, axes=self._axes, name="fwd", cudnn_off=False)
        return F.identity(x)

    def __repr__(self):
        return f"{type(self).__name__}(p = {self._rate}, axes={self._axes})"


class Embedding(HybridBlock):
    """Looks up a vector for each index.

    Input holds indices from 0 to ``input_dim - 1`` in any shape; output has one more axis, of
    length `output_dim`.

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
    sparse_grad : bool
        Whether the gradient only holds the rows that were looked up.

    Examples
    --------
    >>> layer = mx.gluon.nn.Embedding(10, 4)
    >>> layer.initialize()
    >>> layer(mx.nd.array([[1, 2, 3]])).shape
    (1, 3, 4)
    """

    def __init__(self, input_dim, output_dim, dtype="float32", weight_initializer=None, sparse_grad=False,
                 **kwargs):
        super().__init__(**kwargs)
        self._input_dim = input_dim
        self._output_dim = output_dim
        self._kwargs = {"input_dim": input_dim, "output_dim": output_dim, "dtype": dtype,
                        "sparse_grad": sparse_grad}
        self.weight = self.params.get("weight", shape=(input_dim, output_dim), init=weight_initializer,
                                      dtype=dtype, allow_deferred_init=True,
                                      grad_stype="row_sparse" if sparse_grad else "default")

    def hybrid_forward(self, F, x, weight):
        return F.Embedding(x, weight, name="fwd", **self._kwargs)

    def __repr__(self):
        return f"{type(self).__name__}({self._input_dim} -> {self._output_dim}, {self._kwargs['dtype']})"


class Flatten(HybridBlock):
    """Makes ``(batch, ...)`` into ``(batch, rest)``."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def hybrid_forward(self, F, x):
        return F.Flatten(x)

    def __repr__(self):
        return type(self).__name__


class Lambda(Block):
    """A function as a block.

    Parameters
    ----------
    function : str or callable
        Name of an operator, or a function of the inputs.

    Raises
    ------
    AssertionError
        For an operator that does not exist.
    ValueError
        For anything else that is not callable.

    Examples
    --------
    >>> float(mx.gluon.nn.Lambda("tanh")(mx.nd.zeros((1,))))
    0.0
    """

    def __init__(self, function, prefix=None):
        super().__init__(prefix=prefix)
        if isinstance(function, str):
            self._func_impl = _operator(function, "Lambda")
            self._func_name = function
        elif callable(function):
            self._func_impl = function
            self._func_name = getattr(function, "__name__", type(function).__name__)
        else:
            raise ValueError(f"Lambda: expected the name of an operator or a function, got {function!r}")

    def forward(self, *args):
        return self._func_impl(*args)

    def __repr__(self):
        return f"{type(self).__name__}({self._func_name})"


class HybridLambda(HybridBlock):
    """A function as a hybrid block.

    Parameters
    ----------
    function : str or callable
        Name of an operator, or a function ``f(F, *inputs)``.

    Raises
    ------
    AssertionError
        For an operator that does not exist.
    ValueError
        For anything else that is not callable.

    Examples
    --------
    >>> float(mx.gluon.nn.HybridLambda(lambda F, x: F.square(x))(mx.nd.ones((1,))))
    1.0
    """

    def __init__(self, function, prefix=None):
        super().__init__(prefix=prefix)
        if isinstance(function, str):
            _operator(function, "HybridLambda")
            self._func = lambda F, *args: getattr(F, function)(*args)
            self._func_name = function
        elif callable(function):
            self._func = function
            self._func_name = getattr(function, "__name__", type(function).__name__)
        else:
            raise ValueError(f"HybridLambda: expected the name of an operator or a function, got {function!r}")

    def hybrid_forward(self, F, x, *args):
        return self._func(F, x, *args)

    def __repr__(self):
        return f"{type(self).__name__}({self._func_name})"


def _operator(name, who):
    """The operator `name` on NDArrays."""
    found = getattr(ndarray, name, None)
    if found is None:
        raise AssertionError(f"{who}: there is no operator named '{name}'")
    return found

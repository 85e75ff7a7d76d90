"""Initializers: what parameters start from.

An initializer is called with the description of a parameter and the array to fill::

    net.initialize(mx.init.Xavier(magnitude=2.24))
"""
import json
import re
import warnings
from math import prod, sqrt

import numpy as np

from . import ndarray, registry
from . import random as _random
from .ndarray import NDArray, load
from .util import is_np_array  # noqa: F401  (part of the module's names)

__all__ = ["Bilinear", "Constant", "FusedRNN", "InitDesc", "Initializer", "LSTMBias", "Load", "MSRAPrelu",
           "Mixed", "Normal", "One", "Orthogonal", "Uniform", "Xavier", "Zero", "create", "register"]


def _log(*args):
    import logging
    logging.getLogger().info(*args)


class InitDesc(str):
    """The name of a parameter with its attributes; what an `Initializer` decides on.

    Parameters
    ----------
    name : str
        Name of the parameter.
    attrs : dict of str to str, optional
        Attributes; ``'__init__'`` holds the initializer of this very parameter as text.
    global_init : Initializer, optional
        The initializer of the whole network.
    """

    def __new__(cls, name, attrs=None, global_init=None):
        self = super().__new__(cls, name)
        self.attrs = attrs or {}
        self.global_init = global_init
        return self


class Initializer:
    """The base of all initializers.

    Subclasses override `_init_weight`; biases, gammas and betas have usual values of their own.

    Parameters
    ----------
    **kwargs
        What `dumps` writes, so that another process can make the same initializer.

    Examples
    --------
    >>> @mx.init.register
    ... class Sevens(mx.init.Initializer):
    ...     def _init_weight(self, name, array):
    ...         array[:] = 7
    >>> net.initialize(Sevens())
    """

    def __init__(self, **kwargs):
        self._kwargs = kwargs
        self._verbose = False
        self._print_func = None

    def set_verbosity(self, verbose=False, print_func=None):
        """Logs each initialization when `verbose`; `print_func` makes the text from the array.

        By default it is the norm of the array divided by the square root of its size.
        """
        self._verbose = verbose
        self._print_func = print_func or (lambda x: str((x.norm() / sqrt(x.size)).asscalar()))
        return self

    def dumps(self):
        """The initializer as JSON text, ``'["name", {arguments}]'``; `create` reads it.

        Examples
        --------
        >>> mx.init.Normal(0.5).dumps()
        '["normal", {"sigma": 0.5}]'
        """
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, desc, arr):
        """Fills `arr` (NDArray of any shape) in place as fits `desc` (InitDesc or str).

        Raises TypeError when `desc` is not text and ValueError when nothing is known about how to
        fill a parameter with such a name.
        """
        if not isinstance(desc, str):
            raise TypeError(f"{type(self).__name__}: the name of a parameter must be text, got {desc!r}")
        if not isinstance(desc, InitDesc):
            self._init_by_name(desc, arr)
            return
        if desc.global_init is None:
            desc.global_init = self
        own = desc.attrs.get("__init__")
        if own:
            klass, kwargs = own if isinstance(own, tuple) else (own, {})
            chosen = create(klass, **kwargs)
            chosen._init_weight(desc, arr)
            self._report(desc, type(chosen).__name__, arr)
        else:
            self._init_by_suffix(desc, arr)

    def _report(self, desc, how, arr):
        if self._verbose and self._print_func:
            _log("Initialized %s as %s: %s", desc, how, self._print_func(arr))

    def _init_by_suffix(self, desc, arr):
        """Fills what follows the naming of current layers."""
        for suffix, fill in (("weight", self._init_weight), ("bias", self._init_bias),
                             ("gamma", self._init_gamma), ("beta", self._init_beta),
                             ("min", self._init_zero), ("max", self._init_one)):
            if desc.endswith(suffix):
                fill(desc, arr)
                self._report(desc, suffix, arr)
                return
        self._init_default(desc, arr)

    def _init_by_name(self, name, arr):
        """Fills by a bare name, which may follow the conventions of early models."""
        warnings.warn("calling an initializer with a plain name is deprecated; "
                      "give mx.init.InitDesc(name) instead", DeprecationWarning, stacklevel=3)
        if name.startswith("upsampling"):
            self._init_bilinear(name, arr)
        elif name.startswith("stn_loc") and name.endswith("weight"):
            self._init_zero(name, arr)
        elif name.startswith("stn_loc") and name.endswith("bias"):
            self._init_loc_bias(name, arr)
        elif name.endswith(("moving_mean", "moving_inv_var", "moving_avg")):
            self._init_zero(name, arr)
        elif name.endswith("moving_var"):
            self._init_one(name, arr)
        else:
            self._init_by_suffix(name, arr)

    def _init_bilinear(self, _, arr):
        shape = arr.shape
        if len(shape) < 4:
            raise ValueError(f"Bilinear: needs an array of 4 axes (out, in, height, width), got {shape}")
        factor = np.ceil(shape[3] / 2.0)
        centre = (2 * factor - 1 - factor % 2) / (2.0 * factor)
        x = 1 - np.abs(np.arange(shape[3]) / factor - centre)
        y = 1 - np.abs(np.arange(shape[2]) / factor - centre)
        arr[:] = np.broadcast_to(np.outer(y, x), shape).astype("float32")

    def _init_loc_bias(self, _, arr):
        if arr.shape != (6,):
            raise ValueError(f"the bias of a localisation network has shape (6,), got {arr.shape}")
        arr[:] = np.array([1, 0, 0, 0, 1, 0], dtype="float32")

    def _init_zero(self, _, arr):
        arr[:] = 0.0

    def _init_one(self, _, arr):
        arr[:] = 1.0

    def _init_bias(self, _, arr):
        arr[:] = 0.0

    def _init_gamma(self, _, arr):
        arr[:] = 1.0

    def _init_beta(self, _, arr):
        arr[:] = 0.0

    def _init_weight(self, name, arr):
        raise NotImplementedError(f"{type(self).__name__} must override _init_weight to fill {name}")

    def _init_default(self, name, arr):
        raise ValueError(
            f"{type(self).__name__}: no initialization is known for the name '{name}'; names end with weight, "
            "bias, gamma (1.0) or beta (0.0), or the parameter says its own with init=mx.init....")

    def __eq__(self, other):
        if not isinstance(other, Initializer):
            return NotImplemented
        return type(self) is type(other) and self._kwargs == other._kwargs

    __hash__ = object.__hash__


_register = registry.get_register_func(Initializer, "initializer")
alias = registry.get_alias_func(Initializer, "initializer")
create = registry.get_create_func(Initializer, "initializer")


def register(klass):
    """Registers an initializer under its name in lower case; usable as a decorator.

    Examples
    --------
    >>> @mx.init.register
    ... class Sevens(mx.init.Initializer):
    ...     def _init_weight(self, name, array):
    ...         array[:] = 7
    >>> net.initialize("sevens")
    """
    return _register(klass)


class Load:
    """Fills parameters from arrays, e.g. those of a saved model.

    Parameters
    ----------
    param : str or dict of str to NDArray
        File to load, or the arrays by name; ``arg:`` and ``aux:`` before names are ignored.
    default_init : Initializer, optional
        Fills what is not in `param`; without it that is an AssertionError.
    verbose : bool
        Logs where each parameter came from.

    Examples
    --------
    >>> net.initialize(mx.init.Load("model-0010.params", mx.init.Xavier()))
    """

    def __init__(self, param, default_init=None, verbose=False):
        if isinstance(param, str):
            param = load(param)
        if not isinstance(param, dict):
            raise TypeError(f"Load: expected a file with named arrays or a dict, got {type(param).__name__}")
        self.param = {k[4:] if k.startswith(("arg:", "aux:")) else k: v for k, v in param.items()}
        self.default_init = default_init
        self.verbose = verbose

    def __call__(self, name, arr):
        """Fills `arr` in place. Raises AssertionError for another shape or a name that is missing."""
        if name in self.param:
            saved = self.param[name]
            if tuple(arr.shape) != tuple(saved.shape):
                raise AssertionError(f"Load: parameter '{name}' has shape {arr.shape}, the saved array {saved.shape}")
            arr[:] = saved
            source = "the loaded arrays"
        elif self.default_init is None:
            raise AssertionError(f"Load: there is no array for parameter '{name}' and no default_init")
        else:
            self.default_init(name, arr)
            source = "the default"
        if self.verbose:
            _log("Initialized %s from %s", name, source)


class Mixed:
    """Chooses an initializer by the parameter's name.

    Parameters
    ----------
    patterns : list of str
        Regular expressions; the first that matches the start of the name decides.
    initializers : list of Initializer
        One for each pattern.

    Examples
    --------
    >>> mx.init.Mixed(["bias", ".*"], [mx.init.Zero(), mx.init.Uniform(0.1)])("fc_bias", arr)
    """

    def __init__(self, patterns, initializers):
        if len(patterns) != len(initializers):
            raise AssertionError(f"Mixed: {len(patterns)} patterns but {len(initializers)} initializers")
        self.map = [(re.compile(p), i) for p, i in zip(patterns, initializers)]

    def __call__(self, name, arr):
        """Fills `arr` in place. Raises ValueError when no pattern matches."""
        for pattern, init in self.map:
            if pattern.match(name):
                init(name, arr)
                return
        raise ValueError(f"Mixed: parameter '{name}' matches none of the patterns; add '.*' as the last one")


@alias("zeros")
@register
class Zero(Initializer):
    """Fills with 0. Also registered as ``'zeros'``."""

    def __init__(self):
        super().__init__()

    def _init_weight(self, _, arr):
        arr[:] = 0


@alias("ones")
@register
class One(Initializer):
    """Fills with 1. Also registered as ``'ones'``."""

    def __init__(self):
        super().__init__()

    def _init_weight(self, _, arr):
        arr[:] = 1


@register
class Constant(Initializer):
    """Fills with `value`: a number, or an array (list, NumPy, NDArray) of the parameter's shape."""

    def __init__(self, value):
        super().__init__(value=value)
        self.value = value

    def _init_weight(self, _, arr):
        value = self.value
        arr[:] = value if isinstance(value, (NDArray, int, float)) else np.asarray(value)

    def dumps(self):
        value = self._kwargs["value"]
        if not isinstance(value, (int, float)):
            value = (value.asnumpy() if isinstance(value, NDArray) else np.asarray(value)).tolist()
        return json.dumps([type(self).__name__.lower(), {"value": value}])

    def __eq__(self, other):
        return isinstance(other, Constant) and self.dumps() == other.dumps()

    __hash__ = object.__hash__


@register
class Uniform(Initializer):
    """Fills with numbers drawn evenly from ``[-scale, scale]``.

    Examples
    --------
    >>> net.initialize(mx.init.Uniform(0.1))
    """

    def __init__(self, scale=0.07):
        super().__init__(scale=scale)
        self.scale = scale

    def _init_weight(self, _, arr):
        _random.uniform(-self.scale, self.scale, out=arr)


@register
class Normal(Initializer):
    """Fills with normally distributed numbers of mean 0 and standard deviation `sigma`."""

    def __init__(self, sigma=0.01):
        super().__init__(sigma=sigma)
        self.sigma = sigma

    def _init_weight(self, _, arr):
        _random.normal(0, self.sigma, out=arr)


@register
class Orthogonal(Initializer):
    """Fills with a matrix of orthogonal rows (or columns, whichever are fewer), times `scale`.

    Axes after the first count as one, so the array is seen as ``(shape[0], rest)``.

    Parameters
    ----------
    scale : float
        Length of the rows (columns).
    rand_type : {'uniform', 'normal'}
        Distribution of the random matrix that is made orthogonal.
    """

    def __init__(self, scale=1.414, rand_type="uniform"):
        super().__init__(scale=scale, rand_type=rand_type)
        self.scale = scale
        self.rand_type = rand_type

    def _init_weight(self, _, arr):
        shape = (arr.shape[0], prod(arr.shape[1:]))
        if self.rand_type == "uniform":
            start = _random.uniform(-1.0, 1.0, shape=shape)
        elif self.rand_type == "normal":
            start = _random.normal(0.0, 1.0, shape=shape)
        else:
            raise ValueError(f"Orthogonal: rand_type must be 'uniform' or 'normal', got {self.rand_type!r}")
        u, _, v = np.linalg.svd(start.asnumpy(), full_matrices=False)
        arr[:] = self.scale * (u if u.shape == shape else v).reshape(arr.shape)


@register
class Xavier(Initializer):
    """Keeps the spread of activations alike through the layers (Glorot and Bengio, 2010).

    The numbers have a scale of ``sqrt(magnitude / factor)``: the bound when uniform, the standard
    deviation when gaussian. The factor is the number of inputs, of outputs, or their mean; for a
    weight of shape ``(out, in, *kernel)`` inputs and outputs are multiplied by the kernel's size.

    Parameters
    ----------
    rnd_type : {'uniform', 'gaussian'}
        Distribution.
    factor_type : {'avg', 'in', 'out'}
        What the factor counts.
    magnitude : float
        Scale before the factor.

    Raises
    ------
    ValueError
        For an array of fewer than 2 axes, or an unknown `rnd_type` or `factor_type`.

    Examples
    --------
    >>> net.initialize(mx.init.Xavier(rnd_type="gaussian", factor_type="in", magnitude=2))
    """

    def __init__(self, rnd_type="uniform", factor_type="avg", magnitude=3):
        super().__init__(rnd_type=rnd_type, factor_type=factor_type, magnitude=magnitude)
        self.rnd_type = rnd_type
        self.factor_type = factor_type
        self.magnitude = float(magnitude)

    def _init_weight(self, name, arr):
        shape = arr.shape
        if len(shape) < 2:
            raise ValueError(f"Xavier: needs at least 2 axes (outputs, inputs), but {name} has shape {shape}")
        kernel = prod(shape[2:])
        inputs, outputs = shape[1] * kernel, shape[0] * kernel
        factors = {"avg": (inputs + outputs) / 2.0, "in": inputs, "out": outputs}
        if self.factor_type not in factors:
            raise ValueError(f"Xavier: factor_type must be 'avg', 'in' or 'out', got {self.factor_type!r}")
        scale = sqrt(self.magnitude / factors[self.factor_type])
        if self.rnd_type == "uniform":
            _random.uniform(-scale, scale, out=arr)
        elif self.rnd_type == "gaussian":
            _random.normal(0, scale, out=arr)
        else:
            raise ValueError(f"Xavier: rnd_type must be 'uniform' or 'gaussian', got {self.rnd_type!r}")


@register
class MSRAPrelu(Xavier):
    """Xavier with the magnitude for rectified units, ``2 / (1 + slope**2)`` (He et al., 2015).

    Parameters
    ----------
    factor_type : {'avg', 'in', 'out'}
        What the factor counts.
    slope : float
        First slope of the PReLU that follows.
    """

    def __init__(self, factor_type="avg", slope=0.25):
        super().__init__("gaussian", factor_type, 2.0 / (1 + slope ** 2))
        self._kwargs = {"factor_type": factor_type, "slope": slope}


@register
class Bilinear(Initializer):
    """Fills the weight ``(out, in, height, width)`` of an upsampling with bilinear interpolation."""

    def __init__(self):
        super().__init__()

    def _init_weight(self, name, arr):
        self._init_bilinear(name, arr)


@register
class LSTMBias(Initializer):
    """Fills the bias ``(4 * hidden,)`` of an LSTM: `forget_bias` for the forget gate, else 0."""

    def __init__(self, forget_bias=1.0):
        super().__init__(forget_bias=forget_bias)
        self.forget_bias = forget_bias

    def _init_weight(self, _, arr):
        hidden = arr.shape[0] // 4
        values = np.zeros(arr.shape, dtype="float32")
        values[hidden:2 * hidden] = self.forget_bias
        arr[:] = values


@register
class FusedRNN(Initializer):
    """Fills the one parameter vector of a fused RNN from an initializer of its pieces.

    Parameters
    ----------
    init : Initializer, str or None
        Fills the weights; None takes the network's own.
    num_hidden, num_layers : int
        Size of the state and number of layers.
    mode : {'rnn_relu', 'rnn_tanh', 'lstm', 'gru'}
        Kind of cell.
    bidirectional : bool
        Whether there is a second direction.
    forget_bias : float
        Bias of the forget gates of an LSTM.
    """

    _GATES = {"rnn_relu": 1, "rnn_tanh": 1, "gru": 3, "lstm": 4}

    def __init__(self, init, num_hidden, num_layers, mode, bidirectional=False, forget_bias=1.0):
        if isinstance(init, str):
            init = create(init)
        super().__init__(init=init.dumps() if init is not None else None, num_hidden=num_hidden,
                         num_layers=num_layers, mode=mode, bidirectional=bidirectional,
                         forget_bias=forget_bias)
        if mode not in self._GATES:
            raise ValueError(f"FusedRNN: mode must be one of {', '.join(self._GATES)}, got {mode!r}")
        self._init = init
        self._num_hidden = num_hidden
        self._num_layers = num_layers
        self._mode = mode
        self._directions = 2 if bidirectional else 1
        self._forget_bias = forget_bias

    def _init_weight(self, desc, arr):
        hidden, gates, ways = self._num_hidden, self._GATES[self._mode], self._directions
        # All weights come first, layer by layer, then all biases; the input size follows from the total.
        later = (self._num_layers - 1) * ways * gates * hidden * (ways * hidden + hidden)
        biases = self._num_layers * ways * gates * hidden * 2
        inputs = (arr.size - biases - later) // (ways * gates * hidden) - hidden
        init = self._init or getattr(desc, "global_init", None)
        if init is None:
            raise ValueError(f"FusedRNN: no initializer for the weights of {desc}")
        pieces = []
        for layer in range(self._num_layers):
            for _ in range(ways):
                for width in (inputs if layer == 0 else ways * hidden, hidden):
                    for _ in range(gates):
                        piece = ndarray.zeros((hidden, width))
                        init(InitDesc(f"{desc}_weight"), piece)
                        pieces.append(piece.asnumpy().ravel())
        bias = np.zeros((gates, hidden), dtype="float32")
        if self._mode == "lstm":
            bias[1] = self._forget_bias
        # Each direction of a layer has a bias for its input and one for its state.
        pieces += [bias.ravel()] * (2 * self._num_layers * ways)
        values = np.concatenate(pieces)
        if values.size != arr.size:
            raise ValueError(f"FusedRNN: an array of {arr.size} numbers does not fit num_hidden={hidden}, "
                             f"num_layers={self._num_layers}, mode={self._mode}")
        arr[:] = values

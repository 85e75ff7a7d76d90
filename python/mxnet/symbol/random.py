"""Random numbers in symbols: one function per distribution, with numbers or symbols as parameters."""
from .. import _core
from ..base import _Null, numeric_types
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from ..ndarray import register as _register
from . import _internal

_like = _register.functions("random", "sym")
globals().update(_like)

__all__ = [
    "exponential",
    "gamma",
    "generalized_negative_binomial",
    "multinomial",
    "negative_binomial",
    "normal",
    "poisson",
    "randint",
    "randn",
    "shuffle",
    "uniform",
    *sorted(_like),
]


def _draw(name, parameters, shape, dtype, kwargs):
    """Draws from ``_random_<name>`` (numbers) or ``_sample_<name>`` (symbols, a set of draws for each element)."""
    given = {"shape": shape, "dtype": dtype, **kwargs}
    given = {key: value for key, value in given.items() if value is not _Null and value is not None}
    given.pop("ctx", None)  # a symbol's device is chosen when it is bound
    values = parameters.values()
    if any(isinstance(value, _core.SymbolBase) for value in values):
        if not all(isinstance(value, _core.SymbolBase) for value in values):
            kinds = ", ".join(f"{key}: {type(value).__name__}" for key, value in parameters.items())
            raise MXTypeError(f"random.{name}: the parameters must all be numbers or all be symbols, got {kinds}")
        return getattr(_internal, f"_sample_{name}")(*values, **given)
    for key, value in parameters.items():
        if not isinstance(value, numeric_types):
            raise MXValueError(f"random.{name}: {key} must be a number or a Symbol, got {type(value).__name__}")
    return getattr(_internal, f"_random_{name}")(**parameters, **given)


def uniform(low=0, high=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers evenly distributed in ``[low, high)``.

    Parameters
    ----------
    low, high : number or Symbol
        Bounds; two symbols of one shape give draws for each of their elements.
    shape : int or tuple of int, optional
        How many to draw. With symbols of shape ``s`` the result has shape ``s + shape``.
    dtype : str, optional
        'float16', 'float32' (default) or 'float64'.

    Examples
    --------
    >>> mx.sym.random.uniform(0, 10, shape=(2, 3)).eval()[0].shape
    (2, 3)
    """
    return _draw("uniform", {"low": low, "high": high}, shape, dtype, kwargs)


def normal(loc=0, scale=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers of the normal distribution with mean `loc` and standard deviation `scale`; see `uniform`."""
    return _draw("normal", {"loc": loc, "scale": scale}, shape, dtype, kwargs)


def randn(*shape, **kwargs):
    """Numbers of the normal distribution in the given shape; ``loc``, ``scale`` and ``dtype`` are keywords."""
    return normal(kwargs.pop("loc", 0), kwargs.pop("scale", 1), shape or _Null, **kwargs)


def poisson(lam=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers of the Poisson distribution with mean `lam`; other parameters as for `uniform`."""
    return _draw("poisson", {"lam": lam}, shape, dtype, kwargs)


def exponential(scale=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers of the exponential distribution with mean `scale`; other parameters as for `uniform`."""
    return _draw("exponential", {"lam": 1.0 / scale}, shape, dtype, kwargs)


def gamma(alpha=1, beta=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers of the gamma distribution with shape `alpha` and scale `beta`; the rest as for `uniform`."""
    return _draw("gamma", {"alpha": alpha, "beta": beta}, shape, dtype, kwargs)


def negative_binomial(k=1, p=1, shape=_Null, dtype=_Null, **kwargs):
    """Failures before the `k`-th success when each trial succeeds with probability `p`; the rest as for `uniform`."""
    return _draw("negative_binomial", {"k": k, "p": p}, shape, dtype, kwargs)


def generalized_negative_binomial(mu=1, alpha=1, shape=_Null, dtype=_Null, **kwargs):
    """Numbers of the negative binomial distribution with mean `mu` and dispersion `alpha`; see `uniform`."""
    return _draw("generalized_negative_binomial", {"mu": mu, "alpha": alpha}, shape, dtype, kwargs)


def randint(low, high, shape=_Null, dtype=_Null, **kwargs):
    """Integers evenly distributed in ``[low, high)``, of dtype 'int32' (default) or 'int64'."""
    return _draw("randint", {"low": low, "high": high}, shape, dtype, kwargs)


def multinomial(data, shape=_Null, get_prob=True, dtype="int32", **kwargs):
    """Indices drawn with the probabilities in `data`; with `get_prob` also the logarithms of their probabilities.

    Parameters
    ----------
    data : Symbol
        Probabilities, shape ``(k,)`` or ``(n, k)``; the last axis should sum to 1.
    shape : int or tuple of int, optional
        Draws for each row.
    get_prob : bool, optional
        Whether there is a second output.
    dtype : str, optional
        Element type of the indices.
    """
    return _internal._sample_multinomial(data, shape=shape, get_prob=get_prob, dtype=dtype, **kwargs)


def shuffle(data, **kwargs):
    """The array with its entries along the first axis in random order."""
    return _internal._shuffle(data, **kwargs)

"""Random numbers: one function per distribution, with numbers or arrays of parameters."""
from .. import _core
from ..base import _Null, numeric_types
from ..context import current_context
from ..error import TypeError as MXTypeError
from ..error import ValueError as MXValueError
from . import _internal
from . import register as _register

_like = _register.functions("random")
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


def _draw(name, parameters, shape, dtype, ctx, out, kwargs):
    """Draws from ``_random_<name>`` (numbers) or ``_sample_<name>`` (arrays, a set of draws for each element)."""
    given = {"shape": shape, "dtype": dtype, **kwargs}
    given = {key: value for key, value in given.items() if value is not _Null}
    values = parameters.values()
    if any(isinstance(value, _core.NDArrayBase) for value in values):
        if not all(isinstance(value, _core.NDArrayBase) for value in values):
            kinds = ", ".join(f"{key}: {type(value).__name__}" for key, value in parameters.items())
            raise MXTypeError(f"random.{name}: the parameters must all be numbers or all be arrays, got {kinds}")
        sampler = getattr(_internal, f"_sample_{name}", None)
        if sampler is None:
            raise MXTypeError(f"random.{name}: the parameters must be numbers, got arrays")
        return sampler(*values, out=out, **given)
    for key, value in parameters.items():
        if not isinstance(value, numeric_types):
            raise MXValueError(f"random.{name}: {key} must be a number or an NDArray, got {type(value).__name__}")
    if out is None:
        given.setdefault("shape", (1,))
    return getattr(_internal, f"_random_{name}")(
        **parameters, ctx=current_context() if ctx is None else ctx, out=out, **given)


def uniform(low=0, high=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers evenly distributed in ``[low, high)``.

    Parameters
    ----------
    low, high : number or NDArray
        Bounds; two arrays of one shape give draws for each of their elements.
    shape : int or tuple of int, optional
        How many to draw, default 1. With arrays of shape ``s`` the result has shape ``s + shape``.
    dtype : str, optional
        'float16', 'float32' (default) or 'float64'.
    ctx : Context, optional
        Default is the current context, or that of the arrays.
    out : NDArray, optional
        Array to fill.

    Examples
    --------
    >>> mx.nd.random.uniform(0, 10, shape=(2, 3)).shape
    (2, 3)
    >>> mx.nd.random.uniform(mx.nd.array([0, 5]), mx.nd.array([1, 6]), shape=4).shape
    (2, 4)
    """
    return _draw("uniform", {"low": low, "high": high}, shape, dtype, ctx, out, kwargs)


def normal(loc=0, scale=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers of the normal distribution with mean `loc` and standard deviation `scale`.

    Parameters as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.normal(0, 1, shape=(2,)).shape
    (2,)
    """
    return _draw("normal", {"loc": loc, "scale": scale}, shape, dtype, ctx, out, kwargs)


def randn(*shape, **kwargs):
    """Numbers of the normal distribution, the shape given as separate ints.

    Parameters
    ----------
    shape : int
        Extents of the result.
    loc, scale : number or NDArray, optional
        Mean, default 0, and standard deviation, default 1.
    dtype, ctx, out : optional
        As for `uniform`.

    Examples
    --------
    >>> mx.nd.random.randn(2, 3).shape
    (2, 3)
    """
    return normal(kwargs.pop("loc", 0), kwargs.pop("scale", 1), shape or _Null, **kwargs)


def poisson(lam=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers of the Poisson distribution with mean `lam`; other parameters as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.poisson(4, shape=(2,)).shape
    (2,)
    """
    return _draw("poisson", {"lam": lam}, shape, dtype, ctx, out, kwargs)


def exponential(scale=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers of the exponential distribution with mean `scale`; other parameters as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.exponential(2, shape=(2,)).shape
    (2,)
    """
    rate = scale if isinstance(scale, (str, type(None))) else 1.0 / scale
    return _draw("exponential", {"lam": rate}, shape, dtype, ctx, out, kwargs)


def gamma(alpha=1, beta=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers of the gamma distribution with shape `alpha` and scale `beta`; the rest as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.gamma(9, 0.5, shape=(2,)).shape
    (2,)
    """
    return _draw("gamma", {"alpha": alpha, "beta": beta}, shape, dtype, ctx, out, kwargs)


def negative_binomial(k=1, p=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Failures before the `k`-th success when each trial succeeds with probability `p`; the rest as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.negative_binomial(10, 0.5, shape=(2,)).shape
    (2,)
    """
    return _draw("negative_binomial", {"k": k, "p": p}, shape, dtype, ctx, out, kwargs)


def generalized_negative_binomial(mu=1, alpha=1, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Numbers of the negative binomial distribution with mean `mu` and dispersion `alpha`, ``1 / k``.

    Other parameters as for `uniform`.

    Examples
    --------
    >>> mx.nd.random.generalized_negative_binomial(10, 0.5, shape=(2,)).shape
    (2,)
    """
    return _draw("generalized_negative_binomial", {"mu": mu, "alpha": alpha}, shape, dtype, ctx, out, kwargs)


def randint(low, high, shape=_Null, dtype=_Null, ctx=None, out=None, **kwargs):
    """Integers evenly distributed in ``[low, high)``.

    Parameters
    ----------
    low, high : int
        Bounds.
    dtype : str, optional
        'int32' (default) or 'int64'.
    shape, ctx, out : optional
        As for `uniform`.

    Examples
    --------
    >>> mx.nd.random.randint(0, 10, shape=(2,)).dtype
    <class 'numpy.int32'>
    """
    return _draw("randint", {"low": low, "high": high}, shape, dtype, ctx, out, kwargs)


def multinomial(data, shape=_Null, get_prob=False, out=None, dtype="int32", **kwargs):
    """Indices drawn with given probabilities.

    Parameters
    ----------
    data : NDArray
        Probabilities, shape ``(k,)`` or ``(n, k)``; the last axis should sum to 1.
    shape : int or tuple of int, optional
        Draws for each row; default one without an axis for it.
    get_prob : bool, optional
        Also return the logarithm of the probability of each draw, whose gradient reaches `data`.
    out : NDArray, optional
        Array to fill.
    dtype : str or numpy type, optional
        Element type of the indices.

    Examples
    --------
    >>> mx.nd.random.multinomial(mx.nd.array([[0, 1.0], [1.0, 0]]))
    <BLANKLINE>
    [1 0]
    <NDArray 2 @cpu(0)>
    """
    if shape is not _Null:
        kwargs["shape"] = shape
    return _internal._sample_multinomial(data, get_prob=get_prob, out=out, dtype=dtype, **kwargs)


def shuffle(data, **kwargs):
    """The array with its entries along the first axis in random order.

    Examples
    --------
    >>> mx.nd.random.shuffle(mx.nd.zeros((3, 2))).shape
    (3, 2)
    """
    return _internal._shuffle(data, **kwargs)

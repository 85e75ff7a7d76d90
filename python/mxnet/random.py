"""Random numbers: the seed, and the sampling functions of ``mx.nd.random`` under ``mx.random``."""
from .base import integer_types
from .context import Context
from .ndarray.random import (
    exponential,
    gamma,
    generalized_negative_binomial,
    multinomial,
    negative_binomial,
    normal,
    poisson,
    randint,
    randn,
    shuffle,
    uniform,
)

__all__ = [
    "exponential",
    "gamma",
    "generalized_negative_binomial",
    "get_state",
    "multinomial",
    "negative_binomial",
    "normal",
    "poisson",
    "randint",
    "randn",
    "seed",
    "set_state",
    "shuffle",
    "uniform",
]


def seed(seed_state, ctx="all"):
    """Starts the random numbers of a context, or of all, from a seed.

    The same seed gives the same numbers on the CPU, whatever the number of threads.

    Parameters
    ----------
    seed_state : int
        The seed.
    ctx : Context or 'all'
        Whose random numbers to start anew.

    Raises
    ------
    ValueError
        When the seed is not an integer.

    Examples
    --------
    >>> mx.random.seed(7)
    >>> a = mx.nd.random.uniform(shape=(3,))
    >>> mx.random.seed(7)
    >>> (a == mx.nd.random.uniform(shape=(3,))).asnumpy()
    array([1., 1., 1.], dtype=float32)
    """
    from . import _core
    if not isinstance(seed_state, integer_types) and not hasattr(seed_state, "__index__"):
        raise ValueError(f"random.seed: the seed must be an integer, got {seed_state!r}")
    if isinstance(ctx, str):
        if ctx != "all":
            raise ValueError(f"random.seed: ctx must be a Context or 'all', got {ctx!r}")
        _core.seed(int(seed_state), -1, 0)
    else:
        ctx = Context(ctx)
        _core.seed(int(seed_state), ctx.device_typeid, ctx.device_id)


def get_state():
    """Where the random numbers of all contexts stand, for `set_state`; it can be pickled.

    Examples
    --------
    >>> state = mx.random.get_state()
    >>> a = mx.nd.random.uniform(shape=(3,))
    >>> mx.random.set_state(state)
    >>> (a == mx.nd.random.uniform(shape=(3,))).asnumpy()
    array([1., 1., 1.], dtype=float32)
    """
    from . import _core
    return _core.random_state()


def set_state(state):
    """Goes back to where `get_state` was called. ValueError for anything else."""
    from . import _core
    try:
        _core.set_random_state(*state)
    except TypeError as error:
        raise ValueError("random.set_state: this is not a state that get_state gave") from error

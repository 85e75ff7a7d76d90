"""Helpers for tests: comparing arrays, random arrays and shapes, checking gradients and distributions.

Functions that take NumPy arrays take NDArrays as well.
"""
import contextlib
import os
import sys

import numpy as np

from . import autograd, ndarray
from . import random as _random
from ._symbol_checks import (  # noqa: F401 - found here
    Symbol,
    check_consistency,
    check_gluon_hybridize_consistency,
    check_speed,
    check_symbolic_backward,
    check_symbolic_forward,
    numeric_grad,
    simple_forward,
    symbol_gradient_check,
)
from .context import Context, current_context, num_gpus
from .io import DataIter
from .ndarray import NDArray, array
from .util import getenv, setenv, use_np  # noqa: F401 - found here in 1.x

_EXACT = ("bool", "int8", "uint8", "int32", "uint32", "int64", "uint64")


# -- defaults --------------------------------------------------------------------------------------

def default_context():
    """The context that tests run on: the current one."""
    return current_context()


def set_default_context(ctx):
    """Makes `ctx` the current context of this thread."""
    Context._default_ctx.value = ctx


def default_dtype():
    """The element type that tests use: float32."""
    return np.float32


def default_rtols():
    """Relative tolerances by element type."""
    return {**dict.fromkeys(map(np.dtype, _EXACT), 0), np.dtype("float16"): 1e-2, np.dtype("float32"): 1e-4,
            np.dtype("float64"): 1e-5}


def default_atols():
    """Absolute tolerances by element type."""
    return {**dict.fromkeys(map(np.dtype, _EXACT), 0), np.dtype("float16"): 1e-1, np.dtype("float32"): 1e-3,
            np.dtype("float64"): 1e-20}


def default_numeric_eps():
    """Steps of finite differences by element type: powers of 2, so that they are exact."""
    return {np.dtype("float16"): 2 ** -6, np.dtype("float32"): 2 ** -9, np.dtype("float64"): 2 ** -14}


def effective_dtype(dat):
    """The element type whose tolerances apply to `dat`."""
    return np.dtype(dat.dtype) if hasattr(dat, "dtype") else np.asarray(dat).dtype


def get_tolerance(dat, tol, default_tol):
    """`tol`, or the default for the element type of `dat`."""
    return default_tol[effective_dtype(dat)] if tol is None else tol


def get_tols(x, y, rtol, atol):
    """The tolerances for comparing `x` and `y`: those given, or the wider of the two defaults."""
    if rtol is None:
        rtol = max(get_tolerance(x, None, default_rtols()), get_tolerance(y, None, default_rtols()))
    if atol is None:
        atol = max(get_tolerance(x, None, default_atols()), get_tolerance(y, None, default_atols()))
    return rtol, atol


def get_rtol(rtol=None, dtype=np.dtype(np.float64)):  # noqa: B008
    """`rtol`, or the default for `dtype`."""
    return default_rtols()[np.dtype(dtype)] if rtol is None else rtol


def get_atol(atol=None, dtype=np.dtype(np.float64)):  # noqa: B008
    """`atol`, or the default for `dtype`."""
    return default_atols()[np.dtype(dtype)] if atol is None else atol


def get_etol(etol=None):
    """`etol`, the share of elements that may differ, or 0."""
    return 0 if etol is None else etol


def list_gpus():
    """The numbers of the GPUs that can be used."""
    return list(range(num_gpus()))


# -- comparing -------------------------------------------------------------------------------------

def _numpy(a):
    return a.asnumpy() if isinstance(a, NDArray) else np.asarray(a)


def same(a, b):
    """True when two arrays are equal in all elements."""
    return np.array_equal(_numpy(a), _numpy(b))


def checkShapes(a, b):
    """Raises AssertionError when the shapes differ."""
    if tuple(a.shape) != tuple(b.shape):
        raise AssertionError(f"Items are not equal: a.shape = {a.shape} and b.shape = {b.shape} are not equal")


def almost_equal(a, b, rtol=None, atol=None, equal_nan=False, use_broadcast=True):
    """True when two arrays agree within tolerances; see `assert_almost_equal`."""
    a, b = _numpy(a), _numpy(b)
    if not use_broadcast:
        checkShapes(a, b)
    rtol, atol = get_tols(a, b, rtol, atol)
    return bool(np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan).all())


def locationError(a, b, index, names, maxError=False):
    """Text that shows the elements of two arrays at an index."""
    most = "maximum " if maxError else ""
    return f"Location of {most}error: {index}, {names[0]}={a[index]:.8f}, {names[1]}={b[index]:.8f}"


def assert_almost_equal(a, b, rtol=None, atol=None, names=("a", "b"), equal_nan=False, use_broadcast=True,
                        mismatches=(10, 10)):
    """Raises AssertionError unless ``|a - b| <= atol + rtol * |b|`` for all elements.

    Parameters
    ----------
    a, b : array_like
        The arrays; `b` is the expected one.
    rtol, atol : float, optional
        Tolerances; by default those of the less precise element type.
    names : tuple of str
        What to call the arrays in the message.
    equal_nan : bool
        Whether nan equals nan.
    use_broadcast : bool
        Whether the shapes may differ where one can be broadcast.
    mismatches : tuple of int
        How many differing elements to show, and to keep when there are more.

    Examples
    --------
    >>> mx.test_utils.assert_almost_equal(mx.nd.ones((2,)), np.array([1.0, 1.00001]))
    """
    assert_almost_equal_with_err(a, b, rtol, atol, 0, names, equal_nan, mismatches, use_broadcast)


def assert_almost_equal_with_err(a, b, rtol=None, atol=None, etol=None, names=("a", "b"), equal_nan=False,
                                 mismatches=(10, 10), use_broadcast=True):
    """`assert_almost_equal`, where a share `etol` of the elements may differ."""
    a, b = _numpy(a), _numpy(b)
    if not use_broadcast:
        checkShapes(a, b)
    rtol, atol = get_tols(a, b, rtol, atol)
    wrong = ~np.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if wrong.sum() <= get_etol(etol) * wrong.size:
        return
    a, b = np.broadcast_arrays(a, b)
    with np.errstate(all="ignore"):
        allowed = atol + rtol * np.abs(b.astype("float64")) + 1e-20
        error = np.abs(a.astype("float64") - b.astype("float64")) / allowed
    error = np.where(wrong, np.where(np.isnan(error), np.inf, error), 0.0)
    order = np.argsort(-error, axis=None)[:min(mismatches[0], int(wrong.sum()))]
    where = [np.unravel_index(i, a.shape) for i in order]
    shown = "\n".join(f"  error {error[i]:.6f} at {tuple(map(int, i))}: {names[0]}={a[i]}, {names[1]}={b[i]}"
                      for i in where)
    raise AssertionError(f"{names[0]} and {names[1]} differ in {wrong.sum()} of {wrong.size} elements "
                         f"(rtol={rtol:.3g}, atol={atol:.3g}; errors in units of the tolerance)\n{shown}\n"
                         f" ACTUAL: {a!r}\n DESIRED: {b!r}")


def assert_allclose(a, b, rtol=1e-07, atol=0, equal_nan=True):
    """Raises AssertionError unless two arrays of the same shape agree within tolerances."""
    np.testing.assert_allclose(_numpy(a), _numpy(b), rtol=rtol, atol=atol, equal_nan=equal_nan)


def almost_equal_ignore_nan(a, b, rtol=None, atol=None):
    """True when two arrays agree where neither is nan."""
    a, b = _numpy(a), _numpy(b)
    known = ~(np.isnan(a) | np.isnan(b))
    return almost_equal(a[known], b[known], rtol, atol)


def assert_almost_equal_ignore_nan(a, b, rtol=None, atol=None, names=("a", "b")):
    """`assert_almost_equal` for the elements where neither array is nan."""
    a, b = _numpy(a), _numpy(b)
    known = ~(np.isnan(a) | np.isnan(b))
    assert_almost_equal(a[known], b[known], rtol, atol, names)


def assert_exception(f, exception_type, *args, **kwargs):
    """Raises AssertionError unless ``f(*args, **kwargs)`` raises `exception_type`."""
    try:
        f(*args, **kwargs)
        ndarray.waitall()
    except exception_type:
        return
    raise AssertionError(f"{f} did not raise {exception_type}")


def compare_ndarray_tuple(t1, t2, rtol=None, atol=None):
    """`assert_almost_equal` for the arrays in nested tuples; None agrees with None only."""
    if t1 is None or t2 is None:
        assert t1 is None and t2 is None, f"one is None, the other {t1 if t2 is None else t2}"
    elif isinstance(t1, (tuple, list)):
        assert len(t1) == len(t2), f"{len(t1)} arrays on one side, {len(t2)} on the other"
        for s1, s2 in zip(t1, t2):
            compare_ndarray_tuple(s1, s2, rtol, atol)
    else:
        assert_almost_equal(t1, t2, rtol=rtol, atol=atol)


def same_array(array1, array2):
    """True when two NDArrays share their memory: a change of one shows in the other."""
    array1[:] += 1
    if not same(array1, array2):
        array1[:] -= 1
        return False
    array1[:] -= 1
    return same(array1, array2)


# -- random ----------------------------------------------------------------------------------------

def random_arrays(*shapes):
    """Normally distributed NumPy arrays of these shapes: a list, or the array when there is one shape."""
    arrays = [np.array(np.random.randn(*shape), dtype=default_dtype()) for shape in shapes]
    return arrays[0] if len(arrays) == 1 else arrays


def random_uniform_arrays(*shapes, **kwargs):
    """A list of NumPy arrays of numbers from `low` (0) to `high` (1), of type `dtype` (float32)."""
    low, high = kwargs.pop("low", 0.0), kwargs.pop("high", 1.0)
    dtype = kwargs.pop("dtype", default_dtype())
    if kwargs:
        raise TypeError(f"random_uniform_arrays: unknown arguments {', '.join(kwargs)}")
    return [np.random.uniform(low, high, size=shape).astype(dtype) for shape in shapes]


def random_sample(population, k):
    """`k` different elements of a list, in the order of the list's own shuffling."""
    return [population[i] for i in np.random.permutation(len(population))[:k]]


def rand_shape_nd(num_dim, dim=10, allow_zero_size=False):
    """A random shape of `num_dim` axes, each of 1 (0 with `allow_zero_size`) to `dim`."""
    return tuple(np.random.randint(0 if allow_zero_size else 1, dim + 1, size=num_dim).tolist())


def rand_shape_2d(dim0=10, dim1=10, allow_zero_size=False):
    """A random shape of 2 axes, of at most `dim0` and `dim1`."""
    low = 0 if allow_zero_size else 1
    return tuple(int(np.random.randint(low, dim + 1)) for dim in (dim0, dim1))


def rand_shape_3d(dim0=10, dim1=10, dim2=10, allow_zero_size=False):
    """A random shape of 3 axes, of at most `dim0`, `dim1` and `dim2`."""
    low = 0 if allow_zero_size else 1
    return tuple(int(np.random.randint(low, dim + 1)) for dim in (dim0, dim1, dim2))


def rand_coord_2d(x_low, x_high, y_low, y_high):
    """A random point ``(x, y)`` of whole numbers, below `x_high` and `y_high`."""
    return int(np.random.randint(x_low, x_high)), int(np.random.randint(y_low, y_high))


def rand_ndarray(shape, stype="default", density=None, dtype=None, modifier_func=None, shuffle_csr_indices=False,
                 distribution=None, ctx=None):
    """A normally distributed NDArray of a shape. ValueError for storage other than 'default'."""
    if stype != "default":
        raise ValueError(f"rand_ndarray: storage '{stype}' is not available, only 'default'")
    return array(random_arrays(tuple(shape)), dtype=dtype or default_dtype(), ctx=ctx)


def create_vector(size, dtype=np.int64):
    """The NDArray of 0 to ``size - 1``."""
    return ndarray.arange(0, size, dtype=dtype)


def create_2d_tensor(rows, columns, dtype=np.int64):
    """The NDArray ``(rows, columns)`` with the row's number in each element."""
    return ndarray.arange(0, rows, dtype=dtype).reshape((rows, 1)).broadcast_to((rows, columns))


def get_identity_mat(size):
    """The NDArray of the identity matrix."""
    return array(np.identity(size))


def get_identity_mat_batch(size):
    """The NDArray of two identity matrices, ``(2, size, size)``."""
    return array(np.stack([np.identity(size)] * 2))


# -- NumPy references ------------------------------------------------------------------------------

def np_reduce(dat, axis, keepdims, numpy_reduce_func):
    """Reduces axes one after the other; `axis` is a number, a list or None for all."""
    axes = [axis] if isinstance(axis, int) else list(range(dat.ndim) if axis is None else axis)
    out = dat
    for i in sorted(axes, reverse=True):
        out = numpy_reduce_func(out, axis=i)
    if keepdims:
        out = out.reshape([1 if i in axes else n for i, n in enumerate(dat.shape)])
    return out


def collapse_sum_like(a, shape):
    """Sums `a` over the axes along which `shape` would be broadcast to its shape."""
    if len(a.shape) < len(shape):
        raise AssertionError(f"collapse_sum_like: shape {a.shape} has fewer axes than {shape}")
    extra = len(a.shape) - len(shape)
    axes = list(range(extra))
    for i, n in enumerate(shape):
        if n != a.shape[i + extra]:
            if n != 1:
                raise AssertionError(f"collapse_sum_like: {shape} cannot be broadcast to {a.shape}")
            axes.append(i + extra)
    return a.sum(axis=tuple(axes), keepdims=True).reshape(shape) if axes else a


def assign_each(the_input, function):
    """The NumPy array of ``function(x)`` for each element, or a copy without a function."""
    the_input = np.array(the_input)
    return the_input if function is None else np.vectorize(function, otypes=[the_input.dtype])(the_input)


def assign_each2(input1, input2, function):
    """The NumPy array of ``function(x, y)`` for each pair of elements, or a copy without a function."""
    input1 = np.array(input1)
    if function is None:
        return input1
    return np.vectorize(function, otypes=[input1.dtype])(input1, np.asarray(input2))


# -- gradients -------------------------------------------------------------------------------------

def check_numeric_gradient(sym, location, aux_states=None, numeric_eps=None, rtol=None, atol=None, grad_nodes=None,
                           use_forward_train=True, ctx=None, grad_stype_dict=None, dtype=default_dtype()):  # noqa: B008
    """Compares gradients from backward with finite differences.

    The outputs are multiplied by random numbers and summed, so that each gradient is one array.

    Parameters
    ----------
    sym : Symbol or callable
        A symbol, or a function of NDArrays that gives an NDArray or a list of them.
    location : list or dict of str to array_like
        The inputs, in order or as keywords.
    numeric_eps : float, optional
        Step of the differences.
    rtol, atol : float, optional
        Tolerances of the comparison.
    grad_nodes : list, optional
        Numbers or names of the inputs to check; all by default.
    use_forward_train : bool
        Whether the differences are those of training.
    ctx : Context, optional
        Where to compute.
    dtype : numpy type
        Element type of the inputs.
    aux_states : list or dict of array_like, optional
        Auxiliary states of a symbol.
    grad_stype_dict : dict, optional
        Accepted.

    Raises
    ------
    AssertionError
        When a gradient is wrong.
    TypeError
        When `sym` is neither.

    Examples
    --------
    >>> mx.test_utils.check_numeric_gradient(lambda x: x * x, [np.array([1.0, 2.0])])
    """
    ctx = ctx or default_context()
    # Differences of float32 sums have few right digits.
    rtol, atol = 1e-2 if rtol is None else rtol, 1e-3 if atol is None else atol
    if isinstance(sym, Symbol):
        step = default_numeric_eps()[np.dtype(dtype)] if numeric_eps is None else numeric_eps
        return symbol_gradient_check(sym, location, aux_states, step, rtol, atol, grad_nodes, use_forward_train, ctx,
                                     dtype)
    if not callable(sym):
        raise TypeError(f"check_numeric_gradient: sym must be a Symbol or a function of NDArrays, got "
                        f"{type(sym).__name__}")
    names = list(location) if isinstance(location, dict) else list(range(len(location)))
    inputs = {name: array(_numpy(location[name]), ctx=ctx, dtype=dtype) for name in names}
    eps = default_numeric_eps()[np.dtype(dtype)] if numeric_eps is None else numeric_eps
    weights = []

    def objective():
        """The weighted sum of the outputs."""
        outs = sym(**inputs) if isinstance(location, dict) else sym(*inputs.values())
        outs = outs if isinstance(outs, (list, tuple)) else [outs]
        if not weights:
            weights.extend(array(np.random.uniform(0.5, 1.5, out.shape), ctx=ctx, dtype=dtype) for out in outs)
        return ndarray.add_n(*((out * w).sum().reshape((1,)) for out, w in zip(outs, weights)))

    checked = names if grad_nodes is None else list(grad_nodes)
    for name in checked:
        inputs[name].attach_grad()
    with autograd.record():
        total = objective()
    total.backward()
    for name in checked:
        wanted = _finite_differences(inputs[name], objective, eps, use_forward_train)
        assert_almost_equal(inputs[name].grad, wanted, rtol, atol,
                            (f"gradient of input {name}", "finite differences"))


def _finite_differences(variable, objective, eps, training):
    """The gradient of `objective` with regard to `variable` by central differences."""
    values = variable.asnumpy()
    gradient = np.zeros(values.shape, dtype="float64")

    def evaluate():
        variable[:] = values
        with autograd.train_mode() if training else autograd.predict_mode():
            return float(objective().asscalar())
    for i in np.ndindex(values.shape):
        old = values[i]
        values[i] = old + eps / 2
        above = evaluate()
        values[i] = old - eps / 2
        gradient[i] = (above - evaluate()) / eps
        values[i] = old
    variable[:] = values
    return gradient


def compare_optimizer(opt1, opt2, shape, dtype, w_stype="default", g_stype="default", rtol=1e-4, atol=1e-5,
                      compare_states=True, ntensors=1):
    """Raises AssertionError unless two optimizers make the same of random weights and gradients."""
    if w_stype != "default" or g_stype != "default":
        raise ValueError("compare_optimizer: only 'default' storage is available")
    shapes = shape if isinstance(shape, list) else [shape] * ntensors
    for i, one in enumerate(shapes):
        w1 = _random.normal(shape=one, dtype=dtype)
        w2 = w1.copy()
        state1, state2 = (opt.create_state_multi_precision(i, w) for opt, w in ((opt1, w1), (opt2, w2)))
        if compare_states:
            compare_ndarray_tuple(state1, state2)
        grad = _random.normal(shape=one, dtype=dtype)
        opt1.update_multi_precision(i, w1, grad, state1)
        opt2.update_multi_precision(i, w2, grad.copy(), state2)
        if compare_states:
            compare_ndarray_tuple(state1, state2, rtol=rtol, atol=atol)
        assert_almost_equal(w1, w2, rtol=rtol, atol=atol)


# -- distributions ---------------------------------------------------------------------------------

def mean_check(generator, mu, sigma, nsamples=1000000):
    """True when the mean of ``generator(nsamples)`` is `mu`, but for 3 standard errors."""
    mean = np.mean(np.array(generator(nsamples)))
    return bool(abs(mean - mu) < 3 * sigma / np.sqrt(nsamples))


def var_check(generator, sigma, nsamples=1000000):
    """True when the variance of normal ``generator(nsamples)`` is ``sigma ** 2``, but for 3 standard errors."""
    variance = np.var(np.array(generator(nsamples)), ddof=1)
    return bool(abs(variance - sigma ** 2) < 3 * np.sqrt(2 * sigma ** 4 / (nsamples - 1)))


def gen_buckets_probs_with_ppf(ppf, nbuckets):
    """Intervals of equal probability and their probabilities, from the inverse of a distribution function."""
    if nbuckets < 1:
        raise AssertionError(f"gen_buckets_probs_with_ppf: needs at least one interval, got {nbuckets}")
    edges = [ppf(i / nbuckets) for i in range(nbuckets + 1)]
    return list(zip(edges[:-1], edges[1:])), [1 / nbuckets] * nbuckets


def chi_square_check(generator, buckets, probs, nsamples=1000000):
    """Chi-square test that samples fall into intervals (or on values) as often as they should.

    Parameters
    ----------
    generator : callable
        ``generator(n)`` gives `n` samples.
    buckets : list
        Pairs of bounds, or values.
    probs : list of float
        Probability of each.
    nsamples : int
        Number of samples.

    Returns
    -------
    tuple
        The probability of frequencies at least as far off, the frequencies found and the expected.
    """
    from scipy import stats
    if not buckets:
        raise AssertionError("chi_square_check: there are no buckets")
    samples = np.array(generator(nsamples)).reshape(-1)[:nsamples]
    if isinstance(buckets[0], (list, tuple)):
        found = np.array([((samples >= low) & (samples < high)).sum() for low, high in buckets])
    else:
        found = np.array([(samples == value).sum() for value in buckets])
    expected = (len(samples) * np.array(probs)).astype(np.int64)
    # The test asks for equal sums; rounding and samples outside of all buckets would break that.
    expected = expected * (found.sum() / expected.sum())
    _, p = stats.chisquare(f_obs=found, f_exp=expected)
    return float(p), found, expected


def verify_generator(generator, buckets, probs, nsamples=1000000, nrepeat=5, success_rate=0.2, alpha=0.05):
    """Raises AssertionError unless a share `success_rate` of `nrepeat` chi-square tests pass at level `alpha`."""
    results = [chi_square_check(generator, buckets, probs, nsamples)[0] for _ in range(nrepeat)]
    passed = sum(p > alpha for p in results)
    if passed < nrepeat * success_rate:
        raise AssertionError(f"verify_generator: {passed} of {nrepeat} tests passed; their p-values are {results}")
    return results


# -- surroundings ----------------------------------------------------------------------------------

@contextlib.contextmanager
def environment(*args):
    """Sets environment variables for the length of a ``with`` block.

    ``environment(name, value)`` or ``environment({name: value, ...})``; None removes a variable.
    """
    wanted = args[0] if len(args) == 1 else dict([args])
    if not isinstance(wanted, dict):
        raise TypeError(f"environment: expected a name and a value, or a dict, got {args}")
    before = {name: os.environ.get(name) for name in wanted}
    try:
        for name, value in wanted.items():
            setenv(name, value)
        yield
    finally:
        for name, value in before.items():
            setenv(name, value)


@contextlib.contextmanager
def discard_stderr():
    """Drops what is written to the standard error stream, by Python or below it, in a ``with`` block."""
    number = sys.stderr.fileno()
    kept = os.dup(number)
    try:
        with open(os.devnull, "w") as sink:
            os.dup2(sink.fileno(), number)
        yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


def retry(n):
    """Decorator: runs a test up to `n` times, until it passes once."""
    if n < 1:
        raise AssertionError(f"retry: needs at least one try, got {n}")

    def decorate(test):
        import functools

        @functools.wraps(test)
        def tried(*args, **kwargs):
            for left in range(n - 1, -1, -1):
                try:
                    return test(*args, **kwargs)
                except AssertionError:
                    if not left:
                        raise
        return tried
    return decorate


def download(url, fname=None, dirname=None, overwrite=False, retries=5):
    """Fetches a file; see `mxnet.gluon.utils.download`. Returns its path."""
    from .gluon import utils
    fname = fname or url.split("/")[-1]
    if dirname is not None:
        fname = os.path.join(dirname, fname)
    return utils.download(url, path=fname, overwrite=overwrite, retries=retries)


def get_mnist():
    """MNIST as a dict of NumPy arrays: images ``(n, 1, 28, 28)`` from 0 to 1, labels ``(n,)``.

    The keys are ``train_data``, ``train_label``, ``test_data`` and ``test_label``.
    """
    from .gluon.data.vision import MNIST
    found = {}
    for part, train in (("train", True), ("test", False)):
        digits = MNIST(train=train)
        found[f"{part}_data"] = digits._data.asnumpy().transpose(0, 3, 1, 2).astype(np.float32) / 255
        found[f"{part}_label"] = digits._label
    return found


class DummyIter(DataIter):
    """Gives the first batch of another iterator again and again, to time everything but loading."""

    def __init__(self, real_iter):
        super().__init__()
        self.real_iter = real_iter
        self.provide_data = real_iter.provide_data
        self.provide_label = real_iter.provide_label
        self.batch_size = real_iter.batch_size
        self.the_batch = next(real_iter)

    def next(self):
        """The batch."""
        return self.the_batch

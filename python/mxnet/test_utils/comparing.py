"""Comparing arrays, with tolerances that fit their element types, and NumPy references."""
import numpy as np

from .. import ndarray
from ..context import Context, current_context, num_gpus
from ..ndarray import NDArray

_EXACT = ("bool", "int8", "uint8", "int32", "uint32", "int64", "uint64")


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

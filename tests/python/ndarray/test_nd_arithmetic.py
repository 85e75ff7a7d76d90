"""Arithmetic signs, comparisons, in-place operations, and their functions."""
import operator

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

SIGNS = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
         "modulo": operator.mod, "power": operator.pow}
COMPARISONS = {"equal": operator.eq, "not_equal": operator.ne, "greater": operator.gt,
               "greater_equal": operator.ge, "lesser": operator.lt, "lesser_equal": operator.le}
SHAPES = [((2, 3), (2, 3)), ((2, 3), (1, 3)), ((2, 1), (1, 3)), ((1,), (4,)), ((2, 3), (2, 1)), ((), ()),
          ((0, 3), (1, 3))]
FLOATS = ("float32", "float64", "float16")
DTYPES = (*FLOATS, "int32", "int64", "int8", "uint8")


def values(shape, dtype, seed):
    return np.random.RandomState(seed).randint(1, 5, shape).astype(dtype)


def check(have, want, dtype):
    assert have.dtype == np.dtype(dtype)
    assert have.shape == want.shape
    np.testing.assert_allclose(have.asnumpy(), want.astype(dtype), rtol=2e-3 if dtype == "float16" else 1e-5)


def expected(sign, a, b, dtype):
    """NumPy's result in the arrays' own type: integers stay integers, division rounds towards zero."""
    if sign is operator.truediv and dtype not in FLOATS:
        return np.trunc(a / b)
    return sign(np.asarray(a, "float64"), np.asarray(b, "float64")) if dtype in FLOATS else sign(a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", [*SIGNS, *COMPARISONS])
def test_arrays(name, shapes, dtype):
    sign = {**SIGNS, **COMPARISONS}[name]
    a, b = (values(s, dtype, i) for i, s in enumerate(shapes))
    want = np.asarray(expected(sign, a, b, dtype))
    x, y = nd.array(a, dtype=dtype), nd.array(b, dtype=dtype)
    check(sign(x, y), want, dtype)
    check(getattr(nd, name)(x, y), want, dtype)


@pytest.mark.parametrize("scalar", [2, 3.0, np.float32(2), np.float64(2), np.int64(3), True], ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float16", "int32"])
@pytest.mark.parametrize("name", [*SIGNS, *COMPARISONS])
def test_scalars(name, dtype, scalar):
    sign = {**SIGNS, **COMPARISONS}[name]
    a = values((2, 3), dtype, 0)
    x = nd.array(a, dtype=dtype)
    number = float(scalar) if dtype in FLOATS else int(scalar)
    check(sign(x, scalar), np.asarray(expected(sign, a, number, dtype)), dtype)
    check(sign(scalar, x), np.asarray(expected(sign, number, a, dtype)), dtype)
    check(getattr(nd, name)(x, scalar), np.asarray(expected(sign, a, number, dtype)), dtype)
    check(getattr(nd, name)(scalar, x), np.asarray(expected(sign, number, a, dtype)), dtype)


def test_fractions_meet_integers():
    # The scalar is taken in the array's type first, as in MXNet 1.9.1.
    np.testing.assert_array_equal((nd.array([1, 2], dtype="int32") + 1.5).asnumpy(), [2, 3])
    assert (nd.array([1, 2], dtype="int32") / 2).dtype == np.int32


@pytest.mark.parametrize("name", ["maximum", "minimum", "logical_and", "logical_or", "logical_xor"])
def test_functions_without_signs(name):
    a, b = np.array([[0.0, 1, 2], [3, 0, 1]]), np.array([[1.0, 1, 0]])
    function, reference = getattr(nd, name), getattr(np, name)
    check(function(nd.array(a), nd.array(b)), reference(a, b), "float32")
    check(function(nd.array(a), 1), reference(a, 1), "float32")
    check(function(0, nd.array(a)), reference(0, a), "float32")
    assert function(2, 1) == reference(2, 1)


def test_functions_of_numbers():
    assert nd.add(1, 2) == 3 and nd.power(2, 3) == 8 and nd.equal(1, 1) == 1
    assert nd.true_divide(3, 2) == 1.5


@pytest.mark.parametrize("name", ["add", "subtract", "maximum", "logical_and", "equal"])
@pytest.mark.parametrize("other", ["text", None, [1, 2], np.ones(2)], ids=lambda x: type(x).__name__)
def test_functions_refuse(name, other):
    for arguments in ((nd.ones((2,)), other), (other, nd.ones((2,)))):
        with pytest.raises(TypeError):
            getattr(nd, name)(*arguments)


@pytest.mark.parametrize("other", ["text", None, [1, 2], np.ones(2)], ids=lambda x: type(x).__name__)
def test_signs_refuse(other):
    x = nd.ones((2,))
    for sign in SIGNS.values():
        with pytest.raises(TypeError):
            sign(x, other)
        if isinstance(other, str) and sign is operator.mod:
            continue  # text formatting
        with pytest.raises(TypeError):
            sign(other, x)


def test_mixed_dtypes_and_shapes_are_errors():
    x = nd.array([1, 2])
    with pytest.raises(mx.MXNetError) as caught:
        x + nd.array([1, 2], dtype="int32")
    assert isinstance(caught.value, TypeError) and "int32" in str(caught.value)
    with pytest.raises(mx.MXNetError) as caught:
        x + nd.array([1, 2, 3])
    assert isinstance(caught.value, ValueError) and "(3,)" in str(caught.value)


def test_comparison_with_none():
    x = nd.ones((2,))
    assert (x == None) is False and (x != None) is True  # noqa: E711


@pytest.mark.parametrize("name, sign", [("iadd", operator.iadd), ("isub", operator.isub), ("imul", operator.imul),
                                        ("itruediv", operator.itruediv), ("imod", operator.imod)])
@pytest.mark.parametrize("other", [2, np.float32(2), "array", "row"], ids=str)
def test_in_place(name, sign, other):
    a = values((2, 3), "float32", 0)
    b = {"array": values((2, 3), "float32", 1), "row": values((1, 3), "float32", 1)}.get(other, other)
    x = nd.array(a)
    view = x.reshape((3, 2))
    before = x
    x = sign(x, nd.array(b) if isinstance(b, np.ndarray) else b)
    want = sign(a.astype("float64"), b)
    assert x is before
    np.testing.assert_allclose(x.asnumpy(), want, rtol=1e-5)
    np.testing.assert_allclose(view.asnumpy(), want.reshape(3, 2), rtol=1e-5, err_msg="views see the change")


def test_in_place_keeps_shape_and_dtype():
    x = nd.ones((1, 3))
    with pytest.raises(ValueError):
        x += nd.ones((2, 3))
    i = nd.ones((2,), dtype="int32")
    i += 1.7
    assert i.dtype == np.int32


def test_in_place_on_a_view():
    x = nd.zeros((3, 2))
    x[1] += 5
    y = x[2]
    y *= 0
    y += 1
    np.testing.assert_array_equal(x.asnumpy(), [[0, 0], [5, 5], [1, 1]])


def test_negative_and_absolute():
    for dtype in ("float32", "float16", "int32", "int8"):
        x = nd.array([-1, 2], dtype=dtype)
        np.testing.assert_array_equal((-x).asnumpy(), [1, -2])
        np.testing.assert_array_equal(abs(x).asnumpy(), [1, 2])
        assert (-x).dtype == abs(x).dtype == np.dtype(dtype)


def test_truth():
    assert bool(nd.ones((1,))) and not bool(nd.zeros((1, 1))) and not nd.array([])
    with pytest.raises(ValueError):
        bool(nd.ones((2,)))
    assert 2 in nd.array([1, 2]) and 5 not in nd.array([1, 2])


def test_one_element():
    x = nd.array([[2.5]])
    assert float(x) == 2.5 and int(x) == 2 and x.asscalar() == 2.5 and x.item() == 2.5
    assert type(x.asscalar()) is np.float32
    assert type(nd.array([3], dtype="int64").asscalar()) is np.int64
    assert [10, 20, 30][nd.array([1], dtype="int32")] == 20
    assert list(range(5))[nd.array(3, dtype="int64")] == 3
    with pytest.raises(TypeError):
        [10, 20][nd.array([1.0])]
    for call in (nd.ones((2,)).asscalar, nd.array([]).asscalar, lambda: float(nd.ones((2,)))):
        with pytest.raises(ValueError):
            call()


def test_identity_is_the_hash():
    x, y = nd.ones((2,)), nd.ones((2,))
    assert hash(x) == hash(x) and len({x, y, x}) == 2


def test_numpy_functions_take_arrays():
    x = nd.array([[1, 2], [3, 4]])
    np.testing.assert_array_equal(np.asarray(x), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(np.array(x, dtype="int32"), [[1, 2], [3, 4]])
    assert np.mean(np.asarray(x)) == 2.5
    np.testing.assert_array_equal(np.array([nd.array([1, 2]), nd.array([3, 4])]), [[1, 2], [3, 4]])
    np.testing.assert_allclose(np.float32(2) * x.asnumpy(), (np.float32(2) * x).asnumpy())


def test_power_assignment_makes_a_new_array():
    x = nd.array([1, 2, 3])
    y = x
    y **= 2
    np.testing.assert_array_equal(x.asnumpy(), [1, 2, 3])
    np.testing.assert_array_equal(y.asnumpy(), [1, 4, 9])
    assert (x.__div__(2) == x / 2).asnumpy().all() and (x.__rdiv__(6) == 6 / x).asnumpy().all()

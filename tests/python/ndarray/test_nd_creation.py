"""Making arrays."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def same(array, want, dtype="float32"):
    want = np.asarray(want)
    assert isinstance(array, nd.NDArray)
    assert array.shape == want.shape
    assert array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(array.asnumpy(), want.astype(dtype))


@pytest.mark.parametrize("source", [
    [1, 2, 3], (1.5, 2), [[1, 2], [3, 4]], 3, 2.5, [], [[]], range(3), True, [True, False], np.float64(3),
    np.arange(4), np.arange(4, dtype="int8"), np.ones((2, 0)), np.array(7), np.array([True]), ((1, 2), [3, 4]),
], ids=repr)
def test_array_is_float32_unless_told(source):
    same(nd.array(source), np.asarray(source))


@pytest.mark.parametrize("dtype", DTYPES)
def test_array_of_dtype(dtype):
    values = np.array([[0, 1, 3], [4, 1, 0]])
    for spelling in (dtype, np.dtype(dtype), np.dtype(dtype).type):
        same(nd.array(values, dtype=spelling), values.astype(dtype), dtype)
    same(nd.array(values.tolist(), dtype=dtype), values.astype(dtype), dtype)
    same(nd.array(nd.array(values, dtype=dtype)), values.astype(dtype), dtype)


def test_array_of_python_types():
    assert nd.array([1], dtype=int).dtype == np.int64
    assert nd.array([1], dtype=float).dtype == np.float64
    assert nd.array([1], dtype=bool).dtype == np.bool_


def test_array_truncates_and_wraps_as_numpy_1_did():
    same(nd.array([1.9, -1.9], dtype="int32"), [1, -1], "int32")
    same(nd.array([-1, 256], dtype="uint8"), [255, 0], "uint8")


def test_array_copies():
    source = np.zeros(3, "float32")
    x = nd.array(source)
    source[:] = 1
    y = nd.array(x)
    x[:] = 2
    same(y, [0, 0, 0])


@pytest.mark.parametrize("source", [np.arange(6).reshape(2, 3).T, np.arange(10)[::2], np.arange(3)[::-1],
                                    np.asfortranarray(np.ones((2, 3))), np.arange(3, dtype=">f4"),
                                    np.broadcast_to(np.arange(3), (2, 3))])
def test_array_of_any_layout(source):
    same(nd.array(source), source)


def test_array_of_arrays():
    same(nd.array([nd.array([1, 2]), nd.array([3, 4])]), [[1, 2], [3, 4]])


def test_array_of_bfloat16():
    x = nd.array([1, 2.5, -3], dtype="bfloat16")
    assert x._dtype_name == "bfloat16"
    same(x.astype("float32"), [1, 2.5, -3])
    same(nd.array(x.asnumpy(), dtype="float32"), [1, 2.5, -3])


@pytest.mark.parametrize("source", ["abc", [[1, 2], [3]], [object()], {"a": 1}, [1j]],
                         ids=["text", "ragged", "object", "dict", "complex"])
def test_array_refuses(source):
    with pytest.raises(TypeError) as caught:
        nd.array(source)
    assert isinstance(caught.value, mx.MXNetError)
    assert str(caught.value).startswith("array: ")


@pytest.mark.parametrize("dtype", ["complex64", "uint16", "float33", "S3", object])
@pytest.mark.parametrize("make", [nd.array, nd.zeros, nd.empty], ids=lambda f: f.__name__)
def test_unknown_dtype(make, dtype):
    with pytest.raises((TypeError, ValueError)):
        make((2,), dtype=dtype)


@pytest.mark.parametrize("shape", [3, (3,), [2, 3], (), (0,), (2, 0, 3), np.int64(3), (np.int32(2), 1)], ids=repr)
def test_zeros_ones_full_empty(shape):
    want = np.zeros(shape)
    same(nd.zeros(shape), want)
    same(nd.ones(shape), want + 1)
    same(nd.full(shape, 2.5), want + 2.5)
    assert nd.empty(shape).shape == want.shape
    for dtype in DTYPES:
        same(nd.zeros(shape, dtype=dtype), want, dtype)
        same(nd.ones(shape, dtype=dtype), want + 1, dtype)
        same(nd.full(shape, 1, dtype=dtype), want + 1, dtype)
        assert nd.empty(shape, dtype=dtype).dtype == np.dtype(dtype)


def test_full_of_array_and_out():
    same(nd.full((2, 3), nd.array([1, 2, 3])), [[1, 2, 3]] * 2)
    out = nd.zeros((2,))
    assert nd.full((2,), 3, out=out) is out
    same(out, [3, 3])
    with pytest.raises(ValueError):
        nd.full((3,), 1, out=out)
    out = nd.ones((2,))
    assert nd.zeros((2,), out=out) is out
    same(out, [0, 0])


def test_contexts():
    assert nd.zeros((1,)).context == mx.cpu(0)
    assert nd.zeros((1,), ctx=mx.cpu(1)).context == mx.cpu(1)
    assert nd.array([1], ctx=mx.cpu(1)).ctx == mx.cpu(1)
    with mx.cpu(2):
        for x in (nd.zeros((1,)), nd.array([1]), nd.empty((1,)), nd.arange(3), nd.random.uniform(), nd.eye(2)):
            assert x.context == mx.cpu(2)
    with pytest.raises(TypeError):
        nd.array([1], ctx="cpu")


def test_stype():
    same(nd.zeros((2,), stype="default"), [0, 0])
    assert nd.empty((2,), stype="default").stype == "default"
    with pytest.raises(ValueError):
        nd.empty((2,), stype="dense")


@pytest.mark.parametrize("arguments", [(5,), (1, 5), (1, 5, 2), (5, 1, -1), (0.5, 2, 0.25), (0, 3, 1), (-3, 3, 1.5)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_arange(arguments, dtype):
    if dtype == "int32" and any(a != int(a) for a in arguments):
        pytest.skip("fractions")
    same(nd.arange(*arguments, dtype=dtype), np.arange(*arguments), dtype)
    same(nd.arange(*arguments, repeat=3, dtype=dtype), np.repeat(np.arange(*arguments), 3), dtype)


def test_arange_of_none():
    same(nd.arange(5, None), np.arange(5))


@pytest.mark.parametrize("num", [0, 1, 2, 5])
@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(num, endpoint):
    np.testing.assert_allclose(nd.linspace(0, 1, num, endpoint=endpoint).asnumpy(),
                               np.linspace(0, 1, num, endpoint=endpoint), rtol=1e-6)


@pytest.mark.parametrize("arguments", [(2,), (2, 3), (3, 2, 1), (3, 0, -1), (2, 2, 5)])
def test_eye(arguments):
    n, m, k = (*arguments, 0, 0)[:3]
    same(nd.eye(*arguments), np.eye(n, m or n, k))
    same(nd.eye(*arguments, dtype="int32"), np.eye(n, m or n, k), "int32")


def test_like():
    x = nd.array([[1, 2]], dtype="int32")
    same(nd.zeros_like(x), [[0, 0]], "int32")
    same(nd.ones_like(x), [[1, 1]], "int32")
    same(x.zeros_like(), [[0, 0]], "int32")


def test_concatenate():
    a, b = nd.ones((1, 2)), nd.zeros((2, 2))
    same(nd.concatenate([a, b]), np.concatenate([a.asnumpy(), b.asnumpy()]))
    same(nd.concatenate([a, a], axis=1), np.ones((1, 4)))
    assert nd.concatenate([a], always_copy=False) is a
    assert not mx._core.shares_memory(nd.concatenate([a]), a)
    with pytest.raises(ValueError):
        nd.concatenate([])
    with pytest.raises(mx.MXNetError):
        nd.concatenate([a, nd.zeros((1, 3))])


@pytest.mark.parametrize("source, destination", [(0, -1), ([0, 1], [-1, 0]), ([2], [0]), (1, 1),
                                                 ([0, 1, 2], [2, 1, 0])])
def test_moveaxis(source, destination):
    x = np.arange(24).reshape(2, 3, 4)
    same(nd.moveaxis(nd.array(x), source, destination), np.moveaxis(x, source, destination))


@pytest.mark.parametrize("source, destination", [(3, 0), (0, 3), ([0, 1], [0]), ([0, 0], [1, 2])])
def test_moveaxis_refuses(source, destination):
    with pytest.raises(ValueError):
        nd.moveaxis(nd.zeros((2, 3, 4)), source, destination)


def test_split_v2():
    x = np.arange(12).reshape(6, 2)
    for sections in (1, 2, 3, (2, 4), (1,), (0, 3)):
        parts = nd.split_v2(nd.array(x), sections)
        want = np.split(x, sections)
        for have, w in zip(parts if isinstance(parts, list) else [parts], want, strict=True):
            same(have, w)
    parts = nd.array(x).split_v2(2, axis=1, squeeze_axis=True)
    same(parts[1], x[:, 1])
    for bad in (4, 0, -1, "a", [2]):
        with pytest.raises(ValueError):
            nd.split_v2(nd.array(x), bad)


def test_histogram():
    values = np.array([0, 1, 2, 3, 1])
    for keywords in ({"bins": 3}, {"bins": 3, "range": (0, 2)}):
        counts, edges = nd.histogram(nd.array(values), **keywords)
        want_counts, want_edges = np.histogram(values, **keywords)
        np.testing.assert_array_equal(counts.asnumpy(), want_counts)
        np.testing.assert_allclose(edges.asnumpy(), want_edges, rtol=1e-6)
    counts, edges = nd.histogram(nd.array(values), bins=nd.array([0, 1, 4]))
    np.testing.assert_array_equal(counts.asnumpy(), [1, 4])
    with pytest.raises(ValueError):
        nd.histogram(nd.array(values), bins="auto")
    with pytest.raises(TypeError):
        nd.histogram([1, 2])


def test_onehot_encode():
    out = nd.empty((2, 3))
    assert nd.onehot_encode(nd.array([0, 2]), out) is out
    same(out, [[1, 0, 0], [0, 0, 1]])
    with pytest.raises(ValueError):
        nd.onehot_encode(nd.array([0]), out)


@pytest.mark.parametrize("name", ["float", "double", "half", "int", "long", "f", "d", "e", "i", "i4", "i8", "f2", "u1"])
def test_numpy_names_of_element_types(name):
    for made in (nd.ones((2,), dtype=name), nd.cast(nd.ones((2,)), name), nd.ones((2,)).astype(name)):
        assert made.dtype == np.dtype(name)


def test_infer_range_is_ignored():
    same(nd.arange(3, infer_range=True), [0, 1, 2])
    with pytest.raises(ValueError, match="_arange: the shape of the result does not follow from the arguments"):
        nd._internal._arange(start=0, infer_range=True)


def test_context_as_text():
    assert nd.random.uniform(shape=(2,), ctx="cpu(1)").context == mx.cpu(1)
    assert nd._internal._ones(shape=(2,), ctx="cpu").context == mx.cpu(0)
    for wrong in ("cpu(", "cpu(x)", "cpu:0", "disk(0)", ""):
        with pytest.raises(ValueError, match="there is no context"):
            mx.context._context_from_text(wrong)

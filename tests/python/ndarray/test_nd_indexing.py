"""Indexing and assignment, against NumPy."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

SHAPE = (4, 3, 5)


def random_key(random, shape, advanced):
    """A key for an array of this shape: every kind of item, in any order."""
    items, axis = [], 0
    used_dots = False
    broadcast = [(2,), (3,), (2, 1), (1, 3), (2, 3), ()][random.randint(6)]
    while axis < len(shape):
        n = shape[axis]
        kind = random.choice(["int", "slice", "none", "dots", "stop", *(["index"] * 3 + ["mask"] * advanced)])
        if kind == "stop":
            break
        if kind == "none":
            items.append(None)
        elif kind == "dots":
            if not used_dots:
                items.append(Ellipsis)
                used_dots = True
                axis = random.randint(axis, len(shape) + 1)
        elif kind == "int" or (kind == "index" and not advanced):
            items.append(int(random.randint(-n, n)))
            axis += 1
        elif kind == "slice":
            start, stop = (None if random.rand() < 0.3 else int(random.randint(-n - 1, n + 2)) for _ in range(2))
            items.append(slice(start, stop, random.choice([None, 1, 2, 3, -1, -2])))
            axis += 1
        elif kind == "index":
            # An axis of 1 in place of each extent at random, so that index arrays broadcast.
            index_shape = tuple(m if random.rand() < 0.8 else 1 for m in broadcast)
            items.append(random.randint(-n, n, index_shape))
            axis += 1
        elif kind == "mask":
            items.append(random.rand(n) < 0.5)
            axis += 1
    return _settle(items, len(shape))


def _settle(items, rank):
    # The Ellipsis may stand for axes that later items need: drop items until the key fits.
    while sum(i is not None and i is not Ellipsis for i in items) > rank:
        items.pop()
    return tuple(items)


def to_ours(key):
    """The key as a user of mx.nd may write it: arrays of NumPy, lists or NDArrays in turn."""
    items = []
    for number, item in enumerate(key):
        if isinstance(item, np.ndarray) and item.ndim:
            items.append([item, item.tolist(), nd.array(item, dtype=item.dtype)][number % 3])
        else:
            items.append(item)
    return tuple(items)


def keys(count, advanced, seed):
    random = np.random.RandomState(seed)
    data = np.zeros(SHAPE)
    found = []
    while len(found) < count:
        key = random_key(random, SHAPE, advanced)
        try:
            data[key]
        except (IndexError, ValueError):
            continue  # NumPy refuses too: shapes that do not broadcast
        if advanced == any(isinstance(i, np.ndarray) for i in key):
            found.append(key)
    return found


def show(key):
    def item(i):
        if isinstance(i, slice):
            return ":".join("" if v is None else str(v) for v in (i.start, i.stop, i.step))
        return "..." if i is Ellipsis else str(i.tolist() if isinstance(i, np.ndarray) else i).replace(" ", "")
    return "[" + ",".join(map(item, key)) + "]"


BASIC = keys(200, False, 1)
ADVANCED = keys(300, True, 2)
ALL = [pytest.param(key, id=f"{i}-{show(key)}") for i, key in enumerate(BASIC + ADVANCED)]


def legacy(result):
    """One element has shape (1,) in mx.nd."""
    return result.reshape(1) if result.ndim == 0 else result


@pytest.mark.parametrize("key", ALL)
def test_get(key):
    data = np.arange(60, dtype="float32").reshape(SHAPE)
    have, want = nd.array(data)[to_ours(key)], legacy(data[key])
    assert have.shape == want.shape
    np.testing.assert_array_equal(have.asnumpy(), want)


@pytest.mark.parametrize("key", ALL)
def test_gradient_of_get(key):
    data = np.arange(60, dtype="float32").reshape(SHAPE)
    x = nd.array(data)
    x.attach_grad()
    with mx.autograd.record():
        y = x[to_ours(key)]
    weights = np.arange(1, y.size + 1, dtype="float32").reshape(y.shape)
    y.backward(nd.array(weights))
    want = np.zeros_like(data)
    np.add.at(want, key, weights.reshape(data[key].shape))
    np.testing.assert_allclose(x.grad.asnumpy(), want)


def value_for(shape, number):
    """A value to assign to a region of this shape: scalars, arrays of it, and ones that broadcast."""
    full = np.arange(100, 100 + int(np.prod(shape)), dtype="float32").reshape(shape)
    kind = number % 5
    if kind == 0 or not full.size or not shape:
        return 7.5
    if kind == 1:
        return full
    if kind == 2:
        return full[..., :1]
    if kind == 3:
        return full[:1]
    return full[None]


def unique(key, shape):
    """Whether no element is named twice, so that the order of writing does not matter."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)[key]
    return len(np.unique(numbers)) == numbers.size


@pytest.mark.parametrize("number, key", [pytest.param(i, *p.values, id=p.id) for i, p in enumerate(ALL)])
def test_set(number, key):
    data = np.arange(60, dtype="float32").reshape(SHAPE)
    value = value_for(data[key].shape, number)
    x = nd.array(data)
    x[to_ours(key)] = nd.array(value) if isinstance(value, np.ndarray) and number % 2 else value
    data[key] = value
    np.testing.assert_array_equal(x.asnumpy(), data)


@pytest.mark.parametrize("number, key", [pytest.param(i, *p.values, id=p.id) for i, p in enumerate(ALL)])
def test_gradient_of_set(number, key):
    data = np.arange(60, dtype="float32").reshape(SHAPE)
    if not unique(key, SHAPE):
        pytest.skip("which value stays is not told")
    value = value_for(data[key].shape, number)
    x = nd.array(data)
    x.attach_grad()
    v = nd.array(value)
    v.attach_grad()
    with mx.autograd.record():
        y = x * 2
        y[to_ours(key)] = v if isinstance(value, np.ndarray) else value
        z = y * y
    z.backward()
    want = 2 * data
    mask = np.ones_like(data)
    want[key] = value
    mask[key] = 0
    np.testing.assert_allclose(y.asnumpy(), want)
    np.testing.assert_allclose(x.grad.asnumpy(), 2 * want * mask * 2)
    if isinstance(value, np.ndarray):
        # Each element of the value gets the gradients of the places it went to.
        places = np.broadcast_to(np.arange(value.size).reshape(value.shape),
                                 np.broadcast_shapes(value.shape, data[key].shape))
        weights = np.bincount(places.ravel(), minlength=value.size)
        np.testing.assert_allclose(v.grad.asnumpy(), 2 * value * weights.reshape(value.shape))


@pytest.mark.parametrize("key", [slice(1, 3), 1, (0, slice(1, 2)), (slice(None), ), Ellipsis, None, (1, 2), -1],
                         ids=str)
def test_contiguous_results_share_memory(key):
    x = nd.zeros(SHAPE)
    y = x[key]
    assert mx._core.shares_memory(x, y)
    y[:] = 1
    want = np.zeros(SHAPE)
    want[key] = 1
    np.testing.assert_array_equal(x.asnumpy(), want)
    x[:] = 3
    assert (y.asnumpy() == 3).all()


@pytest.mark.parametrize("key", [(slice(None), 1), slice(None, None, 2), slice(None, None, -1), [0, 1],
                                 (Ellipsis, slice(0, 2))], ids=str)
def test_other_results_are_copies(key):
    x = nd.zeros(SHAPE)
    y = x[key]
    y[:] = 1
    assert (x.asnumpy() == 0).all()


def test_reshape_shares_memory():
    x = nd.zeros((2, 3))
    for view in (x.reshape((3, 2)), x.reshape(-1), x.expand_dims(0, inplace=True), x.flatten(inplace=True),
                 nd.zeros((1, 3)).squeeze(inplace=True)):
        view[:] = view + 1
    assert (x.asnumpy() == 4).all()


@pytest.mark.parametrize("key", [4, -5, (0, 3), (0, 0, -6), [4], [0, -5], (slice(None), [0, 3]), np.array([[9]])],
                         ids=str)
def test_out_of_bounds(key):
    x = nd.zeros(SHAPE)
    with pytest.raises(IndexError, match="out of bounds"):
        x[key]
    with pytest.raises(IndexError, match="out of bounds"):
        x[key] = 1


def test_out_of_bounds_in_an_array():
    with pytest.raises(mx.MXNetError):
        nd.zeros(SHAPE)[nd.array([7])].wait_to_read()


@pytest.mark.parametrize("key, error", [
    ((0, 0, 0, 0), IndexError), ((Ellipsis, Ellipsis), IndexError), (([0, 1], [0, 1, 2]), IndexError),
    ("x", ValueError), (1.0, ValueError), ({}, ValueError), (["a"], IndexError), ([[0], [1, 2]], IndexError),
    (np.ones((2, 2), bool), IndexError), (np.ones((4, 3, 5, 1), bool), IndexError),
])
def test_refused_keys(key, error):
    x = nd.zeros(SHAPE)
    with pytest.raises(error) as caught:
        x[key]
    assert isinstance(caught.value, mx.MXNetError)
    with pytest.raises(error):
        x[key] = 1


@pytest.mark.parametrize("value", [np.ones((2, 3, 5)), np.ones((4, 3, 4)), [1, 2], np.ones((2, 4, 3, 5))],
                         ids=lambda v: str(np.shape(v)))
@pytest.mark.parametrize("key", [slice(None), (slice(None, None, -1),), [0, 1, 2, 3]], ids=str)
def test_values_that_do_not_fit(key, value):
    x = nd.zeros(SHAPE)
    with pytest.raises(ValueError):
        x[key] = value
    assert (x.asnumpy() == 0).all()


@pytest.mark.parametrize("value", ["x", object(), {"a": 1}], ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("key", [slice(None), [0]], ids=str)
def test_values_that_are_no_arrays(key, value):
    with pytest.raises(TypeError):
        nd.zeros(SHAPE)[key] = value


def test_masks():
    data = np.arange(12, dtype="float32").reshape(3, 4)
    x = nd.array(data)
    mask = data % 3 == 0
    for key in (mask, nd.array(mask, dtype="bool"), mask.tolist()):
        np.testing.assert_array_equal(x[key].asnumpy(), data[mask])
    y = x.copy()
    y[mask] = -1
    np.testing.assert_array_equal(y.asnumpy(), np.where(mask, -1, data))
    rows = np.array([True, False, True])
    np.testing.assert_array_equal(x[rows].asnumpy(), data[rows])
    np.testing.assert_array_equal(x[rows, 1:].asnumpy(), data[rows, 1:])
    assert x[np.zeros(3, bool)].shape == (0, 4)


def test_results_of_comparisons_are_numbers_not_masks():
    # As in MXNet 1.x: x > 1 is an array of 0 and 1 in the type of x.
    x = nd.array([5, 6, 7])
    np.testing.assert_array_equal(x[x > 5].asnumpy(), [5, 6, 6])


def test_scalars_as_keys():
    x = nd.array([5, 6, 7])
    for key in (1, np.int64(1), np.array(1), nd.array([1], dtype="int32"), True):
        assert float(x[key]) == 6
    x[nd.array(2)] = 9
    assert float(x[2]) == 9


def test_float_indices_are_cut_off():
    x = nd.array([5, 6, 7])
    np.testing.assert_array_equal(x[nd.array([0.7, 1.2])].asnumpy(), [5, 6])
    np.testing.assert_array_equal(x[[0.7, 1.2]].asnumpy(), [5, 6])


@pytest.mark.parametrize("dtype", ["float64", "float16", "int8", "uint8", "int64", "bool"])
def test_dtypes(dtype):
    data = (np.arange(6).reshape(2, 3) % 2 if dtype == "bool" else np.arange(6).reshape(2, 3)).astype(dtype)
    x = nd.array(data, dtype=dtype)
    for key in ((slice(None), slice(None, None, -1)), ([1, 0],), (0, [2, 0])):
        np.testing.assert_array_equal(x[key].asnumpy(), data[key])
    x[:, 1:] = 1
    x[[0], [0]] = nd.array([1.0])
    data[:, 1:] = 1
    data[[0], [0]] = 1
    np.testing.assert_array_equal(x.asnumpy(), data)


def test_iteration_and_length():
    x = nd.array([[1, 2], [3, 4]])
    assert len(x) == 2 and [row.asnumpy().tolist() for row in x] == [[1, 2], [3, 4]]
    for row in x:
        row[:] = 0
    assert (x.asnumpy() == 0).all()
    a, b = nd.array([1, 2])
    assert (float(a), float(b)) == (1, 2)
    with pytest.raises(TypeError):
        len(nd.array(1))


def test_scalar_results_have_rank_one():
    assert nd.zeros(SHAPE)[0, 0, 0].shape == (1,)
    assert nd.zeros((2,))[[1], ].shape == (1,)


def test_one_element_gets_one_value():
    for key in ((0, 1, 2), (0, [1], 2), (nd.array(0), 1, 2)):
        for value in (5, np.float64(5), np.array([5]), nd.array([5]), nd.array([[5]]), nd.array(5), [5]):
            x = nd.zeros(SHAPE)
            x[key] = value
            assert x.sum().asscalar() == 5 and x[0, 1, 2].asscalar() == 5


def test_self_assignment_overlaps():
    x = nd.arange(6)
    x[1:] = x[:-1].copy()
    np.testing.assert_array_equal(x.asnumpy(), [0, 0, 1, 2, 3, 4])
    x = nd.arange(6)
    x[::-1] = x
    np.testing.assert_array_equal(x.asnumpy(), [5, 4, 3, 2, 1, 0])
    x = nd.arange(6)
    x[[5, 4, 3, 2, 1, 0]] = x
    np.testing.assert_array_equal(x.asnumpy(), [5, 4, 3, 2, 1, 0])


def test_helpers():
    assert nd.get_indexing_dispatch_code((1, slice(None), None)) == 0
    assert nd.get_indexing_dispatch_code((1, [1])) == 1
    assert nd.indexing_key_expand_implicit_axes((1, Ellipsis, 2), (2, 3, 4)) == ((1, slice(None), 2), -1)
    assert nd.indexing_key_expand_implicit_axes((None, Ellipsis), (2, 3)) == ((None, slice(None), slice(None)), -1)
    assert nd.get_oshape_of_gather_nd_op((2, 3, 4), (2, 5)) == (5, 4)


def test_elements_cannot_be_deleted():
    with pytest.raises(TypeError):
        del nd.zeros((2,))[0]

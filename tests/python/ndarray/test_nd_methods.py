"""Properties and methods of arrays."""
import threading

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd


def test_properties():
    x = nd.zeros((2, 3), dtype="int32")
    assert x.shape == (2, 3) and x.ndim == 2 and x.size == 6 and x.dtype is np.int32
    assert x.stype == "default" and x.context == x.ctx == mx.cpu() and x.grad is None
    assert all(type(n) is int for n in (*x.shape, x.size, x.ndim))
    with pytest.raises(AttributeError):
        _ = x.no_such_attribute
    with pytest.raises(AttributeError):
        x.shape = (3, 2)


@pytest.mark.parametrize("make, want", [
    (lambda: nd.array([[1, 2], [3, 4]]), "\n[[1. 2.]\n [3. 4.]]\n<NDArray 2x2 @cpu(0)>"),
    (lambda: nd.ones((1,)), "\n[1.]\n<NDArray 1 @cpu(0)>"),
    (lambda: nd.zeros((0, 3)), "\n[]\n<NDArray 0x3 @cpu(0)>"),
    (lambda: nd.ones((2,), dtype="bool"), "\n[ True  True]\n<NDArray 2 @cpu(0)>"),
    (lambda: nd.array([1, 2], ctx=mx.cpu(1), dtype="int8"), "\n[1 2]\n<NDArray 2 @cpu(1)>"),
    (lambda: nd.array(3), "\n3.0\n<NDArray  @cpu(0)>"),
    (lambda: nd.array([1.5], dtype="bfloat16"), "\n[1.5]\n<NDArray 1 @cpu(0)>"),
])
def test_repr(make, want):
    assert repr(make()) == str(make()) == want


def test_transpose():
    x = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(nd.array(x).T.asnumpy(), x.T)
    y = nd.ones((3,))
    assert y.T is y


@pytest.mark.parametrize("arguments, keywords, want", [
    ((6,), {}, (6,)), ((3, 2), {}, (3, 2)), (((3, 2),), {}, (3, 2)), (([3, 2],), {}, (3, 2)), ((-1,), {}, (6,)),
    (((0, -1),), {}, (2, 3)), ((), {"shape": (3, 2)}, (3, 2)), (((-3,),), {}, (6,)), (((-4, 1, 2, -2),), {}, (1, 2, 3)),
    ((np.int64(3), np.int32(2)), {}, (3, 2)), (((-1, 0),), {"reverse": True}, (2, 3)), (((1, -1),), {}, (1, 6)),
])
def test_reshape(arguments, keywords, want):
    x = nd.arange(6).reshape((2, 3))
    y = x.reshape(*arguments, **keywords)
    assert y.shape == want
    np.testing.assert_array_equal(y.asnumpy().ravel(), np.arange(6))


@pytest.mark.parametrize("shape, want", [
    ((-2, 4, 5, -4), (2, 3, 4, 5)), ((-2, 4, -1, -4), (2, 3, 4, 5)), ((-3, 0), (6, 20)),
    ((5, 0, -1), (5, 3, 8)),
])
def test_reshape_backwards_reads_the_shape_backwards(shape, want):
    x = nd.zeros((2, 3, 20))
    for backwards in (1, True):
        assert x.reshape(shape, reverse=backwards).shape == nd.reshape(x, shape, reverse=backwards).shape == want
    with pytest.raises(ValueError, match=r"shape \(-2, -4, 4, 5\): two extents must come before -4"):
        x.reshape((-2, -4, 4, 5), reverse=True)


@pytest.mark.parametrize("shape", [(7,), (-1, 4), (-1, -1), (2, 3, 2)], ids=str)
def test_reshape_refuses(shape):
    with pytest.raises(ValueError):
        nd.arange(6).reshape(shape)


def test_expand_squeeze_flatten():
    x = nd.zeros((2, 1, 3))
    for inplace in (False, True):
        assert x.expand_dims(0, inplace=inplace).shape == (1, 2, 1, 3)
        assert x.expand_dims(axis=-1, inplace=inplace).shape == (2, 1, 3, 1)
        assert x.squeeze(inplace=inplace).shape == (2, 3)
        assert x.squeeze(axis=1, inplace=inplace).shape == (2, 3)
        assert x.squeeze((1,), inplace=inplace).shape == (2, 3)
        assert nd.zeros((1, 1)).squeeze(inplace=inplace).shape == (1,)
        assert x.flatten(inplace=inplace).shape == (2, 3)
        with pytest.raises((ValueError, IndexError)):
            x.expand_dims(5, inplace=inplace)
        with pytest.raises(ValueError):
            x.squeeze(axis=0, inplace=inplace)
    assert nd.zeros((0, 3)).flatten(inplace=True).shape == (0, 3)


@pytest.mark.parametrize("have, shape, want", [((1, 3), (2, 3), None), ((3,), (2, 3), None), ((2, 3), (4, 2, 3), None),
                                               ((1, 3), (0, 3), (1, 3)), ((1,), 5, (5,)), ((), (2, 2), None)])
def test_broadcast_to(have, shape, want):
    x = np.asarray(np.random.RandomState(0).rand(*have), "float32")
    y = nd.array(x).broadcast_to(shape)
    want = want or shape
    np.testing.assert_array_equal(y.asnumpy(), np.broadcast_to(x, want))
    assert nd.array(x).broadcast_like(y).shape == want


@pytest.mark.parametrize("have, shape", [((3,), (2, 4)), ((2, 3), (3,)), ((2, 3), (3, 3))])
def test_broadcast_to_refuses(have, shape):
    with pytest.raises(ValueError):
        nd.zeros(have).broadcast_to(shape)


def test_gradient_of_broadcast_to():
    x = nd.array([1, 2])
    x.attach_grad()
    with mx.autograd.record():
        y = x.broadcast_to((3, 2))
    y.backward()
    np.testing.assert_array_equal(x.grad.asnumpy(), [3, 3])


def test_slice_assign():
    x = nd.zeros((2, 3))
    assert x.slice_assign(nd.ones((1, 3)), (0, 0), (1, 3), (1, 1)) is x
    x.slice_assign_scalar(7, (None, 1), (None, None), (1, 2))
    np.testing.assert_array_equal(x.asnumpy(), [[1, 7, 1], [0, 7, 0]])


def test_diag():
    x = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(nd.array(x).diag().asnumpy(), np.diag(x))
    np.testing.assert_array_equal(nd.array(x).diag(k=1).asnumpy(), np.diag(x, 1))
    np.testing.assert_array_equal(nd.array([1, 2]).diag().asnumpy(), np.diag([1, 2]))


def test_astype():
    x = nd.array([1.7, -2.2])
    assert x.astype("float32") is not x
    assert x.astype("float32", copy=False) is x
    for dtype in ("int32", np.int32, np.dtype("int32")):
        y = x.astype(dtype)
        assert y.dtype is np.int32
        np.testing.assert_array_equal(y.asnumpy(), [1, -2])
    with pytest.raises(TypeError):
        x.astype("complex64")


def test_copies():
    x = nd.array([1, 2])
    y = nd.zeros((2,), dtype="int32")
    assert x.copyto(y) is y
    np.testing.assert_array_equal(y.asnumpy(), [1, 2])
    assert x.copyto(mx.cpu(1)).context == mx.cpu(1)
    assert x.as_in_context(mx.cpu()) is x and x.as_in_ctx(mx.cpu(1)).context == mx.cpu(1)
    with pytest.raises(ValueError):
        x.copyto(nd.zeros((3,)))
    for other in (3, "cpu", None):
        with pytest.raises((TypeError, AttributeError)):
            x.copyto(other) if other is not None else x.copyto()


def test_storage_types():
    x = nd.ones((2,))
    y = x.tostype("default")
    y[:] = 0
    assert (x.asnumpy() == 1).all()
    with pytest.raises(ValueError):
        x.tostype("x")
    assert x.as_nd_ndarray() is x


def test_every_fluent_method_of_mxnet():
    names = """abs arccos arccosh arcsin arcsinh arctan arctanh argmax argmax_channel argmin argsort broadcast_axes cbrt
        ceil clip cos cosh degrees depth_to_space exp expm1 fix flip floor log log10 log1p log2 log_softmax max mean min
        nanprod nansum norm one_hot ones_like pad pick prod radians rcbrt reciprocal relu repeat reshape_like rint round
        rsqrt shape_array sigmoid sign sin sinh size_array slice slice_axis slice_like softmax softmin sort
        space_to_depth split sqrt square sum swapaxes take tan tanh tile topk transpose trunc zeros_like""".split()
    missing = [name for name in names if not callable(getattr(nd.NDArray, name, None))]
    assert not missing


def test_fluent_methods_are_the_functions():
    x = nd.array([[1, -2], [3, 4]])
    np.testing.assert_array_equal(x.sum(axis=0).asnumpy(), nd.sum(x, axis=0).asnumpy())
    np.testing.assert_array_equal(x.abs().asnumpy(), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(x.clip(0, 2).asnumpy(), [[1, 0], [2, 2]])
    np.testing.assert_array_equal(x.transpose().asnumpy(), x.T.asnumpy())
    assert nd.NDArray.sum.__name__ == "sum"


def test_functions_describe_themselves():
    import inspect
    signature = inspect.signature(nd.softmax)
    assert list(signature.parameters)[0] == "data" and signature.parameters["axis"].default == -1
    assert "axis" in nd.softmax.__doc__ and nd.softmax.__name__ == "softmax"
    assert list(inspect.signature(nd.concat).parameters)[0] == "data"
    with pytest.raises(TypeError, match="softmax.*signature"):
        nd.softmax(nd.ones((1,)), axes=1)


def test_namespaces():
    assert nd.op.relu is nd.relu
    assert callable(nd._internal._plus_scalar)
    assert callable(nd.linalg.gemm2) and callable(nd.linalg_gemm2)
    names = mx.operator.get_all_registered_operators()
    for name in names:
        place = nd.register.place_of(name)
        if place:
            assert callable(getattr(getattr(nd, place[0]), place[1]))
    assert mx.operator.get_operator_arguments("FullyConnected").names[:2] == ["data", "weight"]
    with pytest.raises(KeyError):
        mx.operator.get_operator_arguments("no_such_operator")


def test_waiting():
    x = nd.ones((300, 300))
    y = nd.dot(x, x)
    y.wait_to_read()
    x.wait_to_write()
    nd.waitall()
    assert y[0, 0].asscalar() == 300


def test_threads_share_arrays():
    x = nd.ones((64, 64))
    results = {}

    def work(number):
        y = x * number
        for _ in range(50):
            y = nd.dot(y, x) / 64
        results[number] = y.asnumpy()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for number, value in results.items():
        np.testing.assert_allclose(value, np.full((64, 64), number), rtol=1e-5)


def test_threads_record_their_own():
    failures = []

    def work(number):
        try:
            x = nd.full((8,), number)
            x.attach_grad()
            for _ in range(100):
                with mx.autograd.record():
                    y = (x * x).sum()
                y.backward()
                np.testing.assert_array_equal(x.grad.asnumpy(), np.full(8, 2 * number))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


def test_an_array_without_contents():
    x = nd.NDArray()
    for call in (x.asnumpy, lambda: x + 1, lambda: x[0], x.wait_to_read):
        with pytest.raises(mx.MXNetError):
            call()
    other = nd.ones((2,))
    assert mx._core.shares_memory(nd.NDArray(other), other)


def test_one_step_of_contrib_loops():
    outputs, states = nd.contrib.foreach(lambda d, s: (d + s[0], [d + s[0]]), nd.arange(6).reshape((3, 2)),
                                         [nd.zeros((2,))])
    np.testing.assert_array_equal(outputs.asnumpy(), np.cumsum(np.arange(6).reshape(3, 2), axis=0))
    np.testing.assert_array_equal(states[0].asnumpy(), [6, 9])
    outputs, (i, s) = nd.contrib.while_loop(lambda i, s: i <= 5, lambda i, s: ([i + s], [i + 1, s + i]),
                                            [nd.array([0.0]), nd.array([1.0])], max_iterations=8)
    np.testing.assert_array_equal(outputs[0].asnumpy().ravel(), [1, 2, 4, 7, 11, 16, 0, 0])
    assert (i.asscalar(), s.asscalar()) == (6, 16)
    assert nd.contrib.cond(nd.array([0]), lambda: 1, lambda: 2) == 2
    with pytest.raises(ValueError):
        nd.contrib.while_loop(lambda i: i < 3, lambda i: (i, i), [nd.zeros((1,))])


def test_gradient_through_foreach():
    x = nd.arange(4)
    x.attach_grad()
    with mx.autograd.record():
        outputs, state = nd.contrib.foreach(lambda d, s: (d * s, s + d), x, nd.ones((1,)))
        y = outputs.sum() + state
    y.backward()
    # sum_i x_i (1 + sum_{j<i} x_j) + 1 + sum x
    total = np.arange(4).sum()
    np.testing.assert_allclose(x.grad.asnumpy(), 1 + total - np.arange(4) + 1)


def test_special_values():
    x = nd.array([1, np.inf, -np.inf, np.nan])
    np.testing.assert_array_equal(nd.contrib.isinf(x).asnumpy(), [0, 1, 1, 0])
    np.testing.assert_array_equal(nd.contrib.isnan(x).asnumpy(), [0, 0, 0, 1])
    np.testing.assert_array_equal(nd.contrib.isfinite(x).asnumpy(), [1, 0, 0, 0])


def test_reversed():
    assert [row.asscalar() for row in reversed(nd.array([1, 2, 3]))] == [3, 2, 1]


def test_copyto_itself_warns_and_other_targets_are_refused():
    x = nd.ones((2,))
    with pytest.warns(RuntimeWarning, match="copied to itself"):
        assert x.copyto(x) is False
    with pytest.raises(TypeError, match=r"expected a context such as mx.cpu\(\), got str"):
        x.copyto("cpu")


def test_what_old_programs_call_by_name():
    x = nd.zeros((2, 3))
    x._sync_copyfrom(np.arange(6).reshape(2, 3))
    assert x._at(1).asnumpy().tolist() == [3, 4, 5] and x._slice(0, 1).shape == (1, 3)
    assert x._full(7) is x and (x.asnumpy() == 7).all()
    assert nd.ones((1,)).__nonzero__()


def test_result_and_name_by_position():
    a, out = nd.ones((2,)), nd.zeros((2,))
    assert nd.elemwise_add(a, a, out) is out and out.asnumpy().tolist() == [2, 2]
    assert nd.clip(a, 3, 4, out, "name") is out and out.asnumpy().tolist() == [3, 3]
    with pytest.raises(TypeError, match="got 6 positional arguments"):
        nd.clip(a, 3, 4, out, "name", 1)
    assert mx.sym.Activation(mx.sym.var("x"), "relu", "act").name == "act"


def test_operators_without_parameters_ignore_unknown_ones():
    with pytest.warns(UserWarning, match="zeros_like: there is no parameter 'dtype'; it is ignored"):
        assert nd.zeros_like(nd.ones((2,)), dtype="int32").dtype == np.float32
    with pytest.raises(TypeError, match="there is no parameter 'foo'"):
        nd.sum(nd.ones((2,)), foo=3)


def test_astype_of_another_array():
    assert nd.ones((2,)).astype(nd.ones((1,), dtype="int8")).dtype == np.int8

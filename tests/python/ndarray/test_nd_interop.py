"""Sharing with other libraries: NumPy, the buffer protocol, DLPack."""
import gc

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

DTYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def values(dtype):
    return (np.arange(6).reshape(2, 3) % 2 if dtype == "bool" else np.arange(6).reshape(2, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_asnumpy_is_a_copy(dtype):
    x = nd.array(values(dtype), dtype=dtype)
    y = x.asnumpy()
    assert y.flags["OWNDATA"] and y.flags["WRITEABLE"] and y.flags["C_CONTIGUOUS"]
    y[:] = 0
    np.testing.assert_array_equal(x.asnumpy(), values(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_from_numpy_shares(dtype):
    source = values(dtype)
    x = nd.from_numpy(source)
    assert x.dtype == source.dtype and x.shape == source.shape
    assert not source.flags["WRITEABLE"]
    x[:] = 1
    np.testing.assert_array_equal(source, np.ones((2, 3)))
    del source
    gc.collect()
    np.testing.assert_array_equal(x.asnumpy(), np.ones((2, 3)))


def test_from_numpy_copies_when_told():
    for source in (np.ones((2, 3)), np.asfortranarray(np.ones((2, 3))), np.ones((4, 6))[::2, ::2]):
        x = nd.from_numpy(source, zero_copy=False)
        x[:] = 5
        assert (source == 1).all() and source.flags["WRITEABLE"]


def test_from_numpy_refuses():
    with pytest.raises(ValueError, match="contiguous"):
        nd.from_numpy(np.ones((2, 3)).T)
    with pytest.raises(ValueError, match="complex64"):
        nd.from_numpy(np.ones(2, "complex64"))
    with pytest.raises(TypeError):
        nd.from_numpy([1, 2])


def test_from_numpy_read_only_and_scalars():
    source = np.ones(3)
    source.flags["WRITEABLE"] = False
    x = nd.from_numpy(source)
    x[:] = 2
    assert (source == 1).all()
    assert nd.from_numpy(np.array(3.0)).shape == ()


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_to_numpy_and_back(dtype):
    x = nd.array(values(dtype), dtype=dtype)
    y = np.from_dlpack(x)
    np.testing.assert_array_equal(y, values(dtype))
    z = nd.from_dlpack(x.to_dlpack_for_write())
    z[:] = 1
    np.testing.assert_array_equal(x.asnumpy(), np.ones((2, 3)))
    np.testing.assert_array_equal(y, np.ones((2, 3)))
    w = nd.from_dlpack(values(dtype).copy())
    np.testing.assert_array_equal(w.asnumpy(), values(dtype))


def test_dlpack_keeps_memory_alive():
    x = nd.arange(1000)
    capsule = nd.to_dlpack_for_read(x)
    del x
    gc.collect()
    y = nd.from_dlpack(capsule)
    del capsule
    gc.collect()
    assert y.sum().asscalar() == 499500
    unused = mx.nd.ones((2,)).to_dlpack_for_read()
    del unused  # never taken: frees itself
    gc.collect()


def test_dlpack_of_views():
    x = nd.arange(12).reshape((3, 4))
    np.testing.assert_array_equal(np.from_dlpack(x[1:]), np.arange(4, 12).reshape(2, 4))
    assert nd.from_dlpack(nd.array(3.0).to_dlpack_for_read()).shape == ()
    assert nd.from_dlpack(nd.zeros((0, 3)).to_dlpack_for_read()).shape == (0, 3)


def test_dlpack_is_used_once():
    capsule = nd.ones((2,)).to_dlpack_for_read()
    nd.from_dlpack(capsule)
    with pytest.raises(ValueError, match="once"):
        nd.from_dlpack(capsule)
    for other in (3, "x", None):
        with pytest.raises(TypeError):
            nd.from_dlpack(other)


def test_dlpack_refuses_strides():
    with pytest.raises(ValueError, match="contiguous"):
        nd.from_dlpack(np.ones((2, 3)).T)
    with pytest.raises(TypeError):
        nd.from_dlpack(np.ones(3, "uint16"))


def test_dlpack_waits():
    x = nd.ones((400, 400))
    y = nd.dot(x, x)
    assert (np.from_dlpack(y) == 400).all()


def test_dlpack_device():
    assert tuple(nd.ones((1,)).__dlpack_device__()) == (1, 0)


def test_torch():
    torch = pytest.importorskip("torch")
    x = nd.arange(6).reshape((2, 3))
    t = torch.from_dlpack(x)
    t += 1
    np.testing.assert_array_equal(x.asnumpy(), np.arange(1, 7).reshape(2, 3))
    y = nd.from_dlpack(torch.ones(3, dtype=torch.bfloat16))
    assert y._dtype_name == "bfloat16" and (y.astype("float32").asnumpy() == 1).all()


def test_module_of_functions():
    from mxnet import dlpack
    x = dlpack.from_dlpack(dlpack.to_dlpack_for_read(nd.ones((2,))))
    assert x.shape == (2,)


@pytest.mark.parametrize("dtype", DTYPES)
def test_buffer(dtype):
    x = nd.array(values(dtype), dtype=dtype)
    view = memoryview(x)
    assert view.shape == (2, 3) and view.readonly
    np.testing.assert_array_equal(np.asarray(view), values(dtype))
    assert bytes(x) == values(dtype).tobytes()
    x[:] = 0
    np.testing.assert_array_equal(np.asarray(view), values(dtype), err_msg="a buffer is a snapshot")
    with pytest.raises((ValueError, BufferError, TypeError)):
        np.frombuffer(x, dtype=dtype)[:] = 1


def test_bfloat16_bits():
    x = nd.array([1, -2, 0.5], dtype="bfloat16")
    bits = x.asnumpy().view(np.uint16)
    np.testing.assert_array_equal((bits.astype("uint32") << 16).view("float32"), [1, -2, 0.5])
    assert x.dtype == np.dtype([("bfloat16", np.uint16)])
    assert nd.zeros((1,), dtype=x.dtype)._dtype_name == "bfloat16"

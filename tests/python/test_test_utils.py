"""The helpers for tests."""
import os

import numpy as np
import pytest

import mxnet as mx
from mxnet import test_utils as tu


def test_almost_equal():
    tu.assert_almost_equal(mx.nd.array([1, 2]), np.array([1, 2.0001]))
    tu.assert_almost_equal(np.array([1, np.nan]), np.array([1, np.nan]), equal_nan=True)
    with pytest.raises(AssertionError, match=r"x and y differ in 1 of 3 elements(.|\n)*at \(1,\): x=2.0, y=2.1"):
        tu.assert_almost_equal(mx.nd.array([1, 2, 3]), np.array([1, 2.1, 3]), names=("x", "y"))
    with pytest.raises(AssertionError):
        tu.assert_almost_equal(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(AssertionError, match="are not equal"):
        tu.assert_almost_equal(np.ones((2, 1)), np.ones((2, 2)), use_broadcast=False)
    tu.assert_almost_equal_with_err(np.array([1, 2, 3, 9]), np.array([1, 2, 3, 4]), etol=0.25)
    tu.assert_almost_equal_ignore_nan(np.array([1, np.nan]), np.array([1, 5]))
    assert tu.almost_equal(np.array([1.0]), np.array([1.000001]))
    assert tu.same(mx.nd.ones((2,)), np.ones(2)) and not tu.same(np.ones(2), np.ones(3))


def test_default_tolerances():
    half, single, double = (np.ones(1, dtype=t) for t in ("float16", "float32", "float64"))
    assert tu.get_tols(half, double, None, None) == (1e-2, 1e-1)
    assert tu.get_tols(single, double, None, None) == (1e-4, 1e-3)
    assert tu.get_tols(double, double, None, 0.5) == (1e-5, 0.5)
    assert tu.get_rtol() == 1e-5 and tu.get_atol(3) == 3 and tu.get_etol() == 0


def test_random():
    a, b = tu.random_arrays((2, 3), (4,))
    assert a.shape == (2, 3) and b.dtype == np.float32
    assert tu.random_arrays((5,)).shape == (5,)
    assert all(1 <= n <= 4 for n in tu.rand_shape_nd(50, 4))
    assert len(tu.rand_shape_2d()) == 2 and len(tu.rand_shape_3d(1, 2, 3)) == 3
    x = tu.random_uniform_arrays((100,), low=2.0, high=3.0)[0]
    assert x.min() >= 2 and x.max() <= 3
    assert sorted(tu.random_sample([1, 2, 3], 3)) == [1, 2, 3]
    array = tu.rand_ndarray((2, 3), dtype="float64")
    assert array.shape == (2, 3) and array.dtype == np.float64
    with pytest.raises(NotImplementedError, match="storage 'csr' is not available"):
        tu.rand_ndarray((2, 3), "csr")


def test_numeric_gradient():
    x = np.random.RandomState(0).uniform(0.5, 1.5, (2, 3))
    tu.check_numeric_gradient(lambda a: a * a, [x])
    tu.check_numeric_gradient(lambda a, b: [a * b, a + b], {"a": x, "b": x + 1}, dtype=np.float64)

    class Wrong(mx.autograd.Function):
        def forward(self, a):
            return a * 2

        def backward(self, grad):
            return grad * 3
    with pytest.raises(AssertionError, match="gradient of input 0 and finite differences differ"):
        tu.check_numeric_gradient(lambda a: Wrong()(a), [x])
    with pytest.raises(TypeError, match="or a function of NDArrays"):
        tu.check_numeric_gradient("relu", [x])


def test_references():
    x = np.arange(6.0).reshape(2, 3)
    assert tu.np_reduce(x, 1, True, np.sum).tolist() == [[3], [12]]
    assert tu.np_reduce(x, None, False, np.max) == 5
    assert tu.collapse_sum_like(x, (1, 3)).tolist() == [[3, 5, 7]]
    assert tu.collapse_sum_like(x, (3,)).tolist() == [3, 5, 7]
    assert tu.assign_each(x, lambda v: v + 1).tolist() == (x + 1).tolist()
    assert tu.assign_each2(x, x, lambda v, w: v * w).tolist() == (x * x).tolist()
    assert tu.create_2d_tensor(2, 3).asnumpy().tolist() == [[0, 0, 0], [1, 1, 1]]
    assert tu.get_identity_mat_batch(2).shape == (2, 2, 2)


def test_environment():
    with tu.environment("MXNET_TEST_A", "1"):
        assert os.environ["MXNET_TEST_A"] == "1"
        with tu.environment({"MXNET_TEST_A": None, "MXNET_TEST_B": 2}):
            assert "MXNET_TEST_A" not in os.environ and mx.util.getenv("MXNET_TEST_B") == "2"
        assert os.environ["MXNET_TEST_A"] == "1"
    assert "MXNET_TEST_A" not in os.environ


def test_retry_and_exceptions():
    tries = []

    @tu.retry(3)
    def flaky():
        tries.append(1)
        assert len(tries) == 2
    flaky()
    assert len(tries) == 2
    tu.assert_exception(lambda: [][0], IndexError)
    with pytest.raises(AssertionError, match="did not raise"):
        tu.assert_exception(lambda: 1, IndexError)


def test_distributions():
    pytest.importorskip("scipy")
    state = np.random.RandomState(0)
    assert tu.mean_check(lambda n: state.normal(1, 2, n), 1, 2, 10000)
    assert not tu.mean_check(lambda n: state.normal(2, 2, n), 1, 2, 10000)
    assert tu.var_check(lambda n: state.normal(1, 2, n), 2, 10000)
    buckets, probs = tu.gen_buckets_probs_with_ppf(lambda q: q, 5)
    tu.verify_generator(lambda n: state.uniform(0, 1, n), buckets, probs, nsamples=10000)
    with pytest.raises(AssertionError, match="tests passed"):
        tu.verify_generator(lambda n: state.uniform(0, 1, n) ** 2, buckets, probs, nsamples=10000)
    tu.verify_generator(lambda n: state.randint(0, 3, n), [0, 1, 2], [1 / 3] * 3, nsamples=10000)


def test_compare_optimizers():
    make = mx.optimizer.create
    tu.compare_optimizer(make("sgd", learning_rate=0.1), make("sgd", learning_rate=0.1), (3, 2), "float32")
    with pytest.raises(AssertionError):
        tu.compare_optimizer(make("sgd", learning_rate=0.1), make("sgd", learning_rate=0.2), (3, 2), "float32")


def test_same_array():
    x = mx.nd.ones((4,))
    assert tu.same_array(x, x.reshape((2, 2)).reshape((4,)))
    assert not tu.same_array(x, x.copy())
    assert x.asnumpy().tolist() == [1, 1, 1, 1]


def test_dummy_iterator():
    iterator = tu.DummyIter(mx.io.NDArrayIter(np.zeros((4, 2)), np.arange(4), 2))
    assert [next(iterator).label[0].asnumpy().tolist() for _ in range(3)] == [[0, 1]] * 3


def test_star_import_brings_what_tests_use():
    names = {}
    exec("from mxnet.test_utils import *", names)
    for name in ("np", "mx", "npt", "rnd", "os", "sys", "struct", "zipfile", "gzip", "bz2", "errno", "traceback",
                 "json", "Symbol", "Context", "array", "OrderedDict", "contextmanager", "use_np", "getenv", "setenv"):
        assert name in names, name

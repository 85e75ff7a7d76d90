"""Linear algebra: what samples cannot say."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, nd


def random(*shape, seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, size=shape)


def positive(n, seed=0):
    x = random(n, n, seed=seed)
    return x @ x.T / n + np.eye(n)


def f64(x):
    return nd.array(x, dtype="float64")


def gradient(f, x):
    """d f(x) / dx of a scalar function, as an NDArray."""
    x = f64(x)
    x.attach_grad()
    with autograd.record():
        y = f(x)
    return autograd.grad(y, [x])[0]


def test_gaussian_process_likelihood():
    """log N(y; 0, K) through potrf, trsm, sumlogdiag against K^-1 y y^T K^-1 - K^-1, halved."""
    k, y = positive(5), random(5, 1, seed=2)

    def f(a):
        factor = nd.linalg.potrf(a)
        z = nd.linalg.trsm(factor, f64(y))
        return -0.5 * nd.linalg.syrk(z, transpose=True).sum() - nd.linalg.sumlogdiag(factor).sum()

    inverse = np.linalg.inv(k)
    want = 0.5 * (inverse @ y @ y.T @ inverse - inverse)
    np.testing.assert_allclose(gradient(f, k).asnumpy(), want, rtol=1e-9)


@pytest.mark.parametrize("n", [70, 200])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_factorizations(n, dtype):
    tol = {"float32": 2e-4, "float64": 1e-11}[dtype]
    a = nd.array(np.stack([positive(n), positive(n, seed=1)]), dtype=dtype)
    x = a.asnumpy()
    u, values = (out.asnumpy() for out in nd.linalg.syevd(a))
    np.testing.assert_allclose(u.swapaxes(-1, -2) @ (values[..., None] * u), x, atol=tol)
    np.testing.assert_allclose(u @ u.swapaxes(-1, -2), np.stack([np.eye(n)] * 2), atol=tol)
    assert (np.diff(values) >= 0).all()
    factor = nd.linalg.potrf(a).asnumpy()
    np.testing.assert_allclose(factor @ factor.swapaxes(-1, -2), x, atol=tol)
    q, low = (out.asnumpy() for out in nd.linalg.gelqf(a[:, :n // 2]))
    np.testing.assert_allclose(low @ q, x[:, :n // 2], atol=tol)
    np.testing.assert_allclose(nd.linalg.inverse(a).asnumpy() @ x, np.stack([np.eye(n)] * 2), atol=10 * tol)
    sign, log = nd.linalg.slogdet(a)
    np.testing.assert_allclose(log.asnumpy(), np.linalg.slogdet(x)[1], rtol=10 * tol)
    assert (sign.asnumpy() == 1).all()


@pytest.mark.parametrize("call, text", [
    (lambda: nd.linalg.potrf(nd.array([[1, 2], [2, 1]])), "_linalg_potrf: matrix 0 of A is not positive definite"),
    (lambda: nd.linalg.potrf(nd.array([[np.nan, 0], [0, 1]])), "not positive definite"),
    (lambda: nd.linalg.potri(nd.zeros((2, 2))), "not a Cholesky factor"),
    (lambda: nd.linalg.inverse(nd.ones((3, 2, 2))), "matrix 0 of A is singular"),
    (lambda: nd.linalg.inverse(nd.ones((2, 3))), "square"),
    (lambda: nd.linalg.gelqf(nd.ones((3, 2))), "no more rows than columns"),
    (lambda: nd.linalg.gemm2(nd.ones((3, 2)), nd.ones((3, 2))), "sums run over 2 and 3"),
    (lambda: nd.linalg.gemm2(nd.ones((1, 3, 2)), nd.ones((4, 2, 3))), "must agree but for rows and columns"),
    (lambda: nd.linalg.gemm2(nd.ones((3, 2)), nd.ones((2, 3)), axis=1), "axis 1 must be one before the last"),
    (lambda: nd.linalg.trsm(nd.ones((2, 2)), nd.ones((3, 2))), r"expected \(3, 3\)"),
    (lambda: nd.linalg.maketrian(nd.ones(4)), "not the size of a triangle"),
    (lambda: nd.linalg.extracttrian(nd.ones((3, 3)), offset=-3), "offset -3 is out of range"),
    (lambda: nd.linalg.potrf(nd.ones((2, 2), dtype="int32")), "expected a floating dtype"),
])
def test_errors(call, text):
    with pytest.raises(mx.MXNetError, match=text):
        call().wait_to_read()


def test_empty():
    for op in nd.linalg.potrf, nd.linalg.inverse, nd.linalg.potri:
        assert op(nd.zeros((0, 3, 3))).shape == (0, 3, 3)
        assert op(nd.zeros((2, 0, 0))).shape == (2, 0, 0)
    assert nd.linalg.det(nd.zeros((2, 0, 0))).asnumpy().tolist() == [1, 1]
    assert nd.linalg.gemm2(nd.zeros((2, 0)), nd.zeros((0, 3))).asnumpy().tolist() == [[0] * 3] * 2

"""The front ends of AdamW and LAMB in mx.nd.contrib; expected numbers are those of MXNet 1.9.1."""
import numpy as np
import pytest

from mxnet import nd

contrib = nd.contrib


def arrays(dtype="float32"):
    weights = [nd.ones((2, 2), dtype=dtype), nd.full((3,), 2, dtype=dtype)]
    grads = [nd.full((2, 2), 0.1, dtype=dtype), nd.full((3,), 0.3, dtype=dtype)]
    states = [[nd.zeros(w.shape) for w in weights] for _ in range(2)]
    return weights, grads, *states


def check(have, first, second, tol=1e-3):
    np.testing.assert_allclose(have[0].asnumpy(), np.full((2, 2), first), atol=tol)
    np.testing.assert_allclose(have[1].asnumpy(), np.full(3, second), atol=tol)


@pytest.mark.parametrize("scale", [2.0, nd.array([2.0])], ids=["number", "array"])
def test_adamw(scale):
    w, g, m, v = arrays()
    rates = {"lrs": [0.1, 0.2], "wds": [0.01, 0.02], "etas": [1, 0.5]}
    assert contrib.multi_adamw_update(w, g, m, v, scale, out=w, **rates)[0] is w[0]
    check(w, 0.6738, 1.6638)
    check(m, 0.02, 0.06)
    w, g, m, v = arrays("float16")
    copies = [x.astype("float32") for x in w]
    contrib.multi_mp_adamw_update(w, g, m, v, copies, scale, out=w, **rates)
    check(w, 0.6738, 1.6638)
    check(copies, 0.6738, 1.6638, 1e-4)
    w, g, m, v = arrays()
    contrib.adamw_update(w[0], g[0], m[0], v[0], scale, lr=0.1, eta=1, wd=0.01, out=w[0])
    contrib.adamw_update(w[1], g[1], m[1], v[1], scale, lr=0.2, eta=0.5, wd=0.02, out=w[1])
    check(w, 0.6738, 1.6638)
    w, g, m, v = arrays("float16")
    copy = w[0].astype("float32")
    contrib.mp_adamw_update(w[0], g[0], m[0], v[0], copy, scale, lr=0.1, eta=1, wd=0.01, out=w[0])
    np.testing.assert_allclose(copy.asnumpy(), np.full((2, 2), 0.6738), atol=1e-4)


def test_lamb():
    w, g, m, v = arrays()
    rates = {"lrs": [0.1, 0.2], "wds": [0.01, 0.02]}
    contrib.multi_lamb_update(w, g, m, v, [1, 2], out=w, **rates)
    check(w, 0.9, 1.6)
    check(v, 1e-5, 9e-5, 1e-6)
    w, g, m, v = arrays()
    contrib.multi_lamb_update(w, g, m, v, [1, 2], out=w, lower_bound=0.1, upper_bound=1.5, bias_correction=False,
                              rescale_grad=3, clip_gradient=0.5, epsilon=0.01, **rates)
    check(w, 0.925, 1.8268)
    w, g, m, v = arrays("float16")
    copies = [x.astype("float32") for x in w]
    contrib.multi_mp_lamb_update(w, g, m, v, copies, [1, 2], out=w, **rates)
    check(w, 0.9, 1.6)
    check(copies, 0.9, 1.6, 1e-4)

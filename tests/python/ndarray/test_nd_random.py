"""Random arrays: shapes, types, parameters, seeds; and that the numbers have the distribution asked for."""
import numpy as np
import pytest
from scipy import stats

import mxnet as mx
from mxnet import nd

N = 20000
DISTRIBUTIONS = {
    "uniform": ((-2, 3), stats.uniform(-2, 5)),
    "normal": ((1, 2), stats.norm(1, 2)),
    "exponential": ((2,), stats.expon(scale=2)),
    "gamma": ((3, 0.5), stats.gamma(3, scale=0.5)),
    "poisson": ((4,), stats.poisson(4)),
    "negative_binomial": ((5, 0.4), stats.nbinom(5, 0.4)),
    "generalized_negative_binomial": ((3, 0.5), stats.nbinom(2, 1 / (1 + 1.5))),
    "randint": ((-3, 6), stats.randint(-3, 6)),
}


def check(sample, distribution, name):
    sample = sample.astype("float64")
    scale = distribution.std() / np.sqrt(len(sample))
    assert abs(sample.mean() - distribution.mean()) < 5 * scale, f"{name}: mean"
    assert abs(sample.std() / distribution.std() - 1) < 0.1, f"{name}: deviation"
    # Compare the distribution functions at the tenths; half a step beside whole numbers.
    for q in np.linspace(0.1, 0.9, 9):
        point = distribution.ppf(q)
        assert abs((sample <= point + 1e-6).mean() - distribution.cdf(point + 1e-6)) < 0.02, f"{name}: at {q}"


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distribution(name):
    parameters, distribution = DISTRIBUTIONS[name]
    mx.random.seed(7)
    check(getattr(nd.random, name)(*parameters, shape=N).asnumpy(), distribution, name)
    check(getattr(mx.random, name)(*parameters, shape=(N // 10, 10)).asnumpy().ravel(), distribution, name)


@pytest.mark.parametrize("name", [n for n in DISTRIBUTIONS if n != "randint"])
def test_distribution_of_arrays(name):
    parameters, distribution = DISTRIBUTIONS[name]
    mx.random.seed(8)
    arrays = [nd.array([p, p]) for p in parameters]
    sample = getattr(nd.random, name)(*arrays, shape=(N,))
    assert sample.shape == (2, N)
    for row in sample.asnumpy():
        check(row, distribution, name)
    assert getattr(nd.random, name)(*arrays).shape == (2,)
    assert getattr(nd.random, name)(*arrays, shape=(3, 4)).shape == (2, 3, 4)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_shapes_and_keywords(name):
    function, parameters = getattr(nd.random, name), DISTRIBUTIONS[name][0]
    assert function(*parameters).shape == (1,)
    assert function(*parameters, shape=3).shape == (3,)
    assert function(*parameters, shape=(2, 0)).shape == (2, 0)
    assert function(*parameters, shape=(2,), ctx=mx.cpu(1)).context == mx.cpu(1)
    dtype = "int32" if name == "randint" else "float32"
    out = nd.zeros((2, 3), dtype=dtype)
    assert function(*parameters, out=out) is out
    assert function(*parameters, shape=2).dtype == np.dtype(dtype)
    for other in ("int64",) if name == "randint" else ("float64", "float16"):
        assert function(*parameters, shape=2, dtype=other).dtype == np.dtype(other)
    with pytest.raises(TypeError):
        function(*parameters, no_such=1)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_seed(name):
    function, parameters = getattr(nd.random, name), DISTRIBUTIONS[name][0]
    mx.random.seed(3)
    a, b = (function(*parameters, shape=100).asnumpy() for _ in range(2))
    mx.random.seed(3)
    c = function(*parameters, shape=100).asnumpy()
    np.testing.assert_array_equal(a, c)
    assert (a != b).any()


def test_seed_of_one_context():
    mx.random.seed(1)
    first = nd.random.uniform(shape=5, ctx=mx.cpu(0)).asnumpy()
    mx.random.seed(1, ctx=mx.cpu(0))
    np.testing.assert_array_equal(first, nd.random.uniform(shape=5, ctx=mx.cpu(0)).asnumpy())
    with pytest.raises(ValueError):
        mx.random.seed("x")


def test_parameters_are_checked():
    with pytest.raises(TypeError):
        nd.random.uniform(0, nd.array([1]))
    with pytest.raises(ValueError):
        nd.random.uniform("a", 1)
    with pytest.raises(TypeError):
        nd.random.randint(nd.array([1]), nd.array([2]))
    for call in (lambda: nd.random.uniform(1, 0, shape=2), lambda: nd.random.normal(0, -1, shape=2),
                 lambda: nd.random.randint(5, 5, shape=2)):
        with pytest.raises(ValueError):
            call().wait_to_read()


def test_randn():
    assert nd.random.randn(2, 3).shape == (2, 3)
    assert nd.random.randn(2, dtype="float16", ctx=mx.cpu(1)).dtype == np.float16
    mx.random.seed(5)
    check(nd.random.randn(N, loc=3, scale=2).asnumpy(), stats.norm(3, 2), "randn")


def test_like():
    x = nd.zeros((3, 2), dtype="float64")
    for name in ("uniform", "normal", "exponential", "gamma", "poisson", "negative_binomial",
                 "generalized_negative_binomial"):
        y = getattr(nd.random, f"{name}_like")(x)
        assert y.shape == (3, 2) and y.dtype == np.float64


def test_multinomial():
    mx.random.seed(4)
    p = nd.array([[0, 0.25, 0.75], [1, 0, 0]])
    draws = nd.random.multinomial(p, shape=N)
    assert draws.shape == (2, N) and draws.dtype == np.int32
    counts = np.bincount(draws.asnumpy()[0], minlength=3) / N
    np.testing.assert_allclose(counts, [0, 0.25, 0.75], atol=0.02)
    assert (draws.asnumpy()[1] == 0).all()
    assert nd.random.multinomial(p).shape == (2,)
    draws, logs = nd.random.multinomial(p, get_prob=True)
    np.testing.assert_allclose(logs.asnumpy(), np.log(p.asnumpy()[[0, 1], draws.asnumpy()]), rtol=1e-5)
    assert nd.random.multinomial(nd.array([0, 1.0]), dtype="float32").dtype == np.float32


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradient_of_multinomial(dtype):
    """The logarithms of the probabilities drawn have the slope 1 / p, and none where nothing is drawn."""
    p = nd.array([[0, 0.25, 0.75], [0.5, 0.5, 0]], dtype=dtype)
    weights = np.random.RandomState(0).uniform(size=(2, 3, 4))
    p.attach_grad()
    with mx.autograd.record():
        draws, logs = nd.random.multinomial(p, shape=(3, 4), get_prob=True)
        assert logs.shape == draws.shape == (2, 3, 4)
        loss = (logs * nd.array(weights, dtype=dtype)).sum()
        dp, = mx.autograd.grad(loss, p, create_graph=True)
    want, drawn = np.zeros((2, 3)), draws.asnumpy()
    for place in np.ndindex(drawn.shape):
        want[place[0], drawn[place]] += weights[place] / p.asnumpy()[place[0], drawn[place]]
    np.testing.assert_allclose(dp.asnumpy(), want, rtol=1e-5)
    dp.backward()  # the slope of w / p is -w / p^2
    slope = np.divide(-want, p.asnumpy(), out=np.zeros((2, 3)), where=want != 0)
    np.testing.assert_allclose(p.grad.asnumpy(), slope, rtol=1e-5)


def test_unique_zipfian():
    mx.random.seed(5)
    rows, wanted, classes = 4000, 3, 20
    draws, tries = (a.asnumpy() for a in nd._internal._sample_unique_zipfian(range_max=classes, shape=(rows, wanted)))
    assert draws.shape == (rows, wanted) and tries.shape == (rows,) and draws.dtype == tries.dtype == np.int64
    assert draws.min() >= 0 and draws.max() < classes
    assert all(len(set(row)) == wanted for row in draws) and (tries >= wanted).all()
    # The first draw of a row follows the distribution; the second the same without the first.
    k = np.arange(classes)
    p = np.log((k + 2) / (k + 1)) / np.log(classes + 1)
    np.testing.assert_allclose(np.bincount(draws[:, 0], minlength=classes) / rows, p, atol=0.025)
    second = sum(p[j] * np.where(k == j, 0, p / (1 - p[j])) for j in k)
    np.testing.assert_allclose(np.bincount(draws[:, 1], minlength=classes) / rows, second, atol=0.025)
    every, _ = nd._internal._sample_unique_zipfian(range_max=7, shape=(5, 7))
    np.testing.assert_array_equal(np.sort(every.asnumpy()), np.tile(np.arange(7), (5, 1)))


def test_shuffle():
    mx.random.seed(6)
    x = np.arange(40).reshape(20, 2)
    y = nd.random.shuffle(nd.array(x)).asnumpy()
    assert (y != x).any()
    np.testing.assert_array_equal(y[np.argsort(y[:, 0])], x)


def test_zipfian():
    mx.random.seed(9)
    samples, true, expected = nd.contrib.rand_zipfian(nd.array([0, 3]), N, 50)
    assert samples.dtype == np.int64 and samples.shape == expected.shape == (N,) and true.shape == (2,)
    draws = samples.asnumpy()
    assert draws.min() >= 0 and draws.max() < 50
    want = N * np.log((np.array([0, 3]) + 2) / (np.array([0, 3]) + 1)) / np.log(51)
    np.testing.assert_allclose(true.asnumpy(), want, rtol=1e-6)
    np.testing.assert_allclose([(draws == 0).sum(), (draws == 3).sum()], want, rtol=0.1)


@pytest.mark.parametrize("draw, message", [
    (lambda: mx.nd.random.normal(0, -1, (2, 2)), "_random_normal: scale is negative"),
    (lambda: mx.nd.random.uniform(1, 0, (2,)), "_random_uniform: high is below low"),
    (lambda: mx.nd.random.gamma(-1, 1, (2,)), "_random_gamma: alpha and beta must be positive"),
    (lambda: mx.nd.random.randint(5, 5, (2,)), "_random_randint: low is not below high"),
    (lambda: mx.nd.random.normal_like(mx.nd.ones((2,)), scale=-1), "scale is negative"),
])
def test_parameters_are_checked_when_numbers_are_drawn(draw, message):
    x = draw()
    with pytest.raises(ValueError, match=message):
        (x + 1).asnumpy()
    draw()
    with pytest.raises(mx.MXNetError, match=message):
        mx.nd.waitall()
    mx.nd.waitall()

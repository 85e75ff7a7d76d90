"""Pointwise fusion: groups of elementwise operators as one, with the same numbers to the bit."""
import random

import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.symbol import passes

UNARY = ["relu", "sigmoid", "tanh", "exp", "expm1", "log1p", "square", "abs", "negative", "sign", "floor", "rint",
         "erf", "sin", "softsign", "reciprocal", "rsqrt", "cbrt", "arctan", "logical_not", "identity", "BlockGrad"]
SCALAR = ["_plus_scalar", "_minus_scalar", "_rminus_scalar", "_mul_scalar", "_div_scalar", "_rdiv_scalar",
          "_maximum_scalar", "_greater_scalar", "_mod_scalar"]
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "greater", "lesser_equal", "hypot", "mod"]
GRADIENTS = ["_backward_tanh", "_backward_sigmoid", "_backward_relu", "_backward_square", "_backward_erf",
             "_backward_LeakyReLU", "_grad_add"]


def function(space, name):
    return getattr(space, name, None) or getattr(space._internal, name)


class RandomGraph:
    """A graph of elementwise operators that can be built of arrays and of symbols."""

    def __init__(self, seed, shape, operands, steps=12):
        rng = random.Random(seed)
        self.shapes = [shape, shape, *operands]
        self.steps = []
        full = [0, 1]
        for i in range(steps):
            number = len(self.shapes) + i
            kind = rng.choice(["unary", "unary", "scalar", "binary", "binary", "broadcast", "activation", "leaky",
                               "clip", "where", "sum", "gradient"])
            x, y, z = (rng.choice(full[-6:]) for _ in range(3))
            other = rng.randrange(2, len(self.shapes)) if operands else y
            self.steps.append({
                "unary": (rng.choice(UNARY), [x], {}),
                "scalar": (rng.choice(SCALAR), [x], {"scalar": rng.choice([2.0, 0.3, -1.5, 3])}),
                "binary": ("broadcast_" + rng.choice(BINARY), [x, y], {}),
                "broadcast": ("broadcast_" + rng.choice(BINARY), [x, other][::rng.choice([1, -1])], {}),
                "activation": ("Activation", [x], {"act_type": rng.choice(["relu", "softrelu", "softsign"])}),
                "leaky": ("LeakyReLU", [x], {"act_type": rng.choice(["leaky", "elu", "selu", "gelu"])}),
                "clip": ("clip", [x], {"a_min": -0.5, "a_max": 1.25}),
                "where": ("where", [x, y, z], {}),
                "sum": ("add_n", [x, y, z], {}),
                "gradient": (rng.choice(GRADIENTS), [x, y], {}),
            }[kind])
            full.append(number)
        self.outputs = sorted({full[-1], *rng.sample(full[2:], 3)})

    def build(self, space, inputs):
        values = list(inputs)
        for name, operands, params in self.steps:
            values.append(function(space, name)(*[values[i] for i in operands], **params))
        return [values[i] for i in self.outputs]

    def symbol(self, dtype="float32"):
        names = [f"v{i}" for i in range(len(self.shapes))]
        symbol = mx.sym.Group(self.build(mx.sym, [mx.sym.var(name, dtype=dtype) for name in names]))
        used = set(symbol.list_inputs())
        return symbol, {name: shape for name, shape in zip(names, self.shapes) if name in used}

    def arrays(self, seed, dtype="float32"):
        rng = np.random.RandomState(seed)
        return [nd.array(rng.uniform(-2, 2, shape), dtype=dtype) for shape in self.shapes]


def assert_same_bits(have, want):
    have, want = np.asarray(have), np.asarray(want)
    assert have.dtype == want.dtype and have.shape == want.shape
    nan = want != want
    np.testing.assert_array_equal(have != have, nan)
    assert np.where(nan, 0, have).tobytes() == np.where(nan, 0, want).tobytes()


def numbers(array):
    return array.astype("float32").asnumpy() if array._dtype_name == "bfloat16" else array.asnumpy()


def operators(symbol):
    return [line.partition("Op:")[2].partition(",")[0] for line in symbol.debug_str().splitlines() if "Op:" in line]


def fused_nodes(symbol):
    return [name for name in operators(symbol) if name == "_fused_pointwise"]


def fuse(symbol, **shapes):
    return passes.optimize(symbol, passes=["pointwise"], **shapes)


def evaluate(symbol, **arrays):
    with passes.switched(pointwise=False):
        return symbol.eval(ctx=mx.cpu(), **arrays)


SHAPES = [((4, 3, 5), [(5,), (3, 1), (1,), (4, 1, 1), (1, 3, 5)]), ((7,), []), ((2, 3, 37, 41), [(3, 1, 1), (41,)]),
          ((300, 1024), [(1024,), (300, 1), (1, 1)]), ((6, 2500), [(2500,)]), ((1, 1), [(1,)])]


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("shape, operands", SHAPES, ids=lambda x: str(x))
def test_random_graphs(seed, shape, operands):
    graph = RandomGraph(seed, shape, operands)
    arrays = graph.arrays(seed)
    want = graph.build(nd, arrays)
    symbol, shapes = graph.symbol()
    fused = fuse(symbol, **shapes)
    assert fused_nodes(fused)
    assert len(operators(fused)) < len(operators(symbol))
    have = evaluate(fused, **{name: arrays[int(name[1:])] for name in shapes})
    for h, w in zip(have, want):
        assert_same_bits(h.asnumpy(), w.asnumpy())


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_random_graphs_of_other_dtypes(seed, dtype):
    graph = RandomGraph(100 + seed, (5, 3, 301), [(301,), (3, 1), (1,)])
    arrays = graph.arrays(seed, dtype)
    want = graph.build(nd, arrays)
    symbol, shapes = graph.symbol(dtype)
    fused = fuse(symbol, **shapes)
    assert fused_nodes(fused)
    have = evaluate(fused, **{name: arrays[int(name[1:])] for name in shapes})
    for h, w in zip(have, want):
        assert h._dtype_name == dtype
        assert_same_bits(numbers(h), numbers(w))


def test_integers_and_casts():
    x, y = mx.sym.var("x", dtype="int32"), mx.sym.var("y", dtype="float16")

    def build(space, x, y):
        a = function(space, "broadcast_mul")(x, x) % 7
        b = space.cast(space.exp(space.cast(a, "float32")), "float16") * y
        return [a, b, space.cast(b > 1, "bool"), space.sqrt(x + 3), a / 2.5]
    arrays = nd.array(np.arange(-3, 9).reshape(3, 4), dtype="int32"), nd.array(np.linspace(-1, 1, 12).reshape(3, 4),
                                                                               dtype="float16")
    fused = fuse(mx.sym.Group(build(mx.sym, x, y)), x=(3, 4), y=(3, 4))
    assert len(fused_nodes(fused)) == 2  # the square root of x + 3 stands alone
    for have, want in zip(evaluate(fused, x=arrays[0], y=arrays[1]), build(nd, *arrays)):
        assert_same_bits(have.asnumpy(), want.asnumpy())


def test_node_counts():
    x, b = mx.sym.var("x"), mx.sym.var("b")
    gelu = x * (mx.sym.erf(x / 2 ** 0.5) + 1) * 0.5
    assert fuse(gelu, x=(3, 4)).get_internals().list_outputs()[0] == "x"
    assert len(fuse(gelu, x=(3, 4)).get_internals().list_outputs()) == 2
    assert len(fuse(mx.sym.exp(x), x=(3, 4)).get_internals().list_outputs()) == 2
    assert not fused_nodes(fuse(mx.sym.exp(x), x=(3, 4)))
    biased = mx.sym.relu(mx.sym.broadcast_add(x, b))
    assert len(fused_nodes(fuse(biased, x=(3, 4), b=(4,)))) == 1
    # What is computed of the small operand is computed once and not for each row.
    small = mx.sym.broadcast_add(x, mx.sym.exp(mx.sym.sqrt(b))) * 2
    assert len(fused_nodes(fuse(small, x=(3, 4), b=(4,)))) == 2


def test_several_outputs():
    x = mx.sym.var("x")
    y = mx.sym.tanh(x * 2)
    z = mx.sym.FullyConnected(y, num_hidden=3, name="fc")
    symbol = mx.sym.Group([mx.sym.exp(y) + 1, y, mx.sym.sigmoid(z) * z])
    fused = fuse(symbol, x=(2, 5))
    assert len(fused_nodes(fused)) == 2
    arrays = {"x": nd.random.normal(shape=(2, 5)), "fc_weight": nd.random.normal(shape=(3, 5)),
              "fc_bias": nd.ones((3,))}
    for have, want in zip(evaluate(fused, **arrays), evaluate(symbol, **arrays)):
        assert_same_bits(have.asnumpy(), want.asnumpy())


def test_a_group_does_not_depend_on_itself():
    x = mx.sym.var("x")
    y = mx.sym.exp(x) + 1
    around = mx.sym.softmax(y)
    symbol = mx.sym.sqrt(y * around) + y
    fused = fuse(symbol, x=(2, 5))
    assert len(fused_nodes(fused)) == 2 and "softmax" in fused.debug_str()
    a = nd.random.normal(shape=(2, 5))
    assert_same_bits(evaluate(fused, x=a)[0].asnumpy(), evaluate(symbol, x=a)[0].asnumpy())
    # Two groups, each of which could take the middle, but not both: the way around leads through the other.
    p, q = mx.sym.exp(x), mx.sym.var("q")
    left = mx.sym.softmax(p * 2) + q
    symbol = mx.sym.Group([mx.sym.softmax(left) * p, left - 1])
    fused = fuse(symbol, x=(2, 5), q=(2, 5))
    arrays = {"x": a, "q": nd.random.normal(shape=(2, 5))}
    for have, want in zip(evaluate(fused, **arrays), evaluate(symbol, **arrays)):
        assert_same_bits(have.asnumpy(), want.asnumpy())


def test_what_is_not_fused():
    x, c = mx.sym.var("x"), mx.sym.var("c")
    noise = mx.sym.relu(mx.sym.Dropout(x + 1, p=0.5, mode="always")) * 2
    assert len(fused_nodes(fuse(noise, x=(3, 4)))) == 1 and "Dropout" in fuse(noise, x=(3, 4)).debug_str()
    random_slope = mx.sym.LeakyReLU(x + 1, act_type="rrelu")[0] * 2
    assert "rrelu" in fuse(random_slope, x=(3, 4)).debug_str() and not fused_nodes(fuse(random_slope, x=(3, 4)))
    slope = mx.sym.LeakyReLU(x + 1, act_type="elu") * 2
    assert len(fused_nodes(fuse(slope, x=(3, 4)))) == 1 and "Op:LeakyReLU" not in fuse(slope, x=(3, 4)).debug_str()
    rows = mx.sym.where(c, x + 1, x * 2)  # one condition for each row
    assert "Op:where" in fuse(rows, x=(4, 4), c=(4,)).debug_str()
    with passes.switched(pointwise=False):
        assert not fused_nodes(passes.optimize(mx.sym.relu(x + 1) * 2, x=(3, 4)))
    assert fused_nodes(passes.optimize(mx.sym.relu(x + 1) * 2, x=(3, 4)))
    assert fused_nodes(passes.optimize(mx.sym.relu(x + 1) * 2, training=True, x=(3, 4)))
    assert not fused_nodes(passes.optimize(mx.sym.relu(x + 1) * 2))  # shapes are not known


class Net(gluon.HybridBlock):
    """Layers between which much is computed element by element."""

    def __init__(self):
        super().__init__()
        self.first = gluon.nn.Dense(6, in_units=5, flatten=False)
        self.second = gluon.nn.Dense(5, in_units=6, flatten=False)
        self.scale = self.params.get("scale", shape=(5,), init="ones")

    def hybrid_forward(self, F, x, scale):
        h = self.first(x)
        h = F.LeakyReLU(h * 1.5 + 0.1, act_type="gelu") * F.sigmoid(h)
        y = F.broadcast_mul(self.second(h), scale) + x
        return F.tanh(F.clip(y, -2, 2)) * 2, F.Dropout(y, p=0.5)


def run_net(fused, dtype="float32"):
    """Outputs and gradients of a hybridized net, or of one that is not (None)."""
    mx.random.seed(7)
    net, x = Net(), nd.random.normal(shape=(4, 3, 5)).astype(dtype)
    net.initialize(mx.init.Xavier())
    net.cast(dtype)
    with passes.switched(pointwise=bool(fused)):
        if fused is not None:
            net.hybridize()
        x.attach_grad()
        with autograd.record():
            first, second = net(x)
            loss = (first * second).sum()
        loss.backward()
        plain = net(x)
    grads = [p.grad() for p in net.collect_params().values()]
    return [numbers(a) for a in [first, second, *plain, x.grad, *grads]]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_nets_are_fused_in_training_too(dtype):
    with_fusion = run_net(True, dtype)
    for have, want in zip(with_fusion, run_net(False, dtype)):
        assert_same_bits(have, want)
    for have, want in zip(with_fusion, run_net(None, dtype)):
        np.testing.assert_allclose(have, want, rtol=1e-5 if dtype == "float32" else 1e-2, atol=1e-5)


@pytest.mark.parametrize("training", [False, True])
def test_a_fused_net_needs_no_memory_in_between(training):
    class Chain(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return F.tanh(x) * F.sigmoid(x) + F.exp(x) * x

    x = nd.random.normal(shape=(256, 1024))
    taken = []
    for fused in (True, False):
        with passes.switched(pointwise=fused):
            net = Chain()
            net.hybridize()
            with autograd.predict_mode() if not training else autograd.train_mode():
                for _ in range(2):
                    y = None
                    nd.waitall()
                    before = mx._core.storage_stats(1, 0)["in_use"]
                    mx._core.reset_peak_memory(1, 0)
                    y = net(x)
                    y.wait_to_read()
                    nd.waitall()
            taken.append(mx._core.storage_stats(1, 0)["peak"] - before)
    assert taken[0] < 1.5 * x.size * 4 < 2 * x.size * 4 <= taken[1]


def test_long_chains_are_cut():
    x = mx.sym.var("x")
    y = x
    for i in range(200):
        y = mx.sym.tanh(y) + i
    fused = fuse(y, x=(3,))
    assert 6 <= len(fused_nodes(fused)) <= 10
    a = nd.array([0.5, -1, 2])
    assert_same_bits(evaluate(fused, x=a)[0].asnumpy(), evaluate(y, x=a)[0].asnumpy())


def test_the_text_form():
    x = mx.sym.var("x")
    fused = fuse(mx.sym.clip(x * 0.1, -np.inf, 1e-3) * 2, x=(3,))
    again = mx.sym.load_json(fused.tojson())
    assert again.tojson() == fused.tojson() and "clip(t0, a_min=-inf, a_max=0.001)" in fused.tojson()
    assert again.infer_shape(x=(7, 2))[1] == [(7, 2)]
    a = nd.array([0.5, -1, 2])
    assert_same_bits(again.eval(x=a)[0].asnumpy(), (nd.clip(a * 0.1, -np.inf, 1e-3) * 2).asnumpy())


@pytest.mark.parametrize("program, text", [
    ("relu(x0)", "must say what it gives"), ("relu(x0) -> t1", "before an instruction gives it"),
    ("relu(x0) -> x0", "gives its input"), ("relu(x0) -> t0, t0", "twice"), ("relu(x0) -> ", "gives nothing"),
    ("relu(x0, x1) -> t0", "takes 1 operands, got 2"), ("softmax(x0) -> t0", "not an elementwise operator"),
    ("foo(x0) -> t0", "'foo' is not registered"), ("relu x0 -> t0", "is no instruction"),
    ("relu(y0) -> t0", "is no value"), ("relu(x1) -> t0", "got 1 arrays, expected 2"),
    ("clip(x0, a_min=1) -> t0", "'a_max' is missing"), ("LeakyReLU(x0, act_type=rrelu) -> t0", "not elementwise"),
    ("relu(x99999999999) -> t0", "is no value")])
def test_wrong_programs(program, text):
    with pytest.raises(mx.MXNetError, match=text):
        nd._internal._fused_pointwise(nd.ones((3,)), program=program).wait_to_read()


def test_wrong_shapes():
    run = nd._internal._fused_pointwise
    with pytest.raises(ValueError, match="do not broadcast"):
        run(nd.ones((3,)), nd.ones((4,)), program="broadcast_add(x0, x1) -> t0")
    with pytest.raises(ValueError, match=r"a value has shape \(3,\), expected \(2, 3\)"):
        run(nd.ones((3,)), nd.ones((2, 3)), program="relu(x0); broadcast_add(t0, x1) -> t1, t0")
    with pytest.raises(ValueError, match="where has an operand of shape"):
        run(nd.ones((2,)), nd.ones((2, 2)), program="where(x0, x1, x1) -> t0")


def test_in_place():
    program = "_plus_scalar(x0, scalar=1.0); elemwise_mul(t0, x1); elemwise_add(t1, x0) -> t0, t2"
    x, y = nd.random.normal(shape=(3, 2000)), nd.random.normal(shape=(3, 2000))
    want = [x + 1, (x + 1) * y + x]
    a, b = x.copy(), y.copy()
    nd._internal._fused_pointwise(a, b, program=program, out=[a, b])  # the first is written before it is read last
    assert_same_bits(a.asnumpy(), want[0].asnumpy())
    assert_same_bits(b.asnumpy(), want[1].asnumpy())
    row = nd.random.normal(shape=(3, 2000))
    want = (row + row[1]).asnumpy()
    nd._internal._fused_pointwise(row, row[1], program="broadcast_add(x0, x1) -> t0", out=row)  # a part of itself
    assert_same_bits(row.asnumpy(), want)


def test_gradient():
    program = "broadcast_mul(x0, x1); tanh(t0); elemwise_mul(t1, x0); Activation(t2, act_type=relu) -> t1, t3"
    x, b = nd.random.normal(shape=(4, 3)), nd.random.normal(shape=(3,))
    grads = []
    for fused in (True, False):
        x.attach_grad()
        b.attach_grad()
        with autograd.record():
            if fused:
                first, second = nd._internal._fused_pointwise(x, b, program=program)
            else:
                first = nd.tanh(nd.broadcast_mul(x, b))
                second = nd.Activation(first * x, act_type="relu")
            loss = (first * 2 + second * second).sum()
            dx, = autograd.grad(loss, [x], create_graph=True)
            (dx * dx).sum().backward()
        grads.append((dx.asnumpy(), x.grad.asnumpy(), b.grad.asnumpy()))
    for have, want in zip(*grads):
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-6)


def test_empty_and_scalar_arrays():
    run = nd._internal._fused_pointwise
    program = "broadcast_add(x0, x1); exp(t0) -> t0, t1"
    with mx.util.np_shape(True):
        first, second = run(nd.ones((0, 3)), nd.ones((3,)), program=program)
        assert first.shape == second.shape == (0, 3)
        first, second = run(nd.ones(()), nd.ones(()), program=program)
        assert second.shape == () and first.asscalar() == 2


def test_threads_give_equal_numbers():
    x = nd.random.uniform(-3e5, 3e5, shape=(1 << 18,))  # beyond the reach of the float formulas here and there
    want = (nd.sin(x) * 2).asnumpy()
    have = nd._internal._fused_pointwise(x, program="sin(x0); _mul_scalar(t0, scalar=2.0) -> t1").asnumpy()
    assert_same_bits(have, want)
    assert_same_bits(np.concatenate([(nd.sin(x[i:i + 1000]) * 2).asnumpy() for i in range(0, 5000, 1000)]), want[:5000])


def test_sums_over_steps_hold_no_summands():
    class Steps(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            total = F.dot(x, x)
            for k in range(12):
                total = F.tanh(total + F.dot(x * k, x)) * 0.5
            return total * 2

    def temporary_bytes(on):
        net = Steps()
        with passes.switched(pointwise=on):
            net.hybridize()
            net(nd.ones((64, 64)))
            return net._cached_op.report()["temporary_bytes"]
    assert temporary_bytes(True) <= temporary_bytes(False)


def test_several_outputs_work_in_place():
    class Pair(gluon.HybridBlock):
        def hybrid_forward(self, F, x, w):
            a, b = F.dot(x, w), F.dot(w, x)
            c = F.tanh(a) + b
            return F.dot(c, F.relu(c) * b)  # one group gives two arrays

    x, w = nd.random.normal(shape=(64, 64)), nd.random.normal(shape=(64, 64))
    net = Pair()
    want = net(x, w).asnumpy()
    net.hybridize()
    np.testing.assert_allclose(net(x, w).asnumpy(), want, rtol=1e-5)
    report = net._cached_op.report()
    assert report["temporary_bytes"] == 2 * x.size * 4 < report["unshared_bytes"]


def test_random_numbers_are_drawn_in_the_order_of_the_graph():
    """Though a group of operators reads them in another."""
    x = mx.sym.var("x")
    first, second = (mx.sym.random.uniform(shape=(4, 4), name=name) for name in ("first", "second"))
    product = second * mx.sym.sigmoid(x)
    executor = mx.sym.Group([first * product, mx.sym.dot(product, x)]).simple_bind(mx.cpu(), x=(4, 4))
    executor.arg_dict["x"][:] = 1
    mx.random.seed(1)
    one, two = mx.nd.random.uniform(shape=(4, 4)), mx.nd.random.uniform(shape=(4, 4))
    want = two * mx.nd.sigmoid(mx.nd.ones((4, 4)))
    mx.random.seed(1)
    have = executor.forward()
    np.testing.assert_allclose(have[0].asnumpy(), (one * want).asnumpy(), rtol=1e-6)
    np.testing.assert_allclose(have[1].asnumpy(), mx.nd.dot(want, mx.nd.ones((4, 4))).asnumpy(), rtol=1e-5)

"""Compiled blocks: the same numbers as block by block, files, deferred shapes, threads."""
import threading

import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


def lenet():
    net = nn.HybridSequential(prefix="lenet_")
    with net.name_scope():
        net.add(nn.Conv2D(6, 3, activation="relu"), nn.BatchNorm(), nn.MaxPool2D(), nn.Flatten(),
                nn.Dense(16, activation="tanh"), nn.Dropout(0.0), nn.Dense(4))
    net.initialize(mx.init.Xavier())
    return net


def step(net, x):
    with autograd.record():
        loss = (net(x) ** 2).sum()
    loss.backward()
    return [loss.asnumpy(), *(p.grad().asnumpy() for p in net.collect_params().values() if p.grad_req != "null"),
            *(p.data().asnumpy() for p in net.collect_params().values() if p.grad_req == "null")]


def test_same_numbers_and_gradients(tmp_path):
    x = nd.random.uniform(shape=(4, 3, 8, 8))
    net = lenet()
    net(x)
    net.save_parameters(str(tmp_path / "net.params"))
    want = step(net, x)
    for flags in ({}, {"static_alloc": True, "static_shape": True}, {"inline_limit": 0, "forward_bulk_size": 4}):
        net.load_parameters(str(tmp_path / "net.params"))
        net.hybridize(**flags)
        for h, w in zip(step(net, x), want):
            np.testing.assert_allclose(h, w, rtol=1e-5, atol=1e-6)
    assert net._active and net._cached_graph


def test_deferred_shapes_are_inferred_through_the_graph():
    net = lenet()
    net.hybridize()
    assert net(nd.ones((2, 5, 8, 8))).shape == (2, 4)
    assert net[0].weight.shape == (6, 5, 3, 3)
    assert net(nd.ones((7, 5, 8, 8))).shape == (7, 4)


def test_nested_inputs_and_none():
    class Nested(gluon.HybridBlock):
        def hybrid_forward(self, F, x, states=None):
            return [x + 1, [x * 2, x if states is None else states[0]]]
    net = Nested()
    net.hybridize()
    x = nd.ones((2,))
    for args in ((x,), (x, [x * 3]), (x, None), (x,)):
        first, (second, third) = net(*args)
        assert first.asnumpy()[0] == 2 and second.asnumpy()[0] == 2
        assert third.asnumpy()[0] == (3 if len(args) > 1 and args[1] else 1)


def test_symbols_in_symbols_out():
    out = lenet()(mx.sym.var("image"))
    assert out.list_arguments()[:2] == ["image", "lenet_conv0_weight"]
    assert out.list_outputs() == ["lenet_dense1_fwd_output"]
    assert out.list_auxiliary_states() == ["lenet_batchnorm0_running_mean", "lenet_batchnorm0_running_var"]


def test_export_and_import(tmp_path):
    net, x = lenet(), nd.random.uniform(shape=(2, 3, 8, 8))
    with pytest.raises(RuntimeError, match="hybridize"):
        net.export(str(tmp_path / "net"))
    net.hybridize()
    want = net(x).asnumpy()
    files = net.export(str(tmp_path / "net"), epoch=3)
    assert [f.split("/")[-1] for f in files] == ["net-symbol.json", "net-0003.params"]
    again = gluon.SymbolBlock.imports(files[0], ["data"], files[1])
    np.testing.assert_allclose(again(x).asnumpy(), want, rtol=1e-5)
    assert set(again.collect_params()) == set(net.collect_params())
    again.hybridize()
    np.testing.assert_array_equal(again(x).asnumpy(), want)
    other = lenet()
    other.load_parameters(files[1])
    np.testing.assert_allclose(other(x).asnumpy(), want, rtol=1e-5)
    with pytest.raises(AssertionError, match="missing"):
        gluon.SymbolBlock.imports(files[0], ["data0"], files[1])


def test_symbol_block_learns():
    data = mx.sym.var("data")
    hidden = mx.sym.FullyConnected(data, num_hidden=3, name="fc")
    net = gluon.SymbolBlock([mx.sym.relu(hidden), hidden], [data])
    net.initialize()
    net.collect_params().setattr("grad_req", "add")
    x = nd.random.uniform(shape=(2, 4))
    with autograd.record():
        active, plain = net(x)
        total = active.sum() + plain.sum()
    total.backward()
    assert net.params["fc_weight"].grad().asnumpy().any()
    outer = nn.HybridSequential()
    outer.add(gluon.SymbolBlock(hidden, data), nn.Dense(2))
    outer.initialize()
    outer.hybridize()
    assert outer(x).shape == (2, 2)


class ByShape(gluon.HybridBlock):
    """Python code that looks at shapes and dtypes, of what a child with parameters has made too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.child = nn.Dense(3, flatten=False)
        self.calls = 0

    def hybrid_forward(self, F, x):
        self.calls += 1
        h = self.child(x)
        if x.ndim == 2 and h.dtype == np.float32:
            h = h * x.size
        return h.reshape((h.shape[-1], -1)) + x.shape[0]


def test_python_that_looks_at_shapes_is_traced_for_each():
    net = ByShape()
    net.initialize()
    inputs = [nd.random.uniform(shape=shape) for shape in [(2, 4), (5, 4), (2, 3, 4)]]
    want = [net(x).asnumpy() for x in inputs]
    net.hybridize()
    net.calls = 0
    for _ in range(2):
        for x, y in zip(inputs, want):
            np.testing.assert_allclose(net(x).asnumpy(), y, rtol=1e-6)
    assert net.calls == 3 and net._cached_op.report()["steps"] > 0
    with pytest.raises(AttributeError, match="shape"):
        print(mx.sym.var("x").shape)
    assert not hasattr(mx.sym.var("x"), "dtype")


def test_compiled_shapes_are_forgotten_at_last():
    net = ByShape()
    net.initialize()
    net.hybridize()
    for n in range(1, 80):
        assert net(nd.ones((n, 4))).shape == (3, n)
    assert len(net._graphs) <= 64


def test_python_that_needs_arrays_runs_anyway():
    class ByContents(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return x.reshape((x.shape[1], x.shape[0])) * float(x.asnumpy()[0, 0])
    net = ByContents()
    net.hybridize()
    with pytest.warns(UserWarning, match="operator by operator"):
        assert net(nd.ones((2, 3))).shape == (3, 2)
    assert net(nd.ones((4, 5))).shape == (5, 4)


def test_plain_forward_with_compiled_children():
    class Plain(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            with self.name_scope():
                self.child = nn.Dense(3)

        def forward(self, x):
            return self.child(x) * float(x.max().asscalar())
    net = Plain()
    net.initialize()
    net.hybridize()
    for _ in range(2):  # the first call is watched
        assert net(nd.ones((2, 4))).shape == (2, 3)
    assert net.child._cached_graph and not net._cached_graph


def test_second_derivatives_through_a_compiled_block():
    class Cube(gluon.HybridBlock):
        def hybrid_forward(self, F, x):
            return x * x * x
    net, x = Cube(), nd.array([2.0])
    net.hybridize()
    x.attach_grad()
    with autograd.record():
        y = net(x)
        dx, = autograd.grad(y, [x], create_graph=True)
    dx.backward()
    assert x.grad.asscalar() == 12


def test_dropout_follows_the_state_and_the_seed():
    net, x = nn.Dropout(0.5), nd.ones((100,))
    net.hybridize()
    assert (net(x).asnumpy() == 1).all()
    mx.random.seed(3)
    with autograd.record():
        first = net(x).asnumpy()
    mx.random.seed(3)
    net.hybridize(False)
    with autograd.record():
        np.testing.assert_array_equal(net(x).asnumpy(), first)
    assert (first == 0).any()


def run_eagerly(block, x, training):
    with autograd.record(train_mode=training):
        return block(x)


def run_hybridized(block, x, training):
    block.hybridize()
    return run_eagerly(block, x, training)


def run_executor(block, x, training):
    executor = block(mx.sym.var("data")).bind(mx.cpu(), {"data": x})
    return executor.forward(is_train=training)[0]


class Rectified(gluon.HybridBlock):
    def __init__(self, act_type):
        super().__init__()
        self.act_type = act_type

    def hybrid_forward(self, F, x):
        y = F.LeakyReLU(x, act_type=self.act_type)
        return y[0] if self.act_type == "rrelu" else y


@pytest.mark.parametrize("run", [run_eagerly, run_hybridized, run_executor])
@pytest.mark.parametrize("make, draws", [
    (lambda: nn.Dropout(0.5), True), (lambda: nn.Dropout(0.0), False), (lambda: Rectified("rrelu"), True),
    (lambda: Rectified("gelu"), False), (lambda: Rectified("leaky"), False)])
def test_only_what_draws_moves_the_random_numbers(run, make, draws):
    block, x = make(), nd.ones((3, 4))
    state = mx.random.get_state()
    want = nd.random.uniform(shape=5).asnumpy()
    for training in (False, True):
        mx.random.set_state(state)
        run(block, x, training).wait_to_read()
        moved = (nd.random.uniform(shape=5).asnumpy() != want).any()
        assert moved == (training and draws)


def test_dropout_that_is_always_on_draws_in_prediction():
    state = mx.random.get_state()
    first = nd.Dropout(nd.ones((50,)), p=0.5, mode="always").asnumpy()
    assert (nd.Dropout(nd.ones((50,)), p=0.5, mode="always").asnumpy() != first).any()
    mx.random.set_state(state)
    np.testing.assert_array_equal(nd.Dropout(nd.ones((50,)), p=0.5, mode="always").asnumpy(), first)


@pytest.mark.parametrize("dropout, layers, draws", [(0.5, 2, True), (0.5, 1, False), (0.0, 2, False)])
def test_recurrent_layers_draw_between_layers_in_training(dropout, layers, draws):
    layer = gluon.rnn.LSTM(3, layers, dropout=dropout, input_size=2)
    layer.initialize()
    x = nd.ones((4, 2, 2))
    layer(x).wait_to_read()
    state = mx.random.get_state()
    want = nd.random.uniform(shape=5).asnumpy()
    for training in (False, True):
        mx.random.set_state(state)
        run_eagerly(layer, x, training).wait_to_read()
        assert (nd.random.uniform(shape=5).asnumpy() != want).any() == (training and draws)


def test_op_hook():
    net, seen = lenet(), []
    net.hybridize()
    net.register_op_hook(lambda name, op, array: seen.append((mx.base.py_str(name), mx.base.py_str(op), array.shape)))
    net(nd.ones((1, 3, 8, 8)))
    assert ("lenet_dense1_fwd_output", "FullyConnected", (1, 4)) in seen


def test_errors_name_the_node():
    net = lenet()
    net.hybridize()
    net(nd.ones((1, 3, 8, 8)))
    with pytest.raises(mx.MXNetError, match=r"Convolution: .*\[node 'lenet_conv0_fwd' of lenet\.0 \(Conv2D "):
        net(nd.ones((1, 4, 8, 8)))


def test_cast_and_change_of_children():
    net, x = lenet(), nd.ones((1, 3, 8, 8))
    net.hybridize()
    net(x)
    net.cast("float64")
    assert net(x.astype("float64")).dtype == np.float64
    net.add(nn.Dense(9, dtype="float64"))
    net[-1].initialize()
    assert net(x.astype("float64")).shape == (1, 9)


def test_many_threads_on_shared_weights():
    net, inputs = lenet(), [nd.random.uniform(shape=(2, 3, 8, 8)) for _ in range(8)]
    net.hybridize()
    want = [net(x).asnumpy() for x in inputs]
    wrong = []

    def work(x, w):
        for _ in range(50):
            if not np.array_equal(net(x).asnumpy(), w):
                wrong.append(1)
    threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs, want)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_optimize_for():
    net, x = lenet(), nd.ones((1, 3, 8, 8))
    net.optimize_for(x, backend="MKLDNN")
    assert net._active and net(x).shape == (1, 4)


def test_plain_forward_inside_a_compiled_parent():
    """It is traced with the parent where it works on symbols too; otherwise all runs operator by operator."""
    class Child(gluon.HybridBlock):
        def __init__(self, function, **kwargs):
            super().__init__(**kwargs)
            self.function, self.calls = function, 0

        def forward(self, x):
            self.calls += 1
            return self.function(x)

    class Parent(gluon.HybridBlock):
        def __init__(self, child, **kwargs):
            super().__init__(**kwargs)
            self.child = child

        def hybrid_forward(self, F, x):
            return self.child(x) + 1

    net = Parent(Child(lambda x: x * 2))
    net.hybridize()
    assert [net(nd.ones((2,))).asnumpy().tolist() for _ in range(3)] == [[3, 3]] * 3
    assert net.child.calls == 1 and net._cached_graph
    net = Parent(Child(nd.relu))
    net.hybridize()
    with pytest.warns(UserWarning, match="runs operator by operator"):
        assert net(nd.ones((2,))).asnumpy().tolist() == [2, 2]
    alone = Child(lambda x: x * 2)
    alone.hybridize()
    assert [alone(nd.ones((2,))).asnumpy().tolist() for _ in range(3)] == [[2, 2]] * 3
    assert alone.calls == 3 and not alone._cached_graph
    with pytest.raises(RuntimeError, match="hybridize"):
        alone.export("nothing")


class Plain(gluon.HybridBlock):
    """A plain forward with children, a parameter of its own, an array, parts of arrays and a branch on a shape."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.body = nn.HybridSequential()
            self.body.add(nn.Dense(6, activation="tanh"), nn.BatchNorm(), nn.Dropout(0.5))
            self.scale = self.params.get("scale", shape=(6,), init="ones")
        self.offset = nd.arange(6)
        self.factor = 2.0
        self.calls = 0

    def count(self):
        object.__setattr__(self, "calls", self.calls + 1)

    def forward(self, x):
        self.count()
        h = self.body(x) * self.scale.data() + self.offset
        rest = [h[i] * self.factor for i in range(len(h))]
        h = nd.stack(*rest)
        if x.shape[0] > 2:
            h = h[:, 1:5]
        return h, [h[0].reshape((-1, 1)), nd.zeros((2,)) + h.sum()]


def run_plain(hybrid, change=None, calls=5):
    mx.random.seed(1)
    net = Plain()
    net.initialize()
    net(nd.ones((3, 4)))
    net.calls = 0
    if hybrid:
        net.hybridize()
    results = []
    for i in range(calls):
        mx.random.seed(i)  # compiled inference leaves out the dropout, and draws nothing for it
        x = nd.array(np.random.RandomState(i).rand(3, 4))
        x.attach_grad()
        with autograd.record():
            first, (second, third) = net(x)
            loss = (first ** 2).sum() + second.sum() * third.sum()
        loss.backward()
        results += [first, second, third, x.grad, *(p.grad() for p in net.collect_params().values()
                                                   if p.grad_req != "null"), net(x)[0]]
        if change and i == calls - 2:
            change(net)
    results += [p.data() for p in net.collect_params().values()]
    return net, [r.asnumpy() for r in results]


def test_plain_forward_is_compiled_when_two_calls_agree():
    (plain, want), (net, have) = run_plain(False), run_plain(True)
    for w, h in zip(want, have, strict=True):
        np.testing.assert_array_equal(h, w)
    assert plain.calls == 10 and net.calls == 4  # two each in training and inference


def test_attributes_of_a_compiled_plain_forward_may_change():
    def change(net):
        net.factor = 3.0
        net.offset = nd.ones((6,))
    for w, h in zip(run_plain(False, change)[1], run_plain(True, change)[1], strict=True):
        np.testing.assert_array_equal(h, w)

    def in_place(net):
        net.offset[:] = 7
        net.scale.set_data(nd.ones((6,)) * 2)
    net, have = run_plain(True, in_place)
    for w, h in zip(run_plain(False, in_place)[1], have, strict=True):
        np.testing.assert_array_equal(h, w)
    assert net.calls == 4


def by_contents(net, x):
    return x * 2 if x.sum().asscalar() > 0 else x - 1


def by_buffer(net, x):
    buffer = nd.zeros(x.shape)
    buffer[:] = x * 2
    return buffer + 1


def by_view(net, x):
    y = x + 0
    y[0][:] = 5
    return y * 2


def by_numpy(net, x):
    return nd.array(x.asnumpy() + 1) * x


def by_chance(net, x):
    return x * float(np.random.rand())


def by_pause(net, x):
    with autograd.pause():
        y = x * 2
    return y + x


def by_new_array(net, x):
    return x + nd.array([float(net.steps.pop())])


def in_place(net, x):
    y = x * 1
    y += x
    return y * y


@pytest.mark.parametrize("forward", [by_contents, by_buffer, by_view, by_numpy, by_chance, by_pause, by_new_array,
                                     in_place])
def test_plain_forward_that_is_no_function_of_its_arrays(forward):
    class Net(gluon.HybridBlock):
        def forward(self, x):
            return forward(self, x)

    results = []
    for hybrid in (False, True):
        net = Net()
        net.steps = list(range(9))
        net.initialize()
        if hybrid:
            net.hybridize()
        np.random.seed(4)
        outputs = []
        for i in range(8):
            x = nd.ones((2, 3)) * (1 if i % 4 < 2 else -1) * (i + 1)
            x.attach_grad()
            with autograd.record(train_mode=i % 2 == 0):
                y = net(x)
            y.backward()
            outputs += [y.asnumpy(), x.grad.asnumpy()]
        results.append(outputs)
    np.testing.assert_array_equal(results[1], results[0])

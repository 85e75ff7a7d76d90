"""Blocks: structure, deferred shapes, files, hooks and errors."""
import copy
import pickle
import warnings

import numpy as np
import pytest

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn


def two_layers(**kwargs):
    net = nn.HybridSequential(**kwargs)
    with net.name_scope():
        net.add(nn.Dense(4, activation="relu"), nn.Dense(2))
    return net


def test_shapes_are_found_at_the_first_batch():
    net = two_layers()
    net.initialize()
    assert net[0].weight.shape == (4, 0)
    assert net(mx.nd.ones((3, 5))).shape == (3, 2)
    assert net[0].weight.shape == (4, 5)
    assert net[1].weight.shape == (2, 4)


def test_gradients_flow_through_the_first_deferred_call():
    layer = nn.Dense(1, use_bias=False, weight_initializer="ones")
    layer.initialize()
    x = mx.nd.array([[1.0, 2.0]])
    with mx.autograd.record():
        y = layer(x)
    y.backward()
    assert y.asscalar() == 3.0
    assert layer.weight.grad().asnumpy().tolist() == [[1.0, 2.0]]


def test_hybrid_forward_with_parameters_of_its_own():
    class Scale(gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.factor = self.params.get("factor", shape=(0,), init="ones", allow_deferred_init=True)
            self.fixed = self.params.get_constant("fixed", [2.0])

        def hybrid_forward(self, F, x, factor, fixed):
            assert F is mx.nd
            return F.LayerNorm(x, factor, F.zeros_like(F.slice_axis(x, axis=0, begin=0, end=1)).reshape((-1,))) + fixed
    net = Scale()
    net.initialize()
    assert net(mx.nd.ones((2, 3))).asnumpy().tolist() == [[2.0] * 3] * 2
    assert net.factor.shape == (3,)


def test_plain_forward_infers_shapes_itself():
    class Linear(gluon.HybridBlock):
        def __init__(self, units):
            super().__init__()
            self.weight = self.params.get("weight", shape=(units, 0), allow_deferred_init=True)

        def infer_shape(self, x):
            self.weight.shape = (self.weight.shape[0], x.shape[1])

        def forward(self, x):
            return mx.nd.dot(x, self.weight.data().T)

    class Forgetful(Linear):
        infer_shape = gluon.HybridBlock.infer_shape
    net = Linear(3)
    net.initialize()
    assert net(mx.nd.ones((2, 5))).shape == (2, 3)
    net = Forgetful(3)
    net.initialize()
    with pytest.raises(NotImplementedError, match="must override infer_shape"):
        net(mx.nd.ones((2, 5)))


def test_shapes_that_cannot_be_inferred():
    class Odd(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get("weight", shape=(2, 0), allow_deferred_init=True)

        def hybrid_forward(self, F, x, weight):
            return F.dot(x, weight.T)
    net = Odd()
    net.initialize()
    with pytest.raises(mx.MXNetError, match=r"Odd: the shapes of odd\d+_weight cannot be inferred .* give them full"):
        net(mx.nd.ones((1, 3)))
    net.weight.shape = (2, 3)
    assert net(mx.nd.ones((1, 3))).shape == (1, 2)


def test_builtin_layer_with_its_forward_replaced():
    class Doubled(nn.Dense):
        def forward(self, x):
            return mx.nd.FullyConnected(x, self.weight.data(), self.bias.data(), num_hidden=3) * 2
    net = Doubled(3, weight_initializer="ones")
    net.initialize()
    assert net(mx.nd.ones((1, 4))).asnumpy().tolist() == [[8.0] * 3]


def test_hybridize_does_not_change_results():
    net = two_layers()
    net.initialize()
    x = mx.nd.ones((3, 5))
    before = net(x).asnumpy()
    net.hybridize()
    assert net._active and net[0]._active
    with mx.sym.passes.switched(dense=False):
        assert (net(x).asnumpy() == before).all()
    net.hybridize()  # compiled anew: packed weights are summed in another order
    np.testing.assert_allclose(net(x).asnumpy(), before, rtol=1e-6, atol=1e-7)
    net.hybridize(False)
    assert not net[0]._active


def test_infer_shape_of_a_network():
    net = two_layers()
    net.initialize()
    net.infer_shape(mx.nd.ones((3, 5)))
    assert net[0].weight.data().shape == (4, 5)


def test_uninitialized_network_says_so():
    with pytest.raises(RuntimeError, match=r"has not been initialized: call initialize\(\)"):
        nn.Dense(2)(mx.nd.ones((1, 2)))


def test_wrong_inputs():
    net = nn.Dense(2)
    net.initialize()
    net(mx.nd.ones((1, 3)))
    with pytest.raises(mx.MXNetError, match="FullyConnected"):
        net(mx.nd.ones((1, 4)))
    with pytest.raises(ValueError, match="expected an NDArray among the inputs, got ndarray"):
        net(np.ones((1, 3)))


def test_attributes_keep_their_kind():
    net = gluon.Block()
    net.layer = nn.Dense(2)
    with pytest.raises(TypeError, match="cannot become a int"):
        net.layer = 3
    net.weight = gluon.Parameter("weight", shape=(2,))
    with pytest.raises(AssertionError, match="is a parameter already"):
        net.weight = gluon.Parameter("other", shape=(2,))
    net.layer = nn.Dense(5)
    assert list(net._children) == ["layer"]
    assert net._children["layer"] is net.layer


def test_children_of_hybrid_blocks_are_hybrid():
    with pytest.raises(ValueError, match="children of a HybridBlock must be HybridBlocks too"):
        nn.HybridSequential().add(nn.Lambda("tanh"))


def test_forward_must_be_overridden():
    with pytest.raises(NotImplementedError, match="Block must override forward"):
        gluon.Block()(1)
    with pytest.raises(NotImplementedError, match="HybridBlock must override hybrid_forward"):
        gluon.HybridBlock()(mx.nd.ones((1,)))


def test_containers():
    net = nn.Sequential()
    net.add(nn.Dense(2), nn.Dense(3), nn.Dense(4))
    assert len(net) == 3
    assert [layer._units for layer in net] == [2, 3, 4]
    part = net[1:]
    assert type(part) is nn.Sequential
    assert part[0] is net[1] and net[-1]._units == 4
    with pytest.raises(IndexError):
        net[3]


def test_shared_parameters():
    first = nn.Dense(2, in_units=3)
    second = nn.Dense(2, in_units=3, params=first.params)
    first.initialize()
    assert second.weight is first.weight
    x = mx.nd.ones((1, 3))
    assert (first(x).asnumpy() == second(x).asnumpy()).all()


def test_hooks():
    net, seen = nn.Dense(2, in_units=3), []
    net.initialize()
    before = net.register_forward_pre_hook(lambda block, inputs: seen.append(("before", block, inputs[0].shape)))
    after = net.register_forward_hook(lambda block, inputs, out: seen.append(("after", block, out.shape)))
    net(mx.nd.ones((1, 3)))
    assert seen == [("before", net, (1, 3)), ("after", net, (1, 2))]
    before.detach()
    with after:
        pass
    net(mx.nd.ones((1, 3)))
    assert len(seen) == 2


def test_apply_and_cast():
    net, names = two_layers(), []
    net.apply(lambda block: names.append(type(block).__name__))
    assert names == ["Activation", "Dense", "Dense", "HybridSequential"]
    net.initialize()
    net.cast("float16")
    assert net(mx.nd.ones((1, 3), dtype="float16")).dtype == np.float16
    assert net[0].weight.data().dtype == np.float16


def test_summary(capsys):
    net = two_layers()
    net.initialize()
    net.summary(mx.nd.ones((3, 5)))
    text = capsys.readouterr().out
    assert "Dense-2" in text and "(3, 4)" in text and "Total params: 34" in text
    net.hybridize()
    with pytest.raises(AssertionError, match="hybridized"):
        net.summary(mx.nd.ones((3, 5)))


def same_parameters(a, b):
    a, b = a._collect_params_with_prefix(), b._collect_params_with_prefix()
    return a.keys() == b.keys() and all((a[k].data().asnumpy() == b[k].data().asnumpy()).all() for k in a)


def started():
    net = two_layers()
    net.initialize(mx.init.Normal(1))
    net(mx.nd.ones((1, 3)))
    return net


def test_parameter_files(tmp_path):
    net, path = started(), str(tmp_path / "net.params")
    net.save_parameters(path)
    assert sorted(mx.nd.load(path)) == ["0.bias", "0.weight", "1.bias", "1.weight"]
    other = two_layers()
    other.load_parameters(path)
    assert same_parameters(net, other)
    other = two_layers()
    other.initialize()
    other.load_parameters(path, ctx=mx.cpu())
    assert same_parameters(net, other)


@pytest.mark.parametrize("kind", ["names", "stripped", "exported"])
def test_older_parameter_files(tmp_path, kind):
    net, path = started(), str(tmp_path / "net.params")
    if kind == "exported":
        arrays = {f"arg:{name}": param.data() for name, param in net.collect_params().items()}
        mx.nd.save(path, arrays)
    else:
        net.collect_params().save(path, strip_prefix=net.prefix if kind == "stripped" else "")
    other = two_layers(prefix=net.prefix)
    other.load_parameters(path)
    assert same_parameters(net, other)
    other = two_layers(prefix=net.prefix)
    if kind == "stripped":
        other.collect_params().load(path, restore_prefix=net.prefix)
    else:
        other.collect_params().load(path)
    assert same_parameters(net, other)


def test_shared_parameters_are_saved_once(tmp_path):
    class Twins(gluon.Block):
        def __init__(self):
            super().__init__()
            self.a = nn.Dense(2, in_units=2)
            self.b = nn.Dense(2, in_units=2, params=self.a.params)
    net, path = Twins(), str(tmp_path / "net.params")
    net.initialize(mx.init.Normal(1))
    net.save_parameters(path, deduplicate=True)
    assert sorted(mx.nd.load(path)) == ["b.bias", "b.weight"]
    other = Twins()
    other.load_parameters(path)
    assert same_parameters(net, other)


def test_parameter_files_that_do_not_fit(tmp_path):
    net, path = started(), str(tmp_path / "net.params")
    net.save_parameters(path)
    larger = two_layers()
    larger.add(nn.Dense(2))
    with pytest.raises(AssertionError, match=r"missing in file .*: '2.weight', '2.bias'.*allow_missing=True"):
        larger.load_parameters(path)
    larger.load_parameters(path, allow_missing=True)
    smaller = nn.HybridSequential()
    smaller.add(nn.Dense(4))
    with pytest.raises(AssertionError, match=r"not in the network: '1.weight', '1.bias'.*ignore_extra=True"):
        smaller.load_parameters(path)
    smaller.load_parameters(path, ignore_extra=True)
    wrong = nn.HybridSequential()
    wrong.add(nn.Dense(4), nn.Dense(3))
    with pytest.raises(AssertionError, match=r"shape \(3, 0\), but the saved array has shape \(2, 4\)"):
        wrong.load_parameters(path)


def test_near_names_are_shown(tmp_path):
    path = str(tmp_path / "net.params")
    mx.nd.save(path, {"hidden.weigth": mx.nd.ones((2, 2))})
    net = gluon.Block()
    net.hidden = nn.Dense(2, use_bias=False)
    with pytest.raises(AssertionError, match="near names: 'hidden.weight' and 'hidden.weigth'"):
        net.load_parameters(path)


def test_types_of_parameter_files(tmp_path):
    net, path = started(), str(tmp_path / "net.params")
    net.save_parameters(path)
    half = two_layers()
    half.cast("float16")
    with pytest.raises(AssertionError, match="dtype float16, but the saved array has dtype float32"):
        half.load_parameters(path)
    half.load_parameters(path, cast_dtype=True)
    assert half[0].weight.data().dtype == np.float16
    half.load_parameters(path, cast_dtype=True, dtype_source="saved")
    assert half[0].weight.data().dtype == np.float32
    with pytest.raises(AssertionError, match="dtype_source must be"):
        half.load_parameters(path, cast_dtype=True, dtype_source="other")


@pytest.mark.parametrize("damage", ["empty", "cut", "noise"])
def test_damaged_parameter_files(tmp_path, damage):
    net, path = started(), tmp_path / "net.params"
    net.save_parameters(str(path))
    content = path.read_bytes()
    path.write_bytes({"empty": b"", "cut": content[:len(content) // 2], "noise": b"no parameters" * 20}[damage])
    with pytest.raises(mx.MXNetError) as caught:
        net.load_parameters(str(path))
    assert len(str(caught.value).strip().splitlines()) == 1


def test_missing_parameter_file(tmp_path):
    with pytest.raises((mx.MXNetError, OSError)):
        started().load_parameters(str(tmp_path / "nothing.params"))


def test_save_and_load_the_whole_block(tmp_path):
    net, prefix = started(), str(tmp_path / "net")
    net.save(prefix)
    other = two_layers()
    other.load(prefix)
    assert same_parameters(net, other)
    with pytest.raises(ValueError, match="does not describe a Dense"):
        nn.Dense(2).load(prefix)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_networks_of_their_own(duplicate):
    net, x = started(), mx.nd.ones((1, 3))
    before = net(x).asnumpy()
    other = duplicate(net)
    assert same_parameters(net, other)
    trainer = gluon.Trainer(other.collect_params(), "adam", {"learning_rate": 0.1})
    with mx.autograd.record():
        loss = ((other(x) - 1) ** 2).sum()
    loss.backward()
    trainer.step(1)
    assert (net(x).asnumpy() == before).all()
    assert (other(x).asnumpy() != before).any()


def test_several_contexts():
    net = two_layers()
    contexts = [mx.cpu(0), mx.cpu(1)]
    net.initialize(ctx=contexts)
    x = mx.nd.ones((2, 3))
    outs = [net(part) for part in gluon.utils.split_and_load(x, contexts)]
    assert [out.context for out in outs] == contexts
    assert (outs[0].asnumpy() == outs[1].asnumpy()).all()
    with pytest.raises(RuntimeError, match=r"is not on context cpu\(2\); it was initialized on \[cpu\(0\), cpu\(1\)\]"):
        net(mx.nd.ones((1, 3), ctx=mx.cpu(2)))


def test_blocks_in_lists_are_not_found():
    class Lost(gluon.Block):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Dense(2), {"a": nn.Dense(2)}]
    with pytest.warns(UserWarning, match="Lost.layers holds Dense blocks in a list"):
        Lost().collect_params()

    class Found(gluon.Block):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Dense(2)]
            self.register_child(self.layers[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(Found().collect_params().keys()) == 2


def test_no_block_holds_itself():
    net, inner = nn.HybridSequential(prefix="net_"), nn.HybridSequential()
    inner.add(net)
    for block in (net, inner):
        with pytest.raises(ValueError, match="HybridSequential 'net' cannot be added to itself"):
            net.add(block)
    assert len(net) == 0


def test_all_or_no_parameters_are_loaded(tmp_path):
    path = str(tmp_path / "net.params")
    nets = []
    for units in (2, 3):
        net = nn.HybridSequential()
        net.add(nn.Dense(2, in_units=2), nn.Dense(units, in_units=2))
        net.initialize()
        nets.append(net)
    nets[0].save_parameters(path)
    before = nets[1][0].weight.data().asnumpy()
    with pytest.raises(AssertionError, match=r"has shape \(3, 2\), but the saved array has shape \(2, 2\)"):
        nets[1].load_parameters(path)
    assert (nets[1][0].weight.data().asnumpy() == before).all()


def test_a_forward_that_infers_the_shapes_of_its_parameters_itself():
    class Scale(gluon.HybridBlock):
        def __init__(self):
            super().__init__()
            self.weight = self.params.get("weight", shape=(0, 3), allow_deferred_init=True, init="ones")

        def forward(self, x):
            try:
                weight = self.weight.data()
            except gluon.parameter.DeferredInitializationError:
                self._deferred_infer_shape(x)
                self.weight._finish_deferred_init()
                weight = self.weight.data()
            return self.hybrid_forward(mx.nd, x, weight=weight)

        def hybrid_forward(self, F, x, weight):
            return F.FullyConnected(x, F.transpose(weight), no_bias=True, num_hidden=3)

    net = Scale()
    net.initialize()
    assert net(mx.nd.ones((2, 5))).shape == (2, 3) and net.weight.shape == (5, 3)

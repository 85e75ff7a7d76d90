"""Symbols: composition, names, attributes, inference."""
import copy
import pickle

import numpy as np
import pytest

import mxnet as mx


def fully_connected(**kwargs):
    return mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=10, name="fc", **kwargs)


def test_names_of_inputs_and_outputs():
    net = mx.sym.BatchNorm(fully_connected(), name="bn")
    assert net.list_arguments() == ["data", "fc_weight", "fc_bias", "bn_gamma", "bn_beta"]
    assert net.list_auxiliary_states() == ["bn_moving_mean", "bn_moving_var"]
    assert net.list_outputs() == ["bn_output"]
    assert fully_connected(no_bias=True).list_arguments() == ["data", "fc_weight"]
    with mx.name.NameManager():
        assert mx.sym.Activation(net, act_type="relu").name == "activation0"
        assert (net + net).name == "_plus0"
        assert (net * 2).name == "_mulscalar0"
        assert mx.sym.split(net, 2).list_outputs() == ["split0_output0", "split0_output1"]
    with mx.name.Prefix("stage_"):
        assert mx.sym.relu(net, name="r").name == "stage_r"
    assert mx.sym.Concat(num_args=2, name="c").list_arguments() == ["c_arg0", "c_arg1"]


def test_names_lack_the_module():
    x = mx.sym.var("data")
    with mx.name.NameManager():
        made = [mx.sym.linalg.potrf(x), mx.sym.contrib.div_sqrt_dim(x), mx.sym.image.to_tensor(x),
                mx.sym.linalg_potrf(x)]
        pooled = mx.sym.ROIPooling(x, mx.sym.var("rois"), pooled_size=(2, 2), spatial_scale=1)
    assert [y.name for y in made] == ["potrf0", "div_sqrt_dim0", "to_tensor0", "linalg_potrf0"]
    assert pooled.list_outputs() == ["roipooling0_output"]


def test_inputs_by_name_and_missing_ones():
    w = mx.sym.var("w")
    net = mx.sym.FullyConnected(data=mx.sym.var("x"), weight=w, num_hidden=3, name="fc")
    assert net.list_arguments() == ["x", "w", "fc_bias"]
    assert mx.sym.LeakyReLU(w, act_type="prelu", name="p").list_arguments() == ["w", "p_gamma"]
    assert mx.sym.LeakyReLU(w, name="p").list_arguments() == ["w"]
    assert mx.sym.softmax(w, use_length=True, name="s").list_arguments() == ["w", "s_length"]


def test_attributes():
    x = mx.sym.var("x", shape=(0, 3), lr_mult=2, dtype="float32", init=mx.init.One(), __mood__="good")
    assert x.attr("lr_mult") == x.attr("__lr_mult__") == "2"
    assert x.attr("__shape__") == "(0, 3)" and x.attr("__dtype__") == "0" and x.attr("nothing") is None
    with mx.AttrScope(lr_mult="2"):
        assert mx.sym.var("x").attr("__lr_mult__") == "2"
        assert mx.sym.var("x", lr_mult=3).list_attr() == {"lr_mult": "3", "__lr_mult__": "3"}
    with mx.AttrScope(ctx_group="dev1", __data__="great"):
        net = mx.sym.FullyConnected(x, num_hidden=2, name="fc")
    assert net.attr("ctx_group") == "dev1"
    assert net.attr_dict()["fc_weight"]["__data__"] == "great"
    net._set_attr(mood="bad")
    assert net.list_attr()["mood"] == "bad"
    with pytest.raises(ValueError, match="only accepts string"):
        net._set_attr(mood=3)
    with pytest.raises(ValueError, match="foo is not supported"):
        mx.sym.var("x", foo=3)


def test_selecting_outputs():
    a, b = mx.sym.split(mx.sym.var("x"), 2, name="s")
    group = mx.sym.Group([a, b, a + b])
    assert len(group) == 3 and group.name is None
    assert group[1].list_outputs() == ["s_output1"] and group[:2].list_outputs() == ["s_output0", "s_output1"]
    assert group["s_output1"].list_outputs() == ["s_output1"]
    internals = fully_connected().get_internals()
    assert internals.list_outputs() == ["data", "fc_weight", "fc_bias", "fc_output"]
    assert internals["fc_weight"].name == "fc_weight"
    assert fully_connected().get_children().list_outputs() == ["data", "fc_weight", "fc_bias"]
    assert mx.sym.var("x").get_children() is None
    with pytest.raises(ValueError, match="zz"):
        group["zz"]
    with pytest.raises(IndexError):
        group[3]
    with pytest.raises(TypeError):
        mx.sym.Group([])


def test_composition_leaves_the_original():
    net = fully_connected()
    other = net(data=mx.sym.relu(mx.sym.var("image"), name="r"))
    assert net.list_arguments()[0] == "data" and other.list_arguments()[0] == "image"
    shape = other.infer_shape(image=(2, 3))
    assert shape == ([(2, 3), (10, 3), (10,)], [(2, 10)], [])


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies(again):
    net = fully_connected()
    other = again(net)
    assert other.tojson() == net.tojson()
    other._set_attr(mood="new")
    assert net.attr("mood") is None


def test_arithmetic():
    x, y = mx.sym.var("x"), mx.sym.var("y")
    a, b = np.array([1.0, 2, 3], "float32"), np.array([3.0, 2, 1], "float32")
    pairs = [(x + y, a + b), (x - y, a - b), (x * y, a * b), (x / y, a / b), (x % y, a % b), (x ** y, a ** b),
             (x + 2, a + 2), (2 + x, a + 2), (x - 2, a - 2), (2 - x, 2 - a), (2 * x, 2 * a), (2 / x, 2 / a),
             (x ** 2, a ** 2), (2 ** x, 2 ** a), (5 % x, 5 % a), (-x, -a), (abs(-x), a),
             (x == y, a == b), (x != y, a != b),
             (x > y, a > b), (x >= y, a >= b), (x < 2, a < 2), (x <= 2, a <= 2), (2 > x, 2 > a),
             (mx.sym.maximum(x, 2), np.maximum(a, 2)), (mx.sym.minimum(x, y), np.minimum(a, b)),
             (mx.sym.pow(2, x), 2 ** a), (mx.sym.hypot(x, y), np.hypot(a, b)), (x.sum(), a.sum()),
             (x.reshape((3, 1)).T, a.reshape(1, 3)), (x.astype("int32"), a.astype("int32"))]
    for symbol, want in pairs:
        given = {n: v for n, v in (("x", mx.nd.array(a)), ("y", mx.nd.array(b))) if n in symbol.list_arguments()}
        np.testing.assert_allclose(symbol.eval(**given)[0].asnumpy(), want, rtol=1e-6)
    assert mx.sym.maximum(2, 3) == 3
    with pytest.raises(TypeError):
        x + "a"
    for call in (lambda: bool(x), x.asnumpy, x.copy, lambda: x.backward()):
        with pytest.raises(mx.base.NotImplementedForSymbol):
            call()


def test_numpy_leaves_arithmetic_to_us():
    assert isinstance(np.float32(2) * mx.sym.var("x"), mx.sym.Symbol)


def test_inference_of_shapes():
    net = fully_connected()
    assert net.infer_shape(data=(2, 3, 4)) == ([(2, 3, 4), (10, 12), (10,)], [(2, 10)], [])
    assert net.infer_shape((2, 3)) == ([(2, 3), (10, 3), (10,)], [(2, 10)], [])
    with pytest.warns(UserWarning, match="Cannot decide shape"):
        assert net.infer_shape() == (None, None, None)
    assert net.infer_shape_partial() == ([(), (10, 0), (10,)], [()], [])
    assert net.infer_shape_partial(data=(0, 3)) == ([(0, 3), (10, 3), (10,)], [(0, 10)], [])
    with pytest.raises(ValueError, match=r"weight has shape \(3, 3\), expected \(10, 3\) \[node 'fc', made at "):
        net.infer_shape(data=(2, 3), fc_weight=(3, 3))
    with pytest.raises(ValueError, match="no argument 'foo'"):
        net.infer_shape(foo=(2,))


def test_inference_runs_backwards():
    x, y = mx.sym.var("x"), mx.sym.var("y")
    assert (x + y).infer_shape(x=(2, 3))[0] == [(2, 3), (2, 3)]
    assert (mx.sym.relu(x) * y).infer_shape(y=(4, 5))[0] == [(4, 5), (4, 5)]
    # The state of a recurrent cell, of unknown batch, through a layer and a sum.
    state = mx.sym.zeros((0, 6), name="state")
    step = mx.sym.FullyConnected(x, num_hidden=4, name="i2h") + mx.sym.FullyConnected(state, num_hidden=4, name="h2h")
    assert step.infer_shape(x=(7, 3))[1] == [(7, 4)]
    assert step.simple_bind(mx.cpu(), x=(7, 3)).forward()[0].shape == (7, 4)
    label = mx.sym.SoftmaxOutput(fully_connected(), name="softmax")
    assert label.infer_shape(data=(8, 3))[0][-1] == (8,)


def test_inference_of_types():
    net = fully_connected()
    assert net.infer_type(data="float16")[0] == [np.float16] * 3
    with pytest.warns(UserWarning, match="Cannot decide type"):
        assert net.infer_type() == (None, None, None)
    assert (net + mx.sym.var("y")).infer_type(y="float64")[0] == [np.float64] * 4
    assert mx.sym.argmax(mx.sym.var("x")).infer_type_partial()[0] == [None]
    assert net.infer_type_partial() == ([None] * 3, [None], [])
    assert mx.sym.cast(mx.sym.var("x"), dtype="int32").infer_type(x="float64")[1] == [np.int32]
    assert mx.sym.var("q", shape=(2,), dtype="float16").infer_type()[1] == [np.float16]


def test_makers():
    made = [mx.sym.zeros((2, 3)), mx.sym.ones((2,), dtype="int32"), mx.sym.full((2,), 7), mx.sym.arange(1, 7, 2),
            mx.sym.eye(2), mx.sym.linspace(0, 1, 5)]
    want = [np.zeros((2, 3)), np.ones(2), np.full(2, 7), np.arange(1, 7, 2), np.eye(2), np.linspace(0, 1, 5)]
    for symbol, w in zip(made, want):
        np.testing.assert_allclose(symbol.eval()[0].asnumpy(), w, rtol=1e-6)
    assert mx.sym.random.normal(0, 1, shape=(3, 2)).eval()[0].shape == (3, 2)
    counts, edges = mx.sym.histogram(mx.sym.var("a"), bins=3, range=(0, 3)).eval(a=mx.nd.array([0, 1, 1, 2]))
    assert counts.asnumpy().tolist() == [1, 2, 1]
    assert [s.shape for s in mx.sym.split_v2(mx.sym.var("a"), (1, 3)).eval(a=mx.nd.zeros((5, 2)))] == [
        (1, 2), (2, 2), (2, 2)]


@pytest.mark.parametrize("call, error", [
    (lambda: mx.sym.var(3), TypeError),
    (lambda: mx.sym.FullyConnected("x", num_hidden=2), TypeError),
    (lambda: mx.sym.FullyConnected(mx.nd.ones((2, 2)), num_hidden=2), TypeError),
    (lambda: mx.sym.FullyConnected(mx.sym.var("x")), TypeError),
    (lambda: mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=2, foo=4), TypeError),
    (lambda: mx.sym.FullyConnected(mx.sym.var("x"), num_hidden="a"), TypeError),
    (lambda: mx.sym.relu(mx.sym.split(mx.sym.var("x"), 2)), ValueError),
])
def test_bad_calls(call, error):
    with pytest.raises(error) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_graph_of_100000_nodes():
    x = mx.sym.var("x")
    for _ in range(100_000):
        x = x + 1
    assert x.infer_shape(x=(2,))[1] == [(2,)]
    assert x.eval(x=mx.nd.zeros((2,)))[0].asnumpy().tolist() == [100_000.0] * 2
    text = x.tojson()
    del x
    assert len(mx.sym.load_json(text).get_internals()) == 100_001


def test_where_finds_shapes_both_ways():
    zeros = mx.sym.zeros((0, 3))
    out = mx.sym.where(mx.sym.var("condition"), zeros, zeros)
    np.testing.assert_array_equal(out.eval(condition=mx.nd.ones((2, 3)))[0].asnumpy(), np.zeros((2, 3)))
    x = mx.sym.var("x")
    args, _, _ = mx.sym.where(mx.sym.var("condition"), x, x * 2).infer_shape(condition=(4, 5))
    assert args == [(4, 5), (4, 5)]


def test_filter_of_up_sampling_is_a_parameter():
    """Where a filter spreads the data it is made like any weight, and starts as one that interpolates."""
    net = mx.sym.UpSampling(mx.sym.var("data"), scale=2, sample_type="bilinear", num_filter=3, name="up")
    assert net.list_arguments() == ["data", "up_weight"]
    assert net.infer_shape(data=(1, 3, 4, 4))[:2] == ([(1, 3, 4, 4), (3, 1, 4, 4)], [(1, 3, 8, 8)])
    assert net.attr_dict()["up_weight"]["__init__"] == '["bilinear", {}]'
    several = mx.sym.UpSampling(scale=2, sample_type="nearest", num_args=2, name="up")
    assert several.list_arguments() == ["up_arg0", "up_arg1"]


def test_names_of_outputs():
    x = mx.sym.var("x")
    assert mx.sym.make_loss(x, name="l").list_outputs() == ["l_loss"]
    assert mx.sym.topk(x, name="t").list_outputs() == ["t_output"]
    assert mx.sym.topk(x, ret_typ="value", name="t").list_outputs() == ["t_output0"]
    assert mx.sym.topk(x, ret_typ="both", name="t").list_outputs() == ["t_output0", "t_output1"]
    assert mx.sym.linalg.det(x, name="d").list_outputs() == ["d_output0"]
    assert x.attr("name") == "x" and (x + 1).attr("name") is None


def test_attributes_of_operators():
    x = mx.sym.var("x")
    net = mx.sym.FullyConnected(x, num_hidden=2, name="fc", lr_mult=2, __wd_mult__=3)
    for name in ("fc", "fc_weight", "fc_bias"):
        assert net.attr_dict()[name]["__lr_mult__"] == "2" and net.attr_dict()[name]["wd_mult"] == "3"
    assert mx.sym.load_json(net.tojson()).attr_dict() == net.attr_dict()
    dense = mx.sym.softmax(x, attr={"axis": "0"})  # a parameter all the same
    assert dense.attr("axis") == "0" and dense.eval(x=mx.nd.ones((2, 1)))[0].asnumpy().tolist() == [[0.5], [0.5]]
    for scope, call in (({"mood": "x"}, {}), ({}, {"attr": {"mood": "x"}})):
        with mx.AttrScope(**scope), pytest.raises(TypeError, match="no parameter 'mood'; attributes of your own are "
                                                                   "written __mood__"):
            mx.sym.relu(x, **call)


def test_given_states_know_how_they_start():
    mean, var, gamma = mx.sym.var("a"), mx.sym.var("b"), mx.sym.var("g", init="one")
    mx.sym.BatchNorm(mx.sym.var("x"), moving_mean=mean, moving_var=var, gamma=gamma)
    assert mean.attr("__init__") == '["zero", {}]' and var.attr("__init__") == '["one", {}]'
    mx.sym.LeakyReLU(mean, gamma, act_type="prelu")
    assert gamma.attr("__init__") == "one"
    sparse = mx.sym.IdentityAttachKLSparseReg(gamma, name="k")
    assert sparse.attr_dict()["k_moving_avg"]["__init__"] == '["zero", {}]'


def test_debug_str():
    net = mx.sym.relu(mx.sym.FullyConnected(mx.sym.var("x"), num_hidden=2, name="fc"), name="r")
    assert net.debug_str().splitlines() == [
        "Symbol Outputs:", "\toutput[0]=r(0)", "Variable:x", "Variable:fc_weight", "Variable:fc_bias", "-" * 20,
        "Op:FullyConnected, Name=fc", "Inputs:", "\targ[0]=x(0) version=0", "\targ[1]=fc_weight(0) version=0",
        "\targ[2]=fc_bias(0) version=0", "Attrs:", "\tnum_hidden=2", "-" * 20, "Op:relu, Name=r", "Inputs:",
        "\targ[0]=fc(0)"]


RATES = {"lrs": (0.1, 0.1), "wds": (0.0, 0.0), "num_weights": 2}


@pytest.mark.parametrize("name, states, more, params", [
    ("multi_sgd_update", [], [], RATES), ("multi_sgd_mom_update", ["mom"], [], RATES),
    ("multi_mp_sgd_update", ["weight32"], [], RATES), ("multi_mp_sgd_mom_update", ["mom", "weight32"], [], RATES),
    ("preloaded_multi_sgd_update", [], ["lrs", "wds"], {"num_weights": 2}),
    ("preloaded_multi_mp_sgd_mom_update", ["mom", "weight32"], ["lrs", "wds"], {"num_weights": 2}),
    ("_multi_adamw_update", ["mean", "var"], ["rescale_grad"], {**RATES, "etas": (1, 1)}),
    ("_multi_mp_lamb_update", ["mean", "var", "weight32"], [],
     {"learning_rates": (1, 1), "wds": (0, 0), "step_count": (1, 1), "num_tensors": 2}),
])
def test_states_of_updates_of_several_weights(name, states, more, params):
    """Weights and gradients are arguments, what the update keeps is a state."""
    net = getattr(mx.sym, name, None) or getattr(mx.sym._internal, name)
    each = ["weight", "grad", *states]
    want = [f"o_{x}_{i}" for i in range(2) for x in each]
    missing = net(name="o", **params)
    assert missing.list_inputs() == [*want, *(f"o_{x}" for x in more)]
    assert missing.list_auxiliary_states() == [f"o_{x}_{i}" for i in range(2) for x in states]
    given = [mx.sym.var(f"in{i}") for i in range(len(want) + len(more))]
    net = net(*given, name="o", **params)
    written = [f"in{len(each) * i + 2 + k}" for i in range(2) for k in range(len(states))]
    assert net.list_auxiliary_states() == written
    assert mx.sym.load_json(net.tojson()).list_auxiliary_states() == written
    assert mx.sym.multi_sum_sq(*given[:2], num_arrays=2).list_auxiliary_states() == []


def test_shapes_that_complete_each_other():
    net = mx.sym.var("a", shape=(2, 0)) + mx.sym.var("b", shape=(0, 3))
    assert net.infer_shape() == ([(2, 3), (2, 3)], [(2, 3)], [])
    assert mx.sym.add_n(*(mx.sym.var(n) for n in "abc")).infer_shape(a=(2, 0), c=(0, 3))[0] == [(2, 3)] * 3


def test_composing_by_name_and_place():
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="fc")
    new = net(data=mx.sym.var("z"), name="other")
    assert (new.list_arguments(), new.name) == (["z", "fc_weight", "fc_bias"], "other")
    assert (net.list_arguments(), net.name) == (["data", "fc_weight", "fc_bias"], "fc")
    norm = mx.sym.BatchNorm(net, name="bn")(bn_moving_mean=mx.sym.var("mean"))
    assert norm.list_auxiliary_states() == ["mean", "bn_moving_var"]
    with pytest.raises(ValueError, match="no variable 'weight'; the variables are data, fc_weight, fc_bias"):
        net(weight=mx.sym.var("w"))
    with pytest.raises(TypeError, match="got 4 symbols for 3 arguments"):
        net(*(mx.sym.var(name) for name in "abcd"))


@pytest.mark.parametrize("make", [mx.sym.elemwise_add, mx.sym.broadcast_add, mx.sym.dot, mx.sym.concat])
def test_types_that_differ_are_told_without_shapes(make):
    net = make(mx.sym.var("a"), mx.sym.var("b"), name="both")
    with pytest.raises(TypeError, match="dtype float32, expected float64.*node 'both'"):
        net.infer_type(a="float64", b="float32")
    assert net.infer_type(a="float64")[1] in ([np.float64], None)

"""Modules: the steps of training one by one, checkpoints, several devices, odd input."""
import pickle

import numpy as np
import pytest

import mxnet as mx
from mxnet.module.executor_group import split_batch


def perceptron():
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=8, name="fc1")
    net = mx.sym.FullyConnected(mx.sym.Activation(net, act_type="relu"), num_hidden=2, name="fc2")
    return mx.sym.SoftmaxOutput(net, name="softmax")


def data(n=60):
    x = np.random.RandomState(0).randn(n, 4).astype("float32")
    return x, (x[:, 0] > x[:, 1]).astype("float32")


def iterator(batch_size=10, **options):
    return mx.io.NDArrayIter(*data(), batch_size, **options)


def bound(symbol=None, batch=4, **options):
    module = mx.mod.Module(symbol or perceptron(), **options)
    module.bind([("data", (batch, 4))], [("softmax_label", (batch,))])
    module.init_params(mx.init.Xavier())
    return module


def batch_of(rows, seed=3):
    return mx.io.DataBatch([mx.nd.array(np.random.RandomState(seed).randn(rows, 4))], [mx.nd.zeros((rows,))])


def test_states_are_checked():
    module = mx.mod.Module(perceptron())
    with pytest.raises(AssertionError, match="call bind before"):
        module.init_params()
    module.bind([("data", (4, 4))], [("softmax_label", (4,))])
    with pytest.raises(AssertionError, match="call init_params before"):
        module.forward(batch_of(4))
    module.init_params()
    with pytest.raises(AssertionError, match="call init_optimizer before"):
        module.update()
    with pytest.raises(AssertionError, match="num_epoch must be given"):
        module.fit(iterator())


@pytest.mark.parametrize("contexts", [1, 3])
def test_learns(contexts):
    module = mx.mod.Module(perceptron(), context=[mx.cpu(i) for i in range(contexts)])
    mx.random.seed(1)
    module.fit(iterator(batch_size=12), eval_data=iterator(), num_epoch=20, initializer=mx.init.Xavier(),
               optimizer_params={"learning_rate": 0.5})
    assert module.score(iterator(), "acc")[0][1] > 0.9
    assert module.predict(iterator(7)).shape == (60, 2)  # the last batch is cut
    batches = module.predict(iterator(25), merge_batches=False)
    assert [len(outputs[0]) for outputs in batches] == [25, 25, 10]
    assert [n for _, n, _ in module.iter_predict(iterator(), num_batch=2)] == [0, 1]


def test_devices_agree():
    one, two = bound(), bound(context=[mx.cpu(0), mx.cpu(1)])
    two.set_params(*one.get_params())
    for module in (one, two):
        module.init_optimizer(optimizer_params={"learning_rate": 0.1})
        for step in range(3):
            module.forward_backward(batch_of(4, step))
            module.update()
    for name, value in one.get_params()[0].items():
        np.testing.assert_allclose(two.get_params()[0][name].asnumpy(), value.asnumpy(), rtol=1e-5, atol=1e-6)
    assert [len(parts) for parts in two.get_outputs(merge_multi_context=False)] == [2]


def test_split_batch():
    assert split_batch(10, [1, 1]) == [slice(0, 5), slice(5, 10)]
    assert split_batch(5, [1, 3]) == [slice(0, 1), slice(1, 5)]
    with pytest.raises(ValueError, match="a batch of 1 cannot be split over 2 devices"):
        split_batch(1, [1, 1])


def test_input_gradients():
    module = mx.mod.Module(mx.sym.var("data") * mx.sym.var("scale_weight"), label_names=None)
    module.bind([("data", (2, 3))], inputs_need_grad=True)
    module.init_params(mx.init.Constant(3.0))
    module.forward(mx.io.DataBatch([mx.nd.ones((2, 3))]))
    module.backward([mx.nd.array([[1, 2, 3], [4, 5, 6]])])
    np.testing.assert_allclose(module.get_input_grads()[0].asnumpy(), [[3, 6, 9], [12, 15, 18]])


def test_other_batch_sizes_and_reshape():
    module = bound()
    params = {k: v.asnumpy() for k, v in module.get_params()[0].items()}
    for rows in (4, 7, 2, 4):
        module.forward(batch_of(rows), is_train=False)
        assert module.get_outputs()[0].shape == (rows, 2)
        assert module.output_shapes == [("softmax_output", (rows, 2))]
    module.reshape([("data", (5, 4))], [("softmax_label", (5,))])
    assert module.data_shapes[0].shape == (5, 4)
    for name, value in module.get_params()[0].items():
        np.testing.assert_array_equal(value.asnumpy(), params[name])


@pytest.mark.parametrize("contexts", [1, 2])
def test_checkpoints(tmp_path, contexts):
    prefix = str(tmp_path / "net")
    contexts = [mx.cpu(i) for i in range(contexts)]
    options = {"optimizer_params": {"learning_rate": 0.1, "momentum": 0.9}}
    module = bound(context=contexts)
    module.init_optimizer(**options)
    for step in range(3):
        module.forward_backward(batch_of(4, step))
        module.update()
    module.save_checkpoint(prefix, 3, save_optimizer_states=True)
    again = mx.mod.Module.load(prefix, 3, load_optimizer_states=True, context=contexts)
    again.bind([("data", (4, 4))], [("softmax_label", (4,))])
    again.init_optimizer(**options)
    for m in (module, again):
        m.forward_backward(batch_of(4, 9))
        m.update()
    for name, value in module.get_params()[0].items():
        np.testing.assert_allclose(again.get_params()[0][name].asnumpy(), value.asnumpy(), rtol=1e-6, err_msg=name)
    symbol, arg_params, aux_params = mx.model.load_checkpoint(prefix, 3)
    assert symbol.list_arguments() == module.symbol.list_arguments() and not aux_params
    assert set(arg_params) == {"fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias"}
    module.save_params(str(tmp_path / "all.params"))
    again.load_params(str(tmp_path / "all.params"))
    mx.nd.save(str(tmp_path / "bad.params"), {"weight": mx.nd.ones(1)})
    with pytest.raises(ValueError, match="expected names that start with 'arg:' or 'aux:'"):
        again.load_params(str(tmp_path / "bad.params"))


def test_callbacks_and_checkpoints_of_fit(tmp_path):
    seen = []
    module = mx.mod.Module(perceptron())
    module.fit(iterator(), num_epoch=3, begin_epoch=1, batch_end_callback=[lambda p: seen.append((p.epoch, p.nbatch))],
               epoch_end_callback=mx.callback.do_checkpoint(str(tmp_path / "m"), 2))
    assert seen == [(epoch, batch) for epoch in (1, 2) for batch in range(6)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m-0002.params", "m-symbol.json"]


def test_parameters_are_checked():
    module = bound()
    args, aux = module.get_params()
    wrong = {**args, "fc1_weight": mx.nd.ones((8, 5))}
    with pytest.raises(ValueError, match=r"'fc1_weight' has shape \(8, 5\), the symbol needs \(8, 4\)"):
        module.init_params(arg_params=wrong, aux_params=aux, force_init=True)
    del wrong["fc1_weight"]
    with pytest.raises(RuntimeError, match="fc1_weight is not presented"):
        module.set_params(wrong, aux)
    module.set_params(wrong, aux, allow_missing=True)
    more = {**args, "other": mx.nd.ones(1)}
    module.set_params(more, aux)  # 1.9.1 looks for such only where some may be missing
    with pytest.raises(ValueError, match='"other" that is not in the arguments'):
        module.set_params(more, aux, allow_missing=True)
    module.set_params(more, aux, allow_missing=True, allow_extra=True)
    with pytest.warns(UserWarning, match="already initialized"):
        module.init_params()


def test_names_are_checked():
    with pytest.raises(ValueError, match="data_names holds 'image', which is no input of the symbol"):
        mx.mod.Module(perceptron(), data_names=["image"])
    with pytest.warns(UserWarning, match="label_names holds 'target'"):
        mx.mod.Module(perceptron(), label_names=["target"])
    module = mx.mod.Module(perceptron())
    with pytest.raises(ValueError, match="the module was made with data_names"):
        module.bind([("image", (4, 4))])
    with pytest.raises(ValueError, match="same number of samples"):
        module.bind([("data", (4, 4))], [("softmax_label", (5,))])


def test_fixed_parameters_and_grad_req():
    module = mx.mod.Module(perceptron(), fixed_param_names=["fc1_weight", "fc1_bias"])
    module.bind([("data", (4, 4))], [("softmax_label", (4,))])
    module.init_params(mx.init.Xavier())
    before = {k: v.asnumpy() for k, v in module.get_params()[0].items()}
    module.init_optimizer(optimizer_params={"learning_rate": 1.0})
    module.forward_backward(batch_of(4))
    module.update()
    changed = {k for k, v in module.get_params()[0].items() if (v.asnumpy() != before[k]).any()}
    assert changed == {"fc2_weight", "fc2_bias"}
    adding = mx.mod.Module(perceptron())
    adding.bind([("data", (4, 4))], [("softmax_label", (4,))], grad_req="add")
    adding.init_params(mx.init.One())
    adding.forward_backward(batch_of(4))
    first = adding._exec_group.grad_arrays[0][0].asnumpy()
    adding.forward_backward(batch_of(4))
    np.testing.assert_allclose(adding._exec_group.grad_arrays[0][0].asnumpy(), 2 * first, rtol=1e-6)


def test_states():
    state = mx.sym.var("state")
    net = mx.sym.Group([mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3) + state,
                                             name="softmax"), mx.sym.BlockGrad(state + 1)])
    module = mx.mod.Module(net, state_names=["state"], context=[mx.cpu(0), mx.cpu(1)])
    module.bind([("data", (4, 4))], [("softmax_label", (4,))], for_training=False)
    module.init_params()
    module.set_states(value=2)
    assert (module.get_states()[0].asnumpy() == 2).all()
    module.forward(batch_of(4))
    module.set_states(states=module.get_outputs(merge_multi_context=False)[1:])
    assert (module.get_states()[0].asnumpy() == 3).all()


def test_optimizers_are_checked():
    module = bound()
    with pytest.raises(TypeError, match="optimizer must be a str or an Optimizer, got int"):
        module.init_optimizer(optimizer=3)
    with pytest.warns(UserWarning, match="rescale_grad is not normalized"):
        module.init_optimizer(optimizer=mx.optimizer.SGD(learning_rate=0.1))
    assert pickle.loads(module._updater.get_states()) == {}


def test_empty_data():
    module = bound(batch=10)
    used = iterator()
    list(used)
    with pytest.raises(ValueError, match="train_data has no batch to give"):
        module.fit(used, num_epoch=1)


def test_monitor():
    monitor = mx.mon.Monitor(2, pattern=".*fc1.*", sort=True)
    module = bound()
    module.install_monitor(monitor)
    monitor.tic()
    module.forward(batch_of(4))
    names = [name for _, name, _ in monitor.toc()]
    assert names == ["fc1_bias", "fc1_output", "fc1_weight"]
    monitor.tic()
    module.forward(batch_of(4))
    assert monitor.toc() == []


def test_feed_forward(tmp_path):
    x, y = data()
    model = mx.model.FeedForward.create(perceptron(), x, y, num_epoch=30, learning_rate=0.5, numpy_batch_size=10,
                                        initializer=mx.init.Xavier())
    assert model.score(iterator()) > 0.9
    out, inputs, labels = model.predict(iterator(7), return_data=True)
    assert out.shape == (60, 2) and inputs.shape == (60, 4) and labels.shape == (60,)
    model.save(str(tmp_path / "ff"), 5)
    again = mx.model.FeedForward.load(str(tmp_path / "ff"), 5)
    unlabelled = mx.io.NDArrayIter(x, None, 10)
    out, seen, labels = again.predict(unlabelled, return_data=True)
    np.testing.assert_array_equal(seen, x)
    np.testing.assert_allclose(out, again.predict(x), rtol=1e-4)
    assert labels == []
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-4)  # batches of another size


def test_sequential_module():
    features = mx.mod.Module(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=8, name="a"), label_names=None)
    head = mx.mod.Module(mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="b"),
                                              name="softmax"))
    chain = mx.mod.SequentialModule().add(features).add(head, take_labels=True, auto_wiring=True)
    chain.fit(iterator(), num_epoch=20, initializer=mx.init.Xavier(), optimizer_params={"learning_rate": 0.5})
    assert chain.score(iterator(), "acc")[0][1] > 0.9
    assert set(chain.get_params()[0]) == {"a_weight", "a_bias", "b_weight", "b_bias"}
    with pytest.raises(AssertionError, match="unknown keyword 'wiring'"):
        mx.mod.SequentialModule().add(features, wiring=True)


def test_python_loss():
    scores = mx.mod.Module(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=2, name="a"), label_names=None)
    loss = mx.mod.PythonLossModule(grad_func=lambda s, label: mx.nd.softmax(s) - mx.nd.one_hot(label, 2))
    chain = mx.mod.SequentialModule().add(scores).add(loss, take_labels=True, auto_wiring=True)
    chain.fit(iterator(), num_epoch=10, optimizer_params={"learning_rate": 1.0})
    assert chain.score(iterator(), "acc")[0][1] > 0.9


def sentences():
    random = np.random.RandomState(0)
    starts = random.randint(1, 8, 120)
    return [[(s + i) % 8 + 1 for i in range(random.choice([4, 6]))] for s in starts]


def language_model(length):
    label = mx.sym.Reshape(mx.sym.var("softmax_label"), shape=(-1,))
    embedded = mx.sym.Embedding(mx.sym.var("data"), input_dim=9, output_dim=8, name="embed")
    outputs, _ = mx.rnn.LSTMCell(16, prefix="lstm_").unroll(length, embedded, merge_outputs=True)
    scores = mx.sym.FullyConnected(mx.sym.Reshape(outputs, shape=(-1, 16)), num_hidden=9, name="scores")
    return mx.sym.SoftmaxOutput(scores, label, use_ignore=True, ignore_label=0, name="softmax"), \
        ("data",), ("softmax_label",)


def test_buckets(tmp_path):
    batches = mx.rnn.BucketSentenceIter(sentences(), 10, buckets=[4, 6], invalid_label=0)
    module = mx.mod.BucketingModule(language_model, default_bucket_key=batches.default_bucket_key)
    module.fit(batches, num_epoch=8, eval_metric=mx.metric.Perplexity(0), optimizer="adam",
               optimizer_params={"learning_rate": 0.05}, initializer=mx.init.Xavier())
    assert module.score(batches, mx.metric.Perplexity(0))[0][1] < 2
    assert set(module._buckets) == {4, 6}
    module.save_checkpoint(str(tmp_path / "lm"), 8)
    assert sorted(mx.nd.load(str(tmp_path / "lm.buckets"))[0].asnumpy().tolist()) == [4, 6]
    again = mx.mod.BucketingModule.load(str(tmp_path / "lm"), 8, language_model, default_bucket_key=6)
    again.bind(batches.provide_data, batches.provide_label, for_training=False)
    assert again.score(batches, mx.metric.Perplexity(0))[0][1] < 2


def test_encode_sentences():
    coded, vocab = mx.rnn.encode_sentences([["a", "b"], ["c"]], start_label=1, invalid_label=0)
    assert coded == [[1, 2], [3]] and vocab == {"\n": 0, "a": 1, "b": 2, "c": 3}
    assert mx.rnn.encode_sentences([["d", "a"]], vocab, unknown_token="c")[0] == [[3, 1]]
    with pytest.raises(AssertionError, match="'d' is not in the vocabulary"):
        mx.rnn.encode_sentences([["d"]], vocab)


def test_convolutional_cells():
    for cell in (mx.rnn.ConvRNNCell((0, 2, 5, 5), 3), mx.rnn.ConvLSTMCell((0, 2, 5, 5), 3),
                 mx.rnn.ConvGRUCell((0, 2, 5, 5), 3, activation="tanh")):
        outputs, states = cell.unroll(2, [mx.sym.var("a"), mx.sym.var("b")])
        shapes = mx.sym.Group(outputs + states).infer_shape(a=(4, 2, 5, 5), b=(4, 2, 5, 5))[1]
        assert set(shapes) == {(4, 3, 5, 5)}


def test_modifier_cells():
    base = mx.rnn.RNNCell(4, prefix="rnn_")
    zoneout = mx.rnn.ZoneoutCell(base, 0.5, 0.5)
    with pytest.raises(AssertionError, match="Call the modifier cell instead"):
        base.begin_state()
    outputs, states = zoneout.unroll(2, mx.sym.var("data"))
    assert mx.sym.Group(outputs + states).infer_shape(data=(2, 2, 3))[1] == [(2, 4)] * 3
    with pytest.raises(AssertionError, match="Please unfuse first"):
        mx.rnn.ZoneoutCell(mx.rnn.FusedRNNCell(4))
    with pytest.raises(NotImplementedError, match="Please use unroll"):
        mx.rnn.FusedRNNCell(4)(mx.sym.var("data"), [])


def test_rnn_checkpoints(tmp_path):
    fused = mx.rnn.FusedRNNCell(4, 2, "lstm", prefix="f_")
    symbol, _ = fused.unroll(3, mx.sym.var("data"), merge_outputs=True)
    shapes = dict(zip(symbol.list_arguments(), symbol.infer_shape(data=(2, 3, 5))[0]))
    args = {"f_parameters": mx.nd.random.uniform(shape=shapes["f_parameters"])}
    mx.rnn.do_rnn_checkpoint(fused, str(tmp_path / "r"))(0, symbol, args, {})
    assert "f_l0_i2h_i_weight" in mx.model.load_checkpoint(str(tmp_path / "r"), 1)[1]
    _, loaded, _ = mx.rnn.load_rnn_checkpoint(fused, str(tmp_path / "r"), 1)
    np.testing.assert_array_equal(loaded["f_parameters"].asnumpy(), args["f_parameters"].asnumpy())
    stack = fused.unfuse()
    plain, _ = stack.unroll(3, mx.sym.var("data"), merge_outputs=True)
    data = mx.nd.random.uniform(shape=(2, 3, 5))
    unpacked = stack.pack_weights(fused.unpack_weights(args))
    states = {name: mx.nd.zeros(shape) for name, shape in
              zip(plain.list_arguments(), plain.infer_shape(data=(2, 3, 5))[0]) if "begin_state" in name}
    expected = symbol.bind(mx.cpu(), {**args, "data": data}).forward()[0].asnumpy()
    have = plain.bind(mx.cpu(), {**unpacked, **states, "data": data}).forward()[0].asnumpy()
    np.testing.assert_allclose(have, expected, rtol=1e-5, atol=1e-6)


def test_data_that_would_change_the_parameters():
    """A batch that needs weights of another shape is an error, and the weights stay."""
    net = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=3, name="fc"), name="softmax")
    module = mx.mod.Module(net)
    module.bind([("data", (4, 5))], [("softmax_label", (4,))])
    module.init_params(mx.init.One())
    for shape in ((4, 5, 2), (4, 6)):
        with pytest.raises(ValueError, match="'fc_weight' would change from"):
            module.forward(mx.io.DataBatch([mx.nd.ones(shape)], [mx.nd.zeros((4,))]))
    module.forward(mx.io.DataBatch([mx.nd.ones((2, 5))], [mx.nd.zeros((2,))]), is_train=False)
    assert module.get_outputs()[0].shape == (2, 3)
    assert (module.get_params()[0]["fc_weight"].asnumpy() == 1).all()


def test_helpers_that_modules_of_other_programs_use():
    from mxnet.module.base_module import _as_list, _check_input_names, _parse_data_desc
    from mxnet.module.executor_group import _load_data, _load_label, _merge_multi_context
    assert _as_list(3) == [3] and mx.io.io._init_data(np.ones((2, 2)), False, "data")[0][0] == "data"
    assert _parse_data_desc(["data"], ["l"], [("data", (1, 2))], None) == ([("data", (1, 2))], None)
    with pytest.raises(ValueError, match="data_names holds 'x'"):
        _check_input_names(perceptron(), ["x"], "data", True)
    batch = mx.io.DataBatch([mx.nd.arange(4)], [mx.nd.arange(4) * 2])
    parts = [mx.nd.zeros((2,)), mx.nd.zeros((2,))]
    _load_data(batch, [[(slice(0, 2), parts[0]), (slice(2, 4), parts[1])]], [0])
    assert _merge_multi_context([parts], [0])[0].asnumpy().tolist() == [0, 1, 2, 3]
    whole = mx.nd.zeros((4,))
    _load_label(batch, [whole], [0])
    assert whole.asnumpy().tolist() == [0, 2, 4, 6]

"""Recurrent layers and cells beyond what is compared with 1.9.1."""
import copy

import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon import contrib, rnn

LAYERS = [rnn.RNN, rnn.LSTM, rnn.GRU]


def _ready(block, *args, **kwargs):
    made = block(*args, **kwargs)
    made.initialize(mx.init.Uniform(0.5))
    return made


def _data(*shape):
    return mx.nd.array(np.random.RandomState(3).uniform(-1, 1, shape).astype("float32"))


@pytest.mark.parametrize("kind", LAYERS)
def test_lengths_are_those_of_single_sequences(kind):
    layer = _ready(kind, 4, 2, bidirectional=True, use_sequence_length=True)
    plain = kind(4, 2, bidirectional=True, params=layer.params, prefix=layer.prefix)
    x, lengths = _data(5, 3, 6), [2, 5, 1]
    states = [mx.nd.array(np.random.uniform(-1, 1, info["shape"])) for info in layer.state_info(3)]
    out, last = layer(x, states, sequence_length=mx.nd.array(lengths))
    for n, length in enumerate(lengths):
        wanted, last_one = plain(x[:length, n:n + 1], [state[:, n:n + 1] for state in states])
        np.testing.assert_allclose(out[:length, n:n + 1].asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-6)
        assert not out[length:, n].asnumpy().any()
        for have, want in zip(last, last_one):
            np.testing.assert_allclose(have[:, n:n + 1].asnumpy(), want.asnumpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("layout", ["TNC", "NTC"])
def test_unfused_layers_agree(kind, layout):
    layer = _ready(kind, 4, 2, layout=layout, bidirectional=True, input_size=6)
    x = _data(5, 3, 6)
    stack = layer._unfuse()
    out, last = layer(x, layer.begin_state(x.shape[layout.find("N")]))
    wanted, states = stack.unroll(x.shape[layout.find("T")], x, layout=layout, merge_outputs=True)
    np.testing.assert_allclose(out.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-6)
    kinds = len(layer.state_info())
    for i, state in enumerate(last):
        np.testing.assert_allclose(state.asnumpy(), mx.nd.stack(*states[i::kinds]).asnumpy(), rtol=1e-4, atol=1e-6)


def test_layer_with_projection_agrees_with_cell():
    layer = _ready(rnn.LSTM, 4, projection_size=2, input_size=3)
    stack = rnn.SequentialRNNCell(prefix=layer.prefix, params=layer.params)
    with stack.name_scope():
        stack.add(contrib.rnn.LSTMPCell(4, 2, input_size=3, prefix="l0_"))
    out = layer(_data(5, 3, 3))
    wanted, _ = stack.unroll(5, _data(5, 3, 3), layout="TNC", merge_outputs=True)
    np.testing.assert_allclose(out.asnumpy(), wanted.asnumpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(AssertionError, match="projection_size"):
        layer._unfuse()


def test_cell_state_stays_in_bounds():
    layer = _ready(rnn.LSTM, 4, state_clip_min=-0.01, state_clip_max=0.02)
    _, (_, cell) = layer(_data(5, 3, 6), layer.begin_state(3))
    assert float(cell.min()) >= -0.01
    assert float(cell.max()) == pytest.approx(0.02)


def test_dropout_is_between_layers_and_follows_the_seed():
    layer = _ready(rnn.LSTM, 16, 2, dropout=0.5, input_size=6)
    single = _ready(rnn.LSTM, 16, 1, dropout=0.5, input_size=6)
    x = _data(5, 3, 6)

    def train(layer, seed):
        mx.random.seed(seed)
        with mx.autograd.train_mode():
            return layer(x).asnumpy()
    np.testing.assert_array_equal(train(layer, 1), train(layer, 1))
    assert (train(layer, 1) != train(layer, 2)).any()
    assert (train(layer, 1) != layer(x).asnumpy()).any()
    np.testing.assert_array_equal(train(single, 1), single(x).asnumpy())


def test_dropout_keeps_the_expected_fraction():
    ones, hidden = mx.nd.ones((1, 1, 1)), 2000
    layer = rnn.RNN(hidden, 2, dropout=0.3, input_size=1)
    layer.initialize(mx.init.Zero())
    layer.l0_i2h_bias.set_data(mx.nd.ones(hidden))
    layer.l1_i2h_weight.set_data(mx.nd.eye(hidden))
    with mx.autograd.train_mode():
        out = layer(ones).asnumpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.7)}
    assert 0.65 < (out > 0).mean() < 0.75


@pytest.mark.parametrize("kind", LAYERS)
def test_files_hold_layers_and_stacks_alike(kind, tmp_path):
    layer = _ready(kind, 4, 2, bidirectional=True, input_size=6)
    layer.save_parameters(str(tmp_path / "layer.params"))
    other = kind(4, 2, bidirectional=True)
    other.load_parameters(str(tmp_path / "layer.params"))
    x = _data(5, 3, 6)
    np.testing.assert_array_equal(other(x).asnumpy(), layer(x).asnumpy())


def test_element_types():
    x = _data(5, 3, 6)
    layer = _ready(rnn.LSTM, 4, 2)
    want = layer(x).asnumpy()
    for dtype, tolerance in (("float64", 1e-6), ("float16", 1e-2)):
        layer.cast(dtype)
        assert layer.begin_state(2)[0].dtype == np.dtype(dtype)
        have = layer(x.astype(dtype))
        assert have.dtype == np.dtype(dtype)
        np.testing.assert_allclose(have.asnumpy(), want, rtol=tolerance, atol=tolerance)


def test_copies_and_names():
    layer = _ready(rnn.LSTM, 4, 2, bidirectional=True, prefix="own_", input_size=6)
    assert list(layer.collect_params())[:5] == ["own_l0_i2h_weight", "own_l0_h2h_weight", "own_l0_i2h_bias",
                                               "own_l0_h2h_bias", "own_r0_i2h_weight"]
    x = _data(5, 3, 6)
    np.testing.assert_array_equal(copy.deepcopy(layer)(x).asnumpy(), layer(x).asnumpy())
    layer.hybridize()
    layer(x)
    np.testing.assert_array_equal(layer(x, layer.begin_state(3))[0].asnumpy(), layer(x).asnumpy())


def test_layer_inside_a_network_is_trained():
    class Tagger(mx.gluon.HybridBlock):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.recurrent = rnn.GRU(8, layout="NTC", bidirectional=True)
                self.output = mx.gluon.nn.Dense(2, flatten=False)

        def hybrid_forward(self, F, x):
            return self.output(self.recurrent(x))

    net = _ready(Tagger)
    net.hybridize()
    x = _data(8, 6, 3)
    label = (x.sum(axis=2) > 0).astype("float32")  # whether the numbers of a step add up to more than 0
    trainer = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.05})
    loss = mx.gluon.loss.SoftmaxCELoss()
    losses = []
    for _ in range(60):
        with mx.autograd.record():
            value = loss(net(x), label).mean()
        value.backward()
        trainer.step(1)
        losses.append(float(value))
    assert losses[-1] < 0.1 < losses[0]


# --- errors -------------------------------------------------------------------------------------------------


def test_errors_of_layers():
    with pytest.raises(AssertionError, match="layout is 'CNT'"):
        rnn.GRU(4, layout="CNT")
    with pytest.raises(KeyError, match="'relu' or 'tanh'"):
        rnn.RNN(4, activation="sigmoid")
    layer = _ready(rnn.GRU, 4)
    with pytest.raises(ValueError, match="expected 3 axes"):
        layer(_data(5, 3))
    layer(_data(5, 3, 6))
    with pytest.raises(ValueError, match="states have shapes"):
        layer(_data(5, 3, 6), layer.begin_state(2))
    with pytest.raises(ValueError, match=r"GRU: inputs have shape \(5, 3, 7\), expected TNC with 6 numbers"):
        layer(_data(5, 3, 7))
    with pytest.raises(mx.MXNetError, match="sequence_length"):
        _ready(rnn.GRU, 4, use_sequence_length=True)(_data(5, 3, 6))


def test_errors_of_cells():
    cell = _ready(rnn.LSTMCell, 4)
    with pytest.raises(AssertionError, match="3 steps, expected 4"):
        cell.unroll(4, _data(2, 3, 5))
    with pytest.raises(AssertionError, match="3 steps, expected 4"):
        cell.unroll(4, [_data(2, 5)] * 3)
    modified = rnn.ZoneoutCell(cell, 0.1)
    with pytest.raises(AssertionError, match="use the modifier"):
        cell.begin_state(2)
    with pytest.raises(AssertionError, match="use the modifier"):
        rnn.ResidualCell(cell)
    assert len(modified.begin_state(2)) == 2
    both = rnn.BidirectionalCell(rnn.LSTMCell(4), rnn.LSTMCell(4))
    with pytest.raises(NotImplementedError, match="use unroll"):
        both(_data(2, 5), both.begin_state(batch_size=2))
    with pytest.raises(AssertionError, match="BidirectionalCell"):
        rnn.ZoneoutCell(both)
    stack = rnn.SequentialRNNCell()
    stack.add(both)
    with pytest.raises(AssertionError, match="BidirectionalCell"):
        contrib.rnn.VariationalDropoutCell(stack, drop_states=0.5)
    with pytest.raises(AssertionError, match="rate must be a number"):
        rnn.DropoutCell("0.5")
    with pytest.raises(ValueError, match="HybridBlocks"):
        rnn.HybridSequentialRNNCell().add(rnn.SequentialRNNCell())
    with pytest.raises(AssertionError, match="odd"):
        contrib.rnn.Conv2DLSTMCell((3, 8, 8), 4, 3, 2)


# --- cells --------------------------------------------------------------------------------------------------


def test_states_to_begin_with():
    cell = rnn.LSTMCell(4)
    assert cell.state_info(3) == [{"shape": (3, 4), "__layout__": "NC"}] * 2
    assert float(cell.begin_state(3, func=mx.nd.ones)[1].sum()) == 12
    assert cell.begin_state(batch_size=3, dtype="float64")[0].dtype == np.float64
    assert cell.begin_state(3, func=mx.nd.random.uniform)[0].shape == (3, 4)
    stack = rnn.SequentialRNNCell()
    stack.add(cell)
    stack.add(rnn.DropoutCell(0.5))
    stack.add(rnn.GRUCell(5))
    assert [state.shape for state in stack.begin_state(batch_size=2)] == [(2, 4), (2, 4), (2, 5)]
    assert len(stack) == 3
    assert stack[2]._hidden_size == 5


@pytest.mark.parametrize("merge", [None, True, False])
@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("lengths", [True, False])
def test_kinds_of_sequences(merge, as_list, lengths):
    x = _data(2, 3, 4)
    inputs = [x[:, t] for t in range(3)] if as_list else x
    valid = mx.nd.array([3, 2]) if lengths else None
    for cell in (rnn.GRUCell(4), rnn.ResidualCell(rnn.GRUCell(4)), rnn.ZoneoutCell(rnn.GRUCell(4), 0.5, 0.5),
                 rnn.BidirectionalCell(rnn.GRUCell(2), rnn.GRUCell(2)), rnn.RNNCell(4, "sigmoid")):
        cell.initialize()
        outputs, _ = cell.unroll(3, inputs, merge_outputs=merge, valid_length=valid)
        together = merge or (merge is None and lengths)
        assert isinstance(outputs, mx.nd.NDArray) is bool(together), cell
        whole = outputs if together else mx.nd.stack(*outputs, axis=1)
        assert whole.shape == (2, 3, 4)
        assert not lengths or not whole[1, 2].asnumpy().any()


def test_one_step_of_a_sequence():
    cell = _ready(rnn.LSTMCell, 4)
    outputs, _ = cell.unroll(1, _data(2, 1, 3))
    assert outputs[0].shape == (2, 4)
    assert cell.unroll(1, _data(2, 1, 3), merge_outputs=True)[0].shape == (2, 1, 4)


def test_zoneout_keeps_elements_of_the_step_before():
    cell = rnn.ZoneoutCell(rnn.RNNCell(500, input_size=1), zoneout_outputs=0.3, zoneout_states=0.6)
    cell.initialize(mx.init.Zero())
    cell.base_cell.i2h_bias.set_data(mx.nd.ones(500))
    before = mx.nd.full((2, 500), -1)
    with mx.autograd.train_mode():
        output, (state,) = cell(mx.nd.zeros((2, 1)), [before])
    assert 0.25 < (output.asnumpy() == 0).mean() < 0.35
    assert 0.55 < (state.asnumpy() == -1).mean() < 0.65
    output, (state,) = cell(mx.nd.zeros((2, 1)), [before])
    np.testing.assert_allclose(state.asnumpy(), np.tanh(1), rtol=1e-5)


def test_variational_dropout_drops_the_same_at_all_steps():
    cell = contrib.rnn.VariationalDropoutCell(rnn.RNNCell(50, activation="relu", input_size=3), drop_outputs=0.5)
    cell.initialize(mx.init.Zero())
    cell.base_cell.i2h_bias.set_data(mx.nd.ones(50))
    with mx.autograd.train_mode():
        first, _ = cell.unroll(4, _data(2, 4, 3), merge_outputs=True)
        second, _ = cell.unroll(4, _data(2, 4, 3), merge_outputs=True)
    first, second = first.asnumpy(), second.asnumpy()
    assert (first == first[:, :1]).all()
    assert (first != second).any()
    assert set(np.unique(first)) == {0, 2}


def test_residual_and_shared_parameters():
    base = _ready(rnn.GRUCell, 4, input_size=4)
    x = _data(2, 3, 4)
    plain, _ = base.unroll(3, x, merge_outputs=True)
    residual = rnn.ResidualCell(base)
    assert residual.params is base.params
    have, _ = residual.unroll(3, x, merge_outputs=True)
    np.testing.assert_allclose(have.asnumpy(), (plain + x).asnumpy(), rtol=1e-6)
    have, _ = residual(x[:, 0], residual.begin_state(2))
    np.testing.assert_allclose(have.asnumpy(), (plain + x)[:, 0].asnumpy(), rtol=1e-6)


def test_gradient_of_the_gradient():
    layer = _ready(rnn.LSTM, 3, 2, input_size=2)
    x = _data(4, 2, 2)
    x.attach_grad()
    with mx.autograd.record():
        out = layer(x).square().sum()
        grad = mx.autograd.grad(out, x, create_graph=True)[0]
        penalty = grad.square().sum()
    penalty.backward()
    assert np.abs(x.grad.asnumpy()).max() > 0


# --- compiled -----------------------------------------------------------------------------------------------


class Unrolled(mx.gluon.HybridBlock):
    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.cell = cell

    def hybrid_forward(self, F, x, lengths):
        return self.cell.unroll(3, x, valid_length=lengths, merge_outputs=True)[0]


@pytest.mark.parametrize("make", [
    lambda: rnn.LSTMCell(4),
    lambda: rnn.ZoneoutCell(rnn.GRUCell(4), 0.3, 0.3),
    lambda: rnn.BidirectionalCell(rnn.LSTMCell(4), rnn.RNNCell(4)),
    lambda: contrib.rnn.VariationalDropoutCell(rnn.LSTMCell(4), 0.3, 0.3, 0.3),
])
def test_compiled_cells_agree(make):
    x, lengths = _data(2, 3, 5), mx.nd.array([3, 2])
    net = _ready(Unrolled, make())
    want = net(x, lengths).asnumpy()
    net.hybridize()
    for _ in range(2):
        np.testing.assert_allclose(net(x, lengths).asnumpy(), want, rtol=1e-5, atol=1e-7)
    fresh = _ready(Unrolled, make())
    fresh.hybridize()  # shapes are found out while it is compiled
    assert fresh(x, lengths).shape == want.shape


@pytest.mark.parametrize("kind", LAYERS)
def test_compiled_layers_agree(kind):
    x, lengths = _data(5, 3, 6), mx.nd.array([2, 5, 1])
    layer = _ready(kind, 4, 2, bidirectional=True, use_sequence_length=True)
    states = layer.begin_state(3, func=mx.nd.ones)
    want, last = layer(x, states, lengths)
    layer.hybridize()
    have, after = layer(x, states, lengths)
    for a, b in zip([have, *after], [want, *last]):
        np.testing.assert_allclose(a.asnumpy(), b.asnumpy(), rtol=1e-5, atol=1e-7)
    assert layer(x, sequence_length=lengths).shape == want.shape


def test_symbols_keep_lengths_in_their_place():
    def variables(names):
        return [mx.sym.Variable(name) for name in names]

    network = mx.sym.RNN(*variables("xph"), sequence_length=mx.sym.Variable("l"), state_size=4, num_layers=1,
                         mode="gru", use_sequence_length=True)
    loss = mx.sym.CTCLoss(*variables("xy"), label_lengths=mx.sym.Variable("l"), use_label_lengths=True)
    for symbol, names in ((network, list("xphl")), (loss, list("xyl"))):
        loaded = mx.sym.load_json(symbol.tojson())
        assert loaded.list_arguments() == names
    x, lengths = _data(5, 3, 6), mx.nd.array([1, 5, 2])
    arrays = {"x": x, "p": mx.nd.ones(3 * 4 * 12), "h": mx.nd.zeros((1, 3, 4)), "l": lengths}
    want = mx.nd.RNN(x, arrays["p"], arrays["h"], lengths, state_size=4, num_layers=1, mode="gru",
                     use_sequence_length=True)
    have = mx.sym.load_json(network.tojson()).eval(**arrays)[0]
    np.testing.assert_array_equal(have.asnumpy(), want.asnumpy())


# --- the CTC loss -------------------------------------------------------------------------------------------


def test_ctc_layouts_lengths_and_weights():
    # What 1.9.1 gives for these.
    scores = mx.nd.array(np.random.RandomState(0).uniform(-1, 1, (6, 2, 5)))
    pred, label = scores.swapaxes(0, 1), mx.nd.array([[1, 2, -1], [3, 3, 2]])

    def ctc(*lengths, pred=pred, label=label, **kwargs):
        return mx.gluon.loss.CTCLoss(**kwargs)(pred, label, *lengths).asnumpy()
    want = [5.3897862, 6.1634417]
    np.testing.assert_allclose(ctc(), want, rtol=1e-5)
    np.testing.assert_allclose(ctc(pred=scores, label=label.T, layout="TNC", label_layout="TN"), want, rtol=1e-5)
    np.testing.assert_allclose(ctc(mx.nd.array([4, 5])), [4.742609, 5.751697], rtol=1e-5)
    np.testing.assert_allclose(ctc(None, mx.nd.array([2, 3])), want, rtol=1e-5)
    np.testing.assert_allclose(ctc(None, mx.nd.array([2, 3]), mx.nd.array([1, 2]), weight=2),
                               [10.7795725, 24.653767], rtol=1e-5)
    assert repr(mx.gluon.loss.CTCLoss()) == "CTCLoss(batch_axis=0, w=None)"
    with pytest.raises(AssertionError, match="layout is 'NCT'"):
        mx.gluon.loss.CTCLoss(layout="NCT")


def test_ctc_errors():
    pred, label = mx.nd.zeros((6, 2, 5)), mx.nd.array([[1, 2, 0], [3, 3, 2]])
    with pytest.raises(ValueError, match="label 9 of sequence 1 is not one of 5 classes"):
        mx.nd.CTCLoss(pred, mx.nd.array([[1, 2, 0], [3, 9, 2]])).wait_to_read()
    with pytest.raises(ValueError, match="data_lengths of sequence 0 is 7, expected 0 to 6"):
        mx.nd.CTCLoss(pred, label, mx.nd.array([7, 2]), use_data_lengths=True).wait_to_read()
    with pytest.raises(TypeError, match="ask for 0 arrays of lengths, got 1"):
        mx.nd.CTCLoss(pred, label, mx.nd.array([6, 2]))
    with pytest.raises(TypeError, match="ask for 2 arrays of lengths, got 1"):
        mx.nd.CTCLoss(pred, label, mx.nd.array([6, 2]), use_data_lengths=True, use_label_lengths=True)
    with pytest.raises(ValueError, match="longer than data"):
        mx.nd.CTCLoss(pred[:2], label)
    with pytest.raises(ValueError, match="label has shape"):
        mx.nd.CTCLoss(pred, label[:1])


def test_ctc_of_one_array_of_lengths_in_either_place():
    pred, label, lengths = _data(6, 2, 5), mx.nd.array([[1, 2, 3], [3, 3, 2]]), mx.nd.array([2, 1])
    by_name = mx.nd.CTCLoss(pred, label, label_lengths=lengths, use_label_lengths=True)
    by_place = mx.nd.CTCLoss(pred, label, lengths, use_label_lengths=True)
    np.testing.assert_array_equal(by_name.asnumpy(), by_place.asnumpy())


def test_gru_takes_lengths_in_the_place_of_the_cell():
    x, parameters, state = _data(4, 2, 3), mx.nd.ones(3 * 5 * (3 + 5 + 2)), mx.nd.zeros((1, 2, 5))
    kind = {"state_size": 5, "num_layers": 1, "mode": "gru", "use_sequence_length": True}
    by_name = mx.nd.RNN(x, parameters, state, sequence_length=mx.nd.array([2, 4]), **kind)
    by_place = mx.nd.RNN(x, parameters, state, mx.nd.array([2, 4]), **kind)
    np.testing.assert_array_equal(by_name.asnumpy(), by_place.asnumpy())


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("hybrid", [False, True])
def test_parameters_written_between_calls_are_seen(kind, hybrid):
    """What is kept of the parameters between calls without a gradient is made anew when one of them was written."""
    layer = getattr(rnn, kind)(4, 2, bidirectional=True, input_size=6)
    layer.initialize()
    layer.hybridize(hybrid)
    x = _data(5, 3, 6)
    trainer = mx.gluon.Trainer(layer.collect_params(), "sgd", {"learning_rate": 0.5})
    for change in (lambda: layer.l0_i2h_weight.data().__setitem__(slice(None), 0.3),
                   lambda: layer.r1_h2h_bias.set_data(mx.nd.ones(layer.r1_h2h_bias.shape)),
                   lambda: trainer.step(1), lambda: layer.initialize(force_reinit=True),
                   lambda: layer.cast("float64")):
        before = layer(x).asnumpy()
        np.testing.assert_array_equal(layer(x).asnumpy(), before)
        with mx.autograd.record():
            layer(x).sum().backward()
        change()
        x = x.astype(layer.l0_i2h_weight.dtype)
        have = layer(x).asnumpy()
        with mx.autograd.record(train_mode=False):
            wanted = layer(x).asnumpy()
        np.testing.assert_allclose(have, wanted, rtol=1e-5, atol=1e-6)
        assert (np.abs(have - before) > 1e-6).any() or have.dtype != before.dtype


def test_variational_dropout_gives_one_array_unless_states_are_dropped():
    x = mx.nd.ones((2, 3, 4))
    make = contrib.rnn.VariationalDropoutCell
    for dropped, merged in (({"drop_inputs": 0.5}, True), ({"drop_states": 0.5}, False)):
        cell = make(rnn.LSTMCell(5), **dropped)
        cell.initialize()
        outputs, _ = cell.unroll(3, x)
        assert isinstance(outputs, mx.nd.NDArray) == merged
        assert isinstance(cell.unroll(3, x, merge_outputs=False)[0], list)


@pytest.mark.parametrize("layout", ["TNC", "NTC"])
@pytest.mark.parametrize("lengths", [None, [1, 3]])
def test_dynamic_unroll(layout, lengths):
    x = mx.nd.array(np.random.RandomState(0).rand(2, 3, 4))
    cell = rnn.LSTMCell(5)
    cell.initialize()
    valid = None if lengths is None else mx.nd.array(lengths)
    want, want_states = cell.unroll(3, x, merge_outputs=True, valid_length=valid)
    given = x if layout == "NTC" else x.swapaxes(0, 1)
    outputs, states = contrib.rnn.rnn_cell.dynamic_unroll(cell, given, cell.begin_state(batch_size=2), layout=layout,
                                                          valid_length=valid)
    outputs = outputs if layout == "NTC" else outputs.swapaxes(0, 1)
    np.testing.assert_allclose(outputs.asnumpy(), want.asnumpy(), rtol=1e-5)
    for state, other in zip(states, want_states):
        np.testing.assert_allclose(state.asnumpy(), other.asnumpy(), rtol=1e-5)


def test_helpers_that_cells_of_other_programs_use():
    from mxnet.gluon.rnn import rnn_cell as helpers
    x = mx.nd.arange(12).reshape((2, 3, 2))
    steps, axis, F, batch = helpers._format_sequence(3, x, "NTC", False)
    assert [s.shape for s in steps] == [(2, 2)] * 3 and (axis, F, batch) == (1, mx.nd, 2)
    assert helpers._format_sequence(3, x, "NTC", None)[0] is x
    assert (helpers._format_sequence(3, steps, "NTC", True)[0].asnumpy() == x.asnumpy()).all()
    assert helpers._format_sequence(3, x, "TNC", True, "NTC")[0].shape == (3, 2, 2)
    assert len(helpers._format_sequence(3, mx.sym.var("x"), "NTC", False)[0]) == 3
    lengths = mx.nd.array([1, 3])
    whole = helpers._mask_sequence_variable_length(mx.nd, steps, 3, lengths, 1, True).asnumpy()
    assert whole[0].tolist() == [[0, 1], [0, 0], [0, 0]] and (whole[1] == x[1].asnumpy()).all()
    backward = helpers._reverse_sequences(steps, 3, lengths)
    assert backward[0].asnumpy().tolist() == [[0, 1], [10, 11]]
    cell = rnn.LSTMCell(2)
    assert [s.shape for s in helpers._get_begin_state(cell, mx.nd, None, x, 2)] == [(2, 2)] * 2
    assert len(helpers._cells_state_info([cell, cell], 1)) == 4
    assert len(helpers._cells_begin_state([cell, cell], batch_size=2)) == 4

"""Recurrent layers and cells, computed with MXNet 1.9.1 (see record_rnn.py) and with this package, and compared.

Every function takes the `mxnet` module as `mx`, and gives plain numbers or NumPy arrays.
"""
import pathlib
import sys

import numpy as np
from gluon_cases import _fill, numbers, ten_steps

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "python" / "ops"))
import recorded  # noqa: E402

FAMILY = "gluon_rnn"  # the file in operators/

LAYERS = {
    "rnn_relu": (lambda rnn: rnn.RNN(4, 2), (5, 3, 6)),
    "rnn_tanh": (lambda rnn: rnn.RNN(4, activation="tanh", layout="NTC"), (3, 5, 6)),
    "lstm": (lambda rnn: rnn.LSTM(4), (5, 3, 6)),
    "lstm_bidirectional": (lambda rnn: rnn.LSTM(4, 2, bidirectional=True), (5, 3, 6)),
    "lstm_prefix": (lambda rnn: rnn.LSTM(4, 3, layout="NTC", prefix="own_", input_size=6), (3, 5, 6)),
    "gru": (lambda rnn: rnn.GRU(4, 2), (5, 3, 6)),
    "gru_bidirectional": (lambda rnn: rnn.GRU(4, 1, bidirectional=True, layout="NTC"), (3, 5, 6)),
}

CELLS = {
    "rnn": lambda rnn, more: rnn.RNNCell(4),
    "rnn_relu": lambda rnn, more: rnn.RNNCell(4, activation="relu", input_size=6, prefix="own_"),
    "lstm": lambda rnn, more: rnn.LSTMCell(4),
    "lstm_activations": lambda rnn, more: rnn.LSTMCell(4, activation="softsign", recurrent_activation="relu"),
    "gru": lambda rnn, more: rnn.GRUCell(4),
    "residual": lambda rnn, more: rnn.ResidualCell(rnn.GRUCell(6)),
    "dropout": lambda rnn, more: rnn.DropoutCell(0.0),
    "zoneout": lambda rnn, more: rnn.ZoneoutCell(rnn.LSTMCell(4)),
    "bidirectional": lambda rnn, more: rnn.BidirectionalCell(rnn.LSTMCell(4), rnn.GRUCell(3)),
    "sequential": lambda rnn, more: _stack(rnn.SequentialRNNCell(), rnn.LSTMCell(4), rnn.ResidualCell(rnn.RNNCell(4))),
    "hybrid_sequential": lambda rnn, more: _stack(
        rnn.HybridSequentialRNNCell(prefix="net_"), rnn.BidirectionalCell(rnn.RNNCell(2), rnn.RNNCell(2)),
        rnn.DropoutCell(0.0), rnn.ZoneoutCell(rnn.GRUCell(3))),
    "unfused": lambda rnn, more: rnn.LSTM(4, 2, bidirectional=True, input_size=6)._unfuse(),
    "lstmp": lambda rnn, more: more.LSTMPCell(4, 2),
    "variational": lambda rnn, more: more.VariationalDropoutCell(rnn.LSTMCell(4)),
}
CONV_CELLS = {
    f"conv{dims}d_{kind.lower()}": (dims, f"Conv{dims}D{kind}Cell") for dims in (1, 2, 3) for kind in
    ("RNN", "LSTM", "GRU")
}


def _stack(stack, *cells):
    with stack.name_scope():
        for cell in cells:
            stack.add(cell)
    return stack


def _results(mx, block, x, run):
    """Outputs and states, gradients of the inputs and parameters, and ten steps of training."""
    block.initialize()
    run(x)
    params = block.collect_params()
    _fill(params)
    x.attach_grad()
    with mx.autograd.record():
        outputs = run(x)
        weighted = sum((out * mx.nd.array(numbers(2 + i, *out.shape))).sum() for i, out in enumerate(outputs))
    weighted.backward()
    result = {"repr": np.array(repr(block)), "params": np.array(list(params)),
              "places": np.array(list(block._collect_params_with_prefix())), "grad": x.grad.asnumpy()}
    result.update({f"out.{i}": out.asnumpy() for i, out in enumerate(outputs)})
    result.update({"grad." + name: param.grad().asnumpy() for name, param in params.items()})
    if params.keys():
        wanted = mx.nd.array(numbers(3, *outputs[0].shape))
        result["steps"] = ten_steps(mx, params, lambda: ((run(x)[0] - wanted) ** 2).mean())
    return result


def run_layer(mx, name):
    """A layer with given states."""
    make, shape = LAYERS[name]
    with mx.name.NameManager():
        layer = make(mx.gluon.rnn)
    batch = shape[layer._layout.find("N")]
    states = [mx.nd.array(numbers(9 + i, *info["shape"])) for i, info in enumerate(layer.state_info(batch))]

    def run(x):
        out, after = layer(x, states)
        return [out, *after]
    return _results(mx, layer, mx.nd.array(numbers(1, *shape)), run)


def run_cell(mx, name):
    """A cell unrolled as a list, merged, and with lengths."""
    with mx.name.NameManager():
        cell = CELLS[name](mx.gluon.rnn, mx.gluon.contrib.rnn)
    lengths = mx.nd.array([2, 4, 1])

    def run(x):
        outputs, states = cell.unroll(4, x, layout="NTC", merge_outputs=False)
        merged, more = cell.unroll(4, x.swapaxes(0, 1), layout="TNC", merge_outputs=True)
        results = [*outputs, *states, merged, *more]
        if name in ("hybrid_sequential", "unfused"):
            return results  # 1.9.1 fails with lengths where both directions are merged
        if name == "bidirectional":
            valid, last = cell.unroll(4, [x[:, t] for t in range(4)], valid_length=lengths, merge_outputs=False)
            return [*results, *valid, *last]
        valid, last = cell.unroll(4, x, valid_length=lengths)
        return [*results, valid, *last]
    return _results(mx, cell, mx.nd.array(numbers(1, 3, 4, 6)), run)


def run_conv_cell(mx, name):
    """Two steps of a cell with convolutions."""
    dims, kind = CONV_CELLS[name]
    shape = (3, 5, 6, 4)[:1 + dims]
    with mx.name.NameManager():
        cell = getattr(mx.gluon.contrib.rnn, kind)(shape, 2, 3, 3, i2h_pad=1, h2h_dilate=1, activation="tanh")

    def run(x):
        outputs, states = cell.unroll(2, [x, x * 0.5])
        return [*outputs, *states]
    return _results(mx, cell, mx.nd.array(numbers(1, 2, *shape)), run)


KINDS = {"layer": (LAYERS, run_layer), "cell": (CELLS, run_cell), "conv_cell": (CONV_CELLS, run_conv_cell)}


def check(kind, name, mx, rtol=1e-4, atol=1e-5):
    """Runs a case and compares all it gives with what was recorded."""
    prefix, have = f"{kind}/{name}/", KINDS[kind][1](mx, name)
    wanted = {key[len(prefix):]: value for key, value in recorded.read(FAMILY).items() if key.startswith(prefix)}
    assert sorted(have) == sorted(wanted)
    for key, value in wanted.items():
        if value.dtype.kind == "U":
            assert have[key].tolist() == value.tolist(), key
        else:
            assert have[key].shape == value.shape, key
            np.testing.assert_allclose(have[key], value, rtol=rtol, atol=atol, err_msg=f"{kind} {name}: {key}")

"""What is computed by modules and symbolic recurrent cells of MXNet 1.9.1 (see record_module.py) and of this package.

Every function takes the `mxnet` module as `mx`, and gives NumPy arrays by name.
"""
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent


def numbers(seed, *shape):
    """Reproducible float32 numbers."""
    return np.random.RandomState(seed).uniform(-0.5, 0.5, shape).astype("float32")


def _given(mx, symbol, **shapes):
    """Reproducible parameters of a symbol."""
    arg_shapes, _, aux_shapes = symbol.infer_shape(**shapes)
    args = {name: mx.nd.array(numbers(i, *shape)) for i, (name, shape) in
            enumerate(zip(symbol.list_arguments(), arg_shapes)) if name not in shapes}
    aux = {name: mx.nd.array(np.abs(numbers(i, *shape))) for i, (name, shape) in
           enumerate(zip(symbol.list_auxiliary_states(), aux_shapes))}
    return args, aux


def convolutional(mx):
    sym = mx.sym
    net = sym.Convolution(sym.Variable("data"), kernel=(3, 3), pad=(1, 1), num_filter=4, no_bias=True, name="conv")
    net = sym.Activation(sym.BatchNorm(net, fix_gamma=False, name="bn"), act_type="relu")
    net = sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max")
    return sym.SoftmaxOutput(sym.FullyConnected(sym.Flatten(net), num_hidden=3, name="fc"), name="softmax")


FITS = {
    "sgd": ({"optimizer": "sgd", "optimizer_params": {"learning_rate": 0.1, "momentum": 0.9, "wd": 0.01}}, 1),
    "adam": ({"optimizer": "adam", "optimizer_params": {"learning_rate": 0.01}}, 1),
    "two_devices": ({"optimizer": "sgd", "optimizer_params": {"learning_rate": 0.1}, "kvstore": "local"}, 2),
    "store_updates": ({"optimizer": "sgd", "optimizer_params": {"learning_rate": 0.1, "momentum": 0.5},
                       "kvstore": "device"}, 2),
    "no_store": ({"optimizer": "nag", "optimizer_params": {"learning_rate": 0.1, "momentum": 0.5},
                  "kvstore": None}, 1),
    "plateau": ({"optimizer": "rmsprop", "optimizer_params": {"learning_rate": 0.01}}, 1),
}


def run_fit(mx, name):
    options, devices = FITS[name]
    symbol = convolutional(mx)
    data, label = numbers(5, 20, 2, 6, 6), np.arange(20) % 3
    args, aux = _given(mx, symbol, data=(8, 2, 6, 6), softmax_label=(8,))
    module = mx.mod.Module(symbol, context=[mx.cpu(i) for i in range(devices)])
    metric = mx.metric.create(["acc", "ce"])
    module.fit(mx.io.NDArrayIter(data, label.astype("float32"), 8), num_epoch=3, arg_params=args, aux_params=aux,
               eval_metric=metric, initializer=None, **options)
    found = {key: value.asnumpy() for params in module.get_params() for key, value in params.items()}
    iterator = mx.io.NDArrayIter(data, label.astype("float32"), 8)
    found["prediction"] = module.predict(iterator).asnumpy()
    found["score"] = np.array([value for _, value in module.score(iterator, ["acc", "ce"])])
    found["metric"] = np.array(metric.get()[1])
    return found


def _cells(mx):
    rnn = mx.rnn

    def stack(*cells):
        top = rnn.SequentialRNNCell()
        for cell in cells:
            top.add(cell)
        return top

    return {
        "rnn": lambda: rnn.RNNCell(4, activation="relu", prefix="rnn_"),
        "lstm": lambda: rnn.LSTMCell(4, prefix="lstm_"),
        "gru": lambda: rnn.GRUCell(4, prefix="gru_"),
        "stack": lambda: stack(rnn.LSTMCell(4, prefix="a_"), rnn.ResidualCell(rnn.GRUCell(4, prefix="b_"))),
        "bidirectional": lambda: rnn.BidirectionalCell(rnn.LSTMCell(3, prefix="l_"), rnn.GRUCell(2, prefix="r_")),
        "fused_lstm": lambda: rnn.FusedRNNCell(4, 2, "lstm", bidirectional=True, get_next_state=True, prefix="f_"),
        "fused_gru": lambda: rnn.FusedRNNCell(4, 1, "gru", get_next_state=True, prefix="f_"),
        "unfused": lambda: rnn.FusedRNNCell(4, 2, "lstm", bidirectional=True, prefix="f_").unfuse(),
    }


CELLS = ("rnn", "lstm", "gru", "stack", "bidirectional", "fused_lstm", "fused_gru", "unfused")


def run_cell(mx, name, layout="NTC"):
    cell = _cells(mx)[name]()
    outputs, states = cell.unroll(3, mx.sym.Variable("data"), layout=layout, merge_outputs=True)
    flat = [s for state in states for s in (state if isinstance(state, list) else [state])]
    symbol = mx.sym.Group([outputs, *flat])
    shape = (2, 3, 4) if layout == "NTC" else (3, 2, 4)
    args, _ = _given(mx, symbol, data=shape)
    args["data"] = mx.nd.array(numbers(99, *shape))
    grads = {key: mx.nd.zeros(value.shape) for key, value in args.items()}
    executor = symbol.bind(mx.cpu(), args, grads)
    outs = executor.forward(is_train=True)
    executor.backward([mx.nd.array(numbers(50 + i, *out.shape)) for i, out in enumerate(outs)])
    found = {f"output{i}": out.asnumpy() for i, out in enumerate(executor.outputs)}
    found.update({f"grad_{key}": value.asnumpy() for key, value in grads.items()})
    unpacked = cell.unpack_weights({key: value for key, value in args.items() if key != "data"})
    found.update({f"unpacked_{key}": value.asnumpy() for key, value in unpacked.items()})
    packed = cell.pack_weights(unpacked)
    found.update({f"packed_{key}": value.asnumpy() for key, value in packed.items()})
    return found


KINDS = {"fit": (FITS, run_fit), "cell": (CELLS, run_cell)}


def recorded(kind, name):
    """What 1.9.1 gave."""
    with np.load(HERE / "module.npz") as file:
        prefix = f"{kind}/{name}/"
        return {key[len(prefix):]: file[key] for key in file.files if key.startswith(prefix)}

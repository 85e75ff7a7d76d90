"""Networks that are drawn and printed, by MXNet 1.9.1 and by ours."""
import contextlib
import gzip
import io
import json
from pathlib import Path

FILE = Path(__file__).parent / "visualization.json.gz"


def mlp(mx):
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=16, name="fc1")
    net = mx.sym.Activation(net, act_type="relu", name="relu1")
    return mx.sym.SoftmaxOutput(mx.sym.FullyConnected(net, num_hidden=3, no_bias=True, name="fc2"), name="softmax")


def lenet(mx):
    net = mx.sym.var("data")
    for i, filters in enumerate((4, 8)):
        net = mx.sym.Convolution(net, kernel=(5, 5), num_filter=filters, name=f"conv{i}")
        net = mx.sym.Activation(net, act_type="tanh", name=f"tanh{i}")
        net = mx.sym.Pooling(net, kernel=(2, 2), stride=(2, 2), pool_type="max", name=f"pool{i}")
    net = mx.sym.FullyConnected(mx.sym.Flatten(net, name="flat"), num_hidden=10, name="fc")
    return mx.sym.SoftmaxOutput(net, name="softmax")


def residual(mx):
    data = mx.sym.var("data")
    net = data
    for i in range(2):
        net = mx.sym.Convolution(net, kernel=(3, 3), stride=(1, 1), pad=(1, 1), num_filter=4, no_bias=i == 0,
                                 name=f"conv{i}")
        net = mx.sym.BatchNorm(net, fix_gamma=False, name=f"bn{i}")
        net = mx.sym.LeakyReLU(net, act_type="elu", name=f"elu{i}")
    shortcut = mx.sym.Deconvolution(data, kernel=(1, 1), num_filter=4, name="shortcut")
    net = mx.sym.Pooling(net + shortcut, global_pool=True, kernel=(7, 7), pool_type="avg", name="pool")
    return mx.sym.softmax(mx.sym.Reshape(net, shape=(0, -1), name="flat"), name="out")


def cell(mx):
    lstm = mx.rnn.LSTMCell(num_hidden=5, prefix="lstm_")
    outputs, states = lstm.unroll(2, mx.sym.var("data"), merge_outputs=True, begin_state=[
        mx.sym.var("h"), mx.sym.var("c")])
    return mx.sym.Group([outputs, *states])


def pieces(mx):
    data = mx.sym.var("data")
    split = mx.sym.SliceChannel(data, num_outputs=2, axis=1, name="split")
    joined = mx.sym.Concat(split[0], mx.sym.sin(split[1], name="sin"), split[1], dim=1, name="join")
    norm = mx.sym.LayerNorm(mx.sym.Embedding(mx.sym.var("words"), input_dim=7, output_dim=6, name="embed"),
                            name="norm")
    return mx.sym.Group([mx.sym.dot(joined, mx.sym.var("other_weight"), name="dot"),
                         mx.sym.sum(norm, axis=1, name="sum") * 2,
                         mx.sym.Dropout(mx.sym.SoftmaxActivation(joined, name="soft"), p=0.3, name="drop")])


def more(mx):
    net = mx.sym.Convolution(mx.sym.var("data"), kernel=(3,), num_filter=2, layout="NCW", name="conv")
    net = mx.sym.Pooling(net, kernel=(2,), pool_type="max", name="pool")
    net = mx.sym.LeakyReLU(net, act_type="prelu", name="prelu")
    net = mx.sym.InstanceNorm(net, name="inst")
    net = mx.sym.FullyConnected(net, num_hidden=4, flatten=False, name="fc")
    return mx.sym.LinearRegressionOutput(mx.sym.Flatten(net, name="flat"), mx.sym.var("target"), name="loss")


def one(mx):
    return mx.sym.var("data")


CASES = {"mlp": (mlp, {"data": (4, 8)}), "lenet": (lenet, {"data": (2, 1, 28, 28)}),
         "residual": (residual, {"data": (2, 3, 8, 8)}), "cell": (cell, {"data": (2, 2, 3), "h": (2, 5), "c": (2, 5)}),
         "pieces": (pieces, {"data": (3, 4), "words": (3, 5), "other_weight": (6, 2)}),
         "more": (more, {"data": (2, 3, 9), "target": (2, 8)}), "one": (one, {"data": (2, 3)})}


def drawn(mx, name):
    """The sources that graphviz gets, for several options."""
    make, shapes = CASES[name]
    net = make(mx)
    options = {"plain": {}, "shapes": {"shape": shapes}, "weights": {"shape": shapes, "hide_weights": False},
               "weights, no shapes": {"hide_weights": False},
               "style": {"title": "my net", "save_format": "svg",
                         "node_attrs": {"shape": "oval", "fixedsize": "false", "fontsize": "9"}}}
    if name == "mlp":
        options["dtype"] = {"shape": shapes, "dtype": {key: "float64" for key in shapes}}
    found = {}
    for key, kwargs in options.items():
        graph = mx.viz.plot_network(net, **kwargs)
        found[key] = [graph.source, graph.format, graph.name, graph.filename]
    return found


def printed(mx, name):
    """The tables, for several options; for an error its class."""
    make, shapes = CASES[name]
    net = make(mx)
    options = {"plain": {}, "shapes": {"shape": shapes}, "narrow": {"shape": shapes, "line_length": 70},
               "positions": {"shape": shapes, "positions": [0.3, 0.5, 0.6, 1.0]},
               "characters": {"shape": shapes, "line_length": 90, "positions": [30, 50, 60, 90]}}
    found = {}
    for key, kwargs in options.items():
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                mx.viz.print_summary(net, **kwargs)
            found[key] = out.getvalue()
        except Exception as error:
            found[key] = type(error).__name__
    return found


def recorded():
    return json.loads(gzip.decompress(FILE.read_bytes()))

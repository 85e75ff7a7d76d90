"""Records networks saved by MXNet 1.9.1: symbol.json, .params, an input and the outputs, into files/graphs.

    MXNET_MKLDNN_ENABLED=0 oracle/bin/python tests/golden/record_graphs.py

The recurrent network runs right with MKL-DNN only, so it is computed cell by cell here.
"""
import pathlib

import numpy as np

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn

FOLDER = pathlib.Path(__file__).parent / "files" / "graphs"


def lenet():
    """By symbols, saved by a module's checkpoint format."""
    data = mx.sym.var("data")
    net = mx.sym.Convolution(data, kernel=(3, 3), num_filter=4, name="conv1")
    net = mx.sym.Pooling(mx.sym.Activation(net, act_type="tanh"), pool_type="max", kernel=(2, 2), stride=(2, 2))
    net = mx.sym.FullyConnected(mx.sym.Flatten(net), num_hidden=6, name="fc1")
    net = mx.sym.FullyConnected(mx.sym.Activation(net, act_type="relu"), num_hidden=3, name="fc2")
    return mx.sym.SoftmaxOutput(net, name="softmax"), {"data": (2, 1, 10, 10)}


def resnet():
    """By Gluon blocks with batch normalization and shortcuts."""
    class Unit(gluon.HybridBlock):
        def __init__(self, channels, **kwargs):
            super().__init__(**kwargs)
            with self.name_scope():
                self.body = nn.HybridSequential()
                self.body.add(nn.Conv2D(channels, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
                self.shortcut = nn.Conv2D(channels, 1)

        def hybrid_forward(self, F, x):
            return F.Activation(self.body(x) + self.shortcut(x), act_type="relu")

    net = nn.HybridSequential()
    with net.name_scope():
        net.add(Unit(4), nn.MaxPool2D(), Unit(6), nn.GlobalAvgPool2D(), nn.Dense(5))
    net.initialize(mx.init.Xavier())
    return net(mx.sym.var("data")), {"data": (2, 3, 8, 8)}


def lstm():
    """An unrolled cell and a loop."""
    cell = gluon.rnn.LSTMCell(4, prefix="cell_")
    outputs, _ = cell.unroll(3, mx.sym.var("data"), begin_state=[mx.sym.var("h"), mx.sym.var("c")], layout="NTC",
                             merge_outputs=True)
    total, _ = mx.sym.contrib.foreach(lambda x, s: (x + s, x + s), mx.sym.transpose(outputs, axes=(1, 0, 2)),
                                      mx.sym.zeros_like(mx.sym.var("h")))
    return mx.sym.Group([outputs, total]), {"data": (2, 3, 5), "h": (2, 4), "c": (2, 4)}


def ssd():
    """The head of a detector: predictions of two scales, anchors, detections."""
    feature = mx.sym.Activation(mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), pad=(1, 1), num_filter=4,
                                                   name="base"), act_type="relu")
    small = mx.sym.Pooling(feature, kernel=(2, 2), stride=(2, 2), pool_type="max")
    classes, boxes, anchors = [], [], []
    for i, layer in enumerate((feature, small)):
        def flat(s):
            return mx.sym.Flatten(mx.sym.transpose(s, axes=(0, 2, 3, 1)))
        classes.append(flat(mx.sym.Convolution(layer, kernel=(3, 3), pad=(1, 1), num_filter=6, name=f"cls{i}")))
        boxes.append(flat(mx.sym.Convolution(layer, kernel=(3, 3), pad=(1, 1), num_filter=8, name=f"loc{i}")))
        anchors.append(mx.sym.contrib.MultiBoxPrior(layer, sizes=(0.2 + 0.3 * i, 0.4 + 0.3 * i), clip=True))
    scores = mx.sym.transpose(mx.sym.Reshape(mx.sym.concat(*classes, dim=1), shape=(0, -1, 3)), axes=(0, 2, 1))
    scores = mx.sym.softmax(scores, axis=1)
    return mx.sym.contrib.MultiBoxDetection(scores, mx.sym.concat(*boxes, dim=1), mx.sym.concat(*anchors, dim=1),
                                            name="detection", nms_threshold=0.5), {"data": (2, 3, 6, 6)}


def record(name, symbol, shapes):
    random = np.random.RandomState(7)
    shapes = {k: v for k, v in shapes.items()}
    arg_shapes, _, aux_shapes = symbol.infer_shape(**shapes)

    def values(names, given):
        return {n: mx.nd.array(random.uniform(0.1, 1, s) if n.endswith(("var", "gamma")) else
                               random.uniform(-0.5, 0.5, s)) for n, s in zip(names, given)}
    arguments = values(symbol.list_arguments(), arg_shapes)
    states = values(symbol.list_auxiliary_states(), aux_shapes)
    outputs = symbol.bind(mx.cpu(), arguments, aux_states=states).forward(is_train=False)
    symbol.save(str(FOLDER / f"{name}-symbol.json"))
    params = {f"arg:{k}": v for k, v in arguments.items() if k not in shapes and not k.endswith("_label")}
    params.update({f"aux:{k}": v for k, v in states.items()})
    mx.nd.save(str(FOLDER / f"{name}-0000.params"), params)
    np.savez_compressed(FOLDER / f"{name}.npz", **{f"in_{k}": arguments[k].asnumpy() for k in shapes},
                        **{f"out_{i}": out.asnumpy() for i, out in enumerate(outputs)})


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for make in (lenet, resnet, lstm, ssd):
        record(make.__name__, *make())

"""Networks that are watched by a monitor through a step of training, run with MXNet 1.9.1 and with ours."""
import json
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "monitor.json"


def mlp(mx):
    net = mx.sym.FullyConnected(mx.sym.var("data"), num_hidden=4, name="fc1")
    net = mx.sym.Activation(net, act_type="relu", name="relu1")
    return mx.sym.SoftmaxOutput(mx.sym.FullyConnected(net, num_hidden=3, no_bias=True, name="fc2"), name="softmax")


def convolutions(mx):
    net = mx.sym.Convolution(mx.sym.var("data"), kernel=(3, 3), num_filter=2, name="conv")
    net = mx.sym.LeakyReLU(mx.sym.BatchNorm(net, fix_gamma=False, name="bn"), act_type="leaky", name="leaky")
    net = mx.sym.InstanceNorm(mx.sym.Pooling(net, kernel=(2, 2), pool_type="avg", name="pool"), name="norm")
    return mx.sym.MakeLoss(mx.sym.Flatten(net, name="flat"), name="loss")


def parts(mx):
    pieces = mx.sym.SliceChannel(mx.sym.var("data"), num_outputs=2, axis=1, name="split")
    net = mx.sym.Concat(pieces[0] * 2, mx.sym.sin(pieces[1], name="sin"), dim=1, name="join")
    net = mx.sym.broadcast_mul(net, mx.sym.var("scale"), name="mul") + mx.sym.exp(net, name="exp")
    return mx.sym.L2Normalization(mx.sym.SoftmaxActivation(net, name="soft"), name="l2")


CASES = {"mlp": (mlp, (2, 5)), "convolutions": (convolutions, (2, 1, 6, 6)), "parts": (parts, (3, 4))}
SHAPES = {"scale": (1, 4)}


def watched(mx, name, monitor_all=False):
    """What a monitor shows of forward and backward: names and numbers."""
    make, shape = CASES[name]
    net = make(mx)
    shapes = {"data": shape, **{key: SHAPES[key] for key in net.list_arguments() if key in SHAPES}}
    executor = net.simple_bind(mx.cpu(), **shapes)
    random = np.random.RandomState(3)
    for key, array in {**executor.arg_dict, **executor.aux_dict}.items():
        array[:] = 0 if key.endswith("_label") else random.uniform(0.5, 1, array.shape)
    monitor = mx.mon.Monitor(1, stat_func=lambda array: array.sum(), monitor_all=monitor_all)
    monitor.install(executor)
    monitor.tic()
    executor.forward(is_train=True)
    executor.backward([mx.nd.array(np.arange(out.size).reshape(out.shape)) for out in executor.outputs])
    return [[key, float(text)] for _, key, text in monitor.toc()]


def hooked(mx):
    """What the hook of a compiled block shows: names and operators."""
    net = mx.gluon.nn.HybridSequential(prefix="net_")
    with net.name_scope():
        net.add(mx.gluon.nn.Dense(3, activation="relu"), mx.gluon.nn.Dense(2))
    net.initialize(mx.init.One())
    net.hybridize()
    x = mx.nd.ones((2, 4))
    x.attach_grad()
    net(x)
    seen = []
    net.register_op_hook(lambda *what: seen.append([text if isinstance(text, str) else text.decode()
                                                    for text in what[:2]]))
    with mx.autograd.record():
        out = net(x)
    out.backward()
    mx.nd.waitall()
    return seen


def recorded():
    return json.loads(FILE.read_text())

"""What each pass over a graph brings: kernels, memory and time, before and after.

    python benchmarks/graphs.py                 ResNet-18, an unrolled LSTM, dense layers, a transformer block ...
    python benchmarks/graphs.py --net lstm      one of them

Of `custom`, `mask` and `loop` segments are compiled, between what cannot be: an operator in Python, one whose shape
depends on contents, and a loop whose body is compiled by itself.

The first row is the network that is not compiled; then the passes are switched on one after the other. `parts` are
compiled segments, `steps` kernels of inference; `planned` is the memory for values within the graph, `unshared` what
that would be if no two values shared a place, `saved` what training keeps for the gradient; times are the medians of
one call.
"""
import argparse
import statistics
import time

import mxnet as mx
from mxnet import autograd, gluon, nd
from mxnet.gluon import nn


class TransformerBlock(gluon.HybridBlock):
    """Self-attention and two dense layers, each with a norm before and a sum behind."""

    def __init__(self, width=256, heads=4, **kwargs):
        super().__init__(**kwargs)
        self._heads = heads
        with self.name_scope():
            self.norm1, self.norm2 = nn.LayerNorm(), nn.LayerNorm()
            self.qkv = nn.Dense(3 * width, flatten=False)
            self.project = nn.Dense(width, flatten=False)
            self.wide, self.narrow = nn.Dense(4 * width, flatten=False), nn.Dense(width, flatten=False)
            self.dropout = nn.Dropout(0.1)

    def hybrid_forward(self, F, x):  # (length, batch, width)
        qkv = self.qkv(self.norm1(x))
        scores = F.contrib.interleaved_matmul_selfatt_qk(qkv, heads=self._heads)
        weights = self.dropout(F.softmax(scores))
        x = x + self.project(F.contrib.interleaved_matmul_selfatt_valatt(qkv, weights, heads=self._heads))
        h = self.wide(self.norm2(x))
        return x + self.narrow(0.5 * h * (1 + F.erf(h / 2 ** 0.5)))


class UnrolledLSTM(gluon.HybridBlock):
    """An LSTM cell over 20 steps."""

    def __init__(self, width=128, steps=20, **kwargs):
        super().__init__(**kwargs)
        self._steps = steps
        with self.name_scope():
            self.cell = gluon.rnn.LSTMCell(width, input_size=width)

    def hybrid_forward(self, F, x):  # (batch, steps, width)
        return self.cell.unroll(self._steps, x, layout="NTC", merge_outputs=True)[0]


class Identity(mx.operator.CustomOp):
    """Copies."""

    def forward(self, is_train, req, in_data, out_data, aux):
        self.assign(out_data[0], req[0], in_data[0])

    def backward(self, req, out_grad, in_data, out_data, in_grad, aux):
        self.assign(in_grad[0], req[0], out_grad[0])


@mx.operator.register("identity_in_python")
class IdentityProp(mx.operator.CustomOpProp):
    """Copies."""

    def create_operator(self, ctx, in_shapes, in_dtypes):
        return Identity()


class Around(gluon.HybridBlock):
    """Residual stages of a small ResNet with something between them that is not compiled."""

    def __init__(self, middle, channels=16, **kwargs):
        super().__init__(**kwargs)
        self._middle = middle
        stage = gluon.model_zoo.vision.BasicBlockV1
        with self.name_scope():
            self.before = nn.HybridSequential()
            self.before.add(nn.Conv2D(channels, 3, padding=1), *(stage(channels, 1) for _ in range(3)))
            self.behind = nn.HybridSequential()
            self.behind.add(*(stage(channels, 1) for _ in range(3)), nn.GlobalAvgPool2D(), nn.Dense(10))

    def hybrid_forward(self, F, x):
        return self.behind(self._middle(F, self.before(x)))


def in_python(F, x):
    return F.Custom(x, op_type="identity_in_python")


def masked(F, x):
    first = F.mean(x, axis=(1, 2, 3))
    return F.contrib.boolean_mask(x, F.broadcast_greater(first, F.min(first)))


class Loop(gluon.HybridBlock):
    """Dense layers, an LSTM cell in a loop over 20 steps, dense layers."""

    def __init__(self, width=64, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.before, self.behind = nn.HybridSequential(), nn.HybridSequential()
            for part in (self.before, self.behind):
                for _ in range(3):
                    part.add(nn.Dense(width, flatten=False, activation="tanh"), nn.LayerNorm())
            self.cell = gluon.rnn.LSTMCell(width, input_size=width)

    def hybrid_forward(self, F, x):  # (steps, batch, width)
        h = self.before(x)
        start = F.zeros_like(F.squeeze(F.slice_axis(h, axis=0, begin=0, end=1), axis=0))
        return self.behind(F.contrib.foreach(self.cell, h, [start, start])[0])


class Swish(gluon.HybridBlock):
    """What is computed element by element alone."""

    def hybrid_forward(self, F, x):
        return x * F.sigmoid(x)


def dense_layers(width=512):
    """Dense layers with functions behind."""
    net = nn.HybridSequential()
    net.add(nn.Dense(width, activation="relu"), nn.Dense(width, activation="tanh"), nn.Dense(width))
    return net


def with_gradient(x):
    x.attach_grad()
    return x


def networks():
    """Name: (network, input)."""
    return {"custom": (Around(in_python), nd.random.uniform(shape=(2, 3, 16, 16))),
            "mask": (Around(masked), nd.random.uniform(shape=(3, 3, 16, 16))),
            "loop": (Loop(), nd.random.uniform(shape=(20, 8, 64))),
            "resnet18": (gluon.model_zoo.vision.resnet18_v1(), nd.random.uniform(shape=(4, 3, 224, 224))),
            "lstm": (UnrolledLSTM(), nd.random.uniform(shape=(32, 20, 128))),
            "swish": (Swish(), with_gradient(nd.random.normal(shape=(4096, 1024)))),
            "dense": (dense_layers(), nd.random.uniform(shape=(32, 512))),
            "transformer": (TransformerBlock(), nd.random.uniform(shape=(64, 8, 256)))}


def seconds(function, rounds):
    function()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        function()
        nd.waitall()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def train(net, x):
    with autograd.record():
        loss = net(x).sum()
    loss.backward()


def measure(net, x, rounds):
    """Nodes, memory and times of a compiled network as the switches are now."""
    net.hybridize(clear=True)
    infer_time = seconds(lambda: net(x), rounds)
    inference = net._cached_op.report()
    train_time = seconds(lambda: train(net, x), rounds)
    return inference, infer_time, net._cached_op.report(), train_time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=sorted(networks()), action="append")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    names = [item["name"] for item in mx.sym.passes.list_passes()]
    heads = ("planned", "unshared", "infer", "saved", "train")
    print(f"{'network':12} {'passes':22} {'parts':>5} {'steps':>6} " + " ".join(f"{head:>9}" for head in heads))
    for name, (net, x) in networks().items():
        if options.net and name not in options.net:
            continue
        net.initialize(mx.init.Xavier())
        net(x)
        infer_time = seconds(lambda net=net, x=x: net(x), options.rounds)
        train_time = seconds(lambda net=net, x=x: train(net, x), options.rounds)
        print(f"{name:12} {'not compiled':61} {infer_time * 1e3:6.2f} ms {'':9} {train_time * 1e3:6.2f} ms")
        for on in range(len(names) + 1):
            with mx.sym.passes.switched(**{other: i < on for i, other in enumerate(names)}):
                inference, infer_time, training, train_time = measure(net, x, options.rounds)
            label = "none" if on == 0 else f"+ {names[on - 1]}"
            print(f"{name:12} {label:22} {inference['segments']:5} {inference['steps']:6} "
                  f"{inference['temporary_bytes'] / 1e6:6.2f} MB {inference['unshared_bytes'] / 1e6:6.2f} MB "
                  f"{infer_time * 1e3:6.2f} ms {training['saved_bytes'] / 1e6:6.2f} MB {train_time * 1e3:6.2f} ms",
                  flush=True)


if __name__ == "__main__":
    main()

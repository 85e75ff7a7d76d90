"""What each pass over a graph brings: kernels, memory and time, before and after.

    python benchmarks/graphs.py                 ResNet-18, an unrolled LSTM and a transformer block
    python benchmarks/graphs.py --net lstm      one of them

The passes are switched on one after the other. `steps` are kernels of inference; `planned` is the memory for
values within the graph, `unshared` what that would be if no two values shared a place, `saved` what training keeps for
the gradient; times are the medians of one call.
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


def networks():
    """Name: (network, input)."""
    return {"resnet18": (gluon.model_zoo.vision.resnet18_v1(), nd.random.uniform(shape=(4, 3, 224, 224))),
            "lstm": (UnrolledLSTM(), nd.random.uniform(shape=(32, 20, 128))),
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


def measure(net, x, rounds):
    """Nodes, memory and times of a network as the switches are now."""
    net.hybridize(clear=True)

    def train():
        with autograd.record():
            loss = net(x).sum()
        loss.backward()
    infer_time = seconds(lambda: net(x), rounds)
    inference = net._cached_op.report()
    train_time = seconds(train, rounds)
    training = net._cached_op.report()
    return inference, infer_time, training, train_time


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", choices=sorted(networks()), action="append")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    names = [item["name"] for item in mx.sym.passes.list_passes()]
    heads = ("planned", "unshared", "infer", "saved", "train")
    print(f"{'network':12} {'passes':22} {'steps':>6} " + " ".join(f"{head:>9}" for head in heads))
    for name, (net, x) in networks().items():
        if options.net and name not in options.net:
            continue
        net.initialize(mx.init.Xavier())
        net(x)
        for on in range(len(names) + 1):
            with mx.sym.passes.switched(**{other: i < on for i, other in enumerate(names)}):
                inference, infer_time, training, train_time = measure(net, x, options.rounds)
            label = "none" if on == 0 else f"+ {names[on - 1]}"
            print(f"{name:12} {label:22} {inference['steps']:6} {inference['temporary_bytes'] / 1e6:6.2f} MB "
                  f"{inference['unshared_bytes'] / 1e6:6.2f} MB {infer_time * 1e3:6.2f} ms "
                  f"{training['saved_bytes'] / 1e6:6.2f} MB {train_time * 1e3:6.2f} ms", flush=True)


if __name__ == "__main__":
    main()

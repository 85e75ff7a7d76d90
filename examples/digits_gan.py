"""Teach one network to draw digits and another to tell them from real ones (Goodfellow et al., 2014).

The 5000 digits in examples/data/mnist are read by default. At the end a classifier that was trained on the
real digits says how many of the drawn ones it is sure of, and how evenly they are spread over the ten kinds.
"""
import argparse
import pathlib

import matplotlib
import numpy as np

import mxnet as mx
from mxnet import autograd, gluon, vision
from mxnet.gluon import nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def generator():
    """Noise ``(batch, noise)`` to images ``(batch, 1, 28, 28)`` from -1 to 1."""
    net = nn.HybridSequential()
    net.add(nn.Dense(64 * 7 * 7), nn.BatchNorm(), nn.Activation("relu"),
            nn.HybridLambda(lambda F, x: F.reshape(x, (-1, 64, 7, 7))),
            nn.Conv2DTranspose(32, 4, strides=2, padding=1), nn.BatchNorm(), nn.Activation("relu"),
            nn.Conv2DTranspose(1, 4, strides=2, padding=1, activation="tanh"))
    return net


def judge():
    """Images to one score each, high for real ones."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(32, 4, strides=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout(0.3),
            nn.Conv2D(64, 4, strides=2, padding=1), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Dense(1))
    return net


def classifier(digits):
    """A network that knows the ten digits."""
    net = nn.HybridSequential()
    net.add(nn.Conv2D(16, 5, activation="relu"), nn.MaxPool2D(), nn.Conv2D(32, 5, activation="relu"), nn.MaxPool2D(),
            nn.Dense(10, activation="softmax"))
    net.fit(digits, num_epochs=3, optimizer=gluon.optimizer.Adam(learning_rate=0.002))
    return net


def train(images, args):
    draw, tell = generator(), judge()
    for net in (draw, tell):
        net.initialize(mx.init.Normal(0.02))
    trainers = [gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 2e-4, "beta1": 0.5})
                for net in (draw, tell)]
    loss_of = gluon.loss.SigmoidBinaryCrossEntropyLoss()
    real, fake = mx.nd.ones((args.batch_size,)), mx.nd.zeros((args.batch_size,))
    for epoch in range(args.epochs):
        order = np.random.permutation(len(images))
        losses = []
        for start in range(0, len(images) - args.batch_size + 1, args.batch_size):
            batch = mx.nd.array(images[order[start:start + args.batch_size]])
            noise = mx.nd.random.normal(shape=(args.batch_size, args.noise))
            with autograd.record():
                drawn = draw(noise)
                loss = loss_of(tell(batch), real) + loss_of(tell(drawn.detach()), fake)
            loss.backward()
            trainers[1].step(args.batch_size)
            # The gradient reaches the generator through the judge, whose own gradients are not used.
            with autograd.record():
                fooled = loss_of(tell(draw(noise)), real)
            fooled.backward()
            trainers[0].step(args.batch_size)
            losses.append((loss.mean(), fooled.mean()))
        means = np.mean([[float(x.asscalar()) for x in pair] for pair in losses], axis=0)
        print(f"epoch {epoch + 1}/{args.epochs}: judge {means[0]:.3f}, generator {means[1]:.3f}", flush=True)
    return draw


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=str(here / "data" / "mnist"))
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--noise", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    digits = vision.MNIST(args.data, train=True)
    images = digits.take_batch(np.arange(len(digits)))[0].asnumpy() * 2 - 1
    draw = train(images, args)

    drawn = draw(mx.nd.random.normal(shape=(500, args.noise)))
    probabilities = classifier(digits).predict((drawn + 1) / 2).asnumpy()
    sure = (probabilities.max(axis=1) > 0.9).mean()
    spread = np.bincount(probabilities.argmax(axis=1), minlength=10) / len(probabilities)
    entropy = -(spread[spread > 0] * np.log(spread[spread > 0])).sum() / np.log(10)
    args.output.mkdir(parents=True, exist_ok=True)
    sheet = drawn[:64].asnumpy().reshape(8, 8, 28, 28).transpose(0, 2, 1, 3).reshape(224, 224)
    plt.imsave(args.output / "digits_gan.png", sheet, cmap="gray")
    print(f"the classifier is sure of {sure:.3f} of the drawn digits, spread over the kinds {entropy:.3f} (1 is even)")


if __name__ == "__main__":
    main()

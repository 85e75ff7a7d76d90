"""Train LeNet on handwritten digits, then save its parameters and a picture of what it learned.

The 5000 digits in examples/data/mnist are read by default, so it runs without a network;
--data names a directory with the files of another set in the same format.
"""

import argparse
import pathlib
import time

import matplotlib
import numpy as np
from tqdm import tqdm

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn
from mxnet.gluon.data.vision import MNIST, transforms

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def lenet():
    net = nn.HybridSequential()
    net.add(
        nn.Conv2D(20, kernel_size=5),
        nn.BatchNorm(),
        nn.Activation("relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Conv2D(50, kernel_size=5),
        nn.BatchNorm(),
        nn.Activation("relu"),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Dense(256, activation="relu"),
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


def load(root, train, batch_size):
    steps = [transforms.RandomResizedCrop(28, scale=(0.75, 1.0), ratio=(0.85, 1.15))] if train else []
    digits = MNIST(root, train=train).transform_first(transforms.Compose([*steps, transforms.ToTensor()]))
    return gluon.data.DataLoader(digits, batch_size, shuffle=train)


def train_epoch(net, trainer, loss_of, batches, title):
    total, count = 0.0, 0
    progress = tqdm(batches, desc=title, ncols=80, leave=False)
    for images, labels in progress:
        with autograd.record():
            loss = loss_of(net(images), labels)
        loss.backward()
        trainer.step(len(images))
        total += loss.sum().asscalar()
        count += len(images)
        progress.set_postfix(loss=f"{total / count:.4f}")
    return total / count


def confusion(net, batches):
    """Rows are the digits, columns what the network takes them for."""
    table = np.zeros((10, 10), dtype=int)
    for images, labels in batches:
        np.add.at(table, (labels.asnumpy(), net(images).argmax(axis=1).asnumpy().astype(int)), 1)
    return table


def draw(losses, accuracies, table, path):
    epochs = range(1, len(losses) + 1)
    figure, (curves, matrix) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    curves.plot(epochs, losses, "o-", label="training loss")
    curves.plot(epochs, accuracies, "s-", label="test accuracy")
    curves.set(xlabel="epoch", title=f"test accuracy {accuracies[-1]:.1%}")
    curves.legend(loc="center right")
    matrix.imshow(np.log1p(table), cmap="Blues")
    for (digit, guess), times in np.ndenumerate(table):
        if times:
            matrix.text(guess, digit, times, ha="center", va="center", color="white" if times > 50 else "black")
    matrix.set(xlabel="predicted", ylabel="digit", xticks=range(10), yticks=range(10), title="confusion matrix")
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=pathlib.Path(__file__).parent / "data" / "mnist")
    parser.add_argument("--output", default="mnist", help="directory for the parameters and the picture")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    mx.random.seed(args.seed)
    np.random.seed(args.seed)
    train, test = (load(str(args.data), part, args.batch_size) for part in (True, False))

    net = lenet()
    net.initialize(mx.init.Xavier())
    net.hybridize()
    decay = mx.lr_scheduler.CosineScheduler(args.epochs * len(train), args.learning_rate)
    adam = mx.optimizer.Adam(learning_rate=args.learning_rate, lr_scheduler=decay)
    trainer = gluon.Trainer(net.collect_params(), adam)
    loss_of = gluon.loss.SoftmaxCrossEntropyLoss()

    losses, accuracies = [], []
    for epoch in range(1, args.epochs + 1):
        start = time.time()
        losses.append(train_epoch(net, trainer, loss_of, train, f"epoch {epoch}/{args.epochs}"))
        table = confusion(net, test)
        accuracies.append(table.trace() / table.sum())
        print(
            f"epoch {epoch:2}/{args.epochs}: loss {losses[-1]:.4f}, "
            f"test accuracy {accuracies[-1]:.4f}, {time.time() - start:.1f} s"
        )

    output = pathlib.Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    net.save_parameters(str(output / "lenet.params"))
    draw(losses, accuracies, table, output / "lenet.png")
    print(f"saved {output / 'lenet.params'} and {output / 'lenet.png'}")


if __name__ == "__main__":
    main()

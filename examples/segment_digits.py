"""Find out for each pixel of a picture which digit it belongs to: a small U-Net (Ronneberger et al., 2015).

The pictures are made of the real digits in examples/data/mnist, thrown on a noisy ground.
"""
import argparse
import pathlib

import matplotlib
import numpy as np

import mxnet as mx
from mxnet import gluon, vision
from mxnet.gluon import nn

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


def convolutions(channels):
    out = nn.HybridSequential(prefix="")
    for _ in range(2):
        out.add(nn.Conv2D(channels, 3, padding=1, use_bias=False), nn.BatchNorm(), nn.Activation("relu"))
    return out


class UNet(gluon.HybridBlock):
    """Down to coarse pictures and up again, each time joined with the finer picture from the way down."""

    def __init__(self, classes, channels=(16, 32, 64, 64), **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.down, self.up, self.join = (nn.HybridSequential(prefix="") for _ in range(3))
            self.pool, self.out = nn.MaxPool2D(), nn.Conv2D(classes, 1)
            self.down.add(*map(convolutions, channels))
            for count in channels[-2::-1]:
                self.up.add(nn.Conv2DTranspose(count, 2, strides=2))
                self.join.add(convolutions(count))

    def hybrid_forward(self, F, x):
        kept = []
        for block in self.down:
            x = block(self.pool(x) if kept else x)
            kept.append(x)
        for up, join, fine in zip(self.up, self.join, kept[-2::-1]):
            x = join(F.concat(up(x), fine, dim=1))
        return self.out(x)


def pictures(digits, count, size, random):
    """Pictures ``(count, 1, size, size)`` and masks ``(count, size, size)``: 0 is the ground, 1 to 10 are digits."""
    data = random.uniform(0, 0.3, (count, 1, size, size)).astype("float32")
    mask = np.zeros((count, size, size), "float32")
    for i in range(count):
        for k in random.randint(0, len(digits), 4):
            digit, label = digits._data[k, 0] / 255.0, digits._label[k]
            y, x = random.randint(0, size - 27, 2)
            free = (digit > 0.3) & (mask[i, y:y + 28, x:x + 28] == 0)
            data[i, 0, y:y + 28, x:x + 28][free] = digit[free]
            mask[i, y:y + 28, x:x + 28][free] = label + 1
    return data, mask


def overlap(mask, found, classes):
    """The mean over classes of intersection over union."""
    table = np.bincount((mask * classes + found).astype("int64").ravel(), minlength=classes ** 2).reshape(classes, -1)
    both = np.diag(table)
    return np.mean(both / np.maximum(table.sum(axis=0) + table.sum(axis=1) - both, 1))


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=str(here / "data" / "mnist"))
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--pictures", type=int, default=800)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    random = np.random.RandomState(args.seed)
    train = pictures(vision.MNIST(args.data, train=True), args.pictures, 56, random)
    test = pictures(vision.MNIST(args.data, train=False), 100, 56, random)
    net = UNet(11)
    schedule = mx.lr_scheduler.CosineScheduler(args.epochs * args.pictures // 8, 0.005, final_lr=0.0001)
    net.fit(train, num_epochs=args.epochs, loss_fn=gluon.loss.SoftmaxCrossEntropyLoss(axis=1), metrics=[],
            optimizer=gluon.optimizer.Adam(learning_rate=0.005, lr_scheduler=schedule), batch_size=8)
    found = net.predict(mx.nd.array(test[0])).asnumpy().argmax(axis=1)
    args.output.mkdir(parents=True, exist_ok=True)
    _, axes = plt.subplots(3, 6, figsize=(12, 6))
    for row, (name, images) in zip(axes, (("picture", test[0][:, 0]), ("truth", test[1]), ("found", found))):
        for axis, image in zip(row, images):
            plain = name == "picture"
            axis.imshow(image, cmap="gray" if plain else "tab20", vmin=0, vmax=1 if plain else 11)
            axis.set_axis_off()
        row[0].set_title(name)
    plt.savefig(args.output / "segment_digits.png")
    print(f"mean intersection over union {overlap(test[1], found, 11):.3f}, "
          f"right pixels {(found == test[1]).mean():.4f} on pictures of unseen digits")


if __name__ == "__main__":
    main()

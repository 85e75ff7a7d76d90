"""Samplers: in which order a data set is gone through."""
import numpy as np

__all__ = ["BatchSampler", "FilterSampler", "RandomSampler", "Sampler", "SequentialSampler"]


class Sampler:
    """The base of all samplers: an iterable of indices with a length."""

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} must override __len__")

    def __iter__(self):
        raise NotImplementedError(f"{type(self).__name__} must override __iter__")


class SequentialSampler(Sampler):
    """The indices ``start`` to ``start + length - 1`` in order."""

    def __init__(self, length, start=0):
        self._length = length
        self._start = start

    def __iter__(self):
        return iter(range(self._start, self._start + self._length))

    def __len__(self):
        return self._length


class RandomSampler(Sampler):
    """The indices 0 to ``length - 1`` in a new random order each time.

    The order comes from NumPy's global random numbers (``numpy.random.seed``).
    """

    def __init__(self, length):
        self._length = length

    def __iter__(self):
        return iter(np.random.permutation(self._length).tolist())

    def __len__(self):
        return self._length


class FilterSampler(Sampler):
    """The indices of the samples for which ``fn(sample)`` is true, in order."""

    def __init__(self, fn, dataset):
        self._indices = [i for i in range(len(dataset)) if fn(dataset[i])]

    def __iter__(self):
        return iter(self._indices)

    def __len__(self):
        return len(self._indices)


class BatchSampler(Sampler):
    """Groups the indices of a sampler into lists.

    Parameters
    ----------
    sampler : Sampler
        Gives the indices.
    batch_size : int
        Length of the lists.
    last_batch : {'keep', 'discard', 'rollover'}
        What becomes of the indices left over at the end: a shorter list, nothing, or the beginning
        of the next round. Otherwise ValueError.

    Examples
    --------
    >>> list(mx.gluon.data.BatchSampler(mx.gluon.data.SequentialSampler(5), 2, "keep"))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler, batch_size, last_batch="keep"):
        if batch_size < 1:
            raise ValueError(f"BatchSampler: batch_size must be at least 1, got {batch_size}")
        self._sampler = sampler
        self._batch_size = batch_size
        self._last_batch = last_batch
        self._prev = []

    def __iter__(self):
        self._check()
        batch, self._prev = self._prev, []
        for i in self._sampler:
            batch.append(i)
            if len(batch) == self._batch_size:
                yield batch
                batch = []
        if batch and self._last_batch == "keep":
            yield batch
        elif self._last_batch == "rollover":
            self._prev = batch

    def __len__(self):
        self._check()
        total, size = len(self._sampler), self._batch_size
        if self._last_batch == "keep":
            return (total + size - 1) // size
        if self._last_batch == "rollover":
            total += len(self._prev)
        return total // size

    def _check(self):
        if self._last_batch not in ("keep", "discard", "rollover"):
            raise ValueError("BatchSampler: last_batch must be 'keep', 'discard' or 'rollover', got "
                             f"{self._last_batch!r}")

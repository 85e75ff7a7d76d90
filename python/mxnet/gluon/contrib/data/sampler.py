"""Samplers for long sequences."""
from ...data import sampler

__all__ = ["IntervalSampler"]


class IntervalSampler(sampler.Sampler):
    """Every `interval`-th index from 0 on, and then from 1 on, and so on.

    With samples that follow each other in a text, a batch of them then holds texts that go on in the next batch.

    Parameters
    ----------
    length : int
        Number of indices.
    interval : int
        Distance between indices, at most `length`; otherwise AssertionError.
    rollover : bool
        Whether to go on from 1 and so on, or to stop at the end of the first run.

    Examples
    --------
    >>> list(mx.gluon.contrib.data.IntervalSampler(7, 3))
    [0, 3, 6, 1, 4, 2, 5]
    >>> list(mx.gluon.contrib.data.IntervalSampler(7, 3, rollover=False))
    [0, 3, 6]
    """

    def __init__(self, length, interval, rollover=True):
        if not 0 < interval <= length:
            raise AssertionError(f"IntervalSampler: interval must be 1 to the length {length}, got {interval}")
        self._length = length
        self._interval = interval
        self._rollover = rollover

    def __iter__(self):
        for start in range(self._interval if self._rollover else 1):
            yield from range(start, self._length, self._interval)

    def __len__(self):
        return self._length if self._rollover else -(-self._length // self._interval)

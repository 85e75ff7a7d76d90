"""The loader: makes batches of a data set, with worker threads if wanted."""
from collections import deque

import numpy as np

from ... import context, ndarray
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_batchify_fn", "default_mp_batchify_fn"]


def default_batchify_fn(data):
    """Joins samples into a batch: NDArrays are stacked, numbers and NumPy arrays become an NDArray.

    Samples that are tuples or lists give a list of batches, one for each of their items.

    Examples
    --------
    >>> from mxnet.gluon.data.dataloader import default_batchify_fn
    >>> default_batchify_fn([mx.nd.ones((3,)), mx.nd.zeros((3,))]).shape
    (2, 3)
    """
    first = data[0]
    if isinstance(first, ndarray.NDArray):
        return ndarray.stack(*data)
    if isinstance(first, (tuple, list)):
        return [default_batchify_fn(items) for items in zip(*data)]
    try:
        data = np.asarray(data)
    except ValueError as error:
        shapes = sorted({np.shape(item) for item in data})
        raise ValueError(f"DataLoader: samples of different shapes {shapes} cannot be joined into a batch; give "
                         "batchify_fn") from error
    if data.dtype.kind not in "biuf":
        raise TypeError(f"DataLoader: samples of type {type(first).__name__} cannot be joined into a batch; give "
                        "batchify_fn")
    return ndarray.array(data, dtype=data.dtype)


default_mp_batchify_fn = default_batchify_fn


def _as_in_context(data, ctx):
    """`data` (NDArrays in nested lists) on `ctx`."""
    if isinstance(data, ndarray.NDArray):
        return data.as_in_context(ctx)
    if isinstance(data, (list, tuple)):
        return [_as_in_context(item, ctx) for item in data]
    return data


class DataLoader:
    """Goes through a data set in batches.

    Parameters
    ----------
    dataset : Dataset
        The samples; anything with indices and a length will do.
    batch_size : int, optional
        Number of samples in a batch.
    shuffle : bool
        Whether the order is random and new each time.
    sampler : Sampler, optional
        Gives the order, instead of `shuffle`.
    last_batch : {'keep', 'discard', 'rollover'}, optional
        What becomes of samples left over at the end; see `BatchSampler`.
    batch_sampler : Sampler, optional
        Gives lists of indices, instead of the four above.
    batchify_fn : callable, optional
        Joins a list of samples into a batch; `default_batchify_fn` by default.
    num_workers : int
        Number of threads that load ahead; 0 loads when a batch is asked for.
    pin_memory : bool
        Whether batches are put into memory that GPU `pin_device_id` copies from faster.
    prefetch : int, optional
        Number of batches to load ahead, ``2 * num_workers`` by default.
    thread_pool : bool
        Accepted for compatibility: workers are threads in any case.
    timeout : int
        Seconds to wait for a batch before giving up.
    auto_reload : bool
        Whether loading ahead starts over by itself when all batches have been given out.

    Raises
    ------
    ValueError
        For arguments that exclude each other.

    Examples
    --------
    >>> data = mx.gluon.data.ArrayDataset(mx.nd.ones((10, 3)), mx.nd.arange(10))
    >>> for x, y in mx.gluon.data.DataLoader(data, batch_size=4, shuffle=True):
    ...     print(x.shape, y.shape)
    (4, 3) (4,)
    (4, 3) (4,)
    (2, 3) (2,)
    """

    _pool = None  # so that __del__ works when __init__ failed

    def __init__(self, dataset, batch_size=None, shuffle=False, sampler=None, last_batch=None,
                 batch_sampler=None, batchify_fn=None, num_workers=0, pin_memory=False, pin_device_id=0,
                 prefetch=None, thread_pool=False, timeout=120, auto_reload=False):
        if timeout <= 0:
            raise AssertionError(f"DataLoader: timeout must be positive, got {timeout}")
        if batch_sampler is None:
            if batch_size is None:
                raise ValueError("DataLoader: give batch_size, or batch_sampler")
            if sampler is None:
                sampler = RandomSampler(len(dataset)) if shuffle else SequentialSampler(len(dataset))
            elif shuffle:
                raise ValueError("DataLoader: shuffle cannot be given with sampler, which makes the order")
            batch_sampler = BatchSampler(sampler, batch_size, last_batch or "keep")
        elif batch_size is not None or shuffle or sampler is not None or last_batch is not None:
            raise ValueError("DataLoader: batch_size, shuffle, sampler and last_batch cannot be given with "
                             "batch_sampler, which decides about them")
        self._dataset = dataset
        self._batch_sampler = batch_sampler
        self._batchify_fn = batchify_fn or default_batchify_fn
        self._pin = context.cpu_pinned(pin_device_id) if pin_memory and context.num_gpus() else None
        self._num_workers = max(0, num_workers)
        self._prefetch = max(0, 2 * self._num_workers if prefetch is None else int(prefetch))
        self._timeout = timeout
        self._auto_reload = auto_reload
        self._ahead = None
        if auto_reload and self._num_workers:
            self.refresh()

    def _load(self, indices):
        """The batch of the samples `indices`."""
        return self._batchify_fn([self._dataset[i] for i in indices])

    def __iter__(self):
        if self._num_workers:
            batches = self._ahead or self._load_ahead()
            self._ahead = None
        else:
            batches = map(self._load, self._batch_sampler)
        for batch in batches:
            yield batch if self._pin is None else _as_in_context(batch, self._pin)
        if self._auto_reload and self._num_workers:
            self.refresh()

    def _load_ahead(self):
        """Batches in order, loaded by the workers before they are asked for."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor
            self._pool = ThreadPoolExecutor(self._num_workers, thread_name_prefix="mxnet-loader")
        order = iter(self._batch_sampler)
        waiting = deque()
        for indices in order:
            waiting.append(self._pool.submit(self._load, indices))
            if len(waiting) >= max(self._prefetch, 1):
                break
        return self._collect(order, waiting)

    def _collect(self, order, waiting):
        """Gives out the batches that `waiting` holds, and has more loaded as long as there are any."""
        from concurrent.futures import TimeoutError as Late
        try:
            while waiting:
                try:
                    batch = waiting[0].result(self._timeout)
                except Late:
                    if waiting[0].done():
                        raise  # the data set's own error
                    raise RuntimeError(f"DataLoader: no batch came within {self._timeout} s; give a larger timeout "
                                       "if loading one takes that long") from None
                waiting.popleft()
                for indices in order:
                    waiting.append(self._pool.submit(self._load, indices))
                    break
                yield batch
        finally:
            for future in waiting:
                future.cancel()

    def refresh(self):
        """Starts to load ahead for the next round now. Nothing happens without workers."""
        if self._num_workers and self._ahead is None:
            self._ahead = self._load_ahead()

    def clean(self):
        """Drops what was loaded ahead."""
        self._ahead = None

    def __len__(self):
        return len(self._batch_sampler)

    def __del__(self):
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

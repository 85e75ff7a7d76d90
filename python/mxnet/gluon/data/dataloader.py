"""The loader: makes batches of a data set, with worker processes or threads if wanted."""
import os
import weakref
from collections import deque
from concurrent.futures import TimeoutError as Late

import numpy as np

from ... import context, ndarray, util
from ._worker_pool import LoaderTimeoutError, WorkerPool
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


class _Load:
    """Makes batches; a class, not a method of the loader, so that worker processes are sent no more than they need."""

    def __init__(self, dataset, batchify_fn):
        self._dataset = dataset
        self._batchify_fn = batchify_fn

    def __call__(self, indices):
        return self._batchify_fn([self._dataset[i] for i in indices])


class _ThreadPool:
    """Worker threads, with the NumPy switches of the thread that made them."""

    def __init__(self, num_workers, load):
        from concurrent.futures import ThreadPoolExecutor
        self._load = load
        self._pid = os.getpid()
        flags = (util.is_np_shape(), util.is_np_array())
        self._executor = ThreadPoolExecutor(num_workers, "mxnet-loader", _set_flags, flags)
        # The threads end when nothing refers to the executor; those of a fork's parent are not in the fork.
        self._end = weakref.finalize(self, self._executor.shutdown, wait=False, cancel_futures=True)
        self._end.atexit = False

    @property
    def usable(self):
        return self._end.alive and self._pid == os.getpid()

    def submit(self, indices):
        return self._executor.submit(self._load, indices)

    def shutdown(self):
        self._end()


def _set_flags(shape, array):
    util.set_np_shape(shape)
    util._set_np_array(array)


class _Batches:
    """The batches of one round, in order; workers load them before they are asked for."""

    def __init__(self, pool, batch_sampler, ahead, timeout, pin):
        self._pool = pool
        self._length = len(batch_sampler) if hasattr(batch_sampler, "__len__") else None
        self._order = iter(batch_sampler)
        self._timeout = timeout
        self._pin = pin
        self._waiting = deque()
        for _ in range(max(ahead, 1)):
            self._submit_next()

    def _submit_next(self):
        for indices in self._order:
            self._waiting.append(self._pool.submit(indices))
            break

    def __iter__(self):
        return self

    def __len__(self):
        return self._length

    def __next__(self):
        if not self._waiting:
            raise StopIteration
        try:
            batch = self._waiting[0].result(self._timeout)
        except Late:
            hangs = not self._waiting[0].done()
            self.close()
            if not hangs:
                raise  # the data set's own error
            self._pool.shutdown()
            raise LoaderTimeoutError(f"DataLoader: no batch came within {self._timeout} s; give a larger timeout if "
                                     "loading one takes that long") from None
        except BaseException:
            self.close()
            raise
        self._waiting.popleft()
        self._submit_next()
        return batch if self._pin is None else _as_in_context(batch, self._pin)

    next = __next__

    def close(self):
        """Ends the round."""
        while self._waiting:
            self._waiting.popleft().cancel()
        self._order = iter(())

    def __del__(self):
        if hasattr(self, "_waiting"):
            self.close()


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
        Number of processes that load ahead; 0 loads when a batch is asked for. They start with the first round and are
        copies of this one (``fork``), or new ones after ``multiprocessing.set_start_method("spawn")``, which asks for a
        data set that can be pickled. Batches come in the same order, whatever the number. Random numbers of Python,
        NumPy and MXNet differ between workers, and follow from the seeds of Python's and NumPy's here.
    pin_memory : bool
        Whether batches are put into memory that GPU `pin_device_id` copies from faster.
    prefetch : int, optional
        Number of batches to load ahead, ``2 * num_workers`` by default.
    thread_pool : bool
        Whether to use threads instead of processes: they share the data set, and suit one that mostly waits for files
        or calls functions outside Python.
    timeout : int
        Seconds to wait for a batch before giving up.
    auto_reload : bool
        Whether loading ahead starts over by itself when all batches have been given out.
    try_nopython : bool, optional
        Accepted for later versions' sake; nothing follows from it.

    Raises
    ------
    ValueError
        For arguments that exclude each other.
    mxnet.error.MXNetError
        While loading: when a worker process has ended, or no batch came in time. The next round starts new workers.
        Errors of the data set are raised as they are; `__cause__` shows their traceback in the worker.

    Examples
    --------
    >>> data = mx.gluon.data.ArrayDataset(mx.nd.ones((10, 3)), mx.nd.arange(10))
    >>> for x, y in mx.gluon.data.DataLoader(data, batch_size=4, shuffle=True):
    ...     print(x.shape, y.shape)
    (4, 3) (4,)
    (4, 3) (4,)
    (2, 3) (2,)
    """

    _pool = None  # so that `clean` works when __init__ failed
    _ahead = None

    def __init__(self, dataset, batch_size=None, shuffle=False, sampler=None, last_batch=None,
                 batch_sampler=None, batchify_fn=None, num_workers=0, pin_memory=False, pin_device_id=0,
                 prefetch=None, thread_pool=False, timeout=120, auto_reload=False, try_nopython=None):
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
        self._thread_pool = thread_pool
        self._timeout = timeout
        self.auto_reload = auto_reload
        if auto_reload:
            self.refresh()

    def __iter__(self):
        if self._num_workers == 0:
            return self._batches_here()
        if self.auto_reload:
            return self._reloading()
        return self._take_ahead()

    def _batches_here(self):
        load = _Load(self._dataset, self._batchify_fn)
        for indices in self._batch_sampler:
            batch = load(indices)
            yield batch if self._pin is None else _as_in_context(batch, self._pin)

    def _reloading(self):
        yield from self._take_ahead()
        self.refresh()

    def _take_ahead(self):
        self.refresh()
        batches, self._ahead = self._ahead, None
        return batches

    def refresh(self):
        """Starts to load ahead for the next round now. Nothing happens without workers."""
        if self._num_workers == 0 or self._ahead is not None:
            return
        if self._pool is None or not self._pool.usable:
            kind = _ThreadPool if self._thread_pool else WorkerPool
            self._pool = kind(self._num_workers, _Load(self._dataset, self._batchify_fn))
        self._ahead = _Batches(self._pool, self._batch_sampler, self._prefetch, self._timeout, self._pin)

    def clean(self):
        """Drops what was loaded ahead."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def __len__(self):
        return len(self._batch_sampler)

    def __getstate__(self):
        return {**self.__dict__, "_pool": None, "_ahead": None}

    def __del__(self):
        self.clean()  # the pool ends with the last round that uses it

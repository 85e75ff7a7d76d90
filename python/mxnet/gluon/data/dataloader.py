"""The loader: makes batches of a data set, with worker processes or threads if wanted."""
import numpy as np

from ... import context, ndarray
from .sampler import BatchSampler, RandomSampler, SequentialSampler

__all__ = ["DataLoader", "default_batchify_fn", "default_mp_batchify_fn"]


def default_batchify_fn(data):
    """Joins samples into a batch: NDArrays are stacked, numbers and NumPy arrays become an NDArray.

    Samples that are tuples, or lists with NDArrays, give a list of batches, one for each of their items.

    Examples
    --------
    >>> from mxnet.gluon.data.dataloader import default_batchify_fn
    >>> default_batchify_fn([mx.nd.ones((3,)), mx.nd.zeros((3,))]).shape
    (2, 3)
    """
    first = data[0]
    if isinstance(first, ndarray.NDArray):
        return ndarray.stack(*data)
    if isinstance(first, tuple) or (isinstance(first, list) and any(isinstance(x, ndarray.NDArray) for x in first)):
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
    """`data` (NDArrays in nested lists) on `ctx`; as it is for None."""
    if ctx is None:
        return data
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
        self._pin = context.cpu_pinned(pin_device_id) if pin_memory else None
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
            yield _as_in_context(load(indices), self._pin)

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
        from . import _ahead  # imports multiprocessing
        if self._pool is None or not self._pool.usable:
            kind = _ahead.ThreadPool if self._thread_pool else _ahead.WorkerPool
            self._pool = kind(self._num_workers, _Load(self._dataset, self._batchify_fn))
        self._ahead = _ahead.Batches(self._pool, self._batch_sampler, self._prefetch, self._timeout, self._pin)

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


DataLoaderV1 = DataLoader


def __getattr__(name):
    """Names that subclasses of the loader in programs for MXNet 1.x use; they import multiprocessing."""
    if name in ("ForkingPickler", "_MultiWorkerIter", "_thread_worker_fn", "_thread_worker_initializer", "_worker_fn",
                "_worker_initializer"):
        from . import _own_pool
        return getattr(_own_pool, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")

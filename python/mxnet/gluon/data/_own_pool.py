"""Loading with a pool of one's own, as subclasses of the loader in programs for MXNet 1.x do it."""
import io
import pickle
from collections import deque
from multiprocessing.reduction import ForkingPickler

from ... import context, util
from .dataloader import _as_in_context

__all__ = []

_worker_dataset = None


def _worker_initializer(dataset, active_shape=False, active_array=False):
    """What each process of the pool starts with."""
    global _worker_dataset
    _worker_dataset = dataset
    util.set_np_shape(active_shape)
    util._set_np_array(active_array)


def _thread_worker_initializer(active_shape=False, active_array=False):
    """What each thread of the pool starts with."""
    util.set_np_shape(active_shape)
    util._set_np_array(active_array)


def _worker_fn(samples, batchify_fn, dataset=None):
    """The batch of the indices `samples`, pickled; of the data set that the process started with by default."""
    dataset = _worker_dataset if dataset is None else dataset
    file = io.BytesIO()
    ForkingPickler(file, pickle.HIGHEST_PROTOCOL).dump(batchify_fn([dataset[i] for i in samples]))
    return file.getvalue()


def _thread_worker_fn(samples, batchify_fn, dataset):
    """The batch of the indices `samples`."""
    return batchify_fn([dataset[i] for i in samples])


class _MultiWorkerIter:
    """The batches of a round, in order, that `worker_pool` loads ahead.

    Parameters
    ----------
    worker_pool : multiprocessing.Pool or ThreadPool
        Calls ``worker_fn(indices, batchify_fn, dataset)``, which gives a batch or a pickled one.
    batch_sampler : iterable
        Lists of indices.
    prefetch : int
        Number of batches to load ahead.
    """

    def __init__(self, worker_pool, batchify_fn, batch_sampler, pin_memory=False, pin_device_id=0,
                 worker_fn=_worker_fn, prefetch=0, dataset=None, data_loader=None, timeout=120):
        self._worker_pool = worker_pool
        self._batchify_fn = batchify_fn
        self._batch_sampler = batch_sampler
        self._order = iter(batch_sampler)
        self._worker_fn = worker_fn
        self._dataset = dataset
        self._data_loader = data_loader  # keeps the pool
        self._timeout = timeout
        self._ctx = context.cpu_pinned(pin_device_id) if pin_memory else None
        self._waiting = deque()
        for _ in range(max(prefetch, 1)):
            self._push_next()

    def _push_next(self):
        for indices in self._order:
            arguments = (indices, self._batchify_fn, self._dataset)
            self._waiting.append(self._worker_pool.apply_async(self._worker_fn, arguments))
            break

    def __len__(self):
        return len(self._batch_sampler)

    def __iter__(self):
        return self

    def __next__(self):
        if not self._waiting:
            raise StopIteration
        batch = self._waiting.popleft().get(self._timeout)
        self._push_next()
        return _as_in_context(pickle.loads(batch) if isinstance(batch, bytes) else batch, self._ctx)

    next = __next__

"""Loading ahead: worker threads, and rounds of batches that workers of either kind load."""
import os
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor, TimeoutError

from ... import util
from ._worker_pool import LoaderTimeoutError, WorkerPool
from .dataloader import _as_in_context

__all__ = ["Batches", "ThreadPool", "WorkerPool"]


class ThreadPool:
    """Worker threads, with the NumPy switches of the thread that made them."""

    def __init__(self, num_workers, load):
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


class Batches:
    """The batches of one round, in order; workers load them before they are asked for.

    Parameters
    ----------
    pool : ThreadPool or WorkerPool
        The workers.
    batch_sampler : iterable
        Lists of indices.
    ahead : int
        Number of batches to load ahead.
    timeout : float
        Seconds to wait for a batch.
    ctx : Context, optional
        Where the batches are put.
    """

    def __init__(self, pool, batch_sampler, ahead, timeout, ctx):
        self._pool = pool
        self._length = len(batch_sampler) if hasattr(batch_sampler, "__len__") else None
        self._order = iter(batch_sampler)
        self._timeout = timeout
        self._ctx = ctx
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
        except TimeoutError:
            if self._waiting[0].done():  # the data set's own error
                self.close()
                raise
            self.close()
            self._pool.shutdown()
            raise LoaderTimeoutError(f"DataLoader: no batch came within {self._timeout} s; give a larger timeout if "
                                     "loading one takes that long") from None
        except BaseException:
            self.close()
            raise
        self._waiting.popleft()
        self._submit_next()
        return _as_in_context(batch, self._ctx)

    next = __next__

    def close(self):
        """Ends the round."""
        while self._waiting:
            self._waiting.popleft().cancel()
        self._order = iter(())

    def __del__(self):
        if hasattr(self, "_waiting"):
            self.close()

"""Processes that make batches and hand them over in shared memory.

The memory is one file without a name, so that nothing stays behind however a process ends. It is cut into slots; a
request says which slot its batch goes to, and the slot is free again when the batch has been copied out of it. The
pages are therefore used again and again, instead of being mapped and cleared for every batch.
"""
import concurrent.futures
import hashlib
import io
import mmap
import multiprocessing
import os
import pickle
import random
import select
import signal
import struct
import sys
import threading
import time
import traceback
import warnings
import weakref
from collections import deque

import numpy as np

from ... import _core, autograd, ndarray, util
from ... import random as mx_random
from ...base import MXNetError
from ...context import cpu

__all__ = ["WorkerPool"]

_SLOT_SIZE = 1 << 36  # the file is sparse: only what is written takes memory
_ALIGNMENT = 64
_IN_FLIGHT = 64  # requests that a worker is sent ahead: their answers fit into the buffer of its connection
_REPLY = struct.Struct("<?QQ")  # whether loading failed; place and size of the pickled batch or error in the slot


class LoaderTimeoutError(MXNetError, multiprocessing.TimeoutError, concurrent.futures.TimeoutError):
    """No batch came in time."""


class WorkerTraceback(Exception):
    """The cause of an error that a worker passed on: its traceback, as text."""

    def __str__(self):
        return f"\n{self.args[0]}"


# -- shared memory ---------------------------------------------------------------------------------

class SharedMemory:
    """A growing file without a name, mapped slot by slot. Slot 0 says of the others whether they are still wanted."""

    def __init__(self, file=None):
        if file is None:
            file = _unnamed_file()
            os.ftruncate(file, _SLOT_SIZE)
        self._file = file
        self._slots = {}
        self.dropped = self.slot(0, 1)

    def __reduce__(self):
        from multiprocessing.reduction import DupFd
        return _opened_memory, (DupFd(self._file),)

    def add_slot(self, number):
        """Makes room for slot `number`."""
        os.ftruncate(self._file, (number + 1) * _SLOT_SIZE)

    def slot(self, number, size):
        """The first `size` bytes, or more, of a slot."""
        mapped = self._slots.get(number)
        if mapped is None or len(mapped) < size:
            if size > _SLOT_SIZE:
                raise MXNetError(f"DataLoader: a batch of {size} bytes is too large, at most {_SLOT_SIZE} are allowed")
            size = -(-max(size * 5 // 4, 1 << 16) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
            mapped = mmap.mmap(self._file, min(size, _SLOT_SIZE), offset=number * _SLOT_SIZE)
            self._slots[number] = mapped
        return memoryview(mapped)

    def close(self):
        """Gives the memory back."""
        self.dropped = None
        self._slots.clear()
        os.close(self._file)


def _unnamed_file():
    if hasattr(os, "memfd_create"):
        return os.memfd_create("mxnet-loader")
    import tempfile
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _opened_memory(duplicate):
    return SharedMemory(duplicate.detach())


# -- batches as bytes ------------------------------------------------------------------------------

class _Pickler(pickle.Pickler):
    """Pickles with the contents of arrays kept apart, in `contents`."""

    def __init__(self, file):
        self.contents = []
        super().__init__(file, protocol=5, buffer_callback=self._stays)

    def _stays(self, buffer):
        """True for buffers that others than `reducer_override` hand over, which are pickled in place."""
        return not self.contents or buffer is not self.contents[-1]

    def _apart(self, values):
        self.contents.append(pickle.PickleBuffer(np.ascontiguousarray(values)))
        return self.contents[-1]

    def reducer_override(self, item):
        if type(item) is np.ndarray and not item.dtype.hasobject:
            return _numpy_array, (self._apart(item), item.dtype, item.shape)
        if isinstance(item, ndarray.NDArray) and item.stype == "default":
            values = item.asnumpy()
            return _array, (self._apart(values), values.dtype, values.shape, type(item))
        return NotImplemented


def _numpy_array(buffer, dtype, shape):
    return np.frombuffer(buffer, dtype).reshape(shape).copy()


def _array(buffer, dtype, shape, kind):
    array = ndarray.array(np.frombuffer(buffer, dtype).reshape(shape), ctx=cpu(), dtype=dtype)
    return array if kind is ndarray.NDArray else array.as_np_ndarray()


def _write(memory, slot, item):
    """Puts `item` into a slot; returns the place and the size of what `_read` wants."""
    file = io.BytesIO()
    pickler = _Pickler(file)
    pickler.dump(item)
    contents, places, end = [buffer.raw() for buffer in pickler.contents], [], 0
    for content in contents:
        places.append((end, content.nbytes))
        end += -(-content.nbytes // _ALIGNMENT) * _ALIGNMENT
    text = pickle.dumps((places, file.getvalue()), protocol=5)
    view = memory.slot(slot, end + len(text))
    for (begin, size), content in zip(places, contents):
        view[begin:begin + size] = content
    view[end:end + len(text)] = text
    return end, len(text)


def _read(memory, slot, begin, size):
    """A copy of what `_write` put into a slot."""
    view = memory.slot(slot, begin + size)
    places, text = pickle.loads(view[begin:begin + size])
    return pickle.loads(text, buffers=[view[start:start + length] for start, length in places])


# -- in the worker ---------------------------------------------------------------------------------

def _portable(error):
    """`error`, pickled, and the text of its traceback. An error that cannot be pickled keeps its message only."""
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    try:
        pickled = pickle.dumps(error)
        pickle.loads(pickled)
    except Exception:
        pickled = pickle.dumps(MXNetError(f"{type(error).__name__}: {error}"))
    return pickled, text


class _Start:
    """What a worker begins with."""

    def __init__(self, number, seed):
        self.number = number
        self.seed = seed
        self.flags = (util.is_np_shape(), util.is_np_array())

    def apply(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it too, and ends the workers
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        words = np.random.SeedSequence(self.seed, spawn_key=(self.number,)).generate_state(3)
        random.seed(int(words[0]))
        np.random.seed(words[1])
        mx_random.seed(int(words[2] >> 1))
        autograd.set_recording(False)  # whatever goes on around the first round
        autograd.set_training(False)
        util.set_np_shape(self.flags[0])
        util._set_np_array(self.flags[1])
        _core.limit_compute_threads(1)  # the workers are the team


def _serve(connection, inherited, memory, load, start):
    """What a worker does: answers requests until there are no more."""
    for other in inherited:
        other.close()
    parent = os.getppid()
    start.apply()
    poller = _poller(connection)
    try:
        while True:
            while not poller.poll(5000):
                if os.getppid() != parent:
                    return
            request = connection.recv()
            if request is None:
                return
            connection.send_bytes(_answer(memory, load, *request))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent has ended


def _answer(memory, load, slot, indices):
    if memory.dropped[slot]:
        return _REPLY.pack(False, 0, 0)
    try:
        return _REPLY.pack(False, *_write(memory, slot, load(indices)))
    except Exception as error:
        return _REPLY.pack(True, *_write(memory, slot, _portable(error)))


def _poller(connection):
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return poller


# -- in the parent ---------------------------------------------------------------------------------

class _Request:
    """A batch that a worker is asked for; as a `concurrent.futures.Future`, as far as the loader uses one."""

    def __init__(self, worker, indices):
        self._worker = worker
        self.indices = indices
        self.slot = self._value = self._error = None
        self.finished = self.dropped = False

    def finish(self, value=None, error=None):
        self._value, self._error, self.finished = value, error, True

    def done(self):
        return self.finished

    def cancel(self):
        """The batch need not be loaded any more."""
        self._worker.drop(self)
        self.finish()

    def result(self, timeout):
        """The batch. LoaderTimeoutError when it does not come in time."""
        deadline = time.monotonic() + timeout
        while not self.finished:
            self._worker.receive(self, deadline)
        if self._error is None:
            return self._value
        try:
            raise self._error
        finally:
            self._error = None  # its traceback refers to this request, which would keep the workers


class _Worker:
    """A worker process, seen from the parent. It answers requests in order."""

    def __init__(self, pool, context, load, start):
        self._pool = weakref.proxy(pool)
        self._memory = pool.memory
        self._number = start.number
        self._lock = threading.Lock()
        self._sent, self._backlog, self._free_slots = deque(), deque(), []
        self.connection, other_end = context.Pipe()
        self._poller = _poller(self.connection)
        inherited = [*pool.connections(), self.connection] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=_serve, args=(other_end, inherited, pool.memory, load, start),
                                       name=f"mxnet-loader-{start.number}", daemon=True)
        try:
            with warnings.catch_warnings():  # of threads: the engine brings its own to rest around a fork
                warnings.simplefilter("ignore", DeprecationWarning)
                self.process.start()
        except (AttributeError, TypeError, pickle.PicklingError) as error:
            raise MXNetError(f"DataLoader: the data set cannot be sent to a worker process: {error}; use classes and "
                             "functions of a module, or thread_pool=True") from error
        finally:
            other_end.close()

    def submit(self, indices):
        request = _Request(self, indices)
        with self._lock:
            if len(self._sent) < _IN_FLIGHT:
                self._send(request)
            else:
                self._backlog.append(request)
        return request

    def _send(self, request):
        request.slot = self._free_slots.pop() if self._free_slots else self._pool.new_slot()
        self._memory.dropped[request.slot] = 0
        self._sent.append(request)
        try:
            self.connection.send((request.slot, request.indices))
        except (BrokenPipeError, ConnectionResetError):
            pass  # the worker is gone; `receive` says so, with what it was doing

    def drop(self, request):
        with self._lock:
            if request in self._backlog:
                self._backlog.remove(request)
            elif request in self._sent:
                request.dropped = True
                self._memory.dropped[request.slot] = 1

    def receive(self, request, deadline):
        """Takes one answer, for `request` or for one before it."""
        with self._lock:
            if request.finished:
                return
            while not self._poller.poll(1000 * min(1, max(0, deadline - time.monotonic()))):
                if not self.process.is_alive() and not self._poller.poll(0):
                    return self._lost()
                if time.monotonic() >= deadline:
                    raise LoaderTimeoutError
            try:
                self._take(*_REPLY.unpack(self.connection.recv_bytes()))
            except (EOFError, ConnectionResetError):
                self._lost()
            except BaseException:  # KeyboardInterrupt: who knows how much was received
                self._lost()
                raise

    def _take(self, failed, begin, size):
        request = self._sent[0]
        if request.dropped:
            request.finish()
        else:
            try:
                value, error = _read(self._memory, request.slot, begin, size), None
                if failed:
                    error = pickle.loads(value[0])
                    error.__cause__ = WorkerTraceback(value[1])
            except Exception as unreadable:
                value, error = None, unreadable
            request.finish(value, error)
        self._sent.popleft()
        self._free_slots.append(request.slot)
        if self._backlog:
            self._send(self._backlog.popleft())

    def _lost(self):
        """No more answers come: says why, to all who wait for one."""
        self.process.join(1)
        indices = repr(self._sent[0].indices)
        indices = indices if len(indices) < 200 else f"{indices[:200]}..."
        self._give_up(f"worker process {self._number} (pid {self.process.pid}) {self._end_of_process()} while it was "
                      f"to load samples {indices}")
        self._pool.broken = True

    def _give_up(self, why):
        for request in (*self._sent, *self._backlog):
            request.finish(error=MXNetError(f"DataLoader: {why}"))
        self._sent.clear()
        self._backlog.clear()

    def _end_of_process(self):
        code = self.process.exitcode
        if code is None:
            return "was interrupted"
        if code == -signal.SIGKILL:
            return "was killed by SIGKILL (as the system does when memory runs out)"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def ask_to_end(self):
        for request in self._sent:
            self._memory.dropped[request.slot] = 1
        try:
            self.connection.send(None)
        except OSError:
            pass  # it has ended
        self.connection.close()
        self._give_up("its workers were ended")

    def end(self, patience):
        """Waits for the process, in the end not politely."""
        for push in (None, self.process.terminate, self.process.kill):
            if push is not None:
                push()
            self.process.join(patience)
            if self.process.exitcode is not None:
                break
        self.process.close()


def _start_method():
    """That of the program; where it chose none, ``fork`` on Linux, which asks nothing of the data set."""
    return multiprocessing.get_start_method(allow_none=True) or ("fork" if sys.platform == "linux" else None)


def _seed():
    """A seed that follows from the random numbers of Python and NumPy, and leaves them as they are."""
    _, words, place, *_ = np.random.get_state()
    state = repr((random.getstate(), words.tobytes(), place))
    return int.from_bytes(hashlib.blake2b(state.encode(), digest_size=16).digest(), "little")


def _shut_down(workers, memory, pid):
    if os.getpid() != pid:
        return  # in a fork, whose copy of the pool has no processes
    for worker in workers:
        worker.ask_to_end()
    for worker in workers:
        worker.end(1)
    memory.close()


class WorkerPool:
    """Worker processes that are asked for batches in turn, so that a seed gives the same batches each time.

    Parameters
    ----------
    num_workers : int
        Number of processes.
    load : callable
        ``load(indices)`` gives a batch.

    Raises
    ------
    MXNetError
        When the processes are not forked and `load` cannot be pickled.
    """

    def __init__(self, num_workers, load):
        context = multiprocessing.get_context(_start_method())
        self.broken = False
        self.memory = SharedMemory()
        self._slots = 1
        self._submitted = 0
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._workers = []
        self._end = weakref.finalize(self, _shut_down, self._workers, self.memory, self._pid)
        seed = _seed()
        for number in range(num_workers):
            self._workers.append(_Worker(self, context, load, _Start(number, seed)))

    @property
    def usable(self):
        """False when a worker has died, after `shutdown`, and in a forked process."""
        return (self._end.alive and not self.broken and self._pid == os.getpid() and
                all(worker.process.is_alive() for worker in self._workers))

    def connections(self):
        return [worker.connection for worker in self._workers]

    def new_slot(self):
        with self._lock:
            self.memory.add_slot(self._slots)
            self._slots += 1
            return self._slots - 1

    def submit(self, indices):
        """Asks for the batch of `indices`; returns a request with `result(timeout)`."""
        with self._lock:
            worker = self._workers[self._submitted % len(self._workers)]
            self._submitted += 1
        return worker.submit(indices)

    def shutdown(self):
        """Ends the processes."""
        self._end()

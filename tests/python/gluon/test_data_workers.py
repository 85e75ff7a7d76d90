"""Worker processes of the loader: nothing is lost, left behind or waited for in vain, whatever happens to them.

MXNET_LOADER_EPOCHS sets the length of the long run (100 and more are thorough; default 30).
"""
import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
import traceback

import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon import data

EPOCHS = int(os.environ.get("MXNET_LOADER_EPOCHS", "30"))


class Numbers(data.Dataset):
    """0 to length - 1, each as a pair of an NDArray and a number. Some samples are trouble."""

    def __init__(self, length, raises=(), kills=(), sleeps=()):
        self.length, self.raises, self.kills, self.sleeps = length, raises, kills, sleeps

    def __len__(self):
        return self.length

    def __getitem__(self, i):
        if i in self.raises:
            raise KeyError(f"sample {i} is broken")
        if i in self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if i in self.sleeps:
            time.sleep(60)
        return mx.nd.full((3,), i), i


class Unpicklable(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


class Draws(data.Dataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return np.random.rand(), random.random(), mx.nd.random.uniform().asscalar(), os.getpid()


def numbers_of(batches):
    return np.concatenate([y.asnumpy() for _, y in batches]).tolist()


def children():
    """The processes whose parent is this one, the ended ones too."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                name, fields = file.read().split("(", 1)[1].rsplit(")", 1)
        except OSError:
            continue
        if int(fields.split()[1]) == os.getpid() and name != "resource_track":
            found.append((int(pid), name, fields.split()[0]))
    return found


def footprint():
    """Open files, files in /dev/shm and mapped memory that loaders could leave behind, and children."""
    with open("/proc/self/maps") as file:
        mapped = sum("mxnet-loader" in line or "/dev/shm" in line for line in file)
    return len(os.listdir("/proc/self/fd")), mapped, [n for n in os.listdir("/dev/shm") if "mxnet" in n], children()


@pytest.fixture(autouse=True)
def nothing_left():
    gc.collect()
    before = footprint()
    yield
    gc.collect()  # errors that tests have caught refer to the loader
    assert footprint() == before


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_order_and_contents(workers):
    loader = data.DataLoader(Numbers(50), 7, num_workers=workers)
    for _ in range(2):
        batches = list(loader)
        assert len(batches) == len(loader) == 8
        assert numbers_of(batches) == list(range(50))
        assert (np.concatenate([x.asnumpy() for x, _ in batches])[:, 1] == range(50)).all()
        assert batches[0][0].shape == (7, 3) and batches[-1][0].shape == (1, 3)


def spawned(function):
    """Runs `function` of this module in a program that spawns its processes."""
    program = ("import multiprocessing, test_data_workers as tests\n"
               "if __name__ == '__main__':\n"
               "    multiprocessing.set_start_method('spawn')\n"
               f"    tests.{function}()\n")
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    return subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": path}, text=True,
                          capture_output=True, timeout=120)


def spawn_program():
    loader = data.DataLoader(Numbers(20, raises=(13,)), 4, num_workers=2)
    batches = iter(loader)
    assert numbers_of([next(batches) for _ in range(3)]) == list(range(12))
    try:
        next(batches)
    except KeyError as error:
        assert "sample 13 is broken" in str(error.__cause__)
    else:
        raise AssertionError("no error came")
    try:
        iter(data.DataLoader(Numbers(4).transform(lambda x, y: x), 2, num_workers=1))
    except mx.MXNetError as error:
        assert "the data set cannot be sent to a worker process" in str(error)
    else:
        raise AssertionError("no error came")
    assert multiprocessing.active_children() != []
    del loader, batches
    assert multiprocessing.active_children() == []
    print("all well")


def test_spawn():
    done = spawned("spawn_program")
    assert (done.returncode, done.stdout, done.stderr) == (0, "all well\n", "")


def test_all_kinds_of_batches():
    values = {"b": np.arange(6, dtype="int8").reshape(2, 3), "empty": np.empty((0, 4)), "scalar": np.array(3.5),
              "half": mx.nd.ones((2, 2), dtype="float16"), "brain": mx.nd.ones((2,), dtype="bfloat16"),
              "none": None, "text": "text", "big": mx.nd.arange(300000), "turned": np.arange(6).reshape(2, 3).T,
              "objects": np.array([{"a": 1}, None], dtype=object), "nested": [(1, [mx.nd.zeros((1,))])]}
    loader = data.DataLoader([0, 1, 2], 1, num_workers=1, batchify_fn=lambda batch: (values, batch))
    for i, (have, batch) in enumerate(loader):
        assert batch == [i] and list(have) == list(values)
        for name, value in values.items():
            assert type(have[name]) is type(value)
            if isinstance(value, (np.ndarray, mx.nd.NDArray)):
                assert have[name].dtype == value.dtype and have[name].shape == value.shape
                wanted, got = (np.asarray(v.asnumpy() if isinstance(v, mx.nd.NDArray) else v)
                               for v in (value, have[name]))
                assert (wanted == got).all()
        assert have["nested"][0][1][0].asscalar() == 0
        have["b"][0, 0] = 5  # the batch is the caller's own
        have["big"][:] = 0


def test_batches_stay_as_they_were():
    kept = list(data.DataLoader(Numbers(40), 4, num_workers=2, prefetch=1))
    assert numbers_of(kept) == list(range(40))
    assert [x.asnumpy()[0, 0] for x, _ in kept] == list(range(0, 40, 4))


def test_errors_keep_their_traceback():
    loader = data.DataLoader(Numbers(20, raises=(9,)), 2, num_workers=2)
    for _ in range(2):
        batches = iter(loader)
        assert numbers_of([next(batches) for _ in range(4)]) == list(range(8))
        with pytest.raises(KeyError) as caught:
            next(batches)
        text = "".join(traceback.format_exception(caught.value))
        assert "test_data_workers.py" in text and 'raise KeyError(f"sample {i} is broken")' in text
        with pytest.raises(StopIteration):
            next(batches)


def test_errors_that_cannot_be_pickled():
    def fail(x):
        raise Unpicklable(1, x)
    with pytest.raises(mx.MXNetError, match="Unpicklable: 1 and 0"):
        list(data.DataLoader(data.SimpleDataset([0]).transform(fail), 1, num_workers=1))
    with pytest.raises(Exception, match="lambda"):
        list(data.DataLoader([0], 1, num_workers=1, batchify_fn=lambda batch: lambda: 0))


@pytest.mark.parametrize("kills, wanted", [((0,), 0), ((9,), 8)])
def test_killed_worker(kills, wanted):
    loader = data.DataLoader(Numbers(20, kills=kills), 2, num_workers=2)
    for _ in range(2):  # the second round has new workers
        batches, have = iter(loader), []
        with pytest.raises(mx.MXNetError, match=r"worker process 0 \(pid \d+\) was killed by SIGKILL .*while it was to "
                                                rf"load samples \[{wanted}, {wanted + 1}\]"):
            for batch in batches:
                have.append(batch)
        assert len(have) == wanted // 2


def test_worker_that_exits():
    def leave(x):
        os._exit(3)
    with pytest.raises(mx.MXNetError, match="ended with exit code 3"):
        list(data.DataLoader(data.SimpleDataset([0]).transform(leave), 1, num_workers=2))


def test_idle_workers_are_replaced():
    loader = data.DataLoader(Numbers(8), 2, num_workers=2)
    list(loader)
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    assert numbers_of(loader) == list(range(8))


def test_timeout():
    loader = data.DataLoader(Numbers(8, sleeps=(4,)), 2, num_workers=2, timeout=0.5)
    for kind in (mx.MXNetError, multiprocessing.TimeoutError):
        begin = time.time()
        with pytest.raises(kind, match="no batch came within 0.5 s"):
            list(loader)
        assert time.time() - begin < 20


def test_early_breaks():
    loader = data.DataLoader(Numbers(1000), 2, num_workers=2, prefetch=50)
    for _ in range(20):
        for _, y in loader:
            assert y.asnumpy().tolist() == [0, 1]
            break
    assert len(children()) == 2
    begin = time.time()
    slow = data.DataLoader(Numbers(100, sleeps=range(4, 100)), 2, num_workers=2)
    for _ in slow:
        break
    del slow
    assert time.time() - begin < 20


def test_nested_and_parallel_rounds():
    first, second = (data.DataLoader(Numbers(10), 3, num_workers=2) for _ in range(2))
    for x, y in zip(first, second):
        assert numbers_of([x]) == numbers_of([y])
        assert numbers_of(first) == list(range(10))
    many = data.DataLoader(Numbers(300), 1, num_workers=1, prefetch=200)  # more than a worker is sent at once
    assert numbers_of(many) == list(range(300))


def test_rounds_outlive_the_loader():
    batches = iter(data.DataLoader(Numbers(10), 3, num_workers=2))
    assert numbers_of(batches) == list(range(10))


def test_random_numbers_differ_and_repeat():
    def drawn(seed):
        np.random.seed(seed)
        random.seed(seed)
        state = np.random.get_state()[1].tolist()
        batches = [[float(x.asscalar()) for x in batch[:3]] for batch in data.DataLoader(Draws(), 1, num_workers=2)]
        assert np.random.get_state()[1].tolist() == state
        return batches
    first, again, other = drawn(1), drawn(1), drawn(2)
    assert first == again != other
    for kind in zip(*first):
        assert len(set(kind)) == 6


def test_modes_reach_the_workers():
    with mx.util.np_shape(True):
        batches = list(data.DataLoader([0], 1, num_workers=1, batchify_fn=lambda batch: mx.util.is_np_shape()))
    assert batches == [True]
    from mxnet import _core
    assert list(data.DataLoader([0], 1, num_workers=1, batchify_fn=lambda batch: _core.compute_threads())) == [1]


def test_contexts_and_recording():
    def kind(batch):
        assert not mx.autograd.is_recording() and not mx.autograd.is_training()
        return mx.nd.array(batch)
    with mx.autograd.record(), mx.cpu(1):
        assert [batch.context for batch in data.DataLoader([0], 1, num_workers=1, batchify_fn=kind)] == [mx.cpu(0)]
    for workers in (0, 1):
        for batch in data.DataLoader(Numbers(4), 2, num_workers=workers, pin_memory=True):
            assert [array.context for array in batch] == [mx.cpu_pinned(0)] * 2


def test_after_much_work_on_many_threads():
    x = mx.nd.random.uniform(shape=(600, 600))
    y = mx.nd.dot(x, x)  # under way while the workers start
    loader = data.DataLoader(Numbers(8).transform_first(lambda x: mx.nd.dot(mx.nd.ones((300, 300)), x[0] *
                                                                            mx.nd.ones((300, 1)))), 2, num_workers=2)
    assert [batch.shape for batch, _ in loader] == [(2, 300, 1)] * 4
    np.testing.assert_allclose(y.asnumpy(), x.asnumpy() @ x.asnumpy(), rtol=1e-4)


def test_auto_reload_and_pickle():
    loader = data.DataLoader(Numbers(10), 5, num_workers=2, auto_reload=True)
    for _ in range(3):
        assert numbers_of(loader) == list(range(10))
    assert numbers_of(pickle.loads(pickle.dumps(loader))) == list(range(10))
    loader.clean()
    assert numbers_of(loader) == list(range(10))


def orphan_program():
    loader = data.DataLoader(Numbers(100), 2, num_workers=3)
    next(iter(loader))
    print(*[process.pid for process in multiprocessing.active_children()], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def test_workers_end_with_their_parent():
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    done = subprocess.run([sys.executable, "-c", "import test_data_workers as t; t.orphan_program()"], text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": path}, timeout=60)
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 3
    deadline = time.time() + 15
    while time.time() < deadline and any(os.path.exists(f"/proc/{pid}/exe") for pid in workers):
        time.sleep(0.1)
    assert not any(os.path.exists(f"/proc/{pid}/exe") for pid in workers)


def test_fork_of_a_program_with_a_loader():
    loader = data.DataLoader(Numbers(10), 2, num_workers=2)
    batches = iter(loader)
    next(batches)
    child = os.fork()
    if child == 0:
        os._exit(0 if numbers_of(loader) == list(range(10)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert numbers_of(batches) == list(range(2, 10))


def one_epoch(generator, loader, length, batch):
    """A round that goes well, is left, or has its workers killed; returns what happened."""
    act = generator.choice(["whole", "break", "kill", "nested", "new"])
    at = generator.randrange(length // batch)
    have = []
    try:
        for i, (_, y) in enumerate(loader):
            have += y.asnumpy().tolist()
            if i == at and act == "break":
                return act
            if i == at and act == "nested":
                assert numbers_of(loader) == list(range(length))
            if i == at and act == "kill":
                for process in multiprocessing.active_children():
                    os.kill(process.pid, signal.SIGKILL)
                    process.join()
    except mx.MXNetError as error:
        assert act == "kill" and "was killed by SIGKILL" in str(error)
        return "killed"
    except KeyError:
        assert have == list(range(len(have))) and len(have) <= 76
        return "raised"
    assert have == list(range(length))
    return act


def test_long_run():
    generator, seen = random.Random(5), set()
    length, batch = 120, 4
    good = data.DataLoader(Numbers(length), batch, num_workers=3)
    bad = data.DataLoader(Numbers(length, raises=(77,)), batch, num_workers=2, prefetch=9)
    before = None
    for epoch in range(EPOCHS):
        for loader in (good, bad):
            seen.add(one_epoch(generator, loader, length, batch))
        fresh = data.DataLoader(Numbers(length), batch, shuffle=True, num_workers=2)
        for _ in fresh:
            if generator.random() < 0.1:
                break
        del fresh
        if epoch == 1:
            before = footprint()
    assert numbers_of(good) == list(range(length))
    if EPOCHS > 20:
        assert seen >= {"whole", "break", "killed", "raised", "nested"}
    assert footprint()[0] < before[0] + 40 and footprint()[1] < before[1] + 40 and len(children()) <= 5


def test_pools_of_ones_own():
    """Subclasses in programs for MXNet 1.x load with a pool that they make."""
    from mxnet.gluon.data import dataloader
    sampler = data.BatchSampler(data.SequentialSampler(10), 4)
    with multiprocessing.get_context("fork").Pool(2, dataloader._worker_initializer, [Numbers(10)]) as pool:
        batches = dataloader._MultiWorkerIter(pool, dataloader.default_mp_batchify_fn, sampler, prefetch=3)
        assert len(batches) == 3 and numbers_of(batches) == list(range(10))
        pool.close()
        pool.join()
    from multiprocessing.pool import ThreadPool
    with ThreadPool(2) as pool:
        batches = dataloader._MultiWorkerIter(pool, dataloader.default_batchify_fn, sampler, dataset=Numbers(10),
                                              worker_fn=dataloader._thread_worker_fn)
        assert numbers_of(batches) == list(range(10))
        pool.close()
        pool.join()
    assert dataloader.DataLoaderV1 is data.DataLoader

"""The engine seen from Python: its types agree, failures surface where they should, forks and exits are clean."""
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

PROGRAM = """
    import mxnet as mx
    import numpy as np
    from mxnet import nd
    mx.random.seed(4)
    rng = np.random.RandomState(0)
    w = [nd.array(rng.uniform(-1, 1, s)) for s in ((64, 100), (10, 64))]
    for v in w:
        v.attach_grad()
    x = nd.random.uniform(-1, 1, shape=(200, 100))
    label = nd.array(rng.randint(0, 10, 200))
    total = 0
    for step in range(20):
        with mx.autograd.record():
            hidden = nd.relu(nd.dot(x, w[0], transpose_b=True))
            score = nd.dot(hidden, w[1], transpose_b=True)
            loss = -nd.pick(nd.log_softmax(score), label).mean()
        loss.backward()
        for v in w:
            v -= 0.5 * v.grad
        x[step] = x[step + 1] * 2
        total += loss.asscalar()
    nd.waitall()
    print(repr(float(total)), w[0].asnumpy().tobytes().hex()[:4000])
"""


def python(program, **environment):
    """What a program prints, run by itself."""
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True,
                            timeout=300, env={**os.environ, **environment})
    assert result.returncode == 0, f"{result.returncode}: {result.stderr[-2000:]}"
    return result.stdout


@pytest.fixture(scope="module")
def expected():
    return python(PROGRAM)


def test_naive_engine_agrees(expected):
    assert python(PROGRAM, MXNET_ENGINE_TYPE="NaiveEngine") == expected


@pytest.mark.parametrize("threads", ["1", "2", "4"])
def test_threads_agree(expected, threads):
    # Bit by bit: neither kernels nor random numbers depend on the number of threads.
    assert python(PROGRAM, OMP_NUM_THREADS=threads) == expected


def test_one_cpu_agrees(expected):
    assert python("import os\nos.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n" +
                  textwrap.dedent(PROGRAM)) == expected


def test_engine_type():
    assert python("import mxnet as mx\nprint(mx._core.engine_type())",
                  MXNET_ENGINE_TYPE="NaiveEngine").strip() == "NaiveEngine"


# --- failures -----------------------------------------------------------------------------------------------


def failing(size=100000):
    """An array whose computation fails in the engine: an index out of range, found by the kernel only."""
    return nd.zeros((4, 2))[nd.full((size,), 9, dtype="int64")]


@pytest.mark.parametrize("size", [1, 100000], ids=["small", "large"])
@pytest.mark.parametrize("read", [lambda x: x.asnumpy(), lambda x: x.wait_to_read(), lambda x: (x + 1).asnumpy(),
                                  lambda x: nd.waitall()], ids=["asnumpy", "wait", "dependent", "waitall"])
def test_failures_surface(read, size):
    with pytest.raises(mx.MXNetError) as caught:
        read(failing(size))
    text = str(caught.value)
    assert "_advanced_index" in text, "the operator is named"
    assert "\n" not in text
    nd.waitall()  # raised once only
    assert nd.ones((2,)).sum().asscalar() == 2, "the engine lives on"


def test_asynchronous_failures_name_the_line():
    x = nd.zeros((4, 2))
    index = nd.full((100000,), 9, dtype="int64")
    try:
        y = x[index]; line = sys._getframe().f_lineno  # noqa: E702
        y.wait_to_read()
    except mx.MXNetError as error:
        if "called at" in str(error):
            assert f"test_engine.py:{line}" in str(error)
    else:
        pytest.fail("no error")


def test_failures_do_not_spread():
    good = nd.ones((1000,))
    bad = failing()
    after = good * 3
    np.testing.assert_array_equal(after.asnumpy(), np.full(1000, 3))
    with pytest.raises(mx.MXNetError):
        bad.asnumpy()
    bad = nd.zeros((2,))
    assert bad.sum().asscalar() == 0


def test_an_overwritten_failure_is_gone():
    x = failing()
    with pytest.raises(mx.MXNetError):
        x.wait_to_read()
    x[:] = 1
    assert x.sum().asscalar() == x.size


def test_unraised_failures_do_not_break_the_exit():
    python("""
        import mxnet as mx
        x = mx.nd.zeros((4, 2))[mx.nd.full((100000,), 9, dtype="int64")]
    """)


def test_shape_errors_are_raised_at_the_call():
    with pytest.raises(ValueError):
        nd.dot(nd.ones((2, 3)), nd.ones((2, 3)))


# --- processes ----------------------------------------------------------------------------------------------

FORK = """
    import os
    import mxnet as mx
    from mxnet import nd
    x = nd.ones((500, 500))
    y = nd.dot(x, x)          # in flight while forking
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            z = nd.dot(x, x) + number
            assert z[0, 0].asscalar() == 500 + number
            assert y[0, 0].asscalar() == 500
            nd.waitall()
            os._exit(7)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert (nd.dot(x, x) + y)[0, 0].asscalar() == 1000
    print("fine")
"""


@pytest.mark.parametrize("engine", ["ThreadedEnginePerDevice", "NaiveEngine"])
def test_fork(engine):
    assert python(FORK, MXNET_ENGINE_TYPE=engine).strip() == "fine"


def test_multiprocessing():
    assert python("""
        import multiprocessing
        import mxnet as mx
        def work(n):
            return float((mx.nd.ones((100, 100)) * n).sum().asscalar())
        if __name__ == "__main__":
            mx.nd.dot(mx.nd.ones((300, 300)), mx.nd.ones((300, 300)))
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(work, [1, 2, 3]))
    """).strip() == "[10000.0, 20000.0, 30000.0]"


@pytest.mark.parametrize("last", [
    "y = nd.dot(x, x)",
    "raise SystemExit(0)",
    "import threading; threading.Thread(target=lambda: nd.dot(x, x)).start()",
    "sys.modules['keep'] = nd.dot(x, x)",
    "import atexit; atexit.register(lambda: print(nd.dot(x, x).sum().asscalar()))",
    "x.attach_grad()\nwith mx.autograd.record():\n    y = nd.dot(x, x)\nsys.y = y",
], ids=["pending", "exit", "thread", "kept", "atexit", "tape"])
def test_exit(last):
    python("import sys\nimport mxnet as mx\nfrom mxnet import nd\nx = nd.ones((700, 700))\n" + last)


def test_ending_by_a_signal_while_working():
    program = "import mxnet as mx, os, signal\nx = mx.nd.ones((900, 900))\n" \
              "for _ in range(5): x = mx.nd.dot(x, x)\nos.kill(os.getpid(), signal.SIGTERM)\n"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=120)
    assert result.returncode == -15


def test_nothing_runs_at_import():
    assert python("""
        import os, threading
        import mxnet
        print(len(os.listdir("/proc/self/task")), threading.active_count())
    """).split()[1] == "1"


# --- memory -------------------------------------------------------------------------------------------------


def test_run_ahead_is_bounded():
    """A loop that queues faster than it computes does not fill memory."""
    mx._core.empty_cache(1, 0)
    mx._core.reset_peak_memory(1, 0)
    before = mx._core.storage_stats(1, 0)["in_use"]
    x = nd.ones((1000, 1000))
    for _ in range(2000):
        y = nd.exp(x)
    y.wait_to_read()
    assert mx._core.storage_stats(1, 0)["peak"] - before < 1.5e9


def test_the_pool_reuses_memory():
    x = nd.ones((512, 512))

    def step():
        y = nd.exp(x) + x
        y.wait_to_read()

    for _ in range(3):
        step()
    before = mx._core.storage_stats(1, 0)["system_allocations"]
    for _ in range(50):
        step()
    assert mx._core.storage_stats(1, 0)["system_allocations"] <= before + 2


def test_memory_limit_and_recovery():
    assert python("""
        import mxnet as mx
        from mxnet import nd
        mx._core.set_memory_limit(1, 0, 50_000_000)
        try:
            nd.zeros((100, 1000, 1000)).wait_to_read()
        except MemoryError as error:
            assert isinstance(error, mx.MXNetError)
            print("limit" in str(error))
        print(float(nd.ones((1000, 1000)).sum().asscalar()))
    """).split() == ["True", "1000000.0"]

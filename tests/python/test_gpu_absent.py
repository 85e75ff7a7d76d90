"""What a machine without a usable GPU answers."""
import pathlib
import subprocess
import sys

import pytest

import mxnet as mx

pytestmark = pytest.mark.skipif(mx.context.num_gpus() > 0, reason="there is a GPU on this machine")

NO_GPU = r"gpu\(0\): no GPU is available"


def test_there_are_no_gpus():
    assert mx.context.num_gpus() == 0
    assert mx.test_utils.list_gpus() == []


@pytest.mark.parametrize("ask", [mx.context.gpu_memory_info, mx.util.get_gpu_memory,
                                 lambda i: mx.util.get_cuda_compute_capability(mx.gpu(i))])
def test_questions_about_a_gpu_raise_plainly(ask):
    with pytest.raises(mx.MXNetError, match=NO_GPU):
        ask(0)


@pytest.mark.parametrize("make", [
    lambda: mx.nd.ones((2,), ctx=mx.gpu()),
    lambda: mx.nd.zeros((2, 3), ctx=mx.gpu(0)),
    lambda: mx.nd.full((2,), 3, ctx=mx.gpu()),
    lambda: mx.nd.array([1, 2], ctx=mx.gpu()),
    lambda: mx.nd.arange(4, ctx=mx.gpu()),
    lambda: mx.nd.ones((2,)).as_in_context(mx.gpu()),
    lambda: mx.nd.ones((2,)).copyto(mx.gpu()),
])
def test_arrays_on_a_gpu_raise_plainly(make):
    with pytest.raises(mx.MXNetError, match=NO_GPU):
        make().wait_to_read()


def test_the_default_context_may_name_a_gpu_until_it_is_used():
    with mx.gpu():
        assert mx.current_context() == mx.gpu(0)
        with pytest.raises(mx.MXNetError, match=NO_GPU):
            mx.nd.ones((2,)).wait_to_read()
    mx.nd.ones((2,)).wait_to_read()


def test_pinned_memory_is_plain_memory():
    x = mx.nd.ones((2,), ctx=mx.cpu_pinned())
    assert x.context == mx.cpu_pinned(0)
    assert (x + 1).asnumpy().tolist() == [2, 2]


def test_the_cuda_library_loads_and_its_kernels_belong_to_operators():
    library = pathlib.Path(mx.__file__).parent / "lib" / "libmxnet_cuda.so"
    if not library.exists():
        pytest.skip("libmxnet_cuda is not built")
    # Its kernels join the operators at the first look at the registry, which import takes.
    script = f"""
import ctypes
try:
    library = ctypes.CDLL({str(library)!r})
except OSError as error:
    print("not loadable:", error)
    raise SystemExit
library.mxnet_cuda_open.restype = ctypes.c_void_p
assert library.mxnet_cuda_open() is None
import mxnet as mx
assert mx.context.num_gpus() == 0
assert mx.nd.ones((2,)).sum().asscalar() == 2
print("loaded")
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False,
                         env={"PYTHONPATH": str(library.parents[2])})
    assert run.returncode == 0, run.stderr
    if run.stdout.startswith("not loadable"):
        pytest.skip(run.stdout.strip())
    assert run.stdout == "loaded\n"

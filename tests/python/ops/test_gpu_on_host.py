"""The GPU kernels, compiled for the host, against those of the CPU: see tests/gpu_on_host/CMakeLists.txt."""
import gzip
import json
import os
import pathlib
import subprocess
import sys

import calls
import pytest

import mxnet as mx

ROOT = pathlib.Path(__file__).parents[3]
PACKAGE = pathlib.Path(mx.__file__).parent


def _library():
    """libmxnet_cuda for the host, of the build that mxnet is from; an installed one is from build/ci."""
    build = PACKAGE.parents[1] if PACKAGE.parent.name == "python" else ROOT / "build" / "ci"
    library = build / "gpu_on_host" / "libmxnet_cuda.so"
    return library if library.exists() else None


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables under which a process finds mxnet with that library, and a driver."""
    library = _library()
    if library is None:
        pytest.skip("the GPU kernels were not built for the host (MXNET_BUILD_TESTS)")
    place = tmp_path_factory.mktemp("gpu_on_host")
    copy = place / "mxnet"
    (copy / "lib").mkdir(parents=True)
    for entry in PACKAGE.iterdir():
        if entry.name != "lib":
            (copy / entry.name).symlink_to(entry.resolve())
    for entry in (PACKAGE / "lib").iterdir():
        if entry.name != "libmxnet_cuda.so":
            (copy / "lib" / entry.name).symlink_to(entry.resolve())
    (copy / "lib" / "libmxnet_cuda.so").symlink_to(library)
    (place / "libcuda.so.1").symlink_to(library)  # any library will do
    paths = [str(copy / "lib"), str(place), os.environ.get("LD_LIBRARY_PATH", "")]
    return {**os.environ, "PYTHONPATH": str(place), "LD_LIBRARY_PATH": os.pathsep.join(filter(None, paths))}


def _run(environment, *arguments):
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def compared(environment):
    return json.loads(_run(environment, str(pathlib.Path(__file__).with_name("gpu_samples.py"))))


def test_kernels_give_what_those_of_the_cpu_give(compared):
    assert not compared["wrong"], "\n".join(compared["wrong"])
    assert len(compared["kernels"]) > 300


OPENING = """\
# Operators on a GPU

tests/python/ops/test_gpu_on_host.py checks this list. It compiles the GPU kernels as host code, and there all operators
of MXNet 1.9.1 that are not named here give the results and gradients of the CPU. Nothing has been run on a GPU.

These lack a kernel: their own, or one that their gradient or a part of them needs. Convolution and Deconvolution have
kernels made of cuDNN, which is not there on the host.

| operator | lacks |
|---|---|
"""
ON_CUDNN = ("Convolution", "Deconvolution")


def test_the_list_of_operators(compared, tmp_path):
    """cpp/cuda/OPERATORS.md names the operators of 1.9.1 that lack something on a GPU, and nothing else."""
    with gzip.open(calls.GOLDEN / "operators.json.gz", "rt") as file:
        known = set(json.load(file))
    lines = []
    for op, kernels in compared["lacking"].items():
        missing = ["itself" if name == op else f"`{name}`" for name in kernels if name not in ON_CUDNN]
        if missing and known & {op, *calls.registry()[op]["aliases"]}:
            lines.append(f"| {op} | {', '.join(missing)} |\n")
    text = OPENING + "".join(lines)
    (tmp_path / "OPERATORS.md").write_text(text)
    listed = (ROOT / "cpp" / "cuda" / "OPERATORS.md").read_text()
    assert listed == text, f"the list is no longer true; {tmp_path / 'OPERATORS.md'} is"

"""Runs the samples of all operators on ``mx.gpu(0)`` and on the CPU and prints, as JSON, what came of it.

``test_gpu_on_host.py`` starts this with GPU kernels that are compiled for the host; on a machine with a GPU it can be
started as it is.
"""
import json
import re
import sys

import calls
import numpy as np
import samples
from calls import registry, to_numpy

import mxnet as mx

NO_KERNEL = re.compile(r"(\w+): there is no kernel for gpu")


def results(sample, ctx):
    """Outputs and gradients of a sample, computed on `ctx`, as NumPy arrays."""
    derivatives = calls.Derivatives(sample)
    arrays = [None if a is None else a.as_in_context(ctx) for a in calls.arrays_of(sample)]
    for i in derivatives.wrt:
        arrays[i].attach_grad()
    with mx.autograd.record():
        outputs = calls.run(sample, arrays, **(_on(ctx) if not sample.inputs else {}))
    heads = [out for out in outputs if calls.is_floating(out) and mx._core.on_tape(out)]
    if heads:
        mx.autograd.backward(heads)
    assert all(out.context == ctx for out in outputs)
    return [to_numpy(a) for a in [*outputs, *(arrays[i].grad for i in derivatives.wrt)]]


def _on(ctx):
    return {"ctx": ctx}


def compare(sample):
    """None where the GPU gives what the CPU gives, else what is wrong."""
    want, have = results(sample, mx.cpu(0)), results(sample, mx.gpu(0))
    for number, (w, h) in enumerate(zip(want, have, strict=True)):
        if w.dtype.kind in "iub":
            np.testing.assert_array_equal(h, w, err_msg=f"result {number}")
        else:
            rtol, atol = calls.tolerance(sample, str(w.dtype))
            calls.close(h, w, rtol, atol, f"result {number}")


def _left_out(sample):
    """Sines of huge numbers: as host code the kernels call a function that leaves these to the loop around it."""
    return sample.op in ("sin", "cos") and np.abs(sample.inputs[0]).max(initial=0) > 1e15


def main():
    lacking, wrong, right = {}, [], set()
    for number, sample in enumerate(samples.load_samples()):
        if _left_out(sample):
            continue
        try:
            compare(sample)
            right.add(sample.op)
        except NotImplementedError as error:
            missing = NO_KERNEL.search(str(error))
            if missing is None:
                raise
            lacking.setdefault(sample.op, set()).add(missing[1])
        except Exception as error:
            wrong.append(f"sample {number}, {sample.op} {sample.params}: {type(error).__name__}: {str(error)[:600]}")
    kernels = sorted(name for name in registry() if calls.functions()[name].op_info()["has_gpu_kernel"])
    json.dump({"kernels": kernels, "right": sorted(right - set(lacking)), "wrong": wrong,
               "lacking": {op: sorted(names) for op, names in sorted(lacking.items())}}, sys.stdout)


if __name__ == "__main__":
    main()

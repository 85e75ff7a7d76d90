"""Writes operators.npz: what MXNet 1.9.1 gives for the samples of the operator tests.

Calls run in child processes, a batch at a time, because some bring the old library down; a batch that dies is
run again call by call. Calls that 1.9.1 does not know or refuses are left out.
"""
import contextlib
import dataclasses
import multiprocessing
import pathlib
import sys
import warnings
from queue import Empty

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "python" / "ops"))
MODULES = {"_contrib_": "contrib", "_linalg_": "linalg", "_image_": "image", "_sparse_": "sparse"}


def find(mx, name):
    for prefix, module in MODULES.items():
        if name.startswith(prefix):
            return getattr(getattr(mx.nd, module), name[len(prefix):])
    if name.startswith(("_np_", "_npi_", "_npx_")):
        raise AttributeError(f"{name} is reached through mx.np only")
    return getattr(mx.nd._internal if name.startswith("_") else mx.nd.op, name)


def record(samples, queue):
    warnings.simplefilter("ignore")
    import mxnet as mx
    results = {}
    for s in samples:
        for np_shape in (False, True):  # with it, real scalars and empty arrays, as ours
            try:
                with mx.util.np_shape(np_shape):
                    out = call(mx, s)
            except Exception as error:  # whatever the old library says, the call has no result
                message = (str(error).strip() or type(error).__name__).splitlines()[-1]
                continue
            for i, x in enumerate(out):
                results[f"{s.key}/{i}"] = x
            break
        else:
            print(f"{s.op} {s.params}: {message}"[:150], flush=True)
    queue.put(results)


def call(mx, s):
    inputs = [None if x is None else mx.nd.array(x, dtype=x.dtype) for x in s.inputs]
    while inputs and inputs[-1] is None:
        inputs.pop()
    out = find(mx, s.op)(*inputs, **s.params)
    return [x.asnumpy() for x in (out if isinstance(out, (list, tuple)) else [out])]


def run(samples):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    # References may be lambdas, which cannot be sent to another process.
    child = context.Process(target=record, args=([dataclasses.replace(s, ref=None) for s in samples], queue))
    child.start()
    results = None
    while results is None and (child.is_alive() or not queue.empty()):
        with contextlib.suppress(Empty):
            results = queue.get(timeout=1)
    child.join()
    if results is None and len(samples) > 1:
        half = len(samples) // 2
        results = {**run(samples[:half]), **run(samples[half:])}
    elif results is None:
        print(f"{samples[0].op}: the process died")
    return results or {}


def main():
    from samples import load_samples
    samples = [s for s in load_samples() if s.golden is not False]
    path = HERE / "operators.npz"
    known = {}
    if path.exists() and "--all" not in sys.argv:
        with np.load(path) as file:
            known = {key: file[key] for key in file.files}
    keys = {s.key for s in samples}
    results = {key: value for key, value in known.items() if key.split("/")[0] in keys}
    todo = [s for s in samples if f"{s.key}/0" not in results]
    for start in range(0, len(todo), 64):
        results.update(run(todo[start:start + 64]))
    np.savez_compressed(path, **{key: results[key] for key in sorted(results)})
    print(f"{len({key.split('/')[0] for key in results})} of {len(samples)} samples, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

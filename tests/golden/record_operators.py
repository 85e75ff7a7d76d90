"""Writes operators/: what MXNet 1.9.1 gives for the samples of the operator tests.

    record_operators.py [FAMILY ...]

A family is a module in tests/python/ops/samples, by default all; only calls that are new or changed are run.
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


def large(s):
    """Not worth the room, given a reference."""
    return s.ref is not None and max((x.size for x in s.inputs if x is not None), default=0) > 1000


def main(families):
    import recorded
    from samples import load_samples
    samples = [s for s in load_samples() if s.golden is not False and not large(s)]
    for family in sorted({s.family for s in samples}):
        if families and family not in families:
            continue
        mine = [s for s in samples if s.family == family]
        keys = {s.key for s in mine}
        results = {name: value for name, value in recorded.read(family).items() if name.split("/")[0] in keys}
        todo = [s for s in mine if f"{s.key}/0" not in results]
        for start in range(0, len(todo), 64):
            results.update(run(todo[start:start + 64]))
        recorded.write(family, results)
        print(f"{family}: {len({name.split('/')[0] for name in results})} of {len(mine)} samples")


if __name__ == "__main__":
    main(sys.argv[1:])

"""Results recorded from MXNet 1.9.1, one file for each family of samples in tests/golden/operators/."""
import functools
import json
import pathlib

import numpy as np

FOLDER = pathlib.Path(__file__).parents[2] / "golden" / "operators"


def write(family, results):
    """Writes arrays by name; equal results give equal files."""
    index, chunks, offset = {}, [], 0
    for name in sorted(results):
        data = np.ascontiguousarray(results[name])
        index[name] = [str(data.dtype), list(results[name].shape), offset]
        chunks.append(data.tobytes())
        offset += data.nbytes
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / f"{family}.npz", index=np.frombuffer(json.dumps(index).encode(), "uint8"),
                        data=np.frombuffer(b"".join(chunks), "uint8"))


@functools.cache
def read(family):
    """The arrays of a family by name, or nothing if none were recorded."""
    path = FOLDER / f"{family}.npz"
    if not path.exists():
        return {}
    with np.load(path) as file:
        index, data = json.loads(file["index"].tobytes()), file["data"].tobytes()
    return {name: np.frombuffer(data, dtype, int(np.prod(shape)), offset).reshape(shape)
            for name, (dtype, shape, offset) in index.items()}


def outputs(sample):
    """What 1.9.1 gave for a call, a list of arrays; empty if it was not recorded."""
    if sample.golden is False:
        return []
    known = read(sample.family)
    found = []
    while f"{sample.key}/{len(found)}" in known:
        found.append(known[f"{sample.key}/{len(found)}"])
    return found

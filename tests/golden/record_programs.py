"""Records what the programs of program_cases.py give with MXNet 1.9.1.

Run with a Python that has mxnet 1.9.1: ``MXNET_MKLDNN_ENABLED=0 python record_programs.py``.
"""
import tempfile

import numpy as np
import program_cases as cases

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    arrays = {}
    for name in cases.PROGRAMS:
        with tempfile.TemporaryDirectory() as folder:
            arrays.update({f"{name}/{key}": value for key, value in cases.run(mx, name, folder).items()})
    np.savez_compressed(cases.FILE, **arrays)


if __name__ == "__main__":
    main()

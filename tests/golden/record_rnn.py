"""Records what MXNet 1.9.1 computes for the cases of rnn_cases.py.

Run with a Python that has mxnet 1.9.1: ``python record_rnn.py``. Its RNN operator is right with MKL-DNN only, and its
convolutions are without; so each kind of case has a process of its own.
"""
import multiprocessing
import os

import rnn_cases as cases


def record(kind):
    os.environ["MXNET_MKLDNN_ENABLED"] = str(int(kind == "layer"))
    os.environ["MXNET_STORAGE_FALLBACK_LOG_VERBOSE"] = "0"
    import mxnet as mx
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    names, run = cases.KINDS[kind]
    return {f"{kind}/{name}/{key}": value for name in names for key, value in run(mx, name).items()}


def main():
    arrays = {}
    for kind in cases.KINDS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            arrays.update(pool.apply(record, (kind,)))
    cases.recorded.write(cases.FAMILY, arrays)


if __name__ == "__main__":
    main()

"""Records what MXNet 1.9.1 computes for the cases of gluon_cases.py.

Run with a Python that has mxnet 1.9.1: ``python record_gluon.py``. The reference are its own operators;
what is there with MKL-DNN only has a process of its own.
"""
import json
import multiprocessing
import os
import pathlib

import gluon_cases as cases
import numpy as np

HERE = pathlib.Path(__file__).parent


def record(with_mkldnn):
    os.environ["MXNET_MKLDNN_ENABLED"] = str(int(with_mkldnn))
    os.environ["MXNET_STORAGE_FALLBACK_LOG_VERBOSE"] = "0"
    import mxnet as mx
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    kinds = [("layer", cases.WITH_MKLDNN, cases.run_layer)] if with_mkldnn else [
        ("layer", [name for name in [*cases.LAYERS, *cases.CONTRIB_LAYERS] if name not in cases.WITH_MKLDNN],
         cases.run_layer),
        ("loss", cases.losses(mx.gluon.loss), cases.run_loss),
        ("optimizer", cases.OPTIMIZERS, cases.run_optimizer),
        ("schedule", cases.SCHEDULES, cases.run_schedule),
        ("metric", cases.metrics(mx.metric), cases.run_metric),
        ("iterator", cases.ITERATORS, cases.run_iterator)]
    arrays = {f"{kind}/{name}/{key}": value
              for kind, names, run in kinds for name in names for key, value in run(mx, name).items()}
    return arrays, None if with_mkldnn else cases.run_names(mx)


def main():
    arrays, names = {}, None
    for with_mkldnn in (True, False):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            made, names = pool.apply(record, (with_mkldnn,))
            arrays.update(made)
    np.savez_compressed(HERE / "gluon.npz", **arrays)
    (HERE / "gluon_names.json").write_text(json.dumps(names, indent=1) + "\n")


if __name__ == "__main__":
    main()

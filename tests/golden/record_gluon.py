"""Records what MXNet 1.9.1 computes for the cases of gluon_cases.py.

Run with a Python that has mxnet 1.9.1:
``MXNET_MKLDNN_ENABLED=0 MXNET_STORAGE_FALLBACK_LOG_VERBOSE=0 python record_gluon.py``
"""
import json
import pathlib

import gluon_cases as cases
import numpy as np

import mxnet as mx

HERE = pathlib.Path(__file__).parent


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    arrays = {}
    for kind, names, run in (("layer", cases.LAYERS, cases.run_layer),
                             ("loss", cases.losses(mx.gluon.loss), cases.run_loss),
                             ("optimizer", cases.OPTIMIZERS, cases.run_optimizer),
                             ("schedule", cases.SCHEDULES, cases.run_schedule),
                             ("metric", cases.metrics(mx.metric), cases.run_metric),
                             ("iterator", cases.ITERATORS, cases.run_iterator)):
        for name in names:
            for key, value in run(mx, name).items():
                arrays[f"{kind}/{name}/{key}"] = value
    np.savez_compressed(HERE / "gluon.npz", **arrays)
    (HERE / "gluon_names.json").write_text(json.dumps(cases.run_names(mx), indent=1) + "\n")


if __name__ == "__main__":
    main()

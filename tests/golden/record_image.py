"""Records what MXNet 1.9.1 gives for the cases of image_cases.py.

Run with a Python that has mxnet 1.9.1:
``MXNET_MKLDNN_ENABLED=0 MXNET_STORAGE_FALLBACK_LOG_VERBOSE=0 python record_image.py``
"""
import json
import pathlib
import random
import tempfile

import image_cases as cases
import numpy as np

import mxnet as mx

HERE = pathlib.Path(__file__).parent


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    arrays = {}
    for kind, table in (("image", cases.CASES), ("iterator", cases.ITERATORS)):
        for name, run in table.items():
            random.seed(0)
            np.random.seed(0)
            with tempfile.TemporaryDirectory() as folder:
                results = run(mx) if kind == "image" else run(mx, pathlib.Path(folder))
            for i, x in enumerate(results):
                arrays[f"{kind}/{name}/{i}"] = x
    np.savez_compressed(HERE / "image.npz", **arrays)
    (HERE / "image_names.json").write_text(json.dumps(cases.descriptions(mx), indent=1) + "\n")


if __name__ == "__main__":
    main()

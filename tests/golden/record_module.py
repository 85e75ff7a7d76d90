"""Records what MXNet 1.9.1 computes for the cases of module_cases.py.

Run with a Python that has mxnet 1.9.1: ``python record_module.py`` (its native GRU
refuses every call, so MKL-DNN stays on)
"""
import module_cases as cases
import numpy as np

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    arrays = {f"{kind}/{name}/{key}": value for kind, (names, run) in cases.KINDS.items() for name in names
              for key, value in run(mx, name).items()}
    np.savez_compressed(cases.HERE / "module.npz", **arrays)
    print(len(arrays), "arrays")


if __name__ == "__main__":
    main()

"""Writes visualization.json.gz: how MXNet 1.9.1 draws and prints the networks in visualization_cases.py.

It wants the Python package graphviz 0.8.
"""
import gzip
import json

import visualization_cases as cases

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    found = {}
    for name in cases.CASES:
        with mx.name.NameManager():
            found[f"{name}, drawn"] = cases.drawn(mx, name)
        with mx.name.NameManager():
            found[f"{name}, printed"] = cases.printed(mx, name)
    cases.FILE.write_bytes(gzip.compress(json.dumps(found, indent=1, sort_keys=True).encode(), mtime=0))


if __name__ == "__main__":
    main()

"""Writes zoo.json.gz: names, shapes and outputs of the networks of MXNet 1.9.1's zoo."""
import gzip
import json

import zoo_cases as cases

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    found = {"names": cases.names(mx), "models": {name: cases.describe(mx, name) for name in cases.names(mx)},
             "runs": {name: cases.run(mx, name) for name in cases.RUN},
             "losses": {name: cases.train(mx, name) for name in cases.RUN}}
    cases.FILE.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))


if __name__ == "__main__":
    main()

"""Writes operators.json.gz: the inputs and parameters of every operator of MXNet 1.9.1."""
import gzip
import json
import pathlib

import mxnet as mx

HERE = pathlib.Path(__file__).parent


def main():
    operators = {}
    for name in sorted(mx.operator.get_all_registered_operators()):
        if "backward" in name:
            continue
        arguments = mx.operator.get_operator_arguments(name)
        pairs = list(zip(arguments.names, arguments.types))
        operators[name] = {
            "inputs": [n for n, t in pairs if t.startswith(("NDArray", "Symbol"))],
            "params": [[n, t] for n, t in pairs if not t.startswith(("NDArray", "Symbol"))],
        }
    with gzip.GzipFile(HERE / "operators.json.gz", "wb", mtime=0) as file:
        file.write(json.dumps(operators, sort_keys=True).encode())
    print(len(operators), "operators")


if __name__ == "__main__":
    main()

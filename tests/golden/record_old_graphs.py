"""Writes old_graphs.json: what MXNet 1.9.1 makes of graphs that older versions wrote."""
import json

import old_graph_cases as cases

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    lines = [f"{json.dumps(name)}: {json.dumps(cases.describe(mx, name), sort_keys=True)}" for name in cases.CASES]
    cases.FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

"""Writes monitor.json: what the monitors of MXNet 1.9.1 show of the networks in monitor_cases.py."""
import json

import monitor_cases as cases

import mxnet as mx


def main():
    if mx.__version__ != "1.9.1":
        raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
    found = {name: cases.watched(mx, name) for name in cases.CASES}
    found["mlp, all"] = cases.watched(mx, "mlp", monitor_all=True)
    found["hook"] = cases.hooked(mx)
    lines = [f"{json.dumps(name)}: {json.dumps(what)}" for name, what in found.items()]
    cases.FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()

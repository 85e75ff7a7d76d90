"""Exchanges networks through files between MXNet 1.9.1 and this package, in both directions.

    oracle/bin/python tests/golden/exchange.py record          writes exchange.json.gz, which the tests read
    python tests/golden/exchange.py both oracle/bin/python     every family of the zoo, an LSTM, an SSD head; or
                                                               those whose names follow

The second prints, for each network and direction, the greatest difference of an output, relative to the greatest
output, when the files of the one are read by the other: by an executor, a SymbolBlock and a Module. It fails where
that is more than 1e-4.
"""
import json
import os
import subprocess
import sys
import tempfile

import exchange_cases as cases

LIMIT = 1e-4


def other(python, folder, command, name):
    """Runs this script with the other package; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["MXNET_MKLDNN_ENABLED"] = "0"
    done = subprocess.run([python, os.path.abspath(__file__), command, folder, name], check=True, env=environment,
                          cwd=folder, stdout=subprocess.PIPE, text=True)
    return done.stdout


def both(mx, python, *names):
    worst = 0.0
    for name in names or (*cases.FAMILIES, *cases.OTHERS):
        with tempfile.TemporaryDirectory() as folder:
            other(python, folder, "write", name)
            here = cases.check(mx, folder, name)
        with tempfile.TemporaryDirectory() as folder:
            cases.write(mx, folder, name)
            there = json.loads(other(python, folder, "check", name))
        for direction, found in (("1.9.1 -> here", here), ("here -> 1.9.1", there)):
            print(f"{name:18} {direction}  " + "  ".join(f"{kind} {value:.1e}" for kind, value in found.items()),
                  flush=True)
            worst = max(worst, *found.values())
    print(f"greatest difference: {worst:.1e}")
    if not worst < LIMIT:
        raise SystemExit(f"that is more than {LIMIT}")


def main(command, *rest):
    import mxnet as mx
    if command == "record":
        if mx.__version__ != "1.9.1":
            raise SystemExit(f"this is mxnet {mx.__version__}, not 1.9.1")
        cases.record(mx)
    elif command == "both":
        both(mx, os.path.abspath(rest[0]), *rest[1:])
    elif command == "write":
        cases.write(mx, *rest)
    elif command == "check":
        print(json.dumps(cases.check(mx, *rest)))
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:] or ["help"])

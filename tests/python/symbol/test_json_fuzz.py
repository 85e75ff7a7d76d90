"""Damaged graphs give plain errors or work, and never end the process; see fuzz_json.py.

MXNET_STRESS_SECONDS sets how long (600 for the ten-minute run; default 5).
"""
import os
import pathlib
import subprocess
import sys

SECONDS = float(os.environ.get("MXNET_STRESS_SECONDS", "5"))


def test_damaged_graphs(tmp_path):
    script, last = pathlib.Path(__file__).parent / "fuzz_json.py", tmp_path / "last.json"
    seed = os.environ.get("MXNET_TEST_SEED", "0")
    done = subprocess.run([sys.executable, str(script), str(SECONDS), seed, str(last)], capture_output=True, text=True,
                          timeout=SECONDS + 300)
    text = last.read_text()[:5000] if last.exists() else "nothing"
    assert done.returncode == 0, f"{done.stderr[-3000:]}\nexit code {done.returncode} for\n{text}"
    tried, read, used = [int(word) for word in done.stdout.replace(",", "").split() if word.isdigit()]
    assert tried > read > used > 0

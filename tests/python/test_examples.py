"""The examples run, in a few seconds each, and end with their figure of merit."""
import gzip
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"


def run(name, *arguments):
    """The last line that an example prints."""
    done = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


def number(pattern, line):
    return float(re.search(pattern + r" ([-0-9.]+)", line).group(1))


def fewer_digits(folder, count):
    """The first digits of each of the files in examples/data/mnist."""
    for path in (EXAMPLES / "data" / "mnist").glob("*ubyte*"):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        size = 784 if content[3] == 3 else 1
        header = 4 + 4 * content[3]
        (folder / path.name.removesuffix(".gz")).write_bytes(
            content[:4] + count.to_bytes(4, "big") + content[8:header + count * size])


def test_digits_gan(tmp_path):
    fewer_digits(tmp_path, 200)
    line = run("digits_gan", "--epochs", 2, "--data", tmp_path, "--output", tmp_path)
    assert 0 <= number("sure of", line) <= 1 and (tmp_path / "digits_gan.png").stat().st_size > 1000


def test_segment_digits(tmp_path):
    line = run("segment_digits", "--epochs", 1, "--pictures", 40, "--output", tmp_path)
    assert 0 < number("right pixels", line) < 1 and (tmp_path / "segment_digits.png").stat().st_size > 1000


def test_recommend_films(tmp_path):
    random = np.random.RandomState(0)
    taste, films = random.normal(0, 1, (60, 1)), random.normal(0, 1, (1, 40))
    rows = [f"{user}\t{film}\t{3 + taste[user, 0] * films[0, film]:.3f}" for user in range(60) for film in range(40)]
    (tmp_path / "ratings").write_text("\n".join(["user\tfilm\trating", *rows]))
    line = run("recommend_films", "--data", tmp_path / "ratings", "--epochs", 60, "--decay", 0.05)
    assert number("square error", line) < 0.7 * number("mean:", line)


def test_language_model(tmp_path):
    (tmp_path / "text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 60)
    line = run("language_model", "--data", tmp_path, "--steps", 60, "--length", 16, "--size", 32)
    assert float(line.split()[0]) < 3


def test_forecast_gluonts(tmp_path):
    pytest.importorskip("gluonts", reason="GluonTS is not installed")
    line = run("forecast_gluonts", "--epochs", 1, "--batches", 2, "--series", 2, "--output", tmp_path)
    assert line.startswith("DeepAR") and number("quantile loss", line) > 0


def test_language_of_text():
    pytest.importorskip("django", reason="Django, whose messages are read, is not installed")
    line = run("language_of_text", "--epochs", 1, "--languages", "de", "fi")
    assert number("test accuracy", line) > 0.7


def test_read_digit_strings():
    line = run("read_digit_strings", "--epochs", 1, "--batches", 2, "--batch-size", 4, "--test-batches", 1)
    assert 0 <= number("read right:", line) <= 1

"""Iterators over files of numbers. The values were seen with MXNet 1.9.1."""
import gzip
import struct

import numpy as np
import pytest

import mxnet as mx
from mxnet import io


def rounds(iterator, count=2):
    """Padding, first elements of the data and labels of each batch, for several rounds."""
    found = []
    for _ in range(count):
        found.append([(batch.pad, batch.data[0].asnumpy().reshape(iterator.batch_size, -1)[:, 0].tolist(),
                       batch.label[0].asnumpy().tolist()) for batch in iterator])
        iterator.reset()
    return found


@pytest.fixture
def csv(tmp_path):
    np.savetxt(tmp_path / "data.csv", np.arange(24).reshape(8, 3), delimiter=",", fmt="%g")
    np.savetxt(tmp_path / "label.csv", np.arange(8) * 10, fmt="%g")
    return {"data_csv": str(tmp_path / "data.csv"), "data_shape": (3,)}, str(tmp_path / "label.csv")


def test_csv_goes_round(csv):
    given, label = csv
    iterator = io.CSVIter(**given, label_csv=label, batch_size=5)
    assert isinstance(iterator, io.MXDataIter)
    assert iterator.provide_data == [("data", (5, 3))] and iterator.provide_label == [("softmax_label", (5,))]
    assert rounds(iterator) == [
        [(0, [0, 3, 6, 9, 12], [0, 10, 20, 30, 40]), (2, [15, 18, 21, 0, 3], [50, 60, 70, 0, 10])],
        [(0, [6, 9, 12, 15, 18], [20, 30, 40, 50, 60]), (4, [21, 0, 3, 6, 9], [70, 0, 10, 20, 30])]]
    iterator = io.CSVIter(**given, batch_size=5)
    next(iterator)
    iterator.reset()
    assert next(iterator).index.tolist() == [0, 1, 2, 3, 4]


def test_csv_without_going_round(csv):
    iterator = io.CSVIter(**csv[0], batch_size=3, round_batch=False)
    zeros = [0, 0, 0]
    assert rounds(iterator) == [[(0, [0, 3, 6], zeros), (0, [9, 12, 15], zeros), (1, [18, 21, 15], zeros)]] * 2
    assert rounds(io.CSVIter(**csv[0], batch_size=10, round_batch=False), 1)[0][0][0] == 2


def test_csv_options(csv, tmp_path):
    given, label = csv
    iterator = io.CSVIter(data_csv=given["data_csv"], data_shape="(3, 1)", label_csv=label, batch_size="4",
                          dtype="int32", data_name="x", label_name="y")
    batch = next(iterator)
    assert batch.data[0].shape == (4, 3, 1) and batch.data[0].dtype == batch.label[0].dtype == np.int32
    assert iterator.provide_data[0].name == "x" and iterator.provide_label[0].name == "y"
    assert iterator.iter_next() and iterator.getdata().asnumpy()[0, 0] == 12 and iterator.getpad() == 0
    iterator.reset()
    iterator.debug_skip_load()
    assert [next(iterator).index[0] for _ in range(5)] == [0] * 5
    (tmp_path / "spaced.csv").write_text("1, 2,3\n4,5,6\n\n7,8,9")
    iterator = io.CSVIter(data_csv=str(tmp_path / "spaced.csv"), data_shape=(3,), batch_size=3)
    assert rounds(iterator, 1)[0][0][1] == [1, 4, 7]


@pytest.mark.parametrize("change, kind, message", [
    ({"data_shape": (2,)}, ValueError, r"has 3 numbers, which do not make shape \(2,\)"),
    ({"data_csv": "nope.csv"}, OSError, "'nope.csv' cannot be read"),
    ({"batch_size": 20}, ValueError, "there are 8 samples, fewer than batch_size 20"),
    ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
    ({"batch_size": "many"}, ValueError, "batch_size must be of type int, got 'many'"),
    ({"label_csv": "data"}, ValueError, r"do not make shape \(\)")])
def test_wrong_csv(csv, change, kind, message):
    given = {**csv[0], "batch_size": 2, **change}
    if given.get("label_csv") == "data":
        given["label_csv"] = given["data_csv"]
    with pytest.raises(kind, match=message):
        io.CSVIter(**given)


def test_parameters(csv):
    with pytest.raises(TypeError, match="CSVIter: parameter batch_size is required"):
        io.CSVIter(**csv[0])
    with pytest.warns(UserWarning, match="CSVIter: unknown parameters are ignored: foo"):
        io.CSVIter(**csv[0], batch_size=2, foo=1)


def test_calls_in_the_wrong_order(csv):
    with pytest.raises(TypeError, match="arguments must be named, got 'data.csv' without a name"):
        io.CSVIter("data.csv", batch_size=2)
    with pytest.raises(AssertionError, match="there is no batch; call next"):
        io.CSVIter(**csv[0], batch_size=2).getdata()


def test_damaged_csv(csv, tmp_path):
    (tmp_path / "damaged.csv").write_text("1,2,3\n4,x,6\n")
    with pytest.raises(ValueError, match="damaged.csv'.*'x'"):
        io.CSVIter(data_csv=str(tmp_path / "damaged.csv"), data_shape=(3,), batch_size=1)
    (tmp_path / "short.csv").write_text("1\n2\n")
    with pytest.raises(ValueError, match="has 8 rows, but .* has 2"):
        io.CSVIter(**csv[0], label_csv=str(tmp_path / "short.csv"), batch_size=1)


@pytest.fixture
def libsvm(tmp_path):
    (tmp_path / "data").write_text("1.5 0:0.5 2:1.25\n-2 1:3\n0 0:1 1:1 2:1\n3\n7 2:2.5\n")
    (tmp_path / "label").write_text("0:1 1:1\n1:2\n0:3\n0 0:4\n0:1\n")
    return {"data_libsvm": str(tmp_path / "data"), "data_shape": (3,), "batch_size": 2}, str(tmp_path / "label")


def test_damaged_libsvm(tmp_path):
    for line in ("1 -1:3", "x 0:1", "1 0", "1 0:x", "1 1.5:2", "\xff 0:1"):
        (tmp_path / "damaged").write_bytes(b"1 0:1\n" + line.encode("latin-1"))
        with pytest.raises(ValueError, match="damaged', line 2: expected a label and elements"):
            io.LibSVMIter(data_libsvm=str(tmp_path / "damaged"), data_shape=(3,), batch_size=1)


def test_libsvm(libsvm):
    given, label = libsvm
    iterator = io.LibSVMIter(**given)
    assert [batch.data[0].asnumpy().tolist() for batch in iterator] == [
        [[0.5, 0, 1.25], [0, 3, 0]], [[1, 1, 1], [0, 0, 0]], [[0, 0, 2.5], [0.5, 0, 1.25]]]
    iterator.reset()
    assert [batch.label[0].asnumpy().tolist() for batch in iterator] == [[-2, 0], [3, 7]]
    iterator = io.LibSVMIter(**given, label_libsvm=label, label_shape=(2,))
    assert iterator.provide_label[0].shape == (2, 2)
    assert [batch.label[0].asnumpy().tolist() for batch in iterator][:2] == [[[0, 1], [0, 0]], [[0, 0], [4, 0]]]
    parts = [io.LibSVMIter(**given, num_parts=2, part_index=i) for i in range(2)]
    assert [part.provide_data[0].shape for part in parts] == [(2, 3)] * 2


@pytest.mark.parametrize("change, message", [
    ({"data_shape": (2,)}, r"line 1: expected a label and elements index:value with indices below 2"),
    ({"data_shape": (2, 2)}, "rows have one axis"),
    ({"round_batch": False}, "round_batch=False is not supported"),
    ({"num_parts": 2, "part_index": 2}, "part_index 2 is out of range for 2 parts"),
    ({"batch_size": 6}, "there are 5 samples")])
def test_wrong_libsvm(libsvm, change, message):
    with pytest.raises(ValueError, match=message):
        io.LibSVMIter(**{**libsvm[0], **change})


@pytest.fixture
def digits(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (10, 2, 3)).astype("uint8")
    (tmp_path / "images").write_bytes(struct.pack(">IIII", 2051, 10, 2, 3) + images.tobytes())
    (tmp_path / "labels").write_bytes(gzip.compress(struct.pack(">II", 2049, 10) + bytes(range(10))))
    return {"image": str(tmp_path / "images"), "label": str(tmp_path / "labels"), "batch_size": 4}, images


def test_mnist(digits):
    given, images = digits
    iterator = io.MNISTIter(**given, shuffle=False)
    assert iterator.provide_data == [("data", (4, 1, 2, 3))]
    batches = list(iterator)
    assert [batch.label[0].asnumpy().tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (batches[0].data[0].asnumpy()[:, 0] == images[:4] / np.float32(256)).all()
    assert next(io.MNISTIter(**given, flat=True, silent=True)).data[0].shape == (4, 6)
    parts = [[batch.label[0].asnumpy().tolist() for batch in
              io.MNISTIter(**{**given, "batch_size": 2}, shuffle=False, num_parts=3, part_index=i)] for i in range(3)]
    assert parts == [[[0, 1]], [[3, 4]], [[6, 7], [8, 9]]]


def test_mnist_in_another_order(digits):
    given, images = digits
    first, again, other = ([batch.label[0].asnumpy().tolist() for batch in io.MNISTIter(**given, seed=seed)]
                           for seed in (1, 1, 2))
    assert first == again != other
    batch = next(io.MNISTIter(**given))
    rows = batch.label[0].asnumpy().astype(int)
    assert (batch.data[0].asnumpy()[:, 0] * 256 == images[rows]).all()


def test_wrong_mnist(digits):
    with pytest.raises(OSError, match="'nope' cannot be read"):
        io.MNISTIter(**{**digits[0], "image": "nope"})
    with pytest.raises(ValueError, match="is not an idx file of bytes with 3 axes"):
        io.MNISTIter(**{**digits[0], "image": digits[0]["label"]})


def test_shipped_names():
    for name in ("MXDataIter", "CSVIter", "ImageRecordIter", "NDArrayIter"):
        assert getattr(mx.io, name) is getattr(mx.io.io, name)

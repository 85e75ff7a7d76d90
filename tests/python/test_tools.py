"""The programs that make RecordIO files and their indices."""
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

import mxnet as mx
from mxnet.tools import im2rec, rec2idx


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """Ten images in two folders, one on top, and other files."""
    random = np.random.RandomState(0)
    for folder, count in (("cat", 4), ("dog", 6), ("", 1)):
        (tmp_path / "photos" / folder).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            image = cv2.GaussianBlur(random.randint(0, 256, (40, 30 + 4 * i, 3)).astype("uint8"), (9, 9), 3)
            cv2.imwrite(str(tmp_path / "photos" / folder / f"{i}.png"), image)
    (tmp_path / "photos" / "cat" / "notes.txt").write_text("no image")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_lists(photos):
    im2rec.main(["--list", "--recursive", "--no-shuffle", "all", "photos"])
    entries = im2rec.read_list("all.lst")
    assert [entry[0] for entry in entries] == list(range(11))
    assert entries[0] == (0, [0.0], "0.png") and entries[1] == (1, [1.0], "cat/0.png")
    assert entries[-1] == (10, [2.0], "dog/5.png")
    im2rec.main(["--list", "flat", "photos"])
    assert im2rec.read_list("flat.lst") == [(0, [0.0], "0.png")]
    im2rec.main(["--list", "--recursive", "all", "photos"])
    shuffled = im2rec.read_list("all.lst")
    assert shuffled != entries and sorted(shuffled) == entries


def test_parts_of_lists(photos):
    im2rec.main(["--list", "--recursive", "--train-ratio", "0.7", "--test-ratio", "0.2", "p", "photos"])
    parts = {part: im2rec.read_list(f"p_{part}.lst") for part in ("train", "test", "val")}
    assert {part: len(entries) for part, entries in parts.items()} == {"train": 7, "test": 2, "val": 2}
    assert sorted(entry[0] for entries in parts.values() for entry in entries) == list(range(11))
    im2rec.main(["--list", "--recursive", "--chunks", "3", "c", "photos"])
    assert [len(im2rec.read_list(f"c_{i}.lst")) for i in range(3)] == [4, 4, 3]


def test_records(photos):
    im2rec.main(["--list", "--recursive", "all", "photos"])
    im2rec.main(["--encoding", ".png", "--quality", "3", "--num-thread", "3", "all", "photos"])
    entries = im2rec.read_list("all.lst")
    file = mx.recordio.MXIndexedRecordIO("all.idx", "all.rec", "r")
    assert file.keys == [entry[0] for entry in entries]
    for number, labels, name in entries:
        header, image = mx.recordio.unpack_img(file.read_idx(number))
        assert header.label == labels[0] and header.id == number
        assert (image == cv2.imread(f"photos/{name}")).all()
    iterator = mx.io.ImageRecordIter(path_imgrec="all.rec", data_shape=(3, 32, 32), batch_size=4, resize=32)
    assert [batch.pad for batch in iterator] == [0, 0, 1]


def test_changes_to_images(photos):
    im2rec.main(["--list", "--recursive", "--no-shuffle", "all", "photos"])
    for options, shape in ((["--resize", "20"], (26, 20)), (["--center-crop"], (30, 30)),
                           (["--center-crop", "--resize", "10", "--color", "0"], (10, 10))):
        im2rec.main([*options, "all", "photos"])
        _, image = mx.recordio.unpack_img(mx.recordio.MXRecordIO("all.rec", "r").read(), -1)
        assert image.shape[:2] == shape and image.ndim == (2 if "--color" in options else 3)
    im2rec.main(["--pass-through", "all", "photos"])
    _, content = mx.recordio.unpack(mx.recordio.MXRecordIO("all.rec", "r").read())
    assert content == (photos / "photos" / "0.png").read_bytes()


def test_several_labels_and_unreadable_images(photos, capsys):
    (photos / "own.lst").write_text("7\t1\t2.5\t-3\tcat/0.png\n8\t1\t0\t0\tcat/notes.txt\n9\t4\t0\t0\tno.png\n")
    im2rec.main(["--pack-label", "own", "photos"])
    output = capsys.readouterr()
    assert "own.rec: 1 images, 2 left out" in output.out
    assert output.err.count("is no image that can be read; it is left out") == 2
    file = mx.recordio.MXIndexedRecordIO("own.idx", "own.rec", "r")
    assert mx.recordio.unpack(file.read_idx(7))[0].label.tolist() == [1, 2.5, -3]


@pytest.mark.parametrize("arguments, message", [
    (["none", "photos"], "there is no list 'none*.lst'; make one with --list"),
    (["--list", "x", "photos/nowhere"], "there are no images"),
    (["--list", "--train-ratio", "0.9", "--test-ratio", "0.2", "x", "photos"], "parts that make no more than 1"),
    (["bad", "photos"], "'bad.lst', line 1: expected a number, labels and a path")])
def test_wrong_arguments(photos, capsys, arguments, message):
    (photos / "bad.lst").write_text("1 2 cat/0.png\n")
    with pytest.raises(SystemExit) as caught:
        im2rec.main(arguments)
    assert caught.value.code != 0 and message in capsys.readouterr().err


def test_index(photos):
    im2rec.main(["--list", "--recursive", "--no-shuffle", "all", "photos"])
    im2rec.main(["all", "photos"])
    package = os.path.dirname(os.path.dirname(os.path.abspath(mx.__file__)))
    done = subprocess.run([sys.executable, "-m", "mxnet.tools.rec2idx", "all.rec", "again.idx"], text=True,
                          capture_output=True, env={**os.environ, "PYTHONPATH": package})
    assert (done.returncode, done.stdout) == (0, "again.idx: 11 records\n"), done.stderr
    assert (photos / "again.idx").read_text() == (photos / "all.idx").read_text()
    (photos / "odd.rec").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="holds no record at byte 0"):
        rec2idx.write_index("odd.rec", "odd.idx")
    assert not (photos / "odd.idx").exists()


def test_records_of_several_parts(tmp_path):
    from image_iter_cases import FILES
    rec2idx.write_index(str(FILES / "parts.rec"), str(tmp_path / "parts.idx"))
    wanted = [line.split("\t")[1] for line in (FILES / "parts.idx").read_text().splitlines()]
    assert [line.split("\t")[1] for line in (tmp_path / "parts.idx").read_text().splitlines()] == wanted

"""RecordIO files, beside those that MXNet 1.9.1 wrote."""
import multiprocessing
import os
import pathlib
import pickle
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import mxnet as mx
from mxnet.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO, pack, pack_img, unpack, unpack_img

FILES = pathlib.Path(__file__).parents[1] / "golden" / "files"
MAGIC = struct.pack("<I", 0xCED7230A)
RECORDS = [b"", b"a", b"four", b"12345", MAGIC, b"1234" + MAGIC + b"5678", b"123" + MAGIC + b"45", MAGIC + MAGIC,
           MAGIC + b"x" + MAGIC + b"abc" + MAGIC, bytes(range(256)) * 5, b"abcd" + MAGIC, b"abcdefgh" + MAGIC[:3]]


def read_all(path):
    file = MXRecordIO(str(path), "r")
    records = []
    while (record := file.read()) is not None:
        records.append(record)
    assert file.read() is None
    return records


@pytest.fixture
def numbers(tmp_path):
    """Paths of an index and a file with ten records."""
    paths = str(tmp_path / "numbers.idx"), str(tmp_path / "numbers.rec")
    file = MXIndexedRecordIO(*paths, "w")
    for i in range(10):
        file.write_idx(i, b"record %d" % i)
    file.close()
    return paths


def test_reads_what_mxnet_wrote():
    assert read_all(FILES / "parts.rec") == RECORDS
    file = MXIndexedRecordIO(str(FILES / "parts.idx"), str(FILES / "parts.rec"), "r")
    assert file.keys == list(range(0, 120, 10))
    for i in (11, 0, 7, 5):
        assert file.read_idx(10 * i) == RECORDS[i]


def test_writes_the_same_bytes(tmp_path):
    file = MXIndexedRecordIO(tmp_path / "parts.idx", tmp_path / "parts.rec", "w")
    for i, record in enumerate(RECORDS):
        file.write_idx(10 * i, record)
    file.close()
    for name in ("parts.rec", "parts.idx"):
        assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes()


def test_labels_of_mxnet():
    one, several = map(unpack, read_all(FILES / "labels.rec"))
    assert one == (IRHeader(0, 4.5, 2574, 1), b"one")
    header, data = several
    assert (header.flag, header.id, header.id2, data) == (3, 7, 2 ** 63, b"several")
    np.testing.assert_array_equal(header.label, np.float32([1, 2.5, -3]))
    assert [pack(one[0], one[1]), pack(*several)] == read_all(FILES / "labels.rec")


def test_any_contents(tmp_path):
    random = np.random.RandomState(0)
    records = [random.choice([b"\x0a\x23\xd7\xce", b"\xce", b"ab", b""], n).tolist() for n in range(60)]
    records = [b"".join(parts) for parts in records]
    file = MXRecordIO(str(tmp_path / "x.rec"), "w")
    for record in records:
        file.write(memoryview(record))
    file.close()
    assert read_all(tmp_path / "x.rec") == records
    assert (tmp_path / "x.rec").stat().st_size % 4 == 0


def test_reset_and_tell(numbers):
    file = MXIndexedRecordIO(*numbers, "r")
    assert [file.read(), file.tell(), file.read()] == [b"record 0", 16, b"record 1"]
    file.reset()
    assert file.read() == b"record 0"
    file.seek(9)
    assert file.read() == b"record 9" and file.read() is None
    file.close()
    file.close()
    with pytest.raises(ValueError, match="is closed"):
        file.read()
    file.open()
    assert file.read() == b"record 0"


def test_text_keys(tmp_path):
    paths = tmp_path / "a.idx", tmp_path / "a.rec"
    file = MXIndexedRecordIO(*paths, "w", key_type=str)
    file.write_idx("cat", b"meow")
    file.close()
    assert MXIndexedRecordIO(*paths, "r", key_type=str).read_idx("cat") == b"meow"


def test_pickled(numbers):
    file = MXIndexedRecordIO(*numbers, "r")
    file.read()
    copy = pickle.loads(pickle.dumps(file))
    assert copy.read() == b"record 0" and copy.read_idx(4) == b"record 4"
    file.close()
    assert not pickle.loads(pickle.dumps(file)).is_open
    assert pickle.loads(pickle.dumps(IRHeader(1, 2, 3, 4))) == (1, 2, 3, 4)


def _read_in_child(file, queue):
    queue.put([file.read_idx(i) for i in (3, 5)] + [file.read()])


def _write_in_child(file, queue):
    try:
        file.write(b"no")
    except RuntimeError as error:
        queue.put(str(error))


@pytest.mark.parametrize("times", range(3))
def test_reads_in_forked_processes(numbers, times):
    context = multiprocessing.get_context("fork")
    file = MXIndexedRecordIO(*numbers, "r")
    file.read_idx(7)
    queue = context.Queue()
    children = [context.Process(target=_read_in_child, args=(file, queue)) for _ in range(3)]
    for child in children:
        child.start()
    assert [queue.get(timeout=60) for _ in children] == [[b"record 3", b"record 5", b"record 6"]] * 3
    for child in children:
        child.join()
    assert file.read() == b"record 8"


def test_reads_in_threads(numbers):
    file = MXIndexedRecordIO(*numbers, "r")
    keys = np.random.RandomState(0).randint(0, 10, 2000).tolist()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(file.read_idx, keys)) == [b"record %d" % key for key in keys]


def test_a_forked_process_cannot_write(tmp_path):
    context = multiprocessing.get_context("fork")
    paths = tmp_path / "a.idx", tmp_path / "a.rec"
    file = MXIndexedRecordIO(*paths, "w")
    file.write_idx(0, b"mine")
    queue = context.Queue()
    child = context.Process(target=_write_in_child, args=(file, queue))
    child.start()
    assert "another process" in queue.get(timeout=60)
    child.join()
    file.write_idx(1, b"also")
    file.close()
    assert read_all(paths[1]) == [b"mine", b"also"] and paths[0].read_text() == "0\t0\n1\t12\n"


def test_every_cut_file_says_so(tmp_path):
    whole = (FILES / "parts.rec").read_bytes()
    path = tmp_path / "cut.rec"
    starts = {0}
    file = MXRecordIO(str(FILES / "parts.rec"), "r")
    while file.read() is not None:
        starts.add(file._file.tell())
    for size in range(0, 200):
        path.write_bytes(whole[:size])
        if size in starts:
            read_all(path)
            continue
        try:
            read_all(path)
            assert any(size + pad in starts for pad in (1, 2, 3)), size  # only padding is missing
        except ValueError as error:
            assert "RecordIO" in str(error) and "byte" in str(error)


def test_damaged_files_say_so(tmp_path):
    random = np.random.RandomState(1)
    whole = np.fromfile(FILES / "parts.rec", "uint8")
    path = tmp_path / "damaged.rec"
    for _ in range(200):
        damaged = whole.copy()
        damaged[random.randint(len(whole), size=3)] = random.randint(256, size=3)
        damaged.tofile(path)
        try:
            read_all(path)
        except ValueError as error:
            assert "RecordIO" in str(error)
    path.write_bytes(b"this is no record file at all")
    with pytest.raises(mx.MXNetError, match="byte 0: no record begins here"):
        read_all(path)


def test_errors(tmp_path, numbers):
    with pytest.raises(OSError, match="nothing.rec' cannot be opened"):
        MXRecordIO(str(tmp_path / "nothing.rec"), "r")
    with pytest.raises(mx.MXNetError):
        MXIndexedRecordIO(str(tmp_path / "nothing.idx"), numbers[1], "r")
    with pytest.raises(ValueError, match="'r' or 'w'"):
        MXRecordIO(numbers[1], "a")
    file = MXIndexedRecordIO(*numbers, "r")
    with pytest.raises(KeyError, match="has no key 77"):
        file.read_idx(77)
    with pytest.raises(ValueError, match="open for reading"):
        file.write(b"x")
    pathlib.Path(numbers[0]).write_text("0\t0\nwhat\n")
    with pytest.raises(ValueError, match="line 2"):
        MXIndexedRecordIO(*numbers, "r")
    with pytest.raises(ValueError, match="fewer than the 24"):
        unpack(b"short")
    with pytest.raises(ValueError, match="too few for its 9 labels"):
        unpack(struct.pack("<IfQQ", 9, 0, 0, 0))
    with pytest.raises(ValueError, match="no image"):
        unpack_img(pack((0, 1, 0, 0), b"no image"))
    assert os.path.exists(numbers[1])


def test_images():
    image = np.random.RandomState(0).randint(0, 256, (20, 30, 3)).astype("uint8")
    header, back = unpack_img(pack_img(IRHeader(0, 3.0, 5, 0), image, quality=9, img_fmt=".png"))
    assert (header.label, header.id) == (3.0, 5)
    np.testing.assert_array_equal(back, image)
    smooth = np.tile(np.arange(0, 240, 8, dtype="uint8")[None, :, None], (20, 1, 3))
    _, back = unpack_img(pack_img((0, [1, 2], 0, 0), smooth))
    assert np.abs(back.astype(int) - smooth).max() < 8
    assert unpack_img(pack_img((0, 1, 0, 0), smooth), iscolor=0)[1].shape == (20, 30)

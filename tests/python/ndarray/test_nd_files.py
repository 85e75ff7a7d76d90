"""Saving and loading arrays, also against files that MXNet 1.9.1 wrote, and pickles."""
import copy
import os
import pathlib
import pickle
import stat
import struct

import numpy as np
import pytest

import mxnet as mx
from mxnet import nd

FILES = pathlib.Path(__file__).parents[2] / "golden" / "files"
TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def values(dtype):
    return (np.arange(6).reshape(2, 3) % 2 if dtype == "bool" else np.arange(6).reshape(2, 3) * 3).astype(dtype)


def same(array, want):
    assert array.shape == np.shape(want) and array.dtype == want.dtype
    np.testing.assert_array_equal(array.asnumpy(), want)


# --- files of MXNet 1.9.1 -----------------------------------------------------------------------------------


def test_list_of_mxnet():
    first, second = nd.load(FILES / "list.params")
    same(first, np.array([1, 2, 3], "float32"))
    same(second, np.array([[4.5]]))


def test_types_of_mxnet():
    loaded = nd.load(str(FILES / "types.params"))
    assert list(loaded) == [f"arg:{t}" for t in TYPES]
    for dtype in TYPES:
        same(loaded[f"arg:{dtype}"], values(dtype))


def test_names_of_mxnet():
    assert list(nd.load(FILES / "names.params")) == ["arg:fc_weight", "aux:größe"]


def test_nothing_and_empty_of_mxnet():
    assert nd.load(FILES / "nothing.params") == []
    assert nd.load(FILES / "empty.params")[0].shape == (0,)


def test_scalars_of_mxnet():
    # 1.9.1 writes a scalar so that it cannot read it back itself.
    scalar, after = nd.load(FILES / "scalar.params")
    same(scalar, np.array(3, "float32"))
    same(after, np.array([5], "float32"))
    loaded = nd.load(FILES / "version3.params")
    same(loaded["scalar"], np.array(3, "float32"))
    same(loaded["none"], np.zeros((2, 0, 3), "int64"))
    same(loaded["matrix"], values("float32"))


@pytest.mark.parametrize("version", [0, 1])
def test_older_versions(version):
    same(nd.load(FILES / f"version{version}.params")["weight"], np.arange(6, dtype="float32").reshape(2, 3))


def test_missing_arrays_of_older_versions():
    # An array that was never given contents: rank 0 and nothing more.
    for record in (struct.pack("<I", 0), struct.pack("<II", 0xF993FAC8, 0), struct.pack("<IiI", 0xF993FAC9, 0, 0)):
        full = struct.pack("<IiIqiii", 0xF993FAC9, 0, 1, 2, 1, 0, 0) + np.array([1, 2], "float32").tobytes()
        data = struct.pack("<QQQ", 0x112, 0, 2) + record + full + struct.pack("<Q", 0)
        missing, array = nd.load_frombuffer(data)
        same(array, np.array([1, 2], "float32"))
        with pytest.raises(mx.MXNetError):
            missing + 1


def test_pickles_of_mxnet():
    with open(FILES / "array.pickle", "rb") as file:
        loaded = pickle.load(file, encoding="latin1")
    same(loaded["weight"], values("float32"))
    same(loaded["index"], np.array([7], "int64"))


@pytest.mark.parametrize("name", ["list.params", "types.params", "names.params", "nothing.params", "empty.params"])
def test_bytes_are_those_of_mxnet(name, tmp_path):
    nd.save(tmp_path / name, nd.load(FILES / name))
    assert (tmp_path / name).read_bytes() == (FILES / name).read_bytes()


def test_bytes_of_version_3(tmp_path):
    with mx.np_shape(True):
        nd.save(tmp_path / "x", nd.load(FILES / "version3.params"))
    assert (tmp_path / "x").read_bytes() == (FILES / "version3.params").read_bytes()


def test_pickle_is_that_of_mxnet():
    with open(FILES / "array.pickle", "rb") as file:
        loaded = pickle.load(file, encoding="latin1")
        file.seek(0)
        assert pickle.dumps(loaded, protocol=2) == file.read()


# --- round trips --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*TYPES, "bfloat16"])
@pytest.mark.parametrize("shape", [(2, 3), (), (0, 4), (1, 1, 1, 1, 1, 1, 1)], ids=str)
def test_round_trip(tmp_path, dtype, shape):
    x = nd.array(np.ones(shape) * 3, dtype=dtype)
    nd.save(tmp_path / "x", {"a": x, "b": x + x if dtype != "bool" else x})
    loaded = nd.load(tmp_path / "x")
    assert loaded["a"]._dtype_name == dtype and loaded["a"].shape == shape
    np.testing.assert_array_equal(loaded["a"].astype("float32").asnumpy(), x.astype("float32").asnumpy())


def test_kinds_of_data(tmp_path):
    x = nd.array([1, 2])
    path = str(tmp_path / "x")
    for data in (x, [x], (x,)):
        nd.save(path, data)
        loaded = nd.load(path)
        assert isinstance(loaded, list) and len(loaded) == 1
        same(loaded[0], x.asnumpy())
    nd.save(path, {})
    assert nd.load(path) == []
    with open(path, "rb") as file:
        assert nd.load_frombuffer(file.read()) == []


def test_saving_waits_for_the_contents(tmp_path):
    x = nd.ones((500, 500))
    y = nd.dot(x, x)
    nd.save(tmp_path / "x", [y, y[3], y.reshape((-1,))[:7]])
    whole, row, part = nd.load(tmp_path / "x")
    assert (whole.asnumpy() == 500).all() and row.shape == (500,) and (part.asnumpy() == 500).all()


@pytest.mark.parametrize("data, error", [(3, ValueError), ("x", ValueError), ([1], TypeError), ({"a": 1}, TypeError),
                                         ({1: nd.ones((1,))}, TypeError), ([nd.ones((1,)), None], TypeError)])
def test_what_cannot_be_saved(tmp_path, data, error):
    path = tmp_path / "x"
    with pytest.raises(error):
        nd.save(path, data)
    assert not path.exists()


def test_saving_is_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "x"
    nd.save(path, [nd.ones((2,))])
    before = path.read_bytes()
    from mxnet.ndarray import serialization

    def fails(array):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(serialization, "array_record", fails)
    with pytest.raises(RuntimeError):
        nd.save(path, [nd.zeros((3,))])
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x"]


def test_permissions_and_links(tmp_path):
    path, link = tmp_path / "x", tmp_path / "link"
    nd.save(path, [])
    os.chmod(path, 0o640)
    link.symlink_to(path)
    nd.save(link, [nd.ones((1,))])
    assert link.is_symlink() and len(nd.load(path)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("call", [lambda p: nd.load(p / "none"), lambda p: nd.load(p),
                                  lambda p: nd.save(p / "none" / "x", [])], ids=["load", "folder", "save"])
def test_files_that_cannot_be_opened(tmp_path, call):
    with pytest.raises(OSError) as caught:
        call(tmp_path)
    assert isinstance(caught.value, mx.MXNetError)


def test_loading_refuses_other_arguments():
    for call in (lambda: nd.load(3), lambda: nd.load_frombuffer("text"), lambda: nd.load_frombuffer(3)):
        with pytest.raises(TypeError):
            call()


# --- damaged files ------------------------------------------------------------------------------------------


def damaged(change):
    data = bytearray((FILES / "types.params").read_bytes())
    return bytes(change(data) or data)


@pytest.mark.parametrize("data, words", [
    (b"", "is empty"),
    (b"abc", "not a file of arrays"),
    (b"hello world, this is a text" * 10, "not a file of arrays"),
    (b"\x12\x01\0\0\0\0\0\0", "ends early"),
    (struct.pack("<QQQ", 0x112, 0, 2**60), "announces"),
    (struct.pack("<QQQIiI", 0x112, 0, 1, 0xF993FAC9, 0, 10**6), "rank"),
    (struct.pack("<QQQIiIq", 0x112, 0, 1, 0xF993FAC9, 0, 1, -5), "shape"),
    (struct.pack("<QQQIiIqiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 2**61, 1, 0, 0), "ends early"),
    (struct.pack("<QQQIiIqiii", 0x112, 0, 1, 0xF993FAC9, 0, 1, 1, 1, 0, 99) + b"1234", "element type 99"),
    (struct.pack("<QQQIiI", 0x112, 0, 1, 0xF993FAC9, 7, 1), "storage type 7"),
    (struct.pack("<QQQI", 0x112, 0, 1, 0xDEADBEEF), "0xdeadbeef"),
    (struct.pack("<QQQQQ", 0x112, 0, 0, 1, 1) + b"\xff", "0 arrays but 1 names|UTF-8"),
])
def test_damaged(data, words):
    with pytest.raises(ValueError, match=words) as caught:
        nd.load_frombuffer(data)
    assert isinstance(caught.value, mx.MXNetError)
    assert str(caught.value).startswith("load: the buffer ")


def test_every_cut_is_noticed():
    data = (FILES / "types.params").read_bytes()
    for size in range(len(data)):
        with pytest.raises(ValueError):
            nd.load_frombuffer(data[:size])


def test_every_flipped_byte_is_harmless():
    data = (FILES / "names.params").read_bytes() + (FILES / "scalar.params").read_bytes()
    for place in range(len(data)):
        for flip in (0xFF, 0x80, 0x01):
            changed = bytearray(data)
            changed[place] ^= flip
            try:
                nd.load_frombuffer(changed)
            except (ValueError, NotImplementedError) as error:
                assert isinstance(error, mx.MXNetError)


def test_sparse_arrays_are_named():
    with pytest.raises(NotImplementedError, match="row_sparse"):
        nd.load(FILES / "sparse.params")


def test_the_message_names_the_file(tmp_path):
    path = tmp_path / "model-0001.params"
    path.write_bytes((FILES / "types.params").read_bytes()[:100])
    with pytest.raises(ValueError, match="model-0001.params"):
        nd.load(path)


# --- pickle and copy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    for dtype in (*TYPES, "bfloat16"):
        x = nd.array(values("uint8") % 2, dtype=dtype)
        y = pickle.loads(pickle.dumps(x, protocol))
        assert type(y) is nd.NDArray and y._dtype_name == dtype
        np.testing.assert_array_equal(y.asnumpy(), x.asnumpy())
    for shape in ((), (0, 2)):
        assert pickle.loads(pickle.dumps(nd.zeros(shape), protocol)).shape == shape


def test_copies_are_deep():
    x = nd.array([1, 2])
    x.attach_grad()
    for y in (copy.copy(x), copy.deepcopy(x), x.copy(), pickle.loads(pickle.dumps(x))):
        y[:] = 0
        assert y.grad is None
    np.testing.assert_array_equal(x.asnumpy(), [1, 2])
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]

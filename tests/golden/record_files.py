"""Writes files/: arrays saved by MXNet 1.9.1, and in the formats of the versions before it."""
import pathlib
import pickle
import struct

import numpy as np

import mxnet as mx

FILES = pathlib.Path(__file__).parent / "files"
TYPES = ("float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool")


def values(dtype):
    return (np.arange(6).reshape(2, 3) % 2 if dtype == "bool" else np.arange(6).reshape(2, 3) * 3).astype(dtype)


def records():
    """Contents with the magic number at and off multiples of four, twice in a row, at both ends, and none."""
    magic = struct.pack("<I", 0xCED7230A)
    return [b"", b"a", b"four", b"12345", magic, b"1234" + magic + b"5678", b"123" + magic + b"45", magic + magic,
            magic + b"x" + magic + b"abc" + magic, bytes(range(256)) * 5, b"abcd" + magic, b"abcdefgh" + magic[:3]]


def write_records(mx):
    file = mx.recordio.MXIndexedRecordIO(str(FILES / "parts.idx"), str(FILES / "parts.rec"), "w")
    for i, data in enumerate(records()):
        file.write_idx(10 * i, data)
    file.close()
    file = mx.recordio.MXRecordIO(str(FILES / "labels.rec"), "w")
    file.write(mx.recordio.pack((0, 4.5, 2574, 1), b"one"))
    file.write(mx.recordio.pack((3, [1, 2.5, -3], 7, 2 ** 63), b"several"))
    file.close()


def main():
    FILES.mkdir(exist_ok=True)
    write_records(mx)
    nd = mx.nd
    nd.save(str(FILES / "list.params"), [nd.array([1, 2, 3]), nd.array([[4.5]], dtype="float64")])
    nd.save(str(FILES / "types.params"), {f"arg:{t}": nd.array(values(t), dtype=t) for t in TYPES})
    nd.save(str(FILES / "names.params"), {"arg:fc_weight": nd.ones((2, 2)), "aux:größe": nd.zeros((1,))})
    nd.save(str(FILES / "nothing.params"), [])
    nd.save(str(FILES / "empty.params"), [nd.array([])])
    nd.save(str(FILES / "scalar.params"), [nd.array(3), nd.array([5])])
    with mx.util.np_shape(True):
        nd.save(str(FILES / "version3.params"), {"scalar": nd.array(3), "none": nd.zeros((2, 0, 3), dtype="int64"),
                                                 "matrix": nd.array(values("float32"))})
    row_sparse = nd.sparse.row_sparse_array(([[1, 2], [3, 4]], [1, 3]), shape=(5, 2))
    nd.save(str(FILES / "sparse.params"), {"dense": nd.ones((1,)), "rows": row_sparse})
    with open(FILES / "array.pickle", "wb") as file:
        pickle.dump({"weight": nd.array(values("float32")), "index": nd.array([7], dtype="int64")}, file, protocol=2)

    # Versions before 1.0 wrote no magic number, before 1.2 no storage type; data as 1.9.1 reads them.
    def file_of(record):
        name = b"weight"
        return struct.pack("<QQQ", 0x112, 0, 1) + record + struct.pack("<QQ", 1, len(name)) + name

    data = struct.pack("<iii", 1, 0, 0) + np.arange(6, dtype="float32").tobytes()
    (FILES / "version0.params").write_bytes(file_of(struct.pack("<III", 2, 2, 3) + data))
    (FILES / "version1.params").write_bytes(file_of(struct.pack("<IIqq", 0xF993FAC8, 2, 2, 3) + data))
    for name in ("version0", "version1"):
        loaded = nd.load(str(FILES / f"{name}.params"))["weight"].asnumpy()
        assert (loaded == np.arange(6).reshape(2, 3)).all()


if __name__ == "__main__":
    main()

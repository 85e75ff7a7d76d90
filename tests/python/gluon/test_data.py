"""Data sets, samplers, the loader and the downloaded data sets."""
import gzip
import struct
import threading
import time

import numpy as np
import pytest

import mxnet as mx
from mxnet.gluon import data
from mxnet.gluon.data.dataloader import default_batchify_fn
from mxnet.gluon.data.vision import CIFAR10, CIFAR100, MNIST, transforms


def test_samplers():
    assert list(data.SequentialSampler(3, start=2)) == [2, 3, 4]
    assert sorted(data.RandomSampler(5)) == [0, 1, 2, 3, 4]
    assert all(type(i) is int for i in data.RandomSampler(5))
    assert list(data.FilterSampler(lambda x: x > 2, data.SimpleDataset([1, 3, 2, 4]))) == [1, 3]


@pytest.mark.parametrize("last_batch, rounds, lengths", [
    ("keep", [[[0, 1], [2, 3], [4]]] * 2, [3, 3, 3]),
    ("discard", [[[0, 1], [2, 3]]] * 2, [2, 2, 2]),
    ("rollover", [[[0, 1], [2, 3]], [[4, 0], [1, 2], [3, 4]]], [2, 3, 2])])
def test_batch_sampler(last_batch, rounds, lengths):
    sampler = data.BatchSampler(data.SequentialSampler(5), 2, last_batch)
    have = [len(sampler)]
    for wanted in rounds:
        assert list(sampler) == wanted
        have.append(len(sampler))
    assert have == lengths


def test_batch_sampler_errors():
    with pytest.raises(ValueError, match="'keep', 'discard' or 'rollover', got 'foo'"):
        list(data.BatchSampler(data.SequentialSampler(5), 2, "foo"))
    with pytest.raises(ValueError, match="batch_size must be at least 1"):
        data.BatchSampler(data.SequentialSampler(5), 0)


def test_dataset_views():
    numbers = data.SimpleDataset([1, 2, 3, 4, 5, 6, 7])
    assert [list(numbers.shard(3, i)) for i in range(3)] == [[1, 2, 3], [4, 5], [6, 7]]
    assert list(numbers.take(3)) == [1, 2, 3] and len(numbers.take(None)) == len(numbers.take(100)) == 7
    assert list(numbers.filter(lambda x: x % 2)) == [1, 3, 5, 7]
    assert list(numbers.sample(data.SequentialSampler(2, 1))) == [2, 3]
    assert list(numbers.transform(lambda x: 2 * x))[-1] == 14
    with pytest.raises(AssertionError, match="index 4 is out of range for 3 shards"):
        numbers.shard(3, 4)
    with pytest.raises(TypeError, match="expected a Sampler"):
        numbers.sample(3)


def test_transforms_are_lazy_if_wanted():
    calls = []

    def change(x, y):
        calls.append(x)
        return x + 1, y
    pairs = data.ArrayDataset([1, 2, 3], [4, 5, 6])
    lazy = pairs.transform(change)
    assert calls == [] and lazy[1] == (3, 5) and calls == [2]
    eager = pairs.transform(change, lazy=False)
    assert len(calls) == 4 and eager[2] == (4, 6) and len(calls) == 4
    assert pairs.transform_first(lambda x: -x)[0] == (-1, 4)


def test_array_dataset():
    x, y = np.arange(6).reshape(3, 2), mx.nd.array([7, 8, 9])
    both = data.ArrayDataset(x, y)
    assert len(both) == 3 and both[1][0].tolist() == [2, 3] and both[1][1] == 8
    assert data.ArrayDataset(mx.nd.ones((3, 2)))[0].shape == (2,)
    with pytest.raises(AssertionError, match="array 0 has 3 and array 1 has 2 items"):
        data.ArrayDataset(x, y[:2])
    with pytest.raises(AssertionError, match="at least one array"):
        data.ArrayDataset()


def test_batchify():
    assert default_batchify_fn([1, 2]).dtype == np.int64
    assert default_batchify_fn([1.5, 2.5]).asnumpy().tolist() == [1.5, 2.5]
    assert default_batchify_fn([np.ones(2, "uint8")] * 3).dtype == np.uint8
    assert default_batchify_fn([[1, 2], [3, 4]]).asnumpy().tolist() == [[1, 2], [3, 4]]
    assert [x.shape for x in default_batchify_fn([[mx.nd.ones(2), 1], [mx.nd.ones(2), 2]])] == [(2, 2), (2,)]
    stacked = default_batchify_fn([(mx.nd.ones((2, 2)), 1), (mx.nd.zeros((2, 2)), 2)])
    assert stacked[0].shape == (2, 2, 2) and stacked[1].asnumpy().tolist() == [1, 2]
    with pytest.raises((ValueError, mx.MXNetError)):
        default_batchify_fn([mx.nd.ones((2,)), mx.nd.ones((3,))])
    with pytest.raises(ValueError, match=r"different shapes \[\(2,\), \(3,\)\]"):
        default_batchify_fn([np.ones(2), np.ones(3)])
    with pytest.raises(TypeError, match="samples of type str"):
        default_batchify_fn(["a", "b"])


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_loader(workers):
    pairs = data.ArrayDataset(np.arange(20, dtype="float32").reshape(10, 2), np.arange(10))
    loader = data.DataLoader(pairs, 4, num_workers=workers)
    assert len(loader) == 3
    for _ in range(2):
        batches = list(loader)
        assert [x.shape for x, _ in batches] == [(4, 2), (4, 2), (2, 2)]
        assert np.concatenate([y.asnumpy() for _, y in batches]).tolist() == list(range(10))
        assert np.concatenate([x.asnumpy() for x, _ in batches])[:, 0].tolist() == list(range(0, 20, 2))


def test_loader_shuffles():
    np.random.seed(0)
    loader = data.DataLoader(np.arange(50), 50, shuffle=True, num_workers=2)
    first, second = (next(iter(loader)).asnumpy().tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_loader_options():
    numbers = np.arange(5)
    loader = data.DataLoader(numbers, batch_sampler=data.BatchSampler(data.SequentialSampler(4), 2),
                             batchify_fn=lambda items: sum(items))
    assert list(loader) == [1, 5]
    assert len(data.DataLoader(numbers, 2, last_batch="discard")) == 2
    for kwargs, message in (({}, "give batch_size"),
                            ({"batch_size": 2, "shuffle": True, "sampler": data.RandomSampler(5)}, "shuffle cannot"),
                            ({"batch_size": 2, "batch_sampler": data.RandomSampler(5)}, "with batch_sampler")):
        with pytest.raises(ValueError, match=message):
            data.DataLoader(numbers, **kwargs)
    with pytest.raises(AssertionError, match="timeout must be positive"):
        data.DataLoader(numbers, 2, timeout=0)


@pytest.mark.parametrize("workers", [0, 2])
def test_loader_passes_errors_on(workers):
    class Broken(data.Dataset):
        def __len__(self):
            return 8

        def __getitem__(self, i):
            if i == 5:
                raise KeyError("sample 5 is broken")
            return i
    batches = iter(data.DataLoader(Broken(), 2, num_workers=workers))
    assert [next(batches).asnumpy().tolist() for _ in range(2)] == [[0, 1], [2, 3]]
    with pytest.raises(KeyError, match="sample 5 is broken"):
        next(batches)


def test_loader_gives_up_on_a_worker_that_hangs():
    release = threading.Event()

    class Slow(data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            release.wait(10)
            return i
    with pytest.raises(RuntimeError, match="no batch came within 0.05 s"):
        list(data.DataLoader(Slow(), 1, num_workers=1, timeout=0.05))
    release.set()


def test_loader_loads_ahead_and_stops_when_left():
    loaded = []

    class Noting(data.Dataset):
        def __len__(self):
            return 1000

        def __getitem__(self, i):
            loaded.append(i)
            return i
    loader = data.DataLoader(Noting(), 1, num_workers=2, prefetch=4)
    for batch in loader:
        assert batch.asscalar() == 0
        break
    deadline = time.time() + 5
    while len(loaded) < 2 and time.time() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(loaded) <= 6
    assert len(list(data.DataLoader(Noting(), 100, num_workers=2, auto_reload=True))) == 10


def test_training_from_a_loader():
    mx.random.seed(0)
    np.random.seed(0)
    x = np.random.randn(200, 4).astype("float32")
    y = (x.sum(axis=1) > 0).astype("float32")
    net = mx.gluon.nn.HybridSequential()
    net.add(mx.gluon.nn.Dense(8, activation="relu"), mx.gluon.nn.BatchNorm(), mx.gluon.nn.Dense(2))
    net.initialize(mx.init.Xavier())
    loss_of, accuracy = mx.gluon.loss.SoftmaxCrossEntropyLoss(), mx.metric.Accuracy()
    loader = data.DataLoader(data.ArrayDataset(x, y), 20, shuffle=True, num_workers=2)
    net(mx.nd.array(x[:2]))
    trainer = mx.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.02})
    for _ in range(10):
        for part, label in loader:
            with mx.autograd.record():
                loss = loss_of(net(part), label)
            loss.backward()
            trainer.step(part.shape[0])
    accuracy.update([mx.nd.array(y)], [net(mx.nd.array(x))])
    assert accuracy.get()[1] > 0.95


# -- files -----------------------------------------------------------------------------------------

def idx(array):
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def digits(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (6, 28, 28)).astype("uint8")
    labels = np.arange(6, dtype="uint8")
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return tmp_path, images, labels


@pytest.mark.parametrize("train", [True, False])
def test_mnist(digits, train):
    root, images, labels = digits
    found = MNIST(str(root), train=train)
    assert len(found) == 6
    image, label = found[2]
    assert image.shape == (28, 28, 1) and image.dtype == np.uint8
    assert (image.asnumpy()[..., 0] == images[2]).all()
    assert label == 2 and isinstance(label, np.int32)
    batch, label = next(iter(data.DataLoader(found.transform_first(transforms.ToTensor()), 4)))
    assert batch.shape == (4, 1, 28, 28) and batch.dtype == np.float32
    np.testing.assert_allclose(batch.asnumpy()[:, 0], images[:4] / 255, rtol=1e-6)


def test_mnist_transform_and_plain_files(digits):
    root, images, labels = digits
    for path in list(root.iterdir()):
        (root / path.stem).write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert MNIST(str(root), transform=lambda image, label: label + 100)[3] == 103


@pytest.mark.parametrize("damage, message", [
    (lambda c: c[:len(c) // 2], "is a damaged gzip file"),
    (lambda c: gzip.compress(gzip.decompress(c)[:-10]), r"should hold 4704 bytes of data .* but holds 4694"),
    (lambda c: gzip.compress(b"\x00\x00\x0d\x03" + gzip.decompress(c)[4:]), "not an idx file of bytes with 3 axes"),
    (lambda c: b"nothing of the kind", "not an idx file"),
    (lambda c: b"", "not an idx file"),
    (lambda c: gzip.compress(idx(np.zeros((2, 28, 28), "uint8"))), "has 2 images, but .* has 6 labels")])
def test_damaged_mnist(digits, damage, message):
    path = digits[0] / "train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as caught:
        MNIST(str(digits[0]))
    assert len(str(caught.value).splitlines()) == 1


def test_mnist_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("MXNET_GLUON_REPO", (tmp_path / "no-such-mirror").as_uri())
    with pytest.raises(RuntimeError, match="is not there and could not be downloaded .* name its folder with root="):
        MNIST(str(tmp_path / "empty"))


def test_mnist_checks_what_it_downloads(digits, tmp_path, monkeypatch):
    mirror = tmp_path / "mirror" / "gluon" / "dataset" / "mnist"
    mirror.mkdir(parents=True)
    for path in digits[0].glob("*.gz"):
        path.rename(mirror / path.name)
    monkeypatch.setenv("MXNET_GLUON_REPO", (tmp_path / "mirror").as_uri())
    with pytest.raises(RuntimeError, match="does not have the SHA-1 6c95f4b05d2bf285"):
        MNIST(str(tmp_path / "fetched"))


def test_cifar(tmp_path):
    random = np.random.RandomState(0)
    for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
        (tmp_path / name).write_bytes(random.randint(0, 256, 2 * 3073).astype("uint8").tobytes())
    found = CIFAR10(str(tmp_path))
    content = np.frombuffer((tmp_path / "data_batch_1.bin").read_bytes(), "uint8")
    assert len(found) == 10 and found[0][1] == content[0]
    assert (found[0][0].asnumpy().transpose(2, 0, 1).ravel() == content[1:3073]).all()
    (tmp_path / "test.bin").write_bytes(bytes([3, 50]) + bytes(3072))
    assert CIFAR100(str(tmp_path), train=False)[0][1] == 3
    assert CIFAR100(str(tmp_path), train=False, fine_label=True)[0][1] == 50
    (tmp_path / "test_batch.bin").write_bytes(b"abc")
    with pytest.raises(ValueError, match="should hold records of 3073 bytes, but holds 3"):
        CIFAR10(str(tmp_path), train=False)


def test_transforms():
    image = mx.nd.array(np.arange(24).reshape(2, 4, 3), dtype="uint8")
    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1, 0.2, 0.3), (1, 2, 4))])
    wanted = (np.arange(24).reshape(2, 4, 3).transpose(2, 0, 1) / 255 - np.array([0.1, 0.2, 0.3]).reshape(3, 1, 1))
    np.testing.assert_allclose(change(image).asnumpy(), wanted / np.array([1, 2, 4]).reshape(3, 1, 1), atol=1e-6)
    assert transforms.Cast("float16")(image).dtype == np.float16
    np.testing.assert_allclose(transforms.Normalize(1.0, 2.0)(mx.nd.ones((1, 2, 2)) * 3).asnumpy(), 1)
    with pytest.raises(ValueError, match=r"expected \(height, width, channels\)"):
        transforms.ToTensor()(mx.nd.ones((3,)))


@pytest.fixture
def records(tmp_path):
    path = str(tmp_path / "numbers.rec")
    file = mx.recordio.MXIndexedRecordIO(str(tmp_path / "numbers.idx"), path, "w")
    for i in range(20):
        file.write_idx(3 * i, b"number %d" % i)
    file.close()
    return path


def test_records(records):
    found = data.RecordFileDataset(records)
    assert len(found) == 20 and found[0] == b"number 0" and found[-1] == b"number 19"
    with pytest.raises(IndexError):
        found[20]
    for kwargs in ({"num_workers": 2}, {"num_workers": 3, "thread_pool": True}, {}):
        batches = data.DataLoader(found, 3, batchify_fn=list, **kwargs)
        assert sum(batches, []) == [b"number %d" % i for i in range(20)]
    with pytest.raises(OSError, match="cannot be opened"):
        data.RecordFileDataset(records + "x")
    index = records.replace(".rec", ".idx")
    with open(index, "a", encoding="utf-8") as file:
        file.write("99\t100000\n")
    with pytest.raises(ValueError, match="numbers.idx' puts record 99 behind the end of '.*numbers.rec'"):
        data.RecordFileDataset(records)[20]


def test_listed_images(tmp_path):
    import cv2
    for i in range(2):
        cv2.imwrite(str(tmp_path / f"{i}.png"), np.full((3, 4, 3), 50 * i, "uint8"))
    (tmp_path / "a.lst").write_text("0\t4\t0.png\n1\t5\t1.png\n")
    (tmp_path / "b.lst").write_text("0\t4\t2.5\t0.png\n")
    listed = data.vision.ImageListDataset(str(tmp_path), str(tmp_path / "a.lst"))
    assert len(listed) == 2 and listed[1][1] == 5.0 and (listed[1][0].asnumpy() == 50).all()
    assert data.vision.ImageListDataset(str(tmp_path), str(tmp_path / "b.lst"))[0][1].tolist() == [4, 2.5]
    grey = data.vision.ImageListDataset(str(tmp_path), [[7, "0.png"], [[1, 2], "1.png"]], flag=0)
    assert grey[0][0].shape == (3, 4, 1) and grey[1][1].tolist() == [1, 2]
    for wrong in ([["0.png"]], [["x", "0.png"]], [3]):
        with pytest.raises(ValueError, match="entry 1 of the list should hold labels and a path"):
            data.vision.ImageListDataset(str(tmp_path), wrong)
    with pytest.raises(TypeError, match="must be a path or a list"):
        data.vision.ImageListDataset(str(tmp_path))

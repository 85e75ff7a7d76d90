"""Images: functions, augmenters and iterators, beside MXNet 1.9.1."""
import builtins
import json
import pathlib
import pickle
import random
import subprocess
import sys

import numpy as np
import pytest

import mxnet as mx

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
import image_cases as cases  # noqa: E402

RECORDED = np.load(GOLDEN / "image.npz")


def compare(kind, name, results):
    """With what was recorded; uint8 pixels may be one off where OpenCV's versions round differently."""
    assert f"{kind}/{name}/{len(results)}" not in RECORDED
    for i, have in enumerate(results):
        want = RECORDED[f"{kind}/{name}/{i}"]
        assert have.shape == want.shape, f"{name}, {i}"
        if want.dtype == np.uint8:
            assert have.dtype == want.dtype
            difference = np.abs(have.astype(int) - want)
            assert difference.max() <= 1 and (difference > 0).mean() < 0.1, name
        else:
            np.testing.assert_allclose(have, want, rtol=1e-4, atol=2e-2 if want.dtype == np.float32 else 1e-6,
                                       err_msg=f"{name}, {i}")


@pytest.fixture(autouse=True)
def seeded():
    random.seed(0)
    np.random.seed(0)


@pytest.mark.parametrize("name", cases.CASES)
def test_like_mxnet(name):
    compare("image", name, cases.CASES[name](mx))


@pytest.mark.parametrize("name", cases.ITERATORS)
def test_iterators_like_mxnet(name, tmp_path):
    compare("iterator", name, cases.ITERATORS[name](mx, tmp_path))


def test_descriptions_like_mxnet():
    assert json.loads(json.dumps(cases.descriptions(mx))) == json.loads((GOLDEN / "image_names.json").read_text())


def image(dtype="uint8"):
    return mx.nd.array(cases.LARGE, dtype=dtype)


# --- functions ----------------------------------------------------------------------------------------------


def test_decoding():
    data = cases.png(cases.SMALL)
    for source in (data, bytearray(data), np.frombuffer(data, "uint8"), mx.nd.array(np.frombuffer(data, "uint8"),
                                                                                   dtype="uint8")):
        np.testing.assert_array_equal(mx.image.imdecode(source).asnumpy(), cases.SMALL)
    out = mx.nd.zeros(cases.SMALL.shape, dtype="uint8")
    assert mx.img.imdecode(data, out=out) is out
    np.testing.assert_array_equal(out.asnumpy(), cases.SMALL)
    assert mx.image.imdecode(data, 0).shape == (6, 9, 1)
    np.testing.assert_array_equal(mx.image.imdecode(data, flag=-1).asnumpy(), cases.SMALL)


@pytest.mark.parametrize("call, kind, text", [
    (lambda: mx.image.imdecode(b""), ValueError, "no bytes"),
    (lambda: mx.image.imdecode(b"no image"), ValueError, "no image that can be decoded"),
    (lambda: mx.image.imdecode(cases.png(cases.SMALL)[:70]), ValueError, "imdecode"),
    (lambda: mx.image.imdecode(np.zeros(9)), TypeError, "expected bytes"),
    (lambda: mx.image.imread("/no/such/file.jpg"), OSError, "/no/such/file.jpg"),
    (lambda: mx.image.imread(__file__), ValueError, "test_image.py"),
    (lambda: mx.image.imresize(image(), 0, 5), ValueError, "width 0"),
    (lambda: mx.image.imresize(image(), 5, 5, 7), ValueError, "interp is 7"),
    (lambda: mx.image.imresize(mx.nd.zeros((3, 4)), 5, 5), ValueError, r"got \(3, 4\)"),
    (lambda: mx.image.imresize(mx.nd.zeros((0, 4, 3)), 5, 5), ValueError, "cannot be resized"),
    (lambda: mx.image.imresize(image("int64"), 5, 5), ValueError, "imresize: OpenCV refuses"),
    (lambda: mx.image.image.copyMakeBorder(image(), -1, 0, 0, 0), ValueError, "copyMakeBorder: OpenCV refuses"),
    (lambda: mx.image.imrotate(image(), 30), TypeError, "float32"),
    (lambda: mx.image.imrotate(mx.nd.zeros((3, 4)), 30), TypeError, r"\(3, 4\)"),
    (lambda: mx.image.imrotate(mx.nd.zeros((2, 3, 4, 4)), mx.nd.array([1, 2, 3])), ValueError, "3 angles for 2"),
    (lambda: mx.image.imrotate(mx.nd.zeros((3, 4, 4)), 1, True, True), ValueError, "both"),
    (lambda: mx.image.random_size_crop(image(), (3, 3), .1, (1, 2), other=1), TypeError, "other"),
    (lambda: mx.image.CreateAugmenter((3, 5, 5), mean=np.zeros(2)), ValueError, "mean has shape"),
    (lambda: mx.image.DetBorrowAug(mx.image.DetHorizontalFlipAug(1)), TypeError, "expected an Augmenter"),
    (lambda: mx.image.DetRandomSelectAug([mx.image.CastAug()]), ValueError, "DetAugmenter"),
    (lambda: mx.image.Augmenter()(image()), NotImplementedError, "__call__"),
])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


def test_without_opencv(monkeypatch):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "cv2":
            raise ModuleNotFoundError("No module named 'cv2'")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr("importlib.import_module", refuse)
    with pytest.raises(ImportError, match=r"pip install mxnet\[image\]"):
        mx.image.imdecode(cases.png(cases.SMALL))


def test_opencv_is_imported_when_used():
    code = "import mxnet, sys; assert 'cv2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_rotated_batches():
    pair = mx.nd.stack(image("float32").transpose((2, 0, 1)), image("float32").transpose((2, 0, 1)) * 2)
    both = mx.image.imrotate(pair, mx.nd.array([30, -45]), zoom_in=True)
    for i, angle in enumerate((30, -45)):
        np.testing.assert_allclose(both[i].asnumpy(), mx.image.imrotate(pair[i], angle, zoom_in=True).asnumpy(),
                                   rtol=1e-6)
    assert mx.image.random_rotate(pair, (-10, 10)).shape == pair.shape
    assert mx.image.random_rotate(pair[0], (-10, 10), zoom_out=True).shape == pair[0].shape


def test_augmenters_leave_their_input_alone():
    before = image("float32")
    for augmenter in mx.image.CreateAugmenter((3, 30, 40), rand_mirror=True, mean=True, std=True, brightness=.5,
                                              contrast=.5, saturation=.5, hue=.5, pca_noise=.5, rand_gray=1):
        augmenter(before)
    np.testing.assert_array_equal(before.asnumpy(), cases.LARGE)


def test_augmenters_can_be_pickled():
    for augmenter in mx.image.CreateDetAugmenter((3, 8, 8), rand_crop=.5, rand_pad=.5, mean=True, hue=.1):
        assert pickle.loads(pickle.dumps(augmenter)).dumps() == augmenter.dumps()


def test_interpolation_by_sizes():
    assert [mx.image.imresize(image(), *size, interp=9).shape for size in ((80, 60), (8, 6), (80, 6))] \
        == [(60, 80, 3), (6, 8, 3), (6, 80, 3)]
    assert mx.image.resize_short(image(), 10, interp=10).shape == (10, 13, 3)


# --- iterators ----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    cases._images(tmp_path)
    return tmp_path


def test_image_iter(folder):
    images = mx.image.ImageIter(3, (3, 8, 9), imglist=[[i, f"{i}.png"] for i in range(7)], path_root=str(folder),
                                label_name="digit", dtype="int32", aug_list=[mx.image.CastAug()])
    assert images.provide_data == [("data", (3, 3, 8, 9))]
    assert images.provide_label == [("digit", (3,))]
    batches = list(images)
    assert [batch.pad for batch in batches] == [0, 0, 2]
    assert batches[0].data[0].dtype == np.float32
    np.testing.assert_array_equal(batches[0].data[0][1].asnumpy(), cases.pixels(8, 9, 1).transpose(2, 0, 1))
    with pytest.raises(StopIteration):
        images.next()
    images.hard_reset()
    assert len(list(images)) == 3


def test_a_net_is_trained_from_an_image_iter(folder):
    images = mx.image.ImageIter(4, (3, 8, 8), imglist=[[i % 2, f"{i}.png"] for i in range(10)], path_root=str(folder),
                                shuffle=True, rand_mirror=True, mean=True, std=True)
    net = mx.gluon.nn.Dense(2)
    net.initialize()
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": .01})
    loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
    for batch in images:
        with mx.autograd.record():
            value = loss(net(batch.data[0]), batch.label[0])
        value.backward()
        trainer.step(4)
    assert np.isfinite(value.asnumpy()).all()


@pytest.mark.parametrize("arguments, kind, text", [
    ({}, AssertionError, "path_imgrec, path_imglist or imglist"),
    ({"imglist": [], "dtype": "float16"}, AssertionError, "float16"),
    ({"imglist": [], "last_batch_handle": "keep"}, ValueError, "keep"),
    ({"imglist": [], "data_shape": (3, 4)}, ValueError, "channels, height, width"),
    ({"imglist": [], "data_shape": (2, 4, 4)}, ValueError, "1 or 3 channels"),
    ({"imglist": [[0, "0.png"]], "num_parts": 2, "part_index": 2}, AssertionError, "part_index is 2"),
])
def test_image_iter_refuses(arguments, kind, text):
    with pytest.raises(kind, match=text):
        mx.image.ImageIter(2, **{"data_shape": (3, 4, 4), **arguments})


def test_image_iter_says_what_is_wrong(folder):
    def first(**kwargs):
        return next(mx.image.ImageIter(1, **{"data_shape": (3, 8, 9), "path_root": str(folder), "aug_list": [],
                                             **kwargs}))
    (folder / "bad.png").write_bytes(b"bad")
    (folder / "bad.lst").write_text("0\tx\t0.png\n")
    with pytest.raises(ValueError, match="ImageIter .*no image that can be decoded"):
        first(imglist=[[0, "bad.png"]])
    with pytest.raises(FileNotFoundError):
        first(imglist=[[0, "none.png"]])
    with pytest.raises(ValueError, match=r"shape \(3, 8, 9\).*expected \(3, 9, 9\)"):
        first(imglist=[[0, "0.png"]], data_shape=(3, 9, 9))
    with pytest.raises(ValueError, match="2 labels, label_width is 1"):
        first(imglist=[[0, 1, "0.png"]])
    with pytest.raises(ValueError, match="bad.lst', line 1"):
        first(path_imglist=str(folder / "bad.lst"))
    with pytest.raises(AssertionError, match="path_imgidx"):
        cases._records(mx, folder)
        first(path_imgrec=str(folder / "all.rec"), shuffle=True)


def detector(folder, count=5, **kwargs):
    return mx.image.ImageDetIter(2, (3, 8, 9), imglist=cases._boxes(count), path_root=str(folder),
                                 **{"aug_list": [], **kwargs})


def test_shape_of_labels(folder):
    images = detector(folder)
    assert images.label_shape == (3, 5) and images.provide_label == [("label", (2, 3, 5))]
    images.reshape(label_shape=(5, 5))
    assert next(images).label[0].shape == (2, 5, 5)
    images.reshape(data_shape=(3, 9, 9))
    assert images.provide_data[0].shape == (2, 3, 9, 9)
    for shape, text in (((2, 5), "2 objects"), ((9, 6), "not 6"), ((9,), "expected")):
        with pytest.raises(ValueError, match=text):
            images.reshape(label_shape=shape)
    small = detector(folder, 1)
    assert images.sync_label_shape(small) is small
    assert images.label_shape == small.label_shape == (5, 5)


@pytest.mark.parametrize("label, text", [
    ([2, 5], "2 numbers"), ([2, 4, 0, .1, .1, .5, .5], "objects of 4"), ([2, 5, 0, .5, .5, .1, .1], "no object"),
    ([2, 5, 0, .1, .1, .5, .5, 7], "8 numbers")])
def test_bad_labels(folder, label, text):
    with pytest.raises(RuntimeError, match=text):
        mx.image.ImageDetIter(1, (3, 8, 9), imglist=[[label, "0.png"]], path_root=str(folder), aug_list=[])


def test_images_without_objects_are_left_out(folder):
    labels = [[2, 5, -1, .1, .1, .5, .6], [4, 5, 7, 8, 3, .1, .1, .5, .6]]
    images = mx.image.ImageDetIter(1, (3, 8, 9), imglist=[[x, "0.png"] for x in labels], path_root=str(folder),
                                   aug_list=[])
    assert [float(batch.label[0][0, 0, 0].asscalar()) for batch in images] == [3]


def test_drawn(folder):
    images = detector(folder, aug_list=None, mean=True, std=True)
    drawn = list(images.draw_next(color=(255, 0, 0), thickness=1, mean=True, std=True, id2labels={0: "cat"}))
    assert len(drawn) == 5 and drawn[0].shape == (8, 9, 3) and drawn[0].dtype == np.uint8
    assert (drawn[0] == (255, 0, 0)).all(axis=2).any()


def test_augmenters_that_cannot_work_say_so():
    with pytest.warns(UserWarning, match="area_range"):
        crop = mx.image.DetRandomCropAug(area_range=(1.0, .5))
    assert not crop.enabled and crop(image(), cases.LABEL)[0].shape == (30, 40, 3)
    with pytest.warns(UserWarning, match="aspect_ratio_range"):
        mx.image.DetRandomPadAug(aspect_ratio_range=(0, 1))


# --- data sets ----------------------------------------------------------------------------------------------


def test_record_datasets(folder):
    cases._records(mx, folder)
    raw = mx.gluon.data.RecordFileDataset(str(folder / "all.rec"))
    assert len(raw) == 10 and mx.recordio.unpack(raw[3])[0].id == 3
    images = mx.gluon.data.vision.ImageRecordDataset(str(folder / "all.rec"))
    pixels, label = images[4]
    assert label == 4
    np.testing.assert_array_equal(pixels.asnumpy(), cases.pixels(8, 9, 4))
    gray = mx.gluon.data.vision.ImageRecordDataset(str(folder / "all.rec"), 0, lambda image, label: (image, -label))
    assert gray[4][0].shape == (8, 9, 1) and gray[4][1] == -4


@pytest.mark.parametrize("workers", [{}, {"num_workers": 2}, {"num_workers": 2, "thread_pool": True}])
def test_records_in_a_loader(folder, workers):
    cases._records(mx, folder)
    images = mx.gluon.data.vision.ImageRecordDataset(str(folder / "all.rec"))
    assert images[7][1] == 7  # the file is open, and not at its beginning, when workers are made
    batches = list(mx.gluon.data.DataLoader(images, batch_size=4, **workers))
    assert [batch[1].asnumpy().tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    np.testing.assert_array_equal(batches[1][0][2].asnumpy(), cases.pixels(8, 9, 6))


def test_folder_dataset(tmp_path):
    for name, count in (("dog", 1), ("cat", 2)):
        (tmp_path / name).mkdir()
        for i in range(count):
            (tmp_path / name / f"{i}.PNG").write_bytes(cases.png(cases.pixels(8, 9, i)))
    (tmp_path / "cat" / "notes.txt").write_text("purr")
    (tmp_path / "readme").write_text("animals")
    with pytest.warns(UserWarning) as caught:
        animals = mx.gluon.data.vision.ImageFolderDataset(str(tmp_path))
    assert sorted("notes.txt" in str(w.message) for w in caught) == [False, True]
    assert animals.synsets == ["cat", "dog"] and [animals[i][1] for i in range(len(animals))] == [0, 0, 1]
    np.testing.assert_array_equal(animals[1][0].asnumpy(), cases.pixels(8, 9, 1))


def test_operators_on_files_by_their_old_names(tmp_path):
    pytest.importorskip("cv2", reason="needs OpenCV, which mxnet[image] brings")
    path = tmp_path / "small.png"
    path.write_bytes(cases.png(cases.SMALL))
    old = mx.nd._internal
    image = old._cvimread(str(path))
    np.testing.assert_array_equal(image.asnumpy(), cases.SMALL)
    data = mx.nd.array(np.frombuffer(path.read_bytes(), "uint8"), dtype="uint8")
    np.testing.assert_array_equal(old._cvimdecode(data, to_rgb=True).asnumpy(), cases.SMALL)
    assert old._cvimresize(image, w=4, h=3).shape == (3, 4, 3)
    assert old._cvcopyMakeBorder(image, 1, 2, 3, 4).shape == (6 + 3, 9 + 7, 3)


def test_copy_make_border():
    framed = mx.image.copyMakeBorder(mx.nd.ones((2, 3, 3), dtype="uint8"), 1, 1, 2, 2, value=7)
    assert framed.shape == (4, 7, 3) and framed.asnumpy()[0, 0].tolist() == [7, 7, 7]

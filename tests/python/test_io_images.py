"""Iterators over images in RecordIO files."""
import shutil

import image_iter_cases as cases
import numpy as np
import pytest

import mxnet as mx
from mxnet import io

GOLDEN = np.load(cases.HERE / "image_iters.npz")
# The cases where OpenCV's versions differ by as much.
TOLERANCE = {"resize_cubic": 1, "resize_suiting": 1, "turn": 1, "scale": 1, "scale_bounded": 1, "slant": 4}


@pytest.mark.parametrize("name", cases.CASES)
def test_as_recorded(name):
    for part, value in cases.run(mx, name).items():
        wanted = GOLDEN[f"{name}.{part}"]
        assert value.dtype == wanted.dtype and value.shape == wanted.shape
        np.testing.assert_allclose(value.astype("float64"), wanted.astype("float64"), rtol=1e-6,
                                   atol=TOLERANCE.get(name, 1e-6) if part == "data" else 1e-6)


def iterator_of(file="images", kind="ImageRecordIter", **given):
    return getattr(io, kind)(**{**cases.BASIC, "path_imgrec": str(cases.FILES / f"{file}.rec"), **given})


def data_of(iterator):
    data = np.concatenate([batch.data[0].asnumpy() for batch in iterator])
    iterator.reset()
    return data


def test_padding_without_going_round():
    iterator = iterator_of(round_batch=False)
    batches = list(iterator)
    assert [batch.pad for batch in batches] == [0, 0, 2] and batches[2].label[0].asnumpy().tolist() == [12, 0, 0]
    assert [batch.index.tolist() for batch in batches[:2]] == [[0, 1, 2], [3, 4, 5]]
    assert (batches[2].data[0].asnumpy()[1:] == 0).all()


def test_shuffling():
    def orders(**given):
        iterator = iterator_of(shuffle=True, batch_size=7, **given)
        found = []
        for _ in range(3):
            found += [batch.label[0].asnumpy().tolist() for batch in iterator]
            iterator.reset()
        return found
    first = orders(seed=3)
    assert first == orders(seed=3, preprocess_threads=4) != orders(seed=4)
    assert all(sorted(order) == list(range(0, 14, 2)) for order in first) and first[0] != first[1]


CHANGES = [{"rand_crop": True}, {"rand_mirror": True}, {"brightness": 0.5}, {"contrast": 0.5}, {"saturation": 0.5},
           {"pca_noise": 0.5}, {"random_h": 30}, {"random_s": 50}, {"random_l": 50}, {"max_rotate_angle": 20},
           {"max_shear_ratio": 0.3}, {"max_aspect_ratio": 0.3}, {"min_random_scale": 0.8, "max_random_scale": 1.5},
           {"max_random_illumination": 20.0}, {"max_random_contrast": 0.5}, {"resize": 10, "inter_method": 10},
           {"random_resized_crop": True, "min_random_area": 0.3, "min_aspect_ratio": 0.75, "max_aspect_ratio": 1.33},
           {"min_crop_size": 5, "max_crop_size": 8, "rand_crop": True}]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: "-".join(change))
def test_random_changes(change):
    one, many = (iterator_of(batch_size=7, preprocess_threads=threads, **change) for threads in (1, 3))
    first, second = data_of(one), data_of(one)
    assert (first == data_of(many)).all() and (second == data_of(many)).all()
    assert (first != second).any()
    assert -70 <= first.min() and first.max() <= 400
    assert (data_of(iterator_of(batch_size=7, seed_aug=9, **change)) != first).any()


def test_what_changes_do():
    plain = data_of(iterator_of(batch_size=7))
    mirrored = [data_of(iterator_of(batch_size=7, rand_mirror=True, seed=seed)) for seed in range(10)]
    same = [(part == whole).all() for data in mirrored for part, whole in zip(data, plain)]
    turned = [(part[:, :, ::-1] == whole).all() for data in mirrored for part, whole in zip(data, plain)]
    assert 15 < sum(same) < 55 and sum(same) + sum(turned) == 70
    light = data_of(iterator_of(batch_size=7, max_random_illumination=20.0)) - plain
    assert np.allclose(light, light[:, :1, :1, :1], atol=1e-4) and 1 < abs(light).max() <= 20
    bright = [data_of(iterator_of(batch_size=7, brightness=0.5, seed=seed))[5].mean() / plain[5].mean()
              for seed in range(20)]
    assert 0.45 < min(bright) < 0.8 and 1.1 < max(bright) < 1.55


def test_mean_image(tmp_path):
    path = str(tmp_path / "mean.nd")
    plain = data_of(iterator_of(batch_size=7))
    for _ in range(2):  # computed, and then read
        np.testing.assert_allclose(data_of(iterator_of(batch_size=7, mean_img=path)), plain - plain.mean(axis=0),
                                   atol=1e-3)
    assert mx.nd.load(path)["mean_img"].shape == (3, 8, 8)


@pytest.mark.parametrize("given, kind, message", [
    ({"path_imgrec": "nope.rec"}, OSError, "'nope.rec' cannot be read"),
    ({"path_imgrec": ""}, ValueError, "path_imgrec, the RecordIO file, is required"),
    ({"path_imglist": "nope.lst"}, OSError, "'nope.lst' cannot be read"),
    ({"data_shape": (8, 8)}, ValueError, r"must be \(channels, height, width\)"),
    ({"batch_size": 8}, ValueError, "there are 7 samples, fewer than batch_size 8"),
    ({"num_parts": 2, "part_index": 2}, ValueError, "part_index 2 is out of range"),
    ({"dtype": "float64"}, ValueError, "dtype float64 is not one of float32"),
    ({"file": "objects", "kind": "ImageDetRecordIter", "resize_mode": "x"}, ValueError, "resize_mode must be"),
    ({"kind": "ImageDetRecordIter"}, ValueError, "the 1 labels of record 0 are no header"),
    ({"file": "objects", "kind": "ImageDetRecordIter", "label_pad_width": 3}, ValueError, "but a record has 12 labels"),
    ({"file": "objects", "kind": "ImageDetRecordIter", "label_width": 7}, ValueError, "record 1 has 12 labels")])
def test_wrong_parameters(given, kind, message):
    with pytest.raises(kind, match=message):
        next(iterator_of(**given))


@pytest.mark.parametrize("given, message", [
    ({"data_shape": (4, 8, 8)}, "an image has 3 channels, but data_shape asks for 4"),
    ({"file": "labelled"}, "image 0 has 3 labels, but label_width is 1"),
    ({"file": "parts", "label_width": 0}, "the record has 0 bytes")])
def test_wrong_records(given, message):
    with pytest.raises(ValueError, match=message):
        next(iterator_of(**given))


def test_damaged_files(tmp_path):
    content = (cases.FILES / "images.rec").read_bytes()
    (tmp_path / "cut.rec").write_bytes(content[:-100])
    with pytest.raises(ValueError, match="ends within a record"):
        list(iterator_of(path_imgrec=str(tmp_path / "cut.rec")))
    (tmp_path / "odd.rec").write_bytes(b"no records here, just text")
    with pytest.raises(ValueError, match="holds no record at byte 0"):
        iterator_of(path_imgrec=str(tmp_path / "odd.rec"))
    broken = bytearray(content)
    broken[60:200] = bytes(140)
    (tmp_path / "broken.rec").write_bytes(broken)
    with pytest.raises(ValueError, match="bytes that are no image"):
        list(iterator_of(path_imgrec=str(tmp_path / "broken.rec")))
    (tmp_path / "empty.rec").write_bytes(b"")
    with pytest.raises(ValueError, match="there are 0 samples"):
        iterator_of(path_imgrec=str(tmp_path / "empty.rec"))
    shutil.copy(cases.FILES / "images.lst", tmp_path / "short.lst")
    (tmp_path / "short.lst").write_text("0\t1\ta.png\n")
    with pytest.raises(ValueError, match="image 1 is not in"):
        list(iterator_of(path_imglist=str(tmp_path / "short.lst")))


def test_image_beyond_all_bounds(tmp_path):
    import struct
    import zlib
    header = struct.pack(">4sIIBBBBB", b"IHDR", 1 << 20, 1 << 20, 8, 2, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header)) + bytes(20)
    path = str(tmp_path / "huge.rec")
    file = mx.recordio.MXRecordIO(path, "w")
    file.write(mx.recordio.pack((0, 1.0, 0, 0), content))
    file.close()
    with pytest.raises(ValueError, match="bytes that are no image"):
        next(iterator_of(path_imgrec=path, batch_size=1))


@pytest.mark.parametrize("file, kind", [("images", "ImageRecordIter"), ("objects", "ImageDetRecordIter")])
def test_files_damaged_anywhere(tmp_path, file, kind):
    """Whatever the damage, a file is read or refused with one plain error."""
    random = np.random.RandomState(0)
    content = (cases.FILES / f"{file}.rec").read_bytes()
    path = tmp_path / "damaged.rec"
    refused = 0
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(random.randint(1, 4)):
            at = random.randint(len(damaged))
            if random.rand() < 0.7:
                damaged[at] = random.randint(256)
            else:
                del damaged[at:at + random.randint(1, 50)]
        path.write_bytes(damaged)
        try:
            list(iterator_of(path_imgrec=str(path), kind=kind, batch_size=1, preprocess_threads=2))
        except ValueError as error:
            assert len(str(error).splitlines()) == 1
            refused += 1
    assert refused > 50


def boxes_of(iterator):
    found = []
    for batch in iterator:
        for label in batch.label[0].asnumpy():
            found.append(label[6:4 + int(label[3])].reshape(-1, 5))
    iterator.reset()
    return found


@pytest.mark.parametrize("change", [
    {"rand_crop_prob": 1.0, "min_crop_scales": (0.5,), "max_crop_scales": (0.6,)},
    {"rand_crop_prob": 1.0, "crop_emit_mode": "overlap", "min_crop_scales": (0.2, 0.5), "num_crop_sampler": 2,
     "min_crop_object_coverages": 0.5},
    {"rand_pad_prob": 1.0, "max_pad_scale": 2.0},
    {"max_random_hue": 20, "random_hue_prob": 1.0, "max_random_contrast": 0.5, "random_contrast_prob": 1.0}],
    ids=["crop", "crops", "pad", "colours"])
def test_objects_follow_their_images(change):
    iterator = iterator_of("objects", "ImageDetRecordIter", batch_size=1, preprocess_threads=2, **change)
    before = boxes_of(iterator_of("objects", "ImageDetRecordIter", batch_size=1))
    for _ in range(20):
        for boxes, whole in zip(boxes_of(iterator), before):
            assert 1 <= len(boxes) <= len(whole)
            assert (boxes[:, 1:] >= 0).all() and (boxes[:, 1:] <= 1).all()
            assert (boxes[:, 3:] > boxes[:, 1:3]).all() and set(boxes[:, 0]) <= set(whole[:, 0])


def test_threads_end():
    iterator = iterator_of(preprocess_threads=4)
    next(iterator)
    threads = list(iterator._threads._threads)
    assert all(thread.is_alive() for thread in threads) and threads
    iterator.close()
    assert not any(thread.is_alive() for thread in threads)

"""What mx.image does with MXNet 1.9.1 (see record_image.py) and with this package, to be compared.

Every case takes the `mxnet` module as `mx` and gives plain numbers or NumPy arrays; Python's and NumPy's random
numbers are seeded before.
"""
import pathlib
import struct
import zlib

import numpy as np

FILES = pathlib.Path(__file__).parent / "files"


def png(pixels):
    """An image (height, width, 3) of uint8 as the bytes of a PNG file."""
    height, width, _ = pixels.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def pixels(height, width, seed=0):
    """Pixels that change slowly, so that interpolation in other precision gives nearly the same."""
    random = np.random.RandomState(seed)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(y * random.uniform(.1, .4) + x * random.uniform(.1, .4) + random.uniform(0, 6)) for _ in range(3)]
    return (127 + 120 * np.stack(waves, axis=2)).astype("uint8")


SMALL, LARGE = pixels(6, 9), pixels(30, 40, 1)
LABEL = np.array([[0, .1, .2, .5, .6], [1, .4, .4, .9, .95], [2, .7, .1, .8, .3]])


def numbers(result):
    """Arrays and numbers of a result, in a list."""
    items = result if isinstance(result, (list, tuple)) else [result]
    return [x.asnumpy() if hasattr(x, "asnumpy") else np.asarray(x) for x in items]


def _image(name, *args, source=LARGE, dtype="uint8", **kwargs):
    def run(mx):
        module = mx.image if hasattr(mx.image, name) else mx.image.image
        return numbers(getattr(module, name)(mx.nd.array(source, dtype=dtype), *args, **kwargs))
    return run


def _rotate(angle, **kwargs):
    return lambda mx: numbers(mx.image.imrotate(mx.nd.array(LARGE.transpose(2, 0, 1)), angle, **kwargs))


def _augment(make):
    return lambda mx: numbers(make(mx.image)(mx.nd.array(LARGE)))


def _detect(make, times=3):
    def run(mx):
        augmenter, results = make(mx.image), []
        for _ in range(times):
            image, label = augmenter(mx.nd.array(LARGE, dtype="uint8"), LABEL.copy())
            results += [np.array(image.shape), image.asnumpy().mean(axis=(0, 1)), label]
        return results
    return run


def _decode(data, **kwargs):
    return lambda mx: numbers(mx.image.imdecode(data, **kwargs))


def _images(folder, count=10):
    """Image files, a list of them with labels, and record files."""
    for i in range(count):
        (folder / f"{i}.png").write_bytes(png(pixels(8, 9, i)))
    (folder / "list.lst").write_text("".join(f"{i}\t{i + .5}\t{i}.png\n" for i in range(6)))


def _records(mx, folder, count=10):
    file = mx.recordio.MXIndexedRecordIO(str(folder / "all.idx"), str(folder / "all.rec"), "w")
    for i in range(count):
        file.write_idx(i, mx.recordio.pack((0, i, i, 0), (folder / f"{i}.png").read_bytes()))
    file.close()


def _batches(iterator, epochs=3):
    results = []
    for _ in range(epochs):
        for batch in iterator:
            results += numbers(batch.label) + [np.asarray(batch.pad)] + numbers(batch.data[0].mean())
        iterator.reset()
        results.append(np.zeros(0))
    return results


def _iterate(kind="ImageIter", batch=4, **kwargs):
    def run(mx, folder):
        _images(folder)
        _records(mx, folder)
        paths = {name: str(folder / value) if name.startswith("path") else value for name, value in kwargs.items()}
        return _batches(getattr(mx.image, kind)(batch, (3, 8, 9), **{"aug_list": [], **paths}))
    return run


def _boxes(count):
    """Flat labels of one to three objects for each image."""
    labels = []
    for i in range(count):
        objects = [[j, .1 * j, .1, .1 * j + .3, .6] for j in range(1 + i % 3)]
        labels.append([[2, 5] + sum(objects, []), f"{i}.png"])
    return labels


_LIST = [[i, f"{i}.png"] for i in range(10)]
_RECORDS = {"path_imgrec": "all.rec", "path_imgidx": "all.idx"}
_EIGEN = np.array([55.46, 4.794, 1.148]), np.array([[-.6, .7, .4], [-.6, 0, -.8], [-.6, -.7, .4]])

CASES = {
    "png": _decode(png(SMALL)),
    "png_gray": _decode(png(LARGE), flag=0),
    "png_bgr": _decode(png(SMALL), to_rgb=False),
    "jpeg": lambda mx: _decode((FILES / "waves.jpg").read_bytes())(mx),
    "imread": lambda mx: numbers(mx.image.imread(str(FILES / "waves.jpg"))),
    **{f"resize_{interp}": _image("imresize", 23, 17, interp) for interp in (0, 1, 2, 4)},
    "resize_area": _image("imresize", 30, 20, 3),
    "resize_float": _image("imresize", 23, 17, dtype="float32"),
    "resize_gray": _image("imresize", 23, 17, source=LARGE[:, :, :1]),
    "scale_down": lambda mx: numbers([mx.image.scale_down(*x) for x in (((640, 480), (720, 120)), ((10, 20), (5, 50)),
                                                                       ((360, 1000), (480, 500)))]),
    "short": _image("resize_short", 20, 1),
    "short_uneven": _image("resize_short", 33, 1),
    "border": _image("copyMakeBorder", 1, 2, 3, 4),
    "border_value": _image("copyMakeBorder", 1, 2, 3, 4, type=0, value=7),
    "border_values": _image("copyMakeBorder", 1, 2, 3, 4, 0, values=(7., 8., 9.)),
    "border_edge": _image("copyMakeBorder", 1, 2, 3, 4, 1),
    "border_mirror": _image("copyMakeBorder", 1, 2, 3, 4, type=4),
    "fixed": _image("fixed_crop", 1, 2, 10, 12),
    "fixed_resized": _image("fixed_crop", 1, 2, 10, 12, (5, 6), 1),
    "fixed_outside": _image("fixed_crop", 33, 22, 20, 20),
    "center": _image("center_crop", (20, 10)),
    "center_uneven": _image("center_crop", (21, 11)),
    "center_large": _image("center_crop", (120, 10), 1),
    "random": _image("random_crop", (20, 10)),
    "random_large": _image("random_crop", (70, 80), 1),
    "random_size": _image("random_size_crop", (20, 10), 0.08, (.75, 1.33), 1),
    "random_size_bounds": _image("random_size_crop", (20, 10), (0.08, .5), (.75, 1.33), 1),
    "random_size_never": _image("random_size_crop", (20, 10), (5, 6), (.75, 1.33), 1),
    "normalize": lambda mx: numbers(mx.image.color_normalize(mx.nd.array(LARGE), mx.nd.array([1, 2, 3]),
                                                             mx.nd.array([4, 5, 6]))),
    **{f"rotate_{angle}": _rotate(angle) for angle in (0, 30, 90, -45)},
    "rotate_in": _rotate(30, zoom_in=True),
    "rotate_out": _rotate(-70, zoom_out=True),
    "aug_brightness": _augment(lambda image: image.BrightnessJitterAug(.5)),
    "aug_contrast": _augment(lambda image: image.ContrastJitterAug(.5)),
    "aug_saturation": _augment(lambda image: image.SaturationJitterAug(.5)),
    "aug_hue": _augment(lambda image: image.HueJitterAug(.5)),
    "aug_jitter": _augment(lambda image: image.ColorJitterAug(.5, .4, .3)),
    "aug_lighting": _augment(lambda image: image.LightingAug(.1, *_EIGEN)),
    "aug_gray": _augment(lambda image: image.RandomGrayAug(1)),
    "aug_flip": _augment(lambda image: image.HorizontalFlipAug(1)),
    "aug_cast": _augment(lambda image: image.CastAug("int32")),
    "aug_force": _augment(lambda image: image.ForceResizeAug((17, 13), 1)),
    "aug_all": _augment(lambda image: image.SequentialAug(image.CreateAugmenter(
        (3, 20, 30), resize=35, rand_crop=True, rand_resize=True, rand_mirror=True, mean=True, std=True, brightness=.1,
        contrast=.1, saturation=.1, hue=.1, pca_noise=.1, rand_gray=.5, inter_method=1))),
    "det_flip": _detect(lambda image: image.DetHorizontalFlipAug(.5)),
    "det_crop": _detect(lambda image: image.DetRandomCropAug(), 8),
    "det_crop_strict": _detect(lambda image: image.DetRandomCropAug(
        min_object_covered=.5, area_range=(.3, .9), min_eject_coverage=.5, max_attempts=20), 8),
    "det_pad": _detect(lambda image: image.DetRandomPadAug(), 8),
    "det_select": _detect(lambda image: image.DetRandomSelectAug([image.DetRandomPadAug(), image.DetRandomCropAug()],
                                                                 .3), 6),
    "det_multi": _detect(lambda image: image.CreateMultiRandCropAugmenter([.1, .3, .6], skip_prob=.1), 6),
    "det_borrow": _detect(lambda image: image.DetBorrowAug(image.CastAug())),
}

ITERATORS = {
    **{f"{kind}_{name}": _iterate(**source, last_batch_handle=kind) for kind in ("pad", "discard", "roll_over")
       for name, source in (("indexed", _RECORDS), ("records", {"path_imgrec": "all.rec"}))},
    "list": _iterate(imglist=_LIST, path_root="."),
    "list_file": _iterate(path_imglist="list.lst", path_root="."),
    "labels": _iterate(imglist=[[i, 2 * i, f"{i}.png"] for i in range(5)], path_root=".", label_width=2),
    "label_lists": _iterate(imglist=[[[i, 2 * i], f"{i}.png"] for i in range(5)], path_root=".", label_width=2),
    "part": _iterate(imglist=_LIST, path_root=".", num_parts=3, part_index=1),
    "shuffled": _iterate(imglist=_LIST, path_root=".", shuffle=True),
    "shuffled_part": _iterate(**_RECORDS, shuffle=True, num_parts=2, part_index=1),
    "boxes": _iterate("ImageDetIter", 2, imglist=_boxes(5), path_root="."),
    "boxes_shuffled": _iterate("ImageDetIter", 2, imglist=_boxes(5), path_root=".", shuffle=True, aug_list=None,
                               rand_crop=.5, rand_pad=.5, rand_mirror=True, mean=True, std=True, inter_method=1),
}


def descriptions(mx):
    """What `dumps` gives for lists of augmenters."""
    image = mx.image
    lists = [image.CreateAugmenter((3, 24, 32), **kwargs) for kwargs in (
        {}, {"resize": 50, "rand_crop": True, "rand_resize": True}, {"rand_mirror": True, "mean": True, "std": True},
        {"mean": np.array([1, 2, 3])}, {"brightness": .1, "contrast": .2, "saturation": .3, "hue": .1, "pca_noise": .1,
                                        "rand_gray": .1})]
    lists += [image.CreateDetAugmenter((3, 24, 32), **kwargs) for kwargs in (
        {}, {"resize": 50, "rand_crop": .5, "rand_pad": .5, "rand_mirror": True, "mean": True, "std": True},
        {"brightness": .1, "contrast": .2, "saturation": .3, "hue": .1, "pca_noise": .1, "rand_gray": .1})]
    return [[augmenter.dumps() for augmenter in augmenters] for augmenters in lists]

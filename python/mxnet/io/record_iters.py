"""Iterators over images in RecordIO files."""
import os
import random
from collections import deque

import numpy as np

from .. import ndarray
from ..error import OSError as MXOSError
from ..error import ValueError as MXValueError
from . import _augment, _detection
from ._params import REQUIRED
from ._records import Records
from .file_iters import MXDataIter

__all__ = ["ImageDetRecordIter", "ImageRecordInt8Iter", "ImageRecordIter", "ImageRecordIter_v1",
           "ImageRecordUInt8Iter", "ImageRecordUInt8Iter_v1"]

READING = {"path_imglist": (str, ""), "path_imgrec": (str, ""), "path_imgidx": (str, ""), "label_width": (int, 1),
           "data_shape": (tuple, REQUIRED), "preprocess_threads": (int, 4), "num_parts": (int, 1),
           "part_index": (int, 0), "shuffle": (bool, False), "seed": (int, 0), "seed_aug": (int, None),
           "round_batch": (bool, True), "aug_seq": (str, ""), "verbose": (bool, True), "device_id": (int, 0),
           "shuffle_chunk_size": (int, 0), "shuffle_chunk_seed": (int, 0)}
NUMBERS = {"mean_img": (str, ""), "scale": (float, 1.0), "resize": (int, -1), "inter_method": (int, 1),
           **{f"mean_{c}": (float, 0.0) for c in "rgba"}, **{f"std_{c}": (float, 1.0) for c in "rgba"},
           "max_random_contrast": (float, 0.0), "max_random_illumination": (float, 0.0)}
CHANGES = {"rand_crop": (bool, False), "random_resized_crop": (bool, False), "max_rotate_angle": (int, 0),
           "max_aspect_ratio": (float, 0.0), "min_aspect_ratio": (float, None), "max_shear_ratio": (float, 0.0),
           "max_crop_size": (int, -1), "min_crop_size": (int, -1), "max_random_scale": (float, 1.0),
           "min_random_scale": (float, 1.0), "max_random_area": (float, 1.0), "min_random_area": (float, 1.0),
           "max_img_size": (float, 1e10), "min_img_size": (float, 0.0), "brightness": (float, 0.0),
           "contrast": (float, 0.0), "saturation": (float, 0.0), "pca_noise": (float, 0.0), "random_h": (int, 0),
           "random_s": (int, 0), "random_l": (int, 0), "rotate": (int, -1), "fill_value": (int, 255),
           "pad": (int, 0), "mirror": (bool, False), "rand_mirror": (bool, False)}


class _RecordIter(MXDataIter):
    """Reads records, and makes batches of them in threads, `prefetch_buffer` batches ahead.

    A subclass turns a record into a sample in `load`. What is random follows from `seed`, whatever the number of
    threads.
    """

    allowed_dtypes = ("float32", "float16", "uint8", "int8")

    def open(self):
        p = self.params
        name = type(self).__name__
        if not p.path_imgrec:
            raise MXValueError(f"{name}: path_imgrec, the RecordIO file, is required")
        if len(p.data_shape) != 3:
            raise MXValueError(f"{name}: data_shape must be (channels, height, width), got {p.data_shape}")
        if np.dtype(self.dtype).name not in self.allowed_dtypes:
            raise MXValueError(f"{name}: dtype {np.dtype(self.dtype).name} is not one of "
                               f"{', '.join(self.allowed_dtypes)}")
        self.data_shape = p.data_shape
        self._records = Records(p.path_imgrec, p.path_imgidx)
        self._labels = self._read_list(p.path_imglist) if p.path_imglist else None
        begin, end = self.part_of(len(self._records))
        self._numbers = np.arange(begin, end)
        self.check_count(end - begin)
        self._order = random.Random(p.seed)
        self._rounds = 0
        from concurrent.futures import ThreadPoolExecutor
        self._threads = ThreadPoolExecutor(max(1, p.preprocess_threads), "mxnet-images")
        mean = self._mean_image() if p.mean_img else None
        self._normalize = _augment.normalizer(p, mean)

    def part_of(self, count):
        """Parts of equal size, but for the last."""
        super().part_of(count)  # checks the parameters
        size = -(-count // self.params.num_parts)
        begin = min(count, size * self.params.part_index)
        return begin, min(count, begin + size)

    def _read_list(self, path):
        """The labels of each image number in a list as im2rec makes it."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = [(number, line.rstrip("\n").split("\t")) for number, line in enumerate(file, 1) if line.strip()]
        except OSError as error:
            raise MXOSError(f"{type(self).__name__}: '{path}' cannot be read: {error.strerror}") from None
        labels = {}
        for number, fields in lines:
            try:
                labels[int(float(fields[0]))] = np.array(fields[1:-1], dtype=np.float32)
            except ValueError:
                raise MXValueError(f"{type(self).__name__}: '{path}', line {number}: expected a number, labels and a "
                                   "path with tabs between them") from None
        return labels

    def label_of(self, header):
        """The labels of a record, from the list where there is one."""
        if self._labels is None:
            return header.label
        if header.id not in self._labels:
            raise MXValueError(f"{type(self).__name__}: image {header.id} is not in '{self.params.path_imglist}'")
        return self._labels[header.id]

    def _mean_image(self):
        """The mean of all images, from the file `mean_img` or, where there is none, computed and written there."""
        path = self.params.mean_img
        if os.path.exists(path):
            loaded = ndarray.load(path)
            return (loaded["mean_img"] if isinstance(loaded, dict) else loaded[0]).asnumpy()
        total = np.zeros(self.data_shape)
        for number in self._numbers:
            image = self.image_of(self._records.read_number(number)[1], random.Random(0))
            total += image.transpose(2, 0, 1)
        mean = (total / len(self._numbers)).astype(np.float32)
        ndarray.save(path, {"mean_img": ndarray.array(mean)})
        return mean

    def image_of(self, content, rng):
        """The image of a record, with all changes that come before the numbers are normalized."""
        raise NotImplementedError

    def load(self, number, rng, data, label):
        """Writes the image and the label of a record to where they stand in the batch."""
        raise NotImplementedError

    def batches(self):
        waiting = deque()
        try:
            for numbers, pad in self._orders():
                waiting.append(self._submit(numbers, pad))
                if len(waiting) > max(0, self.params.prefetch_buffer):
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
        finally:  # the round may be left early
            for tasks, *_ in waiting:
                for task in tasks:
                    task.cancel()

    def _orders(self):
        """The numbers of the records of each batch, and the padding."""
        numbers = self._numbers
        if self.params.shuffle:
            numbers = numbers.copy()
            self._order.shuffle(numbers)
        for rows, pad in self.rows_of(len(numbers)):
            yield numbers[rows], pad

    def _submit(self, numbers, pad):
        data = np.zeros((self.batch_size, *self.data_shape), self.dtype)
        label = np.zeros((self.batch_size, *(self.label_shape or (1,))), np.float32)
        self._rounds += 1
        shares = max(1, min(self.params.preprocess_threads, len(numbers)))
        tasks = [self._threads.submit(self._load_some, range(share, len(numbers), shares), numbers, self._rounds, data,
                                      label) for share in range(shares)]
        return tasks, data, label, pad, numbers

    def _load_some(self, rows, numbers, batch, data, label):
        seed = self.params.seed if self.params.seed_aug is None else self.params.seed_aug
        for row in rows:
            rng = random.Random(((seed & 0xFFFFFFFF) << 64) + (batch << 32) + row)
            self.load(numbers[row], rng, data[row], label[row])

    def _finished(self, tasks, data, label, pad, numbers):
        for task in tasks:
            task.result()
        index = np.resize(numbers, self.batch_size).astype(np.uint64)
        label = label.reshape(self.batch_size, *self.label_shape)
        return ndarray.array(data, dtype=self.dtype), ndarray.array(label), pad, index

    def close(self):
        """Ends the threads and closes the file."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._records.close()

    def __del__(self):
        if hasattr(self, "_threads"):
            self._threads.shutdown(wait=False, cancel_futures=True)


class ImageRecordIter(_RecordIter):
    """Batches of the images in a RecordIO file as im2rec writes it, changed at random if wanted.

    An image is resized so that its shorter side is `resize`; turned, sheared and scaled; padded; cut to `data_shape`
    (an image that is too small is enlarged first); changed in its colours; mirrored; and its numbers become
    ``(image - mean) * scale / std``.

    Parameters
    ----------
    path_imgrec : str
        The RecordIO file.
    path_imgidx : str
        Its index; without one the file is gone through at the start.
    path_imglist : str
        A list with other labels: lines of the image's number, labels and a path, with tabs between them.
    data_shape : tuple of int
        Shape (channels, height, width) of a sample; 1 channel is grey.
    batch_size : int
        Number of samples in a batch.
    label_width : int
        Number of labels of an image. With 1 the labels of a batch have shape (batch_size,).
    shuffle : bool
        Whether the order is random and new each round.
    seed, seed_aug : int
        Seeds of the order, and of the changes where it is another one.
    num_parts, part_index : int
        Takes one of so many parts of the file.
    preprocess_threads, prefetch_buffer : int
        Number of threads, and of batches they make ahead.
    round_batch : bool
        Whether the last batch is filled up with the samples that the next round begins with, or with zeros.
    dtype : str
        'float32' (default), 'float16', 'uint8' or 'int8'; numbers are normalized only where they are floating.
    resize, pad, fill_value, inter_method : int
        Length of the shorter side; rows and columns added on each side, and their value; method of OpenCV, 9 for what
        suits growing or shrinking, 10 for any.
    rand_crop, rand_mirror, mirror, random_resized_crop : bool
        Whether the cut is anywhere instead of in the middle; mirroring at random, or always; whether the cut has random
        area and ratio of the sides, and is resized.
    max_crop_size, min_crop_size : int
        Bounds of the side of a square that is cut and resized.
    min_random_area, max_random_area, min_aspect_ratio, max_aspect_ratio : float
        Bounds for `random_resized_crop`; without it, the ratio of the sides varies by `max_aspect_ratio`.
    rotate, max_rotate_angle, max_shear_ratio, min_random_scale, max_random_scale, min_img_size, max_img_size
        Angle in degrees, or bounds of a random one; bounds of shear and scale, and of the sides after it.
    brightness, contrast, saturation, pca_noise, random_h, random_s, random_l
        How much the colours vary.
    mean_r, mean_g, mean_b, mean_a, std_r, std_g, std_b, std_a, scale : float
        For normalization.
    mean_img : str
        File with a mean image, used instead of the means; computed and written when it is not there.
    max_random_contrast, max_random_illumination : float
        How much the normalized numbers vary.

    Raises
    ------
    mxnet.error.OSError
        When a file cannot be read.
    mxnet.error.ValueError
        For a damaged file, records that are no images, and labels or images that do not fit.

    Examples
    --------
    >>> iterator = mx.io.ImageRecordIter(path_imgrec="train.rec", data_shape=(3, 224, 224), batch_size=32,
    ...                                  rand_crop=True, rand_mirror=True, resize=256)
    >>> next(iterator).data[0].shape
    (32, 3, 224, 224)
    """

    fields = {**READING, **NUMBERS, **CHANGES}

    def open(self):
        super().open()
        width = self.params.label_width
        self.label_shape = () if width == 1 else (width,)

    def image_of(self, content, rng):
        return _augment.prepared(_augment.decoded(content, self.data_shape[0], type(self).__name__), self.params, rng)

    def load(self, number, rng, data, label):
        header, content = self._records.read_number(number)
        labels = self.label_of(header)
        if len(labels) != self.params.label_width:
            raise MXValueError(f"{type(self).__name__}: image {header.id} has {len(labels)} labels, but label_width is "
                               f"{self.params.label_width}")
        label[:] = labels
        image = self.image_of(content, rng)
        if self.params.mirror or self.params.rand_mirror and rng.random() < 0.5:
            image = image[:, ::-1]
        self._normalize(image, data, rng)


class ImageRecordUInt8Iter(ImageRecordIter):
    """`ImageRecordIter` that gives uint8, without normalization."""

    default_dtype = "uint8"


class ImageRecordInt8Iter(ImageRecordIter):
    """`ImageRecordIter` that gives int8, without normalization; numbers above 127 become 127."""

    default_dtype = "int8"


class ImageRecordIter_v1(ImageRecordIter):  # noqa: N801
    """`ImageRecordIter` under the name of its first version."""


class ImageRecordUInt8Iter_v1(ImageRecordUInt8Iter):  # noqa: N801
    """`ImageRecordUInt8Iter` under the name of its first version."""


class ImageDetRecordIter(_RecordIter):
    """Batches of images with objects in them, and the places of the objects.

    The labels of a record are: length of the header, length of an object, the rest of the header, and the objects, each
    beginning with its class and its place xmin, ymin, xmax, ymax as parts of the image. A label in the batch is the
    shape (channels, height, width) of the image, the number of the record's labels, these labels, and padding.

    Parameters
    ----------
    path_imgrec, path_imglist, path_imgidx, data_shape, batch_size, shuffle, seed, num_parts, part_index, ...
        As in `ImageRecordIter`, and so are those for normalization and `resize`.
    label_width : int
        Number of labels that each record must have; any number with -1.
    label_pad_width : int
        Number of labels that they are padded to; what the longest of the file needs by default.
    label_pad_value : float
        What they are padded with.
    resize_mode : {'force', 'fit', 'shrink'}
        Whether an image is resized to `data_shape`, or so that it fits in and the rest is 0; 'shrink' enlarges none.
    rand_mirror_prob, rand_pad_prob, rand_crop_prob : float
        Probabilities of mirroring, of putting the image onto a larger one, up to `max_pad_scale` times as long and
        filled with `fill_value`, and of cutting.
    num_crop_sampler : int
        Number of ways to cut, of which one is chosen at random. Each has its element in the tuples that follow.
    min_crop_scales, max_crop_scales, min_crop_aspect_ratios, max_crop_aspect_ratios : tuple of float
        Bounds of the part's area, as part of the image, and of the ratio of its sides.
    min_crop_overlaps, max_crop_overlaps, min_crop_sample_coverages, max_crop_sample_coverages,
    min_crop_object_coverages, max_crop_object_coverages : tuple of float
        Bounds of what one object at least must have: intersection over union with the part, and the intersection as
        part of the cut part and of the object.
    max_crop_trials : tuple of int
        How often to try.
    crop_emit_mode, emit_overlap_thresh : str, float
        Which objects are kept: those with their 'center' in the part, or with an 'overlap' above the threshold.
    max_random_hue, max_random_saturation, max_random_illumination, max_random_contrast, and random_..._prob : float
        How much the colours vary, and how often.

    Raises
    ------
    mxnet.error.ValueError
        For labels that are not of this form.
    """

    fields = {**READING, **NUMBERS, **_detection.FIELDS}
    default_dtype = "float32"

    def open(self):
        super().open()
        p = self.params
        _detection.check(p)
        widest = max(len(self._labels_of_record(number)) for number in self._numbers)
        if p.label_pad_width == 0:
            p.label_pad_width = widest
        elif p.label_pad_width < widest:
            raise MXValueError(f"ImageDetRecordIter: label_pad_width is {p.label_pad_width}, but a record has {widest} "
                               "labels")
        self.label_shape = (4 + p.label_pad_width,)

    def _labels_of_record(self, number):
        labels = self.label_of(self._records.read_number(number)[0])
        if self.params.label_width not in (-1, len(labels)):
            raise MXValueError(f"ImageDetRecordIter: record {number} has {len(labels)} labels, but label_width is "
                               f"{self.params.label_width}")
        return labels

    def image_of(self, content, rng):
        image = _augment.decoded(content, self.data_shape[0], type(self).__name__)
        return _augment.resized(image, *self.data_shape[1:], self.params.inter_method, rng)

    def load(self, number, rng, data, label):
        header, content = self._records.read_number(number)
        objects = _detection.Objects(self.label_of(header), number)
        image = _augment.decoded(content, self.data_shape[0], type(self).__name__)
        image = _detection.prepared(image, objects, self.params, rng)
        height, width = image.shape[:2]
        whole = np.zeros((*self.data_shape[1:], self.data_shape[0]), np.uint8)
        whole[:height, :width] = image
        self._normalize(whole, data, rng)
        labels = objects.labels()
        label[:] = self.params.label_pad_value
        label[:4] = image.shape[2], height, width, len(labels)
        label[4:4 + len(labels)] = labels

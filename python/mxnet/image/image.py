"""Images, augmenters, and an iterator over labelled images."""
import os
import random

import numpy as np

from .. import error, io, ndarray, recordio
from ..util import is_np_array
from . import _augmenters, _basic
from ._augmenters import *  # noqa: F403
from ._augmenters import CreateAugmenter
from ._basic import *  # noqa: F403
from ._basic import imdecode

__all__ = [name for name in (*_basic.__all__, *_augmenters.__all__) if name != "copyMakeBorder"]
__all__ += ["ImageIter", "is_np_array"]


def _read_list(path):
    """Labels and names by key, from a file of lines ``key, label .., name`` with tabs between them."""
    entries = {}
    with open(path) as file:
        for number, line in enumerate(file, 1):
            fields = line.strip().split("\t")
            if fields == [""]:
                continue
            try:
                key, labels = int(fields[0]), np.array([float(x) for x in fields[1:-1]], dtype=np.float32)
            except ValueError:
                raise error.ValueError(f"'{path}', line {number}: expected a number, labels and a name with tabs "
                                       f"between them, got {line.strip()!r}") from None
            entries[key] = labels, fields[-1]
    return entries


def _entries_of(images):
    """Labels and names by key, from a list of ``[label, .., name]``."""
    entries = {}
    for key, (*labels, name) in enumerate(images, 1):
        label = labels[0] if len(labels) == 1 else labels
        entries[str(key)] = np.atleast_1d(np.asarray(label, dtype=np.float32)), name
    return entries


class Unfit(RuntimeError):
    """An image or a label that an iterator leaves out."""


class ImageIter(io.DataIter):
    """Batches of images and labels, from a RecordIO file or from files that a list names.

    Parameters
    ----------
    batch_size : int
        Images in a batch.
    data_shape : tuple of int
        Shape (channels, height, width) of an image in the batch; the augmenters have to give (height, width,
        channels).
    label_width : int
        Labels of an image.
    path_imgrec : str, optional
        RecordIO file of packed images.
    path_imglist : str, optional
        File with a line for each image: its number, labels, its name under `path_root`, with tabs between them.
    path_root : str, optional
        Folder of the images.
    path_imgidx : str, optional
        Index of the RecordIO file; needed to shuffle it or to take a part of it.
    shuffle : bool
        Whether to take the images in another order after each `reset`.
    part_index, num_parts : int
        Which of how many parts of the images to take.
    aug_list : list of Augmenter, optional
        What is done to each image; by default what `CreateAugmenter` gives with the keyword arguments.
    imglist : list, optional
        A list of ``[label, .., name]`` instead of `path_imglist`.
    data_name, label_name : str
        Names in `provide_data` and `provide_label`.
    dtype : str
        Element type of the labels.
    last_batch_handle : {'pad', 'discard', 'roll_over'}
        What becomes of images that do not fill a batch: it is filled from the beginning, or they are left out, or
        left for the next time.

    Examples
    --------
    >>> images = mx.image.ImageIter(32, (3, 224, 224), path_imgrec="train.rec", path_imgidx="train.idx",
    ...                             shuffle=True, resize=256, rand_crop=True, rand_mirror=True)
    >>> for batch in images:
    ...     train(batch.data[0], batch.label[0])
    """

    def __init__(self, batch_size, data_shape, label_width=1, path_imgrec=None, path_imglist=None, path_root=None,
                 path_imgidx=None, shuffle=False, part_index=0, num_parts=1, aug_list=None, imglist=None,
                 data_name="data", label_name="softmax_label", dtype="float32", last_batch_handle="pad", **kwargs):
        super().__init__(batch_size)
        if not (path_imgrec or path_imglist or isinstance(imglist, list)):
            raise AssertionError("ImageIter: give path_imgrec, path_imglist or imglist")
        if dtype not in ("int32", "float32", "int64", "float64"):
            raise AssertionError(f"ImageIter: dtype is {dtype!r}, expected int32, int64, float32 or float64")
        if last_batch_handle not in ("pad", "discard", "roll_over"):
            raise error.ValueError(f"ImageIter: last_batch_handle is {last_batch_handle!r}, expected 'pad', 'discard' "
                                   "or 'roll_over'")
        self.check_data_shape(data_shape)
        self.batch_size = batch_size
        self.data_shape = tuple(data_shape)
        self.label_width = label_width
        self.path_root = path_root
        self.shuffle = shuffle
        self.dtype = dtype
        self.last_batch_handle = last_batch_handle
        self._open_sources(path_imgrec, path_imgidx, path_imglist, imglist)
        self._choose_part(shuffle or num_parts > 1, part_index, num_parts)
        self.provide_data = [io.DataDesc(data_name, (batch_size,) + self.data_shape)]
        label_shape = (batch_size, label_width) if label_width > 1 else (batch_size,)
        self.provide_label = [io.DataDesc(label_name, label_shape, dtype)]
        self.auglist = CreateAugmenter(data_shape, **kwargs) if aug_list is None else aug_list
        self.cur = 0
        self._rest = None  # images left from the last time, their labels and their number
        self._at_end = False
        self.reset()

    def _open_sources(self, path_imgrec, path_imgidx, path_imglist, imglist):
        self.imgrec = self.imgidx = self.imglist = None
        if path_imgrec and path_imgidx:
            self.imgrec = recordio.MXIndexedRecordIO(path_imgidx, path_imgrec, "r")
            self.imgidx = list(self.imgrec.keys)
        elif path_imgrec:
            self.imgrec = recordio.MXRecordIO(path_imgrec, "r")
        if path_imglist:
            self.imglist = _read_list(path_imglist)
        elif isinstance(imglist, list):
            self.imglist = _entries_of(imglist)

    def _choose_part(self, needs_order, part_index, num_parts):
        if self.imgrec is None:
            self.seq = list(self.imglist)
        elif needs_order and self.imgidx is None:
            raise AssertionError("ImageIter: to shuffle a RecordIO file or take a part of it, give path_imgidx")
        else:
            self.seq = self.imgidx
        if num_parts > 1:
            if not 0 <= part_index < num_parts:
                raise AssertionError(f"ImageIter: part_index is {part_index}, expected 0 to {num_parts - 1}")
            size = len(self.seq) // num_parts
            self.seq = self.seq[part_index * size:(part_index + 1) * size]
        self.num_image = None if self.seq is None else len(self.seq)

    def reset(self):
        """Goes back to the beginning; images left over stay for the first batch with 'roll_over'."""
        if self.seq is not None and self.shuffle:
            random.shuffle(self.seq)
        self._rewind()
        self._at_end = False

    def hard_reset(self):
        """Goes back to the beginning and forgets images left over."""
        self._rest = None
        self.reset()

    def _rewind(self):
        if self.imgrec is not None:
            self.imgrec.reset()
        self.cur = 0

    def next_sample(self):
        """The label and the encoded image that come next. StopIteration at the end."""
        if self.seq is None:
            record = self.imgrec.read()
            if record is None:
                raise StopIteration
            header, image = recordio.unpack(record)
            return header.label, image
        if self.cur >= self.num_image:
            raise StopIteration
        key = self.seq[self.cur]
        self.cur += 1
        if self.imgrec is None:
            label, name = self.imglist[key]
            return label, self.read_image(name)
        header, image = recordio.unpack(self.imgrec.read_idx(key))
        return (header.label if self.imglist is None else self.imglist[key][0]), image

    def _sample(self):
        """The label and the array (channels, height, width) of the next image that is fine."""
        while True:
            label, encoded = self.next_sample()
            try:
                label, image = self._augmented(label, self.imdecode(encoded))
                break
            except Unfit as failure:
                import logging
                logging.debug("%s: an image is left out: %s", type(self).__name__, failure)
        image = self.postprocess_data(image)
        if image.shape != self.data_shape:
            raise error.ValueError(f"{type(self).__name__}: the augmenters gave an image of shape {image.shape} "
                                   f"(channels, height, width), expected {self.data_shape}")
        return label, image

    def _augmented(self, label, image):
        """Label and image after all augmenters. Unfit for those to leave out."""
        self._check_image(image)
        return label, self.augmentation_transform(image)

    def _check_image(self, image):
        try:
            self.check_valid_image([image])
        except RuntimeError as failure:
            raise Unfit(str(failure)) from None

    def _fill(self, data, labels, begin):
        """Fills a batch from place `begin` on; gives how many images there are then."""
        at = begin
        while at < self.batch_size:
            try:
                label, image = self._sample()
            except StopIteration:
                break
            data[at] = image.asnumpy()
            labels[at] = self._label_row(label)
            at += 1
        return at

    def _label_row(self, label):
        label = np.asarray(label)
        shape = self.provide_label[0].shape[1:]
        if label.size != np.prod(shape, dtype=int):
            raise error.ValueError(f"ImageIter: an image has {label.size} labels, label_width is {self.label_width}")
        return label.reshape(shape)

    def next(self):
        """The next DataBatch. StopIteration at the end."""
        if self._at_end:
            raise StopIteration
        data, labels, count = self._rest or (np.zeros(self.provide_data[0].shape, "float32"),
                                             np.zeros(self.provide_label[0].shape, self.dtype), 0)
        self._rest = None
        rolled_over = count  # MXNet calls what follows them padding, though it is not
        count = self._fill(data, labels, count)
        if count == 0:
            raise StopIteration
        missing = self.batch_size - count
        if missing:
            self._at_end = True
            if self.last_batch_handle == "roll_over":
                self._rest = data, labels, count
            if self.last_batch_handle != "pad":
                raise StopIteration
        elif rolled_over:
            missing = self.batch_size - rolled_over
        while count < self.batch_size:
            self._rewind()
            before, count = count, self._fill(data, labels, count)
            if count == before:
                raise error.ValueError(f"{type(self).__name__}: no image is left to fill the last batch with")
        return io.DataBatch([ndarray.array(data)], [ndarray.array(labels, dtype=self.dtype)], pad=missing)

    def check_data_shape(self, data_shape):
        """ValueError unless `data_shape` is (3, height, width) or (1, height, width)."""
        if len(data_shape) != 3:
            raise error.ValueError(f"ImageIter: data_shape is {tuple(data_shape)}, expected (channels, height, width)")
        if data_shape[0] not in (1, 3):
            raise error.ValueError(f"ImageIter: data_shape is {tuple(data_shape)}, expected 1 or 3 channels")

    def check_valid_image(self, data):
        """RuntimeError for an image without pixels."""
        if len(data[0].shape) == 0 or 0 in data[0].shape:
            raise RuntimeError("it has no pixels")

    def imdecode(self, s):
        """Decodes one image; of the channels that `data_shape` says."""
        try:
            return imdecode(s, flag=1 if self.data_shape[0] == 3 else 0)
        except error.ValueError as failure:
            where = "" if self.seq is None or not self.cur else f" (image {self.seq[self.cur - 1]!r})"
            raise error.ValueError(f"ImageIter{where}: {failure}") from None

    def read_image(self, fname):
        """The contents of an image file under `path_root`."""
        path = os.path.join(self.path_root, fname) if self.path_root else fname
        with open(path, "rb") as file:
            return file.read()

    def augmentation_transform(self, data):
        """All augmenters, one after another."""
        for aug in self.auglist:
            data = aug(data)
        return data

    def postprocess_data(self, datum):
        """An image (height, width, channels) as (channels, height, width)."""
        return ndarray.transpose(datum, axes=(2, 0, 1))

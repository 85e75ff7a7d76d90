"""Augmenters and an iterator for images with labelled boxes."""
import json
import math
import random
import warnings

import numpy as np

from .. import error, io, ndarray
from .._opencv import opencv
from ..util import is_np_array
from ._augmenters import (
    MEAN,
    STD,
    Augmenter,
    CastAug,
    ColorJitterAug,
    ColorNormalizeAug,
    ForceResizeAug,
    HueJitterAug,
    LightingAug,
    RandomGrayAug,
    RandomOrderAug,
    ResizeAug,
    color_augmenters,
    described,
    statistics,
)
from ._basic import copyMakeBorder, fixed_crop
from .image import ImageIter, Unfit

__all__ = ["Augmenter", "CastAug", "ColorJitterAug", "ColorNormalizeAug", "CreateDetAugmenter",
           "CreateMultiRandCropAugmenter", "DetAugmenter", "DetBorrowAug", "DetHorizontalFlipAug", "DetRandomCropAug",
           "DetRandomPadAug", "DetRandomSelectAug", "ForceResizeAug", "HueJitterAug", "ImageDetIter", "ImageIter",
           "LightingAug", "RandomGrayAug", "RandomOrderAug", "ResizeAug", "fixed_crop", "is_np_array"]

# A label is an array of a row for each object: class, left, top, right, bottom in parts of the image, and perhaps
# more that stays as it is.


class DetAugmenter:
    """The base of augmenters of an image and the boxes in it: a callable of both that gives both.

    Keyword arguments are what `dumps` shows.
    """

    def __init__(self, **kwargs):
        self._kwargs = described(kwargs)

    def dumps(self):
        """The name and the arguments as JSON."""
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, src, label):
        """The changed image and label."""
        raise NotImplementedError(f"{type(self).__name__} must override __call__")


class DetBorrowAug(DetAugmenter):
    """An augmenter of images alone, one that leaves everything in its place."""

    def __init__(self, augmenter):
        if not isinstance(augmenter, Augmenter):
            raise error.TypeError(f"DetBorrowAug: expected an Augmenter, got {type(augmenter).__name__}")
        super().__init__(augmenter=augmenter.dumps())
        self.augmenter = augmenter

    def dumps(self):
        """The name, and the description of the augmenter."""
        return [type(self).__name__.lower(), self.augmenter.dumps()]

    def __call__(self, src, label):
        return self.augmenter(src), label


class DetRandomSelectAug(DetAugmenter):
    """One augmenter of a list, chosen at random, or with probability `skip_prob` none."""

    def __init__(self, aug_list, skip_prob=0):
        aug_list = list(aug_list) if isinstance(aug_list, (list, tuple)) else [aug_list]
        for aug in aug_list:
            if not isinstance(aug, DetAugmenter):
                raise error.ValueError(f"DetRandomSelectAug: expected DetAugmenters, got {type(aug).__name__}")
        super().__init__(skip_prob=skip_prob)
        self.aug_list = aug_list
        self.skip_prob = skip_prob if aug_list else 1

    def dumps(self):
        """The name, and the descriptions of the members."""
        return [type(self).__name__.lower(), [aug.dumps() for aug in self.aug_list]]

    def __call__(self, src, label):
        if random.random() < self.skip_prob:
            return src, label
        random.shuffle(self.aug_list)
        return self.aug_list[0](src, label)


class DetHorizontalFlipAug(DetAugmenter):
    """Left and right exchanged, with probability `p`."""

    def __init__(self, p):
        super().__init__(p=p)
        self.p = p

    def __call__(self, src, label):
        if random.random() >= self.p:
            return src, label
        label = label.copy()
        label[:, [1, 3]] = 1.0 - label[:, [3, 1]]
        return ndarray.flip(src, axis=1), label


def _areas(boxes):
    return np.maximum(0, boxes[:, 2] - boxes[:, 0]) * np.maximum(0, boxes[:, 3] - boxes[:, 1])


def _bounds(value, what):
    """A pair of bounds from a pair or a number."""
    if np.ndim(value) == 0:
        return value, value
    if len(value) != 2:
        raise error.ValueError(f"{what} is {value}, expected two numbers")
    return tuple(value)


class _RandomSize(DetAugmenter):
    """Draws the size of a part of an image, or of a canvas around it."""

    def __init__(self, aspect_ratio_range, area_range, max_attempts, least_area, **kwargs):
        name = type(self).__name__
        super().__init__(aspect_ratio_range=aspect_ratio_range, area_range=area_range, max_attempts=max_attempts,
                         **kwargs)
        self.aspect_ratio_range = _bounds(aspect_ratio_range, f"{name}: aspect_ratio_range")
        self.area_range = _bounds(area_range, f"{name}: area_range")
        self.max_attempts = max_attempts
        self.enabled = True
        low, high = self.area_range
        if high <= least_area or low > high:
            self._disable(f"area_range {area_range}")
        low, high = self.aspect_ratio_range
        if low > high or low <= 0:
            self._disable(f"aspect_ratio_range {aspect_ratio_range}")

    def _disable(self, why):
        warnings.warn(f"{type(self).__name__} does nothing: it cannot work with {why}", UserWarning, stacklevel=4)
        self.enabled = False

    def _heights(self, height, width):
        """The least and the greatest area in pixels; of a random shape, width over height, and its heights."""
        least, most = (share * height * width for share in self.area_range)
        ratio = random.uniform(*self.aspect_ratio_range)
        return least, most, ratio, int(round(math.sqrt(least / ratio))), int(round(math.sqrt(most / ratio)))


class DetRandomCropAug(_RandomSize):
    """A random part of the image, of which each object is covered enough or not at all.

    Parameters
    ----------
    min_object_covered : float
        The least share of any object in the part.
    aspect_ratio_range : tuple of float
        Bounds of width over height.
    area_range : tuple of float
        Bounds of the share of the image.
    min_eject_coverage : float
        Objects of which less is left are taken out of the label.
    max_attempts : int
        How many parts to try before the image stays whole.
    """

    def __init__(self, min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 1.0),
                 min_eject_coverage=0.3, max_attempts=50):
        super().__init__(aspect_ratio_range, area_range, max_attempts, 0)
        self._kwargs = described({"min_object_covered": min_object_covered, "aspect_ratio_range": aspect_ratio_range,
                                  "area_range": area_range, "min_eject_coverage": min_eject_coverage,
                                  "max_attempts": max_attempts})
        self.min_object_covered = min_object_covered
        self.min_eject_coverage = min_eject_coverage

    def __call__(self, src, label):
        height, width = src.shape[:2]
        for _ in range(self.max_attempts if self.enabled else 0):
            size = self._size(height, width)
            if size is None:
                continue
            w, h = size
            y, x = random.randint(0, height - h), random.randint(0, width - w)
            part = np.array([x / width, y / height, (x + w) / width, (y + h) / height])
            if w * h >= 2 and self._covers(part, label, height * width):
                inside = self._label_of(part, label)
                if inside is not None:
                    return fixed_crop(src, x, y, w, h), inside
        return src, label

    def _size(self, height, width):
        """A random width and height; None where they do not fit."""
        least, most, ratio, low, high = self._heights(height, width)
        if round(high * ratio) > width:
            high = int((width + 0.4999999) / ratio)
        high = min(high, height)
        h = random.randint(low, high) if low < high else high
        if int(round(h * ratio)) * h < least:
            h += 1
        elif int(round(h * ratio)) * h > most:
            h -= 1
        w = int(round(h * ratio))
        return (w, h) if least <= w * h <= most and 0 <= w <= width and 0 <= h <= height else None

    def _covers(self, part, label, pixels):
        """Whether there are objects in a part, and enough of each."""
        boxes = label[:, 1:5]
        boxes = boxes[_areas(boxes) * pixels > 2]
        both = np.concatenate([np.maximum(boxes[:, :2], part[:2]), np.minimum(boxes[:, 2:], part[2:])], axis=1)
        covered = _areas(both) / _areas(boxes)
        covered = covered[covered > 0]
        return covered.size > 0 and covered.min() > self.min_object_covered

    def _label_of(self, part, label):
        """The label in parts of the part; None if no object is left."""
        size = part[2:] - part[:2]
        inside = label.copy()
        inside[:, 1:5] = np.clip((label[:, 1:5] - np.tile(part[:2], 2)) / np.tile(size, 2), 0, 1)
        areas = _areas(label[:, 1:5])
        left = _areas(inside[:, 1:5]) * size.prod() / np.where(areas > 0, areas, 1)
        fine = (inside[:, 3] > inside[:, 1]) & (inside[:, 4] > inside[:, 2]) & (left > self.min_eject_coverage)
        return inside[fine] if fine.any() else None


class DetRandomPadAug(_RandomSize):
    """The image somewhere on a larger canvas.

    Parameters
    ----------
    aspect_ratio_range : tuple of float
        Bounds of the canvas's width over its height.
    area_range : tuple of float
        Bounds of its area in areas of the image.
    max_attempts : int
        How many sizes to try before the image stays as it is.
    pad_val : tuple of float
        Colour of the canvas.
    """

    def __init__(self, aspect_ratio_range=(0.75, 1.33), area_range=(1.0, 3.0), max_attempts=50,
                 pad_val=(128, 128, 128)):
        pad_val = (pad_val,) if np.ndim(pad_val) == 0 else pad_val
        super().__init__(aspect_ratio_range, area_range, max_attempts, 1, pad_val=pad_val)
        self.pad_val = pad_val

    def __call__(self, src, label):
        height, width = src.shape[:2]
        for _ in range(self.max_attempts if self.enabled else 0):
            _, _, ratio, low, high = self._heights(height, width)
            if round(low * ratio) < width:
                low = int((width + 0.499999) / ratio)
            low = min(max(low, height), high)
            h = random.randint(low, high) if low < high else low
            w = int(round(h * ratio))
            if h - height < 2 or w - width < 2:
                continue
            y, x = random.randint(0, h - height), random.randint(0, w - width)
            padded = copyMakeBorder(src, y, h - y - height, x, w - x - width, values=self.pad_val)
            moved = label.copy()
            moved[:, 1:5] = (label[:, 1:5] * (width, height, width, height) + (x, y, x, y)) / (w, h, w, h)
            return padded, moved
        return src, label


def CreateMultiRandCropAugmenter(min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 1.0),
                                 min_eject_coverage=0.3, max_attempts=50, skip_prob=0):
    """A random choice among crops; any argument of `DetRandomCropAug` may be a list of one value for each.

    Examples
    --------
    >>> mx.image.CreateMultiRandCropAugmenter(min_object_covered=[0.1, 0.3, 0.5], skip_prob=0.2)
    """
    arguments = [min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts]
    count = max([len(x) for x in arguments if isinstance(x, list)], default=1)
    columns = []
    for x in arguments:
        x = x if isinstance(x, list) else [x]
        if len(x) not in (1, count):
            raise AssertionError(f"CreateMultiRandCropAugmenter: got lists of {len(x)} and {count} values")
        columns.append(x * (count // len(x)))
    return DetRandomSelectAug([DetRandomCropAug(*row) for row in zip(*columns)], skip_prob)


def CreateDetAugmenter(data_shape, resize=0, rand_crop=0, rand_pad=0, rand_gray=0, rand_mirror=False, mean=None,
                       std=None, brightness=0, contrast=0, saturation=0, pca_noise=0, hue=0, inter_method=2,
                       min_object_covered=0.1, aspect_ratio_range=(0.75, 1.33), area_range=(0.05, 3.0),
                       min_eject_coverage=0.3, max_attempts=50, pad_val=(127, 127, 127)):
    """The list of augmenters that training a detector usually takes.

    Parameters
    ----------
    data_shape : tuple of int
        Shape (channels, height, width) of the result.
    resize : int
        Resize the shorter edge to this first, if positive.
    rand_crop, rand_pad, rand_gray : float
        Probability of cropping a random part, of putting the image on a canvas, of making it grey.
    rand_mirror : bool
        Exchange left and right half of the time.
    mean, std, brightness, contrast, saturation, hue, pca_noise, inter_method
        As in `CreateAugmenter`.
    min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts
        As in `DetRandomCropAug`, lists as in `CreateMultiRandCropAugmenter`; the upper bound of the area is that of
        the canvas, too.
    pad_val : tuple of float
        Colour of the canvas.

    Returns
    -------
    list of DetAugmenter
    """
    augmenters = []
    if resize > 0:
        augmenters.append(DetBorrowAug(ResizeAug(resize, inter_method)))
    if rand_crop > 0:
        augmenters.append(CreateMultiRandCropAugmenter(min_object_covered, aspect_ratio_range, area_range,
                                                       min_eject_coverage, max_attempts, 1 - rand_crop))
    if rand_mirror > 0:
        augmenters.append(DetHorizontalFlipAug(0.5))
    if rand_pad > 0:
        canvas = DetRandomPadAug(aspect_ratio_range, (1.0, area_range[1]), max_attempts, pad_val)
        augmenters.append(DetRandomSelectAug([canvas], 1 - rand_pad))
    size = (data_shape[2], data_shape[1])
    borrowed = [ForceResizeAug(size, inter_method), CastAug()]
    borrowed += color_augmenters(brightness, contrast, saturation, hue, pca_noise, rand_gray)
    mean = statistics(mean, MEAN, "CreateDetAugmenter: mean")
    std = statistics(std, STD, "CreateDetAugmenter: std")
    if mean is not None or std is not None:
        borrowed.append(ColorNormalizeAug(mean, std))
    return augmenters + [DetBorrowAug(aug) for aug in borrowed]


class ImageDetIter(ImageIter):
    """Batches of images and the boxes in them, for detection.

    The label of an image is a flat list: the width of this header (2 or more), the width of an object (5 or more),
    the rest of the header, then the objects: class, left, top, right, bottom in parts of the image, and so on. The
    labels of a batch have shape (batch_size, objects, width), filled up with -1.

    Parameters
    ----------
    batch_size : int
        Images in a batch.
    data_shape : tuple of int
        Shape (channels, height, width) of an image in the batch.
    path_imgrec, path_imglist, path_root, path_imgidx, shuffle, part_index, num_parts, imglist, last_batch_handle
        As in `ImageIter`.
    aug_list : list of DetAugmenter, optional
        What is done to each image; by default what `CreateDetAugmenter` gives with the keyword arguments.
    data_name, label_name : str
        Names in `provide_data` and `provide_label`.

    Examples
    --------
    >>> images = mx.image.ImageDetIter(32, (3, 300, 300), path_imgrec="train.rec", path_imgidx="train.idx",
    ...                                shuffle=True, rand_crop=0.5, rand_pad=0.5, rand_mirror=True, mean=True)
    >>> images.provide_label[0].shape
    (32, 16, 5)
    """

    def __init__(self, batch_size, data_shape, path_imgrec=None, path_imglist=None, path_root=None, path_imgidx=None,
                 shuffle=False, part_index=0, num_parts=1, aug_list=None, imglist=None, data_name="data",
                 label_name="label", last_batch_handle="pad", **kwargs):
        super().__init__(batch_size, data_shape, path_imgrec=path_imgrec, path_imglist=path_imglist,
                         path_root=path_root, path_imgidx=path_imgidx, shuffle=shuffle, part_index=part_index,
                         num_parts=num_parts, aug_list=[], imglist=imglist, data_name=data_name,
                         label_name=label_name, last_batch_handle=last_batch_handle)
        self.auglist = CreateDetAugmenter(data_shape, **kwargs) if aug_list is None else aug_list
        for aug in self.auglist:
            if not isinstance(aug, DetAugmenter):
                raise error.ValueError(f"ImageDetIter: expected DetAugmenters, got {type(aug).__name__}")
        self._set_label_shape(self._estimate_label_shape())

    def _set_label_shape(self, shape):
        self.label_shape = tuple(shape)
        self.provide_label = [io.DataDesc(self.provide_label[0].name, (self.batch_size,) + self.label_shape)]

    def _estimate_label_shape(self):
        """The greatest number of objects in an image, and their width. Reads all labels."""
        shapes = []
        self.reset()
        try:
            while True:
                shapes.append(self._parse_label(self.next_sample()[0]).shape)
        except StopIteration:
            self.reset()
        if not shapes:
            raise error.ValueError("ImageDetIter: there are no images")
        return max(count for count, _ in shapes), shapes[-1][1]

    @staticmethod
    def _parse_label(label):
        """The objects of a flat label, those with a width and a height. Unfit if there are none."""
        raw = np.asarray(label.asnumpy() if isinstance(label, ndarray.NDArray) else label).ravel()
        if raw.size < 7:
            raise Unfit(f"a label has {raw.size} numbers, expected a header of 2 and an object of 5 or more")
        begin, width = int(raw[0]), int(raw[1])
        if begin < 2 or width < 5 or (raw.size - begin) % width:
            raise Unfit(f"a label of {raw.size} numbers cannot have a header of {begin} and objects of {width}")
        objects = raw[begin:].reshape(-1, width)
        objects = objects[(objects[:, 3] > objects[:, 1]) & (objects[:, 4] > objects[:, 2])]
        if not len(objects):
            raise Unfit("a label has no object with a width and a height")
        return objects

    def _augmented(self, label, image):
        self._check_image(image)
        image, label = self.augmentation_transform(image, self._parse_label(label))
        fine = (label[:, 0] >= 0) & (label[:, 3] > label[:, 1]) & (label[:, 4] > label[:, 2])
        if not fine.any():
            raise Unfit("no object of a class from 0 on is left")
        return label, image

    def _label_row(self, label):
        row = np.full(self.label_shape, -1.0, "float32")
        if len(label) > len(row) or label.shape[1] != row.shape[1]:
            raise error.ValueError(f"ImageDetIter: a label has shape {label.shape}, label_shape is {self.label_shape}")
        row[:len(label)] = label
        return row

    def augmentation_transform(self, data, label):
        """All augmenters, one after another; gives the image and its label."""
        for aug in self.auglist:
            data, label = aug(data, label)
        return data, label

    def reshape(self, data_shape=None, label_shape=None):
        """Changes the shape of an image, or of a label: (objects, width). ValueError where labels would not fit."""
        if data_shape is not None:
            self.check_data_shape(data_shape)
            self.data_shape = tuple(data_shape)
            self.provide_data = [io.DataDesc(self.provide_data[0].name, (self.batch_size,) + self.data_shape)]
        if label_shape is not None:
            self.check_label_shape(label_shape)
            self._set_label_shape(label_shape)

    def check_label_shape(self, label_shape):
        """ValueError unless `label_shape` is (objects, width) with as many objects as now, or more."""
        if len(label_shape) != 2:
            raise error.ValueError(f"ImageDetIter: label_shape is {tuple(label_shape)}, expected (objects, width)")
        if label_shape[0] < self.label_shape[0]:
            raise error.ValueError(f"ImageDetIter: {label_shape[0]} objects are fewer than {self.label_shape[0]}")
        if label_shape[1] != self.label_shape[1]:
            raise error.ValueError(f"ImageDetIter: objects have width {self.label_shape[1]}, not {label_shape[1]}")

    def sync_label_shape(self, it, verbose=False):
        """Gives this iterator and another one the greater label shape of both; returns the other one."""
        if not isinstance(it, ImageDetIter):
            raise AssertionError(f"sync_label_shape: expected an ImageDetIter, got {type(it).__name__}")
        if it.label_shape[1] != self.label_shape[1]:
            raise AssertionError(f"sync_label_shape: objects have widths {self.label_shape[1]} and {it.label_shape[1]}")
        shape = max(self.label_shape, it.label_shape)
        for one in (self, it):
            if verbose and one.label_shape != shape:
                print(f"label_shape {one.label_shape} becomes {shape}")
            one.reshape(label_shape=shape)
        return it

    def draw_next(self, color=None, thickness=2, mean=None, std=None, clip=True, waitKey=None, window_name="draw_next",
                  id2labels=None):
        """Draws the boxes of one image after another, as the augmenters give them.

        Parameters
        ----------
        color : tuple of int, optional
            Colour (red, green, blue) of the boxes; random by default.
        thickness : int
            Width of their lines in pixels.
        mean, std : array or True, optional
            What the images are multiplied by and what is added, to undo a normalization; True for ImageNet's.
        clip : bool
            Whether to clip the images to 0 .. 255.
        waitKey : int, optional
            Show each image in a window for so many milliseconds; 0 until a key is pressed.
        window_name : str
            Title of the window.
        id2labels : dict, optional
            Names of classes to write beside the boxes.

        Yields
        ------
        numpy.ndarray
            Image (height, width, 3) of uint8, red first.
        """
        cv2 = opencv()
        mean = statistics(mean, MEAN, "draw_next: mean")
        std = statistics(std, STD, "draw_next: std")
        while True:
            try:
                label, image = self._sample()
            except StopIteration:
                self.reset()
                return
            pixels = image.asnumpy().transpose(1, 2, 0)
            pixels = pixels * (1 if std is None else std) + (0 if mean is None else mean)
            pixels = np.clip(pixels, 0, 255) if clip else pixels
            drawn = np.ascontiguousarray(np.broadcast_to(pixels, pixels.shape[:2] + (3,)).astype(np.uint8))
            height, width = drawn.shape[:2]
            for kind, *box in label[:, :5]:
                left, top, right, bottom = (int(x * n) for x, n in zip(box, (width, height) * 2))
                line = tuple(random.randint(0, 255) for _ in range(3)) if color is None else color
                cv2.rectangle(drawn, (left, top), (right, bottom), line, thickness)
                if id2labels is not None and int(kind) in id2labels:
                    cv2.putText(drawn, str(id2labels[int(kind)]), (left + 5, top + 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5,
                                line)
            if waitKey is not None:
                cv2.imshow(window_name, drawn[:, :, ::-1])
                cv2.waitKey(waitKey)
            yield drawn

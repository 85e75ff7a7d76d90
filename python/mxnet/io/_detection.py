"""Random changes to images with objects in them, after the parameters of MXNet 1.x."""
import math

import numpy as np

from .._opencv import opencv
from ..error import ValueError as MXValueError
from . import _augment

__all__ = ["FIELDS", "Objects", "check", "prepared"]

_CROPS = {"min_crop_scales": (0.0,), "max_crop_scales": (1.0,), "min_crop_aspect_ratios": (1.0,),
          "max_crop_aspect_ratios": (1.0,), "min_crop_overlaps": (0.0,), "max_crop_overlaps": (1.0,),
          "min_crop_sample_coverages": (0.0,), "max_crop_sample_coverages": (1.0,),
          "min_crop_object_coverages": (0.0,), "max_crop_object_coverages": (1.0,), "max_crop_trials": (25,)}
FIELDS = {**{name: (tuple, default) for name, default in _CROPS.items()},
          **{f"std_{c}": (float, 0.0) for c in "rgba"},
          "path_imgrec": (str, "./data/imgrec.rec"), "label_width": (int, -1), "label_pad_width": (int, 0),
          "label_pad_value": (float, -1.0), "rand_crop_prob": (float, 0.0), "num_crop_sampler": (int, 1),
          "crop_emit_mode": (str, "center"), "emit_overlap_thresh": (float, 0.3), "rand_pad_prob": (float, 0.0),
          "max_pad_scale": (float, 1.0), "max_random_hue": (int, 0), "random_hue_prob": (float, 0.0),
          "max_random_saturation": (int, 0), "random_saturation_prob": (float, 0.0),
          "max_random_illumination": (int, 0), "random_illumination_prob": (float, 0.0),
          "max_random_contrast": (float, 0.0), "random_contrast_prob": (float, 0.0),
          "rand_mirror_prob": (float, 0.0), "fill_value": (int, 127), "resize_mode": (str, "force")}


def check(p):
    """Raises ValueError for parameters that do not fit each other, and gives each way to cut its bounds."""
    if p.resize_mode not in ("force", "fit", "shrink"):
        raise MXValueError(f"ImageDetRecordIter: resize_mode must be 'force', 'fit' or 'shrink', got {p.resize_mode!r}")
    if p.crop_emit_mode not in ("center", "overlap"):
        raise MXValueError("ImageDetRecordIter: crop_emit_mode must be 'center' or 'overlap', got "
                           f"{p.crop_emit_mode!r}")
    for name in _CROPS:
        bounds = getattr(p, name)
        if len(bounds) == 1:
            setattr(p, name, bounds * max(p.num_crop_sampler, 1))
        elif len(bounds) != p.num_crop_sampler:
            raise MXValueError(f"ImageDetRecordIter: {name} has {len(bounds)} elements, but num_crop_sampler is "
                               f"{p.num_crop_sampler}")


class Objects:
    """The objects of a record: `boxes`, (count, 4) of xmin, ymin, xmax, ymax, and all else as it was."""

    def __init__(self, labels, number):
        header, length = (int(x) for x in labels[:2]) if len(labels) >= 2 else (0, 0)
        if header < 2 or length < 5 or len(labels) < header + length or (len(labels) - header) % length:
            raise MXValueError(f"ImageDetRecordIter: the {len(labels)} labels of record {number} are no header and "
                               "objects of at least 5 numbers")
        self._header = np.array(labels[:header])
        self._rows = np.array(labels[header:]).reshape(-1, length)

    @property
    def boxes(self):
        return self._rows[:, 1:5]

    def labels(self):
        """The labels as they are in the record."""
        return np.concatenate([self._header, self._rows.ravel()])

    def mirror(self):
        self.boxes[:, [0, 2]] = 1 - self.boxes[:, [2, 0]]

    def move(self, x, y, width, height):
        """Makes the places parts of a window, given as parts of the image."""
        self.boxes[:] = (self.boxes - (x, y, x, y)) / (width, height, width, height)

    def keep(self, chosen):
        """Leaves only the chosen objects, cut off where the image ends."""
        self._rows = self._rows[chosen]
        self.boxes[:] = np.clip(self.boxes, 0, 1)


def _overlaps(boxes, window):
    """Areas: of the intersection of each box with the window, of the boxes and of the window."""
    low, high = np.maximum(boxes[:, :2], window[:2]), np.minimum(boxes[:, 2:], window[2:])
    common = np.prod(np.clip(high - low, 0, None), axis=1)
    return common, np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), np.prod(window[2:] - window[:2])


def _window(image, p, k, rng):
    """A random part of the image after the bounds of way `k`, as parts of the image, or None."""
    scale = math.sqrt(rng.uniform(p.min_crop_scales[k], p.max_crop_scales[k]))
    ratio = math.sqrt(rng.uniform(p.min_crop_aspect_ratios[k], p.max_crop_aspect_ratios[k]))
    width, height = scale * ratio, scale / ratio
    if not (0 < width <= 1 and 0 < height <= 1):
        return None
    x, y = rng.uniform(0, 1 - width), rng.uniform(0, 1 - height)
    return np.array([x, y, x + width, y + height])


def _suits(boxes, window, p, k):
    common, own, part = _overlaps(boxes, window)
    bounded = [(common / np.maximum(own + part - common, 1e-12), p.min_crop_overlaps, p.max_crop_overlaps),
               (common / part, p.min_crop_sample_coverages, p.max_crop_sample_coverages),
               (common / np.maximum(own, 1e-12), p.min_crop_object_coverages, p.max_crop_object_coverages)]
    return np.all([(low[k] <= value) & (value <= high[k]) for value, low, high in bounded], axis=0).any()


def _kept(boxes, window, p):
    if p.crop_emit_mode == "center":
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        return np.all((middle > window[:2]) & (middle < window[2:]), axis=1)
    common, own, _ = _overlaps(boxes, window)
    return common / np.maximum(own, 1e-12) > p.emit_overlap_thresh


def _cut(image, objects, p, rng):
    """A random part that shows an object; the image itself where none is found."""
    k = rng.randrange(p.num_crop_sampler)
    for _ in range(int(p.max_crop_trials[k])):
        window = _window(image, p, k, rng)
        if window is None or not _suits(objects.boxes, window, p, k):
            continue
        kept = _kept(objects.boxes, window, p)
        if not kept.any():
            continue
        height, width = image.shape[:2]
        left, top, right, bottom = (window * (width, height, width, height)).round().astype(int)
        if right <= left or bottom <= top:
            continue
        objects.move(left / width, top / height, (right - left) / width, (bottom - top) / height)
        objects.keep(kept)
        return image[top:bottom, left:right]
    return image


def _padded(image, objects, p, rng):
    """The image somewhere on a larger one."""
    height, width = image.shape[:2]
    scale = rng.uniform(1, p.max_pad_scale)
    new_height, new_width = int(height * scale), int(width * scale)
    top, left = rng.randint(0, new_height - height), rng.randint(0, new_width - width)
    larger = np.full((new_height, new_width, image.shape[2]), p.fill_value, np.uint8)
    larger[top:top + height, left:left + width] = image
    objects.move(-left / width, -top / height, new_width / width, new_height / height)
    return larger


def _coloured(image, p, rng):
    """Changes of hue, saturation, light and contrast."""
    shifts = [rng.uniform(-amount, amount) if rng.random() < probability else 0
              for amount, probability in ((p.max_random_hue, p.random_hue_prob),
                                          (p.max_random_illumination, p.random_illumination_prob),
                                          (p.max_random_saturation, p.random_saturation_prob))]
    if any(shifts) and image.shape[2] == 3:
        cv2 = opencv()
        hls = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HLS) + np.round(shifts)
        image = cv2.cvtColor(np.clip(hls, 0, (180, 255, 255)).astype(np.uint8), cv2.COLOR_HLS2RGB)
    if rng.random() < p.random_contrast_prob:
        contrast = 1 + rng.uniform(-p.max_random_contrast, p.max_random_contrast)
        image = np.clip(image * contrast, 0, 255).astype(np.uint8)
    return image


def prepared(image, objects, p, rng):
    """The image after all random changes, no larger than `data_shape`; `objects` follows it."""
    if p.resize > 0:
        image = _augment.shorter_side(image, p.resize, p.inter_method, rng)
    image = _coloured(image, p, rng)
    if rng.random() < p.rand_mirror_prob:
        image = image[:, ::-1]
        objects.mirror()
    if p.max_pad_scale > 1 and rng.random() < p.rand_pad_prob:
        image = _padded(image, objects, p, rng)
    if rng.random() < p.rand_crop_prob:
        image = _cut(image, objects, p, rng)
    height, width = p.data_shape[1:]
    if p.resize_mode == "force":
        return _augment.resized(image, height, width, p.inter_method, rng)
    factor = min(height / image.shape[0], width / image.shape[1])
    if p.resize_mode == "shrink":
        factor = min(factor, 1)
    return _augment.resized(image, max(1, int(image.shape[0] * factor)), max(1, int(image.shape[1] * factor)),
                            p.inter_method, rng)

"""Augmenters: callables that change an image, mostly by chance, and how a list of them is put together."""
import json
import math
import random

import numpy as np

from .. import error, ndarray
from ..ndarray import NDArray
from ._basic import _get_interp_method as interp_method
from ._basic import (
    center_crop,
    color_normalize,
    imresize,
    random_crop,
    random_size_crop,
    resize_short,
)

__all__ = ["Augmenter", "BrightnessJitterAug", "CastAug", "CenterCropAug", "ColorJitterAug", "ColorNormalizeAug",
           "ContrastJitterAug", "CreateAugmenter", "ForceResizeAug", "HorizontalFlipAug", "HueJitterAug", "LightingAug",
           "RandomCropAug", "RandomGrayAug", "RandomOrderAug", "RandomSizedCropAug", "ResizeAug", "SaturationJitterAug",
           "SequentialAug"]


def described(kwargs):
    """Arguments of an augmenter with arrays as lists."""
    def plain(value):
        if isinstance(value, NDArray):
            value = value.asnumpy()
        return value.tolist() if isinstance(value, np.ndarray) else value
    return {name: plain(value) for name, value in kwargs.items()}


class Augmenter:
    """The base of all augmenters: a callable of an image (height, width, channels) that gives another.

    Keyword arguments are what `dumps` shows.
    """

    def __init__(self, **kwargs):
        self._kwargs = described(kwargs)

    def dumps(self):
        """The name and the arguments as JSON.

        Examples
        --------
        >>> mx.image.ResizeAug(10).dumps()
        '["resizeaug", {"size": 10, "interp": 2}]'
        """
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __call__(self, src):
        """The changed image."""
        raise NotImplementedError(f"{type(self).__name__} must override __call__")


class SequentialAug(Augmenter):
    """Several augmenters one after another."""

    def __init__(self, ts):
        super().__init__()
        self.ts = ts

    def dumps(self):
        """The name, and the descriptions of the members."""
        return [type(self).__name__.lower(), [aug.dumps() for aug in self.ts]]

    def __call__(self, src):
        for aug in self.ts:
            src = aug(src)
        return src


class RandomOrderAug(SequentialAug):
    """Several augmenters in a random order."""

    def __call__(self, src):
        random.shuffle(self.ts)
        return super().__call__(src)


class ResizeAug(Augmenter):
    """Resizes the shorter edge to `size`, see `resize_short`."""

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)
        self.size = size
        self.interp = interp

    def __call__(self, src):
        return resize_short(src, self.size, self.interp)


class ForceResizeAug(Augmenter):
    """Resizes to `size` (width, height), whatever the proportions."""

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)
        self.size = size
        self.interp = interp

    def __call__(self, src):
        sizes = (src.shape[0], src.shape[1], self.size[1], self.size[0])
        return imresize(src, *self.size, interp=interp_method(self.interp, sizes))


class RandomCropAug(Augmenter):
    """A random part of `size` (width, height), see `random_crop`."""

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)
        self.size = size
        self.interp = interp

    def __call__(self, src):
        return random_crop(src, self.size, self.interp)[0]


class RandomSizedCropAug(Augmenter):
    """A random part of random size and shape, see `random_size_crop`."""

    def __init__(self, size, area, ratio, interp=2, **kwargs):
        area = kwargs.pop("min_area", area)
        if kwargs:
            raise error.TypeError(f"RandomSizedCropAug: unknown arguments {sorted(kwargs)}")
        super().__init__(size=size, area=area, ratio=ratio, interp=interp)
        self.size = size
        self.area = area
        self.ratio = ratio
        self.interp = interp

    def __call__(self, src):
        return random_size_crop(src, self.size, self.area, self.ratio, self.interp)[0]


class CenterCropAug(Augmenter):
    """The middle, see `center_crop`."""

    def __init__(self, size, interp=2):
        super().__init__(size=size, interp=interp)
        self.size = size
        self.interp = interp

    def __call__(self, src):
        return center_crop(src, self.size, self.interp)[0]


class HorizontalFlipAug(Augmenter):
    """Left and right exchanged, with probability `p`."""

    def __init__(self, p):
        super().__init__(p=p)
        self.p = p

    def __call__(self, src):
        return ndarray.flip(src, axis=1) if random.random() < self.p else src


class CastAug(Augmenter):
    """Another element type."""

    def __init__(self, typ="float32"):
        super().__init__(type=typ)
        self.typ = typ

    def __call__(self, src):
        return src.astype(self.typ)


class ColorNormalizeAug(Augmenter):
    """(image - mean) / std for each channel; None leaves one of them out."""

    def __init__(self, mean, std):
        super().__init__(mean=mean, std=std)
        self.mean = _per_channel(mean)
        self.std = _per_channel(std)

    def __call__(self, src):
        return color_normalize(src, self.mean, self.std)


def _per_channel(values):
    return values if values is None or isinstance(values, NDArray) else ndarray.array(values, dtype="float32")


# ---- Colours. Images are floating from here on, red first. ----

_LUMA = np.array([[[0.299, 0.587, 0.114]]], "float32")  # ITU-R BT.601
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
_FROM_YIQ = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])
_TO_GRAY = np.array([[0.21] * 3, [0.72] * 3, [0.07] * 3], "float32")


def _luma(src):
    return src * ndarray.array(_LUMA, dtype=src.dtype)


class BrightnessJitterAug(Augmenter):
    """The image times a random number of at most 1 +- `brightness`."""

    def __init__(self, brightness):
        super().__init__(brightness=brightness)
        self.brightness = brightness

    def __call__(self, src):
        return src * (1.0 + random.uniform(-self.brightness, self.brightness))


class ContrastJitterAug(Augmenter):
    """The image moved towards its mean brightness, or away from it, by a random share of at most `contrast`."""

    def __init__(self, contrast):
        super().__init__(contrast=contrast)
        self.contrast = contrast

    def __call__(self, src):
        keep = 1.0 + random.uniform(-self.contrast, self.contrast)
        gray = _luma(src).sum() * ((1.0 - keep) / (src.shape[0] * src.shape[1]))
        return src * keep + gray


class SaturationJitterAug(Augmenter):
    """Each pixel moved towards its brightness, or away from it, by a random share of at most `saturation`."""

    def __init__(self, saturation):
        super().__init__(saturation=saturation)
        self.saturation = saturation

    def __call__(self, src):
        keep = 1.0 + random.uniform(-self.saturation, self.saturation)
        return src * keep + _luma(src).sum(axis=2, keepdims=True) * (1.0 - keep)


class HueJitterAug(Augmenter):
    """The hue turned by a random angle of at most `hue` times 180 degrees, in the YIQ space."""

    def __init__(self, hue):
        super().__init__(hue=hue)
        self.hue = hue

    def __call__(self, src):
        angle = math.pi * random.uniform(-self.hue, self.hue)
        cosine, sine = math.cos(angle), math.sin(angle)
        turn = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
        return ndarray.dot(src, ndarray.array((_FROM_YIQ @ turn @ _TO_YIQ).T, dtype=src.dtype))


class ColorJitterAug(RandomOrderAug):
    """Brightness, contrast and saturation jittered in a random order; 0 leaves one of them out."""

    def __init__(self, brightness, contrast, saturation):
        kinds = ((BrightnessJitterAug, brightness), (ContrastJitterAug, contrast), (SaturationJitterAug, saturation))
        super().__init__([kind(amount) for kind, amount in kinds if amount > 0])


class LightingAug(Augmenter):
    """Noise along the principal components of colours (Krizhevsky et al. 2012).

    Parameters
    ----------
    alphastd : float
        Standard deviation of the noise.
    eigval, eigvec : array
        Eigenvalues (3,) and eigenvectors (3, 3) of the colours' covariance.
    """

    def __init__(self, alphastd, eigval, eigvec):
        super().__init__(alphastd=alphastd, eigval=eigval, eigvec=eigvec)
        self.alphastd = alphastd
        self.eigval = eigval
        self.eigvec = eigvec

    def __call__(self, src):
        alpha = np.random.normal(0, self.alphastd, size=(3,))
        return src + ndarray.array(np.dot(self.eigvec * alpha, self.eigval), dtype=src.dtype)


class RandomGrayAug(Augmenter):
    """All channels made the brightness, with probability `p`."""

    def __init__(self, p):
        super().__init__(p=p)
        self.p = p

    def __call__(self, src):
        return ndarray.dot(src, ndarray.array(_TO_GRAY, dtype=src.dtype)) if random.random() < self.p else src


# Of the images of ImageNet.
MEAN = np.array([123.68, 116.28, 103.53])
STD = np.array([58.395, 57.12, 57.375])
EIGENVALUES = np.array([55.46, 4.794, 1.148])
EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def statistics(values, default, what):
    """Mean or standard deviation of channels: given, or where True, those of ImageNet."""
    if values is True:
        return default
    if values is not None and np.shape(values) not in ((1,), (3,)):
        raise error.ValueError(f"{what} has shape {np.shape(values)}, expected one number or three")
    return values


def color_augmenters(brightness, contrast, saturation, hue, pca_noise, rand_gray):
    """Those changes of colours that are not 0."""
    augmenters = []
    if brightness or contrast or saturation:
        augmenters.append(ColorJitterAug(brightness, contrast, saturation))
    if hue:
        augmenters.append(HueJitterAug(hue))
    if pca_noise > 0:
        augmenters.append(LightingAug(pca_noise, EIGENVALUES, EIGENVECTORS))
    if rand_gray > 0:
        augmenters.append(RandomGrayAug(rand_gray))
    return augmenters


def CreateAugmenter(data_shape, resize=0, rand_crop=False, rand_resize=False, rand_mirror=False, mean=None, std=None,
                    brightness=0, contrast=0, saturation=0, hue=0, pca_noise=0, rand_gray=0, inter_method=2):
    """The list of augmenters that training on images usually takes.

    Parameters
    ----------
    data_shape : tuple of int
        Shape (channels, height, width) of the result.
    resize : int
        Resize the shorter edge to this first, if positive.
    rand_crop : bool
        Crop at a random place instead of the middle.
    rand_resize : bool
        Crop a part of random size; needs `rand_crop`.
    rand_mirror : bool
        Exchange left and right half of the time.
    mean, std : array of 1 or 3 numbers, or True
        What is subtracted and divided by; True for those of ImageNet.
    brightness, contrast, saturation, hue : float
        How much to jitter each.
    pca_noise : float
        Standard deviation of noise along the principal components of colours.
    rand_gray : float
        Probability of making the image grey.
    inter_method : int
        How to resize: 0 nearest, 1 bilinear, 2 cubic, 3 area, 4 Lanczos, 9 by the sizes, 10 at random.

    Returns
    -------
    list of Augmenter

    Examples
    --------
    >>> augmenters = mx.image.CreateAugmenter((3, 224, 224), resize=256, rand_crop=True, mean=True)
    >>> for augmenter in augmenters:
    ...     image = augmenter(image)
    """
    size = (data_shape[2], data_shape[1])
    augmenters = [ResizeAug(resize, inter_method)] if resize > 0 else []
    if rand_resize:
        if not rand_crop:
            raise AssertionError("CreateAugmenter: rand_resize needs rand_crop")
        augmenters.append(RandomSizedCropAug(size, 0.08, (3.0 / 4.0, 4.0 / 3.0), inter_method))
    else:
        augmenters.append((RandomCropAug if rand_crop else CenterCropAug)(size, inter_method))
    if rand_mirror:
        augmenters.append(HorizontalFlipAug(0.5))
    augmenters.append(CastAug())
    augmenters += color_augmenters(brightness, contrast, saturation, hue, pca_noise, rand_gray)
    mean = statistics(mean, _per_channel(MEAN), "CreateAugmenter: mean")
    std = statistics(std, _per_channel(STD), "CreateAugmenter: std")
    if mean is not None or std is not None:
        augmenters.append(ColorNormalizeAug(mean, std))
    return augmenters

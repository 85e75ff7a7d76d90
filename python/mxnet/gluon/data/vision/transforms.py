"""Changes to images, as blocks: for ``dataset.transform_first`` and in networks.

An image is an array ``(H, W, C)`` of numbers from 0 to 255, uint8 or floating, until `ToTensor` makes it
``(C, H, W)`` of float32 from 0 to 1. Some take batches of images, with an axis in front, as well.
"""
import math
import random

import numpy as np

from .... import ndarray
from ....util import is_np_array  # noqa: F401 - programs look for it here
from ...block import Block, HybridBlock
from ...nn import HybridSequential, Sequential

__all__ = ["Cast", "CenterCrop", "Compose", "CropResize", "Normalize", "RandomApply", "RandomBrightness",
           "RandomColorJitter", "RandomContrast", "RandomFlipLeftRight", "RandomFlipTopBottom", "RandomHue",
           "RandomLighting", "RandomResizedCrop", "RandomRotation", "RandomSaturation", "Resize", "Rotate", "ToTensor"]


class Compose(Sequential):
    """Applies changes one after the other.

    Parameters
    ----------
    transforms : list of Block or callable
        The changes.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> change = T.Compose([T.ToTensor(), T.Normalize(0.13, 0.31)])
    >>> change(mx.nd.zeros((28, 28, 1), dtype="uint8")).shape
    (1, 28, 28)
    """

    def __init__(self, transforms):
        super().__init__()
        run = []  # hybrid blocks in a row are joined, so that they can be compiled as one
        for transform in [*transforms, None]:
            if isinstance(transform, HybridBlock):
                run.append(transform)
                continue
            if len(run) == 1:
                self.add(run[0])
            elif run:
                joined = HybridSequential()
                joined.add(*run)
                joined.hybridize()
                self.add(joined)
            run = []
            if transform is not None:
                self.add(transform)


class RandomApply(Sequential):
    """Applies a change with probability `p`."""

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, x):
        return self.transforms(x) if np.random.random() < self.p else x


class Cast(HybridBlock):
    """Changes the element type."""

    def __init__(self, dtype="float32"):
        super().__init__()
        self._dtype = dtype

    def hybrid_forward(self, F, x):
        return F.cast(x, self._dtype)


class ToTensor(HybridBlock):
    """Makes images ``(H, W, C)`` of numbers 0 to 255 into ``(C, H, W)`` float32 of 0 to 1.

    A batch ``(N, H, W, C)`` gives ``(N, C, H, W)``.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> T.ToTensor()(mx.nd.ones((4, 6, 3), dtype="uint8") * 255).shape
    (3, 4, 6)
    """

    def __init__(self):
        super().__init__()

    def hybrid_forward(self, F, x):
        return F.image.to_tensor(x)


class Normalize(HybridBlock):
    """``(x - mean) / std`` for images ``(C, H, W)`` or batches ``(N, C, H, W)`` of floating numbers.

    Parameters
    ----------
    mean, std : float or tuple of float
        One number, or one for each channel.
    """

    def __init__(self, mean=0.0, std=1.0):
        super().__init__()
        self._mean, self._std = (tuple(np.atleast_1d(np.asarray(v, dtype="float64")).tolist()) for v in (mean, std))

    def hybrid_forward(self, F, x):
        return F.image.normalize(x, mean=self._mean, std=self._std)


class Rotate(Block):
    """Turns images ``(C, H, W)`` or batches ``(N, C, H, W)`` of float32 about their centre.

    Parameters
    ----------
    rotation_degrees : float
        How far.
    zoom_in : bool
        Whether to enlarge the image so far that nothing but image is seen.
    zoom_out : bool
        Whether to shrink it so far that all of it is seen.
    """

    def __init__(self, rotation_degrees, zoom_in=False, zoom_out=False):
        super().__init__()
        self._arguments = (rotation_degrees, zoom_in, zoom_out)

    def forward(self, x):
        from .... import image
        _check_float32("Rotate", x)
        return image.imrotate(x, *self._arguments)


class RandomRotation(Block):
    """`Rotate` by a random angle; in a batch each image by its own.

    Parameters
    ----------
    angle_limits : tuple of float
        The least and the greatest angle in degrees.
    zoom_in, zoom_out : bool
        As of `Rotate`.
    rotate_with_proba : float
        How often to turn images at all.

    Raises
    ------
    ValueError
        When the limits do not ascend, or the probability is not from 0 to 1.
    """

    def __init__(self, angle_limits, zoom_in=False, zoom_out=False, rotate_with_proba=1.0):
        super().__init__()
        low, high = angle_limits
        if low >= high:
            raise ValueError(f"RandomRotation: angle_limits must ascend, got {angle_limits}")
        if not 0 <= rotate_with_proba <= 1:
            raise ValueError(f"RandomRotation: rotate_with_proba must be from 0 to 1, got {rotate_with_proba}")
        self._arguments = (angle_limits, zoom_in, zoom_out)
        self._probability = rotate_with_proba

    def forward(self, x):
        from .... import image
        _check_float32("RandomRotation", x)
        if np.random.random() >= self._probability:
            return x
        return image.random_rotate(x, *self._arguments)


def _check_float32(name, x):
    if np.dtype(x.dtype) != np.float32:
        raise TypeError(f"{name}: expected images of float32, got {np.dtype(x.dtype)}; apply ToTensor before")


def _size(size):
    """(width, height) from a number or both."""
    return (size, size) if isinstance(size, (int, np.integer)) else tuple(size)


def _crop_resize(x, left, top, width, height, size, interpolation):
    x = ndarray.image.crop(x, x=left, y=top, width=width, height=height)
    if size == (width, height):
        return x
    return ndarray.image.resize(x, size=size, keep_ratio=False, interp=interpolation)


def _center_crop(x, size, interpolation):
    """The middle of an image, of the form of `size` and no larger than it, brought to that size."""
    rows, columns = x.shape[-3:-1]
    width, height = size
    if rows < height:
        width, height = width * rows / height, rows
    if columns < width:
        width, height = columns, height * columns / width
    width, height = max(int(width), 1), max(int(height), 1)
    return _crop_resize(x, (columns - width) // 2, (rows - height) // 2, width, height, size, interpolation)


class RandomResizedCrop(Block):
    """Cuts out a random rectangle and brings it to a size.

    Parameters
    ----------
    size : int or tuple of int
        Width and height of the result.
    scale : tuple of float
        Least and greatest share of the image's area.
    ratio : tuple of float
        Least and greatest width over height.
    interpolation : int
        As of `Resize`.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> T.RandomResizedCrop((5, 4))(mx.nd.ones((20, 30, 3))).shape
    (4, 5, 3)
    """

    def __init__(self, size, scale=(0.08, 1.0), ratio=(3.0 / 4.0, 4.0 / 3.0), interpolation=1):
        super().__init__()
        self._size = _size(size)
        self._scale = (scale, 1.0) if isinstance(scale, (int, float)) else tuple(scale)
        self._ratio = tuple(math.log(r) for r in ratio)
        self._interpolation = interpolation

    def forward(self, x):
        rows, columns = x.shape[-3:-1]
        for _ in range(10):
            area = random.uniform(*self._scale) * rows * columns
            ratio = math.exp(random.uniform(*self._ratio))
            width, height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 1 <= width <= columns and 1 <= height <= rows:
                left, top = random.randint(0, columns - width), random.randint(0, rows - height)
                return _crop_resize(x, left, top, width, height, self._size, self._interpolation)
        return _center_crop(x, self._size, self._interpolation)


class CropResize(HybridBlock):
    """Cuts out a given rectangle and, if asked to, brings it to a size. Takes batches too.

    Parameters
    ----------
    x, y : int
        First column and row.
    width, height : int
        Number of columns and rows.
    size : int or tuple of int, optional
        Width and height of the result.
    interpolation : int, optional
        As of `Resize`, which is linear if it is not given.
    """

    def __init__(self, x, y, width, height, size=None, interpolation=None):
        super().__init__()
        self._window = {"x": x, "y": y, "width": width, "height": height}
        self._size = size
        self._interpolation = 1 if interpolation is None else interpolation

    def hybrid_forward(self, F, x):
        x = F.image.crop(x, **self._window)
        return F.image.resize(x, _size(self._size), False, self._interpolation) if self._size else x


class CenterCrop(Block):
    """Cuts out the middle; where the image is smaller, the largest part of the same form, enlarged.

    Parameters
    ----------
    size : int or tuple of int
        Width and height of the result.
    interpolation : int
        As of `Resize`.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> T.CenterCrop((4, 2))(mx.nd.ones((20, 30, 3))).shape
    (2, 4, 3)
    """

    def __init__(self, size, interpolation=1):
        super().__init__()
        self._size = _size(size)
        self._interpolation = interpolation

    def forward(self, x):
        return _center_crop(x, self._size, self._interpolation)


class Resize(HybridBlock):
    """Brings images to a size. Takes batches too.

    Parameters
    ----------
    size : int or tuple of int
        Width and height of the result.
    keep_ratio : bool
        Whether a single number is the length of the shorter side only, with the form kept.
    interpolation : int
        0: nearest, 1: linear, 2: cubic, 3: area, 4: Lanczos.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> T.Resize(10, keep_ratio=True)(mx.nd.ones((20, 30, 3))).shape
    (10, 15, 3)
    """

    def __init__(self, size, keep_ratio=False, interpolation=1):
        super().__init__()
        self._size = size
        self._keep = keep_ratio
        self._interpolation = interpolation

    def hybrid_forward(self, F, x):
        return F.image.resize(x, self._size, self._keep, self._interpolation)


class RandomFlipLeftRight(HybridBlock):
    """Mirrors images with probability 1/2."""

    def __init__(self):
        super().__init__()

    def hybrid_forward(self, F, x):
        return F.image.random_flip_left_right(x)


class RandomFlipTopBottom(HybridBlock):
    """Turns images upside down with probability 1/2."""

    def __init__(self):
        super().__init__()

    def hybrid_forward(self, F, x):
        return F.image.random_flip_top_bottom(x)


class _RandomFactor(HybridBlock):
    """An operator that takes a random factor from ``1 - strength``, but not below 0, to ``1 + strength``."""

    _operator = None

    def __init__(self, strength):
        super().__init__()
        self._limits = (max(0, 1 - strength), 1 + strength)

    def hybrid_forward(self, F, x):
        return getattr(F.image, self._operator)(x, *self._limits)


class RandomBrightness(_RandomFactor):
    """Makes images brighter or darker by a random factor.

    Parameters
    ----------
    brightness : float
        The factor is from ``1 - brightness``, but not below 0, to ``1 + brightness``.
    """

    _operator = "random_brightness"

    def __init__(self, brightness):
        super().__init__(brightness)


class RandomContrast(_RandomFactor):
    """Moves images away from their mean grey, or towards it.

    Parameters
    ----------
    contrast : float
        The factor is from ``1 - contrast``, but not below 0, to ``1 + contrast``.
    """

    _operator = "random_contrast"

    def __init__(self, contrast):
        super().__init__(contrast)


class RandomSaturation(_RandomFactor):
    """Moves each pixel away from its own grey, or towards it.

    Parameters
    ----------
    saturation : float
        The factor is from ``1 - saturation``, but not below 0, to ``1 + saturation``.
    """

    _operator = "random_saturation"

    def __init__(self, saturation):
        super().__init__(saturation)


class RandomHue(_RandomFactor):
    """Turns the hues of an image.

    Parameters
    ----------
    hue : float
        How much of the whole circle at most, to either side.
    """

    _operator = "random_hue"

    def __init__(self, hue):
        super().__init__(hue)


class RandomColorJitter(HybridBlock):
    """`RandomBrightness`, `RandomContrast`, `RandomSaturation` and `RandomHue` in random order.

    Parameters
    ----------
    brightness, contrast, saturation, hue : float
        As of these.
    """

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0):
        super().__init__()
        self._strengths = (brightness, contrast, saturation, hue)

    def hybrid_forward(self, F, x):
        return F.image.random_color_jitter(x, *self._strengths)


class RandomLighting(HybridBlock):
    """Adds a random mixture of the main colours of natural images (Krizhevsky et al., 2012).

    Parameters
    ----------
    alpha : float
        Standard deviation of how much of each.
    """

    def __init__(self, alpha):
        super().__init__()
        self._alpha = alpha

    def hybrid_forward(self, F, x):
        return F.image.random_lighting(x, self._alpha)

"""Functions on single images."""
import math
import numbers
import os
import random

import numpy as np

from .. import error, ndarray
from .._opencv import opencv
from ..ndarray import NDArray

__all__ = ["center_crop", "color_normalize", "copyMakeBorder", "fixed_crop", "imdecode", "imread", "imresize",
           "imrotate", "random_crop", "random_rotate", "random_size_crop", "resize_short", "scale_down"]


def _give(image, out):
    """A NumPy image as an NDArray, in `out` if there is one."""
    result = ndarray.array(image, dtype=image.dtype)
    if out is None:
        return result
    out[:] = result
    return out


def _pixels(image, what):
    """The numbers of an image (height, width, channels); ValueError for another shape."""
    pixels = image.asnumpy() if isinstance(image, NDArray) else np.asarray(image)
    if pixels.ndim != 3:
        raise error.ValueError(f"{what}: expected an image of shape (height, width, channels), got {pixels.shape}")
    return pixels


def _with_channels(pixels):
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def _call_opencv(what, function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except opencv().error as failure:
        reason = getattr(failure, "err", "") or str(failure).strip()
        raise error.ValueError(f"{what}: OpenCV refuses: {reason}") from None


def imdecode(buf, flag=1, to_rgb=True, out=None):
    """Decodes an image file that is in memory.

    Parameters
    ----------
    buf : bytes, bytearray, numpy.ndarray or NDArray of uint8
        Contents of a file in any format that OpenCV knows. ValueError for anything else.
    flag : int
        1 for three channels, 0 for a grey image, -1 for the channels of the file.
    to_rgb : bool or int
        Whether red comes first; else blue does.
    out : NDArray, optional
        Where to put the image.

    Returns
    -------
    NDArray
        Image of shape (height, width, channels), of uint8.

    Examples
    --------
    >>> with open("flower.jpg", "rb") as file:
    ...     image = mx.image.imdecode(file.read())
    """
    if isinstance(buf, NDArray):
        buf = buf.asnumpy()
    data = buf.reshape(-1) if isinstance(buf, np.ndarray) else np.frombuffer(buf, np.uint8)
    if data.dtype != np.uint8:
        raise error.TypeError(f"imdecode: expected bytes, got numbers of type {data.dtype}")
    if not data.size:
        raise error.ValueError("imdecode: there are no bytes to decode")
    cv2 = opencv()
    image = _call_opencv("imdecode", cv2.imdecode, data, flag)
    if image is None:
        raise error.ValueError(f"imdecode: the {data.size} bytes are no image that can be decoded")
    image = _with_channels(image)
    if to_rgb and image.shape[2] >= 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB if image.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
    return _give(image, out)


def imread(filename, flag=1, to_rgb=True, out=None):
    """Reads and decodes an image file.

    Parameters
    ----------
    filename : str
        Path of the file. OSError if it cannot be read.
    flag, to_rgb, out
        As in `imdecode`.

    Examples
    --------
    >>> mx.image.imread("flower.jpg").shape
    (480, 640, 3)
    """
    try:
        with open(os.fspath(filename), "rb") as file:
            data = file.read()
    except OSError as failure:
        raise error.OSError(f"imread: '{filename}' cannot be read: {failure.strerror}") from failure
    try:
        return imdecode(data, flag, to_rgb, out)
    except error.ValueError as failure:
        raise error.ValueError(f"imread: '{filename}': {failure}") from None


def _get_interp_method(interp, sizes=()):
    """The method of OpenCV for `interp`: 9 chooses by `sizes` (old height, old width, new height, new width), 10 by
    chance."""
    if interp == 9:
        if not sizes:
            return 2
        if len(sizes) != 4:
            raise error.ValueError(f"interp 9 needs old and new height and width, got {sizes}")
        old_height, old_width, height, width = sizes
        if height > old_height and width > old_width:
            return 2
        return 3 if height < old_height and width < old_width else 1
    if interp == 10:
        return random.randint(0, 4)
    if interp not in (0, 1, 2, 3, 4):
        raise error.ValueError(f"interp is {interp}, expected 0 to 4, 9 or 10")
    return interp


def imresize(src, w, h, interp=1, out=None):
    """Resizes an image.

    Parameters
    ----------
    src : NDArray
        Image of shape (height, width, channels).
    w, h : int
        New width and height.
    interp : int
        0 nearest, 1 bilinear, 2 cubic, 3 area, 4 Lanczos.
    out : NDArray, optional
        Where to put the image.

    Examples
    --------
    >>> mx.image.imresize(image, 240, 360).shape
    (360, 240, 3)
    """
    pixels = _pixels(src, "imresize")
    if w < 1 or h < 1 or not pixels.size:
        raise error.ValueError(f"imresize: an image of shape {pixels.shape} cannot be resized to width {w} and "
                               f"height {h}")
    resized = _call_opencv("imresize", opencv().resize, pixels, (int(w), int(h)),
                           interpolation=_get_interp_method(interp, (*pixels.shape[:2], h, w)))
    return _give(_with_channels(resized), out)


def copyMakeBorder(src, top, bot, left, right, type=0, value=0.0, values=(), out=None):
    """An image with a border.

    Parameters
    ----------
    src : NDArray
        Image of shape (height, width, channels).
    top, bot, left, right : int
        Widths of the border.
    type : int
        0 for one colour, 1 for the nearest pixel, 2 for reflection, 3 for the other side of the image, 4 for
        reflection without the edge itself, as numbered by OpenCV.
    value : float
        What the border holds, where `type` is 0.
    values : tuple of float
        The same for each channel.
    """
    pixels = _pixels(src, "copyMakeBorder")
    color = tuple(values) if len(values) else (value,) * 4
    return _give(_with_channels(_call_opencv("copyMakeBorder", opencv().copyMakeBorder, pixels, top, bot, left, right,
                                             type, value=color)), out)


def scale_down(src_size, size):
    """A crop's (width, height), made smaller in proportion where it exceeds the image's.

    Examples
    --------
    >>> mx.image.scale_down((640, 480), (720, 120))
    (640, 106)
    """
    width, height = size
    src_width, src_height = src_size
    if src_height < height:
        width, height = width * src_height / height, src_height
    if src_width < width:
        width, height = src_width, height * src_width / width
    return int(width), int(height)


def resize_short(src, size, interp=2):
    """Resizes an image so that its shorter edge has `size` pixels.

    Examples
    --------
    >>> mx.image.resize_short(mx.nd.zeros((40, 60, 3), dtype="uint8"), 20).shape
    (20, 30, 3)
    """
    height, width = src.shape[:2]
    if height > width:
        new_height, new_width = size * height // width, size
    else:
        new_height, new_width = size, size * width // height
    return imresize(src, new_width, new_height, _get_interp_method(interp, (height, width, new_height, new_width)))


def fixed_crop(src, x0, y0, w, h, size=None, interp=2):
    """The part of an image of width `w` and height `h` at (x0, y0), resized to `size` (width, height) if given."""
    part = src[y0:y0 + h, x0:x0 + w]
    if size is None or (w, h) == tuple(size):
        return part
    return imresize(part, *size, interp=_get_interp_method(interp, (h, w, size[1], size[0])))


def random_crop(src, size, interp=2):
    """A part of an image at a random place, resized to `size` (width, height).

    The part has that size, or less in proportion where the image is smaller.

    Returns
    -------
    NDArray, tuple
        The part, and its place (x0, y0, width, height) in the image.
    """
    height, width = src.shape[:2]
    new_width, new_height = scale_down((width, height), size)
    x0 = random.randint(0, width - new_width)
    y0 = random.randint(0, height - new_height)
    return fixed_crop(src, x0, y0, new_width, new_height, size, interp), (x0, y0, new_width, new_height)


def center_crop(src, size, interp=2):
    """The middle of an image, resized to `size` (width, height); otherwise like `random_crop`."""
    height, width = src.shape[:2]
    new_width, new_height = scale_down((width, height), size)
    x0, y0 = (width - new_width) // 2, (height - new_height) // 2
    return fixed_crop(src, x0, y0, new_width, new_height, size, interp), (x0, y0, new_width, new_height)


def random_size_crop(src, size, area, ratio, interp=2, **kwargs):
    """A random part of an image of random area and shape, resized.

    Parameters
    ----------
    src : NDArray
        Image of shape (height, width, channels).
    size : tuple of int
        Width and height of the result.
    area : float or tuple
        Bounds of the part's share of the image; a number is the lower bound.
    ratio : tuple of float
        Bounds of width over height.
    interp : int
        How to resize, as in `imresize`; 9 chooses by the sizes, 10 at random.

    Returns
    -------
    NDArray, tuple
        The part, and its place (x0, y0, width, height) in the image; the middle where no random one fits.
    """
    area = kwargs.pop("min_area", area)
    if kwargs:
        raise error.TypeError(f"random_size_crop: unknown arguments {sorted(kwargs)}")
    height, width = src.shape[:2]
    bounds = (area, 1.0) if isinstance(area, numbers.Number) else area
    for _ in range(10):
        wanted = random.uniform(*bounds) * height * width
        shape = math.exp(random.uniform(math.log(ratio[0]), math.log(ratio[1])))
        new_width, new_height = int(round(math.sqrt(wanted * shape))), int(round(math.sqrt(wanted / shape)))
        if 0 < new_width <= width and 0 < new_height <= height:
            x0 = random.randint(0, width - new_width)
            y0 = random.randint(0, height - new_height)
            return fixed_crop(src, x0, y0, new_width, new_height, size, interp), (x0, y0, new_width, new_height)
    return center_crop(src, size, interp)


def color_normalize(src, mean, std=None):
    """(src - mean) / std; `mean` and `std` are NDArrays of one number a channel, None leaves one of them out."""
    if mean is not None:
        src = src - mean
    return src if std is None else src / std


def imrotate(src, rotation_degrees, zoom_in=False, zoom_out=False):
    """Rotates images around their centre, anticlockwise, with zeros where nothing comes from.

    Parameters
    ----------
    src : NDArray
        Image (channels, height, width) or batch (N, channels, height, width) of float32.
    rotation_degrees : float or NDArray
        The angle, or one for each image of a batch.
    zoom_in : bool
        Enlarge so that no zeros show.
    zoom_out : bool
        Shrink so that the whole image shows.

    Examples
    --------
    >>> mx.image.imrotate(mx.nd.ones((3, 20, 30)), 45).shape
    (3, 20, 30)
    """
    if zoom_in and zoom_out:
        raise error.ValueError("imrotate: zoom_in and zoom_out cannot both be set")
    if src.dtype != np.float32:
        raise error.TypeError(f"imrotate: expected images of float32, got {np.dtype(src.dtype)}")
    if src.ndim not in (3, 4):
        raise error.TypeError(f"imrotate: expected (channels, height, width) or a batch of them, got {src.shape}")
    images = src.asnumpy().reshape((-1,) + src.shape[-3:])
    angles = rotation_degrees.asnumpy() if isinstance(rotation_degrees, NDArray) else rotation_degrees
    if np.ndim(angles) and src.ndim == 3:
        raise error.TypeError("imrotate: one image takes one angle, got several")
    if np.ndim(angles) and len(angles) != len(images):
        raise error.ValueError(f"imrotate: got {len(angles)} angles for {len(images)} images")
    angles = np.broadcast_to(np.radians(np.asarray(angles, "float64")), len(images))
    rotated = np.stack([_rotated(image, angle, zoom_in - zoom_out) for image, angle in zip(images, angles)])
    return ndarray.array(rotated.reshape(src.shape), dtype=np.float32)


def _rotated(image, angle, zoom):
    """`image` (channels, height, width) rotated; `zoom` is 1 to enlarge, -1 to shrink."""
    height, width = image.shape[1:]
    cosine, sine = math.cos(angle), math.sin(angle)
    box_width, box_height = (abs(cosine) * a + abs(sine) * b for a, b in ((width, height), (height, width)))
    scale = max(box_width / width, box_height / height) ** -zoom  # the box around the turned image
    y, x = np.mgrid[:height, :width].astype("float64")
    center_y, center_x = (height - 1) / 2, (width - 1) / 2
    dx, dy = (x - center_x) * scale, (y - center_y) * scale
    return _between_pixels(image, dx * sine + dy * cosine + center_y, dx * cosine - dy * sine + center_x)


def _between_pixels(image, y, x):
    """Values of `image` at places between its pixels, interpolated bilinearly; 0 outside."""
    height, width = image.shape[1:]
    y, x = np.round(y, 9), np.round(x, 9)  # a pixel that is hit but for rounding stays whole
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    result = np.zeros(image.shape, "float64")
    for row, share_y in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, share_x in ((left, 1 - (x - left)), (left + 1, x - left)):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            values = image[:, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]
            result += values * (share_y * share_x * inside)
    return result.astype(np.float32)


def random_rotate(src, angle_limits, zoom_in=False, zoom_out=False):
    """`imrotate` by a random angle between two limits in degrees, another one for each image of a batch."""
    if src.ndim == 3:
        return imrotate(src, random.uniform(*angle_limits), zoom_in, zoom_out)
    angles = np.random.uniform(*angle_limits, size=len(src))
    return imrotate(src, ndarray.array(angles, dtype="float64"), zoom_in, zoom_out)

"""Random changes to the images of record iterators, after their parameters in MXNet 1.x.

Images are uint8 arrays (height, width, channels), red first; `rng` is a `random.Random`.
"""
import math

import numpy as np

from .._opencv import opencv
from ..error import ValueError as MXValueError

__all__ = ["decoded", "normalizer", "prepared", "resized", "shorter_side"]

_AREA_METHOD = 3
# Principal components of the colours of ImageNet (Krizhevsky et al., 2012).
_EIGENVALUES = np.array([55.46, 4.794, 1.148])
_EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


def decoded(content, channels, name):
    """The image in `content` with 1, 3 or 4 channels."""
    cv2 = opencv()
    flag = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR}.get(channels, cv2.IMREAD_UNCHANGED)
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), flag) if content else None
    except cv2.error:  # such as of sizes beyond its limits
        image = None
    if image is None:
        raise MXValueError(f"{name}: a record holds {len(content)} bytes that are no image")
    if channels == 1:
        return image[:, :, np.newaxis]
    found = 1 if image.ndim == 2 else image.shape[2]
    if found != channels:
        raise MXValueError(f"{name}: an image has {found} channels, but data_shape asks for {channels}")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA)


def _whole(image):
    """`image` with its third axis, which OpenCV drops when it has one channel."""
    return image if image.ndim == 3 else image[:, :, np.newaxis]


def resized(image, height, width, method, rng):
    """`image` in another size. Method 9 takes what suits growing or shrinking, 10 any."""
    old_height, old_width = image.shape[:2]
    if (height, width) == (old_height, old_width):
        return image
    if method == 9:
        grows = height > old_height and width > old_width
        shrinks = height < old_height and width < old_width
        method = 2 if grows else _AREA_METHOD if shrinks else 1
    elif method == 10:
        method = rng.randrange(5)
    return _whole(opencv().resize(image, (max(width, 1), max(height, 1)), interpolation=method))


def shorter_side(image, size, method, rng):
    height, width = image.shape[:2]
    if height > width:
        return resized(image, int(height * size / width), size, method, rng)
    return resized(image, size, int(width * size / height), method, rng)


def _turned(image, p, rng):
    """Rotation, shear, scale and ratio of the sides, all in one."""
    scale_is_random = (p.max_random_scale, p.min_random_scale) != (1, 1)
    ratio_is_random = p.max_aspect_ratio > 0 and not p.random_resized_crop
    if not (p.max_rotate_angle > 0 or p.max_shear_ratio > 0 or p.rotate > 0 or scale_is_random or ratio_is_random or
            p.max_img_size != 1e10 or p.min_img_size != 0):
        return image
    height, width = image.shape[:2]
    angle = math.radians(p.rotate if p.rotate > 0 else rng.uniform(-p.max_rotate_angle, p.max_rotate_angle))
    shear = rng.uniform(-p.max_shear_ratio, p.max_shear_ratio)
    scale = rng.uniform(p.min_random_scale, p.max_random_scale)
    ratio = 1.0
    if ratio_is_random:
        ratio = (rng.uniform(p.min_aspect_ratio, p.max_aspect_ratio) if p.min_aspect_ratio is not None else
                 1 + rng.uniform(-p.max_aspect_ratio, p.max_aspect_ratio))
    x_scale = 2 * scale / (1 + ratio)
    y_scale = ratio * x_scale
    cos, sin = math.cos(angle), math.sin(angle)
    matrix = np.array([[x_scale * cos - shear * sin * y_scale, x_scale * sin + shear * cos * y_scale, 0],
                       [-sin * y_scale, cos * y_scale, 0]], dtype=np.float32)
    new_width, new_height = (int(min(max(scale * side, p.min_img_size), p.max_img_size)) for side in (width, height))
    matrix[:, 2] = (np.array([new_width, new_height]) - matrix[:, :2] @ np.array([width, height])) / 2
    cv2 = opencv()
    method = p.inter_method if p.inter_method < 5 else 1
    return _whole(cv2.warpAffine(image, matrix, (max(new_width, 1), max(new_height, 1)), flags=method,
                                 borderMode=cv2.BORDER_CONSTANT, borderValue=(p.fill_value,) * 4))


def _place(room_y, room_x, at_random, rng):
    if at_random:
        return rng.randint(0, room_y), rng.randint(0, room_x)
    return room_y // 2, room_x // 2


def _part(image, height, width, at_random, rng):
    y, x = _place(image.shape[0] - height, image.shape[1] - width, at_random, rng)
    return image[y:y + height, x:x + width]


def _random_area(image, p, rng):
    """A part of random area and ratio of the sides; the middle where none fits."""
    height, width = image.shape[:2]
    low = p.min_aspect_ratio if p.min_aspect_ratio is not None else 1 / (1 + p.max_aspect_ratio)
    high = p.max_aspect_ratio if p.min_aspect_ratio is not None else 1 + p.max_aspect_ratio
    for _ in range(10):
        area = height * width * rng.uniform(p.min_random_area, p.max_random_area)
        ratio = rng.uniform(low, high)
        part_width, part_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < part_width <= width and 0 < part_height <= height:
            return _part(image, part_height, part_width, True, rng)
    side = min(height, width)
    return _part(image, side, side, False, rng)


def _cropped(image, shape, p, rng):
    """The part of `image` that is shown, with the height and width of `shape`."""
    height, width = shape
    if p.random_resized_crop:
        return resized(_random_area(image, p, rng), height, width, p.inter_method, rng)
    if p.max_crop_size != -1 or p.min_crop_size != -1:
        side = rng.randint(p.min_crop_size, p.max_crop_size)
        if side > min(image.shape[:2]):
            raise MXValueError(f"a crop of {side} x {side} is larger than an image of {image.shape[:2]}")
        return resized(_part(image, side, side, p.rand_crop, rng), height, width, p.inter_method, rng)
    if image.shape[0] < height:
        image = resized(image, height, int(image.shape[1] * height / image.shape[0]), p.inter_method, rng)
    if image.shape[1] < width:
        image = resized(image, int(image.shape[0] * width / image.shape[1]), width, p.inter_method, rng)
    return _part(image, height, width, p.rand_crop, rng)


def _colour_changes(p, rng):
    def brighter(image):
        return image * (1 + rng.uniform(-p.brightness, p.brightness))

    def grey_of(image):
        return image @ np.array([0.299, 0.587, 0.114], np.float32)

    def contrasted(image):
        alpha = 1 + rng.uniform(-p.contrast, p.contrast)
        return image * alpha + (1 - alpha) * grey_of(image).mean()

    def saturated(image):
        alpha = 1 + rng.uniform(-p.saturation, p.saturation)
        return image * alpha + (1 - alpha) * grey_of(image)[:, :, np.newaxis]

    changes = [change for change, amount in ((brighter, p.brightness), (contrasted, p.contrast),
                                             (saturated, p.saturation)) if amount > 0]
    rng.shuffle(changes)
    return changes


def _coloured(image, p, rng):
    """Changes of brightness, contrast, saturation, hue and light, for images of three channels."""
    if image.shape[2] != 3:
        return image
    for change in _colour_changes(p, rng):
        image = np.clip(change(image.astype(np.float32)), 0, 255).astype(np.uint8)
    if p.pca_noise > 0:
        alpha = np.array([rng.gauss(0, p.pca_noise) for _ in range(3)])
        image = np.clip(image + _EIGENVECTORS @ (alpha * _EIGENVALUES), 0, 255).astype(np.uint8)
    shifts = [rng.randint(-amount, amount) if amount else 0 for amount in (p.random_h, p.random_l, p.random_s)]
    if any(shifts):
        cv2 = opencv()
        hls = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HLS).astype(np.int32) + shifts
        image = cv2.cvtColor(np.clip(hls, 0, (180, 255, 255)).astype(np.uint8), cv2.COLOR_HLS2RGB)
    return image


def prepared(image, p, rng):
    """`image` after all changes that come before the numbers are normalized."""
    if p.resize > 0:
        image = shorter_side(image, p.resize, p.inter_method, rng)
    image = _turned(image, p, rng)
    if p.pad > 0:
        cv2 = opencv()
        image = _whole(cv2.copyMakeBorder(image, p.pad, p.pad, p.pad, p.pad, cv2.BORDER_CONSTANT,
                                          value=(p.fill_value,) * 4))
    return _coloured(_cropped(image, p.data_shape[1:], p, rng), p, rng)


def normalizer(p, mean_image=None):
    """A function that writes ``(image - mean) * scale / std`` into an array (channels, height, width)."""
    channels = p.data_shape[0]
    mean = np.array([p.mean_r, p.mean_g, p.mean_b, p.mean_a][:channels], np.float32).reshape(-1, 1, 1)
    std = np.array([p.std_r, p.std_g, p.std_b, p.std_a][:channels], np.float32).reshape(-1, 1, 1)
    factor = np.float32(p.scale) / np.where(std == 0, 1, std)
    mean = mean if mean_image is None else mean_image
    plain = not mean.any() and (factor == 1).all() and not (p.max_random_contrast or p.max_random_illumination)

    def write(image, out, rng):
        image = image.transpose(2, 0, 1)
        if plain or out.dtype.kind in "iu":
            out[...] = np.minimum(image, 127) if out.dtype == np.int8 else image
            return
        contrast = 1 + rng.uniform(-p.max_random_contrast, p.max_random_contrast)
        light = rng.uniform(-p.max_random_illumination, p.max_random_illumination)
        np.subtract(image, mean, out=out, dtype=np.float32, casting="same_kind")
        if contrast != 1 or light != 0:
            out *= contrast
            out += light
        out *= factor
    return write

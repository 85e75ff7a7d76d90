"""Images: reading, resizing, cropping, augmenting, and iterators over them.

An image is an NDArray of shape (height, width, channels), red first, as `imread` gives it. What decodes and
resizes is OpenCV: ``pip install mxnet[image]``.
"""
from . import detection as detection
from . import image as image
from ._basic import copyMakeBorder as copyMakeBorder
from .detection import *  # noqa: F403
from .image import *  # noqa: F403

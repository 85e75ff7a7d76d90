"""Parts around the core: text, TensorBoard, iterators over loaders, and the experimental operators."""
from .. import ndarray as _ndarray
from . import io, tensorboard, text

nd = ndarray = _ndarray.contrib

__all__ = ["io", "nd", "ndarray", "tensorboard", "text"]

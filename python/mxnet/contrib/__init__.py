"""Parts around the core: text, TensorBoard, iterators over loaders, and the experimental operators."""
from .. import ndarray as _ndarray
from .. import symbol as _symbol
from . import autograd, io, svrg_optimization, tensorboard, text

nd = ndarray = _ndarray.contrib
sym = symbol = _symbol.contrib

__all__ = ["autograd", "io", "nd", "ndarray", "svrg_optimization", "sym", "symbol", "tensorboard", "text"]

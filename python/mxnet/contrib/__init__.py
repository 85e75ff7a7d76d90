"""Parts around the core: text, TensorBoard, iterators over loaders, and the experimental operators."""
import sys

from .. import ndarray as _ndarray
from .. import symbol as _symbol
from . import autograd, io, svrg_optimization, tensorboard, text

nd = ndarray = _ndarray.contrib
sym = symbol = _symbol.contrib
# For "from mxnet.contrib.ndarray import MultiBoxPrior".
sys.modules[f"{__name__}.ndarray"] = ndarray
sys.modules[f"{__name__}.symbol"] = symbol

__all__ = ["autograd", "io", "nd", "ndarray", "svrg_optimization", "sym", "symbol", "tensorboard", "text"]

"""Arrays on the CPU and the operators on them, executed as they are called.

``mx.nd.array([1, 2])`` makes an array; ``mx.nd.softmax(x)`` and the other functions of the registry work
on arrays; `mx.nd.random`, `linalg`, `contrib` and `image` hold those of one field.
"""
# ruff: noqa: F401, F403 - this module collects names
from . import _internal, contrib, image, indexing, linalg, ndarray, op, random, register, sparse, utils
from .cached_op import CachedOp
from .ndarray import *
from .ndarray import NDArray, _storage_type
from .op import *
from .utils import load, load_frombuffer, save

# Written in Python for these, with the arguments of MXNet 1.x, whatever operator has the same name.
for _name in ndarray.__all__:
    globals()[_name] = getattr(ndarray, _name)
del _name

__all__ = sorted({*ndarray.__all__, *op.__all__, *utils.__all__,
                  "contrib", "image", "linalg", "op", "random", "sparse", "utils"})

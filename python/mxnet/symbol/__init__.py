"""Symbols: computations that are put together first, and run when they are bound to arrays.

``mx.sym.var('x')`` stands for an input; ``mx.sym.softmax(x)`` and the other functions of the registry apply
operators; `Symbol.bind` and `Symbol.simple_bind` make an executor that runs the whole.
"""
# ruff: noqa: F401, F403 - this module collects names
from . import _internal, backends, contrib, image, linalg, op, passes, random, register, sparse, symbol
from .op import *
from .symbol import *
from .symbol import Symbol

# Written in Python for these, whatever operator has the same name.
for _name in symbol.__all__:
    globals()[_name] = getattr(symbol, _name)
del _name

__all__ = sorted({*symbol.__all__, *op.__all__, "backends", "contrib", "image", "linalg", "op", "passes", "random",
                  "sparse"})

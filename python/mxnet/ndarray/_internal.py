"""Operators whose names start with an underscore: the building blocks behind the public functions.

The functions on image files, ``_cvimdecode`` and its like, are those of `mx.image` and need OpenCV.
"""
from . import register as _register

_functions = _register.functions("_internal")
globals().update(_functions)

__all__ = sorted([*_functions, "_cvcopyMakeBorder", "_cvimdecode", "_cvimread", "_cvimresize"])


def _cvimdecode(buf, flag=1, to_rgb=True, out=None):
    """`mx.image.imdecode`."""
    from ..image import imdecode
    return imdecode(buf, flag, to_rgb, out)


def _cvimread(filename, flag=1, to_rgb=True, out=None):
    """`mx.image.imread`."""
    from ..image import imread
    return imread(filename, flag, to_rgb, out)


def _cvimresize(src, w, h, interp=1, out=None):
    """`mx.image.imresize`."""
    from ..image import imresize
    return imresize(src, w, h, interp, out)


def _cvcopyMakeBorder(src, top, bot, left, right, type=0, value=0.0, values=(), out=None):
    """An image with a border, as OpenCV draws it."""
    from ..image._basic import copyMakeBorder
    return copyMakeBorder(src, top, bot, left, right, type, value, values, out)

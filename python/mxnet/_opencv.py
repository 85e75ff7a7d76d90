"""OpenCV, imported when an image is first handled."""
import importlib

__all__ = ["opencv"]


def opencv():
    """The module cv2. ImportError with what to install where it is missing."""
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise ImportError("images need OpenCV; install it with: pip install mxnet[image]") from error

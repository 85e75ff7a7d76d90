"""Data sets of images, ready for a network: images as float32 of shape (channels, height, width) from 0 to 1.

>>> from mxnet import vision
>>> train_data = vision.MNIST("mnist", train=True)
>>> image, label = train_data[0]
>>> image.shape
(1, 28, 28)
"""
import numpy as np

from . import ndarray
from .gluon.data import Dataset
from .gluon.data import vision as _vision

__all__ = ["CIFAR10", "CIFAR100", "MNIST", "FashionMNIST"]


class _Images(Dataset):
    """The images and labels of a data set of `gluon.data.vision`.

    Parameters
    ----------
    path : str, optional
        Folder of the files; its place below MXNET_HOME by default.
    train : bool
        Whether to take the part to train on.
    **kwargs
        See the data set of the same name in `gluon.data.vision`, which also says what is raised.
    """

    def __init__(self, path=None, train=True, **kwargs):
        if path is not None:
            kwargs["root"] = path
        source = self._source(train=train, **kwargs)
        data = source._data.asnumpy() if isinstance(source._data, ndarray.NDArray) else np.asarray(source._data)
        self._data = np.ascontiguousarray(data.transpose(0, 3, 1, 2))
        self._label = np.asarray(source._label, dtype=np.int32)

    def __len__(self):
        return len(self._label)

    def __getitem__(self, idx):
        return ndarray.array(self._data[idx].astype(np.float32) / 255), self._label[idx]

    def take_batch(self, indices):
        """Images ``(N, channels, height, width)`` and labels ``(N,)`` of many samples at once."""
        images = ndarray.array(self._data[indices], dtype="uint8").astype("float32") / 255
        return images, ndarray.array(self._label[indices], dtype="int32")


class MNIST(_Images):
    """Handwritten digits, see `gluon.data.vision.MNIST`: images of shape (1, 28, 28)."""

    _source = _vision.MNIST


class FashionMNIST(_Images):
    """Pictures of clothes, see `gluon.data.vision.FashionMNIST`: images of shape (1, 28, 28)."""

    _source = _vision.FashionMNIST


class CIFAR10(_Images):
    """Photographs of 10 kinds of things, see `gluon.data.vision.CIFAR10`: images of shape (3, 32, 32)."""

    _source = _vision.CIFAR10


class CIFAR100(_Images):
    """Photographs of 100 kinds of things, see `gluon.data.vision.CIFAR100`: images of shape (3, 32, 32)."""

    _source = _vision.CIFAR100

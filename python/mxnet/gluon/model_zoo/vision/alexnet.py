"""AlexNet."""
import os

from ....base import data_dir
from ....context import cpu
from ... import nn
from ...block import HybridBlock
from ._common import load_pretrained

__all__ = ["AlexNet", "alexnet"]


class AlexNet(HybridBlock):
    """Five convolutions and three dense layers (Krizhevsky, 2014): images ``(N, 3, 224, 224)`` to ``(N, classes)``.

    Parameters
    ----------
    classes : int
        Number of outputs.
    """

    def __init__(self, classes=1000, **kwargs):
        super().__init__(**kwargs)
        with self.name_scope():
            self.features = nn.HybridSequential(prefix="")
            with self.features.name_scope():
                self.features.add(nn.Conv2D(64, 11, strides=4, padding=2, activation="relu"), nn.MaxPool2D(3, 2),
                                  nn.Conv2D(192, 5, padding=2, activation="relu"), nn.MaxPool2D(3, 2),
                                  nn.Conv2D(384, 3, padding=1, activation="relu"),
                                  nn.Conv2D(256, 3, padding=1, activation="relu"),
                                  nn.Conv2D(256, 3, padding=1, activation="relu"), nn.MaxPool2D(3, 2),
                                  nn.Flatten())
                for _ in range(2):
                    self.features.add(nn.Dense(4096, activation="relu"), nn.Dropout(0.5))
            self.output = nn.Dense(classes)

    def hybrid_forward(self, F, x):
        return self.output(self.features(x))


def alexnet(pretrained=False, ctx=cpu(), root=os.path.join(data_dir(), "models"), **kwargs):  # noqa: B008
    """An `AlexNet`.

    Parameters
    ----------
    pretrained : bool
        Whether to load weights that were trained on ImageNet.
    ctx : Context
        Where to put them.
    root : str
        Folder of their file, see `model_store.get_model_file`.
    **kwargs
        See `AlexNet`.
    """
    return load_pretrained(AlexNet(**kwargs), "alexnet", pretrained, ctx, root)

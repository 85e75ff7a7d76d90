"""Networks for images, by name.

>>> net = mx.gluon.model_zoo.vision.get_model("resnet18_v1", classes=10)
>>> net.initialize()
>>> net(mx.nd.ones((1, 3, 224, 224))).shape
(1, 10)
"""
from . import alexnet as _alexnet
from . import densenet, inception, mobilenet, resnet, squeezenet, vgg
from .alexnet import *  # noqa: F403
from .densenet import *  # noqa: F403
from .inception import *  # noqa: F403
from .mobilenet import *  # noqa: F403
from .resnet import *  # noqa: F403
from .squeezenet import *  # noqa: F403
from .vgg import *  # noqa: F403

_modules = (_alexnet, densenet, inception, mobilenet, resnet, squeezenet, vgg)

__all__ = [name for module in _modules for name in module.__all__] + ["get_model"]


def _builders():
    """The functions that make networks, by the names of `get_model`."""
    found = {}
    for module in _modules:
        for name in module.__all__:
            if name.islower() and not name.startswith("get_"):
                key = name.replace("_v2_", "v2_").replace("inception_v3", "inceptionv3")
                found[_dotted(key)] = getattr(module, name)
    return found


def _dotted(name):
    """``mobilenet0_25`` as ``mobilenet0.25``: versions are written with a dot."""
    import re
    return re.sub(r"(\d)_(\d+)$", r"\1.\2", name)


_models = _builders()


def get_model(name, **kwargs):
    """A network of the zoo by its name.

    Parameters
    ----------
    name : str
        Name of the network, in any case: 'resnet50_v1', 'mobilenet0.25', 'inceptionv3', ...
    pretrained : bool
        Whether to load weights that were trained on ImageNet, from a local file where there is one.
    classes : int
        Number of outputs, 1000 by default.
    ctx : Context
        Where to put the weights, when `pretrained`.
    root : str
        Folder of their files, see `model_store.get_model_file`.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> net = mx.gluon.model_zoo.vision.get_model("squeezenet1.1", classes=10)
    """
    builder = _models.get(name.lower())
    if builder is None:
        known = "\n\t".join(sorted(_models))
        raise ValueError(f"get_model: there is no model '{name}'; there are\n\t{known}")
    return builder(**kwargs)

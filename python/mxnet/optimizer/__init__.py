"""Optimizers: rules that change weights by their gradients."""
from . import contrib as contrib
from . import optimizer as optimizer
from .optimizer import *  # noqa: F403
from .optimizer import __all__ as __all__

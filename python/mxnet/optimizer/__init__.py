"""Optimizers: rules that change weights by their gradients."""
from . import optimizer
from .optimizer import *
from .optimizer import __all__  # noqa: F401

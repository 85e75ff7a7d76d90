"""Networks that are known from the literature."""
from . import model_store, vision

__all__ = ["model_store", "vision"]

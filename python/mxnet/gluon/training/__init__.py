"""Training in one call: `Block.fit`, `Block.evaluate`, `Block.validate` and `Block.predict`."""
from .history import History, Scores
from .run import evaluate, fit, predict, prepare, validate

__all__ = ["History", "Scores", "evaluate", "fit", "predict", "prepare", "validate"]

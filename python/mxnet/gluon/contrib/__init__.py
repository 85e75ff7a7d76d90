"""Experimental parts of Gluon."""
from . import estimator, nn, rnn

__all__ = ["estimator", "nn", "rnn"]

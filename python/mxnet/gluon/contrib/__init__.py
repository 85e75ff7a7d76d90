"""Experimental parts of Gluon."""
from . import cnn, estimator, nn, rnn

__all__ = ["cnn", "estimator", "nn", "rnn"]

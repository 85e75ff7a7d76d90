"""All optimizers in one place."""
from .adaptive import FTML, LAMB, AdaDelta, AdaGrad, Adam, Adamax, AdamW, Ftrl, Lion, Nadam, RMSProp
from .base import Optimizer, Test, Updater, create, get_updater, register
from .large_batch import LBSGD
from .sgd import DCASGD, LARS, NAG, SGD, SGLD, Signum, ccSGD

__all__ = ["DCASGD", "FTML", "LAMB", "LARS", "LBSGD", "NAG", "SGD", "SGLD", "AdaDelta", "AdaGrad", "Adam", "AdamW",
           "Adamax", "Ftrl", "Lion", "Nadam", "Optimizer", "RMSProp", "Signum", "Test", "Updater", "ccSGD", "create",
           "get_updater", "register"]

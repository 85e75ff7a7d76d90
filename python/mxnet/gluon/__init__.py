"""Gluon: networks as Python classes."""
from .. import optimizer
from .._later import later
from . import block, data, loss, nn, parameter, rnn, trainer, utils
from .block import Block, HybridBlock, SymbolBlock
from .parameter import Constant, DeferredInitializationError, Parameter, ParameterDict, tensor_types
from .train_step import TrainStep
from .trainer import Trainer

__all__ = ["Block", "Constant", "DeferredInitializationError", "HybridBlock", "Parameter", "ParameterDict",
           "SymbolBlock", "TrainStep", "Trainer", "block", "contrib", "data", "loss", "model_zoo", "nn", "optimizer",
           "parameter", "rnn", "tensor_types", "trainer", "utils"]

__getattr__ = later(__name__, contrib="contrib", model_zoo="model_zoo")

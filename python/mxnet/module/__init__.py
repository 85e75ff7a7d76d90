"""Modules: symbols bound to devices, with their parameters and optimizer; the training interface of MXNet before Gluon.

>>> data = mx.sym.var("data")
>>> net = mx.sym.SoftmaxOutput(mx.sym.FullyConnected(data, num_hidden=2), name="softmax")
>>> module = mx.mod.Module(net)
>>> module.fit(mx.io.NDArrayIter(x, y, batch_size=32), num_epoch=3)
"""
from . import base_module, bucketing_module, executor_group, module, python_module, sequential_module
from .base_module import BaseModule
from .bucketing_module import BucketingModule
from .module import Module
from .python_module import PythonLossModule, PythonModule
from .sequential_module import SequentialModule

__all__ = ["BaseModule", "BucketingModule", "Module", "PythonLossModule", "PythonModule", "SequentialModule",
           "base_module", "bucketing_module", "executor_group", "module", "python_module", "sequential_module"]

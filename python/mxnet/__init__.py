"""MXNet: arrays, automatic differentiation and neural networks.

    >>> import mxnet as mx
    >>> x = mx.nd.array([1.0, 2.0, 3.0])
    >>> x.attach_grad()
    >>> with mx.autograd.record():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad.asnumpy()
    array([2., 4., 6.], dtype=float32)
"""
# The core asks these for Python classes, so they come first.
from . import base, context, error, util  # isort: skip
from . import ndarray  # isort: skip
from . import ndarray as nd  # isort: skip
from . import symbol  # isort: skip
from . import symbol as sym  # isort: skip
from . import (
    attribute,
    autograd,
    callback,
    engine,
    executor,
    gluon,
    initializer,
    io,
    kvstore,
    libinfo,
    lr_scheduler,
    metric,
    monitor,
    name,
    operator,
    optimizer,
    random,
    registry,
    rtc,
    runtime,
)
from . import initializer as init
from . import kvstore as kv
from . import monitor as mon
from . import random as rnd
from ._later import later
from .attribute import AttrScope
from .base import MXNetError
from .context import Context, cpu, cpu_pinned, current_context, gpu
from .ndarray import NDArray
from .symbol import Symbol
from .util import (
    is_np_array,
    is_np_shape,
    np_array,
    np_shape,
    set_np_shape,
    use_np,
    use_np_array,
    use_np_shape,
)

__version__ = "1.9.2"

__all__ = ["AttrScope", "Context", "MXNetError", "NDArray", "Symbol", "attribute", "autograd", "base", "callback",
           "context", "cpu", "cpu_pinned", "current_context", "engine", "error", "executor", "gluon", "gpu", "image",
           "img", "init", "initializer", "io", "is_np_array", "is_np_shape", "kv", "kvstore", "libinfo", "log",
           "lr_scheduler", "metric", "mon", "monitor", "name", "nd", "ndarray", "np_array", "np_shape", "operator",
           "optimizer", "random", "recordio", "registry", "rnd", "rtc", "runtime", "set_np_shape", "sym", "symbol",
           "use_np", "use_np_array", "use_np_shape", "util"]


__getattr__ = later(
    __name__, contrib="contrib", executor_manager="executor_manager", image="image", img="image", log="log",
    mod="module", model="model", module="module", profiler="profiler", recordio="recordio", rnn="rnn",
    test_utils="test_utils", vision="vision", visualization="visualization", viz="visualization")

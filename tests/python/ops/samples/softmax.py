"""Softmax and the output layers."""
import numpy as np
from scipy import special

from . import arr, sample


def _softmax(axis=-1, temperature=1.0):
    return lambda x: special.softmax(x / temperature, axis)


def _log_softmax(axis=-1, temperature=1.0):
    return lambda x: special.log_softmax(x / temperature, axis)


def _masked(axis):
    def ref(x, length):
        index = np.arange(x.shape[axis]).reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
        keep = index < np.expand_dims(length, axis)
        e = np.exp(x - x.max(axis, keepdims=True)) * keep
        total = e.sum(axis, keepdims=True)
        return e / np.where(total == 0, 1, total)
    return ref


def _lengths(*shape, high):
    return arr(*shape, low=0, high=high, dtype="int32")


def _classes(*shape, high):
    return arr(*shape, low=0, high=high, dtype="int32").astype("float32")


def _outputs(shape, label, **params):
    return sample("SoftmaxOutput", [arr(*shape), label], params, grad=False)


SAMPLES = [
    sample("softmax", [arr(3, 5)], ref=_softmax()),
    sample("softmax", [arr(7, 130, low=-30, high=30)], ref=_softmax()),
    sample("softmax", [arr(2, 5, 3, 4)], {"axis": 1}, ref=_softmax(1)),
    sample("softmax", [arr(3, 6, 70)], {"axis": -2, "temperature": 3.0}, ref=_softmax(1, 3.0)),
    sample("softmax", [arr(4, 6)], {"axis": 0}, ref=_softmax(0)),
    sample("softmax", [arr(5)], {"temperature": 0.5}, ref=_softmax(-1, 0.5)),
    sample("softmax", [arr(3, 5)], {"dtype": "float64"}, ref=_softmax()),
    sample("softmax", [arr(3, 5)], {"dtype": "float16"}, ref=_softmax(), tol=2e-3, grad=False, dtypes=("float64",)),
    sample("softmax", [arr(3, 5, dtype="int32", low=-3, high=3)], {"dtype": "float32"}, ref=_softmax()),
    sample("softmax", [arr(2, 3, 5), _lengths(2, 3, high=6)], {"axis": 2, "use_length": True}, ref=_masked(2)),
    sample("softmax", [arr(2, 5, 4), _lengths(2, 4, high=6)], {"axis": 1, "use_length": True}, ref=_masked(1)),
    sample("softmax", [arr(0, 3)], ref=lambda x: x),
    sample("log_softmax", [arr(3, 5)], ref=_log_softmax()),
    sample("log_softmax", [arr(7, 130, low=-30, high=30)], ref=_log_softmax()),
    sample("log_softmax", [arr(2, 5, 3, 4)], {"axis": 1, "temperature": 2.0}, ref=_log_softmax(1, 2.0)),
    sample("log_softmax", [arr(3, 5)], {"dtype": "float64"}, ref=_log_softmax()),
    sample("softmin", [arr(3, 5)], ref=_softmax(-1, -1.0)),
    sample("softmin", [arr(3, 5, 2)], {"axis": 1, "temperature": 2.0}, ref=_softmax(1, -2.0)),
    sample("SoftmaxActivation", [arr(3, 5)], ref=_softmax()),
    sample("SoftmaxActivation", [arr(3, 5, 2)], ref=_softmax()),
    sample("SoftmaxActivation", [arr(3, 5, 2)], {"mode": "channel"}, ref=_softmax(1)),
    _outputs((4, 3), _classes(4, high=3)),
    _outputs((4, 3), _classes(4, high=3), grad_scale=2.0, normalization="batch"),
    _outputs((4, 3), _classes(4, high=3), use_ignore=True, ignore_label=1, normalization="valid", smooth_alpha=0.1),
    _outputs((4, 3), arr(4, 3, low=0)),
    _outputs((2, 3, 4), _classes(2, 4, high=3), multi_output=True),
    _outputs((2, 3, 4), _classes(2, 4, high=3), multi_output=True, normalization="valid", use_ignore=True,
             ignore_label=1),
    _outputs((2, 3, 4), _classes(2, 3, high=4), preserve_shape=True, normalization="batch"),
    _outputs((2, 3, 4), _classes(2, 3, high=4)),
    sample("softmax_cross_entropy", [arr(4, 3), _classes(4, high=3)], grad=(0,),
           ref=lambda x, y: np.array([-special.log_softmax(x, 1)[np.arange(4), y.astype(int)].sum()])),
    *[sample(op, [arr(4, 3), arr(4, 3)], {"grad_scale": scale}, grad=False)
      for op in ("LinearRegressionOutput", "LogisticRegressionOutput", "MAERegressionOutput") for scale in (1.0, 2.5)],
    sample("LinearRegressionOutput", [arr(4, 1), arr(4)], grad=False),
]

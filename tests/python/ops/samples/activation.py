"""Activation functions."""
import numpy as np
from scipy import special

from . import arr, sample


def _act(kind, ref):
    return [sample("Activation", [arr(3, 50, low=-4, high=4)], {"act_type": kind}, ref=ref),
            sample("Activation", [arr(2, 3, 4, low=-60, high=60)], {"act_type": kind}, ref=ref, grad=False)]


def _leaky(kind, ref, *inputs, grad=True, **params):
    return sample("LeakyReLU", list(inputs) or [arr(3, 40, low=-3, high=3)], {"act_type": kind, **params}, ref=ref,
                  grad=grad)


def _prelu(x, gamma):
    return np.where(x > 0, x, x * gamma.reshape(-1, *[1] * max(0, x.ndim - 2)))


def _selu(x):
    return 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0)))


SAMPLES = [
    *_act("relu", lambda x: np.maximum(x, 0)),
    *_act("sigmoid", special.expit),
    *_act("tanh", np.tanh),
    *_act("softrelu", lambda x: np.logaddexp(0, x)),
    *_act("softsign", lambda x: x / (1 + np.abs(x))),
    sample("Activation", [np.float32(0.5)], {"act_type": "tanh"}, ref=np.tanh),
    sample("Activation", [arr(0, 3)], {"act_type": "tanh"}, ref=np.tanh),
    _leaky("leaky", lambda x: np.where(x > 0, x, 0.25 * x)),
    _leaky("leaky", lambda x: np.where(x > 0, x, 0.1 * x), slope=0.1),
    _leaky("elu", lambda x: np.where(x > 0, x, 0.5 * np.expm1(np.minimum(x, 0))), slope=0.5),
    _leaky("elu", lambda x: np.where(x > 0, x, 0.25 * np.expm1(np.minimum(x, 0))), arr(40, low=-99, high=99)),
    _leaky("selu", _selu),
    _leaky("gelu", lambda x: 0.5 * x * (1 + special.erf(x / np.sqrt(2)))),
    _leaky("prelu", _prelu, arr(2, 3, 4), arr(3)),
    _leaky("prelu", _prelu, arr(2, 3, 4, 5), arr(1)),
    _leaky("prelu", _prelu, arr(5, 7), arr(7)),
    _leaky("prelu", _prelu, arr(7), arr(7)),
    _leaky("rrelu", None, arr(3, 40), grad=False),
]

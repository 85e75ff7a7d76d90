"""Elementwise operators run as one."""
import numpy as np

from . import arr, sample


def _fused(inputs, program, ref, **kwargs):
    return sample("_fused_pointwise", inputs, {"program": program}, ref=ref, **kwargs)


SAMPLES = [
    _fused([arr(2, 3), arr(2, 3)], "elemwise_mul(x0, x1); tanh(t0); _plus_scalar(t1, scalar=0.5) -> t2",
           lambda x, y: np.tanh(x * y) + 0.5),
    _fused([arr(2, 3, 4), arr(4), arr(3, 1), arr(1)],
           "broadcast_add(x0, x1); broadcast_mul(t0, x2); broadcast_sub(t1, x3); square(t2) -> t1, t3",
           lambda x, row, column, one: [(x + row) * column, ((x + row) * column - one) ** 2]),
    _fused([arr(40, 70)], "exp(x0); _rdiv_scalar(t0, scalar=1.0); elemwise_mul(t1, x0) -> t0, t2",
           lambda x: [np.exp(x), x / np.exp(x)]),
    _fused([arr(3, 3), arr(3, 3), arr(3, 3)],
           "_greater_scalar(x0, scalar=0.0); where(t0, x1, x2); add_n(t1, x1, x2) -> t2",
           lambda c, x, y: np.where(c > 0, x, y) + x + y, grad=(1, 2), grad2=False),
    _fused([arr(5, 4)], "LeakyReLU(x0, act_type=gelu); Activation(t0, act_type=sigmoid) -> t1", None, golden=False),
    _fused([np.array([[1, 2], [-3, 4]], "int32"), np.array([2, 5], "int32")],
           "broadcast_mod(x0, x1); Cast(t0, dtype=float32); _div_scalar(t1, scalar=4.0) -> t0, t2",
           lambda x, y: [np.mod(x, y), np.mod(x, y) / 4], grad=False),
]

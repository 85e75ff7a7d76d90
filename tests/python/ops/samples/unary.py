"""Unary elementwise operators, and those that hand their input on."""
import numpy as np
import scipy.special as special

from . import arr, sample


def _round(x):
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


_ANY = [arr(3, 4, low=-3, high=3)]
_POSITIVE = [arr(2, 3, 4, low=0.2, high=4)]
_UNIT = [arr(5, low=-0.9, high=0.9)]
# Away from the steps, where the functions have a derivative.
_BETWEEN = [np.array([-2.7, -1.2, -0.3, 0.4, 1.3, 2.8], "float32")]
_SPECIAL = [np.array([0, 1, -1, np.inf, -np.inf, np.nan, 1e-12, -1e12], "float32")]

_REFERENCES = {
    "relu": (_BETWEEN, lambda x: np.maximum(x, 0)),
    "sigmoid": (_ANY, special.expit),
    "softsign": (_ANY, lambda x: x / (1 + np.abs(x))),
    "tanh": (_ANY, np.tanh),
    "exp": (_ANY, np.exp),
    "expm1": (_ANY, np.expm1),
    "log": (_POSITIVE, np.log),
    "log2": (_POSITIVE, np.log2),
    "log10": (_POSITIVE, np.log10),
    "log1p": ([arr(2, 6, low=-0.8, high=4)], np.log1p),
    "sqrt": (_POSITIVE, np.sqrt),
    "rsqrt": (_POSITIVE, lambda x: 1 / np.sqrt(x)),
    "cbrt": (_BETWEEN, np.cbrt),
    "rcbrt": (_BETWEEN, lambda x: 1 / np.cbrt(x)),
    "square": (_ANY, np.square),
    "reciprocal": (_BETWEEN, lambda x: 1 / x),
    "negative": (_ANY, np.negative),
    "abs": (_BETWEEN, np.abs),
    "sign": (_BETWEEN, np.sign),
    "logical_not": (_BETWEEN, lambda x: (x == 0) * 1.0),
    "round": (_BETWEEN, _round),
    "rint": (_BETWEEN, np.rint),
    "ceil": (_BETWEEN, np.ceil),
    "floor": (_BETWEEN, np.floor),
    "trunc": (_BETWEEN, np.trunc),
    "fix": (_BETWEEN, np.trunc),
    "sin": (_ANY, np.sin),
    "cos": (_ANY, np.cos),
    "tan": (_UNIT, np.tan),
    "arcsin": (_UNIT, np.arcsin),
    "arccos": (_UNIT, np.arccos),
    "arctan": (_ANY, np.arctan),
    "sinh": (_ANY, np.sinh),
    "cosh": (_ANY, np.cosh),
    "arcsinh": (_ANY, np.arcsinh),
    "arccosh": ([arr(3, 2, low=1.2, high=4)], np.arccosh),
    "arctanh": (_UNIT, np.arctanh),
    "degrees": (_ANY, np.degrees),
    "radians": (_ANY, np.radians),
    "gamma": (_POSITIVE, special.gamma),
    "gammaln": (_POSITIVE, special.gammaln),
    "erf": (_ANY, special.erf),
    "erfinv": (_UNIT, special.erfinv),
}

SAMPLES = [sample(op, inputs, ref=ref) for op, (inputs, ref) in _REFERENCES.items()]

# Infinities, NaN, zeros and large numbers go the way they go in C.
SAMPLES += [
    sample(op, _SPECIAL, ref=ref, grad=False, dtypes=("float64",))
    for op, (_, ref) in _REFERENCES.items()
    # At these points 1.9.1 or NumPy has another opinion.
    if op not in ("gamma", "gammaln", "sign", "softsign", "sin", "cos", "tan")
]

SAMPLES += [
    sample("round", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], "float32")], ref=_round, grad=False),
    sample("rint", [np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], "float32")], golden=[[-3, -2, -1, 0, 1, 2]],
           grad=False),
    sample("sign", [np.array([-2, 0, 3], "int32")], golden=[np.array([-1, 0, 1], "int32")]),
    sample("exp", [np.array([0, 1, 2, 20], "int32")], golden=[np.array([1, 2, 7, 485165195], "int32")]),
    sample("sqrt", [np.array([0, 1, 17, 100], "uint8")], golden=[np.array([0, 1, 4, 10], "uint8")]),
    sample("square", [np.array([3, -40000, 1000000001], "int64")], golden=False, ref=lambda x: x * x),
    sample("abs", [np.array([-3, 3], "int8")], ref=np.abs),
    sample("gammaln", [np.array([-2.5, -0.5, 0.1, 30], "float32")], ref=special.gammaln),
    sample("gamma", [np.array([-2.5, -0.5, 0.1, 5], "float32")], ref=special.gamma),
    # Beyond the reach of the float formulas.
    sample("sin", [np.array([1e4, -3e6, 1e20], "float32")], ref=np.sin, grad=False, dtypes=("float64",)),
    sample("cos", [np.array([1e4, -3e6, 1e20], "float32")], ref=np.cos, grad=False, dtypes=("float64",)),
    sample("tanh", [arr(0)], ref=np.tanh, grad=False),
    sample("sigmoid", [arr(3000, low=-20, high=20)], ref=special.expit, grad=False),
]

SAMPLES += [
    sample("_polygamma", _POSITIVE, {"n": n}, ref=lambda x, n=n: special.polygamma(n, x), dtypes=("float64",))
    for n in range(3)
]

SAMPLES += [
    sample("_copy", [arr(2, 3)], ref=lambda x: x),
    sample("_copyto", [arr(2, 3)], ref=lambda x: x),
    sample("BlockGrad", [arr(2, 3)], ref=lambda x: x, grad=False),
    sample("make_loss", [arr(2, 3)], ref=lambda x: x, grad=False),
    sample("_identity_with_attr_like_rhs", [arr(2, 3), arr(2, 3)], ref=lambda x, y: x),
    sample("_contrib_round_ste", _BETWEEN, ref=_round, grad=False),
    sample("_contrib_sign_ste", _BETWEEN, ref=np.sign, grad=False),
    sample("Cast", [arr(2, 3)], {"dtype": "float64"}, ref=lambda x: x),
    sample("Cast", [arr(7, low=-3, high=3)], {"dtype": "int32"}, ref=lambda x: x.astype("int32"), grad=False),
    sample("Cast", [np.array([-1.5, 300, 44, 255.9], "float32")], {"dtype": "uint8"},
           golden=[np.array([255, 44, 44, 255], "uint8")], grad=False, dtypes=()),
    sample("Cast", [np.array([0, 0.3, -2, np.nan], "float32")], {"dtype": "bool"},
           golden=[np.array([0, 1, 1, 1], "bool")], grad=False),
    sample("Cast", [np.array([True, False])], {"dtype": "float32"}, golden=[np.array([1, 0], "float32")]),
    sample("Cast", [np.array([2 ** 40, -5], "int64")], {"dtype": "float64"}, ref=lambda x: x.astype("float64")),
    sample("amp_cast", [arr(2, 3)], {"dtype": "float64"}, ref=lambda x: x),
    sample("amp_cast", [arr(2, 3, low=0, high=9, dtype="int32")], {"dtype": "float16"}, ref=lambda x: x),
    sample("amp_multicast", [arr(2, 3), arr(4, dtype="float64")], {"num_outputs": 2}, ref=lambda x, y: [x, y]),
    sample("amp_multicast", [arr(2, 3), arr(4, dtype="float16")], {"num_outputs": 2, "cast_narrow": True},
           ref=lambda x, y: [x, y], tol=(1e-3, 1e-3), grad=False),
    sample("zeros_like", [arr(2, 3)], ref=np.zeros_like),
    sample("ones_like", [arr(2, 3)], ref=np.ones_like),
    sample("shape_array", [arr(2, 3, 1)], golden=[np.array([2, 3, 1], "int64")]),
    sample("size_array", [arr(2, 3, 1)], golden=[np.array([6], "int64")]),
]

"""Random operators: their samples check shape, type, range and the seed, and the densities against SciPy."""
import numpy as np
import scipy.special as special
import scipy.stats as stats

from . import arr, sample

_NAMES = {
    "uniform": {"low": -1, "high": 2},
    "normal": {"loc": 1, "scale": 2},
    "gamma": {"alpha": 2.5, "beta": 0.5},
    "exponential": {"lam": 3},
    "poisson": {"lam": 4},
    "negative_binomial": {"k": 3, "p": 0.4},
    "generalized_negative_binomial": {"mu": 2, "alpha": 0.3},
}
_PARAMETERS = {
    "uniform": [np.array([0, -1], "float32"), np.array([1, 3], "float32")],
    "normal": [np.array([0, -1], "float32"), np.array([1, 3], "float32")],
    "gamma": [np.array([0.5, 3], "float32"), np.array([1, 3], "float32")],
    "exponential": [np.array([0.5, 3], "float32")],
    "poisson": [np.array([0.5, 30], "float32")],
    "negative_binomial": [np.array([2, 3], "float32"), np.array([0.4, 0.9], "float32")],
    "generalized_negative_binomial": [np.array([2, 3], "float32"), np.array([0.4, 0.9], "float32")],
}

SAMPLES = []
for _name, _params in _NAMES.items():
    SAMPLES += [
        sample(f"_random_{_name}", [], {**_params, "shape": (3, 70)}),
        sample(f"_random_{_name}", [], {**_params, "shape": (5,), "dtype": "float64"}),
        sample(f"_random_{_name}", [], {**_params, "shape": (5,), "dtype": "float16"}),
        sample(f"_random_{_name}_like", [arr(2, 3)], _params, dtypes=()),
        sample(f"_sample_{_name}", _PARAMETERS[_name], {"shape": (4,)}, dtypes=()),
    ]

SAMPLES += [
    sample("_random_randint", [], {"low": -3, "high": 9, "shape": (4, 5)}),
    sample("_random_randint", [], {"low": 0, "high": 2 ** 40, "shape": (4,), "dtype": "int64"}),
    sample("_sample_multinomial", [np.array([[0, 1, 0], [0, 0, 1]], "float32")], {"shape": (4,)},
           ref=lambda p: np.array([[1] * 4, [2] * 4], "int32"), grad=False),
    sample("_sample_multinomial", [np.array([0.2, 0.8], "float32")], {"shape": (4, 2), "get_prob": True}, grad=False,
           dtypes=()),
    sample("_shuffle", [arr(9, 2)], dtypes=()),
    sample("_sample_unique_zipfian", [], {"range_max": 40, "shape": (2, 20)}),
    sample("Dropout", [arr(4, 5)], {"p": 0.5}, ref=lambda x: x),
    sample("Dropout", [arr(4, 5)], {"p": 0.0, "mode": "always"}, ref=lambda x: x),
    sample("Dropout", [arr(40, 50)], {"p": 0.3, "mode": "always"}, grad=False, dtypes=("float64",)),
    sample("Dropout", [arr(4, 5)], {"p": 0.5, "mode": "always", "axes": (1,)}, grad=False, dtypes=("float64",)),
    sample("_dropout_apply", [arr(2, 2), np.array([[0, 1], [2, 1]], "uint8")], {"p": 0.5},
           ref=lambda x, m: x * np.array([[0, 2], [1, 2]])),
    sample("_dropout_apply", [arr(2, 3), np.array([[0], [1]], "uint8")], {"p": 0.75},
           ref=lambda x, m: x * np.array([[0], [4]])),
]


def _logs(density):
    """The density and its logarithm."""
    return {False: density, True: lambda *x: np.log(density(*x))}


_POINTS = arr(2, 5, low=0.3, high=2)
_COUNTS = np.array([[0, 1, 2, 5, 3], [4, 1, 0, 2, 7]], "float32")
_A, _B = arr(2, low=1.2, high=3), arr(2, low=0.5, high=0.9, seed=3)
_DENSITIES = {
    "uniform": ([_POINTS, _B - 0.5, _A + 2], lambda x, a, b: np.broadcast_to(1 / (b - a)[:, None], x.shape)),
    "normal": ([_POINTS, _A, _B], lambda x, a, b: stats.norm.pdf(x, a[:, None], b[:, None])),
    "gamma": ([_POINTS, _A, _B], lambda x, a, b: stats.gamma.pdf(x, a[:, None], scale=1 / b[:, None])),
    "exponential": ([_POINTS, _A], lambda x, a: stats.expon.pdf(x, scale=1 / a[:, None])),
    "poisson": ([_COUNTS, _A], lambda x, a: stats.poisson.pmf(x, a[:, None])),
    "negative_binomial": ([_COUNTS, _A, _B], lambda x, a, b: stats.nbinom.pmf(x, a[:, None], b[:, None])),
    "generalized_negative_binomial": (
        [_COUNTS, _A, _B],
        lambda x, a, b: stats.nbinom.pmf(x, 1 / b[:, None], 1 / (a * b + 1)[:, None])),
}
for _name, (_inputs, _density) in _DENSITIES.items():
    # Between the integers the mass functions mean nothing, but their formulas are smooth.
    SAMPLES += [sample(f"_random_pdf_{_name}", _inputs, {"is_log": is_log}, ref=ref, tol=(1e-3, 1e-4),
                       dtypes=("float64",)) for is_log, ref in _logs(_density).items()]


def _dirichlet(x, alpha):
    alpha = alpha[:, None, :]
    normaliser = special.gamma(alpha.sum(-1)) / np.prod(special.gamma(alpha), -1)
    return normaliser * np.prod(x ** (alpha - 1), -1)


_SIMPLEX = np.array([[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]], "float32")
SAMPLES += [sample("_random_pdf_dirichlet", [_SIMPLEX, np.array([[3, 2, 1.5]], "float32")], {"is_log": is_log}, ref=ref,
                   tol=(1e-3, 1e-4), dtypes=("float64",)) for is_log, ref in _logs(_dirichlet).items()]

"""Binary elementwise operators: broadcasting, of one shape, and with a scalar."""
import numpy as np

from . import arr, sample


def _mod(a, b):
    return np.where(b == 0, 0, np.mod(a, np.where(b == 0, 1, b)))


def _as_float(function):
    return lambda a, b: function(a, b) * 1.0


_FUNCTIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "mod": _mod,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "hypot": np.hypot,
    "equal": _as_float(np.equal),
    "not_equal": _as_float(np.not_equal),
    "greater": _as_float(np.greater),
    "greater_equal": _as_float(np.greater_equal),
    "lesser": _as_float(np.less),
    "lesser_equal": _as_float(np.less_equal),
    "logical_and": _as_float(np.logical_and),
    "logical_or": _as_float(np.logical_or),
    "logical_xor": _as_float(np.logical_xor),
}
_SAME = {"add": "elemwise_add", "sub": "elemwise_sub", "mul": "elemwise_mul", "div": "elemwise_div"}
_SCALAR = {"add": "_plus_scalar", "sub": "_minus_scalar"}
_REVERSED = {"_rminus_scalar": "sub", "_rdiv_scalar": "div", "_rmod_scalar": "mod", "_rpower_scalar": "power"}

# Shapes that take each way through the loops: rows long and short, one side a scalar, ones in the middle.
_SHAPES = [((3, 4), (3, 4)), ((2, 3, 4), (4,)), ((3, 1), (1, 5)), ((2, 1, 3), (2, 4, 3)), ((), (2, 3)),
           ((1,), (1, 1)), ((2, 3, 100), (3, 1)), ((2, 70), (1,))]


def _positive(shape):
    return arr(*shape, low=0.5, high=3)


SAMPLES = []
for _name, _function in _FUNCTIONS.items():
    SAMPLES += [sample(f"broadcast_{_name}", [_positive(a), _positive(b)], ref=_function,
                       tol=(1e-4, 1e-4)) for a, b in (_SHAPES if _name in ("add", "mul") else _SHAPES[:4])]
    SAMPLES.append(sample(_SAME.get(_name, f"_{_name}"), [_positive((2, 5)), _positive((2, 5))], ref=_function,
                          tol=(1e-4, 1e-4)))
    SAMPLES.append(sample(_SCALAR.get(_name, f"_{_name}_scalar"), [_positive((2, 5))], {"scalar": 1.75},
                          ref=lambda x, f=_function: f(x, 1.75), tol=(1e-4, 1e-4)))
for _name, _function in _REVERSED.items():
    SAMPLES.append(sample(_name, [_positive((2, 5))], {"scalar": 1.75},
                          ref=lambda x, f=_FUNCTIONS[_function]: f(1.75, x), tol=(1e-4, 1e-4)))

SAMPLES += [sample("_power_scalar", [_positive((9,))], {"scalar": float(n)}, ref=lambda x, n=n: x ** n,
                   tol=(1e-4, 1e-4))
            for n in (0, 1, 2, 3, 4, -1, -2, 0.5, -0.5, 1.3)]

_SIGNED = [np.array([5.5, -5.5, 5.5, -5.5, 0, 3], "float32"), np.array([2, 2, -2, -2, 0, np.inf], "float32")]
_WITH_NAN = [np.array([1, np.nan, 2, np.nan], "float32"), np.array([np.nan, 1, 3, np.nan], "float32")]
_INTEGERS = [np.array([7, -7, 7, -7, 0], "int32"), np.array([2, 2, -2, -2, 5], "int32")]

SAMPLES += [
    sample("broadcast_mod", _SIGNED, golden=[np.array([1.5, 0.5, -0.5, -1.5, 0, 3])], grad=False),
    sample("broadcast_maximum", _WITH_NAN, golden=[np.array([np.nan, np.nan, 3, np.nan])], grad=False),
    sample("broadcast_minimum", _WITH_NAN, golden=[np.array([np.nan, np.nan, 2, np.nan])], grad=False),
    # Integers stay integers: quotients are truncated, remainders have the sign of the divisor.
    sample("broadcast_add", _INTEGERS, ref=np.add),
    sample("broadcast_div", _INTEGERS, golden=[np.array([3, -3, -3, 3, 0], "int32")]),
    sample("broadcast_mod", _INTEGERS, golden=[np.array([1, 1, -1, -1, 0], "int32")]),
    sample("broadcast_power", [np.array([2, -3, 5, 0], "int32"), np.array([5, 3, 0, 2], "int32")], ref=np.power),
    sample("broadcast_maximum", _INTEGERS, ref=np.maximum),
    sample("broadcast_hypot", [np.array([3, 5], "int32"), np.array([4, 12], "int32")],
           ref=lambda a, b: np.array([5, 13])),
    sample("broadcast_greater", _INTEGERS, ref=lambda a, b: (a > b).astype("int32")),
    sample("elemwise_mul", [np.array([2 ** 40, -3], "int64"), np.array([3, 2 ** 50], "int64")], ref=np.multiply),
    sample("_plus_scalar", [np.array([1, 2, 3], "int32")], {"scalar": 1.5}, golden=[np.array([2, 3, 4], "int32")]),
    sample("_div_scalar", [np.array([1, 2, 5], "int32")], {"scalar": 2.5}, golden=[np.array([0, 1, 2], "int32")]),
    sample("_rdiv_scalar", [np.array([1, 2, 5], "int32")], {"scalar": 7.5}, golden=[np.array([7, 3, 1], "int32")]),
    sample("_minus_scalar", [np.array([1, 200], "uint8")], {"scalar": 5}, golden=[np.array([252, 195], "uint8")]),
    sample("_plus_scalar", [np.array([1, 2], "int32")], {"scalar": 1.5, "is_int": False},
           golden=[np.array([2.5, 3.5])]),
    sample("_mul_scalar", [np.array([True, False])], {"scalar": 2}, golden=[np.array([2, 0], "int64")]),
    sample("_equal_scalar", [np.array([1, 2], "int8")], {"scalar": 1}, golden=[np.array([1, 0], "int8")]),
    sample("_grad_add", [arr(2, 3), arr(2, 3)], ref=np.add),
    sample("add_n", [arr(2, 3), arr(2, 3), arr(2, 3)], ref=lambda *x: sum(x)),
    sample("add_n", [arr(2000)], ref=lambda x: x),
    sample("add_n", [arr(2000, low=-9, high=9, dtype="int32")] * 4, ref=lambda *x: sum(x)),
    # Long enough for several blocks and threads.
    sample("broadcast_mul", [arr(300, 7, 40), arr(7, 1)], ref=np.multiply, grad=False),
    sample("broadcast_sub", [arr(30000, 3), arr(30000, 1)], ref=np.subtract, grad=False),
    sample("broadcast_add", [arr(3, 1, 5, 1, 2), arr(4, 1, 6, 2)], ref=np.add, grad=False),
    sample("elemwise_add", [arr(0, 3), arr(0, 3)], ref=np.add, grad=False),
]

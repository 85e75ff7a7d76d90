"""Arithmetic and comparison as functions of two arrays or numbers; arrays broadcast."""
import operator

from .. import _core
from ..base import numeric_types
from ..error import TypeError as MXTypeError
from . import _internal, op

__all__ = [
    "add",
    "divide",
    "equal",
    "greater",
    "greater_equal",
    "lesser",
    "lesser_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "modulo",
    "multiply",
    "not_equal",
    "power",
    "subtract",
    "true_divide",
]

_NDArray = _core.NDArrayBase


def _operate(name, lhs, rhs, function):
    """``function(lhs, rhs)``, a Python operator, for arrays and numbers only."""
    for x in (lhs, rhs):
        if not isinstance(x, (_NDArray, *numeric_types)):
            raise MXTypeError(f"{name}: expected arrays or numbers, got {type(x).__name__}")
    return function(lhs, rhs)


def _compare(name, lhs, rhs, function):
    result = _operate(name, lhs, rhs, function)
    return result if isinstance(result, _NDArray) else int(result)


def _choose(name, lhs, rhs, array_op, scalar_op, numbers):
    """For functions of which Python has no operator and whose order of arguments does not matter."""
    if isinstance(lhs, _NDArray) and isinstance(rhs, _NDArray):
        return array_op(lhs, rhs)
    if isinstance(lhs, _NDArray) and isinstance(rhs, numeric_types):
        return scalar_op(lhs, scalar=rhs)
    if isinstance(rhs, _NDArray) and isinstance(lhs, numeric_types):
        return scalar_op(rhs, scalar=lhs)
    return _operate(name, lhs, rhs, numbers)


def add(lhs, rhs):
    """``lhs + rhs``.

    Parameters
    ----------
    lhs, rhs : NDArray or number
        Operands; the shapes of two arrays broadcast and their element types must agree. The result has
        the element type of the array.

    Examples
    --------
    >>> mx.nd.add(mx.nd.ones((1, 2)), 2)
    <BLANKLINE>
    [[3. 3.]]
    <NDArray 1x2 @cpu(0)>
    """
    return _operate("add", lhs, rhs, operator.add)


def subtract(lhs, rhs):
    """``lhs - rhs``; operands as for `add`."""
    return _operate("subtract", lhs, rhs, operator.sub)


def multiply(lhs, rhs):
    """``lhs * rhs``; operands as for `add`."""
    return _operate("multiply", lhs, rhs, operator.mul)


def divide(lhs, rhs):
    """``lhs / rhs``; operands as for `add`. Integer arrays give integers, rounded towards zero."""
    return _operate("divide", lhs, rhs, operator.truediv)


def true_divide(lhs, rhs):
    """The same as `divide`."""
    return divide(lhs, rhs)


def modulo(lhs, rhs):
    """``lhs % rhs``, with the sign of `rhs`; operands as for `add`."""
    return _operate("modulo", lhs, rhs, operator.mod)


def power(base, exp):
    """``base ** exp``; operands as for `add`."""
    return _operate("power", base, exp, operator.pow)


def maximum(lhs, rhs):
    """The larger of both, element by element; operands as for `add`.

    Examples
    --------
    >>> mx.nd.maximum(mx.nd.array([1, 5]), 3)
    <BLANKLINE>
    [3. 5.]
    <NDArray 2 @cpu(0)>
    """
    return _choose("maximum", lhs, rhs, op.broadcast_maximum, _internal._maximum_scalar, max)


def minimum(lhs, rhs):
    """The smaller of both, element by element; operands as for `add`."""
    return _choose("minimum", lhs, rhs, op.broadcast_minimum, _internal._minimum_scalar, min)


def equal(lhs, rhs):
    """1 where the operands are equal, 0 elsewhere, in the element type of the array; as for `add`."""
    return _compare("equal", lhs, rhs, operator.eq)


def not_equal(lhs, rhs):
    """1 where the operands differ, 0 elsewhere, in the element type of the array; as for `add`."""
    return _compare("not_equal", lhs, rhs, operator.ne)


def greater(lhs, rhs):
    """1 where ``lhs > rhs``, 0 elsewhere, in the element type of the array; operands as for `add`."""
    return _compare("greater", lhs, rhs, operator.gt)


def greater_equal(lhs, rhs):
    """1 where ``lhs >= rhs``, 0 elsewhere, in the element type of the array; operands as for `add`."""
    return _compare("greater_equal", lhs, rhs, operator.ge)


def lesser(lhs, rhs):
    """1 where ``lhs < rhs``, 0 elsewhere, in the element type of the array; operands as for `add`."""
    return _compare("lesser", lhs, rhs, operator.lt)


def lesser_equal(lhs, rhs):
    """1 where ``lhs <= rhs``, 0 elsewhere, in the element type of the array; operands as for `add`."""
    return _compare("lesser_equal", lhs, rhs, operator.le)


def logical_and(lhs, rhs):
    """1 where both operands are not 0, 0 elsewhere, in the element type of the array; as for `add`."""
    return _choose("logical_and", lhs, rhs, op.broadcast_logical_and, _internal._logical_and_scalar,
                   lambda a, b: int(bool(a) and bool(b)))


def logical_or(lhs, rhs):
    """1 where an operand is not 0, 0 elsewhere, in the element type of the array; as for `add`."""
    return _choose("logical_or", lhs, rhs, op.broadcast_logical_or, _internal._logical_or_scalar,
                   lambda a, b: int(bool(a) or bool(b)))


def logical_xor(lhs, rhs):
    """1 where exactly one operand is not 0, 0 elsewhere, in the element type of the array; as for `add`."""
    return _choose("logical_xor", lhs, rhs, op.broadcast_logical_xor, _internal._logical_xor_scalar,
                   lambda a, b: int(bool(a) != bool(b)))

"""Sample calls of operators, from which test_registry.py makes its tests.

Each module here lists calls of one family::

    from . import arr, sample

    SAMPLES = [
        sample("softmax", [arr(2, 3)], {"axis": -1}, ref=scipy.special.softmax),
        sample("take", [arr(4, 2), np.array([0, 3, 1], "int32")]),
    ]

The modules import NumPy (and SciPy) only, so that tests/golden/record_operators.py can run the same calls
in MXNet 1.9.1 and record its results.
"""
import dataclasses
import hashlib
import importlib
import itertools
import pkgutil
import typing

import numpy as np

_drawn = itertools.count()


@dataclasses.dataclass
class Sample:
    """One call of an operator and what to check of it; see `sample`."""

    op: str
    inputs: list
    params: dict
    ref: typing.Any
    golden: typing.Any
    grad: typing.Any
    grad2: bool
    tol: typing.Any
    dtypes: typing.Any
    symmetric: tuple = ()
    family: str = ""  # the module it is from

    @property
    def key(self):
        """Names the call in tests/golden/operators; changes whenever inputs or parameters do."""
        digest = hashlib.sha1(repr((self.op, sorted(self.params.items()))).encode())
        for x in self.inputs:
            digest.update(b"None" if x is None else repr((x.shape, str(x.dtype))).encode() + x.tobytes())
        return f"{self.op}-{digest.hexdigest()[:12]}"


def sample(op, inputs, params=None, ref=None, golden=None, grad=True, grad2=True, tol=None, dtypes=None,
           symmetric=()):
    """One call of an operator.

    Parameters
    ----------
    op : str
        The operator's own name, not an alias.
    inputs : list of numpy.ndarray or None
        The arrays, None for an optional one that is left out. Numbers and lists become float32 arrays.
    params : dict
        The other arguments.
    ref : function, optional
        Of the inputs (floating ones as float64), giving the expected output or a list of outputs; None in the
        list leaves an output unchecked.
    golden : array or list of arrays, optional
        Expected outputs as numbers. What MXNet 1.9.1 gives is checked besides, where it was recorded; False says
        that this call is meant to differ from it.
    grad : bool or tuple of int
        Whether to check the gradient by finite differences (False: the operator's gradient is not the derivative
        of its output, as of losses, or the function is not smooth at these inputs); or for which inputs.
    grad2 : bool
        Whether to check the second gradient.
    tol : float or (rtol, atol), optional
        Tolerance against the reference in float32; default (1e-4, 1e-5).
    dtypes : tuple of str, optional
        Element types besides the given ones that the call must accept and agree in; default
        ('float64', 'float16', 'bfloat16') where an input is float32. Without 'float64', finite
        differences are taken in float32.
    symmetric : tuple of int, optional
        Inputs whose gradient holds for symmetric changes of the matrices only.
    """
    global _drawn
    _drawn = itertools.count()
    inputs = [x if x is None or isinstance(x, np.ndarray) else np.array(x, getattr(x, "dtype", "float32"))
              for x in inputs]
    return Sample(op, inputs, dict(params or {}), ref, golden, grad, grad2, tol, dtypes, symmetric)


def arr(*shape, low=-1, high=1, seed=0, dtype="float32"):
    """Random numbers in ``[low, high)``, the same in every run; each `arr` of a sample gives others."""
    generator = np.random.RandomState([seed, next(_drawn)])
    if np.dtype(dtype) == bool:
        return generator.uniform(size=shape) < 0.5
    if np.issubdtype(np.dtype(dtype), np.integer):
        return np.asarray(generator.randint(low, high, size=shape)).astype(dtype)
    return np.asarray(generator.uniform(low, high, size=shape)).astype(dtype)


def load_samples():
    """The samples of all modules here, in a fixed order."""
    found = []
    for family in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        for s in importlib.import_module(f"{__name__}.{family}").SAMPLES:
            s.family = family
            found.append(s)
    return found

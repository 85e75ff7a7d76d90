"""Running a sample, and derivatives by finite differences."""
import functools
import pathlib

import numpy as np

import mxnet as mx
from mxnet import _core

GOLDEN = pathlib.Path(__file__).parents[2] / "golden"
FLOATING = ("float16", "float32", "float64", "bfloat16")


@functools.cache
def functions():
    """Every operator of the registry by name, aliases included."""
    return _core.op_functions("nd")


@functools.cache
def registry():
    """What ``op_info()`` says of each operator, by its own name."""
    infos = [function.op_info() for function in functions().values()]
    return {info["name"]: info for info in infos}


def to_array(x, dtype=None):
    """A NumPy array as an NDArray of its own or another type; None stays None."""
    if x is None:
        return None
    if dtype == "bfloat16":
        return mx.nd.array(np.asarray(x, "float32"), dtype="float32").astype("bfloat16")
    return mx.nd.array(x, dtype=dtype or x.dtype)


def to_numpy(array):
    """Contents of an NDArray; bfloat16 as float32."""
    return (array.astype("float32") if array._dtype_name == "bfloat16" else array).asnumpy()


def as_list(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def arrays_of(sample, dtype=None):
    """The inputs of a sample; with `dtype`, floating ones in that type."""
    return [to_array(x, dtype if x is not None and x.dtype.kind == "f" else None) for x in sample.inputs]


def run(sample, arrays, **keywords):
    """The outputs of a sample's operator on `arrays`, computed."""
    mx.random.seed(11)
    outputs = as_list(functions()[sample.op](*arrays, **sample.params, **keywords))
    for out in outputs:
        out.wait_to_read()
    return outputs


def dtypes_of(sample):
    if sample.dtypes is not None:
        return tuple(sample.dtypes)
    given = {str(x.dtype) for x in sample.inputs if x is not None}
    return ("float64", "float16", "bfloat16") if "float32" in given else ()


def is_floating(array):
    return array._dtype_name in FLOATING


def tolerance(sample, dtype="float32"):
    """(rtol, atol) of a comparison of results in `dtype`."""
    tol = sample.tol if sample.tol is not None else (1e-4, 1e-5)
    rtol, atol = tol if isinstance(tol, (tuple, list)) else (tol, tol)
    # A few units in the last place of the narrower types.
    least = {"float16": 6e-3, "bfloat16": 5e-2}.get(dtype, 0)
    return max(rtol, least), max(atol, least)


def close(have, want, rtol, atol, what):
    """Like assert_allclose, with `atol` relative to the size of the values where they are large."""
    finite = np.abs(want[np.isfinite(want)]) if want.dtype.kind == "f" else np.zeros(0)
    atol *= float(np.max(finite, initial=1.0))
    np.testing.assert_allclose(have, want, rtol=rtol, atol=atol, err_msg=what, equal_nan=True)


class Derivatives:
    """The gradients of a sample's outputs by autograd and by differences, in float64.

    The outputs are weighted by fixed random numbers `weights`, so that there is one function to differentiate:
    ``f(x) = sum(weights * outputs(x))``. Differences are taken along a few random directions.
    """

    directions = 3

    def __init__(self, sample):
        self.sample = sample
        self.dtype = "float64" if sample.dtypes is None or "float64" in sample.dtypes else "float32"
        self.step = 1e-4 if self.dtype == "float64" else 2e-2
        self.random = np.random.RandomState(5)
        self.base = [None if x is None else x.astype(self.dtype) if x.dtype.kind == "f" else x
                     for x in sample.inputs]
        mutable = self._mutable()
        wanted = sample.grad if isinstance(sample.grad, (tuple, list)) else range(len(self.base))
        self.wrt = [i for i in wanted if self.base[i] is not None and self.base[i].dtype.kind == "f"
                    and i not in mutable and self.base[i].size]

    def _mutable(self):
        info = registry()[self.sample.op]
        return [] if info["variadic"] else [i for i, spec in enumerate(info["inputs"]) if spec[3]]

    def arrays(self, shift=None):
        """The inputs, moved by ``shift[i]`` where given."""
        moved = [x if x is None or not shift or i not in shift else x + shift[i] for i, x in enumerate(self.base)]
        return [to_array(x) for x in moved]

    def record(self, arrays):
        """Outputs on the tape, floating ones only, with the wanted inputs as variables."""
        for i in self.wrt:
            arrays[i].attach_grad()
        with mx.autograd.record():
            return [out for out in run(self.sample, arrays) if is_floating(out)]

    def outputs(self, arrays):
        with mx.autograd.train_mode():
            return [to_numpy(out) for out in run(self.sample, arrays) if is_floating(out)]

    def weights_like(self, outputs):
        return [np.asarray(self.random.uniform(0.5, 1.5, size=out.shape)).astype(self.dtype) for out in outputs]

    def direction(self):
        moves = {i: np.asarray(self.random.uniform(-1, 1, size=self.base[i].shape)) for i in self.wrt}
        return {i: d + d.swapaxes(-1, -2) if i in self.sample.symmetric else d for i, d in moves.items()}

    def difference(self, function, direction):
        """Derivative of a function of the inputs along `direction`, of fourth order in the step."""
        def at(factor):
            return function(self.arrays({i: factor * self.step * d for i, d in direction.items()}))
        return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * self.step)

    def first(self, arrays, weights, create_graph=False):
        """Gradients with respect to the wanted inputs, and the weights on the tape."""
        outputs = self.record(arrays)
        heads = [to_array(w) for w in weights]
        if create_graph:
            for head in heads:
                head.attach_grad()
        variables = [arrays[i] for i in self.wrt]
        return mx.autograd.grad(outputs, variables, heads, create_graph=create_graph), heads

    def check_first(self):
        arrays = self.arrays()
        weights = self.weights_like(self.record(arrays))
        grads, _ = self.first(arrays, weights)
        grads = [to_numpy(g).astype("float64") for g in grads]
        for i, g in zip(self.wrt, grads):
            assert g.shape == self.base[i].shape

        def weighted(arrays):
            return sum(float((o.astype("float64") * w).sum()) for o, w in zip(self.outputs(arrays), weights))

        for _ in range(self.directions):
            direction = self.direction()
            have = sum(float((g * direction[i]).sum()) for i, g in zip(self.wrt, grads))
            self._compare(have, self.difference(weighted, direction), "gradient")

    def check_second(self):
        arrays = self.arrays()
        weights = self.weights_like(self.record(arrays))
        grads, heads = self.first(arrays, weights, create_graph=True)
        seconds = self.weights_like(grads)
        variables = [arrays[i] for i in self.wrt] + heads
        recorded = [(g, s) for g, s in zip(grads, seconds) if _core.on_tape(g)]
        if recorded:
            second = mx.autograd.grad([g for g, _ in recorded], variables, [to_array(s) for _, s in recorded])
            second = [to_numpy(g).astype("float64") for g in second]
        else:
            second = [np.zeros(v.shape) for v in variables]

        def weighted(arrays, weights):
            grads, _ = self.first(arrays, weights)
            return sum(float((to_numpy(g).astype("float64") * s).sum()) for g, s in zip(grads, seconds))

        for _ in range(self.directions):
            direction = self.direction()
            have = sum(float((g * direction[i]).sum()) for i, g in zip(self.wrt, second))
            want = self.difference(lambda arrays: weighted(arrays, weights), direction)
            self._compare(have, want, "second gradient")
        # The gradient is linear in the weights: the derivative along them is the gradient with other weights.
        other = self.weights_like(heads)
        have = sum(float((g * w).sum()) for g, w in zip(second[len(self.wrt):], other))
        self._compare(have, weighted(self.arrays(), other), "gradient with respect to the head gradient")

    def _compare(self, have, want, what):
        tol = 1e-5 if self.dtype == "float64" else 2e-2
        if self.sample.tol is not None and self.dtype == "float32":
            tol = max(tol, tolerance(self.sample)[0])
        np.testing.assert_allclose(have, want, rtol=tol, atol=tol * 1e-1, err_msg=f"{self.sample.op}: {what}")

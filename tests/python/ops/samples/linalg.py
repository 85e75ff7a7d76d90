"""Linear algebra on the last two axes."""
import functools
import itertools

import numpy as np

from . import arr, sample


def _t(x):
    return np.swapaxes(x, -1, -2)


def _square(*shape, seed=0):
    """Well-conditioned square matrices."""
    return (arr(*shape, seed=seed) + 2.5 * np.sqrt(shape[-1]) * np.eye(shape[-1])).astype("float32")


def _mixed(*shape, seed=0):
    """The same with rows in another order, so that pivots are exchanged."""
    return np.ascontiguousarray(np.roll(_square(*shape, seed=seed), 1, axis=-2))


def _positive(*shape, seed=0):
    x = arr(*shape, seed=seed)
    return (x @ _t(x) / shape[-1] + np.eye(shape[-1])).astype("float32")


def _triangular(*shape):
    """Both triangles filled: the operators read one of them."""
    return (arr(*shape) / np.sqrt(shape[-1]) + 1.5 * np.eye(shape[-1])).astype("float32")


def _gemm2(p):
    def ref(a, b, c=0.0):
        axis = p.get("axis", -2)
        a, b = np.moveaxis(a, axis, -2), np.moveaxis(b, axis, -2)
        a = _t(a) if p.get("transpose_a") else a
        b = _t(b) if p.get("transpose_b") else b
        return np.moveaxis(p.get("alpha", 1) * (a @ b), -2, axis) + p.get("beta", 1) * c
    return ref


def _products():
    for ta, tb in itertools.product((False, True), repeat=2):
        p = {"transpose_a": ta, "transpose_b": tb}
        a, b = ((4, 3) if ta else (3, 4)), ((5, 4) if tb else (4, 5))
        yield sample("_linalg_gemm2", [arr(*a), arr(*b)], p, ref=_gemm2(p))
        yield sample("_linalg_gemm2", [arr(2, 3, *a), arr(2, 3, *b)], {**p, "alpha": -2.5},
                     ref=_gemm2({**p, "alpha": -2.5}))
        q = {**p, "alpha": 0.5, "beta": -2.0}
        yield sample("_linalg_gemm", [arr(*a), arr(*b), arr(3, 5)], q, ref=_gemm2(q))
        yield sample("_linalg_gemm", [arr(2, *a), arr(2, *b), arr(2, 3, 5)], p, ref=_gemm2(p))
        # Rows on an axis further out.
        a, b = ((4, 2, 3, 3) if ta else (3, 2, 3, 4)), ((5, 2, 3, 4) if tb else (4, 2, 3, 5))
        yield sample("_linalg_gemm2", [arr(*a), arr(*b)], {**p, "axis": 0}, ref=_gemm2({**p, "axis": 0}))
        a, b = ((2, 4, 3, 3) if ta else (2, 3, 3, 4)), ((2, 5, 3, 4) if tb else (2, 4, 3, 5))
        yield sample("_linalg_gemm", [arr(*a), arr(*b), arr(2, 3, 3, 5)], {**p, "axis": -3},
                     ref=_gemm2({**p, "axis": -3}))
    for transpose in (False, True):
        p = {"transpose": transpose, "alpha": 1.5}
        yield sample("_linalg_syrk", [arr(3, 4)], p, ref=lambda a, t=transpose: 1.5 * (_t(a) @ a if t else a @ _t(a)))
        yield sample("_linalg_syrk", [arr(2, 3, 4)], {"transpose": transpose},
                     ref=lambda a, t=transpose: _t(a) @ a if t else a @ _t(a))


def _triangle(a, lower, transpose):
    a = np.tril(a) if lower else np.triu(a)
    return _t(a) if transpose else a


def _trmm(lower, transpose, right, alpha):
    def ref(a, b):
        a = _triangle(a, lower, transpose)
        return alpha * (b @ a if right else a @ b)
    return ref


def _trsm(lower, transpose, right, alpha):
    def ref(a, b):
        a = np.linalg.inv(_triangle(a, lower, transpose))
        return alpha * (b @ a if right else a @ b)
    return ref


def _triangulars():
    for lower, transpose, right in itertools.product((False, True), repeat=3):
        for name, ref in ("_linalg_trmm", _trmm), ("_linalg_trsm", _trsm):
            p = {"lower": lower, "transpose": transpose, "rightside": right, "alpha": 1.5}
            b = (2, 4) if right else (4, 2)
            yield sample(name, [_triangular(4, 4), arr(*b)], p, ref=ref(lower, transpose, right, 1.5))
            p = {"lower": lower, "transpose": transpose, "rightside": right}
            yield sample(name, [_triangular(2, 3, 4, 4), arr(2, 3, *b)], p, ref=ref(lower, transpose, right, 1))
            # Larger than the blocks and tiles of the kernel, with edges that fill none.
            b = (41, 75) if right else (75, 41)
            yield sample(name, [_triangular(75, 75), arr(*b)], p, ref=ref(lower, transpose, right, 1), grad2=False,
                         dtypes=("float64",))
            b = (150, 33) if right else (33, 150)
            yield sample(name, [_triangular(33, 33), arr(*b)], p, ref=ref(lower, transpose, right, 1), grad2=False,
                         dtypes=("float64",))
    yield sample("_linalg_trsm", [np.zeros((2, 2)), np.ones((2, 2))], grad=False, dtypes=("float64",))


def _symmetrized(f):
    """Of the lower triangle alone."""
    return lambda a: f(np.tril(a) + _t(np.tril(a, -1)))


def _lq(a):
    q, r = np.linalg.qr(_t(a))
    return [_t(q), _t(r)]


def _eigen(a):
    values, vectors = np.linalg.eigh(a)
    vectors = _t(vectors)
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(-1)[..., None], -1)
    return [vectors * np.sign(largest), values]


def _potri(a):
    inverse = np.linalg.inv(np.tril(a))
    return _t(inverse) @ inverse


def _slogdet(a):
    sign, log = np.linalg.slogdet(a)
    return [np.atleast_1d(sign), np.atleast_1d(log)]


# The gradients of potrf and syevd are symmetric.
def _factors():
    for shape in (3, 3), (2, 2, 4, 4), (1, 1), (70, 70), (2, 129, 129):
        small = shape[-1] < 10
        dtypes = ("float64", "float16", "bfloat16") if small else ("float64",)
        yield sample("_linalg_potrf", [_positive(*shape)], ref=np.linalg.cholesky, grad2=small, dtypes=dtypes,
                     symmetric=(0,))
        factor = np.linalg.cholesky(_positive(*shape)).astype("float32") + np.triu(np.ones(shape, "float32"), 1)
        yield sample("_linalg_potri", [factor], ref=_potri, grad2=small, dtypes=dtypes)
        yield sample("_linalg_inverse", [_mixed(*shape)], ref=np.linalg.inv, grad2=small, dtypes=dtypes)
        yield sample("_linalg_syevd", [_positive(*shape)], ref=_eigen if small else None, grad=small,
                     symmetric=(0,), dtypes=("float64",) if small else (), golden=None if small else False)
    for shape in (3, 3), (2, 2, 4, 4), (1, 1), (37, 37):
        small = shape[-1] < 10
        # Of a size that float16 can hold.
        scale = np.float32(0.5 if small else 0.08)
        dtypes = ("float64", "float16", "bfloat16") if small else ("float64",)
        for make in _square, _mixed:
            a = scale * make(*shape)
            yield sample("_linalg_det", [a], ref=lambda a: np.atleast_1d(np.linalg.det(a)), grad2=small, dtypes=dtypes)
            yield sample("_linalg_slogdet", [a], ref=_slogdet, grad2=small, dtypes=dtypes)
    for shape in (3, 4), (2, 2, 3, 3), (1, 5), (40, 66):
        yield sample("_linalg_gelqf", [arr(*shape)], ref=_lq, dtypes=("float64",), grad2=shape[-1] < 10)
    yield sample("_linalg_potrf", [_positive(3, 3) + np.triu(np.full((3, 3), 9, "float32"), 1)],
                 ref=_symmetrized(np.linalg.cholesky), grad=False)
    yield sample("_linalg_syevd", [np.eye(3, dtype="float32")], ref=_eigen, grad=False, dtypes=("float64",))
    yield sample("_linalg_gelqf", [-np.eye(2, dtype="float32")], grad=False, dtypes=("float64",))
    yield sample("_linalg_det", [np.ones((2, 2))], ref=lambda a: np.zeros(1), grad=False)
    yield sample("_linalg_slogdet", [np.ones((2, 2))], ref=lambda a: [np.zeros(1), np.full(1, -np.inf)], grad=False)


def _places(n, offset, lower):
    m = n - abs(offset)
    rows, cols = np.tril_indices(m)
    if offset < 0 or (offset == 0 and lower):
        return rows - min(offset, 0), cols
    return cols, rows + offset


def _maketrian(a, places):
    n = max(map(np.max, places)) + 1
    out = np.zeros(a.shape[:-1] + (n, n))
    out[..., places[0], places[1]] = a
    return out


def _vectors():
    for offset in 0, 1, -1, 2:
        p = {"offset": offset}
        yield sample("_linalg_extractdiag", [arr(2, 3, 3)], p, ref=lambda a, k=offset: np.diagonal(a, k, -2, -1))
        yield sample("_linalg_makediag", [arr(3)], p, ref=lambda a, k=offset: np.diag(a, k))
        yield sample("_linalg_makediag", [arr(2, 2)], p, ref=lambda a, k=offset: np.stack([np.diag(x, k) for x in a]))
        for lower in True, False:
            p = {"offset": offset, "lower": lower}
            places = _places(4, offset, lower)
            yield sample("_linalg_extracttrian", [arr(2, 4, 4)], p, ref=lambda a, s=places: a[..., s[0], s[1]])
            make = functools.partial(_maketrian, places=_places(3 + abs(offset), offset, lower))
            yield sample("_linalg_maketrian", [arr(6)], p, ref=make)
            yield sample("_linalg_maketrian", [arr(2, 6)], p, ref=make)
    yield sample("_linalg_sumlogdiag", [arr(3, 3, low=0.5, high=2)],
                 ref=lambda a: np.log(np.diagonal(a)).sum(keepdims=True))
    yield sample("_linalg_sumlogdiag", [arr(2, 2, 3, 3, low=0.5, high=2)],
                 ref=lambda a: np.log(np.diagonal(a, 0, -2, -1)).sum(-1))


SAMPLES = [*_products(), *_triangulars(), *_factors(), *_vectors()]

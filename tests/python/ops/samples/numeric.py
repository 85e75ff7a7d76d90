"""Cumulative sums and small operators on numbers."""
import numpy as np

from . import arr, sample

_INTEGERS = np.array([[100, 100, 3], [-4, 7, 0]])



def _khatri_rao(*factors):
    out = factors[0]
    for x in factors[1:]:
        out = (out[:, None] * x[None]).reshape(-1, x.shape[1])
    return out


def _count_sketch(out_dim):
    def ref(x, h, s):
        out = np.zeros((*x.shape[:-1], out_dim))
        for j, (k, factor) in enumerate(zip(h.ravel().astype(int), s.ravel())):
            out[..., k] += factor * x[..., j]
        return out
    return ref


def _fft(x):
    y = np.fft.fft(x)
    return np.stack([y.real, y.imag], -1).reshape(*x.shape[:-1], -1)


def _ifft(x):
    return np.fft.ifft(x[..., ::2] + 1j * x[..., 1::2]).real * (x.shape[-1] // 2)


def _recurrence(reverse):
    def ref(decay, data):
        order = range(data.shape[1])[::-1] if reverse else range(data.shape[1])
        y, state = np.zeros_like(data), np.zeros_like(data[:, 0])
        for t in order:
            y[:, t] = state = decay[:, t] * state + data[:, t]
        return y
    return ref


def _hawkes(lda, alpha, beta, state, lags, marks, lengths, ends):
    """One event after the other."""
    loglik, states = np.zeros(len(lda)), np.zeros_like(lda)
    for n, end in enumerate(ends):
        s, time, events = state[n].copy(), 0.0, []
        for lag, mark in zip(lags[n][:int(lengths[n])], marks[n]):
            time += lag
            s = s * np.exp(-beta * lag)
            loglik[n] += np.log(lda[n, mark] + alpha[mark] * beta[mark] * s[mark])
            s[mark] += 1
            events.append((time, mark))
        states[n] = s * np.exp(-beta * (end - time))
        loglik[n] -= (lda[n] * end + alpha * state[n] * (1 - np.exp(-beta * end))).sum()
        loglik[n] -= sum(alpha[m] * (1 - np.exp(-beta[m] * (end - t))) for t, m in events)
    return [loglik, states]


_HAWKES = [arr(2, 3, low=0.2), arr(3, low=0.1), arr(3, low=0.5, high=3), arr(2, 3, low=0), arr(2, 5, low=0.1),
           np.array([[0, 1, 2, 1, 1], [1, 1, 0, 2, 0]], "int32"), np.array([3, 5], "float32"),
           np.array([4.5, 6], "float32")]
_H, _S = np.array([[0, 2, 0, 1, 2]], "float32"), np.array([[1, -1, -1, 1, 1]], "float32")
_NAN = np.array([1, np.nan, np.inf], "float32")

SAMPLES = [
    sample("cumsum", [arr(3, 4)], ref=lambda x: np.cumsum(x)),
    sample("cumsum", [arr(3, 4)], {"axis": 0}, ref=lambda x: np.cumsum(x, 0)),
    sample("cumsum", [arr(2, 3, 4)], {"axis": 1}, ref=lambda x: np.cumsum(x, 1)),
    sample("cumsum", [arr(2, 3, 4)], {"axis": -1}, ref=lambda x: np.cumsum(x, -1)),
    sample("cumsum", [arr(3, 5, 150)], {"axis": 1}, ref=lambda x: np.cumsum(x, 1), grad2=False),
    sample("cumsum", [arr(3, 4)], {"axis": 1, "dtype": "float64"}, ref=lambda x: np.cumsum(x, 1)),
    sample("cumsum", [arr(3, 4, low=-9, high=9)], {"axis": 1, "dtype": "int32"},
           ref=lambda x: np.cumsum(x.astype(int), 1), grad=False),
    *(sample("cumsum", [_INTEGERS.astype(dtype)], {"axis": 1},
             ref=lambda x, dtype=dtype: np.cumsum(x, 1, dtype=dtype)) for dtype in ("int8", "uint8", "int32", "int64")),
    sample("cumsum", [np.array([True, False, True])], ref=np.cumsum, golden=False),
    sample("cumsum", [arr(0, 3)], {"axis": 1}, ref=lambda x: x, golden=False),

    sample("khatri_rao", [arr(2, 3), arr(4, 3)], ref=_khatri_rao),
    sample("khatri_rao", [arr(2, 3), arr(4, 3), arr(3, 3)], ref=_khatri_rao),
    sample("khatri_rao", [arr(2, 3)], ref=_khatri_rao),

    sample("_contrib_allclose", [_NAN, _NAN], ref=lambda a, b: np.array(1, "uint8")),
    sample("_contrib_allclose", [_NAN, _NAN], {"equal_nan": False}, ref=lambda a, b: np.array(0, "uint8")),
    sample("_contrib_allclose", [_NAN, -_NAN], ref=lambda a, b: np.array(0, "uint8")),
    sample("_contrib_allclose", [np.full(3, 1.0), np.full(3, 1.1)], {"rtol": 0.05},
           ref=lambda a, b: np.array(0, "uint8")),
    sample("_contrib_allclose", [np.full(3, 1.0), np.full(3, 1.1)], {"rtol": 0, "atol": 0.11},
           ref=lambda a, b: np.array(1, "uint8")),
    sample("_contrib_allclose", [np.array([1, 2], "int32")] * 2, ref=lambda a, b: np.array(1, "uint8")),

    sample("_contrib_getnnz", [np.array([[1, 2, 0], [0, 0, 4]])], ref=lambda x: np.array([3])),
    sample("_contrib_getnnz", [np.array([[1, 2, 0], [0, 0, 4]])], {"axis": 0}, ref=lambda x: np.array([1, 1, 1])),
    sample("_contrib_getnnz", [np.array([[1, 2, 0], [0, 0, 4]], "int32")], {"axis": 1}, ref=lambda x: np.array([2, 1])),

    sample("_contrib_count_sketch", [arr(3, 5), _H, _S], {"out_dim": 4}, ref=_count_sketch(4), grad=(0, 2)),
    sample("_contrib_count_sketch", [arr(2, 2, 3, 5), _H, _S], {"out_dim": 3}, ref=_count_sketch(3), grad=(0, 2)),

    sample("_onehot_encode", [np.array([1, 0, 2], "float32"), arr(3, 3)], ref=lambda a, b: np.eye(3)[[1, 0, 2]]),
    sample("_onehot_encode", [np.array([1, 7, -1], "float32"), arr(3, 2)],
           ref=lambda a, b: np.array([[0, 1], [0, 0], [0, 0]])),

    sample("_set_value", [], {"src": 2.5}, ref=lambda: np.array([2.5]), golden=False),

    # The gradients of these are checked in test_numeric.py: they are not derivatives of the output.
    sample("MakeLoss", [arr(3, 4)], ref=lambda x: x, grad=False),
    sample("MakeLoss", [arr(3, 4)], {"grad_scale": 2, "normalization": "valid"}, ref=lambda x: x, grad=False),
    sample("SVMOutput", [arr(3, 4), np.array([1, 0, 3], "float32")], ref=lambda x, y: x, grad=False),
    sample("IdentityAttachKLSparseReg", [arr(4, 3, low=0.1, high=0.9), np.full(3, 0.2, "float32")],
           ref=lambda x, a: x, grad=False),

    *(sample("_contrib_fft", [arr(*shape)], {"compute_size": 4}, ref=_fft)
      for shape in [(3, 8), (2, 2, 2, 6), (4, 1), (2, 7), (1, 60)]),
    *(sample("_contrib_ifft", [arr(*shape)], ref=_ifft) for shape in [(3, 8), (2, 2, 2, 6), (4, 2), (2, 14), (1, 60)]),

    *(sample("_linear_recurrence", [arr(*shape), arr(*shape)], {"reverse": reverse}, ref=_recurrence(reverse))
      for shape in [(2, 5), (3, 4, 2), (2, 1, 3)] for reverse in (False, True)),

    sample("_contrib_hawkesll", _HAWKES, ref=_hawkes, grad=(0, 1, 2, 3, 4)),
    sample("_contrib_hawkesll", [*_HAWKES[:6], np.array([0, 5], "float32"), _HAWKES[7]], ref=_hawkes,
           grad=(0, 1, 2, 3, 4), dtypes=("float64",)),
]

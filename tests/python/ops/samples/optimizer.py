"""Update operators of the optimizers, on one step from fixed states; the states are changed in place."""
import numpy as np

from . import arr, sample

_LR, _WD, _SCALE, _CLIP = 0.1, 0.3, 2.0, 0.5
_COMMON = {"lr": _LR, "wd": _WD, "rescale_grad": _SCALE, "clip_gradient": _CLIP}


def _clip(x):
    return np.clip(x, -_CLIP, _CLIP)


def _scaled(g):
    return _clip(_SCALE * g)


def _decayed(w, g):
    return _clip(_SCALE * g + _WD * w)


def _state(seed):
    return arr(2, 5, low=0.1, high=1, seed=seed)


def _adam(w, g, mean, var):
    g = _decayed(w, g)
    mean, var = 0.9 * mean + 0.1 * g, 0.999 * var + 0.001 * g * g
    return w - _LR * mean / (np.sqrt(var) + 1e-8)


def _adamw(w, g, mean, var, *rest):
    g = _clip(rest[-1] * g)
    mean, var = 0.9 * mean + 0.1 * g, 0.999 * var + 0.001 * g * g
    return w - 0.5 * (_LR * mean / (np.sqrt(var) + 1e-8) + _WD * w)


def _sgd_mom(w, g, mom, *_):
    return w + 0.9 * mom - _LR * (_WD * w + _scaled(g))


def _nag(w, g, mom, *_):
    step = _LR * (_WD * w + _scaled(g))
    return w + 0.9 * (0.9 * mom - step) - step


def _rmsprop(w, g, n):
    g = _decayed(w, g)
    return w - _LR * g / np.sqrt(0.95 * n + 0.05 * g * g + 1e-8)


def _rmsprop_alex(w, g, n, mean, delta):
    g = _decayed(w, g)
    n, mean = 0.95 * n + 0.05 * g * g, 0.95 * mean + 0.05 * g
    return w + 0.9 * delta - _LR * g / np.sqrt(n - mean * mean + 1e-8)


def _ftrl(w, g, z, n):
    g = _scaled(g)
    z = z + g - (np.sqrt(n + g * g) - np.sqrt(n)) * w / _LR
    n = n + g * g
    return (np.sign(z) * 0.01 - z) / ((1 + np.sqrt(n)) / _LR + _WD) * (np.abs(z) > 0.01)


def _ftml(w, g, d, v, z):
    g = _decayed(w, g)
    v = 0.999 * v + 0.001 * g * g
    new = (1 - 0.6 ** 3) / _LR * (np.sqrt(v / (1 - 0.999 ** 3)) + 1e-8)
    return -(0.6 * z + 0.4 * g - (new - 0.6 * d) * w) / new


def _lamb(w, g, mean, var, *_):
    g = _scaled(g)
    mean, var = (0.9 * mean + 0.1 * g) / (1 - 0.9 ** 3), (0.999 * var + 0.001 * g * g) / (1 - 0.999 ** 3)
    return mean / (np.sqrt(var) + 1e-6) + _WD * w


_W, _G = arr(2, 5, seed=11), arr(2, 5, seed=12)
_S = [_state(seed) for seed in range(3)]
_TOL = (1e-3, 1e-4)


def _one(op, states, ref, params=_COMMON, **options):
    return sample(op, [_W, _G, *states], params, ref=ref, tol=_TOL, **{"dtypes": ("float64",), **options})


_MOMENTUM = {**_COMMON, "momentum": 0.9}
SAMPLES = [
    _one("sgd_update", [], lambda w, g: w - _LR * (_WD * w + _scaled(g))),
    _one("sgd_update", [], lambda w, g: w - _LR * g, {"lr": _LR}),
    _one("sgd_mom_update", _S[:1], _sgd_mom, _MOMENTUM),
    _one("nag_mom_update", _S[:1], _nag, _MOMENTUM),
    _one("signsgd_update", [], lambda w, g: w - _LR * (_WD * w + np.sign(g))),
    _one("signum_update", _S[:1],
         lambda w, g, m: (1 - _LR * 0.2) * w + _LR * np.sign(0.9 * m - 0.1 * (_WD * w + _scaled(g))),
         {**_MOMENTUM, "wd_lh": 0.2}),
    _one("adam_update", _S[:2], _adam),
    _one("_adamw_update", [*_S[:2], np.array([2], "float32")], _adamw,
         {"lr": _LR, "wd": _WD, "eta": 0.5, "clip_gradient": _CLIP}),
    _one("_adamw_update", [*_S[:2], np.array([np.inf], "float32")], lambda w, *_: w, {"lr": _LR, "eta": 0.5},
         golden=False),
    _one("_mp_adamw_update", [*_S[:2], _W, np.array([2], "float32")], _adamw,
         {"lr": _LR, "wd": _WD, "eta": 0.5, "clip_gradient": _CLIP}, dtypes=()),
    _one("rmsprop_update", _S[:1], _rmsprop),
    _one("rmsprop_update", _S[:1], lambda w, g, n: np.clip(_rmsprop(w, g, n), -0.4, 0.4),
         {**_COMMON, "clip_weights": 0.4}),
    _one("rmspropalex_update", [_S[0] + 1, *_S[1:]], _rmsprop_alex),
    _one("ftrl_update", _S[:2], _ftrl),
    _one("ftml_update", _S, _ftml, {"lr": _LR, "wd": _WD, "rescale_grad": _SCALE, "clip_grad": _CLIP, "t": 3}),
    _one("lamb_update_phase1", _S[:2], _lamb, {"wd": _WD, "rescale_grad": _SCALE, "clip_gradient": _CLIP, "t": 3}),
    _one("mp_lamb_update_phase1", [*_S[:2], _W], _lamb,
         {"wd": _WD, "rescale_grad": _SCALE, "clip_gradient": _CLIP, "t": 3}, dtypes=()),
    _one("lamb_update_phase2", [np.array([2], "float32"), np.array([4], "float32")],
         lambda w, g, r1, r2: w - _LR * 3 / 4 * g, {"lr": _LR, "lower_bound": 3, "upper_bound": 5}),
    _one("mp_lamb_update_phase2", [np.array([0], "float32"), np.array([4], "float32"), _W],
         lambda w, g, r1, r2, _: w - _LR * g, {"lr": _LR}, dtypes=()),
    _one("mp_sgd_update", [_W], lambda w, g, _: w - _LR * (_WD * w + _scaled(g)), dtypes=()),
    _one("mp_sgd_mom_update", [_S[0], _W], _sgd_mom, _MOMENTUM, dtypes=()),
    _one("mp_nag_mom_update", [_S[0], _W], _nag, _MOMENTUM, dtypes=()),
    _one("_sparse_adagrad_update", _S[:1],
         lambda w, g, h: w - _LR * (_scaled(g) / np.sqrt(h + _scaled(g) ** 2 + 1e-7) + _WD * w)),
]

_RATES, _DECAYS = (0.1, 0.2), (0.3, 0.0)
_TWO = {"lrs": _RATES, "wds": _DECAYS, "num_weights": 2}
_ARRAYS = [np.array(_RATES, "float32"), np.array(_DECAYS, "float32")]


def _many(per_weight):
    """The plain or momentum update of each weight among inputs of which each weight has so many."""
    def reference(*x):
        results = []
        for i, (lr, wd) in enumerate(zip(_RATES, _DECAYS)):
            w, g, *rest = x[i * per_weight:(i + 1) * per_weight]
            step = lr * (wd * w + g)
            results.append(w + 0.9 * rest[0] - step if rest and rest[0] is not None else w - step)
        return results
    return reference


def _plain(*x):
    return _many(2)(*x)


def _mixed(*x):
    return _many(2)(*x[0:2], *x[3:5])


def _multi_adam(w, g, mean, var, lr, wd):
    g = np.clip(_SCALE * g + wd * w, -_CLIP, _CLIP)
    return w - lr * (0.8 * mean + 0.2 * g) / (np.sqrt(0.7 * var + 0.3 * g * g) + 1e-3)


def _multi_adamw(w, g, mean, var, lr, wd):
    g = np.clip(_SCALE * g, -_CLIP, _CLIP)
    return w - lr * (0.8 * mean + 0.2 * g) / (np.sqrt(0.7 * var + 0.3 * g * g) + 1e-3) - wd * w


def _multi_lion(w, g, mean, lr, wd):
    return w - lr * np.sign(0.8 * mean + 0.2 * np.clip(_SCALE * g, -_CLIP, _CLIP)) - wd * w


def _many_moments(rule, states, copies):
    """The rule for each of two weights, whose states come after weight and gradient."""
    def reference(*x):
        each = 2 + states + copies
        return [rule(*x[i * each:i * each + 2 + states], lr, wd) for i, (lr, wd) in enumerate(zip(_RATES, _DECAYS))]
    return reference


_V, _H = arr(7, seed=13), arr(7, seed=14)
_M = arr(7, low=0.1, seed=15)
SAMPLES += [
    sample("multi_sgd_update", [_W, _G, _V, _H], _TWO, ref=_plain, dtypes=("float64",)),
    sample("multi_sgd_mom_update", [_W, _G, _S[0], _V, _H, _M], {**_TWO, "momentum": 0.9}, ref=_many(3),
           dtypes=("float64",)),
    sample("multi_mp_sgd_update", [_W, _G, _W, _V, _H, _V], _TWO, ref=_mixed, dtypes=()),
    sample("multi_mp_sgd_mom_update", [_W, _G, _S[0], _W, _V, _H, _M, _V], {**_TWO, "momentum": 0.9}, ref=_many(4),
           dtypes=()),
    sample("preloaded_multi_sgd_update", [_W, _G, _V, _H, *_ARRAYS], {"num_weights": 2}, ref=_plain, dtypes=()),
    sample("preloaded_multi_sgd_mom_update", [_W, _G, _S[0], _V, _H, _M, *_ARRAYS],
           {"num_weights": 2, "momentum": 0.9}, ref=_many(3), dtypes=()),
    sample("preloaded_multi_mp_sgd_update", [_W, _G, _W, _V, _H, _V, *_ARRAYS], {"num_weights": 2}, ref=_mixed,
           dtypes=()),
    sample("preloaded_multi_mp_sgd_mom_update", [_W, _G, _S[0], _W, _V, _H, _M, _V, *_ARRAYS],
           {"num_weights": 2, "momentum": 0.9}, ref=_many(4), dtypes=()),
    *(sample(f"multi_{mixed}{rule}_update", [_W, _G, *_S[:states], *copy, _V, _H, *[_M] * states, *copies],
             {**_TWO, "beta1": 0.8, "beta2": 0.7, "epsilon": 1e-3, "rescale_grad": _SCALE, "clip_gradient": _CLIP},
             ref=_many_moments(reference, states, len(copy)), dtypes=("float64",) if not mixed else ())
      for rule, states, reference in (("adam", 2, _multi_adam), ("adamw", 2, _multi_adamw), ("lion", 1, _multi_lion))
      for mixed, copy, copies in (("", [], []), ("mp_", [_W], [_V]))),
    sample("multi_sum_sq", [arr(3), arr(2, 5000)], {"num_arrays": 2},
           ref=lambda *x: np.array([np.sum(a * a) for a in x])),
    sample("multi_lars", [np.array([0.1, 0.2], "float32"), np.array([4, 0], "float32"), np.array([9, 1], "float32"),
                          np.array([0.5, 0.1], "float32")], {"eta": 0.01, "eps": 1e-3, "rescale_grad": 2.0},
           golden=[np.array([0.00028567, 0.2])], dtypes=()),
    sample("all_finite", [arr(3)], golden=[np.array([1])]),
    sample("all_finite", [np.array([1, np.nan], "float32")], golden=[np.array([0])]),
    sample("multi_all_finite", [arr(3), np.array([1, np.inf], "float32")], {"num_arrays": 2}, golden=[np.array([0])]),
    sample("reset_arrays", [arr(3), arr(2)], {"num_arrays": 2}, ref=lambda *x: []),  # see test_optimizer.py
]

_SCALE_ARRAY = np.array([_SCALE], "float32")
_ADAMW = {"lrs": (_LR, _LR), "wds": (_WD, _WD), "etas": (0.5, 0.5), "clip_gradient": _CLIP, "num_weights": 2}
_LAMB = {"learning_rates": (_LR, 0.2), "wds": (_WD, _WD), "rescale_grad": _SCALE, "clip_gradient": _CLIP,
         "step_count": (3, 3), "num_tensors": 2}


def _each(ref, per_weight):
    """Of the arrays of two weights, one after the other, and one more that both share if there is one."""
    def reference(*x):
        shared = x[2 * per_weight:]
        return [ref(*x[:per_weight], *shared), ref(*x[per_weight:2 * per_weight], *shared)]
    return reference


def _two_lambs(lower, upper):
    def step(lr, w, *rest):
        direction = _lamb(w, *rest)
        norm = np.clip(np.sqrt((w * w).sum()), lower, upper)
        return w - lr * norm / np.sqrt((direction * direction).sum()) * direction

    def reference(*x):
        half = len(x) // 2
        return [step(_LR, *x[:half]), step(0.2, *x[half:])]
    return reference


_PAIR = [_W, _G, *_S[:2], _V, _H, _M, arr(7, low=0.1, seed=16)]
_MIXED = [*_PAIR[:4], _W, *_PAIR[4:], _V]
SAMPLES += [
    sample("_multi_adamw_update", [*_PAIR, _SCALE_ARRAY], _ADAMW, ref=_each(_adamw, 4), tol=_TOL, dtypes=("float64",)),
    sample("_multi_adamw_update", [*_PAIR, np.array([np.nan], "float32")], _ADAMW, ref=_each(lambda w, *_: w, 4),
           dtypes=()),
    sample("_multi_mp_adamw_update", [*_MIXED, _SCALE_ARRAY], _ADAMW, ref=_each(_adamw, 5), tol=_TOL, dtypes=()),
    sample("_multi_lamb_update", _PAIR, _LAMB, ref=_two_lambs(0, np.inf), tol=_TOL, dtypes=("float64",)),
    sample("_multi_lamb_update", _PAIR, {**_LAMB, "lower_bound": 1, "upper_bound": 1.5}, ref=_two_lambs(1, 1.5),
           tol=_TOL, dtypes=("float64",)),
    sample("_multi_mp_lamb_update", _MIXED, _LAMB, ref=_two_lambs(0, np.inf), tol=_TOL, dtypes=()),
    # Numbers of MXNet 1.9.1, which has this operator for row-sparse gradients only.
    sample("_contrib_group_adagrad_update",
           [np.array([[0.4106, 0.144], [1.4543, 0.761], [0.1217, 0.4439]], "float32"),
            np.array([[1, 2], [0, 0], [0.5, 0.1]], "float32"), np.full((3, 1), 0.3, "float32")],
           {"lr": 0.1, "rescale_grad": 0.5, "clip_gradient": 0.6, "epsilon": 0.01},
           golden=[np.array([[0.3468, 0.0675], [1.4543, 0.761], [0.079, 0.4353]])], tol=2e-3, dtypes=("float64",)),
]

"""Normalisation layers."""
import numpy as np

from . import arr, sample

F64 = ("float64",)


def _batch_norm(*shape, axis=1, ref=True, moving_var=None, **params):
    """BatchNorm; outside of training mode, in which the results are taken, it uses the moving averages."""
    channels = shape[axis]
    params = {"axis": axis, **params}

    def predict(x, gamma, beta, mean, var):
        spread = [-1 if i == axis % len(shape) else 1 for i in range(len(shape))]
        gamma = np.ones_like(gamma) if params.get("fix_gamma", True) else gamma
        scale = gamma / np.sqrt(var + params.get("eps", 1e-3))
        return (x - mean.reshape(spread)) * scale.reshape(spread) + beta.reshape(spread)
    return sample("BatchNorm", [arr(*shape), arr(channels, low=0.5, high=2), arr(channels), arr(channels),
                                arr(channels, low=0.5, high=2)], params, ref=predict if ref else None,
                  tol=(1e-4, 1e-4), dtypes=F64)


def _like_batch_norm(op, shape, change=lambda y: y, **params):
    """A sample of an operator that is BatchNorm, with a change of its result, on the same arrays."""
    s = _batch_norm(*shape, **{k: v for k, v in params.items() if k != "key"})
    return sample(op, s.inputs, params, ref=lambda *arrays: change(s.ref(*arrays)), tol=(1e-4, 1e-4), dtypes=F64)


def _rows(x, axes, gamma, beta, eps):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(var + eps) * gamma + beta


def _layer_norm(*shape, axis=-1, **params):
    spread = [-1 if i == axis % len(shape) else 1 for i in range(len(shape))]
    eps = params.get("eps", 1e-5)
    return sample("LayerNorm", [arr(*shape), arr(shape[axis]), arr(shape[axis])], {"axis": axis, **params},
                  ref=lambda x, g, b: _rows(x, axis, g.reshape(spread), b.reshape(spread), eps), tol=(1e-4, 1e-4))


def _group_norm(*shape, groups, **params):
    def ref(x, g, b):
        rows = x.reshape(shape[0], groups, -1)
        return _rows(rows, 2, g[:, None], b[:, None], params.get("eps", 1e-5)).reshape(shape)
    return sample("GroupNorm", [arr(*shape), arr(groups), arr(groups)], {"num_groups": groups, **params}, ref=ref,
                  tol=(1e-4, 1e-4))


def _instance_norm(*shape, **params):
    def ref(x, g, b):
        spread = (-1, *[1] * (len(shape) - 2))
        axes = tuple(range(2, len(shape)))
        return _rows(x, axes, g.reshape(spread), b.reshape(spread), params.get("eps", 1e-3))
    return sample("InstanceNorm", [arr(*shape), arr(shape[1]), arr(shape[1])], params, ref=ref, tol=(1e-4, 1e-4))


SAMPLES = [
    _like_batch_norm("_contrib_SyncBatchNorm", (4, 3, 5, 6), fix_gamma=False, key="a"),
    _like_batch_norm("_contrib_SyncBatchNorm", (4, 3, 5), eps=0.1, use_global_stats=True, key="a"),
    _like_batch_norm("_contrib_BatchNormWithReLU", (4, 3, 5, 6), lambda y: np.maximum(y, 0), fix_gamma=False),
    _like_batch_norm("_contrib_BatchNormWithReLU", (4, 5, 3), lambda y: np.maximum(y, 0), axis=-1),
    *(_like_batch_norm("_batch_norm_relu", shape, lambda y: np.maximum(y, 0), **params)
      for shape, params in (((4, 3, 5, 6), {"fix_gamma": False}), ((4, 5, 3), {"axis": -1}), ((8, 3), {}),
                            ((2, 3, 20), {"axis": -1, "fix_gamma": False}))),
    _batch_norm(4, 3, 5, 6, fix_gamma=False),
    _batch_norm(4, 3, 5, 6),
    _batch_norm(4, 3, 5, 6, fix_gamma=False, use_global_stats=True),
    _batch_norm(4, 3, 5, fix_gamma=False, eps=0.1, momentum=0.5),
    _batch_norm(8, 3, fix_gamma=False),
    _batch_norm(3, 5, 6, 20, axis=-1, fix_gamma=False),
    _batch_norm(3, 5, 4, axis=0, fix_gamma=False),
    _batch_norm(2, 3, 4, 3, 5, fix_gamma=False),
    _batch_norm(70, 33, fix_gamma=False, output_mean_var=True, ref=False),
    _batch_norm(4, 3, 5, 6, fix_gamma=False, output_mean_var=True, ref=False),
    _layer_norm(4, 10),
    _layer_norm(2, 3, 70, eps=0.01),
    _layer_norm(2, 5, 3, axis=1),
    _layer_norm(5, 3, 4, axis=0),
    _layer_norm(4, 10, output_mean_var=True),
    _layer_norm(3, 5, 4, axis=1, output_mean_var=True),
    _layer_norm(0, 10),
    _group_norm(2, 6, 5, 4, groups=3),
    _group_norm(2, 6, 5, groups=1, eps=0.01),
    _group_norm(3, 4, groups=2),
    _group_norm(2, 4, 5, groups=2, output_mean_var=True),
    _instance_norm(2, 3, 5, 4),
    _instance_norm(2, 3, 35, eps=0.1),
    *[sample("L2Normalization", [arr(2, 3, 4, 5)], {"mode": mode}) for mode in ("instance", "channel", "spatial")],
    sample("L2Normalization", [arr(3, 4)], {"eps": 0.5}),
]

"""``mx.nd.contrib``'s updates of AdamW and LAMB, for one weight and for several at once."""
from .. import _core
from . import _internal, creation

__all__ = ["adamw_update", "mp_adamw_update", "multi_adamw_update", "multi_lamb_update", "multi_mp_adamw_update",
           "multi_mp_lamb_update"]


def _as_array(scale, weight):
    """The factor of the gradients as an array beside the weight; it may be a number."""
    if isinstance(scale, _core.NDArrayBase):
        return scale
    return creation.full((1,), scale, ctx=weight.context)


def _interleaved(*lists):
    """The arrays of the first weight, those of the second, and so on."""
    return [array for arrays in zip(*lists) for array in arrays]


def adamw_update(weight, grad, mean, var, rescale_grad, lr, eta, beta1=0.9, beta2=0.999, epsilon=1e-8, wd=0,
                 clip_gradient=-1, out=None, name=None, **kwargs):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019) on one weight.

    ``weight -= eta * (lr * mean / (sqrt(var) + epsilon) + wd * weight)`` with the moving averages of
    ``g = clip(rescale_grad * grad)`` and its square.

    Parameters
    ----------
    weight, grad, mean, var : NDArray
        Of one shape; `mean` and `var` are changed in place, the new weight goes to `out`.
    rescale_grad : NDArray or float
        Factor of the gradient; where it is 0 or not finite nothing is updated.

    Examples
    --------
    >>> w, g, m, v = mx.nd.ones(2), mx.nd.ones(2), mx.nd.zeros(2), mx.nd.zeros(2)
    >>> mx.nd.contrib.adamw_update(w, g, m, v, 1.0, lr=0.5, eta=1.0, epsilon=0.0, beta1=0.0, beta2=0.0)
    <BLANKLINE>
    [0.5 0.5]
    <NDArray 2 @cpu(0)>
    """
    return _internal._adamw_update(weight, grad, mean, var, _as_array(rescale_grad, weight), lr=lr, eta=eta,
                                   beta1=beta1, beta2=beta2, epsilon=epsilon, wd=wd, clip_gradient=clip_gradient,
                                   out=out, **kwargs)


def mp_adamw_update(weight, grad, mean, var, weight32, rescale_grad, lr, eta, beta1=0.9, beta2=0.999, epsilon=1e-8,
                    wd=0, clip_gradient=-1, out=None, name=None, **kwargs):
    """`adamw_update` of a narrow weight whose float32 copy `weight32` and states are changed in place."""
    return _internal._mp_adamw_update(weight, grad, mean, var, weight32, _as_array(rescale_grad, weight), lr=lr,
                                      eta=eta, beta1=beta1, beta2=beta2, epsilon=epsilon, wd=wd,
                                      clip_gradient=clip_gradient, out=out, **kwargs)


def multi_adamw_update(weights, grads, mean, var, rescale_grad, lrs, wds, etas, out=None, name=None, size=0,
                       **kwargs):
    """`adamw_update` of several weights: lists of arrays, and of a number for each in `lrs`, `wds` and `etas`."""
    return _internal._multi_adamw_update(*_interleaved(weights, grads, mean, var),
                                         _as_array(rescale_grad, weights[0]), num_weights=size or len(weights),
                                         lrs=lrs, wds=wds, etas=etas, out=out, **kwargs)


def multi_mp_adamw_update(weights, grads, mean, var, weights32, rescale_grad, lrs, wds, etas, out=None, name=None,
                          size=0, **kwargs):
    """`mp_adamw_update` of several weights: lists of arrays, and of a number for each in `lrs`, `wds` and `etas`."""
    return _internal._multi_mp_adamw_update(*_interleaved(weights, grads, mean, var, weights32),
                                            _as_array(rescale_grad, weights[0]), num_weights=size or len(weights),
                                            lrs=lrs, wds=wds, etas=etas, out=out, **kwargs)


def multi_lamb_update(weights, grads, mean, var, step_count, lrs, wds, out=None, num_tensors=0, **kwargs):
    """LAMB (You et al., 2020) on several weights: each moves along Adam's direction, by its own norm.

    Parameters
    ----------
    weights, grads, mean, var : list of NDArray
        `mean` and `var` are changed in place, the new weights go to `out`.
    step_count : list of int
        The number of this update of each weight, from 1.
    lrs, wds : list of float
        Learning rate and weight decay of each weight.
    """
    return _internal._multi_lamb_update(*_interleaved(weights, grads, mean, var), step_count=step_count,
                                        num_tensors=num_tensors or len(weights), learning_rates=lrs, wds=wds, out=out,
                                        **kwargs)


def multi_mp_lamb_update(weights, grads, mean, var, weights32, step_count, lrs, wds, out=None, num_tensors=0,
                         **kwargs):
    """`multi_lamb_update` of narrow weights whose float32 copies `weights32` are changed in place."""
    return _internal._multi_mp_lamb_update(*_interleaved(weights, grads, mean, var, weights32),
                                           step_count=step_count, num_tensors=num_tensors or len(weights),
                                           learning_rates=lrs, wds=wds, out=out, **kwargs)

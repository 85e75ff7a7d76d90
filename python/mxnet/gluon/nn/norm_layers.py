"""Normalization layers. Output shapes equal input shapes."""
import numpy as np

from ..block import HybridBlock

__all__ = ["BatchNorm", "BatchNormReLU", "GroupNorm", "InstanceNorm", "LayerNorm"]


class _Normalization(HybridBlock):
    """A normalization with a learned scale (gamma) and offset (beta) for each channel."""

    def _add_scale_and_offset(self, channels, scale, center, gamma_initializer, beta_initializer, **kwargs):
        """Makes gamma and beta; one that is switched off stays what it was initialized to."""
        self.gamma = self.params.get("gamma", grad_req="write" if scale else "null", shape=(channels,),
                                     init=gamma_initializer, allow_deferred_init=True, **kwargs)
        self.beta = self.params.get("beta", grad_req="write" if center else "null", shape=(channels,),
                                    init=beta_initializer, allow_deferred_init=True, **kwargs)

    def infer_shape(self, x, *_):
        for param in self._reg_params.values():
            param.shape = (x.shape[self._axis],)

    def __repr__(self):
        content = ", ".join(f"{key}={value!r}" for key, value in self._shown().items())
        return f"{type(self).__name__}({content})"


class _BatchNorm(_Normalization):
    """What the batch normalizations have in common."""

    def __init__(self, axis=1, momentum=0.9, epsilon=1e-5, center=True, scale=True, use_global_stats=False,
                 beta_initializer="zeros", gamma_initializer="ones", running_mean_initializer="zeros",
                 running_variance_initializer="ones", in_channels=0, **kwargs):
        super().__init__(**kwargs)
        self._kwargs = {"axis": axis, "eps": epsilon, "momentum": momentum, "fix_gamma": not scale,
                        "use_global_stats": use_global_stats}
        self._axis = axis
        self.gamma = self.params.get("gamma", grad_req="write" if scale else "null", shape=(in_channels,),
                                     init=gamma_initializer, allow_deferred_init=True, differentiable=scale)
        self.beta = self.params.get("beta", grad_req="write" if center else "null", shape=(in_channels,),
                                    init=beta_initializer, allow_deferred_init=True, differentiable=center)
        # Running statistics are written by the operator, not learned.
        self.running_mean = self.params.get("running_mean", grad_req="null", shape=(in_channels,),
                                            init=running_mean_initializer, allow_deferred_init=True,
                                            differentiable=False)
        self.running_var = self.params.get("running_var", grad_req="null", shape=(in_channels,),
                                           init=running_variance_initializer, allow_deferred_init=True,
                                           differentiable=False)

    def cast(self, dtype):
        # Statistics of 16-bit activations need 32 bits.
        super().cast("float32" if np.dtype(dtype).name == "float16" else dtype)

    def _shown(self):
        return {**self._kwargs, "in_channels": self.gamma.shape[0] or None}

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        return F.BatchNorm(x, gamma, beta, running_mean, running_var, name="fwd", **self._kwargs)


class BatchNorm(_BatchNorm):
    """Normalizes each channel over the batch (Ioffe and Szegedy, 2015).

    While training, mean and variance are those of the batch, and running averages of them are kept;
    otherwise the running averages are used.

    Parameters
    ----------
    axis : int
        Axis of the channels.
    momentum : float
        Share of the old running average in the new.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether beta is added and gamma multiplied.
    use_global_stats : bool
        Whether to use the running averages while training too.
    beta_initializer, gamma_initializer, running_mean_initializer, running_variance_initializer : str
        What they start from.
    in_channels : int
        Number of channels; 0 is found out at the first batch.

    Examples
    --------
    >>> layer = mx.gluon.nn.BatchNorm()
    >>> layer.initialize()
    >>> layer(mx.nd.ones((2, 3, 4, 4))).shape
    (2, 3, 4, 4)
    """


class BatchNormReLU(_BatchNorm):
    """`BatchNorm` with a rectifier after it."""

    def hybrid_forward(self, F, x, gamma, beta, running_mean, running_var):
        return F.relu(super().hybrid_forward(F, x, gamma, beta, running_mean, running_var))


class InstanceNorm(_Normalization):
    """Normalizes each channel of each sample over its positions (Ulyanov et al., 2016).

    Parameters
    ----------
    axis : int
        Axis of the channels.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether beta and gamma are learned.
    beta_initializer, gamma_initializer : Initializer or str
        What they start from.
    in_channels : int
        Number of channels; 0 is found out at the first batch.
    """

    def __init__(self, axis=1, epsilon=1e-5, center=True, scale=False, beta_initializer="zeros",
                 gamma_initializer="ones", in_channels=0, **kwargs):
        super().__init__(**kwargs)
        self._kwargs = {"eps": epsilon, "axis": axis, "center": center, "scale": scale}
        self._axis = axis
        self._epsilon = epsilon
        self._add_scale_and_offset(in_channels, scale, center, gamma_initializer, beta_initializer)

    def _shown(self):
        return {**self._kwargs, "in_channels": self.gamma.shape[0]}

    def hybrid_forward(self, F, x, gamma, beta):
        if self._axis == 1:
            return F.InstanceNorm(x, gamma, beta, eps=self._epsilon, name="fwd")
        x = F.swapaxes(x, 1, self._axis)
        return F.swapaxes(F.InstanceNorm(x, gamma, beta, eps=self._epsilon, name="fwd"), 1, self._axis)


class LayerNorm(_Normalization):
    """Normalizes each sample along an axis (Ba et al., 2016).

    Parameters
    ----------
    axis : int
        Axis to normalize.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether beta and gamma are learned.
    beta_initializer, gamma_initializer : Initializer or str
        What they start from.
    in_channels : int
        Length of the axis; 0 is found out at the first batch.

    Examples
    --------
    >>> layer = mx.gluon.nn.LayerNorm()
    >>> layer.initialize()
    >>> layer(mx.nd.array([[1.0, 3.0]])).asnumpy().round(3)
    array([[-1.,  1.]], dtype=float32)
    """

    def __init__(self, axis=-1, epsilon=1e-5, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", in_channels=0, prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._kwargs = {"eps": epsilon, "axis": axis, "center": center, "scale": scale}
        self._axis = axis
        self._epsilon = epsilon
        self._center = center
        self._scale = scale
        self._add_scale_and_offset(in_channels, scale, center, gamma_initializer, beta_initializer)

    def _shown(self):
        return {**self._kwargs, "in_channels": self.gamma.shape[0]}

    def hybrid_forward(self, F, data, gamma, beta):
        return F.LayerNorm(data, gamma, beta, axis=self._axis, eps=self._epsilon)


class GroupNorm(_Normalization):
    """Normalizes groups of channels (axis 1) of each sample (Wu and He, 2018).

    Parameters
    ----------
    num_groups : int
        Number of groups, each with its own gamma and beta.
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether beta and gamma are learned.
    beta_initializer, gamma_initializer : Initializer or str
        What they start from.
    """

    def __init__(self, num_groups=1, epsilon=1e-5, center=True, scale=True, beta_initializer="zeros",
                 gamma_initializer="ones", prefix=None, params=None):
        super().__init__(prefix=prefix, params=params)
        self._kwargs = {"eps": epsilon, "num_groups": num_groups, "center": center, "scale": scale}
        self._num_groups = num_groups
        self._epsilon = epsilon
        self._add_scale_and_offset(num_groups, scale, center, gamma_initializer, beta_initializer)

    def _shown(self):
        return self._kwargs

    def hybrid_forward(self, F, data, gamma, beta):
        return F.GroupNorm(data, gamma, beta, num_groups=self._num_groups, eps=self._epsilon)

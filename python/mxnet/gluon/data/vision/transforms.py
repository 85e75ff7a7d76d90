"""Changes to images, as blocks: for ``dataset.transform_first`` and in networks."""
import numpy as np

from ...block import HybridBlock
from ...nn import HybridSequential, Sequential

__all__ = ["Cast", "Compose", "Normalize", "RandomApply", "ToTensor"]


class Compose(Sequential):
    """Applies changes one after the other.

    Parameters
    ----------
    transforms : list of Block or callable
        The changes.

    Examples
    --------
    >>> T = mx.gluon.data.vision.transforms
    >>> change = T.Compose([T.ToTensor(), T.Normalize(0.13, 0.31)])
    >>> change(mx.nd.zeros((28, 28, 1), dtype="uint8")).shape
    (1, 28, 28)
    """

    def __init__(self, transforms):
        super().__init__()
        run = []  # hybrid blocks in a row are joined, so that they can be compiled as one
        for transform in [*transforms, None]:
            if isinstance(transform, HybridBlock):
                run.append(transform)
                continue
            if len(run) == 1:
                self.add(run[0])
            elif run:
                joined = HybridSequential()
                joined.add(*run)
                joined.hybridize()
                self.add(joined)
            run = []
            if transform is not None:
                self.add(transform)


class RandomApply(Sequential):
    """Applies a change with probability `p`."""

    def __init__(self, transforms, p=0.5):
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, x):
        return self.transforms(x) if np.random.random() < self.p else x


class Cast(HybridBlock):
    """Changes the element type."""

    def __init__(self, dtype="float32"):
        super().__init__()
        self._dtype = dtype

    def hybrid_forward(self, F, x):
        return F.cast(x, self._dtype)


class ToTensor(HybridBlock):
    """Makes images ``(H, W, C)`` of numbers 0 to 255 into ``(C, H, W)`` float32 of 0 to 1.

    A batch ``(N, H, W, C)`` gives ``(N, C, H, W)``.
    """

    def __init__(self):
        super().__init__()

    def hybrid_forward(self, F, x):
        if x.ndim not in (3, 4):
            raise ValueError(f"ToTensor: expected an image (H, W, C) or a batch (N, H, W, C), got shape {x.shape}")
        axes = (2, 0, 1) if x.ndim == 3 else (0, 3, 1, 2)
        return F.transpose(F.cast(x, "float32"), axes=axes) * (1 / 255)


class Normalize(HybridBlock):
    """``(x - mean) / std`` for images ``(C, H, W)`` or batches ``(N, C, H, W)`` of float numbers.

    Parameters
    ----------
    mean, std : float or tuple of float
        One number, or one for each channel.
    """

    def __init__(self, mean=0.0, std=1.0):
        super().__init__()
        self._mean = np.atleast_1d(np.asarray(mean, dtype="float32"))
        self._std = np.atleast_1d(np.asarray(std, dtype="float32"))

    def hybrid_forward(self, F, x):
        if x.ndim not in (3, 4):
            raise ValueError(f"Normalize: expected an image (C, H, W) or a batch (N, C, H, W), got shape {x.shape}")
        if self._mean.size == 1 and self._std.size == 1:
            return (x - float(self._mean[0])) / float(self._std[0])
        shape = (-1, 1, 1) if x.ndim == 3 else (1, -1, 1, 1)
        mean, std = (F.array(v, ctx=x.context, dtype=x.dtype).reshape(shape) for v in (self._mean, self._std))
        return F.broadcast_div(F.broadcast_sub(x, mean), std)

"""Gradients in few bits: what is lost is kept and added the next time."""
from ..base import MXNetError

__all__ = ["Compression"]


class Compression:
    """Rounds gradients to a few values and keeps the rest for the next time (Seide et al., 2014; Strom, 2015).

    With '2bit' each number becomes ``threshold``, ``-threshold`` or 0; with '1bit' it becomes 1 above
    ``threshold`` and -1 otherwise.

    Parameters
    ----------
    params : dict
        ``type``: '2bit' or '1bit'; ``threshold``: float, 0.5 by default.
    """

    def __init__(self, params):
        params = dict(params)
        self.type = params.pop("type", None)
        self.threshold = float(params.pop("threshold", 0.5))
        if params:
            raise MXNetError(f"set_gradient_compression: unknown parameter {next(iter(params))!r}; there are 'type' "
                             "and 'threshold'")
        if self.type not in ("1bit", "2bit"):
            raise MXNetError(f"set_gradient_compression: type must be '1bit' or '2bit', got {self.type!r}")
        if self.type == "2bit" and self.threshold <= 0:
            raise MXNetError(f"set_gradient_compression: threshold must be above 0, got {self.threshold}")
        self._rest = {}

    def __call__(self, place, grad):
        """The rounded gradient; `place` tells apart the gradients whose rests are kept."""
        rest = self._rest.get(place)
        whole = grad if rest is None else grad + rest
        t = self.threshold
        if self.type == "2bit":
            rounded = (whole >= t) * t - (whole <= -t) * t
        else:
            rounded = (whole > t) * 2.0 - 1.0
        rounded = rounded.astype(grad.dtype)
        self._rest[place] = whole - rounded
        return rounded

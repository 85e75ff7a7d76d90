"""Variables: the inputs of graphs."""
import numpy as np

from .. import _core, attribute
from ..base import integer_types
from ..ndarray._dtype import _DTYPE_NP_TO_MX

__all__ = ["Variable", "var"]


def var(name, attr=None, shape=None, lr_mult=None, wd_mult=None, dtype=None, init=None, stype=None, **kwargs):
    """A variable: an input of a graph, to be given when it is bound.

    Parameters
    ----------
    name : str
        Its name.
    attr : dict of str to str, optional
        Attributes.
    shape : tuple of int, optional
        Its shape; 0 stands for an extent that is not known.
    lr_mult, wd_mult : float, optional
        Factors on learning rate and weight decay.
    dtype : str or numpy type, optional
        Its element type.
    init : Initializer or str, optional
        How Module starts it.
    stype : {'default', 'row_sparse', 'csr'}, optional
        Its storage.
    **kwargs : str
        Further attributes, whose names start and end with two underscores.

    Examples
    --------
    >>> mx.sym.var("w", shape=(2, 3)).infer_shape()[1]
    [(2, 3)]
    """
    if not isinstance(name, str):
        raise TypeError("Expect a string for variable `name`")
    attrs = {}
    if shape is not None:
        shape = [shape] if isinstance(shape, integer_types) else shape
        attrs["__shape__"] = str(tuple(int(extent) for extent in shape))
    if lr_mult is not None:
        attrs["__lr_mult__"] = str(lr_mult)
    if wd_mult is not None:
        attrs["__wd_mult__"] = str(wd_mult)
    if dtype is not None:
        attrs["__dtype__"] = str(_dtype_number(dtype))
    if init is not None:
        attrs["__init__"] = init if isinstance(init, str) else init.dumps()
    if stype is not None:
        attrs["__storage_type__"] = str({"default": 0, "row_sparse": 1, "csr": 2}[stype])
    for key, value in kwargs.items():
        if not (key.startswith("__") and key.endswith("__")):
            raise ValueError(f"Attribute name={key} is not supported. Additional attributes must start and end with "
                             "double underscores, e.g, __yourattr__")
        attrs[key] = str(value)
    # A name with underscores stands for the same without.
    around = {key: value for key, value in attribute.current().get(attr).items() if f"__{key}__" not in attrs}
    return _core.symbol_variable(name, {**around, **attrs})


Variable = var


def _dtype_number(dtype):
    """The number of an element type in files."""
    if isinstance(dtype, str) and dtype == "bfloat16":
        return 12
    dtype = np.dtype(dtype)
    return 12 if dtype.names else _DTYPE_NP_TO_MX[dtype.type]

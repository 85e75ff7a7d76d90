"""One batch as a data source."""
from ..ndarray import NDArray
from .io import DataBatch

__all__ = ["MXDataBatch"]


class MXDataBatch(DataBatch):
    """A source that holds one batch, and gives it each time it is gone through.

    Parameters
    ----------
    batch : tuple of NDArray
        The data and the label, with as many samples.

    Raises
    ------
    TypeError
        For anything but a tuple of two arrays.
    ValueError
        When the numbers of samples differ.

    Examples
    --------
    >>> source = mx.io.MXDataBatch((mx.nd.ones((2, 3)), mx.nd.zeros((2,))))
    >>> [(data.shape, label.shape) for data, label in source]
    [((2, 3), (2,))]
    """

    def __init__(self, batch):
        if not isinstance(batch, (tuple, list)) or len(batch) != 2 or not all(isinstance(x, NDArray) for x in batch):
            raise TypeError("MXDataBatch: expected a tuple of two NDArrays, data and label")
        data, label = batch
        if data.shape[:1] != label.shape[:1]:
            raise ValueError(f"MXDataBatch: data of shape {data.shape} and label of shape {label.shape} hold different "
                             "numbers of samples")
        super().__init__([data], [label], pad=0)

    def __len__(self):
        return 1

    def __iter__(self):
        yield self.data[0], self.label[0]

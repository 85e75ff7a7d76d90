"""An iterator of `mxnet.io` over a loader of Gluon."""
from ..io import DataDesc, DataIter

__all__ = ["DataLoaderIter"]


class DataLoaderIter(DataIter):
    """Gives the batches of a `gluon.data.DataLoader` to programs that want an iterator, such as Module.

    A last batch with fewer samples is filled up with zeros; `getpad` says how many.

    Parameters
    ----------
    loader : DataLoader
        Gives pairs of data and label.
    data_name, label_name : str
        Their names.
    dtype : str
        Element type of the batches.

    Examples
    --------
    >>> loader = mx.gluon.data.DataLoader(mx.gluon.data.ArrayDataset(mx.nd.ones((5, 2)), mx.nd.arange(5)), 2)
    >>> [batch.pad for batch in mx.contrib.io.DataLoaderIter(loader)]
    [0, 0, 1]
    """

    def __init__(self, loader, data_name="data", label_name="softmax_label", dtype="float32"):
        super().__init__()
        self._loader = loader
        self.dtype = dtype
        data, label = next(iter(loader))
        self.batch_size = data.shape[0]
        self.provide_data = [DataDesc(data_name, data.shape, dtype)]
        self.provide_label = [DataDesc(label_name, label.shape, dtype)]
        self._iter = iter(loader)
        self._current_batch = None

    def reset(self):
        """Starts a new round."""
        self._iter = iter(self._loader)

    def iter_next(self):
        self._current_batch = next(self._iter, None)
        return self._current_batch is not None

    def _whole(self, array):
        array = array.astype(self.dtype, copy=False)
        missing = self.batch_size - array.shape[0]
        if missing == 0:
            return [array]
        from .. import ndarray
        zeros = ndarray.zeros((missing, *array.shape[1:]), ctx=array.context, dtype=self.dtype)
        return [ndarray.concat(array, zeros, dim=0)]

    def getdata(self):
        return self._whole(self._current_batch[0])

    def getlabel(self):
        return self._whole(self._current_batch[1])

    def getpad(self):
        """How many samples at the end of the batch are zeros."""
        return self.batch_size - self._current_batch[0].shape[0]

    def getindex(self):
        return None

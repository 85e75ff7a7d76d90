"""All iterators and what they give, where MXNet 1.x has them."""
from ..ndarray import NDArray, array
from .file_iters import CSVIter, LibSVMIter, MNISTIter, MXDataIter
from .iterators import DataBatch, DataDesc, DataIter, NDArrayIter, PrefetchingIter, ResizeIter
from .record_iters import (
    ImageDetRecordIter,
    ImageRecordInt8Iter,
    ImageRecordIter,
    ImageRecordIter_v1,
    ImageRecordUInt8Iter,
    ImageRecordUInt8Iter_v1,
)
from .utils import _init_data  # noqa: F401 - iterators of other programs use it

__all__ = ["CSVIter", "DataBatch", "DataDesc", "DataIter", "ImageDetRecordIter", "ImageRecordInt8Iter",
           "ImageRecordIter", "ImageRecordIter_v1", "ImageRecordUInt8Iter", "ImageRecordUInt8Iter_v1", "LibSVMIter",
           "MNISTIter", "MXDataIter", "NDArray", "NDArrayIter", "PrefetchingIter", "ResizeIter", "array"]

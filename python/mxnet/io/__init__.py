"""Data iterators: batches for training loops."""
from . import io as io
from . import utils as utils
from .io import DataBatch, DataDesc, DataIter, NDArrayIter, PrefetchingIter, ResizeIter
from .mx_data_batch import MXDataBatch

__all__ = ["DataBatch", "DataDesc", "DataIter", "MXDataBatch", "NDArrayIter", "PrefetchingIter", "ResizeIter"]

"""CUDA kernels compiled while a program runs: not available here; every use raises an error that says so."""
from .error import NotImplementedError as MXNotImplementedError

__all__ = ["CudaKernel", "CudaModule"]

_TEXT = ("there is no run-time compilation of CUDA source in this package; write the kernel with CuPy or Numba and "
         "pass arrays through DLPack (to_dlpack_for_write, from_dlpack), or as a Custom operator (mx.operator)")


class CudaModule:
    """Stands where MXNet compiled CUDA source; raises NotImplementedError."""

    def __init__(self, source, options=(), exports=()):
        raise MXNotImplementedError(f"CudaModule: {_TEXT}")


class CudaKernel:
    """Stands where MXNet kept a kernel of a `CudaModule`; raises NotImplementedError."""

    def __init__(self, handle, name, is_ndarray, dtypes):
        raise MXNotImplementedError(f"CudaKernel: {_TEXT}")

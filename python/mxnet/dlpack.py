"""Sharing memory with other libraries through DLPack."""
from .ndarray import from_dlpack, to_dlpack_for_read, to_dlpack_for_write

__all__ = ["from_dlpack", "to_dlpack_for_read", "to_dlpack_for_write"]

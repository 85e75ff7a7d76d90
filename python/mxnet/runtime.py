"""What this installation can do."""
import collections
import importlib.util

from . import _core

__all__ = ["Feature", "Features", "feature_list"]

Feature = collections.namedtuple("Feature", ["name", "enabled"])
Feature.__doc__ = "A feature and whether it is there."
Feature.__repr__ = lambda self: f"{'✔' if self.enabled else '✖'} {self.name}"


def _has_module(name):
    return importlib.util.find_spec(name) is not None


def _enabled():
    """Names of the features that are there, as MXNet calls them; what needs a GPU is there where one is."""
    enabled = {"OPENMP", "F16C", "LAPACK", "CXX14", "INT64_TENSOR_SIZE"} | set(_core.build_features())
    if _core.num_gpus():
        enabled |= {"CUDA", "CUDNN", "NCCL"}
    if _has_module("cv2"):
        enabled.add("OPENCV")
    if _has_module(f"{__package__}.profiler"):
        enabled.add("PROFILER")
    return enabled


_NAMES = ("CUDA", "CUDNN", "NCCL", "CUDA_RTC", "TENSORRT", "CPU_SSE", "CPU_SSE2", "CPU_SSE3", "CPU_SSE4_1",
          "CPU_SSE4_2", "CPU_SSE4A", "CPU_AVX", "CPU_AVX2", "OPENMP", "SSE", "F16C", "JEMALLOC", "BLAS_OPEN",
          "BLAS_ATLAS", "BLAS_MKL", "BLAS_APPLE", "LAPACK", "MKLDNN", "OPENCV", "CAFFE", "PROFILER", "DIST_KVSTORE",
          "CXX14", "INT64_TENSOR_SIZE", "SIGNAL_HANDLER", "DEBUG", "TVM_OP")


def feature_list():
    """All features by the names MXNet has for them, a list of `Feature`.

    Examples
    --------
    >>> [feature.name for feature in mx.runtime.feature_list()][:3]
    ['CUDA', 'CUDNN', 'NCCL']
    """
    enabled = _enabled()
    return [Feature(name, name in enabled) for name in _NAMES]


class Features(collections.OrderedDict):
    """The features by name.

    Examples
    --------
    >>> mx.runtime.Features()['INT64_TENSOR_SIZE'].enabled
    True
    """

    _instance = None

    def __new__(cls):
        if cls._instance is None:
            cls._instance = super().__new__(cls)
            collections.OrderedDict.__init__(cls._instance, ((f.name, f) for f in feature_list()))
        return cls._instance

    def __init__(self):
        pass  # the one instance is filled already

    def __repr__(self):
        return str(list(self.values()))

    def is_enabled(self, feature_name):
        """Whether a feature, in any case of letters, is there.

        Raises
        ------
        RuntimeError
            When there is no feature of that name.

        Examples
        --------
        >>> mx.runtime.Features().is_enabled('openmp')
        True
        """
        name = feature_name.upper()
        if name not in self:
            raise RuntimeError(f"Feature '{name}' is unknown, known features are: {list(self)}")
        return self[name].enabled

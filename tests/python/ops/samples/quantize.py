"""Linear quantization."""
import numpy as np

from . import arr, sample

_X = arr(3, 5, low=-2, high=3)
_LOW, _HIGH = np.array([-1.5], "float32"), np.array([2.5], "float32")


def _round(x):
    return np.sign(x) * np.floor(np.abs(x) + 0.5)


def _ints(x, dtype):
    info = np.iinfo(dtype)
    return np.clip(_round(x), info.min, info.max).astype(dtype)


def _quantize(dtype, half, low=None, high=None):
    def ref(x, *given):
        a, b = (low, high) if low is not None else [g[0] for g in given] or (x.min(), x.max())
        r = max(abs(a), abs(b))
        q = _ints(x / r * (np.iinfo(dtype).max + half), dtype)
        return [q, [-r], [r]] if dtype == "int8" else [q, [a], [b]]
    return ref


def _requantize(dtype, r=None):
    def ref(x, low, high):
        x = x * (max(abs(low[0]), abs(high[0])) / (2 ** 31 - 1))
        top = r or np.abs(x).max()
        return [_ints(x / top * np.iinfo(dtype).max, dtype), [-top if dtype == "int8" else 0], [top]]
    return ref


def _dequantize(x, low, high):
    return x * (max(abs(low[0]), abs(high[0])) / (np.iinfo(x.dtype).max + 0.5))


_INT8, _UINT8 = np.array([[-128, -127, 0], [1, 3, 127]], "int8"), np.array([[0, 1, 7], [128, 254, 255]], "uint8")
_INT32 = np.array([-1000000, 500000, 2 ** 20, 7], "int32")
_PLAIN = {"dtypes": (), "tol": 1e-5}

SAMPLES = [
    sample("_contrib_quantize", [_X, _LOW, _HIGH], ref=_quantize("uint8", 0), **_PLAIN),
    sample("_contrib_quantize", [_X, _LOW, _HIGH], {"out_type": "int8"}, ref=_quantize("int8", 0), **_PLAIN),
    sample("_contrib_quantize_v2", [_X], ref=_quantize("int8", 0.5), **_PLAIN),
    sample("_contrib_quantize_v2", [_X], {"out_type": "uint8"}, ref=_quantize("uint8", 0.5), **_PLAIN),
    sample("_contrib_quantize_v2", [_X], {"out_type": "auto"}, ref=_quantize("int8", 0.5), **_PLAIN),
    sample("_contrib_quantize_v2", [_X], {"min_calib_range": -1.5, "max_calib_range": 1.25},
           ref=_quantize("int8", 0.5, -1.5, 1.25), **_PLAIN),
    sample("_contrib_quantize_v2", [_X], {"out_type": "auto", "min_calib_range": 0.0, "max_calib_range": 2.0},
           ref=_quantize("uint8", 0.5, 0, 2), **_PLAIN),
    sample("_contrib_quantize_v2", [np.zeros(3, "float32")], ref=lambda x: [np.zeros(3, "int8"), [0], [0]],
           golden=False, **_PLAIN),
    sample("_contrib_dequantize", [_INT8, _LOW, _HIGH], ref=_dequantize, **_PLAIN),
    sample("_contrib_dequantize", [_UINT8, _LOW, _HIGH], ref=_dequantize, **_PLAIN),
    sample("_contrib_requantize", [_INT32, _LOW, _HIGH], ref=_requantize("int8"), **_PLAIN),
    sample("_contrib_requantize", [_INT32, _LOW, _HIGH], {"min_calib_range": -1e-3, "max_calib_range": 5e-4},
           ref=_requantize("int8", 1e-3), **_PLAIN),
    sample("_contrib_requantize", [_INT32, _LOW, _HIGH],
           {"out_type": "auto", "min_calib_range": 0.0, "max_calib_range": 1e-3}, ref=_requantize("uint8", 1e-3),
           **_PLAIN),
    sample("_contrib_quantized_flatten", [_INT8.reshape(1, 2, 3), _LOW, _HIGH],
           ref=lambda x, low, high: [x.reshape(1, 6), low, high], **_PLAIN),
    sample("_contrib_quantized_act", [_INT8, _LOW, _HIGH], {"act_type": "relu"},
           ref=lambda x, low, high: [np.maximum(x, 0), low, high], **_PLAIN),
    sample("_contrib_quantized_act", [_UINT8, _LOW, _HIGH], {"act_type": "relu"},
           ref=lambda x, low, high: [x, low, high], golden=False, **_PLAIN),  # 1.9.1 calls these bytes int8
]

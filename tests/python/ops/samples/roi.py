"""Pooling over regions of interest."""
import numpy as np

from . import arr, sample

_ROIS = np.array([[0, 0, 0, 6, 5], [1, 1.4, 2.5, 4.6, 4.4], [0, 3, 3, 3.4, 3.3], [1, 5, 4, 2, 1], [0, -4, -4, 20, 20],
                  [0, 10, 10, 12, 12]], "float32")
# Without those whose points lie on the lines between pixels.
_SMOOTH = np.array([[0, 0.2, 0.1, 6.1, 5.3], [1, 1.4, 2.5, 4.6, 4.4], [0, -4.3, -4.6, 20.7, 20.9]], "float32")
_ROTATED = np.array([[0, 3, 3, 4, 2, 0], [0, 3, 3, 4, 2, 30], [1, 2.2, 3.1, 3.3, 1, -45], [1, 3, 3, 4, 2, 90],
                     [0, 0, 0, .5, .5, 10], [0, 20, 20, 3, 3, 5], [0, 3, 3, 0, 0, 0], [0, 3, 3, -2, 2, 0]], "float32")


def _data(channels, seed=0):
    return arr(2, channels, 6, 7, seed=seed)


def _max(data, rois, size, scale):
    out = np.zeros((len(rois), data.shape[1]) + size)
    for r, (image, *corners) in enumerate(rois):
        if image < 0:
            continue
        x0, y0, x1, y1 = (np.floor(abs(v * scale) + 0.5) * np.sign(v) for v in corners)
        bins = [max(y1 - y0 + 1, 1) / size[0], max(x1 - x0 + 1, 1) / size[1]]
        for i, j in np.ndindex(*size):
            lo = [int(np.clip(np.floor(k * b) + s, 0, n))
                  for k, b, s, n in zip((i, j), bins, (y0, x0), data.shape[2:])]
            hi = [int(np.clip(np.ceil((k + 1) * b) + s, 0, n))
                  for k, b, s, n in zip((i, j), bins, (y0, x0), data.shape[2:])]
            window = data[int(image), :, lo[0]:hi[0], lo[1]:hi[1]]
            if window.size:
                out[r, :, i, j] = window.max((1, 2))
    return out


def _pool_sample(data, rois=_ROIS, scale=1.0, size=(2, 2), **keywords):
    keywords.setdefault("dtypes", ("float64",))
    return sample("ROIPooling", [data, rois], {"pooled_size": size, "spatial_scale": scale},
                  ref=lambda x, r: _max(x, r, size, scale), grad=(0,), **keywords)


def _align_sample(channels=3, rois=_ROIS, size=(2, 2), scale=1.0, dtypes=("float64",), **params):
    return sample("_contrib_ROIAlign", [_data(channels), rois],
                  {"pooled_size": size, "spatial_scale": scale, **params}, grad=(0,), dtypes=dtypes)


def _rotated_sample(channels=3, size=(2, 2), scale=1.0, **params):
    return sample("_contrib_RROIAlign", [_data(channels), _ROTATED],
                  {"pooled_size": size, "spatial_scale": scale, **params}, grad=(0,), dtypes=("float64",))


def _sensitive_sample(output_dim=2, pooled=2, group=0, scale=1.0, rois=_ROIS):
    return sample("_contrib_PSROIPooling", [_data(output_dim * (group or pooled) ** 2), rois],
                  {"spatial_scale": scale, "output_dim": output_dim, "pooled_size": pooled, "group_size": group},
                  grad=(0,), dtypes=("float64",))


def _deformable_sample(output_dim=2, pooled=2, group=2, part=0, classes=1, rois=_SMOOTH, **params):
    inputs = [_data(output_dim * group ** 2), rois]
    if not params.get("no_trans"):
        inputs.append(0.5 * arr(len(rois), 2 * classes, part or pooled, part or pooled, low=-2, high=2))
    return sample("_contrib_DeformablePSROIPooling", inputs,
                  {"spatial_scale": 0.9, "output_dim": output_dim, "group_size": group, "pooled_size": pooled,
                   "part_size": part, **params}, grad=(0, 2) if len(inputs) > 2 else (0,), dtypes=("float64",))


SAMPLES = [
    _pool_sample(_data(3)),
    _pool_sample(_data(3), scale=0.5, size=(3, 2)),
    _pool_sample(_data(1), np.array([[-1, 0, 0, 3, 3], [1, 0, 0, 6, 5]], "float32"), size=(7, 7)),
    _pool_sample(_data(2), np.array([[0, 0, 0, 6, 5], [1, 1, 2, 4, 4]], "float32"),
                 dtypes=("float64", "float16", "bfloat16")),
    _align_sample(),
    _align_sample(size=(3, 2), scale=0.5),
    _align_sample(channels=41, sample_ratio=2),
    _align_sample(channels=32, size=(7, 7), scale=0.7),
    _align_sample(rois=_SMOOTH, sample_ratio=2, aligned=True),
    _align_sample(rois=_SMOOTH, scale=0.7, aligned=True),
    _align_sample(channels=8, position_sensitive=True),
    _align_sample(channels=12, size=(3, 2), position_sensitive=True, sample_ratio=3),
    _align_sample(channels=9, rois=np.array([[0, 0, 0, 6, 5], [1, 1, 2, 4, 4]], "float32"),
                  dtypes=("float64", "float16", "bfloat16")),
    _rotated_sample(),
    _rotated_sample(channels=9, size=(3, 2), scale=0.5),
    _rotated_sample(sampling_ratio=2),
    _sensitive_sample(),
    _sensitive_sample(scale=0.5, group=2),
    _sensitive_sample(pooled=3, group=2),
    _sensitive_sample(output_dim=9, pooled=1),
    _deformable_sample(no_trans=True, sample_per_part=2),
    _deformable_sample(trans_std=0.1),
    _deformable_sample(trans_std=0.1, sample_per_part=2),
    _deformable_sample(pooled=3, part=2, trans_std=0.3, sample_per_part=2),
    _deformable_sample(group=1, part=3, trans_std=0.3, sample_per_part=3),
    _deformable_sample(output_dim=4, classes=2, trans_std=0.1, sample_per_part=2),
]

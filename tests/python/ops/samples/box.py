"""Operators on boxes: overlap, suppression, regression targets, matching."""
import numpy as np

from . import arr, sample

# Class, score, corners.
_ROWS = np.array([[0, 0.5, 0.1, 0.1, 0.2, 0.2], [1, 0.4, 0.1, 0.1, 0.2, 0.2], [0, 0.3, 0.1, 0.1, 0.14, 0.14],
                  [2, 0.6, 0.5, 0.5, 0.7, 0.8], [0, -0.1, 0, 0, 1, 1]], "float32")
_TIES = _ROWS.copy()
_TIES[:, 1] = 0.5
_ODD = _ROWS.copy()
_ODD[1, 1], _ODD[2, 1], _ODD[0, 2] = np.nan, np.inf, np.nan


def _boxes(*shape, seed=0, extent=1.0):
    """Random corners, left and top first."""
    x = arr(*shape, 2, 2, low=0, high=extent, seed=seed)
    return np.sort(x, axis=-2).reshape(*shape, 4)


def _scored(n, batch=2, classes=3):
    """Rows of class, score and corners, many of them overlapping."""
    box = _boxes(batch, n)
    box = np.round(box * 4) / 4 + 0.05 * arr(batch, n, 4, low=0)
    rank = np.argsort(arr(batch, n), axis=1).astype("float32") / n
    label = arr(batch, n, 1, low=0, high=classes, dtype="int32").astype("float32")
    return np.concatenate([label, rank[..., None], box], axis=2).astype("float32")


def _corners(box, form):
    if form == "corner":
        return box
    x, y, w, h = np.moveaxis(box, -1, 0)
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1)


def _iou(lhs, rhs, form="corner"):
    a, b = _corners(lhs, form), _corners(rhs, form)
    shape = a.shape[:-1] + b.shape[:-1]
    a, b = a.reshape(-1, 1, 4), b.reshape(1, -1, 4)
    size = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    both = np.where((size > 0).all(-1), size.prod(-1), 0)
    either = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - both
    return np.where(either > 0, both / np.where(either > 0, either, 1), 0).reshape(shape)


def _nms(data, overlap_thresh=0.5, valid_thresh=0.0, topk=-1, id_index=-1, force_suppress=False):
    out = np.full(data.shape, -1.0)
    for rows, kept_rows in zip(data.reshape((-1,) + data.shape[-2:]), out.reshape((-1,) + data.shape[-2:])):
        order = [i for i in np.argsort(-rows[:, 1], kind="stable") if rows[i, 1] > valid_thresh]
        kept = []
        for i in order[:topk if topk > 0 else None]:
            others = [j for j in kept if force_suppress or id_index < 0 or rows[i, id_index] == rows[j, id_index]]
            if not others or _iou(rows[[i], 2:6], rows[others, 2:6]).max() <= overlap_thresh:
                kept.append(i)
        kept_rows[:len(kept)] = rows[kept]
    return out


def _nms_sample(data, grad=True, dtypes=("float64",), **params):
    # Differences would reorder nothing: scores and overlaps are far apart.
    return sample("_contrib_box_nms", [data], params, grad=grad, dtypes=dtypes)


_ANCHORS = np.array([[[0, 0, 0.5, 0.6], [0.1, 0.1, 0.4, 0.4], [0.2, 0.3, 0.9, 0.8], [0, 0, 1, 1]]], "float32")
_REFS = np.array([[[0.1, 0, 0.5, 0.9], [0.3, 0.1, 0.9, 0.4]]], "float32")


def _encode(samples, matches, anchors, refs, means, stds):
    ref = np.take_along_axis(refs, np.where(samples > 0.5, matches, 0)[..., None].astype(int), axis=1)
    size = anchors[..., 2:] - anchors[..., :2]
    other = ref[..., 2:] - ref[..., :2]
    shift = ((ref[..., :2] + ref[..., 2:]) - (anchors[..., :2] + anchors[..., 2:])) / 2
    target = (np.concatenate([shift / size, np.log(other / size)], axis=-1) - means) / stds
    mask = np.broadcast_to((samples > 0.5)[..., None], target.shape)
    return target * mask, mask.astype("float64")


def _decode(data, anchors, stds=(1, 1, 1, 1), clip=-1, form="center"):
    box = _corners(anchors, form)
    size = box[..., 2:] - box[..., :2]
    x = data * np.array(stds)
    log = np.minimum(x[..., 2:], clip) if clip > 0 else x[..., 2:]
    center, half = x[..., :2] * size + (box[..., :2] + box[..., 2:]) / 2, np.exp(log) * size / 2
    return np.concatenate([center - half, center + half], axis=-1)


_SCORES = np.array([[0.5, 0.6], [0.1, 0.2], [0.3, 0.4]], "float32")


def _matching_sample(data, **params):
    return sample("_contrib_bipartite_matching", [data], params, grad=False, dtypes=("float64",))


SAMPLES = [
    sample("_contrib_box_iou", [_boxes(5), _boxes(3)], ref=_iou, grad=False),
    sample("_contrib_box_iou", [_boxes(2, 3), _boxes(4, 1)], ref=_iou, grad=False),
    sample("_contrib_box_iou", [arr(4, 4, low=0), arr(70, 4, low=0)], {"format": "center"},
           ref=lambda a, b: _iou(a, b, "center"), grad=False),
    sample("_contrib_box_iou", [np.array([[0, 0, 2, 2], [1, 1, 2, 2], [0, 0, 0, 0], [2, 2, 1, 1]], "float32")] * 2,
           ref=_iou, grad=False),
    _nms_sample(_ROWS),
    _nms_sample(_ROWS, id_index=0),
    _nms_sample(_ROWS, id_index=0, force_suppress=True),
    _nms_sample(_ROWS, grad=False, id_index=0, background_id=2),
    _nms_sample(_ROWS, overlap_thresh=0.1),
    _nms_sample(_ROWS, overlap_thresh=1.5),
    _nms_sample(_ROWS, topk=2),
    _nms_sample(_ROWS, topk=0, out_format="center"),
    _nms_sample(_ROWS, valid_thresh=0.45),
    _nms_sample(_ROWS, valid_thresh=5),
    _nms_sample(_ROWS, grad=False, in_format="center"),
    _nms_sample(_ROWS, grad=False, out_format="center"),
    _nms_sample(_ROWS, grad=False, valid_thresh=-1, coord_start=1, score_index=0),
    _nms_sample(_TIES, grad=False, id_index=0),
    _nms_sample(_ODD, grad=False),
    # An overlap of exactly the threshold suppresses nothing.
    _nms_sample(np.array([[0, 0.9, 0, 0, 1, 1], [0, 0.8, 0, 0, 1, 0.5]], "float32"), grad=False),
    sample("_contrib_box_nms", [_scored(150)], {"id_index": 0}, ref=lambda x: _nms(x, id_index=0), grad=False,
           dtypes=("float64",)),
    sample("_contrib_box_nms", [_scored(200).reshape(2, 1, 200, 6)], {"overlap_thresh": 0.3, "topk": 90},
           ref=lambda x: _nms(x, 0.3, topk=90), grad=False, dtypes=("float64",)),
    sample("_contrib_box_encode", [np.array([[1, 0, -1, 1]], "float32"), np.array([[0, 1, 0, 1]], "float32"), _ANCHORS,
                                   _REFS, np.float32([0, 0.1, 0, 0.2]), np.float32([0.1, 0.1, 0.2, 0.2])],
           ref=_encode, grad=False),
    sample("_contrib_box_encode", [np.array([[0.4, 0.6, 1], [1, 1, 0.5]], "float32"),
                                   np.float32([[9, 1, 0], [0, 1, -1]]), _boxes(2, 3) + np.float32([0, 0, 1, 1]),
                                   _boxes(2, 2) + np.float32([0, 0, 1, 1]), np.zeros(4, "float32"),
                                   np.ones(4, "float32")], ref=_encode, grad=False),
    sample("_contrib_box_decode", [arr(1, 4, 4), _ANCHORS], ref=_decode, grad=False),
    sample("_contrib_box_decode", [arr(2, 4, 4), _ANCHORS], {"format": "corner"},
           ref=lambda x, a: _decode(x, a, form="corner"), grad=False),
    sample("_contrib_box_decode", [arr(2, 4, 4), _ANCHORS],
           {"std0": 0.1, "std1": 0.1, "std2": 0.2, "std3": 0.3, "clip": 0.1},
           ref=lambda x, a: _decode(x, a, (0.1, 0.1, 0.2, 0.3), 0.1), grad=False),
    _matching_sample(_SCORES, threshold=1e-12),
    _matching_sample(_SCORES, threshold=0.35),
    _matching_sample(_SCORES, threshold=0.35, is_ascend=True),
    _matching_sample(arr(6, 6), threshold=-1, topk=2),
    _matching_sample(arr(2, 3, 4, low=0), threshold=0.1, topk=0),
    _matching_sample(np.ones((3, 3), "float32"), threshold=0.1),
    _matching_sample(np.array([[0.5, 0.25]], "float32"), threshold=0.5),
]

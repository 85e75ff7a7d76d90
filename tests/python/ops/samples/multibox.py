"""The operators of SSD: anchors, targets, detections."""
import numpy as np

from . import arr, sample

_GRID = np.zeros((1, 3, 2, 3), "float32")


def _prior_sample(data=_GRID, **params):
    return sample("_contrib_MultiBoxPrior", [data], params, grad=False, dtypes=("float64",))


_ANCHORS = np.array([[[0, 0, .5, .5], [.5, .5, 1, 1], [0, .5, .5, 1], [.1, .1, .45, .4], [.6, .6, .9, 1.0]]], "float32")
_LABEL = np.array([[[1, .1, .1, .5, .5], [0, .5, .55, .9, 1], [-1, -1, -1, -1, -1]], [[-1] * 5] * 3], "float32")


def _target_sample(label=_LABEL, anchors=_ANCHORS, **params):
    scores = arr(len(label), 4, anchors.shape[1])
    return sample("_contrib_MultiBoxTarget", [anchors, label, scores], params, grad=False, dtypes=("float64",))


def _corners(*shape):
    return np.sort(arr(*shape, 2, 2, low=0), axis=-2).reshape(*shape, 4)


def _objects(batch, n, classes=3):
    label = arr(batch, n, 1, low=0, high=classes, dtype="int32").astype("float32")
    objects = np.concatenate([label, _corners(batch, n)], axis=2)
    objects[0, 2:] = -1
    return objects


def _mined(anchors, label, scores):
    """Class targets with one object of class 1 that has the first anchor, and the two least likely backgrounds."""
    out = np.full((1, anchors.shape[1]), -1.0)
    share = np.exp(scores[0, 0]) / np.exp(scores[0]).sum(0)
    out[0, 1 + np.argsort(share[1:])[:2]] = 0
    out[0, 0] = 2
    return [None, None, out]


_APART = np.array([[[0, 0, .1, .1], [.2, 0, .3, .1], [.4, 0, .5, .1], [.6, 0, .7, .1], [.8, 0, .9, .1]]], "float32")

_BOXES = np.array([[[0, 0, .5, .5], [.05, .05, .5, .5], [.5, .5, 1, 1], [0, .5, .5, 1], [.1, .1, .45, .4]]], "float32")
_PROB = np.array([[[.1, .2, .0, .9, .1], [.8, .7, .5, .005, .3], [.1, .1, .5, .095, .6]]], "float32")


def _detection_sample(prob=_PROB, boxes=_BOXES, offset=0.3, **params):
    offsets = offset * arr(len(prob), 4 * prob.shape[2], low=-2, high=2)
    return sample("_contrib_MultiBoxDetection", [prob, offsets, boxes], params, grad=False, dtypes=("float64",))


def _probabilities(batch, classes, n):
    x = np.exp(4 * arr(batch, classes, n))
    return x / x.sum(1, keepdims=True)


# Two boxes that overlap by exactly a half.
_HALF = np.array([[[0, 0, 1, 1], [0, 0, 1, .5]]], "float32")

SAMPLES = [
    _prior_sample(),
    _prior_sample(sizes=(.5, .25), ratios=(1, 2, .5)),
    _prior_sample(sizes=(.5,), ratios=(.5, 2)),
    _prior_sample(sizes=(.8,), ratios=(2,), clip=True),
    _prior_sample(steps=(.1, .2), offsets=(0, .3)),
    _prior_sample(np.zeros((2, 1, 5, 4), "float32"), sizes=(.2, .3, .4), ratios=(1, 3)),
    _target_sample(),
    _target_sample(overlap_threshold=0.7, variances=(1, 1, 1, 1)),
    _target_sample(overlap_threshold=0),
    _target_sample(_LABEL[:, [0, 2, 1]]),
    _target_sample(np.concatenate([_LABEL, np.ones((2, 3, 1), "float32")], axis=2)),
    _target_sample(negative_mining_ratio=0.5, ignore_label=-5),
    _target_sample(_LABEL[:1], _HALF),
    _target_sample(_objects(3, 4), _corners(1, 60), overlap_threshold=0.3),
    _target_sample(_objects(3, 4), _corners(1, 60), overlap_threshold=0.3, negative_mining_ratio=2.6),
    _target_sample(_objects(3, 4), _corners(1, 60), negative_mining_ratio=1, negative_mining_thresh=0.3),
    # MXNet 1.9.1 disregards the minimum on a CPU.
    sample("_contrib_MultiBoxTarget", [_APART, np.array([[[1, 0, 0, .1, .1]]], "float32"), arr(1, 3, 5)],
           {"negative_mining_ratio": 1, "minimum_negative_samples": 2}, ref=_mined, golden=False, grad=False,
           dtypes=("float64",)),
    _detection_sample(),
    _detection_sample(clip=False, variances=(.2, .3, .4, .5)),
    _detection_sample(threshold=.6, background_id=1),
    _detection_sample(threshold=.95),
    _detection_sample(nms_threshold=.2, nms_topk=2),
    _detection_sample(nms_threshold=.3, force_suppress=True),
    _detection_sample(nms_threshold=1.5),
    _detection_sample(nms_threshold=0),
    _detection_sample(np.full((1, 3, 5), 0.5, "float32"), offset=0),
    _detection_sample(np.array([[[.1, .2], [.9, .8]]], "float32"), _HALF, offset=0),
    _detection_sample(_probabilities(2, 4, 80), _corners(1, 80), nms_threshold=.3),
    _detection_sample(_probabilities(2, 4, 80), _corners(1, 80), nms_threshold=.3, nms_topk=40, threshold=.5),
]

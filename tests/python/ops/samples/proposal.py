"""Regions proposed by a network."""
import numpy as np

from . import arr, sample

_BASE = {"scales": (2, 4), "ratios": (.5, 1, 2), "rpn_post_nms_top_n": 8, "rpn_min_size": 4}


def _proposal_sample(op="Proposal", info=((48, 64, 1),), **params):
    info = np.array(info, "float32")
    # Scores apart from each other: equal ones have no order in MXNet.
    scores = (1 + np.argsort(arr(len(info) * 12 * 3 * 4))).astype("float32").reshape(-1, 12, 3, 4) / 1000
    return sample(f"_contrib_{op}", [scores, 0.3 * arr(len(info), 24, 3, 4), info], {**_BASE, **params}, grad=False,
                  dtypes=("float64",))


SAMPLES = [
    _proposal_sample(),
    _proposal_sample(output_score=True),
    _proposal_sample(iou_loss=True, output_score=True),
    _proposal_sample(threshold=.3),
    _proposal_sample(rpn_pre_nms_top_n=5),
    _proposal_sample(rpn_pre_nms_top_n=-1, threshold=.5),
    _proposal_sample(rpn_post_nms_top_n=30, rpn_pre_nms_top_n=10),
    _proposal_sample(info=((30, 40, 2),)),
    _proposal_sample("MultiProposal", ((48, 64, 1), (40, 50, 2)), output_score=True),
    _proposal_sample("MultiProposal", ((48, 64, 1),)),
]

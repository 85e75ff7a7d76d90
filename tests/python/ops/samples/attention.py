"""Attention with interleaved heads."""
import numpy as np

from . import arr, sample


def _part(x, heads, part, parts):
    """One part of all heads: (batch * heads, time, size)."""
    time, batch, width = x.shape
    split = x.reshape(time, batch * heads, parts, width // heads // parts)
    return split[:, :, part].transpose(1, 0, 2)


def _joined(x, heads):
    """(batch * heads, time, size) as (time, batch, heads * size)."""
    return x.transpose(1, 0, 2).reshape(x.shape[1], x.shape[0] // heads, heads * x.shape[2])


def _scores(a, b, heads, lhs, rhs, scale=None):
    q, k = _part(a, heads, *lhs), _part(b, heads, *rhs)
    return q @ k.transpose(0, 2, 1) * (1 / np.sqrt(q.shape[2]) if scale is None else scale)


def _mix(scores, v, heads, part, parts, transpose=False, scale=1):
    return scale * _joined((scores.transpose(0, 2, 1) if transpose else scores) @ _part(v, heads, part, parts), heads)


PREFIX = "_contrib_interleaved_matmul_"

SAMPLES = [
    *[sample(PREFIX + "selfatt_qk", [arr(t, n, h * 3 * d)], {"heads": h},
             ref=lambda x, h=h: _scores(x, x, h, (0, 3), (1, 3)))
      for t, n, h, d in ((5, 2, 3, 4), (1, 1, 1, 1), (17, 3, 2, 8))],
    *[sample(PREFIX + "selfatt_valatt", [arr(t, n, h * 3 * d), arr(n * h, t, t)], {"heads": h},
             ref=lambda x, a, h=h: _mix(a, x, h, 2, 3)) for t, n, h, d in ((5, 2, 3, 4), (1, 1, 1, 1), (17, 3, 2, 8))],
    *[sample(PREFIX + "encdec_qk", [arr(t, n, h * d), arr(s, n, h * 2 * d)], {"heads": h},
             ref=lambda q, x, h=h: _scores(q, x, h, (0, 1), (0, 2)))
      for t, s, n, h, d in ((5, 3, 2, 3, 4), (1, 2, 1, 1, 1), (9, 17, 3, 2, 8))],
    *[sample(PREFIX + "encdec_valatt", [arr(s, n, h * 2 * d), arr(n * h, t, s)], {"heads": h},
             ref=lambda x, a, h=h: _mix(a, x, h, 1, 2))
      for t, s, n, h, d in ((5, 3, 2, 3, 4), (1, 2, 1, 1, 1), (9, 17, 3, 2, 8))],
    sample("_head_scores", [arr(4, 2, 12), arr(3, 2, 6)], {"heads": 2, "lhs_part": 1, "lhs_parts": 2, "scale": 2.0},
           ref=lambda a, b: _scores(a, b, 2, (1, 2), (0, 1), 2.0)),
    sample("_head_scores", [arr(4, 2, 12), None], {"heads": 2, "lhs_parts": 3, "rhs_parts": 3},
           ref=lambda a, _: _scores(a, a, 2, (0, 3), (0, 3), 1)),
    sample("_head_mix", [arr(4, 3, 5), arr(3, 2, 12)], {"heads": 2, "part": 1, "parts": 2, "transpose": True,
                                                       "scale": 0.5},
           ref=lambda s, v: _mix(s, v, 2, 1, 2, True, 0.5)),
]

"""The CTC loss."""
import numpy as np
from scipy.special import log_softmax

from . import arr, sample


def _reference(of_log_probs=False, use_data_lengths=False, use_label_lengths=False, blank_label="first"):
    def loss(data, label, *lengths):
        time, batch, classes = data.shape
        lengths = [x.astype(int) for x in lengths if x is not None]
        steps = lengths.pop(0) if use_data_lengths else np.full(batch, time)
        padding, blank = (0, 0) if blank_label == "first" else (-1, classes - 1)
        logs = data if of_log_probs else log_softmax(data, axis=2)
        return np.array([_loss_of(np.exp(logs[:steps[n], n]), _cut(row, lengths[0][n] if lengths else None, padding),
                                  blank) for n, row in enumerate(label.astype(int))])
    return loss


def _cut(label, length, padding):
    label = list(label)
    if length is not None:
        return label[:length]
    return label[:label.index(padding)] if padding in label else label


def _loss_of(probs, label, blank):
    """By the probability of each prefix at each step, ending with a blank or not (none of the recursions ours uses)."""
    state = {((), blank): 1.0}
    for row in probs:
        after = {}
        for (prefix, last), p in state.items():
            for k, q in enumerate(row):
                new = prefix if k in (blank, last) else (*prefix, k)
                if list(new) == label[:len(new)]:
                    after[new, k] = after.get((new, k), 0.0) + p * q
        state = after
    total = sum(p for (prefix, _), p in state.items() if list(prefix) == label)
    return -np.log(total) if total > 0 else 0.0


def _ctc(data, label, *lengths, op="CTCLoss", **params):
    label = np.array(label, "float32")
    lengths = [None if x is None else np.array(x, "float32") for x in lengths]
    return sample(op, [data, label, *lengths], params, grad=(0,), tol=(1e-4, 1e-4),
                  dtypes=None if op == "CTCLoss" else ("float64",),
                  ref=_reference(of_log_probs=op != "CTCLoss", **params))


LABEL = [[1, 2, 0], [3, 3, 2]]

SAMPLES = [
    _ctc(arr(6, 2, 5), LABEL),
    _ctc(arr(6, 2, 5), [[1, 0, 2], [0, 0, 0]]),  # a label ends at its first 0
    _ctc(arr(6, 2, 5), [[1, 2, -1], [3, 0, 2]], blank_label="last"),
    _ctc(arr(7, 2, 5), [[1, 1, 1], [3, 3, 3]]),
    _ctc(arr(7, 2, 5), LABEL, [4, 6], use_data_lengths=True),
    _ctc(arr(7, 2, 5), [[1, 2, 3], [3, 3, 2]], None, [2, 3], use_label_lengths=True),
    _ctc(arr(7, 2, 5), [[1, 2, 3], [3, 3, 2]], [5, 7], [2, 0], use_data_lengths=True, use_label_lengths=True),
    _ctc(arr(7, 2, 5), [[1, 1, 1], [3, 3, 3]], [4, 5], use_data_lengths=True),  # no way to say it in 4 steps
    _ctc(arr(5, 3, 4, low=-4, high=4), [[1, 3], [2, 0], [2, 3]]),
    _ctc(arr(1, 2, 3), [[1], [0]]),
    _ctc(log_softmax(arr(6, 2, 4), axis=2), [[1, 2, 0], [3, 3, 2]], op="_ctc_loss_of_log_probs"),
    _ctc(log_softmax(arr(6, 2, 4), axis=2), [[1, 2], [0, 0]], [3, 5], blank_label="last", use_data_lengths=True,
         op="_ctc_loss_of_log_probs"),
]

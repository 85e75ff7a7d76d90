"""Calls that no sample makes, and that once crashed or ran for ever: found by random inputs and parameters."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import nd


@pytest.mark.parametrize("call, text", [
    (lambda: nd._internal._split_v2(nd.ones((7, 2)), indices=(), axis=0, sections=2 ** 31 - 1),
     "_split_v2: would have 2147483647 outputs"),
    (lambda: nd._internal._split_v2(nd.ones((2, 7)), indices=(2, 5), axis=1, sections=-1),
     "_split_v2: indices .* must begin with 0"),
    (lambda: nd._internal._split_v2(nd.ones((0, 7)), indices=(), axis=0), "_split_v2: indices .* must begin with 0"),
    (lambda: nd._internal._dropout_apply(nd.ones((2, 2)), nd.ones((7, 1, 0, 1, 2), dtype="int64")),
     "_dropout_apply: mask has dtype int64, expected uint8"),
    (lambda: nd._internal._dropout_apply(nd.ones((2, 2)), nd.ones((2, 3), dtype="uint8")),
     r"_dropout_apply: mask has shape \(2, 3\), expected \(2, 2\)"),
    (lambda: nd._internal._dropout_apply(nd.ones((2, 2)), nd.ones((2, 2), dtype="uint8"), p=-np.inf),
     "_dropout_apply: p is -inf, expected a fraction"),
    (lambda: nd._internal._polygamma(nd.ones(3), n=2 ** 31 - 1), "_polygamma: n is 2147483647, must be from 0 to 170"),
    (lambda: nd.contrib.DeformablePSROIPooling(nd.ones((1, 8, 6, 7)), nd.array([[0, 0, 0, 5, 5]]),
                                               nd.zeros((1, 2, 2, 2)), spatial_scale=1, output_dim=2, group_size=2,
                                               pooled_size=2, sample_per_part=2 ** 31 - 1, no_trans=True),
     "sample_per_part is 2147483647, must be at most 1024"),
])
def test_plain_errors(call, text):
    with pytest.raises((ValueError, TypeError), match=text) as caught:
        call()
    assert isinstance(caught.value, mx.MXNetError)


def test_gradient_of_matrices_without_elements():
    x = nd.zeros((3, 0))
    x.attach_grad()
    with mx.autograd.record():
        y = nd.linalg.makediag(x, offset=2)
    y.backward()
    assert y.shape == (3, 2, 2) and x.grad.shape == (3, 0)

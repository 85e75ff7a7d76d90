"""Small operators: gradients that are no derivatives, and what samples cannot say."""
import numpy as np
import pytest

import mxnet as mx
from mxnet import autograd, nd

X = np.random.RandomState(0).uniform(-1, 1, size=(3, 4))


def gradient(f, x, head=None):
    x = nd.array(x, dtype="float64")
    x.attach_grad()
    with autograd.record():
        y = f(x)
    y.backward(head)
    return x.grad.asnumpy()


@pytest.mark.parametrize("normalization, divisor", [("null", 1), ("batch", 3), ("valid", (X > 0.3).sum())])
def test_make_loss(normalization, divisor):
    have = gradient(lambda x: nd.MakeLoss(x, grad_scale=2, valid_thresh=0.3, normalization=normalization), X,
                    nd.ones((3, 4), dtype="float64") * 5)
    np.testing.assert_allclose(have, np.full((3, 4), 2 / divisor))
    assert gradient(lambda x: nd.MakeLoss(x, valid_thresh=9, normalization="valid"), X).tolist() == [[1] * 4] * 3


@pytest.mark.parametrize("linear", [False, True])
def test_svm_output(linear):
    label = nd.array([1, 0, 3], dtype="float64")
    have = gradient(lambda x: nd.SVMOutput(x, label, margin=0.7, regularization_coefficient=1.3, use_linear=linear), X)

    def loss(x):
        sign = np.ones((3, 4))
        sign[range(3), [1, 0, 3]] = -1
        slack = np.maximum(0, 0.7 + sign * x)
        return 1.3 * (slack if linear else slack ** 2).sum()

    step = 1e-6
    for place in np.ndindex(3, 4):
        unit = np.zeros((3, 4))
        unit[place] = step
        np.testing.assert_allclose(have[place], (loss(X + unit) - loss(X - unit)) / (2 * step), atol=1e-7)


def test_sparse_regularization():
    """Numbers of MXNet 1.9.1."""
    x = np.array([[0.1112, 0.498, 0.0684], [0.1044, 0.2847, 0.851], [0.2179, 0.2881, 0.2474], [0.7566, 0.4848, 0.0153]])
    average = nd.full((3,), 0.2, dtype="float64")
    have = gradient(lambda x: nd.IdentityAttachKLSparseReg(x, average, sparseness_target=0.1, penalty=0.5), x,
                    nd.full((4, 3), 2, dtype="float64"))
    np.testing.assert_allclose(average.asnumpy(), [0.2098, 0.2189, 0.2096], atol=1e-4)
    np.testing.assert_allclose(have, [[2.3311, 2.3477, 2.3307]] * 4, atol=1e-4)
    nd.IdentityAttachKLSparseReg(nd.array(x, dtype="float64"), average)
    np.testing.assert_allclose(average.asnumpy(), [0.2098, 0.2189, 0.2096], atol=1e-4)


def test_set_value():
    x = nd.zeros((2, 3), dtype="int32")
    assert nd._internal._set_value(src=3, out=x) is x
    assert x.asnumpy().tolist() == [[3] * 3] * 2


def test_onehot_encode():
    out = nd.zeros((3, 3))
    nd.onehot_encode(nd.array([1, 0, 2]), out)
    assert out.asnumpy().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]


def test_operators_that_keep_sparsity_work_on_dense_arrays():
    x = nd.array([1, 0, 2])
    assert nd._internal._scatter_plus_scalar(x, scalar=2.5).asnumpy().tolist() == [3.5, 2.5, 4.5]
    assert nd._internal._scatter_minus_scalar(x, scalar=2.5).asnumpy().tolist() == [-1.5, -2.5, -0.5]
    assert nd._internal._scatter_elemwise_div(x, nd.array([1, 1, 4])).asnumpy().tolist() == [1, 0, 0.5]


@pytest.mark.parametrize("call, text", [
    (lambda: nd.cumsum(nd.ones((2, 3)), axis=2), r"cumsum: axis 2 is out of range for shape \(2, 3\)"),
    (lambda: nd.khatri_rao(nd.ones((2, 3)), nd.ones((2, 4))), "khatri_rao: got matrices of 3 and 4 columns"),
    (lambda: nd.contrib.count_sketch(nd.ones((1, 2)), nd.array([[0, 5]]), nd.ones((1, 2)), out_dim=3), "holds 5"),
    (lambda: nd.im2col(nd.ones((1, 1, 3, 3)), kernel=(5, 5)), "im2col: the window"),
    (lambda: nd.col2im(nd.ones((1, 4, 5)), output_size=(3, 4), kernel=(2, 2)), "col2im: data has shape"),
    (lambda: nd.im2col(nd.ones((1, 1, 3, 3)), kernel=(2, 2), stride=(1,)), "im2col: stride, dilate and pad"),
    (lambda: nd.contrib.quantize_v2(nd.ones(3, dtype="float64")), "_contrib_quantize_v2: data has dtype float64"),
    (lambda: nd.contrib.quantized_act(nd.ones(3, dtype="int8"), nd.zeros(1), nd.ones(1), act_type="tanh"),
     "_contrib_quantized_act: act_type must be 'relu'"),
    (lambda: nd.SVMOutput(nd.ones((2, 3)), nd.ones(3)), "SVMOutput: label has shape"),
])
def test_errors(call, text):
    with pytest.raises(mx.MXNetError, match=text):
        call().wait_to_read()


def _output_gradient(data, label, op="SoftmaxOutput", **params):
    data = mx.nd.array(data)
    data.attach_grad()
    with mx.autograd.record():
        out = getattr(mx.nd, op)(data, mx.nd.array(label), **params)
    out.backward()
    return data.grad.asnumpy()


def test_softmax_output_counts_labels_that_are_not_the_ignored_one():
    data = [[0.1, 0.2, 0.3], [0.3, 0.1, 0.2]]
    plain = _output_gradient(data, [0, 1])
    np.testing.assert_allclose(_output_gradient(data, [0, 1], normalization="valid", ignore_label=1), plain, rtol=1e-6)
    np.testing.assert_allclose(_output_gradient(data, [0, 1], normalization="valid"), plain / 2, rtol=1e-6)


def test_softmax_output_of_positions_is_not_smoothed():
    data = np.arange(12, dtype="float32").reshape(2, 3, 2) / 10
    label = [[0, 1], [2, 0]]
    np.testing.assert_allclose(_output_gradient(data, label, multi_output=True, smooth_alpha=0.1),
                    _output_gradient(data, label, multi_output=True), rtol=1e-6)


def test_absolute_regression_goes_down_where_data_is_the_label():
    have = _output_gradient([[1, 2, 3]], [[2, 2, 2]], "MAERegressionOutput")
    np.testing.assert_allclose(have, [[-1 / 3, -1 / 3, 1 / 3]], rtol=1e-6)


@pytest.mark.parametrize("axis", [1, 3])
@pytest.mark.parametrize("name", ["offset", "trend", "outliers", "constant", "border"])
def test_batch_statistics_are_exact(name, axis):
    rng = np.random.RandomState(0)
    noise = rng.normal(0, 1, (2, 60, 50, 24))
    x = {"offset": 1e4 + noise, "trend": 0.1 * noise + np.linspace(0, 100, 60)[:, None, None],
         "outliers": np.where(rng.rand(*noise.shape) < 1e-4, 1e4, noise), "constant": np.full(noise.shape, 3.3),
         "border": np.where(np.arange(60)[:, None, None] < 12, 0, 50 + noise)}[name].astype("float32")
    want = x.astype("float64").mean((0, 1, 2)), x.astype("float64").var((0, 1, 2))
    data = nd.array(x if axis == 3 else np.moveaxis(x, 3, 1))
    gamma, beta, mean, var = (make(24) for make in (nd.ones, nd.zeros, nd.zeros, nd.zeros))
    with autograd.train_mode():
        nd.BatchNorm(data, gamma, beta, mean, var, fix_gamma=False, axis=axis, momentum=0)
    # Sums of float32 in narrow vectors are a little less exact.
    np.testing.assert_allclose(mean.asnumpy(), want[0], rtol=4e-6, atol=1e-6 * np.sqrt(want[1].max()))
    np.testing.assert_allclose(var.asnumpy(), want[1], rtol=1e-5, atol=1e-10)

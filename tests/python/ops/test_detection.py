"""Detection operators on input that a network in trouble gives: NaN, infinite, empty and absurd boxes."""
import itertools

import numpy as np
import pytest

import mxnet as mx

contrib = mx.nd.contrib
ODD = (np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, 0.5)


def odd(*shape, seed=0, dtype="float32"):
    """Numbers of which many are not finite, or huge."""
    random = np.random.RandomState(seed)
    x = random.choice(ODD, size=shape)
    return mx.nd.array(np.where(random.uniform(size=shape) < 0.5, x, random.uniform(-3, 9, size=shape)), dtype=dtype)


@pytest.fixture(params=["float32", "float64", "float16"])
def dtype(request):
    return request.param


def done(result):
    for x in result if isinstance(result, (list, tuple)) else [result]:
        x.asnumpy()


# --- boxes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_odd_boxes(seed, dtype):
    rows = odd(2, 60, 6, seed=seed, dtype=dtype)
    for params in ({}, {"id_index": 0}, {"id_index": 0, "background_id": 0, "topk": 20}, {"in_format": "center"}):
        out = contrib.box_nms(rows, **params).asnumpy()
        assert out.shape == rows.shape
        scores = out[..., 1][out[..., 1] != -1]
        assert not np.isnan(scores).any()
    done(contrib.box_iou(odd(30, 4, seed=seed, dtype=dtype), odd(9, 4, seed=seed + 1, dtype=dtype)))
    done(contrib.box_decode(odd(2, 9, 4, seed=seed, dtype=dtype), odd(1, 9, 4, seed=seed, dtype=dtype), clip=2.0))
    done(contrib.bipartite_matching(odd(2, 7, 9, seed=seed, dtype=dtype), threshold=0.1))
    done(contrib.bipartite_matching(odd(2, 7, 9, seed=seed, dtype=dtype), threshold=0.1, is_ascend=True))


@pytest.mark.parametrize("n", [0, 1])
def test_no_boxes(n):
    assert contrib.box_nms(mx.nd.zeros((2, n, 6))).shape == (2, n, 6)
    assert contrib.box_nms(mx.nd.zeros((0, 3, 6))).shape == (0, 3, 6)
    assert contrib.box_iou(mx.nd.zeros((n, 4)), mx.nd.zeros((3, 4))).shape == (n, 3)
    assert contrib.box_iou(mx.nd.zeros((3, 4)), mx.nd.zeros((n, 4))).shape == (3, n)
    assert contrib.box_decode(mx.nd.zeros((2, n, 4)), mx.nd.zeros((1, n, 4))).shape == (2, n, 4)
    rows, columns = contrib.bipartite_matching(mx.nd.ones((n, 3)), threshold=0.1)
    assert (rows.shape, columns.shape) == ((n,), (3,))


def test_gradient_of_nms_without_boxes():
    rows = mx.nd.zeros((2, 3, 6))
    rows.attach_grad()
    with mx.autograd.record():
        out = contrib.box_nms(rows, valid_thresh=0.5)
    out.backward(mx.nd.array(np.full((2, 3, 6), np.nan)))
    assert (rows.grad.asnumpy() == 0).all()


def test_second_gradient_of_nms():
    rows = mx.nd.array([[0, .9, 0, 0, 1, 1], [0, .8, 0, 0, 1, .9], [0, .7, 2, 2, 3, 3]])
    rows.attach_grad()
    with mx.autograd.record():
        out = contrib.box_nms(rows)
        grad = mx.autograd.grad((out ** 3).sum(), rows, create_graph=True)[0]
        total = (grad * grad).sum()
    total.backward()
    x = rows.asnumpy()
    want = np.where(np.array([[1], [0], [1]]), 2 * (3 * x ** 2) * 6 * x, 0)
    np.testing.assert_allclose(rows.grad.asnumpy(), want, rtol=1e-5)


@pytest.mark.parametrize("match", [-1, 2, np.nan, np.inf, 1e30])
def test_encoding_refuses_a_match_that_is_not_there(match):
    one = mx.nd.ones((1, 1))
    boxes = mx.nd.array([[[0, 0, 1, 1], [0, 0, 2, 2]]])
    with pytest.raises(IndexError, match="out of range for 2 reference boxes"):
        done(contrib.box_encode(one, one * match, boxes[:, :1], boxes, mx.nd.zeros(4), mx.nd.ones(4)))
    done(contrib.box_encode(-one, one * match, boxes[:, :1], boxes, mx.nd.zeros(4), mx.nd.ones(4)))


@pytest.mark.parametrize("params, text", [
    ({"coord_start": 3}, "coord_start is 3, expected 0 to 2"), ({"coord_start": -1}, "coord_start is -1"),
    ({"score_index": 6}, "score_index is 6"), ({"score_index": -1}, "score_index is -1"),
    ({"score_index": 4}, "score_index 4 lies among"), ({"id_index": 6}, "id_index is 6"),
    ({"id_index": 5}, "id_index 5 lies among"), ({"id_index": 1}, "both 1")])
def test_nms_refuses(params, text):
    with pytest.raises(ValueError, match=text):
        contrib.box_nms(mx.nd.zeros((3, 6)), **params)


def test_suppression_of_many_boxes():
    """Beside the definition, box by box."""
    random = np.random.RandomState(1)
    boxes = np.sort(random.uniform(0, 1, (700, 2, 2)), axis=1).reshape(-1, 4)
    scores = random.permutation(700) / 700
    out = contrib.box_nms(mx.nd.array(np.concatenate([scores[:, None], boxes], 1), dtype="float64"),
                          coord_start=1, score_index=0, valid_thresh=-1, overlap_thresh=0.4).asnumpy()
    iou = contrib.box_iou(mx.nd.array(boxes, dtype="float64"), mx.nd.array(boxes, dtype="float64")).asnumpy()
    kept = []
    for i in np.argsort(-scores):
        if all(iou[i, j] <= 0.4 for j in kept):
            kept.append(i)
    np.testing.assert_array_equal(out[:len(kept), 0], scores[kept])
    assert (out[len(kept):] == -1).all()


# --- SSD ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_odd_anchors(seed, dtype):
    anchors, label, scores = (odd(*shape, seed=seed, dtype=dtype) for shape in ((1, 30, 4), (2, 3, 5), (2, 4, 30)))
    for params in ({}, {"negative_mining_ratio": 2.0}, {"negative_mining_ratio": 1e30, "overlap_threshold": 0.0}):
        offsets, mask, classes = contrib.MultiBoxTarget(anchors, label, scores, **params)
        done((offsets, classes))
        assert set(np.unique(mask.asnumpy())) <= {0, 1}
    for params in ({}, {"nms_topk": 5}, {"force_suppress": True, "threshold": -1.0}):
        out = contrib.MultiBoxDetection(scores, odd(2, 120, seed=seed + 9, dtype=dtype), anchors, **params)
        assert not np.isnan(out.asnumpy()[..., :2]).any()


def test_no_anchors_or_objects():
    for n, m, batch in itertools.product((0, 2), (0, 2), (0, 1)):
        shapes = [x.shape for x in contrib.MultiBoxTarget(mx.nd.zeros((1, n, 4)), mx.nd.zeros((batch, m, 5)),
                                                          mx.nd.zeros((batch, 3, n)), negative_mining_ratio=3)]
        assert shapes == [(batch, 4 * n), (batch, 4 * n), (batch, n)]
        assert contrib.MultiBoxDetection(mx.nd.zeros((batch, 3, n)), mx.nd.zeros((batch, 4 * n)),
                                         mx.nd.zeros((1, n, 4))).shape == (batch, n, 6)
    assert contrib.MultiBoxPrior(mx.nd.zeros((1, 3, 0, 4))).shape == (1, 0, 4)
    # Only the background: nothing can be detected.
    assert (contrib.MultiBoxDetection(mx.nd.ones((1, 1, 2)), mx.nd.zeros((1, 8)), mx.nd.ones((1, 2, 4))).asnumpy()
            == -1).all()


@pytest.mark.parametrize("params, text", [
    ({"sizes": ()}, "sizes is empty"), ({"ratios": ()}, "ratios is empty"), ({"ratios": (1, -1)}, "a ratio is -1"),
    ({"ratios": (0,)}, "a ratio is 0"), ({"steps": (1,)}, "steps has 1 entries"),
    ({"steps": (.1, -1)}, "only one is positive"), ({"offsets": (1, 2, 3)}, "offsets has 3 entries")])
def test_prior_refuses(params, text):
    with pytest.raises(ValueError, match=text):
        contrib.MultiBoxPrior(mx.nd.zeros((1, 3, 4, 4)), **params)


def test_no_gradient_flows_back_through_targets():
    scores = mx.nd.random.uniform(shape=(1, 3, 4))
    scores.attach_grad()
    with mx.autograd.record():
        offsets, _, _ = contrib.MultiBoxTarget(mx.nd.random.uniform(shape=(1, 4, 4)), mx.nd.ones((1, 1, 5)), scores)
        (offsets.sum() + scores.sum()).backward()
    assert (scores.grad.asnumpy() == 1).all()


# --- regions ------------------------------------------------------------------------------------------------

SIZE = {"pooled_size": (2, 3), "spatial_scale": 0.5}
GRID = {"spatial_scale": 0.5, "output_dim": 2, "pooled_size": 2, "group_size": 2}
POOLS = {
    "ROIPooling": (lambda x, r: mx.nd.ROIPooling(x, r, **SIZE), 5),
    "ROIAlign": (lambda x, r: contrib.ROIAlign(x, r, **SIZE), 5),
    "ROIAlign_many": (lambda x, r: contrib.ROIAlign(mx.nd.concat(x, x, dim=1), r, **SIZE), 5),
    "ROIAlign_aligned": (lambda x, r: contrib.ROIAlign(x, r, aligned=True, sample_ratio=2, **SIZE), 5),
    "RROIAlign": (lambda x, r: contrib.RROIAlign(x, r, **SIZE), 6),
    "PSROIPooling": (lambda x, r: contrib.PSROIPooling(x, r, **GRID), 5),
    "DeformablePSROIPooling": (lambda x, r: contrib.DeformablePSROIPooling(
        x, r, odd(r.shape[0], 2, 2, 2, dtype=x.dtype), trans_std=0.1, **GRID), 5),
}


def regions(width, dtype, seed=0, count=40):
    rois = odd(count, width, seed=seed, dtype="float64").asnumpy()
    rois[:, 0] = np.random.RandomState(seed).choice([-1, 0, 1], count)
    return mx.nd.array(rois, dtype=dtype)


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("seed", range(3))
def test_odd_regions(name, seed, dtype):
    pool, width = POOLS[name]
    data = mx.nd.array(np.random.RandomState(seed).uniform(-1, 1, (2, 8, 6, 7)), dtype=dtype)
    rois = regions(width, dtype, seed)
    data.attach_grad()
    with mx.autograd.record():
        out = pool(data, rois)
    out.backward()
    assert np.isfinite(out.asnumpy()).all() and np.isfinite(data.grad.asnumpy()).all()
    nobody = ~np.isfinite(rois.asnumpy()).all(1) | (rois.asnumpy()[:, 0] < 0)
    assert (out.asnumpy()[nobody] == 0).all()


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("image", [2, 7, 1e30, np.nan, np.inf])
def test_regions_of_an_image_that_is_not_there(name, image):
    pool, width = POOLS[name]
    rois = np.ones((3, width))
    rois[1, 0] = image
    with pytest.raises(IndexError, match="region 1 names image .*, the batch has 2"):
        done(pool(mx.nd.ones((2, 8, 6, 7)), mx.nd.array(rois)))


@pytest.mark.parametrize("name", POOLS)
def test_no_regions_and_no_pixels(name):
    pool, width = POOLS[name]
    assert pool(mx.nd.ones((2, 8, 6, 7)), mx.nd.zeros((0, width))).shape[0] == 0
    out = pool(mx.nd.ones((2, 8, 0, 7)), mx.nd.zeros((3, width)))
    assert (out.asnumpy() == 0).all() and out.shape[0] == 3
    data = mx.nd.ones((2, 8, 6, 7))
    data.attach_grad()
    with mx.autograd.record():
        out = pool(data, mx.nd.zeros((0, width)))
    out.backward()
    assert (data.grad.asnumpy() == 0).all()


@pytest.mark.parametrize("call, text", [
    (lambda x, r: mx.nd.ROIPooling(x, r, pooled_size=2, spatial_scale=1), "pooled_size is"),
    (lambda x, r: contrib.ROIAlign(x, r, pooled_size=(0, 2), spatial_scale=1), "pooled_size is"),
    (lambda x, r: contrib.ROIAlign(x, r, pooled_size=(3, 2), spatial_scale=1, position_sensitive=True), "6 channels"),
    (lambda x, r: contrib.ROIAlign(x, r[:, :4], pooled_size=(3, 2), spatial_scale=1), "rois"),
    (lambda x, r: contrib.RROIAlign(x, r, pooled_size=(3, 2), spatial_scale=1), "rois"),
    (lambda x, r: contrib.PSROIPooling(x, r, spatial_scale=1, output_dim=3, pooled_size=2), "need 12"),
    (lambda x, r: contrib.PSROIPooling(x, r, spatial_scale=1, output_dim=-2, pooled_size=2), "output_dim is -2"),
    (lambda x, r: contrib.DeformablePSROIPooling(x, r, mx.nd.zeros((3, 3, 2, 2)), **GRID), "trans has shape"),
    (lambda x, r: contrib.DeformablePSROIPooling(x, r, mx.nd.zeros((2, 2, 2, 2)), **GRID), "trans"),
    (lambda x, r: contrib.DeformablePSROIPooling(x, r, **GRID), "trans is missing"),
    (lambda x, r: contrib.DeformablePSROIPooling(x, r, mx.nd.zeros((3, 2, 2, 2)), sample_per_part=0, **GRID),
     "sample_per_part is 0"),
    (lambda x, r: contrib.ROIAlign(x[0], r, pooled_size=(3, 2), spatial_scale=1), "data")])
def test_pools_refuse(call, text):
    with pytest.raises((ValueError, TypeError), match=text):
        call(mx.nd.ones((2, 8, 6, 7)), mx.nd.zeros((3, 5)))


def test_many_regions_are_pooled_as_one_by_one():
    """More than are held at once; channels that do not fill a block."""
    random = np.random.RandomState(0)
    data = mx.nd.array(random.uniform(size=(3, 70, 9, 8)))
    corners = np.sort(random.uniform(-2, 10, (300, 2, 2)), axis=1).reshape(-1, 4)
    rois = mx.nd.array(np.concatenate([random.randint(0, 3, (300, 1)), corners], axis=1))
    for pool in (lambda r: mx.nd.ROIPooling(data, r, **SIZE), lambda r: contrib.ROIAlign(data, r, **SIZE)):
        data.attach_grad()
        with mx.autograd.record():
            out = pool(rois)
        out.backward()
        np.testing.assert_array_equal(out[250:].asnumpy(), pool(rois[250:]).asnumpy())
        total = data.grad.asnumpy()
        data.attach_grad(grad_req="add")
        for begin in range(0, 300, 60):
            with mx.autograd.record():
                out = pool(rois[begin:begin + 60])
            out.backward()
        np.testing.assert_allclose(data.grad.asnumpy(), total, rtol=1e-4, atol=1e-5)


# --- proposals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_odd_proposals(seed, dtype):
    params = {"scales": (2, 4), "ratios": (.5, 1, 2), "rpn_post_nms_top_n": 8, "rpn_min_size": 4, "output_score": True}
    scores, changes = odd(2, 12, 3, 4, seed=seed, dtype=dtype), odd(2, 24, 3, 4, seed=seed, dtype=dtype)
    for info in ([[48, 64, 1], [40, 50, 2]], [[np.nan, np.inf, 1], [0, -5, np.nan]]):
        rois, best = contrib.MultiProposal(scores, changes, mx.nd.array(info, dtype=dtype), **params)
        assert (rois.shape, best.shape) == ((16, 5), (16, 1))
        assert not np.isnan(best.asnumpy()).any()
        np.testing.assert_array_equal(rois.asnumpy()[:, 0], np.repeat([0, 1], 8))
    empty = contrib.MultiProposal(mx.nd.zeros((1, 12, 0, 4)), mx.nd.zeros((1, 24, 0, 4)), mx.nd.ones((1, 3)), **params)
    assert (empty[0].asnumpy() == 0).all()


@pytest.mark.parametrize("params, text", [
    ({"rpn_post_nms_top_n": -1}, "rpn_post_nms_top_n is -1"), ({"scales": ()}, "scales is empty"),
    ({"ratios": (0,)}, "a ratio is 0"), ({"feature_stride": 0}, "feature_stride is 0"), ({"scales": (2,)}, "cls_prob")])
def test_proposal_refuses(params, text):
    with pytest.raises(ValueError, match=text):
        contrib.Proposal(mx.nd.zeros((1, 24, 3, 4)), mx.nd.zeros((1, 48, 3, 4)), mx.nd.ones((1, 3)), **params)


def test_proposal_takes_one_image():
    with pytest.raises(ValueError, match="MultiProposal takes more"):
        contrib.Proposal(mx.nd.zeros((2, 24, 3, 4)), mx.nd.zeros((2, 48, 3, 4)), mx.nd.ones((2, 3)))


def test_box_nms_drops_the_background_class():
    rows = mx.nd.array([[[0, 0.9, 0, 0, 1, 1], [-1, 0.5, 2, 2, 3, 3], [-2, 0.4, 4, 4, 5, 5]]])
    for params, ids in (({}, [0, -1, -2]), ({"id_index": 0}, [0, -2, -1]),
                        ({"id_index": 0, "background_id": -2}, [0, -1, -1]),
                        ({"id_index": 0, "background_id": 0}, [-1, -2, -1])):
        assert mx.nd.contrib.box_nms(rows, **params).asnumpy()[0, :, 0].tolist() == ids

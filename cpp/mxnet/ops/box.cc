#include "mxnet/ops/box.h"

#include "mxnet/ops/axes.h"
#include "mxnet/ops/indexing.h"

namespace mxnet {
namespace {

// Input i has `least` or more dimensions; false if its shape is not known.
bool expect_dimensions(InferContext& c, int i, int least) {
  const Shape& shape = c.shape(i);
  if (!shape.rank_known()) return false;
  if (shape.ndim() < least) c.fail(c.input_name(i), " has shape ", shape, ", expected ", least, " or more dimensions");
  return true;
}

// ---- Overlap ----

void infer_iou(const BoxIouParams&, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.out(0).dtype = dtype;
  Shape out;
  for (int i = 0; i < 2; ++i) {
    if (!expect_dimensions(c, i, 2)) return;
    const Shape& shape = c.shape(i);
    if (shape.back() != 4 && shape.back() != kUnknown)
      c.fail("the last axis of ", c.input_name(i), " has extent ", shape.back(), ", expected 4");
    for (int axis = 0; axis + 1 < shape.ndim(); ++axis) out.push_back(shape[axis]);
  }
  c.out(0).shape = out;
}

const Op& box_iou = define_op<BoxIouParams>("_contrib_box_iou")
                        .doc(
                            "Intersection over union of each box of `lhs`, shape (.., 4), with each of `rhs`, shape "
                            "(.., 4); the result has the other axes of `lhs`, then those of `rhs`. No gradient flows "
                            "back.")
                        .input("lhs", "Boxes, shape (.., 4).")
                        .input("rhs", "Boxes, shape (.., 4).")
                        .infer(infer_iou)
                        .gradient(no_gradient)
                        .grad_uses(false, false)
                        .heavy();

// ---- Suppression ----

void infer_nms(const BoxNmsParams& p, InferContext& c) {
  expect_floating(c, c.in(0).dtype);
  c.out(0) = c.in(0);
  c.out(1).dtype = DType::int64;
  if (!expect_dimensions(c, 0, 2)) return;
  const Shape& shape = c.shape(0);
  if (int64_t width = shape.back(); width != kUnknown) {
    if (p.coord_start < 0 || p.coord_start + 4 > width)
      c.fail("coord_start is ", p.coord_start, ", expected 0 to ", width - 4, " for rows of ", width);
    if (p.score_index < 0 || p.score_index >= width)
      c.fail("score_index is ", p.score_index, ", expected 0 to ", width - 1);
    if (p.id_index >= width) c.fail("id_index is ", p.id_index, ", expected at most ", width - 1);
    auto among_coordinates = [&](int i) { return i >= p.coord_start && i < p.coord_start + 4; };
    if (among_coordinates(p.score_index)) c.fail("score_index ", p.score_index, " lies among the coordinates");
    if (among_coordinates(p.id_index)) c.fail("id_index ", p.id_index, " lies among the coordinates");
    if (p.id_index == p.score_index) c.fail("id_index and score_index are both ", p.id_index);
  }
  Shape rows = shape;
  rows.erase(shape.ndim() - 1);
  c.out(1).shape = rows;
}

// Each row's gradient goes to the row it came from, whatever the formats, as in MXNet.
void nms_gradient(const BoxNmsParams&, GradContext& g) {
  static const OpRef add_along("_add_along_axis");
  const Shape& shape = g.in(0).shape();
  Shape column = shape;
  column[shape.ndim() - 1] = 1;
  Expr place = broadcast_to(reshape(g.out(1), column), shape);
  Expr chosen = place >= 0.0;
  Expr dout = select(chosen, g.dout(0), zeros_like(g.dout(0)));
  g.din(0) = add_along.with({dout, place * chosen}, make_params(AlongBackwardParams{shape.ndim() - 2, shape}))[0];
}

const Op& box_nms =
    define_op<BoxNmsParams>("_contrib_box_nms")
        .doc(
            "Suppression of all but the best of overlapping boxes. Rows of `data`, shape (.., boxes, width), hold "
            "coordinates, a score and perhaps a class; those that stay come first, by falling score, and the rest is "
            "filled with -1.")
        .alias({"_contrib_box_non_maximum_suppression"})
        .input("data", "Boxes of shape (.., boxes, width), of a floating dtype.")
        .outputs(2)
        .visible(1)
        .infer(infer_nms)
        .gradient(nms_gradient)
        .grad_uses(false, true)
        .heavy();

// ---- Boxes relative to anchors ----

// Boxes per image (B, N, 4), anchors (B, N, 4) or, for all images, (1, N, 4).
void expect_anchors(InferContext& c, int i, const Shape& boxes) {
  c.expect_rank(i, 3);
  const Shape& anchors = c.shape(i);
  if (!anchors.rank_known() || !boxes.rank_known()) return;
  int64_t batch = anchors[0] == 1 ? 1 : boxes[0];
  c.expect_shape(i, Shape{batch, boxes[1], 4});
}

void infer_encode(const NoParams&, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.out(0).dtype = c.out(1).dtype = dtype;
  c.expect_shape(4, Shape{4}), c.expect_shape(5, Shape{4});
  c.expect_rank(0, 2);
  c.expect_shape(1, c.shape(0));
  const Shape& samples = c.shape(0);
  if (!samples.rank_known()) return;
  Shape boxes{samples[0], samples[1], 4};
  expect_anchors(c, 2, boxes);
  c.expect_shape(3, Shape{samples[0], kUnknown, 4});
  c.out(0).shape = c.out(1).shape = boxes;
}

const Op& box_encode =
    define_op("_contrib_box_encode")
        .doc(
            "Regression targets for anchors: ((x' - x) / w, (y' - y) / h, log(w' / w), log(h' / h)), less `means` and "
            "divided by `stds`, where (x, y, w, h) is an anchor and (x', y', w', h') its reference box; and a mask. "
            "Both are (B, N, 4), and 0 except for samples above 0.5. No gradient flows back.")
        .input("samples", "Which anchors take part (> 0.5), shape (B, N).")
        .input("matches", "Index of each anchor's reference box, shape (B, N).")
        .input("anchors", "Boxes as corners, shape (B, N, 4) or (1, N, 4).")
        .input("refs", "Reference boxes as corners, shape (B, M, 4).")
        .input("means", "Subtracted from the targets, shape (4,).")
        .input("stds", "The targets are divided by them, shape (4,).")
        .outputs(2)
        .infer(infer_encode)
        .gradient(no_gradient)
        .grad_uses(false, false);

void infer_decode(const BoxDecodeParams&, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.out(0).dtype = dtype;
  c.expect_shape(0, Shape{kUnknown, kUnknown, 4});
  expect_anchors(c, 1, c.shape(0));
  c.out(0).shape = c.shape(0);
}

const Op& box_decode =
    define_op<BoxDecodeParams>("_contrib_box_decode")
        .doc(
            "Boxes as corners from what a network predicts relative to anchors, the reverse of box_encode: with "
            "(x, y, w, h) an anchor and (a, b, c, d) a prediction times the factors, the centre is (a w + x, b h + y) "
            "and the size (w exp(c), h exp(d)). No gradient flows back.")
        .input("data", "Predictions, shape (B, N, 4).")
        .input("anchors", "Anchors, shape (1, N, 4) or (B, N, 4).")
        .infer(infer_decode)
        .gradient(no_gradient)
        .grad_uses(false, false);

// ---- Matching ----

void infer_matching(const BipartiteMatchingParams&, InferContext& c) {
  expect_floating(c, c.in(0).dtype);
  c.out(0).dtype = c.out(1).dtype = c.in(0).dtype;
  if (!expect_dimensions(c, 0, 2)) return;
  Shape rows = c.shape(0), columns = c.shape(0);
  rows.erase(rows.ndim() - 1), columns.erase(columns.ndim() - 2);
  c.out(0).shape = rows, c.out(1).shape = columns;
}

const Op& bipartite_matching =
    define_op<BipartiteMatchingParams>("_contrib_bipartite_matching")
        .doc(
            "Pairs rows with columns of a score matrix, greedily: the best pair of a free row and a free column first. "
            "Gives each row's column, shape (.., N), and each column's row, shape (.., M), -1 for none. No gradient "
            "flows back.")
        .input("data", "Scores, shape (.., N, M), of a floating dtype.")
        .outputs(2)
        .infer(infer_matching)
        .gradient(no_gradient)
        .grad_uses(false, false)
        .heavy();

}  // namespace
}  // namespace mxnet

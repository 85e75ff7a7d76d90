#include "mxnet/ops/multibox.h"

namespace mxnet {
namespace {

void expect_count(const InferContext& c, const char* name, const Floats& values, size_t count) {
  if (values.size() != count) c.fail(name, " has ", values.size(), " entries, expected ", count);
}

void infer_prior(const MultiBoxPriorParams& p, InferContext& c) {
  expect_floating(c, c.in(0).dtype);
  c.out(0).dtype = c.in(0).dtype;
  if (p.sizes.empty()) c.fail("sizes is empty");
  if (p.ratios.empty()) c.fail("ratios is empty");
  for (float ratio : p.ratios)
    if (!(ratio > 0)) c.fail("a ratio is ", ratio, ", expected a positive number");
  expect_count(c, "steps", p.steps, 2);
  expect_count(c, "offsets", p.offsets, 2);
  if (p.steps[0] * p.steps[1] < 0) c.fail("steps are ", p.steps[0], " and ", p.steps[1], ", only one is positive");
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (shape.ndim() < 4) c.fail("data has shape ", shape, ", expected (batch, channels, height, width)");
  bool known = shape[2] >= 0 && shape[3] >= 0;
  c.out(0).shape = Shape{1, known ? shape[2] * shape[3] * p.per_pixel() : kUnknown, 4};
}

const Op& prior = define_op<MultiBoxPriorParams>("_contrib_MultiBoxPrior")
                      .doc(
                          "Anchor boxes of SSD: for each pixel of `data`, row by row, boxes of each size and ratio "
                          "around its centre, as (left, top, right, bottom) in parts of the image; shape "
                          "(1, height * width * (sizes + ratios - 1), 4). No gradient flows back.")
                      .alias({"_npx_multibox_prior"})
                      .input("data", "Array of shape (batch, channels, height, width); only its shape counts.")
                      .infer(infer_prior)
                      .gradient(no_gradient)
                      .grad_uses(false, false);

void infer_target(const MultiBoxTargetParams& p, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  for (int i = 0; i < 3; ++i) c.out(i).dtype = dtype;
  expect_count(c, "variances", p.variances, 4);
  c.expect_shape(0, Shape{1, kUnknown, 4});
  c.expect_rank(1, 3), c.expect_rank(2, 3);
  const Shape &anchors = c.shape(0), &label = c.shape(1);
  if (!label.rank_known() || !anchors.rank_known()) return;
  if (label[2] >= 0 && label[2] < 5)
    c.fail("label has shape ", label, ", expected rows of 5 or more: class, left, top, right, bottom");
  int64_t n = anchors[1], batch = label[0];
  c.expect_shape(2, Shape{batch, kUnknown, n});
  if (c.shape(2).known() && c.shape(2)[1] < 1) c.fail("cls_pred has shape ", c.shape(2), ", expected classes");
  Shape boxes{batch, n < 0 ? kUnknown : 4 * n};
  c.out(0).shape = c.out(1).shape = boxes;
  c.out(2).shape = Shape{batch, n};
}

const Op& target =
    define_op<MultiBoxTargetParams>("_contrib_MultiBoxTarget")
        .doc(
            "Training targets of SSD's anchors: for each object its best anchor and those that overlap it enough, "
            "their box targets ((x' - x) / w, (y' - y) / h, log(w' / w), log(h' / h)) / variances, shape (B, 4 N), "
            "a mask of that shape, and class targets (B, N): class + 1, or 0 for the background. No gradient flows "
            "back.")
        .alias({"_npx_multibox_target"})
        .input("anchor", "Anchors as corners, shape (1, N, 4).")
        .input("label", "Objects (class, left, top, right, bottom, ..), shape (B, M, 5 or more); class -1 ends a list.")
        .input("cls_pred", "Predicted scores of the classes, background first, shape (B, classes, N).")
        .outputs(3)
        .output_names([](const MultiBoxTargetParams&) {
          return std::vector<std::string>{"loc_target", "loc_mask", "cls_target"};
        })
        .infer(infer_target)
        .gradient(no_gradient)
        .grad_uses(false, false)
        .heavy();

void infer_detection(const MultiBoxDetectionParams& p, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.out(0).dtype = dtype;
  expect_count(c, "variances", p.variances, 4);
  c.expect_rank(0, 3), c.expect_rank(1, 2);
  const Shape& prob = c.shape(0);
  if (!prob.rank_known()) return;
  int64_t batch = prob[0], n = prob[2];
  c.expect_shape(1, Shape{batch, n < 0 ? kUnknown : 4 * n});
  c.expect_shape(2, Shape{1, n, 4});
  c.out(0).shape = Shape{batch, n, 6};
}

const Op& detection =
    define_op<MultiBoxDetectionParams>("_contrib_MultiBoxDetection")
        .doc(
            "Detections of SSD: rows (class, score, left, top, right, bottom), shape (B, N, 6), by falling score. The "
            "class is -1 for boxes that a better one of their class suppresses, and rows without a box are filled "
            "with -1. No gradient flows back.")
        .alias({"_npx_multibox_detection"})
        .input("cls_prob", "Probabilities of the classes, background first, shape (B, classes, N).")
        .input("loc_pred", "Predicted box offsets, shape (B, 4 N).")
        .input("anchor", "Anchors as corners, shape (1, N, 4).")
        .infer(infer_detection)
        .gradient(no_gradient)
        .grad_uses(false, false)
        .heavy();

}  // namespace
}  // namespace mxnet

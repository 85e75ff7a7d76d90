#include "mxnet/ops/proposal.h"

namespace mxnet {
namespace {

void infer_proposal(const ProposalParams& p, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating(c, dtype);
  c.out(0).dtype = c.out(1).dtype = dtype;
  if (p.scales.empty() || p.ratios.empty()) c.fail(p.scales.empty() ? "scales" : "ratios", " is empty");
  for (float ratio : p.ratios)
    if (!(ratio > 0)) c.fail("a ratio is ", ratio, ", expected a positive number");
  if (p.feature_stride < 1) c.fail("feature_stride is ", p.feature_stride, ", expected a positive number");
  if (p.rpn_post_nms_top_n < 1) c.fail("rpn_post_nms_top_n is ", p.rpn_post_nms_top_n, ", expected a positive number");
  c.expect_rank(0, 4), c.expect_rank(1, 4);
  const Shape& prob = c.shape(0);
  if (!prob.rank_known()) return;
  int64_t anchors = p.anchors();
  c.expect_shape(0, Shape{kUnknown, 2 * anchors, kUnknown, kUnknown});
  c.expect_shape(1, Shape{prob[0], 4 * anchors, prob[2], prob[3]});
  c.expect_shape(2, Shape{prob[0], 3});
  int64_t count = prob[0] < 0 ? kUnknown : prob[0] * p.rpn_post_nms_top_n;
  c.out(0).shape = Shape{count, 5}, c.out(1).shape = Shape{count, 1};
}

OpBuilder<ProposalParams> define_proposal(const char* name, const char* doc) {
  return define_op<ProposalParams>(name)
      .doc(doc)
      .input("cls_prob", "Probabilities of the anchors, background first, shape (B, 2 A, H, W).")
      .input("bbox_pred", "Predicted changes of the anchors, shape (B, 4 A, H, W).")
      .input("im_info", "Height, width and scale of each image, shape (B, 3).")
      .outputs(2)
      .visible_of([](const ProposalParams& p, int) { return p.output_score ? 2 : 1; })
      .output_names([](const ProposalParams&) { return std::vector<std::string>{"output", "score"}; })
      .infer(infer_proposal)
      .gradient(no_gradient)
      .grad_uses(false, false)
      .heavy();
}

const Op& proposal =
    define_proposal("_contrib_Proposal",
                    "Regions that a region proposal network finds in one image (Faster R-CNN, Ren et al. 2015): its "
                    "best anchors, moved as predicted and clipped, less those that overlap a better one; rows (0, "
                    "left, top, right, bottom), repeated where there are fewer than rpn_post_nms_top_n. No gradient "
                    "flows back.")
        .infer([](const ProposalParams& p, InferContext& c) {
          infer_proposal(p, c);
          if (c.shape(0).rank_known() && c.shape(0)[0] > 1)
            c.fail("cls_prob has ", c.shape(0)[0], " images, expected 1; MultiProposal takes more");
        });

const Op& multi_proposal =
    define_proposal("_contrib_MultiProposal",
                    "Proposal for a batch: rpn_post_nms_top_n rows (image, left, top, right, bottom) for each image. "
                    "No gradient flows back.");

}  // namespace
}  // namespace mxnet

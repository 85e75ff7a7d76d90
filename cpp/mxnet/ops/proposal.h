// Regions from the outputs of a region proposal network.
#pragma once
#include "mxnet/ops/box.h"

namespace mxnet {

struct ProposalParams {
  int rpn_pre_nms_top_n = 6000, rpn_post_nms_top_n = 300;
  float threshold = 0.7f;
  int rpn_min_size = 16;
  std::vector<float> scales{4, 8, 16, 32}, ratios{0.5f, 1, 2};
  int feature_stride = 16;
  bool output_score = false, iou_loss = false;

  int64_t anchors() const { return static_cast<int64_t>(scales.size() * ratios.size()); }

  static constexpr auto fields() {
    using P = ProposalParams;
    return std::tuple{
        field("rpn_pre_nms_top_n", &P::rpn_pre_nms_top_n, "How many of the best anchors take part; -1 for all."),
        field("rpn_post_nms_top_n", &P::rpn_post_nms_top_n, "Number of regions for each image."),
        field("threshold", &P::threshold, "Regions that overlap a better one more than this are dropped."),
        field("rpn_min_size", &P::rpn_min_size, "Smaller regions come last; in pixels before the image was scaled."),
        field("scales", &P::scales, "Sizes of the anchors in steps of the features."),
        field("ratios", &P::ratios, "Ratios of the anchors' height to width."),
        field("feature_stride", &P::feature_stride, "Pixels of the image for one of the features."),
        field("output_score", &P::output_score, "Whether to give the scores, shape (rows, 1), too."),
        field("iou_loss", &P::iou_loss, "Whether the predictions are changes of the corners.")};
  }
};

}  // namespace mxnet

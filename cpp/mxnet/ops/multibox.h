// The operators of the single-shot detector (SSD, Liu et al. 2016): anchors, their targets, detections.
#pragma once
#include "mxnet/ops/box.h"

namespace mxnet {

using Floats = std::vector<float>;

struct MultiBoxPriorParams {
  Floats sizes{1}, ratios{1};
  bool clip = false;
  Floats steps{-1, -1}, offsets{0.5f, 0.5f};

  int64_t per_pixel() const { return static_cast<int64_t>(sizes.size() + ratios.size()) - 1; }

  static constexpr auto fields() {
    using P = MultiBoxPriorParams;
    return std::tuple{
        field("sizes", &P::sizes, "Sizes of the boxes in parts of the image's height; all have the first ratio."),
        field("ratios", &P::ratios, "Ratios of width to height; all but the first have the first size only."),
        field("clip", &P::clip, "Whether to clip the boxes to the image."),
        field("steps", &P::steps, "Distance (y, x) of boxes; where not positive, the image over the data's extent."),
        field("offsets", &P::offsets, "Place (y, x) of the first centre in steps.")};
  }
};

struct MultiBoxTargetParams {
  float overlap_threshold = 0.5f, ignore_label = -1, negative_mining_ratio = -1, negative_mining_thresh = 0.5f;
  int minimum_negative_samples = 0;
  Floats variances{0.1f, 0.1f, 0.2f, 0.2f};

  static constexpr auto fields() {
    using P = MultiBoxTargetParams;
    return std::tuple{field("overlap_threshold", &P::overlap_threshold,
                            "Anchors that overlap an object more than this are matched to it, too."),
                      field("ignore_label", &P::ignore_label, "Class target of anchors that take no part."),
                      field("negative_mining_ratio", &P::negative_mining_ratio,
                            "How many background anchors to keep per matched one, the hardest; all unless positive."),
                      field("negative_mining_thresh", &P::negative_mining_thresh,
                            "Only anchors that overlap every object less than this count as background in mining."),
                      field("minimum_negative_samples", &P::minimum_negative_samples,
                            "The least number of background anchors that mining keeps."),
                      field("variances", &P::variances, "What the four box targets are divided by.")};
  }
};

struct MultiBoxDetectionParams {
  bool clip = true;
  float threshold = 0.01f;
  int background_id = 0;
  float nms_threshold = 0.5f;
  bool force_suppress = false;
  Floats variances{0.1f, 0.1f, 0.2f, 0.2f};
  int nms_topk = -1;

  static constexpr auto fields() {
    using P = MultiBoxDetectionParams;
    return std::tuple{
        field("clip", &P::clip, "Whether to clip the boxes to the image."),
        field("threshold", &P::threshold, "Boxes whose best score is below this are dropped."),
        field("background_id", &P::background_id, "Not used: class 0 is the background."),
        field("nms_threshold", &P::nms_threshold,
              "Boxes that overlap a better one this much lose their class; outside (0, 1] none does."),
        field("force_suppress", &P::force_suppress, "Compare boxes of different classes, too."),
        field("variances", &P::variances, "What the four box predictions are multiplied by."),
        field("nms_topk", &P::nms_topk, "How many of the best boxes keep their class; all unless positive.")};
  }
};

}  // namespace mxnet

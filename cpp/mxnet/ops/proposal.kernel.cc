#include "mxnet/ops/proposal.h"

#include <cmath>

#include "mxnet/base/math.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

// The anchors around the first pixel, with corners that are pixels.
template <class C>
std::vector<Box<C>> base_anchors(const ProposalParams& p) {
  std::vector<Box<C>> anchors;
  C stride = static_cast<C>(p.feature_stride), center = (stride - 1) / 2;
  for (float ratio : p.ratios)
    for (float scale : p.scales) {
      C width = std::floor(std::sqrt(std::floor(stride * stride / static_cast<C>(ratio))) + C(0.5));
      C height = std::floor(width * static_cast<C>(ratio) + C(0.5));
      C reach_x = (width * static_cast<C>(scale) - 1) / 2, reach_y = (height * static_cast<C>(scale) - 1) / 2;
      anchors.push_back({center - reach_x, center - reach_y, center + reach_x, center + reach_y});
    }
  return anchors;
}

// An image and the arrays of its proposals.
template <class C>
class Proposals {
 public:
  Proposals(const ProposalParams& p, const C* info, int64_t rows, int64_t columns)
      : p_(p), height_(info[0]), width_(info[1]), scale_(info[2]), rows_(rows), columns_(columns) {}

  // All anchors as predicted, row by row, an unusable one with the score -1.
  void predict(const C* prob, const C* change) {
    std::vector<Box<C>> anchors = base_anchors<C>(p_);
    auto count = static_cast<int64_t>(anchors.size());
    boxes_.resize(rows_ * columns_ * count), scores_.resize(boxes_.size());
    C usable_rows = std::floor(height_ / static_cast<C>(p_.feature_stride));
    C usable_columns = std::floor(width_ / static_cast<C>(p_.feature_stride));
    int64_t plane = rows_ * columns_;
    for (int64_t a = 0; a < count; ++a)
      for (int64_t i = 0; i < plane; ++i) {
        C y = static_cast<C>(i / columns_), x = static_cast<C>(i % columns_);
        C shift_y = y * static_cast<C>(p_.feature_stride), shift_x = x * static_cast<C>(p_.feature_stride);
        Box<C> anchor{anchors[a].left + shift_x, anchors[a].top + shift_y, anchors[a].right + shift_x,
                      anchors[a].bottom + shift_y};
        const C* at = change + 4 * a * plane + i;
        Box<C> box = fit(moved(anchor, at[0], at[plane], at[2 * plane], at[3 * plane]));
        C score = prob[(count + a) * plane + i];
        bool fine = x < usable_columns && y < usable_rows && score == score && large_enough(box);
        boxes_[i * count + a] = box;
        scores_[i * count + a] = fine ? score : C(-1);
      }
  }

  // The places of the best that do not overlap a better one, at most `rpn_post_nms_top_n`.
  std::vector<int64_t> choose() const {
    std::vector<int64_t> order(boxes_.size()), chosen;
    std::iota(order.begin(), order.end(), 0);
    keep_best(order, scores_.data(), 1, p_.rpn_pre_nms_top_n > 0 ? p_.rpn_pre_nms_top_n : -1);
    BoxColumns<C> kept(1);
    for (int64_t i : order) {
      if (static_cast<int64_t>(chosen.size()) == p_.rpn_post_nms_top_n) break;
      if (kept.suppress(boxes_[i], static_cast<C>(p_.threshold))) continue;
      kept.add(boxes_[i]);
      chosen.push_back(i);
    }
    return chosen;
  }

  const Box<C>& box(int64_t i) const { return boxes_[i]; }
  C score(int64_t i) const { return scores_[i]; }

 private:
  Box<C> moved(const Box<C>& anchor, C dx, C dy, C dw, C dh) const {
    if (p_.iou_loss) return {anchor.left + dx, anchor.top + dy, anchor.right + dw, anchor.bottom + dh};
    C width = anchor.width() + 1, height = anchor.height() + 1;
    C x = dx * width + anchor.left + (width - 1) / 2, y = dy * height + anchor.top + (height - 1) / 2;
    C reach_x = (mxnet::exp(dw) * width - 1) / 2, reach_y = (mxnet::exp(dh) * height - 1) / 2;
    return {x - reach_x, y - reach_y, x + reach_x, y + reach_y};
  }
  Box<C> fit(const Box<C>& b) const {
    auto inside = [](C v, C extent) { return std::max(C(0), std::min(v, extent - 1)); };
    return {inside(b.left, width_), inside(b.top, height_), inside(b.right, width_), inside(b.bottom, height_)};
  }
  // One that is not becomes larger, as in MXNet.
  bool large_enough(Box<C>& b) const {
    C least = static_cast<C>(p_.rpn_min_size) * scale_;
    if (b.width() + 1 >= least && b.height() + 1 >= least) return true;
    b = {b.left - least / 2, b.top - least / 2, b.right + least / 2, b.bottom + least / 2};
    return false;
  }

  const ProposalParams& p_;
  C height_, width_, scale_;
  int64_t rows_, columns_;
  std::vector<Box<C>> boxes_;
  std::vector<C> scores_;
};

void proposal_cpu(const ProposalParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int64_t rows = shape[2], columns = shape[3], plane = rows * columns, most = p.rpn_post_nms_top_n;
  DType wanted = working_type(c.in(0));
  Converted probs(c.in(0), wanted, true), changes(c.in(1), wanted, true), infos(c.in(2), wanted, true);
  Converted regions(c.out(0), wanted, false), scores(c.out(1), wanted, false);
  dispatch_working(wanted, [&]<class C>() {
    parallel_for(shape[0], 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        Proposals<C> proposals(p, infos.as<C>() + 3 * i, rows, columns);
        proposals.predict(probs.as<C>() + i * shape[1] * plane, changes.as<C>() + i * 2 * shape[1] * plane);
        std::vector<int64_t> chosen = proposals.choose();
        for (int64_t k = 0; k < most; ++k) {
          C* to = regions.as<C>() + (i * most + k) * 5;
          *to++ = static_cast<C>(i);
          C& score = scores.as<C>()[i * most + k] = C(0);
          std::fill_n(to, 4, C(0));
          if (chosen.empty()) continue;
          int64_t place = chosen[k % static_cast<int64_t>(chosen.size())];
          proposals.box(place).write(to, BoxFormat::corner);
          score = proposals.score(place);
        }
      }
    });
  });
  regions.finish(), scores.finish();
}

const bool registered = cpu_kernel<ProposalParams>("_contrib_Proposal", proposal_cpu) &&
                        cpu_kernel<ProposalParams>("_contrib_MultiProposal", proposal_cpu);

}  // namespace
}  // namespace mxnet

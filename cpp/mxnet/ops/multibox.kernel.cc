#include "mxnet/ops/multibox.h"

#include <cmath>

#include "mxnet/base/math.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

// ---- Anchors ----

template <class C>
struct Extent {
  C half_width, half_height;
};

template <class C>
std::vector<Extent<C>> extents(const MultiBoxPriorParams& p, int64_t height, int64_t width) {
  std::vector<Extent<C>> result;
  C aspect = static_cast<C>(height) / static_cast<C>(width);
  auto add = [&](float size, float ratio) {
    C root = std::sqrt(static_cast<C>(ratio));
    result.push_back({static_cast<C>(size) * aspect * root / 2, static_cast<C>(size) / root / 2});
  };
  for (float size : p.sizes) add(size, p.ratios[0]);
  for (size_t i = 1; i < p.ratios.size(); ++i) add(p.sizes[0], p.ratios[i]);
  return result;
}

void prior_cpu(const MultiBoxPriorParams& p, KernelContext& c) {
  int64_t height = c.in(0).shape()[2], width = c.in(0).shape()[3];
  DType wanted = working_type(c.out(0));
  Converted out(c.out(0), wanted, false);
  dispatch_working(wanted, [&]<class C>() {
    std::vector<Extent<C>> boxes = extents<C>(p, height, width);
    bool given = p.steps[0] > 0 && p.steps[1] > 0;
    C step_y = given ? static_cast<C>(p.steps[0]) : 1 / static_cast<C>(height);
    C step_x = given ? static_cast<C>(p.steps[1]) : 1 / static_cast<C>(width);
    auto fit = [&](C x) { return p.clip ? std::clamp(x, C(0), C(1)) : x; };
    C* to = out.as<C>();
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x)
        for (const Extent<C>& box : boxes) {
          C center_y = (static_cast<C>(y) + static_cast<C>(p.offsets[0])) * step_y;
          C center_x = (static_cast<C>(x) + static_cast<C>(p.offsets[1])) * step_x;
          *to++ = fit(center_x - box.half_width), *to++ = fit(center_y - box.half_height);
          *to++ = fit(center_x + box.half_width), *to++ = fit(center_y + box.half_height);
        }
  });
  out.finish();
}

// ---- Targets ----

// The anchors of one image against its objects.
template <class C>
class Matcher {
 public:
  Matcher(const BoxColumns<C>& anchors, const C* label, int64_t rows, int64_t width)
      : n_(anchors.size()), label_(label), width_(width), object_(n_, -1), best_(n_, C(-1)), best_object_(n_, 0) {
    while (count_ < rows && label[count_ * width] != C(-1)) ++count_;
    overlap_.resize(count_ * n_);
    for (int64_t k = 0; k < count_; ++k) compare(anchors, k);
  }

  int64_t objects() const { return count_; }
  bool matched(int64_t j) const { return object_[j] >= 0; }
  // How much anchor j overlaps its best object.
  C best(int64_t j) const { return best_[j]; }
  const C* object(int64_t j) const { return label_ + object_[j] * width_; }

  // Gives each object, the best pair first, the best anchor that is still free.
  void match_objects() {
    std::vector<int64_t> choice(count_);
    std::vector<bool> done(count_, false);
    for (int64_t k = 0; k < count_; ++k) choice[k] = best_anchor(k);
    for (int64_t round = 0; round < count_; ++round) {
      int64_t best = -1;
      for (int64_t k = 0; k < count_; ++k) {
        if (done[k] || choice[k] < 0) continue;
        if (matched(choice[k])) choice[k] = best_anchor(k);
        if (choice[k] >= 0 && (best < 0 || better(k, choice[k], best, choice[best]))) best = k;
      }
      if (best < 0) return;
      object_[choice[best]] = best;
      done[best] = true;
    }
  }

  void match_above(C threshold) {
    for (int64_t j = 0; j < n_; ++j)
      if (!matched(j) && best_[j] > threshold) object_[j] = best_object_[j];
  }

 private:
  void compare(const BoxColumns<C>& anchors, int64_t k) {
    C* row = overlap_.data() + k * n_;
    anchors.overlaps(Box<C>::read(label_ + k * width_ + 1, BoxFormat::corner), 0, n_, row);
    C* best = best_.data();
    int32_t *which = best_object_.data(), own = static_cast<int32_t>(k);
#pragma omp simd
    for (int64_t j = 0; j < n_; ++j) {
      bool above = row[j] > best[j];
      best[j] = above ? row[j] : best[j];
      which[j] = above ? own : which[j];
    }
  }
  // The free anchor that overlaps object k most; -1 if none does.
  int64_t best_anchor(int64_t k) const {
    const C* row = overlap_.data() + k * n_;
    int64_t best = -1;
    C most = C(1e-6);
    for (int64_t j = 0; j < n_; ++j)
      if (row[j] > most && !matched(j)) most = row[j], best = j;
    return best;
  }
  bool better(int64_t k, int64_t j, int64_t other_k, int64_t other_j) const {
    C a = overlap_[k * n_ + j], b = overlap_[other_k * n_ + other_j];
    return a > b || (a == b && j < other_j);
  }

  int64_t n_, count_ = 0;
  const C* label_;
  int64_t width_;
  std::vector<int64_t> object_;  // of each anchor; -1 for none
  std::vector<C> best_, overlap_;
  std::vector<int32_t> best_object_;
};

// Probability of class 0 for each of n anchors: softmax over the rows of (classes, n).
template <class C>
std::vector<C> background_probability(const C* score, int64_t classes, int64_t n) {
  std::vector<C> most(score, score + n), total(n, C(0));
  C *top = most.data(), *sum = total.data();
  for (int64_t k = 1; k < classes; ++k) {
    const C* row = score + k * n;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) top[j] = row[j] > top[j] ? row[j] : top[j];
  }
  for (int64_t k = 0; k < classes; ++k) {
    const C* row = score + k * n;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) sum[j] += mxnet::exp(row[j] - top[j]);
  }
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) sum[j] = mxnet::exp(score[j] - top[j]) / sum[j];
  return total;
}

// The background anchors that mining keeps: those the network takes least for background.
template <class C>
std::vector<int64_t> hard_negatives(const MultiBoxTargetParams& p, const Matcher<C>& matcher, const C* score,
                                    int64_t classes, int64_t n) {
  std::vector<int64_t> places;
  int64_t positive = 0;
  for (int64_t j = 0; j < n; ++j) {
    positive += matcher.matched(j);
    if (!matcher.matched(j) && matcher.best(j) < static_cast<C>(p.negative_mining_thresh)) places.push_back(j);
  }
  float wanted = static_cast<float>(positive) * p.negative_mining_ratio;
  int64_t count = wanted < static_cast<float>(n) ? static_cast<int64_t>(wanted) : n;
  count = std::max<int64_t>(count, p.minimum_negative_samples);
  std::vector<C> probability = background_probability(score, classes, n);
  for (C& x : probability) x = x == x ? -x : C(-2);  // NaN last
  keep_best(places, probability.data(), 1, count);
  return places;
}

template <class C>
void write_targets(const MultiBoxTargetParams& p, const C* anchors, const Matcher<C>& matcher, int64_t n, C* box,
                   C* mask, C* label) {
  for (int64_t j = 0; j < n; ++j) {
    if (!matcher.matched(j)) continue;
    Box<C> anchor = Box<C>::read(anchors + 4 * j, BoxFormat::corner);
    const C* object = matcher.object(j);
    Box<C> other = Box<C>::read(object + 1, BoxFormat::corner);
    C* to = box + 4 * j;
    to[0] = (other.center_x() - anchor.center_x()) / anchor.width() / static_cast<C>(p.variances[0]);
    to[1] = (other.center_y() - anchor.center_y()) / anchor.height() / static_cast<C>(p.variances[1]);
    to[2] = std::log(other.width() / anchor.width()) / static_cast<C>(p.variances[2]);
    to[3] = std::log(other.height() / anchor.height()) / static_cast<C>(p.variances[3]);
    std::fill_n(mask + 4 * j, 4, C(1));
    label[j] = object[0] + 1;
  }
}

void target_cpu(const MultiBoxTargetParams& p, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  Converted anchors(c.in(0), wanted, true), labels(c.in(1), wanted, true), scores(c.in(2), wanted, true);
  Converted boxes(c.out(0), wanted, false), masks(c.out(1), wanted, false), classes_out(c.out(2), wanted, false);
  const Shape &label = c.in(1).shape(), &score = c.in(2).shape();
  int64_t n = score[2], classes = score[1];
  dispatch_working(wanted, [&]<class C>() {
    BoxColumns<C> columns;
    columns.reserve(n);
    for (int64_t j = 0; j < n; ++j) columns.add(Box<C>::read(anchors.as<C>() + 4 * j, BoxFormat::corner));
    parallel_for(label[0], 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        C *box = boxes.as<C>() + 4 * i * n, *mask = masks.as<C>() + 4 * i * n, *to = classes_out.as<C>() + i * n;
        std::fill_n(box, 4 * n, C(0)), std::fill_n(mask, 4 * n, C(0));
        Matcher<C> matcher(columns, labels.as<C>() + i * label[1] * label[2], label[1], label[2]);
        bool mining = p.negative_mining_ratio > 0, any = matcher.objects() > 0;
        std::fill_n(to, n, mining || !any ? static_cast<C>(p.ignore_label) : C(0));
        if (!any) continue;
        matcher.match_objects();
        if (p.overlap_threshold > 0) matcher.match_above(static_cast<C>(p.overlap_threshold));
        if (mining)
          for (int64_t j : hard_negatives(p, matcher, scores.as<C>() + i * classes * n, classes, n)) to[j] = 0;
        write_targets(p, anchors.as<C>(), matcher, n, box, mask, to);
      }
    });
  });
  boxes.finish(), masks.finish(), classes_out.finish();
}

// ---- Detections ----

// The best class but the background, less one, and its score, for each of n anchors.
template <class C>
struct BestClasses {
  std::vector<C> score, label;

  BestClasses(const C* prob, int64_t classes, int64_t n) : score(n, C(-1)), label(n, C(-1)) {
    C *best = score.data(), *which = label.data();
    for (int64_t k = 1; k < classes; ++k) {
      const C *row = prob + k * n, own = static_cast<C>(k - 1);
#pragma omp simd
      for (int64_t j = 0; j < n; ++j) {
        bool above = row[j] > best[j];
        best[j] = above ? row[j] : best[j];
        which[j] = above ? own : which[j];
      }
    }
  }
};

template <class C>
Box<C> decode_box(const MultiBoxDetectionParams& p, const C* x, const C* anchor_at) {
  Box<C> anchor = Box<C>::read(anchor_at, BoxFormat::corner);
  auto scaled = [&](int i) { return x[i] * static_cast<C>(p.variances[i]); };
  C center_x = scaled(0) * anchor.width() + anchor.center_x(),
    center_y = scaled(1) * anchor.height() + anchor.center_y();
  C half_width = mxnet::exp(scaled(2)) * anchor.width() / 2, half_height = mxnet::exp(scaled(3)) * anchor.height() / 2;
  auto fit = [&](C v) { return p.clip ? std::clamp(v, C(0), C(1)) : v; };
  return {fit(center_x - half_width), fit(center_y - half_height), fit(center_x + half_width),
          fit(center_y + half_height)};
}

// Sorts the `count` rows, as far as topk goes, and takes the class from those that a better one suppresses.
template <class C>
void suppress_detections(const MultiBoxDetectionParams& p, C* rows, int64_t count) {
  constexpr int64_t kWidth = 6;
  if (count < 1 || !(p.nms_threshold > 0 && p.nms_threshold <= 1)) return;
  int64_t most = p.nms_topk > 0 ? std::min<int64_t>(p.nms_topk, count) : count;
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  keep_best(order, rows + 1, kWidth, most);
  std::vector<C> unsorted(rows, rows + count * kWidth);
  BoxesByClass<C> kept;
  for (int64_t k = 0; k < count; ++k) {
    C* row = rows + k * kWidth;
    if (k >= most) {
      row[0] = -1;
      continue;
    }
    std::copy_n(unsorted.data() + order[k] * kWidth, kWidth, row);
    Box<C> box = Box<C>::read(row + 2, BoxFormat::corner);
    BoxColumns<C>& others = kept[p.force_suppress ? C(0) : row[0]];
    if (others.suppress(box, static_cast<C>(p.nms_threshold), true))
      row[0] = -1;
    else
      others.add(box);
  }
}

void detection_cpu(const MultiBoxDetectionParams& p, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  Converted probs(c.in(0), wanted, true), offsets(c.in(1), wanted, true), anchors(c.in(2), wanted, true);
  Converted out(c.out(0), wanted, false);
  const Shape& shape = c.in(0).shape();
  int64_t classes = shape[1], n = shape[2];
  dispatch_working(wanted, [&]<class C>() {
    parallel_for(shape[0], 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        BestClasses<C> best(probs.as<C>() + i * classes * n, classes, n);
        C *rows = out.as<C>() + i * n * 6, *to = rows;
        for (int64_t j = 0; j < n; ++j) {
          if (best.label[j] < 0 || best.score[j] < static_cast<C>(p.threshold)) continue;
          *to++ = best.label[j], *to++ = best.score[j];
          decode_box(p, offsets.as<C>() + (i * n + j) * 4, anchors.as<C>() + 4 * j).write(to, BoxFormat::corner);
          to += 4;
        }
        std::fill(to, rows + n * 6, C(-1));
        suppress_detections(p, rows, (to - rows) / 6);
      }
    });
  });
  out.finish();
}

const bool registered = cpu_kernel<MultiBoxPriorParams>("_contrib_MultiBoxPrior", prior_cpu) &&
                        cpu_kernel<MultiBoxTargetParams>("_contrib_MultiBoxTarget", target_cpu) &&
                        cpu_kernel<MultiBoxDetectionParams>("_contrib_MultiBoxDetection", detection_cpu);

}  // namespace
}  // namespace mxnet

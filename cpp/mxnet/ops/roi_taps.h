// Where the bins of regions take their values from: pixels of a plane and their weights. For *.kernel.cc only.
#pragma once
#include <cmath>

#include "mxnet/ops/roi.h"

namespace mxnet {

// The pixels of each bin of one region. A region outside the image, or with a NaN, has none.
template <class C>
struct RoiTaps {
  int64_t image = -1;                // -1: a region that takes no part
  std::vector<int64_t> begin = {0};  // of each bin, and one more
  std::vector<int64_t> pixel;
  std::vector<C> weight;

  void add(int64_t at, C w) { pixel.push_back(at), weight.push_back(w); }
  void end_bin() { begin.push_back(static_cast<int64_t>(pixel.size())); }
  // Ends a bin whose points share pixels: each pixel is kept once.
  void merge_bin() {
    merged_.clear();
    for (auto t = static_cast<size_t>(begin.back()); t < pixel.size(); ++t) merged_.emplace_back(pixel[t], weight[t]);
    std::sort(merged_.begin(), merged_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    pixel.resize(begin.back()), weight.resize(begin.back());
    for (auto [at, w] : merged_) {
      if (static_cast<int64_t>(pixel.size()) > begin.back() && pixel.back() == at)
        weight.back() += w;
      else
        add(at, w);
    }
    end_bin();
  }
  void finish(int64_t bins) { begin.resize(bins + 1, begin.back()); }

 private:
  std::vector<std::pair<int64_t, C>> merged_;
};

struct Plane {
  int64_t height, width;
};

// Two neighbours on an axis and the place between them.
template <class C>
struct Between {
  int64_t low, high;
  C part;  // of the way to `high`
};
template <class C>
Between<C> between(C x, int64_t extent) {
  x = x < 0 ? 0 : x;
  auto low = static_cast<int64_t>(x);
  if (low >= extent - 1) return {extent - 1, extent - 1, 0};
  return {low, low + 1, x - static_cast<C>(low)};
}

// Adds the four neighbours of a point, if it is less than a pixel outside the plane.
template <class C>
void add_point(RoiTaps<C>& taps, const Plane& plane, C y, C x, C weight) {
  if (!(y >= -1 && y <= static_cast<C>(plane.height) && x >= -1 && x <= static_cast<C>(plane.width))) return;
  Between<C> v = between(y, plane.height), h = between(x, plane.width);
  C top = (1 - v.part) * weight, bottom = v.part * weight;
  taps.add(v.low * plane.width + h.low, top * (1 - h.part));
  taps.add(v.low * plane.width + h.high, top * h.part);
  taps.add(v.high * plane.width + h.low, bottom * (1 - h.part));
  taps.add(v.high * plane.width + h.high, bottom * h.part);
}

template <class C>
struct AxisTap {
  int64_t at;
  C weight;
};

// Along one axis: what the `count` points from start + step / 2 on, `step` apart, take from each pixel. A grid of
// points takes the products, each pixel once.
template <class C>
void axis_taps(C start, C step, int64_t count, int64_t extent, std::vector<AxisTap<C>>& taps) {
  taps.clear();
  auto add = [&](int64_t at, C weight) {
    if (!taps.empty() && taps.back().at == at)
      taps.back().weight += weight;
    else if (taps.size() > 1 && taps[taps.size() - 2].at == at)
      taps[taps.size() - 2].weight += weight;
    else
      taps.push_back({at, weight});
  };
  int64_t first = 0;
  if (step > 0 && start < -1)  // most points of a huge region lie outside
    first = static_cast<int64_t>(std::min(static_cast<C>(count), std::max(C(0), (-1 - start) / step - 1)));
  for (int64_t i = first; i < count; ++i) {
    C x = start + (static_cast<C>(i) + C(0.5)) * step;
    if (x > static_cast<C>(extent) && step >= 0) break;
    if (!(x >= -1 && x <= static_cast<C>(extent))) continue;
    Between<C> b = between(x, extent);
    add(b.low, 1 - b.part);
    if (b.part > 0) add(b.high, b.part);
  }
}

// Points along a bin: as many as asked for, else one a pixel.
template <class C>
int64_t points_of(int asked, C bin) {
  return asked > 0 ? asked : static_cast<int64_t>(std::clamp(std::ceil(bin), C(0), C(1e9)));
}

template <class C>
void find_taps(const RoiAlignParams& p, const C* roi, const Plane& plane, RoiTaps<C>& taps) {
  C scale = static_cast<C>(p.spatial_scale), shift = p.aligned ? C(0.5) : C(0);
  C left = roi[1] * scale - shift, top = roi[2] * scale - shift;
  C width = roi[3] * scale - shift - left, height = roi[4] * scale - shift - top;
  if (!p.aligned) width = std::max(width, C(1)), height = std::max(height, C(1));
  int64_t rows = p.pooled_size[0], columns = p.pooled_size[1];
  C bin_h = height / static_cast<C>(rows), bin_w = width / static_cast<C>(columns);
  int64_t points_y = points_of(p.sample_ratio, bin_h), points_x = points_of(p.sample_ratio, bin_w);
  if (points_y < 1 || points_x < 1) return;
  C share = 1 / (static_cast<C>(points_y) * static_cast<C>(points_x));
  std::vector<std::vector<AxisTap<C>>> across(columns);
  for (int64_t i = 0; i < columns; ++i)
    axis_taps(left + static_cast<C>(i) * bin_w, bin_w / static_cast<C>(points_x), points_x, plane.width, across[i]);
  std::vector<AxisTap<C>> down;
  for (int64_t j = 0; j < rows; ++j) {
    axis_taps(top + static_cast<C>(j) * bin_h, bin_h / static_cast<C>(points_y), points_y, plane.height, down);
    for (const auto& columns_of_bin : across) {
      for (auto [y, weight_y] : down)
        for (auto [x, weight_x] : columns_of_bin) taps.add(y * plane.width + x, weight_y * weight_x * share);
      taps.end_bin();
    }
  }
}

// A rotated region is its centre, size and angle in degrees, anticlockwise.
template <class C>
void find_taps(const RoiRotatedAlignParams& p, const C* roi, const Plane& plane, RoiTaps<C>& taps) {
  C scale = static_cast<C>(p.spatial_scale), center_x = roi[1] * scale, center_y = roi[2] * scale;
  C width = std::max(roi[3] * scale, C(1)), height = std::max(roi[4] * scale, C(1));
  C angle = roi[5] * C(3.14159265358979323846 / 180), cosine = std::cos(angle), sine = std::sin(angle);
  int64_t rows = p.pooled_size[0], columns = p.pooled_size[1];
  C bin_h = height / static_cast<C>(rows), bin_w = width / static_cast<C>(columns);
  int64_t most = 2 * (plane.height + plane.width);  // of a region far larger than the image, fewer points do
  int64_t points_y = std::min(points_of(p.sampling_ratio, bin_h), most);
  int64_t points_x = std::min(points_of(p.sampling_ratio, bin_w), most);
  C share = 1 / (static_cast<C>(points_y) * static_cast<C>(points_x));
  for (int64_t j = 0; j < rows; ++j)
    for (int64_t i = 0; i < columns; ++i) {
      for (int64_t v = 0; v < points_y; ++v)
        for (int64_t u = 0; u < points_x; ++u) {
          C y = -height / 2 + (static_cast<C>(j) + (static_cast<C>(v) + C(0.5)) / static_cast<C>(points_y)) * bin_h;
          C x = -width / 2 + (static_cast<C>(i) + (static_cast<C>(u) + C(0.5)) / static_cast<C>(points_x)) * bin_w;
          add_point(taps, plane, y * cosine - x * sine + center_y, x * cosine + y * sine + center_x, share);
        }
      taps.merge_bin();
    }
}

// The pixels [begin, end) of an axis that a bin covers.
template <class C>
std::pair<int64_t, int64_t> covered(C start, C bin, int64_t i, int64_t extent) {
  C most = static_cast<C>(extent);
  C low = std::clamp(std::floor(static_cast<C>(i) * bin + start), C(0), most);
  C high = std::clamp(std::ceil(static_cast<C>(i + 1) * bin + start), C(0), most);
  return {static_cast<int64_t>(low), static_cast<int64_t>(high)};
}

template <class C>
void find_taps(const RoiSensitiveParams& p, const C* roi, const Plane& plane, RoiTaps<C>& taps) {
  C scale = static_cast<C>(p.spatial_scale), left = std::round(roi[1]) * scale, top = std::round(roi[2]) * scale;
  C bin_w = std::max(std::round(roi[3] + 1) * scale - left, C(0.1)) / static_cast<C>(p.pooled_size);
  C bin_h = std::max(std::round(roi[4] + 1) * scale - top, C(0.1)) / static_cast<C>(p.pooled_size);
  for (int64_t j = 0; j < p.pooled_size; ++j)
    for (int64_t i = 0; i < p.pooled_size; ++i) {
      auto [y0, y1] = covered(top, bin_h, j, plane.height);
      auto [x0, x1] = covered(left, bin_w, i, plane.width);
      C share = 1 / static_cast<C>(std::max<int64_t>(1, (y1 - y0) * (x1 - x0)));
      for (int64_t y = y0; y < y1; ++y)
        for (int64_t x = x0; x < x1; ++x) taps.add(y * plane.width + x, share);
      taps.end_bin();
    }
}

// ---- Deformable ----

// A bilinear surface between four pixels, or its derivative along x, y or both; along an axis where the point is a
// pixel itself, or outside the plane, the derivative is 0.
template <class C>
void add_slope(RoiTaps<C>& taps, const Plane& plane, C y, C x, const RoiSlopeParams& p, C weight) {
  C inside_x = std::clamp(x, C(0), static_cast<C>(plane.width - 1));
  C inside_y = std::clamp(y, C(0), static_cast<C>(plane.height - 1));
  auto left = static_cast<int64_t>(std::floor(inside_x)), right = static_cast<int64_t>(std::ceil(inside_x));
  auto above = static_cast<int64_t>(std::floor(inside_y)), below = static_cast<int64_t>(std::ceil(inside_y));
  C part_x = inside_x - static_cast<C>(left), part_y = inside_y - static_cast<C>(above);
  C at_left = p.along_x ? C(-1) : 1 - part_x, at_right = p.along_x ? C(1) : part_x;
  C at_top = p.along_y ? C(-1) : 1 - part_y, at_bottom = p.along_y ? C(1) : part_y;
  taps.add(above * plane.width + left, at_top * at_left * weight);
  taps.add(above * plane.width + right, at_top * at_right * weight);
  taps.add(below * plane.width + left, at_bottom * at_left * weight);
  taps.add(below * plane.width + right, at_bottom * at_right * weight);
}

// `shift` holds the offsets of this region, (classes, 2, parts, parts), or nothing. The bins of all classes follow
// one another.
template <class C>
void find_taps(const RoiSlopeParams& p, const C* roi, const C* shift, int64_t classes, const Plane& plane,
               RoiTaps<C>& taps) {
  C scale = static_cast<C>(p.spatial_scale);
  C left = std::round(roi[1]) * scale - C(0.5), top = std::round(roi[2]) * scale - C(0.5);
  C width = std::max((std::round(roi[3]) + 1) * scale - C(0.5) - left, C(0.1));
  C height = std::max((std::round(roi[4]) + 1) * scale - C(0.5) - top, C(0.1));
  int size = p.pooled_size, parts = p.parts(), points = p.sample_per_part;
  C bin_w = width / static_cast<C>(size), bin_h = height / static_cast<C>(size);
  C reach = static_cast<C>(p.trans_std), factor = (p.along_x ? reach * width : 1) * (p.along_y ? reach * height : 1);
  std::vector<std::pair<C, C>> inside;
  for (int64_t k = 0; k < classes * size * size; ++k) {
    int64_t kind = k / (size * size);
    int j = static_cast<int>(k / size % size), i = static_cast<int>(k % size);
    C move_x = 0, move_y = 0;
    if (shift) {
      const C* at = shift + (kind * 2 * parts + p.part_of(j)) * parts + p.part_of(i);
      move_x = at[0] * reach, move_y = at[parts * parts] * reach;
    }
    C x0 = static_cast<C>(i) * bin_w + left + move_x * width, y0 = static_cast<C>(j) * bin_h + top + move_y * height;
    inside.clear();
    for (int v = 0; v < points; ++v)
      for (int u = 0; u < points; ++u) {
        C x = x0 + static_cast<C>(u) * bin_w / static_cast<C>(points);
        C y = y0 + static_cast<C>(v) * bin_h / static_cast<C>(points);
        if (x >= C(-0.5) && x <= static_cast<C>(plane.width) - C(0.5) && y >= C(-0.5) &&
            y <= static_cast<C>(plane.height) - C(0.5))
          inside.emplace_back(y, x);
      }
    for (auto [y, x] : inside) add_slope(taps, plane, y, x, p, factor / static_cast<C>(inside.size()));
    taps.merge_bin();
  }
}

}  // namespace mxnet

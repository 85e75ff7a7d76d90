// Boxes of object detection: their geometry, what suppression compares, and the parameters of operators on them.
#pragma once
#include <numeric>
#include <unordered_map>
#include <vector>

#include "mxnet/op/op.h"
#include "mxnet/ops/no_gradient.h"

namespace mxnet {

// How four numbers stand for a box: (left, top, right, bottom), or (centre x, centre y, width, height).
enum class BoxFormat { corner, center };
constexpr std::array<std::pair<BoxFormat, std::string_view>, 2> names_of(BoxFormat) {
  return {{{BoxFormat::center, "center"}, {BoxFormat::corner, "corner"}}};
}

template <class C>
struct Box {
  C left, top, right, bottom;

  static Box read(const C* p, BoxFormat format) {
    if (format == BoxFormat::corner) return {p[0], p[1], p[2], p[3]};
    C half_width = p[2] / 2, half_height = p[3] / 2;
    return {p[0] - half_width, p[1] - half_height, p[0] + half_width, p[1] + half_height};
  }
  void write(C* p, BoxFormat format) const {
    bool corner = format == BoxFormat::corner;
    p[0] = corner ? left : (left + right) / 2;
    p[1] = corner ? top : (top + bottom) / 2;
    p[2] = corner ? right : right - left;
    p[3] = corner ? bottom : bottom - top;
  }
  C width() const { return right - left; }
  C height() const { return bottom - top; }
  C center_x() const { return (left + right) / 2; }
  C center_y() const { return (top + bottom) / 2; }
};

// Boxes in columns, so that one box is compared with many at once. `extra` is 1 where corners are pixels, the
// last ones included, and 0 where they are coordinates. For *.kernel.cc only.
template <class C>
class BoxColumns {
 public:
  explicit BoxColumns(C extra = 0) : extra_(extra) {}

  int64_t size() const { return static_cast<int64_t>(left_.size()); }
  void reserve(int64_t n) {
    for (auto* column : {&left_, &top_, &right_, &bottom_, &area_}) column->reserve(n);
  }
  void add(const Box<C>& b) {
    left_.push_back(b.left), top_.push_back(b.top), right_.push_back(b.right), bottom_.push_back(b.bottom);
    area_.push_back(area(b));
  }

  // out[j] = intersection over union of `b` and box j, 0 where the union is empty.
  void overlaps(const Box<C>& b, int64_t begin, int64_t end, C* out) const {
    const C *left = left_.data(), *top = top_.data(), *right = right_.data(), *bottom = bottom_.data(),
            *areas = area_.data(), own = area(b), extra = extra_;
#pragma omp simd
    for (int64_t j = begin; j < end; ++j) {
      C w = (b.right < right[j] ? b.right : right[j]) - (b.left > left[j] ? b.left : left[j]) + extra;
      C h = (b.bottom < bottom[j] ? b.bottom : bottom[j]) - (b.top > top[j] ? b.top : top[j]) + extra;
      C both = w > 0 && h > 0 ? w * h : C(0);
      C either = own + areas[j] - both;
      out[j - begin] = either > 0 ? both / either : C(0);
    }
  }

  // Whether a box overlaps `b` more than `threshold`, or as much if `inclusive`.
  bool suppress(const Box<C>& b, C threshold, bool inclusive = false) const {
    constexpr int64_t kBlock = 64;
    C overlap[kBlock];
    for (int64_t at = 0, n = size(); at < n; at += kBlock) {
      int64_t m = std::min(kBlock, n - at);
      overlaps(b, at, at + m, overlap);
      int hit = 0;
#pragma omp simd reduction(| : hit)
      for (int64_t j = 0; j < m; ++j) hit |= overlap[j] > threshold || (inclusive && overlap[j] == threshold);
      if (hit) return true;
    }
    return false;
  }

 private:
  C area(const Box<C>& b) const { return (b.width() + extra_) * (b.height() + extra_); }

  C extra_;
  std::vector<C> left_, top_, right_, bottom_, area_;
};

// The boxes kept so far, by class, so that boxes of other classes need not be looked at.
template <class C>
using BoxesByClass = std::unordered_map<C, BoxColumns<C>>;

// Puts the indices of the `count` best in front, by falling score and equal ones by index; drops the others.
template <class C>
void keep_best(std::vector<int64_t>& places, const C* score, int64_t stride, int64_t count = -1) {
  auto better = [=](int64_t a, int64_t b) {
    C x = score[a * stride], y = score[b * stride];
    return x > y || (x == y && a < b);
  };
  if (count >= 0 && count < static_cast<int64_t>(places.size())) {
    std::nth_element(places.begin(), places.begin() + count, places.end(), better);
    places.resize(count);
  }
  std::sort(places.begin(), places.end(), better);
}

inline void expect_floating(InferContext& c, DType dtype) {
  if (dtype != DType::unknown && !is_floating(dtype)) c.fail_type("dtype is ", dtype, ", expected a floating dtype");
}

struct BoxIouParams {
  BoxFormat format = BoxFormat::corner;

  static constexpr auto fields() {
    return std::tuple{field("format", &BoxIouParams::format,
                            "'corner' for (left, top, right, bottom), 'center' for (x, y, width, height).")};
  }
};

struct BoxNmsParams {
  float overlap_thresh = 0.5f, valid_thresh = 0;
  int topk = -1, coord_start = 2, score_index = 1, id_index = -1, background_id = -1;
  bool force_suppress = false;
  BoxFormat in_format = BoxFormat::corner, out_format = BoxFormat::corner;

  static constexpr auto fields() {
    using P = BoxNmsParams;
    return std::tuple{
        field("overlap_thresh", &P::overlap_thresh, "Boxes that overlap a better one more than this are dropped."),
        field("valid_thresh", &P::valid_thresh, "Boxes whose score is not above this are dropped."),
        field("topk", &P::topk, "How many of the best boxes take part; -1 for all, 0 leaves the data as it is."),
        field("coord_start", &P::coord_start, "Where the four coordinates begin in a row."),
        field("score_index", &P::score_index, "Where the score is in a row."),
        field("id_index", &P::id_index, "Where the class is in a row; -1 for none."),
        field("background_id", &P::background_id, "Class whose boxes are dropped, where there is an id_index."),
        field("force_suppress", &P::force_suppress, "Compare boxes of different classes, too."),
        field("in_format", &P::in_format, "Format of the coordinates of the data."),
        field("out_format", &P::out_format, "Format of the coordinates of the result.")};
  }
};

struct BoxDecodeParams {
  float std0 = 1, std1 = 1, std2 = 1, std3 = 1, clip = -1;
  BoxFormat format = BoxFormat::center;

  static constexpr auto fields() {
    using P = BoxDecodeParams;
    return std::tuple{field("std0", &P::std0, "Factor of the offset of x."),
                      field("std1", &P::std1, "Factor of the offset of y."),
                      field("std2", &P::std2, "Factor of the logarithm of the width."),
                      field("std3", &P::std3, "Factor of the logarithm of the height."),
                      field("clip", &P::clip, "Upper bound of the logarithms of width and height, if positive."),
                      field("format", &P::format, "Format of the anchors.")};
  }
};

struct BipartiteMatchingParams {
  bool is_ascend = false;
  float threshold = 0;
  int topk = -1;

  static constexpr auto fields() {
    using P = BipartiteMatchingParams;
    return std::tuple{
        field("is_ascend", &P::is_ascend, "Whether low scores are matched first."),
        field("threshold", &P::threshold, "Scores must be above it, or below it with is_ascend.").required(),
        field("topk", &P::topk, "Stop when more pairs than this are matched; no limit unless positive.")};
  }
};

}  // namespace mxnet

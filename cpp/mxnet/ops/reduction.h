// What reductions compute and which axes they walk, for the kernels of every device.
#pragma once
#include <algorithm>
#include <limits>
#include <type_traits>
#include <vector>

#include "mxnet/base/half.h"
#include "mxnet/ops/axes.h"

namespace mxnet {

// ---- What is computed: a map of each element, a step that joins lanes, and a wider total. Lanes are float,
// double, int32 or int64; other types are converted on the way in and out. ----

template <class L>
struct SumOf {
  using Lane = L;
  using Total = std::conditional_t<std::is_floating_point_v<L>, double, int64_t>;
  static constexpr L identity = 0;
  template <class V>
  MX_HD static V map(V x) {
    return x;
  }
  template <class V>
  MX_HD static V step(V a, V x) {
    return a + x;
  }
};

template <class L>
struct NanSumOf : SumOf<L> {
  template <class V>
  MX_HD static V map(V x) {
    return x == x ? x : V{};
  }
};

template <class L>
struct SquareSumOf : SumOf<L> {
  template <class V>
  MX_HD static V map(V x) {
    return x * x;
  }
};

template <class L>
struct MagnitudeSumOf : SumOf<L> {
  template <class V>
  MX_HD static V map(V x) {
    return x < V{} ? -x : x;
  }
};

template <class L>
struct ProductOf {
  using Lane = L;
  using Total = L;
  static constexpr L identity = 1;
  template <class V>
  MX_HD static V map(V x) {
    return x;
  }
  template <class V>
  MX_HD static V step(V a, V x) {
    return a * x;
  }
};

template <class L>
struct NanProductOf : ProductOf<L> {
  template <class V>
  MX_HD static V map(V x) {
    return x == x ? x : V{} + L{1};
  }
};

template <class L>
struct MaxOf {
  using Lane = L;
  using Total = L;
  static constexpr L identity =
      std::is_floating_point_v<L> ? -std::numeric_limits<L>::infinity() : std::numeric_limits<L>::lowest();
  template <class V>
  MX_HD static V map(V x) {
    return x;
  }
  template <class V>
  MX_HD static V step(V a, V x) {
    return ((x > a) | (x != x)) ? x : a;
  }
};

template <class L>
struct MinOf : MaxOf<L> {
  static constexpr L identity =
      std::is_floating_point_v<L> ? std::numeric_limits<L>::infinity() : std::numeric_limits<L>::max();
  template <class V>
  MX_HD static V step(V a, V x) {
    return ((x < a) | (x != x)) ? x : a;
  }
};

// What is done with each total at the end.
enum class Finish { none, mean, root, truth };

struct ReduceAxis {
  int64_t count, stride;
};

// The axes with neighbours of one kind merged: a contiguous run of `inner` elements that is reduced or kept as
// a whole, and the kept and the reduced axes around it.
struct ReduceLayout {
  std::vector<ReduceAxis> kept, reduced;
  int64_t inner = 1;
  bool inner_reduced = true;
  int64_t num_kept = 1, num_reduced = 1;  // products of the axes around

  ReduceLayout(const Shape& shape, AxisSet set) {
    int64_t stride = 1;
    bool first = true, last_kind = true;
    for (int i = shape.ndim() - 1; i >= 0; --i) {
      if (shape[i] == 1) continue;
      bool kind = contains(set, i);
      std::vector<ReduceAxis>& side = kind ? reduced : kept;
      if (first)
        side.push_back({shape[i], stride}), inner_reduced = kind;
      else if (kind == last_kind)
        side.back().count *= shape[i];
      else
        side.push_back({shape[i], stride});
      first = false, last_kind = kind;
      stride *= shape[i];
    }
    std::vector<ReduceAxis>& innermost = inner_reduced ? reduced : kept;
    if (!innermost.empty()) {
      inner = innermost.front().count;
      innermost.erase(innermost.begin());
    }
    for (std::vector<ReduceAxis>* side : {&kept, &reduced}) {
      std::reverse(side->begin(), side->end());
      for (const ReduceAxis& e : *side) (side == &kept ? num_kept : num_reduced) *= e.count;
    }
  }
};

}  // namespace mxnet

// Reductions: sums, products, extremes, norms, and the places of extremes.
#pragma once
#include "mxnet/ops/axes.h"

namespace mxnet {

struct ReduceParams {
  Axes axis;
  bool keepdims = false;
  bool exclude = false;

  static constexpr auto fields() {
    using P = ReduceParams;
    return std::tuple{field("axis", &P::axis, "Axis or axes to reduce; None or () for all."),
                      field("keepdims", &P::keepdims, "Leave the reduced axes in place with extent 1."),
                      field("exclude", &P::exclude, "Reduce the axes that are not listed instead.")};
  }
};

struct NormParams {
  int ord = 2;
  Axes axis;
  DType out_dtype = DType::unknown;
  bool keepdims = false;

  static constexpr auto fields() {
    using P = NormParams;
    return std::tuple{field("ord", &P::ord, "1 for the sum of magnitudes, 2 for the root of the sum of squares."),
                      field("axis", &P::axis, "Axis or axes to reduce; None or () for all."),
                      field("out_dtype", &P::out_dtype, "Element type of the result; that of the data if None."),
                      field("keepdims", &P::keepdims, "Leave the reduced axes in place with extent 1.")};
  }
};

struct ArgParams {
  std::optional<int> axis;
  bool keepdims = false;

  static constexpr auto fields() {
    using P = ArgParams;
    return std::tuple{field("axis", &P::axis, "Axis to search; None takes the array as one row."),
                      field("keepdims", &P::keepdims, "Leave the searched axis in place with extent 1.")};
  }
};

struct MomentsParams {
  Axes axes;
  bool keepdims = false;

  static constexpr auto fields() {
    using P = MomentsParams;
    return std::tuple{field("axes", &P::axes, "Axes over which mean and variance are taken; None for all."),
                      field("keepdims", &P::keepdims, "Leave the reduced axes in place with extent 1.")};
  }
};

// The axes as three extents: those before the searched axis, the axis, those after it.
struct Split3 {
  int64_t outer, extent, inner;
};
inline Split3 split_at(const Shape& shape, int axis) {
  return {shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.ndim())};
}

}  // namespace mxnet

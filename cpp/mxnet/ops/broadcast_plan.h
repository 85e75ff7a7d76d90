// How two operands are walked under broadcasting, on every device.
#pragma once
#include "mxnet/base/error.h"
#include "mxnet/base/half.h"
#include "mxnet/base/shape.h"

namespace mxnet {

// An iteration space of at most a few dimensions in which neighbours that both operands walk alike are one.
struct BroadcastPlan {
  Shape extents;               // outermost first
  Shape a_strides, b_strides;  // in elements; the innermost are 0 or 1

  BroadcastPlan(const Shape& out, const Shape& a, const Shape& b) {
    Shape a_full = strides_in(out, a), b_full = strides_in(out, b);
    for (int i = 0; i < out.ndim(); ++i) {
      if (out[i] == 1) continue;
      int last = extents.ndim() - 1;
      bool joins = last >= 0 && a_strides[last] == a_full[i] * out[i] && b_strides[last] == b_full[i] * out[i];
      if (joins) {
        extents[last] *= out[i];
        a_strides[last] = a_full[i];
        b_strides[last] = b_full[i];
      } else {
        extents.push_back(out[i]);
        a_strides.push_back(a_full[i]);
        b_strides.push_back(b_full[i]);
      }
    }
    if (extents.ndim() == 0) extents.push_back(1), a_strides.push_back(1), b_strides.push_back(1);
  }

  // The strides of `shape` seen as `out`: 0 where it is broadcast.
  static Shape strides_in(const Shape& out, const Shape& shape) {
    Shape strides = Shape::filled(out.ndim(), 0);
    int shift = out.ndim() - shape.ndim();
    int64_t stride = 1;
    for (int i = shape.ndim() - 1; i >= 0; --i) {
      strides[i + shift] = shape[i] == 1 ? 0 : stride;
      stride *= shape[i];
    }
    return strides;
  }

  int64_t inner() const { return extents.back(); }
};

// Axes with up to two sets of strides as a plain value, for kernels that work out the place of each element.
struct StridedAxes {
  static constexpr int kMostAxes = 16;
  int rank = 0;
  int64_t extents[kMostAxes];
  int64_t a_strides[kMostAxes], b_strides[kMostAxes];

  StridedAxes() = default;
  explicit StridedAxes(const BroadcastPlan& plan) {
    for (int i = 0; i < plan.extents.ndim(); ++i) add(plan.extents[i], plan.a_strides[i], plan.b_strides[i]);
  }
  void add(int64_t extent, int64_t a_stride, int64_t b_stride = 0) {
    if (rank == kMostAxes)
      fail(ErrorKind::not_implemented, "more than ", kMostAxes,
           " axes that do not join to fewer are not supported here");
    extents[rank] = extent, a_strides[rank] = a_stride, b_strides[rank++] = b_stride;
  }

  struct Offsets {
    int64_t a, b;
  };
  // Of the element at `position` in row-major order. Index is an unsigned type that holds it: dividing is
  // several times faster in 32 bits.
  template <class Index>
  MX_HD Offsets offsets(Index position) const {
    Offsets at{0, 0};
    for (int i = rank - 1; i > 0; --i) {
      Index extent = static_cast<Index>(extents[i]), rest = position / extent;
      int64_t index = static_cast<int64_t>(position - rest * extent);
      at.a += index * a_strides[i], at.b += index * b_strides[i];
      position = rest;
    }
    if (rank > 0)
      at.a += static_cast<int64_t>(position) * a_strides[0], at.b += static_cast<int64_t>(position) * b_strides[0];
    return at;
  }
};

}  // namespace mxnet

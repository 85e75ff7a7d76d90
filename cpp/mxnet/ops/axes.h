// Lists of axes in parameters, and the shapes reductions give.
#pragma once
#include <optional>

#include "mxnet/base/error.h"
#include "mxnet/base/shape.h"
#include "mxnet/op/expr.h"

namespace mxnet {

// A tuple of axes, one axis, or None.
using Axes = std::optional<Shape>;
// Bit i stands for axis i.
using AxisSet = uint64_t;

inline bool contains(AxisSet set, int axis) { return set >> axis & 1; }

inline AxisSet all_axes(int rank) { return rank >= 64 ? ~AxisSet{0} : (AxisSet{1} << rank) - 1; }

// None and () mean every axis; `exclude` takes the axes that are not listed.
inline AxisSet axis_set(const char* op, const Axes& axes, const Shape& shape, bool exclude = false) {
  AxisSet all = all_axes(shape.ndim());
  if (!axes || axes->ndim() == 0) return all;
  AxisSet set = 0;
  for (int64_t axis : *axes) {
    AxisSet bit = AxisSet{1} << normal_axis(op, axis, shape);
    if (set & bit) value_error(op, ": axis ", axis, " is given twice in ", *axes);
    set |= bit;
  }
  return exclude ? all & ~set : set;
}

// The shape with the axes of `set` reduced to 1 or, without keepdims, taken out. What is left of an array
// reduced altogether has shape (1,).
inline Shape reduced_shape(const Shape& shape, AxisSet set, bool keepdims) {
  Shape result;
  for (int i = 0; i < shape.ndim(); ++i) {
    if (!contains(set, i))
      result.push_back(shape[i]);
    else if (keepdims)
      result.push_back(1);
  }
  if (!keepdims && result.ndim() == 0) result.push_back(1);
  return result;
}

// Number of elements that one result comes from.
inline int64_t reduced_count(const Shape& shape, AxisSet set) {
  int64_t count = 1;
  for (int i = 0; i < shape.ndim(); ++i)
    if (contains(set, i)) count *= shape[i];
  return count;
}

// The reverse of a reduction in shape: `x`, one element per result, spread over `shape`.
inline Expr spread(const Expr& x, const Shape& shape, AxisSet set) {
  return broadcast_to(reshape(x, reduced_shape(shape, set, true)), shape);
}

}  // namespace mxnet

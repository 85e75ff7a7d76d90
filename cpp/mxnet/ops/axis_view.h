// An array as the kernels that work along one axis see it.
#pragma once
#include <algorithm>

#include "mxnet/base/shape.h"

namespace mxnet {

// An array seen around one axis: element (i, j, k) at (i * count + j) * inner + k.
struct AxisView {
  int64_t outer = 1, count = 1, inner = 1;
};
inline AxisView around(const Shape& shape, int axis) {
  return {shape.product(0, axis), shape.ndim() ? shape[axis] : 1,
          shape.product(std::min(axis + 1, shape.ndim()), shape.ndim())};
}

}  // namespace mxnet

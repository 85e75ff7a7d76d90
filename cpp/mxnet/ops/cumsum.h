// Cumulative sums: parameters.
#pragma once
#include "mxnet/op/params.h"

namespace mxnet {

struct CumsumParams {
  std::optional<int64_t> axis;
  DType dtype = DType::unknown;

  static constexpr auto fields() {
    using P = CumsumParams;
    return std::tuple{field("axis", &P::axis, "Axis to sum along; None takes the array as one vector."),
                      field("dtype", &P::dtype, "Dtype of the result; that of the array if not given.")};
  }
};

}  // namespace mxnet

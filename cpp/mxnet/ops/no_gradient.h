// The gradient of operators whose results do not move with their inputs, such as indices: nothing flows back.
#pragma once
#include "mxnet/op/expr.h"

namespace mxnet {

inline constexpr auto no_gradient = [](const auto&, GradContext&) {};

}  // namespace mxnet

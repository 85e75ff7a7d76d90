// What the functors of the elementwise operators have in common.
#pragma once
#include <array>
#include <string>
#include <type_traits>

#include "mxnet/base/half.h"

namespace mxnet {

// What an integer array is computed in: its own type, or double with the result truncated.
enum class Integers { own, as_double };

struct UnaryFunction {
  static constexpr std::array<const char*, 0> aliases{};
  static constexpr Integers integers = Integers::as_double;
  static constexpr bool uses_input = false;  // by backward
  static constexpr bool uses_output = false;
  static constexpr bool fused = true;  // worth a kernel for the gradient
  static constexpr bool flat = false;  // the gradient is zero everywhere
  static constexpr bool method = true;
  static constexpr bool trigonometric = false;  // float arguments beyond kTrigLimit go through double
};

// A constant of a formula, in the type of the numbers it meets; double next to an Expr.
template <class V>
MX_HD constexpr auto constant(double value) {
  if constexpr (std::is_arithmetic_v<V>)
    return static_cast<V>(value);
  else
    return value;
}

template <class... F>
struct FunctorList {
  template <class Visitor>
  static void each(Visitor&& visit) {
    (visit.template operator()<F>(), ...);
  }
};

// The name of a functor's fused gradient.
template <class F>
std::string backward_name() {
  return std::string("_backward_") + F::name;
}

}  // namespace mxnet

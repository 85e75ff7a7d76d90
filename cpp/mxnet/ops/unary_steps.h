// Unary functors that are constant between steps, and their straight-through variants.
#pragma once
#include "mxnet/base/math.h"
#include "mxnet/ops/functor.h"

namespace mxnet::functor {

// Functions that are constant between their steps.
struct StepFunction : UnaryFunction {
  static constexpr Integers integers = Integers::own;
  static constexpr bool flat = true;
};

struct Sign : StepFunction {
  static constexpr auto name = "sign";
  static constexpr auto doc = "-1, 0 or 1 as x is negative, zero or positive, element by element.";
  static constexpr std::array aliases{"_sparse_sign"};
  template <class T>
  MX_HD static T forward(T x) {
    return sign(x);
  }
};

struct LogicalNot : StepFunction {
  static constexpr auto name = "logical_not";
  static constexpr auto doc = "1 where x is zero and 0 elsewhere, in the dtype of x.";
  static constexpr bool method = false;
  template <class T>
  MX_HD static T forward(T x) {
    return static_cast<T>(x == T(0));
  }
};

struct Round : StepFunction {
  static constexpr auto name = "round";
  static constexpr auto doc = "The nearest integer, halves away from zero, element by element.";
  static constexpr std::array aliases{"_sparse_round"};
  template <class T>
  MX_HD static T forward(T x) {
    if constexpr (std::is_integral_v<T>) {
      return x;
    } else {
      T whole = trunc(x);
      return abs(x - whole) >= T(0.5) ? whole + (x < T(0) ? T(-1) : T(1)) : whole;
    }
  }
};

struct Rint : StepFunction {
  static constexpr auto name = "rint";
  static constexpr auto doc = "The nearest integer, halves downwards, element by element.";
  static constexpr std::array aliases{"_sparse_rint"};
  template <class T>
  MX_HD static T forward(T x) {
    if constexpr (std::is_integral_v<T>) {
      return x;
    } else {
      T low = floor(x);
      return x - low > T(0.5) ? low + T(1) : low;
    }
  }
};

struct Ceil : StepFunction {
  static constexpr auto name = "ceil";
  static constexpr auto doc = "The smallest integer not below x, element by element.";
  static constexpr std::array aliases{"_sparse_ceil"};
  template <class T>
  MX_HD static T forward(T x) {
    if constexpr (std::is_integral_v<T>)
      return x;
    else
      return ceil(x);
  }
};

struct Floor : StepFunction {
  static constexpr auto name = "floor";
  static constexpr auto doc = "The largest integer not above x, element by element.";
  static constexpr std::array aliases{"_sparse_floor"};
  template <class T>
  MX_HD static T forward(T x) {
    if constexpr (std::is_integral_v<T>)
      return x;
    else
      return floor(x);
  }
};

struct Trunc : StepFunction {
  static constexpr auto name = "trunc";
  static constexpr auto doc = "x without its fraction, element by element.";
  static constexpr std::array aliases{"_sparse_trunc"};
  template <class T>
  MX_HD static T forward(T x) {
    if constexpr (std::is_integral_v<T>)
      return x;
    else
      return trunc(x);
  }
};

struct Fix : Trunc {
  static constexpr auto name = "fix";
  static constexpr auto doc = "The integer next to x towards zero, element by element.";
  static constexpr std::array aliases{"_sparse_fix"};
};

// Straight-through estimators: steps forward, the identity backward.
struct RoundSte : Round {
  static constexpr auto name = "_contrib_round_ste";
  static constexpr auto doc = "Rounds as `round` does; the gradient passes as if nothing had happened.";
  static constexpr std::array aliases{"_sparse__contrib_round_ste"};
  static constexpr bool flat = false;
  static constexpr bool fused = false;
  static constexpr bool method = false;
  template <class V>
  MX_HD static V backward(V dy, V, V) {
    return dy;
  }
};

struct SignSte : Sign {
  static constexpr auto name = "_contrib_sign_ste";
  static constexpr auto doc = "The sign as `sign` gives it; the gradient passes as if nothing had happened.";
  static constexpr std::array aliases{"_sparse__contrib_sign_ste"};
  static constexpr bool flat = false;
  static constexpr bool fused = false;
  static constexpr bool method = false;
  template <class V>
  MX_HD static V backward(V dy, V, V) {
    return dy;
  }
};

}  // namespace mxnet::functor

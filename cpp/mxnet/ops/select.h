// Functions that choose by comparing: clip, smooth_l1 and hard_sigmoid as functors with constants, and where.
#pragma once
#include <limits>
#include <tuple>

#include "mxnet/base/math.h"
#include "mxnet/op/params.h"

namespace mxnet {

struct ClipParams {
  double a_min = 0, a_max = 0;
  static constexpr auto fields() {
    using P = ClipParams;
    return std::tuple{field("a_min", &P::a_min, "Least value of the result.").required(),
                      field("a_max", &P::a_max, "Greatest value of the result.").required()};
  }
};

struct SmoothL1Params {
  double scalar = 1;
  static constexpr auto fields() {
    return std::tuple{field("scalar", &SmoothL1Params::scalar, "The s at whose 1 / s^2 the square becomes linear.")};
  }
};

struct HardSigmoidParams {
  double alpha = 0.2, beta = 0.5;
  static constexpr auto fields() {
    using P = HardSigmoidParams;
    return std::tuple{field("alpha", &P::alpha, "Slope."), field("beta", &P::beta, "Value at zero.")};
  }
};

struct QuadraticParams {
  double a = 0, b = 0, c = 0;
  static constexpr auto fields() {
    using P = QuadraticParams;
    return std::tuple{field("a", &P::a, "Factor of the square."), field("b", &P::b, "Factor of x."),
                      field("c", &P::c, "Constant.")};
  }
};

namespace functor {

// Each is built from its parameters in the type it computes in; `slope` is the derivative at x.

template <class V>
struct Clip {
  V low, high;
  // Bounds beyond what an integer type holds bind nothing.
  MX_HD static V bound(double x) {
    if constexpr (std::is_integral_v<V>) {
      using Limits = std::numeric_limits<V>;
      if (x <= static_cast<double>(Limits::lowest())) return Limits::lowest();
      if (x >= static_cast<double>(Limits::max())) return Limits::max();
    }
    return static_cast<V>(x);
  }
  MX_HD explicit Clip(const ClipParams& p) : low(bound(p.a_min)), high(bound(p.a_max)) {}
  MX_HD V operator()(V x) const { return x > high ? high : x < low ? low : x; }
  MX_HD V slope(V x) const { return x > high ? V(0) : x < low ? V(0) : V(1); }
};

template <class V>
struct SmoothL1 {
  V square, edge;
  MX_HD explicit SmoothL1(const SmoothL1Params& p)
      : square(static_cast<V>(p.scalar * p.scalar)), edge(static_cast<V>(1 / (p.scalar * p.scalar))) {}
  MX_HD V operator()(V x) const {
    V magnitude = abs(x);
    return magnitude < edge ? V(0.5) * square * (x * x) : magnitude - V(0.5) * edge;
  }
  MX_HD V slope(V x) const { return abs(x) < edge ? square * x : sign(x); }
};

template <class V>
struct HardSigmoid {
  V alpha, beta;
  MX_HD explicit HardSigmoid(const HardSigmoidParams& p)
      : alpha(static_cast<V>(p.alpha)), beta(static_cast<V>(p.beta)) {}
  MX_HD V operator()(V x) const {
    V y = alpha * x + beta;
    return y > V(1) ? V(1) : y < V(0) ? V(0) : y;
  }
  MX_HD V slope(V x) const {
    V y = alpha * x + beta;
    return (y > V(0)) & (y < V(1)) ? alpha : V(0);
  }
};

template <class V>
struct Quadratic {
  V a, b, c;
  MX_HD explicit Quadratic(const QuadraticParams& p)
      : a(static_cast<V>(p.a)), b(static_cast<V>(p.b)), c(static_cast<V>(p.c)) {}
  MX_HD V operator()(V x) const { return (a * x + b) * x + c; }
  MX_HD V slope(V x) const { return V(2) * a * x + b; }
};

}  // namespace functor
}  // namespace mxnet

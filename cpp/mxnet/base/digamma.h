// The logarithmic derivative of the gamma function, for kernels on every device.
#pragma once
#include <cmath>

#include "mxnet/base/half.h"

namespace mxnet {
namespace detail {

inline constexpr int kBernoulliCount = 12;
// The k-th of the Bernoulli numbers B_2, B_4, ...: the coefficients of the asymptotic series.
MX_HD inline double bernoulli(int k) {
  constexpr double kNumbers[kBernoulliCount] = {1.0 / 6,       -1.0 / 30,       1.0 / 42,       -1.0 / 30,
                                                5.0 / 66,      -691.0 / 2730,   7.0 / 6,        -3617.0 / 510,
                                                43867.0 / 798, -174611.0 / 330, 854513.0 / 138, -236364091.0 / 2730};
  return kNumbers[k];
}

// For positive x: upwards by the recurrence to where the series is exact in double.
MX_HD inline double digamma_positive(double x) {
  double below = 0;
  for (; x < 16; x += 1) below += 1 / x;
  double sum = ::log(x) - 0.5 / x, power = 1 / (x * x), term = power;
  for (int k = 0; k < kBernoulliCount; ++k, term *= power) sum -= bernoulli(k) / (2 * k + 2) * term;
  return sum - below;
}

}  // namespace detail

// NaN at the negative integers, minus infinity at 0.
MX_HD inline double digamma(double x) {
  constexpr double kPi = 3.14159265358979323846;
  if (!(x <= 0)) return x < HUGE_VAL ? detail::digamma_positive(x) : x;
  if (x == ::floor(x)) return x == 0 ? -HUGE_VAL : NAN;
  // The reflection; at a half the cotangent is exactly 0.
  double fraction = x - ::floor(x);
  double cotangent = fraction == 0.5 ? 0 : 1 / ::tan(kPi * fraction);
  return detail::digamma_positive(1 - x) - kPi * cotangent;
}

}  // namespace mxnet

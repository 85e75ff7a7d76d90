// Elementary functions for kernels. The float versions have no branches and no calls, so that loops over them
// vectorise at every instruction-set level; they are within 2 units in the last place (tanh and erf within 7) and right
// at infinities, NaN and subnormals. The double versions are the C library's. In device code all are CUDA's. The
// polynomial coefficients are minimax fits for this file.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "mxnet/base/half.h"

namespace mxnet {
namespace detail {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

MX_HD inline int32_t bits_of(float x) { return bit_cast<int32_t>(x); }
MX_HD inline float from_bits(int32_t bits) { return bit_cast<float>(bits); }
// 2^k for k in [-126, 127].
MX_HD inline float power_of_two(int32_t k) { return from_bits((k + 127) << 23); }

// Comparisons that leave a NaN a NaN.
MX_HD inline float at_most(float x, float limit) { return x > limit ? limit : x; }
MX_HD inline float at_least(float x, float limit) { return x < limit ? limit : x; }
MX_HD inline float clamp(float x, float low, float high) { return at_least(at_most(x, high), low); }

// The integer nearest to a small x as a float and as an int: adding 1.5 * 2^23 leaves it in the low bits.
struct Nearest {
  float value;
  int32_t integer;
};
MX_HD inline Nearest nearest(float x) {
  constexpr float kShift = 12582912.0f;
  float shifted = x + kShift;
  return {shifted - kShift, bits_of(shifted) - 0x4b400000};
}

// x = k ln 2 + r with |r| <= ln 2 / 2; the high part of ln 2 has so few bits that k times it is exact.
struct ExpParts {
  float r;
  int32_t k;
};
MX_HD inline ExpParts split_exp(float x) {
  Nearest n = nearest(x * 1.44269504f);
  return {(x - n.value * 0.693359375f) + n.value * 2.12194440e-4f, n.integer};
}
// (e^r - 1 - r) / r^2
MX_HD inline float exp_tail(float r) {
  float p = 1.97395537e-4f;
  p = p * r + 1.39350968e-3f;
  p = p * r + 8.33357126e-3f;
  p = p * r + 4.16664630e-2f;
  p = p * r + 1.66666657e-1f;
  return p * r + 0.5f;
}
// e^x 2^shift; two steps of scaling let the result become subnormal or overflow.
MX_HD inline float exp_scaled(float x, int32_t shift) {
  auto [r, k] = split_exp(clamp(x, -105.0f, 90.0f));
  float p = 1.0f + (r + r * r * exp_tail(r));
  k += shift;
  int32_t half = k >> 1;
  return p * power_of_two(half) * power_of_two(k - half);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for positive finite x.
struct LogParts {
  float f, k;
};
MX_HD inline LogParts split_log_normal(float x) {
  constexpr int32_t kSqrtHalf = 0x3f3504f3;
  int32_t offset = bits_of(x) - kSqrtHalf;
  return {from_bits((offset & 0x7fffff) + kSqrtHalf) - 1.0f, static_cast<float>(offset >> 23)};
}
MX_HD inline LogParts split_log(float x) {
  bool subnormal = x < 1.17549435e-38f;
  auto [f, k] = split_log_normal(subnormal ? x * 8388608.0f : x);
  return {f, k - (subnormal ? 23.0f : 0.0f)};
}
// (log(1 + f) - f + f^2 / 2) / f^3
MX_HD inline float log_tail(float f) {
  float p = 6.74953908e-2f;
  p = p * f - 1.16701826e-1f;
  p = p * f + 1.18834712e-1f;
  p = p * f - 1.24062084e-1f;
  p = p * f + 1.42203629e-1f;
  p = p * f - 1.66679904e-1f;
  p = p * f + 2.00020716e-1f;
  p = p * f - 2.50000089e-1f;
  return p * f + 3.33333135e-1f;
}
// log(2^k (1 + f)) to the base whose logarithm of 2 is high + low and of e is per_e, high with few bits.
MX_HD inline float join_log(LogParts parts, float high, float low, float per_e) {
  auto [f, k] = parts;
  float correction = f * f * (f * log_tail(f) - 0.5f);
  return k * high + (f * per_e + (correction * per_e + k * low));
}
MX_HD inline float log_to_base(float x, float high, float low, float per_e) {
  float y = join_log(split_log(x), high, low, per_e);
  y = x < kInfinity ? y : x;
  return x > 0.0f ? y : (x == 0.0f ? -kInfinity : kNaN);
}

// Sine and cosine share their reduction. It is done in double, which is exact enough for |x| up to kTrigLimit.
struct TrigParts {
  float sin, cos;
  int32_t quadrant;
};
MX_HD inline TrigParts split_trig(float x) {
  Nearest n = nearest(x * 0.636619772f);
  double multiple = n.value;
  double reduced = (static_cast<double>(x) - multiple * 1.5707963267341256) - multiple * 6.077100506506192e-11;
  float r = static_cast<float>(reduced), z = r * r;
  float s = r + r * z * ((-1.95184082e-4f * z + 8.3321901e-3f) * z - 1.66666552e-1f);
  float c = 1.0f - 0.5f * z + z * z * ((2.44323364e-5f * z - 1.38873095e-3f) * z + 4.16666456e-2f);
  return {s, c, n.integer};
}
MX_HD inline float with_quadrant_sign(float x, int32_t quadrant) {
  return from_bits(bits_of(x) ^ ((quadrant & 2) << 30));
}

}  // namespace detail

// Float sine, cosine and tangent hold for |x| up to this; kernels evaluate larger arguments in double.
inline constexpr float kTrigLimit = 1.0e5f;

MX_HD inline float sqrt(float x) { return ::sqrtf(x); }
MX_HD inline float abs(float x) { return ::fabsf(x); }
MX_HD inline float floor(float x) { return ::floorf(x); }
MX_HD inline float ceil(float x) { return ::ceilf(x); }
MX_HD inline float trunc(float x) { return ::truncf(x); }
MX_HD inline float rint(float x) { return ::rintf(x); }
MX_HD inline float cbrt(float x) { return ::cbrtf(x); }
MX_HD inline float hypot(float x, float y) { return ::hypotf(x, y); }
MX_HD inline float fmod(float x, float y) { return ::fmodf(x, y); }
MX_HD inline float pow(float x, float y) { return ::powf(x, y); }
MX_HD inline float asin(float x) { return ::asinf(x); }
MX_HD inline float acos(float x) { return ::acosf(x); }
MX_HD inline float atan(float x) { return ::atanf(x); }
MX_HD inline float asinh(float x) { return ::asinhf(x); }
MX_HD inline float acosh(float x) { return ::acoshf(x); }
MX_HD inline float atanh(float x) { return ::atanhf(x); }

MX_HD inline double sqrt(double x) { return ::sqrt(x); }
MX_HD inline double abs(double x) { return ::fabs(x); }
MX_HD inline double floor(double x) { return ::floor(x); }
MX_HD inline double ceil(double x) { return ::ceil(x); }
MX_HD inline double trunc(double x) { return ::trunc(x); }
MX_HD inline double rint(double x) { return ::rint(x); }
MX_HD inline double cbrt(double x) { return ::cbrt(x); }
MX_HD inline double hypot(double x, double y) { return ::hypot(x, y); }
MX_HD inline double fmod(double x, double y) { return ::fmod(x, y); }
MX_HD inline double pow(double x, double y) { return ::pow(x, y); }
MX_HD inline double asin(double x) { return ::asin(x); }
MX_HD inline double acos(double x) { return ::acos(x); }
MX_HD inline double atan(double x) { return ::atan(x); }
MX_HD inline double asinh(double x) { return ::asinh(x); }
MX_HD inline double acosh(double x) { return ::acosh(x); }
MX_HD inline double atanh(double x) { return ::atanh(x); }
MX_HD inline double exp(double x) { return ::exp(x); }
MX_HD inline double expm1(double x) { return ::expm1(x); }
MX_HD inline double log(double x) { return ::log(x); }
MX_HD inline double log1p(double x) { return ::log1p(x); }
MX_HD inline double log2(double x) { return ::log2(x); }
MX_HD inline double log10(double x) { return ::log10(x); }
MX_HD inline double sin(double x) { return ::sin(x); }
MX_HD inline double cos(double x) { return ::cos(x); }
MX_HD inline double tan(double x) { return ::tan(x); }
MX_HD inline double sinh(double x) { return ::sinh(x); }
MX_HD inline double cosh(double x) { return ::cosh(x); }
MX_HD inline double tanh(double x) { return ::tanh(x); }
MX_HD inline double erf(double x) { return ::erf(x); }
MX_HD inline double sigmoid(double x) { return 1.0 / (1.0 + ::exp(-x)); }
MX_HD inline double softplus(double x) { return (x > 0.0 ? x : 0.0) + ::log1p(::exp(-::fabs(x))); }

#ifdef __CUDA_ARCH__

MX_HD inline float exp(float x) { return ::expf(x); }
MX_HD inline float expm1(float x) { return ::expm1f(x); }
MX_HD inline float log(float x) { return ::logf(x); }
MX_HD inline float log1p(float x) { return ::log1pf(x); }
MX_HD inline float log2(float x) { return ::log2f(x); }
MX_HD inline float log10(float x) { return ::log10f(x); }
MX_HD inline float sin(float x) { return ::sinf(x); }
MX_HD inline float cos(float x) { return ::cosf(x); }
MX_HD inline float tan(float x) { return ::tanf(x); }
MX_HD inline float sinh(float x) { return ::sinhf(x); }
MX_HD inline float cosh(float x) { return ::coshf(x); }
MX_HD inline float tanh(float x) { return ::tanhf(x); }
MX_HD inline float erf(float x) { return ::erff(x); }

#else

MX_HD inline float exp(float x) { return detail::exp_scaled(x, 0); }

MX_HD inline float expm1(float x) {
  // 2^k (e^r - 1) + (2^k - 1), at half scale so that k = 128 does not overflow early; below -20 it is -1.
  auto [r, k] = detail::split_exp(detail::clamp(x, -20.0f, 90.0f));
  float tail = r + r * r * detail::exp_tail(r);
  k = k > 128 ? 128 : k;
  float half = detail::power_of_two(k - 1);
  float y = 2.0f * (half * tail + (half - 0.5f));
  y = k == 0 ? tail : y;
  return x > 88.7228394f ? detail::kInfinity : y;
}

MX_HD inline float log(float x) { return detail::log_to_base(x, 0.693359375f, -2.12194440e-4f, 1.0f); }
MX_HD inline float log2(float x) { return detail::log_to_base(x, 1.0f, 0.0f, 1.44269504f); }
MX_HD inline float log10(float x) { return detail::log_to_base(x, 0.301025390625f, 4.60503898e-6f, 0.434294482f); }

MX_HD inline float log1p(float x) {
  // What rounding takes from u = 1 + x goes back into its fraction.
  float u = 1.0f + x;
  auto [f, k] = detail::split_log_normal(u);
  float lost = (x - (u - 1.0f)) * detail::power_of_two(-static_cast<int32_t>(detail::at_most(k, 100.0f)));
  float y = detail::join_log({f + lost, k}, 0.693359375f, -2.12194440e-4f, 1.0f);
  y = u < detail::kInfinity ? y : u;
  return x > -1.0f ? y : (x == -1.0f ? -detail::kInfinity : detail::kNaN);
}

MX_HD inline float sin(float x) {
  auto [s, c, quadrant] = detail::split_trig(x);
  return detail::with_quadrant_sign((quadrant & 1) ? c : s, quadrant);
}
MX_HD inline float cos(float x) {
  auto [s, c, quadrant] = detail::split_trig(x);
  return detail::with_quadrant_sign((quadrant & 1) ? s : c, quadrant + 1);
}
MX_HD inline float tan(float x) {
  auto [s, c, quadrant] = detail::split_trig(x);
  return (quadrant & 1) ? -c / s : s / c;
}

MX_HD inline float sinh(float x) {
  float z = x * x;
  float small = x + x * z * (((2.78633001e-6f * z + 1.98423208e-4f) * z + 8.33331235e-3f) * z + 1.66666672e-1f);
  float half = detail::exp_scaled(abs(x), -1);
  float large = half - 0.25f / half;
  return abs(x) < 1.0f ? small : (x < 0.0f ? -large : large);
}
MX_HD inline float cosh(float x) {
  float half = detail::exp_scaled(abs(x), -1);
  return half + 0.25f / half;
}

MX_HD inline float tanh(float x) {
  // An odd rational function; beyond the clamp the result is 1 in float.
  float t = detail::clamp(x, -9.01f, 9.01f), z = t * t;
  float p = (((1.33348896e-8f * z + 2.05948654e-5f) * z + 3.49472556e-3f) * z + 1.33802995e-1f) * z + 1.0f;
  float q = (((7.7684831e-7f * z + 3.28422320e-4f) * z + 2.58737020e-2f) * z + 4.67136145e-1f) * z + 1.0f;
  return t * p / q;
}

MX_HD inline float erf(float x) {
  float t = detail::clamp(x, -3.92f, 3.92f), z = t * t;
  float p =
      ((((2.04659977e-6f * z + 2.84850539e-4f) * z + 3.77161475e-3f) * z + 5.2766528e-2f) * z + 1.90568253e-1f) * z +
      1.12837911f;
  float q =
      ((((3.80540478e-5f * z + 1.16368255e-3f) * z + 1.49813108e-2f) * z + 1.14172727e-1f) * z + 5.02219439e-1f) * z +
      1.0f;
  return t * p / q;
}

#endif

MX_HD inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }
// log(1 + e^x)
MX_HD inline float softplus(float x) { return (x > 0.0f ? x : 0.0f) + log1p(exp(-abs(x))); }

// For any number type.
template <class T>
  requires std::is_integral_v<T>
MX_HD T abs(T x) {
  return x < T(0) ? static_cast<T>(-x) : x;
}
template <class T>
  requires std::is_arithmetic_v<T>
MX_HD T sign(T x) {
  return static_cast<T>(static_cast<T>(x > T(0)) - static_cast<T>(x < T(0)));
}
template <class T>
  requires std::is_arithmetic_v<T>
MX_HD T square(T x) {
  return static_cast<T>(x * x);
}
template <class T>
  requires std::is_arithmetic_v<T>
MX_HD T select(bool condition, T yes, T no) {
  return condition ? yes : no;
}

}  // namespace mxnet

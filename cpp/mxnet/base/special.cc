#include "mxnet/base/special.h"

#include <math.h>

#include <limits>
#include <numbers>
#include <vector>

namespace mxnet {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kPi = std::numbers::pi;

double factorial(int n) {
  double product = 1;
  for (int i = 2; i <= n; ++i) product *= i;
  return product;
}

// |polygamma(n, x)| for n >= 1 and large positive x.
double polygamma_series(int n, double x) {
  double leading = factorial(n - 1) * ::pow(x, -n);
  double sum = leading + 0.5 * leading * n / x;
  // (2k + n - 1)! / (2k)! x^-(2k + n), built up from k to k + 1.
  double ratio = leading * n * (n + 1) / (2 * x * x);
  for (int k = 0; k < detail::kBernoulliCount; ++k) {
    sum += detail::bernoulli(k) * ratio;
    double m = 2 * k + 2;
    ratio *= (m + n) * (m + n + 1) / ((m + 1) * (m + 2) * x * x);
  }
  return sum;
}

// The n-th derivative of pi cot(pi x), as a polynomial in the cotangent: (cot)' = -(1 + cot^2).
double cot_derivative(int n, double x) {
  double fraction = x - ::floor(x);
  double c = fraction == 0.5 ? 0 : 1 / ::tan(kPi * fraction);
  std::vector<double> p{0, 1};
  for (int i = 0; i < n; ++i) {
    std::vector<double> next(p.size() + 1);
    for (size_t j = 1; j < p.size(); ++j) {
      next[j - 1] -= static_cast<double>(j) * p[j];
      next[j + 1] -= static_cast<double>(j) * p[j];
    }
    p = std::move(next);
  }
  double value = 0;
  for (size_t j = p.size(); j-- > 0;) value = value * c + p[j];
  return value * ::pow(kPi, n + 1);
}

// For n >= 1.
double polygamma_positive(int n, double x) {
  // Upwards by the recurrence to where the series is exact in double.
  double enough = 16 + n, sign = n % 2 ? 1 : -1, scale = factorial(n), sum = 0;
  for (; x < enough; x += 1) sum += scale * ::pow(x, -n - 1);
  return sign * (polygamma_series(n, x) + sum);
}

}  // namespace

double gamma(double x) {
  // At zero the C library's sign follows the zero's; the negative integers are poles of both signs.
  return ::tgamma(x);
}

double gammaln(double x) {
  int sign;
  return ::lgamma_r(x, &sign);
}

double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  if (::isnan(x)) return x;
  if (x == kInfinity) return 0;
  if (x > 0) return polygamma_positive(n, x);
  if (x == ::floor(x)) return n % 2 ? kInfinity : kNaN;
  double reflected = polygamma_positive(n, 1 - x);
  return (n % 2 ? -reflected : reflected) - cot_derivative(n, x);
}

double erfinv(double x) {
  if (!(x > -1 && x < 1)) return x == 1 ? kInfinity : x == -1 ? -kInfinity : kNaN;
  if (x == 0) return x;
  // Winitzki's closed form starts within 0.4 %; three Halley steps square that down to double.
  constexpr double kA = 0.147;
  double log_term = ::log1p(-x * x), half = 2 / (kPi * kA) + log_term / 2;
  double y = ::sqrt(::sqrt(half * half - log_term / kA) - half);
  double magnitude = ::fabs(x);
  for (int i = 0; i < 3; ++i) {
    // Near 1 the complement keeps the digits.
    double error = magnitude < 0.5 ? ::erf(y) - magnitude : (1 - magnitude) - ::erfc(y);
    double step = error * ::exp(y * y) * (::sqrt(kPi) / 2);
    y -= step / (1 + y * step);
  }
  return x < 0 ? -y : y;
}

}  // namespace mxnet

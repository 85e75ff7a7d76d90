// The distributions: parameters, checks, and how one number is drawn from a stream of random bits.
#pragma once
#include <cmath>
#include <numbers>
#include <optional>
#include <string>
#include <tuple>

#include "mxnet/base/error.h"
#include "mxnet/base/philox.h"
#include "mxnet/base/special.h"
#include "mxnet/op/params.h"

namespace mxnet {

namespace draw {

MX_HD inline double normal(PhiloxStream& bits) {
  double radius = std::sqrt(-2 * std::log(bits.uniform()));
  return radius * std::cos(2 * std::numbers::pi * bits.uniform());
}

// Marsaglia and Tsang (2000), for shape >= 1; below that a power of a uniform number corrects shape + 1.
MX_HD inline double gamma(PhiloxStream& bits, double shape) {
  if (shape <= 0) return 0;
  if (!std::isfinite(shape)) return shape;
  double boost = shape < 1 ? std::pow(bits.uniform(), 1 / shape) : 1;
  double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x = normal(bits), t = 1 + c * x;
    if (t <= 0) continue;
    double v = t * t * t;
    if (std::log(bits.uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return boost * d * v;
  }
}

// Multiplying uniform numbers for small means; for large ones transformed rejection (Hoermann 1993, PTRS).
MX_HD inline double poisson(PhiloxStream& bits, double mean) {
  if (mean <= 0) return 0;
  if (!std::isfinite(mean)) return mean;
  if (mean < 12) {
    double limit = std::exp(-mean), product = bits.uniform();
    int count = 0;
    for (; product > limit; ++count) product *= bits.uniform();
    return count;
  }
  double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b, inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
  double v_r = 0.9277 - 3.6224 / (b - 2), log_mean = std::log(mean);
  for (;;) {
    double u = bits.uniform() - 0.5, v = bits.uniform(), us = 0.5 - std::fabs(u);
    double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= v_r) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - gammaln(k + 1)) return k;
  }
}

}  // namespace draw

// When the numbers are drawn, not when the operator is called: as in MXNet 1.x, the error comes with the result.
template <class D, class Kernel>
void check_parameters(const D& distribution, const Kernel& c) {
  if (const char* problem = distribution.problem()) value_error(c.op.name, ": ", problem);
}

// Each distribution lists its parameters once; P is the parameter struct of an operator made from it.
struct Uniform {
  static constexpr auto name = "uniform";
  static constexpr auto doc = "Numbers drawn uniformly from [low, high).";
  double low = 0, high = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("low", &P::low, "Lower end."), field<P, double>("high", &P::high, "Upper end.")};
  }
  MX_HD const char* problem() const { return high >= low ? nullptr : "high is below low"; }
  MX_HD double sample(PhiloxStream& bits) const { return low + (high - low) * bits.uniform(); }
};

struct Normal {
  static constexpr auto name = "normal";
  static constexpr auto doc = "Numbers drawn from the normal distribution.";
  double loc = 0, scale = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("loc", &P::loc, "Mean."),
                      field<P, double>("scale", &P::scale, "Standard deviation.")};
  }
  MX_HD const char* problem() const { return scale >= 0 ? nullptr : "scale is negative"; }
  MX_HD double sample(PhiloxStream& bits) const { return loc + scale * draw::normal(bits); }
};

struct GammaDistribution {
  static constexpr auto name = "gamma";
  static constexpr auto doc = "Numbers drawn from the gamma distribution with mean alpha * beta.";
  double alpha = 1, beta = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("alpha", &P::alpha, "Shape."), field<P, double>("beta", &P::beta, "Scale.")};
  }
  MX_HD const char* problem() const { return alpha > 0 && beta > 0 ? nullptr : "alpha and beta must be positive"; }
  MX_HD double sample(PhiloxStream& bits) const { return beta * draw::gamma(bits, alpha); }
};

struct Exponential {
  static constexpr auto name = "exponential";
  static constexpr auto doc = "Numbers drawn from the exponential distribution with mean 1 / lam.";
  double lam = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("lam", &P::lam, "Rate.")};
  }
  MX_HD const char* problem() const { return lam > 0 ? nullptr : "lam must be positive"; }
  MX_HD double sample(PhiloxStream& bits) const { return -std::log(bits.uniform()) / lam; }
};

struct Poisson {
  static constexpr auto name = "poisson";
  static constexpr auto doc = "Counts drawn from the Poisson distribution with mean lam, as floating numbers.";
  double lam = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("lam", &P::lam, "Mean.")};
  }
  MX_HD const char* problem() const { return lam >= 0 ? nullptr : "lam is negative"; }
  MX_HD double sample(PhiloxStream& bits) const { return draw::poisson(bits, lam); }
};

struct NegativeBinomial {
  static constexpr auto name = "negative_binomial";
  static constexpr auto doc = "Failures before the k-th success of trials that succeed with probability p.";
  double k = 1, p = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("k", &P::k, "Number of successes."),
                      field<P, double>("p", &P::p, "Probability of success.")};
  }
  MX_HD const char* problem() const {
    return k > 0 && p > 0 && p <= 1 ? nullptr : "k must be positive and p in (0, 1]";
  }
  MX_HD double sample(PhiloxStream& bits) const { return draw::poisson(bits, draw::gamma(bits, k) * (1 - p) / p); }
};

struct GeneralizedNegativeBinomial {
  static constexpr auto name = "generalized_negative_binomial";
  static constexpr auto doc = "Counts with mean mu and variance mu + alpha * mu^2.";
  double mu = 1, alpha = 1;
  template <class P>
  static constexpr auto own_fields() {
    return std::tuple{field<P, double>("mu", &P::mu, "Mean."), field<P, double>("alpha", &P::alpha, "Dispersion.")};
  }
  MX_HD const char* problem() const { return mu >= 0 && alpha >= 0 ? nullptr : "mu and alpha must not be negative"; }
  MX_HD double sample(PhiloxStream& bits) const {
    return draw::poisson(bits, alpha == 0 ? mu : draw::gamma(bits, 1 / alpha) * alpha * mu);
  }
};

// `_random_<name>`: an array of a given shape.
template <class D>
struct RandomParams : D {
  std::optional<Shape> shape;
  std::string ctx;
  DType dtype = DType::unknown;
  static constexpr auto fields() {
    using P = RandomParams;
    return std::tuple_cat(D::template own_fields<P>(),
                          std::tuple{field("shape", &P::shape, "Shape of the result; one number if left out."),
                                     field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                                     field("dtype", &P::dtype, "Floating dtype of the result; float32 if left out.")});
  }
};

// `_random_<name>_like`: an array like another.
template <class D>
struct RandomLikeParams : D {
  static constexpr auto fields() { return D::template own_fields<RandomLikeParams>(); }
};

// `_sample_<name>`: many draws for each set of parameters in arrays.
struct SampleParams {
  Shape shape;
  DType dtype = DType::unknown;
  static constexpr auto fields() {
    using P = SampleParams;
    return std::tuple{field("shape", &P::shape, "Shape of the draws for each set of parameters."),
                      field("dtype", &P::dtype, "Floating dtype of the result; float32 if left out.")};
  }
};

struct RandintParams {
  int64_t low = 0, high = 0;
  std::optional<Shape> shape;
  std::string ctx;
  DType dtype = DType::unknown;

  const char* problem() const { return low < high ? nullptr : "low is not below high"; }

  static constexpr auto fields() {
    using P = RandintParams;
    return std::tuple{field("low", &P::low, "Smallest integer.").required(),
                      field("high", &P::high, "One more than the largest integer.").required(),
                      field("shape", &P::shape, "Shape of the result; one number if left out."),
                      field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                      field("dtype", &P::dtype, "int32 or int64; int32 if left out.")};
  }
};

// Distributions with a vectorised kernel, and those drawn one number at a time.
template <class... D>
struct DistributionList {
  template <class Visitor>
  static void each(Visitor&& visit) {
    (visit.template operator()<D>(), ...);
  }
};
using FastDistributions = DistributionList<Uniform, Normal, Exponential>;
using SlowDistributions = DistributionList<GammaDistribution, Poisson, NegativeBinomial, GeneralizedNegativeBinomial>;

template <class D>
std::string random_name() {
  return std::string("_random_") + D::name;
}

}  // namespace mxnet

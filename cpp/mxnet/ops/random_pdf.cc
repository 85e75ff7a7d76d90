// Densities of the distributions, composed of elementwise operators and so differentiable to any order.
#include <cmath>
#include <numbers>
#include <tuple>

#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

struct PdfParams {
  bool is_log = false;
  static constexpr auto fields() {
    return std::tuple{field("is_log", &PdfParams::is_log, "Return the logarithm of the density.")};
  }
};

Expr gammaln(const Expr& x) {
  static const OpRef op("gammaln");
  return op({x});
}

// A parameter with trailing extents of one, so that it broadcasts over the draws of its distribution.
Expr over_draws(const Expr& parameter, const Expr& sample, int event_dims = 0) {
  Shape shape = parameter.shape().slice(0, parameter.shape().ndim() - event_dims);
  int draws = sample.shape().ndim() - parameter.shape().ndim();
  for (int i = 0; i < draws; ++i) shape.push_back(1);
  for (int i = parameter.shape().ndim() - event_dims; i < parameter.shape().ndim(); ++i)
    shape.push_back(parameter.shape()[i]);
  return reshape(parameter, shape);
}

// The logarithms of the densities at x.
Expr log_uniform(const Expr& x, const Expr& low, const Expr& high) { return 0.0 * x - log(high - low); }
Expr log_normal(const Expr& x, const Expr& mean, const Expr& deviation) {
  Expr z = (x - mean) / deviation;
  return -0.5 * (z * z) - log(deviation) - 0.5 * std::log(2 * std::numbers::pi);
}
Expr log_gamma(const Expr& x, const Expr& shape, const Expr& rate) {
  return shape * log(rate) + (shape - 1.0) * log(x) - rate * x - gammaln(shape);
}
Expr log_exponential(const Expr& x, const Expr& rate) { return log(rate) - rate * x; }
Expr log_poisson(const Expr& x, const Expr& mean) { return x * log(mean) - mean - gammaln(x + 1.0); }
Expr log_negative_binomial(const Expr& x, const Expr& k, const Expr& p) {
  return gammaln(x + k) - gammaln(x + 1.0) - gammaln(k) + k * log(p) + x * log(1.0 - p);
}
Expr log_generalized_negative_binomial(const Expr& x, const Expr& mu, const Expr& alpha) {
  return log_negative_binomial(x, 1.0 / alpha, 1.0 / (mu * alpha + 1.0));
}

Expr finish(const PdfParams& p, const Expr& log_density) { return p.is_log ? log_density : exp(log_density); }

// The parameters share a shape, which is where the shape of `sample` starts; with events, what is left of it ends in
// the extent of one.
DType infer_blocks(InferContext& c, int event_dims = 0) {
  DType dtype = c.same_dtype();
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("sample has dtype ", dtype, ", expected a floating dtype");
  for (int i = 2; i < c.num_inputs(); ++i) c.expect_shape(i, c.shape(1));
  const Shape &sample = c.shape(0), &blocks = c.shape(1);
  if (!sample.known() || !blocks.known()) return dtype;
  int dims = blocks.ndim() - event_dims;
  if (dims < 0) c.fail("alpha has shape ", blocks, ", expected at least one dimension");
  bool fits = sample.ndim() >= blocks.ndim() && sample.slice(0, dims) == blocks.slice(0, dims) &&
              sample.slice(sample.ndim() - event_dims, sample.ndim()) == blocks.slice(dims, blocks.ndim());
  if (!fits)
    c.fail("sample has shape ", sample, ", expected ", event_dims ? "the first and last extents" : "the first extents",
           " to be those of the parameters, ", blocks);
  return dtype;
}

template <class... Names>
auto define_pdf(const char* name, const char* doc, const char* alias, Names... parameters) {
  auto op = define_op<PdfParams>(name);
  op.doc(doc).alias({alias}).input("sample", "Where to evaluate: the parameters' shape, then that of the draws.");
  (op.input(parameters, "Parameter of the distribution, one for each block of draws."), ...);
  op.infer([](const PdfParams&, InferContext& c) {
    infer_blocks(c);
    c.out(0) = c.in(0);
  });
  return op;
}

template <auto log_density>
void compose_one(OpBuilder<PdfParams> op) {
  op.compose([](const PdfParams& p, std::span<const Expr> in) {
    return std::vector{finish(p, log_density(in[0], over_draws(in[1], in[0])))};
  });
}
template <auto log_density>
void compose_two(OpBuilder<PdfParams> op) {
  op.compose([](const PdfParams& p, std::span<const Expr> in) {
    return std::vector{finish(p, log_density(in[0], over_draws(in[1], in[0]), over_draws(in[2], in[0])))};
  });
}

std::vector<Expr> dirichlet(const PdfParams& p, std::span<const Expr> in) {
  const Expr& x = in[0];
  Expr alpha = over_draws(in[1], x, 1);
  std::array last{x.shape().ndim() - 1}, alpha_last{alpha.shape().ndim() - 1};
  Expr density = sum((alpha - 1.0) * log(x), last, false);
  Expr normaliser = sum(gammaln(alpha), alpha_last, false) - gammaln(sum(alpha, alpha_last, false));
  return {finish(p, density - normaliser)};
}

const bool defined = [] {
  compose_two<log_uniform>(define_pdf("_random_pdf_uniform", "Density of the uniform distribution on [low, high].",
                                      "random_pdf_uniform", "low", "high"));
  compose_two<log_normal>(
      define_pdf("_random_pdf_normal", "Density of the normal distribution.", "random_pdf_normal", "mu", "sigma"));
  compose_two<log_gamma>(define_pdf("_random_pdf_gamma", "Density of the gamma distribution with rate beta.",
                                    "random_pdf_gamma", "alpha", "beta"));
  compose_one<log_exponential>(define_pdf("_random_pdf_exponential", "Density of the exponential distribution.",
                                          "random_pdf_exponential", "lam"));
  compose_one<log_poisson>(
      define_pdf("_random_pdf_poisson", "Probability of a Poisson count.", "random_pdf_poisson", "lam"));
  compose_two<log_negative_binomial>(define_pdf("_random_pdf_negative_binomial",
                                                "Probability of a negative binomial count.",
                                                "random_pdf_negative_binomial", "k", "p"));
  compose_two<log_generalized_negative_binomial>(
      define_pdf("_random_pdf_generalized_negative_binomial",
                 "Probability of a negative binomial count with mean mu and dispersion alpha.",
                 "random_pdf_generalized_negative_binomial", "mu", "alpha"));
  define_pdf("_random_pdf_dirichlet", "Density of the Dirichlet distribution, whose draws lie along the last axis.",
             "random_pdf_dirichlet", "alpha")
      .infer([](const PdfParams&, InferContext& c) {
        DType dtype = infer_blocks(c, 1);
        const Shape& shape = c.shape(0);
        c.out(0) = {shape.ndim() > 0 ? shape.slice(0, shape.ndim() - 1) : Shape::unknown(), dtype};
      })
      .compose(dirichlet);
  return true;
}();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/select.h"

#include <cmath>

#include "mxnet/ndarray/cast.h"
#include "mxnet/op/expr.h"
#include "mxnet/ops/binary.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

void infer_floating(const auto& p, InferContext& c) {
  infer_elementwise(p, c);
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
}

// An operator with its fused gradient; `composed` is the gradient of any order.
template <class P>
OpBuilder<P> define_with_slope(const char* name, const char* doc, void (*composed)(const P&, GradContext&)) {
  static const std::string backward = std::string("_backward_") + name;
  static const OpRef backward_op(backward.c_str());
  define_op<P>(backward.c_str())
      .doc("The gradient of the operator it is named after, in one pass; floating dtypes.")
      .input("dy", "Gradient of the output.")
      .input("x", "Input of the operator.")
      .infer(infer_same)
      .inplace();
  OpBuilder<P> op = define_op<P>(name);
  op.doc(doc).input("data", "Input array.").gradient(composed).grad_uses(true, false).inplace();
  op.fast_gradient([composed](const P& p, GradContext& g) {
    Expr dy = g.dout(0);
    if (!is_floating(dy.dtype())) return composed(p, g);
    g.din(0) = backward_op.with({dy, g.in(0)}, g.params())[0];
  });
  return op;
}

const bool clip_defined = [] {
  define_with_slope<ClipParams>("clip", "The input with every element moved into [a_min, a_max].",
                                [](const ClipParams& p, GradContext& g) {
                                  const Expr& x = g.in(0);
                                  g.din(0) = g.dout(0) * ((x >= p.a_min) * (x <= p.a_max));
                                })
      .alias({"_sparse_clip", "_npi_clip"})
      .infer([](const ClipParams& p, InferContext& c) {
        infer_elementwise(p, c);
        if (c.in(0).dtype == DType::boolean) c.fail_type("data has dtype bool, expected a number");
      })
      .method();
  return true;
}();

const bool smooth_l1_defined = [] {
  define_with_slope<SmoothL1Params>(
      "smooth_l1", "With s = scalar: (s x)^2 / 2 where |x| < 1 / s^2 and |x| - 0.5 / s^2 elsewhere. Floating dtypes.",
      [](const SmoothL1Params& p, GradContext& g) {
        const Expr& x = g.in(0);
        double square = p.scalar * p.scalar;
        g.din(0) = g.dout(0) * select(abs(x) < 1 / square, x * square, sign(x));
      })
      .alias({"_npx_smooth_l1"})
      .infer([](const SmoothL1Params& p, InferContext& c) { infer_floating(p, c); });
  return true;
}();

const bool hard_sigmoid_defined = [] {
  define_with_slope<HardSigmoidParams>("hard_sigmoid", "alpha * x + beta, kept within [0, 1]. Floating dtypes.",
                                       [](const HardSigmoidParams& p, GradContext& g) {
                                         Expr y = g.in(0) * p.alpha + p.beta;
                                         g.din(0) = g.dout(0) * ((y > 0.0) * (y < 1.0) * p.alpha);
                                       })
      .infer([](const HardSigmoidParams& p, InferContext& c) { infer_floating(p, c); });
  return true;
}();

void infer_where(const NoParams&, InferContext& c) {
  for (int i : {1, 2}) c.expect_shape(i, c.out(0).shape);
  c.expect_shape(1, c.shape(2));
  c.expect_shape(2, c.shape(1));
  // A condition of one axis may be a vector of rows.
  bool rows_possible = !c.shape(0).rank_known() || c.shape(0).ndim() <= 1;
  if (!rows_possible || (c.shape(0).rank_known() && c.shape(1).rank_known() && c.shape(1).ndim() <= 1)) {
    for (int i : {1, 2})
      if (!c.shape(i).rank_known() || c.shape(i).ndim() == c.shape(0).ndim()) c.expect_shape(i, c.shape(0));
  }
  DType dtype = c.same_dtype(1, 3);
  const Shape &condition = c.shape(0), &data = c.shape(1);
  if (condition.known() && data.known() && !(condition == data)) {
    bool rows = condition.ndim() == 1 && data.ndim() > 0 && condition[0] == data[0];
    if (!rows)
      c.fail("condition has shape ", condition, ", expected that of x, ", data, ", or a vector of its first extent");
  }
  c.out(0) = {data, dtype};
}

const Op& where = define_op("where")
                      .doc(
                          "Elements of x where the condition is not zero and of y elsewhere. The condition has the "
                          "shape of x, or is a "
                          "vector that chooses entries along the first axis.")
                      .alias({"_sparse_where"})
                      .input("condition", "Array of any dtype.")
                      .input("x", "Chosen where the condition is not zero.")
                      .input("y", "Chosen elsewhere; shape and dtype of x.")
                      .infer(infer_where)
                      .gradient([](const NoParams&, GradContext& g) {
                        Expr dy = g.dout(0), zero = zeros_like(dy);
                        if (g.needs(1)) g.din(1) = select(g.in(0), dy, zero);
                        if (g.needs(2)) g.din(2) = select(g.in(0), zero, dy);
                      })
                      .grad_uses(true, false);

// Small operators that scale.

const bool quadratic_defined = [] {
  define_with_slope<QuadraticParams>(
      "_contrib_quadratic", "a * x^2 + b * x + c, element by element. Floating dtypes.",
      [](const QuadraticParams& p, GradContext& g) { g.din(0) = g.dout(0) * (g.in(0) * (2 * p.a) + p.b); })
      .infer([](const QuadraticParams& p, InferContext& c) { infer_floating(p, c); });
  return true;
}();

const Op& gradient_multiplier =
    define_op<ScalarParams>("_contrib_gradientmultiplier")
        .doc("The input unchanged; the gradient is multiplied by `scalar` on its way back.")
        .input("data", "Input array.")
        .infer(infer_same)
        .cpu([](const ScalarParams&, KernelContext& c) {
          cast_elements(c.in(0).data, c.in(0).dtype, c.out(0).data, c.out(0).dtype, c.out(0).size());
        })
        .gradient([](const ScalarParams& p, GradContext& g) { g.din(0) = g.dout(0) * p.scalar; })
        .grad_uses(false, false)
        .inplace();

const Op& div_sqrt_dim = define_op("_contrib_div_sqrt_dim")
                             .doc("The input divided by the square root of its last extent.")
                             .input("data", "Input array.")
                             .infer(infer_same)
                             .compose([](const NoParams&, std::span<const Expr> in) {
                               const Shape& shape = in[0].shape();
                               double extent = shape.ndim() ? static_cast<double>(shape.back()) : 1;
                               return std::vector{in[0] * (1 / std::sqrt(extent))};
                             });

}  // namespace
}  // namespace mxnet

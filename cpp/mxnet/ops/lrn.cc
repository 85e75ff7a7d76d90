#include "mxnet/ops/lrn.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/images.h"

namespace mxnet {
namespace {

void infer_lrn(const LrnParams& p, InferContext& c) {
  if (p.nsize < 1 || p.nsize % 2 == 0) c.fail("nsize is ", p.nsize, ", must be odd and positive");
  expect_images(c, 0);
  c.out(0) = c.in(0);
}

// For each channel the sum of the nsize channels around it.
Expr neighbours(const Expr& x, int64_t nsize) {
  const Shape& s = x.shape();
  return reshape(apply("Pooling", {reshape(x, {s[0], 1, s[1], s[2] * s[3]})},
                       {{"kernel", Shape{nsize, 1}}, {"pad", Shape{nsize / 2, 0}}, {"pool_type", "sum"}}),
                 s);
}

// y = x s^-beta with s = knorm + alpha / nsize * neighbours(x^2).
void lrn_gradient(const LrnParams& p, GradContext& g) {
  DType dtype = g.in(0).dtype();
  bool narrow = dtype == DType::float16 || dtype == DType::bfloat16;
  Expr x = narrow ? cast(g.in(0), DType::float32) : g.in(0);
  Expr dy = narrow ? cast(g.dout(0), DType::float32) : g.dout(0);
  double alpha = static_cast<double>(p.alpha) / static_cast<double>(p.nsize), beta = static_cast<double>(p.beta);
  Expr s = neighbours(square(x), p.nsize) * alpha + static_cast<double>(p.knorm);
  Expr scaled = dy * pow(s, -beta);
  Expr dx = scaled - x * neighbours(scaled * x / s, p.nsize) * (2 * alpha * beta);
  g.din(0) = narrow ? cast(dx, dtype) : dx;
}

const Op& lrn = define_op<LrnParams>("LRN")
                    .doc(
                        "data / (knorm + alpha / nsize * sum of the squares of the nsize channels around)^beta: "
                        "normalisation among neighbouring channels (Krizhevsky et al., 2012).")
                    .input("data", "Batch (N, C, H, W) of a floating dtype.")
                    .infer(infer_lrn)
                    .gradient(lrn_gradient)
                    .fast_gradient([](const LrnParams&, GradContext& g) {
                      static const OpRef op("_backward_LRN");
                      g.din(0) = op.with({g.dout(0), g.in(0)}, g.params())[0];
                    })
                    .grad_uses(true, false);

const Op& lrn_backward = define_op<LrnParams>("_backward_LRN")
                             .doc("Gradient of LRN in one kernel.")
                             .input("dout", "Gradient of the output.")
                             .input("data", "Input of LRN.")
                             .infer([](const LrnParams&, InferContext& c) { c.out(0) = c.in(1); });

}  // namespace
}  // namespace mxnet

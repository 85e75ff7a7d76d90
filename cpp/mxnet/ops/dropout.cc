#include "mxnet/ops/dropout.h"

#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

void infer_dropout(const DropoutParams& p, InferContext& c) {
  if (!(p.p >= 0 && p.p <= 1)) c.fail("p is ", p.p, ", expected a fraction in [0, 1]");
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype");
  Shape mask = c.shape(0);
  if (mask.rank_known())
    for (int64_t axis : p.axes) mask[c.axis(axis, c.shape(0))] = 1;
  c.out(0) = c.in(0);
  c.out(1) = {mask, DType::uint8};
}

void infer_dropout_apply(const DropoutParams& p, InferContext& c) {
  if (!(p.p >= 0 && p.p <= 1)) c.fail("p is ", p.p, ", expected a fraction in [0, 1]");
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype");
  c.expect_dtype(1, DType::uint8);
  c.out(0) = c.in(0);
  const Shape &data = c.shape(0), &mask = c.shape(1);
  if (!data.known() || !mask.known()) return;
  bool fits = data.ndim() == mask.ndim();
  for (int i = 0; fits && i < data.ndim(); ++i) fits = mask[i] == data[i] || mask[i] == 1;
  if (!fits) c.fail("mask has shape ", mask, ", expected ", data, " or extents of 1 in it");
}

Expr apply_mask(const GradContext& g, const Expr& x, const Expr& mask) {
  static const OpRef op("_dropout_apply");
  return op.with({x, mask}, g.params())[0];
}

const Op& dropout =
    define_op<DropoutParams>("Dropout")
        .doc(
            "Under train_mode sets elements to zero with probability p and scales the others by 1 / (1 - p); "
            "otherwise hands its input on. Floating dtypes.")
        .alias({"_npx_dropout"})
        .input("data", "Input array.")
        .outputs(2)
        .visible(1)
        .output_names([](const DropoutParams&) { return std::vector<std::string>{"output", "mask"}; })
        .infer(infer_dropout)
        .gradient([](const DropoutParams&, GradContext& g) { g.din(0) = apply_mask(g, g.dout(0), g.out(1)); })
        .grad_uses(false, true)
        .random_if(drops)
        .uses_training()
        .any_inplace();

const Op& dropout_apply =
    define_op<DropoutParams>("_dropout_apply")
        .doc("The input with Dropout's mask applied; the gradient of Dropout and its own.")
        .input("data", "Input array.")
        .input("mask", "The second output of Dropout.")
        .infer(infer_dropout_apply)
        .gradient([](const DropoutParams&, GradContext& g) { g.din(0) = apply_mask(g, g.dout(0), g.in(1)); })
        .grad_uses(true, false)
        .inplace();

}  // namespace
}  // namespace mxnet

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
        .random()
        .uses_training()
        .inplace();

const Op& dropout_apply =
    define_op<DropoutParams>("_dropout_apply")
        .doc("The input with Dropout's mask applied; the gradient of Dropout and its own.")
        .input("data", "Input array.")
        .input("mask", "The second output of Dropout.")
        .infer([](const DropoutParams&, InferContext& c) { c.out(0) = c.in(0); })
        .gradient([](const DropoutParams&, GradContext& g) { g.din(0) = apply_mask(g, g.dout(0), g.in(1)); })
        .grad_uses(true, false)
        .inplace();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/activation.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {

// Found by the formulas in activation.h.
static Expr expm1(const Expr& x) { return apply("expm1", {x}); }

namespace {

void check_floating(InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type(c.input_name(0), " has dtype ", dtype, ", expected a floating dtype; convert it with astype");
}

void infer_activation(const ActivationParams& p, InferContext& c) {
  infer_same(p, c);
  check_floating(c);
}
void activation_gradient(const ActivationParams& p, GradContext& g) {
  activation::dispatch(p.act_type, [&]<class F>() { g.din(0) = F::backward(g.dout(0), g.out(0)); });
}
void activation_fused_gradient(const ActivationParams&, GradContext& g) {
  static const OpRef op("_backward_Activation");
  g.din(0) = op.with({g.dout(0), g.out(0)}, g.params())[0];
}

// The axis along which each entry of gamma has its own slope.
int slope_axis(const Shape& data) { return data.ndim() > 1 ? 1 : 0; }
// gamma so shaped that it broadcasts against data.
Shape slope_shape(const Shape& data, const Shape& gamma) {
  Shape shape = Shape::filled(data.ndim(), 1);
  if (gamma.size() > 1) shape[slope_axis(data)] = gamma.size();
  return shape;
}

void infer_leaky(const LeakyReluParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  check_floating(c);
  if (p.act_type == LeakyType::rrelu) c.out(1) = c.in(0);
  if (p.act_type != LeakyType::prelu) {
    if (c.has(1)) c.fail_type("got a gamma, which only act_type 'prelu' takes");
    return;
  }
  if (!c.has(1)) c.fail_type("array 'gamma' is missing, act_type 'prelu' takes one");
  c.out(0).dtype = c.same_dtype(0, 2);
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() == 0) c.fail("act_type 'prelu' takes data of at least one axis");
  int64_t channels = data[slope_axis(data)];
  if (!(c.shape(1) == Shape{1})) c.expect_shape(1, {channels});
}

// As Exprs; x is clipped where its exponential is not wanted, so that it cannot overflow.
Expr negative_part(const Expr& x) { return apply("_minimum_scalar", {x}, {{"scalar", 0.0}}); }

Expr gelu_slope(const Expr& x) {
  Expr density = exp(square(x) * -0.5) * 0.3989422804014327;
  return (erf(x * 0.7071067811865476) + 1.0) * 0.5 + x * density;
}

void prelu_gradient(GradContext& g) {
  const Shape &data = g.in(0).shape(), &gamma = g.in(1).shape();
  Shape spread = slope_shape(data, gamma);
  Expr x = g.in(0), dy = g.dout(0), positive = x > 0.0;
  if (g.needs(0)) g.din(0) = dy * (positive + (1.0 - positive) * reshape(g.in(1), spread));
  if (g.needs(1)) g.din(1) = reshape(sum_to(dy * negative_part(x), spread), gamma);
}

void leaky_gradient(const LeakyReluParams& p, GradContext& g) {
  using namespace activation;
  Expr x = g.in(0), dy = g.dout(0);
  switch (p.act_type) {
    case LeakyType::prelu: return prelu_gradient(g);
    case LeakyType::rrelu: g.din(0) = dy * g.out(1); return;
    case LeakyType::gelu: g.din(0) = dy * gelu_slope(x); return;
    case LeakyType::leaky: g.din(0) = select(x > 0.0, dy, dy * p.slope); return;
    case LeakyType::elu: g.din(0) = select(x > 0.0, dy, dy * exp(negative_part(x)) * p.slope); return;
    case LeakyType::selu:
      g.din(0) = select(x > 0.0, dy * kSeluScale, dy * exp(negative_part(x)) * (kSeluScale * kSeluAlpha));
      return;
  }
}

void leaky_fused_gradient(const LeakyReluParams& p, GradContext& g) {
  static const OpRef op("_backward_LeakyReLU");
  if (p.act_type == LeakyType::prelu || p.act_type == LeakyType::rrelu) return leaky_gradient(p, g);
  g.din(0) = op.with({g.dout(0), g.in(0)}, g.params())[0];
}

const Op& activation_op = define_op<ActivationParams>("Activation")
                              .doc(
                                  "Applies a function element by element: relu max(x, 0), sigmoid 1 / (1 + exp(-x)), "
                                  "tanh, softrelu log(1 + exp(x)), "
                                  "softsign x / (1 + |x|).")
                              .input("data", "Array of a floating dtype.")
                              .alias({"_npx_activation"})
                              .inplace()
                              .infer(infer_activation)
                              .gradient(activation_gradient)
                              .fast_gradient(activation_fused_gradient)
                              .grad_uses(false, true);

const Op& activation_backward = define_op<ActivationParams>("_backward_Activation")
                                    .doc("Gradient of Activation from that of its output, in one pass.")
                                    .input("dy", "Gradient of the output.")
                                    .input("y", "Output of the operator.")
                                    .inplace()
                                    .infer(infer_same);

const Op& leaky_relu =
    define_op<LeakyReluParams>("LeakyReLU")
        .doc(
            "Linear for positive x; for negative x: leaky slope x, prelu gamma x with one gamma per channel (axis 1) "
            "or in all, rrelu x "
            "times a random slope in training and the mean of the bounds otherwise, elu slope (exp(x) - 1), selu a "
            "scaled elu. gelu is "
            "x times the normal distribution function of x.")
        .input("data", "Array of a floating dtype.")
        .optional_input("gamma", "Slopes of 'prelu', (channels,) or (1,).")
        .alias({"_npx_leaky_relu"})
        .outputs_of([](const LeakyReluParams& p, int) { return p.act_type == LeakyType::rrelu ? 2 : 1; })
        .random_if([](const LeakyReluParams& p, bool training) { return training && p.act_type == LeakyType::rrelu; })
        .uses_training()
        .infer(infer_leaky)
        .gradient(leaky_gradient)
        .fast_gradient(leaky_fused_gradient);

const Op& leaky_backward = define_op<LeakyReluParams>("_backward_LeakyReLU")
                               .doc("Gradient of LeakyReLU's elementwise forms in one pass.")
                               .input("dy", "Gradient of the output.")
                               .input("x", "Input of the operator.")
                               .inplace()
                               .infer(infer_same);

}  // namespace
}  // namespace mxnet

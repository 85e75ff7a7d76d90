#include "mxnet/ops/softmax.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/functor.h"

namespace mxnet {
namespace {

int axis_of(const SoftmaxParams& p, const Shape& shape) {
  return shape.ndim() == 0 ? 0 : normal_axis("softmax", p.axis, shape);
}

void infer_softmax(const SoftmaxParams& p, InferContext& c) {
  c.out(0) = c.in(0).with_dtype(p.dtype.value_or(DType::unknown));
  if (c.out(0).dtype != DType::unknown && !is_floating(c.out(0).dtype))
    c.fail_type("data has dtype ", c.out(0).dtype,
                ", expected a floating dtype; convert it with astype or pass dtype=");
  if (p.temperature && *p.temperature == 0) c.fail("temperature must not be 0");
  bool use_length = p.use_length.value_or(false);
  if (use_length != c.has(1))
    c.fail_type(use_length ? "use_length=True needs the array 'length'" : "'length' is given without use_length=True");
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() == 0) {
    if (p.axis != 0 && p.axis != -1) c.fail("axis ", p.axis, " is out of range for shape ()");
    return;
  }
  int axis = c.axis(p.axis, data);
  if (!use_length) return;
  Shape rows = data;
  rows.erase(axis);
  c.expect_shape(1, rows);
  if (DType dtype = c.in(1).dtype; dtype != DType::unknown && is_floating(dtype))
    c.fail_type("length has dtype ", dtype, ", expected an integer dtype");
}
void infer_plain(const SoftmaxParams& p, InferContext& c) {
  if (p.use_length.value_or(false)) c.fail("takes no length; use softmax with use_length=True");
  infer_softmax(p, c);
}

double factor(const SoftmaxParams& p, SoftmaxForm form) {
  return (form == SoftmaxForm::softmin ? -1 : 1) / p.temperature.value_or(1);
}

Expr sum_along(const Expr& x, int axis) { return x.shape().ndim() == 0 ? x : sum(x, std::array{axis}, true); }

// The gradient from that of the output and the output itself.
Expr softmax_backward(const Expr& dy, const Expr& y, int axis, double scale) {
  Expr dx = y * (dy - sum_along(dy * y, axis));
  return scale == 1 ? dx : dx * scale;
}
Expr log_softmax_backward(const Expr& dy, const Expr& y, int axis, double scale) {
  Expr dx = dy - exp(y) * sum_along(dy, axis);
  return scale == 1 ? dx : dx * scale;
}

template <SoftmaxForm form>
void softmax_gradient(const SoftmaxParams& p, GradContext& g) {
  auto backward = form == SoftmaxForm::log_softmax ? log_softmax_backward : softmax_backward;
  g.din(0) = cast(backward(g.dout(0), g.out(0), axis_of(p, g.out(0).shape()), factor(p, form)), g.in(0).dtype());
}
template <SoftmaxForm form>
void softmax_fused_gradient(const SoftmaxParams& p, GradContext& g) {
  static const OpRef op(form == SoftmaxForm::log_softmax ? "_backward_log_softmax" : "_backward_softmax");
  SoftmaxGradParams q{axis_of(p, g.out(0).shape()), factor(p, form)};
  Expr dx = op.with({g.dout(0), g.out(0)}, make_params(q))[0];
  g.din(0) = dx.dtype() == g.in(0).dtype() ? dx : cast(dx, g.in(0).dtype());
}
void infer_backward(const SoftmaxGradParams&, InferContext& c) {
  c.expect_shape(0, c.shape(1));
  c.out(0) = {c.shape(0), c.same_dtype()};
}

// Labels: one class per row, or (any shape of the data's size) a weight for each class.
bool weighs_classes(const Shape& data, const Shape& label) { return label == data; }

Shape label_shape(const SoftmaxOutputParams& p, const Shape& data) {
  Shape shape = data;
  if (p.multi_output && !p.preserve_shape)
    shape.erase(1);
  else if (data.ndim() > 1)
    shape.erase(data.ndim() - 1);
  return shape;
}

void infer_softmax_output(const SoftmaxOutputParams& p, InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
  if (c.in(1).dtype == DType::unknown) c.in(1).dtype = dtype;
  c.out(0) = c.in(0);
  const Shape &data = c.shape(0), &label = c.shape(1);
  if (!data.rank_known()) return;
  if (data.ndim() < 2) c.fail("data has shape ", data, ", needs at least 2 axes");
  if (label.rank_known() && weighs_classes(data, label)) return;
  Shape expected = label_shape(p, data);
  bool same_size = label.known() && expected.known() && label.ndim() > 0 && label[0] == expected[0] &&
                   label.size() == expected.size();
  // Without multi_output or preserve_shape only the first axis is rows, and a label for each row is enough.
  bool one_each = label.known() && !p.multi_output && !p.preserve_shape && label == Shape{data[0]};
  if (!same_size && !one_each) c.expect_shape(1, expected);
}

// The gradient is a o out - b with a and b made of the labels alone; so its derivative is what it does to a
// direction less what it does to nothing.
void softmax_output_gradient(const SoftmaxOutputParams& p, GradContext& g) {
  static const OpRef op("_backward_SoftmaxOutput");
  if (!g.needs(0)) return;
  Expr dx = op.with({g.out(0), g.in(1)}, g.params())[0];
  g.din(0) = p.out_grad ? dx * g.dout(0) : dx;
}
void softmax_output_second_gradient(const SoftmaxOutputParams&, GradContext& g) {
  static const OpRef op("_backward_SoftmaxOutput");
  if (!g.needs(0)) return;
  Expr v = g.dout(0);
  g.din(0) = op.with({v, g.in(1)}, g.params())[0] - op.with({zeros_like(v), g.in(1)}, g.params())[0];
}

void infer_regression(const RegressionParams&, InferContext& c) {
  DType dtype = c.same_dtype(0, 2);
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
  c.out(0) = c.in(0);
  const Shape &data = c.shape(0), &label = c.shape(1);
  if (!data.rank_known()) return;
  // A label of other rank will do if it has the same elements: (N,) for (N, 1).
  bool same_elements = label.known() && data.known() && label.size() == data.size() && label.ndim() > 0 &&
                       data.ndim() > 0 && label[0] == data[0];
  if (!same_elements) c.expect_shape(1, data);
}

enum class Regression { linear, logistic, absolute };
template <Regression kind>
void regression_gradient(const RegressionParams& p, GradContext& g) {
  if (!g.needs(0)) return;
  const Shape& label = g.in(1).shape();
  double per_sample = static_cast<double>(std::max<int64_t>(1, label.ndim() ? label.product(1, label.ndim()) : 1));
  Expr target = label == g.out(0).shape() ? g.in(1) : reshape(g.in(1), g.out(0).shape());
  Expr error = g.out(0) - target;
  g.din(0) = (kind == Regression::absolute ? (error > 0.0) * 2.0 - 1.0 : error) * (p.grad_scale / per_sample);
}

// Checks of the compositions, which have no inference of their own when they run.
void check_scores(const char* op, const Expr& x, int least_rank) {
  if (!is_floating(x.dtype()))
    type_error(op, ": data has dtype ", x.dtype(), ", expected a floating dtype; convert it with astype");
  if (x.shape().ndim() < least_rank)
    value_error(op, ": data has shape ", x.shape(), ", needs at least ", least_rank, " axes");
}

std::vector<Expr> softmax_activation_of(const SoftmaxActivationParams& p, std::span<const Expr> in) {
  static const OpRef softmax("softmax");
  check_scores("SoftmaxActivation", in[0], 2);
  return {softmax({in[0]}, {{"axis", p.mode == SoftmaxMode::channel ? 1 : -1}})};
}

std::vector<Expr> cross_entropy_of(const NoParams&, std::span<const Expr> in) {
  static const OpRef log_softmax("log_softmax");
  const Shape &data = in[0].shape(), &label = in[1].shape();
  check_scores("softmax_cross_entropy", in[0], 2);
  if (data.ndim() != 2 || !(label == Shape{data[0]}))
    value_error("softmax_cross_entropy: got data of shape ", data, " and label of shape ", label,
                ", takes (N, classes) and (N,)");
  Expr picked = apply("pick", {log_softmax({in[0]}), in[1]}, {{"axis", -1}});
  return {-sum(picked, std::array{0}, true)};
}
void infer_cross_entropy(const NoParams&, InferContext& c) {
  c.out(0) = {Shape{1}, c.in(0).dtype};
  if (!c.shape(0).rank_known()) return;
  c.expect_rank(0, 2);
  c.expect_shape(1, {c.shape(0)[0]});
}

const Op& softmax = define_op<SoftmaxParams>("softmax")
                        .doc(
                            "exp(x / temperature) scaled to sum to 1 along `axis`; with use_length what lies beyond a "
                            "row's length is 0.")
                        .input("data", "Array of a floating dtype, or of any with dtype=.")
                        .optional_input("length", "Integer lengths, shaped as data without `axis`.")
                        .alias({"_npx_softmax"})
                        .infer(infer_softmax)
                        .gradient(softmax_gradient<SoftmaxForm::softmax>)
                        .fast_gradient(softmax_fused_gradient<SoftmaxForm::softmax>)
                        .grad_uses(false, true)
                        .method();

const Op& log_softmax = define_op<SoftmaxParams>("log_softmax")
                            .doc("Logarithm of softmax(x / temperature) along `axis`.")
                            .input("data", "Array of a floating dtype, or of any with dtype=.")
                            .alias({"_npx_log_softmax"})
                            .infer(infer_plain)
                            .gradient(softmax_gradient<SoftmaxForm::log_softmax>)
                            .fast_gradient(softmax_fused_gradient<SoftmaxForm::log_softmax>)
                            .grad_uses(false, true)
                            .method();

const Op& softmin = define_op<SoftmaxParams>("softmin")
                        .doc("softmax(-x / temperature) along `axis`.")
                        .input("data", "Array of a floating dtype, or of any with dtype=.")
                        .infer(infer_plain)
                        .gradient(softmax_gradient<SoftmaxForm::softmin>)
                        .fast_gradient(softmax_fused_gradient<SoftmaxForm::softmin>)
                        .grad_uses(false, true)
                        .method();

const Op& backward_softmax = define_op<SoftmaxGradParams>("_backward_softmax")
                                 .doc("Gradient of softmax: scale y (dy - sum(dy y)) along `axis`.")
                                 .input("dy", "Gradient of the output.")
                                 .input("y", "Output of softmax.")
                                 .infer(infer_backward)
                                 .gradient([](const SoftmaxGradParams& p, GradContext& g) {
                                   Expr dy = g.in(0), y = g.in(1), v = g.dout(0) * p.scale, vy = v * y;
                                   if (g.needs(0)) g.din(0) = vy - y * sum_along(vy, p.axis);
                                   if (g.needs(1))
                                     g.din(1) = v * (dy - sum_along(dy * y, p.axis)) - dy * sum_along(vy, p.axis);
                                 })
                                 .grad_uses(true, false);

const Op& backward_log_softmax = define_op<SoftmaxGradParams>("_backward_log_softmax")
                                     .doc("Gradient of log_softmax: scale (dy - exp(y) sum(dy)) along `axis`.")
                                     .input("dy", "Gradient of the output.")
                                     .input("y", "Output of log_softmax.")
                                     .infer(infer_backward)
                                     .gradient([](const SoftmaxGradParams& p, GradContext& g) {
                                       Expr dy = g.in(0), v = g.dout(0) * p.scale, vp = v * exp(g.in(1));
                                       if (g.needs(0)) g.din(0) = v - sum_along(vp, p.axis);
                                       if (g.needs(1)) g.din(1) = -(vp * sum_along(dy, p.axis));
                                     })
                                     .grad_uses(true, false);

const Op& softmax_activation = define_op<SoftmaxActivationParams>("SoftmaxActivation")
                                   .doc("softmax along the last axis (instance) or along axis 1 (channel).")
                                   .input("data", "Array of at least two axes.")
                                   .infer([](const SoftmaxActivationParams&, InferContext& c) { c.out(0) = c.in(0); })
                                   .compose(softmax_activation_of);

const Op& softmax_output = define_op<SoftmaxOutputParams>("SoftmaxOutput")
                               .doc(
                                   "softmax of the data; its gradient is that of the cross entropy with the labels, "
                                   "whatever reaches the output (unless "
                                   "out_grad is set).")
                               .input("data", "Array of at least two axes.")
                               .input("label", "A class for each row, or weights shaped as the data.")
                               .alias({"Softmax"})
                               .infer(infer_softmax_output)
                               .gradient(softmax_output_gradient);

const Op& softmax_output_backward = define_op<SoftmaxOutputParams>("_backward_SoftmaxOutput")
                                        .doc("The gradient of SoftmaxOutput for its data.")
                                        .input("out", "Output of the operator.")
                                        .input("label", "Its labels.")
                                        .infer([](const SoftmaxOutputParams&, InferContext& c) { c.out(0) = c.in(0); })
                                        .gradient(softmax_output_second_gradient)
                                        .grad_uses(true, false);

const Op& linear_regression = define_op<RegressionParams>("LinearRegressionOutput")
                                  .doc(
                                      "The data itself; its gradient is grad_scale (data - label) over the outputs per "
                                      "sample, whatever reaches the output.")
                                  .input("data", "Predictions (N, ..).")
                                  .input("label", "Targets of as many elements.")
                                  .alias({"_sparse_LinearRegressionOutput"})
                                  .infer(infer_regression)
                                  .gradient(regression_gradient<Regression::linear>);

const Op& logistic_regression = define_op<RegressionParams>("LogisticRegressionOutput")
                                    .doc(
                                        "sigmoid of the data; its gradient is grad_scale (out - label) over the "
                                        "outputs per sample, whatever reaches the output.")
                                    .input("data", "Predictions (N, ..).")
                                    .input("label", "Targets of as many elements.")
                                    .alias({"_sparse_LogisticRegressionOutput"})
                                    .infer(infer_regression)
                                    .gradient(regression_gradient<Regression::logistic>);

const Op& mae_regression = define_op<RegressionParams>("MAERegressionOutput")
                               .doc(
                                   "The data itself; its gradient is grad_scale over the outputs per sample where "
                                   "data is above the label and minus that elsewhere, whatever reaches the output.")
                               .input("data", "Predictions (N, ..).")
                               .input("label", "Targets of as many elements.")
                               .alias({"_sparse_MAERegressionOutput"})
                               .infer(infer_regression)
                               .gradient(regression_gradient<Regression::absolute>);

const Op& cross_entropy = define_op("softmax_cross_entropy")
                              .doc("Sum over the rows of -log softmax(data)[label], an array of one element.")
                              .input("data", "Scores (N, classes).")
                              .input("label", "Classes (N,).")
                              .infer(infer_cross_entropy)
                              .compose(cross_entropy_of);

}  // namespace
}  // namespace mxnet

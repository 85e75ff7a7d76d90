#include "mxnet/ops/norm.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"

namespace mxnet {
namespace {

// 16-bit data has its statistics (and BatchNorm its parameters) in float32.
DType statistics_dtype(DType data) { return data == DType::float16 || data == DType::bfloat16 ? DType::float32 : data; }

void check_floating(InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
}

Expr as_type(const Expr& x, DType dtype) { return x.dtype() == dtype ? x : cast(x, dtype); }

// y = (x - mean) * inverse * gamma + beta, with statistics over `axes`; every array broadcasts against x.
struct NormTerms {
  Expr x, dy, mean, inverse, gamma;  // an undefined gamma is 1
  std::vector<int> axes;
  bool batch_stats = true;  // the statistics are those of x
  Expr dmean, dvariance;    // gradients that reach the statistics themselves, if any

  Expr normalised() const { return (x - mean) * inverse; }
  Expr data_gradient() const;
};

Expr NormTerms::data_gradient() const {
  double count = 1;
  for (int axis : axes) count *= static_cast<double>(x.shape()[axis]);
  auto average = [&](const Expr& e) { return sum(e, axes, true) * (1 / std::max(count, 1.0)); };
  Expr scaled = gamma.defined() ? dy * gamma : dy;
  if (!batch_stats) return scaled * inverse;
  Expr xhat = normalised();
  Expr dx = (scaled - average(scaled) - xhat * average(scaled * xhat)) * inverse;
  if (dmean.defined()) dx = dx + dmean * (1 / count);
  if (dvariance.defined()) dx = dx + dvariance * (x - mean) * (2 / count);
  return dx;
}

// ---- BatchNorm

void infer_batch_norm(const BatchNormParams& p, InferContext& c) {
  check_floating(c);
  c.out(0) = c.in(0);
  DType stats = statistics_dtype(c.in(0).dtype);
  for (int i = 1; i < 5; ++i)
    if (stats != DType::unknown) c.expect_dtype(i, stats);
  c.out(1).dtype = c.out(2).dtype = stats;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() == 0) c.fail("got a scalar for 'data', takes an array with an axis of channels");
  Shape channels{data[c.axis(p.axis, data)]};
  for (int i = 1; i < 5; ++i) c.expect_shape(i, channels);
  c.out(1).shape = c.out(2).shape = channels;
}

// `dy` is the gradient of the norm itself.
void norm_gradient(const BatchNormParams& p, GradContext& g, const Expr& dy) {
  const Shape& shape = g.in(0).shape();
  int axis = normal_axis("BatchNorm", p.axis, shape);
  Shape spread = Shape::filled(shape.ndim(), 1);
  spread[axis] = shape[axis];
  DType stats = statistics_dtype(g.in(0).dtype());
  NormTerms t;
  for (int i = 0; i < shape.ndim(); ++i)
    if (i != axis) t.axes.push_back(i);
  t.x = as_type(g.in(0), stats), t.dy = as_type(dy, stats);
  t.mean = reshape(g.out(1), spread), t.inverse = reshape(g.out(2), spread);
  if (!p.fix_gamma) t.gamma = reshape(g.in(1), spread);
  t.batch_stats = g.training() && !p.use_global_stats;
  if (g.has_dout(1)) t.dmean = reshape(g.dout(1), spread);
  // The third output is (variance + eps)^(-1/2).
  if (g.has_dout(2)) t.dvariance = reshape(g.dout(2), spread) * t.inverse * square(t.inverse) * -0.5;
  if (g.needs(0)) g.din(0) = as_type(t.data_gradient(), g.in(0).dtype());
  if (g.needs(1)) g.din(1) = p.fix_gamma ? zeros_like(g.in(1)) : sum(t.dy * t.normalised(), t.axes, false);
  if (g.needs(2)) g.din(2) = sum(t.dy, t.axes, false);
}

void batch_norm_gradient(const BatchNormParams& p, GradContext& g) { norm_gradient(p, g, g.dout(0)); }
void batch_norm_relu_gradient(const BatchNormParams& p, GradContext& g) {
  norm_gradient(p, g, g.dout(0) * (g.out(0) > 0.0));
}

// By a kernel that takes beta too if something follows the norm.
void fused_norm_gradient(const OpRef& op, const BatchNormParams& p, GradContext& g, bool with_beta) {
  BatchNormGradParams q{p.axis, p.fix_gamma, g.training() && !p.use_global_stats};
  std::vector<Expr> inputs{g.dout(0), g.in(0), g.in(1), g.out(1), g.out(2)};
  if (with_beta) inputs.push_back(g.in(2));
  auto d = op.with(inputs, make_params(q));
  for (int i = 0; i < 3; ++i)
    if (g.needs(i)) g.din(i) = d[static_cast<size_t>(i)];
}
void batch_norm_fused_gradient(const BatchNormParams& p, GradContext& g) {
  static const OpRef op("_backward_BatchNorm");
  if (g.has_dout(1) || g.has_dout(2)) return batch_norm_gradient(p, g);
  fused_norm_gradient(op, p, g, false);
}
void batch_norm_relu_fused_gradient(const BatchNormParams& p, GradContext& g) {
  static const OpRef op("_backward_batch_norm_relu");
  if (g.has_dout(1) || g.has_dout(2)) return batch_norm_relu_gradient(p, g);
  fused_norm_gradient(op, p, g, true);
}

void infer_batch_norm_backward(const BatchNormGradParams&, InferContext& c) {
  c.out(0) = c.in(1);
  c.out(1) = c.out(2) = c.in(2);
}

// Mean, variance and result of a batch norm that is shared among devices; this process has one.
std::vector<Expr> sync_batch_norm_of(const SyncBatchNormParams& p, std::span<const Expr> in) {
  static const OpRef op("BatchNorm");
  if (p.ndev > 1)
    fail(ErrorKind::not_implemented, "_contrib_SyncBatchNorm: ndev is ", p.ndev,
         ", statistics are shared within one device only; use ndev=1");
  std::vector<Expr> out = op.with(in, make_params(p.batch_norm()));
  if (p.output_mean_var) out[2] = 1.0 / square(out[2]) - static_cast<double>(p.eps);
  return out;
}

std::vector<Expr> batch_norm_relu_of(const BatchNormParams& p, std::span<const Expr> in) {
  static const OpRef op("BatchNorm");
  std::vector<Expr> out = op.with(in, make_params(p));
  out[0] = apply("relu", {out[0]});
  return out;
}

// ---- Norms of rows

// Gradient of a norm whose outputs are the result, the mean and the standard deviation, in the shapes that
// broadcast: x and dy as `rows`, the statistics as `stats`, gamma as `affine`.
void row_norm_gradient(GradContext& g, const Shape& rows, const Shape& stats, const Shape& affine, int axis) {
  DType dtype = g.in(0).dtype(), wide = statistics_dtype(dtype);
  auto shaped = [&](const Expr& e, const Shape& shape) {
    return as_type(e.shape() == shape ? e : reshape(e, shape), wide);
  };
  NormTerms t;
  t.axes = {axis};
  t.x = shaped(g.in(0), rows), t.dy = shaped(g.dout(0), rows);
  Expr deviation = shaped(g.out(2), stats);
  t.mean = shaped(g.out(1), stats), t.inverse = 1.0 / deviation;
  t.gamma = shaped(g.in(1), affine);
  if (g.has_dout(1)) t.dmean = shaped(g.dout(1), stats);
  if (g.has_dout(2)) t.dvariance = shaped(g.dout(2), stats) * t.inverse * 0.5;
  auto back = [&](const Expr& e, const Shape& shape) {
    return as_type(e.shape() == shape ? e : reshape(e, shape), dtype);
  };
  if (g.needs(0)) g.din(0) = back(t.data_gradient(), g.in(0).shape());
  if (g.needs(1)) g.din(1) = back(sum_to(t.dy * t.normalised(), affine), g.in(1).shape());
  if (g.needs(2)) g.din(2) = back(sum_to(t.dy, affine), g.in(2).shape());
}

// The same in one kernel; false if gradients of the statistics are wanted, which it does not know.
bool row_norm_fused_gradient(GradContext& g, int64_t length, bool per_element) {
  static const OpRef op("_backward_row_norm");
  if (g.has_dout(1) || g.has_dout(2)) return false;
  auto d =
      op.with({g.dout(0), g.in(0), g.in(1), g.out(1), g.out(2)}, make_params(RowNormGradParams{length, per_element}));
  for (int i = 0; i < 3; ++i)
    if (g.needs(i)) g.din(i) = d[static_cast<size_t>(i)];
  return true;
}
void infer_row_norm_backward(const RowNormGradParams&, InferContext& c) {
  c.out(0) = c.in(1);
  c.out(1) = c.out(2) = c.in(2);
}

// Result, mean and standard deviation of a norm whose statistics have shape `stats`.
void infer_outputs(InferContext& c, const Shape& stats) {
  c.out(0) = c.in(0);
  c.out(1) = c.out(2) = {stats, statistics_dtype(c.in(0).dtype)};
}

void infer_layer_norm(const LayerNormParams& p, InferContext& c) {
  check_floating(c);
  c.same_dtype();
  infer_outputs(c, Shape::unknown());
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() == 0) c.fail("got a scalar for 'data', takes an array of one axis or more");
  int axis = c.axis(p.axis, data);
  c.expect_shape(1, {data[axis]});
  c.expect_shape(2, {data[axis]});
  Shape stats = data;
  stats[axis] = 1;
  infer_outputs(c, stats);
}
void layer_norm_gradient(const LayerNormParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  int axis = normal_axis("LayerNorm", p.axis, shape);
  Shape affine = Shape::filled(shape.ndim(), 1), stats = shape;
  affine[axis] = shape[axis];
  stats[axis] = 1;
  row_norm_gradient(g, shape, stats, affine, axis);
}
void layer_norm_fused_gradient(const LayerNormParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  bool last = normal_axis("LayerNorm", p.axis, shape) == shape.ndim() - 1;
  if (!last || !row_norm_fused_gradient(g, shape.back(), true)) layer_norm_gradient(p, g);
}

void infer_group_norm(const GroupNormParams& p, InferContext& c) {
  check_floating(c);
  c.same_dtype();
  if (p.num_groups < 1) c.fail("num_groups is ", p.num_groups, ", must be at least 1");
  c.expect_shape(1, {p.num_groups});
  c.expect_shape(2, {p.num_groups});
  infer_outputs(c, Shape::unknown());
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() < 2) c.fail("data has shape ", data, ", needs at least 2 axes");
  if (data[1] >= 0 && data[1] % p.num_groups != 0)
    c.fail(data[1], " channels are not divisible by num_groups ", p.num_groups);
  infer_outputs(c, {data[0], p.num_groups});
}
void group_norm_gradient(const GroupNormParams& p, GradContext& g) {
  int64_t batch = g.in(0).shape()[0], groups = p.num_groups;
  int64_t length = g.in(0).shape().size() / std::max<int64_t>(1, batch * groups);
  row_norm_gradient(g, {batch, groups, length}, {batch, groups, 1}, {1, groups, 1}, 2);
}
void group_norm_fused_gradient(const GroupNormParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  if (!row_norm_fused_gradient(g, shape.size() / std::max<int64_t>(1, shape[0] * p.num_groups), false))
    group_norm_gradient(p, g);
}

void infer_instance_norm(const InstanceNormParams&, InferContext& c) {
  check_floating(c);
  c.same_dtype();
  infer_outputs(c, Shape::unknown());
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() < 3) c.fail("data has shape ", data, ", needs at least 3 axes");
  c.expect_shape(1, {data[1]});
  c.expect_shape(2, {data[1]});
  infer_outputs(c, {data[0], data[1]});
}
void instance_norm_gradient(const InstanceNormParams&, GradContext& g) {
  const Shape& s = g.in(0).shape();
  row_norm_gradient(g, {s[0], s[1], s.product(2, s.ndim())}, {s[0], s[1], 1}, {1, s[1], 1}, 2);
}
void instance_norm_fused_gradient(const InstanceNormParams& p, GradContext& g) {
  const Shape& s = g.in(0).shape();
  if (!row_norm_fused_gradient(g, s.product(2, s.ndim()), false)) instance_norm_gradient(p, g);
}

std::vector<Expr> l2_normalization_of(const L2NormalizationParams& p, std::span<const Expr> in) {
  const Expr& x = in[0];
  std::vector<int> axes;
  int first = p.mode == L2Mode::spatial ? 2 : 1, last = p.mode == L2Mode::channel ? 2 : x.shape().ndim();
  if (!is_floating(x.dtype()))
    type_error("L2Normalization: data has dtype ", x.dtype(), ", expected a floating dtype; convert it with astype");
  if (x.shape().ndim() <= first)
    value_error("L2Normalization: data has shape ", x.shape(), ", this mode needs at least ", first + 1, " axes");
  for (int i = first; i < last; ++i) axes.push_back(i);
  return {x / sqrt(sum(square(x), axes, true) + static_cast<double>(p.eps))};
}

const char* const kGammaDoc = "Scale.";
const char* const kBetaDoc = "Offset.";

template <class P>
std::vector<std::string> moment_names(const P&) {
  return {"output", "mean", "var"};
}
template <class P>
std::vector<std::string> deviation_names(const P&) {
  return {"output", "mean", "std"};
}

template <class P>
int visible_outputs(const P& p, int) {
  return p.output_mean_var ? 3 : 1;
}

const Op& batch_norm = define_op<BatchNormParams>("BatchNorm")
                           .doc(
                               "(data - mean) / sqrt(variance + eps) * gamma + beta for each channel, in training with "
                               "the mean and (biased) variance of "
                               "the batch, which also move the averages: moving = momentum moving + (1 - momentum) "
                               "batch; else with the moving averages. "
                               "Parameters of 16-bit data are float32.")
                           .input("data", "Array with channels along `axis`.")
                           .input("gamma", "Scale of each channel.")
                           .input("beta", "Offset of each channel.")
                           .mutable_input("moving_mean", "Moving average of the mean.")
                           .mutable_input("moving_var", "Moving average of the variance.")
                           .alias({"BatchNorm_v1", "_npx_batch_norm"})
                           .outputs(3)
                           .visible_of(visible_outputs<BatchNormParams>)
                           .output_names(moment_names<BatchNormParams>)
                           .uses_training()
                           .infer(infer_batch_norm)
                           .gradient(batch_norm_gradient)
                           .fast_gradient(batch_norm_fused_gradient);

// The inputs and outputs of the operators that are a batch norm and something more.
template <class P>
OpBuilder<P> define_batch_norm(const char* name) {
  OpBuilder<P> op = define_op<P>(name);
  op.input("data", "Array with channels along axis 1, or along `axis` where there is one.")
      .input("gamma", "Scale of each channel.")
      .input("beta", "Offset of each channel.")
      .mutable_input("moving_mean", "Moving average of the mean.")
      .mutable_input("moving_var", "Moving average of the variance.")
      .outputs(3)
      .visible_of(visible_outputs<P>)
      .output_names(moment_names<P>)
      .uses_training();
  return op;
}

const Op& sync_batch_norm =
    define_batch_norm<SyncBatchNormParams>("_contrib_SyncBatchNorm")
        .doc(
            "BatchNorm along axis 1 whose statistics are those of the batches of all `ndev` devices. With "
            "output_mean_var the second and third result are mean and variance.")
        .infer([](const SyncBatchNormParams& p, InferContext& c) { infer_batch_norm(p.batch_norm(), c); })
        .compose(sync_batch_norm_of);

const Op& batch_norm_relu = define_batch_norm<BatchNormParams>("_contrib_BatchNormWithReLU")
                                .doc("max(BatchNorm(data), 0).")
                                .infer(infer_batch_norm)
                                .compose(batch_norm_relu_of);

// The same in one kernel, which graphs are given.
const Op& fused_batch_norm_relu = define_batch_norm<BatchNormParams>("_batch_norm_relu")
                                      .doc("max(BatchNorm(data), 0) in one kernel.")
                                      .infer(infer_batch_norm)
                                      .gradient(batch_norm_relu_gradient)
                                      .fast_gradient(batch_norm_relu_fused_gradient);

OpBuilder<BatchNormGradParams> define_batch_norm_backward(const char* name) {
  OpBuilder<BatchNormGradParams> op = define_op<BatchNormGradParams>(name);
  op.input("dout", "Gradient of the output.")
      .input("data", "Input of the operator.")
      .input("gamma", "Its scale.")
      .input("mean", "Mean it used.")
      .input("inverse", "1 / sqrt(variance + eps) it used.")
      .outputs(3)
      .infer(infer_batch_norm_backward)
      .any_inplace();
  return op;
}

const Op& batch_norm_backward =
    define_batch_norm_backward("_backward_BatchNorm").doc("Gradients of BatchNorm for data, gamma and beta.");

const Op& batch_norm_relu_backward = define_batch_norm_backward("_backward_batch_norm_relu")
                                         .doc("Gradients of _batch_norm_relu for data, gamma and beta.")
                                         .input("beta", "Its offset.");

const Op& layer_norm =
    define_op<LayerNormParams>("LayerNorm")
        .doc("(data - mean) / sqrt(variance + eps) * gamma + beta with mean and variance along `axis`.")
        .input("data", "Array of a floating dtype.")
        .input("gamma", kGammaDoc)
        .input("beta", kBetaDoc)
        .alias({"_npx_layer_norm"})
        .outputs(3)
        .visible_of(visible_outputs<LayerNormParams>)
        .output_names(deviation_names<LayerNormParams>)
        .infer(infer_layer_norm)
        .gradient(layer_norm_gradient)
        .fast_gradient(layer_norm_fused_gradient);

const Op& group_norm = define_op<GroupNormParams>("GroupNorm")
                           .doc(
                               "(data - mean) / sqrt(variance + eps) * gamma + beta with mean and variance over each "
                               "group of channels of each sample; "
                               "gamma and beta have one entry per group.")
                           .input("data", "Array (N, C, ..).")
                           .input("gamma", kGammaDoc)
                           .input("beta", kBetaDoc)
                           .outputs(3)
                           .visible_of(visible_outputs<GroupNormParams>)
                           .output_names(deviation_names<GroupNormParams>)
                           .infer(infer_group_norm)
                           .gradient(group_norm_gradient)
                           .fast_gradient(group_norm_fused_gradient);

const Op& instance_norm = define_op<InstanceNormParams>("InstanceNorm")
                              .doc(
                                  "(data - mean) / sqrt(variance + eps) * gamma + beta with mean and variance over "
                                  "each channel of each sample.")
                              .input("data", "Array (N, C, ..).")
                              .input("gamma", kGammaDoc)
                              .input("beta", kBetaDoc)
                              .outputs(3)
                              .visible(1)
                              .output_names(moment_names<InstanceNormParams>)
                              .infer(infer_instance_norm)
                              .gradient(instance_norm_gradient)
                              .fast_gradient(instance_norm_fused_gradient);

const Op& row_norm_backward =
    define_op<RowNormGradParams>("_backward_row_norm")
        .doc("Gradients of LayerNorm, GroupNorm and InstanceNorm for data, gamma and beta in one kernel.")
        .input("dout", "Gradient of the output.")
        .input("data", "Input of the operator.")
        .input("gamma", "Its scale.")
        .input("mean", "Mean of each row.")
        .input("deviation", "sqrt(variance + eps) of each row.")
        .outputs(3)
        .infer(infer_row_norm_backward);

const Op& l2_normalization =
    define_op<L2NormalizationParams>("L2Normalization")
        .doc(
            "data / sqrt(sum of squares + eps), the sum over each sample, over its channels, or over its spatial axes.")
        .input("data", "Array (N, C, ..).")
        .infer([](const L2NormalizationParams&, InferContext& c) { c.out(0) = c.in(0); })
        .compose(l2_normalization_of);

}  // namespace
}  // namespace mxnet

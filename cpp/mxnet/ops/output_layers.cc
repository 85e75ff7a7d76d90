// Layers that stand at the end of a network or beside its path: the data passes unchanged, the gradient does not.
#include <algorithm>
#include <cstring>

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

template <class P>
void copy_data(const P&, KernelContext& c) {
  if (c.out(0).data != c.in(0).data)
    std::memcpy(c.out(0).data, c.in(0).data, static_cast<size_t>(c.in(0).size() * size_of(c.in(0).dtype)));
}

void expect_floating_data(InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
}

enum class LossNormalization { none, batch, valid };
constexpr std::array<std::pair<LossNormalization, std::string_view>, 3> names_of(LossNormalization) {
  return {
      {{LossNormalization::none, "null"}, {LossNormalization::batch, "batch"}, {LossNormalization::valid, "valid"}}};
}

struct MakeLossParams {
  double grad_scale = 1, valid_thresh = 0;
  LossNormalization normalization = LossNormalization::none;

  static constexpr auto fields() {
    using P = MakeLossParams;
    return std::tuple{field("grad_scale", &P::grad_scale, "The gradient."),
                      field("valid_thresh", &P::valid_thresh, "Elements above it are valid."),
                      field("normalization", &P::normalization,
                            "Divide the gradient by the extent of the first axis (batch) or by the number of valid "
                            "elements, at least 1 (valid).")};
  }
};

const Op& make_loss =
    define_op<MakeLossParams>("MakeLoss")
        .doc(
            "The data unchanged, marked as a loss: its gradient is grad_scale everywhere, normalized as told, whatever "
            "follows.")
        .input("data", "Losses, of any shape.")
        .infer([](const MakeLossParams&, InferContext& c) {
          expect_floating_data(c);
          c.out(0) = c.in(0);
        })
        .cpu(copy_data<MakeLossParams>)
        .gradient([](const MakeLossParams& p, GradContext& g) {
          const Expr& x = g.in(0);
          double scale = p.grad_scale;
          if (p.normalization == LossNormalization::batch && x.shape().ndim() > 0 && x.shape()[0] > 0)
            scale /= static_cast<double>(x.shape()[0]);
          g.din(0) = full(x.shape(), scale, x.dtype(), x.ctx());
          if (p.normalization != LossNormalization::valid) return;
          Expr count = apply("sum", {x > p.valid_thresh}, {{"keepdims", true}});
          g.din(0) = g.din(0) / apply("_maximum_scalar", {count}, {{"scalar", 1.0}});
        })
        .grad_uses(true, false)
        .inplace();

struct SvmOutputParams {
  double margin = 1, regularization_coefficient = 1;
  bool use_linear = false;

  static constexpr auto fields() {
    using P = SvmOutputParams;
    return std::tuple{field("margin", &P::margin, "How far beyond the boundary a score shall lie."),
                      field("regularization_coefficient", &P::regularization_coefficient, "Factor of the loss."),
                      field("use_linear", &P::use_linear, "Take the hinge itself (L1-SVM), not its square (L2-SVM).")};
  }
};

void infer_svm(const SvmOutputParams&, InferContext& c) {
  expect_floating_data(c);
  c.same_dtype();
  c.out(0) = c.in(0);
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() < 1) c.fail("data is a scalar, expected at least one axis");
  c.expect_shape(1, data.slice(0, data.ndim() - 1));
}

// With sign s = -1 for the class of the label and 1 for the others, the loss is the sum of max(0, margin + s x),
// or of its square.
void svm_gradient(const SvmOutputParams& p, GradContext& g) {
  if (!g.needs(0)) return;
  const Expr& x = g.in(0);
  Expr own = apply("one_hot", {g.in(1)}, {{"depth", x.shape().back()}, {"dtype", x.dtype()}});
  Expr sign = 1.0 - own * 2.0, slack = p.margin + sign * x;
  Expr slope = sign * (slack > 0.0) * p.regularization_coefficient;
  g.din(0) = p.use_linear ? slope : slope * slack * 2.0;
}

const Op& svm_output = define_op<SvmOutputParams>("SVMOutput")
                           .doc(
                               "The data unchanged; its gradient is that of the hinge loss of one class against the "
                               "others, sum max(0, margin +- score)^2 times the coefficient, whatever follows.")
                           .input("data", "Scores (.., classes).")
                           .input("label", "Classes (..), as numbers of the same dtype.")
                           .infer(infer_svm)
                           .cpu(copy_data<SvmOutputParams>)
                           .gradient(svm_gradient)
                           .grad_uses(true, false)
                           .inplace();

struct SparseRegParams {
  double sparseness_target = 0.1, penalty = 0.001, momentum = 0.9;

  static constexpr auto fields() {
    using P = SparseRegParams;
    return std::tuple{field("sparseness_target", &P::sparseness_target, "The mean activation that is wanted."),
                      field("penalty", &P::penalty, "Factor of the penalty."),
                      field("momentum", &P::momentum, "Decay of the moving average.")};
  }
};

void infer_sparse_reg(const SparseRegParams&, InferContext& c) {
  DType dtype = c.same_dtype();
  expect_floating_data(c);
  c.out(0) = c.in(0);
  c.out(1).dtype = dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() < 2) c.fail("data has shape ", data, ", expected at least two axes");
  c.expect_shape(1, {data[1]});
  c.out(1).shape = {data[1]};
}

void sparse_reg(const SparseRegParams& p, KernelContext& c) {
  copy_data(p, c);
  const Shape& s = c.in(0).shape();
  int64_t inner = s.product(2, s.ndim()), count = s[0] * inner;
  dispatch_floating(c.in(0).dtype, [&]<class T>() {
    using V = compute_t<T>;
    T *average = c.in(1).as<T>(), *used = c.out(1).as<T>();
    V momentum = static_cast<V>(p.momentum);
    for (int64_t channel = 0; channel < s[1]; ++channel) {
      V sum = 0;
      for (int64_t i = 0; i < count; ++i)
        sum += static_cast<V>(c.in(0).as<T>()[(i / inner * s[1] + channel) * inner + i % inner]);
      if (c.training && count > 0)
        average[channel] =
            T(momentum * static_cast<V>(average[channel]) + (V(1) - momentum) * (sum / static_cast<V>(count)));
      used[channel] = average[channel];
    }
  });
}

const Op& sparse_reg_op =
    define_op<SparseRegParams>("IdentityAttachKLSparseReg")
        .doc(
            "The data unchanged; in training, the moving average a of each channel is updated and the gradient gains "
            "penalty (-t / a + (1 - t) / (1 - a)), the derivative of the divergence of a from the target t.")
        .input("data", "Activations between 0 and 1, (N, C, ..).")
        .mutable_input("moving_avg", "Mean activation of each channel, (C,), changed in place.")
        .outputs(2)
        .visible(1)
        .output_names([](const SparseRegParams&) { return std::vector<std::string>{"output"}; })
        .infer(infer_sparse_reg)
        .cpu(sparse_reg)
        .gradient([](const SparseRegParams& p, GradContext& g) {
          if (!g.needs(0)) return;
          const Expr& a = g.out(1);
          Expr slope = (1 - p.sparseness_target) / (1.0 - a) - p.sparseness_target / a;
          Shape along = Shape::filled(g.in(0).shape().ndim(), 1);
          along[1] = a.shape()[0];
          g.din(0) = g.dout(0) + reshape(slope * p.penalty, along);
        })
        .grad_uses(false, true, 1);

}  // namespace
}  // namespace mxnet

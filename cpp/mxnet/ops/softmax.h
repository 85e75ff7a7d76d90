// Softmax and the output layers: parameters and the kernels' interface.
#pragma once
#include <array>
#include <optional>

#include "mxnet/op/params.h"
#include "mxnet/ops/axis_view.h"

namespace mxnet {

struct SoftmaxParams {
  int axis = -1;
  std::optional<double> temperature;
  std::optional<DType> dtype;
  std::optional<bool> use_length = false;

  static constexpr auto fields() {
    using P = SoftmaxParams;
    return std::tuple{field("axis", &P::axis, "Axis to normalise along."),
                      field("temperature", &P::temperature, "Divides the input; 1 if not given."),
                      field("dtype", &P::dtype, "Type of the result; that of the data if not given."),
                      field("use_length", &P::use_length, "Whether `length` says how much of each row counts.")};
  }
};

enum class SoftmaxForm { softmax, log_softmax, softmin };

// Of the gradient operators.
struct SoftmaxGradParams {
  int axis = -1;
  double scale = 1;

  static constexpr auto fields() {
    using P = SoftmaxGradParams;
    return std::tuple{
        field("axis", &P::axis, "Axis normalised along."),
        field("scale", &P::scale, "Factor of the gradient: one over the temperature, negative for softmin.")};
  }
};

enum class Normalization { null, batch, valid };
constexpr std::array<std::pair<Normalization, std::string_view>, 3> names_of(Normalization) {
  return {{{Normalization::null, "null"}, {Normalization::batch, "batch"}, {Normalization::valid, "valid"}}};
}

struct SoftmaxOutputParams {
  float grad_scale = 1;
  float ignore_label = -1;
  bool multi_output = false;
  bool use_ignore = false;
  bool preserve_shape = false;
  Normalization normalization = Normalization::null;
  bool out_grad = false;
  float smooth_alpha = 0;

  float smoothing() const { return multi_output ? 0 : smooth_alpha; }

  static constexpr auto fields() {
    using P = SoftmaxOutputParams;
    return std::tuple{
        field("grad_scale", &P::grad_scale, "Factor of the gradient."),
        field("ignore_label", &P::ignore_label, "Label whose rows get no gradient where use_ignore is set."),
        field("multi_output", &P::multi_output, "Normalise along axis 1, each position having a label."),
        field("use_ignore", &P::use_ignore, "Whether ignore_label counts."),
        field("preserve_shape", &P::preserve_shape, "Normalise along the last axis; else over all axes but the first."),
        field("normalization", &P::normalization,
              "What the gradient is divided by: nothing, the batch size, or the number of labels not ignored."),
        field("out_grad", &P::out_grad, "Multiply with the gradient that reaches the output."),
        field("smooth_alpha", &P::smooth_alpha,
              "Share of the label's weight that is spread over the other classes, but for multi_output.")};
  }
};

struct RegressionParams {
  float grad_scale = 1;
  static constexpr auto fields() {
    return std::tuple{field("grad_scale", &RegressionParams::grad_scale, "Factor of the gradient.")};
  }
};

enum class SoftmaxMode { instance, channel };
constexpr std::array<std::pair<SoftmaxMode, std::string_view>, 2> names_of(SoftmaxMode) {
  return {{{SoftmaxMode::instance, "instance"}, {SoftmaxMode::channel, "channel"}}};
}
struct SoftmaxActivationParams {
  SoftmaxMode mode = SoftmaxMode::instance;
  static constexpr auto fields() {
    return std::tuple{field("mode", &SoftmaxActivationParams::mode, "Normalise along the last axis, or along axis 1.")};
  }
};

// The rows of SoftmaxOutput.
inline AxisView output_view(const SoftmaxOutputParams& p, const Shape& data) {
  if (p.preserve_shape) return around(data, data.ndim() - 1);
  if (p.multi_output) return around(data, 1);
  return {data[0], data.product(1, data.ndim()), 1};
}

}  // namespace mxnet

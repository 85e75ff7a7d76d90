// Normalisation layers: parameters.
#pragma once
#include <optional>

#include "mxnet/op/params.h"

namespace mxnet {

struct BatchNormParams {
  double eps = 1e-3f;
  float momentum = 0.9f;
  bool fix_gamma = true;
  bool use_global_stats = false;
  bool output_mean_var = false;
  int axis = 1;
  bool cudnn_off = false;
  std::optional<float> min_calib_range, max_calib_range;

  static constexpr auto fields() {
    using P = BatchNormParams;
    return std::tuple{
        field("eps", &P::eps, "Added to the variance."),
        field("momentum", &P::momentum, "Share of the moving averages that each training step keeps."),
        field("fix_gamma", &P::fix_gamma, "Take gamma as 1."),
        field("use_global_stats", &P::use_global_stats, "Normalise with the moving averages in training too."),
        field("output_mean_var", &P::output_mean_var, "Return mean and 1 / sqrt(variance + eps) as well."),
        field("axis", &P::axis, "Axis of the channels."),
        field("cudnn_off", &P::cudnn_off, "Do not use cuDNN on a gpu."),
        field("min_calib_range", &P::min_calib_range, "Accepted and ignored."),
        field("max_calib_range", &P::max_calib_range, "Accepted and ignored.")};
  }
};

struct SyncBatchNormParams {
  float eps = 1e-3f, momentum = 0.9f;
  bool fix_gamma = true;
  bool use_global_stats = false;
  bool output_mean_var = false;
  int ndev = 1;
  std::string key;

  static constexpr auto fields() {
    using P = SyncBatchNormParams;
    return std::tuple{
        field("eps", &P::eps, "Added to the variance."),
        field("momentum", &P::momentum, "Share of the moving averages that each training step keeps."),
        field("fix_gamma", &P::fix_gamma, "Take gamma as 1."),
        field("use_global_stats", &P::use_global_stats, "Normalise with the moving averages in training too."),
        field("output_mean_var", &P::output_mean_var, "Return mean and variance as well."),
        field("ndev", &P::ndev, "Number of devices that share statistics."),
        field("key", &P::key, "Name that the layer has on all devices.").required()};
  }
  BatchNormParams batch_norm() const {
    BatchNormParams p;
    p.eps = static_cast<double>(eps), p.momentum = momentum, p.fix_gamma = fix_gamma;
    p.use_global_stats = use_global_stats, p.output_mean_var = output_mean_var;
    return p;
  }
};

struct LayerNormParams {
  int axis = -1;
  float eps = 1e-5f;
  bool output_mean_var = false;

  static constexpr auto fields() {
    using P = LayerNormParams;
    return std::tuple{field("axis", &P::axis, "Axis to normalise along."),
                      field("eps", &P::eps, "Added to the variance."),
                      field("output_mean_var", &P::output_mean_var, "Return mean and standard deviation as well.")};
  }
};

struct GroupNormParams {
  int num_groups = 1;
  float eps = 1e-5f;
  bool output_mean_var = false;

  static constexpr auto fields() {
    using P = GroupNormParams;
    return std::tuple{field("num_groups", &P::num_groups, "Number of groups the channels are split into."),
                      field("eps", &P::eps, "Added to the variance."),
                      field("output_mean_var", &P::output_mean_var, "Return mean and standard deviation as well.")};
  }
};

struct InstanceNormParams {
  float eps = 1e-3f;
  static constexpr auto fields() {
    return std::tuple{field("eps", &InstanceNormParams::eps, "Added to the variance.")};
  }
};

// Of the gradient of BatchNorm.
struct BatchNormGradParams {
  int axis = 1;
  bool fix_gamma = false;
  bool batch_stats = true;

  static constexpr auto fields() {
    using P = BatchNormGradParams;
    return std::tuple{field("axis", &P::axis, "Axis of the channels."),
                      field("fix_gamma", &P::fix_gamma, "Take gamma as 1."),
                      field("batch_stats", &P::batch_stats, "Whether mean and variance are those of the data itself.")};
  }
};

// Of the gradient of the norms of rows: the array is rows of `length` elements; an entry of gamma belongs to an
// element of every row (per_element), or to every gamma.size()-th row.
struct RowNormGradParams {
  int64_t length = 1;
  bool per_element = true;

  static constexpr auto fields() {
    using P = RowNormGradParams;
    return std::tuple{
        field("length", &P::length, "Number of elements normalised together.").required(),
        field("per_element", &P::per_element, "Whether gamma goes along the row or is one number per row.")};
  }
};

enum class L2Mode { instance, channel, spatial };
constexpr std::array<std::pair<L2Mode, std::string_view>, 3> names_of(L2Mode) {
  return {{{L2Mode::instance, "instance"}, {L2Mode::channel, "channel"}, {L2Mode::spatial, "spatial"}}};
}
struct L2NormalizationParams {
  float eps = 1e-10f;
  L2Mode mode = L2Mode::instance;

  static constexpr auto fields() {
    using P = L2NormalizationParams;
    return std::tuple{
        field("eps", &P::eps, "Added to the sum of squares."),
        field("mode", &P::mode, "Over all axes but the first, along axis 1, or over the axes from the third on.")};
  }
};

}  // namespace mxnet

// Dropout's parameters and the meaning of its mask.
#pragma once
#include <array>
#include <optional>
#include <string_view>
#include <tuple>

#include "mxnet/op/params.h"

namespace mxnet {

enum class DropoutMode { training, always };
constexpr std::array<std::pair<DropoutMode, std::string_view>, 2> names_of(DropoutMode) {
  return {{{DropoutMode::training, "training"}, {DropoutMode::always, "always"}}};
}

struct DropoutParams {
  double p = 0.5;
  DropoutMode mode = DropoutMode::training;
  Shape axes;
  std::optional<bool> cudnn_off = false;
  static constexpr auto fields() {
    using P = DropoutParams;
    return std::tuple{field("p", &P::p, "Fraction of the elements that become zero."),
                      field("mode", &P::mode, "Drop elements only under train_mode, or always."),
                      field("axes", &P::axes, "Axes along which all elements share one decision."),
                      field("cudnn_off", &P::cudnn_off, "Not used.")};
  }
};

inline bool drops(const DropoutParams& p, bool training) {
  return p.p > 0 && (training || p.mode == DropoutMode::always);
}

// Values of the mask, one byte for each decision.
inline constexpr uint8_t kDropoutKept = 1;    // scaled by 1 / (1 - p); 0 is dropped
inline constexpr uint8_t kDropoutPassed = 2;  // not in training: unchanged

}  // namespace mxnet

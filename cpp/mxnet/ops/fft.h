// Discrete Fourier transforms: parameters.
#pragma once
#include "mxnet/op/params.h"

namespace mxnet {

struct FftParams {
  int64_t compute_size = 128;
  static constexpr auto fields() {
    return std::tuple{
        field("compute_size", &FftParams::compute_size, "Accepted and ignored; memory is taken as needed.")};
  }
};

}  // namespace mxnet

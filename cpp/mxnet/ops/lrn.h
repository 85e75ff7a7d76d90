// Local response normalisation: parameters.
#pragma once
#include "mxnet/op/params.h"

namespace mxnet {

struct LrnParams {
  float alpha = 1e-4f, beta = 0.75f, knorm = 2;
  int64_t nsize = 0;

  static constexpr auto fields() {
    using P = LrnParams;
    return std::tuple{field("alpha", &P::alpha, "Weight of the mean square of the neighbours."),
                      field("beta", &P::beta, "Exponent."),
                      field("knorm", &P::knorm, "Added to the weighted mean square."),
                      field("nsize", &P::nsize, "Number of neighbouring channels, odd.").required()};
  }
};

}  // namespace mxnet

// Parameters of the operators that update several weights in one call.
#pragma once
#include "mxnet/ops/optimizer.h"

namespace mxnet {

// Base of the four parameter lists; `lrs` and `wds` stay empty where they come as arrays.
struct MultiUpdateParams : UpdateHyper {
  std::vector<double> lrs, wds;
  int num_weights = 1;
  bool lists = true;
  bool preloaded() const { return !lists; }
};

// with_momentum: has the field; preloaded: learning rates and decays are the last two inputs.
template <bool with_momentum, bool preloaded_rates>
struct MultiSgdParams : MultiUpdateParams {
  MultiSgdParams() { lists = !preloaded_rates; }
  static constexpr auto fields() {
    using P = MultiSgdParams;
    using namespace hyper;
    auto count = field<P, int>("num_weights", &P::num_weights, "Number of weights.");
    auto common = std::tuple{rescale_grad_field<P>, clip_gradient_field<P>, count};
    auto rest = [&] {
      if constexpr (with_momentum)
        return std::tuple_cat(std::tuple{momentum_field<P>}, common);
      else
        return common;
    }();
    if constexpr (preloaded_rates)
      return rest;
    else
      return std::tuple_cat(
          std::tuple{field<P, std::vector<double>>("lrs", &P::lrs, "Learning rate of each weight.").required(),
                     field<P, std::vector<double>>("wds", &P::wds, "Weight decay of each weight.").required()},
          rest);
  }
};

}  // namespace mxnet

// Parameters of the operators that update several weights in one call.
#pragma once
#include "mxnet/op/registry.h"
#include "mxnet/ops/optimizer.h"
#include "mxnet/ops/simple.h"

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

inline void expect_floating(InferContext& c, DType dtype) {
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("got an array of ", dtype, ", expected a floating dtype");
}

// `more` arrays follow those of the weights.
template <class P>
void infer_multi(const P& p, InferContext& c, int per_weight, int more, bool mixed) {
  int arrays = c.num_inputs() - more;
  if (p.num_weights < 1 || arrays != p.num_weights * per_weight)
    c.fail("got ", c.num_inputs(), " arrays for num_weights ", p.num_weights, ", expected ", per_weight,
           " for each weight and ", more, " more");
  size_t weights = static_cast<size_t>(p.num_weights);
  if (p.lists && (p.lrs.size() != weights || p.wds.size() != weights))
    c.fail("got ", p.lrs.size(), " lrs and ", p.wds.size(), " wds for num_weights ", p.num_weights);
  for (int w = 0; w < p.num_weights; ++w) {
    int first = w * per_weight;
    DType dtype = c.same_dtype(first, first + 2);
    expect_floating(c, dtype);
    for (int i = first + 1; i < first + per_weight; ++i) c.expect_shape(i, c.shape(first));
    for (int i = first + 2; i < first + per_weight; ++i) c.expect_dtype(i, mixed ? DType::float32 : dtype);
    c.out(w) = c.in(first);
  }
}

// What an update of several weights reads: weight and gradient of each, which it leaves alone, and states, which it
// writes; then `more`.
inline auto inputs_of_updates(std::vector<std::string> states, std::vector<std::string> more = {}) {
  return [states = std::move(states), more = std::move(more)](const MultiUpdateParams& p) {
    constexpr int kMost = 100000;
    std::vector<InputSpec> inputs;
    for (int w = 0; w < std::min(p.num_weights, kMost); ++w) {
      inputs.push_back({str("weight_", w), ""});
      inputs.push_back({str("grad_", w), ""});
      for (const std::string& state : states) inputs.push_back({str(state, "_", w), "", false, true});
    }
    for (const std::string& name : more) inputs.push_back({name, ""});
    return inputs;
  };
}

// Blocks are added in double in their order, so that the sum does not depend on the number of threads.
double sum_of_squares(const TensorView& view);

// LAMB's second phase: how far to go along the direction, and the step itself, of a weight or of its float32 copy.
double lamb_rate(double lr, double lower_bound, double upper_bound, double weight_norm, double direction_norm);
void lamb_step(double rate, const TensorView& weight, const TensorView& direction, const TensorView& out);
void mixed_lamb_step(double rate, const TensorView& master, const TensorView& direction, const TensorView& out);

// Adam and its relatives; `eta` is 1, so that the weight decays of AdamW hold the learning rate too.
struct MultiMomentParams : MultiUpdateParams {
  MultiMomentParams() { eta = 1; }
  static constexpr auto fields() {
    using P = MultiMomentParams;
    using namespace hyper;
    return std::tuple{field<P, std::vector<double>>("lrs", &P::lrs, "Learning rate of each weight.").required(),
                      field<P, std::vector<double>>("wds", &P::wds, "Weight decay of each weight.").required(),
                      beta1_field<P>,
                      beta2_field<P>,
                      epsilon_field<P>,
                      rescale_grad_field<P>,
                      clip_gradient_field<P>,
                      field<P, int>("num_weights", &P::num_weights, "Number of weights.")};
  }
};

// Parameters of the operators that look at many arrays.
struct NumArraysParams {
  int num_arrays = 1;
  static constexpr auto fields() {
    return std::tuple{field("num_arrays", &NumArraysParams::num_arrays, "Number of arrays.").required()};
  }
};

struct AllFiniteParams {
  bool init_output = true;
  static constexpr auto fields() {
    return std::tuple{
        field("init_output", &AllFiniteParams::init_output, "False to keep a 0 that the output holds already.")};
  }
};
struct MultiAllFiniteParams : AllFiniteParams {
  int num_arrays = 1;
  static constexpr auto fields() {
    using P = MultiAllFiniteParams;
    return std::tuple{
        field("num_arrays", &P::num_arrays, "Number of arrays."),
        field<P, bool>("init_output", &P::init_output, "False to keep a 0 that the output holds already.")};
  }
};

// Rules that differ from those of the single updates.
struct MultiLion : AdamUpdate {
  template <class V>
  using Rule = rule::Lion<V>;
};
// AdamW of the single update takes its scale from an array.
struct MultiAdamW : AdamUpdate {
  template <class V>
  using Rule = rule::AdamW<V>;
};

}  // namespace mxnet

// GPU kernels of the optimizers' updates. Not run on hardware.
#include "mxnet/ops/optimizer.h"

#include <vector>

#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/optimizer_multi.h"

namespace mxnet::cuda {
namespace {

// One array's update. `master` is the float32 weight of a mixed update.
template <class Rule>
struct Update {
  static constexpr int n = Rule::num_states;
  Rule rule;
  AnyArray weight, grad, out;
  float* master;
  bool gives_direction;
  void* states[n + 1];
  DType state_dtype;

  template <class V>
  __device__ void run(int64_t i) const {
    V w = master ? static_cast<V>(master[i]) : weight.load<V>(i), state[n + 1] = {};
    for (int k = 0; k < n; ++k) state[k] = AnyArray(states[k], state_dtype).load<V>(i);
    rule(w, grad.load<V>(i), state);
    for (int k = 0; k < n; ++k) AnyArray(states[k], state_dtype).store(i, state[k]);
    if (master && !gives_direction) master[i] = static_cast<float>(w);
    out.store(i, w);
  }
};

template <class V, class Rule>
void run(const KernelContext& c, const Update<Rule>& update, int64_t count) {
  each(c, count, [=] __device__(int64_t i) { update.template run<V>(i); });
}

// Inputs in order: weight, gradient, states, and for a mixed update the float32 weight.
template <class U, class V>
void update_as(const KernelContext& c, const UpdateHyper& h, bool mixed, std::span<const TensorView> in,
               const TensorView& out) {
  using Rule = typename U::template Rule<V>;
  constexpr size_t n = Rule::num_states;
  Update<Rule> update{Rule(h),
                      in[0],
                      in[1],
                      out,
                      mixed ? in[2 + n].as<float>() : nullptr,
                      U::gives_direction,
                      {},
                      in[n > 0 ? 2 : 0].dtype};
  for (size_t k = 0; k < n; ++k) update.states[k] = in[2 + k].data;
  run<V>(c, update, out.size());
}

template <class U>
void update_one(const KernelContext& c, const UpdateHyper& h, bool mixed, std::span<const TensorView> in,
                const TensorView& out) {
  if (in[0].dtype == DType::float64)
    update_as<U, double>(c, h, mixed, in, out);
  else
    update_as<U, float>(c, h, mixed, in, out);
}

std::vector<double> numbers_of(const KernelContext& c, const TensorView& view) {
  Scratch numbers(c, view.size() * 8);
  cast(c, view, TensorView{numbers.data(), view.extents, DType::float64});
  std::vector<double> values;
  for (int64_t i = 0; i < view.size(); ++i) values.push_back(read_back(c, numbers.as<double>() + i));
  return values;
}

template <class U>
void update(const U& p, KernelContext& c) {
  constexpr bool mixed = U::kind == UpdateKind::mixed || U::kind == UpdateKind::mixed_scaled;
  UpdateHyper h = p;
  if constexpr (U::kind == UpdateKind::scaled || U::kind == UpdateKind::mixed_scaled) {
    h.rescale_grad = numbers_of(c, c.inputs.back())[0];
    if (!std::isfinite(h.rescale_grad) || h.rescale_grad == 0)
      return copy(c, c.in(0).data, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  }
  update_one<U>(c, h, mixed, c.inputs, c.out(0));
}

// Several weights at once; their inputs lie one weight after the other.
template <class U, bool mixed>
void multi_update(const MultiUpdateParams& p, KernelContext& c) {
  size_t weights = c.outputs.size(), per_weight = (c.inputs.size() - (p.preloaded() ? 2 : 0)) / weights;
  std::vector<double> lrs(p.lrs.begin(), p.lrs.end()), wds(p.wds.begin(), p.wds.end());
  if (p.preloaded()) {
    lrs = numbers_of(c, c.inputs[weights * per_weight]);
    wds = numbers_of(c, c.inputs[weights * per_weight + 1]);
  }
  for (size_t i = 0; i < weights; ++i) {
    UpdateHyper h = p;
    h.lr = lrs[i], h.wd = wds[i];
    update_one<U>(c, h, mixed, c.inputs.subspan(i * per_weight, per_weight), c.outputs[i]);
  }
}

template <class U>
void register_multi(const std::string& prefix, const std::string& rule) {
  kernel<MultiUpdateParams>((prefix + rule + "_update").c_str(), multi_update<U, false>);
  kernel<MultiUpdateParams>((prefix + "mp_" + rule + "_update").c_str(), multi_update<U, true>);
}

// 1 until an element turns out not to be a number; a 0 of before may be kept.
void all_finite(const AllFiniteParams& p, KernelContext& c) {
  float* finite = c.out(0).as<float>();
  bool fresh = p.init_output;
  each(c, 1, [=] __device__(int64_t) { *finite = fresh || *finite != 0; });
  for (const TensorView& view : c.inputs) {
    AnyArray x(view);
    each(c, view.size(), [=] __device__(int64_t i) {
      double value = x.load<double>(i);
      if (!(value - value == 0)) *finite = 0;
    });
  }
}

void reset_arrays(KernelContext& c) {
  for (const TensorView& x : c.inputs) fill_zero(c, x.data, x.size() * size_of(x.dtype));
}

const bool registered = [] {
  kernel<AllFiniteParams>("all_finite", all_finite);
  kernel<AllFiniteParams>("multi_all_finite", all_finite);
  kernel("reset_arrays", reset_arrays);
  Updates::each([]<class U>() { kernel<U>(U::name, update<U>); });
  for (const char* prefix : {"multi_", "preloaded_multi_"}) {
    register_multi<SgdUpdate>(prefix, "sgd");
    register_multi<SgdMomUpdate>(prefix, "sgd_mom");
  }
  register_multi<AdamUpdate>("multi_", "adam");
  register_multi<MultiAdamW>("multi_", "adamw");
  register_multi<MultiLion>("multi_", "lion");
  return true;
}();

}  // namespace
}  // namespace mxnet::cuda

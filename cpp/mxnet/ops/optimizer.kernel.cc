#include "mxnet/ops/optimizer.h"

#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/optimizer_multi.h"

namespace mxnet {
namespace {

constexpr int64_t kUpdateGrain = 16384;

// One array's update: where weight and gradient are read, the states changed and the result written. `master`
// is the float32 weight of a mixed update, null in a plain one.
template <class T, class S, int n>
struct UpdateArrays {
  const T* weight;
  const T* grad;
  S* states[n + 1];
  float* master;
};

// Results are written over what is read. GCC forgets that this is no hindrance when the loop becomes part of a caller.
template <bool mixed, bool direction, class Rule, class T, class S, int n, class Out>
[[gnu::flatten, gnu::noinline]] void update_range(int64_t begin, int64_t end, const Rule& rule,
                                                  const UpdateArrays<T, S, n>& a, Out* out) {
  using V = compute_t<T>;
#pragma GCC ivdep
  for (int64_t i = begin; i < end; ++i) {
    V weight = mixed ? static_cast<V>(a.master[i]) : static_cast<V>(a.weight[i]);
    V state[n + 1] = {};
    for (int k = 0; k < n; ++k) state[k] = static_cast<V>(a.states[k][i]);
    rule(weight, static_cast<V>(a.grad[i]), state);
    for (int k = 0; k < n; ++k) a.states[k][i] = S(state[k]);
    if (mixed && !direction) a.master[i] = static_cast<float>(weight);
    out[i] = Out(weight);
  }
}

// Inputs in order: weight, gradient, states, and for a mixed update the float32 weight.
template <class U, class T, bool mixed>
void update_arrays(const UpdateHyper& h, std::span<const TensorView> in, const TensorView& out) {
  using V = compute_t<T>;
  using S = std::conditional_t<mixed, float, T>;
  using Rule = typename U::template Rule<V>;
  using Out = std::conditional_t<mixed && U::gives_direction, float, T>;
  constexpr int n = Rule::num_states;
  UpdateArrays<T, S, n> arrays{in[0].as<T>(), in[1].as<T>(), {}, mixed ? in[2 + n].as<float>() : nullptr};
  for (int k = 0; k < n; ++k) arrays.states[k] = in[static_cast<size_t>(2 + k)].as<S>();
  Rule rule(h);
  parallel_for(out.size(), kUpdateGrain, [&](int64_t begin, int64_t end) {
    update_range<mixed, U::gives_direction>(begin, end, rule, arrays, out.as<Out>());
  });
}

template <class U>
void update_one(const UpdateHyper& h, bool mixed, std::span<const TensorView> in, const TensorView& out) {
  dispatch_floating(in[0].dtype, [&]<class T>() {
    if constexpr (!std::is_same_v<T, double>)
      if (mixed) return update_arrays<U, T, true>(h, in, out);
    update_arrays<U, T, false>(h, in, out);
  });
}

double number_of(const TensorView& view, int64_t i = 0) {
  return dispatch_floating(view.dtype, [&]<class T>() { return static_cast<double>(view.as<T>()[i]); });
}

template <class U>
void update(const U& p, KernelContext& c) {
  constexpr bool mixed = U::kind == UpdateKind::mixed || U::kind == UpdateKind::mixed_scaled;
  constexpr bool scaled = U::kind == UpdateKind::scaled || U::kind == UpdateKind::mixed_scaled;
  UpdateHyper h = p;
  if constexpr (scaled) {
    h.rescale_grad = number_of(c.inputs.back());
    if (!std::isfinite(h.rescale_grad) || h.rescale_grad == 0) {
      if (c.out(0).data != c.in(0).data)
        std::memcpy(c.out(0).data, c.in(0).data, static_cast<size_t>(c.out(0).size() * size_of(c.out(0).dtype)));
      return;
    }
  }
  if constexpr (mixed)
    update_one<U>(h, true, c.inputs, c.out(0));
  else
    dispatch_floating(c.in(0).dtype, [&]<class T>() { update_arrays<U, T, false>(h, c.inputs, c.out(0)); });
}

// Several weights at once; their inputs lie one weight after the other.
template <class U>
void multi_update(const MultiUpdateParams& p, KernelContext& c) {
  constexpr bool mixed = U::kind == UpdateKind::mixed;
  size_t weights = c.outputs.size(), per_weight = (c.inputs.size() - (p.preloaded() ? 2 : 0)) / weights;
  for (size_t i = 0; i < weights; ++i) {
    UpdateHyper h = p;
    if (p.preloaded()) {
      h.lr = number_of(c.inputs[weights * per_weight], static_cast<int64_t>(i));
      h.wd = number_of(c.inputs[weights * per_weight + 1], static_cast<int64_t>(i));
    } else {
      h.lr = p.lrs[i];
      h.wd = p.wds[i];
    }
    std::span<const TensorView> in = c.inputs.subspan(i * per_weight, per_weight);
    if constexpr (mixed)
      update_one<U>(h, true, in, c.out(static_cast<int>(i)));
    else
      dispatch_floating(in[0].dtype, [&]<class T>() { update_arrays<U, T, false>(h, in, c.out(static_cast<int>(i))); });
  }
}

template <class U>
struct Mixed : U {
  static constexpr UpdateKind kind = UpdateKind::mixed;
};

template <class U>
void register_moments(const std::string& rule) {
  cpu_kernel<MultiUpdateParams>(("multi_" + rule + "_update").c_str(), multi_update<U>);
  cpu_kernel<MultiUpdateParams>(("multi_mp_" + rule + "_update").c_str(), multi_update<Mixed<U>>);
}

const bool registered = [] {
  Updates::each([]<class U>() { cpu_kernel<U>(U::name, update<U>); });
  for (const char* prefix : {"multi_", "preloaded_multi_"}) {
    std::string name = prefix;
    cpu_kernel<MultiUpdateParams>((name + "sgd_update").c_str(), multi_update<SgdUpdate>);
    cpu_kernel<MultiUpdateParams>((name + "sgd_mom_update").c_str(), multi_update<SgdMomUpdate>);
    cpu_kernel<MultiUpdateParams>((name + "mp_sgd_update").c_str(), multi_update<MpSgdUpdate>);
    cpu_kernel<MultiUpdateParams>((name + "mp_sgd_mom_update").c_str(), multi_update<MpSgdMomUpdate>);
  }
  register_moments<AdamUpdate>("adam");
  register_moments<MultiAdamW>("adamw");
  register_moments<MultiLion>("lion");
  return true;
}();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/optimizer_multi.h"

#include <atomic>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

constexpr int64_t kReduceGrain = 32768;

template <class P>
void define_multi(const char* name, const char* doc, std::vector<std::string> states, bool mixed) {
  int per_weight = 2 + static_cast<int>(states.size());
  std::vector<std::string> rates;
  if (P().preloaded()) rates = {"lrs", "wds"};
  const char* inputs =
      P().preloaded()
          ? "For each weight: weight, gradient and the states of the single update; last the learning rates and "
            "the weight decays."
          : "For each weight: weight, gradient and the states of the single update.";
  define_op<P>(name)
      .doc(doc)
      .variadic("data", "num_weights", inputs)
      .inputs_of(inputs_of_updates(std::move(states), std::move(rates)))
      .outputs_of([](const P& p, int) { return p.num_weights; })
      .infer([per_weight, mixed](const P& p, InferContext& c) {
        infer_multi(p, c, per_weight, p.preloaded() ? 2 : 0, mixed);
        for (int i = c.num_inputs() - 2; p.preloaded() && i < c.num_inputs(); ++i) {
          c.expect_shape(i, Shape{p.num_weights});
          expect_floating(c, c.in(i).dtype);
        }
      })
      .inplace();
}

void define_moments(const char* single, const char* mixed, const char* doc, std::vector<std::string> states) {
  define_multi<MultiMomentParams>(single, doc, states, false);
  states.push_back("weight32");
  define_multi<MultiMomentParams>(mixed, "The same with a float32 weight after the states of each weight.",
                                  std::move(states), true);
}

const bool defined = [] {
  define_multi<MultiSgdParams<false, false>>("multi_sgd_update", "sgd_update of several weights.", {}, false);
  define_multi<MultiSgdParams<true, false>>("multi_sgd_mom_update", "sgd_mom_update of several weights.", {"mom"},
                                            false);
  define_multi<MultiSgdParams<false, false>>("multi_mp_sgd_update", "mp_sgd_update of several weights.", {"weight32"},
                                             true);
  define_multi<MultiSgdParams<true, false>>("multi_mp_sgd_mom_update", "mp_sgd_mom_update of several weights.",
                                            {"mom", "weight32"}, true);
  define_multi<MultiSgdParams<false, true>>("preloaded_multi_sgd_update",
                                            "sgd_update of several weights, rates in arrays.", {}, false);
  define_multi<MultiSgdParams<true, true>>("preloaded_multi_sgd_mom_update",
                                           "sgd_mom_update of several weights, rates in arrays.", {"mom"}, false);
  define_multi<MultiSgdParams<false, true>>("preloaded_multi_mp_sgd_update",
                                            "mp_sgd_update of several weights, rates in arrays.", {"weight32"}, true);
  define_multi<MultiSgdParams<true, true>>("preloaded_multi_mp_sgd_mom_update",
                                           "mp_sgd_mom_update of several weights, rates in arrays.",
                                           {"mom", "weight32"}, true);
  define_moments("multi_adam_update", "multi_mp_adam_update", "adam_update of several weights.", {"mean", "var"});
  define_moments(
      "multi_adamw_update", "multi_mp_adamw_update",
      "Of several weights: g = clip(rescale_grad * grad); mean = beta1 * mean + (1 - beta1) * g; var = beta2 "
      "* var + (1 - beta2) * g^2; weight -= lr * mean / (sqrt(var) + epsilon) + wd * weight.",
      {"mean", "var"});
  define_moments("multi_lion_update", "multi_mp_lion_update",
                 "Of several weights: g = clip(rescale_grad * grad); weight -= lr * sign(beta1 * mean + (1 - beta1) * "
                 "g) + wd * weight; mean = beta2 * mean + (1 - beta2) * g.",
                 {"mean"});
  return true;
}();

// LAMB's second phase: the direction scaled by the ratio of the norms of weight and direction.

struct LambPhase2Params {
  double lr = 0, lower_bound = -1, upper_bound = -1;
  static constexpr auto fields() {
    using P = LambPhase2Params;
    return std::tuple{field("lr", &P::lr, "Learning rate.").required(),
                      field("lower_bound", &P::lower_bound, "Least norm of the weight; negative for none."),
                      field("upper_bound", &P::upper_bound, "Greatest norm of the weight; negative for none.")};
  }
};

double number_of(const TensorView& view, int64_t i = 0) {
  return dispatch_floating(view.dtype, [&]<class T>() { return static_cast<double>(view.as<T>()[i]); });
}

double phase2_rate(const LambPhase2Params& p, const KernelContext& c) {
  return lamb_rate(p.lr, p.lower_bound, p.upper_bound, number_of(c.in(2)), number_of(c.in(3)));
}
void lamb_phase2(const LambPhase2Params& p, KernelContext& c) {
  lamb_step(phase2_rate(p, c), c.in(0), c.in(1), c.out(0));
}
void mp_lamb_phase2(const LambPhase2Params& p, KernelContext& c) {
  mixed_lamb_step(phase2_rate(p, c), c.in(4), c.in(1), c.out(0));
}

const Op& lamb_update_phase2 =
    define_op<LambPhase2Params>("lamb_update_phase2")
        .doc("weight - lr * r1 / r2 * g, with r1 kept within the bounds and the ratio 1 where a norm is 0.")
        .input("weight", "Weight; the result goes to `out`, usually the same array.")
        .input("g", "Direction from lamb_update_phase1.")
        .input("r1", "Norm of the weight, one number.")
        .input("r2", "Norm of the direction, one number.")
        .infer([](const LambPhase2Params&, InferContext& c) {
          expect_floating(c, c.same_dtype(0, 2));
          c.expect_shape(1, c.shape(0));
          expect_number(c, 2);
          expect_number(c, 3);
          c.out(0) = c.in(0);
        })
        .cpu(lamb_phase2)
        .inplace();

const Op& mp_lamb_update_phase2 =
    define_op<LambPhase2Params>("mp_lamb_update_phase2")
        .doc("lamb_update_phase2 of a float32 weight that is then stored in the dtype of `weight`.")
        .input("weight", "Weight; the result goes to `out`, usually the same array.")
        .input("g", "Direction from mp_lamb_update_phase1, float32.")
        .input("r1", "Norm of the weight, one number.")
        .input("r2", "Norm of the direction, one number.")
        .mutable_input("weight32", "The weight in float32, changed in place.")
        .infer([](const LambPhase2Params&, InferContext& c) {
          c.expect_shape(1, c.shape(0));
          c.expect_shape(4, c.shape(0));
          c.expect_dtype(1, DType::float32);
          c.expect_dtype(4, DType::float32);
          expect_floating(c, c.in(0).dtype);
          expect_number(c, 2);
          expect_number(c, 3);
          c.out(0) = c.in(0);
        })
        .cpu(mp_lamb_phase2)
        .inplace();

// What LARS and loss scaling need to know of many arrays.

const bool sum_sq_defined = [] {
  define_op<NumArraysParams>("multi_sum_sq")
      .doc("The sum of squares of each array, as a float32 vector.")
      .variadic("data", "num_arrays", "Arrays of floating dtypes.")
      .infer([](const NumArraysParams&, InferContext& c) {
        for (int i = 0; i < c.num_inputs(); ++i) expect_floating(c, c.in(i).dtype);
        c.out(0) = {Shape{c.num_inputs()}, DType::float32};
      })
      .cpu([](const NumArraysParams&, KernelContext& c) {
        for (size_t i = 0; i < c.inputs.size(); ++i)
          c.out(0).as<float>()[i] = static_cast<float>(sum_of_squares(c.inputs[i]));
      });
  define_op<NumArraysParams>("reset_arrays")
      .doc("Sets all elements of the arrays to zero.")
      .variadic("data", "num_arrays", "Arrays, changed in place.")
      .inputs_of([](const NumArraysParams& p) {
        std::vector<InputSpec> inputs;
        for (int i = 0; i < std::min(p.num_arrays, 100000); ++i) inputs.push_back({str("array_", i), "", false, true});
        return inputs;
      })
      .outputs(0)
      .infer([](const NumArraysParams&, InferContext&) {})
      .cpu([](const NumArraysParams&, KernelContext& c) {
        for (const TensorView& x : c.inputs) std::memset(x.data, 0, static_cast<size_t>(x.size() * size_of(x.dtype)));
      });
  return true;
}();

struct LarsParams {
  double eta = 0, eps = 0, rescale_grad = 1;
  static constexpr auto fields() {
    using P = LarsParams;
    return std::tuple{field("eta", &P::eta, "LARS coefficient.").required(),
                      field("eps", &P::eps, "Keeps the denominator away from zero.").required(),
                      field("rescale_grad", &P::rescale_grad, "Factor of the gradients.")};
  }
};

const Op& multi_lars =
    define_op<LarsParams>("multi_lars")
        .doc("lr * eta * |w| / (|g| * rescale_grad + wd * |w| + eps) for each weight, lr where a norm is 0.")
        .input("lrs", "Learning rates.")
        .input("weights_sum_sq", "Sums of squares of the weights.")
        .input("grads_sum_sq", "Sums of squares of the gradients.")
        .input("wds", "Weight decays.")
        .infer([](const LarsParams&, InferContext& c) {
          for (int i = 0; i < 4; ++i) c.expect_dtype(i, DType::float32);
          for (int i = 1; i < 4; ++i) c.expect_shape(i, c.shape(0));
          c.out(0) = c.in(0);
        })
        .cpu([](const LarsParams& p, KernelContext& c) {
          for (int64_t i = 0; i < c.out(0).size(); ++i) {
            double weight = std::sqrt(c.in(1).as<float>()[i]),
                   grad = std::sqrt(c.in(2).as<float>()[i]) * p.rescale_grad;
            double lr = c.in(0).as<float>()[i], wd = c.in(3).as<float>()[i];
            bool usual = weight > 0 && grad > 0;
            c.out(0).as<float>()[i] =
                static_cast<float>(usual ? lr * p.eta * weight / (grad + wd * weight + p.eps) : lr);
          }
        })
        .inplace();

bool all_finite(const TensorView& view) {
  std::atomic<bool> finite{true};
  dispatch_floating(view.dtype, [&]<class T>() {
    const T* x = view.as<T>();
    parallel_for(view.size(), kReduceGrain, [&](int64_t begin, int64_t end) {
      bool good = true;
      // Only infinities and NaN do not cancel.
      for (int64_t i = begin; i < end; ++i) {
        auto v = static_cast<compute_t<T>>(x[i]);
        good &= v - v == compute_t<T>(0);
      }
      if (!good) finite = false;
    });
  });
  return finite;
}

void all_finite_cpu(const AllFiniteParams& p, KernelContext& c) {
  float& out = *c.out(0).as<float>();
  bool finite = p.init_output || out != 0;
  for (const TensorView& x : c.inputs) finite = finite && all_finite(x);
  out = finite;
}

void infer_all_finite(const AllFiniteParams&, InferContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) expect_floating(c, c.in(i).dtype);
  c.out(0) = {Shape{1}, DType::float32};
}

const Op& all_finite_op = define_op<AllFiniteParams>("all_finite")
                              .doc("1 if no element is infinite or NaN, else 0; a float32 vector of one element.")
                              .input("data", "Array of a floating dtype.")
                              .infer(infer_all_finite)
                              .cpu(all_finite_cpu);

const bool multi_all_finite_defined = [] {
  define_op<MultiAllFiniteParams>("multi_all_finite")
      .doc("1 if no element of any array is infinite or NaN, else 0; a float32 vector of one.")
      .variadic("data", "num_arrays", "Arrays of floating dtypes.")
      .infer(infer_all_finite)
      .cpu(all_finite_cpu);
  return true;
}();

}  // namespace

double sum_of_squares(const TensorView& view) {
  constexpr int64_t kBlock = 4096;
  int64_t n = view.size(), blocks = (n + kBlock - 1) / kBlock;
  std::vector<double> partial(static_cast<size_t>(blocks));
  dispatch_floating(view.dtype, [&]<class T>() {
    const T* x = view.as<T>();
    parallel_for(blocks, kReduceGrain / kBlock, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        compute_t<T> lanes[16] = {};
        int64_t first = b * kBlock, last = std::min(first + kBlock, n);
        for (int64_t i = first; i < last; ++i) {
          auto v = static_cast<compute_t<T>>(x[i]);
          lanes[(i - first) % 16] += v * v;
        }
        for (compute_t<T> lane : lanes) partial[static_cast<size_t>(b)] += static_cast<double>(lane);
      }
    });
  });
  double sum = 0;
  for (double p : partial) sum += p;
  return sum;
}

double lamb_rate(double lr, double lower_bound, double upper_bound, double weight_norm, double direction_norm) {
  if (lower_bound >= 0) weight_norm = std::max(weight_norm, lower_bound);
  if (upper_bound >= 0) weight_norm = std::min(weight_norm, upper_bound);
  return weight_norm == 0 || direction_norm == 0 ? lr : lr * weight_norm / direction_norm;
}

void lamb_step(double rate, const TensorView& weight, const TensorView& direction, const TensorView& out) {
  dispatch_floating(out.dtype, [&]<class T>() {
    using V = compute_t<T>;
    const T *w = weight.as<T>(), *d = direction.as<T>();
    T* to = out.as<T>();
    parallel_for(out.size(), kReduceGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        to[i] = T(static_cast<V>(w[i]) - static_cast<V>(rate) * static_cast<V>(d[i]));
    });
  });
}

void mixed_lamb_step(double rate, const TensorView& master, const TensorView& direction, const TensorView& out) {
  auto factor = static_cast<float>(rate);
  dispatch_floating(out.dtype, [&]<class T>() {
    const float* d = direction.as<float>();
    float* w = master.as<float>();
    T* to = out.as<T>();
    parallel_for(out.size(), kReduceGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        w[i] -= factor * d[i];
        to[i] = T(w[i]);
      }
    });
  });
}

}  // namespace mxnet

// The likelihood of marked Hawkes processes, as in Y. Ogata, "On Lewis' simulation method for point processes", 1981.
#include <array>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"

namespace mxnet {
namespace {

void infer_hawkes(const NoParams&, InferContext& c) {
  DType dtype = c.same_dtype(0, 5);
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("got arrays of dtype ", dtype, ", expected a floating dtype");
  c.out(0).dtype = c.out(1).dtype = dtype;
  c.expect_dtype(6, dtype);
  c.expect_dtype(7, dtype);
  c.expect_rank(0, 2);
  c.expect_rank(4, 2);
  if (!c.shape(0).rank_known() || !c.shape(4).rank_known()) return;
  int64_t n = c.shape(0)[0], k = c.shape(0)[1], t = c.shape(4)[1];
  c.expect_shape(1, {k});
  c.expect_shape(2, {k});
  c.expect_shape(3, {n, k});
  c.expect_shape(4, {n, t});
  c.expect_shape(5, {n, t});
  c.expect_shape(6, {n});
  c.expect_shape(7, {n});
  c.out(0).shape = {n};
  c.out(1).shape = {n, k};
}

// y_t = decay_t y_(t-1) + data_t along axis 1, or from the last step to the first.
struct RecurrenceParams {
  bool reverse = false;
  static constexpr auto fields() {
    return std::tuple{field("reverse", &RecurrenceParams::reverse, "Run from the last step to the first.")};
  }
};

void recurrence_cpu(const RecurrenceParams& p, KernelContext& c) {
  const Shape& shape = c.out(0).shape();
  int64_t steps = shape[1], inner = shape.product(2, shape.ndim());
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    using C = compute_t<T>;
    const T *decay = c.in(0).as<const T>(), *data = c.in(1).as<const T>();
    T* y = c.out(0).as<T>();
    parallel_for(shape[0], std::max<int64_t>(1, 16384 / std::max<int64_t>(steps * inner, 1)),
                 [&](int64_t n, int64_t end) {
                   std::vector<C> state(static_cast<size_t>(inner));
                   for (; n < end; ++n) {
                     std::fill(state.begin(), state.end(), C(0));
                     for (int64_t t = 0; t < steps; ++t) {
                       int64_t at = (n * steps + (p.reverse ? steps - 1 - t : t)) * inner;
                       for (int64_t i = 0; i < inner; ++i) {
                         C& s = state[static_cast<size_t>(i)];
                         s = static_cast<C>(decay[at + i]) * s + static_cast<C>(data[at + i]);
                         y[at + i] = static_cast<T>(s);
                       }
                     }
                   }
                 });
  });
}

const OpRef recurrence_ref("_linear_recurrence");

// `x` one step later along axis 1 (or earlier), with zeros where it enters.
Expr shifted(const Expr& x, bool later) {
  static const OpRef concat("Concat"), slice_axis("slice_axis");
  Shape one = x.shape();
  one[1] = 1;
  Expr zero = zeros(one, x.dtype(), x.ctx());
  int64_t steps = x.shape()[1];
  Expr longer =
      later ? concat({zero, x}, {{"num_args", 2}, {"dim", 1}}) : concat({x, zero}, {{"num_args", 2}, {"dim", 1}});
  int64_t begin = later ? 0 : 1;
  return slice_axis({longer}, {{"axis", 1}, {"begin", begin}, {"end", begin + steps}});
}

// The gradient of the data runs the other way: d_t = dy_t + decay_(t+1) d_(t+1).
void recurrence_gradient(const RecurrenceParams& p, GradContext& g) {
  Expr back = recurrence_ref({shifted(g.in(0), p.reverse), g.dout(0)}, {{"reverse", !p.reverse}});
  if (g.needs(0)) g.din(0) = back * shifted(g.out(0), !p.reverse);
  if (g.needs(1)) g.din(1) = back;
}

const Op& recurrence = define_op<RecurrenceParams>("_linear_recurrence")
                           .doc("y_t = decay_t y_(t-1) + data_t along axis 1, where y before the first step is zero.")
                           .input("decay", "Factors (N, T, ...) of a floating dtype.")
                           .input("data", "What is added, of the same shape.")
                           .infer([](const RecurrenceParams&, InferContext& c) {
                             DType dtype = c.same_dtype();
                             if (dtype != DType::unknown && !is_floating(dtype))
                               c.fail_type("got arrays of dtype ", dtype, ", expected a floating dtype");
                             c.expect_rank(0, 2, 32);
                             c.expect_shape(1, c.shape(0));
                             c.expect_shape(0, c.shape(1));
                             c.out(0) = c.in(1);
                           })
                           .cpu(recurrence_cpu)
                           .gradient(recurrence_gradient)
                           .heavy();

// The states of all marks at all events are kept: memory of n t k elements, and gradients of every order.
std::vector<Expr> hawkes_of(const NoParams&, std::span<const Expr> in) {
  const Expr &lda = in[0], &alpha = in[1], &beta = in[2], &state = in[3], &lags = in[4];
  int64_t n = lags.shape()[0], t = lags.shape()[1], k = lda.shape()[1];
  auto sum_axis = [](const Expr& x, int axis) { return sum(x, std::array{axis}, false); };
  auto cumsum = [](const Expr& x) { return apply("cumsum", {x}, {{"axis", 1}}); };

  Expr place = cumsum(ones({1, t}, lda.dtype(), lda.ctx()));
  Expr valid = place <= reshape(in[6], {n, 1});
  Expr own = apply("one_hot", {in[5]}, {{"depth", k}, {"dtype", lda.dtype()}}) * reshape(valid, {n, t, 1});
  auto of_events = [&](const Expr& per_mark) { return sum_axis(own * per_mark, 2); };
  Expr rate = of_events(reshape(beta, {1, 1, k})), jump = of_events(reshape(alpha * beta, {1, 1, k}));
  Expr base = of_events(reshape(lda, {n, 1, k}));

  // Of each event, what the earlier ones of its mark have left: just before it, the states at the one before
  // have decayed, s_t = e^(-beta lag_t) (s_(t-1) + own_(t-1)).
  Expr time = cumsum(lags * valid);
  Expr step_decay = exp(-(reshape(beta, {1, 1, k}) * reshape(lags * valid, {n, t, 1})));
  Expr grown = apply("slice_axis", {apply("Concat", {reshape(state, {n, 1, k}), own}, {{"num_args", 2}, {"dim", 1}})},
                     {{"axis", 1}, {"begin", 0}, {"end", t}});
  Expr past = of_events(recurrence_ref({step_decay, step_decay * grown}));
  Expr logs = sum_axis(log(base + jump * past + (1.0 - valid)), 1);

  // Of each mark, what all events leave at the end; what has gone by then is their part in the integral.
  Expr end = reshape(in[7], {n, 1});
  Expr decay = exp(-(reshape(beta, {1, k}) * end));
  Expr left = sum_axis(own * reshape(exp(-(rate * (end - time))), {n, t, 1}), 1);
  Expr gone = state * (1.0 - decay) + sum_axis(own, 1) - left;
  Expr integral = lda * end + reshape(alpha, {1, k}) * gone;
  return {logs - sum_axis(integral, 1), state * decay + left};
}

const Op& hawkes =
    define_op("_contrib_hawkesll")
        .doc(
            "Log-likelihood (N,) of N marked point processes under Hawkes' model, and the states (N, K) at "
            "the end: mark k has the intensity lda_k + alpha_k beta_k s_k, where s_k grows by 1 with each "
            "event of the mark and decays with the rate beta_k.")
        .input("lda", "Background intensities (N, K).")
        .input("alpha", "Branching ratios (K,).")
        .input("beta", "Decay rates (K,).")
        .input("state", "The states s at time 0, (N, K).")
        .input("lags", "Times between events (N, T).")
        .input("marks", "Marks of the events, integers in [0, K), (N, T).")
        .input("valid_length", "Number of events of each process, (N,).")
        .input("max_time", "End of the observation of each process, (N,).")
        .outputs(2)
        .output_names([](const NoParams&) { return std::vector<std::string>{"output", "out_state"}; })
        .infer(infer_hawkes)
        .compose(hawkes_of);

}  // namespace
}  // namespace mxnet

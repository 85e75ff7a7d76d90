// The likelihood of marked Hawkes processes, as in Y. Ogata, "On Lewis' simulation method for point processes", 1981.
#include <array>

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/linalg_expr.h"

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

// All pairs of events are looked at: memory of n t^2 elements, in exchange for gradients of every order.
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
  Expr base = of_events(reshape(lda, {n, 1, k})), before = of_events(reshape(state, {n, 1, k}));

  // Of each event, what the earlier ones of its mark have left.
  Expr time = cumsum(lags * valid);
  Expr earlier = linalg::product(own, own, false, true) * (reshape(place, {1, t, 1}) > reshape(place, {1, 1, t}));
  Expr gaps = (reshape(time, {n, t, 1}) - reshape(time, {n, 1, t})) * earlier;
  Expr past = sum_axis(exp(-(gaps * reshape(rate, {n, t, 1}))) * earlier, 2) + before * exp(-(rate * time));
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
        .infer(infer_hawkes)
        .compose(hawkes_of);

}  // namespace
}  // namespace mxnet

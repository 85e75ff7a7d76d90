#include "mxnet/ops/ctc.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/indexing.h"
#include "mxnet/ops/join.h"

namespace mxnet {
namespace {

void infer_inputs(const CtcParams& p, InferContext& c) {
  c.expect_rank(ctc::log_probs, 3);
  c.expect_rank(ctc::label, 2);
  DType dtype = c.in(ctc::log_probs).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype");
  const Shape &data = c.shape(ctc::log_probs), &label = c.shape(ctc::label);
  int64_t batch = data.rank_known() ? data[1] : label.rank_known() ? label[0] : kUnknown;
  c.expect_shape(ctc::label, {batch, kUnknown});
  c.expect_shape(ctc::data_lengths, {batch});
  c.expect_shape(ctc::label_lengths, {batch});
  int given = c.has(ctc::data_lengths) + c.has(ctc::label_lengths);
  if (given != p.use_data_lengths + p.use_label_lengths)
    c.fail_type("use_data_lengths and use_label_lengths ask for ", p.use_data_lengths + p.use_label_lengths,
                " arrays of lengths, got ", given);
  if (p.use_data_lengths && !c.has(ctc::data_lengths)) c.fail_type("use_data_lengths needs the array 'data_lengths'");
  if (data.known() && label.known()) {
    if (data[2] < 1) c.fail("data has shape ", data, ", needs at least the class of the blank");
    if (data[0] < label[1]) c.fail("labels of shape ", label, " may be longer than data of shape ", data, " has steps");
  }
}

void infer_log_probs(const CtcParams& p, InferContext& c) {
  infer_inputs(p, c);
  DType dtype = c.in(0).dtype;
  if (dtype == DType::float16 || dtype == DType::bfloat16)
    c.fail_type("data has dtype ", dtype, ", expected float32 or float64");
  for (int i : {ctc::loss, ctc::alpha, ctc::skip, ctc::last}) c.out(i).dtype = dtype;
  c.out(ctc::place).dtype = DType::int64;
  const Shape &data = c.shape(ctc::log_probs), &label = c.shape(ctc::label);
  if (!data.rank_known() || !label.rank_known()) return;
  int64_t positions = label[1] < 0 ? kUnknown : 2 * label[1] + 1;
  c.out(ctc::loss).shape = {data[1]};
  c.out(ctc::alpha).shape = {data[1], data[0], positions};
  for (int i : {ctc::place, ctc::skip, ctc::last}) c.out(i).shape = {data[1], positions};
}

std::vector<Expr> ctc_loss_of(const CtcParams& p, std::span<const Expr> in) {
  static const OpRef log_softmax("log_softmax"), loss("_ctc_loss_of_log_probs");
  DType dtype = in[0].dtype();
  bool narrow = dtype == DType::float16 || dtype == DType::bfloat16;
  std::vector<Expr> inputs(in.begin(), in.end());
  inputs[0] = log_softmax({narrow ? cast(in[0], DType::float32) : in[0]}, {{"axis", 2}});
  return {cast(loss.with(inputs, make_params(p))[0], dtype)};
}

// ---- The gradient in public operators, so that it can be differentiated itself.

Expr slice(const Expr& x, int axis, int64_t begin, int64_t end) {
  static const OpRef op("slice_axis");
  return op.with({x}, make_params(SliceAxisParams{axis, begin, end}))[0];
}
Expr beside(const Expr& a, const Expr& b) {
  static const OpRef op("Concat");
  return op.with({a, b}, make_params(ConcatParams{2, 1}))[0];
}
Expr max_of(const Expr& a, const Expr& b) { return apply("broadcast_maximum", {a, b}); }

class Recursion {
 public:
  Recursion(const CtcParams& p, GradContext& g) : g_(g), log_probs_(g.in(ctc::log_probs)) {
    const Shape& shape = log_probs_.shape();
    time_ = shape[0], batch_ = shape[1], classes_ = shape[2], positions_ = g.out_shape(ctc::skip)[1];
    if (p.use_data_lengths) lengths_ = cast(reshape(g.in(ctc::data_lengths), {batch_, 1}), log_probs_.dtype());
  }

  Expr gradient() {
    static const OpRef take("take"), take_back("_backward_take"), block("BlockGrad");
    Shape rows{time_, batch_ * classes_};
    Expr emissions =
        take.with({reshape(log_probs_, rows), g_.out(ctc::place)}, make_params(TakeParams{1, IndexMode::clip}))[0];
    forward(emissions);
    // The probability of each position at the end given the label, and step by step before it.
    Expr ends = after_.back() + g_.out(ctc::last);
    Expr top = block({apply("max", {ends}, {{"axis", 1}, {"keepdims", true}})});
    Expr total = top + log(sum(exp(ends - top), std::array{1}, true));
    Expr weight = g_.dout(ctc::loss) * reshape(total > static_cast<double>(ctc::kPossible), {batch_}) * -1.0;
    Expr posterior = exp(ends - total) * reshape(weight, {batch_, 1});
    std::vector<Expr> found(static_cast<size_t>(time_));
    for (int64_t t = time_ - 1; t >= 0; --t) {
      Expr on = reached(t), here = on.defined() ? posterior * on : posterior;
      found[static_cast<size_t>(t)] = reshape(here, {1, batch_, positions_});
      if (t == 0) break;
      Expr before = step_back(here, t);
      posterior = on.defined() ? before + posterior * (1.0 - on) : before;
    }
    static const OpRef concat("Concat");
    Expr all = concat.with(found, make_params(ConcatParams{static_cast<int>(time_), 0}))[0];
    Expr spread =
        take_back.with({all, g_.out(ctc::place)}, make_params(TakeBackwardParams{1, IndexMode::clip, rows}))[0];
    return reshape(spread, log_probs_.shape());
  }

 private:
  // Ones for sequences that reach step t; undefined where all do.
  Expr reached(int64_t t) const { return lengths_.defined() ? lengths_ > static_cast<double>(t) : Expr(); }

  Expr never(int64_t columns) const {
    return full({batch_, columns}, static_cast<double>(ctc::kNever), log_probs_.dtype(), log_probs_.ctx());
  }
  // x moved by `count` positions, to the right or left.
  Expr moved(const Expr& x, int64_t count) const {
    if (count >= positions_) return never(positions_);
    return beside(never(count), slice(x, 1, 0, positions_ - count));
  }
  Expr moved_back(const Expr& x, int64_t count) const {
    if (count >= positions_) return zeros_like(x);
    return beside(slice(x, 1, count, positions_), zeros({batch_, count}, x.dtype(), x.ctx()));
  }

  // The logarithms of the probabilities to come to each position from itself, from the one before and two before.
  std::array<Expr, 3> ways(const Expr& before) const {
    return {before, moved(before, 1), moved(before, 2) + g_.out(ctc::skip)};
  }

  void forward(const Expr& emissions) {
    static const OpRef block("BlockGrad");
    for (int64_t t = 0; t < time_; ++t) {
      Expr emission = reshape(slice(emissions, 0, t, t + 1), {batch_, positions_}), next;
      if (t == 0) {
        int64_t first = std::min<int64_t>(2, positions_);
        next = slice(emission, 1, 0, first);
        if (first < positions_) next = beside(next, never(positions_ - first));
        arrivals_.push_back({});
      } else {
        auto [stay, one, two] = ways(after_.back());
        Expr top = block({max_of(max_of(stay, one), two)});
        Expr arrival = top + log(exp(stay - top) + exp(one - top) + exp(two - top));
        arrivals_.push_back(arrival);
        next = arrival + emission;
      }
      Expr on = reached(t);
      if (on.defined() && t > 0) next = select(broadcast_to(on, next.shape()), next, after_.back());
      after_.push_back(next);
    }
  }

  // Shares the weights of the positions at step t among those they were reached from.
  Expr step_back(const Expr& weights, int64_t t) const {
    auto [stay, one, two] = ways(after_[static_cast<size_t>(t) - 1]);
    const Expr& arrival = arrivals_[static_cast<size_t>(t)];
    auto share = [&](const Expr& way) { return weights * exp(way - arrival); };
    return share(stay) + moved_back(share(one), 1) + moved_back(share(two), 2);
  }

  GradContext& g_;
  Expr log_probs_, lengths_;
  int64_t time_, batch_, classes_, positions_;
  std::vector<Expr> after_, arrivals_;  // by step: with and without the step's own probabilities
};

void loss_gradient(const CtcParams& p, GradContext& g) {
  if (!g.needs(ctc::log_probs) || g.in(ctc::log_probs).shape().size() == 0) return;
  g.din(ctc::log_probs) = Recursion(p, g).gradient();
}

void loss_fused_gradient(const CtcParams&, GradContext& g) {
  static const OpRef op("_backward_ctc_loss_of_log_probs");
  if (!g.needs(ctc::log_probs)) return;
  auto in = [&](int i) { return g.has(i) ? g.in(i) : Expr(); };
  g.din(ctc::log_probs) = op.with({g.dout(ctc::loss), g.in(ctc::log_probs), g.out(ctc::loss), g.out(ctc::alpha),
                                   g.out(ctc::place), g.out(ctc::skip), g.out(ctc::last), in(ctc::data_lengths)},
                                  g.params())[0];
}

const char* const kLabel = "Labels (batch, length), each number a class.";
const char* const kDataLengths = "With use_data_lengths, the number of steps of each sequence (batch,).";
const char* const kLabelLengths = "With use_label_lengths, the length of each label (batch,).";

const Op& ctc_loss_op =
    define_op<CtcParams>("CTCLoss")
        .doc(
            "-log of the probability of a label, summed over all ways to say it in the given number of steps with "
            "blanks in between and classes repeated; 0 where there is none. `data` (time, batch, classes) is taken "
            "through softmax; the result is (batch,).")
        .alias({"ctc_loss", "_contrib_CTCLoss", "_contrib_ctc_loss"})
        .output_names([](const CtcParams&) { return std::vector<std::string>{"output0"}; })  // in 1.x the first of two
        .input("data", "Scores (time, batch, classes), the blank one of the classes.")
        .input("label", kLabel)
        .optional_input("data_lengths", kDataLengths)
        .optional_input("label_lengths", kLabelLengths)
        .infer([](const CtcParams& p, InferContext& c) {
          infer_inputs(p, c);
          c.out(0).dtype = c.in(0).dtype;
          if (c.shape(0).rank_known()) c.out(0).shape = {c.shape(0)[1]};
        })
        .compose(ctc_loss_of);

const Op& log_probs_op = define_op<CtcParams>("_ctc_loss_of_log_probs")
                             .doc("CTCLoss of logarithms of probabilities (time, batch, classes).")
                             .input("data", "Logarithms of the probabilities of the classes.")
                             .input("label", kLabel)
                             .optional_input("data_lengths", kDataLengths)
                             .optional_input("label_lengths", kLabelLengths)
                             .outputs(5)
                             .visible(1)
                             .infer(infer_log_probs)
                             .gradient(loss_gradient)
                             .fast_gradient(loss_fused_gradient)
                             .heavy();

const Op& backward_op = define_op<CtcParams>("_backward_ctc_loss_of_log_probs")
                            .doc("Gradient of the CTC loss for the logarithms of probabilities.")
                            .input("dloss", "Gradient of the losses.")
                            .input("data", "Logarithms of the probabilities of the classes.")
                            .input("loss", "The losses.")
                            .input("alpha", "Log of the probability to be at a position up to each step.")
                            .input("place", "Where the class of each position lies.")
                            .input("skip", "Whether a position is reached from two before it.")
                            .input("last", "Where a path may end.")
                            .optional_input("data_lengths", "Number of steps of each sequence.")
                            .infer([](const CtcParams&, InferContext& c) { c.out(0) = c.in(1); })
                            .heavy();

}  // namespace
}  // namespace mxnet

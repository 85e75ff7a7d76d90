// AdamW and LAMB of several weights in one call: the updates of one weight, run one after the other.
#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/optimizer_multi.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

struct MultiAdamwParams : MultiUpdateParams {
  std::vector<double> etas;

  static constexpr auto fields() {
    using P = MultiAdamwParams;
    using namespace hyper;
    using List = std::vector<double>;
    return std::tuple{field<P, List>("lrs", &P::lrs, "Learning rate of each weight.").required(),
                      beta1_field<P>,
                      beta2_field<P>,
                      epsilon_field<P>,
                      field<P, List>("wds", &P::wds, "Weight decay of each weight.").required(),
                      field("etas", &P::etas, "Schedule multiplier of each weight.").required(),
                      clip_gradient_field<P>,
                      field<P, int>("num_weights", &P::num_weights, "Number of weights.")};
  }
};

struct MultiLambParams : MultiUpdateParams {
  Shape step_count;

  MultiLambParams() { epsilon = 1e-6; }
  static constexpr auto fields() {
    using P = MultiLambParams;
    using namespace hyper;
    using List = std::vector<double>;
    return std::tuple{field<P, List>("learning_rates", &P::lrs, "Learning rate of each weight.").required(),
                      beta1_field<P>,
                      beta2_field<P>,
                      epsilon_field<P>,
                      field<P, List>("wds", &P::wds, "Weight decay of each weight.").required(),
                      rescale_grad_field<P>,
                      field<P, double>("lower_bound", &P::lower_bound, "Least norm of a weight; negative for none."),
                      field<P, double>("upper_bound", &P::upper_bound, "Greatest norm of a weight; negative for none."),
                      clip_gradient_field<P>,
                      field<P, bool>("bias_correction", &P::bias_correction, "Correct the moments for their bias."),
                      field("step_count", &P::step_count, "Number of this update of each weight, from 1.").required(),
                      field<P, int>("num_tensors", &P::num_weights, "Number of weights.")};
  }
};

// Runs the kernel of an operator that updates one weight.
template <class U>
void run_update(const U& params, std::span<const TensorView> in, const TensorView& out, const KernelContext& c) {
  const Op& op = Registry::get().at(U::name);
  KernelContext one{op, in, {&out, 1}, c.ctx};
  op.cpu_kernel()(&params, one);
}

// Inputs: for each weight what the update of one takes, less the scale of the gradients, which is the last.
template <class U>
void multi_adamw(const MultiAdamwParams& p, KernelContext& c) {
  size_t per_weight = (c.inputs.size() - 1) / c.outputs.size();
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    U single;
    static_cast<UpdateHyper&>(single) = p;
    single.lr = p.lrs[i], single.wd = p.wds[i], single.eta = p.etas[i];
    std::vector<TensorView> in(&c.inputs[i * per_weight], &c.inputs[i * per_weight] + per_weight);
    in.push_back(c.inputs.back());
    run_update(single, in, c.outputs[i], c);
  }
}

// The direction goes to memory of its own, then the weight moves along it.
template <class U>
void multi_lamb(const MultiLambParams& p, KernelContext& c) {
  constexpr bool mixed = U::kind == UpdateKind::mixed;
  size_t per_weight = c.inputs.size() / c.outputs.size();
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    U single;
    static_cast<UpdateHyper&>(single) = p;
    single.wd = p.wds[i], single.t = p.step_count[static_cast<int>(i)];
    std::span<const TensorView> in = c.inputs.subspan(i * per_weight, per_weight);
    TensorView direction = c.outputs[i];
    if (mixed) direction.dtype = DType::float32;
    Scratch memory(direction.size() * size_of(direction.dtype));
    direction.data = memory.data();
    run_update(single, in, direction, c);
    const TensorView& weight = mixed ? in.back() : in[0];
    double rate = lamb_rate(p.lrs[i], p.lower_bound, p.upper_bound, std::sqrt(sum_of_squares(weight)),
                            std::sqrt(sum_of_squares(direction)));
    (mixed ? mixed_lamb_step : lamb_step)(rate, weight, direction, c.outputs[i]);
  }
}

template <class U>
void define_multi_adamw(const char* name, const char* doc, int per_weight) {
  std::vector<std::string> states{"mean", "var"};
  if (per_weight == 5) states.push_back("weight32");
  define_op<MultiAdamwParams>(name)
      .doc(doc)
      .variadic("data", "num_weights",
                "For each weight: the arrays of the single update but rescale_grad; last rescale_grad, where that is "
                "not finite or zero nothing is updated.")
      .inputs_of(inputs_of_updates(std::move(states), {"rescale_grad"}))
      .outputs_of([](const MultiAdamwParams& p, int) { return p.num_weights; })
      .infer([per_weight](const MultiAdamwParams& p, InferContext& c) {
        infer_multi(p, c, per_weight, 1, per_weight == 5);
        if (p.etas.size() != p.lrs.size()) c.fail("got ", p.etas.size(), " etas for num_weights ", p.num_weights);
        expect_number(c, c.num_inputs() - 1);
      })
      .cpu(multi_adamw<U>)
      .inplace();
}

template <class U>
void define_multi_lamb(const char* name, const char* doc, int per_weight) {
  std::vector<std::string> states{"mean", "var"};
  if (per_weight == 5) states.push_back("weight32");
  define_op<MultiLambParams>(name)
      .doc(doc)
      .variadic("data", "num_tensors",
                "For each weight: weight, gradient, mean, var, and in mixed precision the float32 weight.")
      .inputs_of(inputs_of_updates(std::move(states)))
      .outputs_of([](const MultiLambParams& p, int) { return p.num_weights; })
      .infer([per_weight](const MultiLambParams& p, InferContext& c) {
        infer_multi(p, c, per_weight, 0, per_weight == 5);
        if (p.step_count.ndim() != p.num_weights)
          c.fail("got ", p.step_count.ndim(), " step_count for num_tensors ", p.num_weights);
      })
      .cpu(multi_lamb<U>)
      .inplace();
}

const bool defined = [] {
  define_multi_adamw<AdamwUpdate>("_multi_adamw_update", "_adamw_update of several weights.", 4);
  define_multi_adamw<MpAdamwUpdate>("_multi_mp_adamw_update", "_mp_adamw_update of several weights.", 5);
  define_multi_lamb<LambPhase1>("_multi_lamb_update", "Both phases of LAMB for several weights.", 4);
  define_multi_lamb<MpLambPhase1>("_multi_mp_lamb_update",
                                  "Both phases of LAMB for several weights with float32 copies.", 5);
  return true;
}();

// AdaGrad with one number of history for each row.

struct GroupAdagradParams : UpdateHyper {
  GroupAdagradParams() { epsilon = 1e-5; }
  static constexpr auto fields() {
    using P = GroupAdagradParams;
    using namespace hyper;
    return std::tuple{lr_field<P>, rescale_grad_field<P>, clip_gradient_field<P>, epsilon_field<P>};
  }
};

void group_adagrad(const GroupAdagradParams& p, KernelContext& c) {
  int64_t rows = c.in(2).size(), width = rows ? c.in(0).size() / rows : 0;
  dispatch_floating(c.in(0).dtype, [&]<class T>() {
    using V = compute_t<T>;
    const T *weight = c.in(0).as<T>(), *grad = c.in(1).as<T>();
    T *history = c.in(2).as<T>(), *out = c.out(0).as<T>();
    GradientScale<V> scaled(p);
    V lr = static_cast<V>(p.lr), epsilon = static_cast<V>(p.epsilon);
    parallel_for(rows, 1 + 16384 / std::max<int64_t>(1, width), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        V squares = 0;
        for (int64_t i = row * width; i < (row + 1) * width; ++i) {
          V g = scaled(static_cast<V>(grad[i]));
          squares += g * g;
        }
        V sum = static_cast<V>(history[row]) + squares / static_cast<V>(std::max<int64_t>(1, width));
        history[row] = T(sum);
        V rate = lr / std::sqrt(sum + epsilon);
        for (int64_t i = row * width; i < (row + 1) * width; ++i)
          out[i] = T(static_cast<V>(weight[i]) - rate * scaled(static_cast<V>(grad[i])));
      }
    });
  });
}

const Op& group_adagrad_update =
    define_op<GroupAdagradParams>("_contrib_group_adagrad_update")
        .doc(
            "g = clip(rescale_grad * grad); history += mean of g^2 over each row; weight -= lr * g / sqrt(history + "
            "epsilon).")
        .input("weight", "Weight (n, ..); the result goes to `out`, usually the same array.")
        .input("grad", "Gradient, shaped as the weight.")
        .mutable_input("history", "State (n, 1), changed in place.")
        .infer([](const GroupAdagradParams&, InferContext& c) {
          expect_floating(c, c.same_dtype());
          c.expect_shape(1, c.shape(0));
          c.out(0) = c.in(0);
          if (!c.shape(0).known()) return;
          if (c.shape(0).ndim() < 1) c.fail("weight is a scalar, expected at least one axis");
          if (c.shape(2).known() && c.shape(2).size() != c.shape(0)[0])
            c.fail("history has shape ", c.shape(2), ", expected ", Shape{c.shape(0)[0], 1});
        })
        .cpu(group_adagrad)
        .inplace();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/custom.h"

#include <algorithm>
#include <atomic>

#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

CustomFactory factory = nullptr;

// The kind, made on first use; two threads may both make it, one of the two is kept.
class LazyKind {
 public:
  LazyKind() = default;
  LazyKind(const LazyKind& other) : kind_(other.kind_.load()) {}
  LazyKind& operator=(const LazyKind& other) { return kind_ = other.kind_.load(), *this; }

  const CustomKind& get(const std::string& name, const FreeParams& params) const {
    if (std::shared_ptr<const CustomKind> kind = kind_.load()) return *kind;
    if (!factory) fail(ErrorKind::runtime, "Custom: no custom operators can be defined in this program");
    std::shared_ptr<const CustomKind> none, made = factory(name, params);
    return kind_.compare_exchange_strong(none, made) ? *made : *none;
  }

 private:
  mutable std::atomic<std::shared_ptr<const CustomKind>> kind_;
};

struct CustomParams {
  std::string op_type;
  FreeParams attrs;
  LazyKind lazy_kind;
  std::shared_ptr<CustomOperator> application;

  static constexpr auto fields() {
    using P = CustomParams;
    return std::tuple{field("op_type", &P::op_type, "Name under which the operator was registered.").required()};
  }
  const CustomKind& kind() const { return lazy_kind.get(op_type, attrs); }
};

struct BackwardCustomParams {
  CustomParams forward;
  std::vector<bool> needed;
  static constexpr auto fields() { return std::tuple{}; }
};

// Arrays lent to a custom operator for one call.
class Loan {
 public:
  explicit Loan(Context ctx) : ctx_(ctx) {}
  Loan(const Loan&) = delete;
  ~Loan() {
    if (!ended_) end();
  }

  Arrays lend(std::span<const TensorView> views) {
    Arrays arrays;
    for (const TensorView& view : views) {
      if (!view.present()) value_error("Custom: an input was left out");
      size_t bytes = static_cast<size_t>(view.size() * size_of(view.dtype));
      arrays.emplace_back(make_ref<Chunk>(view.data, bytes, ctx_, nullptr), view.shape(), view.dtype);
      lent_.push_back(arrays.back());
    }
    return arrays;
  }

  // Waits for what the operator has set going; gives the first error it left, if any.
  std::exception_ptr end() {
    ended_ = true;
    std::exception_ptr error;
    for (NDArray& array : lent_) {
      try {
        array.wait_to_write();
        if (!array.chunk()->unique()) separate(array);
      } catch (...) {
        if (!error) error = std::current_exception();
      }
    }
    lent_.clear();
    return error;
  }

 private:
  // Somebody keeps the array, whose memory is about to be used for other things.
  static void separate(const NDArray& array) {
    NDArray own(array.shape(), array.dtype(), array.ctx());
    copy(array, own);
    own.wait_to_read();
    array.chunk()->swap_memory(*own.chunk());
  }

  const Context ctx_;
  Arrays lent_;
  bool ended_ = false;
};

// Calls f(loan) as a custom operator's own code is called: nothing recorded, and done when all is written.
template <class F>
void with_loan(const KernelContext& c, F&& f) {
  CallStateScope state({false, c.training});
  Loan loan(c.ctx);
  f(loan);
  if (std::exception_ptr error = loan.end()) std::rethrow_exception(std::move(error));
}

void forward(const CustomParams& p, KernelContext& c) {
  size_t arguments = p.kind().arguments.size();
  with_loan(c, [&](Loan& loan) {
    p.application->forward(c.training, loan.lend(c.inputs.first(arguments)), loan.lend(c.outputs),
                           loan.lend(c.inputs.subspan(arguments)));
  });
}

// Inputs: gradients of the outputs, arguments, outputs, states.
void backward(const BackwardCustomParams& p, KernelContext& c) {
  const CustomKind& kind = p.forward.kind();
  size_t arguments = kind.arguments.size(), outputs = kind.outputs.size();
  with_loan(c, [&](Loan& loan) {
    CustomOperator::Gradients arrays{loan.lend(c.inputs.first(outputs)),
                                     loan.lend(c.inputs.subspan(outputs, arguments)),
                                     loan.lend(c.inputs.subspan(outputs + arguments, outputs)),
                                     loan.lend(c.outputs),
                                     loan.lend(c.inputs.subspan(2 * outputs + arguments)),
                                     p.needed};
    p.forward.application->backward(arrays);
  });
}

void add_inputs(std::vector<InputSpec>& inputs, const std::vector<std::string>& names, bool is_mutable) {
  for (const std::string& name : names) inputs.push_back({name, "", false, is_mutable});
}

void infer_custom(const CustomParams& p, InferContext& c) {
  const CustomKind& kind = p.kind();
  size_t expected = kind.arguments.size() + kind.states.size();
  if (static_cast<size_t>(c.num_inputs()) != expected) {
    std::string names;
    for (const auto* list : {&kind.arguments, &kind.states})
      for (const std::string& name : *list) names += (names.empty() ? "" : ", ") + name;
    c.fail_type("operator '", p.op_type, "' takes ", expected, " arrays (", names, "), got ", c.num_inputs());
  }
  kind.infer(c);
}

CustomParams bind_custom(const CustomParams& p, Context ctx, std::span<const TensorSpec> inputs) {
  CustomParams bound = p;
  bound.application = p.kind().create(ctx, inputs);
  return bound;
}

void queued_gradient(const CustomParams& p, GradContext& g) {
  static const OpRef backward("_backward_Custom");
  const int arguments = static_cast<int>(p.kind().arguments.size());
  BackwardCustomParams params{p, {}};
  std::vector<Expr> inputs;
  for (int i = 0; i < g.num_outputs(); ++i) inputs.push_back(g.dout(i));
  for (int i = 0; i < arguments; ++i) inputs.push_back(g.in(i)), params.needed.push_back(g.needs(i));
  for (int i = 0; i < g.num_outputs(); ++i) inputs.push_back(g.out(i));
  for (int i = arguments; i < g.num_inputs(); ++i) inputs.push_back(g.in(i));
  std::vector<Expr> dins = backward.with(inputs, make_params(std::move(params)));
  for (int i = 0; i < arguments; ++i)
    if (g.needs(i)) g.din(i) = dins[i];
}

// The operator's own backward under recording: what it does with operators can be differentiated again.
void gradient(const CustomParams& p, GradContext& g) {
  if (!call_state().recording) return queued_gradient(p, g);
  const int arguments = static_cast<int>(p.kind().arguments.size());
  CustomOperator::Gradients arrays;
  for (int i = 0; i < g.num_outputs(); ++i) arrays.douts.push_back(g.dout(i).array());
  for (int i = 0; i < g.num_outputs(); ++i) arrays.outputs.push_back(g.out(i).array());
  for (int i = 0; i < g.num_inputs(); ++i) {
    if (i >= arguments) {
      arrays.states.push_back(g.in(i).array().detached());
      continue;
    }
    const NDArray& in = arrays.inputs.emplace_back(g.in(i).array());
    arrays.dins.emplace_back(in.shape(), in.dtype(), in.ctx());
    arrays.needed.push_back(g.needs(i));
  }
  for (const NDArray& out : arrays.outputs) out.wait_to_read();  // forward may keep things in the operator
  p.application->backward(arrays);
  for (int i = 0; i < arguments; ++i)
    if (g.needs(i)) g.din(i) = arrays.dins[i];
}

const Op& custom = define_op<CustomParams>("Custom")
                       .doc("Applies an operator written in Python, a class registered with `mx.operator.register`.")
                       .variadic("data", "num_args", "Its arguments and auxiliary states, in the order it lists them.")
                       .free_params(&CustomParams::attrs)
                       .inputs_of([](const CustomParams& p) {
                         std::vector<InputSpec> inputs;
                         add_inputs(inputs, p.kind().arguments, false);
                         add_inputs(inputs, p.kind().states, true);
                         return inputs;
                       })
                       .outputs_of([](const CustomParams& p, int) {
                         return p.op_type.empty() ? 1 : static_cast<int>(p.kind().outputs.size());
                       })
                       .output_names([](const CustomParams& p) { return p.kind().outputs; })
                       .infer(infer_custom)
                       .bind(bind_custom)
                       .cpu(forward)
                       .gradient(gradient)
                       .fast_gradient(queued_gradient)
                       .lane(Lane::callback)
                       .uses_training();

const Op& backward_custom =
    define_op<BackwardCustomParams>("_backward_Custom")
        .doc("The gradient of Custom.")
        .variadic("data", "num_args", "Gradients of the outputs, arguments, outputs and auxiliary states.")
        .inputs_of([](const BackwardCustomParams& p) {
          const CustomKind& kind = p.forward.kind();
          std::vector<InputSpec> inputs(2 * kind.outputs.size() + kind.arguments.size());
          add_inputs(inputs, kind.states, true);
          return inputs;
        })
        .outputs_of([](const BackwardCustomParams& p, int) {
          return p.forward.op_type.empty() ? 1 : static_cast<int>(p.forward.kind().arguments.size());
        })
        .infer([](const BackwardCustomParams& p, InferContext& c) {
          if (!p.forward.application) c.fail_type("works as the gradient of Custom only");
          int first = static_cast<int>(p.forward.kind().outputs.size());
          for (int i = 0; i < c.num_outputs(); ++i) c.out(i) = c.in(first + i);
        })
        .cpu(backward)
        .lane(Lane::callback);

const bool on_gpu =
    gpu_kernel<CustomParams>("Custom", forward) && gpu_kernel<BackwardCustomParams>("_backward_Custom", backward);

}  // namespace

void set_custom_factory(CustomFactory made) { factory = made; }

}  // namespace mxnet

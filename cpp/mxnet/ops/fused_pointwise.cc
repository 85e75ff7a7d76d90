#include "mxnet/ops/fused_pointwise.h"

#include <algorithm>

#include "mxnet/op/expr.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

// Whether the machine may read an input while it writes an output: they are apart, or lie element on element.
bool may_share(const TensorView& in, const TensorView& out) {
  const char *a = in.as<char>(), *b = out.as<char>();
  int64_t in_bytes = in.size() * size_of(in.dtype), out_bytes = out.size() * size_of(out.dtype);
  return a + in_bytes <= b || b + out_bytes <= a || (a == b && in.dtype == out.dtype && in.size() == out.size());
}

}  // namespace

std::vector<TensorSpec> FusedPointwise::values_of(InferContext& c) const {
  if (c.num_inputs() != program_.num_inputs())
    c.fail("got ", c.num_inputs(), " arrays, expected ", program_.num_inputs(), ", as many as the program reads");
  std::vector<TensorSpec> values;
  for (int i = 0; i < c.num_inputs(); ++i) values.push_back(c.in(i));
  values.resize(program_.num_values());
  return values;
}

void FusedPointwise::infer(InferContext& c) const {
  auto machine = last();
  bool same = machine && c.num_inputs() == program_.num_inputs();
  for (int i = 0; same && i < c.num_inputs(); ++i)
    same = c.in(i).dtype == machine->value(i).dtype && c.shape(i) == machine->value(i).shape;
  if (same) {
    for (int i = 0; i < c.num_outputs(); ++i) c.out(i) = machine->value(program_.outputs()[i]);
    return;
  }
  std::vector<TensorSpec> values = values_of(c);
  for (int i = 0; i < c.num_outputs(); ++i) values[program_.outputs()[i]] = c.out(i);
  program_.infer(values);
  for (int i = 0; i < c.num_inputs(); ++i) c.in(i) = values[i];
  for (int i = 0; i < c.num_outputs(); ++i) c.out(i) = values[program_.outputs()[i]];
}

std::shared_ptr<const PointwiseMachine> FusedPointwise::machine_for(std::span<const TensorView> inputs,
                                                                    std::span<const TensorView> outputs) const {
  if (auto machine = last(); machine && machine->fits(inputs, outputs)) return machine;
  std::vector<TensorSpec> values;
  for (const TensorView& view : inputs) values.push_back({view.shape(), view.dtype});
  values.resize(program_.num_values());
  program_.infer(values);
  std::vector<int> aliases;
  for (const TensorView& view : outputs) aliases.push_back(PointwiseMachine::alias_of(view, inputs));
  auto made = std::make_shared<const PointwiseMachine>(program_, std::move(values), std::move(aliases));
  std::lock_guard lock(mutex_);
  return last_ = made;
}

void FusedPointwise::run(KernelContext& c) const {
  std::vector<TensorView> copied;
  std::vector<Scratch> copies;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const TensorView& in = c.inputs[i];
    bool may = std::all_of(c.outputs.begin(), c.outputs.end(), [&](const auto& out) { return may_share(in, out); });
    // An array that comes twice lies where an output does once at most.
    auto again = [&](const TensorView& out) {
      return out.data == in.data && PointwiseMachine::alias_of(out, c.inputs) < static_cast<int>(i);
    };
    if (may && std::none_of(c.outputs.begin(), c.outputs.end(), again)) continue;
    if (copied.empty()) copied.assign(c.inputs.begin(), c.inputs.end());
    int64_t bytes = in.size() * size_of(in.dtype);
    copied[i].data = copies.emplace_back(bytes).data();
    std::memcpy(copied[i].data, in.data, static_cast<size_t>(bytes));
  }
  std::span<const TensorView> inputs = copied.empty() ? c.inputs : copied;
  machine_for(inputs, c.outputs)->run(inputs, c.outputs);
}

namespace {

// The program run anew, operator by operator, and then backwards: gradients of any order follow from theirs.
class Replay {
 public:
  Replay(const PointwiseProgram& program, GradContext& g) : program_(program), g_(g), grads_(program.num_values()) {
    for (int i = 0; i < g.num_inputs(); ++i) {
      values_.push_back(g.in(i));
      needed_.push_back(g.needs(i));
    }
  }

  void run() {
    for (const auto& instruction : program_.instructions()) {
      values_.push_back(OpRef(instruction.op->name.c_str()).with(operands(instruction), instruction.params)[0]);
      bool needed = instruction.op->gradient != nullptr;
      needed_.push_back(needed && std::any_of(instruction.operands.begin(), instruction.operands.end(),
                                              [&](int value) { return needed_[value]; }));
    }
    for (int i = 0; i < g_.num_outputs(); ++i)
      if (g_.has_dout(i)) grads_[program_.outputs()[i]] = g_.dout(i);
    for (int i = static_cast<int>(program_.instructions().size()); i-- > 0;) step(i);
    for (int i = 0; i < g_.num_inputs(); ++i)
      if (g_.needs(i)) g_.din(i) = grads_[i];
  }

 private:
  std::vector<Expr> operands(const PointwiseProgram::Instruction& instruction) const {
    std::vector<Expr> operands;
    for (int value : instruction.operands) operands.push_back(values_[value]);
    return operands;
  }

  void step(int number) {
    const auto& instruction = program_.instructions()[number];
    int result = program_.num_inputs() + number;
    if (!grads_[result].defined() || !needed_[result]) return;
    std::vector<Expr> in = operands(instruction), out{values_[result]}, dout{grads_[result]}, din(in.size());
    std::vector<TensorSpec> specs{{out[0].shape(), out[0].dtype()}};
    std::vector<bool> needed;
    for (int value : instruction.operands) needed.push_back(needed_[value]);
    GradContext context(*instruction.op, instruction.params, in, out, specs, dout, din, needed, g_.training());
    instruction.op->gradient(instruction.params->data(), context);
    static const OpRef add("_grad_add");
    for (size_t i = 0; i < din.size(); ++i) {
      if (!needed[i] || !din[i].defined()) continue;
      Expr& total = grads_[instruction.operands[i]];
      total = total.defined() ? add({total, din[i]}) : din[i];
    }
  }

  const PointwiseProgram& program_;
  GradContext& g_;
  std::vector<Expr> values_, grads_;
  std::vector<bool> needed_;
};

const Op& fused_pointwise =
    define_op<FusedPointwiseParams>("_fused_pointwise")
        .doc(
            "Many elementwise operators in one pass over the memory, with the numbers that they give one after the "
            "other. Arrays may broadcast to the common shape of the results.")
        .variadic("args", "num_args", "Arrays the program reads.")
        .outputs_of([](const FusedPointwiseParams& p, int) {
          return p.program ? static_cast<int>(p.program->program().outputs().size()) : 1;
        })
        .infer([](const FusedPointwiseParams& p, InferContext& c) { p.program->infer(c); })
        .cpu([](const FusedPointwiseParams& p, KernelContext& c) { p.program->run(c); })
        .gradient([](const FusedPointwiseParams& p, GradContext& g) { Replay(p.program->program(), g).run(); })
        .grad_uses(true, false)
        .any_inplace();

}  // namespace
}  // namespace mxnet

// _fused_pointwise: many elementwise operators as one.
#pragma once
#include <memory>
#include <mutex>

#include "mxnet/op/params.h"
#include "mxnet/ops/pointwise_machine.h"

namespace mxnet {

// A program with the machine for the arrays it met last.
class FusedPointwise {
 public:
  explicit FusedPointwise(std::string_view text) : program_(text) {}

  const PointwiseProgram& program() const { return program_; }
  void infer(InferContext& c) const;
  void run(KernelContext& c) const;

 private:
  std::vector<TensorSpec> values_of(InferContext& c) const;
  std::shared_ptr<const PointwiseMachine> machine_for(std::span<const TensorView> inputs,
                                                      std::span<const TensorView> outputs) const;
  std::shared_ptr<const PointwiseMachine> last() const {
    std::lock_guard lock(mutex_);
    return last_;
  }

  PointwiseProgram program_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const PointwiseMachine> last_;
};

using FusedProgram = std::shared_ptr<const FusedPointwise>;

template <>
struct FieldType<FusedProgram> {
  static FusedProgram from(const Value& value, const std::string& what) {
    return std::make_shared<const FusedPointwise>(FieldType<std::string>::from(value, what));
  }
  static Value to(const FusedProgram& x) { return x ? Value(x->program().text()) : Value(); }
  static std::string name() { return "string"; }
};

struct FusedPointwiseParams {
  int num_args = 0;
  FusedProgram program;
  static constexpr auto fields() {
    using P = FusedPointwiseParams;
    return std::tuple{
        field("num_args", &P::num_args, "Number of arrays."),
        field("program", &P::program,
              "Operators, their operands and parameters: 'broadcast_add(x0, x1); tanh(t0) -> t1', where x0, x1, ... "
              "are the arrays and t0, t1, ... what the operators give.")
            .required()};
  }
};

}  // namespace mxnet

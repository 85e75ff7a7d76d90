// A program of elementwise operators: what a fused operator computes, in a form that can be read and written as text.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "mxnet/ops/pointwise.h"

namespace mxnet {

// "broadcast_add(x0, x1); tanh(t0); _mul_scalar(t1, scalar=2.0) -> t1, t2": x0 ... are the inputs, t0 ... what the
// instructions give, in their order.
class PointwiseProgram {
 public:
  struct Instruction {
    const Op* op = nullptr;
    const PointwiseOp* pointwise = nullptr;
    ParamsRef params;
    std::vector<int> operands;  // numbers of values
  };

  // Raises what is wrong with the text.
  explicit PointwiseProgram(std::string_view text);
  std::string text() const;

  // Values are numbered, the inputs first, then the results of the instructions.
  int num_inputs() const { return num_inputs_; }
  int num_values() const { return num_inputs_ + static_cast<int>(instructions_.size()); }
  const std::vector<Instruction>& instructions() const { return instructions_; }
  const std::vector<int>& outputs() const { return outputs_; }

  // Fills what follows from what is known of the values, both ways; raises where they do not fit.
  void infer(std::vector<TensorSpec>& values) const;

 private:
  void read_instruction(std::string_view text);
  int read_value(std::string_view text) const;
  bool infer_instruction(size_t number, std::vector<TensorSpec>& values) const;
  void check_shapes(const std::vector<TensorSpec>& values) const;

  int num_inputs_ = 0;
  std::vector<Instruction> instructions_;
  std::vector<int> outputs_;
};

// One instruction as text, parameters that have their default left out.
std::string instruction_text(const Op& op, const ParamsRef& params, const std::vector<std::string>& operands);

}  // namespace mxnet

// Custom operators: kinds of operators that the embedding program defines while it runs.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "mxnet/op/invoke.h"

namespace mxnet {

// One application of a custom operator. Forward and backward run on the engine's callback threads. The arrays
// are lent: they show the memory of the operation at hand under Vars of their own, so that operators may be
// applied to them; an array that is kept longer gets memory of its own when the call ends. Where the gradient itself
// is recorded, backward runs in the caller's thread, on the arrays of the tape.
class CustomOperator {
 public:
  struct Gradients {
    Arrays douts, inputs, outputs, dins, states;
    std::vector<bool> needed;  // per input: whether anybody wants din
  };

  virtual ~CustomOperator() = default;
  virtual void forward(bool training, Arrays inputs, Arrays outputs, Arrays states) = 0;
  // Called while recording, the dins become what the operator left there, with their places on the tape.
  virtual void backward(Gradients& arrays) = 0;
};

// A kind under given parameters.
class CustomKind {
 public:
  virtual ~CustomKind() = default;
  // Fills what is unknown; raises if things do not fit. The states, which the operator may write, stand behind
  // the arguments among the inputs.
  virtual void infer(InferContext& c) const = 0;
  virtual std::shared_ptr<CustomOperator> create(Context ctx, std::span<const TensorSpec> inputs) const = 0;

  std::vector<std::string> arguments, states, outputs;  // names
};

// Makes the kind called `name`; raises if there is none.
using CustomFactory = std::shared_ptr<const CustomKind> (*)(const std::string& name, const FreeParams& params);
void set_custom_factory(CustomFactory factory);

}  // namespace mxnet

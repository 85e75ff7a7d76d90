// StepGraph: a graph and its gradient as one program without the tape, for steps of training.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "mxnet/graph/executable.h"

namespace mxnet {

class StepGraph : public Executable {
 public:
  // `wanted` says which inputs' gradients are taken, of the sum of the first output.
  StepGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
            const std::vector<bool>& wanted);

  // The outputs; gradients go into the arrays of `grads`, one for each wanted input.
  Arrays run(std::span<const NDArray> inputs, std::span<const NDArray> grads, Context ctx) const;
  Arrays run(std::span<const NDArray> inputs, Context ctx) const override { return run(inputs, {}, ctx); }
  GraphReport report() const override { return graph_->report(); }

 private:
  size_t num_heads_;
  std::vector<int> outputs_;  // by input: number of its gradient among the outputs; -1 for one that is not wanted
  std::unique_ptr<CompiledGraph> graph_;
};

}  // namespace mxnet

// StepGraph: a graph, its gradient and the update of its parameters as one program without the tape.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "mxnet/graph/executable.h"
#include "mxnet/graph/update_layout.h"

namespace mxnet {

// What one step of training does beside running the graph.
struct TrainingStep {
  std::span<const NDArray> grads;       // by input: where its gradient goes; undefined for one that is not wanted
  std::span<const UpdateCall> updates;  // made last
  bool needs_finite = false;            // the updates are left out where the first output is not finite
};

class StepGraph : public Executable {
 public:
  // `wanted` says which inputs' gradients are taken, of the sum of the first output. `updates` are calls such as those
  // that come with a run, laid out as `layout` says.
  StepGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
            const std::vector<bool>& wanted, const UpdateLayout& layout, const TrainingStep& step);

  Arrays run(std::span<const NDArray> inputs, const TrainingStep& step, Context ctx) const;
  Arrays run(std::span<const NDArray> inputs, Context ctx) const override { return run(inputs, {}, ctx); }
  GraphReport report() const override { return graph_->report(); }

 private:
  size_t num_heads_;
  UpdateLayout layout_;
  std::vector<int> gradients_;  // by input: number of its gradient among the outputs; -1 for one that is not wanted
  std::unique_ptr<CompiledGraph> graph_;
};

}  // namespace mxnet

// InferenceGraph: a compiled graph without gradients, in which what depends on parameters alone, or on nothing, is kept
// between runs.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "mxnet/graph/executable.h"

namespace mxnet {

class InferenceGraph : public Executable {
 public:
  // `fixed` says which inputs are parameters, which seldom change.
  InferenceGraph(const Symbol& symbol, std::span<Node* const> inputs, VariableSpecs variables,
                 const std::vector<bool>& fixed);
  ~InferenceGraph() override;

  Arrays run(std::span<const NDArray> inputs, Context ctx) const override;
  GraphReport report() const override;

 private:
  struct Kept;  // values computed from parameters, and which contents of the parameters they are for
  std::shared_ptr<const Kept> kept(std::span<const NDArray> inputs, Context ctx) const;

  std::unique_ptr<CompiledGraph> fixed_, main_;  // the main graph reads the inputs, then the values kept
  std::vector<int> fixed_inputs_;                // inputs that the fixed graph reads
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Kept> kept_;
};

}  // namespace mxnet

// CompiledFunction: a compiled graph that autograd sees as one function with a compiled gradient.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "mxnet/autograd/tape.h"
#include "mxnet/graph/compiled_graph.h"
#include "mxnet/graph/executable.h"

namespace mxnet {

class CompiledFunction : public Executable, public std::enable_shared_from_this<CompiledFunction> {
 public:
  // `wanted` says which inputs have their place on the tape when it runs.
  CompiledFunction(Symbol symbol, std::span<Node* const> inputs, VariableSpecs variables, bool training,
                   const std::vector<bool>& wanted);
  ~CompiledFunction() override;

  // Under autograd.record() the whole graph is one node of the tape.
  Arrays run(std::span<const NDArray> inputs, Context ctx) const override;
  GraphReport report() const override;

 private:
  struct Gradient;
  struct Recorded;
  // For the gradient, the values that are kept for it count as outputs after the heads.
  using Given = std::vector<bool>;

  std::vector<NodeOutput> gradient_outputs(const Given& given, bool composed,
                                           std::vector<NodeOutput>& head_gradients) const;
  void choose_saved();
  std::vector<NodeOutput> values_to_save(const std::vector<NodeOutput>& gradients) const;
  std::unique_ptr<Gradient> make_gradient(const std::vector<NodeOutput>& gradients,
                                          const std::vector<NodeOutput>& head_gradients, bool composed) const;
  const Gradient& gradient_for(const Given& given, bool composed) const;
  std::vector<Expr> backward(const Recorded& recorded, const TapeNode::FunctionCall& call) const;

  Symbol symbol_;  // the heads, then what is saved
  size_t num_heads_;
  std::vector<Node*> inputs_, wanted_;
  VariableSpecs variables_;
  bool training_;
  std::vector<bool> written_;  // inputs that an operator writes
  std::vector<TensorSpec> saved_specs_;
  std::unique_ptr<CompiledGraph> forward_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<Given, bool>, std::unique_ptr<const Gradient>> gradients_;
};

}  // namespace mxnet

#include "mxnet/graph/step_graph.h"

#include <algorithm>

#include "mxnet/autograd/tape.h"
#include "mxnet/graph/passes.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/graph/trace.h"

namespace mxnet {
namespace {

NodeOutput filled(const char* what, double value, const TensorSpec& spec) {
  return call("_full", what, {}, {{"shape", spec.shape}, {"value", value}, {"dtype", spec.dtype}});
}

}  // namespace

StepGraph::StepGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
                     const std::vector<bool>& wanted)
    : num_heads_(symbol.outputs().size()), outputs_(inputs.size(), -1) {
  NumberedGraph graph(symbol);
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  const NodeOutput& loss = symbol.outputs()[0];
  GradientTask task{{loss}, {filled("ones", 1, specs[graph.value_of(loss)])}, {}, false, true};
  for (size_t i = 0; i < inputs.size(); ++i)
    if (wanted[i] && graph.contains(inputs[i])) task.variables.push_back(inputs[i]);
  std::vector<NodeOutput> found = gradients(symbol, variables, task);
  // Last layers come first, so that what flows back is needed for a short time only.
  std::vector<NodeOutput> outputs = symbol.outputs();
  for (size_t w = task.variables.size(); w-- > 0;) {
    auto place = std::find(inputs.begin(), inputs.end(), task.variables[w]) - inputs.begin();
    outputs_[static_cast<size_t>(place)] = static_cast<int>(outputs.size());
    outputs.push_back(found[w].node ? found[w] : filled("zeros", 0, variables.at(task.variables[w])));
  }
  Symbol joint(std::move(outputs));
  if (pass_is_on("common")) joint = optimize(joint, {true, {}, {"common"}});
  joint = optimize(joint, {true, variables, {}, OptimizeOptions::Stage::kernels});
  graph_ = std::make_unique<CompiledGraph>(joint, inputs, variables, true);
}

Arrays StepGraph::run(std::span<const NDArray> inputs, std::span<const NDArray> grads, Context ctx) const {
  Arrays out(graph_->num_outputs());
  for (size_t i = 0; i < grads.size(); ++i)
    if (outputs_[i] >= 0) out[static_cast<size_t>(outputs_[i])] = grads[i];
  Arrays results = graph_->run(inputs, ctx, out);
  for (size_t k = num_heads_; k < results.size(); ++k)
    if (out[k].defined() && !same_memory(results[k], out[k])) copy(results[k], out[k]);
  results.resize(num_heads_);
  return results;
}

}  // namespace mxnet

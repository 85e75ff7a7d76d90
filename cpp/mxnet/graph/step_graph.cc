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

// A graph that grows from the network to the whole step.
class StepBuilder {
 public:
  StepBuilder(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables)
      : symbol_(symbol), inputs_(inputs.begin(), inputs.end()), variables_(variables), outputs_(symbol.outputs()) {}

  // Gives by input the number of its gradient among the outputs.
  std::vector<int> add_gradients(const std::vector<bool>& wanted) {
    NumberedGraph graph(symbol_);
    std::vector<TensorSpec> specs = infer_values(graph, variables_);
    const NodeOutput& loss = symbol_.outputs()[0];
    GradientTask task{{loss}, {filled("ones", 1, specs[graph.value_of(loss)])}, {}, false, true};
    std::vector<int> places(inputs_.size(), -1);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (!wanted[i]) continue;
      if (graph.contains(inputs_[i])) {
        task.variables.push_back(inputs_[i]);
      } else {  // a pass has found that nothing depends on it
        places[i] = static_cast<int>(outputs_.size());
        outputs_.push_back(filled("zeros", 0, variables_.at(inputs_[i])));
      }
    }
    std::vector<NodeOutput> found = gradients(symbol_, variables_, task);
    // Last layers come first, so that what flows back is needed for a short time only.
    for (size_t w = task.variables.size(); w-- > 0;) {
      auto place = std::find(inputs_.begin(), inputs_.end(), task.variables[w]) - inputs_.begin();
      places[static_cast<size_t>(place)] = static_cast<int>(outputs_.size());
      outputs_.push_back(found[w].node ? found[w] : filled("zeros", 0, variables_.at(task.variables[w])));
    }
    return places;
  }

  void add_updates(const UpdateLayout& layout, const TrainingStep& step, std::span<const int> gradients) {
    if (step.needs_finite) {
      options_.guard = static_cast<int>(outputs_.size());
      outputs_.push_back(call("all_finite", "all_finite", {outputs_[0]}));
    }
    size_t num_network = inputs_.size();
    for (const TensorSpec& spec : layout.others()) {
      Symbol state = make_variable(str("state", inputs_.size() - num_network));
      states_.push_back(state);
      inputs_.push_back(state.outputs()[0].node.get());
      variables_[inputs_.back()] = spec;
    }
    for (size_t u = 0; u < step.updates.size(); ++u)
      add_update(layout.entries()[u], step.updates[u].params, num_network, gradients);
  }

  std::unique_ptr<CompiledGraph> compile() {
    Symbol joint(std::move(outputs_));
    if (pass_is_on("common")) joint = optimize(joint, {true, {}, {"common"}});
    joint = optimize(joint, {true, variables_, {}, OptimizeOptions::Stage::kernels});
    return std::make_unique<CompiledGraph>(joint, inputs_, variables_, options_);
  }

 private:
  void add_update(const UpdateLayout::Entry& entry, const ParamsRef& params, size_t num_network,
                  std::span<const int> gradients) {
    // The number of an input of the graph; -1 for a gradient that the graph itself computes.
    auto input_of = [&](int number) {
      size_t n = static_cast<size_t>(number);
      if (n < num_network) return number;
      return n < 2 * num_network ? -1 : static_cast<int>(n - num_network);
    };
    Outputs reads;
    for (int number : entry.reads) {
      int input = input_of(number);
      reads.push_back(input >= 0 ? NodeOutput{Ref<Node>(inputs_[input]), 0}
                                 : outputs_[gradients[static_cast<size_t>(number) - num_network]]);
    }
    UpdateNode update{static_cast<int>(outputs_.size()), {}};
    for (int number : entry.writes) update.inputs.push_back(input_of(number));
    Symbol updated = apply({entry.op, params, entry.op->name, {}, std::move(reads), {}});
    outputs_.insert(outputs_.end(), updated.outputs().begin(), updated.outputs().end());
    options_.updates.push_back(std::move(update));
  }

  const Symbol& symbol_;
  std::vector<Node*> inputs_;
  VariableSpecs variables_;
  std::vector<Symbol> states_;  // keep the variables that are no inputs of the network
  Outputs outputs_;
  CompileOptions options_{.training = true};
};

}  // namespace

StepGraph::StepGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
                     const std::vector<bool>& wanted, const UpdateLayout& layout, const TrainingStep& step)
    : num_heads_(symbol.outputs().size()), layout_(layout) {
  StepBuilder builder(symbol, inputs, variables);
  gradients_ = builder.add_gradients(wanted);
  builder.add_updates(layout, step, gradients_);
  graph_ = builder.compile();
}

Arrays StepGraph::run(std::span<const NDArray> inputs, const TrainingStep& step, Context ctx) const {
  Arrays out(graph_->num_outputs());
  for (size_t i = 0; i < step.grads.size(); ++i)
    if (gradients_[i] >= 0) out[static_cast<size_t>(gradients_[i])] = step.grads[i];
  Arrays all(inputs.begin(), inputs.end());
  for (NDArray& state : layout_.others_of(step.updates, 2 * inputs.size())) all.push_back(std::move(state));
  std::vector<ParamsRef> params;
  for (const UpdateCall& update : step.updates) params.push_back(update.params);
  Arrays results = graph_->run(all, ctx, out, params);
  for (size_t k = num_heads_; k < results.size(); ++k)
    if (out[k].defined() && !same_memory(results[k], out[k])) copy(results[k], out[k]);
  results.resize(num_heads_);
  return results;
}

}  // namespace mxnet

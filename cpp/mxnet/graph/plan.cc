#include "mxnet/graph/plan.h"

#include <algorithm>

#include "mxnet/graph/control_flow.h"
#include "mxnet/graph/infer.h"

namespace mxnet {

struct Plan::Step {
  const Node* node;
  std::vector<int> reads;  // values by place; -1 for an input left out
  int first;               // number of the first output
  std::vector<int> drop;   // values nobody needs after this step
  std::unique_ptr<ControlFlow> control_flow;
};

Plan::Plan(Symbol symbol, std::span<Node* const> inputs, bool zero_is_unknown)
    : symbol_(std::move(symbol)), graph_(symbol_) {
  for (Node* node : inputs)
    input_values_.push_back(graph_.contains(node) ? graph_.first_value(graph_.number_of(node)) : -1);
  add_steps(zero_is_unknown);
  find_last_uses();
}

Plan::~Plan() = default;

void Plan::add_steps(bool zero_is_unknown) {
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = *graph_.nodes()[i];
    if (node.is_variable()) continue;
    Step step{&node, graph_.reads(i), graph_.first_value(i), {}, nullptr};
    if (!node.subgraphs.empty()) step.control_flow = std::make_unique<ControlFlow>(node, zero_is_unknown);
    steps_.push_back(std::move(step));
  }
}

void Plan::find_last_uses() {
  constexpr int kForever = -1;
  std::vector<int> last_use(graph_.num_values(), kForever);
  for (size_t s = 0; s < steps_.size(); ++s)
    for (int value : steps_[s].reads)
      if (value >= 0) last_use[value] = static_cast<int>(s);
  for (const NodeOutput& output : symbol_.outputs()) {
    heads_.push_back(graph_.value_of(output));
    last_use[heads_.back()] = kForever;
  }
  for (int value = 0; value < graph_.num_values(); ++value)
    if (last_use[value] != kForever) steps_[last_use[value]].drop.push_back(value);
}

Arrays Plan::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions& monitor) const {
  Arrays values(graph_.num_values());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (input_values_[i] >= 0) values[input_values_[i]] = inputs[i];
  for (const Step& step : steps_) {
    const Node& node = *step.node;
    if (monitor.call && monitor.inputs)
      for (size_t i = 0; i < step.reads.size(); ++i)
        if (step.reads[i] >= 0)
          monitor.call(str(node.name, "_", node.op->input_name(static_cast<int>(i))), node.op->name,
                       values[step.reads[i]]);
    Arrays outputs = run_step(step, values, ctx);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (monitor.call) monitor.call(node.output_name(static_cast<int>(i)), node.op->name, outputs[i]);
      values[step.first + i] = std::move(outputs[i]);
    }
    for (int value : step.drop) values[value] = NDArray();
  }
  Arrays results;
  results.reserve(heads_.size());
  for (int head : heads_) results.push_back(values[head]);
  return results;
}

Arrays Plan::run_step(const Step& step, const Arrays& values, Context ctx) const {
  Arrays inputs;
  inputs.reserve(step.reads.size());
  for (int value : step.reads) inputs.push_back(value < 0 ? NDArray() : values[value]);
  try {
    if (step.control_flow) return step.control_flow->run(inputs, ctx);
    return invoke(*step.node->op, step.node->params, inputs, {}, ctx);
  } catch (const Error& error) {
    throw Error(error.kind(), at_node(*step.node, error.what()));
  }
}

GraphReport Plan::report() const { return {static_cast<int64_t>(steps_.size()), 0, 0, 0}; }

}  // namespace mxnet

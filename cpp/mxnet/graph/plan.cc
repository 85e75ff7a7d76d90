#include "mxnet/graph/plan.h"

#include <algorithm>

#include "mxnet/graph/control_flow.h"
#include "mxnet/graph/infer.h"

namespace mxnet {

struct Plan::Step {
  const Node* node = nullptr;     // null for a segment
  std::vector<int> reads, makes;  // values by place; -1 for an input left out
  std::vector<int> drop;          // values nobody needs after this step
  std::unique_ptr<Program> segment;
  std::unique_ptr<ControlFlow> control_flow;
};

Plan::Plan(Symbol symbol, std::span<Node* const> inputs, const PlanOptions& options)
    : symbol_(std::move(symbol)), graph_(symbol_) {
  for (Node* node : inputs)
    input_values_.push_back(graph_.contains(node) ? graph_.first_value(graph_.number_of(node)) : -1);
  for (const NodeOutput& output : symbol_.outputs()) heads_.push_back(graph_.value_of(output));
  for (GraphPart& part : parts(options)) add_step(std::move(part), options);
  find_last_uses();
}

Plan::~Plan() = default;

// What is one segment as a whole has been found to be one that cannot be compiled.
std::vector<GraphPart> Plan::parts(const PlanOptions& options) const {
  if (!options.segments) return cut_into_operators(graph_);
  std::vector<GraphPart> parts = cut_into_parts(graph_, heads_);
  return parts.size() > 1 ? std::move(parts) : cut_into_operators(graph_);
}

void Plan::add_step(GraphPart part, const PlanOptions& options) {
  Step step;
  if (part.is_segment()) {
    step.segment = segment_program(part, options);
  } else {
    step.node = graph_.nodes()[part.nodes[0]];
    if (!step.node->subgraphs.empty())
      step.control_flow = std::make_unique<ControlFlow>(*step.node, options.zero_is_unknown);
  }
  step.reads = std::move(part.reads);
  step.makes = std::move(part.makes);
  steps_.push_back(std::move(step));
}

// Whether shapes depend on contents shows behind the first operator that runs on its own.
std::unique_ptr<Program> Plan::segment_program(const GraphPart& part, const PlanOptions& options) const {
  ProgramOptions made{false, {}, !options.shapes_known && part.level > 0};
  if (!options.fixed.empty()) {
    std::vector<Node*> variables = part.segment.inputs();
    for (size_t i = 0; i < variables.size(); ++i) {
      auto input = std::find(input_values_.begin(), input_values_.end(), part.reads[i]);
      if (input == input_values_.end() || !options.fixed[input - input_values_.begin()])
        made.data.push_back(variables[i]->name);
    }
  }
  return std::make_unique<Program>(part.segment, std::move(made));
}

void Plan::find_last_uses() {
  constexpr int kForever = -1;
  std::vector<int> last_use(graph_.num_values(), kForever);
  for (size_t s = 0; s < steps_.size(); ++s)
    for (int value : steps_[s].reads)
      if (value >= 0) last_use[value] = static_cast<int>(s);
  for (int head : heads_) last_use[head] = kForever;
  for (int value = 0; value < graph_.num_values(); ++value)
    if (last_use[value] != kForever) steps_[last_use[value]].drop.push_back(value);
}

Arrays Plan::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions& monitor) const {
  Arrays values(graph_.num_values());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (input_values_[i] >= 0) values[input_values_[i]] = inputs[i];
  for (const Step& step : steps_) {
    bool watched = monitor.call && step.node;
    if (watched && monitor.inputs) show_inputs(*step.node, step.reads, values, monitor);
    Arrays read;
    read.reserve(step.reads.size());
    for (int value : step.reads) read.push_back(value < 0 ? NDArray() : values[value]);
    if (watched && monitor.gradients && call_state().recording) watch_gradients(*step.node, read, monitor);
    Arrays outputs = run_step(step, read, ctx);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (watched) monitor.call(step.node->output_name(static_cast<int>(i)), step.node->op->name, outputs[i]);
      values[step.makes[i]] = std::move(outputs[i]);
    }
    for (int value : step.drop) values[value] = NDArray();
  }
  Arrays results;
  results.reserve(heads_.size());
  for (int head : heads_) results.push_back(values[head]);
  return results;
}

Arrays Plan::run_step(const Step& step, const Arrays& inputs, Context ctx) {
  if (step.segment) return step.segment->run(inputs, ctx);
  try {
    if (step.control_flow) return step.control_flow->run(inputs, ctx);
    return invoke(*step.node->op, step.node->params, inputs, {}, ctx);
  } catch (const Error& error) {
    throw Error(error.kind(), at_node(*step.node, error.what()));
  }
}

GraphReport Plan::report() const {
  GraphReport total{0, 0, 0, 0, 0};
  for (const Step& step : steps_) {
    if (!step.segment) {
      ++total.steps;
      continue;
    }
    GraphReport part = step.segment->report();
    total.steps += part.steps;
    total.temporary_bytes = std::max(total.temporary_bytes, part.temporary_bytes);
    total.unshared_bytes = std::max(total.unshared_bytes, part.unshared_bytes);
    total.saved_bytes += part.saved_bytes;
    total.segments += part.segments;
  }
  return total;
}

}  // namespace mxnet

#include "mxnet/graph/program.h"

#include <algorithm>

#include "mxnet/graph/control_flow.h"
#include "mxnet/graph/infer.h"

namespace mxnet {

struct Program::Step {
  const Node* node;
  std::vector<int> reads;  // values by place; -1 for an input left out
  int first;               // number of the first output
  std::vector<int> drop;   // values nobody needs after this step
  std::unique_ptr<ControlFlow> control_flow;
};

namespace {

const FieldSpec* shape_field(const Op& op) {
  for (const FieldSpec& field : op.fields)
    if (field.name == "shape") return &field;
  return nullptr;
}

// An operator without inputs whose shape has a 0.
bool has_open_shape(const Node& node) {
  const FieldSpec* field = node.op && node.op->inputs.empty() ? shape_field(*node.op) : nullptr;
  if (!field) return false;
  Value value = field->get(node.params->data());
  const Value::List* extents = value.get<Value::List>();
  return extents && std::find(extents->begin(), extents->end(), Value(0)) != extents->end();
}

ParamsRef with_shape(const Node& node, const Shape& shape) {
  std::vector<std::pair<std::string, Value>> attrs;
  for (const FieldSpec& field : node.op->fields) {
    Value value = field.get(node.params->data());
    if (field.name == "shape") value = shape;
    attrs.emplace_back(field.name, value);
  }
  return make_params(*node.op, attrs);
}

}  // namespace

Program::Program(Symbol symbol, bool zero_is_unknown)
    : symbol_(std::move(symbol)), graph_(symbol_), zero_is_unknown_(zero_is_unknown) {
  plan();
}

Program::~Program() = default;

void Program::plan() {
  std::vector<int> last_use(graph_.num_values(), -1);
  for (const NodeOutput& output : symbol_.outputs()) {
    if (output.index >= output.node->num_visible())
      value_error("output ", output.index, " of node '", output.node->name, "' is not visible");
    heads_.push_back(graph_.value_of(output));
  }
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = *graph_.nodes()[i];
    int first = graph_.first_value(i);
    if (node.is_variable()) {
      names_.push_back(node.name);
      input_values_.push_back(first);
      continue;
    }
    if (zero_is_unknown_ && has_open_shape(node)) open_shapes_.push_back(&node);
    Step step{&node, graph_.reads(i), first, {}, nullptr};
    if (!node.subgraphs.empty()) step.control_flow = std::make_unique<ControlFlow>(node, zero_is_unknown_);
    for (int value : step.reads)
      if (value >= 0) last_use[value] = static_cast<int>(steps_.size());
    steps_.push_back(std::move(step));
  }
  for (int head : heads_) last_use[head] = -1;
  for (int value = 0; value < graph_.num_values(); ++value)
    if (last_use[value] >= 0) steps_[last_use[value]].drop.push_back(value);
}

Arrays Program::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor) const {
  if (inputs.size() != names_.size()) value_error("the graph takes ", names_.size(), " arrays, got ", inputs.size());
  Arrays values(graph_.num_values());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) value_error("the graph's input '", names_[i], "' is missing");
    values[input_values_[i]] = inputs[i];
  }
  static const auto none = std::make_shared<const Overrides>();
  std::shared_ptr<const Overrides> params = open_shapes_.empty() ? none : overrides(inputs);
  for (const Step& step : steps_) {
    const Node& node = *step.node;
    if (monitor && monitor->inputs)
      for (size_t i = 0; i < step.reads.size(); ++i)
        if (step.reads[i] >= 0)
          monitor->call(str(node.name, "_", node.op->input_name(static_cast<int>(i))), node.op->name,
                        values[step.reads[i]]);
    Arrays outputs = run_step(step, values, ctx, *params);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (monitor) monitor->call(node.output_name(static_cast<int>(i)), node.op->name, outputs[i]);
      values[step.first + i] = std::move(outputs[i]);
    }
    for (int value : step.drop) values[value] = NDArray();
  }
  Arrays results;
  for (int head : heads_) results.push_back(values[head]);
  return results;
}

Arrays Program::run_step(const Step& step, const Arrays& values, Context ctx, const Overrides& overrides) const {
  const Node& node = *step.node;
  Arrays inputs;
  inputs.reserve(step.reads.size());
  for (int value : step.reads) inputs.push_back(value < 0 ? NDArray() : values[value]);
  try {
    if (step.control_flow) return step.control_flow->run(inputs, ctx);
    auto it = overrides.empty() ? overrides.end() : overrides.find(&node);
    return invoke(*node.op, it == overrides.end() ? node.params : it->second, inputs, {}, ctx);
  } catch (const Error& error) {
    throw Error(error.kind(), at_node(node, error.what()));
  }
}

std::shared_ptr<const Program::Overrides> Program::overrides(std::span<const NDArray> inputs) const {
  std::string signature;
  for (const NDArray& a : inputs) signature += str(a.shape(), a.dtype());
  std::lock_guard lock(mutex_);
  auto& found = known_overrides_[signature];
  if (found) return found;
  GraphInference inference(graph_, true);
  for (size_t i = 0; i < inputs.size(); ++i) inference.know(input_values_[i], {inputs[i].shape(), inputs[i].dtype()});
  inference.run();
  auto made = std::make_shared<Overrides>();
  for (const Node* node : open_shapes_) {
    const Shape& shape = inference.spec(graph_.first_value(graph_.number_of(node))).shape;
    if (!shape.known())
      value_error(
          at_node(*node, str(node->op->name, ": the extents of 0 in its shape cannot be inferred, got ", shape)));
    (*made)[node] = with_shape(*node, shape);
  }
  return found = made;
}

}  // namespace mxnet

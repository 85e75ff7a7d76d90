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
  int reuse = -1;          // place of an input whose memory the output may take
  std::unique_ptr<ControlFlow> control_flow;
};

struct Plan::Kept {
  struct Source {
    Ref<Chunk> chunk;
    int64_t byte_offset;
    uint64_t version;
    bool operator==(const Source&) const = default;
  };
  std::vector<Source> sources;
  Arrays values;
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

// Input `place` as the output of an operator that may work in place, if the output is such an array.
NDArray reusable(const Op& op, const ParamsRef& params, const Arrays& inputs, int place) {
  std::vector<TensorSpec> specs;
  for (const NDArray& a : inputs) specs.push_back({a.shape(), a.dtype(), a.defined()});
  const NDArray& input = inputs[place];
  TensorSpec out = infer(op, params, specs)[0];
  return out.shape == input.shape() && out.dtype == input.dtype() ? input.detached() : NDArray();
}

}  // namespace

Plan::Plan(Symbol symbol, bool zero_is_unknown, std::span<Node* const> inputs, const std::vector<bool>& fixed)
    : symbol_(std::move(symbol)), graph_(symbol_), zero_is_unknown_(zero_is_unknown) {
  std::unordered_map<const Node*, int> place;
  for (size_t i = 0; i < graph_.nodes().size(); ++i)
    if (graph_.nodes()[i]->is_variable()) place[graph_.nodes()[i]] = graph_.first_value(i);
  for (Node* node : inputs) {
    auto it = place.find(node);
    input_values_.push_back(it == place.end() ? -1 : it->second);
  }
  add_steps(fixed);
  find_last_uses();
}

Plan::~Plan() = default;

// Puts operators that depend on fixed inputs alone apart.
void Plan::add_steps(const std::vector<bool>& fixed) {
  std::vector<bool> is_fixed(graph_.num_values());
  for (size_t i = 0; i < input_values_.size(); ++i)
    if (input_values_[i] >= 0) is_fixed[input_values_[i]] = fixed[i];
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = *graph_.nodes()[i];
    if (node.is_variable()) continue;
    if (zero_is_unknown_ && has_open_shape(node)) open_shapes_.push_back(&node);
    Step step{&node, graph_.reads(i), graph_.first_value(i), {}, -1, nullptr};
    if (!node.subgraphs.empty()) step.control_flow = std::make_unique<ControlFlow>(node, zero_is_unknown_);
    bool keeps = !node.op->is_random && !step.control_flow && !step.reads.empty() && !node.op->uses_training;
    for (size_t k = 0; k < step.reads.size(); ++k)
      keeps = keeps && (step.reads[k] < 0 || is_fixed[step.reads[k]]) && !node.writes_input(k);
    for (int k = 0; k < node.num_outputs(); ++k) is_fixed[step.first + k] = keeps;
    (keeps ? fixed_steps_ : steps_).push_back(std::move(step));
  }
}

void Plan::find_last_uses() {
  constexpr int kForever = -1, kNever = -2;
  std::vector<int> last_use(graph_.num_values(), kForever);
  std::vector<bool> internal(graph_.num_values()), computed(graph_.num_values());
  for (const Step& step : fixed_steps_)
    for (int k = 0; k < step.node->num_outputs(); ++k) computed[step.first + k] = true;
  for (size_t s = 0; s < steps_.size(); ++s) {
    const Step& step = steps_[s];
    for (int value : step.reads)
      if (value >= 0) last_use[value] = static_cast<int>(s);
    // What shares no memory with anything else.
    bool own = step.node->op->view == View::no && !step.node->op->compose && !step.control_flow;
    for (int k = 0; k < step.node->num_outputs(); ++k) internal[step.first + k] = own;
  }
  for (const NodeOutput& output : symbol_.outputs()) {
    if (output.index >= output.node->num_visible())
      value_error("output ", output.index, " of node '", output.node->name, "' is not visible");
    int head = graph_.value_of(output);
    heads_.push_back(head);
    last_use[head] = kNever;
  }
  std::vector<bool> wanted(graph_.num_values());
  for (int value = 0; value < graph_.num_values(); ++value) {
    wanted[value] = computed[value] && last_use[value] != kForever;
    if (last_use[value] < 0) continue;
    Step& step = steps_[last_use[value]];
    step.drop.push_back(value);
    bool once = std::count(step.reads.begin(), step.reads.end(), value) == 1;
    if (step.reuse < 0 && once && internal[value] && step.node->op->is_inplace && step.node->num_outputs() == 1)
      step.reuse = static_cast<int>(std::find(step.reads.begin(), step.reads.end(), value) - step.reads.begin());
  }
  for (int value = 0; value < graph_.num_values(); ++value)
    if (wanted[value]) fixed_results_.push_back(value);
  for (size_t i = 0; i < input_values_.size(); ++i)
    for (const Step& step : fixed_steps_)
      if (input_values_[i] >= 0 && std::count(step.reads.begin(), step.reads.end(), input_values_[i])) {
        fixed_inputs_.push_back(static_cast<int>(i));
        break;
      }
}

Arrays Plan::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor) const {
  Arrays values(graph_.num_values());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (input_values_[i] >= 0) values[input_values_[i]] = inputs[i];
  static const auto none = std::make_shared<const Overrides>();
  std::shared_ptr<const Overrides> params = open_shapes_.empty() ? none : overrides(inputs);
  if (!fixed_steps_.empty()) keep_fixed(inputs, values, ctx);
  run_steps(steps_, values, ctx, *params, monitor);
  Arrays results;
  results.reserve(heads_.size());
  for (int head : heads_) results.push_back(values[head]);
  return results;
}

void Plan::run_steps(const std::vector<Step>& steps, Arrays& values, Context ctx, const Overrides& overrides,
                     const MonitorOptions* monitor) const {
  for (const Step& step : steps) {
    const Node& node = *step.node;
    if (monitor && monitor->inputs)
      for (size_t i = 0; i < step.reads.size(); ++i)
        if (step.reads[i] >= 0)
          monitor->call(str(node.name, "_", node.op->input_name(static_cast<int>(i))), node.op->name,
                        values[step.reads[i]]);
    // Whoever watches may hold on to what it sees.
    bool may_reuse = !monitor && !call_state().recording;
    Arrays outputs = run_step(step, values, ctx, overrides, may_reuse);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (monitor) monitor->call(node.output_name(static_cast<int>(i)), node.op->name, outputs[i]);
      values[step.first + i] = std::move(outputs[i]);
    }
    for (int value : step.drop) values[value] = NDArray();
  }
}

// Uses the values of the fixed steps from the last run, if nothing they depend on was written since.
void Plan::keep_fixed(std::span<const NDArray> inputs, Arrays& values, Context ctx) const {
  std::vector<Kept::Source> sources;
  sources.reserve(fixed_inputs_.size());
  for (int i : fixed_inputs_)
    sources.push_back({inputs[i].chunk(), inputs[i].byte_offset(), inputs[i].var().version()});
  std::shared_ptr<const Kept> kept;
  {
    std::lock_guard lock(mutex_);
    kept = kept_;
  }
  if (!kept || !(kept->sources == sources)) {
    auto made = std::make_shared<Kept>();
    run_steps(fixed_steps_, values, ctx, {}, nullptr);
    made->sources = std::move(sources);
    for (int value : fixed_results_) made->values.push_back(values[value]);
    std::lock_guard lock(mutex_);
    kept_ = made;
    return;
  }
  for (size_t i = 0; i < fixed_results_.size(); ++i) values[fixed_results_[i]] = kept->values[i];
}

Arrays Plan::run_step(const Step& step, const Arrays& values, Context ctx, const Overrides& overrides,
                      bool may_reuse) const {
  const Node& node = *step.node;
  Arrays inputs;
  inputs.reserve(step.reads.size());
  for (int value : step.reads) inputs.push_back(value < 0 ? NDArray() : values[value]);
  try {
    if (step.control_flow) return step.control_flow->run(inputs, ctx);
    auto it = overrides.empty() ? overrides.end() : overrides.find(&node);
    const ParamsRef& params = it == overrides.end() ? node.params : it->second;
    NDArray out;
    if (step.reuse >= 0 && may_reuse) out = reusable(*node.op, params, inputs, step.reuse);
    return invoke(*node.op, params, inputs, out.defined() ? std::span(&out, 1) : std::span<NDArray>(), ctx);
  } catch (const Error& error) {
    throw Error(error.kind(), at_node(node, error.what()));
  }
}

std::shared_ptr<const Plan::Overrides> Plan::overrides(std::span<const NDArray> inputs) const {
  std::string signature;
  for (const NDArray& a : inputs) signature += str(a.shape(), a.dtype());
  std::lock_guard lock(mutex_);
  auto& found = known_overrides_[signature];
  if (found) return found;
  GraphInference inference(graph_, true);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (input_values_[i] >= 0) inference.know(input_values_[i], {inputs[i].shape(), inputs[i].dtype()});
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

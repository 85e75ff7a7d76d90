#include "mxnet/graph/symbol.h"

#include <algorithm>
#include <unordered_set>

namespace mxnet {
namespace {

// Inputs or outputs of one node; files may ask for any number.
constexpr int64_t kMost = 100000;

// Optional inputs that come with the value of a parameter.
struct InputRule {
  std::string_view input, field, value;
};
constexpr InputRule kInputRules[] = {
    {"bias", "no_bias", "False"},
    {"addend", "with_addend", "True"},
    {"gamma", "act_type", "prelu"},
    {"length", "use_length", "True"},
    {"sequence_length", "use_sequence_length", "True"},
    {"data_lengths", "use_data_lengths", "True"},
    {"label_lengths", "use_label_lengths", "True"},
    {"state_cell", "mode", "lstm"},
    {"mask", "use_mask", "True"},
};

// How a parameter that was left out starts, where not as the initializer says.
struct StartRule {
  std::string_view op, input, init;
};
constexpr StartRule kStartRules[] = {
    {"BatchNorm", "moving_mean", R"(["zero", {}])"},
    {"BatchNorm", "moving_var", R"(["one", {}])"},
    {"_contrib_SyncBatchNorm", "moving_mean", R"(["zero", {}])"},
    {"_contrib_SyncBatchNorm", "moving_var", R"(["one", {}])"},
    {"_contrib_BatchNormWithReLU", "moving_mean", R"(["zero", {}])"},
    {"_contrib_BatchNormWithReLU", "moving_var", R"(["one", {}])"},
    {"IdentityAttachKLSparseReg", "moving_avg", R"(["zero", {}])"},
    {"LeakyReLU", "gamma", R"(["Constant", {"value": 0.25}])"},
    {"UpSampling", "weight", R"(["bilinear", {}])"},
};

const FieldSpec* field_named(const Op& op, std::string_view name) {
  for (const FieldSpec& field : op.fields)
    if (field.name == name) return &field;
  return nullptr;
}

// UpSampling takes any number of arrays, but a filter spreads those of one.
bool takes_filter(const Op& op, const ParamsRef& params) {
  const FieldSpec* field = op.name == "UpSampling" ? field_named(op, "sample_type") : nullptr;
  return field && to_text(field->get(params->data())) == "bilinear";
}

void set_start(Node& variable, const Op& op, std::string_view input) {
  for (const StartRule& rule : kStartRules)
    if (rule.op == op.name && rule.input == input) variable.attrs.try_emplace("__init__", rule.init);
}

NodeOutput parameter(const Application& application, int i) {
  std::string input = input_name(*application.op, application.params, i);
  auto node = make_ref<Node>();
  node->name = application.name + "_" + input;
  node->attrs = application.attrs;
  node->origin = application.origin;
  node->attrs.erase("__init__");
  set_start(*node, *application.op, input);
  return {node, 0};
}

void check_outputs(const Application& application) {
  for (const NodeOutput& input : application.inputs)
    if (input.node && input.index >= input.node->num_outputs())
      value_error(application.op->name, ": node '", input.node->name, "' has no output ", input.index);
}

// Puts the nodes below `roots` in order, each after its inputs; without recursion, since graphs are deep.
template <class Visit>
void walk(const std::vector<NodeOutput>& roots, Visit&& visit) {
  std::unordered_set<const Node*> seen;
  std::vector<std::pair<Node*, size_t>> stack;
  auto enter = [&](const NodeOutput& output) {
    if (output.node && seen.insert(output.node.get()).second) stack.emplace_back(output.node.get(), 0);
  };
  for (const NodeOutput& root : roots) {
    enter(root);
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      if (next < node->inputs.size()) {
        enter(node->inputs[next++]);
      } else {
        Node* done = node;
        stack.pop_back();
        visit(done);
      }
    }
  }
}

std::vector<std::string> names_of_variables(const Symbol& symbol, bool arguments, bool states) {
  std::vector<Node*> nodes = symbol.nodes();
  std::unordered_set<const Node*> written;
  for (const Node* node : nodes)
    for (size_t i = 0; i < node->inputs.size(); ++i)
      if (node->writes_input(i)) written.insert(node->inputs[i].node.get());
  std::vector<std::string> names;
  for (const Node* node : nodes)
    if (node->is_variable() && (written.count(node) ? states : arguments)) names.push_back(node->name);
  return names;
}

// Rebuilds a graph from its leaves; `replace` gives the new value of an input, or nothing.
template <class Replace>
Symbol rebuilt(const Symbol& symbol, bool always, Replace&& replace) {
  std::unordered_map<const Node*, Ref<Node>> made;
  auto moved = [&](const NodeOutput& from) -> NodeOutput {
    if (NodeOutput other = replace(from); other.node) return other;
    auto it = made.find(from.node.get());
    return it == made.end() ? from : NodeOutput{it->second, from.index};
  };
  for (Node* node : symbol.nodes()) {
    std::vector<NodeOutput> inputs;
    for (const NodeOutput& input : node->inputs) inputs.push_back(moved(input));
    if (!always && inputs == node->inputs) continue;
    auto copy = make_ref<Node>();
    copy->op = node->op;
    copy->params = node->params;
    copy->name = node->name;
    copy->attrs = node->attrs;
    copy->inputs = std::move(inputs);
    copy->slots = node->slots;
    copy->subgraphs = node->subgraphs;
    copy->origin = node->origin;
    made[node] = copy;
  }
  std::vector<NodeOutput> outputs;
  for (const NodeOutput& output : symbol.outputs()) outputs.push_back(moved(output));
  return Symbol(std::move(outputs));
}

}  // namespace

std::string stored_key(std::string_view key) {
  bool hidden = std::find(std::begin(kHiddenKeys), std::end(kHiddenKeys), key) != std::end(kHiddenKeys);
  return hidden ? str("__", key, "__") : std::string(key);
}

Node::~Node() {
  // Long chains are taken apart in a loop: letting each node drop the next would overflow the stack.
  std::vector<Ref<Node>> dying;
  auto take = [&](std::vector<NodeOutput>& from) {
    for (NodeOutput& input : from)
      if (input.node && input.node->unique()) dying.push_back(std::move(input.node));
    from.clear();
  };
  take(inputs);
  while (!dying.empty()) {
    Ref<Node> node = std::move(dying.back());
    dying.pop_back();
    if (node->unique()) take(node->inputs);
  }
}

int Node::num_outputs() const {
  return is_variable() ? 1 : op->num_outputs(params->data(), static_cast<int>(inputs.size()));
}

int Node::num_visible() const {
  if (is_variable() || !op->num_visible) return num_outputs();
  return op->num_visible(params->data(), static_cast<int>(inputs.size()));
}

bool Node::writes_input(size_t i) const {
  size_t slot = i < slots.size() ? static_cast<size_t>(slots[i]) : i;
  return op && op->writes_input(params->data(), slot);
}

std::string Node::output_name(int index) const {
  if (is_variable()) return name;
  if (op->output_names) {
    std::vector<std::string> names = op->output_names(params->data());
    if (index < static_cast<int>(names.size())) return name + "_" + names[index];
  }
  return num_outputs() == 1 ? name + "_output" : str(name, "_output", index);
}

bool has_input(const Op& op, const ParamsRef& params, int i) {
  if (op.is_variadic() || i >= static_cast<int>(op.inputs.size())) return true;
  const InputSpec& input = op.inputs[i];
  for (const InputRule& rule : kInputRules) {
    const FieldSpec* field = rule.input == input.name ? field_named(op, rule.field) : nullptr;
    if (field) return to_text(field->get(params->data())) == rule.value;
  }
  return !input.optional;
}

std::string input_name(const Op& op, const ParamsRef& params, int i) {
  if (op.inputs_of) return op.inputs_of(params->data())[i].name;
  if (takes_filter(op, params)) return i == 0 ? "data" : "weight";
  return op.is_variadic() ? str("arg", i) : op.input_name(i);
}

Symbol make_variable(std::string name, Attributes attrs) {
  auto node = make_ref<Node>();
  node->name = std::move(name);
  node->attrs = std::move(attrs);
  return Symbol({{node, 0}});
}

Symbol apply(Application application) {
  const Op& op = *application.op;
  std::vector<NodeOutput>& inputs = application.inputs;
  int wanted = static_cast<int>(op.inputs.size());
  if (op.inputs_of) {
    wanted = static_cast<int>(op.inputs_of(application.params->data()).size());
    if (static_cast<int>(inputs.size()) > wanted)
      type_error(op.name, ": takes ", wanted, " inputs, got ", inputs.size());
  } else if (op.is_variadic()) {
    const FieldSpec* count = field_named(op, op.variadic);
    int64_t given = static_cast<int64_t>(inputs.size());
    if (count && application.subgraphs.empty()) {
      Value value = count->get(application.params->data());
      if (const int64_t* n = value.get<int64_t>()) given = std::max(given, *n);
    }
    if (given > kMost) value_error(op.name, ": ", op.variadic, "=", given, " is too large");
    wanted = std::max(static_cast<int>(given), takes_filter(op, application.params) ? 2 : 0);
  } else if (static_cast<int>(inputs.size()) > wanted) {
    type_error(op.name, ": takes ", wanted, " inputs, got ", inputs.size(), "; signature is ", op.signature());
  }
  check_outputs(application);
  inputs.resize(wanted);
  auto node = make_ref<Node>();
  for (int i = 0; i < wanted; ++i) {
    if (!inputs[i].node && !has_input(op, application.params, i)) continue;
    node->inputs.push_back(inputs[i].node ? std::move(inputs[i]) : parameter(application, i));
    node->slots.push_back(i);
  }
  node->op = &op;
  node->params = std::move(application.params);
  node->name = std::move(application.name);
  node->attrs = std::move(application.attrs);
  node->subgraphs = std::move(application.subgraphs);
  node->origin = std::move(application.origin);
  if (node->num_outputs() > kMost) value_error(op.name, ": ", node->num_outputs(), " outputs are too many");
  std::vector<NodeOutput> outputs;
  for (int i = 0; i < node->num_visible(); ++i) outputs.push_back({node, i});
  return Symbol(std::move(outputs));
}

void set_starts(const Node& node) {
  if (node.op->inputs_of) return;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (Node& input = *node.inputs[i].node; input.is_variable())
      set_start(input, *node.op, input_name(*node.op, node.params, node.slots[i]));
}

std::vector<Node*> Symbol::nodes() const {
  std::vector<Node*> order;
  walk(outputs_, [&](Node* node) { order.push_back(node); });
  return order;
}

std::vector<Node*> Symbol::inputs() const {
  std::vector<Node*> variables;
  walk(outputs_, [&](Node* node) {
    if (node->is_variable()) variables.push_back(node);
  });
  return variables;
}

std::vector<std::string> Symbol::list_arguments() const { return names_of_variables(*this, true, false); }
std::vector<std::string> Symbol::list_auxiliary_states() const { return names_of_variables(*this, false, true); }
std::vector<std::string> Symbol::list_inputs() const { return names_of_variables(*this, true, true); }

std::vector<std::string> Symbol::list_outputs() const {
  std::vector<std::string> names;
  for (const NodeOutput& output : outputs_) names.push_back(output.node->output_name(output.index));
  return names;
}

Symbol Symbol::internals() const {
  std::vector<NodeOutput> all;
  walk(outputs_, [&](Node* node) {
    for (int i = 0; i < node->num_visible(); ++i) all.push_back({Ref<Node>(node), i});
  });
  return Symbol(std::move(all));
}

Symbol Symbol::children() const {
  std::vector<NodeOutput> inputs;
  std::unordered_set<const Node*> seen;
  for (const NodeOutput& output : outputs_)
    if (seen.insert(output.node.get()).second)
      inputs.insert(inputs.end(), output.node->inputs.begin(), output.node->inputs.end());
  return Symbol(std::move(inputs));
}

Symbol Symbol::compose(const std::unordered_map<std::string, NodeOutput>& values) const {
  return rebuilt(*this, false, [&](const NodeOutput& from) -> NodeOutput {
    if (!from.node->is_variable()) return {};
    auto it = values.find(from.node->name);
    return it == values.end() ? NodeOutput{} : it->second;
  });
}

Symbol Symbol::copy() const {
  return rebuilt(*this, true, [](const NodeOutput&) { return NodeOutput{}; });
}

Cutout cut_out(const Symbol& symbol, const std::string& scope) {
  constexpr const char* kScope = "__subgraph_name__";
  auto inside = [&](const Node& node) {
    auto it = node.attrs.find(kScope);
    return it != node.attrs.end() && it->second == scope;
  };
  std::map<std::string, NodeOutput> made, origin;
  Cutout result;
  result.symbol = rebuilt(symbol, false, [&](const NodeOutput& from) -> NodeOutput {
    if (from.node->is_variable() || inside(*from.node)) return {};
    std::string name = from.node->output_name(from.index);
    auto [it, fresh] = made.try_emplace(name);
    if (fresh) it->second = make_variable(name).outputs()[0];
    origin[name] = from;
    return it->second;
  });
  for (Node* variable : result.symbol.inputs()) {
    auto it = origin.find(variable->name);
    if (it != origin.end()) {
      result.outside[variable->name] = it->second;
    } else if (!inside(*variable)) {
      result.outside[variable->name] = {Ref<Node>(variable), 0};
    } else {
      Attributes attrs = variable->attrs;
      attrs.erase(kScope);
      result.outside[variable->name] = make_variable(variable->name, std::move(attrs)).outputs()[0];
    }
  }
  return result;
}

NumberedGraph::NumberedGraph(const Symbol& symbol) : nodes_(symbol.nodes()) {
  first_.reserve(nodes_.size() + 1);
  first_.push_back(0);
  for (size_t i = 0; i < nodes_.size(); ++i) {
    number_[nodes_[i]] = static_cast<int>(i);
    first_.push_back(first_.back() + nodes_[i]->num_outputs());
  }
}

std::vector<int> NumberedGraph::reads(size_t node) const {
  const Node& n = *nodes_[node];
  std::vector<int> values;
  for (size_t i = 0; i < n.inputs.size(); ++i) {
    size_t slot = static_cast<size_t>(n.slot(i));
    if (values.size() <= slot) values.resize(slot + 1, -1);
    values[slot] = value_of(n.inputs[i]);
  }
  return values;
}

}  // namespace mxnet

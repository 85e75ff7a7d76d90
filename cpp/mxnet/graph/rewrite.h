// What passes are written with: new nodes from old ones, and a graph rebuilt from its leaves.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "mxnet/graph/symbol.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

using Outputs = std::vector<NodeOutput>;

inline constexpr std::string_view kDrawKey = "draw";  // see with_numbered_draws

// The same application to other inputs.
inline Ref<Node> with_inputs(const Node& node, Outputs inputs) {
  auto copy = make_ref<Node>();
  copy->op = node.op;
  copy->params = node.params;
  copy->name = node.name;
  copy->attrs = node.attrs;
  copy->inputs = std::move(inputs);
  copy->slots = node.slots;
  copy->subgraphs = node.subgraphs;
  copy->origin = node.origin;
  return copy;
}

inline Outputs outputs_of(const Ref<Node>& node) {
  Outputs outputs;
  for (int i = 0; i < node->num_outputs(); ++i) outputs.push_back({node, i});
  return outputs;
}

// Rebuilds a graph from its leaves. `replace(node, new inputs)` gives new outputs for an operator, or nothing to keep
// it; nodes that do not change are shared with the old graph.
template <class Replace>
Symbol rewrite(const Symbol& symbol, Replace&& replace) {
  std::unordered_map<const Node*, Outputs> made;
  auto moved = [&](const NodeOutput& from) { return made.at(from.node.get())[from.index]; };
  for (Node* node : symbol.nodes()) {
    Ref<Node> self(node);
    Outputs inputs;
    for (const NodeOutput& input : node->inputs) inputs.push_back(moved(input));
    Outputs outputs;
    if (!node->is_variable()) outputs = replace(self, inputs);
    if (outputs.empty()) outputs = outputs_of(inputs == node->inputs ? self : with_inputs(*node, std::move(inputs)));
    made[node] = std::move(outputs);
  }
  Outputs heads;
  for (const NodeOutput& output : symbol.outputs()) heads.push_back(moved(output));
  return Symbol(std::move(heads));
}

// Whether an application draws random numbers, in either case where `training` is left open.
inline bool is_random(const Node& node, std::optional<bool> training = {}) {
  auto draws = [&](bool mode) { return node.op->is_random(node.params->data(), mode); };
  return training ? draws(*training) : draws(false) || draws(true);
}

// The graph with its draws of random numbers numbered in the order of the nodes: passes change that, but the numbers
// that are drawn stay those of the operators run one by one.
inline Symbol with_numbered_draws(const Symbol& symbol, bool training) {
  int64_t next = 0;
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!is_random(*node, training)) return {};
    Ref<Node> numbered = with_inputs(*node, inputs);
    numbered->attrs[std::string(kDrawKey)] = std::to_string(next++);
    return outputs_of(numbered);
  });
}
inline int64_t place_of_draw(const Node& node) {
  auto it = node.attrs.find(kDrawKey);
  return it == node.attrs.end() ? 0 : std::stoll(it->second);
}

// Whether an application is more than a function of its inputs: it draws random numbers, writes an input, has bodies.
inline bool has_state(const Node& node, std::optional<bool> training = {}) {
  if (is_random(node, training) || node.op->bind || !node.subgraphs.empty()) return true;
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.writes_input(i)) return true;
  return false;
}

// Nodes whose outputs the graph gives.
inline std::unordered_set<const Node*> heads_of(const Symbol& symbol) {
  std::unordered_set<const Node*> heads;
  for (const NodeOutput& output : symbol.outputs()) heads.insert(output.node.get());
  return heads;
}

// The value of a parameter, none if the operator has no such one.
inline Value field_value(const Node& node, std::string_view name) {
  for (const FieldSpec& field : node.op->fields)
    if (field.name == name) return field.get(node.params->data());
  return {};
}

// A new node: the first output of an operator applied to values.
inline NodeOutput call(const char* op_name, const std::string& name, Outputs inputs,
                       std::vector<std::pair<std::string, Value>> attrs = {}) {
  const Op& op = Registry::get().at(op_name);
  return apply({&op, make_params(op, attrs), name, {}, std::move(inputs), {}}).outputs()[0];
}

// The graph with other values in the place of some: `find(value)` gives the new one, or a null node to keep it.
template <class Find>
Symbol substitute(const Symbol& symbol, Find&& find) {
  std::unordered_map<const Node*, Ref<Node>> made;
  auto moved = [&](const NodeOutput& from) {
    NodeOutput found = find(from);
    return found.node ? found : NodeOutput{made.at(from.node.get()), from.index};
  };
  for (Node* node : symbol.nodes()) {
    Outputs inputs;
    for (const NodeOutput& input : node->inputs) inputs.push_back(moved(input));
    made[node] = inputs == node->inputs ? Ref<Node>(node) : with_inputs(*node, std::move(inputs));
  }
  Outputs heads;
  for (const NodeOutput& output : symbol.outputs()) heads.push_back(moved(output));
  return Symbol(std::move(heads));
}

// The graph with operators writing into copies of their inputs, so that running it changes nothing else.
inline Symbol without_writes(const Symbol& symbol) {
  return rewrite(symbol, [](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    Outputs changed = inputs;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (node->writes_input(i)) changed[i] = call("_copy", node->name, {inputs[i]});
    return changed == inputs ? Outputs() : outputs_of(with_inputs(*node, std::move(changed)));
  });
}

// The same with parameters at hand; `slots` are the places of the inputs among the operator's.
inline Ref<Node> call(const char* op_name, const std::string& name, ParamsRef params, Outputs inputs,
                      std::vector<int> slots) {
  auto node = make_ref<Node>();
  node->op = &Registry::get().at(op_name);
  node->params = std::move(params);
  node->name = name;
  node->inputs = std::move(inputs);
  node->slots = std::move(slots);
  return node;
}

template <class P>
const P& params_of(const Node& node) {
  return *static_cast<const P*>(node.params->data());
}

}  // namespace mxnet

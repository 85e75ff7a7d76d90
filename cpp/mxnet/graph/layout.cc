// Channels-last propagation. Each value may exist in two forms, channels-first as the graph says and channels-last;
// the one that is missing is made by a transposition when it is first asked for. Nodes that have a channels-last form
// use it if they gain by it or if one of their inputs is channels-last already. Such nodes make islands; those that
// gain less than the transpositions at their shores cost are given up.
#include "mxnet/graph/layout.h"

#include <numeric>

#include "mxnet/graph/layout_rules.h"
#include "mxnet/ops/shape.h"

namespace mxnet {
namespace {

// What one more node costs, in moved elements.
constexpr double kNodeCost = 1000;

std::vector<int> to_last(int rank) {
  std::vector<int> axes{0};
  for (int i = 2; i < rank; ++i) axes.push_back(i);
  axes.push_back(1);
  return axes;
}
std::vector<int> to_first(int rank) {
  std::vector<int> axes{0, rank - 1};
  for (int i = 1; i < rank - 1; ++i) axes.push_back(i);
  return axes;
}

class Propagation {
 public:
  Propagation(const Symbol& symbol, const VariableSpecs& variables)
      : symbol_(symbol), graph_(symbol_), specs_(infer_values(graph_, variables)), island_(graph_.nodes().size()) {
    std::iota(island_.begin(), island_.end(), 0);
  }

  Symbol run() {
    if (!mark()) return symbol_;
    join_islands();
    give_up_poor_islands();
    return rewrite();
  }

 private:
  // The two forms of a value; which exist before and after the pass.
  struct Value {
    NodeOutput first, last;
    bool is_last = false;  // made channels-last
    bool twin = false;     // the graph has it in the other form already
  };

  bool mark();
  void join_islands();
  void give_up_poor_islands();
  Symbol rewrite();

  const Node& node(size_t i) const { return *graph_.nodes()[i]; }
  int value_of(const NodeOutput& output) const { return graph_.value_of(output); }
  const Shape& shape(int value) const { return specs_[value].shape; }
  bool is_last(const NodeOutput& output) const { return values_[value_of(output)].is_last; }
  // Whether the transposition of a value moves no element.
  bool is_free(int value) const {
    const Shape& s = shape(value);
    return s[1] == 1 || s.product(2, s.ndim()) == 1;
  }
  double cost(int value) const { return is_free(value) ? 0 : static_cast<double>(shape(value).size()) + kNodeCost; }
  // Whether a node is a transposition of its input between the two forms, by the axes of `order`.
  bool transposes(size_t i, std::vector<int> (*order)(int)) const;
  int find(int i) {
    while (island_[i] != i) i = island_[i] = island_[island_[i]];
    return i;
  }

  NodeOutput first(const NodeOutput& output);
  NodeOutput last(const NodeOutput& output);
  NodeOutput reordered(const NodeOutput& from, const NodeOutput& original, bool to_channels_last) const;
  void convert(size_t i);
  void keep(size_t i);

  Symbol symbol_;
  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  std::vector<std::optional<LastForm>> forms_;  // of the marked nodes
  std::vector<Value> values_;
  std::vector<int> island_;
};

bool Propagation::transposes(size_t i, std::vector<int> (*order)(int)) const {
  const Node& n = node(i);
  if (n.is_variable() || n.op->name != "transpose") return false;
  int rank = shape(value_of(n.inputs[0])).ndim();
  return rank >= 3 && rank <= 5 &&
         permutation(*static_cast<const TransposeParams*>(n.params->data()), rank) == order(rank);
}

// Finds the nodes to be made channels-last; false if there are none.
bool Propagation::mark() {
  bool any = false;
  values_.resize(graph_.num_values());
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& n = node(i);
    forms_.emplace_back();
    if (n.is_variable() || !n.subgraphs.empty()) continue;
    size_t first = graph_.first_value(i);
    values_[first].twin = transposes(i, to_first);
    Specs in, out;
    for (const NodeOutput& input : n.inputs) in.push_back(specs_[value_of(input)]);
    for (int k = 0; k < n.num_outputs(); ++k) out.push_back(specs_[first + k]);
    std::optional<LastForm> form = last_form(n, in, out);
    if (!form) continue;
    bool wanted = form->seeks;
    for (size_t k = 0; k < n.inputs.size(); ++k) wanted |= form->in[k] && is_last(n.inputs[k]);
    if (!wanted) continue;
    for (size_t k = 0; k < out.size(); ++k) values_[first + k].is_last = form->out[k];
    forms_.back() = std::move(form);
    any = true;
  }
  return any;
}

void Propagation::join_islands() {
  for (size_t i = 0; i < forms_.size(); ++i) {
    if (!forms_[i]) continue;
    for (size_t k = 0; k < node(i).inputs.size(); ++k) {
      const NodeOutput& input = node(i).inputs[k];
      if (forms_[i]->in[k] && is_last(input))
        island_[find(graph_.number_of(input.node.get()))] = find(static_cast<int>(i));
    }
  }
}

void Propagation::give_up_poor_islands() {
  std::vector<double> gain(forms_.size());
  std::vector<bool> brought(values_.size()), taken(values_.size());
  auto take = [&](const NodeOutput& output) {
    size_t value = value_of(output);
    if (!is_last(output) || taken[value]) return;
    taken[value] = true;
    gain[find(graph_.number_of(output.node.get()))] -= cost(static_cast<int>(value));
  };
  for (size_t i = 0; i < forms_.size(); ++i) {
    const auto& inputs = node(i).inputs;
    double& own = gain[find(static_cast<int>(i))];
    if (forms_[i]) own += forms_[i]->gain;
    for (size_t k = 0; k < inputs.size(); ++k) {
      size_t value = value_of(inputs[k]);
      if (!forms_[i] || !forms_[i]->in[k]) {
        if (!transposes(i, to_last)) take(inputs[k]);
      } else if (!is_last(inputs[k]) && !values_[value].twin && !brought[value]) {
        brought[value] = true;
        own -= cost(static_cast<int>(value));
      }
    }
  }
  for (const NodeOutput& head : symbol_.outputs()) take(head);
  for (size_t i = 0; i < forms_.size(); ++i) {
    if (!forms_[i] || gain[find(static_cast<int>(i))] > 0) continue;
    forms_[i].reset();
    for (int k = 0; k < node(i).num_outputs(); ++k) values_[graph_.first_value(i) + k].is_last = false;
  }
}

NodeOutput Propagation::reordered(const NodeOutput& from, const NodeOutput& original, bool to_channels_last) const {
  int value = value_of(original);
  std::string name = original.node->name + (to_channels_last ? "_channels_last" : "_channels_first");
  const Shape& s = shape(value);
  if (is_free(value)) return call("Reshape", name, {from}, {{"shape", to_channels_last ? channels_last_shape(s) : s}});
  Shape axes;
  for (int axis : (to_channels_last ? to_last : to_first)(s.ndim())) axes.push_back(axis);
  return call("transpose", name, {from}, {{"axes", axes}});
}

NodeOutput Propagation::first(const NodeOutput& output) {
  Value& value = values_[value_of(output)];
  if (!value.first.node) value.first = reordered(value.last, output, false);
  return value.first;
}
NodeOutput Propagation::last(const NodeOutput& output) {
  Value& value = values_[value_of(output)];
  if (!value.last.node) value.last = reordered(value.first, output, true);
  return value.last;
}

void Propagation::convert(size_t i) {
  const Node& n = node(i);
  Outputs inputs;
  for (size_t k = 0; k < n.inputs.size(); ++k)
    inputs.push_back(forms_[i]->in[k] ? last(n.inputs[k]) : first(n.inputs[k]));
  Outputs outputs = forms_[i]->make(n, inputs);
  for (size_t k = 0; k < outputs.size(); ++k) {
    Value& value = values_[graph_.first_value(i) + k];
    (forms_[i]->out[k] ? value.last : value.first) = outputs[k];
  }
}

void Propagation::keep(size_t i) {
  const Node& n = node(i);
  Value* made = &values_[graph_.first_value(i)];
  if (transposes(i, to_last) && values_[value_of(n.inputs[0])].last.node) {
    made->first = last(n.inputs[0]);
    return;
  }
  Outputs inputs;
  for (const NodeOutput& input : n.inputs) inputs.push_back(first(input));
  if (made->twin) made->last = inputs[0];
  Ref<Node> self(graph_.nodes()[i]);
  for (const NodeOutput& output : outputs_of(inputs == n.inputs ? self : with_inputs(n, inputs)))
    made++->first = output;
}

Symbol Propagation::rewrite() {
  for (size_t i = 0; i < forms_.size(); ++i) forms_[i] ? convert(i) : keep(i);
  Outputs heads;
  for (const NodeOutput& output : symbol_.outputs()) {
    NodeOutput head = first(output);
    // What was a transposition may now be a value that another output is as well.
    bool replaced =
        transposes(graph_.number_of(output.node.get()), to_last) && head.node->op && head.node->op->name != "transpose";
    heads.push_back(replaced ? call("_copy", output.node->name, {head}) : head);
  }
  return Symbol(std::move(heads));
}

}  // namespace

Symbol channels_last(const Symbol& symbol, const VariableSpecs& variables) {
  return Propagation(symbol, variables).run();
}

}  // namespace mxnet

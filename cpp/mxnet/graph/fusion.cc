#include "mxnet/graph/fusion.h"

#include <algorithm>
#include <set>

#include "mxnet/graph/rewrite.h"
#include "mxnet/graph/units.h"
#include "mxnet/ops/pointwise_program.h"

namespace mxnet {
namespace {

// Limits of one group, so that the blocks of its values stay in the first-level cache.
constexpr size_t kMostInstructions = 64, kMostInputs = 24, kMostOutputs = 12;

class Fusion {
 public:
  Fusion(const Symbol& symbol, const VariableSpecs& variables)
      : symbol_(symbol), graph_(symbol), specs_(infer_values(graph_, variables)), units_(graph_) {
    for (const NodeOutput& output : symbol.outputs()) heads_.insert(graph_.value_of(output));
    readers_.resize(graph_.num_values());
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      maker_of_.insert(maker_of_.end(), static_cast<size_t>(graph_.nodes()[i]->num_outputs()), static_cast<int>(i));
      fusable_.push_back(is_fusable(i));
      for (const NodeOutput& input : graph_.nodes()[i]->inputs)
        readers_[graph_.value_of(input)].push_back(static_cast<int>(i));
    }
  }

  Symbol run() {
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      if (!fusable_[i]) continue;
      for (const NodeOutput& input : graph_.nodes()[i]->inputs) {
        int producer = graph_.number_of(input.node.get());
        if (fusable_[producer] && shape(producer) == shape(i)) try_merge(producer, static_cast<int>(i));
      }
    }
    return rebuilt();
  }

 private:
  // What a group reads and what others need of it, as numbers of values.
  struct Border {
    std::vector<int> inputs, outputs;
  };

  const Node& node(size_t number) const { return *graph_.nodes()[number]; }
  const Shape& shape(size_t number) const { return specs_[graph_.first_value(number)].shape; }

  bool is_fusable(size_t number) const {
    const Node& n = node(number);
    const PointwiseOp* pointwise = n.is_variable() ? nullptr : find_pointwise(*n.op);
    if (!pointwise || has_state(n) || n.num_outputs() != 1 || n.inputs.empty()) return false;
    const TensorSpec& result = specs_[graph_.first_value(number)];
    for (const NodeOutput& input : n.inputs) {
      const Shape& operand = specs_[graph_.value_of(input)].shape;
      bool broadcasts =
          pointwise->operands == Operands::broadcast && broadcast_shape(operand, result.shape) == result.shape;
      if (!(operand == result.shape) && !broadcasts) return false;
    }
    return pointwise->loop(n.params->data(), result.dtype).loop != nullptr;
  }

  Border border_of(const std::vector<int>& members) const {
    Border border;
    auto inside = [&](int number) { return std::binary_search(members.begin(), members.end(), number); };
    for (int member : members) {
      for (const NodeOutput& input : node(member).inputs) {
        int value = graph_.value_of(input);
        bool known = std::find(border.inputs.begin(), border.inputs.end(), value) != border.inputs.end();
        if (!known && !inside(graph_.number_of(input.node.get()))) border.inputs.push_back(value);
      }
      int value = graph_.first_value(member);
      const std::vector<int>& readers = readers_[value];
      if (heads_.contains(value) || !std::all_of(readers.begin(), readers.end(), inside))
        border.outputs.push_back(value);
    }
    return border;
  }

  // Whether a producer that waits for what its reader reads besides would keep more arrays alive than it makes: sums
  // over the steps of an unrolled network are better taken step by step.
  bool would_hold_inputs(const std::vector<int>& producer, const std::vector<int>& reader) const {
    int ready = -1;  // the last operator of its own kernel that the reader waits for
    for (int value : border_of(reader).inputs) {
      int maker = maker_of_[value];
      if (!node(maker).is_variable() && !fusable_[maker]) ready = std::max(ready, maker);
    }
    if (ready < producer.back()) return false;
    auto within = [&](int number) {
      return std::binary_search(producer.begin(), producer.end(), number) ||
             std::binary_search(reader.begin(), reader.end(), number);
    };
    int held = 0;
    for (int value : border_of(producer).inputs) {
      const std::vector<int>& readers = readers_[value];
      bool needed_later = node(maker_of_[value]).is_variable() || heads_.contains(value) ||
                          !std::all_of(readers.begin(), readers.end(), within);
      held += !needed_later && specs_[value].shape == shape(producer.back());
    }
    return held > 1;
  }

  void try_merge(int producer, int reader) {
    int first = units_.unit_of(producer), second = units_.unit_of(reader);
    if (first == second || would_hold_inputs(units_.members(first), units_.members(second))) return;
    std::vector<int> members;
    std::merge(units_.members(first).begin(), units_.members(first).end(), units_.members(second).begin(),
               units_.members(second).end(), std::back_inserter(members));
    if (members.size() > kMostInstructions) return;
    Border border = border_of(members);
    if (border.inputs.size() > kMostInputs || border.outputs.size() > kMostOutputs) return;
    units_.merge(first, second);
  }

  // The graph anew, unit by unit.
  Symbol rebuilt() {
    made_.resize(graph_.num_values());
    for (int unit : units_.order()) {
      const std::vector<int>& members = units_.members(unit);
      if (members.size() > 1)
        make_fused(members);
      else
        make_again(members[0]);
    }
    Outputs heads;
    for (const NodeOutput& output : symbol_.outputs()) heads.push_back(made_[graph_.value_of(output)]);
    return Symbol(std::move(heads));
  }

  void make_again(int number) {
    Ref<Node> self(graph_.nodes()[number]);
    Outputs inputs;
    for (const NodeOutput& input : self->inputs) inputs.push_back(made_[graph_.value_of(input)]);
    Ref<Node> again = inputs == self->inputs ? self : with_inputs(*self, std::move(inputs));
    for (int i = 0; i < again->num_outputs(); ++i) made_[graph_.first_value(number) + i] = {again, i};
  }

  void make_fused(const std::vector<int>& members) {
    Border border = border_of(members);
    std::unordered_map<int, std::string> names;
    Outputs inputs;
    for (int value : border.inputs) {
      names[value] = str("x", inputs.size());
      inputs.push_back(made_[value]);
    }
    std::string program;
    for (size_t i = 0; i < members.size(); ++i) {
      std::vector<std::string> operands;
      for (const NodeOutput& input : node(members[i]).inputs) operands.push_back(names.at(graph_.value_of(input)));
      program += (i ? "; " : "") + instruction_text(*node(members[i]).op, node(members[i]).params, operands);
      names[graph_.first_value(members[i])] = str("t", i);
    }
    for (size_t i = 0; i < border.outputs.size(); ++i) program += (i ? ", " : " -> ") + names.at(border.outputs[i]);

    const Op& op = Registry::get().at("_fused_pointwise");
    ParamsRef params =
        make_params(op, {{"num_args", static_cast<int64_t>(inputs.size())}, {"program", Value(program)}});
    const Node& last = node(members.back());
    Symbol fused = apply({&op, params, last.name, {}, std::move(inputs), {}, last.origin});
    for (size_t i = 0; i < border.outputs.size(); ++i) made_[border.outputs[i]] = fused.outputs()[i];
  }

  const Symbol& symbol_;
  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  Units units_;
  std::set<int> heads_;                    // values
  std::vector<std::vector<int>> readers_;  // nodes that read a value
  std::vector<int> maker_of_;              // the node that makes a value
  std::vector<bool> fusable_;
  Outputs made_;  // in the new graph, by value
};

}  // namespace

Symbol fuse_pointwise(const Symbol& symbol, const VariableSpecs& variables) { return Fusion(symbol, variables).run(); }

}  // namespace mxnet

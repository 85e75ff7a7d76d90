#include "mxnet/graph/segments.h"

#include <algorithm>
#include <map>
#include <unordered_set>

#include "mxnet/graph/compiled_graph.h"
#include "mxnet/graph/rewrite.h"

namespace mxnet {
namespace {

// A segment of fewer operators is not worth the call.
constexpr size_t kSmallestSegment = 2;

// An operator that is composed of others is compiled by its parts.
bool runs_alone(const Node& node) {
  bool composed = node.op && node.op->compose && node.subgraphs.empty();
  return looks_at_contents(node) || !(composed || can_compile(node));
}

// Random numbers are drawn in the order of the nodes, and what Python and the bodies of loops do happens in it.
bool has_effects(const Node& node) { return node.op && (is_random(node) || node.op->bind || !node.subgraphs.empty()); }

GraphPart operator_part(const NumberedGraph& graph, int node, int level) {
  GraphPart part{{node}, level, {}, graph.reads(node), {}};
  for (int k = 0; k < graph.nodes()[node]->num_visible(); ++k) part.makes.push_back(graph.first_value(node) + k);
  return part;
}

class Cutter {
 public:
  Cutter(const NumberedGraph& graph, const std::vector<int>& heads)
      : graph_(graph), nodes_(graph.nodes()), alone_(nodes_.size()), after_(nodes_.size()), levels_(nodes_.size()) {
    for (size_t i = 0; i < nodes_.size(); ++i) alone_[i] = runs_alone(*nodes_[i]);
    for (const Node* node : nodes_)
      for (size_t i = 0; i < node->inputs.size(); ++i)
        if (node->writes_input(i)) written_.insert(node->inputs[i].node.get());
    order_effects();
    find_levels();
    find_crossing(heads);
  }

  std::vector<GraphPart> run() const {
    size_t count = nodes_.empty() ? 0 : static_cast<size_t>(*std::max_element(levels_.begin(), levels_.end())) + 1;
    std::vector<std::vector<int>> together(count), alone(count);
    for (size_t i = 0; i < nodes_.size(); ++i)
      if (!nodes_[i]->is_variable()) (alone_[i] ? alone : together)[levels_[i]].push_back(static_cast<int>(i));
    std::vector<GraphPart> parts;
    for (int level = 0; level < static_cast<int>(count); ++level) {
      if (together[level].size() >= kSmallestSegment)
        parts.push_back(segment_part(std::move(together[level]), level));
      else
        alone[level].insert(alone[level].begin(), together[level].begin(), together[level].end());
      for (int node : alone[level]) parts.push_back(operator_part(graph_, node, level));
    }
    return parts;
  }

 private:
  bool order_matters(const Node& node) const {
    return has_effects(node) || std::any_of(node.inputs.begin(), node.inputs.end(), [&](const NodeOutput& input) {
             return written_.contains(input.node.get());
           });
  }

  // For each node those that it must not run before, beside the ones whose values it reads.
  void order_effects() {
    std::unordered_map<const Node*, int> last_use;  // of what is written; of random numbers and the like, under null
    for (int i = 0; i < static_cast<int>(nodes_.size()); ++i) {
      auto follow = [&](const Node* used) {
        auto [it, first] = last_use.try_emplace(used, i);
        if (!first && it->second != i) after_[i].push_back(std::exchange(it->second, i));
      };
      if (has_effects(*nodes_[i])) follow(nullptr);
      for (const NodeOutput& input : nodes_[i]->inputs)
        if (written_.contains(input.node.get())) follow(input.node.get());
    }
  }

  template <class F>
  void for_each_before(size_t i, F&& f) const {
    for (const NodeOutput& input : nodes_[i]->inputs) f(graph_.number_of(input.node.get()));
    for (int before : after_[i]) f(before);
  }

  // A level is a segment and the operators on their own that wait for it alone; the next one waits for these.
  void find_levels() {
    std::vector<int> first_reader(nodes_.size(), -1);  // the lowest level of those who wait for a node
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for_each_before(
          i, [&](int before) { levels_[i] = std::max(levels_[i], levels_[before] + (!alone_[i] && alone_[before])); });
      for_each_before(i, [&](int before) {
        int& first = first_reader[before];
        first = first < 0 ? levels_[i] : std::min(first, levels_[i]);
      });
    }
    // Constants are made where they are read.
    for (size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i]->inputs.empty() && !has_effects(*nodes_[i])) levels_[i] = std::max(0, first_reader[i]);
  }

  // Values that other parts read, or that leave the graph.
  void find_crossing(const std::vector<int>& heads) {
    crosses_.resize(graph_.num_values());
    for (int head : heads) crosses_[head] = true;
    for (size_t i = 0; i < nodes_.size(); ++i)
      for (const NodeOutput& input : nodes_[i]->inputs) {
        int maker = graph_.number_of(input.node.get());
        if (alone_[i] || alone_[maker] || levels_[i] != levels_[maker]) crosses_[graph_.value_of(input)] = true;
      }
  }

  GraphPart segment_part(std::vector<int> numbers, int level) const {
    GraphPart part{std::move(numbers), level, {}, {}, {}};
    std::unordered_map<const Node*, Ref<Node>> made;
    std::unordered_map<const Node*, int> border;  // values of the segment's variables
    std::map<std::pair<const Node*, int>, int> value_of;
    std::unordered_map<int, NodeOutput> leaves;
    auto moved = [&](const NodeOutput& from) -> NodeOutput {
      if (auto it = made.find(from.node.get()); it != made.end()) return {it->second, from.index};
      int value = graph_.value_of(from);
      NodeOutput& leaf = leaves[value];
      if (!leaf.node) leaf = from.node->is_variable() ? from : make_variable(str("cut", value)).outputs()[0];
      border[leaf.node.get()] = value;
      return leaf;
    };
    Outputs heads;
    std::vector<Ref<Node>> ordered;
    for (int number : part.nodes) {
      Ref<Node> node(nodes_[number]);
      Outputs inputs;
      for (const NodeOutput& input : node->inputs) inputs.push_back(moved(input));
      Ref<Node> copy = inputs == node->inputs ? node : with_inputs(*node, std::move(inputs));
      made[node.get()] = copy;
      if (order_matters(*node)) ordered.push_back(copy);
      for (int k = 0; k < node->num_outputs(); ++k) {
        int value = graph_.first_value(number) + k;
        value_of[{copy.get(), k}] = value;
        if (crosses_[value]) heads.push_back({copy, k});
      }
    }
    part.segment = Symbol(heads_in_order(std::move(heads), ordered));
    for (const Node* variable : part.segment.inputs()) part.reads.push_back(border.at(variable));
    for (const NodeOutput& head : part.segment.outputs())
      part.makes.push_back(value_of.at({head.node.get(), head.index}));
    return part;
  }

  // A symbol lists its nodes as its outputs need them, which may be another order than that of the graph it was cut
  // from. Outputs of those whose order matters, put first, keep it.
  static Outputs heads_in_order(Outputs heads, const std::vector<Ref<Node>>& ordered) {
    std::unordered_map<const Node*, size_t> place;
    for (const Ref<Node>& node : ordered) place.emplace(node.get(), place.size());
    size_t next = 0;
    bool same = true;
    for (const Node* node : Symbol(heads).nodes())
      if (auto it = place.find(node); it != place.end()) same = same && it->second == next++;
    if (same) return heads;
    Outputs first;
    for (const Ref<Node>& node : ordered) first.push_back({node, 0});
    for (NodeOutput& head : heads)
      if (std::find(first.begin(), first.end(), head) == first.end()) first.push_back(std::move(head));
    return first;
  }

  const NumberedGraph& graph_;
  const std::vector<Node*>& nodes_;
  std::vector<bool> alone_;
  std::unordered_set<const Node*> written_;
  std::vector<std::vector<int>> after_;
  std::vector<int> levels_;
  std::vector<bool> crosses_;  // values
};

}  // namespace

bool looks_at_contents(const Node& node) { return node.op && node.op->name == "_contrib_boolean_mask"; }

std::vector<GraphPart> cut_into_parts(const NumberedGraph& graph, const std::vector<int>& heads) {
  return Cutter(graph, heads).run();
}

std::vector<GraphPart> cut_into_operators(const NumberedGraph& graph) {
  std::vector<GraphPart> parts;
  for (size_t i = 0; i < graph.nodes().size(); ++i)
    if (!graph.nodes()[i]->is_variable()) parts.push_back(operator_part(graph, static_cast<int>(i), 0));
  return parts;
}

}  // namespace mxnet

#include "mxnet/graph/from_tape.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace mxnet {
namespace {

class TapeReader {
 public:
  NodeOutput output_of(TapeEntry* entry) {
    if (!entry->node) return leaf(entry);
    if (!outputs_.contains(entry->node.get()))
      for (TapeNode* node : nodes_below(entry->node.get())) read(*node);
    return outputs_.at(entry->node.get()).at(entry->index);
  }

 private:
  NodeOutput variable() { return make_variable(str("var", variables_++)).outputs()[0]; }

  NodeOutput leaf(TapeEntry* entry) {
    auto [it, fresh] = leaves_.try_emplace(entry);
    if (fresh) it->second = variable();
    return it->second;
  }

  // An array that no gradient flows to: the same one wherever its memory is read.
  NodeOutput constant(const NDArray& array) {
    for (const auto& [known, output] : constants_)
      if (same_memory(known, array) && known.shape() == array.shape()) return output;
    return constants_.emplace_back(array, variable()).second;
  }

  // Oldest first, so that each comes after the nodes it reads; without recursion, since tapes are long.
  static std::vector<TapeNode*> nodes_below(TapeNode* last) {
    std::vector<TapeNode*> order{last};
    std::unordered_set<TapeNode*> seen{last};
    for (size_t i = 0; i < order.size(); ++i)
      for (const Ref<TapeEntry>& edge : order[i]->edges)
        if (edge && edge->node && seen.insert(edge->node.get()).second) order.push_back(edge->node.get());
    std::sort(order.begin(), order.end(), [](TapeNode* a, TapeNode* b) { return a->sequence < b->sequence; });
    return order;
  }

  void read(const TapeNode& node) {
    if (outputs_.contains(&node)) return;
    if (node.released)
      fail(ErrorKind::runtime, "get_symbol: the record was given up by backward; use retain_graph=True");
    if (!node.op)
      fail(ErrorKind::not_implemented,
           "get_symbol: a compiled block or a Function was recorded, which no operator stands for");
    Application application{node.op, node.params, str("node_", outputs_.size()), {}, {}, {}, {}};
    for (size_t i = 0; i < node.edges.size(); ++i) {
      bool kept = i < node.inputs.size() && node.inputs[i].defined();
      if (TapeEntry* entry = node.edges[i].get())
        application.inputs.push_back(entry->node ? outputs_.at(entry->node.get()).at(entry->index) : leaf(entry));
      else
        application.inputs.push_back(kept ? constant(node.inputs[i]) : variable());
    }
    outputs_[&node] = apply(std::move(application)).outputs();
  }

  int variables_ = 0;
  std::unordered_map<TapeEntry*, NodeOutput> leaves_;
  std::vector<std::pair<NDArray, NodeOutput>> constants_;
  std::unordered_map<const TapeNode*, std::vector<NodeOutput>> outputs_;
};

}  // namespace

Symbol symbol_of_tape(const NDArray& array) {
  TapeEntry* entry = tape_entry(array);
  if (!entry) value_error("get_symbol: the array was not computed inside autograd.record()");
  return Symbol({TapeReader().output_of(entry)});
}

}  // namespace mxnet

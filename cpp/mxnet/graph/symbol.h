// Symbol: a computation that has not run yet - outputs of a graph of shared nodes.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mxnet/op/registry.h"

namespace mxnet {

class Node;
class Symbol;

// One output of a node.
struct NodeOutput {
  Ref<Node> node;
  int index = 0;

  bool operator==(const NodeOutput&) const = default;
};

using Attributes = std::map<std::string, std::string, std::less<>>;

// Attributes that programs name without the underscores around: lr_mult is kept as __lr_mult__.
inline constexpr std::string_view kHiddenKeys[] = {"ctx_group", "lr_mult", "wd_mult", "force_mirroring",
                                                   "mirror_stage"};
std::string stored_key(std::string_view key);

// Where a node was made, for errors; files do not keep it.
struct Origin {
  std::shared_ptr<const std::string> block;  // "net.features.3 (Conv2D net_conv3)"; null outside of blocks
  const std::string* file = nullptr;         // lives as long as the process
  int line = 0;
};

// A variable, or one application of an operator. Nodes are shared between symbols and do not change, but for
// their attributes.
class Node : public RefCounted {
 public:
  Node() = default;
  ~Node() override;

  bool is_variable() const { return op == nullptr; }
  int num_outputs() const;
  int num_visible() const;  // how many a caller sees
  // Whether the operator writes input i: it is then an auxiliary state.
  bool writes_input(size_t i) const;
  std::string output_name(int index) const;
  // Place of input i among the operator's.
  int slot(size_t i) const { return i < slots.size() ? slots[i] : static_cast<int>(i); }

  const Op* op = nullptr;
  ParamsRef params;
  std::string name;
  Attributes attrs;                // as text: parameters that were given, and free ones such as __lr_mult__
  std::vector<NodeOutput> inputs;  // without optional ones that were left out
  std::vector<int> slots;          // place of each input among the operator's
  std::vector<Symbol> subgraphs;   // bodies of a loop or branch
  Origin origin;
};

class Symbol {
 public:
  Symbol() = default;
  explicit Symbol(std::vector<NodeOutput> outputs) : outputs_(std::move(outputs)) {}

  const std::vector<NodeOutput>& outputs() const { return outputs_; }

  // Nodes below, each after its inputs.
  std::vector<Node*> nodes() const;
  // Variables in the order of nodes(); auxiliary states are those that an operator writes.
  std::vector<Node*> inputs() const;
  std::vector<std::string> list_arguments() const;
  std::vector<std::string> list_auxiliary_states() const;
  std::vector<std::string> list_inputs() const;
  std::vector<std::string> list_outputs() const;
  Symbol internals() const;  // every output of every node
  Symbol children() const;   // what the nodes of the outputs read

  // The same graph with other values in the place of variables.
  Symbol compose(const std::unordered_map<std::string, NodeOutput>& values) const;
  // A copy that shares no nodes.
  Symbol copy() const;

 private:
  std::vector<NodeOutput> outputs_;
};

Symbol make_variable(std::string name, Attributes attrs = {});

// What an operator is applied to: an undefined node stands for an input that was left out.
struct Application {
  const Op* op = nullptr;
  ParamsRef params;
  std::string name;
  Attributes attrs;
  std::vector<NodeOutput> inputs;
  std::vector<Symbol> subgraphs;
  Origin origin = {};
};

// The visible outputs of an application. Parameters that were left out become variables named after the node.
Symbol apply(Application application);
// Variables that the operator knows how to start, such as moving averages, get the attribute __init__ if they have
// none.
void set_starts(const Node& node);

// Name of input i of an application, as symbols tell it.
std::string input_name(const Op& op, const ParamsRef& params, int i);

// A graph cut out of the one around it: values made by nodes whose attribute __subgraph_name__ is not `scope` become
// variables.
struct Cutout {
  Symbol symbol;
  std::map<std::string, NodeOutput> outside;  // what each variable stands for in the graph around
};
Cutout cut_out(const Symbol& symbol, const std::string& scope);

// Whether the operator has input i under these parameters: a bias goes with no_bias=False.
bool has_input(const Op& op, const ParamsRef& params, int i);

// A graph with its nodes and their outputs numbered, for whoever walks over it.
class NumberedGraph {
 public:
  explicit NumberedGraph(const Symbol& symbol);

  const std::vector<Node*>& nodes() const { return nodes_; }
  int num_values() const { return first_.back(); }
  int first_value(size_t node) const { return first_[node]; }
  bool contains(const Node* node) const { return number_.contains(node); }
  int number_of(const Node* node) const { return number_.at(node); }
  int value_of(const NodeOutput& output) const { return first_[number_of(output.node.get())] + output.index; }
  // Numbers of the values a node reads, by place among the operator's inputs; -1 for one left out.
  std::vector<int> reads(size_t node) const;

 private:
  std::vector<Node*> nodes_;
  std::vector<int> first_;
  std::unordered_map<const Node*, int> number_;
};

}  // namespace mxnet

// Shapes and dtypes of a graph, from what is known of some of its values, forwards and backwards.
#pragma once
#include <string>
#include <vector>

#include "mxnet/graph/symbol.h"

namespace mxnet {

// Shapes and dtypes of a graph's variables.
using VariableSpecs = std::unordered_map<const Node*, TensorSpec>;

class GraphInference {
 public:
  // With `zero_is_unknown` an extent of 0 in __shape__ and in the shape of _zeros and its like is one that is not
  // known yet, as in MXNet 1.x.
  GraphInference(const NumberedGraph& graph, bool zero_is_unknown);

  // States what is known of a value; raises if it contradicts. Unknown parts say nothing.
  void know(int value, const TensorSpec& spec);
  // Infers until nothing more follows; raises where shapes or dtypes do not fit, naming the node.
  void run();
  // Variables of unknown dtype become float32; infers again.
  void default_dtypes();

  const TensorSpec& spec(int value) const { return specs_[value]; }
  const TensorSpec& spec(const NodeOutput& output) const { return specs_[graph_.value_of(output)]; }
  // Variables whose shape is not known: "name: (2, ?)", and who reads it without saying more.
  struct UnknownVariable {
    std::string text, reader;
  };
  std::vector<UnknownVariable> unknown_variables() const;

 private:
  struct Call;
  void read_attributes(const Node& node, TensorSpec& spec) const;
  bool step(size_t number);
  bool infer_partial(size_t number, Call& call);
  // Why the inference of a node could not go on.
  struct Problem {
    std::string text;  // empty if there is none
    bool of_types = false;
  };
  static std::vector<TensorSpec> completed(const Call& call, Problem& problem);
  static bool try_run(Call& call);
  static void agree(const std::vector<TensorSpec>& given, const Call& first, const Call& second, Call& call);
  bool guess_dtype(size_t number, const Call& call);
  bool dtype_from_output(size_t number, const Call& call);
  bool store(size_t number, const Call& call);
  void raise_postponed();
  std::string reading(const Node& node, const std::vector<int>& reads, size_t place) const;

  const NumberedGraph& graph_;
  bool zero_is_unknown_;
  std::vector<TensorSpec> specs_;
  std::vector<bool> done_;
  bool types_are_given(size_t number) const;
  std::vector<Problem> problems_;  // of nodes that could not be inferred yet
};

// Shapes and dtypes of all values of a graph, by number, where those of its variables are known; raises if some value
// remains unknown.
std::vector<TensorSpec> infer_values(const NumberedGraph& graph, const VariableSpecs& variables);

// Adds where it happened to the text of an error: " [node 'fc1' of net.fc (Dense net_dense0), made at train.py:12]".
std::string at_node(const Node& node, std::string_view text);

}  // namespace mxnet

// Writing graphs by calling operators: formulas over Expr become nodes instead of arrays.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "mxnet/graph/infer.h"
#include "mxnet/op/expr.h"

namespace mxnet {

// While a Tracer is in force, operators called in this thread become nodes. Shapes are known throughout, since formulas
// look at them; operators that are composed of others are taken apart.
class Tracer : public GraphBuilder {
 public:
  explicit Tracer(bool training) : state_({false, training, this}) {}

  // A value of a graph as the formulas see it, and back.
  static Expr expr(const NodeOutput& output, const TensorSpec& spec);
  static NodeOutput output_of(const Expr& expr);

  // What the next nodes are named after, and the attributes they get.
  void name_after(const Node& node) { origin_ = &node; }
  Arrays apply(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs) override;

 private:
  Arrays apply_composed(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs,
                        std::span<TensorSpec> specs);
  CallStateScope state_;
  const Node* origin_ = nullptr;
};

// The graph with operators that are composed of others taken apart.
Symbol expand(const Symbol& symbol, const VariableSpecs& variables);

struct GradientTask {
  std::vector<NodeOutput> heads;
  std::vector<NodeOutput> head_gradients;  // one for each head
  std::vector<Node*> variables;            // whose gradients are wanted
  bool composed = false;                   // by formulas of public operators, which have gradients of their own
  bool training = true;
};
// The gradients of the variables as a graph over the nodes of `symbol`, of which the heads are values; null nodes where
// they are zero.
std::vector<NodeOutput> gradients(const Symbol& symbol, const VariableSpecs& variables, const GradientTask& task);

}  // namespace mxnet

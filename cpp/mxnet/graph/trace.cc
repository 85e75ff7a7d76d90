#include "mxnet/graph/trace.h"

#include <algorithm>

#include "mxnet/graph/rewrite.h"

namespace mxnet {
namespace {

// A value's place in a graph, carried where an array has its place on the tape.
class GraphValue : public RefCounted {
 public:
  explicit GraphValue(NodeOutput output) : output_(std::move(output)) {}
  const NodeOutput& output() const { return output_; }

 private:
  NodeOutput output_;
};

NDArray array_of(const NodeOutput& output, const TensorSpec& spec) {
  NDArray array(Ref<Chunk>(), spec.shape, spec.dtype);
  array.tape = make_ref<GraphValue>(output);
  return array;
}

const GraphValue& value_of(const NDArray& array) {
  auto* value = dynamic_cast<GraphValue*>(array.tape.get());
  if (!value) fail(ErrorKind::not_implemented, "an array with contents cannot become part of a graph");
  return *value;
}

}  // namespace

Expr Tracer::expr(const NodeOutput& output, const TensorSpec& spec) { return array_of(output, spec); }
NodeOutput Tracer::output_of(const Expr& expr) {
  return expr.defined() ? value_of(expr.array()).output() : NodeOutput();
}

Arrays Tracer::apply(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs) {
  std::vector<TensorSpec> specs;
  for (const NDArray& a : inputs) specs.push_back({a.shape(), a.dtype(), static_cast<bool>(a.tape)});
  if (op.compose) return apply_composed(op, params, inputs, specs);
  std::vector<TensorSpec> out_specs = infer(op, params, specs);
  auto node = make_ref<Node>();
  node->op = &op;
  node->params = params;
  node->name = origin_ ? origin_->name : op.name;
  if (origin_)
    for (const auto& [key, value] : origin_->attrs)
      if (key.starts_with("__")) node->attrs[key] = value;  // the others are parameters
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].tape) continue;
    node->inputs.push_back(value_of(inputs[i]).output());
    node->slots.push_back(static_cast<int>(i));
  }
  Arrays outputs;
  for (int i = 0; i < node->num_visible(); ++i) outputs.push_back(array_of({node, i}, out_specs[i]));
  return outputs;
}

Arrays Tracer::apply_composed(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs,
                              std::span<TensorSpec> specs) {
  infer(op, params, specs);
  std::vector<Expr> arguments(inputs.begin(), inputs.end());
  Arrays outputs;
  for (const Expr& result : op.compose(params->data(), arguments)) outputs.push_back(result.array());
  return outputs;
}

Symbol expand(const Symbol& symbol, const VariableSpecs& variables) {
  NumberedGraph graph(symbol);
  auto composed = [](const Node* node) { return node->op && node->op->compose; };
  if (std::none_of(graph.nodes().begin(), graph.nodes().end(), composed)) return symbol;
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  Tracer tracer(false);
  return rewrite(symbol, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!composed(node.get())) return {};
    size_t count = inputs.empty() ? 0 : static_cast<size_t>(node->slot(inputs.size() - 1)) + 1;
    Arrays arguments(count);
    for (size_t i = 0; i < inputs.size(); ++i)
      arguments[node->slot(i)] = array_of(inputs[i], specs[graph.value_of(node->inputs[i])]);
    tracer.name_after(*node);
    Outputs outputs;
    for (const NDArray& a : tracer.apply(*node->op, node->params, arguments)) outputs.push_back(value_of(a).output());
    return outputs;
  });
}

// --- gradients ----------------------------------------------------------------------------------------

namespace {

// Walks a graph backwards, as autograd walks the tape.
class GraphGradient {
 public:
  GraphGradient(const Symbol& symbol, const VariableSpecs& variables, const GradientTask& task)
      : graph_(symbol), specs_(infer_values(graph_, variables)), task_(task), tracer_(task.training) {
    follow_variables();
    grads_.resize(graph_.num_values());
    for (size_t i = 0; i < task.heads.size(); ++i) {
      int head = graph_.value_of(task.heads[i]);
      if (on_path_[head]) accumulate(head, Tracer::expr(task.head_gradients[i], specs_[head]));
    }
  }

  std::vector<NodeOutput> run() {
    for (size_t i = graph_.nodes().size(); i-- > 0;)
      if (!graph_.nodes()[i]->is_variable()) step(i);
    std::vector<NodeOutput> results;
    for (Node* variable : task_.variables)
      results.push_back(Tracer::output_of(grads_[graph_.first_value(graph_.number_of(variable))]));
    return results;
  }

 private:
  // Marks the values that depend on the variables by way of operators with gradients.
  void follow_variables() {
    on_path_.resize(graph_.num_values());
    for (Node* variable : task_.variables) on_path_[graph_.first_value(graph_.number_of(variable))] = true;
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const Node& node = *graph_.nodes()[i];
      if (node.is_variable() || !node.op->differentiable()) continue;
      std::vector<int> reads = graph_.reads(i);
      bool reached = std::any_of(reads.begin(), reads.end(), [&](int v) { return v >= 0 && on_path_[v]; });
      for (int k = 0; k < node.num_outputs(); ++k) on_path_[graph_.first_value(i) + k] = reached;
    }
  }

  void accumulate(int value, const Expr& grad) {
    static const OpRef add("elemwise_add");
    grads_[value] = grads_[value].defined() ? add({grads_[value], grad}) : grad;
  }

  Expr expr(size_t number, int index) const {
    return Tracer::expr({Ref<Node>(graph_.nodes()[number]), index}, specs_[graph_.first_value(number) + index]);
  }

  void step(size_t number) {
    const Node& node = *graph_.nodes()[number];
    int first = graph_.first_value(number);
    std::span<const Expr> douts(grads_.data() + first, static_cast<size_t>(node.num_outputs()));
    if (std::none_of(douts.begin(), douts.end(), [](const Expr& e) { return e.defined(); })) return;
    std::vector<int> reads = graph_.reads(number);
    std::vector<Expr> in(reads.size()), out, dins(reads.size());
    std::vector<bool> needed(reads.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      int slot = node.slot(i), value = reads[slot];
      in[slot] = Tracer::expr(node.inputs[i], specs_[value]);
      needed[slot] = on_path_[value];
    }
    for (int k = 0; k < node.num_outputs(); ++k) out.push_back(expr(number, k));
    std::span<const TensorSpec> out_specs(specs_.data() + first, out.size());
    GradContext context(*node.op, node.params, in, out, out_specs, douts, dins, needed, task_.training);
    tracer_.name_after(node);
    bool fused = node.op->fast_gradient && !task_.composed;
    try {
      (fused ? node.op->fast_gradient : node.op->gradient)(node.params->data(), context);
    } catch (const Error& error) {
      throw Error(error.kind(), at_node(node, error.what()));
    }
    for (size_t i = 0; i < dins.size(); ++i)
      if (needed[i] && dins[i].defined()) accumulate(reads[i], dins[i]);
  }

  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  const GradientTask& task_;
  Tracer tracer_;
  std::vector<bool> on_path_;
  std::vector<Expr> grads_;
};

}  // namespace

std::vector<NodeOutput> gradients(const Symbol& symbol, const VariableSpecs& variables, const GradientTask& task) {
  return GraphGradient(symbol, variables, task).run();
}

}  // namespace mxnet

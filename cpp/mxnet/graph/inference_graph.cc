#include "mxnet/graph/inference_graph.h"

#include <map>
#include <unordered_set>

#include "mxnet/graph/passes.h"
#include "mxnet/graph/rewrite.h"

namespace mxnet {

struct InferenceGraph::Kept {
  struct Source {
    Ref<Chunk> chunk;
    int64_t byte_offset;
    uint64_t version;
    bool operator==(const Source&) const = default;
  };
  std::vector<Source> sources;
  Arrays values;
};

namespace {

// Nodes that depend on parameters alone, or on nothing.
std::unordered_set<const Node*> fixed_nodes(const Symbol& symbol, std::span<Node* const> inputs,
                                            const std::vector<bool>& fixed) {
  std::unordered_set<const Node*> found;
  for (size_t i = 0; i < inputs.size(); ++i)
    if (fixed[i]) found.insert(inputs[i]);
  for (Node* node : symbol.nodes()) {
    if (node->is_variable() || has_state(*node, false) || node->op->uses_training) continue;
    bool all = true;
    for (const NodeOutput& input : node->inputs) all = all && found.contains(input.node.get());
    if (all) found.insert(node);
  }
  return found;
}

}  // namespace

InferenceGraph::InferenceGraph(const Symbol& symbol, std::span<Node* const> inputs, VariableSpecs variables,
                               const std::vector<bool>& fixed) {
  std::unordered_set<const Node*> constant = fixed_nodes(symbol, inputs, fixed);
  NumberedGraph graph(symbol);
  std::vector<TensorSpec> specs = infer_values(graph, variables);
  std::map<std::pair<const Node*, int>, NodeOutput> border;
  std::vector<Node*> main_inputs(inputs.begin(), inputs.end());
  Outputs kept;
  Symbol main = substitute(symbol, [&](const NodeOutput& value) -> NodeOutput {
    // To make an array of one number, or of numbers in a row, takes no longer than to read it.
    if (value.node->is_variable() || value.node->inputs.empty() || !constant.contains(value.node.get())) return {};
    auto [it, fresh] = border.try_emplace({value.node.get(), value.index});
    if (fresh) {
      it->second = make_variable(str("kept", kept.size())).outputs()[0];
      variables[it->second.node.get()] = specs[graph.value_of(value)];
      main_inputs.push_back(it->second.node.get());
      kept.push_back(value);
    }
    return it->second;
  });
  // What is kept does not leave: each run gives arrays of its own.
  Outputs heads = main.outputs();
  for (NodeOutput& head : heads)
    if (head.node->is_variable() && !graph.contains(head.node.get())) head = call("_copy", head.node->name, {head});
  auto compile = [&](const Symbol& part, std::span<Node* const> part_inputs) {
    Symbol kernels = optimize(part, {false, variables, {}, OptimizeOptions::Stage::kernels});
    return std::make_unique<CompiledGraph>(kernels, part_inputs, variables, CompileOptions());
  };
  main_ = compile(Symbol(std::move(heads)), main_inputs);
  if (kept.empty()) return;
  Symbol before(std::move(kept));
  fixed_ = compile(before, inputs);
  std::unordered_set<const Node*> read;
  for (Node* node : before.inputs()) read.insert(node);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (read.contains(inputs[i])) fixed_inputs_.push_back(static_cast<int>(i));
}

InferenceGraph::~InferenceGraph() = default;

GraphReport InferenceGraph::report() const { return main_->report(); }

Arrays InferenceGraph::run(std::span<const NDArray> inputs, Context ctx) const {
  if (!fixed_) return main_->run(inputs, ctx);
  Arrays all(inputs.begin(), inputs.end());
  std::shared_ptr<const Kept> values = kept(inputs, ctx);
  all.insert(all.end(), values->values.begin(), values->values.end());
  return main_->run(all, ctx);
}

std::shared_ptr<const InferenceGraph::Kept> InferenceGraph::kept(std::span<const NDArray> inputs, Context ctx) const {
  std::vector<Kept::Source> sources;
  sources.reserve(fixed_inputs_.size());
  for (int i : fixed_inputs_)
    sources.push_back({inputs[i].chunk(), inputs[i].byte_offset(), inputs[i].var().version()});
  {
    std::lock_guard lock(mutex_);
    if (kept_ && kept_->sources == sources) return kept_;
  }
  auto made = std::make_shared<Kept>(Kept{std::move(sources), fixed_->run(inputs, ctx)});
  std::lock_guard lock(mutex_);
  return kept_ = made;
}

}  // namespace mxnet

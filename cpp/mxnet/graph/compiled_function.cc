#include "mxnet/graph/compiled_function.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <unordered_set>

#include "mxnet/graph/passes.h"
#include "mxnet/graph/program.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/graph/trace.h"

namespace mxnet {

// The compiled gradient for some of the outputs.
struct CompiledFunction::Gradient {
  // Where an input of the gradient's graph comes from.
  struct Source {
    enum class Kind : uint8_t { input, output, dout } kind;
    int index;
  };
  std::vector<Source> sources;
  std::unique_ptr<CompiledGraph> graph;
  std::unique_ptr<Program> program;  // in the place of `graph`, if it is to have gradients itself
  std::vector<int> outputs;          // by input of the function; -1 where the gradient is zero
  size_t num_outputs() const {
    return outputs.size() - static_cast<size_t>(std::count(outputs.begin(), outputs.end(), -1));
  }
};

// What one run leaves for its gradient.
struct CompiledFunction::Recorded {
  Arrays inputs, outputs;  // detached
  std::vector<uint64_t> input_versions, output_versions;
  Context ctx;
};

namespace {

bool recomputes() {
  const char* text = std::getenv("MXNET_BACKWARD_DO_MIRROR");
  return text && std::string_view(text) != "0";
}

bool is_cheap(const Node& node, bool training) { return !has_state(node, training) && !node.op->is_heavy; }

NodeOutput variable(std::string name) { return make_variable(std::move(name)).outputs()[0]; }

std::vector<NodeOutput> without_null(const std::vector<NodeOutput>& outputs) {
  std::vector<NodeOutput> found;
  std::copy_if(outputs.begin(), outputs.end(), std::back_inserter(found),
               [](const NodeOutput& output) { return static_cast<bool>(output.node); });
  return found;
}

uint64_t version_of(const NDArray& array) { return array.defined() ? array.var().version() : 0; }

}  // namespace

CompiledFunction::CompiledFunction(Symbol symbol, std::span<Node* const> inputs, VariableSpecs variables, bool training,
                                   const std::vector<bool>& wanted)
    : symbol_(std::move(symbol)),
      num_heads_(symbol_.outputs().size()),
      inputs_(inputs.begin(), inputs.end()),
      variables_(std::move(variables)),
      training_(training),
      written_(inputs.size()) {
  NumberedGraph graph(symbol_);
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (wanted[i] && graph.contains(inputs_[i])) wanted_.push_back(inputs_[i]);
  for (Node* node : graph.nodes())
    for (size_t i = 0; i < node->inputs.size(); ++i)
      if (node->writes_input(i))
        for (size_t k = 0; k < inputs_.size(); ++k)
          if (inputs_[k] == node->inputs[i].node.get()) written_[k] = true;
  if (!wanted_.empty()) choose_saved();
  std::vector<TensorSpec> specs = infer_values(NumberedGraph(symbol_), variables_);
  NumberedGraph final_graph(symbol_);
  for (size_t i = num_heads_; i < symbol_.outputs().size(); ++i)
    saved_specs_.push_back(specs[final_graph.value_of(symbol_.outputs()[i])]);
  Symbol kernels = optimize(symbol_, {training_, variables_, {}, OptimizeOptions::Stage::kernels});
  forward_ = std::make_unique<CompiledGraph>(
      kernels, inputs_, variables_,
      CompileOptions{.training = training_, .num_saved = static_cast<int>(symbol_.outputs().size() - num_heads_)});
}

CompiledFunction::~CompiledFunction() = default;

GraphReport CompiledFunction::report() const { return forward_->report(); }

// The gradients of the wanted inputs, last layers first, for those outputs whose gradients are given.
std::vector<NodeOutput> CompiledFunction::gradient_outputs(const Given& given, bool composed,
                                                           std::vector<NodeOutput>& head_gradients) const {
  GradientTask task{{}, {}, wanted_, composed, training_};
  NumberedGraph graph(symbol_);
  std::vector<TensorSpec> specs = infer_values(graph, variables_);
  head_gradients.resize(given.size());
  for (size_t i = 0; i < given.size(); ++i) {
    if (!given[i]) continue;
    const NodeOutput& head = symbol_.outputs()[i];
    head_gradients[i] = variable(str("gradient", i));
    task.heads.push_back(head);
    task.head_gradients.push_back(head_gradients[i]);
  }
  return gradients(symbol_, variables_, task);
}

// Takes the gradient of all heads, shares what it has in common with the graph, and finds what must be kept for it.
void CompiledFunction::choose_saved() {
  std::vector<NodeOutput> head_gradients;
  std::vector<NodeOutput> gradients = gradient_outputs(Given(num_heads_, true), false, head_gradients);
  std::vector<NodeOutput> joint = symbol_.outputs();
  for (const NodeOutput& gradient : without_null(gradients)) joint.push_back(gradient);
  Symbol shared(joint);
  if (pass_is_on("common")) shared = optimize(shared, {true, {}, {"common"}});
  std::vector<NodeOutput> heads(shared.outputs().begin(), shared.outputs().begin() + static_cast<int64_t>(num_heads_));
  size_t next = num_heads_;
  for (NodeOutput& gradient : gradients)
    if (gradient.node) gradient = shared.outputs()[next++];
  symbol_ = Symbol(heads);
  std::vector<NodeOutput> saved = values_to_save(gradients);
  heads.insert(heads.end(), saved.begin(), saved.end());
  symbol_ = Symbol(std::move(heads));
  Given given(num_heads_, true);
  given.resize(symbol_.outputs().size());
  gradients_[{given, false}] = make_gradient(gradients, head_gradients, false);
}

// The values of the graph that its gradient reads. Random numbers are kept in any case: they cannot be computed again
// for the gradient of a gradient.
std::vector<NodeOutput> CompiledFunction::values_to_save(const std::vector<NodeOutput>& gradients) const {
  std::unordered_set<const Node*> forward;
  for (Node* node : symbol_.nodes()) forward.insert(node);
  std::vector<NodeOutput> saved;
  std::set<std::pair<const Node*, int>> known;
  for (const NodeOutput& head : symbol_.outputs()) known.insert({head.node.get(), head.index});
  std::vector<NodeOutput> wanted;
  auto want = [&](const NodeOutput& value) {
    bool computed = !value.node->is_variable() && forward.contains(value.node.get());
    if (computed && known.insert({value.node.get(), value.index}).second) wanted.push_back(value);
  };
  Symbol all(without_null(gradients));
  for (Node* node : all.nodes())
    if (!forward.contains(node))
      for (const NodeOutput& input : node->inputs) want(input);
  for (const NodeOutput& gradient : all.outputs()) want(gradient);
  bool mirror = recomputes();
  while (!wanted.empty()) {
    NodeOutput value = std::move(wanted.back());
    wanted.pop_back();
    if (mirror && is_cheap(*value.node, training_))
      for (const NodeOutput& input : value.node->inputs) want(input);
    else
      saved.push_back(std::move(value));
  }
  for (Node* node : symbol_.nodes())
    if (node->op && is_random(*node, training_))
      for (int k = 0; k < node->num_outputs(); ++k)
        if (known.insert({node, k}).second) saved.push_back({Ref<Node>(node), k});
  return saved;
}

std::unique_ptr<CompiledFunction::Gradient> CompiledFunction::make_gradient(
    const std::vector<NodeOutput>& gradients, const std::vector<NodeOutput>& head_gradients, bool composed) const {
  using Kind = Gradient::Source::Kind;
  auto made = std::make_unique<Gradient>();
  NumberedGraph graph(symbol_);
  std::vector<TensorSpec> specs = infer_values(graph, variables_);
  std::unordered_map<const Node*, Gradient::Source> sources;
  VariableSpecs variables;
  std::map<std::pair<const Node*, int>, NodeOutput> kept;
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (auto spec = variables_.find(inputs_[i]); spec != variables_.end()) {
      sources[inputs_[i]] = {Kind::input, static_cast<int>(i)};
      variables[inputs_[i]] = spec->second;
    }
  for (size_t k = 0; k < symbol_.outputs().size(); ++k) {
    const NodeOutput& value = symbol_.outputs()[k];
    const TensorSpec& spec = specs[graph.value_of(value)];
    if (k < head_gradients.size() && head_gradients[k].node) {
      sources[head_gradients[k].node.get()] = {Kind::dout, static_cast<int>(k)};
      variables[head_gradients[k].node.get()] = spec;
    }
    if (value.node->is_variable()) continue;
    NodeOutput leaf = variable(str("kept", k));
    if (!kept.try_emplace({value.node.get(), value.index}, leaf).second) continue;
    sources[leaf.node.get()] = {Kind::output, static_cast<int>(k)};
    variables[leaf.node.get()] = spec;
  }
  // Last layers come first, so that what flows back is needed for a short time only.
  made->outputs.assign(inputs_.size(), -1);
  std::vector<NodeOutput> ordered;
  for (size_t w = wanted_.size(); w-- > 0;) {
    if (!gradients[w].node) continue;
    auto place = std::find(inputs_.begin(), inputs_.end(), wanted_[w]) - inputs_.begin();
    made->outputs[place] = static_cast<int>(ordered.size());
    ordered.push_back(gradients[w]);
  }
  Symbol cut = substitute(Symbol(ordered), [&](const NodeOutput& value) {
    auto it = kept.find({value.node.get(), value.index});
    return it == kept.end() ? NodeOutput() : it->second;
  });
  cut = without_writes(cut);
  std::vector<Node*> nodes = cut.inputs();
  for (Node* node : nodes) made->sources.push_back(sources.at(node));
  if (composed) {
    made->program = std::make_unique<Program>(cut, ProgramOptions{false, {}});
  } else {
    cut = optimize(cut, {training_, variables, {}, OptimizeOptions::Stage::kernels});
    made->graph = std::make_unique<CompiledGraph>(cut, nodes, variables, CompileOptions{.training = training_});
  }
  return made;
}

const CompiledFunction::Gradient& CompiledFunction::gradient_for(const Given& given, bool composed) const {
  std::lock_guard lock(mutex_);
  std::unique_ptr<const Gradient>& found = gradients_[{given, composed}];
  if (!found) {
    std::vector<NodeOutput> head_gradients;
    std::vector<NodeOutput> outputs = gradient_outputs(given, composed, head_gradients);
    found = make_gradient(outputs, head_gradients, composed);
  }
  return *found;
}

Arrays CompiledFunction::run(std::span<const NDArray> inputs, Context ctx) const {
  Arrays outputs = forward_->run(inputs, ctx);
  if (!call_state().recording || wanted_.empty()) return outputs;
  auto recorded = std::make_shared<Recorded>();
  recorded->ctx = ctx;
  for (const NDArray& a : inputs) {
    recorded->inputs.push_back(a.detached());
    recorded->input_versions.push_back(version_of(a));
  }
  for (const NDArray& a : outputs) {
    recorded->outputs.push_back(a.detached());
    recorded->output_versions.push_back(version_of(a));
  }
  outputs.resize(num_heads_);
  auto function = [self = shared_from_this(), recorded](const TapeNode::FunctionCall& call) {
    return self->backward(*recorded, call);
  };
  // A head that is an input itself keeps its place on the tape.
  Arrays places(outputs);
  record_function(std::move(function), inputs, places, saved_specs_);
  for (size_t i = 0; i < outputs.size(); ++i)
    if (!symbol_.outputs()[i].node->is_variable()) outputs[i].tape = places[i].tape;
  return outputs;
}

std::vector<Expr> CompiledFunction::backward(const Recorded& recorded, const TapeNode::FunctionCall& call) const {
  using Kind = Gradient::Source::Kind;
  Given given;
  for (const Expr& dout : call.douts) given.push_back(dout.defined());
  given.resize(symbol_.outputs().size());
  const Gradient& gradient = gradient_for(given, call.create_graph);
  auto check = [](const NDArray& array, uint64_t version) {
    if (version_of(array) != version)
      fail(ErrorKind::runtime, "backward: an array of shape ", array.shape(),
           " that the gradient of a graph needs was changed in place after the call; write into a copy instead");
  };
  Arrays arguments;
  for (const Gradient::Source& source : gradient.sources) {
    size_t i = static_cast<size_t>(source.index);
    if (source.kind == Kind::dout) {
      arguments.push_back(call.douts[i].array());
    } else if (source.kind == Kind::input) {
      if (!written_[i]) check(recorded.inputs[i], recorded.input_versions[i]);
      arguments.push_back(call.create_graph ? with_tape(recorded.inputs[i], call.node.edges[i]) : recorded.inputs[i]);
    } else {
      check(recorded.outputs[i], recorded.output_versions[i]);
      arguments.push_back(call.create_graph ? with_tape(recorded.outputs[i], call.node, source.index)
                                            : recorded.outputs[i]);
    }
  }
  Arrays results =
      call.create_graph ? gradient.program->run(arguments, recorded.ctx) : gradient.graph->run(arguments, recorded.ctx);
  std::vector<Expr> grads(inputs_.size());
  for (size_t i = 0; i < grads.size(); ++i)
    if (gradient.outputs[i] >= 0) grads[i] = results[static_cast<size_t>(gradient.outputs[i])];
  return grads;
}

}  // namespace mxnet

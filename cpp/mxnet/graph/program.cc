#include "mxnet/graph/program.h"

#include <algorithm>

#include "mxnet/graph/compiled_function.h"
#include "mxnet/graph/inference_graph.h"
#include "mxnet/graph/passes.h"
#include "mxnet/graph/plan.h"
#include "mxnet/graph/rewrite.h"
#include "mxnet/graph/step_graph.h"
#include "mxnet/graph/trace.h"

namespace mxnet {
namespace {

// So many kinds of calls are remembered; data of ever new shapes would fill the memory otherwise.
constexpr size_t kMaxVariants = 64;

const FieldSpec* shape_field(const Op& op) {
  for (const FieldSpec& field : op.fields)
    if (field.name == "shape") return &field;
  return nullptr;
}

// An operator without inputs whose shape has a 0.
bool has_open_shape(const Node& node) {
  const FieldSpec* field = node.op && node.op->inputs.empty() ? shape_field(*node.op) : nullptr;
  if (!field) return false;
  Value value = field->get(node.params->data());
  const Value::List* extents = value.get<Value::List>();
  return extents && std::find(extents->begin(), extents->end(), Value(0)) != extents->end();
}

ParamsRef with_shape(const Node& node, const Shape& shape) {
  std::vector<std::pair<std::string, Value>> attrs;
  for (const FieldSpec& field : node.op->fields) {
    Value value = field.get(node.params->data());
    if (field.name == "shape") value = shape;
    attrs.emplace_back(field.name, value);
  }
  return make_params(*node.op, attrs);
}

bool is_known(const TensorSpec& spec) { return spec.shape.known() && spec.dtype != DType::unknown; }

}  // namespace

struct Program::Variant {
  Signature signature;
  std::shared_ptr<const Executable> executable;
};

bool Program::Call::wants(size_t i) const {
  if (kind == Signature::Kind::record) return static_cast<bool>(inputs[i].tape);
  return step && step->grads[i].defined();
}

bool Program::Call::matches(const Signature& signature) const {
  if (signature.kind != kind || signature.training != training || signature.on_host != ctx.on_host()) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].dtype() != signature.specs[i].dtype || !(inputs[i].shape() == signature.specs[i].shape)) return false;
    if (wants(i) != signature.wanted[i]) return false;
  }
  if (!step) return true;
  return step->needs_finite == signature.needs_finite && signature.updates &&
         signature.updates->fits(step->updates, inputs, step->grads);
}

Program::Signature Program::Call::signature() const {
  Signature signature{kind, training, ctx.on_host(), {}, {}, {}, false};
  if (step) {
    signature.updates = UpdateLayout::of(step->updates, inputs, step->grads);
    signature.needs_finite = step->needs_finite;
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    signature.specs.push_back({inputs[i].shape(), inputs[i].dtype()});
    signature.wanted.push_back(wants(i));
  }
  return signature;
}

Program::Call Program::call_of(std::span<const NDArray> inputs, Context ctx) const {
  using Kind = Signature::Kind;
  const CallState& state = call_state();
  return {state.recording ? Kind::record : Kind::run, state.training, inputs, nullptr, ctx};
}

Program::Program(Symbol symbol, ProgramOptions options) : symbol_(std::move(symbol)), options_(std::move(options)) {
  variables_ = symbol_.inputs();
  for (Node* node : variables_) {
    names_.push_back(node->name);
    bool changes = std::find(options_.data.begin(), options_.data.end(), node->name) != options_.data.end();
    fixed_.push_back(!options_.data.empty() && !changes);
  }
  for (const NodeOutput& output : symbol_.outputs())
    if (output.index >= output.node->num_visible())
      value_error("output ", output.index, " of node '", output.node->name, "' is not visible");
}

Program::~Program() = default;

// The graph with shapes of 0 filled in; `known` tells whether all shapes and dtypes are known in advance.
Symbol Program::resolved(const Signature& signature, bool& known) const {
  NumberedGraph graph(symbol_);
  GraphInference inference(graph, options_.zero_is_unknown);
  for (size_t i = 0; i < variables_.size(); ++i)
    inference.know(graph.first_value(graph.number_of(variables_[i])), signature.specs[i]);
  inference.run();
  known = std::none_of(graph.nodes().begin(), graph.nodes().end(), [](Node* node) { return looks_at_contents(*node); });
  for (int value = 0; value < graph.num_values(); ++value) known = known && is_known(inference.spec(value));
  if (!options_.zero_is_unknown) return symbol_;
  return rewrite(symbol_, [&](const Ref<Node>& node, const Outputs& inputs) -> Outputs {
    if (!has_open_shape(*node)) return {};
    const Shape& shape = inference.spec(graph.first_value(graph.number_of(node.get()))).shape;
    if (!shape.known())
      value_error(
          at_node(*node, str(node->op->name, ": the extents of 0 in its shape cannot be inferred, got ", shape)));
    Ref<Node> filled = with_inputs(*node, inputs);
    filled->params = with_shape(*node, shape);
    return outputs_of(filled);
  });
}

// Inference changes weights, which is sure to be right only where all arrays are of one type.
bool Program::keeps_parameters(const Signature& signature) const {
  bool parameters = std::find(fixed_.begin(), fixed_.end(), true) != fixed_.end();
  bool alike = std::all_of(signature.specs.begin(), signature.specs.end(),
                           [](const TensorSpec& spec) { return spec.dtype == DType::float32; });
  return signature.kind == Signature::Kind::run && !signature.training && parameters && alike;
}

std::shared_ptr<const Executable> Program::compile(const Signature& signature, const TrainingStep* step) const {
  bool known = false;
  Symbol symbol = resolved(signature, known);
  VariableSpecs variables;
  for (size_t i = 0; i < variables_.size(); ++i) variables[variables_[i]] = signature.specs[i];
  if (known && signature.on_host) symbol = expand(symbol, variables);
  std::vector<Node*> nodes = symbol.nodes();
  bool compiles = known && signature.on_host &&
                  std::all_of(nodes.begin(), nodes.end(), [](Node* node) { return can_compile(*node); });
  bool keeps = compiles && keeps_parameters(signature);
  if (compiles) symbol = with_numbered_draws(symbol, signature.training);
  symbol = optimize(symbol, {!keeps, compiles ? variables : VariableSpecs(), {}, OptimizeOptions::Stage::graph});
  bool segments = signature.on_host && signature.kind != Signature::Kind::step;
  std::vector<bool> fixed = options_.data.empty() ? std::vector<bool>() : fixed_;
  if (!compiles)
    return std::make_shared<Plan>(symbol, variables_, PlanOptions{options_.zero_is_unknown, segments, known, fixed});
  if (keeps) return std::make_shared<InferenceGraph>(symbol, variables_, variables, fixed_);
  if (step)
    return std::make_shared<StepGraph>(symbol, variables_, variables, signature.wanted, *signature.updates, *step);
  return std::make_shared<CompiledFunction>(symbol, variables_, variables, signature.training, signature.wanted);
}

std::shared_ptr<const Executable> Program::executable(const Call& call) const {
  std::lock_guard lock(mutex_);
  for (auto it = variants_.begin(); it != variants_.end(); ++it) {
    if (!call.matches(it->signature)) continue;
    bool again = it == variants_.begin();
    variants_.splice(variants_.begin(), variants_, it);
    if (again && it->executable == by_operator_) it->executable = compile(it->signature, call.step);
    return it->executable;
  }
  Signature signature = call.signature();
  if (call.step && !signature.updates) return nullptr;
  std::shared_ptr<const Executable> made =
      options_.when_repeated ? operator_by_operator() : compile(signature, call.step);
  variants_.push_front({std::move(signature), made});
  if (variants_.size() > kMaxVariants) variants_.pop_back();
  return made;
}

std::shared_ptr<const Executable> Program::operator_by_operator() const {
  if (!by_operator_)
    by_operator_ = std::make_shared<Plan>(symbol_, variables_, PlanOptions{options_.zero_is_unknown, false, true, {}});
  return by_operator_;
}

void Program::check_inputs(std::span<const NDArray> inputs) const {
  if (inputs.size() != names_.size()) value_error("the graph takes ", names_.size(), " arrays, got ", inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined()) value_error("the graph's input '", names_[i], "' is missing");
}

Arrays Program::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor) const {
  check_inputs(inputs);
  Call call = call_of(inputs, ctx);
  if (!monitor) return executable(call)->run(inputs, ctx);
  // A monitor sees the graph as it was written.
  bool known = false;
  Symbol symbol = resolved(call.signature(), known);
  return Plan(symbol, variables_, PlanOptions{options_.zero_is_unknown, false, true, {}}).run(inputs, ctx, *monitor);
}

std::optional<Arrays> Program::run_step(std::span<const NDArray> inputs, const TrainingStep& step, Context ctx) const {
  check_inputs(inputs);
  if (step.grads.size() != inputs.size())
    value_error("the graph takes ", inputs.size(), " arrays for gradients, got ", step.grads.size());
  std::shared_ptr<const Executable> found = executable({Signature::Kind::step, true, inputs, &step, ctx});
  auto* graph = dynamic_cast<const StepGraph*>(found.get());
  return graph ? std::optional(graph->run(inputs, step, ctx)) : std::nullopt;
}

GraphReport Program::report() const {
  std::lock_guard lock(mutex_);
  return variants_.empty() ? GraphReport() : variants_.front().executable->report();
}

}  // namespace mxnet

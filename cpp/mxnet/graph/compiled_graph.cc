#include "mxnet/graph/compiled_graph.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "mxnet/graph/memory_plan.h"
#include "mxnet/graph/rewrite.h"

namespace mxnet {
namespace {

// Up to so many elements a graph runs in the caller: queueing costs more. Heavy operators count more.
constexpr int64_t kSmall = 32768;
constexpr int64_t kHeavyFactor = 4;

struct Step {
  const Node* node;
  size_t first_view;  // of its inputs, then its outputs
  size_t num_inputs, num_outputs;
  int random;  // number among the steps that draw random numbers; -1 for one that does not
  int update;  // number among the updates; -1 for one that is none
};

}  // namespace

bool can_compile(const Node& node) {
  if (node.is_variable()) return true;
  const Op& op = *node.op;
  return op.cpu_kernel() && !op.bind && node.subgraphs.empty() && op.lane == Lane::compute;
}

// One run under way: it may outlive the graph it came from.
struct CompiledGraph::Run {
  std::shared_ptr<const Body> body;
  Context ctx;
  Arrays inputs, outputs;
  NDArray saved;
  std::vector<ParamsRef> params;  // of the updates
  std::vector<RandomState> random;
  std::string where;
};

class CompiledGraph::Body {
 public:
  Body(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
       const CompileOptions& options);

  Run prepare(std::span<const NDArray> inputs, Context ctx, std::span<const NDArray> out,
              std::span<const ParamsRef> params) const;
  void take_outputs(Run& run, std::span<const NDArray> out) const;
  Arrays results(const Run& run, std::span<const NDArray> inputs) const;
  void list_vars(const Run& run, std::vector<Var*>& reads, std::vector<Var*>& writes) const;
  void execute(const Run& run) const;
  bool is_small() const { return elements_ <= kSmall; }
  int64_t bytes() const { return plan_.temporary_bytes + plan_.saved_bytes + output_bytes_; }
  size_t num_outputs() const { return results_.size(); }
  GraphReport report() const {
    return {static_cast<int64_t>(steps_.size()), plan_.temporary_bytes, plan_.unshared_bytes, plan_.saved_bytes, 1};
  }

 private:
  void add_step(size_t number);
  void order_draws();
  void add_view(int value);
  std::map<int, int> overwritten(std::span<const int> input_values) const;
  int update_of(const Node* node) const;
  char* base(const Run& run, const Place& place, char* temporary) const;
  void run_step(const Run& run, const Step& step, const TensorView* views) const;

  Symbol symbol_;  // keeps the nodes
  NumberedGraph graph_;
  std::vector<TensorSpec> specs_;
  MemoryPlan plan_;
  CompileOptions options_;
  std::vector<Step> steps_;
  std::vector<TensorView> views_;    // without addresses
  std::vector<int> view_places_;     // -1 for an input left out
  std::vector<int> results_;         // values
  std::vector<int> written_inputs_;  // inputs that a step writes
  std::vector<int64_t> draws_;       // of each step that draws random numbers
  std::vector<int> draw_order_;      // numbers of these steps in the order in which they draw
  int64_t elements_ = 0, output_bytes_ = 0;
};

CompiledGraph::Body::Body(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
                          const CompileOptions& options)
    : symbol_(symbol), graph_(symbol_), specs_(infer_values(graph_, variables)), options_(options) {
  std::vector<int> input_values;
  for (Node* node : inputs)
    input_values.push_back(graph_.contains(node) ? graph_.first_value(graph_.number_of(node)) : -1);
  for (const NodeOutput& output : symbol_.outputs()) results_.push_back(graph_.value_of(output));
  size_t num_outputs = results_.size() - static_cast<size_t>(options.num_saved);
  std::span<const int> all(results_);
  plan_ = plan_memory(
      {graph_, specs_, input_values, all.first(num_outputs), all.subspan(num_outputs), overwritten(input_values)});
  for (const Place& place : plan_.places)
    if (place.kind == Place::Kind::output) output_bytes_ += place.bytes;
  for (size_t i = 0; i < graph_.nodes().size(); ++i)
    if (!graph_.nodes()[i]->is_variable() && !plan_.no_kernel[i]) add_step(i);
  order_draws();
}

// Random numbers are drawn in the order of the nodes as the graph was written, whatever passes made of it.
void CompiledGraph::Body::order_draws() {
  std::vector<int64_t> places;
  for (const Step& step : steps_)
    if (step.random >= 0) places.push_back(place_of_draw(*step.node));
  draw_order_.resize(draws_.size());
  std::iota(draw_order_.begin(), draw_order_.end(), 0);
  std::stable_sort(draw_order_.begin(), draw_order_.end(), [&](int a, int b) { return places[a] < places[b]; });
}

std::map<int, int> CompiledGraph::Body::overwritten(std::span<const int> input_values) const {
  std::map<int, int> result;
  for (const UpdateNode& update : options_.updates)
    for (size_t k = 0; k < update.inputs.size(); ++k)
      result[results_[static_cast<size_t>(update.first_output) + k]] = input_values[update.inputs[k]];
  return result;
}

int CompiledGraph::Body::update_of(const Node* node) const {
  for (size_t u = 0; u < options_.updates.size(); ++u)
    if (symbol_.outputs()[options_.updates[u].first_output].node.get() == node) return static_cast<int>(u);
  return -1;
}

void CompiledGraph::Body::add_step(size_t number) {
  const Node& node = *graph_.nodes()[number];
  std::vector<int> reads = graph_.reads(number);
  int first = graph_.first_value(number), outputs = node.num_outputs();
  Step step{&node, views_.size(), reads.size(), static_cast<size_t>(outputs), -1, update_of(&node)};
  int64_t elements = 0, drawn = 1;
  for (size_t i = 0; i < reads.size(); ++i) {
    add_view(reads[i]);
    if (reads[i] < 0) continue;
    elements += specs_[reads[i]].shape.size();
    const Place& place = plan_.places[plan_.place_of[reads[i]]];
    if (place.kind == Place::Kind::input && node.op->writes_input(node.params->data(), i))
      written_inputs_.push_back(place.index);
  }
  for (int k = 0; k < outputs; ++k) {
    add_view(first + k);
    const Place& place = plan_.places[plan_.place_of[first + k]];
    if (place.kind == Place::Kind::input) written_inputs_.push_back(place.index);
    elements += specs_[first + k].shape.size();
    drawn += specs_[first + k].shape.size();
  }
  if (node.op->is_random(node.params->data(), options_.training)) {
    step.random = static_cast<int>(draws_.size());
    draws_.push_back(drawn);
  }
  elements_ += elements * (node.op->is_heavy ? kHeavyFactor : 1);
  steps_.push_back(step);
}

void CompiledGraph::Body::add_view(int value) {
  view_places_.push_back(value < 0 ? -1 : plan_.place_of[value]);
  views_.push_back(value < 0 ? TensorView{} : TensorView{nullptr, &specs_[value].shape, specs_[value].dtype});
}

// Arrays from outside in the place of outputs, unless the graph reads them too.
void CompiledGraph::Body::take_outputs(Run& run, std::span<const NDArray> out) const {
  for (size_t k = 0; k < out.size(); ++k) {
    const Place& place = plan_.places[plan_.place_of[results_[k]]];
    if (!out[k].defined() || place.kind != Place::Kind::output || run.outputs[place.index].defined()) continue;
    if (!shares_memory(out[k], run.inputs)) run.outputs[place.index] = out[k].detached();
  }
}

CompiledGraph::Run CompiledGraph::Body::prepare(std::span<const NDArray> inputs, Context ctx,
                                                std::span<const NDArray> out, std::span<const ParamsRef> params) const {
  Run run;
  run.ctx = ctx;
  run.outputs.resize(static_cast<size_t>(plan_.num_outputs));
  run.params.assign(params.begin(), params.end());
  run.inputs.reserve(inputs.size());
  for (const NDArray& a : inputs) run.inputs.push_back(a.detached());
  take_outputs(run, out);
  for (const Place& place : plan_.places)
    if (place.kind == Place::Kind::output && !run.outputs[place.index].defined())
      run.outputs[place.index] = NDArray(Shape{place.bytes}, DType::uint8, ctx);
  if (plan_.saved_bytes > 0) run.saved = NDArray(Shape{plan_.saved_bytes}, DType::uint8, ctx);
  run.random.resize(draws_.size());
  for (int draw : draw_order_) run.random[draw] = draw_random(ctx, static_cast<uint64_t>(draws_[draw]));
  return run;
}

Arrays CompiledGraph::Body::results(const Run& run, std::span<const NDArray> inputs) const {
  Arrays results;
  for (int value : results_) {
    const Place& place = plan_.places[plan_.place_of[value]];
    const TensorSpec& spec = specs_[value];
    if (place.kind == Place::Kind::input)
      results.push_back(inputs[place.index].shape() == spec.shape ? inputs[place.index]
                                                                  : inputs[place.index].reshaped(spec.shape));
    else if (place.kind == Place::Kind::output)
      results.push_back(
          NDArray(run.outputs[place.index].chunk(), spec.shape, spec.dtype, run.outputs[place.index].byte_offset()));
    else
      results.push_back(NDArray(run.saved.chunk(), spec.shape, spec.dtype, place.offset));
  }
  return results;
}

void CompiledGraph::Body::list_vars(const Run& run, std::vector<Var*>& reads, std::vector<Var*>& writes) const {
  for (const NDArray& a : run.outputs) writes.push_back(&a.var());
  if (run.saved.defined()) writes.push_back(&run.saved.var());
  for (int i : written_inputs_) writes.push_back(&run.inputs[i].var());
  std::sort(writes.begin(), writes.end());
  writes.erase(std::unique(writes.begin(), writes.end()), writes.end());
  for (const Place& place : plan_.places) {
    if (place.kind != Place::Kind::input) continue;
    Var* var = &run.inputs[place.index].var();
    if (!std::binary_search(writes.begin(), writes.end(), var)) reads.push_back(var);
  }
}

char* CompiledGraph::Body::base(const Run& run, const Place& place, char* temporary) const {
  switch (place.kind) {
    case Place::Kind::input: return static_cast<char*>(run.inputs[place.index].data());
    case Place::Kind::output: return static_cast<char*>(run.outputs[place.index].data());
    case Place::Kind::saved: return static_cast<char*>(run.saved.data()) + place.offset;
    case Place::Kind::temporary: return temporary + place.offset;
  }
  return nullptr;
}

void CompiledGraph::Body::execute(const Run& run) const {
  NDArray temporary;
  if (plan_.temporary_bytes > 0) temporary = NDArray(Shape{plan_.temporary_bytes}, DType::uint8, run.ctx);
  char* start = temporary.defined() ? static_cast<char*>(temporary.data()) : nullptr;
  std::vector<char*> places;
  places.reserve(plan_.places.size());
  for (const Place& place : plan_.places) places.push_back(base(run, place, start));
  std::vector<TensorView> views = views_;
  for (size_t i = 0; i < views.size(); ++i)
    if (view_places_[i] >= 0) views[i].data = places[view_places_[i]];
  auto is_off = [&](const Step& step) {
    if (step.update < 0 || options_.guard < 0) return false;
    return *reinterpret_cast<const float*>(places[plan_.place_of[results_[options_.guard]]]) == 0;
  };
  for (const Step& step : steps_)
    if (!is_off(step)) run_step(run, step, views.data() + step.first_view);
}

void CompiledGraph::Body::run_step(const Run& run, const Step& step, const TensorView* views) const {
  const Op& op = *step.node->op;
  RandomState random = step.random < 0 ? RandomState() : run.random[step.random];
  KernelContext context{op,
                        {views, step.num_inputs},
                        {views + step.num_inputs, step.num_outputs},
                        run.ctx,
                        options_.training,
                        random.key,
                        random.offset,
                        nullptr};
  const ParamsRef& params = step.update < 0 ? step.node->params : run.params[step.update];
  run_kernel(op, params->data(), context, run.body ? &run.where : nullptr,
             [&](const char* text) { return at_node(*step.node, text); });
}

CompiledGraph::CompiledGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
                             const CompileOptions& options)
    : body_(std::make_shared<Body>(symbol, inputs, variables, options)) {}

Arrays CompiledGraph::run(std::span<const NDArray> inputs, Context ctx, std::span<const NDArray> out,
                          std::span<const ParamsRef> params) const {
  Run run = body_->prepare(inputs, ctx, out, params);
  Arrays results = body_->results(run, inputs);
  std::vector<Var*> reads, writes;
  body_->list_vars(run, reads, writes);
  Engine& engine = Engine::get();
  if (body_->is_small()) {
    auto task = [&] { body_->execute(run); };
    if (engine.try_run(task, reads, writes)) return results;
  }
  run.body = body_;
  run.where = current_location();
  Schedule schedule{"graph", ctx, Lane::compute, 0, body_->bytes()};
  engine.push([run = std::make_shared<Run>(std::move(run))] { run->body->execute(*run); }, reads, writes, schedule);
  return results;
}

size_t CompiledGraph::num_outputs() const { return body_->num_outputs(); }
GraphReport CompiledGraph::report() const { return body_->report(); }

}  // namespace mxnet

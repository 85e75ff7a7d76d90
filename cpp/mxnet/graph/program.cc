#include "mxnet/graph/program.h"

#include <algorithm>

#include "mxnet/graph/passes.h"
#include "mxnet/graph/plan.h"

namespace mxnet {

Program::Program(Symbol symbol, ProgramOptions options) : symbol_(std::move(symbol)), options_(std::move(options)) {
  variables_ = symbol_.inputs();
  for (Node* node : variables_) {
    names_.push_back(node->name);
    bool changes = std::find(options_.data.begin(), options_.data.end(), node->name) != options_.data.end();
    fixed_.push_back(!options_.data.empty() && !changes);
  }
  plan(Kind::plain);  // raises what is wrong with the symbol
}

Program::~Program() = default;

const Plan& Program::plan(Kind kind) const {
  std::lock_guard lock(mutex_);
  std::unique_ptr<Plan>& made = plans_[static_cast<int>(kind)];
  if (made) return *made;
  Symbol symbol = kind == Kind::plain ? symbol_ : optimize(symbol_, {kind == Kind::training, {}, {}});
  std::vector<bool> fixed = kind == Kind::inference ? fixed_ : std::vector<bool>(fixed_.size());
  made = std::make_unique<Plan>(std::move(symbol), options_.zero_is_unknown, variables_, fixed);
  return *made;
}

// A monitor sees the graph as it was written. Inference changes weights, which is sure to be right only where all
// arrays are of one type.
Program::Kind Program::kind_for(std::span<const NDArray> inputs, const MonitorOptions* monitor) const {
  if (monitor) return Kind::plain;
  const CallState& state = call_state();
  if (state.recording || state.training) return Kind::training;
  bool parameters = std::find(fixed_.begin(), fixed_.end(), true) != fixed_.end();
  bool alike = std::all_of(inputs.begin(), inputs.end(), [](const NDArray& a) { return a.dtype() == DType::float32; });
  return parameters && alike ? Kind::inference : Kind::training;
}

Arrays Program::run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor) const {
  if (inputs.size() != names_.size()) value_error("the graph takes ", names_.size(), " arrays, got ", inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    if (!inputs[i].defined()) value_error("the graph's input '", names_[i], "' is missing");
  return plan(kind_for(inputs, monitor)).run(inputs, ctx, monitor);
}

}  // namespace mxnet

#include "mxnet/graph/observed_graph.h"

#include <algorithm>
#include <cctype>

#include "mxnet/ndarray/copy.h"

namespace mxnet {

ObservedGraph::Key ObservedGraph::key(const NDArray& array) {
  std::vector<int64_t> extents(array.shape().begin(), array.shape().end());
  return {array.chunk().get(), array.byte_offset(), std::move(extents), array.dtype()};
}

// Code that looks at contents may go another way the next time.
void ObservedGraph::host_reads(const NDArray& array) {
  auto* graph = dynamic_cast<ObservedGraph*>(call_observer());
  if (graph && graph->chunks_.contains(array.chunk().get())) graph->unknown_ = true;
}

void ObservedGraph::name(const NDArray& array, const std::string& name) {
  known_[key(array)] = {array.detached(), make_variable(name).outputs()[0], array.var().version()};
  chunks_[array.chunk().get()];
}

void ObservedGraph::start() {
  static const bool hooked = (set_read_hook(host_reads), true);
  (void)hooked;
  outer_ = std::exchange(call_observer(), this);
  state_ = call_state();
  running_ = true;
}

void ObservedGraph::stop() {
  if (std::exchange(running_, false)) call_observer() = outer_;
}

void ObservedGraph::know(const NDArray& array, NodeOutput value) {
  known_[key(array)] = {array.detached(), std::move(value), array.var().version()};
  ++chunks_[array.chunk().get()];
}

// The value that an array holds: a result, or a variable for one that came from elsewhere. None for an array that was
// written by other ways than operators, or shows a part of one that is known.
std::optional<NodeOutput> ObservedGraph::value_of(const NDArray& array) {
  auto it = known_.find(key(array));
  if (it != known_.end()) {
    if (it->second.version != array.var().version()) return {};
    return it->second.value;
  }
  if (auto chunk = chunks_.find(array.chunk().get()); chunk != chunks_.end() && chunk->second > 0) return {};
  std::string name = str("captured", captured_.size());
  captured_[name] = array.detached();
  this->name(array, name);
  return known_.at(key(array)).value;
}

std::string ObservedGraph::node_name(const Op& op) {
  std::string base = op.name.substr(std::min(op.name.find_first_not_of('_'), op.name.size()));
  std::transform(base.begin(), base.end(), base.begin(), [](unsigned char c) { return std::tolower(c); });
  return str(base, names_[base]++);
}

void ObservedGraph::operator_ran(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs,
                                 std::span<const NDArray> outputs, bool given) {
  if (!observes()) return;
  const CallState& state = call_state();
  if (given || op.bind || state.recording != state_.recording || state.training != state_.training) {
    unknown_ = true;
    return;
  }
  auto node = make_ref<Node>();
  node->op = &op;
  node->params = params;
  node->name = node_name(op);
  for (auto& [name, text] : params_text(op, params)) node->attrs[name] = text;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    bool written = op.writes_input(params->data(), i);
    auto it = known_.find(key(inputs[i]));
    // The operator itself has just changed what it writes.
    if (written && it != known_.end()) it->second.version = inputs[i].var().version();
    std::optional<NodeOutput> value = value_of(inputs[i]);
    if (!value) {
      unknown_ = true;
      return;
    }
    node->inputs.push_back(*value);
    node->slots.push_back(static_cast<int>(i));
  }
  for (size_t k = 0; k < outputs.size(); ++k) know(outputs[k], {node, static_cast<int>(k)});
}

std::optional<ObservedGraph::Result> ObservedGraph::result(std::span<const NDArray> outputs) {
  if (unknown_) return {};
  std::vector<NodeOutput> heads;
  for (const NDArray& array : outputs) {
    std::optional<NodeOutput> value = value_of(array);
    if (!value) return {};
    heads.push_back(*value);
  }
  return Result{Symbol(std::move(heads)), captured_};
}

}  // namespace mxnet

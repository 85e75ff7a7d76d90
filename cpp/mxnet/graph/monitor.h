// Watching a graph run: a callback sees values and gradients under the names of MXNet 1.x.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "mxnet/graph/symbol.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

// Sees values as they are computed: name of the value, operator, the value.
using Monitor = std::function<void(const std::string& name, const std::string& op, const NDArray& value)>;
// The gradient of one input of a node: number `place` of `count` inputs that have gradients.
struct InputGradient {
  const Node& node;
  size_t input;
  int place, count;
  const NDArray& value;
};
struct MonitorOptions {
  Monitor call;
  bool inputs = false;                                       // what operators read is shown too
  bool variables = false;                                    // and once more under its own name where it is a variable
  std::function<void(const InputGradient&)> gradients = {};  // called by backward
};

// Shows what a node is about to read; `reads` are the numbers of the values by place.
void show_inputs(const Node& node, std::span<const int> reads, const Arrays& values, const MonitorOptions& monitor);
// Puts an identity before each input that is on the tape: its gradient is that of this input.
void watch_gradients(const Node& node, Arrays& inputs, const MonitorOptions& monitor);

}  // namespace mxnet

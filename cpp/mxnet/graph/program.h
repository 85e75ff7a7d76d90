// Program: a symbol made ready to run - nodes in order, and when each value is last needed.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mxnet/graph/symbol.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

// Sees values as they are computed: name of the value, operator, the value.
using Monitor = std::function<void(const std::string& name, const std::string& op, const NDArray& value)>;
struct MonitorOptions {
  Monitor call;
  bool inputs = false;  // what operators read is shown too
};

class Program {
 public:
  // With `zero_is_unknown` shapes of 0 in _zeros and its like are inferred from the inputs, as in MXNet 1.x.
  Program(Symbol symbol, bool zero_is_unknown);
  ~Program();

  const Symbol& symbol() const { return symbol_; }
  const std::vector<std::string>& input_names() const { return names_; }

  // One array per input name; `ctx` is where operators without inputs make theirs. Operators run as if called one
  // by one: under autograd.record() they are on the tape. Safe to call from many threads.
  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor = nullptr) const;

 private:
  struct Step;
  using Overrides = std::unordered_map<const Node*, ParamsRef>;
  void plan();
  Arrays run_step(const Step& step, const Arrays& values, Context ctx, const Overrides& overrides) const;
  // Parameters of operators whose shape follows from those of the inputs.
  std::shared_ptr<const Overrides> overrides(std::span<const NDArray> inputs) const;

  Symbol symbol_;
  NumberedGraph graph_;
  bool zero_is_unknown_;
  std::vector<std::string> names_;
  std::vector<int> input_values_;
  std::vector<Step> steps_;
  std::vector<int> heads_;
  std::vector<const Node*> open_shapes_;

  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Overrides>> known_overrides_;
};

}  // namespace mxnet

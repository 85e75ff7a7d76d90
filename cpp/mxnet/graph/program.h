// Program: a symbol made ready to run, for training and for inference.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "mxnet/graph/symbol.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

class Plan;

// Sees values as they are computed: name of the value, operator, the value.
using Monitor = std::function<void(const std::string& name, const std::string& op, const NDArray& value)>;
struct MonitorOptions {
  Monitor call;
  bool inputs = false;  // what operators read is shown too
};

struct ProgramOptions {
  // Shapes of 0 in _zeros and its like are inferred from the inputs, as in MXNet 1.x.
  bool zero_is_unknown = true;
  // Names of the inputs that change from run to run; empty if nothing is known of that. The others are parameters:
  // what is computed from them alone, such as weights with a batch norm folded in, is kept until one is written.
  std::vector<std::string> data;
};

class Program {
 public:
  explicit Program(Symbol symbol, ProgramOptions options = {});
  ~Program();

  const Symbol& symbol() const { return symbol_; }
  const std::vector<std::string>& input_names() const { return names_; }

  // One array per input name; `ctx` is where operators without inputs make theirs. Under autograd.record() every
  // operator is on the tape; otherwise the passes of inference apply. Safe to call from many threads.
  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor = nullptr) const;

 private:
  enum class Kind { plain, training, inference };
  const Plan& plan(Kind kind) const;
  Kind kind_for(std::span<const NDArray> inputs, const MonitorOptions* monitor) const;

  Symbol symbol_;
  ProgramOptions options_;
  std::vector<Node*> variables_;
  std::vector<std::string> names_;
  std::vector<bool> fixed_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Plan> plans_[3];  // made when first needed
};

}  // namespace mxnet

// Program: a symbol made ready to run, compiled once for each kind of call.
#pragma once
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mxnet/graph/compiled_graph.h"
#include "mxnet/graph/monitor.h"
#include "mxnet/graph/symbol.h"
#include "mxnet/graph/update_layout.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

class Executable;
struct TrainingStep;

struct ProgramOptions {
  // Shapes of 0 in _zeros and its like are inferred from the inputs, as in MXNet 1.x.
  bool zero_is_unknown = true;
  // Names of the inputs that change from run to run; empty if nothing is known of that. The others are parameters:
  // what is computed from them alone, such as weights with a batch norm folded in, is kept until one is written.
  std::vector<std::string> data;
  // Shapes may be others at every call: a graph is compiled when two calls in a row were of one kind, and runs operator
  // by operator before.
  bool when_repeated = false;
};

class Program {
 public:
  explicit Program(Symbol symbol, ProgramOptions options = {});
  ~Program();

  const Symbol& symbol() const { return symbol_; }
  const std::vector<std::string>& input_names() const { return names_; }

  // One array per input name; `ctx` is where operators without inputs make theirs. Under autograd.record() the whole
  // graph is one node of the tape, with gradients of any order. Safe to call from many threads.
  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor = nullptr) const;

  // Runs the graph in training mode, its gradient and the update of its parameters in one go, without the tape: writes
  // the gradient of the sum of the first output by each input into the array given for it, and makes the updates.
  // Empty, with nothing done, where that cannot be one program.
  std::optional<Arrays> run_step(std::span<const NDArray> inputs, const TrainingStep& step, Context ctx) const;

  // What was made of the graph for the last kind of call.
  GraphReport report() const;

 private:
  // Calls of one kind: the shapes and dtypes of the inputs, and what autograd wants of them.
  struct Signature {
    enum class Kind : uint8_t { run, record, step };
    Kind kind = Kind::run;
    bool training = false, on_host = true;
    std::vector<TensorSpec> specs;
    std::vector<bool> wanted;  // inputs whose gradients are wanted
    // Of a step:
    std::optional<UpdateLayout> updates;  // none if they cannot be part of a program
    bool needs_finite = false;
  };
  // A call as it is asked for.
  struct Call {
    Signature::Kind kind;
    bool training;
    std::span<const NDArray> inputs;
    const TrainingStep* step;  // of that kind only
    Context ctx;
    bool wants(size_t i) const;
    bool matches(const Signature& signature) const;
    Signature signature() const;
  };
  struct Variant;

  Call call_of(std::span<const NDArray> inputs, Context ctx) const;
  void check_inputs(std::span<const NDArray> inputs) const;
  std::shared_ptr<const Executable> executable(const Call& call) const;
  std::shared_ptr<const Executable> compile(const Signature& signature, const TrainingStep* step) const;
  std::shared_ptr<const Executable> operator_by_operator() const;
  Symbol resolved(const Signature& signature, bool& known) const;
  bool keeps_parameters(const Signature& signature) const;

  Symbol symbol_;
  ProgramOptions options_;
  std::vector<Node*> variables_;
  std::vector<std::string> names_;
  std::vector<bool> fixed_;
  mutable std::mutex mutex_;
  mutable std::list<Variant> variants_;  // the last one used first
  mutable std::shared_ptr<const Executable> by_operator_;
};

}  // namespace mxnet

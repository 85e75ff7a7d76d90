// Plan: one graph in order, with the places of its values and when each is last needed.
#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "mxnet/graph/program.h"

namespace mxnet {

class ControlFlow;

class Plan {
 public:
  // `inputs` are the variables in the order in which run() gets their arrays; those in `fixed` seldom change, and
  // what depends on them alone is kept from run to run.
  Plan(Symbol symbol, bool zero_is_unknown, std::span<Node* const> inputs, const std::vector<bool>& fixed);
  ~Plan();

  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions* monitor) const;
  const Symbol& symbol() const { return symbol_; }

 private:
  struct Step;
  struct Kept;  // values of the fixed steps, and what they were computed from
  using Overrides = std::unordered_map<const Node*, ParamsRef>;

  void add_steps(const std::vector<bool>& fixed);
  void find_last_uses();
  void run_steps(const std::vector<Step>& steps, Arrays& values, Context ctx, const Overrides& overrides,
                 const MonitorOptions* monitor) const;
  Arrays run_step(const Step& step, const Arrays& values, Context ctx, const Overrides& overrides,
                  bool may_reuse) const;
  void keep_fixed(std::span<const NDArray> inputs, Arrays& values, Context ctx) const;
  std::shared_ptr<const Overrides> overrides(std::span<const NDArray> inputs) const;

  Symbol symbol_;
  NumberedGraph graph_;
  bool zero_is_unknown_;
  std::vector<int> input_values_;  // number of the value of each input; -1 for one that is not read
  std::vector<Step> fixed_steps_, steps_;
  std::vector<int> heads_;
  std::vector<int> fixed_inputs_;   // inputs that the fixed steps read
  std::vector<int> fixed_results_;  // their values that others read
  std::vector<const Node*> open_shapes_;

  mutable std::mutex mutex_;
  mutable std::unordered_map<std::string, std::shared_ptr<const Overrides>> known_overrides_;
  mutable std::shared_ptr<const Kept> kept_;
};

}  // namespace mxnet

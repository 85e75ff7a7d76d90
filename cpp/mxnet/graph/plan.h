// Plan: a graph run operator by operator. It serves what cannot be compiled - loops and branches, operators written in
// Python, shapes that depend on contents - and whoever wants to watch.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "mxnet/graph/executable.h"
#include "mxnet/graph/program.h"

namespace mxnet {

class Plan : public Executable {
 public:
  // `inputs` are the variables in the order in which run() gets their arrays; `zero_is_unknown` is for bodies of loops.
  Plan(Symbol symbol, std::span<Node* const> inputs, bool zero_is_unknown);
  ~Plan() override;

  Arrays run(std::span<const NDArray> inputs, Context ctx) const override { return run(inputs, ctx, {}); }
  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions& monitor) const;
  GraphReport report() const override;

 private:
  struct Step;

  void add_steps(bool zero_is_unknown);
  void find_last_uses();
  Arrays run_step(const Step& step, const Arrays& values, Context ctx) const;

  Symbol symbol_;
  NumberedGraph graph_;
  std::vector<int> input_values_;  // number of the value of each input; -1 for one that is not read
  std::vector<Step> steps_;
  std::vector<int> heads_;
};

}  // namespace mxnet

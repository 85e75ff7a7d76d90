// Plan: a graph that cannot be compiled as a whole - for loops and branches, operators written in Python, shapes that
// depend on contents - or is to be watched. Its operators run one by one, or segments of it are compiled.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "mxnet/graph/executable.h"
#include "mxnet/graph/program.h"
#include "mxnet/graph/segments.h"

namespace mxnet {

struct PlanOptions {
  bool zero_is_unknown = true;  // in bodies of loops
  bool segments = false;        // compiles what lies between operators that cannot be
  bool shapes_known = true;     // all shapes follow from those of the inputs
  std::vector<bool> fixed;  // inputs that are parameters, see ProgramOptions::data; empty if nothing is known of that
};

class Plan : public Executable {
 public:
  // `inputs` are the variables in the order in which run() gets their arrays.
  Plan(Symbol symbol, std::span<Node* const> inputs, const PlanOptions& options);
  ~Plan() override;

  Arrays run(std::span<const NDArray> inputs, Context ctx) const override { return run(inputs, ctx, {}); }
  // A monitor sees operators that run on their own.
  Arrays run(std::span<const NDArray> inputs, Context ctx, const MonitorOptions& monitor) const;
  GraphReport report() const override;

 private:
  struct Step;

  std::vector<GraphPart> parts(const PlanOptions& options) const;
  void add_step(GraphPart part, const PlanOptions& options);
  std::unique_ptr<Program> segment_program(const GraphPart& part, const PlanOptions& options) const;
  void find_last_uses();
  static Arrays run_step(const Step& step, const Arrays& inputs, Context ctx);

  Symbol symbol_;
  NumberedGraph graph_;
  std::vector<int> input_values_;  // number of the value of each input; -1 for one that is not read
  std::vector<int> heads_;
  std::vector<Step> steps_;
};

}  // namespace mxnet

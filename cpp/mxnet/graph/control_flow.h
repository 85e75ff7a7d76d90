// Loops and branches whose bodies are graphs: _foreach, _while_loop, _cond.
#pragma once
#include <memory>
#include <vector>

#include "mxnet/graph/program.h"

namespace mxnet {

// A node with subgraphs, ready to run.
class ControlFlow {
 public:
  ControlFlow(const Node& node, bool zero_is_unknown);

  Arrays run(const Arrays& inputs, Context ctx) const;

 private:
  Arrays run_foreach(const Arrays& inputs, Context ctx) const;
  Arrays run_while(const Arrays& inputs, Context ctx) const;
  Arrays run_cond(const Arrays& inputs, Context ctx) const;
  Arrays empty_outputs(const Arrays& inputs, Context ctx) const;

  const Node& node_;
  std::vector<std::unique_ptr<Program>> bodies_;
};

// Inference through the bodies, both ways.
void infer_control_flow(const Node& node, std::vector<TensorSpec>& in, std::vector<TensorSpec>& out);

}  // namespace mxnet

// CompiledGraph: a graph for inputs of known shapes, run as one engine operation.
#pragma once
#include <memory>
#include <span>
#include <vector>

#include "mxnet/graph/infer.h"
#include "mxnet/op/invoke.h"

namespace mxnet {

// What compiling has made of a graph; sizes in bytes.
struct GraphReport {
  int64_t steps = 0;            // kernels
  int64_t temporary_bytes = 0;  // held while it runs
  int64_t unshared_bytes = 0;   // what that would be if no two values shared memory
  int64_t saved_bytes = 0;      // held for the gradient
  int64_t segments = 1;         // parts that are compiled; 0 where every operator runs on its own
};

// A node that changes inputs, as the update of weights does, with parameters that are given anew for each run.
struct UpdateNode {
  int first_output = 0;     // number of its first output among the graph's
  std::vector<int> inputs;  // which input each of its outputs is written over
};

struct CompileOptions {
  bool training = false;
  int num_saved = 0;                     // the last outputs, which share one block of memory
  std::vector<UpdateNode> updates = {};  // they come after everything else
  int guard = -1;                        // an output of one float; where it is 0 the updates are left out
};

class CompiledGraph {
 public:
  // `inputs` are the variables in the order in which run() gets their arrays. Every operator must satisfy can_compile.
  CompiledGraph(const Symbol& symbol, std::span<Node* const> inputs, const VariableSpecs& variables,
                const CompileOptions& options);

  // One array per output; does not record. An output is written into the array of `out` in its place where there is one
  // and it can be. `params` are those of the updates.
  Arrays run(std::span<const NDArray> inputs, Context ctx, std::span<const NDArray> out = {},
             std::span<const ParamsRef> params = {}) const;
  size_t num_outputs() const;
  GraphReport report() const;

 private:
  class Body;
  struct Run;
  std::shared_ptr<const Body> body_;
};

// Whether an operator has a kernel for the host that needs nothing but memory, so that it can be a part of a compiled
// graph.
bool can_compile(const Node& node);

}  // namespace mxnet

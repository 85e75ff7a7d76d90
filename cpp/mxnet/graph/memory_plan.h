// Where the values of a graph lie in memory while it runs: which share a place, and how much that takes.
#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "mxnet/graph/symbol.h"

namespace mxnet {

// A block of memory that one value after the other may use.
struct Place {
  enum class Kind : uint8_t {
    input,     // the array of input `index`, from outside
    output,    // an array of its own that leaves the graph, number `index`
    saved,     // at `offset` in the block that is kept for the gradient
    temporary  // at `offset` in the block that lives as long as the run
  };
  Kind kind = Kind::temporary;
  int index = 0;
  int64_t offset = 0;
  int64_t bytes = 0;
};

struct MemoryPlan {
  std::vector<Place> places;
  std::vector<int> place_of;    // by value
  std::vector<bool> no_kernel;  // by node: the output is the input under another shape
  int num_outputs = 0;          // places of that kind
  int64_t saved_bytes = 0;      // of the blocks
  int64_t temporary_bytes = 0;
  int64_t unshared_bytes = 0;  // what the temporaries would take without sharing
};

struct MemoryTask {
  const NumberedGraph& graph;
  std::span<const TensorSpec> specs;  // by value
  std::span<const int> inputs;        // values that come from outside; -1 for one that is not read
  std::span<const int> outputs;       // values that leave the graph
  std::span<const int> saved;         // values kept for the gradient
  std::map<int, int> overwritten;     // by value: the input whose place it takes, unless that is read afterwards
};
// Values that are views share the place of what they show; an operator that can works in the place of an input that
// nobody needs any more; places of temporaries are used again by best fit.
MemoryPlan plan_memory(const MemoryTask& task);

}  // namespace mxnet

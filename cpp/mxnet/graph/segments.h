// Segments: what is compiled together of a graph that cannot be compiled as a whole.
#pragma once
#include <vector>

#include "mxnet/graph/symbol.h"

namespace mxnet {

// A segment of a graph, or one operator on its own.
struct GraphPart {
  std::vector<int> nodes;         // numbers, in the graph's order
  int level = 0;                  // how many segments with operators on their own behind them come before
  Symbol segment;                 // the segment as a graph; without outputs for an operator on its own
  std::vector<int> reads, makes;  // values: of the segment by Symbol::inputs() and outputs(); of an operator by place

  bool is_segment() const { return !segment.outputs().empty(); }
};

// Cuts a graph into parts, each after those whose values it reads. `heads` are the values that leave the graph. Random
// numbers are drawn in the order of the nodes, and what some operator writes is used in that order.
std::vector<GraphPart> cut_into_parts(const NumberedGraph& graph, const std::vector<int>& heads);
// The same with every operator on its own.
std::vector<GraphPart> cut_into_operators(const NumberedGraph& graph);

// Whether the shapes of the results depend on contents, so that inference in advance cannot tell them.
bool looks_at_contents(const Node& node);

}  // namespace mxnet

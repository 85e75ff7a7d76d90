// A graph whose nodes are put together into units step by step, such that no path leaves a unit and comes back.
#pragma once
#include <vector>

#include "mxnet/graph/symbol.h"

namespace mxnet {

class Units {
 public:
  explicit Units(const NumberedGraph& graph);

  // The unit a node is in, and the nodes of a unit, in the graph's order.
  int unit_of(int node) const { return unit_[node]; }
  const std::vector<int>& members(int unit) const { return members_[unit]; }
  // Units, each after those whose values it reads.
  const std::vector<int>& order() const { return order_; }

  // Puts two units together; false, and nothing happens, if a path from one to the other leads through a third.
  bool merge(int first, int second);

 private:
  bool reads_from(int unit, const std::vector<bool>& marked) const;

  std::vector<std::vector<int>> inputs_;  // nodes that each node reads
  std::vector<int> unit_;
  std::vector<std::vector<int>> members_;
  std::vector<int> order_, position_;
  std::vector<bool> marked_;  // units, during merge
};

}  // namespace mxnet

#include "mxnet/graph/units.h"

#include <algorithm>
#include <numeric>

namespace mxnet {

Units::Units(const NumberedGraph& graph) {
  int count = static_cast<int>(graph.nodes().size());
  inputs_.resize(count);
  for (int i = 0; i < count; ++i) {
    for (const NodeOutput& input : graph.nodes()[i]->inputs) inputs_[i].push_back(graph.number_of(input.node.get()));
    members_.push_back({i});
  }
  unit_.resize(count);
  std::iota(unit_.begin(), unit_.end(), 0);
  order_ = position_ = unit_;
  marked_.resize(count);
}

bool Units::reads_from(int unit, const std::vector<bool>& marked) const {
  for (int node : members_[unit])
    for (int input : inputs_[node])
      if (unit_[input] != unit && marked[unit_[input]]) return true;
  return false;
}

// Of the units that stand between the two, those that depend on the first move behind the second.
bool Units::merge(int first, int second) {
  if (first == second) return true;
  if (position_[first] > position_[second]) std::swap(first, second);
  int begin = position_[first], end = position_[second];
  std::vector<int> before, after;
  marked_[first] = true;
  for (int at = begin + 1; at < end; ++at) {
    int unit = order_[at];
    marked_[unit] = reads_from(unit, marked_);
    (marked_[unit] ? after : before).push_back(unit);
  }
  marked_[first] = false;
  bool around = reads_from(second, marked_);
  for (int unit : after) marked_[unit] = false;
  if (around) return false;

  for (int node : members_[second]) unit_[node] = first;
  std::vector<int> joined;
  std::merge(members_[first].begin(), members_[first].end(), members_[second].begin(), members_[second].end(),
             std::back_inserter(joined));
  members_[first] = std::move(joined);
  members_[second].clear();
  auto next = std::copy(before.begin(), before.end(), order_.begin() + begin);
  *next++ = first;
  std::copy(after.begin(), after.end(), next);
  order_.erase(order_.begin() + end);
  for (size_t at = begin; at < order_.size(); ++at) position_[order_[at]] = static_cast<int>(at);
  return true;
}

}  // namespace mxnet

// What operators on channels-first arrays become on channels-last ones.
#pragma once
#include <functional>
#include <optional>
#include <span>

#include "mxnet/graph/rewrite.h"

namespace mxnet {

// (N, C, spatial ..) and (N, spatial .., C): where an axis of the first lies in the second, and extents put so.
inline int last_axis_of(int64_t axis, int rank) {
  int a = static_cast<int>(axis < 0 ? axis + rank : axis);
  return a == 0 ? 0 : a == 1 ? rank - 1 : a - 1;
}
template <class List>
List channels_last_order(const List& first) {
  List last = first;
  for (size_t i = 0; i < first.size(); ++i)
    last[static_cast<size_t>(last_axis_of(static_cast<int64_t>(i), static_cast<int>(first.size())))] = first[i];
  return last;
}
Shape channels_last_shape(const Shape& first);

// An operator that can work on channels-last arrays.
struct LastForm {
  // From its inputs, those in `in` channels-last, its outputs, those in `out` channels-last.
  std::function<Outputs(const Node& node, const Outputs& inputs)> make;
  std::vector<bool> in, out;
  bool seeks = false;  // gains by it even if none of its inputs is channels-last yet
  double gain = 0;     // in moved elements
};

using Specs = std::vector<TensorSpec>;

// Nothing for operators that tell the axes apart in a way that has no channels-last form. `in` and `out` are what the
// node reads and gives.
std::optional<LastForm> last_form(const Node& node, const Specs& in, const Specs& out);

}  // namespace mxnet

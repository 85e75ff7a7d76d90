#include "mxnet/graph/monitor.h"

#include <algorithm>
#include <string_view>

#include "mxnet/autograd/tape.h"

namespace mxnet {
namespace {

// The names are those of MXNet 1.x, where only some operators said what their single input is called.
std::string monitored_input(const Op& op, int i) {
  static constexpr std::string_view kNamed[] = {"Dropout",
                                                "L2Normalization",
                                                "LRN",
                                                "LeakyReLU",
                                                "MakeLoss",
                                                "Pad",
                                                "Pooling",
                                                "SequenceLast",
                                                "SequenceMask",
                                                "SequenceReverse",
                                                "SliceChannel",
                                                "SwapAxis",
                                                "depth_to_space",
                                                "diag",
                                                "log_softmax",
                                                "repeat",
                                                "reverse",
                                                "softmax",
                                                "space_to_depth",
                                                "squeeze",
                                                "tile",
                                                "_unravel_index"};
  if (op.is_variadic()) return str("arg", i);
  bool unnamed = op.inputs.size() == 1 && op.inputs[0].name == "data";
  return unnamed && std::find(std::begin(kNamed), std::end(kNamed), op.name) == std::end(kNamed) ? "input0"
                                                                                                 : op.input_name(i);
}

}  // namespace

void show_inputs(const Node& node, std::span<const int> reads, const Arrays& values, const MonitorOptions& monitor) {
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    const Node& input = *node.inputs[k].node;
    const NDArray& value = values[reads[node.slot(k)]];
    if (monitor.variables && input.is_variable()) monitor.call(input.name, "null", value);
    monitor.call(str(node.name, "_", monitored_input(*node.op, node.slot(k))), node.op->name, value);
  }
}

void watch_gradients(const Node& node, Arrays& inputs, const MonitorOptions& monitor) {
  int count = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) count += !node.writes_input(i);
  // Backward comes to the first input first.
  for (size_t i = node.inputs.size(), place = count; i-- > 0;) {
    if (node.writes_input(i)) continue;
    --place;
    NDArray& input = inputs[node.slot(i)];
    NDArray same = input.detached();
    auto show = [node = Ref<const Node>(&node), show = monitor.gradients, i, place = static_cast<int>(place),
                 count](const TapeNode::FunctionCall& call) -> std::vector<Expr> {
      show({*node, i, place, count, call.douts[0].array()});
      return {call.douts[0]};
    };
    record_function(std::move(show), {&input, 1}, {&same, 1});
    input = same;
  }
}

}  // namespace mxnet

// Passes: graph in, better graph out. Each is small, has a name and a switch.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mxnet/graph/symbol.h"

namespace mxnet {

struct Pass {
  std::string_view name;
  std::string_view doc;
  bool inference_only;  // changes what training would compute or record
  Symbol (*run)(const Symbol& symbol);
};
std::span<const Pass> passes();

// All are on at the start, but for those that MXNET_GRAPH_PASSES_OFF names, separated by commas.
bool pass_is_on(std::string_view name);
void switch_pass(std::string_view name, bool on);

struct PassResult {
  std::string_view name;
  size_t nodes_before, nodes_after;
};
// Runs the passes that are on (or just those in `names`) one after the other.
Symbol optimize(const Symbol& symbol, bool training, std::span<const std::string> names = {},
                std::vector<PassResult>* results = nullptr);

}  // namespace mxnet

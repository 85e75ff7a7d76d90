// Passes: graph in, better graph out. Each is small, has a name and a switch.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mxnet/graph/infer.h"

namespace mxnet {

struct Pass {
  std::string_view name;
  std::string_view doc;
  bool inference_only;  // changes what training would compute or record
  bool needs_shapes;    // runs only where the shapes and dtypes of all variables are known
  bool kernels;         // chooses kernels: comes when the gradient has been taken
  Symbol (*run)(const Symbol& symbol, const VariableSpecs& variables);
};
std::span<const Pass> passes();

// All are on at the start, but for those that MXNET_GRAPH_PASSES_OFF names, separated by commas.
bool pass_is_on(std::string_view name);
void switch_pass(std::string_view name, bool on);

struct PassResult {
  std::string_view name;
  size_t nodes_before, nodes_after;
};

struct OptimizeOptions {
  enum class Stage : uint8_t { all, graph, kernels };

  bool training = false;
  VariableSpecs variables;         // empty if shapes are not known
  std::vector<std::string> names;  // run just these passes, whatever their switches
  Stage stage = Stage::all;
};
// Runs the passes that are on one after the other.
Symbol optimize(const Symbol& symbol, const OptimizeOptions& options, std::vector<PassResult>* results = nullptr);

}  // namespace mxnet

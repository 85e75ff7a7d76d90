// Executable: a graph made ready to run for inputs of certain shapes.
#pragma once
#include <span>

#include "mxnet/graph/compiled_graph.h"

namespace mxnet {

class Executable {
 public:
  virtual ~Executable() = default;
  virtual Arrays run(std::span<const NDArray> inputs, Context ctx) const = 0;
  virtual GraphReport report() const = 0;
};

}  // namespace mxnet

// Pointwise fusion: groups of elementwise operators of one shape become one operator each.
#pragma once
#include "mxnet/graph/infer.h"

namespace mxnet {

// The graph with such groups replaced by _fused_pointwise; it gives the same numbers.
Symbol fuse_pointwise(const Symbol& symbol, const VariableSpecs& variables);

}  // namespace mxnet

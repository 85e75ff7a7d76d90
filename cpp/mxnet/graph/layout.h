// Passes over convolutions and dense layers: the order of axes around them, and what is computed together with them.
#pragma once
#include "mxnet/graph/infer.h"

namespace mxnet {

// Lets convolutions and what lies between them work on channels-last arrays, where that saves more than the
// transpositions at the borders cost.
Symbol channels_last(const Symbol& symbol, const VariableSpecs& variables);

// For inference: convolutions add and activate their results, and read weights in the order they are fastest with.
Symbol fuse_convolutions(const Symbol& symbol, const VariableSpecs& variables);
// The same for dense layers of several rows.
Symbol fuse_dense(const Symbol& symbol, const VariableSpecs& variables);

}  // namespace mxnet

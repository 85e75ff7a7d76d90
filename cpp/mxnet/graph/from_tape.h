// What autograd recorded, as a symbol.
#pragma once
#include "mxnet/autograd/tape.h"
#include "mxnet/graph/symbol.h"

namespace mxnet {

// The operators that `array` was computed with since recording began. Leaves and arrays that no gradient flows to
// become variables var0, var1, ... in the order they are met. Functions that are no operators cannot be written as a
// symbol.
Symbol symbol_of_tape(const NDArray& array);

}  // namespace mxnet

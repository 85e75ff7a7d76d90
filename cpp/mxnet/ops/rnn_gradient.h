// The gradient of recurrent networks in public operators.
#pragma once
#include "mxnet/op/expr.h"
#include "mxnet/ops/rnn.h"

namespace mxnet {

// Runs the steps again and then backward through them, so that the result can be differentiated itself.
void rnn_gradient(const RnnParams& p, GradContext& g);

}  // namespace mxnet

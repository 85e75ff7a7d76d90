// Watching the operators that a thread runs.
#pragma once
#include <span>

#include "mxnet/op/op.h"

namespace mxnet {

class CallObserver {
 public:
  virtual ~CallObserver() = default;
  // `outputs` are all outputs; `given` tells that the caller gave arrays to write them into.
  virtual void operator_ran(const Op& op, const ParamsRef& params, std::span<const NDArray> inputs,
                            std::span<const NDArray> outputs, bool given) = 0;
};
// Who watches this thread; null if nobody does.
CallObserver*& call_observer();

}  // namespace mxnet

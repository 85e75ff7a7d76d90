// Inference that many operators share.
#pragma once
#include "mxnet/op/op.h"

namespace mxnet {

// All inputs have one shape and one dtype, and so has the output; what one of them lacks the others give.
template <class P>
void infer_elementwise(const P&, InferContext& c) {
  int n = c.num_inputs();
  for (int i = 1; i < n; ++i) c.expect_shape(0, c.shape(i));
  for (int i = 1; i < n; ++i) c.expect_shape(i, c.shape(0));
  c.same_dtype();
  c.out(0) = c.in(0);
}
inline constexpr auto infer_same = [](const auto& p, InferContext& c) { infer_elementwise(p, c); };

}  // namespace mxnet

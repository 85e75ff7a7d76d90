// Inference that many operators share.
#pragma once
#include "mxnet/op/op.h"

namespace mxnet {

// All inputs have one shape and one dtype, and so has the output; what one of them lacks the others give, and the
// output where it is known.
template <class P>
void infer_elementwise(const P&, InferContext& c) {
  int n = c.num_inputs();
  if (!c.shape(0).known()) c.expect_shape(0, c.out(0).shape);
  for (int i = 1; i < n; ++i) c.expect_shape(0, c.shape(i));
  for (int i = 1; i < n; ++i) c.expect_shape(i, c.shape(0));
  c.same_dtype();
  c.out(0) = c.in(0);
}
inline constexpr auto infer_same = [](const auto& p, InferContext& c) { infer_elementwise(p, c); };

// Input i holds one number, in a shape of any rank.
inline void expect_number(InferContext& c, int i) {
  const Shape& shape = c.shape(i);
  if (shape.known() && shape.size() != 1) c.fail(c.input_name(i), " has shape ", shape, ", expected one number");
  DType dtype = c.in(i).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type(c.input_name(i), " has dtype ", dtype, ", expected a floating dtype");
}

}  // namespace mxnet

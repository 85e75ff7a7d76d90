// What operators on batches of images (N, C, H, W) share.
#pragma once
#include "mxnet/op/op.h"

namespace mxnet {

inline void expect_floating(InferContext& c, int i) {
  DType dtype = c.in(i).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type(c.input_name(i), " has dtype ", dtype, ", expected a floating dtype; convert it with astype");
}

// Input i is a batch of images of a floating dtype.
inline void expect_images(InferContext& c, int i) {
  c.expect_rank(i, 4);
  expect_floating(c, i);
}

}  // namespace mxnet

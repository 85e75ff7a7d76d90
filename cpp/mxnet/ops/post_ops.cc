#include "mxnet/ops/post_ops.h"

#include <cmath>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"

namespace mxnet {
namespace {

double applied(const PostOps& post, double x) {
  switch (post.function) {
    case PostFunction::none: break;
    case PostFunction::relu: return x > 0 ? x : x * static_cast<double>(post.alpha);
    case PostFunction::clip: return std::clamp(x, static_cast<double>(post.alpha), static_cast<double>(post.beta));
    case PostFunction::sigmoid: return 1 / (1 + std::exp(-x));
    case PostFunction::tanh: return std::tanh(x);
    case PostFunction::elu: return x > 0 ? x : static_cast<double>(post.alpha) * std::expm1(x);
    case PostFunction::gelu: return 0.5 * x * (1 + std::erf(x * 0.7071067811865476));
  }
  return x;
}

}  // namespace

void apply_post_ops(const PostOps& post, DType dtype, int64_t n, const void* addend, void* y) {
  dispatch_floating(dtype, [&]<class T>() {
    const T* added = static_cast<const T*>(addend);
    T* out = static_cast<T*>(y);
    parallel_for(n, 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        double x = static_cast<double>(out[i]) + (post.adds ? static_cast<double>(added[i]) : 0);
        out[i] = static_cast<T>(applied(post, x));
      }
    });
  });
}

Expr post_slope(const PostOps& post, const Expr& z) {
  double alpha = static_cast<double>(post.alpha), beta = static_cast<double>(post.beta);
  switch (post.function) {
    case PostFunction::none: break;
    case PostFunction::relu: return (z > 0.0) + (z <= 0.0) * alpha;
    case PostFunction::clip: return (z >= alpha) * (z <= beta);
    case PostFunction::sigmoid: return sigmoid(z) * (1.0 - sigmoid(z));
    case PostFunction::tanh: return 1.0 - square(tanh(z));
    case PostFunction::elu: return (z > 0.0) + (z <= 0.0) * exp(z * (z <= 0.0)) * alpha;
    case PostFunction::gelu:
      return (erf(z * 0.7071067811865476) + 1.0) * 0.5 + z * exp(square(z) * -0.5) * 0.3989422804014327;
  }
  return ones(z.shape(), z.dtype(), z.ctx());
}

const void* plain_weights(const void* packed) {
  int64_t order;
  std::memcpy(&order, packed, sizeof order);
  if (order != 0) fail(ErrorKind::runtime, "packed weights are in an order that only oneDNN can read");
  return static_cast<const char*>(packed) + kPackedHead;
}

void keep_weights(const void* weights, int64_t weight_bytes, void* packed, int64_t bytes) {
  std::memset(packed, 0, static_cast<size_t>(bytes));
  std::memcpy(static_cast<char*>(packed) + kPackedHead, weights, static_cast<size_t>(weight_bytes));
}

}  // namespace mxnet

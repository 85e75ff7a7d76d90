// Post-ops and packed weights as the files that use oneDNN want them.
#pragma once
#include <algorithm>

#include "mxnet/ops/onednn.h"
#include "mxnet/ops/post_ops.h"

namespace mxnet::onednn {

inline dnnl::primitive_attr user_scratchpad() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

inline dnnl::algorithm algorithm_of(PostFunction function) {
  using Algorithm = dnnl::algorithm;
  switch (function) {
    case PostFunction::none:
    case PostFunction::relu: break;
    case PostFunction::clip: return Algorithm::eltwise_clip;
    case PostFunction::sigmoid: return Algorithm::eltwise_logistic;
    case PostFunction::tanh: return Algorithm::eltwise_tanh;
    case PostFunction::elu: return Algorithm::eltwise_elu;
    case PostFunction::gelu: return Algorithm::eltwise_gelu_erf;
  }
  return Algorithm::eltwise_relu;
}

// The array to add, if there is one, is the source of post-op 0.
inline dnnl::primitive_attr attributes(const PostOps& post, const dnnl::memory::desc& addend) {
  dnnl::primitive_attr attr = user_scratchpad();
  if (!post.any()) return attr;
  dnnl::post_ops ops;
  if (post.adds) ops.append_binary(dnnl::algorithm::binary_add, addend);
  if (post.function != PostFunction::none) ops.append_eltwise(algorithm_of(post.function), post.alpha, post.beta);
  attr.set_post_ops(ops);
  return attr;
}

// The orders of packed weights by number; 0 stands for weights as they were given.
class WeightOrders {
 public:
  static WeightOrders& get() {
    static auto* orders = new WeightOrders;
    return *orders;
  }
  int64_t number_of(const dnnl::memory::desc& order) {
    std::lock_guard lock(mutex_);
    auto it = std::find(orders_.begin(), orders_.end(), order);
    if (it != orders_.end()) return it - orders_.begin() + 1;
    orders_.push_back(order);
    return static_cast<int64_t>(orders_.size());
  }
  dnnl::memory::desc at(int64_t number) {
    std::lock_guard lock(mutex_);
    if (number < 1 || number > static_cast<int64_t>(orders_.size()))
      value_error("the packed weight is not one that this process has packed");
    return orders_[static_cast<size_t>(number - 1)];
  }

 private:
  std::mutex mutex_;
  std::vector<dnnl::memory::desc> orders_;
};

}  // namespace mxnet::onednn

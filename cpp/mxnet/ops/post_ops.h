// What convolutions and dense layers do to their results in the same pass over the memory.
#pragma once
#include <array>
#include <string_view>

#include "mxnet/base/dtype.h"

namespace mxnet {

class Expr;

// function(sum + addend).
enum class PostFunction { none, relu, clip, sigmoid, tanh, elu, gelu };
constexpr std::array<std::pair<PostFunction, std::string_view>, 7> names_of(PostFunction) {
  return {{{PostFunction::none, "none"},
           {PostFunction::relu, "relu"},
           {PostFunction::clip, "clip"},
           {PostFunction::sigmoid, "sigmoid"},
           {PostFunction::tanh, "tanh"},
           {PostFunction::elu, "elu"},
           {PostFunction::gelu, "gelu"}}};
}

struct PostOps {
  bool adds = false;
  PostFunction function = PostFunction::none;
  float alpha = 0, beta = 0;  // slope of relu and scale of elu for negative sums, or the bounds of clip

  bool any() const { return adds || function != PostFunction::none; }
};

// y = function(y + addend) element by element, for results that come without.
void apply_post_ops(const PostOps& post, DType dtype, int64_t n, const void* addend, void* y);

// The derivative of the function at the sums z.
Expr post_slope(const PostOps& post, const Expr& z);

// Weights in the order that a layer is fastest with: a head that names the order, and the elements. It has a meaning
// within this process only.
constexpr int64_t kPackedHead = 64;
// The elements of packed weights that were left in the order they had; raises for others.
const void* plain_weights(const void* packed);
// Fills `bytes` of packed weights with elements in the order they have.
void keep_weights(const void* weights, int64_t weight_bytes, void* packed, int64_t bytes);

}  // namespace mxnet

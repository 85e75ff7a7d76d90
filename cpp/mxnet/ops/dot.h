// The matrix products: parameters, and how their kernels see them.
#pragma once
#include <array>

#include "mxnet/op/op.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/post_ops.h"

namespace mxnet {

enum class StorageForm { dense, csr, row_sparse };
constexpr std::array<std::pair<StorageForm, std::string_view>, 3> names_of(StorageForm) {
  return {{{StorageForm::dense, "default"}, {StorageForm::csr, "csr"}, {StorageForm::row_sparse, "row_sparse"}}};
}

struct DotParams {
  bool transpose_a = false;
  bool transpose_b = false;
  std::optional<StorageForm> forward_stype;

  static constexpr auto fields() {
    using P = DotParams;
    return std::tuple{
        field("transpose_a", &P::transpose_a, "Take the transpose of the first array."),
        field("transpose_b", &P::transpose_b, "Take the transpose of the second array."),
        field("forward_stype", &P::forward_stype, "Storage of the result where sparse arrays take part.")};
  }
};

struct FullyConnectedParams {
  int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;

  static constexpr auto fields() {
    using P = FullyConnectedParams;
    return std::tuple{field("num_hidden", &P::num_hidden, "Number of output features.").required(),
                      field("no_bias", &P::no_bias, "Leave the bias out."),
                      field("flatten", &P::flatten, "Take all axes but the first as features; else only the last.")};
  }
};

// Of the dense layer that passes over graphs make.
struct FusedFullyConnectedParams {
  int64_t num_hidden = 0;
  bool no_bias = false;
  bool flatten = true;
  bool packed = false;
  bool with_addend = false;
  PostFunction function = PostFunction::none;
  float alpha = 0, beta = 0;
  Shape data_shape;

  static constexpr auto fields() {
    using P = FusedFullyConnectedParams;
    return std::tuple{
        field("num_hidden", &P::num_hidden, "Number of output features.").required(),
        field("no_bias", &P::no_bias, "Leave the bias out."),
        field("flatten", &P::flatten, "Take all axes but the first as features; else only the last."),
        field("packed", &P::packed, "The weight is what _fully_connected_pack made of it."),
        field("with_addend", &P::with_addend, "There is an array to be added."),
        field("function", &P::function, "What is applied to the sum."),
        field("alpha", &P::alpha, "Slope of relu and scale of elu for negative sums; lower bound of clip."),
        field("beta", &P::beta, "Upper bound of clip."),
        field("data_shape", &P::data_shape, "Shape of the data that a weight is packed for.")};
  }
  FullyConnectedParams plain() const { return {num_hidden, no_bias, flatten}; }
};

// `rows` vectors of `in` numbers become as many of `out`.
struct DenseLayer {
  int64_t rows = 0, in = 0, out = 0;
};
struct DenseArrays {
  const void *x, *w;
  void* y;
  const void* bias = nullptr;
  const void* addend = nullptr;  // for layers with post-ops
};

// y = x w^T + bias.
void dense(DType dtype, const DenseLayer& layer, const DenseArrays& arrays);
void infer_fully_connected(const FullyConnectedParams& p, InferContext& c);
// Of FullyConnected and what is like it, for a gradient `dout` of its sums.
void fully_connected_gradient(const FullyConnectedParams& p, GradContext& g, const Expr& dout);

// Packed float32 weights, and a layer with these. What oneDNN has no fast primitive for gives false.
int64_t packed_dense_bytes(const DenseLayer& layer);
bool packing_pays(DType dtype, const DenseLayer& layer);
bool pack_dense_onednn(const DenseLayer& layer, const PostOps& post, bool bias, const void* w, void* packed);
bool dense_onednn(const DenseLayer& layer, const PostOps& post, const DenseArrays& arrays);

// The product that an operator's kernel runs, on any device; that of FullyConnected without the bias.
Gemm dot_gemm(const DotParams& p, const KernelContext& c);
Gemm batch_dot_gemm(const DotParams& p, const KernelContext& c);
Gemm fully_connected_gemm(const FullyConnectedParams& p, const KernelContext& c);

}  // namespace mxnet

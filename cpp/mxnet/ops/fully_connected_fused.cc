// The dense layer that passes over graphs make of FullyConnected and what follows it, and its packed weights.
#include <utility>

#include "mxnet/op/registry.h"
#include "mxnet/ops/dot.h"
#include "mxnet/ops/post_gradient.h"

namespace mxnet {
namespace {

void infer_fused(const FusedFullyConnectedParams& p, InferContext& c) {
  if (p.with_addend != c.has(3))
    c.fail_type(c.has(3) ? "got an addend without with_addend=True" : "array 'addend' is missing");
  if (!p.packed) {
    infer_fully_connected(p.plain(), c);
  } else {
    // The weight by its elements first, then as what it has been packed into.
    TensorSpec packed = std::exchange(c.in(1), {});
    c.in(1).dtype = c.in(0).dtype;
    infer_fully_connected(p.plain(), c);
    Shape weight = std::exchange(c.in(1), packed).shape;
    c.expect_dtype(1, DType::uint8);
    if (weight.known()) c.expect_shape(1, {packed_dense_bytes({1, weight[1], weight[0]})});
  }
  if (!c.has(3)) return;
  c.expect_dtype(3, c.out(0).dtype);
  c.expect_shape(3, c.out(0).shape);
}

void fused_cpu(const FusedFullyConnectedParams& p, KernelContext& c) {
  auto data = [&](int i) { return c.has(i) ? c.in(i).data : nullptr; };
  DType dtype = c.out(0).dtype;
  int64_t size = c.out(0).size(), rows = size / p.num_hidden;
  DenseLayer layer{rows, rows ? c.in(0).size() / rows : 0, p.num_hidden};
  DenseArrays arrays{data(0), data(1), c.out(0).data, data(2), data(3)};
  if (p.packed) {
#if MXNET_ONEDNN
    if (dense_onednn(layer, post_ops(p), arrays)) return;
#endif
    arrays.w = plain_weights(arrays.w);
  }
  dense(dtype, layer, arrays);
  if (post_ops(p).any()) apply_post_ops(post_ops(p), dtype, size, arrays.addend, arrays.y);
}

void fused_gradient(const FusedFullyConnectedParams& p, GradContext& g) {
  static const OpRef op("_fused_fully_connected");
  fully_connected_gradient(p.plain(), g, sum_gradient(op, p, g));
}

const Op& fused = define_op<FusedFullyConnectedParams>("_fused_fully_connected")
                      .doc(
                          "FullyConnected whose weight may be packed, and what follows it: function(data weight^T + "
                          "bias + addend).")
                      .input("data", "Input array.")
                      .input("weight", "Matrix (num_hidden, K).")
                      .optional_input("bias", "Vector (num_hidden,).")
                      .optional_input("addend", "Array like the result.")
                      .infer(infer_fused)
                      .cpu(fused_cpu)
                      .gradient(fused_gradient)
                      .grad_uses(true, false)
                      .heavy();

// The layer a weight is packed for.
DenseLayer packed_layer(const FusedFullyConnectedParams& p, const Shape& weight) {
  int64_t rows = p.flatten ? p.data_shape[0] : p.data_shape.product(0, p.data_shape.ndim() - 1);
  return {rows, weight[1], weight[0]};
}

void infer_pack(const FusedFullyConnectedParams& p, InferContext& c) {
  c.expect_rank(0, 2);
  if (p.data_shape.ndim() == 0) c.fail("data_shape is ", p.data_shape, ", must have an entry or more");
  const Shape& weight = c.shape(0);
  c.out(0).dtype = DType::uint8;
  if (c.in(0).dtype != DType::unknown && c.in(0).dtype != DType::float32)
    c.fail_type("weight has dtype ", c.in(0).dtype, ", expected float32");
  if (weight.known()) c.out(0).shape = {packed_dense_bytes({1, weight[1], weight[0]})};
}

void pack_cpu(const FusedFullyConnectedParams& p, KernelContext& c) {
  DenseLayer layer = packed_layer(p, c.in(0).shape());
#if MXNET_ONEDNN
  if (pack_dense_onednn(layer, post_ops(p), !p.no_bias, c.in(0).data, c.out(0).data)) return;
#endif
  keep_weights(c.in(0).data, layer.in * layer.out * size_of(c.in(0).dtype), c.out(0).data, c.out(0).size());
}

const Op& pack = define_op<FusedFullyConnectedParams>("_fully_connected_pack")
                     .doc(
                         "The weight of a _fused_fully_connected with these parameters in the order that is fastest "
                         "for data of `data_shape`, as bytes that this process alone can read.")
                     .input("weight", "Matrix (num_hidden, K) of float32.")
                     .infer(infer_pack)
                     .cpu(pack_cpu)
                     .heavy();

}  // namespace

// A few rows read each weight once whatever their order, and large weights are waited for rather than computed with.
bool packing_pays([[maybe_unused]] DType dtype, [[maybe_unused]] const DenseLayer& layer) {
#if MXNET_ONEDNN
  constexpr int64_t kFewRows = 2, kLarge = 1 << 22;
  return dtype == DType::float32 && layer.rows > kFewRows && layer.in > 0 && layer.in * layer.out <= kLarge;
#else
  return false;
#endif
}

// Primitives pad outputs to at most 64 and inputs to 16.
int64_t packed_dense_bytes(const DenseLayer& layer) {
  auto up = [](int64_t n, int64_t to) { return (n + to - 1) / to * to; };
  return kPackedHead + up(layer.out, 64) * up(layer.in, 16) * size_of(DType::float32);
}

}  // namespace mxnet

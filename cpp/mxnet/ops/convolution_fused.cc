// The convolution that passes over graphs make of Convolution and what follows it, and its packed weights.
#include <utility>

#include "mxnet/op/registry.h"
#include "mxnet/ops/convolution_window.h"
#include "mxnet/ops/post_gradient.h"

namespace mxnet {
namespace {

void infer_fused(const FusedConvolutionParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  DType packed_dtype = p.packed ? std::exchange(c.in(1).dtype, c.in(0).dtype) : DType::unknown;
  c.out(0).dtype = c.same_dtype();
  if (p.packed) c.in(1).dtype = packed_dtype, c.expect_dtype(1, DType::uint8);
  check_common(p, c);
  if (p.with_addend != c.has(3))
    c.fail_type(c.has(3) ? "got an addend without with_addend=True" : "array 'addend' is missing");
  if (!c.shape(0).rank_known()) return;
  int64_t channels = input_channels(w, p.num_group, c);
  c.out(0).shape = convolved_shape(w, c.shape(0), p.num_filter, c.name());
  if (!p.packed)
    c.expect_shape(1, w.weight_shape(p.num_filter, channels < 0 ? kUnknown : channels / p.num_group));
  else if (channels >= 0 && c.out(0).dtype != DType::unknown)
    c.expect_shape(1, {packed_bytes(geometry_of(w, p.num_group, c.shape(0), c.out(0).shape), c.out(0).dtype)});
  c.expect_shape(3, c.out(0).shape);
}

void fused_cpu(const FusedConvolutionParams& p, KernelContext& c) {
  auto data = [&](int i) { return c.has(i) ? c.in(i).data : nullptr; };
  ConvArrays arrays{data(0), data(1), c.out(0).data, data(2), data(3), p.packed};
  convolve(ConvPass::forward, conv_geometry(p, c.in(0).shape(), c.out(0).shape()), c.out(0).dtype, arrays, post_ops(p));
}

void fused_gradient(const FusedConvolutionParams& p, GradContext& g) {
  static const OpRef op("_fused_convolution");
  convolution_gradient(p, g, sum_gradient(op, p, g));
}

const Op& fused = define_op<FusedConvolutionParams>("_fused_convolution")
                      .doc(
                          "Convolution whose weight may have its axes in another order than the data, or be packed, "
                          "and what follows it: function(convolution + bias + addend).")
                      .input("data", "Input of rank kernel + 2.")
                      .input("weight", "Filters.")
                      .optional_input("bias", "Vector (num_filter,).")
                      .optional_input("addend", "Array like the result.")
                      .infer(infer_fused)
                      .cpu(fused_cpu)
                      .gradient(fused_gradient)
                      .grad_uses(true, false)
                      .heavy();

ConvGeometry pack_geometry(const FusedConvolutionParams& p, std::string_view op) {
  Window w = window_of(p, op);
  if (p.data_shape.ndim() != w.spatial + 2)
    value_error(op, ": data_shape is ", p.data_shape, ", must have ", w.spatial + 2, " entries");
  if (p.num_filter < 1 || p.num_filter % p.num_group != 0 || p.data_shape[w.channel_axis()] % p.num_group != 0)
    value_error(op, ": num_filter ", p.num_filter, " and the channels of ", p.data_shape,
                " must be divisible by num_group ", p.num_group);
  return geometry_of(w, p.num_group, p.data_shape, convolved_shape(w, p.data_shape, p.num_filter, op));
}

void infer_pack(const FusedConvolutionParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  ConvGeometry g = pack_geometry(p, c.name());
  c.expect_shape(0, w.weight_shape(p.num_filter, g.in_channels / g.groups));
  c.out(0).dtype = DType::uint8;
  if (c.in(0).dtype != DType::unknown) c.out(0).shape = {packed_bytes(g, c.in(0).dtype)};
}

const Op& pack = define_op<FusedConvolutionParams>("_convolution_pack")
                     .doc(
                         "The weight of a _fused_convolution with these parameters in the order that is fastest for "
                         "data of `data_shape`, as bytes that this process alone can read.")
                     .input("weight", "Filters.")
                     .infer(infer_pack)
                     .cpu([](const FusedConvolutionParams& p, KernelContext& c) {
                       pack_weights(pack_geometry(p, c.op.name), c.in(0).dtype, post_ops(p), !p.no_bias, c.in(0).data,
                                    c.out(0).data);
                     })
                     .heavy();

}  // namespace

ConvGeometry conv_geometry(const FusedConvolutionParams& p, const Shape& x, const Shape& y) {
  return geometry_of(window_of(p, "_fused_convolution"), p.num_group, x, y);
}

// Primitives pad output channels to at most 64 and input channels to 16; what does not fit stays as it is.
int64_t packed_bytes(const ConvGeometry& g, DType dtype) {
  auto up = [](int64_t n, int64_t to) { return (n + to - 1) / to * to; };
  int64_t in = g.in_channels / g.groups, out = g.out_channels / g.groups;
  int64_t weights = g.groups == 1 ? up(out, 64) * up(in, 16) : up(g.groups, 16) * out * in;
  return kPackedHead + weights * g.kernel_size() * size_of(dtype);
}

void pack_weights(const ConvGeometry& g, DType dtype, [[maybe_unused]] const PostOps& post, [[maybe_unused]] bool bias,
                  const void* w, void* packed) {
#if MXNET_ONEDNN
  if (pack_weights_onednn(g, dtype, post, bias, w, packed)) return;
#endif
  keep_weights(w, g.w_elements() * size_of(dtype), packed, packed_bytes(g, dtype));
}

}  // namespace mxnet

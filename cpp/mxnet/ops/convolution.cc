#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/convolution_window.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

void infer_convolution(const ConvolutionParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  c.out(0).dtype = c.same_dtype(0, 3);
  check_common(p, c);
  if (!c.shape(0).rank_known()) return c.expect_shape(1, w.weight_shape(p.num_filter, kUnknown));
  int64_t channels = input_channels(w, p.num_group, c);
  const Shape& data = c.shape(0);
  c.expect_shape(1, w.weight_shape(p.num_filter, channels < 0 ? kUnknown : channels / p.num_group));
  c.out(0).shape = convolved_shape(w, data, p.num_filter, c.name());
}

void convolution_cpu(const ConvolutionParams& p, KernelContext& c) {
  ConvGeometry g = conv_geometry(p, c.in(0).shape(), c.out(0).shape());
  convolve(ConvPass::forward, g, c.out(0).dtype,
           {c.in(0).data, c.in(1).data, c.out(0).data, c.has(2) ? c.in(2).data : nullptr});
}

const OpRef data_grad_op("_backward_Convolution_data");
const OpRef weight_grad_op("_backward_Convolution_weight");

Expr data_gradient(const ConvolutionGradParams& p, const Expr& dy, const Expr& w) {
  return data_grad_op.with({dy, w}, make_params(p))[0];
}
Expr weight_gradient(const ConvolutionGradParams& p, const Expr& dy, const Expr& x) {
  return weight_grad_op.with({dy, x}, make_params(p))[0];
}

// The convolution itself, to `filters` channels and without a bias.
Expr forward(const ConvolutionGradParams& p, int64_t filters, const Expr& x, const Expr& w) {
  static const OpRef plain("Convolution"), general("_fused_convolution");
  auto fill = [&](auto q) {
    q.kernel = p.kernel, q.stride = p.stride, q.dilate = p.dilate, q.pad = p.pad;
    q.num_filter = filters, q.num_group = p.num_group, q.no_bias = true, q.layout = p.layout;
    return q;
  };
  if (!p.weight_layout) return plain.with({x, w}, make_params(fill(ConvolutionParams())))[0];
  FusedConvolutionParams q = fill(FusedConvolutionParams());
  q.weight_layout = p.weight_layout;
  return general.with({x, w}, make_params(q))[0];
}

// The three passes are the three derivatives of one trilinear form, so each one's gradients are the other two.
void data_grad_gradient(const ConvolutionGradParams& p, GradContext& g) {
  int channel = window_of(p, "Convolution").channel_axis();
  if (g.needs(0)) g.din(0) = forward(p, g.in(0).shape()[channel], g.dout(0), g.in(1));
  if (g.needs(1)) g.din(1) = weight_gradient(grad_params(p, g.in(1).shape()), g.in(0), g.dout(0));
}
void weight_grad_gradient(const ConvolutionGradParams& p, GradContext& g) {
  int channel = window_of(p, "Convolution").channel_axis();
  if (g.needs(0)) g.din(0) = forward(p, g.in(0).shape()[channel], g.in(1), g.dout(0));
  if (g.needs(1)) g.din(1) = data_gradient(grad_params(p, g.in(1).shape()), g.in(0), g.dout(0));
}

void infer_grad(const ConvolutionGradParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  c.expect_rank(0, w.spatial + 2);
  c.expect_rank(1, w.spatial + 2);
  c.out(0) = {p.shape, c.same_dtype(0, 2)};
}

void data_grad_cpu(const ConvolutionGradParams& p, KernelContext& c) {
  ConvGeometry g = conv_geometry(p, p.shape, c.in(0).shape());
  convolve(ConvPass::data, g, c.out(0).dtype, {c.out(0).data, c.in(1).data, c.in(0).data});
}
void weight_grad_cpu(const ConvolutionGradParams& p, KernelContext& c) {
  ConvGeometry g = conv_geometry(p, c.in(1).shape(), c.in(0).shape());
  convolve(ConvPass::weight, g, c.out(0).dtype, {c.in(1).data, c.out(0).data, c.in(0).data});
}

// pad and adj of a deconvolution for given spatial extents of its input: target_shape overrules both.
struct DeconvolutionFit {
  Window window;
  Shape adj;
};
DeconvolutionFit fit_deconvolution(const DeconvolutionParams& p, const Shape& data) {
  Window w = window_of(p, "Deconvolution");
  Shape adj = p.adj.ndim() == 0 ? Shape::filled(w.spatial, 0) : p.adj;
  if (adj.ndim() != w.spatial)
    value_error("Deconvolution: adj ", adj, " must have as many entries as kernel ", p.kernel);
  bool targeted = std::any_of(p.target_shape.begin(), p.target_shape.end(), [](int64_t d) { return d != 0; });
  if (targeted && p.target_shape.ndim() != w.spatial)
    value_error("Deconvolution: target_shape ", p.target_shape, " must have as many entries as kernel ", p.kernel);
  for (int i = 0; targeted && i < w.spatial; ++i) {
    int64_t extent = data[w.first_axis() + i];
    if (extent < 0) continue;
    int64_t surplus = w.stride[i] * (extent - 1) + w.dilated(i) - p.target_shape[i];
    if (surplus < 0)
      value_error("Deconvolution: target_shape ", p.target_shape, " is too large, at most ",
                  surplus + p.target_shape[i], " can be reached along spatial axis ", i);
    w.pad[i] = (surplus + 1) / 2;
    adj[i] = surplus % 2;
  }
  for (int i = 0; i < w.spatial; ++i)
    if (adj[i] < 0 || adj[i] >= w.stride[i])
      value_error("Deconvolution: adj is ", adj, ", must be less than stride ", w.stride);
  return {w, adj};
}

void infer_deconvolution(const DeconvolutionParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  c.out(0).dtype = c.same_dtype(0, 3);
  check_common(p, c);
  if (!c.shape(0).rank_known()) return c.expect_shape(1, w.weight_shape(kUnknown, p.num_filter / p.num_group));
  int64_t channels = input_channels(w, p.num_group, c);
  c.expect_shape(1, w.weight_shape(channels, p.num_filter / p.num_group));
  const Shape& data = c.shape(0);
  auto [fitted, adj] = fit_deconvolution(p, data);
  Shape extents = Shape::filled(w.spatial, kUnknown);
  for (int i = 0; i < w.spatial; ++i) {
    int64_t extent = data[w.first_axis() + i];
    if (extent < 0) continue;
    extents[i] = w.stride[i] * (extent - 1) + w.dilated(i) - 2 * fitted.pad[i] + adj[i];
    if (extents[i] < 1) c.fail("pad ", fitted.pad, " leaves nothing of an input of shape ", data);
  }
  c.out(0).shape = w.data_shape(data[0], p.num_filter, extents);
}

template <class T>
void add_bias(T* y, const T* bias, int64_t outer, int64_t channels, int64_t inner) {
  parallel_for(outer * channels, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, inner)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   compute_t<T> b = static_cast<compute_t<T>>(bias[i % channels]);
                   for (T *e = y + i * inner, *last = e + inner; e != last; ++e)
                     *e = static_cast<T>(static_cast<compute_t<T>>(*e) + b);
                 }
               });
}

void deconvolution_cpu(const DeconvolutionParams& p, KernelContext& c) {
  const TensorView &data = c.in(0), &out = c.out(0);
  ConvGeometry g = conv_geometry(p, out.shape(), data.shape());
  convolve(ConvPass::data, g, out.dtype, {out.data, c.in(1).data, data.data});
  if (!c.has(2)) return;
  dispatch_floating(out.dtype, [&]<class T>() {
    int64_t inner = g.channels_last ? 1 : g.in_size();
    add_bias(out.as<T>(), c.in(2).as<const T>(), out.size() / (g.in_channels * inner), g.in_channels, inner);
  });
}

void deconvolution_gradient(const DeconvolutionParams& p, GradContext& g) {
  const Shape &data = g.in(0).shape(), &weight = g.in(1).shape();
  DeconvolutionParams q = p;
  Window w = fit_deconvolution(p, data).window;
  q.pad = w.pad;
  Expr dout = g.dout(0);
  if (g.needs(0)) g.din(0) = forward(grad_params(q, data), data[w.channel_axis()], dout, g.in(1));
  if (g.needs(1)) g.din(1) = weight_gradient(grad_params(q, weight), g.in(0), dout);
  if (g.needs(2)) g.din(2) = convolution_bias_gradient(dout, w.channel_axis());
}

// out[i] = the transpose of in[i], each of rows x columns elements.
void swap_matrices(DType dtype, int64_t count, int64_t rows, int64_t columns, const void* in, void* out) {
  dispatch_width(dtype, [&]<class T>() {
    const T* from = static_cast<const T*>(in);
    T* to = static_cast<T*>(out);
    for (int64_t i = 0; i < count; ++i, from += rows * columns, to += rows * columns)
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  });
}

// Through float32 for the types that have no implementation of their own.
void convolve_converted(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays) {
  auto widened = [&](const void* from, int64_t n, bool is_input) {
    Scratch wide(n * 4);
    if (is_input && from) cast_elements(from, dtype, wide.data(), DType::float32, n);
    return wide;
  };
  Scratch x = widened(arrays.x, g.x_elements(), pass != ConvPass::data);
  Scratch w = widened(arrays.w, g.w_elements(), pass != ConvPass::weight);
  Scratch y = widened(arrays.y, g.y_elements(), pass != ConvPass::forward);
  Scratch bias = widened(arrays.bias, arrays.bias ? g.out_channels : 0, true);
  convolve(pass, g, DType::float32, {x.data(), w.data(), y.data(), bias.data()});
  if (pass == ConvPass::data) cast_elements(x.data(), DType::float32, arrays.x, dtype, g.x_elements());
  if (pass == ConvPass::weight) cast_elements(w.data(), DType::float32, arrays.w, dtype, g.w_elements());
  if (pass == ConvPass::forward) cast_elements(y.data(), DType::float32, arrays.y, dtype, g.y_elements());
}

const Op& convolution =
    define_op<ConvolutionParams>("Convolution")
        .doc(
            "Convolution over 1, 2 or 3 spatial axes: `data` (N, C, ..) with `weight` (num_filter, "
            "C / num_group, kernel ..) gives "
            "(N, num_filter, ..), each extent (size + 2 pad - dilate (kernel - 1) - 1) / stride + "
            "1 rounded down. Where the layout "
            "puts channels last, so does the weight: (num_filter, kernel .., C / num_group).")
        .input("data", "Input of rank kernel + 2.")
        .input("weight", "Filters.")
        .optional_input("bias", "Vector (num_filter,).")
        .alias({"Convolution_v1", "_npx_convolution"})
        .infer(infer_convolution)
        .cpu(convolution_cpu)
        .gradient([](const ConvolutionParams& p, GradContext& g) { convolution_gradient(p, g, g.dout(0)); })
        .grad_uses(true, false)
        .heavy();

const Op& deconvolution = define_op<DeconvolutionParams>("Deconvolution")
                              .doc(
                                  "Transposed convolution, the gradient of a convolution for its data: `data` (N, C, "
                                  "..) with `weight` (C, num_filter / "
                                  "num_group, kernel ..) gives (N, num_filter, ..), each extent stride (size - 1) + "
                                  "dilate (kernel - 1) + 1 - 2 pad + adj.")
                              .input("data", "Input of rank kernel + 2.")
                              .input("weight", "Filters.")
                              .optional_input("bias", "Vector (num_filter,).")
                              .alias({"_npx_deconvolution"})
                              .infer(infer_deconvolution)
                              .cpu(deconvolution_cpu)
                              .gradient(deconvolution_gradient)
                              .grad_uses(true, false)
                              .heavy();

const Op& convolution_data_grad = define_op<ConvolutionGradParams>("_backward_Convolution_data")
                                      .doc("Gradient of a convolution for its data.")
                                      .input("dout", "Gradient of the convolution's output.")
                                      .input("weight", "Filters.")
                                      .infer(infer_grad)
                                      .cpu(data_grad_cpu)
                                      .gradient(data_grad_gradient)
                                      .grad_uses(true, false)
                                      .heavy();

const Op& convolution_weight_grad = define_op<ConvolutionGradParams>("_backward_Convolution_weight")
                                        .doc("Gradient of a convolution for its weight.")
                                        .input("dout", "Gradient of the convolution's output.")
                                        .input("data", "Input of the convolution.")
                                        .infer(infer_grad)
                                        .cpu(weight_grad_cpu)
                                        .gradient(weight_grad_gradient)
                                        .grad_uses(true, false)
                                        .heavy();

}  // namespace

ConvGeometry conv_geometry(const ConvolutionParams& p, const Shape& x, const Shape& y) {
  return geometry_of(window_of(p, "Convolution"), p.num_group, x, y);
}
ConvGeometry conv_geometry(const ConvolutionGradParams& p, const Shape& x, const Shape& y) {
  return geometry_of(window_of(p, "_backward_Convolution"), p.num_group, x, y);
}
ConvGeometry conv_geometry(const DeconvolutionParams& p, const Shape& x, const Shape& y) {
  return geometry_of(fit_deconvolution(p, y).window, p.num_group, x, y);
}

bool is_fast_convolution([[maybe_unused]] DType dtype) {
#if MXNET_ONEDNN
  return dtype == DType::float32 || dtype == DType::bfloat16;
#else
  return false;
#endif
}

// With weights whose axes are in the order of the data's.
static void convolve_alike(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays) {
  if (dtype == DType::float16 || dtype == DType::bfloat16) return convolve_converted(pass, g, dtype, arrays);
  convolve_gathered(pass, g, dtype, arrays);
}

// Weights of the other order are brought into that of the data, and back.
static void convolve_reordered(ConvPass pass, const ConvGeometry& g, DType dtype, ConvArrays arrays) {
  ConvGeometry alike = g;
  alike.weights_last = g.channels_last;
  Scratch weights(g.w_elements() * size_of(dtype));
  int64_t channels = g.in_channels / g.groups, taps = g.kernel_size();
  bool result = pass == ConvPass::weight;
  void* given = std::exchange(arrays.w, weights.data());
  int64_t rows = g.weights_last ? taps : channels, columns = g.weights_last ? channels : taps;
  if (!result) swap_matrices(dtype, g.out_channels, rows, columns, given, weights.data());
  convolve_alike(pass, alike, dtype, arrays);
  if (result) swap_matrices(dtype, g.out_channels, columns, rows, weights.data(), given);
}

void convolve(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays, const PostOps& post) {
  int64_t size = size_of(dtype);
  if (g.y_elements() == 0 || g.x_elements() == 0) {
    if (pass == ConvPass::weight) std::memset(arrays.w, 0, static_cast<size_t>(g.w_elements() * size));
    if (pass == ConvPass::data) std::memset(arrays.x, 0, static_cast<size_t>(g.x_elements() * size));
    return;
  }
#if MXNET_ONEDNN
  if (convolve_onednn(pass, g, dtype, arrays, post)) return;
#endif
  ConvArrays plain = arrays;
  if (arrays.packed) plain.w = const_cast<void*>(plain_weights(arrays.w));
  if (g.weights_last == g.channels_last)
    convolve_alike(pass, g, dtype, plain);
  else
    convolve_reordered(pass, g, dtype, plain);
  if (post.any()) apply_post_ops(post, dtype, g.y_elements(), arrays.addend, arrays.y);
}

}  // namespace mxnet

#include "mxnet/ops/convolution.h"

#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

// The window of a convolution with the defaults filled in; raises for what does not fit together.
struct Window {
  int spatial = 0;
  bool channels_last = false;
  Shape kernel, stride, dilate, pad;

  int channel_axis() const { return channels_last ? spatial + 1 : 1; }
  int first_axis() const { return channels_last ? 1 : 2; }
  int64_t dilated(int i) const { return dilate[i] * (kernel[i] - 1) + 1; }
  Shape data_shape(int64_t batch, int64_t channels, const Shape& extents) const {
    return arranged(batch, channels, extents);
  }
  Shape weight_shape(int64_t out, int64_t in) const { return arranged(out, in, kernel); }

 private:
  Shape arranged(int64_t first, int64_t channels, const Shape& extents) const {
    Shape shape{first};
    if (!channels_last) shape.push_back(channels);
    for (int64_t extent : extents.dims()) shape.push_back(extent);
    if (channels_last) shape.push_back(channels);
    return shape;
  }
};

template <class P>
Window window_of(const P& p, std::string_view op) {
  auto check = [&](const char* name, const Shape& given, int64_t least, int64_t otherwise) {
    int rank = p.kernel.ndim();
    if (given.ndim() == 0) return Shape::filled(rank, otherwise);
    if (given.ndim() != rank)
      value_error(op, ": ", name, " ", given, " must have as many entries as kernel ", p.kernel);
    for (int64_t extent : given.dims())
      if (extent < least) value_error(op, ": ", name, " is ", given, ", each entry must be at least ", least);
    return given;
  };
  int spatial = p.kernel.ndim();
  if (spatial < 1 || spatial > 3) value_error(op, ": kernel is ", p.kernel, ", must have 1, 2 or 3 entries");
  if (p.num_group < 1) value_error(op, ": num_group is ", p.num_group, ", must be at least 1");
  if (p.layout && spatial_of(*p.layout) != spatial)
    value_error(op, ": layout has ", spatial_of(*p.layout), " spatial axes, kernel ", p.kernel, " has ", spatial);
  return {spatial,
          p.layout && channels_last(*p.layout),
          check("kernel", p.kernel, 1, 1),
          check("stride", p.stride, 1, 1),
          check("dilate", p.dilate, 1, 1),
          check("pad", p.pad, 0, 0)};
}

ConvGeometry geometry_of(const Window& w, int64_t groups, const Shape& x, const Shape& y) {
  ConvGeometry g;
  g.spatial = w.spatial, g.channels_last = w.channels_last, g.groups = groups;
  g.batch = x[0], g.in_channels = x[w.channel_axis()], g.out_channels = y[w.channel_axis()];
  for (int i = 0; i < w.spatial; ++i) {
    int to = 3 - w.spatial + i;
    g.in[to] = x[w.first_axis() + i], g.out[to] = y[w.first_axis() + i];
    g.kernel[to] = w.kernel[i], g.stride[to] = w.stride[i], g.dilate[to] = w.dilate[i], g.pad[to] = w.pad[i];
  }
  return g;
}

// Checks that need no array, and the bias.
template <class P>
void check_common(const P& p, InferContext& c) {
  if (p.num_filter < 1) c.fail("num_filter is ", p.num_filter, ", must be at least 1");
  if (p.num_group > 0 && p.num_filter % p.num_group != 0)
    c.fail("num_filter ", p.num_filter, " is not divisible by num_group ", p.num_group);
  if (p.no_bias && c.has(2)) c.fail_type("got a bias together with no_bias=True");
  if (!p.no_bias && !c.has(2)) c.fail_type("array 'bias' is missing; pass no_bias=True to go without");
  c.expect_shape(2, {p.num_filter});
}

int64_t input_channels(const Window& w, int64_t groups, InferContext& c) {
  c.expect_rank(0, w.spatial + 2);
  int64_t channels = c.shape(0)[w.channel_axis()];
  if (channels >= 0 && channels % groups != 0)
    c.fail(channels, " input channels are not divisible by num_group ", groups);
  return channels;
}

int64_t convolved_extent(const Window& w, int i, int64_t extent, std::string_view op) {
  if (extent < 0) return kUnknown;
  int64_t room = extent + 2 * w.pad[i] - w.dilated(i);
  if (room < 0)
    value_error(op, ": kernel ", w.kernel, " with dilate ", w.dilate, " exceeds the padded input, ",
                extent + 2 * w.pad[i], " along spatial axis ", i);
  return room / w.stride[i] + 1;
}

void infer_convolution(const ConvolutionParams& p, InferContext& c) {
  Window w = window_of(p, c.name());
  c.out(0).dtype = c.same_dtype(0, 3);
  check_common(p, c);
  if (!c.shape(0).rank_known()) return c.expect_shape(1, w.weight_shape(p.num_filter, kUnknown));
  int64_t channels = input_channels(w, p.num_group, c);
  const Shape& data = c.shape(0);
  c.expect_shape(1, w.weight_shape(p.num_filter, channels < 0 ? kUnknown : channels / p.num_group));
  Shape extents = Shape::filled(w.spatial, kUnknown);
  for (int i = 0; i < w.spatial; ++i) extents[i] = convolved_extent(w, i, data[w.first_axis() + i], c.name());
  c.out(0).shape = w.data_shape(data[0], p.num_filter, extents);
}

void convolution_cpu(const ConvolutionParams& p, KernelContext& c) {
  ConvGeometry g = conv_geometry(p, c.in(0).shape(), c.out(0).shape());
  convolve(ConvPass::forward, g, c.out(0).dtype,
           {c.in(0).data, c.in(1).data, c.out(0).data, c.has(2) ? c.in(2).data : nullptr});
}

template <class P>
ConvolutionGradParams grad_params(const P& p, const Shape& shape) {
  return {p.kernel, p.stride, p.dilate, p.pad, p.num_group, p.layout, shape};
}
template <class P>
ConvolutionParams forward_params(const P& p, int64_t num_filter) {
  ConvolutionParams q;
  q.kernel = p.kernel, q.stride = p.stride, q.dilate = p.dilate, q.pad = p.pad;
  q.num_filter = num_filter, q.num_group = p.num_group, q.no_bias = true, q.layout = p.layout;
  return q;
}

const OpRef convolution_op("Convolution");
const OpRef data_grad_op("_backward_Convolution_data");
const OpRef weight_grad_op("_backward_Convolution_weight");

Expr bias_gradient(const Expr& dout, int channel_axis) {
  std::vector<int> axes;
  for (int i = 0; i < dout.shape().ndim(); ++i)
    if (i != channel_axis) axes.push_back(i);
  return sum(dout, axes, false);
}

void convolution_gradient(const ConvolutionParams& p, GradContext& g) {
  Expr dout = g.dout(0);
  if (g.needs(0)) g.din(0) = data_grad_op.with({dout, g.in(1)}, make_params(grad_params(p, g.in(0).shape())))[0];
  if (g.needs(1)) g.din(1) = weight_grad_op.with({dout, g.in(0)}, make_params(grad_params(p, g.in(1).shape())))[0];
  if (g.needs(2)) g.din(2) = bias_gradient(dout, window_of(p, "Convolution").channel_axis());
}

// The three passes are the three derivatives of one trilinear form, so each one's gradients are the other two.
void data_grad_gradient(const ConvolutionGradParams& p, GradContext& g) {
  const Shape &dy = g.in(0).shape(), &w = g.in(1).shape();
  int channel = window_of(p, "Convolution").channel_axis();
  if (g.needs(0)) g.din(0) = convolution_op.with({g.dout(0), g.in(1)}, make_params(forward_params(p, dy[channel])))[0];
  if (g.needs(1)) g.din(1) = weight_grad_op.with({g.in(0), g.dout(0)}, make_params(grad_params(p, w)))[0];
}
void weight_grad_gradient(const ConvolutionGradParams& p, GradContext& g) {
  const Shape &dy = g.in(0).shape(), &x = g.in(1).shape();
  int channel = window_of(p, "Convolution").channel_axis();
  if (g.needs(0)) g.din(0) = convolution_op.with({g.in(1), g.dout(0)}, make_params(forward_params(p, dy[channel])))[0];
  if (g.needs(1)) g.din(1) = data_grad_op.with({g.in(0), g.dout(0)}, make_params(grad_params(p, x)))[0];
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
  if (g.needs(0))
    g.din(0) = convolution_op.with({dout, g.in(1)}, make_params(forward_params(q, data[w.channel_axis()])))[0];
  if (g.needs(1)) g.din(1) = weight_grad_op.with({g.in(0), dout}, make_params(grad_params(q, weight)))[0];
  if (g.needs(2)) g.din(2) = bias_gradient(dout, w.channel_axis());
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

const Op& convolution = define_op<ConvolutionParams>("Convolution")
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
                            .gradient(convolution_gradient)
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

void convolve(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays) {
  int64_t size = size_of(dtype);
  if (g.y_elements() == 0 || g.x_elements() == 0) {
    if (pass == ConvPass::weight) std::memset(arrays.w, 0, static_cast<size_t>(g.w_elements() * size));
    if (pass == ConvPass::data) std::memset(arrays.x, 0, static_cast<size_t>(g.x_elements() * size));
    return;
  }
#if MXNET_ONEDNN
  if (convolve_onednn(pass, g, dtype, arrays)) return;
#endif
  if (dtype == DType::float16 || dtype == DType::bfloat16) return convolve_converted(pass, g, dtype, arrays);
  convolve_gathered(pass, g, dtype, arrays);
}

}  // namespace mxnet

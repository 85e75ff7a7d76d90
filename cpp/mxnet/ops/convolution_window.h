// The window of a convolution with its defaults filled in, and the inference that convolutions share.
#pragma once
#include "mxnet/op/expr.h"
#include "mxnet/ops/convolution.h"

namespace mxnet {

struct Window {
  int spatial = 0;
  bool channels_last = false, weights_last = false;
  Shape kernel, stride, dilate, pad;

  int channel_axis() const { return channels_last ? spatial + 1 : 1; }
  int first_axis() const { return channels_last ? 1 : 2; }
  int64_t dilated(int i) const { return dilate[i] * (kernel[i] - 1) + 1; }
  Shape data_shape(int64_t batch, int64_t channels, const Shape& extents) const {
    return arranged(batch, channels, extents, channels_last);
  }
  Shape weight_shape(int64_t out, int64_t in) const { return arranged(out, in, kernel, weights_last); }

 private:
  static Shape arranged(int64_t first, int64_t channels, const Shape& extents, bool last) {
    Shape shape{first};
    if (!last) shape.push_back(channels);
    for (int64_t extent : extents.dims()) shape.push_back(extent);
    if (last) shape.push_back(channels);
    return shape;
  }
};

// Raises for parameters that do not fit together.
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
  auto check_layout = [&](const char* name, const std::optional<Layout>& layout) {
    if (layout && spatial_of(*layout) != spatial)
      value_error(op, ": ", name, " has ", spatial_of(*layout), " spatial axes, kernel ", p.kernel, " has ", spatial);
  };
  check_layout("layout", p.layout);
  bool last = p.layout && channels_last(*p.layout), weights_last = last;
  if constexpr (requires { p.weight_layout; }) {
    check_layout("weight_layout", p.weight_layout);
    if (p.weight_layout) weights_last = channels_last(*p.weight_layout);
  }
  return {spatial,
          last,
          weights_last,
          check("kernel", p.kernel, 1, 1),
          check("stride", p.stride, 1, 1),
          check("dilate", p.dilate, 1, 1),
          check("pad", p.pad, 0, 0)};
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

inline int64_t input_channels(const Window& w, int64_t groups, InferContext& c) {
  c.expect_rank(0, w.spatial + 2);
  int64_t channels = c.shape(0)[w.channel_axis()];
  if (channels >= 0 && channels % groups != 0)
    c.fail(channels, " input channels are not divisible by num_group ", groups);
  return channels;
}

// The shape that a convolution of `data`, of the right rank, has.
inline Shape convolved_shape(const Window& w, const Shape& data, int64_t filters, std::string_view op) {
  Shape extents = Shape::filled(w.spatial, kUnknown);
  for (int i = 0; i < w.spatial; ++i) {
    int64_t extent = data[w.first_axis() + i];
    if (extent < 0) continue;
    int64_t room = extent + 2 * w.pad[i] - w.dilated(i);
    if (room < 0)
      value_error(op, ": kernel ", w.kernel, " with dilate ", w.dilate, " exceeds the padded input, ",
                  extent + 2 * w.pad[i], " along spatial axis ", i);
    extents[i] = room / w.stride[i] + 1;
  }
  return w.data_shape(data[0], filters, extents);
}

inline ConvGeometry geometry_of(const Window& w, int64_t groups, const Shape& x, const Shape& y) {
  ConvGeometry g;
  g.spatial = w.spatial, g.channels_last = w.channels_last, g.weights_last = w.weights_last, g.groups = groups;
  g.batch = x[0], g.in_channels = x[w.channel_axis()], g.out_channels = y[w.channel_axis()];
  for (int i = 0; i < w.spatial; ++i) {
    int to = 3 - w.spatial + i;
    g.in[to] = x[w.first_axis() + i], g.out[to] = y[w.first_axis() + i];
    g.kernel[to] = w.kernel[i], g.stride[to] = w.stride[i], g.dilate[to] = w.dilate[i], g.pad[to] = w.pad[i];
  }
  return g;
}

inline Expr convolution_bias_gradient(const Expr& dout, int channel_axis) {
  std::vector<int> axes;
  for (int i = 0; i < dout.shape().ndim(); ++i)
    if (i != channel_axis) axes.push_back(i);
  return sum(dout, axes, false);
}

// Of the pass that computes an array of `shape`.
template <class P>
ConvolutionGradParams grad_params(const P& p, const Shape& shape) {
  ConvolutionGradParams q{p.kernel, p.stride, p.dilate, p.pad, p.num_group, p.layout, shape, {}};
  if constexpr (requires { p.weight_layout; }) q.weight_layout = p.weight_layout;
  return q;
}

// From the gradient of the convolution itself.
template <class P>
void convolution_gradient(const P& p, GradContext& g, const Expr& dout) {
  static const OpRef data_grad("_backward_Convolution_data"), weight_grad("_backward_Convolution_weight");
  if (g.needs(0)) g.din(0) = data_grad.with({dout, g.in(1)}, make_params(grad_params(p, g.in(0).shape())))[0];
  if (g.needs(1)) g.din(1) = weight_grad.with({dout, g.in(0)}, make_params(grad_params(p, g.in(1).shape())))[0];
  if (g.needs(2)) g.din(2) = convolution_bias_gradient(dout, window_of(p, "Convolution").channel_axis());
}

}  // namespace mxnet

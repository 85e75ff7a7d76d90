// Convolution: parameters, geometry, and the interface of its implementations.
#pragma once
#include <array>
#include <optional>

#include "mxnet/op/op.h"
#include "mxnet/ops/layout.h"
#include "mxnet/ops/post_ops.h"

namespace mxnet {

enum class CudnnTune { off, limited_workspace, fastest };
constexpr std::array<std::pair<CudnnTune, std::string_view>, 3> names_of(CudnnTune) {
  return {
      {{CudnnTune::off, "off"}, {CudnnTune::limited_workspace, "limited_workspace"}, {CudnnTune::fastest, "fastest"}}};
}

struct ConvolutionParams {
  Shape kernel, stride, dilate, pad;
  int64_t num_filter = 0;
  int64_t num_group = 1;
  int64_t workspace = 1024;
  bool no_bias = false;
  std::optional<CudnnTune> cudnn_tune;
  bool cudnn_off = false;
  std::optional<Layout> layout;

  static constexpr auto fields() {
    using P = ConvolutionParams;
    return std::tuple{
        field("kernel", &P::kernel, "Extents of the window: (w,), (h, w) or (d, h, w).").required(),
        field("stride", &P::stride, "Step of the window; 1 if not given."),
        field("dilate", &P::dilate, "Distance between the taps of the window; 1 if not given."),
        field("pad", &P::pad, "Zeros added at both ends of each spatial axis; 0 if not given."),
        field("num_filter", &P::num_filter, "Number of output channels.").required(),
        field("num_group", &P::num_group, "Number of groups the channels are split into."),
        field("workspace", &P::workspace, "Accepted and ignored; memory is taken as needed."),
        field("no_bias", &P::no_bias, "Leave the bias out."),
        field("cudnn_tune", &P::cudnn_tune, "How cuDNN picks its algorithm on a gpu."),
        field("cudnn_off", &P::cudnn_off, "Do not use cuDNN on a gpu."),
        field("layout", &P::layout, "Order of the axes of data and output; channels first if not given.")};
  }
};

struct DeconvolutionParams {
  Shape kernel, stride, dilate, pad, adj, target_shape;
  int64_t num_filter = 0;
  int64_t num_group = 1;
  int64_t workspace = 512;
  bool no_bias = true;
  std::optional<CudnnTune> cudnn_tune;
  bool cudnn_off = false;
  std::optional<Layout> layout;

  static constexpr auto fields() {
    using P = DeconvolutionParams;
    return std::tuple{
        field("kernel", &P::kernel, "Extents of the window: (w,), (h, w) or (d, h, w).").required(),
        field("stride", &P::stride, "Step of the window; 1 if not given."),
        field("dilate", &P::dilate, "Distance between the taps of the window; 1 if not given."),
        field("pad", &P::pad, "Elements cut off at both ends of each spatial axis; 0 if not given."),
        field("adj", &P::adj, "Elements added at the far end of each spatial axis, less than the stride."),
        field("target_shape", &P::target_shape, "Spatial extents of the output; replaces pad and adj."),
        field("num_filter", &P::num_filter, "Number of output channels.").required(),
        field("num_group", &P::num_group, "Number of groups the channels are split into."),
        field("workspace", &P::workspace, "Accepted and ignored; memory is taken as needed."),
        field("no_bias", &P::no_bias, "Leave the bias out."),
        field("cudnn_tune", &P::cudnn_tune, "How cuDNN picks its algorithm on a gpu."),
        field("cudnn_off", &P::cudnn_off, "Do not use cuDNN on a gpu."),
        field("layout", &P::layout, "Order of the axes of data and output; channels first if not given.")};
  }
};

// Of the gradient operators; `shape` is that of the array they compute.
struct ConvolutionGradParams {
  Shape kernel, stride, dilate, pad;
  int64_t num_group = 1;
  std::optional<Layout> layout;
  Shape shape;
  std::optional<Layout> weight_layout;

  static constexpr auto fields() {
    using P = ConvolutionGradParams;
    return std::tuple{field("kernel", &P::kernel, "As of the convolution.").required(),
                      field("stride", &P::stride, "As of the convolution."),
                      field("dilate", &P::dilate, "As of the convolution."),
                      field("pad", &P::pad, "As of the convolution."),
                      field("num_group", &P::num_group, "As of the convolution."),
                      field("layout", &P::layout, "As of the convolution."),
                      field("shape", &P::shape, "Shape of the result.").required(),
                      field("weight_layout", &P::weight_layout,
                            "Order of the axes of the weight; as of the data if "
                            "not given.")};
  }
};

// Of the convolution that passes over graphs make.
struct FusedConvolutionParams {
  Shape kernel, stride, dilate, pad;
  int64_t num_filter = 0;
  int64_t num_group = 1;
  bool no_bias = false;
  std::optional<Layout> layout, weight_layout;
  bool packed = false;
  bool with_addend = false;
  PostFunction function = PostFunction::none;
  float alpha = 0, beta = 0;
  Shape data_shape;

  static constexpr auto fields() {
    using P = FusedConvolutionParams;
    return std::tuple{
        field("kernel", &P::kernel, "As of Convolution.").required(),
        field("stride", &P::stride, "As of Convolution."),
        field("dilate", &P::dilate, "As of Convolution."),
        field("pad", &P::pad, "As of Convolution."),
        field("num_filter", &P::num_filter, "As of Convolution.").required(),
        field("num_group", &P::num_group, "As of Convolution."),
        field("no_bias", &P::no_bias, "As of Convolution."),
        field("layout", &P::layout, "As of Convolution."),
        field("weight_layout", &P::weight_layout, "Order of the axes of the weight; as of the data if not given."),
        field("packed", &P::packed, "The weight is what _convolution_pack made of it."),
        field("with_addend", &P::with_addend, "There is an array to be added."),
        field("function", &P::function, "What is applied to the sum."),
        field("alpha", &P::alpha, "Slope of relu and scale of elu for negative sums; lower bound of clip."),
        field("beta", &P::beta, "Upper bound of clip."),
        field("data_shape", &P::data_shape, "Shape of the data that a weight is packed for.")};
  }
};

// One convolution x (*) w -> y, whichever of the three arrays is computed.
struct ConvGeometry {
  int spatial = 0;
  bool channels_last = false, weights_last = false;
  int64_t batch = 0, groups = 1, in_channels = 0, out_channels = 0;
  std::array<int64_t, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, dilate{1, 1, 1}, pad{0, 0, 0};

  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
  int64_t kernel_size() const { return kernel[0] * kernel[1] * kernel[2]; }
  int64_t x_elements() const { return batch * in_channels * in_size(); }
  int64_t w_elements() const { return out_channels * (in_channels / groups) * kernel_size(); }
  int64_t y_elements() const { return batch * out_channels * out_size(); }
};

// What the kernels of the operators compute on any device; `x` and `y` are the shapes of the convolution's arrays.
// A deconvolution is the data pass, its data being y and its output x.
ConvGeometry conv_geometry(const ConvolutionParams& p, const Shape& x, const Shape& y);
ConvGeometry conv_geometry(const FusedConvolutionParams& p, const Shape& x, const Shape& y);
ConvGeometry conv_geometry(const ConvolutionGradParams& p, const Shape& x, const Shape& y);
ConvGeometry conv_geometry(const DeconvolutionParams& p, const Shape& x, const Shape& y);

// forward: y = x (*) w + bias; data: x from y and w; weight: w from x and y.
enum class ConvPass { forward, data, weight };

// The arrays of a convolution; the one that the pass computes is written. The last ones are for the forward pass only.
struct ConvArrays {
  void* x = nullptr;
  void* w = nullptr;
  void* y = nullptr;
  const void* bias = nullptr;
  const void* addend = nullptr;
  bool packed = false;  // w is what pack_weights() made
};

void convolve(ConvPass pass, const ConvGeometry& geometry, DType dtype, const ConvArrays& arrays,
              const PostOps& post = {});

// Whether oneDNN convolves arrays of this type, which it does best with channels last.
bool is_fast_convolution(DType dtype);

// Weights in the order that the forward pass is fastest with.
int64_t packed_bytes(const ConvGeometry& geometry, DType dtype);
void pack_weights(const ConvGeometry& geometry, DType dtype, const PostOps& post, bool bias, const void* w,
                  void* packed);

// What oneDNN has no fast primitive for gives false. It takes float32 and bfloat16.
bool convolve_onednn(ConvPass pass, const ConvGeometry& geometry, DType dtype, const ConvArrays& arrays,
                     const PostOps& post);
bool pack_weights_onednn(const ConvGeometry& geometry, DType dtype, const PostOps& post, bool bias, const void* w,
                         void* packed);
// float32 and float64 by gathering windows into a matrix.
void convolve_gathered(ConvPass pass, const ConvGeometry& geometry, DType dtype, const ConvArrays& arrays);

// The windows of channels-first images as rows (channel, tap) of one value an output position, and their
// sum back, in float32 or float64.
void gather_windows(const ConvGeometry& geometry, DType dtype, const void* x, void* columns);
void scatter_windows(const ConvGeometry& geometry, DType dtype, const void* columns, void* x);

}  // namespace mxnet

// Separable resampling of images: along each axis an output element is a weighted sum of neighbouring inputs.
#pragma once
#include <array>
#include <vector>

#include "mxnet/op/params.h"

namespace mxnet {

// How one axis is resampled.
//   nearest   the element below i * in / out
//   aligned   linear, with first and last elements of input and output at the same place
//   half      linear, with both axes covering the same length; a single output is the first element
//   linear    the same, but a single output is the middle
//   cubic     four elements, cubic convolution with a = -0.75
//   area      the mean of the length an output covers; an axis that grows is interpolated
//   lanczos   eight elements
//   mean      the mean of the elements that an output touches
enum class Resampling { nearest, aligned, half, linear, cubic, area, lanczos, mean };
constexpr std::array<std::pair<Resampling, std::string_view>, 8> names_of(Resampling) {
  return {{{Resampling::nearest, "nearest"},
           {Resampling::aligned, "aligned"},
           {Resampling::half, "half"},
           {Resampling::linear, "linear"},
           {Resampling::cubic, "cubic"},
           {Resampling::area, "area"},
           {Resampling::lanczos, "lanczos"},
           {Resampling::mean, "mean"}}};
}

struct ResampleParams {
  Shape shape;
  Resampling kind = Resampling::linear;
  bool transposed = false;

  static constexpr auto fields() {
    using P = ResampleParams;
    return std::tuple{field("shape", &P::shape, "Shape of the result.").required(),
                      field("kind", &P::kind, "How an axis is resampled."),
                      field("transposed", &P::transposed, "Apply the transpose: the gradient of the reverse call.")};
  }
};

struct BilinearResizeParams {
  enum class Mode { size, odd_scale, like, to_even_down, to_even_up, to_odd_down, to_odd_up };
  friend constexpr std::array<std::pair<Mode, std::string_view>, 7> names_of(Mode) {
    return {{{Mode::size, "size"},
             {Mode::odd_scale, "odd_scale"},
             {Mode::like, "like"},
             {Mode::to_even_down, "to_even_down"},
             {Mode::to_even_up, "to_even_up"},
             {Mode::to_odd_down, "to_odd_down"},
             {Mode::to_odd_up, "to_odd_up"}}};
  }
  int64_t height = 1, width = 1;
  std::optional<float> scale_height, scale_width;
  Mode mode = Mode::size;
  bool align_corners = true;

  static constexpr auto fields() {
    using P = BilinearResizeParams;
    return std::tuple{
        field("height", &P::height, "Height of the result where mode is 'size' and no scale is given."),
        field("width", &P::width, "Width of the result, likewise."),
        field("scale_height", &P::scale_height, "Height of the result over that of data."),
        field("scale_width", &P::scale_width, "Width of the result over that of data."),
        field("mode", &P::mode,
              "What the size of the result is: given ('size'), that of `like`, the scaled size with odd sizes kept odd "
              "('odd_scale'), or the size of data made even or odd by taking one away or adding one."),
        field("align_corners", &P::align_corners,
              "Whether the centres of the corner elements of data and result coincide; else their outer edges do.")};
  }
};

struct AdaptivePoolingParams {
  Shape output_size;
  static constexpr auto fields() {
    return std::tuple{field("output_size", &AdaptivePoolingParams::output_size,
                            "(height, width) of the result, or one number for both; 1 if not given.")};
  }
};

enum class UpSampling { nearest, bilinear };
constexpr std::array<std::pair<UpSampling, std::string_view>, 2> names_of(UpSampling) {
  return {{{UpSampling::nearest, "nearest"}, {UpSampling::bilinear, "bilinear"}}};
}
enum class MultiInput { concat, sum };
constexpr std::array<std::pair<MultiInput, std::string_view>, 2> names_of(MultiInput) {
  return {{{MultiInput::concat, "concat"}, {MultiInput::sum, "sum"}}};
}
struct UpSamplingParams {
  int64_t scale = 1;
  int64_t num_filter = 0;
  UpSampling sample_type = UpSampling::nearest;
  MultiInput multi_input_mode = MultiInput::concat;
  int num_args = 1;
  int64_t workspace = 512;

  static constexpr auto fields() {
    using P = UpSamplingParams;
    return std::tuple{
        field("scale", &P::scale, "Size of the result over that of the first array.").required(),
        field("num_filter", &P::num_filter, "Number of channels, for 'bilinear'."),
        field("sample_type", &P::sample_type, "Repeat elements, or apply the given filter between them.").required(),
        field("multi_input_mode", &P::multi_input_mode, "Join several arrays along the channels, or add them."),
        field("num_args", &P::num_args, "Number of arrays.").required(),
        field("workspace", &P::workspace, "Accepted and ignored; memory is taken as needed.")};
  }
};

// The resampling of one axis: output i is the sum over k < count[i] of weight[i * width + k] input[first[i] + k].
// Both ends of the windows ascend with i.
struct Taps {
  int64_t in = 0, out = 0, width = 0;
  std::vector<int32_t> first, count;
  std::vector<double> weight;

  Taps transposed() const;
};
// `shrinking` says whether an image shrinks along both axes, on which 'area' depends.
Taps make_taps(Resampling kind, int64_t in, int64_t out, bool shrinking);

// The taps of both axes from height x width images to others.
struct ImageTaps {
  Taps rows, columns;
};
ImageTaps image_taps(Resampling kind, int64_t in_height, int64_t in_width, int64_t out_height, int64_t out_width);

}  // namespace mxnet

// Images as they come from files: (height, width, channels), or batches of them with an axis in front.
#pragma once
#include <array>
#include <vector>

#include "mxnet/op/params.h"

namespace mxnet {

struct ImageNormalizeParams {
  std::vector<float> mean{0}, std{1};
  static constexpr auto fields() {
    using P = ImageNormalizeParams;
    return std::tuple{field("mean", &P::mean, "Subtracted: one number, or one for each channel."),
                      field("std", &P::std, "What is left is divided by this: likewise.")};
  }
};

struct ImageResizeParams {
  Shape size;
  bool keep_ratio = false;
  int interp = 1;
  static constexpr auto fields() {
    using P = ImageResizeParams;
    return std::tuple{
        field("size", &P::size, "(width, height) of the result, or one number for both."),
        field("keep_ratio", &P::keep_ratio, "Whether one number is the length of the shorter side only."),
        field("interp", &P::interp, "0: nearest, 1: linear, 2: cubic, 3: area, 4: Lanczos with 8 elements.")};
  }
};

struct ImageCropParams {
  int64_t x = 0, y = 0, width = 0, height = 0;
  static constexpr auto fields() {
    using P = ImageCropParams;
    return std::tuple{field("x", &P::x, "First column.").required(), field("y", &P::y, "First row.").required(),
                      field("width", &P::width, "Number of columns.").required(),
                      field("height", &P::height, "Number of rows.").required()};
  }
};

struct ImageLightingParams {
  std::vector<float> alpha;
  static constexpr auto fields() {
    return std::tuple{
        field("alpha", &ImageLightingParams::alpha, "How far to go along each of the three main colours.").required()};
  }
};
struct ImageRandomLightingParams {
  float alpha_std = 0.05f;
  static constexpr auto fields() {
    return std::tuple{field("alpha_std", &ImageRandomLightingParams::alpha_std,
                            "Standard deviation of how far to go along each of the three main colours.")};
  }
};

struct ImageFactorParams {
  float min_factor = 0, max_factor = 0;
  static constexpr auto fields() {
    using P = ImageFactorParams;
    return std::tuple{field("min_factor", &P::min_factor, "Least factor.").required(),
                      field("max_factor", &P::max_factor, "Greatest factor.").required()};
  }
};

struct ImageJitterParams {
  float brightness = 0, contrast = 0, saturation = 0, hue = 0;
  static constexpr auto fields() {
    using P = ImageJitterParams;
    return std::tuple{
        field("brightness", &P::brightness, "Its factor is from 1 - brightness to 1 + brightness.").required(),
        field("contrast", &P::contrast, "Likewise.").required(),
        field("saturation", &P::saturation, "Likewise.").required(), field("hue", &P::hue, "Likewise.").required()};
  }
};

}  // namespace mxnet

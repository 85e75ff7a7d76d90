// Sampling of images at given places: parameters.
#pragma once
#include <array>
#include <optional>

#include "mxnet/op/params.h"

namespace mxnet {

// What a place sees beyond the image.
//   zero    zeros, so that the image fades out within one element of its edge
//   inside  nothing at all unless it lies in [0, extent); the last element goes on to the end
enum class Border { zero, inside };
constexpr std::array<std::pair<Border, std::string_view>, 2> names_of(Border) {
  return {{{Border::zero, "zero"}, {Border::inside, "inside"}}};
}

// Linear interpolation of an image at places (x, y), or its derivative by x, by y, or by both.
struct SamplingParams {
  Border border = Border::zero;
  bool normalised = true;
  int derivative_x = 0, derivative_y = 0;
  Shape shape;

  static constexpr auto fields() {
    using P = SamplingParams;
    return std::tuple{field("border", &P::border, "What lies beyond the image."),
                      field("normalised", &P::normalised,
                            "Whether -1 and 1 are the first and last elements; else places count them."),
                      field("derivative_x", &P::derivative_x, "0, or 1 for the derivative by x."),
                      field("derivative_y", &P::derivative_y, "0, or 1 for the derivative by y."),
                      field("shape", &P::shape, "Shape of the images; needed where they are the result.")};
  }
};

struct BilinearSamplerParams {
  std::optional<bool> cudnn_off;
  static constexpr auto fields() {
    return std::tuple{field("cudnn_off", &BilinearSamplerParams::cudnn_off, "Do not use cuDNN on a gpu.")};
  }
};

enum class Transform { affine, warp };
constexpr std::array<std::pair<Transform, std::string_view>, 2> names_of(Transform) {
  return {{{Transform::affine, "affine"}, {Transform::warp, "warp"}}};
}

struct GridGeneratorParams {
  Transform transform_type = Transform::affine;
  Shape target_shape{0, 0};

  static constexpr auto fields() {
    using P = GridGeneratorParams;
    return std::tuple{
        field("transform_type", &P::transform_type, "What `data` holds: matrices, or a shift for each element.")
            .required(),
        field("target_shape", &P::target_shape, "(height, width) of the grid, for 'affine'.")};
  }
};

enum class OnlyAffine { affine };
constexpr std::array<std::pair<OnlyAffine, std::string_view>, 1> names_of(OnlyAffine) {
  return {{{OnlyAffine::affine, "affine"}}};
}
enum class OnlyBilinear { bilinear };
constexpr std::array<std::pair<OnlyBilinear, std::string_view>, 1> names_of(OnlyBilinear) {
  return {{{OnlyBilinear::bilinear, "bilinear"}}};
}

struct SpatialTransformerParams {
  Shape target_shape{0, 0};
  OnlyAffine transform_type = OnlyAffine::affine;
  OnlyBilinear sampler_type = OnlyBilinear::bilinear;
  std::optional<bool> cudnn_off;

  static constexpr auto fields() {
    using P = SpatialTransformerParams;
    return std::tuple{field("target_shape", &P::target_shape, "(height, width) of the result."),
                      field("transform_type", &P::transform_type, "The kind of transformation.").required(),
                      field("sampler_type", &P::sampler_type, "The kind of interpolation.").required(),
                      field("cudnn_off", &P::cudnn_off, "Do not use cuDNN on a gpu.")};
  }
};

}  // namespace mxnet

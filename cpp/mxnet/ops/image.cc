#include "mxnet/ops/image.h"

#include <cmath>

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/images.h"
#include "mxnet/ops/resample.h"

namespace mxnet {
namespace {

// The first axis of an image within the array: 1 in a batch.
int first_axis(const Shape& shape) { return shape.ndim() - 3; }

// Input 0 is an image (height, width, channels) or, if allowed, a batch of them; it has elements.
void expect_image(InferContext& c, bool batch = true) {
  c.out(0) = c.in(0);
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (shape.ndim() != 3 && !(batch && shape.ndim() == 4))
    c.fail("data has shape ", shape, ", expected (height, width, channels)",
           batch ? " or (batch, height, width, channels)" : "");
}
// The same with one or three channels.
template <class P>
void infer_colours(const P&, InferContext& c) {
  expect_image(c, false);
  const Shape& shape = c.shape(0);
  if (shape.rank_known() && shape[2] >= 0 && shape[2] != 1 && shape[2] != 3)
    c.fail("data has ", shape[2], " channels, expected 1 or 3");
  if (c.in(0).dtype == DType::boolean) c.fail_type("data has dtype bool, expected numbers");
}

// Channels moved to the front of an image, or to its end.
Expr channels_first(const Expr& x) {
  return x.shape().ndim() == 3 ? transpose(x, std::array{2, 0, 1}) : transpose(x, std::array{0, 3, 1, 2});
}
Expr channels_last(const Expr& x) {
  return x.shape().ndim() == 3 ? transpose(x, std::array{1, 2, 0}) : transpose(x, std::array{0, 2, 3, 1});
}

const Op& to_tensor =
    define_op<NoParams>("_image_to_tensor")
        .alias({"_npx__image_to_tensor"})
        .doc(
            "An image (H, W, C), or a batch of them, of numbers from 0 to 255 as (C, H, W) in float32 "
            "from 0 to 1.")
        .input("data", "Image (H, W, C) or batch (N, H, W, C).")
        .infer([](const NoParams&, InferContext& c) {
          expect_image(c);
          c.out(0).dtype = DType::float32;
          Shape& shape = c.out(0).shape;
          if (!shape.rank_known()) return;
          int first = first_axis(shape);
          shape = c.shape(0).slice(0, first);
          shape.push_back(c.shape(0)[first + 2]);
          shape.push_back(c.shape(0)[first]);
          shape.push_back(c.shape(0)[first + 1]);
        })
        .gradient([](const NoParams&, GradContext& g) {
          DType dtype = g.in(0).dtype();
          if (is_floating(dtype)) g.din(0) = cast(channels_last(g.dout(0)) * (1 / 255.0), dtype);
        });

void infer_normalize(const ImageNormalizeParams& p, InferContext& c) {
  c.out(0) = c.in(0);
  expect_floating(c, 0);
  for (float s : p.std)
    if (s == 0) c.fail("std must not be 0");
  const Shape& shape = c.shape(0);
  if (!shape.rank_known()) return;
  if (shape.ndim() != 3 && shape.ndim() != 4)
    c.fail("data has shape ", shape, ", expected (channels, height, width) or (batch, channels, height, width)");
  int64_t channels = shape[first_axis(shape)];
  for (auto [name, count] : {std::pair{"mean", p.mean.size()}, {"std", p.std.size()}})
    if (count != 1 && channels >= 0 && static_cast<int64_t>(count) != channels)
      c.fail(name, " has ", count, " numbers, expected 1 or one for each of ", channels, " channels");
}

const OpRef normalize_ref("_image_normalize");
const Op& normalize = define_op<ImageNormalizeParams>("_image_normalize")
                          .alias({"_npx__image_normalize"})
                          .doc("(data - mean) / std for each channel.")
                          .input("data", "Image (C, H, W) or batch (N, C, H, W) of a floating dtype.")
                          .infer(infer_normalize)
                          .gradient([](const ImageNormalizeParams& p, GradContext& g) {
                            g.din(0) =
                                normalize_ref.with({g.dout(0)}, make_params(ImageNormalizeParams{{0}, p.std}))[0];
                          })
                          .grad_uses(false, false);

// ---- Resizing, cropping, turning

void infer_resize(const ImageResizeParams& p, InferContext& c) {
  expect_image(c);
  if (p.interp < 0 || p.interp > 5) c.fail("interp is ", p.interp, ", must be from 0 to 4");
  if (p.size.ndim() != 1 && p.size.ndim() != 2)
    c.fail("size is ", p.size, ", expected one number, or width and height");
  for (int64_t extent : p.size)
    if (extent < 1) c.fail("size is ", p.size, ", must be positive");
  if (c.in(0).dtype == DType::boolean) c.fail_type("data has dtype bool, expected numbers");
  Shape out = c.shape(0);
  if (!out.rank_known()) return;
  int first = first_axis(out);
  int64_t &height = out[first], &width = out[first + 1];
  if (height == 0 || width == 0) c.fail("data has shape ", c.shape(0), ", has no elements to interpolate");
  if (p.size.ndim() == 2 || !p.keep_ratio) {
    height = p.size.back(), width = p.size[0];
  } else if (height >= 0 && width >= 0) {
    int64_t shorter = std::min(height, width), side = p.size[0];
    height = height * side / shorter, width = width * side / shorter;
  }
  c.out(0).shape = out;
}

// An image is resampled as a batch with channels first, which is where the gradient knows how.
void resize_gradient(const ImageResizeParams& p, GradContext& g) {
  static const OpRef resample("_backward_resample");
  constexpr Resampling kinds[] = {Resampling::nearest, Resampling::linear,  Resampling::cubic,
                                  Resampling::area,    Resampling::lanczos, Resampling::linear};
  const Shape& s = g.in(0).shape();
  Expr dout = channels_first(g.dout(0));
  int first = first_axis(s);
  int64_t batch = first == 1 ? s[0] : 1, channels = s[first + 2];
  Expr images = reshape(dout, {batch, channels, dout.shape()[first + 1], dout.shape()[first + 2]});
  ResampleParams q{{batch, channels, s[first], s[first + 1]}, kinds[p.interp], true};
  Expr d = resample.with({images}, make_params(q))[0];
  g.din(0) = channels_last(first == 1 ? d : reshape(d, {channels, s[0], s[1]}));
}

const Op& resize = define_op<ImageResizeParams>("_image_resize")
                       .alias({"_npx__image_resize"})
                       .doc(
                           "An image, or a batch of them, with another width and height. Results of integer dtypes are "
                           "rounded and kept "
                           "in range.")
                       .input("data", "Image (H, W, C) or batch (N, H, W, C).")
                       .infer(infer_resize)
                       .gradient(resize_gradient)
                       .grad_uses(false, false);

const Op& crop =
    define_op<ImageCropParams>("_image_crop")
        .alias({"_npx__image_crop"})
        .doc("A rectangle of an image, or of each of a batch.")
        .input("data", "Image (H, W, C) or batch (N, H, W, C).")
        .infer([](const ImageCropParams& p, InferContext& c) {
          expect_image(c);
          if (p.width < 1 || p.height < 1)
            c.fail("width and height are ", p.width, " and ", p.height, ", must be positive");
          Shape& out = c.out(0).shape;
          if (!out.rank_known()) return;
          int first = first_axis(out);
          for (auto [axis, begin, extent] : {std::tuple{first, p.y, p.height}, {first + 1, p.x, p.width}}) {
            if (begin < 0 || (out[axis] >= 0 && begin + extent > out[axis]))
              c.fail(axis == first ? "rows [" : "columns [", begin, ", ", begin + extent,
                     ") are not within those of data ", c.shape(0));
            out[axis] = extent;
          }
        })
        .compose([](const ImageCropParams& p, std::span<const Expr> in) {
          int first = first_axis(in[0].shape());
          Expr rows = apply("slice_axis", {in[0]}, {{"axis", first}, {"begin", p.y}, {"end", p.y + p.height}});
          return std::vector{
              apply("slice_axis", {rows}, {{"axis", first + 1}, {"begin", p.x}, {"end", p.x + p.width}})};
        });

// `axis` counts from that of the rows.
void define_flip(const char* name, const char* alias, const char* doc, int axis) {
  define_op<NoParams>(name)
      .alias({alias})
      .doc(doc)
      .input("data", "Image (H, W, C) or batch (N, H, W, C).")
      .infer([](const NoParams&, InferContext& c) { expect_image(c); })
      .compose([axis](const NoParams&, std::span<const Expr> in) {
        return std::vector{apply("reverse", {in[0]}, {{"axis", Shape{first_axis(in[0].shape()) + axis}}})};
      });
}
void define_random_flip(const char* name, const char* alias, const char* doc) {
  define_op<NoParams>(name)
      .alias({alias})
      .doc(doc)
      .input("data", "Image (H, W, C).")
      .infer([](const NoParams&, InferContext& c) { expect_image(c, false); })
      .random();
}

// ---- Colours

template <class P>
void check_factors(const P&, InferContext&) {}
void check_factors(const ImageFactorParams& p, InferContext& c) {
  if (!(p.min_factor >= 0) || !(p.max_factor >= p.min_factor))
    c.fail("factors from ", p.min_factor, " to ", p.max_factor, " must ascend and not be negative");
}
void check_factors(const ImageJitterParams& p, InferContext& c) {
  for (auto [name, value] :
       {std::pair{"brightness", p.brightness}, {"contrast", p.contrast}, {"saturation", p.saturation}, {"hue", p.hue}})
    if (!(value >= 0)) c.fail(name, " is ", value, ", must not be negative");
}

template <class P>
void define_random_colours(const char* name, const char* alias, const char* doc) {
  define_op<P>(name)
      .alias({alias})
      .doc(doc)
      .input("data", "Image (H, W, C) with 1 or 3 channels: red, green, blue.")
      .infer([](const P& p, InferContext& c) {
        infer_colours(p, c);
        check_factors(p, c);
      })
      .random()
      .inplace();
}

const bool defined = [] {
  define_flip("_image_flip_left_right", "_npx__image_flip_left_right",
              "The image mirrored: its columns in reverse order.", 1);
  define_flip("_image_flip_top_bottom", "_npx__image_flip_top_bottom",
              "The image upside down: its rows in reverse order.", 0);
  define_random_flip("_image_random_flip_left_right", "_npx__image_random_flip_left_right",
                     "The image mirrored with probability 1/2.");
  define_random_flip("_image_random_flip_top_bottom", "_npx__image_random_flip_top_bottom",
                     "The image upside down with probability 1/2.");
  define_op<ImageLightingParams>("_image_adjust_lighting")
      .alias({"_npx__image_adjust_lighting"})
      .doc(
          "The image with a colour added: alpha, scaled by their eigenvalues, times the eigenvectors of the colours of "
          "ImageNet (Krizhevsky et al., 2012). One channel stays as it is.")
      .input("data", "Image (H, W, C) with 1 or 3 channels: red, green, blue.")
      .infer([](const ImageLightingParams& p, InferContext& c) {
        infer_colours(p, c);
        if (p.alpha.size() != 3) c.fail("alpha has ", p.alpha.size(), " numbers, expected 3");
      })
      .gradient([](const ImageLightingParams&, GradContext& g) { g.din(0) = g.dout(0); })
      .grad_uses(false, false)
      .inplace();
  define_random_colours<ImageRandomLightingParams>(
      "_image_random_lighting", "_npx__image_random_lighting",
      "adjust_lighting by normal random numbers of standard deviation alpha_std.");
  define_random_colours<ImageFactorParams>("_image_random_brightness", "_npx__image_random_brightness",
                                           "The image times a random factor, kept in the range of its dtype.");
  define_random_colours<ImageFactorParams>(
      "_image_random_contrast", "_npx__image_random_contrast",
      "The image moved away from its mean grey, or towards it, by a random factor: f data + (1 - f) mean.");
  define_random_colours<ImageFactorParams>(
      "_image_random_saturation", "_npx__image_random_saturation",
      "Each pixel moved away from its own grey, 0.299 red + 0.587 green + 0.114 blue, or towards it, by a random "
      "factor.");
  define_random_colours<ImageFactorParams>(
      "_image_random_hue", "_npx__image_random_hue",
      "Each pixel's hue turned by a random factor of the whole circle: 1 leaves it as it is.");
  define_random_colours<ImageJitterParams>(
      "_image_random_color_jitter", "_npx__image_random_color_jitter",
      "random_brightness, contrast, saturation and hue, one after the other in random order.");
  return true;
}();

}  // namespace
}  // namespace mxnet

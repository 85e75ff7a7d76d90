// Deformable convolution (Dai et al., 2017; Zhu et al., 2019): what each tap of the window sees is sampled at a place
// moved by an offset; the rest is a convolution of the sampled taps by windows of one element.
#include "mxnet/ops/deformable.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/convolution.h"
#include "mxnet/ops/images.h"
#include "mxnet/ops/sampler.h"

namespace mxnet {
namespace {

const OpRef grid_ref("_backward_deformable_grid");
const OpRef sample_ref("_backward_sample");
const OpRef convolution_ref("Convolution");

// ---- Where the taps look: (N * groups, 2, taps, outputs) from offsets (N, groups * taps * 2, h, w), each of which
// moves a tap first along y, then along x.

void infer_grid(const DeformableGridParams& p, InferContext& c) {
  c.expect_rank(0, 4);
  const Shape& s = c.shape(0);
  int64_t taps = p.kernel.size();
  c.out(0) = {{s[0] * p.groups, 2, taps, s[2] * s[3]}, c.in(0).dtype};
}

template <class T>
void fill_grid(const DeformableGridParams& p, const Shape& shape, const T* offset, T* grid) {
  int64_t taps = p.kernel.size(), height = shape[2], width = shape[3];
  int64_t rows = shape[0] * shape[1] * height;
  parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t i = r % height, along_x = r / height % 2, tap = r / (height * 2) % taps, group = r / (height * 2 * taps);
      int axis = along_x ? 1 : 0;
      int64_t at = (axis ? tap % p.kernel[1] : tap / p.kernel[1]) * p.dilate[axis] - p.pad[axis];
      int64_t first = axis ? at : at + i * p.stride[0], step = axis ? p.stride[1] : 0;
      const T* from = offset + r * width;
      T* to = grid + (((group * 2 + 1 - along_x) * taps + tap) * height + i) * width;
      for (int64_t j = 0; j < width; ++j) to[j] = static_cast<T>(first + j * step) + from[j];
    }
  });
}

void grid_cpu(const DeformableGridParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  if (c.in(0).dtype == DType::float64)
    fill_grid(p, c.in(0).shape(), c.in(0).as<const double>(), c.out(0).as<double>());
  else
    fill_grid(p, c.in(0).shape(), c.in(0).as<const float>(), c.out(0).as<float>());
}

const Op& deformable_grid = define_op<DeformableGridParams>("_backward_deformable_grid")
                                .doc("Places that the taps of a deformable convolution look at.")
                                .input("offset", "Offsets (N, groups * taps * 2, h, w), float32 or float64.")
                                .infer(infer_grid)
                                .cpu(grid_cpu)
                                .gradient([](const DeformableGridParams&, GradContext& g) {
                                  std::array order{0, 2, 1, 3};
                                  Expr d = apply("reverse", {g.dout(0)}, {{"axis", Shape{1}}});
                                  g.din(0) = reshape(transpose(d, order), g.in(0).shape());
                                })
                                .grad_uses(false, false);

// ---- The operators

// The parameters with defaults filled in; raises for what does not fit together.
DeformableParams checked(const DeformableParams& given, const InferContext& c) {
  DeformableParams p = given;
  auto check = [&](const char* name, Shape& value, int64_t least, int64_t otherwise) {
    if (value.ndim() == 0) value = Shape::filled(2, otherwise);
    if (value.ndim() != 2) c.fail(name, " is ", value, ", must have 2 entries");
    for (int64_t extent : value)
      if (extent < least) c.fail(name, " is ", value, ", each entry must be at least ", least);
  };
  if (p.kernel.ndim() != 2) c.fail("kernel is ", p.kernel, ", must have 2 entries");
  check("kernel", p.kernel, 1, 1);
  check("stride", p.stride, 1, 1);
  check("dilate", p.dilate, 1, 1);
  check("pad", p.pad, 0, 0);
  if (p.layout && *p.layout != Layout::nchw) c.fail("layout must be 'NCHW'");
  for (auto [name, value] : {std::pair{"num_filter", p.num_filter},
                             {"num_group", p.num_group},
                             {"num_deformable_group", p.num_deformable_group}})
    if (value < 1) c.fail(name, " is ", value, ", must be at least 1");
  if (p.num_filter % p.num_group != 0)
    c.fail("num_filter ", p.num_filter, " is not divisible by num_group ", p.num_group);
  return p;
}

// Shapes of data, offset, (mask,) weight and bias.
void infer_deformable(const DeformableParams& given, InferContext& c, bool modulated) {
  DeformableParams p = checked(given, c);
  int weight = modulated ? 3 : 2, bias = weight + 1;
  if (p.no_bias && c.has(bias)) c.fail_type("got a bias together with no_bias=True");
  if (!p.no_bias && !c.has(bias)) c.fail_type("array 'bias' is missing; pass no_bias=True to go without");
  expect_images(c, 0);
  c.out(0).dtype = c.same_dtype();
  c.expect_shape(bias, {p.num_filter});
  const Shape& data = c.shape(0);
  for (int64_t groups : {p.num_group, p.num_deformable_group})
    if (data.rank_known() && data[1] >= 0 && data[1] % groups != 0)
      c.fail(data[1], " input channels are not divisible into ", groups, " groups");
  int64_t channels = data.rank_known() && data[1] >= 0 ? data[1] / p.num_group : kUnknown;
  c.expect_shape(weight, {p.num_filter, channels, p.kernel[0], p.kernel[1]});
  if (!data.rank_known()) return;
  Shape out{data[0], p.num_filter, kUnknown, kUnknown};
  for (int i = 0; i < 2; ++i) {
    if (data[2 + i] < 0) continue;
    int64_t room = data[2 + i] + 2 * p.pad[i] - p.dilate[i] * (p.kernel[i] - 1) - 1;
    if (room < 0) c.fail("kernel ", p.kernel, " with dilate ", p.dilate, " exceeds the padded input ", data);
    out[2 + i] = room / p.stride[i] + 1;
  }
  int64_t taps = p.num_deformable_group * p.kernel.size();
  c.expect_shape(1, {data[0], 2 * taps, out[2], out[3]});
  if (modulated) c.expect_shape(2, {data[0], taps, out[2], out[3]});
  c.out(0).shape = out;
}

std::vector<Expr> deformable_of(const DeformableParams& p, std::span<const Expr> in, bool modulated) {
  auto filled = [](const Shape& s, int64_t otherwise) { return s.ndim() == 0 ? Shape::filled(2, otherwise) : s; };
  const Expr &data = in[0], &weight = in[modulated ? 3 : 2];
  const Shape &x = data.shape(), &s = in[1].shape();
  int64_t batch = x[0], groups = p.num_deformable_group, taps = p.kernel.size(), height = s[2], width = s[3];
  // Places in 16 bits would be off by a good part of an element.
  bool narrow = data.dtype() == DType::float16 || data.dtype() == DType::bfloat16;
  DeformableGridParams places{p.kernel, filled(p.stride, 1), filled(p.dilate, 1), filled(p.pad, 0), groups};
  Expr grid = grid_ref.with({narrow ? cast(in[1], DType::float32) : in[1]}, make_params(places))[0];
  SamplingParams sampling;
  sampling.border = modulated ? Border::zero : Border::inside;
  sampling.normalised = false;
  Expr images = reshape(data, {batch * groups, x[1] / groups, x[2], x[3]});
  Expr seen = sample_ref.with({images, grid}, make_params(sampling))[0];
  if (modulated) seen = seen * reshape(in[2], {batch * groups, 1, taps, height * width});

  ConvolutionParams q;
  q.kernel = {1, 1}, q.num_filter = p.num_filter, q.num_group = p.num_group, q.no_bias = p.no_bias;
  std::vector<Expr> arrays{reshape(seen, {batch, x[1] * taps, height, width}),
                           reshape(weight, {p.num_filter, x[1] / p.num_group * taps, 1, 1})};
  if (!p.no_bias) arrays.push_back(in.back());
  return convolution_ref.with(arrays, make_params(q));
}

const Op& deformable_convolution =
    define_op<DeformableConvolutionParams>("_contrib_DeformableConvolution")
        .doc(
            "Convolution of images whose taps look at places moved by `offset`, interpolated linearly; places outside "
            "the image see zero.")
        .input("data", "Images (N, C, H, W) of a floating dtype.")
        .input("offset", "Offsets (N, 2 * num_deformable_group * taps, h, w): for each tap along y, then along x.")
        .input("weight", "Filters (num_filter, C / num_group, kernel h, kernel w).")
        .optional_input("bias", "One number for each filter.")
        .infer([](const DeformableConvolutionParams& p, InferContext& c) { infer_deformable(p, c, false); })
        .compose(
            [](const DeformableConvolutionParams& p, std::span<const Expr> in) { return deformable_of(p, in, false); });

const Op& modulated_deformable_convolution =
    define_op<ModulatedDeformableParams>("_contrib_ModulatedDeformableConvolution")
        .doc(
            "Deformable convolution in which `mask` weighs what each tap sees; the image fades out within one element "
            "of its edge.")
        .input("data", "Images (N, C, H, W) of a floating dtype.")
        .input("offset", "Offsets (N, 2 * num_deformable_group * taps, h, w): for each tap along y, then along x.")
        .input("mask", "Weights (N, num_deformable_group * taps, h, w) of the taps.")
        .input("weight", "Filters (num_filter, C / num_group, kernel h, kernel w).")
        .optional_input("bias", "One number for each filter.")
        .infer([](const ModulatedDeformableParams& p, InferContext& c) { infer_deformable(p, c, true); })
        .compose(
            [](const ModulatedDeformableParams& p, std::span<const Expr> in) { return deformable_of(p, in, true); });

}  // namespace
}  // namespace mxnet

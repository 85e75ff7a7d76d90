#include "mxnet/ops/sampler.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/images.h"

namespace mxnet {
namespace {

const OpRef sample_ref("_backward_sample");
const OpRef sample_data_ref("_backward_sample_data");
const OpRef sample_grid_ref("_backward_sample_grid");
const OpRef grid_generator_ref("GridGenerator");
const OpRef concat_ref("Concat");
const OpRef dot_ref("dot");

// ---- Interpolation. Sampling is linear in the image, and its derivative by a coordinate is a sampling too.

void expect_grid(InferContext& c, int i, int64_t batch) {
  expect_images(c, i);
  c.expect_shape(i, {batch, 2, kUnknown, kUnknown});
}

// The images at input `data` and the grid at input `grid`.
void infer_images_and_grid(InferContext& c, int data, int grid) {
  expect_images(c, data);
  const Shape& images = c.shape(data);
  if (images.known() && images[2] * images[3] > INT32_MAX)
    c.fail("images of ", images[2], " x ", images[3], " elements are too large");
  expect_grid(c, grid, images.rank_known() ? images[0] : kUnknown);
}

void infer_sample(const SamplingParams&, InferContext& c) {
  infer_images_and_grid(c, 0, 1);
  c.out(0).dtype = c.in(0).dtype;
  const Shape &images = c.shape(0), &grid = c.shape(1);
  if (images.rank_known() && grid.rank_known()) c.out(0).shape = {images[0], images[1], grid[2], grid[3]};
}
void infer_sample_data(const SamplingParams& p, InferContext& c) {
  expect_images(c, 0);
  expect_grid(c, 1, c.shape(0)[0]);
  if (p.shape.ndim() != 4) c.fail("shape is ", p.shape, ", expected four extents");
  c.out(0) = {p.shape, c.in(0).dtype};
}

// The sum over the channels of dout and the derivative of the samples, for both coordinates.
Expr grid_gradient(const SamplingParams& p, const Expr& dout, const Expr& images, const Expr& grid) {
  std::array<Expr, 2> parts;
  for (int i = 0; i < 2; ++i) {
    SamplingParams q = p;
    q.shape = {};
    ++(i == 0 ? q.derivative_x : q.derivative_y);
    std::array channels{1};
    // Within an element interpolation is linear along each axis.
    if (q.derivative_x > 1 || q.derivative_y > 1)
      parts[static_cast<size_t>(i)] =
          zeros({grid.shape()[0], 1, grid.shape()[2], grid.shape()[3]}, dout.dtype(), dout.ctx());
    else
      parts[static_cast<size_t>(i)] = sum(dout * sample_ref.with({images, grid}, make_params(q))[0], channels, true);
  }
  Expr both = concat_ref({parts[0], parts[1]}, {{"num_args", 2}, {"dim", 1}});
  return both.dtype() == grid.dtype() ? both : cast(both, grid.dtype());
}

Expr image_gradient(const SamplingParams& p, const Expr& dout, const Expr& grid, const Shape& shape) {
  SamplingParams q = p;
  q.shape = shape;
  return sample_data_ref.with({dout, grid}, make_params(q))[0];
}

const Op& sample =
    define_op<SamplingParams>("_backward_sample")
        .doc(
            "Images (N, C, H, W) interpolated at the places of a grid (N, 2, h, w) that holds x and y, or a derivative "
            "of that.")
        .input("data", "Images.")
        .input("grid", "Places.")
        .infer(infer_sample)
        .gradient([](const SamplingParams& p, GradContext& g) {
          if (g.needs(0)) g.din(0) = image_gradient(p, g.dout(0), g.in(1), g.in(0).shape());
          if (g.needs(1)) g.din(1) = grid_gradient(p, g.dout(0), g.in(0), g.in(1));
        })
        .fast_gradient([](const SamplingParams& p, GradContext& g) {
          if (g.needs(0)) g.din(0) = image_gradient(p, g.dout(0), g.in(1), g.in(0).shape());
          if (g.needs(1)) g.din(1) = sample_grid_ref.with({g.dout(0), g.in(0), g.in(1)}, g.params())[0];
        })
        .grad_uses(true, false)
        .heavy();

const Op& sample_data =
    define_op<SamplingParams>("_backward_sample_data")
        .doc("The transpose of sampling: gradients of samples given to the elements they came from.")
        .input("dout", "Gradient of the samples.")
        .input("grid", "Places.")
        .infer(infer_sample_data)
        .gradient([](const SamplingParams& p, GradContext& g) {
          if (g.needs(0)) {
            SamplingParams q = p;
            q.shape = {};
            g.din(0) = sample_ref.with({g.dout(0), g.in(1)}, make_params(q))[0];
          }
          if (g.needs(1)) g.din(1) = grid_gradient(p, g.in(0), g.dout(0), g.in(1));
        })
        .grad_uses(true, false)
        .heavy();

const Op& sample_grid = define_op<SamplingParams>("_backward_sample_grid")
                            .doc("Gradient of sampling for the places in one kernel.")
                            .input("dout", "Gradient of the samples.")
                            .input("data", "Images.")
                            .input("grid", "Places.")
                            .infer([](const SamplingParams&, InferContext& c) { c.out(0) = c.in(2); })
                            .heavy();

const Op& bilinear_sampler =
    define_op<BilinearSamplerParams>("BilinearSampler")
        .doc(
            "Images (N, C, H, W) interpolated linearly at the places of a grid (N, 2, h, w), which gives (N, C, h, w). "
            "The grid holds x and y, -1 being the first and 1 the last column or row; beyond the image lie zeros.")
        .input("data", "Images (N, C, H, W) of a floating dtype.")
        .input("grid", "Places (N, 2, h, w): x, then y.")
        .infer([](const BilinearSamplerParams&, InferContext& c) {
          c.same_dtype();
          infer_sample({}, c);
        })
        .compose([](const BilinearSamplerParams&, std::span<const Expr> in) {
          return sample_ref.with(in, make_params(SamplingParams{}));
        });

// ---- Grids

// The distance between neighbours of n places from -1 to 1.
double spacing(int64_t n) { return n > 1 ? 2 / static_cast<double>(n - 1) : 0; }
// Place i of them; a single one is in the middle.
double place(int64_t i, int64_t n) { return n > 1 ? -1 + static_cast<double>(i) * spacing(n) : 0; }

// A target shape given to an affine transformation.
void check_target(const Shape& target, InferContext& c) {
  if (target.ndim() != 2 || target[0] < 1 || target[1] < 1)
    c.fail("target_shape is ", target, ", must be a positive height and width");
}

void infer_grid_generator(const GridGeneratorParams& p, InferContext& c) {
  expect_floating(c, 0);
  c.out(0).dtype = c.in(0).dtype;
  if (p.transform_type == Transform::warp) {
    expect_grid(c, 0, kUnknown);
    c.out(0).shape = c.shape(0);
    return;
  }
  check_target(p.target_shape, c);
  c.expect_shape(0, {kUnknown, 6});
  c.out(0).shape = {c.shape(0)[0], 2, p.target_shape[0], p.target_shape[1]};
}

template <class T>
void fill_affine(const T* matrices, T* grid, int64_t batch, int64_t height, int64_t width) {
  using C = compute_t<T>;
  parallel_for(batch * 2 * height, std::max<int64_t>(1, 16384 / width), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* m = matrices + r / height * 3;
      C step = static_cast<C>(m[0]);
      C start = static_cast<C>(m[1]) * static_cast<C>(place(r % height, height)) + static_cast<C>(m[2]);
      for (int64_t i = 0; i < width; ++i)
        grid[r * width + i] = static_cast<T>(start + step * static_cast<C>(place(i, width)));
    }
  });
}
template <class T>
void fill_warp(const T* shifts, T* grid, int64_t batch, int64_t height, int64_t width) {
  using C = compute_t<T>;
  parallel_for(batch * 2 * height, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t r = begin; r < end; ++r) {
                   bool is_x = r / height % 2 == 0;
                   C scale = static_cast<C>(spacing(is_x ? width : height));
                   for (int64_t i = 0; i < width; ++i) {
                     C at = static_cast<C>(is_x ? i : r % height);
                     grid[r * width + i] = static_cast<T>((at + static_cast<C>(shifts[r * width + i])) * scale - C(1));
                   }
                 }
               });
}

void grid_generator_cpu(const GridGeneratorParams& p, KernelContext& c) {
  const Shape& s = c.out(0).shape();
  if (s.size() == 0) return;
  dispatch_floating(c.in(0).dtype, [&]<class T>() {
    auto* fill = p.transform_type == Transform::affine ? fill_affine<T> : fill_warp<T>;
    fill(c.in(0).as<const T>(), c.out(0).as<T>(), s[0], s[2], s[3]);
  });
}

void grid_generator_gradient(const GridGeneratorParams& p, GradContext& g) {
  const Expr dout = g.dout(0);
  const Shape& s = dout.shape();
  int64_t batch = s[0], height = s[2], width = s[3];
  if (p.transform_type == Transform::warp) {
    auto factor = [&](int64_t n) { return full({1, 1, 1, 1}, spacing(n), dout.dtype(), dout.ctx()); };
    g.din(0) = dout * concat_ref({factor(width), factor(height)}, {{"num_args", 2}, {"dim", 1}});
    return;
  }
  // The grid is matrix times (x, y, 1); the identity gives x and y.
  auto number = [&](double x) { return full({1, 1}, x, dout.dtype(), dout.ctx()); };
  std::array identity{number(1), number(0), number(0), number(0), number(1), number(0)};
  Expr places = grid_generator_ref.with({concat_ref.all(identity, {{"num_args", 6}, {"dim", 1}})[0]}, g.params())[0];
  Expr base = concat_ref({reshape(places, {2, height * width}), ones({1, height * width}, dout.dtype(), dout.ctx())},
                         {{"num_args", 2}, {"dim", 0}});
  g.din(0) = reshape(dot_ref({reshape(dout, {batch * 2, height * width}), base}, {{"transpose_b", true}}), {batch, 6});
}

const Op& grid_generator =
    define_op<GridGeneratorParams>("GridGenerator")
        .doc(
            "Places (N, 2, H, W) for BilinearSampler. 'affine': each matrix (2 x 3, as a row of six) times (x, y, 1) "
            "for x and y from -1 to 1; 'warp': each element's own place moved by data (N, 2, H, W), which counts "
            "elements.")
        .input("data", "Matrices (N, 6), or shifts (N, 2, H, W): x, then y.")
        .infer(infer_grid_generator)
        .cpu(grid_generator_cpu)
        .gradient(grid_generator_gradient)
        .grad_uses(false, false);

const Op& spatial_transformer =
    define_op<SpatialTransformerParams>("SpatialTransformer")
        .doc(
            "Images (N, C, H, W) seen through affine transformations (Jaderberg et al., 2015): BilinearSampler at the "
            "places that GridGenerator makes of `loc`. The result is (N, C, target height, target width).")
        .input("data", "Images (N, C, H, W) of a floating dtype.")
        .input("loc", "Matrices (N, 6).")
        .infer([](const SpatialTransformerParams& p, InferContext& c) {
          check_target(p.target_shape, c);
          expect_images(c, 0);
          c.out(0).dtype = c.same_dtype();
          const Shape& images = c.shape(0);
          if (!images.rank_known()) return;
          c.expect_shape(1, {images[0], 6});
          c.out(0).shape = {images[0], images[1], p.target_shape[0], p.target_shape[1]};
        })
        .compose([](const SpatialTransformerParams& p, std::span<const Expr> in) {
          GridGeneratorParams q{Transform::affine, p.target_shape};
          Expr grid = grid_generator_ref.with({in[1]}, make_params(q))[0];
          return sample_ref.with({in[0], grid}, make_params(SamplingParams{}));
        });

}  // namespace
}  // namespace mxnet

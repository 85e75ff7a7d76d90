// Windows of images as columns of matrices, and their sum back into images: each is the other's gradient.
#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/convolution.h"

namespace mxnet {
namespace {

struct WindowParams {
  Shape kernel, stride, dilate, pad;
};
struct Im2colParams : WindowParams {
  static constexpr auto fields() {
    using P = Im2colParams;
    return std::tuple{
        field<P, Shape>("kernel", &P::kernel, "Extents of the window: (w,), (h, w) or (d, h, w).").required(),
        field<P, Shape>("stride", &P::stride, "Step of the window; 1 if not given."),
        field<P, Shape>("dilate", &P::dilate, "Distance between the taps; 1 if not given."),
        field<P, Shape>("pad", &P::pad, "Zeros added at both ends of each axis; 0 if not given.")};
  }
};
struct Col2imParams : WindowParams {
  Shape output_size;
  static constexpr auto fields() {
    using P = Col2imParams;
    return std::tuple{
        field("output_size", &P::output_size, "Spatial extents of the images.").required(),
        field<P, Shape>("kernel", &P::kernel, "Extents of the window: (w,), (h, w) or (d, h, w).").required(),
        field<P, Shape>("stride", &P::stride, "Step of the window; 1 if not given."),
        field<P, Shape>("dilate", &P::dilate, "Distance between the taps; 1 if not given."),
        field<P, Shape>("pad", &P::pad, "Zeros added at both ends of each axis; 0 if not given.")};
  }
};

// One extent of a list that may have been left out.
int64_t entry(const Shape& list, int axis, int64_t fallback) { return list.ndim() == 0 ? fallback : list[axis]; }

void check_window(const WindowParams& p, InferContext& c) {
  int n = p.kernel.ndim();
  if (n < 1 || n > 3) c.fail("kernel is ", p.kernel, ", expected 1, 2 or 3 extents");
  for (const Shape* list : {&p.stride, &p.dilate, &p.pad})
    if (list->ndim() != 0 && list->ndim() != n)
      c.fail("stride, dilate and pad have an entry for each of kernel ", p.kernel, " or none, got ", *list);
  for (int i = 0; i < n; ++i)
    if (p.kernel[i] < 1 || entry(p.stride, i, 1) < 1 || entry(p.dilate, i, 1) < 1 || entry(p.pad, i, 0) < 0)
      c.fail("kernel, stride and dilate must be at least 1, pad at least 0");
}

// Number of windows along one axis of the images.
int64_t windows(const WindowParams& p, InferContext& c, int axis, int64_t extent) {
  if (extent < 0) return kUnknown;
  int64_t reach = entry(p.dilate, axis, 1) * (p.kernel[axis] - 1) + 1;
  int64_t room = extent + 2 * entry(p.pad, axis, 0) - reach;
  if (room < 0)
    c.fail("the window ", p.kernel, " is larger than the padded images, of extent ", extent, " on axis ", axis);
  return room / entry(p.stride, axis, 1) + 1;
}

DType window_dtype(InferContext& c) {
  DType dtype = c.in(0).dtype;
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
  return dtype;
}

void infer_im2col(const Im2colParams& p, InferContext& c) {
  check_window(p, c);
  c.out(0).dtype = window_dtype(c);
  int n = p.kernel.ndim();
  c.expect_rank(0, n + 2);
  const Shape& data = c.shape(0);
  if (!data.known()) return;
  int64_t count = 1;
  for (int i = 0; i < n; ++i) count *= windows(p, c, i, data[i + 2]);
  c.out(0).shape = {data[0], data[1] * p.kernel.size(), count};
}

void infer_col2im(const Col2imParams& p, InferContext& c) {
  check_window(p, c);
  c.out(0).dtype = window_dtype(c);
  int n = p.kernel.ndim();
  if (p.output_size.ndim() != n) c.fail("output_size is ", p.output_size, ", expected ", n, " extents as of kernel");
  for (int64_t extent : p.output_size)
    if (extent < 1) c.fail("output_size is ", p.output_size, ", expected extents of at least 1");
  c.expect_rank(0, 3);
  const Shape& data = c.shape(0);
  if (!data.known()) return;
  int64_t count = 1;
  for (int i = 0; i < n; ++i) count *= windows(p, c, i, p.output_size[i]);
  if (data[1] % p.kernel.size() != 0 || data[2] != count)
    c.fail("data has shape ", data, ", expected (N, C * ", p.kernel.size(), ", ", count, ")");
  Shape out{data[0], data[1] / p.kernel.size()};
  for (int64_t extent : p.output_size) out.push_back(extent);
  c.out(0).shape = out;
}

// Channels of all images are alike: they are the channels of one.
ConvGeometry window_geometry(const WindowParams& p, const Shape& images) {
  ConvGeometry g;
  int n = p.kernel.ndim();
  g.spatial = n;
  g.batch = 1;
  g.in_channels = images[0] * images[1];
  for (int i = 0; i < n; ++i) {
    int axis = 3 - n + i;
    g.in[axis] = images[i + 2];
    g.kernel[axis] = p.kernel[i];
    g.stride[axis] = entry(p.stride, i, 1);
    g.dilate[axis] = entry(p.dilate, i, 1);
    g.pad[axis] = entry(p.pad, i, 0);
    g.out[axis] = (g.in[axis] + 2 * g.pad[axis] - g.dilate[axis] * (g.kernel[axis] - 1) - 1) / g.stride[axis] + 1;
  }
  return g;
}

const Op& im2col =
    define_op<Im2colParams>("im2col")
        .doc(
            "The windows that a convolution sees: (N, C, spatial ..) gives (N, C * taps, windows), row (c, "
            "tap) holding that tap of channel c in every window.")
        .input("data", "Images (N, C, w), (N, C, h, w) or (N, C, d, h, w).")
        .infer(infer_im2col)
        .cpu([](const Im2colParams& p, KernelContext& c) {
          gather_windows(window_geometry(p, c.in(0).shape()), c.in(0).dtype, c.in(0).data, c.out(0).data);
        })
        .gradient([](const Im2colParams& p, GradContext& g) {
          static const OpRef back("col2im");
          Col2imParams q{p, g.in(0).shape().slice(2, g.in(0).shape().ndim())};
          g.din(0) = back.with({g.dout(0)}, make_params(q))[0];
        })
        .grad_uses(false, false);

const Op& col2im =
    define_op<Col2imParams>("col2im")
        .doc(
            "The sum of windows where they lie in the images, the adjoint of im2col: (N, C * taps, windows) "
            "gives (N, C, *output_size).")
        .input("data", "Columns (N, C * taps, windows).")
        .infer(infer_col2im)
        .cpu([](const Col2imParams& p, KernelContext& c) {
          DType dtype = working_type(c.in(0));
          Converted columns(c.in(0), dtype, true), images(c.out(0), dtype, false);
          scatter_windows(window_geometry(p, c.out(0).shape()), dtype, columns.as<void>(), images.as<void>());
          images.finish();
        })
        .gradient([](const Col2imParams& p, GradContext& g) {
          static const OpRef back("im2col");
          Im2colParams q{p};
          g.din(0) = back.with({g.dout(0)}, make_params(q))[0];
        })
        .grad_uses(false, false);

}  // namespace
}  // namespace mxnet

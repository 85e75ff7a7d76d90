#include "mxnet/ops/resample.h"

#include <algorithm>
#include <cmath>

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/convolution.h"
#include "mxnet/ops/images.h"

namespace mxnet {
namespace {

// ---- The windows of an axis.

// Weights of neighbouring elements, the first at position `first`; those beyond the ends count for the end itself.
struct Window {
  int64_t first;
  std::vector<double> weight;
};

Window linear_window(double position) {
  double below = std::floor(position), part = position - below;
  return {static_cast<int64_t>(below), {1 - part, part}};
}
Window cubic_window(double position) {
  constexpr double a = -0.75;
  double below = std::floor(position), t = position - below;
  auto near = [](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  auto far = [](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  return {static_cast<int64_t>(below) - 1, {far(1 + t), near(t), near(1 - t), far(2 - t)}};
}
Window lanczos_window(double position) {
  double below = std::floor(position), t = position - below, total = 0;
  Window w{static_cast<int64_t>(below) - 3, std::vector<double>(8)};
  for (int k = 0; k < 8; ++k) {
    double x = M_PI * (t + 3 - k);
    total += w.weight[static_cast<size_t>(k)] = x == 0 ? 1 : std::sin(x) * std::sin(x / 4) / (x * x / 4);
  }
  for (double& weight : w.weight) weight /= total;
  return w;
}
// The part of [begin, end) that each element covers, over its length.
Window covered_window(double begin, double end, int64_t extent) {
  end = std::min(end, static_cast<double>(extent));
  Window w{static_cast<int64_t>(std::floor(begin + 1e-9)), {}};
  for (double at = static_cast<double>(w.first); at < end - 1e-9; ++at)
    w.weight.push_back((std::min(at + 1, end) - std::max(at, begin)) / (end - begin));
  return w;
}
// 'area' along an axis of an image that does not shrink: linear within the last part of an element only.
Window stretched_window(int64_t i, double scale) {
  double below = std::floor(static_cast<double>(i) * scale);
  double part = static_cast<double>(i + 1) - (below + 1) / scale;
  part = part <= 0 ? 0 : part - std::floor(part);
  return {static_cast<int64_t>(below), {1 - part, part}};
}

Window window_of(Resampling kind, int64_t i, int64_t in, int64_t out, bool shrinking) {
  double scale = static_cast<double>(in) / static_cast<double>(out), at = static_cast<double>(i);
  double centre = (at + 0.5) * scale - 0.5;
  switch (kind) {
    case Resampling::nearest: {
      // Where the factor is no whole number, with the rounding of OpenCV.
      double step = 1 / (static_cast<double>(out) / static_cast<double>(in));
      return {out % in == 0 ? i / (out / in) : static_cast<int64_t>(std::floor(at * step)), {1}};
    }
    case Resampling::aligned:
      return linear_window(out > 1 ? at * static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0);
    case Resampling::half: return linear_window(out > 1 ? std::max(centre, 0.0) : 0);
    case Resampling::linear: return linear_window(centre);
    case Resampling::cubic: return cubic_window(centre);
    case Resampling::area:
      return shrinking ? covered_window(at * scale, (at + 1) * scale, in) : stretched_window(i, scale);
    case Resampling::lanczos: return lanczos_window(centre);
    case Resampling::mean: break;
  }
  int64_t first = i * in / out, last = ((i + 1) * in + out - 1) / out;
  return {first, std::vector<double>(static_cast<size_t>(last - first), 1 / static_cast<double>(last - first))};
}

// Moves what lies outside [0, extent) to the ends and leaves zeros at the ends of the window out.
void fit_window(Window& w, int64_t extent) {
  int64_t last = extent - 1, begin = std::clamp<int64_t>(w.first, 0, last);
  std::vector<double> fitted;
  for (size_t k = 0; k < w.weight.size(); ++k) {
    int64_t at = std::clamp<int64_t>(w.first + static_cast<int64_t>(k), 0, last);
    if (w.weight[k] == 0 && k > 0) continue;
    fitted.resize(static_cast<size_t>(at - begin + 1));
    fitted[static_cast<size_t>(at - begin)] += w.weight[k];
  }
  w = {begin, std::move(fitted)};
}

}  // namespace

Taps make_taps(Resampling kind, int64_t in, int64_t out, bool shrinking) {
  Taps taps{in, out, 1, {}, {}, {}};
  std::vector<Window> windows;
  for (int64_t i = 0; i < out; ++i) {
    Window& w = windows.emplace_back(window_of(kind, i, in, out, shrinking));
    fit_window(w, in);
    taps.width = std::max(taps.width, static_cast<int64_t>(w.weight.size()));
  }
  taps.weight.resize(static_cast<size_t>(out * taps.width));
  for (int64_t i = 0; i < out; ++i) {
    const Window& w = windows[static_cast<size_t>(i)];
    taps.first.push_back(static_cast<int32_t>(w.first));
    taps.count.push_back(static_cast<int32_t>(w.weight.size()));
    std::copy(w.weight.begin(), w.weight.end(), taps.weight.begin() + i * taps.width);
  }
  return taps;
}

Taps Taps::transposed() const {
  Taps t{out, in, 1, std::vector<int32_t>(static_cast<size_t>(in)), std::vector<int32_t>(static_cast<size_t>(in)), {}};
  auto each = [&](auto&& f) {
    for (int64_t i = 0; i < out; ++i)
      for (int32_t k = 0; k < count[static_cast<size_t>(i)]; ++k)
        f(i, static_cast<size_t>(first[static_cast<size_t>(i)] + k), weight[static_cast<size_t>(i * width + k)]);
  };
  // An element's window reaches from the first to the last output that reads it.
  each([&](int64_t i, size_t j, double) {
    if (t.count[j] == 0) t.first[j] = static_cast<int32_t>(i);
    t.count[j] = static_cast<int32_t>(i) - t.first[j] + 1;
    t.width = std::max<int64_t>(t.width, t.count[j]);
  });
  t.weight.resize(static_cast<size_t>(in * t.width));
  each([&](int64_t i, size_t j, double w) {
    t.weight[j * static_cast<size_t>(t.width) + static_cast<size_t>(i - t.first[j])] += w;
  });
  return t;
}

ImageTaps image_taps(Resampling kind, int64_t in_height, int64_t in_width, int64_t out_height, int64_t out_width) {
  bool shrinking = out_height <= in_height && out_width <= in_width;
  return {make_taps(kind, in_height, out_height, shrinking), make_taps(kind, in_width, out_width, shrinking)};
}

namespace {

// ---- The operators. All are compositions of one, whose gradient is its own transpose.

const OpRef resample_ref("_backward_resample");
const OpRef concat_ref("Concat");
const OpRef deconvolution_ref("Deconvolution");

Expr resampled(const Expr& x, int64_t height, int64_t width, Resampling kind) {
  const Shape& s = x.shape();
  return resample_ref.with({x}, make_params(ResampleParams{{s[0], s[1], height, width}, kind}))[0];
}

void infer_resample(const ResampleParams& p, InferContext& c) {
  expect_images(c, 0);
  if (p.shape.ndim() != 4) c.fail("shape is ", p.shape, ", expected four extents");
  c.expect_shape(0, {p.shape[0], p.shape[1], kUnknown, kUnknown});
  const Shape& in = c.shape(0);
  for (int i = 2; i < 4; ++i)
    if (in[i] == 0 && p.shape[i] > 0 && !p.transposed)
      c.fail("data has shape ", in, ", cannot be resampled to ", p.shape);
  c.out(0) = {p.shape, c.in(0).dtype};
}

const Op& resample = define_op<ResampleParams>("_backward_resample")
                         .doc("Images resampled to another size, or the transpose of that: the gradient.")
                         .input("data", "Batch (N, C, H, W).")
                         .infer(infer_resample)
                         .gradient([](const ResampleParams& p, GradContext& g) {
                           ResampleParams q{g.in(0).shape(), p.kind, !p.transposed};
                           g.din(0) = resample_ref.with({g.dout(0)}, make_params(q))[0];
                         })
                         .grad_uses(false, false);

// ---- BilinearResize2D

int64_t resized_extent(const BilinearResizeParams& p, int axis, int64_t extent) {
  using Mode = BilinearResizeParams::Mode;
  const std::optional<float>& scale = axis == 2 ? p.scale_height : p.scale_width;
  auto scaled = [&](int64_t n) { return static_cast<int64_t>(static_cast<float>(n) * *scale); };
  bool odd = extent % 2 != 0;
  switch (p.mode) {
    case Mode::size: return scale ? scaled(extent) : axis == 2 ? p.height : p.width;
    case Mode::odd_scale: return odd ? scaled(extent - 1) + 1 : scaled(extent);
    case Mode::to_even_down: return extent - odd;
    case Mode::to_even_up: return extent + odd;
    case Mode::to_odd_down: return extent - !odd;
    case Mode::to_odd_up: return extent + !odd;
    case Mode::like: break;
  }
  return kUnknown;
}

void infer_bilinear_resize(const BilinearResizeParams& p, InferContext& c) {
  using Mode = BilinearResizeParams::Mode;
  expect_images(c, 0);
  if (p.mode == Mode::like && !c.has(1)) c.fail_type("array 'like' is missing, which mode 'like' needs");
  if (p.mode != Mode::like && c.has(1)) c.fail_type("got an array 'like', which only mode 'like' takes");
  if (p.scale_height.has_value() != p.scale_width.has_value())
    c.fail("scale_height and scale_width go together, got one of them");
  if (p.mode == Mode::odd_scale && !p.scale_height) c.fail("mode 'odd_scale' needs scale_height and scale_width");
  Shape out = c.shape(0);
  c.out(0) = c.in(0);
  if (p.mode == Mode::like) c.expect_rank(1, 4);
  if (!out.rank_known()) return;
  for (int i = 2; i < 4; ++i) {
    int64_t extent = out[i];
    out[i] = p.mode == Mode::like ? (c.shape(1).rank_known() ? c.shape(1)[i] : kUnknown)
             : extent < 0         ? kUnknown
                                  : resized_extent(p, i, extent);
    bool unknown = out[i] == kUnknown && (p.mode == Mode::like || extent < 0);
    if (!unknown && out[i] < 1) c.fail(i == 2 ? "height" : "width", " of the result would be ", out[i]);
    if (extent == 0) c.fail("data has shape ", c.shape(0), ", has no elements to interpolate");
  }
  c.out(0).shape = out;
}

const Op& bilinear_resize =
    define_op<BilinearResizeParams>("_contrib_BilinearResize2D")
        .doc(
            "Images of another height and width by linear interpolation along both axes. Element i of the result lies "
            "at "
            "i (in - 1) / (out - 1) of the data if align_corners, else at (i + 1/2) in / out - 1/2.")
        .input("data", "Batch (N, C, H, W) of a floating dtype.")
        .optional_input("like", "Batch whose height and width to take, for mode 'like'.")
        .infer(infer_bilinear_resize)
        .compose([](const BilinearResizeParams& p, std::span<const Expr> in) {
          bool like = p.mode == BilinearResizeParams::Mode::like;
          const Shape& shape = in[0].shape();
          int64_t height = like ? in[1].shape()[2] : resized_extent(p, 2, shape[2]);
          int64_t width = like ? in[1].shape()[3] : resized_extent(p, 3, shape[3]);
          return std::vector{resampled(in[0], height, width, p.align_corners ? Resampling::aligned : Resampling::half)};
        });

// ---- AdaptiveAvgPooling2D

int64_t pooled_extent(const AdaptivePoolingParams& p, int axis) {
  return p.output_size.ndim() == 0 ? 1 : p.output_size[p.output_size.ndim() == 1 ? 0 : axis];
}

const Op& adaptive_pooling =
    define_op<AdaptivePoolingParams>("_contrib_AdaptiveAvgPooling2D")
        .doc(
            "Images averaged down (or repeated up) to a given height and width: element i is the mean of the data from "
            "floor(i in / out) to ceil((i + 1) in / out) along each axis.")
        .input("data", "Batch (N, C, H, W) of a floating dtype.")
        .infer([](const AdaptivePoolingParams& p, InferContext& c) {
          expect_images(c, 0);
          c.out(0) = c.in(0);
          if (p.output_size.ndim() > 2) c.fail("output_size is ", p.output_size, ", expected at most two extents");
          for (int i = 0; i < 2; ++i) {
            if (pooled_extent(p, i) < 0) c.fail("output_size is ", p.output_size, ", must not be negative");
            if (!c.shape(0).rank_known()) continue;
            if (c.shape(0)[2 + i] == 0 && pooled_extent(p, i) > 0)
              c.fail("data has shape ", c.shape(0), ", has no elements to average");
            c.out(0).shape[2 + i] = pooled_extent(p, i);
          }
        })
        .compose([](const AdaptivePoolingParams& p, std::span<const Expr> in) {
          return std::vector{resampled(in[0], pooled_extent(p, 0), pooled_extent(p, 1), Resampling::mean)};
        });

// ---- UpSampling

void infer_nearest(const UpSamplingParams& p, InferContext& c) {
  Shape out = c.shape(0);
  if (!out.rank_known()) return;
  for (int k = 2; k < 4; ++k)
    if (out[k] >= 0) out[k] *= p.scale;
  for (int i = 1; i < c.num_inputs(); ++i) {
    const Shape& shape = c.shape(i);
    if (!shape.rank_known()) {
      out[1] = p.multi_input_mode == MultiInput::sum ? out[1] : kUnknown;
      continue;
    }
    bool fits = shape[0] < 0 || out[0] < 0 || shape[0] == out[0];
    for (int k = 2; k < 4; ++k) fits = fits && (shape[k] < 0 || out[k] < 0 || (shape[k] > 0 && out[k] % shape[k] == 0));
    if (!fits) c.fail("data ", i, " has shape ", shape, ", which does not divide the result ", out);
    if (p.multi_input_mode == MultiInput::concat)
      out[1] = out[1] < 0 || shape[1] < 0 ? kUnknown : out[1] + shape[1];
    else if (out[1] >= 0 && shape[1] >= 0 && shape[1] != out[1])
      c.fail("data ", i, " has ", shape[1], " channels, to be added to ", out[1]);
  }
  c.out(0).shape = out;
}

int64_t filter_extent(const UpSamplingParams& p) { return 2 * p.scale - p.scale % 2; }

void infer_bilinear(const UpSamplingParams& p, InferContext& c) {
  if (c.num_inputs() != 2) c.fail("sample_type 'bilinear' takes data and weight, got ", c.num_inputs(), " arrays");
  Shape out = c.shape(0);
  if (!out.rank_known()) return;
  if (out[1] >= 0 && p.num_filter != out[1])
    c.fail("num_filter is ", p.num_filter, ", must be the number of channels of data, ", out[1]);
  c.expect_shape(1, {out[1], 1, filter_extent(p), filter_extent(p)});
  for (int k = 2; k < 4; ++k)
    if (out[k] >= 0) out[k] *= p.scale;
  c.out(0).shape = out;
}

void infer_up_sampling(const UpSamplingParams& p, InferContext& c) {
  if (c.num_inputs() == 0) c.fail("needs at least one array");
  if (p.scale < 1 || p.scale > 1000) c.fail("scale is ", p.scale, ", must be from 1 to 1000");
  for (int i = 0; i < c.num_inputs(); ++i) expect_images(c, i);
  c.out(0) = {Shape::unknown(), c.same_dtype()};
  p.sample_type == UpSampling::nearest ? infer_nearest(p, c) : infer_bilinear(p, c);
}

std::vector<Expr> up_sampling_of(const UpSamplingParams& p, std::span<const Expr> in) {
  const Shape& shape = in[0].shape();
  if (p.sample_type == UpSampling::bilinear) {
    DeconvolutionParams q;
    int64_t extent = filter_extent(p), pad = p.scale / 2;
    q.kernel = {extent, extent}, q.stride = {p.scale, p.scale}, q.pad = {pad, pad};
    q.num_filter = q.num_group = p.num_filter;
    return deconvolution_ref.with(in, make_params(q));
  }
  std::vector<Expr> grown;
  for (const Expr& x : in) grown.push_back(resampled(x, shape[2] * p.scale, shape[3] * p.scale, Resampling::nearest));
  if (grown.size() == 1) return grown;
  if (p.multi_input_mode == MultiInput::concat)
    return concat_ref.all(grown, {{"num_args", static_cast<int64_t>(grown.size())}, {"dim", 1}});
  Expr total = grown[0];
  for (size_t i = 1; i < grown.size(); ++i) total = total + grown[i];
  return {total};
}

const Op& up_sampling =
    define_op<UpSamplingParams>("UpSampling")
        .doc(
            "Images grown by a whole factor: each element repeated ('nearest'; several arrays are grown to one size "
            "and "
            "joined or added), or spread by a filter of 2 scale - scale % 2 elements a side ('bilinear': a "
            "Deconvolution "
            "of each channel with the stride `scale`).")
        .variadic("data", "num_args", "Batches (N, C, H, W); for 'bilinear' the data and the filters (C, 1, k, k).")
        .infer(infer_up_sampling)
        .compose(up_sampling_of);

}  // namespace
}  // namespace mxnet

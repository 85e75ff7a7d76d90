#include "mxnet/ops/image.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "mxnet/base/philox.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/resample_image.h"

namespace mxnet {
namespace {

// A number as an element of T: kept in range, without its fraction.
template <class T, class C>
T saturated(C x) {
  if constexpr (std::is_floating_point_v<compute_t<T>>) {
    return static_cast<T>(x);
  } else {
    constexpr C low = static_cast<C>(std::numeric_limits<T>::lowest()), high = greatest<C, T>();
    return x != x ? T(0) : static_cast<T>(std::clamp(x, low, high));
  }
}

// What pixels of T are computed in.
template <class T>
using work_t = std::conditional_t<std::is_same_v<T, double> || sizeof(T) == 8, double, float>;

// ---- to_tensor and normalize

template <class T>
void split_channels(const T* x, int64_t pixels, int64_t channels, float* y) {
  for (int64_t c = 0; c < channels; ++c) {
    float* to = y + c * pixels;
    if (channels == 3)
      for (int64_t i = 0; i < pixels; ++i) to[i] = static_cast<float>(x[3 * i + c]) / 255.0f;
    else
      for (int64_t i = 0; i < pixels; ++i) to[i] = static_cast<float>(x[channels * i + c]) / 255.0f;
  }
}

void to_tensor_cpu(const NoParams&, KernelContext& c) {
  const Shape& s = c.in(0).shape();
  int first = s.ndim() - 3;
  int64_t images = first ? s[0] : 1, pixels = s[first] * s[first + 1], channels = s[first + 2];
  if (c.out(0).size() == 0) return;
  dispatch_all(c.in(0).dtype, [&]<class T>() {
    parallel_for(images, std::max<int64_t>(1, 16384 / (pixels * channels)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t at = i * pixels * channels;
        split_channels(c.in(0).as<const T>() + at, pixels, channels, c.out(0).as<float>() + at);
      }
    });
  });
}

void normalize_cpu(const ImageNormalizeParams& p, KernelContext& c) {
  const Shape& s = c.in(0).shape();
  int first = s.ndim() - 3;
  int64_t planes = s.product(0, first + 1), pixels = s[first + 1] * s[first + 2], channels = s[first];
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  Converted x(c.in(0), dtype, true), y(c.out(0), dtype, false);
  auto of = [](const std::vector<float>& values, int64_t c) {
    return values[values.size() == 1 ? 0 : static_cast<size_t>(c)];
  };
  dispatch_working(dtype, [&]<class C>() {
    parallel_for(planes, std::max<int64_t>(1, 16384 / pixels), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        C mean = static_cast<C>(of(p.mean, i % channels)), deviation = static_cast<C>(of(p.std, i % channels));
        const C* from = x.as<const C>() + i * pixels;
        C* to = y.as<C>() + i * pixels;
        for (int64_t k = 0; k < pixels; ++k) to[k] = (from[k] - mean) / deviation;
      }
    });
  });
  y.finish();
}

// ---- resize

void resize_cpu(const ImageResizeParams& p, KernelContext& c) {
  constexpr Resampling kinds[] = {Resampling::nearest, Resampling::linear,  Resampling::cubic,
                                  Resampling::area,    Resampling::lanczos, Resampling::linear};
  const Shape &in = c.in(0).shape(), &out = c.out(0).shape();
  int first = in.ndim() - 3;
  if (c.out(0).size() == 0) return;
  ImageTaps taps = image_taps(kinds[p.interp], in[first], in[first + 1], out[first], out[first + 1]);
  dispatch_working(size_of(c.in(0).dtype) == 8 ? DType::float64 : DType::float32,
                   [&]<class C>() { resample_images<C>(taps, first ? in[0] : 1, in[first + 2], c.in(0), c.out(0)); });
}

// ---- Random flips

void flip_cpu(KernelContext& c, bool columns) {
  const Shape& s = c.in(0).shape();
  const char* from = c.in(0).as<const char>();
  char* to = c.out(0).as<char>();
  int64_t pixel = s[2] * size_of(c.in(0).dtype), row = s[1] * pixel;
  bool flip = PhiloxStream(c.random_key, c.random_offset).bits() & 1;
  for (int64_t i = 0; i < s[0]; ++i) {
    const char* line = from + (flip && !columns ? s[0] - 1 - i : i) * row;
    if (!flip || !columns) {
      std::memcpy(to + i * row, line, static_cast<size_t>(row));
      continue;
    }
    for (int64_t k = 0; k < s[1]; ++k)
      std::memcpy(to + i * row + k * pixel, line + (s[1] - 1 - k) * pixel, static_cast<size_t>(pixel));
  }
}

// ---- Colours. Each function changes pixels of one or three channels from x to y, which may be the same.

constexpr float kGrey[3] = {0.299f, 0.587f, 0.114f};

template <class T>
struct Colours {
  using C = work_t<T>;
  int64_t pixels, channels;
  T* y;

  // y = factor x + offset of the channel
  void scale(const T* x, C factor, const C (&offset)[3]) const {
    if (channels == 1 || (offset[0] == offset[1] && offset[1] == offset[2])) {
      for (int64_t i = 0; i < pixels * channels; ++i) y[i] = saturated<T>(factor * static_cast<C>(x[i]) + offset[0]);
      return;
    }
    for (int64_t i = 0; i < pixels; ++i)
      for (int k = 0; k < 3; ++k) y[3 * i + k] = saturated<T>(factor * static_cast<C>(x[3 * i + k]) + offset[k]);
  }
  C grey(const T* x) const {
    if (channels == 1) return static_cast<C>(x[0]);
    return static_cast<C>(kGrey[0]) * static_cast<C>(x[0]) + static_cast<C>(kGrey[1]) * static_cast<C>(x[1]) +
           static_cast<C>(kGrey[2]) * static_cast<C>(x[2]);
  }
  void brightness(const T* x, C factor) const { scale(x, factor, {0, 0, 0}); }
  void contrast(const T* x, C factor) const {
    double total = 0;
    for (int64_t i = 0; i < pixels; ++i) total += static_cast<double>(grey(x + i * channels));
    C rest = (C(1) - factor) * static_cast<C>(total / static_cast<double>(pixels));
    scale(x, factor, {rest, rest, rest});
  }
  void saturation(const T* x, C factor) const {
    for (int64_t i = 0; i < pixels; ++i) {
      C rest = (C(1) - factor) * grey(x + i * channels);
      for (int64_t k = i * channels; k < (i + 1) * channels; ++k)
        y[k] = saturated<T>(factor * static_cast<C>(x[k]) + rest);
    }
  }
  void lighting(const T* x, const float (&alpha)[3]) const {
    constexpr float kValues[3] = {55.46f, 4.794f, 1.148f};
    constexpr float kVectors[3][3] = {
        {-0.5675f, 0.7192f, 0.4009f}, {-0.5808f, -0.0045f, -0.8140f}, {-0.5836f, -0.6948f, 0.4203f}};
    C offset[3] = {0, 0, 0};
    for (int k = 0; k < 3 && channels == 3; ++k)
      for (int j = 0; j < 3; ++j) offset[k] += static_cast<C>(kVectors[k][j] * kValues[j] * alpha[j]);
    scale(x, C(1), offset);
  }
  void hue(const T* x, C turn) const;
};

// Hue counts from red over green to blue in sixths of the circle. Turning it leaves the greatest and the least of the
// three as they are; the one between follows from where in its sixth the hue is.
template <class T>
void Colours<T>::hue(const T* x, C turn) const {
  auto nearest = [](C v) { return std::is_floating_point_v<compute_t<T>> ? v : std::nearbyint(v); };
  // For each sixth which channel has the greatest, the least and the rest.
  constexpr int kOrder[6][3] = {{0, 2, 1}, {1, 2, 0}, {1, 0, 2}, {2, 0, 1}, {2, 1, 0}, {0, 1, 2}};
  for (int64_t i = 0; i < pixels * channels; i += channels) {
    C r = static_cast<C>(x[i]), g = r, b = r;
    if (channels == 3) g = static_cast<C>(x[i + 1]), b = static_cast<C>(x[i + 2]);
    C most = std::max({r, g, b}), least = std::min({r, g, b}), range = most - least;
    C at = most == r ? (g - b) / range : most == g ? C(2) + (b - r) / range : C(4) + (r - g) / range;
    at += turn * C(6);
    at -= std::floor(at / C(6)) * C(6);
    // Grey has no hue, and neither have infinities and NaN.
    if (!(range > 0 && std::isfinite(range) && at >= 0 && at <= 6)) {
      for (int64_t k = 0; k < channels; ++k) y[i + k] = x[i + k];
      continue;
    }
    int sixth = std::min(static_cast<int>(at), 5);
    C part = at - static_cast<C>(sixth);
    C between = sixth % 2 == 0 ? least + range * part : most - range * part;
    const int* order = kOrder[sixth];
    y[i + order[0]] = saturated<T>(most), y[i + order[1]] = saturated<T>(least);
    y[i + order[2]] = saturated<T>(nearest(between));
  }
}

// Calls f(colours, x, random numbers) for the image of a call.
template <class F>
void with_colours(KernelContext& c, const F& f) {
  const Shape& s = c.in(0).shape();
  if (s.size() == 0) return;
  PhiloxStream random(c.random_key, c.random_offset);
  auto run = [&]<class T>() { f(Colours<T>{s[0] * s[1], s[2], c.out(0).as<T>()}, c.in(0).as<const T>(), random); };
  is_floating(c.in(0).dtype) ? dispatch_floating(c.in(0).dtype, run) : dispatch_integer(c.in(0).dtype, run);
}

float uniform(PhiloxStream& random, float low, float high) {
  return low + static_cast<float>(random.uniform()) * (high - low);
}
float normal(PhiloxStream& random, float deviation) {
  double radius = std::sqrt(-2 * std::log(random.uniform())), angle = 2 * M_PI * random.uniform();
  return static_cast<float>(radius * std::cos(angle)) * deviation;
}

enum class Change { brightness, contrast, saturation, hue };

template <class T>
void apply_change(const Colours<T>& colours, Change change, float factor, const T* x) {
  auto f = static_cast<work_t<T>>(factor);
  switch (change) {
    case Change::brightness: return colours.brightness(x, f);
    case Change::contrast: return colours.contrast(x, f);
    case Change::saturation: return colours.saturation(x, f);
    case Change::hue: return colours.hue(x, f);
  }
}

template <Change change>
void random_change_cpu(const ImageFactorParams& p, KernelContext& c) {
  with_colours(c, [&]<class T>(const Colours<T>& colours, const T* x, PhiloxStream& random) {
    apply_change(colours, change, uniform(random, p.min_factor, p.max_factor), x);
  });
}

void color_jitter_cpu(const ImageJitterParams& p, KernelContext& c) {
  with_colours(c, [&]<class T>(const Colours<T>& colours, const T* x, PhiloxStream& random) {
    std::pair<Change, float> changes[] = {{Change::brightness, p.brightness},
                                          {Change::contrast, p.contrast},
                                          {Change::saturation, p.saturation},
                                          {Change::hue, p.hue}};
    for (size_t i = 3; i > 0; --i) std::swap(changes[i], changes[random.bits() % (i + 1)]);
    const T* from = x;
    for (auto [change, strength] : changes) {
      if (strength == 0) continue;
      float factor = uniform(random, std::max(0.0f, 1 - strength), 1 + strength);
      apply_change(colours, change, factor, from);
      from = colours.y;
    }
    if (from == x && colours.y != x) std::copy_n(x, colours.pixels * colours.channels, colours.y);
  });
}

void lighting_cpu(const ImageLightingParams& p, KernelContext& c) {
  with_colours(c, [&]<class T>(const Colours<T>& colours, const T* x, PhiloxStream&) {
    colours.lighting(x, {p.alpha[0], p.alpha[1], p.alpha[2]});
  });
}
void random_lighting_cpu(const ImageRandomLightingParams& p, KernelContext& c) {
  with_colours(c, [&]<class T>(const Colours<T>& colours, const T* x, PhiloxStream& random) {
    float a = normal(random, p.alpha_std), b = normal(random, p.alpha_std), d = normal(random, p.alpha_std);
    colours.lighting(x, {a, b, d});
  });
}

const bool registered[] = {
    cpu_kernel<NoParams>("_image_to_tensor", to_tensor_cpu),
    cpu_kernel<ImageNormalizeParams>("_image_normalize", normalize_cpu),
    cpu_kernel<ImageResizeParams>("_image_resize", resize_cpu),
    cpu_kernel<NoParams>("_image_random_flip_left_right", [](const NoParams&, KernelContext& c) { flip_cpu(c, true); }),
    cpu_kernel<NoParams>("_image_random_flip_top_bottom",
                         [](const NoParams&, KernelContext& c) { flip_cpu(c, false); }),
    cpu_kernel<ImageLightingParams>("_image_adjust_lighting", lighting_cpu),
    cpu_kernel<ImageRandomLightingParams>("_image_random_lighting", random_lighting_cpu),
    cpu_kernel<ImageFactorParams>("_image_random_brightness", random_change_cpu<Change::brightness>),
    cpu_kernel<ImageFactorParams>("_image_random_contrast", random_change_cpu<Change::contrast>),
    cpu_kernel<ImageFactorParams>("_image_random_saturation", random_change_cpu<Change::saturation>),
    cpu_kernel<ImageFactorParams>("_image_random_hue", random_change_cpu<Change::hue>),
    cpu_kernel<ImageJitterParams>("_image_random_color_jitter", color_jitter_cpu)};

}  // namespace
}  // namespace mxnet

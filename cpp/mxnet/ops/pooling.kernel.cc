// Pooling kernels. With channels first a window is combined over its rows, then along them: the row is split by
// the stride into phases, so that what one tap of all windows sees lies side by side. With channels last the
// channels lie side by side anyway.
#include "mxnet/ops/pooling.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/lanes.h"

namespace mxnet {
namespace {

template <class C>
struct Max {
  static C init() { return std::numeric_limits<C>::lowest(); }
  template <class V>
  static V load(V x) {
    return x;
  }
  template <class V>
  static V combine(V a, V b) {
    return b > a ? b : a;
  }
};
template <class C, int Power>
struct PowerSum {
  static C init() { return 0; }
  template <class V>
  static V load(V x) {
    if constexpr (Power == 1) return x;
    if constexpr (Power == 2) return x * x;
    return x * x * x;
  }
  template <class V>
  static V combine(V a, V b) {
    return a + b;
  }
};

// What is done with a combined value: nothing, a division by the element count, a root.
enum class Finish { none, mean, square_root, cube_root };

template <class C>
C finished(Finish finish, C value, C count) {
  switch (finish) {
    case Finish::mean: return value / count;
    case Finish::square_root: return std::sqrt(value);
    case Finish::cube_root: return std::cbrt(value);
    case Finish::none: break;
  }
  return value;
}

// to[phase][i] = row[i * stride + phase]
template <class C>
void split(const C* row, int64_t stride, int64_t phases, int64_t width, C* to) {
  if (stride == 2) {
    for (int64_t p = 0; p < phases; ++p)
      for (int64_t i = 0; i < width; ++i) to[p * width + i] = row[2 * i + p];
    return;
  }
  for (int64_t p = 0; p < phases; ++p)
    for (int64_t i = 0; i < width; ++i) to[p * width + i] = row[i * stride + p];
}

// The horizontal arrangement of channels-first windows: padded position q = output * stride + tap lies at
// index q / stride of phase q % stride.
struct Phases {
  int64_t stride, taps, outs, pad, in, width, padded;
  explicit Phases(const PoolGeometry& g)
      : stride(g.stride[2]),
        taps(g.kernel[2]),
        outs(g.out[2]),
        pad(g.pad[2]),
        in(g.in[2]),
        width(outs + (taps - 1) / stride),
        padded(std::max(width * stride, pad + in)) {}
  int64_t count() const { return std::min(stride, taps); }
  int64_t at(int64_t tap) const { return tap % stride * width + tap / stride; }
};

template <class C>
std::vector<C> mean_counts(const PoolGeometry& g, int axis) {
  std::vector<C> counts(static_cast<size_t>(g.out[axis]));
  for (int64_t o = 0; o < g.out[axis]; ++o)
    counts[static_cast<size_t>(o)] = static_cast<C>(std::max<int64_t>(1, g.range(axis, o).count));
  return counts;
}

// Calls f(row index) for each input row (of length in[2]) of window (od, oh).
template <class F>
void for_rows(const PoolGeometry& g, int64_t od, int64_t oh, const F& f) {
  auto d = g.range(0, od), h = g.range(1, oh);
  for (int64_t i = d.first; i < d.last; ++i)
    for (int64_t j = h.first; j < h.last; ++j) f(i * g.in[1] + j);
}

template <class T, class Op>
void plane_forward(const PoolGeometry& g, Finish finish, const T* x, T* y, std::vector<compute_t<T>>& work) {
  using C = compute_t<T>;
  Phases ph(g);
  // One padded row, then its phases, then the accumulated outputs.
  work.assign(static_cast<size_t>(ph.padded + ph.count() * ph.width + ph.outs), Op::init());
  C *row = work.data(), *phases = row + ph.padded, *acc = phases + ph.count() * ph.width;
  std::vector<C> cd = mean_counts<C>(g, 0), ch = mean_counts<C>(g, 1), cw = mean_counts<C>(g, 2);
  for (int64_t od = 0; od < g.out[0]; ++od)
    for (int64_t oh = 0; oh < g.out[1]; ++oh, y += ph.outs) {
      C* inner = row + ph.pad;
      bool first = true;
      for_rows(g, od, oh, [&](int64_t r) {
        const T* from = x + r * ph.in;
        if (first)
          for (int64_t i = 0; i < ph.in; ++i) inner[i] = Op::load(static_cast<C>(from[i]));
        else
          for (int64_t i = 0; i < ph.in; ++i) inner[i] = Op::combine(inner[i], Op::load(static_cast<C>(from[i])));
        first = false;
      });
      if (first) std::fill_n(inner, ph.in, Op::init());
      const C* source = row;
      if (ph.stride > 1) split(row, ph.stride, ph.count(), ph.width, phases), source = phases;
      std::copy_n(source, ph.outs, acc);
      for (int64_t tap = 1; tap < ph.taps; ++tap) {
        const C* seen = source + ph.at(tap);
        for (int64_t i = 0; i < ph.outs; ++i) acc[i] = Op::combine(acc[i], seen[i]);
      }
      C rows = cd[static_cast<size_t>(od)] * ch[static_cast<size_t>(oh)];
      if (finish == Finish::none)
        for (int64_t i = 0; i < ph.outs; ++i) y[i] = static_cast<T>(acc[i]);
      else
        for (int64_t i = 0; i < ph.outs; ++i)
          y[i] = static_cast<T>(finished(finish, acc[i], rows * cw[static_cast<size_t>(i)]));
    }
}

// The window is the whole plane.
template <class T, class Op>
void plane_whole(Finish finish, const T* x, T* y, int64_t n) {
  using C = compute_t<T>;
  constexpr int64_t w = kLanes<C>;
  Vec<C> sums = splat<Vec<C>>(Op::init());
  int64_t i = 0;
  for (; i + w <= n; i += w) sums = Op::combine(sums, Op::load(load<C>(x + i)));
  C total = fold_lanes<C>(sums, [](Vec<C> a, Vec<C> b) { return Op::combine(a, b); });
  for (; i < n; ++i) total = Op::combine(total, Op::load(static_cast<C>(x[i])));
  *y = static_cast<T>(finished(finish, total, static_cast<C>(n)));
}

// Channels-last images are worked on in blocks of channels.
constexpr int64_t kBlock = 64;

// Calls f(pixel index) for each input pixel of the window (od, oh, ow), in the order of the taps.
template <class F>
void for_pixels(const PoolGeometry& g, int64_t od, int64_t oh, int64_t ow, const F& f) {
  auto w = g.range(2, ow);
  for_rows(g, od, oh, [&](int64_t r) {
    for (int64_t i = w.first; i < w.last; ++i) f(r * g.in[2] + i);
  });
}
template <class F>
void for_outputs(const PoolGeometry& g, const F& f) {
  int64_t index = 0;
  for (int64_t od = 0; od < g.out[0]; ++od)
    for (int64_t oh = 0; oh < g.out[1]; ++oh)
      for (int64_t ow = 0; ow < g.out[2]; ++ow) f(index++, od, oh, ow);
}
template <class C>
C window_count(const PoolGeometry& g, int64_t od, int64_t oh, int64_t ow) {
  return static_cast<C>(std::max<int64_t>(1, g.range(0, od).count * g.range(1, oh).count * g.range(2, ow).count));
}

// A row of outputs, for `width` channels.
template <class T, class Op>
void row_forward(const PoolGeometry& g, Finish finish, int64_t row, const T* x, T* y, int64_t width) {
  using C = compute_t<T>;
  int64_t od = row / g.out[1], oh = row % g.out[1];
  for (int64_t ow = 0; ow < g.out[2]; ++ow) {
    C acc[kBlock];
    std::fill_n(acc, width, Op::init());
    for_pixels(g, od, oh, ow, [&](int64_t pixel) {
      const T* from = x + pixel * g.channels;
      for (int64_t c = 0; c < width; ++c) acc[c] = Op::combine(acc[c], Op::load(static_cast<C>(from[c])));
    });
    T* to = y + (row * g.out[2] + ow) * g.channels;
    if (finish == Finish::none) {
      for (int64_t c = 0; c < width; ++c) to[c] = static_cast<T>(acc[c]);
      continue;
    }
    C count = window_count<C>(g, od, oh, ow);
    for (int64_t c = 0; c < width; ++c) to[c] = static_cast<T>(finished(finish, acc[c], count));
  }
}

template <class T, class Op>
void forward_last(const PoolGeometry& g, Finish finish, const T* x, T* y) {
  int64_t blocks = (g.channels + kBlock - 1) / kBlock, rows = g.out[0] * g.out[1];
  int64_t work = std::max<int64_t>(1, g.out[2] * g.kernel[0] * g.kernel[1] * g.kernel[2]);
  parallel_for(g.batch * rows * blocks, std::max<int64_t>(1, 512 / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t image = i / blocks / rows, first = i % blocks * kBlock;
      row_forward<T, Op>(g, finish, i / blocks % rows, x + image * g.in_size() * g.channels + first,
                         y + image * g.out_size() * g.channels + first, std::min(kBlock, g.channels - first));
    }
  });
}

// Sums for `width` channels of an image that are written here and there, roughly in the order of the pixels: in the
// array itself if that has the type they are computed in.
template <class T>
class PixelSums {
 public:
  using C = compute_t<T>;
  PixelSums(const PoolGeometry& g, T* out, int64_t width, std::vector<C>& work)
      : pixels_(g.in_size()), stride_(kDirect ? g.channels : width), width_(width), channels_(g.channels), out_(out) {
    if constexpr (!kDirect) work.resize(static_cast<size_t>(pixels_ * width));
    sums_ = kDirect ? reinterpret_cast<C*>(out) : work.data();
  }
  // Sets to zero what was not reached before.
  void reach(int64_t pixel) {
    for (; reached_ < pixel; ++reached_) std::fill_n(sums_ + reached_ * stride_, width_, C(0));
  }
  C* at(int64_t pixel) { return sums_ + pixel * stride_; }
  void finish() {
    reach(pixels_);
    if constexpr (!kDirect)
      for (int64_t i = 0; i < pixels_; ++i)
        for (int64_t c = 0; c < width_; ++c) out_[i * channels_ + c] = static_cast<T>(sums_[i * stride_ + c]);
  }

 private:
  static constexpr bool kDirect = std::is_same_v<T, C>;
  int64_t pixels_, stride_, width_, channels_, reached_ = 0;
  T* out_;
  C* sums_;
};

// One past the last pixel that the windows of a row of outputs see.
inline int64_t last_pixel(const PoolGeometry& g, int64_t od, int64_t oh) {
  auto d = g.range(0, od), h = g.range(1, oh);
  return d.last > d.first && h.last > h.first ? ((d.last - 1) * g.in[1] + h.last) * g.in[2] : 0;
}

// Calls planes(begin, end) for shares of the planes of channels-first images.
template <class Planes>
void for_planes(const PoolGeometry& g, const Planes& planes) {
  parallel_for(g.batch * g.channels, std::max<int64_t>(1, 32768 / (g.in_size() + g.out_size())), planes);
}

// That for channels-first images; for others block(x, y, width) per block of channels, with the offsets into input
// and output.
template <class Planes, class Block>
void for_parts(const PoolGeometry& g, const Planes& planes, const Block& block) {
  int64_t in = g.in_size(), out = g.out_size();
  if (!g.channels_last) return for_planes(g, planes);
  int64_t blocks = (g.channels + kBlock - 1) / kBlock;
  parallel_for(g.batch * blocks, std::max<int64_t>(1, 512 / (in + out)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t image = i / blocks, first = i % blocks * kBlock;
      block(image * in * g.channels + first, image * out * g.channels + first, std::min(kBlock, g.channels - first));
    }
  });
}

template <class T, class Op>
void forward(const PoolGeometry& g, Finish finish, const T* x, T* y) {
  int64_t in = g.in_size(), out = g.out_size();
  bool whole = g.kernel == g.in && out == 1 && g.pad == std::array<int64_t, 3>{0, 0, 0};
  if (g.channels_last) return forward_last<T, Op>(g, finish, x, y);
  for_planes(g, [&](int64_t begin, int64_t end) {
    std::vector<compute_t<T>> work;
    for (int64_t i = begin; i < end; ++i) {
      if (whole)
        plane_whole<T, Op>(finish, x + i * in, y + i, in);
      else
        plane_forward<T, Op>(g, finish, x + i * in, y + i * out, work);
    }
  });
}

void pooling_cpu(const PoolingParams& p, KernelContext& c) {
  const TensorView &x = c.in(0), &y = c.out(0);
  if (y.size() == 0) return;
  PoolGeometry g = pool_geometry(p, x.shape(), y.shape());
  dispatch_floating(x.dtype, [&]<class T>() {
    using C = compute_t<T>;
    const T* from = x.as<const T>();
    T* to = y.as<T>();
    if (p.pool_type == PoolType::max) return forward<T, Max<C>>(g, Finish::none, from, to);
    if (p.pool_type == PoolType::avg) return forward<T, PowerSum<C, 1>>(g, Finish::mean, from, to);
    if (p.pool_type == PoolType::sum || *p.p_value == 1) return forward<T, PowerSum<C, 1>>(g, Finish::none, from, to);
    if (*p.p_value == 2) return forward<T, PowerSum<C, 2>>(g, Finish::square_root, from, to);
    forward<T, PowerSum<C, 3>>(g, Finish::cube_root, from, to);
  });
}

// The rows of a plane, each split into its phases; padding is `fill`.
template <class T, class C>
void split_plane(const PoolGeometry& g, const Phases& ph, const T* x, C fill, C* row, C* to) {
  int64_t rows = g.in[0] * g.in[1], length = ph.count() * ph.width;
  std::fill_n(row, ph.padded, fill);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < ph.in; ++i) row[ph.pad + i] = static_cast<C>(x[r * ph.in + i]);
    split(row, ph.stride, ph.count(), ph.width, to + r * length);
  }
}
// The reverse: columns that no window sees get zero.
template <class T, class C>
void join_plane(const PoolGeometry& g, const Phases& ph, const C* from, C* row, T* x) {
  int64_t rows = g.in[0] * g.in[1], length = ph.count() * ph.width;
  std::fill_n(row, ph.padded, C(0));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t p = 0; p < ph.count(); ++p) {
      const C* phase = from + r * length + p * ph.width;
      if (ph.stride == 1)
        std::copy_n(phase, ph.width, row);
      else if (ph.stride == 2)
        for (int64_t i = 0; i < ph.width; ++i) row[2 * i + p] = phase[i];
      else
        for (int64_t i = 0; i < ph.width; ++i) row[i * ph.stride + p] = phase[i];
    }
    for (int64_t i = 0; i < ph.in; ++i) x[r * ph.in + i] = static_cast<T>(row[ph.pad + i]);
  }
}

// Gives what is left of each window's gradient to the elements equal to its maximum; the first one takes all.
template <class C>
void give_to_maxima(const C* x, const C* y, C* left, C* dx, int64_t n) {
  constexpr int64_t w = kLanes<C>;
  const Vec<C> none = {};
  int64_t i = 0;
  for (; i + w <= n; i += w) {
    Vec<C> l = load<C>(left + i);
    auto hit = load<C>(x + i) == load<C>(y + i);
    store(dx + i, load<C>(dx + i) + (hit ? l : none));
    store(left + i, hit ? none : l);
  }
  for (; i < n; ++i) {
    bool hit = x[i] == y[i];
    dx[i] += hit ? left[i] : C(0);
    left[i] = hit ? C(0) : left[i];
  }
}
// Takes the value beside the first element equal to the maximum; `open` is 1 until then.
template <class C>
void take_at_maxima(const C* x, const C* y, const C* values, C* open, C* taken, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    bool hit = x[i] == y[i];
    taken[i] = hit && open[i] != C(0) ? values[i] : taken[i];
    open[i] = hit ? C(0) : open[i];
  }
}

template <class T>
void read_row(const T* from, compute_t<T>* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<compute_t<T>>(from[i]);
}
template <class T>
void write_row(const compute_t<T>* from, T* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

// Gather == false: dx from dy (both of the plane); true: dy from dx.
template <bool Gather, class T>
void plane_maxima(const PoolGeometry& g, const T* x, const T* y, const T* values, T* result,
                  std::vector<compute_t<T>>& work) {
  using C = compute_t<T>;
  Phases ph(g);
  int64_t length = ph.count() * ph.width, plane = g.in[0] * g.in[1] * length;
  work.resize(static_cast<size_t>(2 * plane + ph.padded + 3 * ph.outs));
  C *xs = work.data(), *gs = xs + plane, *row = gs + plane, *top = row + ph.padded, *left = top + ph.outs,
    *taken = left + ph.outs;
  split_plane(g, ph, x, std::numeric_limits<C>::quiet_NaN(), row, xs);
  if constexpr (Gather)
    split_plane(g, ph, values, C(0), row, gs);
  else
    std::fill_n(gs, plane, C(0));
  for (int64_t o = 0; o < g.out[0] * g.out[1]; ++o) {
    read_row(y + o * ph.outs, top, ph.outs);
    if constexpr (Gather)
      std::fill_n(left, ph.outs, C(1)), std::fill_n(taken, ph.outs, C(0));
    else
      read_row(values + o * ph.outs, left, ph.outs);
    for_rows(g, o / g.out[1], o % g.out[1], [&](int64_t r) {
      for (int64_t tap = 0; tap < ph.taps; ++tap) {
        int64_t at = r * length + ph.at(tap);
        if constexpr (Gather)
          take_at_maxima(xs + at, top, gs + at, left, taken, ph.outs);
        else
          give_to_maxima(xs + at, top, left, gs + at, ph.outs);
      }
    });
    if constexpr (Gather) write_row(taken, result + o * ph.outs, ph.outs);
  }
  if constexpr (!Gather) join_plane(g, ph, gs, row, result);
}

template <bool Gather, class T>
void block_maxima(const PoolGeometry& g, const T* x, const T* y, const T* values, T* result, int64_t width,
                  std::vector<compute_t<T>>& work) {
  using C = compute_t<T>;
  std::optional<PixelSums<T>> sums;
  if constexpr (!Gather) sums.emplace(g, result, width, work);
  for_outputs(g, [&](int64_t o, int64_t od, int64_t oh, int64_t ow) {
    C top[kBlock], left[kBlock], taken[kBlock], seen[kBlock], beside[kBlock];
    if constexpr (!Gather) sums->reach(last_pixel(g, od, oh));
    read_row(y + o * g.channels, top, width);
    if constexpr (Gather)
      std::fill_n(left, width, C(1)), std::fill_n(taken, width, C(0));
    else
      read_row(values + o * g.channels, left, width);
    for_pixels(g, od, oh, ow, [&](int64_t pixel) {
      read_row(x + pixel * g.channels, seen, width);
      if constexpr (Gather) {
        read_row(values + pixel * g.channels, beside, width);
        take_at_maxima(seen, top, beside, left, taken, width);
      } else {
        give_to_maxima(seen, top, left, sums->at(pixel), width);
      }
    });
    if constexpr (Gather) write_row(taken, result + o * g.channels, width);
  });
  if constexpr (!Gather) sums->finish();
}

template <bool Gather, class T>
void maxima(const PoolGeometry& g, const T* x, const T* y, const T* values, T* result) {
  int64_t in = g.in_size(), out = g.out_size();
  for_parts(
      g,
      [&](int64_t begin, int64_t end) {
        std::vector<compute_t<T>> work;
        for (int64_t i = begin; i < end; ++i)
          plane_maxima<Gather>(g, x + i * in, y + i * out, values + i * (Gather ? in : out),
                               result + i * (Gather ? out : in), work);
      },
      [&](int64_t from, int64_t to, int64_t width) {
        std::vector<compute_t<T>> work;
        block_maxima<Gather>(g, x + from, y + to, values + (Gather ? from : to), result + (Gather ? to : from), width,
                             work);
      });
}

void backward_max_cpu(const PoolingGradParams& p, KernelContext& c) {
  const TensorView &dy = c.in(0), &x = c.in(1), &y = c.in(2), &dx = c.out(0);
  if (dx.size() == 0) return;
  PoolGeometry g = pool_geometry(p, x.shape(), y.shape());
  dispatch_floating(
      x.dtype, [&]<class T>() { maxima<false>(g, x.as<const T>(), y.as<const T>(), dy.as<const T>(), dx.as<T>()); });
}

void gather_cpu(const PoolingParams& p, KernelContext& c) {
  const TensorView &values = c.in(0), &x = c.in(1), &y = c.in(2), &out = c.out(0);
  if (out.size() == 0) return;
  PoolGeometry g = pool_geometry(p, x.shape(), y.shape());
  dispatch_floating(x.dtype, [&]<class T>() {
    maxima<true>(g, x.as<const T>(), y.as<const T>(), values.as<const T>(), out.as<T>());
  });
}

template <class T>
void plane_spread(const PoolGeometry& g, bool mean, const T* dy, T* dx, std::vector<compute_t<T>>& work) {
  using C = compute_t<T>;
  Phases ph(g);
  int64_t length = ph.count() * ph.width, plane = g.in_size();
  work.assign(static_cast<size_t>(plane + length + ph.padded + ph.outs), C(0));
  C *sums = work.data(), *phases = sums + plane, *row = phases + length, *share = row + ph.padded;
  std::vector<C> cd = mean_counts<C>(g, 0), ch = mean_counts<C>(g, 1), cw = mean_counts<C>(g, 2);
  for (int64_t o = 0; o < g.out[0] * g.out[1]; ++o) {
    int64_t od = o / g.out[1], oh = o % g.out[1];
    read_row(dy + o * ph.outs, share, ph.outs);
    C rows = cd[static_cast<size_t>(od)] * ch[static_cast<size_t>(oh)];
    if (mean)
      for (int64_t i = 0; i < ph.outs; ++i) share[i] /= rows * cw[static_cast<size_t>(i)];
    std::fill_n(phases, length, C(0));
    for (int64_t tap = 0; tap < ph.taps; ++tap) {
      C* seen = phases + ph.at(tap);
      for (int64_t i = 0; i < ph.outs; ++i) seen[i] += share[i];
    }
    for (int64_t p = 0; p < ph.count(); ++p)
      for (int64_t i = 0; i < ph.width; ++i) row[i * ph.stride + p] = phases[p * ph.width + i];
    for_rows(g, od, oh, [&](int64_t r) {
      for (int64_t i = 0; i < ph.in; ++i) sums[r * ph.in + i] += row[ph.pad + i];
    });
  }
  write_row(sums, dx, plane);
}

template <class T>
void block_spread(const PoolGeometry& g, bool mean, const T* dy, T* dx, int64_t width,
                  std::vector<compute_t<T>>& work) {
  using C = compute_t<T>;
  PixelSums<T> sums(g, dx, width, work);
  for_outputs(g, [&](int64_t o, int64_t od, int64_t oh, int64_t ow) {
    sums.reach(last_pixel(g, od, oh));
    C share[kBlock];
    C count = mean ? window_count<C>(g, od, oh, ow) : C(1);
    for (int64_t c = 0; c < width; ++c) share[c] = static_cast<C>(dy[o * g.channels + c]) / count;
    for_pixels(g, od, oh, ow, [&](int64_t pixel) {
      C* to = sums.at(pixel);
      for (int64_t c = 0; c < width; ++c) to[c] += share[c];
    });
  });
  sums.finish();
}

void backward_sum_cpu(const PoolingGradParams& p, KernelContext& c) {
  const TensorView &dy = c.in(0), &dx = c.out(0);
  if (dx.size() == 0) return;
  PoolGeometry g = pool_geometry(p, dx.shape(), dy.shape());
  bool mean = p.pool_type == PoolType::avg;
  int64_t in = g.in_size(), out = g.out_size();
  dispatch_floating(dx.dtype, [&]<class T>() {
    const T* from = dy.as<const T>();
    T* to = dx.as<T>();
    for_parts(
        g,
        [&](int64_t begin, int64_t end) {
          std::vector<compute_t<T>> work;
          for (int64_t i = begin; i < end; ++i) plane_spread(g, mean, from + i * out, to + i * in, work);
        },
        [&](int64_t x, int64_t y, int64_t width) {
          std::vector<compute_t<T>> work;
          block_spread(g, mean, from + y, to + x, width, work);
        });
  });
}

const bool registered[] = {cpu_kernel<PoolingParams>("Pooling", pooling_cpu),
                           cpu_kernel<PoolingGradParams>("_backward_Pooling_max", backward_max_cpu),
                           cpu_kernel<PoolingParams>("_backward_Pooling_gather", gather_cpu),
                           cpu_kernel<PoolingGradParams>("_backward_Pooling_sum", backward_sum_cpu)};

}  // namespace
}  // namespace mxnet

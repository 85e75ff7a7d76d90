// Kernels of LRN: the channels of a few pixels at a time, in the nearest cache.
#include "mxnet/ops/lrn.h"

#include "mxnet/base/math.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

constexpr int64_t kTile = 64;

// s^-beta; the usual exponent is that of the paper.
template <class C>
void powers(const C* s, double beta, int64_t n, C* to) {
  if (beta == 0.75) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) {
      C root = sqrt(s[i]);
      to[i] = C(1) / (root * sqrt(root));
    }
    return;
  }
  C exponent = static_cast<C>(-beta);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = exp(exponent * log(s[i]));
}

// For each channel the sum over those around it; row c of either array is channel c.
template <class C>
void sum_neighbours(const C* x, int64_t channels, int64_t reach, C* to) {
  for (int64_t c = 0; c < channels; ++c) {
    int64_t first = std::max<int64_t>(0, c - reach), last = std::min(channels, c + reach + 1);
    C total[kTile] = {};
    for (int64_t k = first; k < last; ++k)
      for (int64_t i = 0; i < kTile; ++i) total[i] += x[k * kTile + i];
    std::copy_n(total, kTile, to + c * kTile);
  }
}

template <class C>
struct Lrn {
  C alpha, knorm;
  double beta;
  int64_t channels, pixels, reach;

  // The squared rows of a tile, then s of it.
  void scales(const C* x, int64_t width, C* squares, C* s) const {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t i = 0; i < width; ++i) squares[c * kTile + i] = x[c * pixels + i] * x[c * pixels + i];
      std::fill_n(squares + c * kTile + width, kTile - width, C(0));
    }
    sum_neighbours(squares, channels, reach, s);
    for (int64_t i = 0; i < channels * kTile; ++i) s[i] = knorm + alpha * s[i];
  }
  void forward(const C* x, int64_t width, C* work, C* y) const {
    C *power = work, *s = work + channels * kTile;
    scales(x, width, power, s);
    powers(s, beta, channels * kTile, power);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < width; ++i) y[c * pixels + i] = x[c * pixels + i] * power[c * kTile + i];
  }
  // dx = dy s^-beta - 2 alpha beta x neighbours(dy x s^(-beta - 1))
  void backward(const C* dy, const C* x, int64_t width, C* work, C* dx) const {
    int64_t n = channels * kTile;
    C *power = work, *s = work + n, *share = s + n;
    scales(x, width, power, s);
    powers(s, beta, n, power);
    std::fill_n(share, n, C(0));
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < width; ++i)
        share[c * kTile + i] = dy[c * pixels + i] * x[c * pixels + i] * power[c * kTile + i] / s[c * kTile + i];
    sum_neighbours(share, channels, reach, s);
    C factor = static_cast<C>(2 * beta) * alpha;
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t i = 0; i < width; ++i)
        dx[c * pixels + i] = dy[c * pixels + i] * power[c * kTile + i] - factor * x[c * pixels + i] * s[c * kTile + i];
  }
};

// Calls body(lrn, offset, width, work) for each tile of pixels; work has room for `rooms` arrays of a tile.
template <class C, class Body>
void each_tile(const LrnParams& p, const Shape& shape, int rooms, const Body& body) {
  AxisView v = around(shape, 1);
  Lrn<C> lrn{static_cast<C>(p.alpha) / static_cast<C>(p.nsize),
             static_cast<C>(p.knorm),
             static_cast<double>(p.beta),
             v.count,
             v.inner,
             p.nsize / 2};
  int64_t tiles = (v.inner + kTile - 1) / kTile;
  parallel_for(v.outer * tiles, std::max<int64_t>(1, 128 / std::max<int64_t>(1, v.count)),
               [&](int64_t begin, int64_t end) {
                 Scratch work(rooms * v.count * kTile * static_cast<int64_t>(sizeof(C)));
                 for (int64_t i = begin; i < end; ++i) {
                   int64_t at = i % tiles * kTile;
                   body(lrn, i / tiles * v.count * v.inner + at, std::min(kTile, v.inner - at), work.as<C>());
                 }
               });
}

void lrn_cpu(const LrnParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  Converted x(c.in(0), dtype, true), y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    each_tile<C>(p, c.in(0).shape(), 2, [&](const Lrn<C>& lrn, int64_t at, int64_t width, C* work) {
      lrn.forward(x.as<const C>() + at, width, work, y.as<C>() + at);
    });
  });
  y.finish();
}

void lrn_backward_cpu(const LrnParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(1));
  Converted dy(c.in(0), dtype, true), x(c.in(1), dtype, true), dx(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    each_tile<C>(p, c.in(1).shape(), 3, [&](const Lrn<C>& lrn, int64_t at, int64_t width, C* work) {
      lrn.backward(dy.as<const C>() + at, x.as<const C>() + at, width, work, dx.as<C>() + at);
    });
  });
  dx.finish();
}

const bool registered[] = {cpu_kernel<LrnParams>("LRN", lrn_cpu),
                           cpu_kernel<LrnParams>("_backward_LRN", lrn_backward_cpu)};

}  // namespace
}  // namespace mxnet

// BatchNorm kernels. A channel of channels-first data is read into the cache by its sums and finished from there;
// channels-last data is summed in chunks of rows, whose results are combined in a fixed order.
#include <cmath>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/norm.h"
#include "mxnet/ops/sums.h"

namespace mxnet {
namespace {

AxisView channels_of(int axis, const Shape& shape) { return around(shape, axis < 0 ? axis + shape.ndim() : axis); }

template <class C>
void channel_moments(const C* x, const AxisView& v, int64_t channel, C* mean, C* variance) {
  double sum = 0, squares = 0, count = static_cast<double>(v.outer * v.inner);
  auto plane = [&](int64_t i) { return x + (i * v.count + channel) * v.inner; };
  for (int64_t i = 0; i < v.outer; ++i) sum += static_cast<double>(sum_of(plane(i), v.inner));
  C m = static_cast<C>(sum / count);
  for (int64_t i = 0; i < v.outer; ++i) squares += static_cast<double>(sum_of_squares(plane(i), v.inner, m));
  *mean = m;
  *variance = static_cast<C>(squares / count);
}

int64_t plane_grain(const AxisView& v) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, v.outer * v.inner)); }

// Rows that one chunk of channels-last data has; it depends on the shape alone.
int64_t chunk_rows(const AxisView& v) { return std::max<int64_t>(16, 16384 / std::max<int64_t>(1, v.count)); }

// Mean and squared deviations of each channel over the rows of a chunk.
template <class C>
void chunk_moments(const C* x, int64_t rows, int64_t channels, C* mean, C* deviation) {
  std::fill_n(mean, channels, C(0));
  std::fill_n(deviation, channels, C(0));
  for (int64_t r = 0; r < rows; ++r)
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) mean[c] += x[r * channels + c];
  C scale = C(1) / static_cast<C>(rows);
  for (int64_t c = 0; c < channels; ++c) mean[c] *= scale;
  for (int64_t r = 0; r < rows; ++r)
#pragma omp simd
    for (int64_t c = 0; c < channels; ++c) {
      C d = x[r * channels + c] - mean[c];
      deviation[c] += d * d;
    }
}

template <class C>
void row_moments(const C* x, const AxisView& v, C* mean, C* variance) {
  int64_t rows = v.outer, channels = v.count, step = chunk_rows(v), chunks = (rows + step - 1) / step;
  Scratch partial(2 * chunks * channels * static_cast<int64_t>(sizeof(C)));
  auto of_chunk = [&](int64_t i) { return partial.as<C>() + 2 * i * channels; };
  parallel_for(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      chunk_moments(x + i * step * channels, std::min(step, rows - i * step), channels, of_chunk(i),
                    of_chunk(i) + channels);
  });
  std::copy_n(of_chunk(0), channels, mean);
  std::copy_n(of_chunk(0) + channels, channels, variance);
  for (int64_t i = 1; i < chunks; ++i) {
    const C *m = of_chunk(i), *d = m + channels;
    C before = static_cast<C>(i * step), now = static_cast<C>(std::min(step, rows - i * step)), all = before + now;
    for (int64_t c = 0; c < channels; ++c) {
      C delta = m[c] - mean[c];
      mean[c] += delta * (now / all);
      variance[c] += d[c] + delta * delta * (before * (now / all));
    }
  }
  for (int64_t c = 0; c < channels; ++c) variance[c] /= static_cast<C>(rows);
}

template <class C>
struct Affine {
  const C *gamma, *beta;  // a null gamma is 1
  C scale(int64_t c, C inverse) const { return gamma ? gamma[c] * inverse : inverse; }
};

template <class C>
void normalise_plane(const C* x, C* y, int64_t n, C mean, C scale, C offset) {
#pragma omp simd
  for (int64_t k = 0; k < n; ++k) y[k] = (x[k] - mean) * scale + offset;
}

template <class C>
void normalise_rows(const C* x, C* y, const AxisView& v, const C* mean, const C* scale, const C* offset) {
  int64_t channels = v.count;
  parallel_for(v.outer, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, channels)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c)
        y[r * channels + c] = (x[r * channels + c] - mean[c]) * scale[c] + offset[c];
  });
}

// Statistics as outputs: `inverse` receives 1 / sqrt(variance + eps). They start as the moving averages unless
// `batch`; then those move.
template <class C>
void forward(const BatchNormParams& p, const AxisView& v, bool batch, const C* x, const Affine<C>& affine, C* y,
             C* mean, C* inverse, C* moving_mean, C* moving_variance) {
  C momentum = static_cast<C>(p.momentum);
  auto finish = [&](int64_t c) {
    C variance = batch ? inverse[c] : moving_variance[c];
    if (batch) {
      moving_mean[c] = moving_mean[c] * momentum + mean[c] * (C(1) - momentum);
      moving_variance[c] = moving_variance[c] * momentum + variance * (C(1) - momentum);
    } else {
      mean[c] = moving_mean[c];
    }
    inverse[c] = static_cast<C>(1 / std::sqrt(static_cast<double>(variance) + p.eps));
  };
  if (v.inner == 1) {
    if (batch) row_moments(x, v, mean, inverse);
    Scratch scale(v.count * static_cast<int64_t>(sizeof(C)));
    for (int64_t c = 0; c < v.count; ++c) finish(c), scale.as<C>()[c] = affine.scale(c, inverse[c]);
    return normalise_rows(x, y, v, mean, scale.as<const C>(), affine.beta);
  }
  auto normalise = [&](int64_t i, int64_t c) {
    int64_t at = (i * v.count + c) * v.inner;
    normalise_plane(x + at, y + at, v.inner, mean[c], affine.scale(c, inverse[c]), affine.beta[c]);
  };
  if (!batch) {
    for (int64_t c = 0; c < v.count; ++c) finish(c);
    parallel_for(v.outer * v.count, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, v.inner)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) normalise(i / v.count, i % v.count);
                 });
    return;
  }
  parallel_for(v.count, plane_grain(v), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      channel_moments(x, v, c, mean + c, inverse + c);
      finish(c);
      for (int64_t i = 0; i < v.outer; ++i) normalise(i, c);
    }
  });
}

void batch_norm_cpu(const BatchNormParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(0).shape());
  bool batch = c.training && !p.use_global_stats && v.outer * v.inner > 0;
  DType dtype = working_type(c.in(0));
  Converted x(c.in(0), dtype, true), y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    Affine<C> affine{p.fix_gamma ? nullptr : c.in(1).as<const C>(), c.in(2).as<const C>()};
    forward<C>(p, v, batch, x.as<const C>(), affine, y.as<C>(), c.out(1).as<C>(), c.out(2).as<C>(), c.in(3).as<C>(),
               c.in(4).as<C>());
  });
  y.finish();
}

// dx = scale (dy - a - (x - mean) b): the coefficients of a channel from its sums of dy and dy (x - mean).
template <class C>
struct Slope {
  C scale, a, b;
};
template <class C>
Slope<C> slope_of(bool batch, double count, double dy, double dyx, C scale, C inverse) {
  if (!batch) return {scale, 0, 0};
  double inv = static_cast<double>(inverse);
  return {scale, static_cast<C>(dy / count), static_cast<C>(dyx * inv * inv / count)};
}

template <class C>
struct Backward {
  const C *dy, *x, *gamma, *mean, *inverse;
  C *dx, *dgamma, *dbeta;
  bool batch, fix_gamma;

  C scale(int64_t c) const { return fix_gamma ? inverse[c] : gamma[c] * inverse[c]; }
  // Stores the parameters' gradients and returns the data's coefficients.
  Slope<C> finish(int64_t c, double count, double sum, double product) const {
    dgamma[c] = fix_gamma ? C(0) : static_cast<C>(product * static_cast<double>(inverse[c]));
    dbeta[c] = static_cast<C>(sum);
    return slope_of(batch, count, sum, product, scale(c), inverse[c]);
  }
  void channel(const AxisView& v, int64_t c) const;
  void rows(const AxisView& v) const;
};

template <class C>
void Backward<C>::channel(const AxisView& v, int64_t c) const {
  double sum = 0, product = 0;
  for (int64_t i = 0; i < v.outer; ++i) {
    int64_t at = (i * v.count + c) * v.inner;
    Sums<C, 2> s = sums_with(dy + at, x + at, v.inner, mean[c]);
    sum += static_cast<double>(s.of[0]), product += static_cast<double>(s.of[1]);
  }
  Slope<C> slope = finish(c, static_cast<double>(v.outer * v.inner), sum, product);
  C m = mean[c];
  for (int64_t i = 0; i < v.outer; ++i) {
    int64_t at = (i * v.count + c) * v.inner;
#pragma omp simd
    for (int64_t k = at; k < at + v.inner; ++k) dx[k] = slope.scale * (dy[k] - slope.a - (x[k] - m) * slope.b);
  }
}

template <class C>
void Backward<C>::rows(const AxisView& v) const {
  int64_t channels = v.count, step = chunk_rows(v), chunks = (v.outer + step - 1) / step;
  Scratch partial(2 * (chunks + 1) * channels * static_cast<int64_t>(sizeof(C))),
      slopes(3 * channels * static_cast<int64_t>(sizeof(C)));
  auto of_chunk = [&](int64_t i) { return partial.as<C>() + 2 * i * channels; };
  parallel_for(chunks, 2, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      C *sum = of_chunk(i), *product = sum + channels;
      std::fill_n(sum, 2 * channels, C(0));
      for (int64_t r = i * step; r < std::min((i + 1) * step, v.outer); ++r)
#pragma omp simd
        for (int64_t c = 0; c < channels; ++c) {
          C g = dy[r * channels + c];
          sum[c] += g;
          product[c] += g * (x[r * channels + c] - mean[c]);
        }
    }
  });
  C *scale = slopes.as<C>(), *a = scale + channels, *b = a + channels;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, product = 0;
    for (int64_t i = 0; i < chunks; ++i)
      sum += static_cast<double>(of_chunk(i)[c]), product += static_cast<double>(of_chunk(i)[channels + c]);
    Slope<C> s = finish(c, static_cast<double>(v.outer), sum, product);
    scale[c] = s.scale, a[c] = s.a, b[c] = s.b;
  }
  parallel_for(v.outer, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, channels)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
#pragma omp simd
      for (int64_t c = 0; c < channels; ++c) {
        int64_t k = r * channels + c;
        dx[k] = scale[c] * (dy[k] - a[c] - (x[k] - mean[c]) * b[c]);
      }
  });
}

void batch_norm_backward_cpu(const BatchNormGradParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(1).shape());
  DType dtype = working_type(c.in(1));
  Converted dy(c.in(0), dtype, true), x(c.in(1), dtype, true), dx(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    Backward<C> b{dy.as<const C>(),      x.as<const C>(), c.in(2).as<const C>(), c.in(3).as<const C>(),
                  c.in(4).as<const C>(), dx.as<C>(),      c.out(1).as<C>(),      c.out(2).as<C>(),
                  p.batch_stats,         p.fix_gamma};
    if (v.inner == 1) return b.rows(v);
    parallel_for(v.count, plane_grain(v), [&](int64_t begin, int64_t end) {
      for (int64_t channel = begin; channel < end; ++channel) b.channel(v, channel);
    });
  });
  dx.finish();
}

const bool registered[] = {cpu_kernel<BatchNormParams>("BatchNorm", batch_norm_cpu),
                           cpu_kernel<BatchNormGradParams>("_backward_BatchNorm", batch_norm_backward_cpu)};

}  // namespace
}  // namespace mxnet

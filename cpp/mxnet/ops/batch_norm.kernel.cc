// BatchNorm kernels, with or without a rectifier behind. A channel of channels-first data is read into the cache by its
// sums and finished from there; channels-last data is summed in chunks of rows, whose results are added in a fixed
// order.
#include <cmath>
#include <numeric>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/norm.h"
#include "mxnet/ops/sums.h"

namespace mxnet {
namespace {

AxisView channels_of(int axis, const Shape& shape) { return around(shape, axis < 0 ? axis + shape.ndim() : axis); }

// What follows the norm: what it gives for z, and its gradient there; on numbers and vectors.
struct Nothing {
  template <class V>
  static V forward(V z) {
    return z;
  }
  template <class V>
  static V backward(V dy, V) {
    return dy;
  }
};
struct Rectifier {
  template <class V>
  static V forward(V z) {
    return z < V{} ? V{} : z;  // NaN stays NaN
  }
  template <class V>
  static V backward(V dy, V z) {
    return z > V{} ? dy : V{};
  }
};

// y = (x - mean) scale + offset.
template <class V, class C>
V normal(V x, const C& mean, const C& scale, const C& offset) {
  return (x - mean) * scale + offset;
}

// dx = scale (dy - a - (x - mean) b): the coefficients of a channel from its sums of dy and dy (x - mean).
template <class C>
struct Slope {
  C scale, a, b;
};

// ---- Channels-last data

// Rows of channels taken several at a time, so that they are whole vectors. Column j belongs to channel j % channels.
template <class C>
struct WideRows {
  int64_t size, channels, width;

  explicit WideRows(const AxisView& v) : size(v.outer * v.count), channels(v.count), width(v.count) {
    constexpr int64_t kMost = 2048, kLeast = 4 * kLanes<C>;
    int64_t whole = std::lcm(channels, int64_t{kLanes<C>});
    if (whole <= kMost) width = whole * std::max<int64_t>(1, (kLeast + whole - 1) / whole);
  }
  int64_t count() const { return (size + width - 1) / width; }
  // Rows of one chunk; they depend on the shape alone.
  int64_t step() const { return std::clamp<int64_t>(32768 / width, 16, 512); }
  int64_t chunks() const { return (count() + step() - 1) / step(); }
};

// Numbers of the channels, one for each column.
template <class C>
class Columns {
 public:
  Columns(const WideRows<C>& rows, int count) : rows_(rows), data_(count * rows.width * size_of(dtype_of<C>)) {}
  C* operator[](int i) const { return data_.template as<C>() + i * rows_.width; }
  template <class Value>
  void fill(int i, const Value& value) const {
    C* to = (*this)[i];
    for (int64_t c = 0; c < rows_.channels; ++c) to[c] = value(c);
    for (int64_t j = rows_.channels; j < rows_.width; ++j) to[j] = to[j - rows_.channels];
  }

 private:
  const WideRows<C>& rows_;
  Scratch data_;
};

// Sums of K terms over the rows of a chunk, [K][width]; term(i, j, t) sets t[0..K) to those of element i in column j.
template <int K, class C, class Term>
void sum_chunk(const WideRows<C>& rows, int64_t chunk, C* sums, const Term& term) {
  int64_t width = rows.width, begin = chunk * rows.step() * width;
  int64_t end = std::min(begin + rows.step() * width, rows.size), whole = begin + (end - begin) / width * width;
  auto columns = [&]<class V, int kBlock>(int64_t j, int64_t first, int64_t last) {
    constexpr int64_t kWidth = sizeof(V) / sizeof(C);
    V acc[kBlock][K];
    auto place = [&](int b, int k) { return sums + k * width + j + b * kWidth; };
    for (int b = 0; b < kBlock; ++b)
      for (int k = 0; k < K; ++k) acc[b][k] = take<V>(place(b, k));
    for (int64_t row = first; row < last; row += width)
      for (int b = 0; b < kBlock; ++b) {
        V t[K];
        term(row + j + b * kWidth, j + b * kWidth, t);
        for (int k = 0; k < K; ++k) acc[b][k] += t[k];
      }
    for (int b = 0; b < kBlock; ++b)
      for (int k = 0; k < K; ++k) std::memcpy(place(b, k), &acc[b][k], sizeof(V));
  };
  // A few rows at a time, so that memory is read in its order.
  std::fill_n(sums, K * width, C(0));
  int64_t tile = std::max<int64_t>(4, 2048 / width) * width;
  for (int64_t first = begin; first < whole; first += tile) {
    int64_t last = std::min(first + tile, whole), j = 0;
    for (; j + 4 * kLanes<C> <= width; j += 4 * kLanes<C>) columns.template operator()<Vec<C>, 4>(j, first, last);
    for (; j + kLanes<C> <= width; j += kLanes<C>) columns.template operator()<Vec<C>, 1>(j, first, last);
    for (; j < width; ++j) columns.template operator()<C, 1>(j, first, last);
  }
  for (int64_t i = whole; i < end; ++i) {
    C t[K];
    term(i, i - whole, t);
    for (int k = 0; k < K; ++k) sums[k * width + i - whole] += t[k];
  }
}

// The sums of all rows for each channel, [K][channels].
template <int K, class C, class Term>
void sum_rows(const WideRows<C>& rows, double* totals, const Term& term) {
  int64_t chunks = rows.chunks(), width = rows.width;
  Scratch partial(chunks * K * width * size_of(dtype_of<C>));
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum_chunk<K>(rows, i, partial.as<C>() + i * K * width, term);
  });
  std::fill_n(totals, K * rows.channels, 0.0);
  const C* from = partial.as<const C>();
  for (int64_t i = 0; i < chunks; ++i)
    for (int k = 0; k < K; ++k)
      for (int64_t j = 0; j < width; j += rows.channels, from += rows.channels)
#pragma omp simd
        for (int64_t c = 0; c < rows.channels; ++c) totals[k * rows.channels + c] += static_cast<double>(from[c]);
}

// Calls body(first element, number of elements) for each row, the last rows first: they are still in the cache.
template <class C, class Body>
void each_row(const WideRows<C>& rows, const Body& body) {
  int64_t count = rows.count();
  parallel_for(count, std::max<int64_t>(1, 32768 / rows.width), [&](int64_t begin, int64_t end) {
    for (int64_t r = count - begin; r-- > count - end;)
      body(r * rows.width, std::min(rows.width, rows.size - r * rows.width));
  });
}

// Mean and variance of each channel in one pass, as moments about the mean of a few rows.
template <class C>
void row_moments(const C* x, const AxisView& v, const WideRows<C>& rows, C* mean, C* variance) {
  constexpr int64_t kSample = 64;
  int64_t channels = v.count, sample = std::min(kSample, v.outer), apart = v.outer / sample;
  double count = static_cast<double>(v.outer);
  Scratch totals(2 * channels * static_cast<int64_t>(sizeof(double)));
  double* sums = totals.as<double>();
  std::fill_n(sums, channels, 0.0);
  for (int64_t r = 0; r < sample; ++r)
    for (int64_t c = 0; c < channels; ++c) sums[c] += static_cast<double>(x[r * apart * channels + c]);
  Columns<C> columns(rows, 1);
  columns.fill(0, [&](int64_t c) { return static_cast<C>(sums[c] / static_cast<double>(sample)); });
  const C* about = columns[0];
  sum_rows<2>(rows, sums, [=]<class V>(int64_t i, int64_t j, V* t) {
    V d = take<V>(x + i) - take<V>(about + j);
    t[0] = d;
    t[1] = d * d;
  });
  for (int64_t c = 0; c < channels; ++c) {
    double first = sums[c] / count, second = sums[channels + c] / count - first * first;
    mean[c] = static_cast<C>(static_cast<double>(about[c]) + first);
    variance[c] = static_cast<C>(second < 0 ? 0 : second);
  }
}

template <class F, class C>
void normalise_rows(const C* x, C* y, const WideRows<C>& rows, const Columns<C>& columns) {
  const C *mean = columns[0], *scale = columns[1], *offset = columns[2];
  each_row(rows, [=](int64_t at, int64_t n) {
    const C* from = x + at;
    C* to = y + at;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) to[j] = F::forward(normal(from[j], mean[j], scale[j], offset[j]));
  });
}

// ---- Forward

template <class C>
struct Affine {
  const C *gamma, *beta;  // a null gamma is 1
  C scale(int64_t c, C inverse) const { return gamma ? gamma[c] * inverse : inverse; }
};

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

template <class F, class C>
void normalise_plane(const C* x, C* y, int64_t n, C mean, C scale, C offset) {
#pragma omp simd
  for (int64_t k = 0; k < n; ++k) y[k] = F::forward(normal(x[k], mean, scale, offset));
}

int64_t plane_grain(const AxisView& v) { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, v.outer * v.inner)); }

// Statistics as outputs: `inverse` receives 1 / sqrt(variance + eps). They start as the moving averages unless
// `batch`; then those move.
template <class C>
struct Forward {
  const BatchNormParams& p;
  bool batch;
  const C* x;
  Affine<C> affine;
  C *y, *mean, *inverse, *moving_mean, *moving_variance;

  void finish(int64_t c) const {
    C momentum = static_cast<C>(p.momentum), variance = batch ? inverse[c] : moving_variance[c];
    if (batch) {
      moving_mean[c] = moving_mean[c] * momentum + mean[c] * (C(1) - momentum);
      moving_variance[c] = moving_variance[c] * momentum + variance * (C(1) - momentum);
    } else {
      mean[c] = moving_mean[c];
    }
    inverse[c] = static_cast<C>(1 / std::sqrt(static_cast<double>(variance) + p.eps));
  }
  template <class F>
  void channels_last(const AxisView& v) const {
    WideRows<C> rows(v);
    if (batch) row_moments(x, v, rows, mean, inverse);
    for (int64_t c = 0; c < v.count; ++c) finish(c);
    Columns<C> columns(rows, 3);
    columns.fill(0, [&](int64_t c) { return mean[c]; });
    columns.fill(1, [&](int64_t c) { return affine.scale(c, inverse[c]); });
    columns.fill(2, [&](int64_t c) { return affine.beta[c]; });
    normalise_rows<F>(x, y, rows, columns);
  }
  template <class F>
  void channels_first(const AxisView& v) const {
    auto normalise = [&](int64_t i, int64_t c) {
      int64_t at = (i * v.count + c) * v.inner;
      normalise_plane<F>(x + at, y + at, v.inner, mean[c], affine.scale(c, inverse[c]), affine.beta[c]);
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
};

template <class F>
void batch_norm_cpu(const BatchNormParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(0).shape());
  if (v.count == 0) return;
  bool batch = c.training && !p.use_global_stats && v.outer * v.inner > 0;
  DType dtype = working_type(c.in(0));
  Converted x(c.in(0), dtype, true), y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    Affine<C> affine{p.fix_gamma ? nullptr : c.in(1).as<const C>(), c.in(2).as<const C>()};
    Forward<C> forward{p,
                       batch,
                       x.as<const C>(),
                       affine,
                       y.as<C>(),
                       c.out(1).as<C>(),
                       c.out(2).as<C>(),
                       c.in(3).as<C>(),
                       c.in(4).as<C>()};
    v.inner == 1 ? forward.template channels_last<F>(v) : forward.template channels_first<F>(v);
  });
  y.finish();
}

// ---- Backward

template <class C>
struct Backward {
  const C *dy, *x, *gamma, *beta, *mean, *inverse;  // beta may be null where nothing follows
  C *dx, *dgamma, *dbeta;
  bool batch, fix_gamma;

  C scale(int64_t c) const { return fix_gamma ? inverse[c] : gamma[c] * inverse[c]; }
  C offset(int64_t c) const { return beta ? beta[c] : C(0); }
  // Stores the parameters' gradients and returns the data's coefficients. Any output may lie where an input does.
  Slope<C> finish(int64_t c, double count, double sum, double product) const {
    double inv = static_cast<double>(inverse[c]);
    Slope<C> slope{scale(c), 0, 0};
    if (batch) slope.a = static_cast<C>(sum / count), slope.b = static_cast<C>(product * inv * inv / count);
    dgamma[c] = fix_gamma ? C(0) : static_cast<C>(product * inv);
    dbeta[c] = static_cast<C>(sum);
    return slope;
  }
  template <class F>
  void channels_first(const AxisView& v, int64_t c) const;
  template <class F>
  void channels_last(const AxisView& v) const;
};

template <class C>
template <class F>
void Backward<C>::channels_first(const AxisView& v, int64_t c) const {
  double sum = 0, product = 0;
  C m = mean[c], s = scale(c), o = offset(c);
  for (int64_t i = 0; i < v.outer; ++i) {
    int64_t at = (i * v.count + c) * v.inner;
    Sums<C, 2> sums = fold_sums<2, C>(v.inner, [&]<class V>(int64_t k, V* t) {
      V from = take<V>(x + at + k);
      t[0] = F::backward(take<V>(dy + at + k), normal(from, m, s, o));
      t[1] = t[0] * (from - m);
    });
    sum += static_cast<double>(sums.of[0]), product += static_cast<double>(sums.of[1]);
  }
  Slope<C> slope = finish(c, static_cast<double>(v.outer * v.inner), sum, product);
  for (int64_t i = 0; i < v.outer; ++i) {
    int64_t at = (i * v.count + c) * v.inner;
#pragma omp simd
    for (int64_t k = at; k < at + v.inner; ++k) {
      C g = F::backward(dy[k], normal(x[k], m, s, o));
      dx[k] = slope.scale * (g - slope.a - (x[k] - m) * slope.b);
    }
  }
}

template <class C>
template <class F>
void Backward<C>::channels_last(const AxisView& v) const {
  WideRows<C> rows(v);
  Columns<C> columns(rows, 5);
  columns.fill(0, [&](int64_t c) { return mean[c]; });
  columns.fill(1, [&](int64_t c) { return scale(c); });
  columns.fill(2, [&](int64_t c) { return offset(c); });
  const C *m = columns[0], *s = columns[1], *o = columns[2], *from = x, *given = dy;
  Scratch totals(2 * v.count * static_cast<int64_t>(sizeof(double)));
  double* sums = totals.as<double>();
  sum_rows<2>(rows, sums, [=]<class V>(int64_t i, int64_t j, V* t) {
    V z = take<V>(from + i), mean = take<V>(m + j);
    t[0] = F::backward(take<V>(given + i), normal(z, mean, take<V>(s + j), take<V>(o + j)));
    t[1] = t[0] * (z - mean);
  });
  for (int64_t c = 0; c < v.count; ++c) {
    Slope<C> slope = finish(c, static_cast<double>(v.outer), sums[c], sums[v.count + c]);
    columns[3][c] = slope.a, columns[4][c] = slope.b;
  }
  for (int i : {3, 4}) columns.fill(i, [&](int64_t c) { return columns[i][c]; });
  const C *a = columns[3], *b = columns[4];
  C* out = dx;
  each_row(rows, [=](int64_t at, int64_t n) {
    const C *z = from + at, *g = given + at;
    C* to = out + at;
#pragma omp simd
    for (int64_t j = 0; j < n; ++j) {
      C d = F::backward(g[j], normal(z[j], m[j], s[j], o[j]));
      to[j] = s[j] * (d - a[j] - (z[j] - m[j]) * b[j]);
    }
  });
}

// Inputs: dy, x, gamma, mean, inverse, and beta where something follows the norm.
template <class F>
void batch_norm_backward_cpu(const BatchNormGradParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(1).shape());
  if (v.count == 0) return;
  DType dtype = working_type(c.in(1));
  Converted dy(c.in(0), dtype, true), x(c.in(1), dtype, true), dx(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    Backward<C> b{dy.as<const C>(),
                  x.as<const C>(),
                  c.in(2).as<const C>(),
                  c.has(5) ? c.in(5).as<const C>() : nullptr,
                  c.in(3).as<const C>(),
                  c.in(4).as<const C>(),
                  dx.as<C>(),
                  c.out(1).as<C>(),
                  c.out(2).as<C>(),
                  p.batch_stats,
                  p.fix_gamma};
    if (v.inner == 1) return b.template channels_last<F>(v);
    parallel_for(v.count, plane_grain(v), [&](int64_t begin, int64_t end) {
      for (int64_t channel = begin; channel < end; ++channel) b.template channels_first<F>(v, channel);
    });
  });
  dx.finish();
}

const bool registered[] = {
    cpu_kernel<BatchNormParams>("BatchNorm", batch_norm_cpu<Nothing>),
    cpu_kernel<BatchNormParams>("_batch_norm_relu", batch_norm_cpu<Rectifier>),
    cpu_kernel<BatchNormGradParams>("_backward_BatchNorm", batch_norm_backward_cpu<Nothing>),
    cpu_kernel<BatchNormGradParams>("_backward_batch_norm_relu", batch_norm_backward_cpu<Rectifier>)};

}  // namespace
}  // namespace mxnet

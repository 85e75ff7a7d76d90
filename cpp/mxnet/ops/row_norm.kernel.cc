// Kernels of LayerNorm, GroupNorm and InstanceNorm: rows are normalised one by one, in the nearest cache.
#include <cmath>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/norm.h"
#include "mxnet/ops/sums.h"

namespace mxnet {
namespace {

// Rows of `length` elements. Gamma and beta go along the row, or have one entry for each `groups`-th row.
template <class C>
struct RowNorm {
  int64_t rows, length, groups;  // groups == 0: along the row
  const C *gamma, *beta;

  int64_t grain() const { return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, length)); }
};

template <class C>
void forward_row(const RowNorm<C>& n, int64_t r, double eps, const C* x, C* y, C* mean, C* deviation) {
  C m = sum_of(x, n.length) / static_cast<C>(n.length);
  C variance = sum_of_squares(x, n.length, m) / static_cast<C>(n.length);
  C d = static_cast<C>(std::sqrt(static_cast<double>(variance) + eps)), inverse = C(1) / d;
  *mean = m, *deviation = d;
  if (n.groups == 0) {
#pragma omp simd
    for (int64_t i = 0; i < n.length; ++i) y[i] = (x[i] - m) * inverse * n.gamma[i] + n.beta[i];
    return;
  }
  C scale = n.gamma[r % n.groups] * inverse, offset = n.beta[r % n.groups];
#pragma omp simd
  for (int64_t i = 0; i < n.length; ++i) y[i] = (x[i] - m) * scale + offset;
}

template <class C>
void forward_rows(const RowNorm<C>& n, double eps, const C* x, C* y, C* mean, C* deviation) {
  parallel_for(n.rows, n.grain(), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      forward_row(n, r, eps, x + r * n.length, y + r * n.length, mean + r, deviation + r);
  });
}

// Rows side by side, element j of row k at j * inner + k; gamma goes along the rows.
template <class C>
void forward_columns(const AxisView& v, const C* gamma, const C* beta, double eps, const C* x, C* y, C* mean,
                     C* deviation) {
  constexpr int64_t kTile = 64;
  int64_t tiles = (v.inner + kTile - 1) / kTile;
  parallel_for(
      v.outer * tiles, std::max<int64_t>(1, 512 / std::max<int64_t>(1, v.count)), [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          int64_t k = t % tiles * kTile, width = std::min(kTile, v.inner - k), at = t / tiles * v.count * v.inner + k;
          C *m = mean + t / tiles * v.inner + k, *d = deviation + t / tiles * v.inner + k, inverse[kTile];
          std::fill_n(m, width, C(0)), std::fill_n(d, width, C(0));
          auto each = [&](auto&& f) {
            for (int64_t j = 0; j < v.count; ++j)
              for (int64_t i = 0; i < width; ++i) f(j, i, at + j * v.inner + i);
          };
          each([&](int64_t, int64_t i, int64_t e) { m[i] += x[e]; });
          for (int64_t i = 0; i < width; ++i) m[i] /= static_cast<C>(v.count);
          each([&](int64_t, int64_t i, int64_t e) { d[i] += (x[e] - m[i]) * (x[e] - m[i]); });
          for (int64_t i = 0; i < width; ++i) {
            d[i] = static_cast<C>(std::sqrt(static_cast<double>(d[i]) / static_cast<double>(v.count) + eps));
            inverse[i] = C(1) / d[i];
          }
          each([&](int64_t j, int64_t i, int64_t e) { y[e] = (x[e] - m[i]) * inverse[i] * gamma[j] + beta[j]; });
        }
      });
}

// Arrays of a forward kernel in the type it computes in.
struct ForwardArrays {
  Converted x, gamma, beta, y;
  ForwardArrays(KernelContext& c, DType dtype)
      : x(c.in(0), dtype, true), gamma(c.in(1), dtype, true), beta(c.in(2), dtype, true), y(c.out(0), dtype, false) {}
};

void run_rows(KernelContext& c, int64_t length, int64_t groups, double eps) {
  if (c.in(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  ForwardArrays a(c, dtype);
  dispatch_working(dtype, [&]<class C>() {
    RowNorm<C> n{c.in(0).size() / length, length, groups, a.gamma.as<const C>(), a.beta.as<const C>()};
    forward_rows(n, eps, a.x.as<const C>(), a.y.as<C>(), c.out(1).as<C>(), c.out(2).as<C>());
  });
  a.y.finish();
}

void layer_norm_cpu(const LayerNormParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  AxisView v = around(shape, p.axis < 0 ? p.axis + shape.ndim() : p.axis);
  if (v.inner == 1) return run_rows(c, v.count, 0, static_cast<double>(p.eps));
  if (shape.size() == 0) return;
  DType dtype = working_type(c.in(0));
  ForwardArrays a(c, dtype);
  dispatch_working(dtype, [&]<class C>() {
    forward_columns(v, a.gamma.as<const C>(), a.beta.as<const C>(), static_cast<double>(p.eps), a.x.as<const C>(),
                    a.y.as<C>(), c.out(1).as<C>(), c.out(2).as<C>());
  });
  a.y.finish();
}
void group_norm_cpu(const GroupNormParams& p, KernelContext& c) {
  int64_t rows = c.in(0).shape()[0] * p.num_groups;
  run_rows(c, rows == 0 ? 1 : c.in(0).size() / rows, p.num_groups, static_cast<double>(p.eps));
}
void instance_norm_cpu(const InstanceNormParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  run_rows(c, shape.product(2, shape.ndim()), shape[1], static_cast<double>(p.eps));
}

template <class C>
struct RowBackward {
  const C *dy, *x, *gamma, *mean, *deviation;
  C* dx;
};

// Gamma along the row: adds the row's part of the gradients of gamma and beta.
template <class C>
void backward_row(const RowBackward<C>& b, int64_t r, int64_t length, C* dgamma, C* dbeta) {
  const C *dy = b.dy + r * length, *x = b.x + r * length, *gamma = b.gamma;
  C* dx = b.dx + r * length;
  C m = b.mean[r], inverse = C(1) / b.deviation[r], count = static_cast<C>(length);
  Sums<C, 2> s = fold_sums<2, C>(length, [=]<class V>(int64_t i, V* t) {
    V g = take<V>(dy + i) * take<V>(gamma + i);
    t[0] = g;
    t[1] = g * (take<V>(x + i) - m);
  });
  C offset = s.of[0] / count, slope = s.of[1] * inverse * inverse / count;
#pragma omp simd
  for (int64_t i = 0; i < length; ++i) {
    C d = x[i] - m;
    dgamma[i] += dy[i] * d * inverse;
    dbeta[i] += dy[i];
    dx[i] = inverse * (dy[i] * gamma[i] - offset - d * slope);
  }
}

// One gamma for the row: sets the row's own gradients of it and of beta.
template <class C>
void backward_grouped_row(const RowBackward<C>& b, int64_t r, int64_t length, int64_t groups, C* dgamma, C* dbeta) {
  const C *dy = b.dy + r * length, *x = b.x + r * length;
  C* dx = b.dx + r * length;
  C m = b.mean[r], inverse = C(1) / b.deviation[r], count = static_cast<C>(length);
  Sums<C, 2> s = sums_with(dy, x, length, m);
  *dgamma = s.of[1] * inverse, *dbeta = s.of[0];
  C scale = b.gamma[r % groups] * inverse, offset = s.of[0] / count, slope = s.of[1] * inverse * inverse / count;
#pragma omp simd
  for (int64_t i = 0; i < length; ++i) dx[i] = scale * (dy[i] - offset - (x[i] - m) * slope);
}

// Adds `parts` pieces of `n` sums each; piece p has sums for gamma at [2 p n] and for beta at [(2 p + 1) n].
template <class C>
void add_pieces(const C* pieces, int64_t parts, int64_t n, C* dgamma, C* dbeta) {
  for (int64_t i = 0; i < n; ++i) {
    double g = 0, b = 0;
    for (int64_t p = 0; p < parts; ++p)
      g += static_cast<double>(pieces[2 * p * n + i]), b += static_cast<double>(pieces[(2 * p + 1) * n + i]);
    dgamma[i] = static_cast<C>(g), dbeta[i] = static_cast<C>(b);
  }
}

template <class C>
void backward_rows(const RowBackward<C>& b, int64_t rows, int64_t length, C* dgamma, C* dbeta) {
  // The pieces depend on the shape alone, so that the sums do not depend on the threads.
  int64_t step = std::max<int64_t>(16, 65536 / length), pieces = (rows + step - 1) / step;
  Scratch partial(2 * pieces * length * static_cast<int64_t>(sizeof(C)));
  parallel_for(pieces, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      C* sums = partial.as<C>() + 2 * p * length;
      std::fill_n(sums, 2 * length, C(0));
      for (int64_t r = p * step; r < std::min((p + 1) * step, rows); ++r)
        backward_row(b, r, length, sums, sums + length);
    }
  });
  add_pieces(partial.as<const C>(), pieces, length, dgamma, dbeta);
}

template <class C>
void backward_grouped_rows(const RowBackward<C>& b, int64_t rows, int64_t length, int64_t groups, C* dgamma, C* dbeta) {
  Scratch partial(2 * rows * static_cast<int64_t>(sizeof(C)));
  parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, length)), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      C* sums = partial.as<C>() + 2 * (r / groups) * groups + r % groups;
      backward_grouped_row(b, r, length, groups, sums, sums + groups);
    }
  });
  add_pieces(partial.as<const C>(), rows / groups, groups, dgamma, dbeta);
}

void row_norm_backward_cpu(const RowNormGradParams& p, KernelContext& c) {
  DType dtype = working_type(c.in(1));
  Converted dy(c.in(0), dtype, true), x(c.in(1), dtype, true), gamma(c.in(2), dtype, true);
  Converted dx(c.out(0), dtype, false), dgamma(c.out(1), dtype, false), dbeta(c.out(2), dtype, false);
  int64_t rows = p.length == 0 ? 0 : c.in(1).size() / p.length, affine = c.in(2).size();
  dispatch_working(dtype, [&]<class C>() {
    RowBackward<C> b{dy.as<const C>(),      x.as<const C>(),       gamma.as<const C>(),
                     c.in(3).as<const C>(), c.in(4).as<const C>(), dx.as<C>()};
    if (rows == 0) {
      std::fill_n(dgamma.as<C>(), affine, C(0));
      std::fill_n(dbeta.as<C>(), affine, C(0));
    } else if (p.per_element) {
      backward_rows(b, rows, p.length, dgamma.as<C>(), dbeta.as<C>());
    } else {
      backward_grouped_rows(b, rows, p.length, affine, dgamma.as<C>(), dbeta.as<C>());
    }
  });
  dx.finish(), dgamma.finish(), dbeta.finish();
}

const bool registered[] = {cpu_kernel<LayerNormParams>("LayerNorm", layer_norm_cpu),
                           cpu_kernel<GroupNormParams>("GroupNorm", group_norm_cpu),
                           cpu_kernel<InstanceNormParams>("InstanceNorm", instance_norm_cpu),
                           cpu_kernel<RowNormGradParams>("_backward_row_norm", row_norm_backward_cpu)};

}  // namespace
}  // namespace mxnet

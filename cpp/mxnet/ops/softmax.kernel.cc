// Softmax kernels, in float and double; arrays of other types are converted around them. Rows that lie side by
// side are done a tile of columns at a time, so that the vectors run across the rows.
#include "mxnet/ops/softmax.h"

#include <cstring>
#include <limits>
#include <type_traits>

#include "mxnet/base/math.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/map.h"

namespace mxnet {
namespace {

constexpr int64_t kTile = 64;

// y from the first n elements of x; works in place.
template <SoftmaxForm form, class C>
void row_forward(const C* x, C* y, int64_t n, C scale) {
  C top = -std::numeric_limits<C>::infinity();
#pragma omp simd reduction(max : top)
  for (int64_t i = 0; i < n; ++i) {
    C v = x[i] * scale;
    top = v > top ? v : top;
  }
  C sum = 0;
  if constexpr (form == SoftmaxForm::log_softmax) {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += exp(x[i] * scale - top);
    C shift = top + log(sum);
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = x[i] * scale - shift;
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) {
      C e = exp(x[i] * scale - top);
      y[i] = e;
      sum += e;
    }
    C inverse = C(1) / sum;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] *= inverse;
  }
}

// The same for `width` rows, element j of row k at j * inner + k; row k counts to lengths[k] if there are lengths.
template <SoftmaxForm form, bool masked, class C>
void tile_forward(const C* x, C* y, const AxisView& v, int64_t width, const int64_t* lengths, C scale) {
  constexpr bool logarithm = form == SoftmaxForm::log_softmax;
  C top[kTile], sum[kTile];
  auto counts = [&](int64_t j, int64_t k) { return !masked || j < lengths[k]; };
  std::fill_n(top, width, -std::numeric_limits<C>::infinity());
  std::fill_n(sum, width, C(0));
  for (int64_t j = 0; j < v.count; ++j)
    for (int64_t k = 0; k < width; ++k) {
      C value = x[j * v.inner + k] * scale;
      top[k] = counts(j, k) && value > top[k] ? value : top[k];
    }
  for (int64_t j = 0; j < v.count; ++j)
#pragma omp simd
    for (int64_t k = 0; k < width; ++k) {
      C e = exp(x[j * v.inner + k] * scale - top[k]);
      e = counts(j, k) ? e : C(0);
      if constexpr (!logarithm) y[j * v.inner + k] = e;
      sum[k] += e;
    }
#pragma omp simd
  for (int64_t k = 0; k < width; ++k) sum[k] = logarithm ? top[k] + log(sum[k]) : C(1) / sum[k];
  for (int64_t j = 0; j < v.count; ++j)
    for (int64_t k = 0; k < width; ++k) {
      C& e = y[j * v.inner + k];
      if constexpr (logarithm)
        e = x[j * v.inner + k] * scale - sum[k];
      else
        e = counts(j, k) ? e * sum[k] : C(0);
    }
}

template <class C>
void row_backward(bool logarithm, const C* dy, const C* y, C* dx, int64_t n, C scale) {
  C sum = 0;
  if (logarithm) {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += dy[i];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) dx[i] = scale * (dy[i] - exp(y[i]) * sum);
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; ++i) sum += dy[i] * y[i];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) dx[i] = scale * (y[i] * (dy[i] - sum));
  }
}

template <class C>
void tile_backward(bool logarithm, const C* dy, const C* y, C* dx, const AxisView& v, int64_t width, C scale) {
  C sum[kTile];
  std::fill_n(sum, width, C(0));
  for (int64_t j = 0; j < v.count; ++j)
    for (int64_t k = 0; k < width; ++k)
      sum[k] += logarithm ? dy[j * v.inner + k] : dy[j * v.inner + k] * y[j * v.inner + k];
  for (int64_t j = 0; j < v.count; ++j) {
    const C *g = dy + j * v.inner, *out = y + j * v.inner;
    C* to = dx + j * v.inner;
    if (logarithm) {
#pragma omp simd
      for (int64_t k = 0; k < width; ++k) to[k] = scale * (g[k] - exp(out[k]) * sum[k]);
    } else {
      for (int64_t k = 0; k < width; ++k) to[k] = scale * (out[k] * (g[k] - sum[k]));
    }
  }
}

// Calls row(i) for each row, or tile(offset, first row, width) for each tile of rows side by side.
template <class Row, class Tile>
void for_rows(const AxisView& v, const Row& row, const Tile& tile) {
  int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, v.count));
  if (v.inner == 1) {
    parallel_for(v.outer, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) row(i);
    });
    return;
  }
  int64_t tiles = (v.inner + kTile - 1) / kTile;
  parallel_for(v.outer * tiles, std::max<int64_t>(1, grain / kTile), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      int64_t i = t / tiles, k = t % tiles * kTile;
      tile(i * v.count * v.inner + k, i * v.inner + k, std::min(kTile, v.inner - k));
    }
  });
}

template <SoftmaxForm form, class C>
void forward(const C* x, C* y, const AxisView& v, const int64_t* lengths, double scale) {
  C s = static_cast<C>(scale);
  for_rows(
      v,
      [&](int64_t i) {
        int64_t n = lengths ? std::clamp<int64_t>(lengths[i], 0, v.count) : v.count;
        row_forward<form>(x + i * v.count, y + i * v.count, n, s);
        std::fill_n(y + i * v.count + n, v.count - n, C(0));
      },
      [&](int64_t offset, int64_t row, int64_t width) {
        if (lengths)
          tile_forward<form, true>(x + offset, y + offset, v, width, lengths + row, s);
        else
          tile_forward<form, false>(x + offset, y + offset, v, width, nullptr, s);
      });
}

template <SoftmaxForm form>
void run_forward(const TensorView& x, const TensorView& y, const AxisView& v, const int64_t* lengths, double scale) {
  if (y.size() == 0) return;
  DType dtype = working_type(x, y);
  Converted in(x, dtype, true), out(y, dtype, false);
  dispatch_working(dtype, [&]<class C>() { forward<form>(in.as<const C>(), out.as<C>(), v, lengths, scale); });
  out.finish();
}

AxisView view_of(int axis, const Shape& shape) {
  if (shape.ndim() == 0) return {};
  return around(shape, axis < 0 ? axis + shape.ndim() : axis);
}

template <SoftmaxForm form>
void softmax_cpu(const SoftmaxParams& p, KernelContext& c) {
  Scratch lengths;
  if (c.has(1)) {
    lengths = Scratch(c.in(1).size() * 8);
    cast_elements(c.in(1).data, c.in(1).dtype, lengths.data(), DType::int64, c.in(1).size());
  }
  double scale = (form == SoftmaxForm::softmin ? -1.0 : 1.0) / p.temperature.value_or(1.0);
  run_forward<form>(c.in(0), c.out(0), view_of(p.axis, c.in(0).shape()), lengths.as<int64_t>(), scale);
}

template <bool logarithm>
void backward_cpu(const SoftmaxGradParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0), c.in(1));
  Converted in(c.in(0), dtype, true), top(c.in(1), dtype, true), out(c.out(0), dtype, false);
  AxisView v = view_of(p.axis, c.in(0).shape());
  dispatch_working(dtype, [&]<class C>() {
    const C *dy = in.as<const C>(), *y = top.as<const C>();
    C *dx = out.as<C>(), scale = static_cast<C>(p.scale);
    for_rows(
        v,
        [&](int64_t i) {
          row_backward(logarithm, dy + i * v.count, y + i * v.count, dx + i * v.count, v.count, scale);
        },
        [&](int64_t at, int64_t, int64_t width) {
          tile_backward(logarithm, dy + at, y + at, dx + at, v, width, scale);
        });
  });
  out.finish();
}

void softmax_output_cpu(const SoftmaxOutputParams& p, KernelContext& c) {
  run_forward<SoftmaxForm::softmax>(c.in(0), c.out(0), output_view(p, c.in(0).shape()), nullptr, 1.0);
}

// out - weights where the labels are weights of all classes.
template <class C>
void weighted_gradient(const C* out, const C* weights, C* dx, int64_t n, C scale) {
  map_elements(n, dx, [scale](C p, C w) { return (p - w) * scale; }, out, weights);
}

template <class C>
void class_gradient(const SoftmaxOutputParams& p, const C* out, const int64_t* labels, C* dx, const AxisView& v) {
  int64_t ignored = static_cast<int64_t>(p.ignore_label), rows = v.outer * v.inner, divisor = 1;
  if (p.normalization == Normalization::batch) divisor = rows;
  if (p.normalization == Normalization::valid) {
    divisor = rows - std::count(labels, labels + rows, ignored);  // whether or not use_ignore is set
  } else if (p.normalization == Normalization::null && p.multi_output && !p.preserve_shape) {
    divisor = v.inner;
  }
  C scale = static_cast<C>(p.grad_scale) / static_cast<C>(std::max<int64_t>(1, divisor));
  C hit = static_cast<C>(1 - p.smoothing()),
    miss = v.count > 1 ? static_cast<C>(p.smoothing()) / static_cast<C>(v.count - 1) : C(0);
  parallel_for(v.outer * v.count, std::max<int64_t>(1, 32768 / v.inner), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t* label = labels + i / v.count * v.inner;
      int64_t j = i % v.count;
      for (int64_t k = 0; k < v.inner; ++k) {
        bool skip = p.use_ignore && label[k] == ignored;
        C error = out[i * v.inner + k] - (label[k] == j ? hit : miss);
        dx[i * v.inner + k] = skip ? C(0) : error * scale;
      }
    }
  });
}

void softmax_output_backward_cpu(const SoftmaxOutputParams& p, KernelContext& c) {
  const TensorView &out = c.in(0), &label = c.in(1);
  if (out.size() == 0) return;
  DType dtype = working_type(out);
  bool weights = label.shape() == out.shape();
  Converted in(out, dtype, true), labels(label, weights ? dtype : DType::int64, true), result(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    const C* y = in.as<const C>();
    C* dx = result.as<C>();
    if (weights)
      weighted_gradient(y, labels.as<const C>(), dx, out.size(), static_cast<C>(p.grad_scale));
    else
      class_gradient(p, y, labels.as<const int64_t>(), dx, output_view(p, out.shape()));
  });
  result.finish();
}

void copy_cpu(const RegressionParams&, KernelContext& c) {
  std::memcpy(c.out(0).data, c.in(0).data, static_cast<size_t>(c.out(0).size() * size_of(c.out(0).dtype)));
}
void sigmoid_cpu(const RegressionParams&, KernelContext& c) {
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    map_elements(c.out(0).size(), c.out(0).as<T>(), [](auto x) { return sigmoid(x); }, c.in(0).as<const T>());
  });
}

const bool registered[] = {cpu_kernel<SoftmaxParams>("softmax", softmax_cpu<SoftmaxForm::softmax>),
                           cpu_kernel<SoftmaxParams>("log_softmax", softmax_cpu<SoftmaxForm::log_softmax>),
                           cpu_kernel<SoftmaxParams>("softmin", softmax_cpu<SoftmaxForm::softmin>),
                           cpu_kernel<SoftmaxGradParams>("_backward_softmax", backward_cpu<false>),
                           cpu_kernel<SoftmaxGradParams>("_backward_log_softmax", backward_cpu<true>),
                           cpu_kernel<SoftmaxOutputParams>("SoftmaxOutput", softmax_output_cpu),
                           cpu_kernel<SoftmaxOutputParams>("_backward_SoftmaxOutput", softmax_output_backward_cpu),
                           cpu_kernel<RegressionParams>("LinearRegressionOutput", copy_cpu),
                           cpu_kernel<RegressionParams>("LogisticRegressionOutput", sigmoid_cpu),
                           cpu_kernel<RegressionParams>("MAERegressionOutput", copy_cpu)};

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/select.h"

#include <array>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ops/pointwise.h"

namespace mxnet {
namespace {

template <class F, class V>
[[gnu::flatten]] void forward_loop(int64_t n, void* out, const void* const* in) {
  V* y = static_cast<V*>(out);
  const V* x = static_cast<const V*>(in[0]);
  F f = *static_cast<const F*>(in[1]);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]);
}

// Inputs: the gradient of the output, then x.
template <class F, class V>
[[gnu::flatten]] void backward_loop(int64_t n, void* out, const void* const* in) {
  V* dx = static_cast<V*>(out);
  const V *dy = static_cast<const V*>(in[0]), *x = static_cast<const V*>(in[1]);
  F f = *static_cast<const F*>(in[2]);
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * f.slope(x[i]);
}

template <class F, class V, class P>
PointwiseLoop with_constants(ElementLoop loop, const P& p) {
  PointwiseLoop f{loop, dtype_of<V>};
  f.set_constants(F(p));
  return f;
}

template <template <class> class F, class P>
PointwiseLoop floating_forward(const P& p, DType dtype) {
  if (compute_dtype(dtype) == DType::float32) return with_constants<F<float>, float>(forward_loop<F<float>, float>, p);
  return with_constants<F<double>, double>(forward_loop<F<double>, double>, p);
}

template <template <class> class F, class P>
PointwiseLoop floating_backward(const P& p, DType dtype) {
  if (compute_dtype(dtype) == DType::float32) return with_constants<F<float>, float>(backward_loop<F<float>, float>, p);
  return with_constants<F<double>, double>(backward_loop<F<double>, double>, p);
}

PointwiseLoop clip(const ClipParams& p, DType dtype) {
  DType number = compute_dtype(dtype);
  if (is_floating(number)) return floating_forward<functor::Clip>(p, dtype);
  return dispatch_integer(
      number, [&]<class V>() { return with_constants<functor::Clip<V>, V>(forward_loop<functor::Clip<V>, V>, p); });
}

// A block of the condition as bytes of 0 and 1.
constexpr int64_t kBlock = 1024;

template <class T>
void choose(int64_t n, const uint8_t* condition, const T* x, const T* y, T* out) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = condition[i] ? x[i] : y[i];
}

void where_elements(const TensorView& condition, const TensorView& x, const TensorView& y, const TensorView& out) {
  int64_t width = size_of(condition.dtype);
  parallel_for(out.size(), kElementGrain, [&](int64_t begin, int64_t end) {
    uint8_t chosen[kBlock];
    for (int64_t i = begin; i < end; i += kBlock) {
      int64_t n = std::min(kBlock, end - i);
      cast_block(condition.as<char>() + i * width, condition.dtype, chosen, DType::boolean, n);
      dispatch_width(out.dtype, [&]<class T>() { choose(n, chosen, x.as<T>() + i, y.as<T>() + i, out.as<T>() + i); });
    }
  });
}

PointwiseLoop choose_loop(const NoParams&, DType dtype) {
  DType number = compute_dtype(dtype);
  PointwiseLoop f{nullptr, number, DType::boolean};
  f.loop = dispatch_width(number, []<class T>() -> ElementLoop {
    return [](int64_t n, void* out, const void* const* in) {
      choose(n, static_cast<const uint8_t*>(in[0]), static_cast<const T*>(in[1]), static_cast<const T*>(in[2]),
             static_cast<T*>(out));
    };
  });
  return f;
}

// One condition for each entry along the first axis.
void where_rows(const TensorView& condition, const TensorView& x, const TensorView& y, const TensorView& out) {
  int64_t rows = condition.size(), row_bytes = out.size() / rows * size_of(out.dtype);
  int64_t width = size_of(condition.dtype);
  parallel_for(rows, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, row_bytes)), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      bool chosen;
      cast_block(condition.as<char>() + row * width, condition.dtype, &chosen, DType::boolean, 1);
      const char* source = (chosen ? x : y).as<char>() + row * row_bytes;
      std::memcpy(out.as<char>() + row * row_bytes, source, static_cast<size_t>(row_bytes));
    }
  });
}

void where(const NoParams&, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  (c.in(0).size() == c.out(0).size() ? where_elements : where_rows)(c.in(0), c.in(1), c.in(2), c.out(0));
}

template <template <class> class F, class P>
void register_with_slope(const char* name) {
  pointwise_kernel<P, floating_forward<F, P>>(name);
  pointwise_kernel<P, floating_backward<F, P>>((std::string("_backward_") + name).c_str());
}

const bool registered = [] {
  pointwise_kernel<ClipParams, clip>("clip");
  pointwise_kernel<ClipParams, floating_backward<functor::Clip, ClipParams>>("_backward_clip");
  register_with_slope<functor::SmoothL1, SmoothL1Params>("smooth_l1");
  register_with_slope<functor::HardSigmoid, HardSigmoidParams>("hard_sigmoid");
  register_with_slope<functor::Quadratic, QuadraticParams>("_contrib_quadratic");
  cpu_kernel<NoParams>("where", where);
  add_pointwise<NoParams, choose_loop>("where");
  return true;
}();

}  // namespace
}  // namespace mxnet

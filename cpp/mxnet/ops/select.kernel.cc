#include "mxnet/ops/select.h"

#include <array>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/elementwise.h"

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

template <template <class> class F, class P>
void floating_forward(const P& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  auto run = [&]<class V>() {
    F<V> f(p);
    run_elements(forward_loop<F<V>, V>, number, c.out(0), c.inputs, kElementGrain, &f);
  };
  number == DType::float32 ? run.template operator()<float>() : run.template operator()<double>();
}

template <template <class> class F, class P>
void floating_backward(const P& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  auto run = [&]<class V>() {
    F<V> f(p);
    run_elements(backward_loop<F<V>, V>, number, c.out(0), c.inputs, kElementGrain, &f);
  };
  number == DType::float32 ? run.template operator()<float>() : run.template operator()<double>();
}

void clip(const ClipParams& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  if (is_floating(number)) return floating_forward<functor::Clip>(p, c);
  dispatch_integer(number, [&]<class V>() {
    functor::Clip<V> f(p);
    run_elements(forward_loop<functor::Clip<V>, V>, number, c.out(0), c.inputs, kElementGrain, &f);
  });
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

const bool registered = [] {
  cpu_kernel<ClipParams>("clip", clip);
  cpu_kernel<ClipParams>("_backward_clip", floating_backward<functor::Clip, ClipParams>);
  cpu_kernel<SmoothL1Params>("smooth_l1", floating_forward<functor::SmoothL1, SmoothL1Params>);
  cpu_kernel<SmoothL1Params>("_backward_smooth_l1", floating_backward<functor::SmoothL1, SmoothL1Params>);
  cpu_kernel<HardSigmoidParams>("hard_sigmoid", floating_forward<functor::HardSigmoid, HardSigmoidParams>);
  cpu_kernel<HardSigmoidParams>("_backward_hard_sigmoid", floating_backward<functor::HardSigmoid, HardSigmoidParams>);
  cpu_kernel<QuadraticParams>("_contrib_quadratic", floating_forward<functor::Quadratic, QuadraticParams>);
  cpu_kernel<QuadraticParams>("_backward__contrib_quadratic", floating_backward<functor::Quadratic, QuadraticParams>);
  cpu_kernel<NoParams>("where", where);
  return true;
}();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/unary.h"

#include "mxnet/ops/pointwise.h"

namespace mxnet {
namespace {

// The type a functor computes in for arrays of `dtype`.
template <class F>
DType number_dtype(DType dtype) {
  DType own = compute_dtype(dtype);
  return is_floating(own) || F::integers == Integers::own ? own : DType::float64;
}

template <class V, class Body, class... In>
[[gnu::flatten]] void plain_loop(int64_t n, V* out, const Body& body, const In*... in) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = body(in[i]...);
}

// Trigonometric functions of floats beyond the reach of the float formulas are computed in double. x comes first.
template <class Body, class... In>
void trigonometric_loop(int64_t n, float* out, const Body& body, const float* x, const In*... rest) {
  constexpr int64_t kBlock = 512;
  for (int64_t first = 0; first < n; first += kBlock) {
    int64_t last = std::min(first + kBlock, n);
    bool large = false;
    for (int64_t i = first; i < last; ++i) large |= abs(x[i]) > kTrigLimit;
    if (!large) {
      plain_loop(last - first, out + first, body, x + first, rest + first...);
      continue;
    }
    // Each number by itself, so that a result does not depend on its neighbours.
    for (int64_t i = first; i < last; ++i)
      out[i] = abs(x[i]) > kTrigLimit
                   ? static_cast<float>(body(static_cast<double>(x[i]), static_cast<double>(rest[i])...))
                   : body(x[i], rest[i]...);
  }
}

template <class F, class V, class Body, class... In>
void loop(int64_t n, void* out, const Body& body, const In*... in) {
  if constexpr (F::trigonometric && std::is_same_v<V, float>)
    trigonometric_loop(n, static_cast<V*>(out), body, in...);
  else
    plain_loop(n, static_cast<V*>(out), body, in...);
}

template <class F, class V>
void forward_loop(int64_t n, void* out, const void* const* in) {
  loop<F, V>(n, out, [](auto x) { return F::forward(x); }, static_cast<const V*>(in[0]));
}

// Inputs: x and y as far as the formula reads them, then the gradient of the output.
template <class F, class V>
void backward_loop(int64_t n, void* out, const void* const* in) {
  const V *first = static_cast<const V*>(in[0]), *second = static_cast<const V*>(in[1]);
  if constexpr (F::uses_input && F::uses_output) {
    auto body = [](auto x, auto y, auto dy) { return F::backward(dy, x, y); };
    loop<F, V>(n, out, body, first, second, static_cast<const V*>(in[2]));
  } else if constexpr (F::uses_input) {
    loop<F, V>(n, out, [](auto x, auto dy) { return F::backward(dy, x, x); }, first, second);
  } else {
    plain_loop(n, static_cast<V*>(out), [](V y, V dy) { return F::backward(dy, y, y); }, first, second);
  }
}

template <class F>
PointwiseLoop forward(const NoParams&, DType dtype) {
  DType number = number_dtype<F>(dtype);
  ElementLoop loop = number == DType::float32 ? forward_loop<F, float> : forward_loop<F, double>;
  if constexpr (F::integers == Integers::own)
    if (!is_floating(number))
      loop = dispatch_integer(number, []<class T>() -> ElementLoop { return forward_loop<F, T>; });
  return {loop, number};
}

template <class F>
PointwiseLoop backward(const NoParams&, DType dtype) {
  DType number = compute_dtype(dtype);
  return {number == DType::float32 ? backward_loop<F, float> : backward_loop<F, double>, number};
}

const bool registered = [] {
  UnaryFunctors::each([]<class F>() {
    pointwise_kernel<NoParams, forward<F>>(F::name);
    if constexpr (!F::flat && F::fused) pointwise_kernel<NoParams, backward<F>>(backward_name<F>().c_str());
  });
  return true;
}();

}  // namespace
}  // namespace mxnet

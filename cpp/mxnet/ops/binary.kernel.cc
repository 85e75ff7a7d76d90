#include "mxnet/ops/binary.h"

#include "mxnet/op/registry.h"
#include "mxnet/ops/elementwise.h"

namespace mxnet {
namespace {

// One loop for the three ways the operands advance: a step is 1 or 0.
template <class F, class V, int a_step, int b_step>
[[gnu::flatten]] void loop(int64_t n, void* out, const void* const* in) {
  V* y = static_cast<V*>(out);
  const V *a = static_cast<const V*>(in[0]), *b = static_cast<const V*>(in[1]);
  if constexpr (a_step && b_step) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = F::forward(a[i], b[i]);
  } else if constexpr (a_step) {
    V scalar = *b;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = F::forward(a[i], scalar);
  } else {
    V scalar = *a;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = F::forward(scalar, b[i]);
  }
}

template <class F>
BinaryLoops loops_of(DType number) {
  return dispatch_all(number, []<class T>() -> BinaryLoops {
    if constexpr (!std::is_same_v<T, compute_t<T>> || std::is_same_v<T, bool>)
      unsupported_dtype(dtype_of<T>);
    else
      return {loop<F, T, 1, 1>, loop<F, T, 1, 0>, loop<F, T, 0, 1>};
  });
}

template <class F>
void arrays(const NoParams&, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  run_broadcast(loops_of<F>(number), number, c.out(0), c.in(0), c.in(1));
}

// The scalar as a number of the type computed in; integers are truncated and wrap.
union Number {
  double f64;
  float f32;
  int64_t integer;  // little-endian: the narrower types read its low bytes
};
Number number_from(double scalar, DType dtype) {
  if (dtype == DType::float32) return {.f32 = static_cast<float>(scalar)};
  if (dtype == DType::float64) return {.f64 = scalar};
  return {.integer = static_cast<int64_t>(scalar)};
}

template <class F>
void array_scalar(const ScalarParams& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  Number scalar = number_from(p.scalar, number);
  run_scalar(loops_of<F>(number), false, number, c.out(0), c.in(0), &scalar);
}
template <class F>
void scalar_array(const ScalarParams& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  Number scalar = number_from(p.scalar, number);
  run_scalar(loops_of<F>(number), true, number, c.out(0), c.in(0), &scalar);
}

// Powers that need no logarithm. They ignore the exponent, which stays an operand.
template <int n>
struct FixedPower {
  template <class T>
  static T forward(T x, T) {
    if constexpr (n == 1) return x;
    if constexpr (n == 2) return x * x;
    if constexpr (n == 3) return x * x * x;
    if constexpr (n == 4) return (x * x) * (x * x);
    if constexpr (n == -1) return T(1) / x;
    if constexpr (n == -2) return T(1) / (x * x);
  }
};
struct SquareRoot {
  template <class T>
  static T forward(T x, T) {
    // A power of minus infinity is infinity, unlike its root.
    return x == -std::numeric_limits<T>::infinity() ? -x : sqrt(x);
  }
};
struct InverseSquareRoot {
  template <class T>
  static T forward(T x, T) {
    return x == -std::numeric_limits<T>::infinity() ? T(0) : T(1) / sqrt(x);
  }
};

template <class F>
BinaryLoops floating_loops(DType number) {
  return number == DType::float32 ? BinaryLoops{nullptr, loop<F, float, 1, 0>, nullptr}
                                  : BinaryLoops{nullptr, loop<F, double, 1, 0>, nullptr};
}

template <>
void array_scalar<functor::Power>(const ScalarParams& p, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  Number scalar = number_from(p.scalar, number);
  BinaryLoops loops = loops_of<functor::Power>(number);
  if (is_floating(number)) {
    double n = p.scalar;
    if (n == 1) loops = floating_loops<FixedPower<1>>(number);
    if (n == 2) loops = floating_loops<FixedPower<2>>(number);
    if (n == 3) loops = floating_loops<FixedPower<3>>(number);
    if (n == 4) loops = floating_loops<FixedPower<4>>(number);
    if (n == -1) loops = floating_loops<FixedPower<-1>>(number);
    if (n == -2) loops = floating_loops<FixedPower<-2>>(number);
    if (n == 0.5) loops = floating_loops<SquareRoot>(number);
    if (n == -0.5) loops = floating_loops<InverseSquareRoot>(number);
  }
  run_scalar(loops, false, number, c.out(0), c.in(0), &scalar);
}

void sum(const SumParams&, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  run_reduction(loops_of<functor::Add>(number).both, number, c.out(0), c.inputs);
}

const bool registered = [] {
  BinaryFunctors::each([]<class F>() {
    cpu_kernel<NoParams>(F::broadcast.name, arrays<F>);
    cpu_kernel<NoParams>(F::same.name, arrays<F>);
    cpu_kernel<ScalarParams>(F::scalar.name, array_scalar<F>);
    if constexpr (F::reverse.name != nullptr) cpu_kernel<ScalarParams>(F::reverse.name, scalar_array<F>);
  });
  cpu_kernel<SumParams>("add_n", sum);
  cpu_kernel<NoParams>("_grad_add", arrays<functor::Add>);
  return true;
}();

}  // namespace
}  // namespace mxnet

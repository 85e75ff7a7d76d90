#include "mxnet/ops/binary.h"

#include "mxnet/ops/pointwise.h"

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
PointwiseLoop pair(const NoParams&, DType dtype) {
  DType number = compute_dtype(dtype);
  return {loops_of<F>(number).both, number};
}

template <class F>
PointwiseLoop array_scalar(const ScalarParams& p, DType dtype) {
  DType number = compute_dtype(dtype);
  PointwiseLoop f{loops_of<F>(number).scalar_right, number};
  f.set_constants(number_from(p.scalar, number));
  return f;
}
template <class F>
PointwiseLoop scalar_array(const ScalarParams& p, DType dtype) {
  DType number = compute_dtype(dtype);
  PointwiseLoop f{loops_of<F>(number).scalar_left, number};
  f.constants_first = true;
  f.set_constants(number_from(p.scalar, number));
  return f;
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
ElementLoop floating_loop(DType number) {
  return number == DType::float32 ? loop<F, float, 1, 0> : loop<F, double, 1, 0>;
}

template <>
PointwiseLoop array_scalar<functor::Power>(const ScalarParams& p, DType dtype) {
  DType number = compute_dtype(dtype);
  PointwiseLoop f{loops_of<functor::Power>(number).scalar_right, number};
  f.set_constants(number_from(p.scalar, number));
  if (is_floating(number)) {
    double n = p.scalar;
    if (n == 1) f.loop = floating_loop<FixedPower<1>>(number);
    if (n == 2) f.loop = floating_loop<FixedPower<2>>(number);
    if (n == 3) f.loop = floating_loop<FixedPower<3>>(number);
    if (n == 4) f.loop = floating_loop<FixedPower<4>>(number);
    if (n == -1) f.loop = floating_loop<FixedPower<-1>>(number);
    if (n == -2) f.loop = floating_loop<FixedPower<-2>>(number);
    if (n == 0.5) f.loop = floating_loop<SquareRoot>(number);
    if (n == -0.5) f.loop = floating_loop<InverseSquareRoot>(number);
  }
  return f;
}

PointwiseLoop sum_loop(const SumParams&, DType dtype) {
  PointwiseLoop f = pair<functor::Add>({}, dtype);
  f.folds = true;
  return f;
}

void sum(const SumParams&, KernelContext& c) {
  DType number = compute_dtype(c.out(0).dtype);
  run_reduction(loops_of<functor::Add>(number).both, number, c.out(0), c.inputs);
}

const bool registered = [] {
  BinaryFunctors::each([]<class F>() {
    cpu_kernel<NoParams>(F::broadcast.name, arrays<F>);
    add_pointwise<NoParams, pair<F>>(F::broadcast.name, Operands::broadcast);
    cpu_kernel<NoParams>(F::same.name, arrays<F>);
    add_pointwise<NoParams, pair<F>>(F::same.name);
    pointwise_kernel<ScalarParams, array_scalar<F>>(F::scalar.name);
    if constexpr (F::reverse.name != nullptr) pointwise_kernel<ScalarParams, scalar_array<F>>(F::reverse.name);
  });
  cpu_kernel<SumParams>("add_n", sum);
  add_pointwise<SumParams, sum_loop>("add_n");
  cpu_kernel<NoParams>("_grad_add", arrays<functor::Add>);
  add_pointwise<NoParams, pair<functor::Add>>("_grad_add");
  return true;
}();

}  // namespace
}  // namespace mxnet

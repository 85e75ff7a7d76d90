#include "mxnet/ops/cumsum.h"

#include <type_traits>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

// Integers wrap; 16-bit floating numbers are added up in float.
template <class T>
struct SumType {
  using type = compute_t<T>;
};
template <class T>
  requires std::is_integral_v<T>
struct SumType<T> {
  using type = std::make_unsigned_t<T>;
};
template <>
struct SumType<bool> {
  using type = bool;
};

// Up to kLanes columns of n elements, `step` apart.
constexpr int64_t kLanes = 64;
template <class T>
void sum_columns(const T* x, T* y, int64_t n, int64_t step, int64_t lanes) {
  using V = typename SumType<T>::type;
  V sums[kLanes] = {};
  for (int64_t k = 0; k < n; ++k) {
    const T* from = x + k * step;
    T* to = y + k * step;
#pragma omp simd
    for (int64_t i = 0; i < lanes; ++i) {
      sums[i] = static_cast<V>(sums[i] + static_cast<V>(from[i]));
      to[i] = static_cast<T>(sums[i]);
    }
  }
}

template <bool reverse>
void cumsum(const CumsumParams& p, KernelContext& c) {
  Shape shape = p.axis ? c.in(0).shape() : Shape{c.in(0).size()};
  int axis = p.axis ? normal_axis("cumsum", *p.axis, shape) : 0;
  int64_t outer = shape.product(0, axis), n = shape[axis], inner = shape.product(axis + 1, shape.ndim());
  if (shape.size() == 0) return;
  Converted in(c.in(0), c.out(0).dtype, true);
  int64_t groups = (inner + kLanes - 1) / kLanes;
  dispatch_all(c.out(0).dtype, [&]<class T>() {
    const T* x = in.as<T>();
    T* y = c.out(0).as<T>();
    int64_t first = reverse ? (n - 1) * inner : 0, step = reverse ? -inner : inner;
    parallel_for(outer * groups, 1 + 16384 / (n * std::min(inner, kLanes)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t lane = i % groups * kLanes, at = i / groups * n * inner + first + lane;
        sum_columns(x + at, y + at, n, step, std::min(kLanes, inner - lane));
      }
    });
  });
}

const bool registered[] = {
    cpu_kernel<CumsumParams>("cumsum", cumsum<false>),
    cpu_kernel<CumsumParams>("_backward_cumsum", cumsum<true>),
};

}  // namespace
}  // namespace mxnet

// GPU kernels of the binary elementwise operators. Not run on hardware.
#include "mxnet/ops/binary.h"

#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

// Operands of one size; one of them may be a single number, which then has no array.
template <class T>
struct Operand {
  const T* data = nullptr;
  number_t<T> value{};
};

template <class F, class T>
__global__ void pairs_kernel(int64_t n, bool packed, T* out, Operand<T> a, Operand<T> b) {
  using V = number_t<T>;
  for (int64_t p = first_item(); p < packs_in<T>(n); p += item_step()) {
    Pack<T> left{}, right{}, result;
    if (a.data) left = load_pack(a.data, p, n, packed);
    if (b.data) right = load_pack(b.data, p, n, packed);
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      V x = a.data ? load<V>(&left.items[k]) : a.value, y = b.data ? load<V>(&right.items[k]) : b.value;
      store(&result.items[k], F::template forward<V>(x, y));
    }
    store_pack(out, p, n, packed, result);
  }
}

template <class F, class T>
void run_pairs(const KernelContext& c, int64_t n, T* out, Operand<T> a, Operand<T> b) {
  if (n == 0) return;
  bool packed = is_packed(out) && is_packed(a.data) && is_packed(b.data);
  launch(c, blocks_for(packs_in<T>(n)), kThreads, pairs_kernel<F, T>, n, packed, out, a, b);
}

template <class F, class T>
__global__ void broadcast_kernel(int64_t n, StridedAxes axes, T* out, const T* a, const T* b) {
  using V = number_t<T>;
  bool narrow = n <= INT32_MAX;
  for (int64_t i = first_item(); i < n; i += item_step()) {
    StridedAxes::Offsets at = narrow ? axes.offsets(static_cast<uint32_t>(i)) : axes.offsets(static_cast<uint64_t>(i));
    store(out + i, F::template forward<V>(load<V>(a + at.a), load<V>(b + at.b)));
  }
}

template <class F>
void arrays(KernelContext& c) {
  const TensorView& out = c.out(0);
  int64_t n = out.size();
  if (n == 0) return;
  SafeInput a(c, c.in(0), out), b(c, c.in(1), out);
  dispatch_all(out.dtype, [&]<class T>() {
    const T *left = a.view.as<const T>(), *right = b.view.as<const T>();
    if (c.in(0).size() == n && c.in(1).size() == n) return run_pairs<F, T>(c, n, out.as<T>(), {left}, {right});
    StridedAxes axes(BroadcastPlan(out.shape(), c.in(0).shape(), c.in(1).shape()));
    launch(c, blocks_for(n), kThreads, broadcast_kernel<F, T>, n, axes, out.as<T>(), left, right);
  });
}

// The scalar as a number of the type computed in; integers are truncated and wrap.
template <class V>
V number_from(double scalar) {
  if constexpr (std::is_floating_point_v<V>)
    return static_cast<V>(scalar);
  else
    return static_cast<V>(static_cast<int64_t>(scalar));
}

template <class F, bool scalar_on_left>
void array_scalar(const ScalarParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput in(c, c.in(0), out);
  if (in.view.dtype != out.dtype) {
    cast(c, in.view, out);
    in.view = out;
  }
  dispatch_all(out.dtype, [&]<class T>() {
    Operand<T> array{in.view.as<const T>()}, scalar{nullptr, number_from<number_t<T>>(p.scalar)};
    // The commonest power.
    if (std::is_same_v<F, functor::Power> && !scalar_on_left && p.scalar == 2)
      return run_pairs<functor::Multiply, T>(c, out.size(), out.as<T>(), array, array);
    run_pairs<F, T>(c, out.size(), out.as<T>(), scalar_on_left ? scalar : array, scalar_on_left ? array : scalar);
  });
}

// ---- Sums of many arrays. ----

struct Addends {
  static constexpr int kMost = 64;
  int count = 0;
  const void* data[kMost];
};

template <class T>
__global__ void sum_kernel(int64_t n, T* out, Addends in) {
  using V = number_t<T>;
  for (int64_t i = first_item(); i < n; i += item_step()) {
    V total = load<V>(static_cast<const T*>(in.data[0]) + i);
    for (int k = 1; k < in.count; ++k)
      total = functor::Add::forward(total, load<V>(static_cast<const T*>(in.data[k]) + i));
    store(out + i, total);
  }
}

void sum(KernelContext& c) {
  const TensorView& out = c.out(0);
  if (out.size() == 0) return;
  std::vector<SafeInput> safe;
  safe.reserve(c.inputs.size());
  // Inputs of a later round are still to be read when the first round has written.
  for (size_t i = 0; i < c.inputs.size(); ++i) safe.emplace_back(c, c.inputs[i], out, i >= Addends::kMost);
  for (size_t next = 0; next < safe.size();) {
    Addends in;
    if (next > 0) in.data[in.count++] = out.data;
    while (next < safe.size() && in.count < Addends::kMost) in.data[in.count++] = safe[next++].view.data;
    dispatch_all(out.dtype, [&]<class T>() {
      launch(c, blocks_for(out.size()), kThreads, sum_kernel<T>, out.size(), out.as<T>(), in);
    });
  }
}

const bool registered = [] {
  BinaryFunctors::each([]<class F>() {
    kernel(F::broadcast.name, arrays<F>);
    kernel(F::same.name, arrays<F>);
    kernel<ScalarParams>(F::scalar.name, array_scalar<F, false>);
    if constexpr (F::reverse.name != nullptr) kernel<ScalarParams>(F::reverse.name, array_scalar<F, true>);
  });
  kernel("add_n", sum);
  kernel("_grad_add", arrays<functor::Add>);
  return true;
}();

}  // namespace
}  // namespace mxnet::cuda

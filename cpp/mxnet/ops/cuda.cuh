// What the GPU kernels of the operators share: registration, launches, element access, working memory.
// Not run on hardware.
#pragma once
#include <cstdint>

#include "mxnet/base/dtype.h"
#include "mxnet/device/cuda/cuda.h"
#include "mxnet/ndarray/convert.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/launch.cuh"

namespace mxnet::cuda {

// ---- Registration: the kernel runs with its device current. ----

// void f(const P&, KernelContext&)
template <class P, class F>
bool kernel(const char* op, F f) {
  return gpu_kernel<P>(op, [f](const P& p, KernelContext& c) {
    DeviceScope scope(c.ctx.id);
    f(p, c);
  });
}
// void f(KernelContext&): a kernel that needs no parameters, whatever those of its operator are.
template <class F>
bool kernel(const char* op, F f) {
  Registry::get().add_kernel(op, DeviceType::gpu, 0, [f](const void*, KernelContext& c) {
    DeviceScope scope(c.ctx.id);
    f(c);
  });
  return true;
}

// ---- Launches. ----

inline constexpr int kThreads = 256;
// Blocks that share `items` by steps of the whole grid.
inline unsigned blocks_for(int64_t items) {
  constexpr int64_t kMostBlocks = 1 << 16;
  return static_cast<unsigned>(std::clamp<int64_t>((items + kThreads - 1) / kThreads, 1, kMostBlocks));
}

__device__ inline int64_t first_item() { return blockIdx.x * int64_t{blockDim.x} + threadIdx.x; }
__device__ inline int64_t item_step() { return gridDim.x * int64_t{blockDim.x}; }

// ---- Elements. ----

// The number type of an element: booleans count as bytes.
template <class T>
using number_t = std::conditional_t<std::is_same_v<T, bool>, uint8_t, compute_t<T>>;

template <class V, class T>
MX_HD V load(const T* p) {
  return convert<V>(static_cast<compute_t<T>>(*p));
}
template <class V, class T>
MX_HD void store(T* p, V value) {
  *p = T(convert<compute_t<T>>(value));
}

// An array whose element type is looked at in the kernel: for types that are not worth kernels of their own.
struct AnyArray {
  void* data;
  DType dtype;

  AnyArray(const TensorView& view) : data(view.data), dtype(view.dtype) {}
  MX_HD AnyArray(void* elements, DType type) : data(elements), dtype(type) {}

  template <class V>
  __device__ V load(int64_t i) const {
    switch (dtype) {
      case DType::float64: return cuda::load<V>(at<double>(i));
      case DType::float16: return cuda::load<V>(at<Float16>(i));
      case DType::bfloat16: return cuda::load<V>(at<BFloat16>(i));
      case DType::uint8: return cuda::load<V>(at<uint8_t>(i));
      case DType::int8: return cuda::load<V>(at<int8_t>(i));
      case DType::int32: return cuda::load<V>(at<int32_t>(i));
      case DType::int64: return cuda::load<V>(at<int64_t>(i));
      case DType::boolean: return cuda::load<V>(at<bool>(i));
      default: return cuda::load<V>(at<float>(i));
    }
  }
  template <class V>
  __device__ void store(int64_t i, V value) const {
    switch (dtype) {
      case DType::float64: return cuda::store(at<double>(i), value);
      case DType::float16: return cuda::store(at<Float16>(i), value);
      case DType::bfloat16: return cuda::store(at<BFloat16>(i), value);
      case DType::uint8: return cuda::store(at<uint8_t>(i), value);
      case DType::int8: return cuda::store(at<int8_t>(i), value);
      case DType::int32: return cuda::store(at<int32_t>(i), value);
      case DType::int64: return cuda::store(at<int64_t>(i), value);
      case DType::boolean: return cuda::store(at<bool>(i), value);
      default: return cuda::store(at<float>(i), value);
    }
  }

 private:
  template <class T>
  __device__ T* at(int64_t i) const {
    return static_cast<T*>(data) + i;
  }
};

// body(i) for every i below n: the plainest of kernels.
template <class Body>
__global__ void each_kernel(int64_t n, Body body) {
  for (int64_t i = first_item(); i < n; i += item_step()) body(i);
}
template <class Body>
void each(const KernelContext& c, int64_t n, const Body& body) {
  if (n > 0) launch(c, blocks_for(n), kThreads, each_kernel<Body>, n, body);
}

// Elements that a thread takes at a time, in one access where all arrays are aligned to it.
template <class T>
inline constexpr int kPack = sizeof(T) == 8 ? 1 : 4;
template <class T>
struct alignas(kPack<T> * sizeof(T)) Pack {
  T items[kPack<T>];
};
template <class T>
bool is_packed(const T* p) {
  return reinterpret_cast<uintptr_t>(p) % sizeof(Pack<T>) == 0;
}
template <class T>
constexpr int64_t packs_in(int64_t n) {
  return (n + kPack<T> - 1) / kPack<T>;
}

// Pack `p` of n elements; what lies beyond the end is left out.
template <class T>
__device__ Pack<T> load_pack(const T* from, int64_t p, int64_t n, bool packed) {
  Pack<T> pack;
  if (packed && (p + 1) * kPack<T> <= n) {
    pack = reinterpret_cast<const Pack<T>*>(from)[p];
  } else {
    for (int k = 0; k < kPack<T>; ++k) pack.items[k] = from[p * kPack<T> + k < n ? p * kPack<T> + k : 0];
  }
  return pack;
}
template <class T>
__device__ void store_pack(T* to, int64_t p, int64_t n, bool packed, const Pack<T>& pack) {
  if (packed && (p + 1) * kPack<T> <= n) {
    reinterpret_cast<Pack<T>*>(to)[p] = pack;
  } else {
    for (int k = 0; k < kPack<T>; ++k)
      if (p * kPack<T> + k < n) to[p * kPack<T> + k] = pack.items[k];
  }
}

// out[i] = body(in[i]...) over n elements of one type, computed in its number type.
template <class T, class Body, class... In>
__global__ void map_kernel(int64_t n, bool packed, Body body, T* out, const In*... in) {
  using V = number_t<T>;
  for (int64_t p = first_item(); p < packs_in<T>(n); p += item_step()) {
    Pack<T> result;
    auto compute = [&](const auto&... pack) {
#pragma unroll
      for (int k = 0; k < kPack<T>; ++k) store(&result.items[k], static_cast<V>(body(load<V>(&pack.items[k])...)));
    };
    compute(load_pack(in, p, n, packed)...);
    store_pack(out, p, n, packed, result);
  }
}

template <class T, class Body, class... In>
void map(const KernelContext& c, int64_t n, const Body& body, T* out, const In*... in) {
  static_assert((std::is_same_v<T, In> && ...));
  if (n == 0) return;
  bool packed = is_packed(out) && (is_packed(in) && ...);
  launch(c, blocks_for(packs_in<T>(n)), kThreads, map_kernel<T, Body, In...>, n, packed, body, out, in...);
}

// The same over arrays of any types, computed in V.
template <class V, class Body, class... In>
__global__ void map_any_kernel(int64_t n, Body body, AnyArray out, In... in) {
  for (int64_t i = first_item(); i < n; i += item_step()) out.store(i, static_cast<V>(body(in.template load<V>(i)...)));
}

template <class V, class Body, class... In>
void map_any(const KernelContext& c, const Body& body, const TensorView& out, const In&... in) {
  int64_t n = out.size();
  auto* queued = map_any_kernel<V, Body, std::conditional_t<true, AnyArray, In>...>;
  if (n > 0) launch(c, blocks_for(n), kThreads, queued, n, body, AnyArray(out), AnyArray(in)...);
}

// ---- Memory. ----

// Working memory of the kernels queued while it lives; other streams cannot get it before these have run.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const KernelContext& c, int64_t bytes);
  ~Scratch();
  Scratch(Scratch&& other) noexcept : block_(std::exchange(other.block_, {})) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }

  void* data() const { return block_.data; }
  template <class T>
  T* as() const {
    return static_cast<T*>(block_.data);
  }

 private:
  Block block_;
};

// An input as it can be read while `out` is written: itself, or a copy where it overlaps `out` in any way but
// element on element (or in any way at all).
class SafeInput {
 public:
  SafeInput(const KernelContext& c, const TensorView& in, const TensorView& out, bool even_if_equal = false);
  TensorView view;

 private:
  Scratch copy_;
};

// Converts all elements of `in`; the arrays are the same memory only where their widths are equal.
void cast(const KernelContext& c, const TensorView& in, const TensorView& out);
// Copies bytes within the device.
void copy(const KernelContext& c, const void* from, void* to, int64_t bytes);
void fill_zero(const KernelContext& c, void* to, int64_t bytes);

}  // namespace mxnet::cuda

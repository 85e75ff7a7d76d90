// Strided moves on a GPU. Not run on hardware.
#pragma once
#include <cstring>

#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/move_axes.h"

namespace mxnet::cuda {

// Axes with the strides of source and target, after what joins has been joined.
inline StridedAxes strided(const Move& move) {
  StridedAxes axes;
  for (int i = 0; i < move.size(); ++i) axes.add(move[i].extent, move[i].from, move[i].to);
  return axes;
}

template <class E>
__global__ void move_kernel(int64_t n, StridedAxes axes, const E* from, E* to) {
  bool narrow = n <= INT32_MAX;
  for (int64_t i = first_item(); i < n; i += item_step()) {
    StridedAxes::Offsets at = narrow ? axes.offsets(static_cast<uint32_t>(i)) : axes.offsets(static_cast<uint64_t>(i));
    to[at.b] = from[at.a];
  }
}
template <class E>
__global__ void spread_kernel(int64_t n, StridedAxes axes, E element, E* to) {
  for (int64_t i = first_item(); i < n; i += item_step()) to[axes.offsets(static_cast<uint64_t>(i)).b] = element;
}

// What kernels made of moves need of a device, see HostMoves.
struct GpuMoves {
  template <class P, class F>
  static void add(const char* op, F f) {
    kernel<P>(op, f);
  }
  static void move(const KernelContext& c, Move& move, int64_t width, const void* from, void* to);
  static void spread(const KernelContext& c, Move& move, int64_t width, const void* element, void* to);
  static void zero(const KernelContext& c, const TensorView& out) {
    fill_zero(c, out.data, out.size() * size_of(out.dtype));
  }
  static void copy(const KernelContext& c, const void* from, void* to, int64_t bytes) {
    cuda::copy(c, from, to, bytes);
  }
  struct Apart : SafeInput {
    Apart(const KernelContext& c, const TensorView& in, const TensorView& out) : SafeInput(c, in, out, true) {}
  };
};

}  // namespace mxnet::cuda

// Queueing kernels. A header of its own, for the tests to put host code into its place. Not run on hardware.
#pragma once
#include "mxnet/device/cuda/cuda.h"
#include "mxnet/op/op.h"

namespace mxnet::cuda {

inline cudaStream_t stream_of(const KernelContext& c) { return static_cast<cudaStream_t>(c.stream); }

// Queues kernel(args...), a __global__ function, on the stream of the operator at hand.
template <class... P, class... A>
void launch(const KernelContext& c, dim3 blocks, dim3 threads, void (*kernel)(P...), const A&... args) {
  kernel<<<blocks, threads, 0, stream_of(c)>>>(args...);
  check(cudaGetLastError(), "kernel launch");
}

}  // namespace mxnet::cuda

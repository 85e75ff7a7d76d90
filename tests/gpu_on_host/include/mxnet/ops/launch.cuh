// Running kernels on the host, in the place of the header that queues them.
#pragma once
#include <mutex>

#include "mxnet/device/cuda/cuda.h"
#include "mxnet/op/op.h"

namespace mxnet::cuda {

inline cudaStream_t stream_of(const KernelContext& c) { return c.stream; }

inline std::mutex& one_kernel_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

// Kernels take whatever threads there are, by steps: one thread runs a kernel whose threads are independent, a few
// blocks with a few rows of threads one whose threads meet. Tiles need all of theirs.
template <class... P, class... A>
void launch(const KernelContext&, dim3 blocks, dim3 threads, void (*kernel)(P...), const A&... args) {
  std::lock_guard lock(one_kernel_at_a_time());
  if (threads.y == 1) {
    cuda_on_host::grid_size = cuda_on_host::block_size = {1, 1, 1};
    cuda_on_host::block_index = cuda_on_host::thread_index = {0, 0, 0};
    return kernel(args...);
  }
  if (threads.x != threads.y) threads.y = std::min(threads.y, 4u);
  cuda_on_host::launch({std::min(blocks.x, 3u)}, {threads.x, threads.y, threads.z}, [&] { kernel(args...); });
}

}  // namespace mxnet::cuda

// The way to the GPUs: libmxnet_cuda, opened at first use. Without it, or without a driver, there are none.
#pragma once
#include <cstddef>
#include <exception>
#include <functional>

namespace mxnet {

struct GpuMemory {
  size_t free = 0;
  size_t total = 0;
};

// What libmxnet_cuda does for the core, by device number. Opening it also registers the memory pools' allocator,
// the copies between devices and the GPU kernels of the operators.
class GpuLibrary {
 public:
  virtual ~GpuLibrary() = default;
  virtual int count() const = 0;
  virtual GpuMemory memory(int device) const = 0;
  virtual int compute_capability(int device) const = 0;  // 90 for 9.0

  // The cudaStream_t that the compute operations of a device queue their kernels on, in order.
  virtual void* stream(int device) = 0;
  // Calls `done` once, from a thread of the library, when all that is on the device's stream now has run;
  // with the exception if it failed. This completes an asynchronous engine operation.
  virtual void when_done(int device, std::function<void(std::exception_ptr)> done) = 0;
};

// Null when there is no GPU to use.
GpuLibrary* gpu_library();
int gpu_count();
// Raises "gpu(0): no GPU is available ..." unless there is a GPU of this number.
void check_gpu(int device);

}  // namespace mxnet

// The entry of libmxnet_cuda: what the core gets when it opens the library.
#include "mxnet/device/context.h"
#include "mxnet/device/cuda/cuda.h"
#include "mxnet/device/gpu.h"
#include "mxnet/ndarray/copy.h"
#include "mxnet/storage/storage.h"

namespace mxnet::cuda {
namespace {

class Library : public GpuLibrary {
 public:
  explicit Library(int count) : count_(count) {}
  int count() const override { return count_; }
  GpuMemory memory(int device) const override {
    DeviceScope scope(device);
    GpuMemory memory;
    check(cudaMemGetInfo(&memory.free, &memory.total), "cudaMemGetInfo");
    return memory;
  }
  int compute_capability(int device) const override {
    int major = 0, minor = 0;
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
    check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
    return 10 * major + minor;
  }
  void* stream(int device) override { return compute_stream(device); }
  void when_done(int device, std::function<void(std::exception_ptr)> done) override {
    cuda::when_done(device, std::move(done));
  }

 private:
  int count_;
};

// The memory sources of the pools: null when there is no room.
void* allocate(size_t bytes, int32_t device) {
  DeviceScope scope(device);
  void* data = nullptr;
  cudaError_t status = cudaMalloc(&data, bytes);
  if (status == cudaErrorMemoryAllocation) return cudaGetLastError(), nullptr;
  check(status, "cudaMalloc");
  return data;
}

void release(void* data, size_t, int32_t device) {
  DeviceScope scope(device);
  cudaFree(data);
}

void* allocate_pinned(size_t bytes, int32_t) {
  void* data = nullptr;
  cudaError_t status = cudaMallocHost(&data, bytes);
  if (status == cudaErrorMemoryAllocation) return cudaGetLastError(), nullptr;
  check(status, "cudaMallocHost");
  return data;
}

void release_pinned(void* data, size_t, int32_t) { cudaFreeHost(data); }

void copy_bytes(const void* from, Context from_ctx, void* to, Context to_ctx, size_t bytes) {
  int device = from_ctx.on_host() ? to_ctx.id : from_ctx.id;
  DeviceScope scope(device);
  cudaStream_t stream = copy_stream(device);
  if (from_ctx.on_host() || to_ctx.on_host() || from_ctx == to_ctx)
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "cudaMemcpyAsync");
  else
    check(cudaMemcpyPeerAsync(to, to_ctx.id, from, from_ctx.id, bytes, stream), "cudaMemcpyPeerAsync");
  check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

}  // namespace
}  // namespace mxnet::cuda

// Null when no GPU can be used; called once, by gpu_library().
extern "C" __attribute__((visibility("default"))) mxnet::GpuLibrary* mxnet_cuda_open() {
  using namespace mxnet;
  int count = cuda::device_count();
  if (count == 0) return nullptr;
  storage::register_device_allocator(DeviceType::gpu, cuda::allocate, cuda::release);
  storage::register_device_allocator(DeviceType::cpu_pinned, cuda::allocate_pinned, cuda::release_pinned);
  set_device_copy(cuda::copy_bytes);
  return new cuda::Library(count);
}

// What CUDA code shares: status checks, the current device, streams and library handles by device number.
#pragma once
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <cudnn.h>

#include <exception>
#include <functional>

namespace mxnet::cuda {

// Raise an Error with the library's own words: "cudaMalloc: out of memory".
void check(cudaError_t status, const char* call);
void check(cublasStatus_t status, const char* call);
void check(cudnnStatus_t status, const char* call);

int device_count();  // 0 without a usable driver

// Makes a device current for the calling thread while in scope.
class DeviceScope {
 public:
  explicit DeviceScope(int device);
  ~DeviceScope();
  DeviceScope(const DeviceScope&) = delete;
  DeviceScope& operator=(const DeviceScope&) = delete;

 private:
  int previous_ = 0;
};

// The stream of a device's compute operations, and one of the calling thread for copies.
cudaStream_t compute_stream(int device);
cudaStream_t copy_stream(int device);

// Handles of the calling thread, bound to the device's compute stream.
cublasHandle_t cublas(int device);
cudnnHandle_t cudnn(int device);

// See GpuLibrary::when_done.
void when_done(int device, std::function<void(std::exception_ptr)> done);

}  // namespace mxnet::cuda

#include "mxnet/device/cuda/cuda.h"

#include <map>
#include <mutex>
#include <vector>

#include "mxnet/base/error.h"

namespace mxnet::cuda {
namespace {

// One value per device number, made at first use and kept for good: at exit the driver may be gone already.
template <class T, class Make>
T of_device(std::map<int, T>& values, int device, Make make) {
  auto it = values.find(device);
  if (it == values.end()) {
    DeviceScope scope(device);
    it = values.emplace(device, make()).first;
  }
  return it->second;
}

cudaStream_t new_stream() {
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  return stream;
}

}  // namespace

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // an error that is reported is not left for the next caller
  ErrorKind kind = status == cudaErrorMemoryAllocation ? ErrorKind::memory : ErrorKind::runtime;
  fail(kind, call, ": ", cudaGetErrorString(status));
}

void check(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) fail(ErrorKind::runtime, call, ": ", cublasGetStatusString(status));
}

void check(cudnnStatus_t status, const char* call) {
  if (status != CUDNN_STATUS_SUCCESS) fail(ErrorKind::runtime, call, ": ", cudnnGetErrorString(status));
}

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();
  return 0;
}

DeviceScope::DeviceScope(int device) {
  check(cudaGetDevice(&previous_), "cudaGetDevice");
  check(cudaSetDevice(device), "cudaSetDevice");
}

DeviceScope::~DeviceScope() { cudaSetDevice(previous_); }

cudaStream_t compute_stream(int device) {
  static std::mutex mutex;
  static auto& streams = *new std::map<int, cudaStream_t>();
  std::lock_guard lock(mutex);
  return of_device(streams, device, new_stream);
}

cudaStream_t copy_stream(int device) {
  thread_local auto& streams = *new std::map<int, cudaStream_t>();
  return of_device(streams, device, new_stream);
}

cublasHandle_t cublas(int device) {
  thread_local auto& handles = *new std::map<int, cublasHandle_t>();
  return of_device(handles, device, [device] {
    cublasHandle_t handle;
    check(cublasCreate(&handle), "cublasCreate");
    check(cublasSetStream(handle, compute_stream(device)), "cublasSetStream");
    return handle;
  });
}

cudnnHandle_t cudnn(int device) {
  thread_local auto& handles = *new std::map<int, cudnnHandle_t>();
  return of_device(handles, device, [device] {
    cudnnHandle_t handle;
    check(cudnnCreate(&handle), "cudnnCreate");
    check(cudnnSetStream(handle, compute_stream(device)), "cudnnSetStream");
    return handle;
  });
}

}  // namespace mxnet::cuda

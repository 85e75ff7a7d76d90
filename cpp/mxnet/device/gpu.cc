#include "mxnet/device/gpu.h"

#include <dlfcn.h>

#include <string>

#include "mxnet/base/error.h"
#include "mxnet/device/context.h"

namespace mxnet {
namespace {

// libmxnet_cuda.so beside this library; looked for only where there is a driver, since opening it takes long.
GpuLibrary* open_library() {
  if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) return nullptr;
  Dl_info self;
  if (!dladdr(reinterpret_cast<void*>(&gpu_count), &self)) return nullptr;
  std::string path = self.dli_fname;
  path = path.substr(0, path.rfind('/') + 1) + "libmxnet_cuda.so";
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return nullptr;
  auto open = reinterpret_cast<GpuLibrary* (*)()>(dlsym(library, "mxnet_cuda_open"));
  return open ? open() : nullptr;
}

}  // namespace

GpuLibrary* gpu_library() {
  static GpuLibrary* const library = open_library();
  return library;
}

int gpu_count() {
  GpuLibrary* library = gpu_library();
  return library ? library->count() : 0;
}

void check_gpu(int device) {
  int count = gpu_count();
  if (device >= 0 && device < count) return;
  if (count == 0)
    fail(ErrorKind::runtime, Context::gpu(device),
         ": no GPU is available (libmxnet_cuda is not installed or no driver was found)");
  fail(ErrorKind::runtime, Context::gpu(device), ": there is no such GPU, this machine has ", count);
}

}  // namespace mxnet

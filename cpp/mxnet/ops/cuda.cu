// What the GPU kernels share, the part that is compiled once. Not run on hardware.
#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {

Scratch::Scratch(const KernelContext& c, int64_t bytes)
    : block_(storage::allocate(static_cast<size_t>(bytes), c.ctx)) {}

Scratch::~Scratch() {
  if (!block_.data) return;
  auto release = [block = block_](const std::exception_ptr&) { storage::release(block); };
  try {
    when_done(block_.ctx.id, release);
  } catch (...) {
    release(nullptr);  // the device is of no use any more
  }
}

SafeInput::SafeInput(const KernelContext& c, const TensorView& in, const TensorView& out, bool even_if_equal)
    : view(in) {
  const char *a = in.as<char>(), *b = out.as<char>();
  int64_t in_bytes = in.size() * size_of(in.dtype), out_bytes = out.size() * size_of(out.dtype);
  bool apart = a + in_bytes <= b || b + out_bytes <= a;
  bool equal = a == b && in.size() == out.size() && in_bytes == out_bytes;
  if (apart || (equal && !even_if_equal)) return;
  copy_ = Scratch(c, in_bytes);
  copy(c, in.data, copy_.data(), in_bytes);
  view.data = copy_.data();
}

namespace {

struct Identity {
  template <class V>
  __device__ V operator()(V x) const {
    return x;
  }
};

}  // namespace

// Through int64 between integers and through double otherwise: both hold what they are given.
void cast(const KernelContext& c, const TensorView& in, const TensorView& out) {
  if (in.dtype == out.dtype) return copy(c, in.data, out.data, out.size() * size_of(out.dtype));
  if (is_floating(in.dtype))
    map_any<double>(c, Identity{}, out, in);
  else
    map_any<int64_t>(c, Identity{}, out, in);
}

void copy(const KernelContext& c, const void* from, void* to, int64_t bytes) {
  if (from == to || bytes == 0) return;
  check(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, stream_of(c)),
        "cudaMemcpyAsync");
}

void fill_zero(const KernelContext& c, void* to, int64_t bytes) {
  if (bytes > 0) check(cudaMemsetAsync(to, 0, static_cast<size_t>(bytes), stream_of(c)), "cudaMemsetAsync");
}

}  // namespace mxnet::cuda

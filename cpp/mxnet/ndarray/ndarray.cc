#include "mxnet/ndarray/ndarray.h"

#include <algorithm>

namespace mxnet {

Chunk::~Chunk() {
  if (!foreign_)
    storage::release(block_);
  else if (release_)
    release_();
}

void Chunk::swap_memory(Chunk& other) {
  std::swap(block_, other.block_);
  std::swap(release_, other.release_);
  std::swap(foreign_, other.foreign_);
}

namespace {

size_t checked_bytes(const Shape& shape, DType dtype) {
  int64_t bytes = size_of(dtype);
  for (int64_t extent : shape) {
    if (extent < 0) value_error("array: shape ", shape, " has a negative extent");
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      fail(ErrorKind::memory, "array: shape ", shape, " does not fit into memory");
  }
  return static_cast<size_t>(bytes);
}

}  // namespace

NDArray::NDArray(const Shape& shape, DType dtype, Context ctx)
    : chunk_(make_ref<Chunk>(checked_bytes(shape, dtype), ctx)), shape_(shape), dtype_(dtype) {}

NDArray NDArray::reshaped(const Shape& shape) const {
  if (shape.size() != size()) value_error("reshape: an array of shape ", shape_, " cannot be seen as ", shape);
  return NDArray(chunk_, shape, dtype_, byte_offset_);
}

NDArray NDArray::window(const Shape& shape, int64_t element_offset) const {
  return NDArray(chunk_, shape, dtype_, byte_offset_ + element_offset * size_of(dtype_));
}

void NDArray::wait_to_read() const {
  if (defined()) Engine::get().wait_to_read(var());
}

void NDArray::wait_to_write() const {
  if (defined()) Engine::get().wait_to_write(var());
}

bool shares_memory(const NDArray& array, std::span<const NDArray> others) {
  return std::any_of(others.begin(), others.end(),
                     [&](const NDArray& other) { return other.defined() && other.chunk() == array.chunk(); });
}

}  // namespace mxnet

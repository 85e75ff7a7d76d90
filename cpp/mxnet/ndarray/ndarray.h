// NDArray: a typed, shaped, contiguous window on a chunk of memory. A value; copies share the chunk.
#pragma once
#include <functional>
#include <span>
#include <string>

#include "mxnet/base/dtype.h"
#include "mxnet/base/ref.h"
#include "mxnet/base/shape.h"
#include "mxnet/device/context.h"
#include "mxnet/engine/engine.h"
#include "mxnet/storage/storage.h"

namespace mxnet {

// A block of memory and the Var that orders access to it. Views share it.
class Chunk : public RefCounted {
 public:
  Chunk(size_t bytes, Context ctx) : block_(storage::allocate(bytes, ctx)), var_(make_ref<Var>()) {}
  // Memory owned by somebody else; `release` runs when the last view is gone.
  Chunk(void* data, size_t bytes, Context ctx, std::function<void()> release)
      : block_{data, bytes, bytes, ctx}, var_(make_ref<Var>()), release_(std::move(release)), foreign_(true) {}
  ~Chunk() override;
  // Exchanges the memory, not the Var; nobody may be using either chunk.
  void swap_memory(Chunk& other);

  char* data() const { return static_cast<char*>(block_.data); }
  Context ctx() const { return block_.ctx; }
  Var& var() const { return *var_; }

 private:
  Block block_;
  Ref<Var> var_;
  std::function<void()> release_;
  bool foreign_ = false;
};

// What a kernel sees of an array. A missing optional input has no data and no shape.
struct TensorView {
  void* data = nullptr;
  const Shape* extents = nullptr;
  DType dtype = DType::unknown;

  bool present() const { return extents != nullptr; }
  const Shape& shape() const { return *extents; }
  int64_t size() const { return extents->size(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

class NDArray {
 public:
  NDArray() = default;  // no array at all: a missing optional input
  NDArray(const Shape& shape, DType dtype, Context ctx);
  NDArray(Ref<Chunk> chunk, const Shape& shape, DType dtype, int64_t byte_offset = 0)
      : chunk_(std::move(chunk)), shape_(shape), byte_offset_(byte_offset), dtype_(dtype) {}

  bool defined() const { return static_cast<bool>(chunk_); }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  Context ctx() const { return chunk_ ? chunk_->ctx() : Context::cpu(); }
  int64_t size() const { return shape_.size(); }
  int64_t bytes() const { return size() * size_of(dtype_); }
  int64_t byte_offset() const { return byte_offset_; }
  void* data() const { return chunk_->data() + byte_offset_; }
  Var& var() const { return chunk_->var(); }
  const Ref<Chunk>& chunk() const { return chunk_; }
  TensorView view() const { return defined() ? TensorView{data(), &shape_, dtype_} : TensorView{}; }

  // Views that share the memory (and are not on the tape).
  NDArray reshaped(const Shape& shape) const;
  NDArray window(const Shape& shape, int64_t element_offset) const;
  NDArray detached() const { return NDArray(chunk_, shape_, dtype_, byte_offset_); }

  // Blocks until the contents can be read (or overwritten) by the host; raises what a failed writer left.
  void wait_to_read() const;
  void wait_to_write() const;

  // The array's place on the autograd tape, null when it is not on it. Owned by autograd/.
  Ref<RefCounted> tape;

 private:
  Ref<Chunk> chunk_;
  Shape shape_;
  int64_t byte_offset_ = 0;
  DType dtype_ = DType::unknown;
};

// Whether two arrays start at the same place in memory.
inline bool same_memory(const NDArray& a, const NDArray& b) {
  return a.chunk() == b.chunk() && a.byte_offset() == b.byte_offset();
}
// Whether `array` lies in a chunk in which one of `others` lies too: they may overlap.
bool shares_memory(const NDArray& array, std::span<const NDArray> others);

// Copies contents between arrays of equal size, across dtypes and devices; asynchronous.
void copy(const NDArray& from, const NDArray& to);

// Host memory in and out of an array; both wait until the transfer is done.
void copy_from_host(const void* data, size_t bytes, const NDArray& to);
void copy_to_host(const NDArray& from, void* data, size_t bytes);

}  // namespace mxnet

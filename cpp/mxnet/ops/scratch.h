// Working memory of a kernel, from the pool: taken in the constructor, given back in the destructor.
#pragma once
#include "mxnet/storage/storage.h"

namespace mxnet {

class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(int64_t bytes) : block_(storage::allocate(static_cast<size_t>(bytes), Context::cpu())) {}
  Scratch(Scratch&& other) noexcept : block_(std::exchange(other.block_, {})) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Scratch() {
    if (block_.data) storage::release(block_);
  }

  void* data() const { return block_.data; }
  template <class T>
  T* as() const {
    return static_cast<T*>(block_.data);
  }

 private:
  Block block_;
};

}  // namespace mxnet

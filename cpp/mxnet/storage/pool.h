// The free lists of one device's memory. Use it through storage.h.
#pragma once
#include <array>
#include <atomic>
#include <vector>

#include "mxnet/storage/spinlock.h"
#include "mxnet/storage/storage.h"

namespace mxnet::storage {

// Where a pool's memory comes from and goes to.
struct Source {
  DeviceAllocate allocate = nullptr;
  DeviceFree free = nullptr;
  bool operator==(const Source&) const = default;
};

// Plain host memory; large blocks are aligned to huge pages and ask for them.
Source host_source();

// Blocks of up to 1 MiB come in four sizes per power of two, larger ones in eight.
struct SizeClass {
  int index = 0;
  size_t capacity = 0;
};
inline constexpr size_t kLarge = size_t{1} << 20;
inline constexpr size_t kMaxBytes = size_t{1} << 47;
inline constexpr int kSmallClasses = 52;
inline constexpr int kClasses = kSmallClasses + 27 * 8;
SizeClass size_class(size_t bytes);

class Pool {
 public:
  Pool(Context ctx, Source source) : ctx_(ctx), source_(source) {}
  Pool(const Pool&) = delete;

  Context ctx() const { return ctx_; }
  Block allocate(size_t bytes);
  void release(const Block& block) noexcept;

  MemoryStats stats();
  void reset_peak();
  void set_limit(int64_t bytes);
  void empty_cache();
  // Takes memory from `source` from now on; false, and no change, while blocks of the present source exist.
  bool set_source(Source source);

  // Held across fork, so that the child finds the pool between two operations.
  Spinlock& lock() { return lock_; }

  // The registry of pools is a list that only grows.
  std::atomic<Pool*> next{nullptr};

 private:
  // `free` has room for every block of the class that exists, so that giving back never allocates.
  struct Bin {
    std::vector<void*> free;
    size_t owned = 0;
  };

  void* take(SizeClass& wanted);
  void* take_from_system(SizeClass wanted);
  bool reserve(SizeClass wanted);
  void cancel(SizeClass wanted);
  bool crowded(size_t capacity);
  [[noreturn]] void out_of_memory(size_t bytes);

  const Context ctx_;
  Source source_;
  Spinlock lock_;
  MemoryStats stats_;
  std::array<Bin, kClasses> bins_;
};

}  // namespace mxnet::storage

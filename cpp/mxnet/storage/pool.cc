#include "mxnet/storage/pool.h"

#include <algorithm>
#include <bit>
#include <iomanip>
#include <mutex>
#include <new>

#include "mxnet/base/error.h"
#include "mxnet/storage/host_memory.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace mxnet::storage {
namespace {

// Tells the address sanitizer which part of a host block may be touched, so that it sees through the pool.
void set_accessible([[maybe_unused]] Context ctx, [[maybe_unused]] void* data, [[maybe_unused]] size_t capacity,
                    [[maybe_unused]] size_t bytes) {
#if defined(__SANITIZE_ADDRESS__)
  if (!ctx.on_host()) return;
  __asan_poison_memory_region(data, capacity);
  __asan_unpoison_memory_region(data, bytes);
#endif
}

struct Readable {
  int64_t bytes;
  friend std::ostream& operator<<(std::ostream& out, Readable r) {
    static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    if (r.bytes < 1024) return out << r.bytes << " B";
    int unit = std::min<int>((std::bit_width(static_cast<uint64_t>(r.bytes)) - 1) / 10, 5);
    double value = static_cast<double>(r.bytes) / static_cast<double>(int64_t{1} << (10 * unit));
    return out << std::fixed << std::setprecision(1) << value << ' ' << units[unit];
  }
};

}  // namespace

SizeClass size_class(size_t bytes) {
  constexpr size_t kStep = 64, kLinear = 512;
  if (bytes <= kLinear) {
    size_t units = (bytes + kStep - 1) / kStep;
    return {static_cast<int>(units) - 1, units * kStep};
  }
  int top = std::bit_width(bytes - 1) - 1;  // 2^top < bytes <= 2^(top + 1)
  int log_steps = bytes <= kLarge ? 2 : 3;
  int shift = top - log_steps;
  size_t units = ((bytes - 1) >> shift) + 1;
  int step = static_cast<int>(units) - (1 << log_steps) - 1;
  int index = bytes <= kLarge ? 8 + (top - 9) * 4 + step : kSmallClasses + (top - 20) * 8 + step;
  return {index, units << shift};
}

Block Pool::allocate(size_t bytes) {
  if (bytes == 0) return {nullptr, 0, 0, ctx_};
  if (bytes > kMaxBytes) [[unlikely]]
    out_of_memory(bytes);
  SizeClass wanted = size_class(bytes);
  void* data = nullptr;
  {
    std::lock_guard lock(lock_);
    data = take(wanted);
  }
  if (!data) [[unlikely]] {
    if (crowded(wanted.capacity)) empty_cache();
    data = take_from_system(wanted);
    if (!data) {
      empty_cache();
      data = take_from_system(wanted);
    }
    if (!data) out_of_memory(bytes);
  }
  set_accessible(ctx_, data, wanted.capacity, bytes);
  return {data, bytes, wanted.capacity, ctx_};
}

// A free block of the class, or of the next larger one where blocks are so big that a new one costs more
// than the waste. `wanted` becomes the class it came from.
void* Pool::take(SizeClass& wanted) {
  Bin* bin = &bins_[wanted.index];
  if (bin->free.empty()) {
    if (wanted.capacity <= kLarge || wanted.index + 1 == kClasses) return nullptr;
    bin = &bins_[wanted.index + 1];
    if (bin->free.empty()) return nullptr;
    wanted = size_class(wanted.capacity + 1);
  }
  void* data = bin->free.back();
  bin->free.pop_back();
  int64_t capacity = static_cast<int64_t>(wanted.capacity);
  stats_.cached -= capacity;
  stats_.in_use += capacity;
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  ++stats_.allocations;
  return data;
}

// Counts the block before it is there, so that threads asking at once keep to the limit together.
bool Pool::reserve(SizeClass wanted) {
  std::lock_guard lock(lock_);
  int64_t capacity = static_cast<int64_t>(wanted.capacity);
  if (stats_.limit > 0 && stats_.in_use + stats_.cached + capacity > stats_.limit) return false;
  Bin& bin = bins_[wanted.index];
  if (bin.free.capacity() <= bin.owned) bin.free.reserve(std::max<size_t>(8, 2 * bin.owned));
  ++bin.owned;
  stats_.in_use += capacity;
  return true;
}

void Pool::cancel(SizeClass wanted) {
  std::lock_guard lock(lock_);
  --bins_[wanted.index].owned;
  stats_.in_use -= static_cast<int64_t>(wanted.capacity);
}

void* Pool::take_from_system(SizeClass wanted) {
  try {
    if (!reserve(wanted)) return nullptr;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  void* data = source_.allocate(wanted.capacity, ctx_.id);
  if (!data) {
    cancel(wanted);
    return nullptr;
  }
  std::lock_guard lock(lock_);
  stats_.peak = std::max(stats_.peak, stats_.in_use);
  ++stats_.allocations;
  ++stats_.system_allocations;
  return data;
}

// Linux grants host memory it does not have and kills the process later: leave it the cache in time.
bool Pool::crowded(size_t capacity) {
  if (!ctx_.on_host() || capacity < kLarge) return false;
  std::lock_guard lock(lock_);
  int64_t total = stats_.in_use + stats_.cached + static_cast<int64_t>(capacity);
  return stats_.cached > 0 && total > host_memory_bytes() / 4 * 3;
}

void Pool::release(const Block& block) noexcept {
  if (!block.data) return;
  set_accessible(ctx_, block.data, block.capacity, 0);
  int index = size_class(block.capacity).index;
  std::lock_guard lock(lock_);
  bins_[index].free.push_back(block.data);
  int64_t capacity = static_cast<int64_t>(block.capacity);
  stats_.in_use -= capacity;
  stats_.cached += capacity;
}

void Pool::empty_cache() {
  std::array<void*, 64> batch;
  Source source;  // read with the batch: once no block is left, set_source may change it
  size_t capacity = 0;
  for (int index = 0; index < kClasses; ++index) {
    capacity = size_class(capacity + 1).capacity;
    for (size_t count = batch.size(); count == batch.size();) {
      {
        std::lock_guard lock(lock_);
        source = source_;
        Bin& bin = bins_[index];
        count = std::min(batch.size(), bin.free.size());
        std::copy(bin.free.end() - static_cast<std::ptrdiff_t>(count), bin.free.end(), batch.begin());
        bin.free.resize(bin.free.size() - count);
        bin.owned -= count;
        stats_.cached -= static_cast<int64_t>(count * capacity);
      }
      for (size_t i = 0; i < count; ++i) {
        set_accessible(ctx_, batch[i], capacity, capacity);
        source.free(batch[i], capacity, ctx_.id);
      }
    }
  }
}

bool Pool::set_source(Source source) {
  empty_cache();
  std::lock_guard lock(lock_);
  if (source_ == source) return true;
  if (stats_.in_use + stats_.cached != 0) return false;
  source_ = source;
  return true;
}

MemoryStats Pool::stats() {
  std::lock_guard lock(lock_);
  return stats_;
}

void Pool::reset_peak() {
  std::lock_guard lock(lock_);
  stats_.peak = stats_.in_use;
}

void Pool::set_limit(int64_t bytes) {
  std::lock_guard lock(lock_);
  stats_.limit = std::max<int64_t>(bytes, 0);
}

void Pool::out_of_memory(size_t bytes) {
  MemoryStats now = stats();
  std::string limit = now.limit > 0 ? str(", limit ", Readable{now.limit}) : "";
  fail(ErrorKind::memory, "out of memory: asked for ", Readable{static_cast<int64_t>(bytes)}, " on ", ctx_, "; ",
       Readable{now.in_use}, " in use, ", Readable{now.cached}, " cached", limit);
}

}  // namespace mxnet::storage

// Memory pools, one per device: blocks are reused, never handed back to the system in a steady loop.
#pragma once
#include <cstddef>
#include <cstdint>

#include "mxnet/device/context.h"

namespace mxnet {

struct MemoryStats {
  int64_t in_use = 0;              // bytes in blocks handed out
  int64_t cached = 0;              // bytes in free blocks kept for reuse
  int64_t peak = 0;                // highest in_use since the start or the last reset_peak
  int64_t limit = 0;               // bound on in_use + cached; 0 = none
  int64_t allocations = 0;         // blocks handed out so far
  int64_t system_allocations = 0;  // blocks taken from the system so far
};

// A block of memory; `bytes` is what was asked for, `capacity` what the pool gave (a size class).
struct Block {
  void* data = nullptr;
  size_t bytes = 0;
  size_t capacity = 0;
  Context ctx{};
};

namespace storage {

// At least 64-byte aligned, not zeroed. 0 bytes give a null block. When the system or the limit refuses,
// the cache is emptied and the request tried again; then an Error of kind memory is raised:
// "out of memory: asked for 4.0 GiB on cpu(0); 1.2 GiB in use, 0 B cached, limit 2.0 GiB".
Block allocate(size_t bytes, Context ctx);
void release(const Block& block) noexcept;

MemoryStats stats(Context ctx);
void reset_peak(Context ctx);
void set_limit(Context ctx, int64_t bytes);  // 0 = none; MXNET_CPU_MEM_POOL_LIMIT sets the cpu's at start
void empty_cache(Context ctx);               // gives every cached block back to the system

// What a device library brings: memory of device number `device`, null when there is no room. Both may be
// called from any thread; `bytes` is the same in both calls for one block.
using DeviceAllocate = void* (*)(size_t bytes, int32_t device);
using DeviceFree = void (*)(void* data, size_t bytes, int32_t device);

// Until this is called the gpu has no memory and cpu_pinned is plain memory; a context whose plain blocks
// are in use at the time of the call stays with plain memory.
void register_device_allocator(DeviceType type, DeviceAllocate allocate, DeviceFree free);

}  // namespace storage
}  // namespace mxnet

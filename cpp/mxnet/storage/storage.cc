#include "mxnet/storage/storage.h"

#include <pthread.h>

#include <array>
#include <cstdlib>
#include <mutex>

#include "mxnet/base/error.h"
#include "mxnet/device/gpu.h"
#include "mxnet/storage/pool.h"

namespace mxnet::storage {
namespace {

constexpr int kDeviceTypes = 6;  // indexed by the numbers of DeviceType

// Every pool there is. Never destroyed: arrays may be released while the process ends.
struct Registry {
  std::mutex mutex;  // for growing the lists and for `sources`; reading them takes no lock
  std::array<std::atomic<Pool*>, kDeviceTypes> pools{};
  std::array<Source, kDeviceTypes> sources{};
};

Registry& registry() {
  static Registry& instance = *new Registry;
  return instance;
}

template <class F>
void for_each_pool(Registry& all, const F& visit) {
  for (auto& head : all.pools)
    for (Pool* pool = head.load(std::memory_order_acquire); pool; pool = pool->next.load(std::memory_order_acquire))
      visit(*pool);
}

// The locks are taken for the fork: another thread may be inside the pool, and its half of the work would
// be missing in the child.
const int fork_handlers = pthread_atfork(
    [] {
      registry().mutex.lock();
      for_each_pool(registry(), [](Pool& pool) { pool.lock().lock(); });
    },
    [] {
      for_each_pool(registry(), [](Pool& pool) { pool.lock().unlock(); });
      registry().mutex.unlock();
    },
    [] {
      for_each_pool(registry(), [](Pool& pool) { pool.lock().unlock(); });
      registry().mutex.unlock();
    });

int64_t initial_limit(Context ctx) {
  const char* wish = ctx.type == DeviceType::cpu ? std::getenv("MXNET_CPU_MEM_POOL_LIMIT") : nullptr;
  return wish ? std::strtoll(wish, nullptr, 10) : 0;
}

Pool& add_pool(Context ctx) {
  // Opening the device library registers its memory, which must be done before the lock is taken.
  if (!ctx.on_host()) check_gpu(ctx.id);
  if (ctx.type == DeviceType::cpu_pinned) gpu_library();
  Registry& all = registry();
  int type = static_cast<int>(ctx.type);
  std::lock_guard lock(all.mutex);
  std::atomic<Pool*>* link = &all.pools[type];
  for (Pool* pool; (pool = link->load(std::memory_order_relaxed)); link = &pool->next)
    if (pool->ctx().id == ctx.id) return *pool;
  Source source = all.sources[type];
  if (!source.allocate) source = host_source();
  Pool* pool = new Pool(ctx, source);
  pool->set_limit(initial_limit(ctx));
  link->store(pool, std::memory_order_release);
  return *pool;
}

Pool* find_pool(Context ctx) {
  Pool* pool = registry().pools[static_cast<int>(ctx.type)].load(std::memory_order_acquire);
  while (pool && pool->ctx().id != ctx.id) pool = pool->next.load(std::memory_order_acquire);
  return pool;
}

Pool& pool_of(Context ctx) {
  Pool* pool = find_pool(ctx);
  return pool ? *pool : add_pool(ctx);
}

}  // namespace

Block allocate(size_t bytes, Context ctx) { return pool_of(ctx).allocate(bytes); }

void release(const Block& block) noexcept {
  if (Pool* pool = block.data ? find_pool(block.ctx) : nullptr) pool->release(block);
}

MemoryStats stats(Context ctx) {
  Pool* pool = find_pool(ctx);
  return pool ? pool->stats() : MemoryStats{};
}

void reset_peak(Context ctx) {
  if (Pool* pool = find_pool(ctx)) pool->reset_peak();
}

void set_limit(Context ctx, int64_t bytes) { pool_of(ctx).set_limit(bytes); }

void empty_cache(Context ctx) {
  if (Pool* pool = find_pool(ctx)) pool->empty_cache();
}

void register_device_allocator(DeviceType type, DeviceAllocate allocate, DeviceFree free) {
  Registry& all = registry();
  Source source{allocate, free};
  std::lock_guard lock(all.mutex);
  all.sources[static_cast<int>(type)] = source;
  for_each_pool(all, [&](Pool& pool) {
    if (pool.ctx().type == type) pool.set_source(source);
  });
}

}  // namespace mxnet::storage

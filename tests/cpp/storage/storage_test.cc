#include "mxnet/storage/storage.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "mxnet/base/error.h"
#include "mxnet/storage/pool.h"

namespace mxnet::test {
namespace {

// Contexts of their own keep the tests' numbers apart.
Context fresh_context() {
  static int32_t id = 100;
  return Context::cpu(++id);
}

TEST_CASE("storage: size classes cover every size with little waste") {
  int last = -1;
  for (size_t bytes = 1; bytes < size_t{1} << 40; bytes += 1 + bytes / 50) {
    storage::SizeClass c = storage::size_class(bytes);
    CHECK(c.capacity >= bytes);
    CHECK(c.capacity % 64 == 0);
    CHECK(c.capacity - bytes < std::max<size_t>(64, bytes / (bytes <= storage::kLarge ? 4 : 8) + 1));
    CHECK(c.index >= last);
    CHECK(c.index < storage::kClasses);
    storage::SizeClass same = storage::size_class(c.capacity);
    CHECK(same.index == c.index);
    CHECK(same.capacity == c.capacity);
    last = c.index;
  }
  CHECK(storage::size_class(storage::kMaxBytes).index == storage::kClasses - 1);
}

TEST_CASE("storage: blocks are aligned, distinct and can be written") {
  Context ctx = fresh_context();
  std::vector<Block> blocks;
  for (size_t bytes : {1, 63, 64, 65, 1000, 4096, 100000, 1 << 20, (1 << 20) + 1, 5000000}) {
    Block block = storage::allocate(bytes, ctx);
    CHECK(reinterpret_cast<uintptr_t>(block.data) % (bytes >= storage::kLarge ? 2 << 20 : 64) == 0);
    CHECK(block.bytes == bytes);
    CHECK(block.capacity >= bytes);
    CHECK(block.ctx == ctx);
    std::memset(block.data, static_cast<int>(blocks.size()), bytes);
    blocks.push_back(block);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    auto* data = static_cast<unsigned char*>(blocks[i].data);
    CHECK(data[0] == i);
    CHECK(data[blocks[i].bytes - 1] == i);
    storage::release(blocks[i]);
  }
  storage::empty_cache(ctx);
}

TEST_CASE("storage: no bytes give a null block") {
  Block block = storage::allocate(0, Context::cpu());
  CHECK(block.data == nullptr);
  CHECK(block.capacity == 0);
  storage::release(block);
}

TEST_CASE("storage: the statistics follow every step") {
  Context ctx = fresh_context();
  CHECK(storage::stats(ctx).allocations == 0);
  Block a = storage::allocate(100, ctx), b = storage::allocate(5000, ctx);
  int64_t both = static_cast<int64_t>(a.capacity + b.capacity);
  MemoryStats now = storage::stats(ctx);
  CHECK(now.in_use == both);
  CHECK(now.cached == 0);
  CHECK(now.peak == both);
  CHECK(now.allocations == 2);
  CHECK(now.system_allocations == 2);
  storage::release(b);
  now = storage::stats(ctx);
  CHECK(now.in_use == static_cast<int64_t>(a.capacity));
  CHECK(now.cached == static_cast<int64_t>(b.capacity));
  CHECK(now.peak == both);
  storage::reset_peak(ctx);
  CHECK(storage::stats(ctx).peak == static_cast<int64_t>(a.capacity));
  Block again = storage::allocate(4900, ctx);
  CHECK(again.data == b.data);
  CHECK(storage::stats(ctx).system_allocations == 2);
  CHECK(storage::stats(ctx).allocations == 3);
  storage::release(again);
  storage::empty_cache(ctx);
  now = storage::stats(ctx);
  CHECK(now.cached == 0);
  CHECK(now.in_use == static_cast<int64_t>(a.capacity));
  storage::release(a);
}

TEST_CASE("storage: a steady loop takes nothing from the system and meets no page fault") {
  Context ctx = fresh_context();
  auto step = [&](size_t bytes) {
    Block a = storage::allocate(bytes, ctx), b = storage::allocate(bytes, ctx);
    std::memset(a.data, 1, bytes), std::memset(b.data, 2, bytes);
    storage::release(a), storage::release(b);
  };
  auto faults = [] {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_minflt;
  };
  step(40'000'000), step(1000);
  int64_t taken = storage::stats(ctx).system_allocations;
  [[maybe_unused]] long before = faults();
  for (int i = 0; i < 10; ++i) step(40'000'000), step(1000);
  [[maybe_unused]] long after = faults();
  CHECK(storage::stats(ctx).system_allocations == taken);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // their shadow memory faults
  CHECK(after == before);
#endif
  storage::empty_cache(ctx);
}

TEST_CASE("storage: a large request takes a somewhat larger free block") {
  Context ctx = fresh_context();
  Block large = storage::allocate(9 << 20, ctx);
  storage::release(large);
  Block fits = storage::allocate((8 << 20) - 100, ctx);
  CHECK(fits.data == large.data);
  CHECK(fits.capacity == large.capacity);
  Block small = storage::allocate(4 << 20, ctx);
  storage::release(fits);
  Block too_small = storage::allocate(5 << 20, ctx);
  CHECK(too_small.data != large.data);
  for (const Block& block : {small, too_small}) storage::release(block);
  CHECK(storage::stats(ctx).in_use == 0);
  storage::empty_cache(ctx);
}

std::string message_of(size_t bytes, Context ctx) {
  try {
    storage::release(storage::allocate(bytes, ctx));
  } catch (const Error& error) {
    CHECK(error.kind() == (ctx.on_host() ? ErrorKind::memory : ErrorKind::runtime));
    return error.what();
  }
  return "";
}

TEST_CASE("storage: beyond the limit an error is raised and the pool stays usable") {
  Context ctx = fresh_context();
  storage::set_limit(ctx, 4 << 20);
  Block kept = storage::allocate(1 << 20, ctx);
  storage::release(storage::allocate(2 << 20, ctx));
  CHECK(message_of(3 << 20, ctx) == "");  // the cache made room
  CHECK(message_of(3500 << 10, ctx) ==
        "out of memory: asked for 3.4 MiB on " + str(ctx) + "; 1.0 MiB in use, 0 B cached, limit 4.0 MiB");
  CHECK(storage::stats(ctx).in_use == 1 << 20);
  CHECK(message_of(1 << 20, ctx) == "");
  storage::set_limit(ctx, 0);
  CHECK(message_of(8 << 20, ctx) == "");
  storage::release(kept);
  storage::empty_cache(ctx);
  CHECK(message_of(size_t{1} << 46, ctx) ==
        "out of memory: asked for 64.0 TiB on " + str(ctx) + "; 0 B in use, 0 B cached");
  CHECK(message_of(~size_t{0} >> 1, ctx).starts_with("out of memory: asked for 8192.0 PiB"));
}

TEST_CASE("storage: without a device library there is no gpu") {
  CHECK(message_of(10, Context::gpu(3)) ==
        "gpu(3): no GPU is available (libmxnet_cuda is not installed or no driver was found)");
  CHECK(storage::stats(Context::gpu(3)).in_use == 0);
  Block pinned = storage::allocate(10, {DeviceType::cpu_pinned, 0});
  CHECK(pinned.data != nullptr);
  storage::release(pinned);
}

int device_blocks = 0;

TEST_CASE("storage: a registered allocator serves its device") {
  Context ctx{DeviceType::cpu_shared, 0};
  Block plain = storage::allocate(100, ctx);
  auto allocate = [](size_t bytes, int32_t) { return ++device_blocks, std::aligned_alloc(64, bytes); };
  auto free_block = [](void* data, size_t, int32_t) { --device_blocks, std::free(data); };
  storage::register_device_allocator(DeviceType::cpu_shared, allocate, free_block);
  Block block = storage::allocate(100, {DeviceType::cpu_shared, 1});
  CHECK(device_blocks == 1);
  storage::release(block);
  storage::empty_cache(block.ctx);
  CHECK(device_blocks == 0);
  storage::release(plain);
  storage::empty_cache(ctx);
}

TEST_CASE("storage: threads share a pool") {
  Context ctx = fresh_context();
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<Block> held;
      for (int i = 0; i < 5000; ++i) {
        if (held.size() > 20 || (random() % 2 && !held.empty())) {
          std::swap(held[random() % held.size()], held.back());
          CHECK(*static_cast<uint32_t*>(held.back().data) == t);
          storage::release(held.back());
          held.pop_back();
        } else {
          held.push_back(storage::allocate(4 + random() % 20000, ctx));
          *static_cast<uint32_t*>(held.back().data) = t;
        }
        if (i % 1000 == 0) storage::empty_cache(ctx);
      }
      for (const Block& block : held) storage::release(block);
    });
  }
  for (std::thread& thread : threads) thread.join();
  MemoryStats now = storage::stats(ctx);
  CHECK(now.in_use == 0);
  storage::empty_cache(ctx);
  CHECK(storage::stats(ctx).cached == 0);
}

TEST_CASE("storage: a forked child can use the pool whatever other threads do") {
  Context ctx = fresh_context();
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) storage::release(storage::allocate(1000, ctx));
  });
  for (int round = 0; round < 10; ++round) {
    pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < 100; ++i) storage::release(storage::allocate(1000, ctx));
      _exit(0);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  stop = true;
  busy.join();
}

}  // namespace
}  // namespace mxnet::test

#include "mxnet/storage/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "mxnet/storage/pool.h"

namespace mxnet::storage {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kAlignment = 64;

// Maps more than needed and gives the ends back, since mmap itself aligns to small pages only.
void* map_aligned(size_t bytes) {
  size_t mapped = bytes + kHugePage;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(raw);
  char* data = begin + (-reinterpret_cast<uintptr_t>(begin) & (kHugePage - 1));
  if (data > begin) munmap(begin, static_cast<size_t>(data - begin));
  munmap(data + bytes, static_cast<size_t>(begin + mapped - (data + bytes)));
  madvise(data, bytes, MADV_HUGEPAGE);  // only a wish: small pages work too
  return data;
}

}  // namespace

void* allocate_host(size_t bytes, int32_t) {
  return bytes >= kLarge ? map_aligned(bytes) : std::aligned_alloc(kAlignment, bytes);
}

void free_host(void* data, size_t bytes, int32_t) {
  if (bytes >= kLarge)
    munmap(data, bytes);
  else
    std::free(data);
}

Source host_source() { return {allocate_host, free_host}; }

int64_t host_memory_bytes() {
  static const int64_t bytes = [] {
    int64_t physical = int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
    int64_t allowed = 0;
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"})
      if (std::ifstream file(path); file >> allowed && allowed > 0) physical = std::min(physical, allowed);
    return physical;
  }();
  return bytes;
}

}  // namespace mxnet::storage

// Taking host memory from the system.
#pragma once
#include <cstddef>
#include <cstdint>

namespace mxnet::storage {

// 64-byte aligned, or aligned to a huge page from 1 MiB on; null when the system refuses.
void* allocate_host(size_t bytes, int32_t device);
void free_host(void* data, size_t bytes, int32_t device);

// What this process may use: the physical memory, or less where its control group says so.
int64_t host_memory_bytes();

}  // namespace mxnet::storage

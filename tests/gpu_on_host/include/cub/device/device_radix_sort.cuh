// CUB's sort of pairs, by the standard library's stable sort.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "cuda_runtime.h"

namespace cub {

struct DeviceRadixSort {
  template <class Key, class Value>
  static cudaError_t SortPairs(void* working, size_t& bytes, const Key* keys, Key* sorted_keys, const Value* values,
                               Value* sorted_values, int64_t n, int begin_bit, int end_bit, cudaStream_t) {
    bytes = 1;
    if (!working) return cudaSuccess;
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    auto digits = [=](int64_t i) {
      Key key = keys[i] >> begin_bit;
      int bits = end_bit - begin_bit;
      return bits < 8 * static_cast<int>(sizeof(Key)) ? key & ((Key{1} << bits) - 1) : key;
    };
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return digits(a) < digits(b); });
    for (int64_t i = 0; i < n; ++i) {
      sorted_keys[i] = keys[order[static_cast<size_t>(i)]];
      sorted_values[i] = values[order[static_cast<size_t>(i)]];
    }
    return cudaSuccess;
  }
};

}  // namespace cub

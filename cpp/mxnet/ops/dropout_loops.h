// Drawing and applying masks of dropped numbers. For *.kernel.cc only.
#pragma once
#include "mxnet/base/dtype.h"
#include "mxnet/ops/dropout.h"
#include "mxnet/ops/random_groups.h"

namespace mxnet {

// A number is kept where its random bits stay below the threshold.
struct DropRule {
  int32_t threshold;  // of 31 random bits
  float scale;

  explicit DropRule(double p)
      : threshold(static_cast<int32_t>((1 - p) * 2147483647.0)), scale(p < 1 ? static_cast<float>(1 / (1 - p)) : 0) {}
};

inline void draw_mask(DropRule rule, Position at, uint8_t* mask, int64_t n) {
  parallel_for(n, kRandomGrain, [&](int64_t begin, int64_t end) {
    each_group(begin, end, at.offset, [&](uint64_t group, int64_t first, int64_t from, int64_t to) {
      uint32_t bits[kPhiloxGroup];
      philox_group(at.key, group, PhiloxUse::bits, bits);
      for (int64_t j = from; j < to; ++j) mask[first + j] = static_cast<int32_t>(bits[j] >> 1) < rule.threshold;
    });
  });
}

template <class T>
void drop(DropRule rule, Position at, const T* x, T* y, uint8_t* mask, int64_t n) {
  using V = compute_t<T>;
  V scale = static_cast<V>(rule.scale);
  parallel_for(n, kRandomGrain, [&](int64_t begin, int64_t end) {
    each_group(begin, end, at.offset, [&](uint64_t group, int64_t first, int64_t from, int64_t to) {
      uint32_t bits[kPhiloxGroup];
      philox_group(at.key, group, PhiloxUse::bits, bits);
      auto part = [&](int64_t low, int64_t high) {
#pragma omp simd
        for (int64_t j = low; j < high; ++j) {
          bool keep = static_cast<int32_t>(bits[j] >> 1) < rule.threshold;
          mask[first + j] = keep;
          y[first + j] = T(keep ? static_cast<V>(x[first + j]) * scale : V(0));
        }
      };
      // A whole group has a length the compiler knows.
      to - from == kPhiloxGroup ? part(0, kPhiloxGroup) : part(from, to);
    });
  });
}

template <class V>
V factor(uint8_t mask, V scale) {
  return mask == kDropoutKept ? scale : mask == kDropoutPassed ? V(1) : V(0);
}

// y = x times what a mask of the same size says.
template <class T>
void apply_drops(DropRule rule, const T* x, const uint8_t* mask, T* y, int64_t n) {
  using V = compute_t<T>;
  V scale = static_cast<V>(rule.scale);
  parallel_for(n, kRandomGrain, [&](int64_t begin, int64_t end) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) y[i] = T(static_cast<V>(x[i]) * factor(mask[i], scale));
  });
}

}  // namespace mxnet

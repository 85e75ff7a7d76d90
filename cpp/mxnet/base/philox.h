// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw 2011): random numbers that are a function of key and counter alone,
// so that every element of an array has its own, whatever thread computes it.
#pragma once
#include <cstdint>

#include "mxnet/base/half.h"

#if defined(__SSE2__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace mxnet {

// Kinds of use keep to counters of their own: the fourth counter word.
enum class PhiloxUse : uint32_t { bits = 0, low_bits = 1, stream = 2 };

struct PhiloxBlock {
  uint32_t word[4];
};

namespace detail {

struct PhiloxKey {
  uint32_t low, high;
};
// One of ten rounds. The multipliers and the key's increments are the generator's definition.
MX_HD inline void philox_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d, PhiloxKey key) {
  uint64_t first = 0xd2511f53ull * a, second = 0xcd9e8d57ull * c;
  uint32_t next_a = static_cast<uint32_t>(second >> 32) ^ b ^ key.low;
  uint32_t next_c = static_cast<uint32_t>(first >> 32) ^ d ^ key.high;
  b = static_cast<uint32_t>(second);
  d = static_cast<uint32_t>(first);
  a = next_a;
  c = next_c;
}
MX_HD inline PhiloxKey next_key(PhiloxKey key) { return {key.low + 0x9e3779b9u, key.high + 0xbb67ae85u}; }

}  // namespace detail

MX_HD inline PhiloxBlock philox(uint64_t key, uint64_t counter, uint32_t sub, PhiloxUse use) {
  uint32_t a = static_cast<uint32_t>(counter), b = static_cast<uint32_t>(counter >> 32), c = sub;
  uint32_t d = static_cast<uint32_t>(use);
  detail::PhiloxKey k{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  for (int round = 0; round < 10; ++round, k = detail::next_key(k)) detail::philox_round(a, b, c, d, k);
  return {{a, b, c, d}};
}

// Numbers come in groups of 64: number j of group g is word j / 16 of block 16 g + j % 16, an order in which
// sixteen blocks at a time go through vector registers.
inline constexpr int64_t kPhiloxGroup = 64;

#ifndef __CUDACC__
namespace detail {

// Words of several blocks, each in the low half of 64 bits; what the upper halves hold never matters.
#if defined(__AVX512F__)
typedef uint64_t PhiloxLanes __attribute__((vector_size(64)));
inline PhiloxLanes multiply_low(PhiloxLanes a, PhiloxLanes b) {
  return (PhiloxLanes)_mm512_maskz_mul_epu32(0xff, (__m512i)a, (__m512i)b);
}
#elif defined(__AVX2__)
typedef uint64_t PhiloxLanes __attribute__((vector_size(32)));
inline PhiloxLanes multiply_low(PhiloxLanes a, PhiloxLanes b) {
  return (PhiloxLanes)_mm256_mul_epu32((__m256i)a, (__m256i)b);
}
#elif defined(__SSE2__)
typedef uint64_t PhiloxLanes __attribute__((vector_size(16)));
inline PhiloxLanes multiply_low(PhiloxLanes a, PhiloxLanes b) {
  return (PhiloxLanes)_mm_mul_epu32((__m128i)a, (__m128i)b);
}
#else
typedef uint64_t PhiloxLanes __attribute__((vector_size(16)));
inline PhiloxLanes multiply_low(PhiloxLanes a, PhiloxLanes b) { return (a & 0xffffffff) * (b & 0xffffffff); }
#endif

}  // namespace detail

inline void philox_group(uint64_t key, uint64_t group, PhiloxUse use, uint32_t (&out)[kPhiloxGroup]) {
  using Lanes = detail::PhiloxLanes;
  constexpr int kWidth = sizeof(Lanes) / sizeof(uint64_t), kBlocks = 16, kVectors = kBlocks / kWidth;
  Lanes a[kVectors] = {}, b[kVectors] = {}, c[kVectors] = {}, d[kVectors] = {}, steps = {};
  for (int i = 0; i < kWidth; ++i) steps[i] = static_cast<uint64_t>(i);
  for (int v = 0; v < kVectors; ++v) {
    a[v] = steps + (group * kBlocks + static_cast<uint64_t>(v * kWidth));
    b[v] = a[v] >> 32;
    d[v] += static_cast<uint64_t>(use);
  }
  detail::PhiloxKey k{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)};
  const Lanes first_factor = Lanes{} + 0xd2511f53ull, second_factor = Lanes{} + 0xcd9e8d57ull;
  for (int round = 0; round < 10; ++round, k = detail::next_key(k)) {
    for (int v = 0; v < kVectors; ++v) {
      Lanes first = detail::multiply_low(a[v], first_factor), second = detail::multiply_low(c[v], second_factor);
      a[v] = (second >> 32) ^ b[v] ^ static_cast<uint64_t>(k.low);
      c[v] = (first >> 32) ^ d[v] ^ static_cast<uint64_t>(k.high);
      b[v] = second;
      d[v] = first;
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    for (int i = 0; i < kWidth; ++i) {
      out[v * kWidth + i] = static_cast<uint32_t>(a[v][i]);
      out[kBlocks + v * kWidth + i] = static_cast<uint32_t>(b[v][i]);
      out[2 * kBlocks + v * kWidth + i] = static_cast<uint32_t>(c[v][i]);
      out[3 * kBlocks + v * kWidth + i] = static_cast<uint32_t>(d[v][i]);
    }
  }
}
#endif

// As many numbers as one element needs, for distributions drawn by rejection.
class PhiloxStream {
 public:
  MX_HD PhiloxStream(uint64_t key, uint64_t counter) : key_(key), counter_(counter) {}

  MX_HD uint32_t bits() {
    if (next_ == 4) {
      block_ = philox(key_, counter_, sub_++, PhiloxUse::stream);
      next_ = 0;
    }
    return block_.word[next_++];
  }
  MX_HD uint64_t bits64() {
    uint64_t high = bits();
    return high << 32 | bits();
  }
  // In (0, 1), never an end.
  MX_HD double uniform() { return (static_cast<double>(bits64() >> 12) + 0.5) * 0x1p-52; }

 private:
  uint64_t key_, counter_;
  uint32_t sub_ = 0;
  int next_ = 4;
  PhiloxBlock block_{};
};

}  // namespace mxnet

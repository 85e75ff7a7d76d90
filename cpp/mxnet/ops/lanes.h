// Vectors of the width the kernels are compiled for, loaded from any element type. For *.kernel.cc only.
#pragma once
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "mxnet/base/dtype.h"
#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace mxnet {

#if defined(__AVX512F__)
inline constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVectorBytes = 32;
#else
inline constexpr int kVectorBytes = 16;
#endif

template <class L, int bytes = kVectorBytes>
struct VecType {
  typedef L type __attribute__((vector_size(bytes)));
};
template <class L>
using Vec = typename VecType<L>::type;
// As many elements of T as a Vec<L> has lanes.
template <class T, class L>
using Narrow = typename VecType<T, kVectorBytes / sizeof(L) * sizeof(T)>::type;

template <class L>
inline constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(L));

// The type kernels compare elements of T in: lanes of 4 or 8 bytes.
template <class T>
using lane_t = std::conditional_t<std::is_same_v<compute_t<T>, float> || std::is_same_v<T, double> || sizeof(T) == 8,
                                  compute_t<T>, int32_t>;
// A signed integer as wide as the lane, which is what comparing lanes gives.
template <class L>
using lane_index_t = std::conditional_t<sizeof(L) == 4, int32_t, int64_t>;

template <class V, class L>
inline V splat(L value) {
  if constexpr (std::is_same_v<V, L>)
    return value;
  else
    return V{} + value;
}

// kLanes<L> elements from p, converted to L.
template <class L, class T>
inline Vec<L> load(const T* p) {
  Vec<L> v;
  if constexpr (std::is_same_v<T, L>) {
    std::memcpy(&v, p, sizeof v);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    Narrow<uint16_t, float> half;
    std::memcpy(&half, p, sizeof half);
    Vec<uint32_t> word = __builtin_convertvector(half, Vec<uint32_t>) << 16;
    std::memcpy(&v, &word, sizeof v);
  } else if constexpr (std::is_same_v<T, Float16>) {
#if defined(__AVX512F__)
    v = reinterpret_cast<Vec<L>>(
        _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__F16C__)
    v = reinterpret_cast<Vec<L>>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
    for (int i = 0; i < kLanes<L>; ++i) v[i] = static_cast<float>(p[i]);
#endif
  } else {
    using Plain = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;
    Narrow<Plain, L> narrow;
    std::memcpy(&narrow, p, sizeof narrow);
    v = __builtin_convertvector(narrow, Vec<L>);
  }
  return v;
}

template <class V, class T>
inline void store(T* p, const V& v) {
  std::memcpy(p, &v, sizeof v);
}

// The first n < kLanes<L> elements from p, `rest` in the other lanes.
template <class L>
inline Vec<L> load_part(const L* p, int64_t n, L rest) {
  Vec<L> v = splat<Vec<L>>(rest);
  std::memcpy(&v, p, static_cast<size_t>(n) * sizeof(L));
  return v;
}

// Converts n elements. To be called by blocks: `to` has room for a whole number of vectors.
template <class L, class T>
void widen(const void* from, L* to, int64_t n) {
  const T* p = static_cast<const T*>(from);
  int64_t i = 0;
  for (; i + kLanes<L> <= n; i += kLanes<L>) store(to + i, load<L>(p + i));
  for (; i < n; ++i) to[i] = static_cast<L>(p[i]);
}

// Folds the lanes of v into one with f, by halves.
template <class L, class F>
inline L fold_lanes(Vec<L> v, const F& f) {
  using I = lane_index_t<L>;
  Vec<I> lane;
  for (int i = 0; i < kLanes<L>; ++i) lane[i] = i;
  for (int half = kLanes<L> / 2; half > 0; half /= 2) v = f(v, __builtin_shuffle(v, lane ^ static_cast<I>(half)));
  return v[0];
}

}  // namespace mxnet

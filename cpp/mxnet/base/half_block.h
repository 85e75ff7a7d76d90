// 16-bit floats to and from float, many at a time, with the CPU's instructions where it has them.
#pragma once
#include "mxnet/base/half.h"

#if defined(__F16C__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

namespace mxnet {

inline void widen(const BFloat16* from, float* to, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}
inline void narrow(const float* from, BFloat16* to, int64_t n) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] = BFloat16(from[i]);
}
inline void widen(const Float16* from, float* to, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__) && !defined(__CUDACC__)
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
#endif
  for (; i < n; ++i) to[i] = from[i];
}
inline void narrow(const float* from, Float16* to, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__) && !defined(__CUDACC__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT));
#endif
  for (; i < n; ++i) to[i] = Float16(from[i]);
}

}  // namespace mxnet

#include "mxnet/ndarray/cast.h"

#include "mxnet/base/half_block.h"
#include "mxnet/ndarray/convert.h"

#ifndef MXNET_ISA_LEVEL
#define MXNET_ISA_LEVEL 0
#endif

namespace mxnet {
namespace {

template <class T>
inline constexpr bool is_half = std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

// Each element is read before it is written, so `to` may be `from` where the widths are equal.
template <class To, class From>
void cast_loop(const From* from, To* to, int64_t n) {
  if constexpr (is_half<From> && std::is_same_v<To, float>) {
    widen(from, to, n);
  } else if constexpr (std::is_same_v<From, float> && is_half<To>) {
    narrow(from, to, n);
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) to[i] = To(convert<compute_t<To>>(static_cast<compute_t<From>>(from[i])));
  }
}

void cast_range(const char* from, DType from_dtype, char* to, DType to_dtype, int64_t n) {
  dispatch_all(from_dtype, [&]<class From>() {
    dispatch_all(to_dtype,
                 [&]<class To>() { cast_loop(reinterpret_cast<const From*>(from), reinterpret_cast<To*>(to), n); });
  });
}

const bool registered = register_cast(MXNET_ISA_LEVEL, cast_range);

}  // namespace
}  // namespace mxnet

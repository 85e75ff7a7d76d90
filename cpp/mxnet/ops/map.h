// A loop over arrays of one element type whose body may hold parameters: 16-bit elements are computed in float,
// converted a block at a time. For *.kernel.cc.
#pragma once
#include <tuple>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"

namespace mxnet {

template <class Out, class Body, class... In>
[[gnu::flatten]] inline void map_loop(int64_t n, Out* out, Body body, const In*... in) {  // own copy: not aliased
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) out[i] = body(in[i]...);
}

// out[i] = body(in[i]...) in the calling thread.
template <class T, class Body, class... In>
void map_range(int64_t n, T* out, const Body& body, const In*... in) {
  if constexpr (std::is_same_v<T, compute_t<T>>) {
    map_loop(n, out, body, in...);
  } else {
    constexpr int64_t kSpan = 1024;
    float result[kSpan], wide[sizeof...(In)][kSpan];
    for (int64_t i = 0; i < n; i += kSpan) {
      int64_t m = std::min(kSpan, n - i);
      int k = 0;
      (cast_elements(in + i, dtype_of<T>, wide[k++], DType::float32, m), ...);
      [&]<size_t... K>(std::index_sequence<K...>) {
        map_loop(m, result, body, wide[K]...);
      }(std::index_sequence_for<In...>());
      cast_elements(result, DType::float32, out + i, dtype_of<T>, m);
    }
  }
}

template <class T, class Body, class... In>
void map_elements(int64_t n, T* out, const Body& body, const In*... in) {
  parallel_for(n, 32768, [&](int64_t begin, int64_t end) { map_range(end - begin, out + begin, body, in + begin...); });
}

}  // namespace mxnet

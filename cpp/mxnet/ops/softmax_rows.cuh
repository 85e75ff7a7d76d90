// The softmax kernels. Not run on hardware; it holds kernels only, so that the tests can run them on the host.
#pragma once
#include <limits>

#include "mxnet/base/math.h"
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/block_reduce.cuh"

namespace mxnet::cuda {

// Blocks have (width, kReduceThreads / width) threads: `width` rows side by side, several threads for each.
inline int softmax_width(const AxisView& v) { return v.inner == 1 && v.count >= 128 ? 1 : 32; }
inline int64_t softmax_blocks(const AxisView& v, int width) { return (v.outer * v.inner + width - 1) / width; }

// Where row `row` starts; its elements are `inner` apart.
MX_HD inline int64_t row_start(const AxisView& v, int64_t row) {
  return row / v.inner * v.count * v.inner + row % v.inner;
}

// x.load<V>(i) and y.store(i, value) reach the elements; length(row) says how much of a row counts.
template <class V, class In, class Out, class Length>
__global__ void softmax_kernel(AxisView v, In in, Out out, Length length, V scale, bool logarithm) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  for (int64_t block = blockIdx.x; block < (v.outer * v.inner + width - 1) / width; block += gridDim.x) {
    int64_t row = block * width + threadIdx.x, start = row_start(v, row);
    bool inside = row < v.outer * v.inner;
    int64_t n = inside ? length(row) : 0;
    V top = -std::numeric_limits<V>::infinity();
    for (int64_t j = threadIdx.y; j < n; j += height) {
      V x = in.template load<V>(start + j * v.inner) * scale;
      top = x > top ? x : top;
    }
    top = join_threads(shared, top, [](V a, V b) { return a > b ? a : b; });
    V sum = 0;
    for (int64_t j = threadIdx.y; j < n; j += height)
      sum += exp(in.template load<V>(start + j * v.inner) * scale - top);
    sum = join_threads(shared, sum, [](V a, V b) { return a + b; });
    V shift = top + log(sum);
    for (int64_t j = threadIdx.y; inside && j < v.count; j += height) {
      int64_t at = start + j * v.inner;
      V x = in.template load<V>(at) * scale;
      out.store(at, j >= n ? V(0) : logarithm ? x - shift : exp(x - top) / sum);
    }
  }
}

// dx = scale y (dy - sum(dy y)), for logarithms scale (dy - e^y sum(dy)).
template <class V, class In, class Out>
__global__ void softmax_backward_kernel(AxisView v, In dy, In y, Out dx, V scale, bool logarithm) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  for (int64_t block = blockIdx.x; block < (v.outer * v.inner + width - 1) / width; block += gridDim.x) {
    int64_t row = block * width + threadIdx.x, start = row_start(v, row);
    int64_t n = row < v.outer * v.inner ? v.count : 0;
    V sum = 0;
    for (int64_t j = threadIdx.y; j < n; j += height) {
      V slope = dy.template load<V>(start + j * v.inner);
      sum += logarithm ? slope : slope * y.template load<V>(start + j * v.inner);
    }
    sum = join_threads(shared, sum, [](V a, V b) { return a + b; });
    for (int64_t j = threadIdx.y; j < n; j += height) {
      int64_t at = start + j * v.inner;
      V slope = dy.template load<V>(at), value = y.template load<V>(at);
      dx.store(at, scale * (logarithm ? slope - exp(value) * sum : value * (slope - sum)));
    }
  }
}

}  // namespace mxnet::cuda

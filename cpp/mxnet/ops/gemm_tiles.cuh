// The matrix product kernel for element types that cuBLAS does not serve. Not run on hardware; it holds kernels
// only, so that the tests can run them on the host.
#pragma once
#include "mxnet/ndarray/convert.h"
#include "mxnet/ops/gemm.h"

namespace mxnet::cuda {

inline constexpr int kTile = 16;

// A tile of C for each block, over tiles of A and B in shared memory; Sum is the type it adds up in.
template <class T, class Sum>
__global__ void gemm_kernel(Gemm g) {
  __shared__ Sum a_tile[kTile][kTile + 1], b_tile[kTile][kTile + 1];
  int64_t tiles_m = (g.m + kTile - 1) / kTile, tiles_n = (g.n + kTile - 1) / kTile;
  int y = threadIdx.y, x = threadIdx.x;
  for (int64_t tile = blockIdx.x; tile < tiles_m * tiles_n * g.batch; tile += gridDim.x) {
    int64_t item = tile / (tiles_m * tiles_n), in_item = tile % (tiles_m * tiles_n);
    int64_t row = in_item / tiles_n * kTile + y, column = in_item % tiles_n * kTile + x;
    const T* a = static_cast<const T*>(g.a) + item * g.stride_a;
    const T* b = static_cast<const T*>(g.b) + item * g.stride_b;
    Sum sum = 0;
    for (int64_t first = 0; first < g.k; first += kTile) {
      int64_t ka = first + x, kb = first + y;
      bool in_a = row < g.m && ka < g.k, in_b = column < g.n && kb < g.k;
      a_tile[y][x] = in_a ? static_cast<Sum>(a[g.trans_a ? ka * g.lda + row : row * g.lda + ka]) : Sum(0);
      b_tile[y][x] = in_b ? static_cast<Sum>(b[g.trans_b ? column * g.ldb + kb : kb * g.ldb + column]) : Sum(0);
      __syncthreads();
      for (int k = 0; k < kTile; ++k) sum += a_tile[y][k] * b_tile[k][x];
      __syncthreads();
    }
    if (row >= g.m || column >= g.n) continue;
    T* c = static_cast<T*>(g.c) + item * g.stride_c + row * g.ldc + column;
    sum *= static_cast<Sum>(static_cast<int64_t>(g.alpha));
    if (g.beta != 0) sum += static_cast<Sum>(*c) * static_cast<Sum>(static_cast<int64_t>(g.beta));
    *c = convert<T>(sum);
  }
}

}  // namespace mxnet::cuda

// The kernels of the normalisation layers that add up. Not run on hardware; it holds kernels only, so that the tests
// can run them on the host. `Array` reaches elements by load<V>(i) and store(i, value).
#pragma once
#include "mxnet/ops/axis_view.h"
#include "mxnet/ops/block_reduce.cuh"

namespace mxnet::cuda {

struct AddUp {
  template <class V>
  MX_HD V operator()(V a, V b) const {
    return a + b;
  }
};

// Gamma and beta go along the row, or have one entry for each `groups`-th row.
template <class Array>
struct RowNorm {
  AxisView v;
  int64_t groups;
  double eps;
  Array x, gamma, beta, y, mean, deviation;
};

template <class V, class Array>
__global__ void row_norm_kernel(RowNorm<Array> n) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  int64_t rows = n.v.outer * n.v.inner;
  for (int64_t block = blockIdx.x; block < (rows + width - 1) / width; block += gridDim.x) {
    int64_t row = block * width + threadIdx.x, count = row < rows ? n.v.count : 0, step = n.v.inner;
    int64_t start = row / n.v.inner * n.v.count * n.v.inner + row % n.v.inner;
    V sum = 0, squares = 0, length = static_cast<V>(n.v.count);
    for (int64_t j = threadIdx.y; j < count; j += height) sum += n.x.template load<V>(start + j * step);
    V mean = join_threads(shared, sum, AddUp{}) / length;
    for (int64_t j = threadIdx.y; j < count; j += height) {
      V d = n.x.template load<V>(start + j * step) - mean;
      squares += d * d;
    }
    double variance = static_cast<double>(join_threads(shared, squares, AddUp{}) / length);
    V deviation = static_cast<V>(::sqrt(variance + n.eps)), inverse = V(1) / deviation;
    if (row < rows && threadIdx.y == 0) n.mean.store(row, mean), n.deviation.store(row, deviation);
    for (int64_t j = threadIdx.y; j < count; j += height) {
      int64_t at = start + j * step, k = n.groups == 0 ? j : row % n.groups;
      n.y.store(at,
                (n.x.template load<V>(at) - mean) * inverse * n.gamma.template load<V>(k) + n.beta.template load<V>(k));
    }
  }
}

template <class Array>
struct RowNormBackward {
  int64_t rows, length, groups;
  Array dy, x, gamma, mean, deviation, dx;
};

template <class V, class Array>
__global__ void row_norm_backward_kernel(RowNormBackward<Array> n) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  for (int64_t block = blockIdx.x; block < (n.rows + width - 1) / width; block += gridDim.x) {
    int64_t row = block * width + threadIdx.x, length = row < n.rows ? n.length : 0, start = row * n.length;
    V m = 0, inverse = 0, sum = 0, product = 0, count = static_cast<V>(n.length);
    if (row < n.rows) m = n.mean.template load<V>(row), inverse = V(1) / n.deviation.template load<V>(row);
    auto gradient = [&](int64_t j) {  // of the normalised element
      return n.dy.template load<V>(start + j) * n.gamma.template load<V>(n.groups == 0 ? j : row % n.groups);
    };
    for (int64_t j = threadIdx.y; j < length; j += height) {
      V g = gradient(j);
      sum += g;
      product += g * (n.x.template load<V>(start + j) - m);
    }
    V offset = join_threads(shared, sum, AddUp{}) / count;
    V slope = join_threads(shared, product, AddUp{}) * inverse * inverse / count;
    for (int64_t j = threadIdx.y; j < length; j += height)
      n.dx.store(start + j, inverse * (gradient(j) - offset - (n.x.template load<V>(start + j) - m) * slope));
  }
}

// Which mean and deviation belong to element (i, k, j) of the view around the channels: entry i, i * count + k, or k.
enum class MomentOf { row, row_and_channel, channel };

template <class Array>
struct ChannelSums {
  Array dy, x, mean, deviation, sum, product;
  MomentOf moment;
  bool divide;  // by the deviation; else it is 1 / deviation already
};

// Of each channel the sums of dy and of dy (x - mean) / deviation.
template <class V, class Array>
__global__ void channel_sums_kernel(AxisView v, ChannelSums<Array> s) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  for (int64_t block = blockIdx.x; block < (v.count + width - 1) / width; block += gridDim.x) {
    int64_t channel = block * width + threadIdx.x, count = channel < v.count ? v.outer * v.inner : 0;
    V sum = 0, product = 0;
    for (int64_t e = threadIdx.y; e < count; e += height) {
      int64_t row = e / v.inner, at = (row * v.count + channel) * v.inner + e % v.inner;
      int64_t m = s.moment == MomentOf::row ? row : s.moment == MomentOf::channel ? channel : row * v.count + channel;
      V g = s.dy.template load<V>(at), d = s.x.template load<V>(at) - s.mean.template load<V>(m);
      V deviation = s.deviation.template load<V>(m);
      sum += g;
      product += g * (s.divide ? d / deviation : d * deviation);
    }
    sum = join_threads(shared, sum, AddUp{});
    product = join_threads(shared, product, AddUp{});
    if (channel < v.count && threadIdx.y == 0) s.sum.store(channel, sum), s.product.store(channel, product);
  }
}

// Mean and variance of each channel.
template <class V, class Array>
__global__ void channel_moments_kernel(AxisView v, Array x, Array mean, Array variance) {
  __shared__ V shared[kReduceThreads];
  int width = blockDim.x, height = blockDim.y;
  for (int64_t block = blockIdx.x; block < (v.count + width - 1) / width; block += gridDim.x) {
    int64_t channel = block * width + threadIdx.x, count = channel < v.count ? v.outer * v.inner : 0;
    auto element = [&](int64_t e) {
      return x.template load<V>((e / v.inner * v.count + channel) * v.inner + e % v.inner);
    };
    V sum = 0, squares = 0, length = static_cast<V>(v.outer * v.inner);
    for (int64_t e = threadIdx.y; e < count; e += height) sum += element(e);
    V m = join_threads(shared, sum, AddUp{}) / length;
    for (int64_t e = threadIdx.y; e < count; e += height) squares += (element(e) - m) * (element(e) - m);
    squares = join_threads(shared, squares, AddUp{});
    if (channel < v.count && threadIdx.y == 0) mean.store(channel, m), variance.store(channel, squares / length);
  }
}

}  // namespace mxnet::cuda

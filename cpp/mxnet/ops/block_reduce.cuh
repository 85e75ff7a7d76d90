// The reduction kernel: each block reduces part of some results' elements, over shared memory. Not run on hardware;
// it holds kernels only, so that the tests can run them on the host.
#pragma once
#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/reduction.h"

namespace mxnet::cuda {

// A block has `width` results side by side and `kReduceThreads / width` threads for each of them.
inline constexpr int kReduceThreads = 256;

// Results and the elements each of them comes from, as positions in row-major order over the kept and the
// reduced axes; a result's elements are split into `pieces`, for blocks of their own.
struct ReduceShape {
  StridedAxes kept, reduced;
  int64_t results = 0, count = 0, pieces = 1, piece = 0;
  int width = 1;

  // Long contiguous rows are reduced by whole blocks. Otherwise neighbouring threads have neighbouring results.
  explicit ReduceShape(const ReduceLayout& layout) {
    for (const ReduceAxis& axis : layout.kept) kept.add(axis.count, axis.stride);
    for (const ReduceAxis& axis : layout.reduced) reduced.add(axis.count, axis.stride);
    (layout.inner_reduced ? reduced : kept).add(layout.inner, 1);
    results = layout.num_kept * (layout.inner_reduced ? 1 : layout.inner);
    count = layout.num_reduced * (layout.inner_reduced ? layout.inner : 1);
    width = layout.inner_reduced && count >= 128 ? 1 : 32;
    // Few results of many elements are split, by shape only, so that a result does not depend on the device.
    constexpr int64_t kEnoughBlocks = 512, kLeastPiece = 8192;
    int64_t most = std::max<int64_t>(kEnoughBlocks / std::max<int64_t>(blocks(), 1), 1);
    pieces = std::clamp<int64_t>(count / kLeastPiece, 1, most);
    piece = (count + pieces - 1) / pieces;
  }
  // A matrix whose rows are reduced.
  ReduceShape(int64_t rows, int64_t columns)
      : results(rows), count(columns), piece(columns), width(columns >= 128 ? 1 : 32) {
    kept.add(rows, columns);
    reduced.add(columns, 1);
  }

  MX_HD int64_t blocks() const { return (results + width - 1) / width * pieces; }
};

// The total of the elements [begin, end) by steps: added up in lanes, and these now and then into the wider total.
template <class R, class Load>
MX_HD typename R::Total reduce_strip(const ReduceShape& s, int64_t from, int64_t begin, int64_t end, int step,
                                     const Load& load) {
  using Lane = typename R::Lane;
  using Total = typename R::Total;
  constexpr int kLaneSteps = 256;
  Total total = static_cast<Total>(R::identity);
  bool narrow = s.count <= INT32_MAX;
  for (int64_t i = begin; i < end;) {
    Lane lane = R::identity;
    for (int k = 0; k < kLaneSteps && i < end; ++k, i += step) {
      int64_t at =
          narrow ? s.reduced.offsets(static_cast<uint32_t>(i)).a : s.reduced.offsets(static_cast<uint64_t>(i)).a;
      lane = R::step(lane, R::map(load(from + at)));
    }
    total = R::step(total, static_cast<Total>(lane));
  }
  return total;
}

// Joins the values of the threads that work on one result; all of them get what comes out. `shared` has room for
// the block's values.
template <class V, class Step>
__device__ inline V join_threads(V* shared, V value, const Step& step) {
  int width = blockDim.x, x = threadIdx.x, y = threadIdx.y;
  shared[y * width + x] = value;
  __syncthreads();
  for (int half = blockDim.y / 2; half > 0; half /= 2) {
    if (y < half) shared[y * width + x] = step(shared[y * width + x], shared[(y + half) * width + x]);
    __syncthreads();
  }
  V joined = shared[x];
  __syncthreads();  // everybody has read it before the room is used again
  return joined;
}

// load(offset) gives an element as a lane; put(result, piece, total) takes what comes out. Blocks have
// (width, kReduceThreads / width) threads.
template <class R, class Load, class Put>
__global__ void reduce_kernel(ReduceShape s, Load load, Put put) {
  using Total = typename R::Total;
  __shared__ Total totals[kReduceThreads];
  int width = blockDim.x, height = blockDim.y, x = threadIdx.x, y = threadIdx.y;
  for (int64_t block = blockIdx.x; block < s.blocks(); block += gridDim.x) {
    int64_t result = block / s.pieces * width + x, piece = block % s.pieces;
    int64_t begin = piece * s.piece, end = begin + s.piece < s.count ? begin + s.piece : s.count;
    Total total = static_cast<Total>(R::identity);
    if (result < s.results) {
      int64_t from = s.kept.offsets(static_cast<uint64_t>(result)).a;
      total = reduce_strip<R>(s, from, begin + y, end, height, load);
    }
    total = join_threads(totals, total, [](Total a, Total b) { return R::step(a, b); });
    if (y == 0 && result < s.results) put(result, piece, total);
  }
}

// Joins the totals of pieces: the same reduction without the map.
template <class R>
struct Joined : R {
  using Lane = typename R::Total;
  static constexpr Lane identity = static_cast<Lane>(R::identity);
  template <class V>
  MX_HD static V map(V x) {
    return x;
  }
};

}  // namespace mxnet::cuda

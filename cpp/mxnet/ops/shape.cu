// GPU kernels that repeat or rearrange elements: moves of unsigned numbers of the elements' width. Not run on hardware.
#include "mxnet/ops/shape_moves.h"

#include "mxnet/ops/join_moves.h"
#include "mxnet/ops/move.cuh"

namespace mxnet::cuda {
namespace {

int64_t places(const Move& move) {
  int64_t n = 1;
  for (int i = 0; i < move.size(); ++i) n *= move[i].extent;
  return n;
}

// Elements of `width` bytes by a type of that width.
template <class F>
void dispatch_bytes(int64_t width, const F& f) {
  switch (width) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    case 8: return f.template operator()<uint64_t>();
    default: return f.template operator()<uint4>();
  }
}

const bool registered = ShapeMoves<GpuMoves>::add_all() && JoinMoves<GpuMoves>::add_all();

}  // namespace

void GpuMoves::move(const KernelContext& c, Move& move, int64_t width, const void* from, void* to) {
  if (move.empty()) return;
  move.normalise();
  width *= move.widen(static_cast<int>(width));
  int64_t n = places(move);
  dispatch_bytes(width, [&]<class E>() {
    launch(c, blocks_for(n), kThreads, move_kernel<E>, n, strided(move), static_cast<const E*>(from),
           static_cast<E*>(to));
  });
}

void GpuMoves::spread(const KernelContext& c, Move& move, int64_t width, const void* element, void* to) {
  if (move.empty()) return;
  move.normalise();
  int64_t n = places(move);
  dispatch_bytes(width, [&]<class E>() {
    E value;
    std::memcpy(&value, element, sizeof value);
    launch(c, blocks_for(n), kThreads, spread_kernel<E>, n, strided(move), value, static_cast<E*>(to));
  });
}

}  // namespace mxnet::cuda

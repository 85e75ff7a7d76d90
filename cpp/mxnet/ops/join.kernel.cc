#include "mxnet/ops/join_moves.h"

#include "mxnet/ops/move.h"

namespace mxnet {
namespace {

// Folds the border of one axis into the elements it shows: (outer, padded, inner) to (outer, extent, inner).
template <class A>
std::vector<A> fold_axis(const std::vector<A>& data, PadMode mode, int64_t outer, int64_t before, int64_t padded,
                         int64_t extent, int64_t inner) {
  std::vector<A> folded(outer * extent * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t at = 0; at < padded; ++at) {
      const A* from = data.data() + (o * padded + at) * inner;
      A* to = folded.data() + (o * extent + padded_source(mode, at - before, extent)) * inner;
      for (int64_t i = 0; i < inner; ++i) to[i] += from[i];
    }
  return folded;
}

void pad_backward(const PadParams& p, KernelContext& c) {
  const Shape& padded = c.in(0).shape();
  dispatch_all(c.in(0).dtype, [&]<class T>() {
    using A = std::conditional_t<std::is_floating_point_v<compute_t<T>>, compute_t<T>, int64_t>;
    const T* in = c.in(0).as<T>();
    std::vector<A> data(c.in(0).size());
    std::transform(in, in + data.size(), data.begin(), [](T x) { return static_cast<A>(x); });
    Shape shape = padded;
    for (int axis = 0; axis < shape.ndim(); ++axis) {
      int64_t before = p.pad_width[2 * axis], extent = shape[axis] - before - p.pad_width[2 * axis + 1];
      if (extent == shape[axis]) continue;
      data = fold_axis(data, p.mode, shape.product(0, axis), before, shape[axis], extent,
                       shape.product(axis + 1, shape.ndim()));
      shape[axis] = extent;
    }
    std::transform(data.begin(), data.end(), c.out(0).as<T>(), [](A x) { return static_cast<T>(x); });
  });
}

const bool registered = JoinMoves<HostMoves>::add_all() && cpu_kernel<PadParams>("_backward_pad", pad_backward);

}  // namespace
}  // namespace mxnet

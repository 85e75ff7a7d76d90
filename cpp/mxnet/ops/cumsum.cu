// Cumulative sums on a GPU: a thread goes along each column. Not run on hardware.
#include "mxnet/ops/cumsum.h"

#include "mxnet/ops/indices.cuh"

namespace mxnet::cuda {
namespace {

template <class V>
void sum_columns(const KernelContext& c, int64_t outer, int64_t n, int64_t inner, bool reverse) {
  AnyArray x(c.in(0)), y(c.out(0));
  each(c, outer * inner, [=] __device__(int64_t i) {
    int64_t first = i / inner * n * inner + i % inner;
    V sum = 0;
    for (int64_t k = 0; k < n; ++k) {
      int64_t at = first + (reverse ? n - 1 - k : k) * inner;
      sum += x.load<V>(at);
      y.store(at, sum);
    }
  });
}

template <bool reverse>
void cumsum(const CumsumParams& p, KernelContext& c) {
  Shape shape = p.axis ? c.in(0).shape() : Shape{c.in(0).size()};
  int axis = p.axis ? normal_axis("cumsum", *p.axis, shape) : 0;
  if (shape.size() == 0) return;
  dispatch_number(c.out(0).dtype, [&]<class V>() {
    sum_columns<V>(c, shape.product(0, axis), shape[axis], shape.product(axis + 1, shape.ndim()), reverse);
  });
}

const bool registered[] = {kernel<CumsumParams>("cumsum", cumsum<false>),
                           kernel<CumsumParams>("_backward_cumsum", cumsum<true>)};

}  // namespace
}  // namespace mxnet::cuda

// The place of the largest or smallest element on a GPU: a thread searches each row. Not run on hardware.
#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/reduce.h"

namespace mxnet::cuda {
namespace {

// NaN counts as better than any number; of equals the first is found.
template <class V>
void search(const KernelContext& c, const Split3& at, bool largest) {
  AnyArray x(c.in(0)), out(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    int64_t first = i / at.inner * at.extent * at.inner + i % at.inner, place = 0;
    V best = x.load<V>(first);
    for (int64_t k = 1; k < at.extent && best == best; ++k) {
      V value = x.load<V>(first + k * at.inner);
      if (!((largest ? value > best : value < best) || value != value)) continue;
      best = value;
      place = k;
    }
    out.store(i, place);
  });
}

void search_axis(KernelContext& c, std::optional<int> axis, bool largest) {
  const Shape& shape = c.in(0).shape();
  Split3 at = axis ? split_at(shape, normal_axis(c.op.name.c_str(), *axis, shape)) : Split3{1, shape.size(), 1};
  if (c.out(0).size() == 0) return;
  dispatch_number(c.in(0).dtype, [&]<class V>() { search<V>(c, at, largest); });
}

const bool registered[] = {
    kernel<ArgParams>("argmax", [](const ArgParams& p, KernelContext& c) { search_axis(c, p.axis, true); }),
    kernel<ArgParams>("argmin", [](const ArgParams& p, KernelContext& c) { search_axis(c, p.axis, false); }),
    kernel("argmax_channel", [](KernelContext& c) { search_axis(c, 1, true); }),
};

}  // namespace
}  // namespace mxnet::cuda

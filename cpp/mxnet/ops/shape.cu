// GPU kernels that repeat or rearrange elements. Not run on hardware.
#include "mxnet/ops/shape.h"

#include "mxnet/ops/broadcast_plan.h"
#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

// out[i] is the element of `in` that the axes give for position i.
template <class T>
__global__ void gather_kernel(int64_t n, StridedAxes axes, T* out, const T* in) {
  bool narrow = n <= INT32_MAX;
  for (int64_t i = first_item(); i < n; i += item_step())
    out[i] = in[narrow ? axes.offsets(static_cast<uint32_t>(i)).a : axes.offsets(static_cast<uint64_t>(i)).a];
}

void gather(const KernelContext& c, const StridedAxes& axes) {
  const TensorView& out = c.out(0);
  if (out.size() == 0) return;
  dispatch_width(out.dtype, [&]<class T>() {
    gather_kernel<<<blocks_for(out.size()), kThreads, 0, stream_of(c)>>>(out.size(), axes, out.as<T>(),
                                                                         c.in(0).as<const T>());
  });
  check_launch();
}

void broadcast(KernelContext& c) {
  const Shape &out = c.out(0).shape(), &in = c.in(0).shape();
  gather(c, StridedAxes(BroadcastPlan(out, in, in)));
}

void permute(const KernelContext& c, const std::vector<int>& order) {
  const Shape& shape = c.in(0).shape();
  Shape strides = strides_of(shape);
  StridedAxes axes;
  for (int axis : order)
    if (shape[axis] != 1) axes.add(shape[axis], strides[axis]);
  gather(c, axes);
}

void transpose(const TransposeParams& p, KernelContext& c) { permute(c, permutation(p, c.in(0).shape().ndim())); }

void swap_axes(const SwapAxisParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  std::vector<int> order;
  for (int i = 0; i < shape.ndim(); ++i) order.push_back(i);
  std::swap(order[normal_axis("SwapAxis", p.dim1, shape)], order[normal_axis("SwapAxis", p.dim2, shape)]);
  permute(c, order);
}

const bool registered[] = {
    kernel("_broadcast_to", broadcast),
    kernel("broadcast_to", broadcast),
    kernel("broadcast_axis", broadcast),
    kernel("broadcast_like", broadcast),
    kernel<TransposeParams>("transpose", transpose),
    kernel<SwapAxisParams>("SwapAxis", swap_axes),
};

}  // namespace
}  // namespace mxnet::cuda

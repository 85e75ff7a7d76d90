// GPU kernels that make, copy and convert arrays. Not run on hardware.
#include "mxnet/ops/init.h"

#include <cstring>

#include "mxnet/ndarray/cast.h"
#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

template <class T>
__global__ void fill_kernel(int64_t n, T* out, T value) {
  for (int64_t i = first_item(); i < n; i += item_step()) out[i] = value;
}

void fill(const KernelContext& c, double value) {
  const TensorView& out = c.out(0);
  if (out.size() == 0) return;
  char element[sizeof(double)];
  cast_block(&value, DType::float64, element, out.dtype, 1);
  dispatch_width(out.dtype, [&]<class T>() {
    T pattern;
    std::memcpy(&pattern, element, sizeof pattern);
    if (pattern == 0) return fill_zero(c, out.data, out.size() * static_cast<int64_t>(sizeof(T)));
    launch(c, blocks_for(out.size()), kThreads, fill_kernel<T>, out.size(), out.as<T>(), pattern);
  });
}

// out[i] = value(i), computed in double.
template <class F>
__global__ void generate_kernel(int64_t n, AnyArray out, F value) {
  for (int64_t i = first_item(); i < n; i += item_step()) out.store(i, value(i));
}
template <class F>
void generate(const KernelContext& c, const F& value) {
  const TensorView& out = c.out(0);
  if (out.size() == 0) return;
  launch(c, blocks_for(out.size()), kThreads, generate_kernel<F>, out.size(), AnyArray(out), value);
}

// start + (i / repeat) step, and exactly `last` at the place `last_at`.
struct Progression {
  double start, step;
  int64_t repeat = 1, last_at = -1;
  double last = 0;
  __device__ double operator()(int64_t i) const {
    return i == last_at ? last : start + static_cast<double>(i / repeat) * step;
  }
};

struct Diagonal {
  int64_t columns, k;
  __device__ double operator()(int64_t i) const { return i % columns == i / columns + k; }
};

void arange(const ArangeParams& p, KernelContext& c) {
  double start = p.stop || p.infer_range ? p.start : 0;
  generate(c, Progression{start, p.step, p.repeat});
}

void linspace(const LinspaceParams& p, KernelContext& c) {
  int64_t steps = p.endpoint ? p.num - 1 : p.num;
  double step = steps > 0 ? (p.stop - p.start) / static_cast<double>(steps) : 0;
  generate(c, Progression{p.start, step, 1, p.endpoint && steps > 0 ? steps : -1, p.stop});
}

void convert_all(KernelContext& c) {
  for (size_t i = 0; i < c.outputs.size(); ++i) {
    SafeInput in(c, c.inputs[i], c.outputs[i]);
    cast(c, in.view, c.outputs[i]);
  }
}

// The same elements under another shape.
void copy_first(KernelContext& c) {
  SafeInput in(c, c.in(0), c.out(0));
  copy(c, in.view.data, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
}

void zeros(KernelContext& c) { fill(c, 0); }
void ones(KernelContext& c) { fill(c, 1); }

const bool registered[] = {
    kernel("_zeros", zeros),
    kernel("_zeros_without_dtype", zeros),
    kernel("zeros_like", zeros),
    kernel("_ones", ones),
    kernel("ones_like", ones),
    kernel<FullParams>("_full", [](const FullParams& p, KernelContext& c) { fill(c, p.value); }),
    kernel<ArangeParams>("_arange", arange),
    kernel<ArangeLikeParams>(
        "_contrib_arange_like",
        [](const ArangeLikeParams& p, KernelContext& c) { generate(c, Progression{p.start, p.step, p.repeat}); }),
    kernel<LinspaceParams>("_linspace", linspace),
    kernel<EyeParams>("_eye",
                      [](const EyeParams& p, KernelContext& c) { generate(c, Diagonal{c.out(0).shape()[1], p.k}); }),
    kernel("Cast", convert_all),
    kernel("amp_cast", convert_all),
    kernel("amp_multicast", convert_all),
    kernel("_copy", copy_first),
    kernel("_copyto", copy_first),
    kernel("BlockGrad", copy_first),
    kernel("make_loss", copy_first),
    kernel("MakeLoss", copy_first),
    kernel("SVMOutput", copy_first),
    kernel("LinearRegressionOutput", copy_first),
    kernel("MAERegressionOutput", copy_first),
    kernel("_contrib_gradientmultiplier", copy_first),
    kernel("_identity_with_attr_like_rhs", copy_first),
    kernel("Reshape", copy_first),
    kernel("_reshape_to", copy_first),
    kernel("Flatten", copy_first),
    kernel("expand_dims", copy_first),
    kernel("squeeze", copy_first),
    kernel("reshape_like", copy_first),
};

}  // namespace
}  // namespace mxnet::cuda

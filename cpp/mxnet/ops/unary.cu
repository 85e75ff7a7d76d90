// GPU kernels of the unary elementwise operators. Not run on hardware.
#include "mxnet/ops/unary.h"

#include "mxnet/ops/cuda.cuh"

namespace mxnet::cuda {
namespace {

template <class F>
struct Forward {
  template <class V>
  __device__ V operator()(V x) const {
    return F::forward(x);
  }
};

// Operands: x and y as far as the formula reads them, then the gradient of the output.
template <class F>
struct Backward {
  template <class V>
  __device__ V operator()(V value, V dy) const {
    return F::backward(dy, value, value);
  }
  template <class V>
  __device__ V operator()(V x, V y, V dy) const {
    return F::backward(dy, x, y);
  }
};

template <class F>
void forward(KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput in(c, c.in(0), out);
  if (F::integers == Integers::as_double && !is_floating(out.dtype))
    return map_any<double>(c, Forward<F>{}, out, in.view);
  dispatch_all(out.dtype, [&]<class T>() {
    if constexpr (F::integers == Integers::own || std::is_floating_point_v<compute_t<T>>)
      map(c, out.size(), Forward<F>{}, out.as<T>(), in.view.as<const T>());
  });
}

template <class F>
void backward(KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput first(c, c.in(0), out), second(c, c.in(1), out);
  dispatch_floating(out.dtype, [&]<class T>() {
    const T *a = first.view.as<const T>(), *b = second.view.as<const T>();
    if constexpr (F::uses_input && F::uses_output) {
      SafeInput third(c, c.in(2), out);
      map(c, out.size(), Backward<F>{}, out.as<T>(), a, b, third.view.as<const T>());
    } else {
      map(c, out.size(), Backward<F>{}, out.as<T>(), a, b);
    }
  });
}

const bool registered = [] {
  UnaryFunctors::each([]<class F>() {
    kernel(F::name, forward<F>);
    if constexpr (!F::flat && F::fused) kernel(backward_name<F>().c_str(), backward<F>);
  });
  return true;
}();

}  // namespace
}  // namespace mxnet::cuda

// GPU kernels of Activation. Not run on hardware.
#include "mxnet/ops/activation.h"

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
template <class F>
struct Backward {
  template <class V>
  __device__ V operator()(V dy, V y) const {
    return F::backward(dy, y);
  }
};

void forward(const ActivationParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput x(c, c.in(0), out);
  dispatch_floating(out.dtype, [&]<class T>() {
    activation::dispatch(p.act_type,
                         [&]<class F>() { map(c, out.size(), Forward<F>{}, out.as<T>(), x.view.as<const T>()); });
  });
}

void backward(const ActivationParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput dy(c, c.in(0), out), y(c, c.in(1), out);
  dispatch_floating(out.dtype, [&]<class T>() {
    activation::dispatch(p.act_type, [&]<class F>() {
      map(c, out.size(), Backward<F>{}, out.as<T>(), dy.view.as<const T>(), y.view.as<const T>());
    });
  });
}

const bool registered[] = {kernel<ActivationParams>("Activation", forward),
                           kernel<ActivationParams>("_backward_Activation", backward)};

}  // namespace
}  // namespace mxnet::cuda

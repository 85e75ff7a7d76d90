// GPU kernels of clip, smooth_l1, hard_sigmoid, quadratic and where. Not run on hardware.
#include "mxnet/ops/select.h"

#include "mxnet/ops/indices.cuh"

namespace mxnet::cuda {
namespace {

template <class F>
struct Slope {
  F f;
  template <class V>
  __device__ V operator()(V dy, V x) const {
    return dy * f.slope(x);
  }
};

template <template <class> class F, class P>
void forward(const P& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput x(c, c.in(0), out);
  dispatch_floating(out.dtype,
                    [&]<class T>() { map(c, out.size(), F<number_t<T>>(p), out.as<T>(), x.view.as<const T>()); });
}

template <template <class> class F, class P>
void backward(const P& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput dy(c, c.in(0), out), x(c, c.in(1), out);
  dispatch_floating(out.dtype, [&]<class T>() {
    Slope<F<number_t<T>>> slope{F<number_t<T>>(p)};
    map(c, out.size(), slope, out.as<T>(), dy.view.as<const T>(), x.view.as<const T>());
  });
}

void clip(const ClipParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput x(c, c.in(0), out);
  dispatch_all(out.dtype, [&]<class T>() {
    map(c, out.size(), functor::Clip<number_t<T>>(p), out.as<T>(), x.view.as<const T>());
  });
}

void where(KernelContext& c) {
  const TensorView& out = c.out(0);
  if (out.size() == 0) return;
  AnyArray condition(c.in(0));
  Elements x(c.in(1)), y(c.in(2)), to(out);
  int64_t row = out.size() / c.in(0).size();  // elements that share a condition
  each(c, out.size(), [=] __device__(int64_t i) { to.put(i, condition.load<bool>(i / row) ? x : y, i); });
}

const bool registered[] = {
    kernel<ClipParams>("clip", clip),
    kernel<ClipParams>("_backward_clip", backward<functor::Clip, ClipParams>),
    kernel<SmoothL1Params>("smooth_l1", forward<functor::SmoothL1, SmoothL1Params>),
    kernel<SmoothL1Params>("_backward_smooth_l1", backward<functor::SmoothL1, SmoothL1Params>),
    kernel<HardSigmoidParams>("hard_sigmoid", forward<functor::HardSigmoid, HardSigmoidParams>),
    kernel<HardSigmoidParams>("_backward_hard_sigmoid", backward<functor::HardSigmoid, HardSigmoidParams>),
    kernel<QuadraticParams>("_contrib_quadratic", forward<functor::Quadratic, QuadraticParams>),
    kernel<QuadraticParams>("_backward__contrib_quadratic", backward<functor::Quadratic, QuadraticParams>),
    kernel("where", where),
};

}  // namespace
}  // namespace mxnet::cuda

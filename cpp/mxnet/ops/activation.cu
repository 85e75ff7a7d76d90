// GPU kernels of Activation and LeakyReLU. Not run on hardware.
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

// ---- LeakyReLU. ----

template <class V>
struct Leaky {
  LeakyType type;
  V slope;
  static constexpr V kScale = static_cast<V>(activation::kSeluScale);
  static constexpr V kSteep = static_cast<V>(activation::kSeluScale * activation::kSeluAlpha);

  __device__ V operator()(V x) const {
    if (type == LeakyType::gelu) return V(0.5) * x * (V(1) + erf(x * V(0.7071067811865476)));
    if (x > V(0)) return type == LeakyType::selu ? kScale * x : x;
    return type == LeakyType::elu ? slope * expm1(x) : type == LeakyType::selu ? kSteep * expm1(x) : slope * x;
  }
  // The gradient, of dy and x.
  __device__ V operator()(V dy, V x) const {
    if (type == LeakyType::gelu)
      return dy * (V(0.5) * (V(1) + erf(x * V(0.7071067811865476))) + x * exp(V(-0.5) * x * x) * V(0.3989422804014327));
    if (x > V(0)) return type == LeakyType::selu ? dy * kScale : dy;
    return dy * (type == LeakyType::elu ? slope * exp(x) : type == LeakyType::selu ? kSteep * exp(x) : slope);
  }
};

// One slope for each run of `inner` elements.
template <class V>
void prelu(const KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int axis = shape.ndim() > 1 ? 1 : 0;
  bool shared = c.in(1).size() == 1;
  int64_t inner = shared ? c.in(0).size() : shape.product(axis + 1, shape.ndim()), channels = shared ? 1 : shape[axis];
  AnyArray x(c.in(0)), gamma(c.in(1)), y(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    V value = x.load<V>(i);
    y.store(i, value > V(0) ? value : gamma.load<V>(i / inner % channels) * value);
  });
}

template <class V>
void rrelu(const LeakyReluParams& p, const KernelContext& c) {
  AnyArray x(c.in(0)), y(c.out(0)), mask(c.out(1));
  float low = p.lower_bound, width = p.upper_bound - p.lower_bound;
  uint64_t key = c.random_key, offset = c.random_offset;
  bool training = c.training;
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    V value = x.load<V>(i);
    float at = training ? activation::uniform(key, offset + static_cast<uint64_t>(i)) : 0.5f;
    V slope = value > V(0) ? V(1) : static_cast<V>(low + width * at);
    mask.store(i, slope);
    y.store(i, value * slope);
  });
}

void leaky(const LeakyReluParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  bool is_double = out.dtype == DType::float64;
  if (p.act_type == LeakyType::prelu) return is_double ? prelu<double>(c) : prelu<float>(c);
  if (p.act_type == LeakyType::rrelu) return is_double ? rrelu<double>(p, c) : rrelu<float>(p, c);
  SafeInput x(c, c.in(0), out);
  if (is_double)
    map_any<double>(c, Leaky<double>{p.act_type, static_cast<double>(p.slope)}, out, x.view);
  else
    map_any<float>(c, Leaky<float>{p.act_type, static_cast<float>(p.slope)}, out, x.view);
}

void leaky_backward(const LeakyReluParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  SafeInput dy(c, c.in(0), out), x(c, c.in(1), out);
  if (out.dtype == DType::float64)
    map_any<double>(c, Leaky<double>{p.act_type, static_cast<double>(p.slope)}, out, dy.view, x.view);
  else
    map_any<float>(c, Leaky<float>{p.act_type, static_cast<float>(p.slope)}, out, dy.view, x.view);
}

const bool registered[] = {
    kernel<LeakyReluParams>("LeakyReLU", leaky), kernel<LeakyReluParams>("_backward_LeakyReLU", leaky_backward),
    kernel<ActivationParams>("Activation", forward), kernel<ActivationParams>("_backward_Activation", backward)};

}  // namespace
}  // namespace mxnet::cuda

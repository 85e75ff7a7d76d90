#include "mxnet/ops/activation.h"

#include "mxnet/op/op.h"
#include "mxnet/ops/map.h"

namespace mxnet {
namespace {

void activation_cpu(const ActivationParams& p, KernelContext& c) {
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    activation::dispatch(p.act_type, [&]<class F>() {
      map_elements(c.out(0).size(), c.out(0).as<T>(), [](auto x) { return F::forward(x); }, c.in(0).as<T>());
    });
  });
}

void activation_backward_cpu(const ActivationParams& p, KernelContext& c) {
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    activation::dispatch(p.act_type, [&]<class F>() {
      auto body = [](auto dy, auto y) { return F::backward(dy, y); };
      map_elements(c.out(0).size(), c.out(0).as<T>(), body, c.in(0).as<T>(), c.in(1).as<T>());
    });
  });
}

template <class V>
V gelu(V x) {
  return V(0.5) * x * (V(1) + erf(x * V(0.7071067811865476)));
}
template <class V>
V gelu_slope(V x) {
  return V(0.5) * (V(1) + erf(x * V(0.7071067811865476))) + x * exp(V(-0.5) * x * x) * V(0.3989422804014327);
}

// One slope for each run of `inner` elements.
template <class T>
void prelu(const TensorView& x, const TensorView& gamma, const TensorView& y) {
  using V = compute_t<T>;
  const Shape& shape = x.shape();
  int axis = shape.ndim() > 1 ? 1 : 0;
  bool shared = gamma.size() == 1;
  int64_t inner = shared ? x.size() : shape.product(axis + 1, shape.ndim()), channels = shared ? 1 : shape[axis];
  const T *from = x.as<const T>(), *slopes = gamma.as<const T>();
  T* to = y.as<T>();
  if (inner == 1) {  // the slopes lie beside the elements
    parallel_for(x.size() / std::max<int64_t>(1, channels),
                 std::max<int64_t>(1, 32768 / std::max<int64_t>(1, channels)), [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     for (int64_t k = 0; k < channels; ++k) {
                       V value = static_cast<V>(from[i * channels + k]), slope = static_cast<V>(slopes[k]);
                       to[i * channels + k] = static_cast<T>(value > V(0) ? value : slope * value);
                     }
                 });
    return;
  }
  parallel_for(x.size() / std::max<int64_t>(1, inner), std::max<int64_t>(1, 32768 / std::max<int64_t>(1, inner)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i) {
                   V slope = static_cast<V>(slopes[i % channels]);
                   auto body = [slope](auto value) { return value > V(0) ? value : slope * value; };
                   map_range(inner, to + i * inner, body, from + i * inner);
                 }
               });
}

template <class T>
void rrelu(const LeakyReluParams& p, KernelContext& c) {
  using V = compute_t<T>;
  const T* from = c.in(0).as<const T>();
  T *to = c.out(0).as<T>(), *mask = c.out(1).as<T>();
  float low = p.lower_bound, width = p.upper_bound - p.lower_bound;
  parallel_for(c.out(0).size(), 32768, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      V x = static_cast<V>(from[i]);
      float slope =
          low +
          width * (c.training ? activation::uniform(c.random_key, c.random_offset + static_cast<uint64_t>(i)) : 0.5f);
      mask[i] = static_cast<T>(x > V(0) ? V(1) : static_cast<V>(slope));
      to[i] = static_cast<T>(x > V(0) ? x : x * static_cast<V>(slope));
    }
  });
}

template <class T>
void leaky(const LeakyReluParams& p, KernelContext& c) {
  using V = compute_t<T>;
  auto run = [&](auto body) { map_elements(c.out(0).size(), c.out(0).as<T>(), body, c.in(0).as<T>()); };
  V slope = static_cast<V>(p.slope), scale = static_cast<V>(activation::kSeluScale);
  V steep = static_cast<V>(activation::kSeluScale * activation::kSeluAlpha);
  switch (p.act_type) {
    case LeakyType::leaky: return run([=](V x) { return x * (x > V(0) ? V(1) : slope); });
    case LeakyType::elu: return run([=](V x) { return x > V(0) ? x : slope * expm1(x); });
    case LeakyType::selu: return run([=](V x) { return x > V(0) ? scale * x : steep * expm1(x); });
    case LeakyType::gelu: return run([](V x) { return gelu(x); });
    case LeakyType::prelu: return prelu<T>(c.in(0), c.in(1), c.out(0));
    case LeakyType::rrelu: return rrelu<T>(p, c);
  }
}

template <class T>
void leaky_backward(const LeakyReluParams& p, KernelContext& c) {
  using V = compute_t<T>;
  auto run = [&](auto slope) {
    auto body = [slope](V dy, V x) { return dy * slope(x); };
    map_elements(c.out(0).size(), c.out(0).as<T>(), body, c.in(0).as<T>(), c.in(1).as<T>());
  };
  V slope = static_cast<V>(p.slope), scale = static_cast<V>(activation::kSeluScale);
  V steep = static_cast<V>(activation::kSeluScale * activation::kSeluAlpha);
  switch (p.act_type) {
    case LeakyType::elu: return run([=](V x) { return x > V(0) ? V(1) : slope * exp(x); });
    case LeakyType::selu: return run([=](V x) { return x > V(0) ? scale : steep * exp(x); });
    case LeakyType::gelu: return run([](V x) { return gelu_slope(x); });
    default: return run([=](V x) { return x > V(0) ? V(1) : slope; });
  }
}

void leaky_cpu(const LeakyReluParams& p, KernelContext& c) {
  dispatch_floating(c.out(0).dtype, [&]<class T>() { leaky<T>(p, c); });
}
void leaky_backward_cpu(const LeakyReluParams& p, KernelContext& c) {
  dispatch_floating(c.out(0).dtype, [&]<class T>() { leaky_backward<T>(p, c); });
}

const bool registered[] = {cpu_kernel<ActivationParams>("Activation", activation_cpu),
                           cpu_kernel<ActivationParams>("_backward_Activation", activation_backward_cpu),
                           cpu_kernel<LeakyReluParams>("LeakyReLU", leaky_cpu),
                           cpu_kernel<LeakyReluParams>("_backward_LeakyReLU", leaky_backward_cpu)};

}  // namespace
}  // namespace mxnet

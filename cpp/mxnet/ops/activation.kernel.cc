#include "mxnet/ops/activation.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/map.h"
#include "mxnet/ops/pointwise.h"

namespace mxnet {
namespace {

// A loop of `body` over one operand or two of type V, for a body without state.
template <class V, class Body>
void unary_loop(int64_t n, void* out, const void* const* in) {
  map_loop(n, static_cast<V*>(out), Body(), static_cast<const V*>(in[0]));
}
template <class V, class Body>
void binary_loop(int64_t n, void* out, const void* const* in) {
  map_loop(n, static_cast<V*>(out), Body(), static_cast<const V*>(in[0]), static_cast<const V*>(in[1]));
}

// Calls f<V>() for the type in which an array of `dtype` is computed.
template <class F>
PointwiseLoop for_number(DType dtype, const F& f) {
  return compute_dtype(dtype) == DType::float32 ? f.template operator()<float>() : f.template operator()<double>();
}

PointwiseLoop activation_loop(const ActivationParams& p, DType dtype) {
  return for_number(dtype, [&]<class V>() {
    return activation::dispatch(p.act_type, [&]<class F>() -> PointwiseLoop {
      auto body = [](V x) { return F::forward(x); };
      return {unary_loop<V, decltype(body)>, dtype_of<V>};
    });
  });
}

PointwiseLoop activation_backward_loop(const ActivationParams& p, DType dtype) {
  return for_number(dtype, [&]<class V>() {
    return activation::dispatch(p.act_type, [&]<class F>() -> PointwiseLoop {
      auto body = [](V dy, V y) { return F::backward(dy, y); };
      return {binary_loop<V, decltype(body)>, dtype_of<V>};
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

// The constants of the elementwise forms of LeakyReLU.
template <class V>
struct LeakyConstants {
  V slope, scale, steep;
  explicit LeakyConstants(const LeakyReluParams& p)
      : slope(static_cast<V>(p.slope)),
        scale(static_cast<V>(activation::kSeluScale)),
        steep(static_cast<V>(activation::kSeluScale * activation::kSeluAlpha)) {}
};

// `body` gets the constants, then the operands.
template <class V, class Body>
PointwiseLoop leaky_loop(const LeakyReluParams& p, ElementLoop loop, Body) {
  PointwiseLoop f{loop, dtype_of<V>};
  f.set_constants(LeakyConstants<V>(p));
  return f;
}
template <class V, class Body>
PointwiseLoop leaky_forward(const LeakyReluParams& p, Body body) {
  auto loop = [](int64_t n, void* out, const void* const* in) {
    auto constants = *static_cast<const LeakyConstants<V>*>(in[1]);
    map_loop(n, static_cast<V*>(out), [constants](V x) { return Body()(constants, x); }, static_cast<const V*>(in[0]));
  };
  return leaky_loop<V>(p, loop, body);
}
template <class V, class Slope>
PointwiseLoop leaky_backward(const LeakyReluParams& p, Slope slope) {
  auto loop = [](int64_t n, void* out, const void* const* in) {
    auto constants = *static_cast<const LeakyConstants<V>*>(in[2]);
    auto body = [constants](V dy, V x) { return dy * Slope()(constants, x); };
    map_loop(n, static_cast<V*>(out), body, static_cast<const V*>(in[0]), static_cast<const V*>(in[1]));
  };
  return leaky_loop<V>(p, loop, slope);
}

PointwiseLoop leaky(const LeakyReluParams& p, DType dtype) {
  return for_number(dtype, [&]<class V>() -> PointwiseLoop {
    using C = const LeakyConstants<V>&;
    switch (p.act_type) {
      case LeakyType::leaky: return leaky_forward<V>(p, [](C c, V x) { return x * (x > V(0) ? V(1) : c.slope); });
      case LeakyType::elu: return leaky_forward<V>(p, [](C c, V x) { return x > V(0) ? x : c.slope * expm1(x); });
      case LeakyType::selu:
        return leaky_forward<V>(p, [](C c, V x) { return x > V(0) ? c.scale * x : c.steep * expm1(x); });
      case LeakyType::gelu: return leaky_forward<V>(p, [](C, V x) { return gelu(x); });
      case LeakyType::prelu:
      case LeakyType::rrelu: break;
    }
    return {};
  });
}

PointwiseLoop leaky_slope(const LeakyReluParams& p, DType dtype) {
  return for_number(dtype, [&]<class V>() -> PointwiseLoop {
    using C = const LeakyConstants<V>&;
    switch (p.act_type) {
      case LeakyType::elu: return leaky_backward<V>(p, [](C c, V x) { return x > V(0) ? V(1) : c.slope * exp(x); });
      case LeakyType::selu: return leaky_backward<V>(p, [](C c, V x) { return x > V(0) ? c.scale : c.steep * exp(x); });
      case LeakyType::gelu: return leaky_backward<V>(p, [](C, V x) { return gelu_slope(x); });
      default: return leaky_backward<V>(p, [](C c, V x) { return x > V(0) ? V(1) : c.slope; });
    }
  });
}

void leaky_cpu(const LeakyReluParams& p, KernelContext& c) {
  if (PointwiseLoop loop = leaky(p, c.out(0).dtype); loop.loop) return run_elements(loop, c.out(0), c.inputs.first(1));
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    if (p.act_type == LeakyType::prelu) return prelu<T>(c.in(0), c.in(1), c.out(0));
    rrelu<T>(p, c);
  });
}

const bool registered[] = {pointwise_kernel<ActivationParams, activation_loop>("Activation"),
                           pointwise_kernel<ActivationParams, activation_backward_loop>("_backward_Activation"),
                           cpu_kernel<LeakyReluParams>("LeakyReLU", leaky_cpu),
                           add_pointwise<LeakyReluParams, leaky>("LeakyReLU"),
                           pointwise_kernel<LeakyReluParams, leaky_slope>("_backward_LeakyReLU")};

}  // namespace
}  // namespace mxnet

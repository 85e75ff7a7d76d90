// Activation functions: parameters, and the functors behind Activation and LeakyReLU.
#pragma once
#include <optional>

#include "mxnet/op/params.h"
#include "mxnet/ops/unary.h"

namespace mxnet {

enum class ActivationType { relu, sigmoid, tanh, softrelu, softsign };
constexpr std::array<std::pair<ActivationType, std::string_view>, 5> names_of(ActivationType) {
  return {{{ActivationType::relu, "relu"},
           {ActivationType::sigmoid, "sigmoid"},
           {ActivationType::tanh, "tanh"},
           {ActivationType::softrelu, "softrelu"},
           {ActivationType::softsign, "softsign"}}};
}

struct ActivationParams {
  ActivationType act_type = ActivationType::relu;
  static constexpr auto fields() {
    return std::tuple{field("act_type", &ActivationParams::act_type, "The function.").required()};
  }
};

enum class LeakyType { elu, gelu, leaky, prelu, rrelu, selu };
constexpr std::array<std::pair<LeakyType, std::string_view>, 6> names_of(LeakyType) {
  return {{{LeakyType::elu, "elu"},
           {LeakyType::gelu, "gelu"},
           {LeakyType::leaky, "leaky"},
           {LeakyType::prelu, "prelu"},
           {LeakyType::rrelu, "rrelu"},
           {LeakyType::selu, "selu"}}};
}

struct LeakyReluParams {
  LeakyType act_type = LeakyType::leaky;
  float slope = 0.25f;
  float lower_bound = 0.125f;
  float upper_bound = 0.334f;

  static constexpr auto fields() {
    using P = LeakyReluParams;
    return std::tuple{field("act_type", &P::act_type, "The function."),
                      field("slope", &P::slope, "Slope of 'leaky' and scale of 'elu' for negative x."),
                      field("lower_bound", &P::lower_bound, "Least random slope of 'rrelu'."),
                      field("upper_bound", &P::upper_bound, "Largest random slope of 'rrelu'.")};
  }
};

// `backward` is written in terms of the output alone, on numbers and on Exprs, so that the input need not be kept.
namespace activation {

struct Relu {
  template <class V>
  MX_HD static V forward(V x) {
    return functor::Relu::forward(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V y) {
    return dy * (y > constant<V>(0));
  }
};
struct Sigmoid {
  template <class V>
  MX_HD static V forward(V x) {
    return sigmoid(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V y) {
    return dy * (y * (constant<V>(1) - y));
  }
};
struct Tanh {
  template <class V>
  MX_HD static V forward(V x) {
    return tanh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V y) {
    return dy * (constant<V>(1) - y * y);
  }
};
// log(1 + e^x), so that the derivative is 1 - e^-y.
struct SoftRelu {
  template <class V>
  MX_HD static V forward(V x) {
    return softplus(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V y) {
    return dy * (constant<V>(0) - expm1(constant<V>(0) - y));
  }
};
// x / (1 + |x|), so that 1 - |y| is 1 / (1 + |x|).
struct Softsign {
  template <class V>
  MX_HD static V forward(V x) {
    return x / (V(1) + abs(x));
  }
  template <class V>
  MX_HD static V backward(V dy, V y) {
    return dy * square(constant<V>(1) - abs(y));
  }
};

template <class F>
decltype(auto) dispatch(ActivationType type, F&& f) {
  switch (type) {
    case ActivationType::relu: return f.template operator()<Relu>();
    case ActivationType::sigmoid: return f.template operator()<Sigmoid>();
    case ActivationType::tanh: return f.template operator()<Tanh>();
    case ActivationType::softrelu: return f.template operator()<SoftRelu>();
    case ActivationType::softsign: break;
  }
  return f.template operator()<Softsign>();
}

// A number in [0, 1) for place `counter` of the stream `key`; the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
MX_HD inline float uniform(uint64_t key, uint64_t counter) {
  uint64_t z = key + (counter + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return static_cast<float>((z ^ (z >> 31)) >> 40) * 0x1p-24f;
}

inline constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
inline constexpr double kSeluScale = 1.0507009873554804934193349852946;

}  // namespace activation
}  // namespace mxnet

// Circular and hyperbolic unary functors and their inverses.
#pragma once
#include <numbers>

#include "mxnet/base/math.h"
#include "mxnet/ops/functor.h"

namespace mxnet::functor {

struct Trigonometric : UnaryFunction {
  static constexpr bool trigonometric = true;
};

struct Sin : Trigonometric {
  static constexpr auto name = "sin";
  static constexpr auto doc = "Sine of x in radians, element by element.";
  static constexpr std::array aliases{"_sparse_sin"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return sin(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * cos(x);
  }
};

struct Cos : Trigonometric {
  static constexpr auto name = "cos";
  static constexpr auto doc = "Cosine of x in radians, element by element.";
  static constexpr std::array aliases{"_sparse_cos"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return cos(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * -sin(x);
  }
};

struct Tan : Trigonometric {
  static constexpr auto name = "tan";
  static constexpr auto doc = "Tangent of x in radians, element by element.";
  static constexpr std::array aliases{"_sparse_tan"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return tan(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (constant<V>(1) + y * y);
  }
};

struct Arcsin : UnaryFunction {
  static constexpr auto name = "arcsin";
  static constexpr auto doc = "Inverse sine in radians, within [-pi/2, pi/2]; NaN outside [-1, 1].";
  static constexpr std::array aliases{"_sparse_arcsin"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return asin(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / sqrt(constant<V>(1) - x * x);
  }
};

struct Arccos : UnaryFunction {
  static constexpr auto name = "arccos";
  static constexpr auto doc = "Inverse cosine in radians, within [0, pi]; NaN outside [-1, 1].";
  static constexpr std::array aliases{"_sparse_arccos"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return acos(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return -dy / sqrt(constant<V>(1) - x * x);
  }
};

struct Arctan : UnaryFunction {
  static constexpr auto name = "arctan";
  static constexpr auto doc = "Inverse tangent in radians, within [-pi/2, pi/2].";
  static constexpr std::array aliases{"_sparse_arctan"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return atan(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / (constant<V>(1) + x * x);
  }
};

struct Sinh : UnaryFunction {
  static constexpr auto name = "sinh";
  static constexpr auto doc = "Hyperbolic sine, element by element.";
  static constexpr std::array aliases{"_sparse_sinh"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return sinh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * cosh(x);
  }
};

struct Cosh : UnaryFunction {
  static constexpr auto name = "cosh";
  static constexpr auto doc = "Hyperbolic cosine, element by element.";
  static constexpr std::array aliases{"_sparse_cosh"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return cosh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * sinh(x);
  }
};

struct Arcsinh : UnaryFunction {
  static constexpr auto name = "arcsinh";
  static constexpr auto doc = "Inverse hyperbolic sine, element by element.";
  static constexpr std::array aliases{"_sparse_arcsinh"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return asinh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / sqrt(x * x + constant<V>(1));
  }
};

struct Arccosh : UnaryFunction {
  static constexpr auto name = "arccosh";
  static constexpr auto doc = "Inverse hyperbolic cosine, element by element; NaN below 1.";
  static constexpr std::array aliases{"_sparse_arccosh"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return acosh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / sqrt(x * x - constant<V>(1));
  }
};

struct Arctanh : UnaryFunction {
  static constexpr auto name = "arctanh";
  static constexpr auto doc = "Inverse hyperbolic tangent, element by element; NaN outside [-1, 1].";
  static constexpr std::array aliases{"_sparse_arctanh"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return atanh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / (constant<V>(1) - x * x);
  }
};

struct Degrees : UnaryFunction {
  static constexpr auto name = "degrees";
  static constexpr auto doc = "Radians to degrees: x * 180 / pi.";
  static constexpr std::array aliases{"_sparse_degrees"};
  static constexpr bool fused = false;
  template <class T>
  MX_HD static T forward(T x) {
    return x * T(180 / std::numbers::pi);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V) {
    return dy * constant<V>(180 / std::numbers::pi);
  }
};

struct Radians : UnaryFunction {
  static constexpr auto name = "radians";
  static constexpr auto doc = "Degrees to radians: x * pi / 180.";
  static constexpr std::array aliases{"_sparse_radians"};
  static constexpr bool fused = false;
  template <class T>
  MX_HD static T forward(T x) {
    return x * T(std::numbers::pi / 180);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V) {
    return dy * constant<V>(std::numbers::pi / 180);
  }
};

}  // namespace mxnet::functor

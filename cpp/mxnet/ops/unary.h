// The unary elementwise operators: one functor each, from which .cc, .kernel.cc and .cu make operators and kernels.
//
// `forward` maps a number of the type the kernel computes in. `backward` is the formula of the gradient; the same
// text works on numbers in the fused kernel `_backward_<name>` and on Exprs in the gradient of any order.
#pragma once
#include <numbers>

#include "mxnet/base/math.h"
#include "mxnet/base/special.h"
#include "mxnet/ops/unary_steps.h"
#include "mxnet/ops/unary_trigonometry.h"

namespace mxnet {

namespace functor {

struct Relu : UnaryFunction {
  static constexpr auto name = "relu";
  static constexpr auto doc = "max(x, 0), element by element.";
  static constexpr std::array aliases{"_sparse_relu", "_npx_relu"};
  static constexpr Integers integers = Integers::own;
  static constexpr bool uses_output = true;
  // Written so that NaN stays NaN.
  template <class T>
  MX_HD static T forward(T x) {
    return x < T(0) ? T(0) : x;
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (y > constant<V>(0));
  }
};

struct Sigmoid : UnaryFunction {
  static constexpr auto name = "sigmoid";
  static constexpr auto doc = "1 / (1 + exp(-x)), element by element.";
  static constexpr std::array aliases{"_sparse_sigmoid", "_npx_sigmoid"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return sigmoid(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (y * (constant<V>(1) - y));
  }
};

struct Softsign : UnaryFunction {
  static constexpr auto name = "softsign";
  static constexpr auto doc = "x / (1 + |x|), element by element.";
  static constexpr bool method = false;
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return x / (T(1) + abs(x));
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / square(constant<V>(1) + abs(x));
  }
};

struct Tanh : UnaryFunction {
  static constexpr auto name = "tanh";
  static constexpr auto doc = "Hyperbolic tangent, element by element.";
  static constexpr std::array aliases{"_sparse_tanh"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return tanh(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (constant<V>(1) - y * y);
  }
};

struct Exp : UnaryFunction {
  static constexpr auto name = "exp";
  static constexpr auto doc = "e to the power of x, element by element.";
  static constexpr std::array aliases{"_sparse_exp"};
  static constexpr bool uses_output = true;
  static constexpr bool fused = false;
  template <class T>
  MX_HD static T forward(T x) {
    return exp(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * y;
  }
};

struct Expm1 : UnaryFunction {
  static constexpr auto name = "expm1";
  static constexpr auto doc = "exp(x) - 1, element by element, exact also where x is small.";
  static constexpr std::array aliases{"_sparse_expm1"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return expm1(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * exp(x);
  }
};

struct Log : UnaryFunction {
  static constexpr auto name = "log";
  static constexpr auto doc = "Natural logarithm, element by element.";
  static constexpr std::array aliases{"_sparse_log"};
  static constexpr bool uses_input = true;
  static constexpr bool fused = false;
  template <class T>
  MX_HD static T forward(T x) {
    return log(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / x;
  }
};

struct Log2 : UnaryFunction {
  static constexpr auto name = "log2";
  static constexpr auto doc = "Logarithm to base 2, element by element.";
  static constexpr std::array aliases{"_sparse_log2"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return log2(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / (x * constant<V>(std::numbers::ln2));
  }
};

struct Log10 : UnaryFunction {
  static constexpr auto name = "log10";
  static constexpr auto doc = "Logarithm to base 10, element by element.";
  static constexpr std::array aliases{"_sparse_log10"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return log10(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / (x * constant<V>(std::numbers::ln10));
  }
};

struct Log1p : UnaryFunction {
  static constexpr auto name = "log1p";
  static constexpr auto doc = "log(1 + x), element by element, exact also where x is small.";
  static constexpr std::array aliases{"_sparse_log1p"};
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return log1p(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy / (constant<V>(1) + x);
  }
};

struct Sqrt : UnaryFunction {
  static constexpr auto name = "sqrt";
  static constexpr auto doc = "Square root, element by element.";
  static constexpr std::array aliases{"_sparse_sqrt"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return sqrt(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * constant<V>(0.5) / y;
  }
};

struct Rsqrt : UnaryFunction {
  static constexpr auto name = "rsqrt";
  static constexpr auto doc = "1 / sqrt(x), element by element.";
  static constexpr std::array aliases{"_sparse_rsqrt"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return T(1) / sqrt(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (y * y * y * constant<V>(-0.5));
  }
};

struct Cbrt : UnaryFunction {
  static constexpr auto name = "cbrt";
  static constexpr auto doc = "Cube root, element by element.";
  static constexpr std::array aliases{"_sparse_cbrt"};
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return cbrt(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy / (y * y * constant<V>(3));
  }
};

struct Rcbrt : UnaryFunction {
  static constexpr auto name = "rcbrt";
  static constexpr auto doc = "1 / cbrt(x), element by element.";
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return T(1) / cbrt(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    V squared = y * y;
    return dy * (squared * squared * constant<V>(-1.0 / 3));
  }
};

struct Square : UnaryFunction {
  static constexpr auto name = "square";
  static constexpr auto doc = "x * x, element by element.";
  static constexpr std::array aliases{"_sparse_square"};
  static constexpr Integers integers = Integers::own;
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return static_cast<T>(x * x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * (x * constant<V>(2));
  }
};

struct Reciprocal : UnaryFunction {
  static constexpr auto name = "reciprocal";
  static constexpr auto doc = "1 / x, element by element.";
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return T(1) / x;
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * -(y * y);
  }
};

struct Negative : UnaryFunction {
  static constexpr auto name = "negative";
  static constexpr auto doc = "-x, element by element.";
  static constexpr std::array aliases{"_sparse_negative"};
  static constexpr Integers integers = Integers::own;
  static constexpr bool fused = false;
  static constexpr bool method = false;
  template <class T>
  MX_HD static T forward(T x) {
    return static_cast<T>(-x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V) {
    return -dy;
  }
};

struct Abs : UnaryFunction {
  static constexpr auto name = "abs";
  static constexpr auto doc = "Absolute value, element by element.";
  static constexpr std::array aliases{"_sparse_abs"};
  static constexpr Integers integers = Integers::own;
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return abs(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * sign(x);
  }
};

struct Gamma : UnaryFunction {
  static constexpr auto name = "gamma";
  static constexpr auto doc = "The gamma function, element by element.";
  static constexpr std::array aliases{"_sparse_gamma", "_npx_gamma"};
  static constexpr bool method = false;
  static constexpr bool uses_input = true;
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return gamma(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V y) {
    return dy * (y * digamma(x));
  }
};

struct Gammaln : UnaryFunction {
  static constexpr auto name = "gammaln";
  static constexpr auto doc = "The logarithm of the absolute value of the gamma function, element by element.";
  static constexpr std::array aliases{"_sparse_gammaln", "_npx_gammaln"};
  static constexpr bool method = false;
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return gammaln(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * digamma(x);
  }
};

struct Erf : UnaryFunction {
  static constexpr auto name = "erf";
  static constexpr auto doc = "The error function, element by element.";
  static constexpr std::array aliases{"_npx_erf"};
  static constexpr bool method = false;
  static constexpr bool uses_input = true;
  template <class T>
  MX_HD static T forward(T x) {
    return erf(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V x, V) {
    return dy * (exp(-(x * x)) * constant<V>(2 * std::numbers::inv_sqrtpi));
  }
};

struct Erfinv : UnaryFunction {
  static constexpr auto name = "erfinv";
  static constexpr auto doc = "The inverse of the error function, element by element; NaN outside [-1, 1].";
  static constexpr std::array aliases{"_npx_erfinv"};
  static constexpr bool method = false;
  static constexpr bool uses_output = true;
  template <class T>
  MX_HD static T forward(T x) {
    return erfinv(x);
  }
  template <class V>
  MX_HD static V backward(V dy, V, V y) {
    return dy * (exp(y * y) * constant<V>(0.5 / std::numbers::inv_sqrtpi));
  }
};

}  // namespace functor

using UnaryFunctors =
    FunctorList<functor::Relu, functor::Sigmoid, functor::Softsign, functor::Tanh, functor::Exp, functor::Expm1,
                functor::Log, functor::Log2, functor::Log10, functor::Log1p, functor::Sqrt, functor::Rsqrt,
                functor::Cbrt, functor::Rcbrt, functor::Square, functor::Reciprocal, functor::Negative, functor::Abs,
                functor::Sign, functor::LogicalNot, functor::Round, functor::Rint, functor::Ceil, functor::Floor,
                functor::Trunc, functor::Fix, functor::Sin, functor::Cos, functor::Tan, functor::Arcsin,
                functor::Arccos, functor::Arctan, functor::Sinh, functor::Cosh, functor::Arcsinh, functor::Arccosh,
                functor::Arctanh, functor::Degrees, functor::Radians, functor::Gamma, functor::Gammaln, functor::Erf,
                functor::Erfinv, functor::RoundSte, functor::SignSte>;

}  // namespace mxnet

// The binary elementwise operators: one functor per function, from which the broadcasting, the same-shape and the
// scalar operators and their kernels are made.
//
// `forward` maps two numbers. `left` and `right` are the gradients with respect to the operands: a and b are Exprs,
// or one of them is the scalar of a scalar operator; y is the result. An array of an integer dtype is computed in
// that dtype: sums wrap, quotients are truncated, and dividing by zero gives zero.
#pragma once
#include <limits>

#include "mxnet/base/math.h"
#include "mxnet/op/params.h"
#include "mxnet/ops/functor.h"

namespace mxnet {

struct ScalarParams {
  double scalar = 1;
  bool is_int = true;
  static constexpr auto fields() {
    using P = ScalarParams;
    return std::tuple{field("scalar", &P::scalar, "The other operand."),
                      field("is_int", &P::is_int,
                            "Whether the scalar is an integer: if not, an integer array gives "
                            "a float64 result.")};
  }
};

struct SumParams {
  int num_args = 0;
  static constexpr auto fields() { return std::tuple{field("num_args", &SumParams::num_args, "Number of arrays.")}; }
};

// Names an operator goes by; a null name means that there is no such operator.
struct Spellings {
  const char* name = nullptr;
  std::array<const char*, 4> aliases{};
};

struct BinaryFunction {
  static constexpr bool flat = false;         // the gradient is zero everywhere
  static constexpr bool uses_inputs = false;  // by the gradient
  static constexpr bool uses_output = false;
  static constexpr Spellings reverse{};
};

namespace detail {

// Integer arithmetic that wraps.
template <class T>
using wrapping_t = std::make_unsigned_t<std::conditional_t<sizeof(T) < 4, int32_t, T>>;
template <class T>
MX_HD T wrapping_quotient(T a, T b) {
  if constexpr (sizeof(T) < 8) {
    // Exact in double, where it vectorises; truncated by the way back through int64.
    double quotient = static_cast<double>(a) / static_cast<double>(b == T(0) ? T(1) : b);
    return b == T(0) ? T(0) : static_cast<T>(static_cast<int64_t>(quotient));
  } else {
    if (b == T(0)) return T(0);
    return b == T(-1) ? static_cast<T>(wrapping_t<T>(0) - static_cast<wrapping_t<T>>(a)) : a / b;
  }
}

}  // namespace detail

namespace functor {

struct Add : BinaryFunction {
  static constexpr auto doc = "a + b";
  static constexpr Spellings broadcast{"broadcast_add",
                                       {"broadcast_plus", "_sparse_broadcast_add", "_sparse_broadcast_plus"}};
  static constexpr Spellings same{"elemwise_add", {"_add", "_plus", "_Plus", "_sparse_elemwise_add"}};
  static constexpr Spellings scalar{"_plus_scalar", {"_PlusScalar", "_scatter_plus_scalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<detail::wrapping_t<T>>(a) + static_cast<detail::wrapping_t<T>>(b));
    else
      return a + b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A&, const B&, const V&) {
    return dy;
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A&, const B&, const V&) {
    return dy;
  }
};

struct Subtract : BinaryFunction {
  static constexpr auto doc = "a - b";
  static constexpr Spellings broadcast{"broadcast_sub",
                                       {"broadcast_minus", "_sparse_broadcast_sub", "_sparse_broadcast_minus"}};
  static constexpr Spellings same{"elemwise_sub", {"_sub", "_minus", "_Minus", "_sparse_elemwise_sub"}};
  static constexpr Spellings scalar{"_minus_scalar", {"_MinusScalar", "_scatter_minus_scalar"}};
  static constexpr Spellings reverse{"_rminus_scalar", {"_RMinusScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<detail::wrapping_t<T>>(a) - static_cast<detail::wrapping_t<T>>(b));
    else
      return a - b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A&, const B&, const V&) {
    return dy;
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A&, const B&, const V&) {
    return -dy;
  }
};

struct Multiply : BinaryFunction {
  static constexpr auto doc = "a * b";
  static constexpr bool uses_inputs = true;
  static constexpr Spellings broadcast{"broadcast_mul", {"_sparse_broadcast_mul"}};
  static constexpr Spellings same{"elemwise_mul", {"_mul", "_Mul", "_sparse_elemwise_mul"}};
  static constexpr Spellings scalar{"_mul_scalar", {"_MulScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(static_cast<detail::wrapping_t<T>>(a) * static_cast<detail::wrapping_t<T>>(b));
    else
      return a * b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A&, const B& b, const V&) {
    return dy * b;
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A& a, const B&, const V&) {
    return dy * a;
  }
};

struct Divide : BinaryFunction {
  static constexpr auto doc = "a / b";
  static constexpr bool uses_inputs = true;
  static constexpr bool uses_output = true;
  static constexpr Spellings broadcast{"broadcast_div", {"_sparse_broadcast_div"}};
  static constexpr Spellings same{"elemwise_div", {"_div", "_Div", "_sparse_elemwise_div", "_scatter_elemwise_div"}};
  static constexpr Spellings scalar{"_div_scalar", {"_DivScalar"}};
  static constexpr Spellings reverse{"_rdiv_scalar", {"_RDivScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return detail::wrapping_quotient(a, b);
    else
      return a / b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A&, const B& b, const V&) {
    return dy / b;
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A&, const B& b, const V& y) {
    return -(dy * y / b);
  }
};

struct Modulo : BinaryFunction {
  static constexpr auto doc = "a - floor(a / b) * b, which has the sign of b, and 0 where b is 0";
  static constexpr bool uses_inputs = true;
  static constexpr Spellings broadcast{"broadcast_mod"};
  static constexpr Spellings same{"_mod", {"_Mod"}};
  static constexpr Spellings scalar{"_mod_scalar", {"_ModScalar"}};
  static constexpr Spellings reverse{"_rmod_scalar", {"_RModScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      using U = detail::wrapping_t<T>;
      T r = static_cast<T>(static_cast<U>(a) - static_cast<U>(detail::wrapping_quotient(a, b)) * static_cast<U>(b));
      if (b == T(0)) return T(0);
      return (r != T(0)) & ((r < T(0)) != (b < T(0))) ? static_cast<T>(r + b) : r;
    } else {
      if (b == T(0)) return T(0);
      T r = fmod(a, b);
      return (r != T(0)) & ((r < T(0)) != (b < T(0))) ? r + b : r;
    }
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A&, const B&, const V&) {
    return dy;
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A& a, const B& b, const V&) {
    return -(dy * floor(a / b));
  }
};

struct Power : BinaryFunction {
  static constexpr auto doc = "a to the power of b";
  static constexpr bool uses_inputs = true;
  static constexpr bool uses_output = true;
  static constexpr Spellings broadcast{"broadcast_power"};
  static constexpr Spellings same{"_power", {"_Power"}};
  static constexpr Spellings scalar{"_power_scalar", {"_PowerScalar"}};
  static constexpr Spellings reverse{"_rpower_scalar", {"_RPowerScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_integral_v<T>)
      return integer_power(a, b);
    else
      return pow(a, b);
  }
  // A negative exponent gives the truncated fraction.
  template <class T>
  MX_HD static T integer_power(T a, T b) {
    using U = detail::wrapping_t<T>;
    if (b < T(0)) return a == T(1) ? T(1) : a == T(-1) ? (b % 2 ? T(-1) : T(1)) : T(0);
    U result = 1, base = static_cast<U>(a);
    for (T n = b; n > T(0); n = static_cast<T>(n / 2), base *= base)
      if (n % 2) result *= base;
    return static_cast<T>(result);
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A& a, const B& b, const V&) {
    return dy * (pow(a, b - 1.0) * b);
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A& a, const B&, const V& y) {
    return dy * (y * log(a));
  }
};

struct Maximum : BinaryFunction {
  static constexpr auto doc = "the larger of a and b, NaN where either is";
  static constexpr bool uses_inputs = true;
  static constexpr Spellings broadcast{"broadcast_maximum", {"_npi_maximum"}};
  static constexpr Spellings same{"_maximum", {"_Maximum"}};
  static constexpr Spellings scalar{"_maximum_scalar", {"_MaximumScalar", "_npi_maximum_scalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return (a > b) | (a != a) ? a : b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A& a, const B& b, const V&) {
    return dy * (a >= b);
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A& a, const B& b, const V&) {
    return dy * (a < b);
  }
};

struct Minimum : BinaryFunction {
  static constexpr auto doc = "the smaller of a and b, NaN where either is";
  static constexpr bool uses_inputs = true;
  static constexpr Spellings broadcast{"broadcast_minimum", {"_npi_minimum"}};
  static constexpr Spellings same{"_minimum", {"_Minimum"}};
  static constexpr Spellings scalar{"_minimum_scalar", {"_MinimumScalar", "_npi_minimum_scalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return (a < b) | (a != a) ? a : b;
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A& a, const B& b, const V&) {
    return dy * (a <= b);
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A& a, const B& b, const V&) {
    return dy * (a > b);
  }
};

struct Hypot : BinaryFunction {
  static constexpr auto doc = "sqrt(a * a + b * b) without overflow on the way";
  static constexpr bool uses_inputs = true;
  static constexpr bool uses_output = true;
  static constexpr Spellings broadcast{"broadcast_hypot"};
  static constexpr Spellings same{"_hypot", {"_Hypot"}};
  static constexpr Spellings scalar{"_hypot_scalar", {"_HypotScalar", "_npi_hypot_scalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    if constexpr (std::is_same_v<T, double>) {
      return hypot(a, b);
    } else {
      // Squares of floats and integers do not overflow a double.
      double x = static_cast<double>(a), y = static_cast<double>(b);
      return static_cast<T>(sqrt(x * x + y * y));
    }
  }
  template <class V, class A, class B>
  static V left(const V& dy, const A& a, const B&, const V& y) {
    return dy * (a / y);
  }
  template <class V, class A, class B>
  static V right(const V& dy, const A&, const B& b, const V& y) {
    return dy * (b / y);
  }
};

struct Comparison : BinaryFunction {
  static constexpr bool flat = true;
};

struct Equal : Comparison {
  static constexpr auto doc = "1 where a == b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_equal"}, same{"_equal", {"_Equal"}},
      scalar{"_equal_scalar", {"_EqualScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a == b);
  }
};

struct NotEqual : Comparison {
  static constexpr auto doc = "1 where a != b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_not_equal"}, same{"_not_equal", {"_Not_Equal"}},
      scalar{"_not_equal_scalar", {"_NotEqualScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a != b);
  }
};

struct Greater : Comparison {
  static constexpr auto doc = "1 where a > b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_greater"}, same{"_greater", {"_Greater"}},
      scalar{"_greater_scalar", {"_GreaterScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a > b);
  }
};

struct GreaterEqual : Comparison {
  static constexpr auto doc = "1 where a >= b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_greater_equal"}, same{"_greater_equal", {"_Greater_Equal"}},
      scalar{"_greater_equal_scalar", {"_GreaterEqualScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a >= b);
  }
};

struct Lesser : Comparison {
  static constexpr auto doc = "1 where a < b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_lesser"}, same{"_lesser", {"_Lesser"}},
      scalar{"_lesser_scalar", {"_LesserScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a < b);
  }
};

struct LesserEqual : Comparison {
  static constexpr auto doc = "1 where a <= b and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_lesser_equal"}, same{"_lesser_equal", {"_Lesser_Equal"}},
      scalar{"_lesser_equal_scalar", {"_LesserEqualScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>(a <= b);
  }
};

struct LogicalAnd : Comparison {
  static constexpr auto doc = "1 where a and b are both nonzero and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_logical_and"}, same{"_logical_and", {"_Logical_And"}},
      scalar{"_logical_and_scalar", {"_LogicalAndScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>((a != T(0)) & (b != T(0)));
  }
};

struct LogicalOr : Comparison {
  static constexpr auto doc = "1 where a or b is nonzero and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_logical_or"}, same{"_logical_or", {"_Logical_Or"}},
      scalar{"_logical_or_scalar", {"_LogicalOrScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>((a != T(0)) | (b != T(0)));
  }
};

struct LogicalXor : Comparison {
  static constexpr auto doc = "1 where exactly one of a and b is nonzero and 0 elsewhere";
  static constexpr Spellings broadcast{"broadcast_logical_xor"}, same{"_logical_xor", {"_Logical_Xor"}},
      scalar{"_logical_xor_scalar", {"_LogicalXorScalar"}};
  template <class T>
  MX_HD static T forward(T a, T b) {
    return static_cast<T>((a != T(0)) != (b != T(0)));
  }
};

}  // namespace functor

using BinaryFunctors = FunctorList<functor::Add, functor::Subtract, functor::Multiply, functor::Divide, functor::Modulo,
                                   functor::Power, functor::Maximum, functor::Minimum, functor::Hypot, functor::Equal,
                                   functor::NotEqual, functor::Greater, functor::GreaterEqual, functor::Lesser,
                                   functor::LesserEqual, functor::LogicalAnd, functor::LogicalOr, functor::LogicalXor>;

}  // namespace mxnet

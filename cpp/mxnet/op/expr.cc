#include "mxnet/op/expr.h"

namespace mxnet {

const Op& OpRef::op() const {
  if (!op_) op_ = &Registry::get().at(name_);
  return *op_;
}

std::vector<Expr> OpRef::all(std::span<const Expr> inputs, Attrs attrs) const {
  return with(inputs, make_params(op(), attrs));
}

std::vector<Expr> OpRef::with(std::span<const Expr> inputs, const ParamsRef& params) const {
  Arrays arrays;
  arrays.reserve(inputs.size());
  std::optional<Context> ctx;
  for (const Expr& e : inputs) arrays.push_back(e.array());
  Arrays results = invoke(op(), params, arrays, {}, ctx);
  return std::vector<Expr>(std::make_move_iterator(results.begin()), std::make_move_iterator(results.end()));
}

Expr apply(const char* op, std::initializer_list<Expr> inputs, Attrs attrs) { return OpRef(op)(inputs, attrs); }

namespace {

// One table entry per spelling: resolved once, then a plain call.
template <size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&s)[N]) { std::copy_n(s, N, text); }
};
template <Name name>
Expr call(const Expr& a) {
  static const OpRef op(name.text);
  return op({a});
}
template <Name name>
Expr call(const Expr& a, const Expr& b) {
  static const OpRef op(name.text);
  return op({a, b});
}
template <Name name>
Expr call(const Expr& a, double scalar) {
  static const OpRef op(name.text);
  return op({a}, {{"scalar", scalar}});
}

Value axes_value(std::span<const int> axes) {
  Value::List list;
  for (int axis : axes) list.emplace_back(axis);
  return list;
}

}  // namespace

Expr operator+(const Expr& a, const Expr& b) { return call<"broadcast_add">(a, b); }
Expr operator-(const Expr& a, const Expr& b) { return call<"broadcast_sub">(a, b); }
Expr operator*(const Expr& a, const Expr& b) { return call<"broadcast_mul">(a, b); }
Expr operator/(const Expr& a, const Expr& b) { return call<"broadcast_div">(a, b); }
Expr operator+(const Expr& a, double b) { return call<"_plus_scalar">(a, b); }
Expr operator-(const Expr& a, double b) { return call<"_minus_scalar">(a, b); }
Expr operator*(const Expr& a, double b) { return call<"_mul_scalar">(a, b); }
Expr operator/(const Expr& a, double b) { return call<"_div_scalar">(a, b); }
Expr operator+(double a, const Expr& b) { return call<"_plus_scalar">(b, a); }
Expr operator-(double a, const Expr& b) { return call<"_rminus_scalar">(b, a); }
Expr operator*(double a, const Expr& b) { return call<"_mul_scalar">(b, a); }
Expr operator/(double a, const Expr& b) { return call<"_rdiv_scalar">(b, a); }
Expr operator-(const Expr& a) { return call<"negative">(a); }
Expr operator>(const Expr& a, const Expr& b) { return call<"broadcast_greater">(a, b); }
Expr operator<(const Expr& a, const Expr& b) { return call<"broadcast_lesser">(a, b); }
Expr operator>=(const Expr& a, const Expr& b) { return call<"broadcast_greater_equal">(a, b); }
Expr operator<=(const Expr& a, const Expr& b) { return call<"broadcast_lesser_equal">(a, b); }
Expr operator==(const Expr& a, const Expr& b) { return call<"broadcast_equal">(a, b); }
Expr operator!=(const Expr& a, const Expr& b) { return call<"broadcast_not_equal">(a, b); }
Expr operator>(const Expr& a, double b) { return call<"_greater_scalar">(a, b); }
Expr operator<(const Expr& a, double b) { return call<"_lesser_scalar">(a, b); }
Expr operator>=(const Expr& a, double b) { return call<"_greater_equal_scalar">(a, b); }
Expr operator<=(const Expr& a, double b) { return call<"_lesser_equal_scalar">(a, b); }
Expr operator==(const Expr& a, double b) { return call<"_equal_scalar">(a, b); }
Expr operator!=(const Expr& a, double b) { return call<"_not_equal_scalar">(a, b); }

Expr exp(const Expr& x) { return call<"exp">(x); }
Expr log(const Expr& x) { return call<"log">(x); }
Expr sqrt(const Expr& x) { return call<"sqrt">(x); }
Expr sin(const Expr& x) { return call<"sin">(x); }
Expr cos(const Expr& x) { return call<"cos">(x); }
Expr tan(const Expr& x) { return call<"tan">(x); }
Expr sinh(const Expr& x) { return call<"sinh">(x); }
Expr cosh(const Expr& x) { return call<"cosh">(x); }
Expr tanh(const Expr& x) { return call<"tanh">(x); }
Expr abs(const Expr& x) { return call<"abs">(x); }
Expr sign(const Expr& x) { return call<"sign">(x); }
Expr square(const Expr& x) { return call<"square">(x); }
Expr sigmoid(const Expr& x) { return call<"sigmoid">(x); }
Expr erf(const Expr& x) { return call<"erf">(x); }
Expr pow(const Expr& x, const Expr& y) { return call<"broadcast_power">(x, y); }
Expr pow(const Expr& x, double y) { return call<"_power_scalar">(x, y); }
Expr pow(double x, const Expr& y) { return call<"_rpower_scalar">(y, x); }

Expr select(const Expr& condition, const Expr& yes, const Expr& no) {
  static const OpRef where("where");
  return where({condition, yes, no});
}

Expr sum(const Expr& x, std::span<const int> axes, bool keepdims) {
  static const OpRef op("sum");
  return op({x}, {{"axis", axes_value(axes)}, {"keepdims", keepdims}});
}

Expr reshape(const Expr& x, const Shape& shape) {
  static const OpRef op("_reshape_to");
  return x.shape() == shape ? x : op({x}, {{"shape", shape}});
}

Expr broadcast_to(const Expr& x, const Shape& shape) {
  static const OpRef op("_broadcast_to");
  return x.shape() == shape ? x : op({x}, {{"shape", shape}});
}

Expr transpose(const Expr& x, std::span<const int> axes) {
  static const OpRef op("transpose");
  return op({x}, {{"axes", axes_value(axes)}});
}

Expr cast(const Expr& x, DType dtype) {
  static const OpRef op("Cast");
  return x.dtype() == dtype ? x : op({x}, {{"dtype", dtype}});
}

Expr full(const Shape& shape, double value, DType dtype, Context ctx) {
  static const OpRef op("_full");
  ParamsRef params = make_params(op.op(), {{"shape", shape}, {"value", value}, {"dtype", dtype}});
  return invoke(op.op(), params, {}, {}, ctx)[0];
}

Expr zeros(const Shape& shape, DType dtype, Context ctx) { return full(shape, 0, dtype, ctx); }
Expr ones(const Shape& shape, DType dtype, Context ctx) { return full(shape, 1, dtype, ctx); }

Expr sum_to(const Expr& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  int extra = x.shape().ndim() - shape.ndim();
  std::vector<int> axes;
  for (int i = 0; i < x.shape().ndim(); ++i)
    if (i < extra || (shape[i - extra] == 1 && x.shape()[i] != 1)) axes.push_back(i);
  return axes.empty() ? reshape(x, shape) : reshape(sum(x, axes, true), shape);
}

Expr GradContext::dout(int i) const {
  if (dout_[i].defined()) return dout_[i];
  for (const Expr& e : dout_)
    if (e.defined()) return zeros(out_specs_[i].shape, out_specs_[i].dtype, e.ctx());
  value_error(op_.name, ": no gradient has reached its outputs");
}

}  // namespace mxnet

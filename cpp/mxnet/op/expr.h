// Expr: a value in the text of a gradient or a composition. The same formula runs operators on arrays or, under a
// GraphBuilder, makes a graph of them.
#pragma once
#include "mxnet/op/invoke.h"

namespace mxnet {

class Expr {
 public:
  Expr() = default;  // undefined: a gradient that is zero
  Expr(NDArray array) : array_(std::move(array)) {}

  // A value of a graph is an array without memory.
  bool defined() const { return array_.defined() || array_.tape; }
  const NDArray& array() const { return array_; }
  const Shape& shape() const { return array_.shape(); }
  DType dtype() const { return array_.dtype(); }
  Context ctx() const { return array_.ctx(); }

 private:
  NDArray array_;
};

// An operator resolved by name on first use: `static const OpRef sum("sum"); sum({x}, {{"axis", 0}})`.
class OpRef {
 public:
  explicit OpRef(const char* name) : name_(name) {}
  Expr operator()(std::initializer_list<Expr> inputs, Attrs attrs = {}) const { return all(inputs, attrs)[0]; }
  std::vector<Expr> all(std::span<const Expr> inputs, Attrs attrs = {}) const;
  std::vector<Expr> all(std::initializer_list<Expr> inputs, Attrs attrs = {}) const {
    return all(std::span(inputs.begin(), inputs.size()), attrs);
  }
  // With a params struct of the operator's own type, or the params of the call at hand.
  std::vector<Expr> with(std::span<const Expr> inputs, const ParamsRef& params) const;
  std::vector<Expr> with(std::initializer_list<Expr> inputs, const ParamsRef& params) const {
    return with(std::span(inputs.begin(), inputs.size()), params);
  }
  const Op& op() const;

 private:
  const char* name_;
  mutable const Op* op_ = nullptr;
};

// Arithmetic broadcasts; a scalar keeps the dtype of the array.
Expr operator+(const Expr& a, const Expr& b);
Expr operator-(const Expr& a, const Expr& b);
Expr operator*(const Expr& a, const Expr& b);
Expr operator/(const Expr& a, const Expr& b);
Expr operator+(const Expr& a, double b);
Expr operator-(const Expr& a, double b);
Expr operator*(const Expr& a, double b);
Expr operator/(const Expr& a, double b);
Expr operator+(double a, const Expr& b);
Expr operator-(double a, const Expr& b);
Expr operator*(double a, const Expr& b);
Expr operator/(double a, const Expr& b);
Expr operator-(const Expr& a);
// Comparisons give 0/1 in the dtype of a.
Expr operator>(const Expr& a, const Expr& b);
Expr operator<(const Expr& a, const Expr& b);
Expr operator>=(const Expr& a, const Expr& b);
Expr operator<=(const Expr& a, const Expr& b);
Expr operator==(const Expr& a, const Expr& b);
Expr operator!=(const Expr& a, const Expr& b);
Expr operator>(const Expr& a, double b);
Expr operator<(const Expr& a, double b);
Expr operator>=(const Expr& a, double b);
Expr operator<=(const Expr& a, double b);
Expr operator==(const Expr& a, double b);
Expr operator!=(const Expr& a, double b);

// Any operator of one or more arrays by name, for formulas: apply("sin", {x}).
Expr apply(const char* op, std::initializer_list<Expr> inputs, Attrs attrs = {});

// The names below let one formula serve numbers in kernels and Exprs in gradients.
Expr exp(const Expr& x);
Expr log(const Expr& x);
Expr sqrt(const Expr& x);
Expr sin(const Expr& x);
Expr cos(const Expr& x);
Expr tan(const Expr& x);
Expr sinh(const Expr& x);
Expr cosh(const Expr& x);
Expr tanh(const Expr& x);
Expr abs(const Expr& x);
Expr sign(const Expr& x);
Expr square(const Expr& x);
Expr sigmoid(const Expr& x);
Expr erf(const Expr& x);
Expr pow(const Expr& x, const Expr& y);
Expr pow(const Expr& x, double y);
Expr pow(double x, const Expr& y);
Expr select(const Expr& condition, const Expr& yes, const Expr& no);

// Shape work.
Expr sum(const Expr& x, std::span<const int> axes, bool keepdims);
Expr reshape(const Expr& x, const Shape& shape);
Expr broadcast_to(const Expr& x, const Shape& shape);
Expr transpose(const Expr& x, std::span<const int> axes = {});
Expr cast(const Expr& x, DType dtype);
Expr zeros(const Shape& shape, DType dtype, Context ctx);
Expr ones(const Shape& shape, DType dtype, Context ctx);
Expr full(const Shape& shape, double value, DType dtype, Context ctx);
inline Expr zeros_like(const Expr& x) { return zeros(x.shape(), x.dtype(), x.ctx()); }
// Sums x over what broadcasting added, so that it has `shape`: the gradient of broadcast_to.
Expr sum_to(const Expr& x, const Shape& shape);

// One operator application whose gradient is wanted.
class GradContext {
 public:
  GradContext(const Op& op, const ParamsRef& params, std::span<const Expr> in, std::span<const Expr> out,
              std::span<const TensorSpec> out_specs, std::span<const Expr> dout, std::span<Expr> din,
              const std::vector<bool>& needed, bool training = true)
      : op_(op),
        params_(params),
        in_(in),
        out_(out),
        out_specs_(out_specs),
        dout_(dout),
        din_(din),
        needed_(needed),
        training_(training) {}

  int num_inputs() const { return static_cast<int>(in_.size()); }
  int num_outputs() const { return static_cast<int>(out_specs_.size()); }
  const Expr& in(int i) const { return in_[i]; }
  const Expr& out(int i) const { return out_[i]; }
  // False for an optional input that was left out. An input the tape did not keep has its shape only.
  bool has(int i) const { return i < num_inputs() && in_[i].dtype() != DType::unknown; }
  // The gradient of an output; zeros where nothing has flowed into it.
  Expr dout(int i) const;
  bool has_dout(int i) const { return dout_[i].defined(); }
  // True if anybody wants the gradient of input i.
  bool needs(int i) const { return i < num_inputs() && needed_[i]; }
  // Where to put it; left undefined it counts as zero.
  Expr& din(int i) { return din_[i]; }
  const Op& op() const { return op_; }
  const ParamsRef& params() const { return params_; }
  const Shape& out_shape(int i) const { return out_specs_[i].shape; }
  // Whether the operator itself was applied in training mode.
  bool training() const { return training_; }

 private:
  const Op& op_;
  const ParamsRef& params_;
  std::span<const Expr> in_, out_;
  std::span<const TensorSpec> out_specs_;
  std::span<const Expr> dout_;
  std::span<Expr> din_;
  const std::vector<bool>& needed_;
  bool training_;
};

}  // namespace mxnet

#include "mxnet/ops/binary.h"

#include "mxnet/op/expr.h"
#include "mxnet/ops/simple.h"

namespace mxnet {

// What the formulas in binary.h need of Exprs and scalars.
static Expr floor(const Expr& x) {
  static const OpRef op("floor");
  return op({x});
}

namespace {

template <class P>
void add_aliases(OpBuilder<P>& op, const Spellings& spellings) {
  for (const char* alias : spellings.aliases)
    if (alias) op.alias({alias});
}

// The shape two shapes broadcast to, as far as it is known yet.
Shape broadcast_known(const InferContext& c, const Shape& a, const Shape& b) {
  if (!a.rank_known() || !b.rank_known()) return Shape::unknown();
  const Shape& longer = a.ndim() >= b.ndim() ? a : b;
  const Shape& shorter = a.ndim() >= b.ndim() ? b : a;
  Shape result = longer;
  int shift = longer.ndim() - shorter.ndim();
  for (int i = 0; i < shorter.ndim(); ++i) {
    int64_t x = longer[i + shift], y = shorter[i];
    bool fits = x == y || x == 1 || y == 1 || x < 0 || y < 0;
    if (!fits) c.fail("lhs has shape ", a, " and rhs ", b, ", which do not broadcast to one shape");
    if (x < 0 || y < 0)
      result[i + shift] = std::max(x, y) > 1 ? std::max(x, y) : kUnknown;
    else
      result[i + shift] = x == 1 ? y : x;
  }
  return result;
}

void infer_broadcast(const NoParams&, InferContext& c) {
  DType dtype = c.same_dtype();
  c.out(0) = {broadcast_known(c, c.shape(0), c.shape(1)), dtype};
}

// The array's dtype; booleans count as int64, and a fractional scalar makes an integer array float64.
void infer_scalar(const ScalarParams& p, InferContext& c) {
  DType dtype = c.in(0).dtype;
  bool integer = dtype != DType::unknown && !is_floating(dtype);
  if (integer && !p.is_int)
    dtype = DType::float64;
  else if (dtype == DType::boolean)
    dtype = DType::int64;
  c.out(0) = {c.shape(0), dtype};
}

template <class F>
void gradient(const NoParams&, GradContext& g) {
  if constexpr (!F::flat) {
    if (g.needs(0)) g.din(0) = sum_to(F::left(g.dout(0), g.in(0), g.in(1), g.out(0)), g.in(0).shape());
    if (g.needs(1)) g.din(1) = sum_to(F::right(g.dout(0), g.in(0), g.in(1), g.out(0)), g.in(1).shape());
  }
}

template <class F>
void scalar_gradient(const ScalarParams& p, GradContext& g) {
  if constexpr (!F::flat) g.din(0) = cast(F::left(g.dout(0), g.in(0), p.scalar, g.out(0)), g.in(0).dtype());
}
// The commonest power needs no power for its gradient.
template <>
void scalar_gradient<functor::Power>(const ScalarParams& p, GradContext& g) {
  const Expr &dy = g.dout(0), &x = g.in(0);
  Expr slope = p.scalar == 2 ? x * 2.0 : pow(x, p.scalar - 1) * p.scalar;
  g.din(0) = cast(dy * slope, x.dtype());
}

template <class F>
void reverse_gradient(const ScalarParams& p, GradContext& g) {
  g.din(0) = cast(F::right(g.dout(0), p.scalar, g.in(0), g.out(0)), g.in(0).dtype());
}

template <class F>
void define_arrays(const Spellings& spellings, bool broadcast) {
  auto op = define_op(spellings.name);
  static const std::string same_doc = std::string("Element by element: ") + F::doc + ". Both arrays have one shape.";
  static const std::string broadcast_doc =
      std::string("Element by element: ") + F::doc + ". The shapes broadcast as in NumPy.";
  op.doc((broadcast ? broadcast_doc : same_doc).c_str()).input("lhs", "Operand a.").input("rhs", "Operand b.");
  add_aliases(op, spellings);
  if (broadcast)
    op.infer(infer_broadcast);
  else
    op.infer(infer_same);
  op.gradient(gradient<F>).grad_uses(F::uses_inputs, F::uses_output).inplace();
}

template <class F>
auto define_scalar(const Spellings& spellings, bool reverse) {
  auto op = define_op<ScalarParams>(spellings.name);
  static const std::string doc = std::string("Element by element: ") + F::doc + ", where b is the scalar.";
  static const std::string reverse_doc = std::string("Element by element: ") + F::doc + ", where a is the scalar.";
  op.doc((reverse ? reverse_doc : doc).c_str()).input("data", "Input array.");
  add_aliases(op, spellings);
  op.infer(infer_scalar).grad_uses(F::uses_inputs, F::uses_output).inplace();
  return op;
}

const bool defined = [] {
  BinaryFunctors::each([]<class F>() {
    define_arrays<F>(F::broadcast, true);
    define_arrays<F>(F::same, false);
    define_scalar<F>(F::scalar, false).gradient(scalar_gradient<F>);
    if constexpr (F::reverse.name != nullptr) define_scalar<F>(F::reverse, true).gradient(reverse_gradient<F>);
  });
  return true;
}();

const Op& add_n = define_op<SumParams>("add_n")
                      .doc("The sum of all inputs, which have one shape and one dtype.")
                      .alias({"ElementWiseSum", "_sparse_add_n", "_sparse_ElementWiseSum"})
                      .variadic("args", "num_args", "Arrays to add.")
                      .infer([](const SumParams& p, InferContext& c) {
                        if (c.num_inputs() == 0) c.fail("got no arrays, expected at least one");
                        infer_elementwise(p, c);
                      })
                      .gradient([](const SumParams&, GradContext& g) {
                        for (int i = 0; i < g.num_inputs(); ++i)
                          if (g.needs(i)) g.din(i) = g.dout(0);
                      })
                      .grad_uses(false, false)
                      .inplace();

const Op& grad_add = define_op("_grad_add")
                         .doc("a + b, element by element; what gradients are added up with.")
                         .input("lhs", "Operand a.")
                         .input("rhs", "Operand b.")
                         .infer(infer_same)
                         .gradient(gradient<functor::Add>)
                         .grad_uses(false, false)
                         .inplace();

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/unary.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/expr.h"
#include "mxnet/ops/simple.h"

namespace mxnet {

// The derivatives of gamma functions, found by the formulas in unary.h.
static Expr polygamma(int n, const Expr& x) {
  static const OpRef op("_polygamma");
  return op({x}, {{"n", n}});
}
static Expr digamma(const Expr& x) { return polygamma(0, x); }

namespace {

template <class F>
void check_number(const InferContext& c, DType dtype) {
  if (dtype == DType::boolean && !std::is_same_v<F, functor::LogicalNot>)
    c.fail_type("data has dtype bool, expected a number; convert it with astype");
}

template <class F>
void gradient(const NoParams&, GradContext& g) {
  if constexpr (!F::flat) g.din(0) = F::backward(g.dout(0), g.in(0), g.out(0));
}

template <class F>
void fused_gradient(const NoParams& p, GradContext& g) {
  static const std::string name = backward_name<F>();
  static const OpRef op(name.c_str());
  Expr dy = g.dout(0);
  if (!is_floating(dy.dtype())) return gradient<F>(p, g);
  if constexpr (F::uses_input && F::uses_output)
    g.din(0) = op({g.in(0), g.out(0), dy});
  else
    g.din(0) = op({F::uses_input ? g.in(0) : g.out(0), dy});
}

template <class F>
void define_backward() {
  auto op = define_op(backward_name<F>().c_str());
  op.doc("The gradient of the operator it is named after, in one pass; floating dtypes.");
  if constexpr (F::uses_input) op.input("x", "Input of the operator.");
  if constexpr (F::uses_output) op.input("y", "Output of the operator.");
  op.input("dy", "Gradient of the output.").inplace().infer(infer_same);
}

template <class F>
void define_unary() {
  auto op = define_op(F::name);
  op.doc(F::doc).input("data", "Input array.").inplace();
  for (const char* alias : F::aliases) op.alias({alias});
  op.infer([](const NoParams& p, InferContext& c) {
    infer_same(p, c);
    check_number<F>(c, c.in(0).dtype);
  });
  op.gradient(gradient<F>).grad_uses(F::uses_input, F::uses_output);
  if constexpr (!F::flat && F::fused) {
    op.fast_gradient(fused_gradient<F>);
    define_backward<F>();
  }
  if (F::method) op.method();
}

const bool defined = (UnaryFunctors::each([]<class F>() { define_unary<F>(); }), true);

struct PolygammaParams {
  int n = 0;
  static constexpr auto fields() {
    return std::tuple{field("n", &PolygammaParams::n, "Order of the derivative; 0 is digamma.")};
  }
};

void polygamma_cpu(const PolygammaParams& p, KernelContext& c) {
  // Far fewer items than an elementwise loop has are worth a thread.
  constexpr int64_t kGrain = 256;
  dispatch_floating(c.out(0).dtype, [&]<class T>() {
    T* out = c.out(0).as<T>();
    const T* x = c.in(0).as<T>();
    parallel_for(c.out(0).size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = static_cast<T>(mxnet::polygamma(p.n, static_cast<double>(x[i])));
    });
  });
}

const Op& polygamma_op =
    define_op<PolygammaParams>("_polygamma")
        .doc("The n-th derivative of digamma, the logarithmic derivative of gamma, element by element.")
        .input("data", "Input array of a floating dtype.")
        .infer([](const PolygammaParams& p, InferContext& c) {
          constexpr int kMost = 170;  // n! is a double until there
          if (p.n < 0 || p.n > kMost) c.fail("n is ", p.n, ", must be from 0 to ", kMost);
          c.out(0) = c.in(0);
        })
        .cpu(polygamma_cpu)
        .gradient([](const PolygammaParams& p, GradContext& g) { g.din(0) = g.dout(0) * polygamma(p.n + 1, g.in(0)); })
        .grad_uses(true, false)
        .heavy()
        .inplace();

// Operators that hand their input on.

void copy_cpu(const NoParams&, KernelContext& c) {
  cast_elements(c.in(0).data, c.in(0).dtype, c.out(0).data, c.out(0).dtype, c.out(0).size());
}

const Op& identity = define_op("_copy")
                         .doc("A copy of the input.")
                         .alias({"identity", "_CrossDeviceCopy"})
                         .input("data", "Input array.")
                         .infer(infer_same)
                         .cpu(copy_cpu)
                         .gradient([](const NoParams&, GradContext& g) { g.din(0) = g.dout(0); })
                         .grad_uses(false, false)
                         .inplace();

const Op& copyto = define_op("_copyto")
                       .doc("A copy of the input, into `out` where that is given.")
                       .alias({"_npi_copyto"})
                       .input("data", "Input array.")
                       .infer(infer_same)
                       .cpu(copy_cpu)
                       .gradient([](const NoParams&, GradContext& g) { g.din(0) = g.dout(0); })
                       .grad_uses(false, false)
                       .inplace();

const Op& block_grad = define_op("BlockGrad")
                           .doc("The input unchanged; no gradient flows back through it.")
                           .alias({"stop_gradient", "_sparse_stop_gradient"})
                           .input("data", "Input array.")
                           .infer(infer_same)
                           .cpu(copy_cpu)
                           .gradient([](const NoParams&, GradContext&) {})
                           .grad_uses(false, false)
                           .inplace();

const Op& make_loss =
    define_op("make_loss")
        .doc("The input unchanged, marked as a loss: its gradient is one everywhere, whatever follows.")
        .output_names([](const NoParams&) { return std::vector<std::string>{"loss"}; })
        .alias({"_sparse_make_loss"})
        .input("data", "Input array.")
        .infer(infer_same)
        .cpu(copy_cpu)
        .gradient([](const NoParams&, GradContext& g) {
          g.din(0) = ones(g.out_shape(0), g.dout(0).dtype(), g.dout(0).ctx());
        })
        .grad_uses(false, false)
        .inplace();

const Op& identity_like_rhs = define_op("_identity_with_attr_like_rhs")
                                  .doc("A copy of `lhs`, whose shape and dtype are those of `rhs`.")
                                  .input("lhs", "Array to copy.")
                                  .input("rhs", "Array that gives shape and dtype.")
                                  .infer([](const NoParams&, InferContext& c) {
                                    c.expect_shape(0, c.shape(1));
                                    c.expect_shape(1, c.shape(0));
                                    c.same_dtype();
                                    c.out(0) = c.in(0);
                                  })
                                  .cpu(copy_cpu)
                                  .gradient([](const NoParams&, GradContext& g) { g.din(0) = g.dout(0); })
                                  .grad_uses(false, false)
                                  .inplace();

}  // namespace
}  // namespace mxnet

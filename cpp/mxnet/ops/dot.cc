#include "mxnet/ops/dot.h"

#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

// Splits a shape around the axis that is summed over: the first if `leading`, else the last.
int64_t summed(const Shape& s, bool leading) { return leading ? s[0] : s.back(); }
Shape kept(const Shape& s, bool leading) { return leading ? s.slice(1, s.ndim()) : s.slice(0, s.ndim() - 1); }
// Vectors have no transpose.
bool leading_a(const DotParams& p, const Shape& s) { return p.transpose_a || s.ndim() == 0; }
bool leading_b(const DotParams& p, const Shape& s) { return !p.transpose_b || s.ndim() == 0; }

void infer_dot(const DotParams& p, InferContext& c) {
  DType dtype = c.same_dtype(0, 2);
  c.out(0).dtype = dtype;
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (!a.rank_known() || !b.rank_known()) return;
  if (a.ndim() == 0 || b.ndim() == 0)
    c.fail("got a scalar for '", c.input_name(a.ndim() == 0 ? 0 : 1), "', takes arrays of one axis or more");
  int64_t ka = summed(a, leading_a(p, a)), kb = summed(b, leading_b(p, b));
  if (ka >= 0 && kb >= 0 && ka != kb)
    c.fail("cannot multiply shapes ", a, p.transpose_a ? " (transposed)" : "", " and ", b,
           p.transpose_b ? " (transposed)" : "", ": sums run over ", ka, " and ", kb, " elements");
  Shape out = kept(a, leading_a(p, a));
  Shape rest = kept(b, leading_b(p, b));
  for (int64_t extent : rest.dims()) out.push_back(extent);
  if (out.ndim() == 0) out.push_back(1);
  c.out(0).shape = out;
}

void dot_cpu(const DotParams& p, KernelContext& c) { gemm(c.out(0).dtype, dot_gemm(p, c)); }

// Gradients of C = op(A) op(B) as products of the same kind, for matrices or batches of them.
Expr grad_a(const OpRef& mul, const DotParams& p, const Expr& b, const Expr& dc) {
  if (!p.transpose_a) return mul({dc, b}, {{"transpose_b", !p.transpose_b}});
  return mul({b, dc}, {{"transpose_a", p.transpose_b}, {"transpose_b", true}});
}
Expr grad_b(const OpRef& mul, const DotParams& p, const Expr& a, const Expr& dc) {
  if (!p.transpose_b) return mul({a, dc}, {{"transpose_a", !p.transpose_a}});
  return mul({dc, a}, {{"transpose_a", true}, {"transpose_b", p.transpose_a}});
}

// The matrix an array of any rank is to the product.
Expr as_matrix(const Expr& x, bool summed_first) {
  const Shape& s = x.shape();
  if (s.ndim() == 2) return x;
  int64_t k = summed(s, summed_first), rest = kept(s, summed_first).size();
  return reshape(x, summed_first ? Shape{k, rest} : Shape{rest, k});
}

void dot_gradient(const DotParams& p, GradContext& g) {
  static const OpRef mul("dot");
  const Shape &a = g.in(0).shape(), &b = g.in(1).shape();
  // Once both are matrices a vector has a transpose: the one that its place asks for.
  bool first_a = a.ndim() > 1 && p.transpose_a, first_b = b.ndim() == 1 || !p.transpose_b;
  DotParams q{first_a, !first_b, {}};
  Expr dc = reshape(g.dout(0), {kept(a, first_a).size(), kept(b, first_b).size()});
  if (g.needs(0)) {
    Expr d = grad_a(mul, q, as_matrix(g.in(1), first_b), dc);
    g.din(0) = a.ndim() == 2 ? d : reshape(d, a);
  }
  if (g.needs(1)) {
    Expr d = grad_b(mul, q, as_matrix(g.in(0), first_a), dc);
    g.din(1) = b.ndim() == 2 ? d : reshape(d, b);
  }
}

// dot(lhs, rhs) + addend.
void infer_dot_add(const DotParams& p, InferContext& c) {
  infer_dot(p, c);
  c.expect_dtype(2, c.out(0).dtype);
  if (c.out(0).shape.rank_known()) c.expect_shape(2, c.out(0).shape);
}

void dot_add_cpu(const DotParams& p, KernelContext& c) {
  const TensorView& out = c.out(0);
  auto bytes = static_cast<size_t>(out.size() * size_of(out.dtype));
  if (bytes == 0) return;
  Gemm g = dot_gemm(p, c);
  // In the place of a factor nothing can be added up.
  bool apart = out.data == c.in(0).data || out.data == c.in(1).data;
  Scratch sums = apart ? Scratch(static_cast<int64_t>(bytes)) : Scratch();
  if (apart) g.c = sums.data();
  if (g.c != c.in(2).data) std::memcpy(g.c, c.in(2).data, bytes);
  g.beta = 1;
  gemm(out.dtype, g);
  if (apart) std::memcpy(out.data, g.c, bytes);
}

void dot_add_gradient(const DotParams& p, GradContext& g) {
  dot_gradient(p, g);
  if (g.needs(2)) g.din(2) = g.dout(0);
}

void infer_batch_dot(const DotParams& p, InferContext& c) {
  c.out(0).dtype = c.same_dtype(0, 2);
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (!a.rank_known() || !b.rank_known()) return;
  int rank = a.ndim();
  if (rank < 3 || b.ndim() != rank)
    c.fail("got shapes ", a, " and ", b, ", takes two arrays of equal rank, at least 3");
  Shape out = a;
  for (int i = 0; i < rank - 2; ++i) {
    if (a[i] >= 0 && b[i] >= 0 && a[i] != b[i]) c.fail("the leading axes of ", a, " and ", b, " must be equal");
    if (a[i] < 0) out[i] = b[i];
  }
  int64_t ka = a[p.transpose_a ? rank - 2 : rank - 1], kb = b[p.transpose_b ? rank - 1 : rank - 2];
  if (ka >= 0 && kb >= 0 && ka != kb)
    c.fail("cannot multiply matrices of ", a, p.transpose_a ? " (transposed)" : "", " and ", b,
           p.transpose_b ? " (transposed)" : "", ": sums run over ", ka, " and ", kb, " elements");
  out[rank - 2] = a[p.transpose_a ? rank - 1 : rank - 2];
  out[rank - 1] = b[p.transpose_b ? rank - 2 : rank - 1];
  c.out(0).shape = out;
}

void batch_dot_cpu(const DotParams& p, KernelContext& c) { gemm(c.out(0).dtype, batch_dot_gemm(p, c)); }

void batch_dot_gradient(const DotParams& p, GradContext& g) {
  static const OpRef mul("batch_dot");
  if (g.needs(0)) g.din(0) = grad_a(mul, p, g.in(1), g.dout(0));
  if (g.needs(1)) g.din(1) = grad_b(mul, p, g.in(0), g.dout(0));
}

void fully_connected_cpu(const FullyConnectedParams& p, KernelContext& c) {
  Gemm g = fully_connected_gemm(p, c);
  dense(c.out(0).dtype, {g.m, g.k, g.n}, {g.a, g.b, g.c, c.has(2) ? c.in(2).data : nullptr});
}

const Op& dot =
    define_op<DotParams>("dot")
        .doc(
            "Matrix product; for arrays of more axes the sum over the last axis of `lhs` and the first of `rhs` (with "
            "transpose_a the first, with transpose_b the last). Two vectors give an array of one element.")
        .input("lhs", "First array, of any rank from 1.")
        .input("rhs", "Second array, of the same dtype.")
        .alias({"_sparse_dot"})
        .infer(infer_dot)
        .cpu(dot_cpu)
        .gradient(dot_gradient)
        .grad_uses(true, false)
        .heavy()
        .method();

const Op& dot_add = define_op<DotParams>("_dot_add")
                        .doc("dot(lhs, rhs) + addend, the products added to what is there.")
                        .input("lhs", "First factor.")
                        .input("rhs", "Second factor, of the same dtype.")
                        .input("addend", "Array like the product.")
                        .infer(infer_dot_add)
                        .cpu(dot_add_cpu)
                        .gradient(dot_add_gradient)
                        .grad_uses(true, false)
                        .inplace()
                        .heavy();

const Op& batch_dot = define_op<DotParams>("batch_dot")
                          .doc(
                              "Matrix products over the last two axes of two arrays whose leading axes are equal: (.., "
                              "m, k) x (.., k, n) gives "
                              "(.., m, n).")
                          .input("lhs", "Array of rank 3 or more.")
                          .input("rhs", "Array of the same rank and dtype.")
                          .alias({"_npx_batch_dot"})
                          .infer(infer_batch_dot)
                          .cpu(batch_dot_cpu)
                          .gradient(batch_dot_gradient)
                          .grad_uses(true, false)
                          .heavy();

const Op& fully_connected =
    define_op<FullyConnectedParams>("FullyConnected")
        .doc(
            "Affine map `data` weight^T + bias: (N, ..) gives (N, num_hidden), or with "
            "flatten=False (.., K) gives (.., num_hidden).")
        .input("data", "Input array.")
        .input("weight", "Matrix (num_hidden, K).")
        .optional_input("bias", "Vector (num_hidden,).")
        .alias({"_npx_fully_connected", "_sparse_FullyConnected"})
        .infer(infer_fully_connected)
        .cpu(fully_connected_cpu)
        .gradient([](const FullyConnectedParams& p, GradContext& g) { fully_connected_gradient(p, g, g.dout(0)); })
        .grad_uses(true, false)
        .heavy();

}  // namespace

void infer_fully_connected(const FullyConnectedParams& p, InferContext& c) {
  if (p.num_hidden < 1) c.fail("num_hidden is ", p.num_hidden, ", must be at least 1");
  if (p.no_bias && c.has(2)) c.fail_type("got a bias together with no_bias=True");
  if (!p.no_bias && !c.has(2)) c.fail_type("array 'bias' is missing; pass no_bias=True to go without");
  DType dtype = c.same_dtype(0, 3);
  c.out(0).dtype = dtype;
  c.expect_shape(2, {p.num_hidden});
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return c.expect_shape(1, {p.num_hidden, kUnknown});
  if (data.ndim() == 0) c.fail("got a scalar for 'data', takes an array of one axis or more");
  int64_t features = p.flatten ? 1 : data.back();
  for (int i = 1; p.flatten && i < data.ndim(); ++i)
    features = features < 0 || data[i] < 0 ? kUnknown : features * data[i];
  c.expect_shape(1, {p.num_hidden, features});
  Shape out = p.flatten ? Shape{data[0], p.num_hidden} : data;
  out[out.ndim() - 1] = p.num_hidden;
  c.out(0).shape = out;
}

void fully_connected_gradient(const FullyConnectedParams& p, GradContext& g, const Expr& dy) {
  static const OpRef mul("dot");
  const Shape &data = g.in(0).shape(), &weight = g.in(1).shape();
  int64_t features = weight[1], rows = g.out_shape(0).size() / p.num_hidden;
  auto matrix = [](const Expr& x, const Shape& shape) { return x.shape() == shape ? x : reshape(x, shape); };
  Expr dout = matrix(dy, {rows, p.num_hidden});
  if (g.needs(0)) g.din(0) = matrix(mul({dout, g.in(1)}), data);
  if (g.needs(1)) g.din(1) = mul({dout, matrix(g.in(0), {rows, features})}, {{"transpose_a", true}});
  if (g.needs(2)) g.din(2) = sum(dout, std::array{0}, false);
}

void dense(DType dtype, const DenseLayer& layer, const DenseArrays& arrays) {
  Gemm g;
  g.trans_b = true;
  g.m = layer.rows, g.k = layer.in, g.n = layer.out;
  g.a = arrays.x, g.b = arrays.w, g.c = arrays.y;
  if (arrays.bias) {
    // The rows of the result start as the bias.
    int64_t row = g.n * size_of(dtype);
    const char* bias = static_cast<const char*>(arrays.bias);
    char* y = static_cast<char*>(arrays.y);
    parallel_for(g.m, std::max<int64_t>(1, 65536 / row), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) std::copy_n(bias, row, y + i * row);
    });
    g.beta = 1;
  }
  gemm(dtype, g);
}

Gemm dot_gemm(const DotParams& p, const KernelContext& c) {
  const TensorView &a = c.in(0), &b = c.in(1);
  bool first_a = leading_a(p, a.shape()), first_b = leading_b(p, b.shape());
  Gemm g;
  g.trans_a = first_a && a.shape().ndim() > 1;
  g.trans_b = !first_b && b.shape().ndim() > 1;
  g.k = summed(a.shape(), first_a);
  g.m = kept(a.shape(), first_a).size();
  g.n = kept(b.shape(), first_b).size();
  g.a = a.data, g.b = b.data, g.c = c.out(0).data;
  return g;
}

Gemm batch_dot_gemm(const DotParams& p, const KernelContext& c) {
  const Shape &a = c.in(0).shape(), &out = c.out(0).shape();
  int rank = a.ndim();
  Gemm g;
  g.trans_a = p.transpose_a, g.trans_b = p.transpose_b;
  g.m = out[rank - 2], g.n = out[rank - 1], g.k = a[p.transpose_a ? rank - 2 : rank - 1];
  g.a = c.in(0).data, g.b = c.in(1).data, g.c = c.out(0).data;
  g.batch = out.product(0, rank - 2);
  g.stride_a = g.m * g.k, g.stride_b = g.k * g.n, g.stride_c = g.m * g.n;
  return g;
}

Gemm fully_connected_gemm(const FullyConnectedParams& p, const KernelContext& c) {
  Gemm g;
  g.trans_b = true;
  g.n = p.num_hidden, g.m = c.out(0).size() / g.n, g.k = c.in(1).shape()[1];
  g.a = c.in(0).data, g.b = c.in(1).data, g.c = c.out(0).data;
  return g;
}

}  // namespace mxnet

// Products of matrices: gemm, gemm2, syrk, trmm.
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/linalg_expr.h"
#include "mxnet/ops/linalg_product.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

void infer_product(const ProductParams& p, InferContext& c) {
  c.out(0).dtype = floating_dtype(c);
  if (!has_matrices(c, 0) || !has_matrices(c, 1)) return;
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.ndim() != b.ndim()) c.fail("got shapes ", a, " and ", b, ", expected equal ranks");
  int last = a.ndim() - 1, row = static_cast<int>(p.axis < 0 ? p.axis + a.ndim() : p.axis);
  if (row < 0 || row >= last) c.fail("axis ", p.axis, " must be one before the last of shape ", a);
  Shape out = a;
  for (int i = 0; i < last; ++i) {
    if (i == row) continue;
    if (a[i] >= 0 && b[i] >= 0 && a[i] != b[i])
      c.fail("got shapes ", a, " and ", b, ", which must agree but for rows and columns");
    if (a[i] < 0) out[i] = b[i];
  }
  int64_t ka = a[p.transpose_a ? row : last], kb = b[p.transpose_b ? last : row];
  if (ka >= 0 && kb >= 0 && ka != kb)
    c.fail("cannot multiply matrices of ", a, p.transpose_a ? " (transposed)" : "", " and ", b,
           p.transpose_b ? " (transposed)" : "", ": sums run over ", ka, " and ", kb, " elements");
  out[row] = a[p.transpose_a ? last : row];
  out[last] = b[p.transpose_b ? row : last];
  c.out(0).shape = out;
}

void product_gradient(const ProductParams& p, GradContext& g) {
  static const OpRef mul("_linalg_gemm2");
  auto product = [&](const Expr& x, const Expr& y, bool transpose_x, bool transpose_y) {
    return mul.with({x, y}, make_params(ProductParams{transpose_x, transpose_y, p.alpha, p.axis}))[0];
  };
  const Expr dc = g.dout(0);
  if (g.needs(0))
    g.din(0) = p.transpose_a ? product(g.in(1), dc, p.transpose_b, true) : product(dc, g.in(1), false, !p.transpose_b);
  if (g.needs(1))
    g.din(1) = p.transpose_b ? product(dc, g.in(0), true, p.transpose_a) : product(g.in(0), dc, !p.transpose_a, false);
}

const Op& gemm_op =
    define_op<ProductSumParams>("_linalg_gemm")
        .doc("alpha op(A) op(B) + beta C for matrices in the last two axes (or `axis` and the last).")
        .input("A", "Array (.., m, k), or (.., k, m) with transpose_a.")
        .input("B", "Array (.., k, n), or (.., n, k) with transpose_b.")
        .input("C", "Array (.., m, n).")
        .alias({"linalg_gemm"})
        .infer([](const ProductSumParams& p, InferContext& c) {
          infer_product(p, c);
          if (!c.out(0).shape.rank_known()) return;
          c.expect_shape(2, c.out(0).shape);
        })
        .cpu([](const ProductSumParams& p, KernelContext& c) {
          std::memcpy(c.out(0).data, c.in(2).data, static_cast<size_t>(c.out(0).size() * size_of(c.out(0).dtype)));
          each_product(p, c, p.beta, [&](const Gemm& g) { gemm(c.out(0).dtype, g); });
        })
        .gradient([](const ProductSumParams& p, GradContext& g) {
          product_gradient(p, g);
          if (g.needs(2)) g.din(2) = g.dout(0) * p.beta;
        })
        .grad_uses(true, false)
        .heavy();

const Op& gemm2_op = define_op<ProductParams>("_linalg_gemm2")
                         .doc("alpha op(A) op(B) for matrices in the last two axes (or `axis` and the last).")
                         .input("A", "Array (.., m, k), or (.., k, m) with transpose_a.")
                         .input("B", "Array (.., k, n), or (.., n, k) with transpose_b.")
                         .alias({"linalg_gemm2"})
                         .infer(infer_product)
                         .cpu([](const ProductParams& p, KernelContext& c) {
                           each_product(p, c, 0, [&](const Gemm& g) { gemm(c.out(0).dtype, g); });
                         })
                         .gradient(product_gradient)
                         .grad_uses(true, false)
                         .heavy();

const Op& syrk_op = define_op<SyrkParams>("_linalg_syrk")
                        .doc("alpha A A^T, or alpha A^T A with transpose, for each matrix of the last two axes.")
                        .input("A", "Array (.., m, n).")
                        .alias({"linalg_syrk"})
                        .infer([](const SyrkParams& p, InferContext& c) {
                          c.out(0).dtype = floating_dtype(c);
                          if (!has_matrices(c, 0)) return;
                          Shape out = c.shape(0);
                          int last = out.ndim() - 1;
                          out[last] = out[last - 1] = c.shape(0)[p.transpose ? last : last - 1];
                          c.out(0).shape = out;
                        })
                        .cpu([](const SyrkParams& p, KernelContext& c) { gemm(c.out(0).dtype, syrk_product(p, c)); })
                        .gradient([](const SyrkParams& p, GradContext& g) {
                          Expr both = (g.dout(0) + linalg::swapped(g.dout(0))) * p.alpha;
                          g.din(0) = p.transpose ? linalg::product(g.in(0), both) : linalg::product(both, g.in(0));
                        })
                        .grad_uses(true, false)
                        .heavy();

// One triangle of each matrix, the diagonal times a factor, the rest zero.
template <class T>
void keep_triangle(const TriangleParams& p, const TensorView& in, T* to) {
  MatrixStack s(in.shape());
  const T* from = in.as<T>();
  T factor = static_cast<T>(static_cast<float>(p.diagonal));
  parallel_for(s.count * s.rows, 1 + 16384 / std::max<int64_t>(1, s.cols), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      int64_t row = line % s.rows, diagonal = std::min(row, s.cols);
      const T* x = from + line * s.cols;
      T* y = to + line * s.cols;
      std::fill_n(y, s.cols, T(0));
      if (p.lower)
        std::copy_n(x, diagonal, y);
      else
        std::copy(x + diagonal, x + s.cols, y + diagonal);
      if (row < s.cols) y[row] = p.diagonal == 1 ? x[row] : T(x[row] * factor);
    }
  });
}

const Op& triangle_op =
    define_op<TriangleParams>("_backward_linalg_triangle")
        .doc("One triangle of each matrix, its diagonal times a factor, and zeros elsewhere.")
        .input("data", "Array (.., m, n).")
        .infer([](const TriangleParams&, InferContext& c) {
          c.out(0) = c.in(0);
          c.out(0).dtype = floating_dtype(c);
          has_matrices(c, 0);
        })
        .cpu([](const TriangleParams& p, KernelContext& c) {
          dispatch_floating(c.out(0).dtype, [&]<class T>() { keep_triangle(p, c.in(0), c.out(0).as<T>()); });
        })
        .gradient([](const TriangleParams& p, GradContext& g) {
          g.din(0) = linalg::triangle(g.dout(0), p.lower, p.diagonal);
        })
        .grad_uses(false, false);

void trmm_cpu(const TriangularParams& p, KernelContext& c) {
  Scratch triangles(c.in(0).size() * size_of(c.in(0).dtype));
  dispatch_floating(c.in(0).dtype,
                    [&]<class T>() { keep_triangle(TriangleParams{p.lower, 1}, c.in(0), triangles.as<T>()); });
  gemm(c.out(0).dtype, trmm_product(p, c, triangles.data()));
}

const Op& trmm_op =
    define_op<TriangularParams>("_linalg_trmm")
        .doc("alpha op(A) B, or alpha B op(A) with rightside, for triangular A: only its one triangle is read.")
        .input("A", "Array (.., n, n) of triangular matrices.")
        .input("B", "Array (.., n, m), or (.., m, n) with rightside.")
        .alias({"linalg_trmm"})
        .infer(infer_triangular)
        .cpu(trmm_cpu)
        .gradient([](const TriangularParams& p, GradContext& g) {
          const Expr dout = g.dout(0);
          if (g.needs(1)) {
            TriangularParams q = p;
            q.transpose = !p.transpose;
            g.din(1) = linalg::trmm(g.in(0), dout, q);
          }
          if (g.needs(0)) g.din(0) = linalg::triangular_gradient(p, dout, g.in(1)) * p.alpha;
        })
        .grad_uses(true, false)
        .heavy();

}  // namespace

void infer_triangular(const TriangularParams& p, InferContext& c) {
  c.out(0).dtype = floating_dtype(c);
  c.out(0).shape = c.shape(1);
  if (!has_square_matrices(c, 0) || !has_matrices(c, 1)) return;
  const Shape& b = c.shape(1);
  Shape a = b;
  a[a.ndim() - 1] = a[a.ndim() - 2] = b[p.rightside ? b.ndim() - 1 : b.ndim() - 2];
  c.expect_shape(0, a);
}

}  // namespace mxnet

// Factorizations of matrices and what follows from them: potrf, potri, trsm, gelqf, syevd, inverse, det, slogdet.
//
// The gradients are those of M. Seeger et al., "Auto-Differentiating Linear Algebra", 2017, arXiv:1710.08717; for
// the determinants d det A = det A tr(A^-1 dA).
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/linalg.h"
#include "mxnet/ops/linalg_expr.h"

namespace mxnet {
namespace {

using linalg::mirrored;
using linalg::product;
using linalg::swapped;
using linalg::triangle;
using linalg::trsm;

void infer_square(const NoParams&, InferContext& c) {
  c.out(0).dtype = floating_dtype(c);
  if (has_square_matrices(c, 0)) c.out(0).shape = c.shape(0);
}

void infer_per_matrix(const NoParams&, InferContext& c) {
  DType dtype = floating_dtype(c);
  Shape shape = has_square_matrices(c, 0) ? shape_per_matrix(c.shape(0)) : Shape::unknown();
  for (int i = 0; i < c.num_outputs(); ++i) c.out(i) = {shape, dtype};
}

const Op& trsm_op =
    define_op<TriangularParams>("_linalg_trsm")
        .doc(
            "The solution X of op(A) X = alpha B, or X op(A) = alpha B with rightside, for triangular A: only its one "
            "triangle is read.")
        .input("A", "Array (.., n, n) of triangular matrices.")
        .input("B", "Array (.., n, m), or (.., m, n) with rightside.")
        .alias({"linalg_trsm"})
        .infer(infer_triangular)
        .gradient([](const TriangularParams& p, GradContext& g) {
          TriangularParams q = p;
          q.transpose = !p.transpose;
          q.alpha = 1;
          Expr db = trsm(g.in(0), g.dout(0), q);
          if (g.needs(0)) g.din(0) = -linalg::triangular_gradient(p, db, g.out(0));
          if (g.needs(1)) g.din(1) = db * p.alpha;
        })
        .heavy();

const Op& potrf_op = define_op("_linalg_potrf")
                         .doc(
                             "The Cholesky factor of each symmetric positive definite matrix: lower triangular L with "
                             "L L^T = A. Only the lower triangle is read; the gradient is symmetric.")
                         .input("A", "Array (.., n, n).")
                         .alias({"linalg_potrf"})
                         .infer(infer_square)
                         .gradient([](const NoParams&, GradContext& g) {
                           const Expr& l = g.out(0);
                           Expr inner = mirrored(linalg::trmm(l, g.dout(0), {.transpose = true}));
                           Expr right = trsm(l, inner, {.rightside = true});
                           g.din(0) = trsm(l, right, {.transpose = true}) * 0.5;
                         })
                         .grad_uses(false, true)
                         .heavy();

const Op& potri_op = define_op("_linalg_potri")
                         .doc(
                             "The inverse of L L^T for each lower triangular matrix L, as potrf gives them: the "
                             "inverse of the matrix that was factorized.")
                         .input("A", "Array (.., n, n) of lower triangular matrices.")
                         .alias({"linalg_potri"})
                         .infer(infer_square)
                         .gradient([](const NoParams&, GradContext& g) {
                           Expr both = g.dout(0) + swapped(g.dout(0));
                           Expr right = trsm(g.in(0), product(g.out(0), both), {.transpose = true, .rightside = true});
                           g.din(0) = -triangle(right, true);
                         })
                         .heavy();

const Op& gelqf_op = define_op("_linalg_gelqf")
                         .doc(
                             "The LQ factorization of each matrix of full rank with no more rows than columns: Q with "
                             "orthonormal rows and lower triangular L such that A = L Q. Outputs are Q and L.")
                         .input("A", "Array (.., m, n), m <= n.")
                         .alias({"linalg_gelqf"})
                         .outputs(2)
                         .infer([](const NoParams&, InferContext& c) {
                           c.out(0).dtype = c.out(1).dtype = floating_dtype(c);
                           if (!has_matrices(c, 0)) return;
                           Shape s = c.shape(0);
                           int last = s.ndim() - 1;
                           if (s[last] >= 0 && s[last - 1] > s[last])
                             c.fail("A has shape ", s, ", expected no more rows than columns");
                           c.out(0).shape = s;
                           s[last] = s[last - 1];
                           c.out(1).shape = s;
                         })
                         .gradient([](const NoParams&, GradContext& g) {
                           const Expr &q = g.out(0), &l = g.out(1);
                           const Expr dq = g.dout(0);
                           Expr m = product(l, triangle(g.dout(1), true), true) - product(dq, q, false, true);
                           g.din(0) = trsm(l, dq + product(mirrored(m), q), {.transpose = true});
                         })
                         .grad_uses(false, true)
                         .heavy();

// 1 / (x_i - x_j), and zero where the two are equal: the eigenvectors of one eigenvalue have no derivatives.
Expr inverse_gaps(const Expr& values) {
  Shape column = values.shape(), row = values.shape();
  column.push_back(1);
  row.insert(row.ndim() - 1, 1);
  Expr gaps = reshape(values, column) - reshape(values, row);
  Expr equal = gaps == 0.0;
  return (1.0 - equal) / (gaps + equal);
}

const Op& syevd_op = define_op("_linalg_syevd")
                         .doc(
                             "Eigenvectors and eigenvalues of each symmetric matrix, A = U^T diag(L) U: the rows of U "
                             "are orthonormal, the largest element of each is positive, L is in increasing order. Only "
                             "the lower triangle is read; the gradient is symmetric. Outputs are U and L.")
                         .input("A", "Array (.., n, n).")
                         .outputs(2)
                         .infer([](const NoParams&, InferContext& c) {
                           c.out(0).dtype = c.out(1).dtype = floating_dtype(c);
                           if (!has_square_matrices(c, 0)) return;
                           c.out(0).shape = c.shape(0);
                           c.out(1).shape = c.shape(0).slice(0, c.shape(0).ndim() - 1);
                         })
                         .gradient([](const NoParams&, GradContext& g) {
                           const Expr &u = g.out(0), &values = g.out(1);
                           Shape column = values.shape();
                           column.push_back(1);
                           Expr inner;
                           if (g.has_dout(1)) inner = product(u, reshape(g.dout(1), column) * u, true);
                           if (g.has_dout(0)) {
                             Expr k = product(g.dout(0), u, false, true) * inverse_gaps(values);
                             Expr turn = product(u, product((k + swapped(k)) * 0.5, u), true);
                             inner = inner.defined() ? inner + turn : turn;
                           }
                           g.din(0) = inner;
                         })
                         .grad_uses(false, true)
                         .heavy();

void inverse_gradient(const NoParams&, GradContext& g) {
  const Expr& b = g.out(0);
  g.din(0) = -product(product(b, g.dout(0), true), b, false, true);
}

const Op& inverse_op = define_op("_linalg_inverse")
                           .doc("The inverse of each matrix; a singular one is an error.")
                           .input("A", "Array (.., n, n).")
                           .alias({"linalg_inverse", "_npi_inv"})
                           .infer(infer_square)
                           .gradient(inverse_gradient)
                           .grad_uses(false, true)
                           .heavy();

const Op& inverse_or_zero_op = define_op("_backward_linalg_inverse_or_zero")
                                   .doc("The inverse of each matrix; of a singular one, zeros.")
                                   .input("A", "Array (.., n, n).")
                                   .infer(infer_square)
                                   .gradient(inverse_gradient)
                                   .grad_uses(false, true)
                                   .heavy();

// `per_matrix` times the transposed inverse; zero for a singular matrix.
Expr determinant_gradient(const Expr& a, const Expr& per_matrix) {
  static const OpRef inverse("_backward_linalg_inverse_or_zero");
  Shape s = a.shape();
  s[s.ndim() - 1] = s[s.ndim() - 2] = 1;
  return reshape(per_matrix, s) * swapped(inverse({a}));
}

const Op& det_op =
    define_op("_linalg_det")
        .doc("The determinant of each matrix. The gradient by a singular one is zero.")
        .input("A", "Array (.., n, n).")
        .alias({"linalg_det", "_npi_det"})
        .output_names([](const NoParams&) { return std::vector<std::string>{"output0"}; })  // in 1.x the first of two
        .infer(infer_per_matrix)
        .gradient(
            [](const NoParams&, GradContext& g) { g.din(0) = determinant_gradient(g.in(0), g.dout(0) * g.out(0)); })
        .heavy();

const Op& slogdet_op = define_op("_linalg_slogdet")
                           .doc(
                               "The sign and the logarithm of the absolute value of the determinant of each matrix; 0 "
                               "and -inf for a singular one, by which the gradient is zero.")
                           .input("A", "Array (.., n, n).")
                           .alias({"linalg_slogdet", "_npi_slogdet"})
                           .outputs(2)
                           .infer(infer_per_matrix)
                           .gradient([](const NoParams&, GradContext& g) {
                             if (g.has_dout(1)) g.din(0) = determinant_gradient(g.in(0), g.dout(1));
                           })
                           .grad_uses(true, false)
                           .heavy();

}  // namespace
}  // namespace mxnet

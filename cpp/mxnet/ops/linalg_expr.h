// Formulas of matrices in Expr, from which the gradients of linear algebra are written.
#pragma once
#include "mxnet/op/expr.h"
#include "mxnet/ops/linalg.h"

namespace mxnet::linalg {

// The transposes of the matrices.
inline Expr swapped(const Expr& x) { return apply("SwapAxis", {x}, {{"dim1", -1}, {"dim2", -2}}); }

inline Expr product(const Expr& a, const Expr& b, bool transpose_a = false, bool transpose_b = false) {
  static const OpRef mul("_linalg_gemm2");
  return mul({a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}
inline Expr trmm(const Expr& a, const Expr& b, const TriangularParams& p) {
  static const OpRef op("_linalg_trmm");
  return op.with({a, b}, make_params(p))[0];
}
inline Expr trsm(const Expr& a, const Expr& b, const TriangularParams& p) {
  static const OpRef op("_linalg_trsm");
  return op.with({a, b}, make_params(p))[0];
}
inline Expr triangle(const Expr& x, bool lower, double diagonal = 1) {
  static const OpRef op("_backward_linalg_triangle");
  return op.with({x}, make_params(TriangleParams{lower, diagonal}))[0];
}
// The lower triangle mirrored to the upper.
inline Expr mirrored(const Expr& x) {
  Expr half = triangle(x, true, 0.5);
  return half + swapped(half);
}

// The gradient of sum(D o (op(A) B)) or, with rightside, sum(D o (B op(A))) by the triangle of A.
inline Expr triangular_gradient(const TriangularParams& p, const Expr& d, const Expr& b) {
  const Expr &left = p.rightside ? b : d, &right = p.rightside ? d : b;
  Expr full =
      p.transpose ? product(right, left, p.rightside, !p.rightside) : product(left, right, p.rightside, !p.rightside);
  return triangle(full, p.lower);
}

}  // namespace mxnet::linalg

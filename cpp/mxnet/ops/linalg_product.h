// Products of matrices: parameters, and what is asked of gemm on every device.
#pragma once
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/linalg.h"

namespace mxnet {

struct ProductParams {
  bool transpose_a = false, transpose_b = false;
  double alpha = 1;
  int64_t axis = -2;

  static constexpr auto fields() {
    using P = ProductParams;
    return std::tuple{field("transpose_a", &P::transpose_a, "Take the transpose of each matrix of A."),
                      field("transpose_b", &P::transpose_b, "Take the transpose of each matrix of B."),
                      field("alpha", &P::alpha, "Factor of the product."),
                      field("axis", &P::axis, "The axis of the rows; columns are along the last.")};
  }
};
struct ProductSumParams : ProductParams {
  double beta = 1;

  static constexpr auto fields() {
    using P = ProductSumParams;
    return std::tuple{field<P, bool>("transpose_a", &P::transpose_a, "Take the transpose of each matrix of A."),
                      field<P, bool>("transpose_b", &P::transpose_b, "Take the transpose of each matrix of B."),
                      field<P, double>("alpha", &P::alpha, "Factor of the product."),
                      field("beta", &P::beta, "Factor of C."),
                      field<P, int64_t>("axis", &P::axis, "The axis of the rows; columns are along the last.")};
  }
};

struct SyrkParams {
  bool transpose = false;
  double alpha = 1;

  static constexpr auto fields() {
    using P = SyrkParams;
    return std::tuple{field("transpose", &P::transpose, "Take A^T A instead of A A^T."),
                      field("alpha", &P::alpha, "Factor of the product.")};
  }
};

// Calls multiply(product) for the products of gemm and gemm2. Matrices lie `inner` to a row of the array where the axis
// of the rows is not the last but one.
template <class Multiply>
void each_product(const ProductParams& p, const KernelContext& c, double beta, const Multiply& multiply) {
  const Shape &a = c.in(0).shape(), &b = c.in(1).shape(), &out = c.out(0).shape();
  int last = a.ndim() - 1, row = static_cast<int>(p.axis < 0 ? p.axis + a.ndim() : p.axis);
  int64_t outer = a.product(0, row), inner = a.product(row + 1, last), size = size_of(c.out(0).dtype);
  Gemm g;
  g.trans_a = p.transpose_a, g.trans_b = p.transpose_b, g.alpha = p.alpha, g.beta = beta;
  g.m = out[row], g.n = out[last], g.k = a[p.transpose_a ? row : last];
  g.lda = inner * a[last], g.ldb = inner * b[last], g.ldc = inner * out[last];
  bool one_call = inner == 1;
  g.batch = one_call ? outer : inner;
  g.stride_a = one_call ? a[row] * a[last] : a[last];
  g.stride_b = one_call ? b[row] * b[last] : b[last];
  g.stride_c = one_call ? out[row] * out[last] : out[last];
  for (int64_t i = 0; i < (one_call ? 1 : outer); ++i) {
    g.a = c.in(0).as<char>() + i * a[row] * g.lda * size;
    g.b = c.in(1).as<char>() + i * b[row] * g.ldb * size;
    g.c = c.out(0).as<char>() + i * out[row] * g.ldc * size;
    multiply(g);
  }
}

inline Gemm syrk_product(const SyrkParams& p, const KernelContext& c) {
  MatrixStack a(c.in(0).shape());
  Gemm g;
  g.trans_a = p.transpose, g.trans_b = !p.transpose, g.alpha = p.alpha;
  g.m = g.n = p.transpose ? a.cols : a.rows, g.k = p.transpose ? a.rows : a.cols;
  g.a = g.b = c.in(0).data, g.c = c.out(0).data;
  g.batch = a.count, g.stride_a = g.stride_b = a.matrix_size(), g.stride_c = g.m * g.n;
  return g;
}

// Of the triangles of A, with zeros elsewhere.
inline Gemm trmm_product(const TriangularParams& p, const KernelContext& c, const void* triangles) {
  MatrixStack a(c.in(0).shape()), b(c.in(1).shape());
  Gemm g;
  g.m = b.rows, g.n = b.cols, g.k = a.rows, g.alpha = p.alpha;
  g.batch = a.count, g.stride_c = b.matrix_size();
  if (p.rightside) {
    g.a = c.in(1).data, g.b = triangles, g.trans_b = p.transpose;
    g.stride_a = b.matrix_size(), g.stride_b = a.matrix_size();
  } else {
    g.a = triangles, g.b = c.in(1).data, g.trans_a = p.transpose;
    g.stride_a = a.matrix_size(), g.stride_b = b.matrix_size();
  }
  g.c = c.out(0).data;
  return g;
}

}  // namespace mxnet

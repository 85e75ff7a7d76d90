// Linear algebra on the matrices that the last two axes of an array hold: parameters and inference that the
// families share.
#pragma once
#include "mxnet/op/op.h"

namespace mxnet {

// An array as a stack of matrices.
struct MatrixStack {
  int64_t count = 0, rows = 0, cols = 0;
  explicit MatrixStack(const Shape& s)
      : count(s.product(0, s.ndim() - 2)), rows(s[s.ndim() - 2]), cols(s[s.ndim() - 1]) {}
  int64_t matrix_size() const { return rows * cols; }
};

// Arrays that hold triangular matrices on one side of a product or an equation.
struct TriangularParams {
  bool transpose = false, rightside = false, lower = true;
  double alpha = 1;

  static constexpr auto fields() {
    using P = TriangularParams;
    return std::tuple{field("transpose", &P::transpose, "Take the transpose of the triangular matrix."),
                      field("rightside", &P::rightside, "The triangular matrix stands on the right."),
                      field("lower", &P::lower, "Read the lower triangle; else the upper."),
                      field("alpha", &P::alpha, "Factor of the result.")};
  }
};

// Of an operator that keeps one triangle of each matrix.
struct TriangleParams {
  bool lower = true;
  double diagonal = 1;

  static constexpr auto fields() {
    using P = TriangleParams;
    return std::tuple{field("lower", &P::lower, "Keep the lower triangle; else the upper."),
                      field("diagonal", &P::diagonal, "Factor of the diagonal.")};
  }
};

// The dtype that all inputs share, which must be a floating one.
inline DType floating_dtype(InferContext& c) {
  DType dtype = c.same_dtype();
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("got arrays of dtype ", dtype, ", expected a floating dtype");
  return dtype;
}

// Whether the shape of input i is known to hold matrices (square ones); raises if it cannot.
inline bool has_matrices(InferContext& c, int i) {
  const Shape& s = c.shape(i);
  if (!s.rank_known()) return false;
  if (s.ndim() < 2) c.fail(c.input_name(i), " has shape ", s, ", expected at least two axes");
  return true;
}
inline bool has_square_matrices(InferContext& c, int i) {
  if (!has_matrices(c, i)) return false;
  const Shape& s = c.shape(i);
  int64_t rows = s[s.ndim() - 2], cols = s.back();
  if (rows >= 0 && cols >= 0 && rows != cols)
    c.fail(c.input_name(i), " has shape ", s, ", expected square matrices in the last two axes");
  return true;
}

// The shape of one number for each matrix; one matrix alone gives (1,).
inline Shape shape_per_matrix(const Shape& s) {
  Shape out;
  for (int i = 0; i < s.ndim() - 2; ++i) out.push_back(s[i]);
  if (out.ndim() == 0) out.push_back(1);
  return out;
}

// Inference of trmm and trsm: A is square and fits B, which has the shape of the result.
void infer_triangular(const TriangularParams& p, InferContext& c);

}  // namespace mxnet

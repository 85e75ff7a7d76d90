// Attention with interleaved heads: parameters, and what is asked of gemm on every device.
#pragma once
#include "mxnet/op/op.h"
#include "mxnet/ops/gemm.h"

namespace mxnet {

struct ScoresParams {
  int64_t heads = 0;
  int lhs_part = 0, lhs_parts = 1, rhs_part = 0, rhs_parts = 1;
  double scale = 1;
  static constexpr auto fields() {
    using P = ScoresParams;
    return std::tuple{field("heads", &P::heads, "Number of heads.").required(),
                      field("lhs_part", &P::lhs_part, "Which part of the first array is taken."),
                      field("lhs_parts", &P::lhs_parts, "How many parts each head of it has."),
                      field("rhs_part", &P::rhs_part, "Which part of the second array is taken."),
                      field("rhs_parts", &P::rhs_parts, "How many parts each head of it has."),
                      field("scale", &P::scale, "Factor on the result.")};
  }
};

struct MixParams {
  int64_t heads = 0;
  int part = 0, parts = 1;
  bool transpose = false;
  double scale = 1;
  static constexpr auto fields() {
    using P = MixParams;
    return std::tuple{field("heads", &P::heads, "Number of heads.").required(),
                      field("part", &P::part, "Which part of the steps is taken."),
                      field("parts", &P::parts, "How many parts each head of them has."),
                      field("transpose", &P::transpose, "Take the transpose of the scores."),
                      field("scale", &P::scale, "Factor on the result.")};
  }
};

// One part of all heads as a batch of matrices (time, size).
struct Part {
  const void* data;
  int64_t row, stride, size;

  Part(const TensorView& array, int64_t heads, int part, int parts)
      : row(array.shape()[1] * array.shape()[2]), stride(array.shape()[2] / heads), size(stride / parts) {
    data = array.as<char>() + part * size * size_of(array.dtype);
  }
};

inline Gemm scores_product(const ScoresParams& p, const KernelContext& c) {
  const TensorView &out = c.out(0), &rhs = c.has(1) ? c.in(1) : c.in(0);
  Part a(c.in(0), p.heads, p.lhs_part, p.lhs_parts), b(rhs, p.heads, p.rhs_part, p.rhs_parts);
  Gemm g{.trans_b = true, .m = out.shape()[1], .n = out.shape()[2], .k = a.size, .alpha = p.scale};
  g.a = a.data, g.lda = a.row, g.stride_a = a.stride;
  g.b = b.data, g.ldb = b.row, g.stride_b = b.stride;
  g.c = out.data, g.stride_c = g.m * g.n, g.batch = out.shape()[0];
  return g;
}

inline Gemm mix_product(const MixParams& p, const KernelContext& c) {
  const TensorView &out = c.out(0), &scores = c.in(0);
  Part v(c.in(1), p.heads, p.part, p.parts), to(out, p.heads, 0, 1);
  Gemm g{.trans_a = p.transpose, .m = out.shape()[0], .n = v.size, .k = c.in(1).shape()[0], .alpha = p.scale};
  g.a = scores.data, g.stride_a = g.m * g.k, g.batch = scores.shape()[0];
  g.b = v.data, g.ldb = v.row, g.stride_b = v.stride;
  g.c = out.data, g.ldc = to.row, g.stride_c = to.stride;
  return g;
}

}  // namespace mxnet

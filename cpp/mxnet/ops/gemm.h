// Matrix multiplication for use inside kernels.
#pragma once
#include <functional>

#include "mxnet/base/dtype.h"

namespace mxnet {

// C = alpha op(A) op(B) + beta C over row-major matrices: C is m x n, op(A) m x k, op(B) k x n, op(X) = X or its
// transpose. A leading dimension of 0 means densely packed rows. `batch` such products lie `stride` elements
// apart; a stride of 0 uses one matrix for all of them.
struct Gemm {
  bool trans_a = false, trans_b = false;
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t lda = 0;
  const void* b = nullptr;
  int64_t ldb = 0;
  void* c = nullptr;
  int64_t ldc = 0;
  double alpha = 1, beta = 0;
  int64_t batch = 1, stride_a = 0, stride_b = 0, stride_c = 0;

  void set_leading_dimensions() {
    if (lda == 0) lda = trans_a ? m : k;
    if (ldb == 0) ldb = trans_b ? k : n;
    if (ldc == 0) ldc = n;
  }
};

// All three matrices have this element type. 16-bit formats accumulate in float, 8-bit integers and booleans
// in int32 (a boolean product is "any of all").
void gemm(DType dtype, Gemm args);

// The same product `times` times over with one B, which is brought once into the order that is fastest to read.
class RepeatedGemm {
 public:
  RepeatedGemm() = default;
  // `product` without a and c; a single one, beta 0 or 1, rows of A and C densely packed.
  RepeatedGemm(DType dtype, int64_t times, const Gemm& product);
  void operator()(const void* a, void* c) const;

 private:
  DType dtype_ = DType::float32;
  Gemm product_;
  std::function<void(const float* a, float* c)> packed_;  // if worth it
};

// The instruction-set dependent part; every level offers its own and the best the CPU has is used.
struct GemmKernels {
  void (*f32)(const Gemm&) = nullptr;
  void (*f64)(const Gemm&) = nullptr;
  void (*i32)(const Gemm&) = nullptr;
  void (*i64)(const Gemm&) = nullptr;
};
bool offer_gemm_kernels(int level, const GemmKernels& kernels);

// One product in float32 by oneDNN; defined where oneDNN is.
void gemm_f32_onednn(const Gemm& args);
// What RepeatedGemm runs, by oneDNN; none where it has no fast form.
std::function<void(const float* a, float* c)> packed_gemm_f32_onednn(const Gemm& product);

}  // namespace mxnet

#include "mxnet/ops/gemm.h"

#include <algorithm>

#include "mxnet/base/cpu.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

struct Offer {
  int level = -1;
  GemmKernels kernels;
};
Offer& best_offer() {
  static Offer offer;
  return offer;
}
const GemmKernels& kernels() {
  static const GemmKernels chosen = best_offer().kernels;
  return chosen;
}

template <class T>
void scale_output(const Gemm& g) {
  for (int64_t i = 0; i < g.batch; ++i)
    for (int64_t row = 0; row < g.m; ++row) {
      T* c = static_cast<T*>(g.c) + i * g.stride_c + row * g.ldc;
      for (int64_t col = 0; col < g.n; ++col)
        c[col] = g.beta == 0 ? T(0) : static_cast<T>(c[col] * static_cast<T>(g.beta));
    }
}

Gemm item(const Gemm& g, int64_t i, int64_t element_size) {
  Gemm one = g;
  one.a = static_cast<const char*>(g.a) + i * g.stride_a * element_size;
  one.b = static_cast<const char*>(g.b) + i * g.stride_b * element_size;
  one.c = static_cast<char*>(g.c) + i * g.stride_c * element_size;
  one.batch = 1;
  return one;
}

// Runs the products of a batch; a batch of many is shared out, a product that is large alone shares itself.
void run_batch(const Gemm& g, int64_t element_size, void (*one)(const Gemm&)) {
  if (g.batch == 1) return one(g);
  double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  if (g.batch < 2 * compute_threads() && work > 1e7) {
    for (int64_t i = 0; i < g.batch; ++i) one(item(g, i, element_size));
    return;
  }
  int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(1e6 / std::max(work, 1.0)));
  parallel_for(g.batch, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) one(item(g, i, element_size));
  });
}

template <class T>
void gemm_native(const Gemm& g, void (*one)(const Gemm&)) {
  if (g.k == 0 || g.alpha == 0) return scale_output<T>(g);
  run_batch(g, sizeof(T), one);
}

int64_t extent(int64_t rows, int64_t ld, int64_t cols, int64_t batch, int64_t stride) {
  return (batch - 1) * stride + (rows - 1) * ld + cols;
}

// Through a wider type: the operands are converted whole, which costs little beside the product.
void gemm_converted(DType dtype, DType wide, Gemm g) {
  const Gemm narrow = g;
  int64_t size = size_of(wide);
  int64_t na = extent(g.trans_a ? g.k : g.m, g.lda, g.trans_a ? g.m : g.k, g.batch, g.stride_a);
  int64_t nb = extent(g.trans_b ? g.n : g.k, g.ldb, g.trans_b ? g.k : g.n, g.batch, g.stride_b);
  Scratch a(std::max<int64_t>(na, 0) * size), b(std::max<int64_t>(nb, 0) * size), c(g.batch * g.m * g.n * size);
  bool dense = g.ldc == g.n && (g.batch == 1 || g.stride_c == g.m * g.n);
  auto rows_of_c = [&](auto&& f) {
    if (dense) return f(static_cast<char*>(narrow.c), c.as<char>(), g.batch * g.m * g.n);
    for (int64_t i = 0; i < g.batch; ++i)
      for (int64_t row = 0; row < g.m; ++row)
        f(static_cast<char*>(narrow.c) + (i * narrow.stride_c + row * narrow.ldc) * size_of(dtype),
          c.as<char>() + ((i * g.m + row) * g.n) * size, g.n);
  };
  if (g.k > 0) {
    cast_elements(narrow.a, dtype, a.data(), wide, na);
    cast_elements(narrow.b, dtype, b.data(), wide, nb);
  }
  if (g.beta != 0) rows_of_c([&](char* from, char* to, int64_t n) { cast_elements(from, dtype, to, wide, n); });
  g.a = a.data(), g.b = b.data(), g.c = c.data();
  g.ldc = g.n, g.stride_c = g.m * g.n;
  gemm(wide, g);
  rows_of_c([&](char* to, char* from, int64_t n) { cast_elements(from, wide, to, dtype, n); });
}

}  // namespace

bool offer_gemm_kernels(int level, const GemmKernels& offered) {
  Offer& best = best_offer();
  if (level <= isa_level() && level > best.level) best = {level, offered};
  return true;
}

void gemm(DType dtype, Gemm g) {
  g.set_leading_dimensions();
  if (g.m == 0 || g.n == 0 || g.batch == 0) return;
  switch (dtype) {
    case DType::float32: {
      // A small product is done before a library has looked at its arguments.
      bool small = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k) <= 4096;
#if MXNET_ONEDNN
      return gemm_native<float>(g, small ? kernels().f32 : gemm_f32_onednn);
#else
      (void)small;
      return gemm_native<float>(g, kernels().f32);
#endif
    }
    case DType::float64: return gemm_native<double>(g, kernels().f64);
    case DType::int32: return gemm_native<int32_t>(g, kernels().i32);
    case DType::int64: return gemm_native<int64_t>(g, kernels().i64);
    case DType::float16:
    case DType::bfloat16: return gemm_converted(dtype, DType::float32, g);
    case DType::int8:
    case DType::uint8:
    case DType::boolean: return gemm_converted(dtype, DType::int32, g);
    case DType::unknown: break;
  }
  unsupported_dtype(dtype);
}

RepeatedGemm::RepeatedGemm(DType dtype, int64_t times, const Gemm& product) : dtype_(dtype), product_(product) {
  product_.set_leading_dimensions();
#if MXNET_ONEDNN
  // Packing costs about as much as two or three products of few rows, and pays nothing for a single row.
  bool large = product_.n * product_.k >= 4096;
  if (dtype == DType::float32 && times >= 4 && product_.m > 1 && large) packed_ = packed_gemm_f32_onednn(product_);
#else
  (void)times;
#endif
}

void RepeatedGemm::operator()(const void* a, void* c) const {
  if (packed_) return packed_(static_cast<const float*>(a), static_cast<float*>(c));
  Gemm g = product_;
  g.a = a, g.c = c;
  gemm(dtype_, g);
}

}  // namespace mxnet

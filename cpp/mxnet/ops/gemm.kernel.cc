// Matrix products: Eigen's for floating numbers, loops for integers and for small products.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/gemm.h"

namespace mxnet {
namespace {

template <class T>
T element_a(const Gemm& g, int64_t i, int64_t p) {
  return static_cast<const T*>(g.a)[g.trans_a ? p * g.lda + i : i * g.lda + p];
}

// Rows [begin, end) of C one after the other, as sums of rows of B (or dot products where B is transposed).
template <class T>
void simple_rows(const Gemm& g, int64_t begin, int64_t end) {
  const T* b = static_cast<const T*>(g.b);
  T alpha = static_cast<T>(g.alpha), beta = static_cast<T>(g.beta);
  for (int64_t i = begin; i < end; ++i) {
    T* c = static_cast<T*>(g.c) + i * g.ldc;
    if (g.trans_b) {
      for (int64_t j = 0; j < g.n; ++j) {
        T sum = 0;
        for (int64_t p = 0; p < g.k; ++p) sum += element_a<T>(g, i, p) * b[j * g.ldb + p];
        c[j] = beta == 0 ? alpha * sum : alpha * sum + beta * c[j];
      }
      continue;
    }
    for (int64_t j = 0; j < g.n; ++j) c[j] = beta == 0 ? T(0) : beta * c[j];
    for (int64_t p = 0; p < g.k; ++p) {
      T scale = alpha * element_a<T>(g, i, p);
      const T* row = b + p * g.ldb;
      for (int64_t j = 0; j < g.n; ++j) c[j] += scale * row[j];
    }
  }
}

template <class T>
void simple_gemm(const Gemm& g) {
  int64_t grain = std::max<int64_t>(1, 65536 / std::max<int64_t>(1, g.n * g.k));
  parallel_for(g.m, grain, [&](int64_t begin, int64_t end) { simple_rows<T>(g, begin, end); });
}

// Products of at most kSmall multiplications, a tile of C at a time: `rows` rows and `width` columns from `col` on.
constexpr int64_t kSmall = 4096;
template <class T, int rows, int width>
void small_tile(const Gemm& g, const T* b, int64_t ldb, int64_t row, int64_t col) {
  T sums[rows][width] = {};
  for (int64_t p = 0; p < g.k; ++p)
    for (int r = 0; r < rows; ++r) {
      T scale = element_a<T>(g, row + r, p);
#pragma omp simd
      for (int j = 0; j < width; ++j) sums[r][j] += scale * b[p * ldb + col + j];
    }
  T alpha = static_cast<T>(g.alpha), beta = static_cast<T>(g.beta);
  for (int r = 0; r < rows; ++r) {
    T* c = static_cast<T*>(g.c) + (row + r) * g.ldc + col;
    for (int j = 0; j < width; ++j) c[j] = beta == 0 ? alpha * sums[r][j] : alpha * sums[r][j] + beta * c[j];
  }
}
template <class T, int rows>
void small_rows(const Gemm& g, const T* b, int64_t ldb, int64_t row) {
  int64_t col = 0;
  for (; col + 16 <= g.n; col += 16) small_tile<T, rows, 16>(g, b, ldb, row, col);
  if (col + 8 <= g.n) small_tile<T, rows, 8>(g, b, ldb, row, col), col += 8;
  if (col + 4 <= g.n) small_tile<T, rows, 4>(g, b, ldb, row, col), col += 4;
  for (; col < g.n; ++col) small_tile<T, rows, 1>(g, b, ldb, row, col);
}
template <class T>
void small_product(const Gemm& g) {
  T turned[kSmall];
  const T* b = static_cast<const T*>(g.b);
  int64_t ldb = g.ldb, i = 0;
  if (g.trans_b) {
    for (int64_t j = 0; j < g.n; ++j)
      for (int64_t p = 0; p < g.k; ++p) turned[p * g.n + j] = b[j * ldb + p];
    b = turned, ldb = g.n;
  }
  for (; i + 4 <= g.m; i += 4) small_rows<T, 4>(g, b, ldb, i);
  for (; i < g.m; ++i) small_rows<T, 1>(g, b, ldb, i);
}

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using View = Eigen::Map<RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using ConstView = Eigen::Map<const RowMajor<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

template <class T>
void eigen_block(const Gemm& g) {
  ConstView<T> a(static_cast<const T*>(g.a), g.trans_a ? g.k : g.m, g.trans_a ? g.m : g.k, Eigen::OuterStride<>(g.lda));
  ConstView<T> b(static_cast<const T*>(g.b), g.trans_b ? g.n : g.k, g.trans_b ? g.k : g.n, Eigen::OuterStride<>(g.ldb));
  View<T> c(static_cast<T*>(g.c), g.m, g.n, Eigen::OuterStride<>(g.ldc));
  T alpha = static_cast<T>(g.alpha);
  if (g.beta == 0)
    c.setZero();
  else if (g.beta != 1)
    c *= static_cast<T>(g.beta);
  if (g.trans_a && g.trans_b)
    c.noalias() += alpha * (a.transpose() * b.transpose());
  else if (g.trans_a)
    c.noalias() += alpha * (a.transpose() * b);
  else if (g.trans_b)
    c.noalias() += alpha * (a * b.transpose());
  else
    c.noalias() += alpha * (a * b);
}

// Shares C out in blocks of rows or columns, whichever are more.
template <class T>
void eigen_gemm(const Gemm& g) {
  double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  if (work <= kSmall) return small_product<T>(g);
  bool by_rows = g.m >= g.n;
  int64_t extent = by_rows ? g.m : g.n;
  int64_t grain = std::max<int64_t>(64, static_cast<int64_t>(2e6 / (work / static_cast<double>(extent))));
  parallel_for(extent, grain, [&](int64_t begin, int64_t end) {
    Gemm part = g;
    if (by_rows) {
      part.m = end - begin;
      part.a = static_cast<const T*>(g.a) + begin * (g.trans_a ? 1 : g.lda);
      part.c = static_cast<T*>(g.c) + begin * g.ldc;
    } else {
      part.n = end - begin;
      part.b = static_cast<const T*>(g.b) + begin * (g.trans_b ? g.ldb : 1);
      part.c = static_cast<T*>(g.c) + begin;
    }
    eigen_block<T>(part);
  });
}

const bool offered = offer_gemm_kernels(
    MXNET_ISA_LEVEL, {eigen_gemm<float>, eigen_gemm<double>, simple_gemm<int32_t>, simple_gemm<int64_t>});

}  // namespace
}  // namespace mxnet

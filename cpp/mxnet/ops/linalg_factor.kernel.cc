// Triangular solves, Cholesky and LU factorizations: recursive, so that nearly all work is done by matrix products.
#include <cmath>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/linalg.h"

namespace mxnet {
namespace {

// C -= op(A) op(B).
template <class T>
void subtract_product(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, bool trans_a, const T* b, int64_t ldb,
                      bool trans_b, T* c, int64_t ldc) {
  Gemm g;
  g.m = m, g.n = n, g.k = k, g.alpha = -1, g.beta = 1;
  g.a = a, g.lda = lda, g.trans_a = trans_a;
  g.b = b, g.ldb = ldb, g.trans_b = trans_b;
  g.c = c, g.ldc = ldc;
  gemm(dtype_of<T>, g);
}

// A triangular matrix op(A) in row-major memory.
template <class T>
struct Triangular {
  const T* data;
  int64_t ld;
  bool transpose;  // op(A) is the transpose of what is stored
  bool lower;      // of op(A)
  bool unit;       // the diagonal counts as ones

  const T* block(int64_t row, int64_t col) const { return transpose ? data + col * ld + row : data + row * ld + col; }
  Triangular part(int64_t at) const { return {block(at, at), ld, transpose, lower, unit}; }
};

constexpr int64_t kSolveBase = 32;  // triangles up to this size are solved directly
constexpr int64_t kTile = 32;       // right hand sides at a time

// Solves U X = B in place for lower triangular U: n rows of kTile right hand sides.
template <class T>
[[gnu::noinline]] void solve_tile(int64_t n, const T (&u)[kSolveBase][kSolveBase], T (&x)[kSolveBase][kTile]) {
  for (int64_t i = 0; i < n; ++i) {
    T row[kTile];
    for (int64_t j = 0; j < kTile; ++j) row[j] = x[i][j];
    for (int64_t k = 0; k < i; ++k) {
      T factor = u[i][k];
#pragma omp simd
      for (int64_t j = 0; j < kTile; ++j) row[j] -= factor * x[k][j];
    }
    T pivot = u[i][i];
#pragma omp simd
    for (int64_t j = 0; j < kTile; ++j) x[i][j] = row[j] / pivot;
  }
}

// The small triangle as solve_tile wants it: turned over where it is upper, transposed where it stands right.
template <class T>
void load_triangle(const Triangular<T>& a, int64_t n, bool right, T (&u)[kSolveBase][kSolveBase]) {
  bool lower = a.lower != right;
  for (int64_t i = 0; i < n; ++i)
    for (int64_t k = 0; k <= i; ++k) {
      int64_t row = lower ? i : n - 1 - i, col = lower ? k : n - 1 - k;
      u[i][k] = i == k && a.unit ? T(1) : right ? *a.block(col, row) : *a.block(row, col);
    }
}

// op(A) X = B (or X op(A) = B) in place for n x n op(A), with `m` right hand sides.
template <class T>
void solve_directly(const Triangular<T>& a, int64_t n, bool right, T* b, int64_t ldb, int64_t m) {
  T u[kSolveBase][kSolveBase], x[kSolveBase][kTile];
  load_triangle(a, n, right, u);
  bool forward = a.lower != right;
  int64_t step = right ? 1 : ldb, across = right ? ldb : 1;
  for (int64_t first = 0; first < m; first += kTile) {
    int64_t width = std::min(kTile, m - first);
    T* tile = b + first * across;
    for (int64_t i = 0; i < n; ++i) {
      const T* from = tile + (forward ? i : n - 1 - i) * step;
      for (int64_t j = 0; j < width; ++j) x[i][j] = from[j * across];
      for (int64_t j = width; j < kTile; ++j) x[i][j] = T(0);
    }
    solve_tile(n, u, x);
    for (int64_t i = 0; i < n; ++i) {
      T* to = tile + (forward ? i : n - 1 - i) * step;
      for (int64_t j = 0; j < width; ++j) to[j * across] = x[i][j];
    }
  }
}

// The same for any size. The unknowns are split in two; those that do not depend on the others come first.
template <class T>
void solve(const Triangular<T>& a, int64_t n, bool right, T* b, int64_t ldb, int64_t m) {
  if (n <= kSolveBase) return solve_directly(a, n, right, b, ldb, m);
  int64_t half = (n / 2 + kSolveBase - 1) / kSolveBase * kSolveBase, rest = n - half;
  T* b2 = b + half * (right ? 1 : ldb);
  bool first_first = a.lower != right;
  if (first_first)
    solve(a, half, right, b, ldb, m);
  else
    solve(a.part(half), rest, right, b2, ldb, m);
  if (right && first_first)
    subtract_product(m, rest, half, b, ldb, false, a.block(0, half), a.ld, a.transpose, b2, ldb);
  else if (right)
    subtract_product(m, half, rest, b2, ldb, false, a.block(half, 0), a.ld, a.transpose, b, ldb);
  else if (first_first)
    subtract_product(rest, m, half, a.block(half, 0), a.ld, a.transpose, b, ldb, false, b2, ldb);
  else
    subtract_product(half, m, rest, a.block(0, half), a.ld, a.transpose, b2, ldb, false, b, ldb);
  if (first_first)
    solve(a.part(half), rest, right, b2, ldb, m);
  else
    solve(a, half, right, b, ldb, m);
}

// Calls body(i) for each of `count` matrices of about `work` operations.
template <class F>
void for_each_matrix(int64_t count, double work, const F& body) {
  auto grain = static_cast<int64_t>(1 + 1e5 / std::max(work, 1.0));
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

double cube(int64_t n) { return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(n); }

void trsm(const TriangularParams& p, KernelContext& c) {
  MatrixStack a(c.in(0).shape()), b(c.in(1).shape());
  int64_t n = a.rows, m = p.rightside ? b.rows : b.cols;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cb(c.in(1), dtype_of<T>, true), cx(c.out(0), dtype_of<T>, false);
    T alpha = static_cast<T>(p.alpha), *x = cx.as<T>();
    const T* from = cb.as<T>();
    // Where matrices are few, their right hand sides are shared out.
    int64_t pieces = a.count >= 8 ? 1 : std::max<int64_t>(1, m / (2 * kTile)), width = (m + pieces - 1) / pieces;
    width = (width + kTile - 1) / kTile * kTile;
    double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(std::min(m, width));
    for_each_matrix(a.count * pieces, work, [&](int64_t i) {
      int64_t matrix = i / pieces, first = std::min(m, i % pieces * width), count = std::min(width, m - first);
      int64_t rows = p.rightside ? count : n, cols = p.rightside ? n : count;
      int64_t at = matrix * b.matrix_size() + (p.rightside ? first * b.cols : first);
      for (int64_t row = 0; row < rows; ++row)
        for (int64_t col = 0; col < cols; ++col) x[at + row * b.cols + col] = alpha * from[at + row * b.cols + col];
      Triangular<T> t{ca.as<T>() + matrix * a.matrix_size(), n, p.transpose, p.lower != p.transpose, false};
      if (n > 0 && count > 0) solve(t, n, p.rightside, x + at, b.cols, count);
    });
    cx.finish();
  });
}

// The lower triangle of A becomes its Cholesky factor; false where A is not positive definite. Works on the columns
// of the factor in a block of fixed width, for the sake of the vector registers.
template <class T>
[[gnu::noinline]] bool cholesky_directly(T* a, int64_t ld, int64_t n) {
  T columns[kSolveBase][kSolveBase] = {};
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j <= i; ++j) columns[j][i] = a[i * ld + j];
  for (int64_t j = 0; j < n; ++j) {
    T column[kSolveBase];
    std::copy_n(columns[j], kSolveBase, column);
    for (int64_t k = 0; k < j; ++k) {
      T factor = columns[k][j];
#pragma omp simd
      for (int64_t i = 0; i < kSolveBase; ++i) column[i] -= factor * columns[k][i];
    }
    if (!(column[j] > 0)) return false;  // NaN too
    T pivot = std::sqrt(column[j]);
#pragma omp simd
    for (int64_t i = 0; i < kSolveBase; ++i) columns[j][i] = column[i] / pivot;
    columns[j][j] = pivot;
    for (int64_t i = j; i < n; ++i) a[i * ld + j] = columns[j][i];
  }
  return true;
}

template <class T>
bool cholesky(T* a, int64_t ld, int64_t n) {
  if (n <= kSolveBase) return cholesky_directly(a, ld, n);
  int64_t half = (n / 2 + kSolveBase - 1) / kSolveBase * kSolveBase, rest = n - half;
  if (!cholesky(a, ld, half)) return false;
  T *below = a + half * ld, *corner = below + half;
  solve(Triangular<T>{a, ld, true, false, false}, half, true, below, ld, rest);
  subtract_product(rest, rest, half, below, ld, false, below, ld, true, corner, ld);
  return cholesky(corner, ld, rest);
}

void potrf(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cl(c.out(0), dtype_of<T>, false);
    for_each_matrix(s.count, cube(n) / 3, [&](int64_t i) {
      const T* a = ca.as<T>() + i * n * n;
      T* l = cl.as<T>() + i * n * n;
      std::copy_n(a, n * n, l);
      if (!cholesky(l, n, n)) value_error("_linalg_potrf: matrix ", i, " of A is not positive definite");
      for (int64_t row = 0; row < n; ++row) std::fill(l + row * n + row + 1, l + (row + 1) * n, T(0));
    });
    cl.finish();
  });
}

template <class T>
void set_identity(T* a, int64_t n) {
  std::fill_n(a, n * n, T(0));
  for (int64_t i = 0; i < n; ++i) a[i * n + i] = T(1);
}

void potri(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted cl(c.in(0), dtype_of<T>, true), cb(c.out(0), dtype_of<T>, false);
    for_each_matrix(s.count, 2 * cube(n), [&](int64_t i) {
      const T* l = cl.as<T>() + i * n * n;
      for (int64_t k = 0; k < n; ++k)
        if (l[k * n + k] == 0)
          value_error("_linalg_potri: matrix ", i, " of A is not a Cholesky factor: ", k, " on its diagonal is zero");
      Scratch inverse(n * n * static_cast<int64_t>(sizeof(T)));
      set_identity(inverse.as<T>(), n);
      if (n > 0) solve(Triangular<T>{l, n, false, true, false}, n, false, inverse.as<T>(), n, n);
      Gemm g;
      g.m = g.n = g.k = n, g.trans_a = true;
      g.a = g.b = inverse.data(), g.c = cb.as<T>() + i * n * n;
      gemm(dtype_of<T>, g);
    });
    cb.finish();
  });
}

// P A = L U of a panel of `cols` columns in place, with partial pivoting: row i was exchanged with pivots[i].
// L has a diagonal of ones that is not stored.
template <class T>
void lu_directly(T* a, int64_t ld, int64_t rows, int64_t cols, int64_t* pivots) {
  for (int64_t j = 0; j < std::min(rows, cols); ++j) {
    int64_t best = j;
    for (int64_t i = j + 1; i < rows; ++i)
      if (std::abs(a[i * ld + j]) > std::abs(a[best * ld + j])) best = i;
    pivots[j] = best;
    if (best != j) std::swap_ranges(a + j * ld, a + j * ld + cols, a + best * ld);
    T pivot = a[j * ld + j];
    if (pivot == 0) continue;
    for (int64_t i = j + 1; i < rows; ++i) {
      T factor = a[i * ld + j] /= pivot;
      for (int64_t k = j + 1; k < cols; ++k) a[i * ld + k] -= factor * a[j * ld + k];
    }
  }
}

template <class T>
void exchange_rows(T* a, int64_t ld, int64_t cols, const int64_t* pivots, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (pivots[i] != i) std::swap_ranges(a + i * ld, a + i * ld + cols, a + pivots[i] * ld);
}

template <class T>
void lu(T* a, int64_t ld, int64_t rows, int64_t cols, int64_t* pivots) {
  constexpr int64_t kPanel = 16;
  if (cols <= kPanel) return lu_directly(a, ld, rows, cols, pivots);
  int64_t left = (cols / 2 + kPanel - 1) / kPanel * kPanel, right = cols - left, below = rows - left;
  lu(a, ld, rows, left, pivots);
  T *top = a + left, *corner = a + left * ld + left;
  exchange_rows(top, ld, right, pivots, left);
  solve(Triangular<T>{a, ld, false, true, true}, left, false, top, ld, right);
  subtract_product(below, right, left, a + left * ld, ld, false, top, ld, false, corner, ld);
  lu(corner, ld, below, right, pivots + left);
  exchange_rows(a + left * ld, ld, left, pivots + left, std::min(below, right));
  for (int64_t i = left; i < std::min(rows, cols); ++i) pivots[i] += left;
}

// An LU factorization of its own.
template <class T>
struct Lu {
  Scratch memory;
  std::vector<int64_t> pivots;
  int64_t n;

  Lu(const T* a, int64_t size)
      : memory(size * size * static_cast<int64_t>(sizeof(T))), pivots(static_cast<size_t>(size)), n(size) {
    std::copy_n(a, n * n, data());
    lu(data(), n, n, n, pivots.data());
  }
  T* data() const { return memory.as<T>(); }
  T diagonal(int64_t i) const { return data()[i * n + i]; }
  bool singular() const {
    for (int64_t i = 0; i < n; ++i)
      if (diagonal(i) == 0) return true;
    return false;
  }
  bool odd() const {
    bool odd = false;
    for (int64_t i = 0; i < n; ++i) odd ^= pivots[static_cast<size_t>(i)] != i;
    return odd;
  }
  void invert(T* out) const {
    set_identity(out, n);
    exchange_rows(out, n, n, pivots.data(), n);
    solve(Triangular<T>{data(), n, false, true, true}, n, false, out, n, n);
    solve(Triangular<T>{data(), n, false, false, false}, n, false, out, n, n);
  }
};

template <bool singular_is_error>
void inverse(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cb(c.out(0), dtype_of<T>, false);
    for_each_matrix(s.count, 3 * cube(n), [&](int64_t i) {
      Lu<T> lu(ca.as<T>() + i * n * n, n);
      T* out = cb.as<T>() + i * n * n;
      if (!lu.singular())
        lu.invert(out);
      else if (singular_is_error)
        value_error("_linalg_inverse: matrix ", i, " of A is singular");
      else
        std::fill_n(out, n * n, T(0));
    });
    cb.finish();
  });
}

void det(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cd(c.out(0), dtype_of<T>, false);
    for_each_matrix(s.count, cube(n), [&](int64_t i) {
      Lu<T> lu(ca.as<T>() + i * n * n, n);
      T product = lu.odd() ? T(-1) : T(1);
      for (int64_t k = 0; k < n; ++k) product *= lu.diagonal(k);
      cd.as<T>()[i] = product;
    });
    cd.finish();
  });
}

void slogdet(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), csign(c.out(0), dtype_of<T>, false), clog(c.out(1), dtype_of<T>, false);
    for_each_matrix(s.count, cube(n), [&](int64_t i) {
      Lu<T> lu(ca.as<T>() + i * n * n, n);
      T sign = lu.odd() ? T(-1) : T(1), sum = 0;
      for (int64_t k = 0; k < n; ++k) {
        T d = lu.diagonal(k);
        sign *= d > 0 ? T(1) : d < 0 ? T(-1) : d;  // 0 and NaN stay what they are
        sum += std::log(std::abs(d));
      }
      csign.as<T>()[i] = sign;
      clog.as<T>()[i] = sum;
    });
    csign.finish();
    clog.finish();
  });
}

const bool registered[] = {
    cpu_kernel<TriangularParams>("_linalg_trsm", trsm),
    cpu_kernel<NoParams>("_linalg_potrf", potrf),
    cpu_kernel<NoParams>("_linalg_potri", potri),
    cpu_kernel<NoParams>("_linalg_inverse", inverse<true>),
    cpu_kernel<NoParams>("_backward_linalg_inverse_or_zero", inverse<false>),
    cpu_kernel<NoParams>("_linalg_det", det),
    cpu_kernel<NoParams>("_linalg_slogdet", slogdet),
};

}  // namespace
}  // namespace mxnet

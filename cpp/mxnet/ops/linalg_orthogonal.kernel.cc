// LQ factorization and the eigenvectors of symmetric matrices, by Eigen.
#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/linalg.h"

namespace mxnet {
namespace {

// Row-major memory read by columns: the transpose of the matrix that lies there.
template <class T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using Transposed = Eigen::Map<Columns<T>>;

template <class F>
void for_each_matrix(const MatrixStack& s, const F& body) {
  double work = 10.0 * static_cast<double>(s.rows) * static_cast<double>(s.matrix_size());
  parallel_for(s.count, static_cast<int64_t>(1 + 1e5 / std::max(work, 1.0)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

// A^T = Q' R gives A = R^T Q'^T.
void gelqf(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  if (s.matrix_size() == 0) return;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cq(c.out(0), dtype_of<T>, false), cl(c.out(1), dtype_of<T>, false);
    for_each_matrix(s, [&](int64_t i) {
      Transposed<T> a(ca.as<T>() + i * s.matrix_size(), s.cols, s.rows);
      Transposed<T> q(cq.as<T>() + i * s.matrix_size(), s.cols, s.rows);
      Transposed<T> l(cl.as<T>() + i * s.rows * s.rows, s.rows, s.rows);
      Eigen::HouseholderQR<Columns<T>> qr(a);
      l.setZero();
      l.template triangularView<Eigen::Upper>() = qr.matrixQR().topRows(s.rows);
      q.setIdentity();
      q.applyOnTheLeft(qr.householderQ());
    });
    cq.finish();
    cl.finish();
  });
}

void syevd(const NoParams&, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  int64_t n = s.rows;
  if (n == 0) return;
  dispatch_working(working_type(c.in(0)), [&]<class T>() {
    Converted ca(c.in(0), dtype_of<T>, true), cu(c.out(0), dtype_of<T>, false), cl(c.out(1), dtype_of<T>, false);
    for_each_matrix(s, [&](int64_t i) {
      Transposed<T> a(ca.as<T>() + i * n * n, n, n), u(cu.as<T>() + i * n * n, n, n);
      Eigen::SelfAdjointEigenSolver<Columns<T>> solver(a.transpose());  // reads the lower triangle
      if (solver.info() != Eigen::Success || !solver.eigenvalues().allFinite())
        value_error("_linalg_syevd: the eigenvalues of matrix ", i, " of A were not found");
      u = solver.eigenvectors();
      for (int64_t k = 0; k < n; ++k) {
        int64_t largest = 0;
        u.col(k).cwiseAbs().maxCoeff(&largest);
        if (u(largest, k) < 0) u.col(k) = -u.col(k);
      }
      Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>(cl.as<T>() + i * n, n) = solver.eigenvalues();
    });
    cu.finish();
    cl.finish();
  });
}

const bool registered[] = {
    cpu_kernel<NoParams>("_linalg_gelqf", gelqf),
    cpu_kernel<NoParams>("_linalg_syevd", syevd),
};

}  // namespace
}  // namespace mxnet

// Products, diagonals and triangles of matrices on a GPU. Not run on hardware.
#include "mxnet/ops/gemm.cuh"
#include "mxnet/ops/indices.cuh"
#include "mxnet/ops/linalg_places.h"
#include "mxnet/ops/linalg_product.h"

namespace mxnet::cuda {
namespace {

template <class P>
void products(const P& p, KernelContext& c, double beta) {
  each_product(p, c, beta, [&](const Gemm& g) { gemm(c, c.out(0).dtype, g); });
}

void product_sum(const ProductSumParams& p, KernelContext& c) {
  copy(c, c.in(2).data, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  products(p, c, p.beta);
}

// One triangle of each matrix, the diagonal times a factor, the rest zero.
template <class V>
void keep_triangle(const TriangleParams& p, const KernelContext& c, const TensorView& in, void* out) {
  MatrixStack s(in.shape());
  AnyArray x(in), y(out, in.dtype);
  bool lower = p.lower;
  V factor = static_cast<V>(p.diagonal);
  each(c, in.size(), [=] __device__(int64_t i) {
    int64_t row = i / s.cols % s.rows, column = i % s.cols;
    bool kept = lower ? column < row : column > row;
    y.store(i, row == column ? x.load<V>(i) * factor : kept ? x.load<V>(i) : V(0));
  });
}
void keep_triangle(const TriangleParams& p, const KernelContext& c, const TensorView& in, void* out) {
  if (in.dtype == DType::float64)
    keep_triangle<double>(p, c, in, out);
  else
    keep_triangle<float>(p, c, in, out);
}

void triangle(const TriangleParams& p, KernelContext& c) { keep_triangle(p, c, c.in(0), c.out(0).data); }

void trmm(const TriangularParams& p, KernelContext& c) {
  Scratch triangles(c, std::max<int64_t>(c.in(0).size() * size_of(c.in(0).dtype), 1));
  keep_triangle({p.lower, 1}, c, c.in(0), triangles.data());
  gemm(c, c.out(0).dtype, trmm_product(p, c, triangles.data()));
}

template <class P>
void extract(const P& p, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  std::vector<int64_t> list = p.places(s.rows);
  Scratch places = uploaded(c, list);
  const int64_t* place = places.as<int64_t>();
  int64_t length = static_cast<int64_t>(list.size()), size = s.matrix_size();
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) { to.put(i, from, i / length * size + place[i % length]); });
}

template <class P>
void make(const P& p, KernelContext& c) {
  MatrixStack s(c.out(0).shape());
  std::vector<int64_t> list = p.places(s.rows);
  Scratch places = uploaded(c, list);
  const int64_t* place = places.as<int64_t>();
  int64_t length = static_cast<int64_t>(list.size()), size = s.matrix_size();
  fill_zero(c, c.out(0).data, c.out(0).size() * size_of(c.out(0).dtype));
  Elements from(c.in(0)), to(c.out(0));
  each(c, c.in(0).size(), [=] __device__(int64_t i) { to.put(i / length * size + place[i % length], from, i); });
}

template <class V>
void sum_logs(const KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  AnyArray from(c.in(0)), to(c.out(0));
  each(c, s.count, [=] __device__(int64_t i) {
    V sum = 0;
    for (int64_t k = 0; k < s.rows; ++k) sum += log(from.load<V>(i * s.rows * s.cols + k * (s.cols + 1)));
    to.store(i, sum);
  });
}

void sumlogdiag(KernelContext& c) { c.in(0).dtype == DType::float64 ? sum_logs<double>(c) : sum_logs<float>(c); }

const bool registered[] = {
    kernel<ProductSumParams>("_linalg_gemm", product_sum),
    kernel<ProductParams>("_linalg_gemm2", [](const ProductParams& p, KernelContext& c) { products(p, c, 0); }),
    kernel<SyrkParams>("_linalg_syrk",
                       [](const SyrkParams& p, KernelContext& c) { gemm(c, c.out(0).dtype, syrk_product(p, c)); }),
    kernel<TriangleParams>("_backward_linalg_triangle", triangle),
    kernel<TriangularParams>("_linalg_trmm", trmm),
    kernel<DiagonalParams>("_linalg_extractdiag", extract<DiagonalParams>),
    kernel<DiagonalParams>("_linalg_makediag", make<DiagonalParams>),
    kernel<TriangleVectorParams>("_linalg_extracttrian", extract<TriangleVectorParams>),
    kernel<TriangleVectorParams>("_linalg_maketrian", make<TriangleVectorParams>),
    kernel("_linalg_sumlogdiag", sumlogdiag),
};

}  // namespace
}  // namespace mxnet::cuda

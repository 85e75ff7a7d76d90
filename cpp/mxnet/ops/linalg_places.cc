// Diagonals and triangles of matrices as vectors and back: extractdiag, makediag, extracttrian, maketrian.
#include <cmath>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/linalg.h"
#include "mxnet/ops/linalg_places.h"

namespace mxnet {
namespace {

template <class P>
void infer_extract(const P& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  if (!has_square_matrices(c, 0)) return;
  const Shape& s = c.shape(0);
  Shape out = s.slice(0, s.ndim() - 1);
  int64_t n = s.back();
  if (n >= 0 && p.offset != 0 && std::abs(int64_t{p.offset}) >= n)
    c.fail("offset ", p.offset, " is out of range for matrices of shape ", s);
  out[out.ndim() - 1] = n < 0 ? kUnknown : p.length(n);
  c.out(0).shape = out;
}

template <class P>
void infer_make(const P& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  const Shape& s = c.shape(0);
  if (!s.rank_known()) return;
  if (s.ndim() < 1) c.fail("A is a scalar, expected at least one axis");
  Shape out = s;
  int64_t n = s.back() < 0 ? kUnknown : p.rows(s.back());
  if (s.back() >= 0 && n < 0) c.fail("the last axis of shape ", s, " is not the size of a triangle, m (m + 1) / 2");
  out[out.ndim() - 1] = n;
  out.push_back(n);
  c.out(0).shape = out;
}

template <class P>
void extract(const P& p, KernelContext& c) {
  MatrixStack s(c.in(0).shape());
  std::vector<int64_t> places = p.places(s.rows);
  auto length = static_cast<int64_t>(places.size());
  dispatch_width(c.in(0).dtype, [&]<class T>() {
    parallel_for(s.count, 1 + 16384 / std::max<int64_t>(1, length), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* from = c.in(0).as<T>() + i * s.matrix_size();
        T* to = c.out(0).as<T>() + i * length;
        for (int64_t k = 0; k < length; ++k) to[k] = from[places[static_cast<size_t>(k)]];
      }
    });
  });
}

template <class P>
void make(const P& p, KernelContext& c) {
  MatrixStack s(c.out(0).shape());
  std::vector<int64_t> places = p.places(s.rows);
  auto length = static_cast<int64_t>(places.size());
  dispatch_width(c.in(0).dtype, [&]<class T>() {
    parallel_for(s.count, 1 + 16384 / std::max<int64_t>(1, s.matrix_size()), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* from = c.in(0).as<T>() + i * length;
        T* to = c.out(0).as<T>() + i * s.matrix_size();
        std::fill_n(to, s.matrix_size(), T(0));
        for (int64_t k = 0; k < length; ++k) to[places[static_cast<size_t>(k)]] = from[k];
      }
    });
  });
}

// The two operators are each other's adjoint.
template <class P>
void define_pair(const char* extract_name, const char* extract_alias, const char* extract_doc, const char* make_name,
                 const char* make_alias, const char* make_doc, const char* vector_doc) {
  auto through = [](const char* name) {
    return [op = OpRef(name)](const P&, GradContext& g) {
      if (g.in(0).shape().size() > 0) g.din(0) = op.with({g.dout(0)}, g.params())[0];
    };
  };
  define_op<P>(extract_name)
      .doc(extract_doc)
      .input("A", "Array (.., n, n).")
      .alias({extract_alias})
      .infer(infer_extract<P>)
      .cpu(extract<P>)
      .gradient(through(make_name))
      .grad_uses(false, false);
  define_op<P>(make_name)
      .doc(make_doc)
      .input("A", vector_doc)
      .alias({make_alias})
      .infer(infer_make<P>)
      .cpu(make<P>)
      .gradient(through(extract_name))
      .grad_uses(false, false);
}

const bool defined = [] {
  define_pair<DiagonalParams>("_linalg_extractdiag", "linalg_extractdiag",
                              "One diagonal of each square matrix: (.., n, n) gives (.., n - |offset|).",
                              "_linalg_makediag", "linalg_makediag",
                              "Square matrices with the given diagonal and zeros elsewhere: (.., n) gives (.., n + "
                              "|offset|, n + |offset|).",
                              "Array (.., n) of diagonals.");
  define_pair<TriangleVectorParams>(
      "_linalg_extracttrian", "linalg_extracttrian",
      "One triangle of each square matrix as a vector, the lower row by row, the upper column by column: (.., n, n) "
      "gives (.., m (m + 1) / 2) with m = n - |offset|.",
      "_linalg_maketrian", "linalg_maketrian",
      "Square matrices with the given triangle and zeros elsewhere: (.., m (m + 1) / 2) gives (.., n, n) with n = m + "
      "|offset|.",
      "Array (.., m (m + 1) / 2) of triangles.");
  return true;
}();

const Op& sumlogdiag_op =
    define_op("_linalg_sumlogdiag")
        .doc("Sum of the logarithms of the diagonal of each square matrix: (.., n, n) gives (..), one matrix (1,).")
        .input("A", "Array (.., n, n) with positive diagonals.")
        .alias({"linalg_sumlogdiag"})
        .infer([](const NoParams&, InferContext& c) {
          c.out(0).dtype = floating_dtype(c);
          if (has_square_matrices(c, 0)) c.out(0).shape = shape_per_matrix(c.shape(0));
        })
        .cpu([](const NoParams&, KernelContext& c) {
          MatrixStack s(c.in(0).shape());
          dispatch_floating(c.in(0).dtype, [&]<class T>() {
            for (int64_t i = 0; i < s.count; ++i) {
              compute_t<T> sum = 0;
              for (int64_t k = 0; k < s.rows; ++k)
                sum += std::log(static_cast<compute_t<T>>(c.in(0).as<T>()[i * s.matrix_size() + k * (s.cols + 1)]));
              c.out(0).as<T>()[i] = T(sum);
            }
          });
        })
        .gradient([](const NoParams&, GradContext& g) {
          static const OpRef extract("_linalg_extractdiag"), make("_linalg_makediag");
          Shape s = g.in(0).shape().slice(0, g.in(0).shape().ndim() - 1);
          s[s.ndim() - 1] = 1;
          g.din(0) = make({reshape(g.dout(0), s) / extract({g.in(0)})});
        })
        .grad_uses(true, false);

}  // namespace
}  // namespace mxnet

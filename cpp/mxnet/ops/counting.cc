// Small operators on numbers: comparisons of whole arrays, counts, sketches, products of columns, setting values.
#include <atomic>
#include <cmath>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/axes.h"
#include "mxnet/ops/binary.h"

namespace mxnet {
namespace {

constexpr int64_t kGrain = 16384;

struct AllcloseParams {
  double rtol = 1e-5, atol = 1e-8;
  bool equal_nan = true;

  static constexpr auto fields() {
    using P = AllcloseParams;
    return std::tuple{field("rtol", &P::rtol, "Tolerance relative to |b|."),
                      field("atol", &P::atol, "Tolerance added to it."),
                      field("equal_nan", &P::equal_nan, "Whether NaN equals NaN.")};
  }
};

void allclose(const AllcloseParams& p, KernelContext& c) {
  std::atomic<bool> close{true};
  dispatch_all(c.in(0).dtype, [&]<class T>() {
    const T *a = c.in(0).as<T>(), *b = c.in(1).as<T>();
    parallel_for(c.in(0).size(), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end && close.load(std::memory_order_relaxed); ++i) {
        auto x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
        bool same = x == y || (p.equal_nan && std::isnan(x) && std::isnan(y));
        if (!same && !(std::isfinite(y) && std::abs(x - y) <= p.atol + p.rtol * std::abs(y))) close = false;
      }
    });
  });
  *c.out(0).as<uint8_t>() = close;
}

const Op& allclose_op = define_op<AllcloseParams>("_contrib_allclose")
                            .doc("1 if |a - b| <= atol + rtol |b| for all elements, else 0; a uint8 scalar.")
                            .input("a", "First array.")
                            .input("b", "Second array, of the same shape and dtype.")
                            .infer([](const AllcloseParams&, InferContext& c) {
                              c.expect_shape(0, c.shape(1));
                              c.expect_shape(1, c.shape(0));
                              c.same_dtype();
                              c.out(0) = {Shape{}, DType::uint8};
                            })
                            .cpu(allclose);

struct GetnnzParams {
  std::optional<int64_t> axis;
  static constexpr auto fields() {
    return std::tuple{field("axis", &GetnnzParams::axis, "0: for each column, 1: for each row, None: of all.")};
  }
};

const Op& getnnz = define_op<GetnnzParams>("_contrib_getnnz")
                       .doc("How many elements of a matrix are not zero, as int64.")
                       .input("data", "Matrix.")
                       .infer([](const GetnnzParams& p, InferContext& c) {
                         c.expect_rank(0, 2);
                         if (p.axis && (*p.axis < 0 || *p.axis > 1)) c.fail("axis ", *p.axis, " must be 0, 1 or None");
                         Shape out{1};
                         if (p.axis) out[0] = c.shape(0).rank_known() ? c.shape(0)[*p.axis == 0 ? 1 : 0] : kUnknown;
                         c.out(0) = {out, DType::int64};
                       })
                       .cpu([](const GetnnzParams& p, KernelContext& c) {
                         int64_t* counts = c.out(0).as<int64_t>();
                         std::fill_n(counts, c.out(0).size(), 0);
                         int64_t columns = c.in(0).shape()[1];
                         dispatch_all(c.in(0).dtype, [&]<class T>() {
                           const T* x = c.in(0).as<T>();
                           for (int64_t i = 0; i < c.in(0).size(); ++i)
                             counts[!p.axis ? 0 : *p.axis == 0 ? i % columns : i / columns] += x[i] != T(0);
                         });
                       });

// Adds data[.., j] s[j] to out[.., h[j]].
struct CountSketchParams {
  int64_t out_dim = 0, processing_batch_size = 32;
  static constexpr auto fields() {
    using P = CountSketchParams;
    return std::tuple{field("out_dim", &P::out_dim, "Number of bins.").required(),
                      field("processing_batch_size", &P::processing_batch_size, "Accepted and ignored.")};
  }
};

void infer_count_sketch(const CountSketchParams& p, InferContext& c) {
  DType dtype = c.same_dtype();
  if (dtype != DType::unknown && !is_floating(dtype))
    c.fail_type("data has dtype ", dtype, ", expected a floating dtype; convert it with astype");
  if (p.out_dim < 1) c.fail("out_dim is ", p.out_dim, ", must be at least 1");
  c.out(0).dtype = dtype;
  const Shape& data = c.shape(0);
  if (!data.rank_known()) return;
  if (data.ndim() < 1) c.fail("data is a scalar, expected at least one axis");
  for (int i : {1, 2})
    if (c.shape(i).known() && c.shape(i).size() != data.back())
      c.fail(c.input_name(i), " has shape ", c.shape(i), ", expected ", Shape{1, data.back()});
  Shape out = data;
  out[out.ndim() - 1] = p.out_dim;
  c.out(0).shape = out;
}

std::vector<int64_t> bins_of(const TensorView& h, int64_t out_dim) {
  std::vector<int64_t> bins(static_cast<size_t>(h.size()));
  dispatch_floating(h.dtype, [&]<class T>() {
    for (size_t i = 0; i < bins.size(); ++i) {
      auto bin = static_cast<double>(h.as<T>()[i]);
      if (!(bin >= 0 && bin < static_cast<double>(out_dim)))
        value_error("_contrib_count_sketch: h holds ", bin, ", expected bins in [0, ", out_dim, ")");
      bins[i] = static_cast<int64_t>(bin);
    }
  });
  return bins;
}

void count_sketch(const CountSketchParams& p, KernelContext& c) {
  std::vector<int64_t> bins = bins_of(c.in(1), p.out_dim);
  auto n = static_cast<int64_t>(bins.size());
  int64_t rows = c.out(0).size() / p.out_dim;
  dispatch_floating(c.in(0).dtype, [&]<class T>() {
    using V = compute_t<T>;
    const T* s = c.in(2).as<T>();
    parallel_for(rows, 1 + kGrain / (n + p.out_dim), [&](int64_t begin, int64_t end) {
      std::vector<V> sums(static_cast<size_t>(p.out_dim));
      for (int64_t row = begin; row < end; ++row) {
        std::fill(sums.begin(), sums.end(), V(0));
        const T* x = c.in(0).as<T>() + row * n;
        for (int64_t j = 0; j < n; ++j)
          sums[static_cast<size_t>(bins[static_cast<size_t>(j)])] += static_cast<V>(s[j]) * static_cast<V>(x[j]);
        for (int64_t j = 0; j < p.out_dim; ++j) c.out(0).as<T>()[row * p.out_dim + j] = T(sums[static_cast<size_t>(j)]);
      }
    });
  });
}

const Op& count_sketch_op =
    define_op<CountSketchParams>("_contrib_count_sketch")
        .doc("Count sketch along the last axis: out[.., k] is the sum of s[j] data[.., j] over all j with h[j] = k.")
        .input("data", "Array (.., n).")
        .input("h", "The bin of each element, (1, n).")
        .input("s", "Its sign or factor, (1, n).")
        .infer(infer_count_sketch)
        .cpu(count_sketch)
        .gradient([](const CountSketchParams&, GradContext& g) {
          int last = g.in(0).shape().ndim() - 1;
          Shape row{g.in(0).shape().back()};
          Expr picked = apply("take", {g.dout(0), reshape(g.in(1), row)}, {{"axis", last}});
          if (g.needs(0)) g.din(0) = picked * reshape(g.in(2), row);
          if (g.needs(2)) g.din(2) = reshape(sum_to(picked * g.in(0), row), g.in(2).shape());
        })
        .grad_uses(true, false);

const Op& khatri_rao =
    define_op<SumParams>("khatri_rao")
        .doc("Column by column Kronecker product of matrices: (m, k) and (n, k) give (m n, k), and so on.")
        .variadic("args", "num_args", "Matrices with the same number of columns.")
        .infer([](const SumParams&, InferContext& c) {
          if (c.num_inputs() == 0) c.fail("got no arrays, expected at least one");
          Shape out{1, kUnknown};
          for (int i = 0; i < c.num_inputs(); ++i) {
            c.expect_rank(i, 2);
            const Shape& s = c.shape(i);
            if (!s.rank_known() || s[0] < 0 || s[1] < 0) return;
            if (i > 0 && s[1] != out[1]) c.fail("got matrices of ", out[1], " and ", s[1], " columns");
            out = {out[0] * s[0], s[1]};
          }
          c.out(0) = {out, c.same_dtype()};
        })
        .compose([](const SumParams&, std::span<const Expr> in) {
          Expr product = in[0];
          for (const Expr& factor : in.subspan(1)) {
            int64_t m = product.shape()[0], n = factor.shape()[0], k = factor.shape()[1];
            product = reshape(reshape(product, {m, 1, k}) * reshape(factor, {1, n, k}), {m * n, k});
          }
          return std::vector{in.size() == 1 ? apply("_copy", {product}) : product};
        });

struct SetValueParams {
  double src = 0;
  static constexpr auto fields() { return std::tuple{field("src", &SetValueParams::src, "The number.").required()}; }
};

const Op& set_value = define_op<SetValueParams>("_set_value")
                          .doc("Sets every element of `out` to a number; without it, gives a vector of one element.")
                          .infer([](const SetValueParams&, InferContext& c) {
                            if (!c.out(0).shape.known()) c.out(0) = {Shape{1}, DType::float32};
                          })
                          .cpu([](const SetValueParams& p, KernelContext& c) {
                            dispatch_all(c.out(0).dtype, [&]<class T>() {
                              std::fill_n(c.out(0).as<T>(), c.out(0).size(), static_cast<T>(p.src));
                            });
                          });

const Op& onehot_encode =
    define_op("_onehot_encode")
        .doc("Row i of the result is 1 at column lhs[i] and 0 elsewhere; an index out of range leaves zeros.")
        .input("lhs", "Indices (n,).")
        .input("rhs", "Matrix (n, k) that gives the shape and dtype.")
        .infer([](const NoParams&, InferContext& c) {
          c.expect_rank(1, 2);
          c.out(0) = c.in(1);
          if (c.shape(1).rank_known()) c.expect_shape(0, {c.shape(1)[0]});
        })
        .cpu([](const NoParams&, KernelContext& c) {
          int64_t rows = c.out(0).shape()[0], depth = c.out(0).shape()[1];
          dispatch_all(c.out(0).dtype, [&]<class T>() {
            T* out = c.out(0).as<T>();
            std::fill_n(out, rows * depth, T(0));
            dispatch_all(c.in(0).dtype, [&]<class I>() {
              for (int64_t i = 0; i < rows; ++i) {
                auto index = static_cast<double>(c.in(0).as<I>()[i]);
                if (index >= 0 && index < static_cast<double>(depth))
                  out[i * depth + static_cast<int64_t>(index)] = T(1);
              }
            });
          });
        });

}  // namespace
}  // namespace mxnet

#include "mxnet/ops/init.h"

#include <cmath>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

constexpr int64_t kFillGrain = 65536;  // elements
constexpr int64_t kBlock = 512;

void fill(const TensorView& out, double value) {
  char element[sizeof(double)];
  cast_block(&value, DType::float64, element, out.dtype, 1);
  parallel_for(out.size(), kFillGrain, [&](int64_t begin, int64_t end) {
    dispatch_width(out.dtype, [&]<class T>() {
      T pattern;
      std::memcpy(&pattern, element, sizeof pattern);
      if (pattern == 0)
        std::memset(out.as<T>() + begin, 0, static_cast<size_t>(end - begin) * sizeof(T));
      else
        std::fill(out.as<T>() + begin, out.as<T>() + end, pattern);
    });
  });
}

// out[i] = value(i), computed in double.
template <class F>
void generate(const TensorView& out, const F& value) {
  int64_t width = size_of(out.dtype);
  parallel_for(out.size(), kFillGrain, [&](int64_t begin, int64_t end) {
    double block[kBlock];
    for (int64_t first = begin; first < end; first += kBlock) {
      int64_t n = std::min(kBlock, end - first);
      for (int64_t i = 0; i < n; ++i) block[i] = value(first + i);
      cast_block(block, DType::float64, out.as<char>() + first * width, out.dtype, n);
    }
  });
}

DType or_float32(DType dtype) { return dtype == DType::unknown ? DType::float32 : dtype; }

template <class P>
void infer_init(const P& p, InferContext& c) {
  for (int64_t extent : p.shape)
    if (extent < 0) c.fail("shape is ", p.shape, ", expected no negative extents");
  c.out(0) = {p.shape, or_float32(p.dtype)};
}

const Op& zeros = define_op<InitParams>("_zeros")
                      .doc("An array of zeros.")
                      .infer(infer_init<InitParams>)
                      .cpu([](const InitParams&, KernelContext& c) { fill(c.out(0), 0); })
                      .context_field("ctx");

const Op& zeros_without_dtype = define_op<InitParams>("_zeros_without_dtype")
                                    .doc("An array of zeros, of float32 where no dtype is given.")
                                    .infer(infer_init<InitParams>)
                                    .cpu([](const InitParams&, KernelContext& c) { fill(c.out(0), 0); })
                                    .context_field("ctx");

const Op& ones = define_op<InitParams>("_ones")
                     .doc("An array of ones.")
                     .infer(infer_init<InitParams>)
                     .cpu([](const InitParams&, KernelContext& c) { fill(c.out(0), 1); })
                     .context_field("ctx");

const Op& full = define_op<FullParams>("_full")
                     .doc("An array whose elements are all `value`, converted to its dtype.")
                     .alias({"_npi_full"})
                     .infer(infer_init<FullParams>)
                     .cpu([](const FullParams& p, KernelContext& c) { fill(c.out(0), p.value); })
                     .context_field("ctx");

const Op& zeros_like = define_op("zeros_like")
                           .doc("Zeros in the shape and dtype of the input.")
                           .alias({"_sparse_zeros_like"})
                           .input("data", "Array that gives shape and dtype.")
                           .infer(infer_same)
                           .cpu([](const NoParams&, KernelContext& c) { fill(c.out(0), 0); })
                           .gradient([](const NoParams&, GradContext&) {})
                           .grad_uses(false, false)
                           .inplace()
                           .method();

const Op& ones_like = define_op("ones_like")
                          .doc("Ones in the shape and dtype of the input.")
                          .input("data", "Array that gives shape and dtype.")
                          .infer(infer_same)
                          .cpu([](const NoParams&, KernelContext& c) { fill(c.out(0), 1); })
                          .gradient([](const NoParams&, GradContext&) {})
                          .grad_uses(false, false)
                          .inplace()
                          .method();

double arange_start(const ArangeParams& p) { return p.stop ? p.start : 0; }

void infer_arange(const ArangeParams& p, InferContext& c) {
  if (p.repeat < 1) c.fail("repeat is ", p.repeat, ", expected at least 1");
  DType dtype = or_float32(p.dtype);
  if (p.infer_range && !p.stop) {
    c.out(0) = {c.out(0).shape, dtype};
    return;
  }
  double start = arange_start(p), stop = p.stop.value_or(p.start);
  if (p.step == 0) c.fail("step is 0, expected a distance between the values");
  double count = std::ceil((stop - start) / p.step);
  if (!(count < 9e18)) c.fail("from ", start, " to ", stop, " by ", p.step, " is not a finite range");
  c.out(0) = {Shape{static_cast<int64_t>(std::max(count, 0.0)) * p.repeat}, dtype};
}

const Op& arange =
    define_op<ArangeParams>("_arange")
        .doc("The numbers start, start + step, ... below stop, each `repeat` times; computed in double.")
        .infer(infer_arange)
        .cpu([](const ArangeParams& p, KernelContext& c) {
          double start = p.infer_range && !p.stop ? p.start : arange_start(p);
          generate(c.out(0), [&](int64_t i) { return start + static_cast<double>(i / p.repeat) * p.step; });
        })
        .context_field("ctx");

const Op& linspace =
    define_op<LinspaceParams>("_linspace")
        .doc("`num` numbers evenly spaced from start to stop, computed in double.")
        .alias({"_npi_linspace"})
        .infer([](const LinspaceParams& p, InferContext& c) {
          if (p.num < 0) c.fail("num is ", p.num, ", expected a non-negative int");
          c.out(0) = {Shape{p.num}, or_float32(p.dtype)};
        })
        .cpu([](const LinspaceParams& p, KernelContext& c) {
          int64_t steps = p.endpoint ? p.num - 1 : p.num;
          double step = steps > 0 ? (p.stop - p.start) / static_cast<double>(steps) : 0;
          generate(c.out(0), [&](int64_t i) {
            return p.endpoint && i > 0 && i == steps ? p.stop : p.start + static_cast<double>(i) * step;
          });
        })
        .context_field("ctx");

const Op& eye = define_op<EyeParams>("_eye")
                    .doc("An N x M matrix with ones on diagonal k and zeros elsewhere.")
                    .infer([](const EyeParams& p, InferContext& c) {
                      if (p.N < 0 || p.M < 0) c.fail("N is ", p.N, " and M is ", p.M, ", expected non-negative ints");
                      c.out(0) = {Shape{p.N, p.M ? p.M : p.N}, or_float32(p.dtype)};
                    })
                    .cpu([](const EyeParams& p, KernelContext& c) {
                      const TensorView& out = c.out(0);
                      fill(out, 0);
                      int64_t rows = out.shape()[0], columns = out.shape()[1], width = size_of(out.dtype);
                      double one = 1;
                      for (int64_t row = std::max<int64_t>(0, -p.k); row < rows && row + p.k < columns; ++row) {
                        char* element = out.as<char>() + (row * columns + row + p.k) * width;
                        cast_block(&one, DType::float64, element, out.dtype, 1);
                      }
                    })
                    .context_field("ctx");

const Op& arange_like =
    define_op<ArangeLikeParams>("_contrib_arange_like")
        .doc(
            "The numbers start, start + step, ..., each `repeat` times, as many as the input has elements or, given "
            "an axis, as that axis is long; in the dtype of the input.")
        .alias({"_npx_arange_like"})
        .input("data", "Array that gives shape and dtype.")
        .infer([](const ArangeLikeParams& p, InferContext& c) {
          if (p.repeat < 1) c.fail("repeat is ", p.repeat, ", expected at least 1");
          const Shape& shape = c.shape(0);
          if (!p.axis || !shape.rank_known())
            c.out(0) = p.axis ? TensorSpec{Shape{kUnknown}, c.in(0).dtype} : c.in(0);
          else
            c.out(0) = {Shape{shape[c.axis(*p.axis, shape)]}, c.in(0).dtype};
        })
        .cpu([](const ArangeLikeParams& p, KernelContext& c) {
          generate(c.out(0), [&](int64_t i) { return p.start + static_cast<double>(i / p.repeat) * p.step; });
        })
        .gradient([](const ArangeLikeParams&, GradContext&) {})
        .grad_uses(false, false);

// What an array looks like, as an array.

const Op& shape_array = define_op("shape_array")
                            .doc("The extents of the input as a vector of int64.")
                            .alias({"_npx_shape_array"})
                            .input("data", "Input array.")
                            .infer([](const NoParams&, InferContext& c) {
                              int rank = c.shape(0).ndim();
                              c.out(0) = {rank < 0 ? Shape{kUnknown} : Shape{rank}, DType::int64};
                            })
                            .cpu([](const NoParams&, KernelContext& c) {
                              const Shape& shape = c.in(0).shape();
                              std::copy(shape.begin(), shape.end(), c.out(0).as<int64_t>());
                            })
                            .gradient([](const NoParams&, GradContext&) {})
                            .grad_uses(false, false)
                            .method();

const Op& size_array = define_op("size_array")
                           .doc("The number of elements of the input, as a vector of one int64.")
                           .input("data", "Input array.")
                           .infer([](const NoParams&, InferContext& c) { c.out(0) = {Shape{1}, DType::int64}; })
                           .cpu([](const NoParams&, KernelContext& c) { *c.out(0).as<int64_t>() = c.in(0).size(); })
                           .gradient([](const NoParams&, GradContext&) {})
                           .grad_uses(false, false)
                           .method();

}  // namespace
}  // namespace mxnet

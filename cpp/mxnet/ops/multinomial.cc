// Random choices: categories, permutations, and unique candidates.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "mxnet/base/philox.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/op/expr.h"
#include "mxnet/ops/simple.h"

namespace mxnet {
namespace {

struct MultinomialParams {
  Shape shape;
  bool get_prob = false;
  DType dtype = DType::int32;
  static constexpr auto fields() {
    using P = MultinomialParams;
    return std::tuple{field("shape", &P::shape, "Shape of the draws for each distribution."),
                      field("get_prob", &P::get_prob, "Also return the logarithms of the probabilities drawn."),
                      field("dtype", &P::dtype, "Element type of the draws.")};
  }
};

void infer_multinomial(const MultinomialParams& p, InferContext& c) {
  const Shape& data = c.shape(0);
  Shape shape = Shape::unknown();
  if (data.rank_known()) {
    if (data.ndim() == 0) c.fail("data has shape (), expected the last axis to hold probabilities");
    shape = data.slice(0, data.ndim() - 1);
    for (int64_t extent : p.shape) shape.push_back(extent);
    if (shape.ndim() == 0) shape.push_back(1);
    if (data.back() == 0 && shape.size() > 0) c.fail("data has shape ", data, ", expected at least one category");
  }
  c.out(0) = {shape, p.dtype};
  if (p.get_prob) c.out(1) = {shape, c.in(0).dtype};
}

void store(const TensorView& out, int64_t i, double value) {
  cast_block(&value, DType::float64, out.as<char>() + i * size_of(out.dtype), out.dtype, 1);
}

// The draws of one distribution: a number below the total falls into one step of the cumulative sum.
void draw_row(const TensorView& data, int64_t row, int64_t begin, int64_t end, KernelContext& c) {
  int64_t k = data.shape().back();
  std::vector<double> p(static_cast<size_t>(k)), cumulative(p.size());
  cast_block(data.as<char>() + row * k * size_of(data.dtype), data.dtype, p.data(), DType::float64, k);
  std::partial_sum(p.begin(), p.end(), cumulative.begin());
  for (int64_t i = begin; i < end; ++i) {
    PhiloxStream bits(c.random_key, c.random_offset + static_cast<uint64_t>(i));
    double u = bits.uniform() * cumulative.back();
    int64_t drawn = std::upper_bound(cumulative.begin(), cumulative.end(), u) - cumulative.begin();
    drawn = std::min(drawn, k - 1);
    store(c.out(0), i, static_cast<double>(drawn));
    if (c.outputs.size() > 1) store(c.out(1), i, std::log(p[static_cast<size_t>(drawn)]));
  }
}

void multinomial_cpu(const MultinomialParams&, KernelContext& c) {
  int64_t total = c.out(0).size();
  if (total == 0) return;
  int64_t rows = c.in(0).size() / c.in(0).shape().back(), per_row = total / rows;
  parallel_for(rows, std::max<int64_t>(1, 1024 / (per_row + c.in(0).shape().back())), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) draw_row(c.in(0), row, row * per_row, (row + 1) * per_row, c);
  });
}

// The logarithm of a drawn probability has slope 1 / p at the category drawn and none elsewhere.
void multinomial_gradient(const MultinomialParams& p, GradContext& g) {
  static const OpRef one_hot("one_hot");
  if (!p.get_prob || !g.has_dout(1)) return;
  const Expr& data = g.in(0);
  int64_t k = data.shape().back(), rows = data.shape().product(0, data.shape().ndim() - 1);
  int64_t per_row = rows ? g.out_shape(0).size() / rows : 0;
  Expr drawn = reshape(g.out(0), Shape{rows, per_row});
  Expr chosen = one_hot({drawn}, {{"depth", k}, {"dtype", data.dtype()}});
  Expr weighted = chosen * reshape(g.dout(1), Shape{rows, per_row, 1});
  // What has probability zero is never drawn: its slope is zero, not 0 / 0.
  g.din(0) = reshape(sum(weighted, std::array{1}, false), data.shape()) / (data + (data == 0.0));
}

const Op& multinomial =
    define_op<MultinomialParams>("_sample_multinomial")
        .doc(
            "Categories drawn with the probabilities along the last axis of `data`, a block of `shape` draws for each "
            "distribution; with get_prob also the logarithms of the probabilities, which carry a gradient.")
        .alias({"sample_multinomial"})
        .input("data", "Probabilities; the last axis sums to one.")
        .outputs_of([](const MultinomialParams& p, int) { return p.get_prob ? 2 : 1; })
        .infer(infer_multinomial)
        .cpu(multinomial_cpu)
        .gradient(multinomial_gradient)
        .heavy()
        .random();

// Fisher and Yates; the rows are then gathered in their new order.
void shuffle_cpu(const NoParams&, KernelContext& c) {
  const TensorView &in = c.in(0), &out = c.out(0);
  if (in.size() == 0) return;
  int64_t rows = in.shape().ndim() ? in.shape()[0] : 1;
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  PhiloxStream bits(c.random_key, c.random_offset);
  for (int64_t i = rows - 1; i > 0; --i) {
    auto j = static_cast<size_t>(static_cast<unsigned __int128>(bits.bits64()) * static_cast<uint64_t>(i + 1) >> 64);
    std::swap(order[static_cast<size_t>(i)], order[j]);
  }
  int64_t row_bytes = in.size() / rows * size_of(in.dtype);
  parallel_for(rows, std::max<int64_t>(1, 65536 / row_bytes), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(out.as<char>() + i * row_bytes, in.as<char>() + order[static_cast<size_t>(i)] * row_bytes,
                  static_cast<size_t>(row_bytes));
  });
}

const Op& shuffle = define_op("_shuffle")
                        .doc("The input with its rows, the entries along the first axis, in random order.")
                        .alias({"shuffle", "_npi_shuffle"})
                        .input("data", "Input array.")
                        .infer(infer_same)
                        .cpu(shuffle_cpu)
                        .random();

struct ZipfianParams {
  int64_t range_max = 0;
  Shape shape;
  static constexpr auto fields() {
    using P = ZipfianParams;
    return std::tuple{field("range_max", &P::range_max, "Number of classes.").required(),
                      field("shape", &P::shape, "Rows and candidates in each.")};
  }
};

void zipfian_cpu(const ZipfianParams& p, KernelContext& c) {
  int64_t rows = c.out(0).shape()[0], wanted = c.out(0).shape()[1];
  double log_range = std::log(static_cast<double>(p.range_max) + 1);
  for (int64_t row = 0; row < rows; ++row) {
    PhiloxStream bits(c.random_key, c.random_offset + static_cast<uint64_t>(row * wanted));
    std::unordered_set<int64_t> seen;
    int64_t tries = 0, *out = c.out(0).as<int64_t>() + row * wanted;
    for (int64_t found = 0; found < wanted; ++tries) {
      int64_t drawn = static_cast<int64_t>(std::exp(bits.uniform() * log_range)) - 1;
      drawn = std::clamp<int64_t>(drawn, 0, p.range_max - 1);
      if (seen.insert(drawn).second) out[found++] = drawn;
    }
    c.out(1).as<int64_t>()[row] = tries;
  }
}

const Op& zipfian = define_op<ZipfianParams>("_sample_unique_zipfian")
                        .doc(
                            "For each row, candidates without repetition from [0, range_max), class k with probability "
                            "log((k + 2) / (k + 1)) / log(range_max + 1), and how many draws that took.")
                        .outputs(2)
                        .infer([](const ZipfianParams& p, InferContext& c) {
                          if (p.shape.ndim() != 2) c.fail("shape is ", p.shape, ", expected two extents");
                          if (p.shape[1] > p.range_max)
                            c.fail("shape is ", p.shape, ", but there are only ", p.range_max, " classes");
                          c.out(0) = {p.shape, DType::int64};
                          c.out(1) = {Shape{p.shape[0]}, DType::int64};
                        })
                        .cpu(zipfian_cpu)
                        .heavy()
                        .random();

}  // namespace
}  // namespace mxnet

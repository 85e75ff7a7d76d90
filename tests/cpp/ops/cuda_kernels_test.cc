#include <doctest/doctest.h>

#include <numeric>
#include <random>

#include "cuda_on_host.h"
// The kernels come after what makes them host code.
#include "mxnet/ops/block_reduce.cuh"
#include "mxnet/ops/gemm_tiles.cuh"
#include "mxnet/ops/softmax_rows.cuh"

using namespace mxnet;
using cuda_on_host::launch;

namespace {

std::vector<float> random_numbers(int64_t n) {
  static std::mt19937 random(7);
  std::vector<float> numbers(static_cast<size_t>(n));
  for (float& x : numbers) x = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 64;
  return numbers;
}

// The index of `position` in row-major order.
std::vector<int64_t> unravel(int64_t position, const Shape& shape) {
  std::vector<int64_t> index(static_cast<size_t>(shape.ndim()));
  for (int i = shape.ndim() - 1; i >= 0; --i) {
    index[static_cast<size_t>(i)] = position % shape[i];
    position /= shape[i];
  }
  return index;
}

int64_t offset_in(const Shape& shape, const std::vector<int64_t>& index, int shift) {
  int64_t at = 0;
  for (int i = 0; i < shape.ndim(); ++i)
    at = at * shape[i] + (shape[i] == 1 ? 0 : index[static_cast<size_t>(i + shift)]);
  return at;
}

// Sum, and how often each element of the input was read.
std::vector<double> sums_of(const std::vector<float>& in, const Shape& shape, AxisSet set) {
  using R = SumOf<float>;
  cuda::ReduceShape s{ReduceLayout(shape, set)};
  std::vector<double> partial(static_cast<size_t>(s.results * s.pieces), -1), out(static_cast<size_t>(s.results), -1);
  auto load = [&](int64_t i) { return in.at(static_cast<size_t>(i)); };
  auto put = [&](int64_t result, int64_t piece, double total) {
    partial.at(static_cast<size_t>(result * s.pieces + piece)) = total;
  };
  auto run = [](const cuda::ReduceShape& shape, auto&& kernel) {
    // Fewer blocks than there is work for, so that they take several turns.
    unsigned blocks = static_cast<unsigned>(std::min<int64_t>(shape.blocks(), 5));
    unsigned width = static_cast<unsigned>(shape.width);
    launch({blocks}, {width, cuda::kReduceThreads / width}, kernel);
  };
  run(s, [&] { cuda::reduce_kernel<R>(s, load, put); });
  cuda::ReduceShape rows(s.results, s.pieces);
  auto load_partial = [&](int64_t i) { return partial.at(static_cast<size_t>(i)); };
  auto put_out = [&](int64_t result, int64_t, double total) { out.at(static_cast<size_t>(result)) = total; };
  run(rows, [&] { cuda::reduce_kernel<cuda::Joined<R>>(rows, load_partial, put_out); });
  return out;
}

void check_sums(const Shape& shape, AxisSet set) {
  std::vector<float> in = random_numbers(shape.size());
  Shape kept = reduced_shape(shape, set, true);
  std::vector<double> expected(static_cast<size_t>(kept.size()));
  for (int64_t i = 0; i < shape.size(); ++i)
    expected[static_cast<size_t>(offset_in(kept, unravel(i, shape), 0))] += in[static_cast<size_t>(i)];
  std::vector<double> got = sums_of(in, shape, set);
  REQUIRE(got.size() == expected.size());
  // The numbers are multiples of 1/64 and small: every order of adding them up is exact.
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == expected[i]);
}

template <class T, class Sum>
void check_product(bool trans_a, bool trans_b, int64_t m, int64_t n, int64_t k) {
  constexpr int64_t kBatch = 2;
  std::vector<T> a(static_cast<size_t>(kBatch * m * k)), b(static_cast<size_t>(k * n)),
      c(static_cast<size_t>(kBatch * m * n));
  std::iota(a.begin(), a.end(), T(1));
  std::iota(b.begin(), b.end(), T(3));
  std::iota(c.begin(), c.end(), T(5));
  Gemm g{trans_a, trans_b, m, n, k, a.data(), 0, b.data(), 0, c.data(), 0, 1, 1, kBatch, m * k, 0, m * n};
  g.set_leading_dimensions();
  std::vector<T> expected = c;
  for (int64_t item = 0; item < kBatch; ++item)
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        Sum sum = 0;
        for (int64_t l = 0; l < k; ++l) {
          T x = a[static_cast<size_t>(item * m * k + (trans_a ? l * m + i : i * k + l))];
          T y = b[static_cast<size_t>(trans_b ? j * k + l : l * n + j)];
          sum += static_cast<Sum>(x) * static_cast<Sum>(y);
        }
        T& z = expected[static_cast<size_t>((item * m + i) * n + j)];
        z = static_cast<T>(sum + static_cast<Sum>(z));
      }
  auto kernel = [&] { cuda::gemm_kernel<T, Sum>(g); };
  launch({3}, {cuda::kTile, cuda::kTile}, kernel);
  CHECK(c == expected);
}

}  // namespace

TEST_CASE("cuda kernels on the host: places of broadcast elements") {
  auto check = [](const Shape& a, const Shape& b) {
    Shape out = broadcast_shape(a, b);
    StridedAxes axes{BroadcastPlan(out, a, b)};
    for (int64_t i = 0; i < out.size(); ++i) {
      std::vector<int64_t> index = unravel(i, out);
      auto narrow = axes.offsets(static_cast<uint32_t>(i));
      auto wide = axes.offsets(static_cast<uint64_t>(i));
      CHECK(narrow.a == offset_in(a, index, out.ndim() - a.ndim()));
      CHECK(narrow.b == offset_in(b, index, out.ndim() - b.ndim()));
      CHECK(wide.a == narrow.a);
      CHECK(wide.b == narrow.b);
    }
  };
  check({2, 3, 4}, {2, 3, 4});
  check({2, 3, 4}, {3, 1});
  check({5, 1, 7, 1}, {3, 1, 6});
  check({}, {2, 2});
  check({1, 4, 1, 3, 1}, {2, 1, 5, 1, 2});
}

TEST_CASE("cuda kernels on the host: reductions") {
  check_sums({7}, 0b1);
  check_sums({3, 5}, 0b01);
  check_sums({3, 5}, 0b10);
  check_sums({3, 5}, 0b00);
  check_sums({40, 300}, 0b10);  // a block for each row
  check_sums({300, 40}, 0b01);  // neighbouring columns, in steps of several rows
  check_sums({70000}, 0b1);     // in pieces
  check_sums({9000, 3}, 0b01);  // in pieces, fewer columns than a block has
  check_sums({4, 3, 5, 6}, 0b1010);
  check_sums({4, 3, 5, 6}, 0b0101);
  check_sums({2, 1, 130, 2, 3}, 0b10101);
}

TEST_CASE("cuda kernels on the host: reductions of nothing and of NaN") {
  CHECK(sums_of({}, {0, 3}, 0b01) == std::vector<double>(3, 0.0));
  using R = MaxOf<float>;
  std::vector<float> in = random_numbers(600);
  in[431] = std::numeric_limits<float>::quiet_NaN();
  cuda::ReduceShape s(2, 300);
  std::vector<float> out(2);
  auto load = [&](int64_t i) { return in.at(static_cast<size_t>(i)); };
  auto put = [&](int64_t result, int64_t, float total) { out.at(static_cast<size_t>(result)) = total; };
  launch({2}, {1, cuda::kReduceThreads}, [&] { cuda::reduce_kernel<R>(s, load, put); });
  CHECK(out[0] == *std::max_element(in.begin(), in.begin() + 300));
  CHECK(out[1] != out[1]);
}

TEST_CASE("cuda kernels on the host: integer products") {
  for (bool trans_a : {false, true})
    for (bool trans_b : {false, true}) {
      check_product<int32_t, uint32_t>(trans_a, trans_b, 33, 18, 20);
      check_product<int8_t, int32_t>(trans_a, trans_b, 5, 40, 3);
      check_product<int64_t, uint64_t>(trans_a, trans_b, 16, 16, 0);
    }
}

namespace {

struct Numbers {
  std::vector<double>& values;
  template <class V>
  V load(int64_t i) const {
    return static_cast<V>(values.at(static_cast<size_t>(i)));
  }
  void store(int64_t i, double value) const { values.at(static_cast<size_t>(i)) = value; }
};

void check_softmax(AxisView v, bool logarithm, bool masked) {
  size_t n = static_cast<size_t>(v.outer * v.count * v.inner);
  std::vector<float> random = random_numbers(static_cast<int64_t>(n));
  std::vector<double> x(random.begin(), random.end()), y(n), dx(n);
  auto length = [&](int64_t row) { return masked ? row % (v.count + 1) : v.count; };
  unsigned width = static_cast<unsigned>(cuda::softmax_width(v));
  cuda_on_host::Index threads{width, cuda::kReduceThreads / width};
  launch({2}, threads, [&] { cuda::softmax_kernel<double>(v, Numbers{x}, Numbers{y}, length, 0.25, logarithm); });
  launch({2}, threads,
         [&] { cuda::softmax_backward_kernel<double>(v, Numbers{x}, Numbers{y}, Numbers{dx}, 0.25, logarithm); });
  for (int64_t row = 0; row < v.outer * v.inner; ++row) {
    auto at = [&](int64_t j) { return static_cast<size_t>((row / v.inner * v.count + j) * v.inner + row % v.inner); };
    double sum = 0, slope = 0;
    for (int64_t j = 0; j < length(row); ++j) sum += std::exp(x[at(j)] * 0.25);
    for (int64_t j = 0; j < v.count; ++j) slope += logarithm ? x[at(j)] : x[at(j)] * y[at(j)];
    for (int64_t j = 0; j < v.count; ++j) {
      double p = std::exp(x[at(j)] * 0.25) / sum;
      double expected = j >= length(row) ? 0 : logarithm ? std::log(p) : p;
      CHECK(y[at(j)] == doctest::Approx(expected));
      double gradient = logarithm ? x[at(j)] - std::exp(y[at(j)]) * slope : y[at(j)] * (x[at(j)] - slope);
      CHECK(dx[at(j)] == doctest::Approx(0.25 * gradient).epsilon(1e-9));
    }
  }
}

}  // namespace

TEST_CASE("cuda kernels on the host: softmax") {
  for (bool logarithm : {false, true}) {
    check_softmax({3, 5, 1}, logarithm, false);
    check_softmax({3, 300, 1}, logarithm, false);
    check_softmax({2, 7, 33}, logarithm, false);
  }
  check_softmax({40, 5, 1}, false, true);
  check_softmax({2, 9, 40}, false, true);
}

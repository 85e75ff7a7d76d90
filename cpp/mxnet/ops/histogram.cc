// Counting values by bin.
#include <algorithm>
#include <cmath>
#include <vector>

#include "mxnet/op/registry.h"

namespace mxnet {
namespace {

struct HistogramParams {
  std::optional<int64_t> bin_cnt;
  std::optional<std::vector<double>> range;

  static constexpr auto fields() {
    using P = HistogramParams;
    return std::tuple{field("bin_cnt", &P::bin_cnt, "Number of bins of equal width; needs `range`."),
                      field("range", &P::range, "Lower end of the first and upper end of the last bin.")};
  }
};

void infer_histogram(const HistogramParams& p, InferContext& c) {
  int64_t bins = 0;
  if (c.has(1)) {
    c.expect_rank(1, 1);
    if (p.bin_cnt) c.fail("got both bins and bin_cnt, expected one of them");
    if (!c.shape(1).known()) return;
    if (c.shape(1)[0] < 2) c.fail("bins has shape ", c.shape(1), ", expected at least 2 edges");
    bins = c.shape(1)[0] - 1;
  } else {
    if (!p.bin_cnt || *p.bin_cnt < 1) c.fail("bin_cnt must be at least 1 where bins is not given");
    if (!p.range || p.range->size() != 2 || !((*p.range)[0] < (*p.range)[1]))
      c.fail("range must hold two increasing numbers where bins is not given");
    bins = *p.bin_cnt;
  }
  c.out(0) = {{bins}, DType::int64};
  c.out(1) = {{bins + 1}, c.has(1) ? c.in(1).dtype : c.in(0).dtype};
}

std::vector<double> edges_of(const HistogramParams& p, const KernelContext& c) {
  std::vector<double> edges(c.out(1).size());
  if (c.has(1)) {
    dispatch_all(c.in(1).dtype, [&]<class T>() {
      std::transform(c.in(1).as<T>(), c.in(1).as<T>() + edges.size(), edges.begin(),
                     [](T x) { return static_cast<double>(x); });
    });
    if (!std::is_sorted(edges.begin(), edges.end())) value_error("_histogram: bins must be in increasing order");
    return edges;
  }
  double low = (*p.range)[0], width = ((*p.range)[1] - low) / static_cast<double>(*p.bin_cnt);
  for (size_t i = 0; i < edges.size(); ++i) edges[i] = low + width * static_cast<double>(i);
  edges.back() = (*p.range)[1];
  return edges;
}

void histogram_cpu(const HistogramParams& p, KernelContext& c) {
  std::vector<double> edges = edges_of(p, c);
  int64_t* counts = c.out(0).as<int64_t>();
  std::fill_n(counts, edges.size() - 1, 0);
  dispatch_all(c.in(0).dtype, [&]<class T>() {
    const T* data = c.in(0).as<T>();
    for (int64_t i = 0; i < c.in(0).size(); ++i) {
      double x = static_cast<double>(data[i]);
      if (!(x >= edges.front() && x <= edges.back())) continue;
      auto above = std::upper_bound(edges.begin(), edges.end(), x) - edges.begin();
      ++counts[std::min<int64_t>(above, static_cast<int64_t>(edges.size()) - 1) - 1];  // the last bin is closed
    }
  });
  dispatch_all(c.out(1).dtype, [&]<class T>() {
    std::transform(edges.begin(), edges.end(), c.out(1).as<T>(), [](double x) { return static_cast<T>(x); });
  });
}

const Op& histogram = define_op<HistogramParams>("_histogram")
                          .doc(
                              "How many elements of `data` fall into each bin, and the edges of the bins; a bin holds "
                              "its lower edge, the "
                              "last one both. Elements outside, and NaN, are not counted.")
                          .input("data", "Values, of any shape.")
                          .optional_input("bins", "Edges of the bins in increasing order.")
                          .outputs(2)
                          .infer(infer_histogram)
                          .cpu(histogram_cpu);

}  // namespace
}  // namespace mxnet

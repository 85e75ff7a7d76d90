// Kernels of Correlation. For each displacement the maps are combined element by element and summed over the
// channels, row after row; patches are sums over squares of that.
#include "mxnet/ops/correlation.h"

#include <vector>

#include "mxnet/base/math.h"
#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

using Geometry = CorrelationGeometry;

// Maps with zeros around them.
template <class C>
class PaddedMaps {
 public:
  PaddedMaps(const Geometry& g, const TensorView& maps, DType dtype) : from_(maps, dtype, true), data_(from_.as<C>()) {
    if (g.pad == 0) return;
    int64_t planes = g.batch * g.channels, size = g.padded_size();
    memory_ = Scratch(planes * size * static_cast<int64_t>(sizeof(C)));
    C* to = memory_.as<C>();
    std::fill_n(to, planes * size, C(0));
    for (int64_t i = 0; i < planes; ++i)
      for (int64_t r = 0; r < g.height; ++r)
        std::copy_n(data_ + (i * g.height + r) * g.width, g.width,
                    to + i * size + (r + g.pad) * g.padded_width + g.pad);
    data_ = to;
  }
  const C* data() const { return data_; }

 private:
  Converted from_;
  Scratch memory_;
  const C* data_;
};

// The part of the first map that patches cover: rows and columns from `margin` on.
struct Covered {
  int64_t rows, columns;
  explicit Covered(const Geometry& g)
      : rows((g.out_height - 1) * g.stride + g.kernel), columns((g.out_width - 1) * g.stride + g.kernel) {}
};

// y (of one image and displacement) from combine(i, j), summed over the channels; i and j are where an element and
// its displaced partner lie in the padded maps of the image.
template <class C, class Combine>
void patch_means(const Geometry& g, int64_t d, const Combine& combine, C* y, std::vector<C>& work) {
  Covered covered(g);
  work.assign(static_cast<size_t>(covered.rows * covered.columns), C(0));
  int64_t shift = g.row_shift(d) * g.padded_width + g.column_shift(d);
  for (int64_t r = 0; r < covered.rows; ++r) {
    C* sums = work.data() + r * covered.columns;
    for (int64_t c = 0; c < g.channels; ++c) {
      int64_t at = c * g.padded_size() + (r + g.margin) * g.padded_width + g.margin;
#pragma omp simd
      for (int64_t k = 0; k < covered.columns; ++k) sums[k] += combine(at + k, at + k + shift);
    }
  }
  C scale = C(1) / static_cast<C>(g.kernel * g.kernel * g.channels);
  for (int64_t i = 0; i < g.out_height; ++i)
    for (int64_t j = 0; j < g.out_width; ++j) {
      C total = 0;
      for (int64_t u = 0; u < g.kernel; ++u)
        for (int64_t v = 0; v < g.kernel; ++v)
          total += work[static_cast<size_t>((i * g.stride + u) * covered.columns + j * g.stride + v)];
      y[i * g.out_width + j] = total * scale;
    }
}

template <class C, class Combine>
void all_patch_means(const Geometry& g, const Combine& combine_image, C* y) {
  int64_t count = g.displacements(), size = g.out_height * g.out_width;
  parallel_for(g.batch * count, std::max<int64_t>(1, 16384 / (g.channels * size)), [&](int64_t begin, int64_t end) {
    std::vector<C> work;
    for (int64_t i = begin; i < end; ++i) patch_means(g, i % count, combine_image(i / count), y + i * size, work);
  });
}

void correlation_cpu(const CorrelationParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Geometry g(p, c.in(0).shape());
  DType dtype = working_type(c.in(0));
  Converted y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    PaddedMaps<C> a(g, c.in(0), dtype), b(g, c.in(1), dtype);
    int64_t image = g.channels * g.padded_size();
    auto pairs = [&](auto combine) {
      all_patch_means<C>(
          g,
          [&, combine](int64_t n) {
            const C *x = a.data() + n * image, *z = b.data() + n * image;
            return [=](int64_t i, int64_t j) { return combine(x[i], z[j]); };
          },
          y.as<C>());
    };
    p.is_multiply ? pairs([](C x, C z) { return x * z; }) : pairs([](C x, C z) { return abs(x - z); });
  });
  y.finish();
}

void signs_cpu(const CorrelationGradParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Geometry g(p, c.in(1).shape());
  DType dtype = working_type(c.in(0));
  Converted y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    PaddedMaps<C> h(g, c.in(0), dtype), a(g, c.in(1), dtype), b(g, c.in(2), dtype);
    int64_t image = g.channels * g.padded_size();
    bool first = p.which == 0;
    all_patch_means<C>(
        g,
        [&](int64_t n) {
          const C *x = a.data() + n * image, *z = b.data() + n * image, *along = h.data() + n * image;
          return
              [=](int64_t i, int64_t j) { return first ? along[i] * sign(x[i] - z[j]) : along[j] * sign(z[j] - x[i]); };
        },
        y.as<C>());
  });
  y.finish();
}

// Gradients of patches given to the elements they cover, for each image and displacement.
template <class C>
void spread_patches(const Geometry& g, const C* dy, C* to) {
  Covered covered(g);
  int64_t size = covered.rows * covered.columns, out = g.out_height * g.out_width;
  C scale = C(1) / static_cast<C>(g.kernel * g.kernel * g.channels);
  parallel_for(g.batch * g.displacements(), std::max<int64_t>(1, 16384 / size), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      C* plane = to + n * size;
      std::fill_n(plane, size, C(0));
      for (int64_t i = 0; i < out; ++i)
        for (int64_t u = 0; u < g.kernel; ++u)
          for (int64_t v = 0; v < g.kernel; ++v)
            plane[(i / g.out_width * g.stride + u) * covered.columns + i % g.out_width * g.stride + v] +=
                dy[n * out + i] * scale;
    }
  });
}

// Adds the gradient of one channel of one map: that of element i or j is `share` times slope(i, j).
template <class C, class Slope>
void add_slopes(const Geometry& g, bool first, const C* shares, const Slope& slope, C* dx) {
  Covered covered(g);
  for (int64_t d = 0; d < g.displacements(); ++d) {
    int64_t shift = g.row_shift(d) * g.padded_width + g.column_shift(d);
    for (int64_t r = 0; r < covered.rows; ++r) {
      const C* share = shares + (d * covered.rows + r) * covered.columns;
      int64_t at = (r + g.margin) * g.padded_width + g.margin;
      C* to = dx + (first ? at : at + shift);
#pragma omp simd
      for (int64_t k = 0; k < covered.columns; ++k) to[k] += share[k] * slope(at + k, at + k + shift);
    }
  }
}

void backward_cpu(const CorrelationGradParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Geometry g(p, c.in(1).shape());
  Covered covered(g);
  DType dtype = working_type(c.in(0));
  Converted dy(c.in(0), dtype, true), dx(c.out(0), dtype, false);
  bool first = p.which == 0;
  dispatch_working(dtype, [&]<class C>() {
    PaddedMaps<C> a(g, c.in(1), dtype), b(g, c.in(2), dtype);
    int64_t image = g.displacements() * covered.rows * covered.columns;
    Scratch shares(g.batch * image * static_cast<int64_t>(sizeof(C)));
    spread_patches(g, dy.as<const C>(), shares.as<C>());
    parallel_for(g.batch * g.channels, std::max<int64_t>(1, 16384 / image), [&](int64_t begin, int64_t end) {
      std::vector<C> padded(static_cast<size_t>(g.padded_size()));
      for (int64_t n = begin; n < end; ++n) {
        const C *x = a.data() + n * g.padded_size(), *z = b.data() + n * g.padded_size();
        const C* share = shares.as<const C>() + n / g.channels * image;
        std::fill(padded.begin(), padded.end(), C(0));
        C* to = padded.data();
        if (p.is_multiply && first)
          add_slopes(g, first, share, [=](int64_t, int64_t j) { return z[j]; }, to);
        else if (p.is_multiply)
          add_slopes(g, first, share, [=](int64_t i, int64_t) { return x[i]; }, to);
        else if (first)
          add_slopes(g, first, share, [=](int64_t i, int64_t j) { return sign(x[i] - z[j]); }, to);
        else
          add_slopes(g, first, share, [=](int64_t i, int64_t j) { return sign(z[j] - x[i]); }, to);
        for (int64_t r = 0; r < g.height; ++r)
          std::copy_n(to + (r + g.pad) * g.padded_width + g.pad, g.width, dx.as<C>() + (n * g.height + r) * g.width);
      }
    });
  });
  dx.finish();
}

const bool registered[] = {cpu_kernel<CorrelationParams>("Correlation", correlation_cpu),
                           cpu_kernel<CorrelationGradParams>("_backward_Correlation", backward_cpu),
                           cpu_kernel<CorrelationGradParams>("_backward_Correlation_signs", signs_cpu)};

}  // namespace
}  // namespace mxnet

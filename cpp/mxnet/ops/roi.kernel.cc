#include "mxnet/ops/roi.h"

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/converted.h"
#include "mxnet/ops/move.h"
#include "mxnet/ops/roi_taps.h"

namespace mxnet {
namespace {

// The image a region lies in; -1 for a region that takes no part.
template <class C>
int64_t image_of(const KernelContext& c, const C* rois, int64_t width, int64_t r, int64_t batch) {
  C image = rois[r * width];
  if (image < 0) return -1;
  if (!(image < static_cast<C>(batch)))
    fail(ErrorKind::index, c.op.name, ": region ", r, " names image ", image, ", the batch has ", batch);
  return static_cast<int64_t>(image);
}

// The rows of `rois`, (image, ..), within bounds that whole numbers can hold; false for NaN and infinities.
template <class C>
bool readable(const C* roi, int64_t width, C* copy) {
  for (int64_t i = 0; i < width; ++i) {
    if (!(std::abs(roi[i]) <= std::numeric_limits<C>::max())) return false;
    copy[i] = std::clamp(roi[i], C(-1e6), C(1e6));
  }
  return true;
}

// ---- Poolings that are linear in the data ----

constexpr int64_t kChannels = 32;  // worked on at once, in registers

// The transpose of columns [first, first + n) of a matrix.
template <class C>
void transpose_columns(const C* from, C* to, int64_t rows, int64_t columns, int64_t first, int64_t n) {
  using E = std::conditional_t<sizeof(C) == 8, uint64_t, uint32_t>;
  detail::transpose_block(reinterpret_cast<const E*>(from + first), columns, reinterpret_cast<E*>(to + first * rows),
                          rows, n, rows);
}
template <class C>
void transpose_plane(const C* from, C* to, int64_t rows, int64_t columns) {
  transpose_columns(from, to, rows, columns, 0, columns);
}
template <class C>
void transpose_planes(const C* from, C* to, int64_t batch, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = 64;
  int64_t blocks = (columns + kBlock - 1) / kBlock, size = rows * columns;
  parallel_for(batch * blocks, 1 + 32768 / (rows * kBlock + 1), [&](int64_t begin, int64_t end) {
    for (int64_t u = begin; u < end; ++u) {
      int64_t at = u / blocks * size, first = u % blocks * kBlock;
      transpose_columns(from + at, to + at, rows, columns, first, std::min(kBlock, columns - first));
    }
  });
}

// How data (batch, channels, height, width) and bins (rois, out, bins) belong together.
struct RoiMap {
  RoiGrid grid;
  int64_t batch, channels, pixels, rois, out, bins, classes = 1;

  bool by_pixel() const { return grid.groups[0] * grid.groups[1] == 1 && classes == 1 && channels >= 8; }
  // The channel of the data that bin b of channel k of the result reads.
  int64_t channel(int64_t k, int64_t b) const {
    int64_t j = b / grid.bins[1] * grid.groups[0] / grid.bins[0], i = b % grid.bins[1] * grid.groups[1] / grid.bins[1];
    return (k * grid.groups[0] + j) * grid.groups[1] + i;
  }
  // Where the taps of that bin are.
  int64_t tap_set(int64_t k, int64_t b) const { return k / (out / classes) * bins + b; }
};

// out[c] += sum over the taps of a bin for `n` channels from c on, pixels being `stride` apart.
template <class C>
void gather_channels(const RoiTaps<C>& taps, int64_t bin, const C* data, int64_t stride, int64_t n, C* out) {
  C sum[kChannels] = {};
  for (int64_t t = taps.begin[bin]; t < taps.begin[bin + 1]; ++t) {
    const C *from = data + taps.pixel[t] * stride, weight = taps.weight[t];
    if (n == kChannels) {
#pragma omp simd
      for (int64_t c = 0; c < kChannels; ++c) sum[c] += weight * from[c];
    } else {
      for (int64_t c = 0; c < n; ++c) sum[c] += weight * from[c];
    }
  }
  std::copy_n(sum, n, out);
}

// A copy of images with the channels of each pixel together, so that one pixel serves many channels at once.
template <class C>
class PixelsFirst {
 public:
  PixelsFirst(const C* data, int64_t batch, int64_t channels, int64_t pixels)
      : size_(channels * pixels), memory_(batch * size_ * static_cast<int64_t>(sizeof(C))) {
    transpose_planes(data, memory_.as<C>(), batch, channels, pixels);
  }
  const C* image(int64_t i) const { return memory_.as<C>() + i * size_; }

 private:
  int64_t size_;
  Scratch memory_;
};

template <class C, class Find>
void pool_by_pixel(const RoiMap& m, const C* data, C* out, const Find& find) {
  PixelsFirst<C> last(data, m.batch, m.channels, m.pixels);
  parallel_for(m.rois, 1, [&](int64_t begin, int64_t end) {
    std::vector<C> tile(m.bins * m.channels);
    for (int64_t r = begin; r < end; ++r) {
      RoiTaps<C> taps = find(r);
      const C* image = last.image(std::max<int64_t>(taps.image, 0));
      for (int64_t b = 0; b < m.bins; ++b)
        for (int64_t c = 0; c < m.channels; c += kChannels)
          gather_channels(taps, b, image + c, m.channels, std::min(kChannels, m.channels - c),
                          tile.data() + b * m.channels + c);
      transpose_plane(tile.data(), out + r * m.bins * m.channels, m.bins, m.channels);
    }
  });
}

template <class C, class Find>
void pool_by_plane(const RoiMap& m, const C* data, C* out, const Find& find) {
  parallel_for(m.rois, 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      RoiTaps<C> taps = find(r);
      const C* image = data + std::max<int64_t>(taps.image, 0) * m.channels * m.pixels;
      C* to = out + r * m.out * m.bins;
      for (int64_t k = 0; k < m.out; ++k)
        for (int64_t b = 0; b < m.bins; ++b, ++to) {
          const C* plane = image + m.channel(k, b) * m.pixels;
          int64_t set = m.tap_set(k, b);
          C sum = 0;
          for (int64_t t = taps.begin[set]; t < taps.begin[set + 1]; ++t) sum += taps.weight[t] * plane[taps.pixel[t]];
          *to = sum;
        }
    }
  });
}

// The transposes: `data` gets what the bins of `some` regions from `first` on give to its pixels. Threads share out
// channels, so that none writes where another does.
template <class C>
void spread_by_pixel(const RoiMap& m, const std::vector<RoiTaps<C>>& some, const C* bins, C* last) {
  parallel_for(m.channels, 16, [&](int64_t begin, int64_t end) {
    int64_t n = end - begin;
    std::vector<C> tile(m.bins * n);
    for (size_t r = 0; r < some.size(); ++r) {
      const RoiTaps<C>& taps = some[r];
      if (taps.image < 0) continue;
      transpose_plane(bins + (static_cast<int64_t>(r) * m.channels + begin) * m.bins, tile.data(), n, m.bins);
      C* image = last + taps.image * m.channels * m.pixels + begin;
      for (int64_t b = 0; b < m.bins; ++b)
        for (int64_t t = taps.begin[b]; t < taps.begin[b + 1]; ++t) {
          C *to = image + taps.pixel[t] * m.channels, weight = taps.weight[t];
          const C* from = tile.data() + b * n;
#pragma omp simd
          for (int64_t c = 0; c < n; ++c) to[c] += weight * from[c];
        }
    }
  });
}

template <class C>
void spread_by_plane(const RoiMap& m, const std::vector<RoiTaps<C>>& some, const C* bins, C* data) {
  parallel_for(m.out, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k)
      for (size_t r = 0; r < some.size(); ++r) {
        const RoiTaps<C>& taps = some[r];
        if (taps.image < 0) continue;
        for (int64_t b = 0; b < m.bins; ++b) {
          C* plane = data + (taps.image * m.channels + m.channel(k, b)) * m.pixels;
          C value = bins[(static_cast<int64_t>(r) * m.out + k) * m.bins + b];
          int64_t set = m.tap_set(k, b);
          for (int64_t t = taps.begin[set]; t < taps.begin[set + 1]; ++t)
            plane[taps.pixel[t]] += taps.weight[t] * value;
        }
      }
  });
}

template <class C, class Find>
void spread(const RoiMap& m, const C* bins, C* data, const Find& find) {
  constexpr int64_t kAtOnce = 256;  // regions whose taps are held
  int64_t size = m.batch * m.channels * m.pixels;
  Scratch memory(m.by_pixel() ? size * static_cast<int64_t>(sizeof(C)) : 0);
  C* to = m.by_pixel() ? memory.as<C>() : data;
  std::fill_n(to, size, C(0));
  for (int64_t first = 0; first < m.rois; first += kAtOnce) {
    std::vector<RoiTaps<C>> some(std::min(kAtOnce, m.rois - first));
    parallel_for(static_cast<int64_t>(some.size()), 4, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) some[r] = find(first + r);
    });
    const C* from = bins + first * m.out * m.bins;
    m.by_pixel() ? spread_by_pixel(m, some, from, to) : spread_by_plane(m, some, from, to);
  }
  if (m.by_pixel()) transpose_planes(to, data, m.batch, m.pixels, m.channels);
}

// `data` and `bins` are shapes.
RoiMap map_of(const RoiGrid& grid, const Shape& data, const Shape& bins) {
  return {grid, data[0], data[1], data[2] * data[3], bins[0], bins[1], bins[2] * bins[3]};
}

// The pooling, or where `transposed`, its transpose: input 0 and the output change places.
template <bool transposed, class P>
void linear_cpu(const P& p, KernelContext& c) {
  const Shape& shape = transposed ? c.out(0).shape() : c.in(0).shape();
  RoiMap m = map_of(grid_of(p), shape, transposed ? c.in(0).shape() : c.out(0).shape());
  Plane plane{shape[2], shape[3]};
  DType wanted = working_type(c.in(0));
  Converted in(c.in(0), wanted, true), rois(c.in(1), wanted, true), out(c.out(0), wanted, false);
  Converted trans(c.has(2) ? c.in(2) : TensorView(), wanted, true);
  constexpr bool deformable = std::is_base_of_v<RoiDeformableParams, P>;
  int64_t shifts = 0;  // of a region
  if constexpr (deformable) {
    if (c.has(2) && !p.no_trans) shifts = c.in(2).shape().product(1, 4), m.classes = c.in(2).shape()[1] / 2;
  }
  dispatch_working(wanted, [&]<class C>() {
    auto find = [&](int64_t r) {
      RoiTaps<C> taps;
      C roi[P::kRoiWidth];
      const C* row = rois.as<C>() + r * P::kRoiWidth;
      taps.image = image_of(c, rois.as<C>(), P::kRoiWidth, r, m.batch);
      if (taps.image >= 0 && m.pixels > 0 && readable(row, P::kRoiWidth, roi)) {
        if constexpr (deformable)
          find_taps(p, roi, shifts ? trans.as<C>() + r * shifts : nullptr, m.classes, plane, taps);
        else
          find_taps(p, roi, plane, taps);
      }
      taps.finish(m.classes * m.bins);
      return taps;
    };
    if constexpr (transposed)
      spread(m, in.as<C>(), out.as<C>(), find);
    else
      m.by_pixel() ? pool_by_pixel(m, in.as<C>(), out.as<C>(), find) : pool_by_plane(m, in.as<C>(), out.as<C>(), find);
  });
  out.finish();
}

void deformable_cpu(const RoiDeformableParams& p, KernelContext& c) { linear_cpu<false>(RoiSlopeParams{p}, c); }

// ---- Maximum ----

// Rows or columns of the bins of one region along an axis.
template <class C>
void max_bounds(C low, C high, int64_t bins, int64_t extent, std::vector<std::pair<int64_t, int64_t>>& bounds) {
  C start = std::round(low), length = std::max(std::round(high) - start + 1, C(1));
  C bin = length / static_cast<C>(bins), most = static_cast<C>(extent);
  bounds.clear();
  for (int64_t i = 0; i < bins; ++i) {
    C begin = std::clamp(std::floor(static_cast<C>(i) * bin) + start, C(0), most);
    C end = std::clamp(std::ceil(static_cast<C>(i + 1) * bin) + start, C(0), most);
    bounds.emplace_back(static_cast<int64_t>(begin), static_cast<int64_t>(end));
  }
}

// For `n` channels from c on: the maxima over a window of pixels and their places, -1 where there are none.
template <class C, class I>
void max_channels(const C* data, int64_t stride, int64_t width, std::pair<int64_t, int64_t> rows,
                  std::pair<int64_t, int64_t> columns, int64_t n, C* out, I* where) {
  if (rows.first >= rows.second || columns.first >= columns.second) {
    std::fill_n(out, n, C(0)), std::fill_n(where, n, I(-1));
    return;
  }
  C most[kChannels];
  I place[kChannels];
  int64_t first = rows.first * width + columns.first;
  std::copy_n(data + first * stride, n, most), std::fill_n(place, n, static_cast<I>(first));
  for (int64_t y = rows.first; y < rows.second; ++y)
    for (int64_t i = y * width + columns.first; i < y * width + columns.second; ++i) {
      const C* from = data + i * stride;
      I own = static_cast<I>(i);
#pragma omp simd
      for (int64_t c = 0; c < n; ++c) {
        bool above = from[c] > most[c];
        most[c] = above ? from[c] : most[c];
        place[c] = above ? own : place[c];
      }
    }
  std::copy_n(most, n, out), std::copy_n(place, n, where);
}

template <class C>
void max_pool_cpu(const RoiPoolingParams& p, KernelContext& c, const C* data, const C* rois, C* out) {
  using I = std::conditional_t<sizeof(C) == 8, int64_t, int32_t>;
  const Shape& shape = c.in(0).shape();
  int64_t channels = shape[1], pixels = shape[2] * shape[3];
  int64_t bins = p.pooled_size[0] * p.pooled_size[1], size = bins * channels;
  auto* place = c.out(1).as<int64_t>();
  PixelsFirst<C> last(data, shape[0], channels, pixels);
  parallel_for(c.in(1).shape()[0], 1, [&](int64_t begin, int64_t end) {
    std::vector<std::pair<int64_t, int64_t>> down, across;
    std::vector<C> tile(size);
    std::vector<I> where(size), turned(size);
    for (int64_t r = begin; r < end; ++r) {
      C roi[5], scale = static_cast<C>(p.spatial_scale);
      int64_t image = image_of(c, rois, 5, r, shape[0]);
      if (image < 0 || !readable(rois + r * 5, 5, roi)) std::fill_n(roi, 5, C(-9e5)), scale = 1, image = 0;  // outside
      max_bounds(roi[2] * scale, roi[4] * scale, p.pooled_size[0], shape[2], down);
      max_bounds(roi[1] * scale, roi[3] * scale, p.pooled_size[1], shape[3], across);
      int64_t at = 0;
      for (auto rows : down)
        for (auto columns : across) {
          for (int64_t k = 0; k < channels; k += kChannels)
            max_channels(last.image(image) + k, channels, shape[3], rows, columns, std::min(kChannels, channels - k),
                         tile.data() + at + k, where.data() + at + k);
          at += channels;
        }
      transpose_plane(tile.data(), out + r * size, bins, channels);
      transpose_plane(where.data(), turned.data(), bins, channels);
      for (int64_t i = 0; i < size; ++i)
        place[r * size + i] = turned[i] < 0 ? -1 : (image * channels + i / bins) * pixels + turned[i];
    }
  });
}

void roi_pooling_cpu(const RoiPoolingParams& p, KernelContext& c) {
  DType wanted = working_type(c.in(0));
  Converted data(c.in(0), wanted, true), rois(c.in(1), wanted, true), out(c.out(0), wanted, false);
  dispatch_working(wanted, [&]<class C>() { max_pool_cpu(p, c, data.as<C>(), rois.as<C>(), out.as<C>()); });
  out.finish();
}

template <class P>
bool linear_kernels(const char* name, const char* backward) {
  return cpu_kernel<P>(name, linear_cpu<false, P>) &&
         cpu_kernel<RoiSpreadParams<P>>(backward, linear_cpu<true, RoiSpreadParams<P>>);
}

const bool registered =
    cpu_kernel<RoiPoolingParams>("ROIPooling", roi_pooling_cpu) &&
    linear_kernels<RoiAlignParams>("_contrib_ROIAlign", "_backward_ROIAlign") &&
    linear_kernels<RoiRotatedAlignParams>("_contrib_RROIAlign", "_backward_RROIAlign") &&
    linear_kernels<RoiSensitiveParams>("_contrib_PSROIPooling", "_backward_PSROIPooling") &&
    linear_kernels<RoiSlopeParams>("_backward_DeformablePSROIPooling_slope", "_backward_DeformablePSROIPooling") &&
    cpu_kernel<RoiDeformableParams>("_contrib_DeformablePSROIPooling", deformable_cpu);

}  // namespace
}  // namespace mxnet

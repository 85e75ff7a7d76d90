// Resampling of images in memory. For *.kernel.cc only.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "mxnet/engine/parallel.h"
#include "mxnet/ndarray/cast.h"
#include "mxnet/ndarray/ndarray.h"
#include "mxnet/ops/resample.h"

namespace mxnet {

// Resamples along the elements of a row, `inner` numbers each.
template <class C>
class RowResampler {
 public:
  RowResampler(const Taps& taps, int64_t inner) : taps_(taps), inner_(inner) {
    // Up to a few taps an output is gathered by index, whole vectors of outputs at a time.
    if (taps.width > kGathered || inner > kFlattened) {
      for (double w : taps.weight) weight_.push_back(static_cast<C>(w));
      return;
    }
    int64_t n = taps.out * inner;
    at_.resize(static_cast<size_t>(n * taps.width));
    weight_.resize(at_.size());
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < taps.width; ++k) {
        size_t o = static_cast<size_t>(i / inner), to = static_cast<size_t>(k * n + i);
        bool there = k < taps.count[o];
        at_[to] = static_cast<int32_t>((taps.first[o] + (there ? k : 0)) * inner + i % inner);
        weight_[to] =
            there ? static_cast<C>(taps.weight[o * static_cast<size_t>(taps.width) + static_cast<size_t>(k)]) : C(0);
      }
  }

  int64_t in_length() const { return taps_.in * inner_; }
  int64_t out_length() const { return taps_.out * inner_; }

  void operator()(const C* x, C* y) const {
    if (at_.empty()) return inner_ == 1 ? sum_windows(x, y) : sum_elements(x, y);
    int64_t n = out_length();
    const int32_t* at = at_.data();
    const C* w = weight_.data();
    if (taps_.width == 1) {
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) y[i] = w[i] * x[at[i]];
    } else {
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) y[i] = w[i] * x[at[i]] + w[n + i] * x[at[n + i]];
    }
    for (int64_t k = 2; k < taps_.width; ++k)
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) y[i] += w[k * n + i] * x[at[k * n + i]];
  }

 private:
  static constexpr int64_t kGathered = 8, kFlattened = 8;

  void sum_windows(const C* x, C* y) const {
    for (int64_t o = 0; o < taps_.out; ++o) {
      const C *w = weight_.data() + o * taps_.width, *from = x + taps_.first[static_cast<size_t>(o)];
      C total = 0;
#pragma omp simd reduction(+ : total)
      for (int64_t k = 0; k < taps_.count[static_cast<size_t>(o)]; ++k) total += w[k] * from[k];
      y[o] = total;
    }
  }
  void sum_elements(const C* x, C* y) const {
    for (int64_t o = 0; o < taps_.out; ++o) {
      const C *w = weight_.data() + o * taps_.width, *from = x + taps_.first[static_cast<size_t>(o)] * inner_;
      C* to = y + o * inner_;
      std::fill_n(to, inner_, C(0));
      for (int64_t k = 0; k < taps_.count[static_cast<size_t>(o)]; ++k, from += inner_)
        for (int64_t c = 0; c < inner_; ++c) to[c] += w[k] * from[c];
    }
  }

  const Taps& taps_;
  int64_t inner_;
  std::vector<int32_t> at_;
  std::vector<C> weight_;
};

// y = the weighted sum of the rows of a window; row(k) points at row k of it.
template <class C, class Row>
void sum_rows(const Taps& taps, int64_t o, int64_t length, const Row& row, C* y) {
  const double* w = taps.weight.data() + o * taps.width;
  int32_t count = taps.count[static_cast<size_t>(o)];
  if (count == 0) return static_cast<void>(std::fill_n(y, length, C(0)));
  const C *a = row(0), *b = count > 1 ? row(1) : a;
  C wa = static_cast<C>(w[0]), wb = count > 1 ? static_cast<C>(w[1]) : C(0);
  if (count == 1 && w[0] == 1)
    std::copy_n(a, length, y);
  else if (count == 1)
    for (int64_t i = 0; i < length; ++i) y[i] = wa * a[i];
  else
    for (int64_t i = 0; i < length; ++i) y[i] = wa * a[i] + wb * b[i];
  int32_t k = 2;
  for (; k + 4 <= count; k += 4) {
    const C *r0 = row(k), *r1 = row(k + 1), *r2 = row(k + 2), *r3 = row(k + 3);
    C w0 = static_cast<C>(w[k]), w1 = static_cast<C>(w[k + 1]), w2 = static_cast<C>(w[k + 2]),
      w3 = static_cast<C>(w[k + 3]);
#pragma omp simd
    for (int64_t i = 0; i < length; ++i) y[i] += (w0 * r0[i] + w1 * r1[i]) + (w2 * r2[i] + w3 * r3[i]);
  }
  for (; k < count; ++k) {
    const C* from = row(k);
    C wk = static_cast<C>(w[k]);
    for (int64_t i = 0; i < length; ++i) y[i] += wk * from[i];
  }
}

// Asks for n elements that are read soon. Several rows read side by side are more than the hardware foresees: it made
// a difference of six times on images beyond the nearer caches.
template <class C>
void fetch(const C* p, int64_t n) {
  for (int64_t i = 0; i < n; i += 64 / static_cast<int64_t>(sizeof(C))) __builtin_prefetch(p + i);
}

// The greatest number of C that is in the range of T, which for wide integers is not their limit.
template <class C, class T>
constexpr C greatest() {
  constexpr T most = std::numeric_limits<T>::max();
  if constexpr (std::numeric_limits<T>::digits > std::numeric_limits<C>::digits)
    return static_cast<C>(most - (most >> std::numeric_limits<C>::digits));
  return static_cast<C>(most);
}

// The rows of an image in the type C they are computed in, whatever the type of the image.
template <class C>
struct ImageRows {
  const void* x;
  void* y;
  DType dtype;
  int64_t in_length, out_length;

  bool converted() const { return dtype != dtype_of<C>; }
  // Input row r where it lies; only for images of C.
  const C* row(int64_t r) const { return static_cast<const C*>(x) + r * in_length; }
  void load(int64_t r, C* to) const {
    cast_block(static_cast<const char*>(x) + r * in_length * size_of(dtype), dtype, to, dtype_of<C>, in_length);
  }
  // Where output row r is computed, and its way to the image. Integers are rounded and kept in range.
  C* place(int64_t r, C* buffer) const { return converted() ? buffer : static_cast<C*>(y) + r * out_length; }
  void store(int64_t r, C* from) const {
    if (!converted()) return;
    if (!is_floating(dtype)) round_elements(from);
    cast_block(from, dtype_of<C>, static_cast<char*>(y) + r * out_length * size_of(dtype), dtype, out_length);
  }

 private:
  void round_elements(C* v) const {
    C low = dispatch_integer(dtype, []<class T>() { return static_cast<C>(std::numeric_limits<T>::lowest()); });
    C high = dispatch_integer(dtype, []<class T>() { return greatest<C, T>(); });
#pragma omp simd
    for (int64_t i = 0; i < out_length; ++i) {
      C rounded = std::floor(v[i] + C(0.5));
      rounded = rounded < low ? low : rounded;
      v[i] = rounded > high ? high : rounded;
    }
  }
};

// Output rows [begin, end) of one image. An image that grows is resampled along its rows first, one that shrinks is
// summed over its rows first. Rows that are not read where they lie are made once and kept while a window needs them.
template <class C>
void resample_rows(const ImageTaps& taps, const RowResampler<C>& along, const ImageRows<C>& image, int64_t begin,
                   int64_t end, std::vector<C>& work) {
  const Taps& rows = taps.rows;
  bool shrinks = rows.out < rows.in, keeps = image.converted() || !shrinks;
  int64_t length = shrinks ? image.in_length : image.out_length;
  work.resize(static_cast<size_t>((keeps ? rows.width : 0) * length + 2 * image.in_length + image.out_length));
  C *sums = work.data(), *loaded = sums + image.in_length, *result = loaded + image.in_length,
    *ring = result + image.out_length;
  int64_t ready = 0;  // rows before this one are in the ring, as far as they are still needed
  auto kept = [&](int64_t row) { return ring + row % rows.width * length; };
  auto make = [&](int64_t row) {
    if (shrinks) return image.load(row, kept(row));
    if (image.converted()) image.load(row, loaded);
    along(image.converted() ? loaded : image.row(row), kept(row));
  };
  for (int64_t o = begin; o < end; ++o) {
    int64_t first = rows.first[static_cast<size_t>(o)], last = first + rows.count[static_cast<size_t>(o)];
    if (!keeps) fetch(image.row(first + rows.width) + 1024, (last - first) * length);
    for (int64_t row = std::max(ready, first); keeps && row < last; ++row) make(row);
    ready = std::max(ready, last);
    C* to = image.place(o, result);
    sum_rows(
        rows, o, length, [&](int64_t k) { return keeps ? kept(first + k) : image.row(first + k); },
        shrinks ? sums : to);
    if (shrinks) along(sums, to);
    image.store(o, to);
  }
}

// `images` of rows of elements of `inner` numbers each, computed in C.
template <class C>
void resample_images(const ImageTaps& taps, int64_t images, int64_t inner, const TensorView& x, const TensorView& y) {
  RowResampler<C> along(taps.columns, inner);
  int64_t rows = taps.rows.out, in = taps.rows.in * along.in_length(), out = rows * along.out_length();
  if (images * out == 0) return;
  // Shares are whole images where there are many of them.
  int64_t share = images >= 16 ? rows : std::max<int64_t>(8, 16384 / std::max<int64_t>(1, along.out_length()));
  int64_t shares = (rows + share - 1) / share, width = size_of(x.dtype);
  int64_t grain = std::max<int64_t>(1, 16384 * shares / (in + out));
  parallel_for(images * shares, grain, [&](int64_t begin, int64_t end) {
    std::vector<C> work;
    for (int64_t i = begin; i < end; ++i) {
      int64_t image = i / shares, first = i % shares * share;
      ImageRows<C> one{x.as<const char>() + image * in * width, y.as<char>() + image * out * width, x.dtype,
                       along.in_length(), along.out_length()};
      resample_rows(taps, along, one, first, std::min(first + share, rows), work);
    }
  });
}

}  // namespace mxnet

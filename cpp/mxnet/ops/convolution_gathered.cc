// Convolution as matrix products: the windows of an image are gathered into a matrix (or its gradient is
// scattered back), one image and one group of channels at a time.
#include <algorithm>
#include <cstring>

#include "mxnet/engine/parallel.h"
#include "mxnet/ops/convolution.h"
#include "mxnet/ops/gemm.h"
#include "mxnet/ops/scratch.h"

namespace mxnet {
namespace {

// Where a tap of the window meets the input along one axis: outputs [first, last) are inside.
struct TapRange {
  int64_t first, last, offset;  // input position = output position * stride + offset
};
TapRange tap_range(const ConvGeometry& g, int axis, int64_t tap) {
  int64_t offset = tap * g.dilate[axis] - g.pad[axis], stride = g.stride[axis];
  int64_t first = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  int64_t room = g.in[axis] - offset;
  int64_t last = room <= 0 ? 0 : (room + stride - 1) / stride;
  last = std::min(last, g.out[axis]);
  return {std::min(first, last), last, offset};
}

// Calls visit(output position, input position, run, stride) for every row of outputs that a tap meets; both
// positions count in whole pixels.
template <class F>
void for_tap(const ConvGeometry& g, int64_t tap, const F& visit) {
  int64_t tap_w = tap % g.kernel[2], tap_h = tap / g.kernel[2] % g.kernel[1], tap_d = tap / (g.kernel[2] * g.kernel[1]);
  TapRange d = tap_range(g, 0, tap_d), h = tap_range(g, 1, tap_h), w = tap_range(g, 2, tap_w);
  if (w.first >= w.last) return;
  for (int64_t i = d.first; i < d.last; ++i)
    for (int64_t j = h.first; j < h.last; ++j) {
      int64_t out_row = (i * g.out[1] + j) * g.out[2];
      int64_t in_row = ((i * g.stride[0] + d.offset) * g.in[1] + j * g.stride[1] + h.offset) * g.in[2];
      visit(out_row + w.first, in_row + w.first * g.stride[2] + w.offset, w.last - w.first, g.stride[2]);
    }
}

// Channels first: row (channel, tap) of the matrix holds what that tap sees at every output position.
template <class T>
void gather_rows(const ConvGeometry& g, const T* x, T* columns) {
  int64_t taps = g.kernel_size(), channels = g.in_channels / g.groups, outs = g.out_size();
  parallel_for(channels * taps, std::max<int64_t>(1, 16384 / outs), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x + row / taps * g.in_size();
      T* to = columns + row * outs;
      std::fill_n(to, outs, T(0));
      for_tap(g, row % taps, [&](int64_t out, int64_t in, int64_t run, int64_t stride) {
        for (int64_t i = 0; i < run; ++i) to[out + i] = from[in + i * stride];
      });
    }
  });
}
template <class T>
void scatter_rows(const ConvGeometry& g, const T* columns, T* x) {
  int64_t taps = g.kernel_size(), channels = g.in_channels / g.groups, outs = g.out_size();
  parallel_for(channels, std::max<int64_t>(1, 16384 / (outs * taps)), [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) {
      T* to = x + channel * g.in_size();
      std::fill_n(to, g.in_size(), T(0));
      for (int64_t tap = 0; tap < taps; ++tap) {
        const T* from = columns + (channel * taps + tap) * outs;
        for_tap(g, tap, [&](int64_t out, int64_t in, int64_t run, int64_t stride) {
          for (int64_t i = 0; i < run; ++i) to[in + i * stride] += from[out + i];
        });
      }
    }
  });
}

// Channels last: row `output position` holds its window, tap by tap, each with the channels of the group.
template <class T>
void gather_pixels(const ConvGeometry& g, const T* x, T* columns) {
  int64_t taps = g.kernel_size(), channels = g.in_channels / g.groups, width = taps * channels;
  std::fill_n(columns, g.out_size() * width, T(0));
  parallel_for(taps, std::max<int64_t>(1, 16384 / (g.out_size() * channels)), [&](int64_t begin, int64_t end) {
    for (int64_t tap = begin; tap < end; ++tap)
      for_tap(g, tap, [&](int64_t out, int64_t in, int64_t run, int64_t stride) {
        for (int64_t i = 0; i < run; ++i)
          std::copy_n(x + (in + i * stride) * g.in_channels, channels, columns + (out + i) * width + tap * channels);
      });
  });
}
template <class T>
void scatter_pixels(const ConvGeometry& g, const T* columns, T* x) {
  int64_t taps = g.kernel_size(), channels = g.in_channels / g.groups, width = taps * channels;
  for (int64_t pixel = 0; pixel < g.in_size(); ++pixel) std::fill_n(x + pixel * g.in_channels, channels, T(0));
  parallel_for(channels, std::max<int64_t>(8, 16384 / (g.out_size() * taps)), [&](int64_t begin, int64_t end) {
    for (int64_t tap = 0; tap < taps; ++tap)
      for_tap(g, tap, [&](int64_t out, int64_t in, int64_t run, int64_t stride) {
        for (int64_t i = 0; i < run; ++i) {
          T* to = x + (in + i * stride) * g.in_channels;
          const T* from = columns + (out + i) * width + tap * channels;
          for (int64_t c = begin; c < end; ++c) to[c] += from[c];
        }
      });
  });
}

bool is_pointwise(const ConvGeometry& g) {
  for (int i = 0; i < 3; ++i)
    if (g.kernel[i] != 1 || g.stride[i] != 1 || g.pad[i] != 0) return false;
  return true;
}

// One image and group of a channels-first convolution.
template <class T>
void image_channels_first(ConvPass pass, const ConvGeometry& g, T* x, T* w, T* y, T* columns, double beta) {
  Gemm m;
  int64_t outs = g.out_size(), depth = g.in_channels / g.groups * g.kernel_size(), filters = g.out_channels / g.groups;
  bool direct = is_pointwise(g);
  T* matrix = direct ? x : columns;
  if (pass != ConvPass::data && !direct) gather_rows(g, x, columns);
  switch (pass) {
    case ConvPass::forward: m.m = filters, m.n = outs, m.k = depth, m.a = w, m.b = matrix, m.c = y; break;
    case ConvPass::data:
      m.m = depth, m.n = outs, m.k = filters, m.a = w, m.trans_a = true, m.b = y, m.c = matrix;
      break;
    case ConvPass::weight:
      m.m = filters, m.n = depth, m.k = outs, m.a = y, m.b = matrix, m.trans_b = true, m.c = w;
      break;
  }
  m.beta = beta;
  gemm(dtype_of<T>, m);
  if (pass == ConvPass::data && !direct) scatter_rows(g, columns, x);
}

// The same with channels last; x and y point at the first channel of the group.
template <class T>
void image_channels_last(ConvPass pass, const ConvGeometry& g, T* x, T* w, T* y, T* columns, double beta) {
  Gemm m;
  int64_t outs = g.out_size(), depth = g.in_channels / g.groups * g.kernel_size(), filters = g.out_channels / g.groups;
  bool direct = is_pointwise(g);
  T* matrix = direct ? x : columns;
  int64_t ld = direct ? g.in_channels : depth;
  if (pass != ConvPass::data && !direct) gather_pixels(g, x, columns);
  switch (pass) {
    case ConvPass::forward:
      m.m = outs, m.n = filters, m.k = depth, m.a = matrix, m.lda = ld, m.b = w, m.trans_b = true, m.c = y,
      m.ldc = g.out_channels;
      break;
    case ConvPass::data:
      m.m = outs, m.n = depth, m.k = filters, m.a = y, m.lda = g.out_channels, m.b = w, m.c = matrix, m.ldc = ld;
      break;
    case ConvPass::weight:
      m.m = filters, m.n = depth, m.k = outs, m.a = y, m.trans_a = true, m.lda = g.out_channels, m.b = matrix,
      m.ldb = ld, m.c = w;
      break;
  }
  m.beta = beta;
  gemm(dtype_of<T>, m);
  if (pass == ConvPass::data && !direct) scatter_pixels(g, columns, x);
}

template <class T>
void fill_bias(const ConvGeometry& g, const T* bias, T* y) {
  int64_t outs = g.out_size();
  if (g.channels_last) {
    for (int64_t i = 0; i < outs; ++i) std::copy_n(bias, g.out_channels, y + i * g.out_channels);
  } else {
    for (int64_t c = 0; c < g.out_channels; ++c) std::fill_n(y + c * outs, outs, bias[c]);
  }
}

template <class T>
void convolve_typed(ConvPass pass, const ConvGeometry& g, const ConvArrays& arrays) {
  int64_t x_image = g.in_channels * g.in_size(), y_image = g.out_channels * g.out_size(),
          w_group = g.w_elements() / g.groups;
  int64_t x_group = g.in_channels / g.groups * (g.channels_last ? 1 : g.in_size());
  int64_t y_group = g.out_channels / g.groups * (g.channels_last ? 1 : g.out_size());
  Scratch columns;
  if (!is_pointwise(g))
    columns = Scratch(g.in_channels / g.groups * g.kernel_size() * g.out_size() * static_cast<int64_t>(sizeof(T)));
  for (int64_t image = 0; image < g.batch; ++image) {
    T* x = static_cast<T*>(arrays.x) + image * x_image;
    T* y = static_cast<T*>(arrays.y) + image * y_image;
    if (arrays.bias) fill_bias(g, static_cast<const T*>(arrays.bias), y);
    double beta = arrays.bias || (pass == ConvPass::weight && image > 0) ? 1 : 0;
    for (int64_t group = 0; group < g.groups; ++group) {
      auto* one = g.channels_last ? image_channels_last<T> : image_channels_first<T>;
      one(pass, g, x + group * x_group, static_cast<T*>(arrays.w) + group * w_group, y + group * y_group,
          columns.as<T>(), beta);
    }
  }
}

}  // namespace

void convolve_gathered(ConvPass pass, const ConvGeometry& g, DType dtype, const ConvArrays& arrays) {
  if (dtype == DType::float32) return convolve_typed<float>(pass, g, arrays);
  if (dtype == DType::float64) return convolve_typed<double>(pass, g, arrays);
  unsupported_dtype(dtype);
}

void gather_windows(const ConvGeometry& g, DType dtype, const void* x, void* columns) {
  dispatch_width(dtype, [&]<class T>() { gather_rows(g, static_cast<const T*>(x), static_cast<T*>(columns)); });
}
void scatter_windows(const ConvGeometry& g, DType dtype, const void* columns, void* x) {
  if (dtype == DType::float32) return scatter_rows(g, static_cast<const float*>(columns), static_cast<float*>(x));
  if (dtype == DType::float64) return scatter_rows(g, static_cast<const double*>(columns), static_cast<double*>(x));
  unsupported_dtype(dtype);
}

}  // namespace mxnet

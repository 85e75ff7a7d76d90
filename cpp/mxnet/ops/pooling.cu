// Pooling on a GPU. Not run on hardware.
#include "mxnet/ops/pooling.h"

#include <limits>

#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/indices.cuh"

namespace mxnet::cuda {
namespace {

// Where the elements of image and channel lie, and which windows see them.
struct Windows {
  PoolGeometry g;

  struct Place {
    int64_t image, channel, pixel;
  };
  // Of element i of an array whose images have `pixels` pixels.
  __device__ Place place(int64_t i, int64_t pixels) const {
    if (g.channels_last) return {i / g.channels / pixels, i % g.channels, i / g.channels % pixels};
    return {i / pixels / g.channels, i / pixels % g.channels, i % pixels};
  }
  __device__ int64_t at(const Place& p, int64_t pixel, int64_t pixels) const {
    if (g.channels_last) return (p.image * pixels + pixel) * g.channels + p.channel;
    return (p.image * g.channels + p.channel) * pixels + pixel;
  }
  // Calls f(place in the input) for the elements of a window, until it says false.
  template <class F>
  __device__ void each_element(const Place& p, const F& f) const {
    auto d = g.range(0, p.pixel / (g.out[1] * g.out[2])), h = g.range(1, p.pixel / g.out[2] % g.out[1]),
         w = g.range(2, p.pixel % g.out[2]);
    for (int64_t z = d.first; z < d.last; ++z)
      for (int64_t y = h.first; y < h.last; ++y)
        for (int64_t x = w.first; x < w.last; ++x)
          if (!f(at(p, (z * g.in[1] + y) * g.in[2] + x, g.in_size()))) return;
  }
  // What the mean of a window divides by.
  __device__ int64_t count(int64_t window) const {
    int64_t n = g.range(0, window / (g.out[1] * g.out[2])).count * g.range(1, window / g.out[2] % g.out[1]).count *
                g.range(2, window % g.out[2]).count;
    return n > 1 ? n : 1;
  }
  // The windows [first, last) that see position q of an axis.
  struct Span {
    int64_t first, last;
  };
  __device__ Span windows_of(int axis, int64_t q) const {
    int64_t reach = q + g.pad[axis] - g.kernel[axis] + g.stride[axis], first = reach > 0 ? reach / g.stride[axis] : 0;
    int64_t last = (q + g.pad[axis]) / g.stride[axis] + 1;
    return {first, last < g.out[axis] ? last : g.out[axis]};
  }
  // Calls f(window) for the windows that see a pixel, in order.
  template <class F>
  __device__ void each_window(int64_t pixel, const F& f) const {
    Span d = windows_of(0, pixel / (g.in[1] * g.in[2])), h = windows_of(1, pixel / g.in[2] % g.in[1]),
         w = windows_of(2, pixel % g.in[2]);
    for (int64_t z = d.first; z < d.last; ++z)
      for (int64_t y = h.first; y < h.last; ++y)
        for (int64_t x = w.first; x < w.last; ++x) f((z * g.out[1] + y) * g.out[2] + x);
  }
};

template <class V>
__device__ V power(V x, int p) {
  return p == 1 ? x : p == 2 ? x * x : x * x * x;
}

template <class V>
void forward(const KernelContext& c, const PoolingParams& p, const Windows& windows) {
  AnyArray x(c.in(0)), y(c.out(0));
  bool max = p.pool_type == PoolType::max, mean = p.pool_type == PoolType::avg;
  int exponent = p.pool_type == PoolType::lp ? *p.p_value : 1;
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    Windows::Place place = windows.place(i, windows.g.out_size());
    V total = max ? std::numeric_limits<V>::lowest() : V(0);
    windows.each_element(place, [&](int64_t at) {
      V value = x.load<V>(at);
      total = max ? (value > total ? value : total) : total + power(value, exponent);
      return true;
    });
    if (mean) total /= static_cast<V>(windows.count(place.pixel));
    y.store(i, exponent == 2 ? V(::sqrt(total)) : exponent == 3 ? V(::cbrt(total)) : total);
  });
}

// Where in the input the maximum of each window lies, its first place; -1 if none is equal to it.
template <class V>
Scratch maxima(const KernelContext& c, const Windows& windows, const TensorView& in, const TensorView& out) {
  Scratch memory(c, std::max<int64_t>(out.size(), 1) * 8);
  AnyArray x(in), y(out);
  int64_t* places = memory.as<int64_t>();
  each(c, out.size(), [=] __device__(int64_t i) {
    V top = y.load<V>(i);
    int64_t found = -1;
    windows.each_element(windows.place(i, windows.g.out_size()), [&](int64_t at) {
      if (x.load<V>(at) == top) found = at;
      return found < 0;
    });
    places[i] = found;
  });
  return memory;
}

// Inputs: the gradient of the maxima, the data and the maxima.
template <class V>
void backward_max(const KernelContext& c, const Windows& windows) {
  Scratch memory = maxima<V>(c, windows, c.in(1), c.in(2));
  const int64_t* places = memory.as<int64_t>();
  AnyArray dy(c.in(0)), dx(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    Windows::Place place = windows.place(i, windows.g.in_size());
    V sum = 0;
    windows.each_window(place.pixel, [&](int64_t window) {
      int64_t at = windows.at(place, window, windows.g.out_size());
      if (places[at] == i) sum += dy.load<V>(at);
    });
    dx.store(i, sum);
  });
}

// Inputs: values like the data, the data and its maxima; takes the values at the maxima.
template <class V>
void gather_maxima(const KernelContext& c, const Windows& windows) {
  Scratch memory = maxima<V>(c, windows, c.in(1), c.in(2));
  const int64_t* places = memory.as<int64_t>();
  AnyArray values(c.in(0)), out(c.out(0));
  each(c, c.out(0).size(),
       [=] __device__(int64_t i) { out.store(i, places[i] < 0 ? V(0) : values.load<V>(places[i])); });
}

template <class V>
void backward_sum(const KernelContext& c, const Windows& windows, bool mean) {
  AnyArray dy(c.in(0)), dx(c.out(0));
  each(c, c.out(0).size(), [=] __device__(int64_t i) {
    Windows::Place place = windows.place(i, windows.g.in_size());
    V sum = 0;
    windows.each_window(place.pixel, [&](int64_t window) {
      V share = dy.load<V>(windows.at(place, window, windows.g.out_size()));
      sum += mean ? share / static_cast<V>(windows.count(window)) : share;
    });
    dx.store(i, sum);
  });
}

template <class F>
void dispatch_floats(DType dtype, const F& f) {
  if (dtype == DType::float64) return f.template operator()<double>();
  f.template operator()<float>();
}

void pooling(const PoolingParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Windows windows{pool_geometry(p, c.in(0).shape(), c.out(0).shape())};
  dispatch_floats(c.in(0).dtype, [&]<class V>() { forward<V>(c, p, windows); });
}
void pooling_backward_max(const PoolingGradParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Windows windows{pool_geometry(p, c.in(1).shape(), c.in(2).shape())};
  dispatch_floats(c.in(1).dtype, [&]<class V>() { backward_max<V>(c, windows); });
}
void pooling_gather(const PoolingParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Windows windows{pool_geometry(p, c.in(1).shape(), c.in(2).shape())};
  dispatch_floats(c.in(1).dtype, [&]<class V>() { gather_maxima<V>(c, windows); });
}
void pooling_backward_sum(const PoolingGradParams& p, KernelContext& c) {
  if (c.out(0).size() == 0) return;
  Windows windows{pool_geometry(p, c.out(0).shape(), c.in(0).shape())};
  dispatch_floats(c.out(0).dtype, [&]<class V>() { backward_sum<V>(c, windows, p.pool_type == PoolType::avg); });
}

const bool registered[] = {kernel<PoolingParams>("Pooling", pooling),
                           kernel<PoolingGradParams>("_backward_Pooling_max", pooling_backward_max),
                           kernel<PoolingParams>("_backward_Pooling_gather", pooling_gather),
                           kernel<PoolingGradParams>("_backward_Pooling_sum", pooling_backward_sum)};

}  // namespace
}  // namespace mxnet::cuda

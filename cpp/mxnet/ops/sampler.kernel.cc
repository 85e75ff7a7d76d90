// Kernels of sampling: the four neighbours of each place and their weights are found once for all channels.
#include "mxnet/ops/sampler.h"

#include <cmath>

#include "mxnet/engine/parallel.h"
#include "mxnet/op/op.h"
#include "mxnet/ops/converted.h"

namespace mxnet {
namespace {

// Weights of the elements below and above a coordinate, and where they are.
template <class C>
struct Pair {
  C weight[2] = {0, 0};
  int32_t at[2] = {0, 0};
};

template <class C>
struct Axis {
  int64_t extent;
  Border border;
  bool normalised;
  int derivative;

  Pair<C> operator()(C coordinate) const {
    C last = static_cast<C>(extent - 1), scale = normalised ? last / C(2) : C(1);
    C at = normalised ? (coordinate + C(1)) * scale : coordinate;
    C lowest = border == Border::zero ? C(-1) : C(0);
    bool seen = (border == Border::zero ? at > lowest : at >= lowest) && at < static_cast<C>(extent);
    if (at != at) return {{at, at}, {0, 0}};
    if (!seen) return {};
    C below = std::floor(at), part = at - below;
    int32_t low = static_cast<int32_t>(below), end = static_cast<int32_t>(extent) - 1;
    Pair<C> p;
    p.weight[0] = derivative ? -scale : C(1) - part;
    p.weight[1] = derivative ? scale : part;
    p.at[0] = std::max(low, 0), p.at[1] = std::min(low + 1, end);
    // Linear: there is no second derivative.
    if (derivative > 1 || (border == Border::zero && low < 0)) p.weight[0] = 0;
    if (derivative > 1 || (border == Border::zero && low == end)) p.weight[1] = 0;
    return p;
  }
};

// For each place of a grid of one image, neighbour k at at[k * places + i] with weight[k * places + i].
template <class C>
struct Neighbours {
  int32_t* at;
  C* weight;
};

template <class C>
class Places {
 public:
  Places(const SamplingParams& p, const Shape& images, const Shape& grid, const C* xy)
      : count_(grid[2] * grid[3]),
        x_{images[3], p.border, p.normalised, p.derivative_x},
        y_{images[2], p.border, p.normalised, p.derivative_y},
        memory_(grid[0] * count_ * 4 * static_cast<int64_t>(sizeof(int32_t) + sizeof(C))),
        weight_(memory_.as<C>()),
        at_(reinterpret_cast<int32_t*>(weight_ + grid[0] * count_ * 4)) {
    constexpr int64_t kTile = 256;
    int64_t tiles = (count_ + kTile - 1) / kTile;
    parallel_for(grid[0] * tiles, 16, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t image = t / tiles, first = t % tiles * kTile;
        find(xy + image * 2 * count_, image, first, std::min(first + kTile, count_));
      }
    });
  }

  Neighbours<C> of(int64_t image) const { return {at_ + image * 4 * count_, weight_ + image * 4 * count_}; }

 private:
  void find(const C* xy, int64_t image, int64_t begin, int64_t end) {
    Neighbours<C> n = of(image);
    int32_t row = static_cast<int32_t>(x_.extent);
    for (int64_t i = begin; i < end; ++i) {
      Pair<C> x = x_(xy[i]), y = y_(xy[count_ + i]);
      for (int k = 0; k < 4; ++k) {
        n.weight[k * count_ + i] = y.weight[k / 2] * x.weight[k % 2];
        n.at[k * count_ + i] = y.at[k / 2] * row + x.at[k % 2];
      }
    }
  }

  int64_t count_;
  Axis<C> x_, y_;
  Scratch memory_;
  C* weight_;
  int32_t* at_;
};

template <class C>
void gather(const Neighbours<C>& n, int64_t places, const C* x, C* y) {
  const int32_t *a = n.at, *b = a + places, *c = b + places, *d = c + places;
  const C *wa = n.weight, *wb = wa + places, *wc = wb + places, *wd = wc + places;
#pragma omp simd
  for (int64_t i = 0; i < places; ++i) y[i] = wa[i] * x[a[i]] + wb[i] * x[b[i]] + wc[i] * x[c[i]] + wd[i] * x[d[i]];
}

template <class C>
void scatter(const Neighbours<C>& n, int64_t places, const C* dy, C* dx) {
  const int32_t *a = n.at, *b = a + places, *c = b + places, *d = c + places;
  const C *wa = n.weight, *wb = wa + places, *wc = wb + places, *wd = wc + places;
  for (int64_t i = 0; i < places; ++i) {
    C g = dy[i];
    dx[a[i]] += wa[i] * g;
    dx[b[i]] += wb[i] * g;
    dx[c[i]] += wc[i] * g;
    dx[d[i]] += wd[i] * g;
  }
}

int64_t plane_grain(int64_t places) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, places)); }

void sample_cpu(const SamplingParams& p, KernelContext& c) {
  const Shape &images = c.in(0).shape(), &grid = c.in(1).shape();
  int64_t channels = images[1], places = grid[2] * grid[3], plane = images[2] * images[3];
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  Converted x(c.in(0), dtype, true), xy(c.in(1), dtype, true), y(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    if (plane == 0) return static_cast<void>(std::fill_n(y.as<C>(), c.out(0).size(), C(0)));
    Places<C> at(p, images, grid, xy.as<const C>());
    parallel_for(images[0] * channels, plane_grain(places), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        gather(at.of(i / channels), places, x.as<const C>() + i * plane, y.as<C>() + i * places);
    });
  });
  y.finish();
}

void sample_data_cpu(const SamplingParams& p, KernelContext& c) {
  const Shape &images = c.out(0).shape(), &grid = c.in(1).shape();
  int64_t channels = images[1], places = grid[2] * grid[3], plane = images[2] * images[3];
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  Converted dy(c.in(0), dtype, true), xy(c.in(1), dtype, true), dx(c.out(0), dtype, false);
  dispatch_working(dtype, [&]<class C>() {
    Places<C> at(p, images, grid, xy.as<const C>());
    parallel_for(images[0] * channels, plane_grain(places), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        C* to = dx.as<C>() + i * plane;
        std::fill_n(to, plane, C(0));
        scatter(at.of(i / channels), places, dy.as<const C>() + i * places, to);
      }
    });
  });
  dx.finish();
}

// Sums over the channels at places [begin, end), for the weights of one derivative each.
template <class C>
void gather_products(const Neighbours<C>& nx, const Neighbours<C>& ny, const Shape& images, int64_t places,
                     int64_t begin, int64_t end, const C* x, const C* dy, C* to) {
  int64_t plane = images[2] * images[3];
  const int32_t *a = nx.at, *b = a + places, *c = b + places, *d = c + places;
  const C *u = nx.weight, *v = ny.weight;
  std::fill(to + begin, to + end, C(0));
  std::fill(to + places + begin, to + places + end, C(0));
  for (int64_t channel = 0; channel < images[1]; ++channel, x += plane, dy += places) {
#pragma omp simd
    for (int64_t i = begin; i < end; ++i) {
      C xa = x[a[i]], xb = x[b[i]], xc = x[c[i]], xd = x[d[i]];
      to[i] += dy[i] * (u[i] * xa + u[places + i] * xb + u[2 * places + i] * xc + u[3 * places + i] * xd);
      to[places + i] += dy[i] * (v[i] * xa + v[places + i] * xb + v[2 * places + i] * xc + v[3 * places + i] * xd);
    }
  }
}

void sample_grid_cpu(const SamplingParams& p, KernelContext& c) {
  const Shape &images = c.in(1).shape(), &grid = c.in(2).shape();
  int64_t places = grid[2] * grid[3], image = images[1] * images[2] * images[3];
  if (c.out(0).size() == 0) return;
  DType dtype = working_type(c.in(0));
  Converted dy(c.in(0), dtype, true), x(c.in(1), dtype, true), xy(c.in(2), dtype, true), to(c.out(0), dtype, false);
  SamplingParams by_x = p, by_y = p;
  ++by_x.derivative_x, ++by_y.derivative_y;
  dispatch_working(dtype, [&]<class C>() {
    if (image == 0) return static_cast<void>(std::fill_n(to.as<C>(), c.out(0).size(), C(0)));
    Places<C> at_x(by_x, images, grid, xy.as<const C>()), at_y(by_y, images, grid, xy.as<const C>());
    constexpr int64_t kTile = 512;
    int64_t tiles = (places + kTile - 1) / kTile;
    parallel_for(images[0] * tiles, std::max<int64_t>(1, 32 / images[1]), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t n = t / tiles, first = t % tiles * kTile;
        gather_products(at_x.of(n), at_y.of(n), images, places, first, std::min(first + kTile, places),
                        x.as<const C>() + n * image, dy.as<const C>() + n * images[1] * places,
                        to.as<C>() + n * 2 * places);
      }
    });
  });
  to.finish();
}

const bool registered[] = {cpu_kernel<SamplingParams>("_backward_sample", sample_cpu),
                           cpu_kernel<SamplingParams>("_backward_sample_data", sample_data_cpu),
                           cpu_kernel<SamplingParams>("_backward_sample_grid", sample_grid_cpu)};

}  // namespace
}  // namespace mxnet

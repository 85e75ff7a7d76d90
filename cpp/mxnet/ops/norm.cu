// Normalisation layers on a GPU. Not run on hardware.
#include "mxnet/ops/norm.h"

#include "mxnet/ops/cuda.cuh"
#include "mxnet/ops/norm_rows.cuh"

namespace mxnet::cuda {
namespace {

template <class F>
void dispatch_working(const TensorView& x, const F& f) {
  if (x.dtype == DType::float64) return f.template operator()<double>();
  f.template operator()<float>();
}

// Blocks of (width, kReduceThreads / width) threads with `width` sums side by side.
struct Grid {
  unsigned blocks;
  dim3 threads;
  Grid(int64_t sums, int width)
      : blocks(static_cast<unsigned>(std::clamp<int64_t>((sums + width - 1) / width, 1, 1 << 20))),
        threads(static_cast<unsigned>(width), static_cast<unsigned>(kReduceThreads / width)) {}
};
int width_of(int64_t inner, int64_t count) { return inner == 1 && count >= 128 ? 1 : 32; }

// ---- LayerNorm, GroupNorm, InstanceNorm. ----

void run_rows(const KernelContext& c, const AxisView& v, int64_t groups, double eps) {
  if (c.in(0).size() == 0) return;
  Grid grid(v.outer * v.inner, width_of(v.inner, v.count));
  dispatch_working(c.in(0), [&]<class V>() {
    RowNorm<AnyArray> n{v, groups, eps, c.in(0), c.in(1), c.in(2), c.out(0), c.out(1), c.out(2)};
    launch(c, grid.blocks, grid.threads, row_norm_kernel<V, AnyArray>, n);
  });
}

void layer_norm(const LayerNormParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  run_rows(c, around(shape, p.axis < 0 ? p.axis + shape.ndim() : p.axis), 0, static_cast<double>(p.eps));
}
void group_norm(const GroupNormParams& p, KernelContext& c) {
  int64_t rows = c.in(0).shape()[0] * p.num_groups;
  run_rows(c, {rows, rows == 0 ? 1 : c.in(0).size() / rows, 1}, p.num_groups, static_cast<double>(p.eps));
}
void instance_norm(const InstanceNormParams& p, KernelContext& c) {
  const Shape& shape = c.in(0).shape();
  int64_t rows = shape[0] * shape[1];
  run_rows(c, {rows, shape.product(2, shape.ndim()), 1}, shape[1], static_cast<double>(p.eps));
}

// Sums over each channel of `v` of dy and of dy (x - mean), which become the gradients of beta and gamma.
template <class V>
void channel_sums(const KernelContext& c, const AxisView& v, ChannelSums<AnyArray> sums) {
  Grid grid(v.count, v.inner == 1 ? 32 : 1);
  launch(c, grid.blocks, grid.threads, channel_sums_kernel<V, AnyArray>, v, sums);
}

void row_norm_backward(const RowNormGradParams& p, KernelContext& c) {
  int64_t rows = p.length == 0 ? 0 : c.in(1).size() / p.length, affine = c.in(2).size();
  if (rows == 0) {
    for (int i : {1, 2}) fill_zero(c, c.out(i).data, affine * size_of(c.out(i).dtype));
    return;
  }
  int64_t groups = p.per_element ? 0 : affine;
  dispatch_working(c.in(1), [&]<class V>() {
    RowNormBackward<AnyArray> n{rows, p.length, groups, c.in(0), c.in(1), c.in(2), c.in(3), c.in(4), c.out(0)};
    Grid grid(rows, width_of(1, p.length));
    launch(c, grid.blocks, grid.threads, row_norm_backward_kernel<V, AnyArray>, n);
    AxisView v = p.per_element ? AxisView{rows, p.length, 1} : AxisView{rows / affine, affine, p.length};
    channel_sums<V>(c, v,
                    {c.in(0), c.in(1), c.in(3), c.in(4), c.out(2), c.out(1),
                     p.per_element ? MomentOf::row : MomentOf::row_and_channel, true});
  });
}

// ---- BatchNorm. ----

AxisView channels_of(int axis, const Shape& shape) { return around(shape, axis < 0 ? axis + shape.ndim() : axis); }

template <class V>
void normalise(const KernelContext& c, const AxisView& v, bool fix_gamma) {
  AnyArray x(c.in(0)), gamma(c.in(1)), beta(c.in(2)), y(c.out(0)), mean(c.out(1)), inverse(c.out(2));
  each(c, c.in(0).size(), [=] __device__(int64_t i) {
    int64_t k = i / v.inner % v.count;
    V scale = inverse.load<V>(k) * (fix_gamma ? V(1) : gamma.load<V>(k));
    y.store(i, (x.load<V>(i) - mean.load<V>(k)) * scale + beta.load<V>(k));
  });
}

// The statistics, which come as mean and variance of the batch: the moving ones move, or take their place.
template <class V>
void finish_statistics(const KernelContext& c, const AxisView& v, bool batch, double momentum, double eps) {
  AnyArray mean(c.out(1)), inverse(c.out(2)), moving_mean(c.in(3)), moving_variance(c.in(4));
  V kept = static_cast<V>(momentum);
  each(c, v.count, [=] __device__(int64_t k) {
    V variance = batch ? inverse.load<V>(k) : moving_variance.load<V>(k);
    if (batch) {
      moving_mean.store(k, moving_mean.load<V>(k) * kept + mean.load<V>(k) * (V(1) - kept));
      moving_variance.store(k, moving_variance.load<V>(k) * kept + variance * (V(1) - kept));
    } else {
      mean.store(k, moving_mean.load<V>(k));
    }
    inverse.store(k, static_cast<V>(1 / ::sqrt(static_cast<double>(variance) + eps)));
  });
}

void batch_norm(const BatchNormParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(0).shape());
  bool batch = c.training && !p.use_global_stats && v.outer * v.inner > 0;
  dispatch_working(c.in(0), [&]<class V>() {
    Grid grid(v.count, v.inner == 1 ? 32 : 1);
    if (batch)
      launch(c, grid.blocks, grid.threads, channel_moments_kernel<V, AnyArray>, v, AnyArray(c.in(0)),
             AnyArray(c.out(1)), AnyArray(c.out(2)));
    finish_statistics<V>(c, v, batch, static_cast<double>(p.momentum), p.eps);
    normalise<V>(c, v, p.fix_gamma);
  });
}

// dx = scale (dy - a - (x - mean) b) with a and b from the sums, which c.out(1) and c.out(2) hold times `inverse`.
template <class V>
void batch_norm_slopes(const KernelContext& c, const AxisView& v, const V* dgamma, bool batch, bool fix_gamma) {
  AnyArray dy(c.in(0)), x(c.in(1)), gamma(c.in(2)), mean(c.in(3)), inverse(c.in(4)), dx(c.out(0)), dbeta(c.out(2));
  V count = static_cast<V>(v.outer * v.inner);
  each(c, c.in(1).size(), [=] __device__(int64_t i) {
    int64_t k = i / v.inner % v.count;
    V inv = inverse.load<V>(k), scale = fix_gamma ? inv : gamma.load<V>(k) * inv, slope = dy.load<V>(i);
    if (batch) slope -= dbeta.load<V>(k) / count + (x.load<V>(i) - mean.load<V>(k)) * (dgamma[k] * inv / count);
    dx.store(i, scale * slope);
  });
}

void batch_norm_backward(const BatchNormGradParams& p, KernelContext& c) {
  AxisView v = channels_of(p.axis, c.in(1).shape());
  dispatch_working(c.in(1), [&]<class V>() {
    Scratch memory(c, std::max<int64_t>(v.count, 1) * static_cast<int64_t>(sizeof(V)));
    TensorView dgamma{memory.data(), c.out(1).extents, std::is_same_v<V, double> ? DType::float64 : DType::float32};
    channel_sums<V>(c, v, {c.in(0), c.in(1), c.in(3), c.in(4), c.out(2), dgamma, MomentOf::channel, false});
    if (p.fix_gamma)
      fill_zero(c, c.out(1).data, c.out(1).size() * size_of(c.out(1).dtype));
    else
      cast(c, dgamma, c.out(1));
    batch_norm_slopes<V>(c, v, memory.as<const V>(), p.batch_stats, p.fix_gamma);
  });
}

const bool registered[] = {kernel<LayerNormParams>("LayerNorm", layer_norm),
                           kernel<GroupNormParams>("GroupNorm", group_norm),
                           kernel<InstanceNormParams>("InstanceNorm", instance_norm),
                           kernel<RowNormGradParams>("_backward_row_norm", row_norm_backward),
                           kernel<BatchNormParams>("BatchNorm", batch_norm),
                           kernel<BatchNormGradParams>("_backward_BatchNorm", batch_norm_backward)};

}  // namespace
}  // namespace mxnet::cuda

#include "mxnet/ops/pooling.h"

#include "mxnet/op/expr.h"
#include "mxnet/op/registry.h"
#include "mxnet/ops/images.h"

namespace mxnet {
namespace {

bool is_channels_last(const PoolingParams& p) { return p.layout && channels_last(*p.layout); }

// The number of spatial axes; raises for parameters that do not fit together.
int check_params(const PoolingParams& p, InferContext& c) {
  int spatial = p.kernel.ndim();
  if (spatial == 0 && p.global_pool) {
    const Shape& data = c.shape(0);
    spatial = p.layout ? spatial_of(*p.layout) : data.rank_known() ? data.ndim() - 2 : -1;
    if (spatial < 0 && !data.rank_known()) return spatial;
  }
  if (spatial < 1 || spatial > 3) c.fail("kernel is ", p.kernel, ", must have 1, 2 or 3 entries");
  if (p.layout && spatial_of(*p.layout) != spatial)
    c.fail("layout has ", spatial_of(*p.layout), " spatial axes, kernel ", p.kernel, " has ", spatial);
  if (p.pool_type == PoolType::lp && (!p.p_value || *p.p_value < 1 || *p.p_value > 3))
    c.fail("pool_type 'lp' needs a p_value of 1, 2 or 3");
  if (p.global_pool) return spatial;
  auto check = [&](const char* name, const Shape& given, int64_t least) {
    if (given.ndim() == 0) return;
    if (given.ndim() != spatial) c.fail(name, " ", given, " must have as many entries as kernel ", p.kernel);
    for (int64_t extent : given.dims())
      if (extent < least) c.fail(name, " is ", given, ", each entry must be at least ", least);
  };
  check("kernel", p.kernel, 1);
  check("stride", p.stride, 1);
  check("pad", p.pad, 0);
  if (p.pooling_convention == PoolingConvention::same &&
      std::any_of(p.pad.begin(), p.pad.end(), [](int64_t d) { return d != 0; }))
    c.fail("pooling_convention 'same' chooses the padding itself; pad must be 0, got ", p.pad);
  return spatial;
}

int64_t pooled_extent(const PoolingParams& p, int axis, int64_t extent, const InferContext& c) {
  if (extent < 0) return kUnknown;
  int64_t stride = p.stride.ndim() ? p.stride[axis] : 1, pad = p.pad.ndim() ? p.pad[axis] : 0;
  if (p.pooling_convention == PoolingConvention::same) return (extent + stride - 1) / stride;
  int64_t room = extent + 2 * pad - p.kernel[axis];
  if (room < 0)
    c.fail("kernel ", p.kernel, " exceeds the padded input, ", extent + 2 * pad, " along spatial axis ", axis);
  return (p.pooling_convention == PoolingConvention::full ? (room + stride - 1) / stride : room / stride) + 1;
}

void infer_pooling(const PoolingParams& p, InferContext& c) {
  c.out(0).dtype = c.in(0).dtype;
  int spatial = check_params(p, c);
  if (!c.shape(0).rank_known()) return;
  c.expect_rank(0, spatial + 2);
  Shape out = c.shape(0);
  int first = is_channels_last(p) ? 1 : 2;
  for (int i = 0; i < spatial; ++i) out[first + i] = p.global_pool ? 1 : pooled_extent(p, i, out[first + i], c);
  c.out(0).shape = out;
}

void infer_backward(const PoolingGradParams& p, InferContext& c) { c.out(0) = {p.shape, c.same_dtype()}; }
void infer_gather(const PoolingParams&, InferContext& c) { c.out(0) = {c.shape(2), c.same_dtype()}; }

const OpRef pooling_op("Pooling");
const OpRef backward_max("_backward_Pooling_max");
const OpRef backward_sum("_backward_Pooling_sum");
const OpRef gather_op("_backward_Pooling_gather");

PoolingGradParams grad_params(const PoolingParams& p, const Shape& shape) { return {p, shape}; }

// An lp pool is y = (sum x^p)^(1/p), so dx = x^(p-1) * (sum over the windows of dy / y^(p-1)).
Expr lp_gradient(const PoolingParams& p, GradContext& g) {
  PoolingGradParams spread = grad_params(p, g.in(0).shape());
  spread.pool_type = PoolType::sum;
  int power = *p.p_value - 1;
  Expr y = g.out(0), dout = g.dout(0);
  if (power == 0) return backward_sum.with({dout}, make_params(spread))[0];
  Expr empty = y == 0.0;
  Expr safe = y + empty;
  Expr scaled = dout * (1.0 - empty) / (power == 1 ? safe : square(safe));
  return backward_sum.with({scaled}, make_params(spread))[0] * (power == 1 ? g.in(0) : square(g.in(0)));
}

void pooling_gradient(const PoolingParams& p, GradContext& g) {
  const Shape& shape = g.in(0).shape();
  switch (p.pool_type) {
    case PoolType::max:
      g.din(0) = backward_max.with({g.dout(0), g.in(0), g.out(0)}, make_params(grad_params(p, shape)))[0];
      break;
    case PoolType::avg:
    case PoolType::sum: g.din(0) = backward_sum.with({g.dout(0)}, make_params(grad_params(p, shape)))[0]; break;
    case PoolType::lp: g.din(0) = lp_gradient(p, g); break;
  }
}

// Spreading a gradient to the maxima is linear in it; its transpose gathers from the same places.
void backward_max_gradient(const PoolingGradParams& p, GradContext& g) {
  if (g.needs(0)) g.din(0) = gather_op.with({g.dout(0), g.in(1), g.in(2)}, make_params(PoolingParams(p)))[0];
}
void gather_gradient(const PoolingParams& p, GradContext& g) {
  if (g.needs(0))
    g.din(0) = backward_max.with({g.dout(0), g.in(1), g.in(2)}, make_params(grad_params(p, g.in(1).shape())))[0];
}
void backward_sum_gradient(const PoolingGradParams& p, GradContext& g) {
  g.din(0) = pooling_op.with({g.dout(0)}, make_params(PoolingParams(p)))[0];
}

const Op& pooling =
    define_op<PoolingParams>("Pooling")
        .doc(
            "Takes the maximum, mean, sum or p-norm of windows over 1, 2 or 3 spatial axes of (N, C, ..) or, by "
            "layout, (N, .., C). "
            "The number of windows is (size + 2 pad - kernel) / stride + 1, rounded as pooling_convention says.")
        .input("data", "Input of rank kernel + 2, of a floating dtype.")
        .alias({"_npx_pooling"})
        .infer(infer_pooling)
        .gradient(pooling_gradient);

const Op& pooling_v1 =
    define_op<PoolingV1Params>("Pooling_v1")
        .doc(
            "Pooling over images (N, C, H, W) as in the first versions: padding counts as zeros in a maximum too, and "
            "a "
            "mean is the sum over the size of the window, also where that ends beyond the padded image.")
        .input("data", "Images (N, C, H, W) of a floating dtype.")
        .infer([](const PoolingV1Params& p, InferContext& c) {
          expect_images(c, 0);
          infer_pooling(p.pooling(), c);
        })
        .compose([](const PoolingV1Params& p, std::span<const Expr> in) {
          PoolingParams q = p.pooling();
          Expr data = in[0];
          if (q.pool_type == PoolType::max && q.pad.ndim() > 0 && !q.global_pool) {
            data =
                apply("Pad", {data},
                      {{"mode", "constant"}, {"pad_width", Shape{0, 0, 0, 0, q.pad[0], q.pad[0], q.pad[1], q.pad[1]}}});
            q.pad = {};
          }
          Expr pooled = pooling_op.with({data}, make_params(q))[0];
          return std::vector{p.is_scaled() ? pooled * (1 / static_cast<double>(p.kernel.size())) : pooled};
        });

const Op& pooling_backward_max =
    define_op<PoolingGradParams>("_backward_Pooling_max")
        .doc("Gradient of maximum pooling: each window's gradient goes to its first maximum.")
        .input("dout", "Gradient of the output.")
        .input("data", "Input of the pooling.")
        .input("out", "Its output.")
        .infer(infer_backward)
        .gradient(backward_max_gradient)
        .grad_uses(true, false);

const Op& pooling_gather =
    define_op<PoolingParams>("_backward_Pooling_gather")
        .doc("For each window the element of `values` at the place of the first maximum of `data`.")
        .input("values", "Array like data.")
        .input("data", "Input of the pooling.")
        .input("out", "Its output.")
        .infer(infer_gather)
        .gradient(gather_gradient)
        .grad_uses(true, false);

const Op& pooling_backward_sum =
    define_op<PoolingGradParams>("_backward_Pooling_sum")
        .doc("Gradient of sum or mean pooling: each window's gradient goes to all its elements.")
        .input("dout", "Gradient of the output.")
        .infer(infer_backward)
        .gradient(backward_sum_gradient)
        .grad_uses(false, false);

}  // namespace

PoolGeometry pool_geometry(const PoolingParams& p, const Shape& in, const Shape& out) {
  PoolGeometry g;
  int spatial = in.ndim() - 2;
  g.channels_last = is_channels_last(p);
  g.include_pad = p.count_include_pad.value_or(true) && p.pooling_convention != PoolingConvention::same;
  g.batch = in[0];
  g.channels = in[g.channels_last ? spatial + 1 : 1];
  for (int i = 0; i < spatial; ++i) {
    int to = 3 - spatial + i, axis = i + (g.channels_last ? 1 : 2);
    g.in[to] = in[axis], g.out[to] = out[axis];
    if (p.global_pool) {
      g.kernel[to] = in[axis];
      continue;
    }
    g.kernel[to] = p.kernel[i];
    if (p.stride.ndim()) g.stride[to] = p.stride[i];
    if (p.pad.ndim()) g.pad[to] = p.pad[i];
    if (p.pooling_convention == PoolingConvention::same)
      g.pad[to] = std::max<int64_t>(0, (g.out[to] - 1) * g.stride[to] + g.kernel[to] - g.in[to]) / 2;
  }
  return g;
}

}  // namespace mxnet

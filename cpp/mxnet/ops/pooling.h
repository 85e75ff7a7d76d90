// Pooling: parameters and geometry.
#pragma once
#include <optional>

#include "mxnet/op/params.h"
#include "mxnet/ops/layout.h"

namespace mxnet {

enum class PoolType { max, avg, sum, lp };
constexpr std::array<std::pair<PoolType, std::string_view>, 4> names_of(PoolType) {
  return {{{PoolType::max, "max"}, {PoolType::avg, "avg"}, {PoolType::sum, "sum"}, {PoolType::lp, "lp"}}};
}
enum class PoolingConvention { valid, full, same };
constexpr std::array<std::pair<PoolingConvention, std::string_view>, 3> names_of(PoolingConvention) {
  return {{{PoolingConvention::valid, "valid"}, {PoolingConvention::full, "full"}, {PoolingConvention::same, "same"}}};
}

struct PoolingParams {
  Shape kernel;
  PoolType pool_type = PoolType::max;
  bool global_pool = false;
  bool cudnn_off = false;
  PoolingConvention pooling_convention = PoolingConvention::valid;
  Shape stride, pad;
  std::optional<int> p_value;
  std::optional<bool> count_include_pad;
  std::optional<Layout> layout;

  // The fields as those of P, which is this struct or one derived from it.
  template <class P>
  static constexpr auto fields_of() {
    using B = PoolingParams;
    auto own = []<class T>(const char* name, T B::* member, const char* doc) { return Field<P, T>{name, member, doc}; };
    return std::tuple{
        own("kernel", &B::kernel, "Extents of the window: (w,), (h, w) or (d, h, w); not needed for global pooling."),
        own("pool_type", &B::pool_type,
            "What is taken of a window: its maximum, mean, sum, or the p-th root of its sum of p-th powers."),
        own("global_pool", &B::global_pool, "The window is the whole image."),
        own("cudnn_off", &B::cudnn_off, "Do not use cuDNN on a gpu."),
        own("pooling_convention", &B::pooling_convention,
            "How the number of windows is rounded: down (valid), up (full), or ceil(size / stride) (same)."),
        own("stride", &B::stride, "Step of the window; 1 if not given."),
        own("pad", &B::pad, "Elements added at both ends of each spatial axis; 0 if not given."),
        own("p_value", &B::p_value, "p of 'lp' pooling: 1, 2 or 3."),
        own("count_include_pad", &B::count_include_pad, "Whether a mean counts padding; yes if not given."),
        own("layout", &B::layout, "Order of the axes; channels first if not given.")};
  }
  static constexpr auto fields() { return fields_of<PoolingParams>(); }
};

// Pooling as it was in the first versions.
struct PoolingV1Params {
  enum class Type { max, avg, sum };
  friend constexpr std::array<std::pair<Type, std::string_view>, 3> names_of(Type) {
    return {{{Type::max, "max"}, {Type::avg, "avg"}, {Type::sum, "sum"}}};
  }
  enum class Convention { valid, full };
  friend constexpr std::array<std::pair<Convention, std::string_view>, 2> names_of(Convention) {
    return {{{Convention::valid, "valid"}, {Convention::full, "full"}}};
  }
  Shape kernel;
  Type pool_type = Type::max;
  bool global_pool = false;
  Convention pooling_convention = Convention::valid;
  Shape stride, pad;

  static constexpr auto fields() {
    using P = PoolingV1Params;
    return std::tuple{
        field("kernel", &P::kernel, "Extents (h, w) of the window; not needed for global pooling."),
        field("pool_type", &P::pool_type, "What is taken of a window: its maximum, mean or sum."),
        field("global_pool", &P::global_pool, "The window is the whole image."),
        field("pooling_convention", &P::pooling_convention, "How the number of windows is rounded: down, or up."),
        field("stride", &P::stride, "Step of the window; 1 if not given."),
        field("pad", &P::pad, "Elements added at both ends of each spatial axis; 0 if not given.")};
  }
  // Means are divided by the size of the window, wherever it ends: they are taken of sums.
  bool is_scaled() const { return pool_type == Type::avg && !global_pool; }
  PoolingParams pooling() const {
    PoolingParams p;
    p.kernel = kernel, p.global_pool = global_pool, p.stride = stride, p.pad = pad;
    p.pool_type = is_scaled() ? PoolType::sum : static_cast<PoolType>(pool_type);
    p.pooling_convention = static_cast<PoolingConvention>(pooling_convention);
    return p;
  }
};

// Of the gradient operators; `shape` is that of the array they compute.
struct PoolingGradParams : PoolingParams {
  Shape shape;

  static constexpr auto fields() {
    return std::tuple_cat(fields_of<PoolingGradParams>(),
                          std::tuple{field("shape", &PoolingGradParams::shape, "Shape of the result.").required()});
  }
};

// The windows of a pooling over three spatial axes; missing leading ones have extent 1.
struct PoolGeometry {
  int64_t batch = 0, channels = 0;
  bool channels_last = false, include_pad = true;
  std::array<int64_t, 3> in{1, 1, 1}, out{1, 1, 1}, kernel{1, 1, 1}, stride{1, 1, 1}, pad{0, 0, 0};

  MX_HD int64_t in_size() const { return in[0] * in[1] * in[2]; }
  MX_HD int64_t out_size() const { return out[0] * out[1] * out[2]; }
  // The part of window o that lies inside the input, and what a mean divides by along this axis.
  struct Range {
    int64_t first, last, count;
  };
  MX_HD Range range(int axis, int64_t o) const {
    int64_t first = o * stride[axis] - pad[axis];
    int64_t last = std::min(first + kernel[axis], in[axis] + pad[axis]);
    int64_t clipped_first = std::max<int64_t>(first, 0),
            clipped_last = std::max(clipped_first, std::min(last, in[axis]));
    return {clipped_first, clipped_last,
            std::max<int64_t>(0, include_pad ? last - first : clipped_last - clipped_first)};
  }
};

// The geometry between an input and the output that inference gave it.
PoolGeometry pool_geometry(const PoolingParams& p, const Shape& in, const Shape& out);

}  // namespace mxnet

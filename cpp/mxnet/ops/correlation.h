// Correlation of patches of two feature maps: parameters and geometry.
#pragma once
#include "mxnet/base/shape.h"
#include "mxnet/op/params.h"

namespace mxnet {

struct CorrelationParams {
  int64_t kernel_size = 1, max_displacement = 1, stride1 = 1, stride2 = 1, pad_size = 0;
  bool is_multiply = true;

  // The fields as those of P, which is this struct or one derived from it.
  template <class P>
  static constexpr auto fields_of() {
    using B = CorrelationParams;
    auto own = []<class T>(const char* name, T B::* member, const char* doc) { return Field<P, T>{name, member, doc}; };
    return std::tuple{own("kernel_size", &B::kernel_size, "Side of a patch, odd."),
                      own("max_displacement", &B::max_displacement, "Greatest displacement along an axis."),
                      own("stride1", &B::stride1, "Step between patches of the first map."),
                      own("stride2", &B::stride2, "Step between displacements."),
                      own("pad_size", &B::pad_size, "Zeros added at all edges of both maps."),
                      own("is_multiply", &B::is_multiply,
                          "Whether elements are multiplied; else it is the absolute "
                          "value of their difference that is averaged.")};
  }
  static constexpr auto fields() { return fields_of<CorrelationParams>(); }
};

// Of the operators for gradients: `which` of the two maps, 0 or 1, the gradient is of or goes to.
struct CorrelationGradParams : CorrelationParams {
  int which = 0;
  static constexpr auto fields() {
    using P = CorrelationGradParams;
    return std::tuple_cat(fields_of<P>(), std::tuple{field("which", &P::which, "First or second map: 0 or 1.")});
  }
};

// Patch (i, j) of the first map begins at (i, j) * stride1 + max_displacement of the padded map, and that of the
// second map a displacement further.
struct CorrelationGeometry {
  int64_t batch, channels, height, width, pad;  // of the maps
  int64_t kernel, margin, stride, reach, step;
  int64_t padded_height, padded_width, out_height, out_width;

  CorrelationGeometry(const CorrelationParams& p, const Shape& map)
      : batch(map[0]),
        channels(map[1]),
        height(map[2]),
        width(map[3]),
        pad(p.pad_size),
        kernel(p.kernel_size),
        margin(p.max_displacement),
        stride(p.stride1),
        reach(p.max_displacement / p.stride2),
        step(p.stride2),
        padded_height(height + 2 * pad),
        padded_width(width + 2 * pad),
        out_height(patches(padded_height)),
        out_width(patches(padded_width)) {}

  int64_t side() const { return 2 * reach + 1; }
  int64_t displacements() const { return side() * side(); }
  int64_t row_shift(int64_t d) const { return (d / side() - reach) * step; }
  int64_t column_shift(int64_t d) const { return (d % side() - reach) * step; }
  int64_t padded_size() const { return padded_height * padded_width; }

 private:
  int64_t patches(int64_t extent) const {
    int64_t room = extent - 2 * (margin + kernel / 2);
    return room <= 0 ? 0 : (room + stride - 1) / stride;
  }
};

}  // namespace mxnet

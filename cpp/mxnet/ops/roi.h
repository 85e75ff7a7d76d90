// Pooling over regions of interest: each of a list of boxes of some images becomes a small grid of bins.
#pragma once
#include "mxnet/ops/box.h"

namespace mxnet {

// The fields of a base as those of a struct derived from it.
template <class P, class B>
constexpr auto inherited_fields() {
  auto own = []<class T>(const Field<B, T>& f) { return Field<P, T>{f.name, f.member, f.doc, f.is_required}; };
  return std::apply([own](const auto&... f) { return std::tuple{own(f)...}; }, B::fields());
}

struct RoiPoolingParams {
  Shape pooled_size;
  float spatial_scale = 1;

  static constexpr auto fields() {
    using P = RoiPoolingParams;
    return std::tuple{
        field("pooled_size", &P::pooled_size, "Number of bins (height, width).").required(),
        field("spatial_scale", &P::spatial_scale, "What corners are multiplied by to get places in the data.")
            .required()};
  }
};

struct RoiAlignParams {
  static constexpr int kRoiWidth = 5;
  Shape pooled_size;
  float spatial_scale = 1;
  int sample_ratio = -1;
  bool position_sensitive = false, aligned = false;

  static constexpr auto fields() {
    using P = RoiAlignParams;
    return std::tuple{
        field("pooled_size", &P::pooled_size, "Number of bins (height, width).").required(),
        field("spatial_scale", &P::spatial_scale, "What corners are multiplied by to get places in the data.")
            .required(),
        field("sample_ratio", &P::sample_ratio,
              "Points per bin along each axis; unless positive, one for each pixel of a bin."),
        field("position_sensitive", &P::position_sensitive, "Whether each bin has channels of its own."),
        field("aligned", &P::aligned, "Shift by half a pixel, and let regions be smaller than one.")};
  }
};

struct RoiRotatedAlignParams {
  static constexpr int kRoiWidth = 6;
  Shape pooled_size;
  float spatial_scale = 1;
  int sampling_ratio = -1;

  static constexpr auto fields() {
    using P = RoiRotatedAlignParams;
    return std::tuple{field("pooled_size", &P::pooled_size, "Number of bins (height, width).").required(),
                      field("spatial_scale", &P::spatial_scale, "What centres and sizes are multiplied by.").required(),
                      field("sampling_ratio", &P::sampling_ratio,
                            "Points per bin along each axis; unless positive, one for each pixel of a bin.")};
  }
};

struct RoiSensitiveParams {
  static constexpr int kRoiWidth = 5;
  float spatial_scale = 1;
  int output_dim = 0, pooled_size = 0, group_size = 0;

  int group() const { return group_size > 0 ? group_size : pooled_size; }

  static constexpr auto fields() {
    using P = RoiSensitiveParams;
    return std::tuple{
        field("spatial_scale", &P::spatial_scale, "What corners are multiplied by to get places in the data.")
            .required(),
        field("output_dim", &P::output_dim, "Channels of the result.").required(),
        field("pooled_size", &P::pooled_size, "Bins along each axis.").required(),
        field("group_size", &P::group_size, "Groups of channels along each axis; 0 for pooled_size.")};
  }
};

struct RoiDeformableParams {
  static constexpr int kRoiWidth = 5;
  float spatial_scale = 1;
  int output_dim = 0, group_size = 0, pooled_size = 0, part_size = 0, sample_per_part = 1;
  float trans_std = 0;
  bool no_trans = false;

  int group() const { return group_size; }
  int parts() const { return part_size > 0 ? part_size : pooled_size; }
  int part_of(int bin) const { return static_cast<int>(int64_t{bin} * parts() / pooled_size); }

  static constexpr auto fields() {
    using P = RoiDeformableParams;
    return std::tuple{
        field("spatial_scale", &P::spatial_scale, "What corners are multiplied by to get places in the data.")
            .required(),
        field("output_dim", &P::output_dim, "Channels of the result.").required(),
        field("group_size", &P::group_size, "Groups of channels along each axis.").required(),
        field("pooled_size", &P::pooled_size, "Bins along each axis.").required(),
        field("part_size", &P::part_size, "Extent of `trans` along each axis; 0 for pooled_size."),
        field("sample_per_part", &P::sample_per_part, "Points per bin along each axis."),
        field("trans_std", &P::trans_std, "What `trans` is multiplied by, in sizes of the region."),
        field("no_trans", &P::no_trans, "Whether to leave the bins where they are.")};
  }
};

// A derivative of the pooling by where its bins lie, (0 or 1) times along x and along y.
struct RoiSlopeParams : RoiDeformableParams {
  int along_x = 0, along_y = 0;

  static constexpr auto fields() {
    using P = RoiSlopeParams;
    return std::tuple_cat(inherited_fields<P, RoiDeformableParams>(),
                          std::tuple{field("along_x", &P::along_x, "How often to differentiate by the offset in x."),
                                     field("along_y", &P::along_y, "How often to differentiate by the offset in y.")});
  }
};

// The transpose of a pooling: bins to an array of the shape of the data.
template <class P>
struct RoiSpreadParams : P {
  Shape shape;

  static constexpr auto fields() {
    return std::tuple_cat(inherited_fields<RoiSpreadParams, P>(),
                          std::tuple{field("shape", &RoiSpreadParams::shape, "Shape of the data.").required()});
  }
};

// Bins of the result, and groups of channels of the data, (height, width).
struct RoiGrid {
  int64_t bins[2], groups[2];
};
inline RoiGrid grid_of(const RoiAlignParams& p) {
  int64_t h = p.pooled_size[0], w = p.pooled_size[1];
  return {{h, w}, {p.position_sensitive ? h : 1, p.position_sensitive ? w : 1}};
}
inline RoiGrid grid_of(const RoiRotatedAlignParams& p) { return {{p.pooled_size[0], p.pooled_size[1]}, {1, 1}}; }
inline RoiGrid grid_of(const RoiSensitiveParams& p) { return {{p.pooled_size, p.pooled_size}, {p.group(), p.group()}}; }
inline RoiGrid grid_of(const RoiDeformableParams& p) {
  return {{p.pooled_size, p.pooled_size}, {p.group(), p.group()}};
}

}  // namespace mxnet

// Deformable convolution: parameters.
#pragma once
#include <optional>

#include "mxnet/op/params.h"
#include "mxnet/ops/layout.h"

namespace mxnet {

// Of both operators, whose fields differ by one.
struct DeformableParams {
  Shape kernel, stride, dilate, pad;
  int64_t num_filter = 0;
  int64_t num_group = 1;
  int64_t num_deformable_group = 1;
  int64_t workspace = 1024;
  bool no_bias = false;
  int64_t im2col_step = 64;
  std::optional<Layout> layout;

  template <class P>
  static constexpr auto common() {
    using B = DeformableParams;
    auto own = []<class T>(const char* name, T B::* member, const char* doc) { return Field<P, T>{name, member, doc}; };
    return std::tuple{own("kernel", &B::kernel, "Extents (h, w) of the window.").required(),
                      own("stride", &B::stride, "Step of the window; 1 if not given."),
                      own("dilate", &B::dilate, "Distance between the taps of the window; 1 if not given."),
                      own("pad", &B::pad, "Elements added at both ends of each spatial axis; 0 if not given."),
                      own("num_filter", &B::num_filter, "Number of output channels.").required(),
                      own("num_group", &B::num_group, "Number of groups the channels are split into."),
                      own("num_deformable_group", &B::num_deformable_group,
                          "Number of groups of channels, each with offsets of its own."),
                      own("workspace", &B::workspace, "Accepted and ignored; memory is taken as needed."),
                      own("no_bias", &B::no_bias, "Leave the bias out.")};
  }
  template <class P>
  static constexpr auto layout_field() {
    return Field<P, std::optional<Layout>>{"layout", &DeformableParams::layout, "Order of the axes: 'NCHW' or None."};
  }
};

struct DeformableConvolutionParams : DeformableParams {
  static constexpr auto fields() {
    using P = DeformableConvolutionParams;
    return std::tuple_cat(common<P>(), std::tuple{layout_field<P>()});
  }
};

struct ModulatedDeformableParams : DeformableParams {
  static constexpr auto fields() {
    using P = ModulatedDeformableParams;
    return std::tuple_cat(common<P>(),
                          std::tuple{Field<P, int64_t>{"im2col_step", &DeformableParams::im2col_step,
                                                       "Accepted and ignored: how many images to work on at a time."},
                                     layout_field<P>()});
  }
};

struct DeformableGridParams {
  Shape kernel, stride, dilate, pad;
  int64_t groups = 1;

  static constexpr auto fields() {
    using P = DeformableGridParams;
    return std::tuple{field("kernel", &P::kernel, "Extents (h, w) of the window.").required(),
                      field("stride", &P::stride, "Step of the window.").required(),
                      field("dilate", &P::dilate, "Distance between the taps.").required(),
                      field("pad", &P::pad, "Elements added at both ends.").required(),
                      field("groups", &P::groups, "Number of groups with offsets of their own.").required()};
  }
};

}  // namespace mxnet

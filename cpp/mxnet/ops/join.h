// Parameters of the operators that put arrays together, take them apart, or add a border.
#pragma once
#include "mxnet/ops/shape.h"

namespace mxnet {

struct ConcatParams {
  int num_args = 0;
  int dim = 1;

  static constexpr auto fields() {
    using P = ConcatParams;
    return std::tuple{field("num_args", &P::num_args, "Number of arrays.").required(),
                      field("dim", &P::dim, "Axis to join along.")};
  }
};

struct StackParams {
  int axis = 0;
  int num_args = 0;

  static constexpr auto fields() {
    using P = StackParams;
    return std::tuple{field("axis", &P::axis, "Where the new axis goes."),
                      field("num_args", &P::num_args, "Number of arrays.").required()};
  }
};

struct SliceChannelParams {
  int num_outputs = 1;
  int axis = 1;
  bool squeeze_axis = false;

  static constexpr auto fields() {
    using P = SliceChannelParams;
    return std::tuple{field("num_outputs", &P::num_outputs, "Number of equal parts.").required(),
                      field("axis", &P::axis, "Axis to split."),
                      field("squeeze_axis", &P::squeeze_axis,
                            "Take the axis out, which must have as many positions as there are parts.")};
  }
};

struct SplitParams {
  Shape indices;
  int axis = 1;
  bool squeeze_axis = false;
  int sections = 0;

  static constexpr auto fields() {
    using P = SplitParams;
    return std::tuple{
        field("indices", &P::indices, "Where each part begins; the first is 0. Not used with sections.").required(),
        field("axis", &P::axis, "Axis to split."),
        field("squeeze_axis", &P::squeeze_axis, "Take the axis out, of which each part must have one position."),
        field("sections", &P::sections,
              "Number of parts of equal size, the first ones larger by one if need be; 0 for indices.")};
  }
};

enum class PadMode { constant, edge, reflect };
constexpr std::array<std::pair<PadMode, std::string_view>, 3> names_of(PadMode) {
  return {{{PadMode::constant, "constant"}, {PadMode::edge, "edge"}, {PadMode::reflect, "reflect"}}};
}

struct PadParams {
  PadMode mode = PadMode::constant;
  Shape pad_width;
  double constant_value = 0;

  static constexpr auto fields() {
    using P = PadParams;
    return std::tuple{
        field("mode", &P::mode, "What the border holds: a number, the nearest element, or the mirrored array.")
            .required(),
        field("pad_width", &P::pad_width, "Width of the border before and after each axis: (before_0, after_0, ...).")
            .required(),
        field("constant_value", &P::constant_value, "The number of mode constant.")};
  }
};

// Where each part of a split begins, and the extent of the axis at the end.
std::vector<int64_t> split_bounds(const char* op, const SplitParams& p, int64_t extent);

// The element of an axis of `extent` that a padded position shows.
inline int64_t padded_source(PadMode mode, int64_t i, int64_t extent) {
  if (mode == PadMode::edge || extent == 1) return std::clamp<int64_t>(i, 0, extent - 1);
  int64_t period = 2 * (extent - 1), k = ((i % period) + period) % period;
  return k < extent ? k : period - k;
}

}  // namespace mxnet

// Parameters of the operators that rearrange elements, and what inference and kernels both work out from them.
#pragma once
#include "mxnet/ops/axes.h"

namespace mxnet {

// ---- The same elements under another shape. ----

struct ReshapeParams {
  Shape shape;
  bool reverse = false;
  Shape target_shape;
  bool keep_highest = false;

  static constexpr auto fields() {
    using P = ReshapeParams;
    return std::tuple{
        field("shape", &P::shape,
              "New shape: 0 keeps an extent, -1 takes what is left over, -2 keeps all remaining extents, -3 multiplies "
              "two, "
              "-4 splits one into the two extents that follow; backwards it stands behind them."),
        field("reverse", &P::reverse, "Read the shape and match the extents from the last to the first."),
        field("target_shape", &P::target_shape, "Older form of `shape`, in which 0 takes what is left over."),
        field("keep_highest", &P::keep_highest, "With target_shape: keep the first extent of the data.")};
  }
};

struct ShapeParams {
  Shape shape;

  static constexpr auto fields() { return std::tuple{field("shape", &ShapeParams::shape, "Shape of the result.")}; }
};

struct ExpandDimsParams {
  int axis = 0;

  static constexpr auto fields() {
    return std::tuple{
        field("axis", &ExpandDimsParams::axis, "Where the new axis goes; negative counts from the end.").required()};
  }
};

struct SqueezeParams {
  Axes axis;

  static constexpr auto fields() {
    return std::tuple{field("axis", &SqueezeParams::axis, "Axes of extent 1 to take out; None for all of them.")};
  }
};

struct ReshapeLikeParams {
  std::optional<int> lhs_begin, lhs_end, rhs_begin, rhs_end;

  static constexpr auto fields() {
    using P = ReshapeLikeParams;
    return std::tuple{field("lhs_begin", &P::lhs_begin, "First axis of lhs to replace; 0 if None."),
                      field("lhs_end", &P::lhs_end, "Axis of lhs to stop before; all if None."),
                      field("rhs_begin", &P::rhs_begin, "First axis of rhs to take; 0 if None."),
                      field("rhs_end", &P::rhs_end, "Axis of rhs to stop before; all if None.")};
  }
};

// ---- Axes in another order. ----

struct TransposeParams {
  Shape axes;

  static constexpr auto fields() {
    return std::tuple{
        field("axes", &TransposeParams::axes, "Axis of the data for each axis of the result; () reverses them.")};
  }
};

struct SwapAxisParams {
  int dim1 = 0;
  int dim2 = 0;

  static constexpr auto fields() {
    using P = SwapAxisParams;
    return std::tuple{field("dim1", &P::dim1, "First axis."), field("dim2", &P::dim2, "Second axis.")};
  }
};

struct BlockParams {
  int block_size = 1;

  static constexpr auto fields() {
    return std::tuple{field("block_size", &BlockParams::block_size, "Side of the blocks.").required()};
  }
};

// ---- Broadcasting and repetition. ----

struct BroadcastAxisParams {
  Shape axis, size;

  static constexpr auto fields() {
    using P = BroadcastAxisParams;
    return std::tuple{field("axis", &P::axis, "Axes of extent 1 to broadcast."),
                      field("size", &P::size, "Their new extents.")};
  }
};

struct BroadcastLikeParams {
  Axes lhs_axes, rhs_axes;

  static constexpr auto fields() {
    using P = BroadcastLikeParams;
    return std::tuple{field("lhs_axes", &P::lhs_axes, "Axes of lhs to broadcast; None for all."),
                      field("rhs_axes", &P::rhs_axes, "Axes of rhs that give their extents; None for all.")};
  }
};

struct TileParams {
  Shape reps;

  static constexpr auto fields() {
    return std::tuple{field("reps", &TileParams::reps, "How often the data is repeated along each axis.").required()};
  }
};

struct RepeatParams {
  int64_t repeats = 1;
  std::optional<int> axis;

  static constexpr auto fields() {
    using P = RepeatParams;
    return std::tuple{field("repeats", &P::repeats, "How often each element is repeated.").required(),
                      field("axis", &P::axis, "Axis along which; None flattens the data first.")};
  }
};

// ---- Parts. ----

using Bounds = std::vector<std::optional<int64_t>>;

struct SliceParams {
  Bounds begin, end, step;

  static constexpr auto fields() {
    using P = SliceParams;
    return std::tuple{field("begin", &P::begin, "First index of each axis; None for the start.").required(),
                      field("end", &P::end, "Index of each axis to stop before; None for the end.").required(),
                      field("step", &P::step, "Step of each axis; None for 1, may be negative.")};
  }
};

struct SliceScalarParams {
  double scalar = 0;
  Bounds begin, end, step;

  static constexpr auto fields() {
    using P = SliceScalarParams;
    return std::tuple{field("scalar", &P::scalar, "Value to write."),
                      field("begin", &P::begin, "First index of each axis; None for the start.").required(),
                      field("end", &P::end, "Index of each axis to stop before; None for the end.").required(),
                      field("step", &P::step, "Step of each axis; None for 1, may be negative.")};
  }
};

struct SliceAxisParams {
  int axis = 0;
  int64_t begin = 0;
  std::optional<int64_t> end;

  static constexpr auto fields() {
    using P = SliceAxisParams;
    return std::tuple{field("axis", &P::axis, "Axis to cut.").required(),
                      field("begin", &P::begin, "First index.").required(),
                      field("end", &P::end, "Index to stop before; None for the end.").required()};
  }
};

struct SliceLikeParams {
  Shape axes;

  static constexpr auto fields() {
    return std::tuple{field("axes", &SliceLikeParams::axes, "Axes to cut; () for all.")};
  }
};

struct CropParams {
  int num_args = 1;
  Shape offset{0, 0}, h_w{0, 0};
  bool center_crop = false;

  static constexpr auto fields() {
    using P = CropParams;
    return std::tuple{field("num_args", &P::num_args, "Number of arrays, 1 or 2.").required(),
                      field("offset", &P::offset, "First row and column."),
                      field("h_w", &P::h_w, "Height and width of the result where there is one array."),
                      field("center_crop", &P::center_crop, "Cut from the centre instead of at the offset.")};
  }
};

// Writing a slice into zeros: the gradient of slicing.
struct SliceScatterParams {
  Shape begin, step, shape;

  static constexpr auto fields() {
    using P = SliceScatterParams;
    return std::tuple{field("begin", &P::begin, "First index of each axis.").required(),
                      field("step", &P::step, "Step of each axis.").required(),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

struct ReverseParams {
  Shape axis;

  static constexpr auto fields() {
    return std::tuple{field("axis", &ReverseParams::axis, "Axes to reverse.").required()};
  }
};

struct DiagParams {
  int64_t k = 0;
  int axis1 = 0;
  int axis2 = 1;

  static constexpr auto fields() {
    using P = DiagParams;
    return std::tuple{field("k", &P::k, "Which diagonal: 0 the main one, positive above it, negative below."),
                      field("axis1", &P::axis1, "Axis of the rows."),
                      field("axis2", &P::axis2, "Axis of the columns.")};
  }
};

struct DiagScatterParams {
  int64_t k = 0;
  int axis1 = 0;
  int axis2 = 1;
  Shape shape;

  static constexpr auto fields() {
    using P = DiagScatterParams;
    return std::tuple{field("k", &P::k, "Which diagonal."), field("axis1", &P::axis1, "Axis of the rows."),
                      field("axis2", &P::axis2, "Axis of the columns."),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

// ---- Worked out from the parameters. ----

// Indices begin, begin + step, ... of one axis.
struct Range {
  int64_t begin = 0, step = 1, count = 0;
};
using Ranges = std::vector<Range>;

// Python's rules for begin:end:step on an axis; an unknown extent gives an unknown count.
inline Range slice_range(const char* op, std::optional<int64_t> begin, std::optional<int64_t> end,
                         std::optional<int64_t> step, int64_t extent) {
  int64_t s = step.value_or(1);
  if (s == 0) value_error(op, ": a step is 0");
  bool whole = !begin && !end && (s == 1 || s == -1);
  if (extent < 0) return {begin.value_or(0), s, whole ? extent : kUnknown};
  int64_t low = s > 0 ? 0 : -1, high = s > 0 ? extent : extent - 1;
  auto place = [&](std::optional<int64_t> index, int64_t otherwise) {
    return index ? std::clamp(*index < 0 ? *index + extent : *index, low, high) : otherwise;
  };
  int64_t first = place(begin, s > 0 ? low : high), last = place(end, s > 0 ? high : low);
  int64_t count = s > 0 ? (last - first + s - 1) / s : (first - last - s - 1) / -s;
  return {first, s, std::max<int64_t>(count, 0)};
}

template <class P>
Ranges slice_ranges(const char* op, const P& p, const Shape& shape) {
  size_t given = std::max({p.begin.size(), p.end.size(), p.step.size()});
  if (given > static_cast<size_t>(shape.ndim()))
    value_error(op, ": begin, end and step name ", given, " axes, the array has shape ", shape);
  auto at = [](const Bounds& list, int i) { return static_cast<size_t>(i) < list.size() ? list[i] : std::nullopt; };
  Ranges ranges;
  for (int i = 0; i < shape.ndim(); ++i)
    ranges.push_back(slice_range(op, at(p.begin, i), at(p.end, i), at(p.step, i), shape[i]));
  return ranges;
}

inline Ranges whole_ranges(const Shape& shape) {
  Ranges ranges;
  for (int64_t extent : shape) ranges.push_back({0, 1, extent});
  return ranges;
}

Ranges slice_axis_ranges(const SliceAxisParams& p, const Shape& shape);
Ranges slice_like_ranges(const SliceLikeParams& p, const Shape& shape, const Shape& like);
Ranges crop_ranges(const CropParams& p, const Shape& shape, const Shape* like);
Ranges scatter_ranges(const SliceScatterParams& p, const Shape& part);

inline Shape shape_of(const Ranges& ranges) {
  Shape shape;
  for (const Range& r : ranges) shape.push_back(r.count);
  return shape;
}

// `dout`, which is the part of an array of `shape` that `ranges` name, put into zeros of that shape.
Expr scatter_slice(const Expr& dout, const Shape& shape, const Ranges& ranges);

// The axis of the data for each axis of the result.
std::vector<int> permutation(const TransposeParams& p, int rank);

// The diagonal: where it starts and how long it is.
struct Diagonal {
  int axis1, axis2;
  int64_t row, column, count;
};
Diagonal diagonal(const char* op, int64_t k, int axis1, int axis2, const Shape& shape);

}  // namespace mxnet

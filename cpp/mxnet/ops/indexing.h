// Operators that pick elements by arrays of indices, and those that put elements back.
#pragma once
#include "mxnet/ops/axes.h"

namespace mxnet {

// What becomes of an index outside its axis.
enum class IndexMode { clip, wrap, raise };
constexpr std::array<std::pair<IndexMode, std::string_view>, 3> names_of(IndexMode) {
  return {{{IndexMode::clip, "clip"}, {IndexMode::raise, "raise"}, {IndexMode::wrap, "wrap"}}};
}

struct TakeParams {
  int axis = 0;
  IndexMode mode = IndexMode::clip;

  static constexpr auto fields() {
    using P = TakeParams;
    return std::tuple{
        field("axis", &P::axis, "Axis that is indexed."),
        field("mode", &P::mode, "An index out of range is taken to the nearest end, counted around, or an error.")};
  }
};

struct TakeBackwardParams {
  int axis = 0;
  IndexMode mode = IndexMode::clip;
  Shape shape;

  static constexpr auto fields() {
    using P = TakeBackwardParams;
    return std::tuple{field("axis", &P::axis, "Axis that is indexed."), field("mode", &P::mode, "As in take."),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

struct EmbeddingParams {
  int64_t input_dim = 0;
  int64_t output_dim = 0;
  DType dtype = DType::float32;
  bool sparse_grad = false;

  static constexpr auto fields() {
    using P = EmbeddingParams;
    return std::tuple{field("input_dim", &P::input_dim, "Number of rows of the weight.").required(),
                      field("output_dim", &P::output_dim, "Length of a row.").required(),
                      field("dtype", &P::dtype, "Element type of a weight that is not known yet."),
                      field("sparse_grad", &P::sparse_grad, "Ask for a gradient that holds the rows in use only.")};
  }
};

enum class PickMode { clip, wrap };
constexpr std::array<std::pair<PickMode, std::string_view>, 2> names_of(PickMode) {
  return {{{PickMode::clip, "clip"}, {PickMode::wrap, "wrap"}}};
}

struct PickParams {
  std::optional<int> axis = -1;
  bool keepdims = false;
  PickMode mode = PickMode::clip;

  static constexpr auto fields() {
    using P = PickParams;
    return std::tuple{field("axis", &P::axis, "Axis that is indexed."),
                      field("keepdims", &P::keepdims, "Keep that axis with extent 1."),
                      field("mode", &P::mode, "An index out of range is taken to the nearest end or counted around.")};
  }
};

struct PickBackwardParams {
  std::optional<int> axis = -1;
  bool keepdims = false;
  PickMode mode = PickMode::clip;
  Shape shape;

  static constexpr auto fields() {
    using P = PickBackwardParams;
    return std::tuple{field("axis", &P::axis, "Axis that is indexed."), field("keepdims", &P::keepdims, "As in pick."),
                      field("mode", &P::mode, "As in pick."),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

struct OneHotParams {
  int64_t depth = 0;
  double on_value = 1;
  double off_value = 0;
  DType dtype = DType::float32;

  static constexpr auto fields() {
    using P = OneHotParams;
    return std::tuple{field("depth", &P::depth, "Extent of the new axis.").required(),
                      field("on_value", &P::on_value, "Value at the index."),
                      field("off_value", &P::off_value, "Value elsewhere."),
                      field("dtype", &P::dtype, "Element type of the result.")};
  }
};

struct ScatterParams {
  Shape shape;

  static constexpr auto fields() {
    return std::tuple{field("shape", &ScatterParams::shape, "Shape of the array that is indexed.").required()};
  }
};

struct RavelParams {
  Shape shape;

  static constexpr auto fields() {
    return std::tuple{
        field("shape", &RavelParams::shape, "Shape of the array the indices belong to; its first extent may be -1.")};
  }
};

struct BooleanMaskParams {
  int axis = 0;

  static constexpr auto fields() { return std::tuple{field("axis", &BooleanMaskParams::axis, "Axis that is masked.")}; }
};

struct IndexArrayParams {
  Axes axes;

  static constexpr auto fields() {
    return std::tuple{field("axes", &IndexArrayParams::axes, "Axes whose indices are given; None for all.")};
  }
};

// ---- NumPy's indexing by arrays. ----

struct AdvancedIndexParams {
  int num_args = 0;
  Shape axes;

  static constexpr auto fields() {
    using P = AdvancedIndexParams;
    return std::tuple{field("num_args", &P::num_args, "Number of arrays."),
                      field("axes", &P::axes, "Axis of the data that each index array indexes, ascending.").required()};
  }
};

struct AdvancedIndexAddParams {
  int num_args = 0;
  Shape axes, shape;

  static constexpr auto fields() {
    using P = AdvancedIndexAddParams;
    return std::tuple{
        field("num_args", &P::num_args, "Number of arrays."),
        field("axes", &P::axes, "Axis of the result that each index array indexes, ascending.").required(),
        field("shape", &P::shape, "Shape of the result.").required()};
  }
};

// How an array is indexed: which axes the result has, and in what order it runs over them.
struct AdvancedLayout {
  Shape index_shape;  // what the index arrays broadcast to
  bool adjacent;      // indexed axes lie side by side and the index axes take their place; else these come first
  Shape result;
  Shape outer;  // kept axes before the last indexed one; those behind it are one contiguous run
  Shape outer_strides;
  int64_t run = 1;

  AdvancedLayout(const char* op, const Shape& shape, const Shape& axes, std::span<const Shape> indices);
};

// ---- Along an axis, with an index array that has the other axes as well. ----

struct AlongParams {
  int axis = -1;

  static constexpr auto fields() { return std::tuple{field("axis", &AlongParams::axis, "Axis that is indexed.")}; }
};

struct AlongBackwardParams {
  int axis = -1;
  Shape shape;

  static constexpr auto fields() {
    using P = AlongBackwardParams;
    return std::tuple{field("axis", &P::axis, "Axis that is indexed."),
                      field("shape", &P::shape, "Shape of the result.").required()};
  }
};

}  // namespace mxnet

// Parameters of the operators that make arrays.
#pragma once
#include <optional>
#include <string>
#include <tuple>

#include "mxnet/op/params.h"

namespace mxnet {

struct InitParams {
  Shape shape;
  std::string ctx;
  DType dtype = DType::float32;
  static constexpr auto fields() {
    using P = InitParams;
    return std::tuple{field("shape", &P::shape, "Shape of the result."),
                      field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                      field("dtype", &P::dtype, "Element type of the result.")};
  }
};

struct FullParams {
  Shape shape;
  std::string ctx;
  DType dtype = DType::float32;
  double value = 0;
  static constexpr auto fields() {
    using P = FullParams;
    return std::tuple{field("shape", &P::shape, "Shape of the result."),
                      field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                      field("dtype", &P::dtype, "Element type of the result."),
                      field("value", &P::value, "Value of every element.").required()};
  }
};

struct ArangeParams {
  double start = 0;
  std::optional<double> stop;
  double step = 1;
  int64_t repeat = 1;
  bool infer_range = false;
  std::string ctx;
  DType dtype = DType::float32;
  static constexpr auto fields() {
    using P = ArangeParams;
    return std::tuple{
        field("start", &P::start, "First value; the end, counted from 0, where stop is left out.").required(),
        field("stop", &P::stop, "End of the range, not in it."),
        field("step", &P::step, "Distance between values."),
        field("repeat", &P::repeat, "How often each value stands in the result."),
        field("infer_range", &P::infer_range, "Take the length from where the result goes."),
        field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
        field("dtype", &P::dtype, "Element type of the result.")};
  }
};

struct LinspaceParams {
  double start = 0;
  double stop = 0;
  double step = 1;
  int64_t repeat = 1;
  bool infer_range = false;
  int64_t num = 0;
  bool endpoint = true;
  std::string ctx;
  DType dtype = DType::float32;
  static constexpr auto fields() {
    using P = LinspaceParams;
    return std::tuple{field("start", &P::start, "First value.").required(),
                      field("stop", &P::stop, "End of the range.").required(),
                      field("step", &P::step, "Not used."),
                      field("repeat", &P::repeat, "Not used."),
                      field("infer_range", &P::infer_range, "Not used."),
                      field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                      field("dtype", &P::dtype, "Element type of the result."),
                      field("num", &P::num, "Number of values.").required(),
                      field("endpoint", &P::endpoint, "Whether stop is the last value.")};
  }
};

struct EyeParams {
  int64_t N = 0;
  int64_t M = 0;
  int64_t k = 0;
  std::string ctx;
  DType dtype = DType::float32;
  static constexpr auto fields() {
    using P = EyeParams;
    return std::tuple{field("N", &P::N, "Number of rows.").required(),
                      field("M", &P::M, "Number of columns; 0 for as many as rows."),
                      field("k", &P::k, "The diagonal of ones: 0 is the main one, positive ones lie above it."),
                      field("ctx", &P::ctx, "Context of the result, such as 'cpu(0)'."),
                      field("dtype", &P::dtype, "Element type of the result.")};
  }
};

struct ArangeLikeParams {
  double start = 0;
  double step = 1;
  int64_t repeat = 1;
  std::string ctx;
  std::optional<int64_t> axis;
  static constexpr auto fields() {
    using P = ArangeLikeParams;
    return std::tuple{field("start", &P::start, "First value."), field("step", &P::step, "Distance between values."),
                      field("repeat", &P::repeat, "How often each value stands in the result."),
                      field("ctx", &P::ctx, "Not used: the result lies where the input does."),
                      field("axis", &P::axis,
                            "Axis whose length the result has; without it the result has the "
                            "input's shape.")};
  }
};

}  // namespace mxnet

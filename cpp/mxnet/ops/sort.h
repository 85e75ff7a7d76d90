// Sorting and selecting along an axis.
#pragma once
#include "mxnet/ops/axes.h"

namespace mxnet {

enum class TopkResult { value, indices, mask, both };
constexpr std::array<std::pair<TopkResult, std::string_view>, 4> names_of(TopkResult) {
  return {{{TopkResult::both, "both"},
           {TopkResult::indices, "indices"},
           {TopkResult::mask, "mask"},
           {TopkResult::value, "value"}}};
}

struct TopkParams {
  std::optional<int> axis = -1;
  int64_t k = 1;
  TopkResult ret_typ = TopkResult::indices;
  bool is_ascend = false;
  DType dtype = DType::float32;

  static constexpr auto fields() {
    using P = TopkParams;
    return std::tuple{field("axis", &P::axis, "Axis to select along; None flattens the data first."),
                      field("k", &P::k, "How many elements; 0 for all."),
                      field("ret_typ", &P::ret_typ,
                            "Whether to give the elements, their indices, both, or an array of the shape of the "
                            "data with ones at the elements."),
                      field("is_ascend", &P::is_ascend, "Select the smallest elements instead of the largest."),
                      field("dtype", &P::dtype, "Element type of the indices.")};
  }
};

struct SortParams {
  std::optional<int> axis = -1;
  bool is_ascend = true;

  static constexpr auto fields() {
    using P = SortParams;
    return std::tuple{field("axis", &P::axis, "Axis to sort along; None flattens the data first."),
                      field("is_ascend", &P::is_ascend, "Smallest element first.")};
  }
};

struct ArgsortParams {
  std::optional<int> axis = -1;
  bool is_ascend = true;
  DType dtype = DType::float32;

  static constexpr auto fields() {
    using P = ArgsortParams;
    return std::tuple{field("axis", &P::axis, "Axis to sort along; None flattens the data first."),
                      field("is_ascend", &P::is_ascend, "Smallest element first."),
                      field("dtype", &P::dtype, "Element type of the indices.")};
  }
};

}  // namespace mxnet

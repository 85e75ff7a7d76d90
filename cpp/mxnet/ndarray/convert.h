// Conversion of one number between element types.
#pragma once
#include <cstdint>
#include <type_traits>

#include "mxnet/base/half.h"

namespace mxnet {

template <class To, class From>
MX_HD inline To convert(From from) {
  if constexpr (std::is_same_v<To, bool>) return from != From(0);
  // Narrow integers wrap, as they do from int32: the detour is also what vectorises.
  if constexpr (sizeof(To) < 4 && std::is_integral_v<To> && std::is_floating_point_v<From>)
    return static_cast<To>(static_cast<int32_t>(from));
  return static_cast<To>(from);
}

}  // namespace mxnet

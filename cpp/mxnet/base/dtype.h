// Element types. The numbers are those of MXNet's file formats and must not change.
#pragma once
#include <cstdint>
#include <ostream>
#include <string_view>

#include "mxnet/base/error.h"
#include "mxnet/base/half.h"

namespace mxnet {

enum class DType : int8_t {
  unknown = -1,
  float32 = 0,
  float64 = 1,
  float16 = 2,
  uint8 = 3,
  int32 = 4,
  int8 = 5,
  int64 = 6,
  boolean = 7,
  bfloat16 = 12,
};

int64_t size_of(DType dtype);
std::string_view name_of(DType dtype);         // "float32"
DType dtype_from_name(std::string_view name);  // raises for a name that is not an element type
bool is_floating(DType dtype);
std::ostream& operator<<(std::ostream& out, DType dtype);

// The DType of a C++ element type.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::float32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::float64;
};
template <>
struct DTypeOf<Float16> {
  static constexpr DType value = DType::float16;
};
template <>
struct DTypeOf<BFloat16> {
  static constexpr DType value = DType::bfloat16;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = DType::uint8;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = DType::int8;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::int32;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = DType::int64;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = DType::boolean;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// The type a kernel computes in: float for the 16-bit formats, the type itself otherwise.
template <class T>
struct ComputeType {
  using type = T;
};
template <>
struct ComputeType<Float16> {
  using type = float;
};
template <>
struct ComputeType<BFloat16> {
  using type = float;
};
template <class T>
using compute_t = typename ComputeType<T>::type;

[[noreturn]] void unsupported_dtype(DType dtype);

// Calls f.template operator()<T>() for the element type; the sets name what a kernel supports.
template <class F>
decltype(auto) dispatch_all(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f.template operator()<float>();
    case DType::float64: return f.template operator()<double>();
    case DType::float16: return f.template operator()<Float16>();
    case DType::bfloat16: return f.template operator()<BFloat16>();
    case DType::uint8: return f.template operator()<uint8_t>();
    case DType::int8: return f.template operator()<int8_t>();
    case DType::int32: return f.template operator()<int32_t>();
    case DType::int64: return f.template operator()<int64_t>();
    case DType::boolean: return f.template operator()<bool>();
    case DType::unknown: break;
  }
  unsupported_dtype(dtype);
}

template <class F>
decltype(auto) dispatch_floating(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32: return f.template operator()<float>();
    case DType::float64: return f.template operator()<double>();
    case DType::float16: return f.template operator()<Float16>();
    case DType::bfloat16: return f.template operator()<BFloat16>();
    default: unsupported_dtype(dtype);
  }
}

template <class F>
decltype(auto) dispatch_integer(DType dtype, F&& f) {
  switch (dtype) {
    case DType::uint8: return f.template operator()<uint8_t>();
    case DType::int8: return f.template operator()<int8_t>();
    case DType::int32: return f.template operator()<int32_t>();
    case DType::int64: return f.template operator()<int64_t>();
    default: unsupported_dtype(dtype);
  }
}

// By width only: for kernels that move elements without looking at them.
template <class F>
decltype(auto) dispatch_width(DType dtype, F&& f) {
  switch (size_of(dtype)) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    default: return f.template operator()<uint64_t>();
  }
}

}  // namespace mxnet
